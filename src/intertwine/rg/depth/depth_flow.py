r"""Depth as scale, of an activation or of any network: the one question, and its two ways."""

from __future__ import annotations

from typing import overload

from jax import Array
from jaxtyping import PyTree
from numpy.typing import ArrayLike

from intertwine._checks import fail
from intertwine.layers.nonlinear.pointwise import Function
from intertwine.rg.depth.flow import DepthFlow, kernel_flow
from intertwine.rg.depth.network_flow import NetworkDepthFlow, network_flow_with_depth


@overload
def depth_flow(
    what: Function,
    x: None = None,
    *,
    depth: int | None = None,
    C_W: float | None = None,
    C_b: float | None = None,
    kernel: float | None = None,
    correlation: float | None = None,
    width: int | None = None,
) -> DepthFlow: ...
@overload
def depth_flow(
    what: PyTree, x: ArrayLike, *, draws: int | None = None, key: Array | None = None
) -> NetworkDepthFlow: ...
def depth_flow(
    what: PyTree,
    x: ArrayLike | None = None,
    *,
    depth: int | None = None,
    C_W: float | None = None,
    C_b: float | None = None,
    kernel: float | None = None,
    correlation: float | None = None,
    width: int | None = None,
    draws: int | None = None,
    key: Array | None = None,
) -> DepthFlow | NetworkDepthFlow:
    """The flow of the kernel with depth, of an activation at infinite width, or, with examples x, of a
    network.

    what: the name of an activation ("relu", "tanh", "gelu" …) or any function of JAX arrays that acts on
    each number alone. Or, with x, an equinox module, a Flax module, a network of this library, or a
    function of a key that makes one.

    Of an activation: depth, L layers (50). C_W, C_b, the variances of weights, times the fan-in, and of
    biases; the critical ones by default (`critical_initialisation`), C_b = 0 where C_W alone is given.
    kernel, K of the first layer, 1 by default, or K* of a half-stable critical point. correlation, of two
    inputs at the first layer, which are followed too. width of the layers, for the running coupling V/(nK²).

    Of a network: x, two examples or more (examples, …), of which the first 32 are taken. draws: of the
    initialisation, 20 by default; of a network that is given, 1, itself as it is, or more, its entries in
    another order. key: of draws and directions.

    Raises InputError for activations that are not finite, that have no critical initialisation where none is
    given, for kernels that outgrow all numbers, and for networks without layers.

    >>> flow = depth_flow("tanh", depth=100)
    >>> round(float(flow.kernel[-1]), 9), flow.is_critical
    (0.005120716, True)
    >>> flow = depth_flow("tanh", C_W=1.3, C_b=0.01)
    >>> flow.phase, round(flow.end.kernel, 6), round(flow.end.xi_q, 4)
    ('ordered', 0.204757, 2.9837)
    >>> import equinox as eqx, jax, numpy as np
    >>> x = np.random.default_rng(0).normal(size=(4, 8))
    >>> flow = depth_flow(lambda key: eqx.nn.MLP(8, 2, 64, 3, key=key), x, key=jax.random.key(0))
    >>> flow.layers, bool((flow.perpendicular[:-1] < 0.4).all())                     # 1/6 each of a ReLU
    (('layers[0]', 'layers[1]', 'layers[2]', 'layers[3]'), True)
    """
    of_activation = {"depth": depth, "C_W": C_W, "C_b": C_b, "kernel": kernel, "correlation": correlation}
    of_activation["width"] = width
    of_network = {"draws": draws, "key": key}
    given, kind = (of_activation, "a network") if x is not None else (of_network, "an activation")
    for name, value in given.items():
        if value is not None:
            remedy = "leave it out" if x is not None else "give examples x with a network"
            raise fail(name, f"nothing for {kind}", value, remedy)
    if x is None:
        return kernel_flow(
            what, depth=50 if depth is None else depth, C_W=C_W, C_b=C_b, kernel=kernel,
            correlation=correlation, width=width,
        )  # fmt: skip
    if key is None:
        raise fail("key", "a key for a network", None, "for example jax.random.key(0)")
    return network_flow_with_depth(what, x, draws=draws, key=key)
