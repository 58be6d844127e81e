r"""Depth as scale, of an activation or of any network: the one question, and its two ways."""

from __future__ import annotations

from intertwine.layers.nonlinear.pointwise import Function
from intertwine.rg.depth.flow import DepthFlow, kernel_flow


def depth_flow(
    activation: Function,
    *,
    depth: int = 50,
    C_W: float | None = None,
    C_b: float | None = None,
    kernel: float | None = None,
    correlation: float | None = None,
    width: int | None = None,
) -> DepthFlow:
    """The flow of the kernel with depth.

    activation: a name ("relu", "tanh", "gelu" …) or any function of JAX arrays that acts on each number
    alone. depth: L, layers. C_W, C_b: the variances of weights, times the fan-in, and of biases; the critical
    ones by default (`critical_initialisation`), C_b = 0 where C_W alone is given. kernel: K of the first
    layer, 1 by default, or K* of a half-stable critical point. correlation: of two inputs at the first layer,
    which are followed too. width: of the layers, for the running coupling V/(nK²).

    Raises InputError for activations that are not finite, that have no critical initialisation where none is
    given, and for kernels that outgrow all numbers.

    >>> flow = depth_flow("tanh", depth=100)
    >>> round(flow.kernel[-1], 9), flow.is_critical
    (np.float64(0.005120716), True)
    >>> flow = depth_flow("tanh", C_W=1.3, C_b=0.01)
    >>> flow.phase, round(flow.end.kernel, 6), round(flow.end.xi_q, 4)
    ('ordered', 0.204757, 2.9837)
    """
    return kernel_flow(
        activation, depth=depth, C_W=C_W, C_b=C_b, kernel=kernel, correlation=correlation, width=width
    )
