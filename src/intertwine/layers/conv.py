r"""The equivariant linear layer between fields: one definition, on grids and on finite spaces G/H.

    (K f)(x) = Σ_y κ(y) f(x + y)                    on a grid: one correlation
    (K f)(y) = Σ_z κ(z) ρ(h(s_y, z))⁻¹ f(s_y z)     on G/H: gather, bring to a common frame, one product;
                                                    on G also a block product for each irrep (`spectral`)

with κ ∈ Hom_G(Ind ρ, Ind σ) from `symmetry.intertwiners`. The plain convolution is the case H = 1 on a
grid; lifting is ρ trivial, σ regular; projection is σ trivial (Cohen & Welling 2016; Cohen, Geiger &
Weiler 2019).
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jax import Array
from jaxtyping import Float, Shaped

from intertwine._checks import fail, one_of, positive_int
from intertwine.layers.bias import Bias, has_invariants
from intertwine.layers.executors.correlate import correlate
from intertwine.layers.executors.spectral import MOST_ELEMENTS, group_fourier, spectral_convolution
from intertwine.layers.fields import field_type
from intertwine.layers.kernel import EquivariantKernel, hashable_region, region_of
from intertwine.layers.mask import inside
from intertwine.spaces.grid import Grid
from intertwine.spaces.homogeneous import HomogeneousSpace
from intertwine.symmetry import Rep

Padding = str | int


class Conv(eqx.Module):
    r"""An intertwiner from fields of type `rep_in` to fields of type `rep_out` on `space`.

    space: a `Grid` (fields (..., X_0, …, C_in), any leading axes) or a `HomogeneousSpace` (fields (...,
    n, C_in)).
    rep_in, rep_out: representations of the fibre's group H, or their names ("2 scalar + vector", see
        `field_type`); channels are their components.
    support: the width of the kernel on a grid, or points of a `HomogeneousSpace` (None: all of it).
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
        space: Grid | HomogeneousSpace,
        rep_in: Rep | str,
        rep_out: Rep | str,
        support: Any = None,
        *,
        stride: int = 1,
        padding: Padding = "valid",
        executor: str = "auto",
        bias: bool = True,
        gain: float = 2.0,
        dtype: Any = float,
        key: Array,
    ):
        if not isinstance(space, Grid | HomogeneousSpace):
            raise fail("space", "a Grid or a HomogeneousSpace", space, 'for example Grid("p4m")')
        if isinstance(space, Grid) and support is None:
            raise fail("support", "the width of the kernel", None, "for example 3")
        self.stride = positive_int("stride", stride)
        self.padding = _checked_padding(padding)
        if isinstance(space, HomogeneousSpace) and (stride != 1 or padding != "valid"):
            raise fail(
                "stride", "1 and no padding on a finite space", f"stride {stride}, padding {padding!r}"
            )
        self.executor = one_of("executor", executor, ("auto", "gather", "spectral"))
        if executor == "spectral" and (isinstance(space, Grid) or space.fibre_group.order > 1):
            raise fail(
                "executor", "'auto' or 'gather' here", "'spectral'", "it is for fields on a group, H = 1"
            )
        region = hashable_region(support)
        rep_in, rep_out = field_type(space, rep_in, "rep_in"), field_type(space, rep_out, "rep_out")
        kind = jnp.zeros((), dtype).dtype
        self.kernel = EquivariantKernel(space, rep_in, rep_out, region, gain=gain, dtype=kind, key=key)
        self.bias = Bias(rep_out, dtype=kind) if bias and has_invariants(rep_out) else None
        if (
            isinstance(space, Grid)
            and self.padding == "same"
            and not all(n % 2 for n in space.window(support).shape)
        ):
            raise fail("padding", "'valid' or a number for even widths", "'same'", "or take an odd width")

    @property
    def space(self) -> Grid | HomogeneousSpace:
        return self.kernel.space

    @property
    def rep_in(self) -> Rep:
        return self.kernel.rep_in

    @property
    def rep_out(self) -> Rep:
        return self.kernel.rep_out

    @property
    def support(self) -> Any:
        return self.kernel.support

    def __call__(
        self, x: Shaped[Array, "... C_in"], *, key: Array | None = None
    ) -> Float[Array, "... C_out"]:
        """Fields of type rep_in to fields of type rep_out; `key` is not used."""
        space = self.space
        axes = space.dimension if isinstance(space, Grid) else 1
        if jnp.ndim(x) < axes + 1 or jnp.shape(x)[-1] != self.rep_in.dimension:
            expected = (
                f"fields of type {self.rep_in!r}, {axes} space axes and then {self.rep_in.dimension} channels"
            )
            raise fail("x", expected, f"shape {jnp.shape(x)}")
        weights = self.kernel.weights[0].dtype
        x = x if jnp.issubdtype(x.dtype, jnp.inexact) else x.astype(weights)
        masked = isinstance(space, Grid) and self.padding != "periodic"
        x = inside(x, space) if masked else x
        out = self._on_grid(x, space) if isinstance(space, Grid) else self._on_cosets(x, space)
        out = out if self.bias is None else self.bias(out)
        return inside(out, space) if masked else out

    def dense_kernel(self) -> Float[Array, "..."]:
        """κ as the array that is correlated: (k_0, …, C_in, C_out) on a grid, (points, C_in, C_out) on
        G/H."""
        values = self.kernel()
        if not isinstance(self.space, Grid):
            return values
        window = self.space.window(region_of(self.support))
        cells = int(np.prod(window.shape))
        if len(window.taps) < cells:
            place = np.zeros((cells, len(window.taps)))
            place[window.taps, np.arange(len(window.taps))] = 1
            values = jnp.tensordot(jnp.asarray(place, values.dtype), values, 1)
        return values.reshape(*window.shape, *values.shape[1:])

    def keeps_centre(self, shape: tuple[int, ...]) -> bool:
        """Whether the outputs for arrays of `shape` lie symmetrically about their centre: exact
        equivariance.

        >>> import jax
        >>> grid = Grid("p4")
        >>> layer = Conv(grid, grid.scalar, grid.scalar, 3, stride=2, key=jax.random.key(0))
        >>> layer.keeps_centre((27, 27)), layer.keeps_centre((28, 28))
        (True, False)
        """
        if not isinstance(self.space, Grid):
            return True
        widths = self.space.window(region_of(self.support)).shape
        centred = []
        for n, k in zip(shape, widths, strict=True):
            half = (k - 1) // 2
            before = {"valid": 0, "same": half, "periodic": half}.get(self.padding, self.padding)  # type: ignore[call-overload]
            after = k // 2 if self.padding == "periodic" else before
            steps = (n + before + after - k) // self.stride
            # the first window begins as far from the centre as the last one ends
            symmetric = self.stride * steps + k - 2 * before == n
            centred.append(symmetric and not (self.space.hexagonal and steps % 2))
        return all(centred)

    def _on_grid(self, x: Array, space: Grid) -> Array:
        kernel = self.dense_kernel().astype(x.dtype)
        widths = kernel.shape[: space.dimension]
        sizes = x.shape[-1 - space.dimension : -1]
        if self.padding == "valid" and any(n < k for n, k in zip(sizes, widths, strict=True)):
            raise fail(
                "x", f"arrays of at least {widths} points", f"{sizes}", "pad, or take a smaller kernel"
            )
        return correlate(x, kernel, stride=self.stride, padding=self.padding)

    def _on_cosets(self, x: Array, space: HomogeneousSpace) -> Array:
        if x.shape[-2] != space.size:
            raise fail("x", f"a field on {space.size} points", f"shape {x.shape}")
        kernel = self.kernel().astype(x.dtype)
        if self._spectral(space, len(kernel)):
            points = np.arange(space.size) if self.support is None else np.array(self.support)
            out = spectral_convolution(
                x[..., np.argsort(space.section), :], kernel, space.group, space.section[points]
            )
            return out[..., space.section, :]
        flat = _transported(x, space, self.rep_in, self.support)
        return flat @ kernel.reshape(-1, kernel.shape[-1])

    def _spectral(self, space: HomogeneousSpace, points: int) -> bool:
        """Whether the spectral executor runs: with "auto" where it takes fewer products."""
        if self.executor != "auto" or space.fibre_group.order > 1 or space.size > MOST_ELEMENTS:
            return self.executor == "spectral"
        n, c_in, c_out = space.size, self.rep_in.dimension, self.rep_out.dimension
        if n * points <= n**2 * (1 / c_in + 1 / c_out):
            return False
        return group_fourier(space.group).products + n**2 * (1 / c_in + 1 / c_out) < n * points


