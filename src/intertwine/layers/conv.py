r"""The equivariant linear layer between fields: one definition for every space.

    (K f)(x) = Σ_y κ(y) f(x + y)                    on a grid: one correlation
    (K f)(y) = Σ_z κ(z) ρ(h(s_y, z))⁻¹ f(s_y z)     on G/H: gather, bring to a common frame, one product;
                                                    on G also a block product for each irrep (`spectral`)

with κ ∈ Hom_G(Ind ρ, Ind σ) from `symmetry.intertwiners`. The plain convolution is the case H = 1 on a
grid; lifting is ρ trivial, σ regular; projection is σ trivial (Cohen & Welling 2016; Cohen, Geiger &
Weiler 2019). How it is computed is the space's to say: `Conv` asks it for its executor
(`layers.executors.protocol`).
"""

from __future__ import annotations

from typing import cast

import equinox as eqx
import jax.numpy as jnp
from jax import Array
from jax.typing import DTypeLike
from jaxtyping import Float, Shaped

from intertwine._checks import fail, one_of, positive_int
from intertwine.layers.bias import Bias, has_invariants
from intertwine.layers.executors.protocol import CloudExecutor, Padding, Plan, executor_of
from intertwine.layers.fields import field_type
from intertwine.layers.kernel import EquivariantKernel, hashable_region
from intertwine.layers.mask import inside
from intertwine.spaces.protocols import Region, Space, takes_clouds
from intertwine.symmetry.fibre_maps import AnyRep


class Conv(eqx.Module):
    r"""An intertwiner from fields of type `rep_in` to fields of type `rep_out` on `space`.

    space: a `Grid` (fields (..., X_0, …, C_in), any leading axes), a `HomogeneousSpace` (fields (..., n,
        C_in)), `Points` (fields (..., n, C_in), and the layer is called with `at`), or any other `Space`
        (fields (..., *space, C_in)).
    rep_in, rep_out: representations of the fibre's group H, or their names ("2 scalar + vector", see
        `field_type`); channels are their components.
    support: the width of the kernel on a grid, points of a `HomogeneousSpace` (None: all of it), or
        `Radial(functions, degree)` on `Points`.
    stride, padding: on grids; "valid", "same" (zeros, odd widths), "periodic", or a number of zeros on
        each side. Equivariance about the centre is exact where (X + 2·padding − width) is a multiple of
        the stride (`keeps_centre`); "valid" and "same" with stride 1 keep it, "periodic" keeps translations
        as well. On triangular grids the points outside the array's hexagon count 0 (`mask`), unless
        padding is "periodic".
    executor: on G/H: "gather", "spectral" (H = 1 only), or "auto": the one with fewer products.
    bias: whether invariant vectors of rep_out get a bias; where there are none, there is none.
    gain: of the initial weights, 2 before a rectifier, 1 before nothing.

    Raises InputError for representations of another group, for fields that no kernel joins, supports that
    the group does not map to themselves, and when called with fields of another type.

    >>> import jax
    >>> from intertwine.spaces.grid import Grid
    >>> from intertwine.symmetry import regular
    >>> grid = Grid("p4")
    >>> lift = Conv(grid, grid.scalar, 8 * regular(grid.group), 3, key=jax.random.key(0))
    >>> lift(jnp.ones((5, 28, 28, 1))).shape
    (5, 26, 26, 32)
    """

    kernel: EquivariantKernel
    bias: Bias | None
    stride: int = eqx.field(static=True)
    padding: Padding = eqx.field(static=True)
    executor: str = eqx.field(static=True)

    def __init__(
        self,
        space: Space,
        rep_in: AnyRep | str,
        rep_out: AnyRep | str,
        support: Region = None,
        *,
        stride: int = 1,
        padding: Padding = "valid",
        executor: str = "auto",
        bias: bool = True,
        gain: float = 2.0,
        dtype: DTypeLike = float,
        key: Array,
    ):
        run = executor_of(space)
        self.stride = positive_int("stride", stride)
        self.padding = _checked_padding(padding)
        self.executor = one_of("executor", executor, ("auto", "gather", "spectral"))
        rep_in, rep_out = field_type(space, rep_in, "rep_in"), field_type(space, rep_out, "rep_out")
        region = hashable_region(support)
        run.check(Plan(space, rep_in, rep_out, region, self.stride, self.padding, self.executor))
        kind = jnp.zeros((), dtype).dtype
        self.kernel = EquivariantKernel(space, rep_in, rep_out, region, gain=gain, dtype=kind, key=key)
        self.bias = Bias(rep_out, dtype=kind) if bias and has_invariants(rep_out) else None

    @property
    def space(self) -> Space:
        return self.kernel.space

    @property
    def rep_in(self) -> AnyRep:
        return self.kernel.rep_in

    @property
    def rep_out(self) -> AnyRep:
        return self.kernel.rep_out

    @property
    def support(self) -> Region:
        return self.kernel.support

    @property
    def plan(self) -> Plan:
        """What the space's executor is told."""
        return Plan(
            self.space, self.rep_in, self.rep_out, self.support, self.stride, self.padding, self.executor
        )

    def __call__(
        self, x: Shaped[Array, "... C_in"], *, at: object = None, key: Array | None = None
    ) -> Float[Array, "... C_out"]:
        """Fields of type rep_in to fields of type rep_out; at: the cloud that they live on, of clouds of
        points alone; `key` is not used."""
        space = self.space
        axes = space.axes
        if jnp.ndim(x) < axes + 1 or jnp.shape(x)[-1] != self.rep_in.dimension:
            expected = (
                f"fields of type {self.rep_in!r}, {axes} space axes and then {self.rep_in.dimension} channels"
            )
            raise fail("x", expected, f"shape {jnp.shape(x)}")
        x = x if jnp.issubdtype(x.dtype, jnp.inexact) else x.astype(self.kernel.weights[0].dtype)
        run = executor_of(space)
        if takes_clouds(space):
            space.check_cloud(at, x)
            out = cast("CloudExecutor", run).apply(self.plan, self.kernel(), x, at)
        elif at is not None:
            raise fail("at", f"nothing on {type(space).__name__}, which is one space", at)
        else:
            out = run.apply(self.plan, self.kernel(), x)
        out = out if self.bias is None else self.bias(out)
        return out if self.padding == "periodic" else inside(out, space)

    def dense_kernel(self) -> Float[Array, "..."]:
        """κ as the space shows it: the array that is correlated, (k_0, …, C_in, C_out), on a grid, (points,
        C_in, C_out) on G/H."""
        return executor_of(self.space).dense(self.plan, self.kernel())

    @property
    def correlates(self) -> bool:
        """Whether the layer is a plain correlation with its `dense_kernel`, as on grids."""
        return executor_of(self.space).correlates

    def keeps_centre(self, shape: tuple[int, ...]) -> bool:
        """Whether the outputs for arrays of `shape` lie symmetrically about their centre: exact
        equivariance.

        >>> import jax
        >>> from intertwine.spaces.grid import Grid
        >>> grid = Grid("p4")
        >>> layer = Conv(grid, grid.scalar, grid.scalar, 3, stride=2, key=jax.random.key(0))
        >>> layer.keeps_centre((27, 27)), layer.keeps_centre((28, 28))
        (True, False)
        """
        return executor_of(self.space).keeps_centre(self.plan, shape)


def _checked_padding(padding: Padding) -> Padding:
    whole = isinstance(padding, int) and not isinstance(padding, bool) and padding >= 0
    if padding not in ("valid", "same", "periodic") and not whole:
        raise fail("padding", "'valid', 'same', 'periodic' or a number ≥ 0", padding)
    return padding