def _transported(x: Array, space: HomogeneousSpace, rep: Rep, support: Any) -> Array:
    """What each point sees in its own frame, (..., n, points·C)."""
    around = _gather_table(space, rep, support)
    if around is not None:
        flat = x.reshape(*x.shape[:-2], -1)
        return flat[..., around].reshape(*x.shape[:-2], space.size, -1)
    sites, transport = space.neighbourhood(support if support is None else np.array(support))
    seen = x[..., sites, :]
    parts, start = [], 0
    for block, m in rep.blocks:
        end = start + m * block.dimension
        part = seen[..., start:end].reshape(*seen.shape[:-1], m, block.dimension)
        back = jnp.asarray(block.matrices[space.fibre_group.inverse][transport], x.dtype)
        parts.append(jnp.einsum("yzij,...yzmj->...yzmi", back, part).reshape(*seen.shape[:-1], -1))
        start = end
    return jnp.concatenate(parts, axis=-1).reshape(*x.shape[:-2], space.size, -1)


@lru_cache(maxsize=64)
def _gather_table(space: HomogeneousSpace, rep: Rep, support: Any) -> np.ndarray | None:
    """int (n, points·C): for permutation representations, where in (n·C) each component comes from."""
    if not rep.is_permutation:
        return None
    sites, transport = space.neighbourhood(support if support is None else np.array(support))
    columns, start = [], 0
    for block, m in rep.blocks:
        assert block.permutation is not None
        # (ρ(h)⁻¹ v)_i = v_{h(i)}
        inner = block.permutation[transport]
        for _ in range(m):
            columns.append(inner + start)
            start += block.dimension
    channel = np.concatenate(columns, axis=-1)
    return (sites[..., None] * rep.dimension + channel).reshape(space.size, -1)


def _checked_padding(padding: Any) -> Padding:
    whole = isinstance(padding, int) and not isinstance(padding, bool) and padding >= 0
    if padding not in ("valid", "same", "periodic") and not whole:
        raise fail("padding", "'valid', 'same', 'periodic' or a number ≥ 0", padding)
    return padding
