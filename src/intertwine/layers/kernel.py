r"""The kernel of an equivariant layer: weights times a basis of intertwiners.

    κ(x) = Σ_b w_b B_b(x),      B_b the basis kernels of `symmetry.intertwiners` of each pair of blocks.

For a block of m copies of ρ and one of m' copies of σ there is a weight for each basis kernel and pair of
copies, (dim Hom(ρ, σ), m', m). Equal blocks of a sum are taken together, wherever they stand in it, so that
16 (ρ + σ) costs no more than 16 ρ + 16 σ. A small basis is kept dense, and the kernel is one matrix
product. A large one is walked through tables of its entries, forwards and backwards, so that neither way
scatters.

Weights start normal with variance gain·dim σ/Σ_ρ m dim Hom(ρ, σ), which keeps the variance of a field
times `gain`/2 (He et al. 2015; Weiler & Cesa 2019): each basis kernel has norm 1.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from jax.typing import DTypeLike
from jaxtyping import Float

from intertwine._checks import fail
from intertwine.layers.blocks import gathered
from intertwine.spaces.protocols import SmoothSpace, has_kernels
from intertwine.symmetry.fibre_maps import AnyRep
from intertwine.symmetry.intertwiner_basis import KernelBasis, intertwiners
from intertwine.symmetry.representation import Rep

if TYPE_CHECKING:
    from intertwine.spaces.protocols import Region, Space

_MOST_DENSE = 2**21
_SMALL, _FEW = 2**12, 2


class _Table(NamedTuple):
    """A sparse linear map and its transpose as padded tables: out[e] = Σ_t value[e, t] in[index[e, t]]."""

    index: np.ndarray
    value: np.ndarray
    back_index: np.ndarray
    back_value: np.ndarray


class _Expansion(NamedTuple):
    """How weights (count, m_out·m_in) become κ (coordinates·d_in·d_out, m_out·m_in) of one pair of
    blocks."""

    count: int
    dense: np.ndarray | None
    table: _Table | None


class Layout(NamedTuple):
    """Everything about a kernel but its weights. coordinates, sampling: as of a `Support`."""

    coordinates: int
    sampling: np.ndarray | None
    expansions: tuple[tuple[_Expansion, ...], ...]


@lru_cache(maxsize=256)
def layout(space: Space, rep_in: AnyRep, rep_out: AnyRep, support: Region) -> Layout:
    """The basis and its tables, built once for layers alike."""
    if has_kernels(space):
        return _of_irreps(space, rep_in, rep_out, region_of(support))
    assert isinstance(rep_in, Rep) and isinstance(rep_out, Rep)
    basis = intertwiners(space, rep_in, rep_out, region_of(support))
    rows = []
    for (out, _), row in zip(rep_out.blocks, basis.blocks, strict=True):
        rows.append(
            tuple(
                _expansion(b, basis.support.coordinates, into.dimension, out.dimension)
                for (into, _), b in zip(rep_in.blocks, row, strict=True)
            )
        )
    return Layout(basis.support.coordinates, basis.support.sampling, tuple(rows))


def _of_irreps(space: SmoothSpace, rep_in: Any, rep_out: Any, region: Any) -> Layout:
    """The kernels that a space with a continuous structure group says itself."""
    rows, coordinates = [], 0
    for out, _ in rep_out.blocks:
        row = []
        for into, _ in rep_in.blocks:
            basis = np.asarray(space.kernel_basis(into, out, region), np.float64)
            b, coordinate, column, row_of = np.nonzero(basis)
            entries = KernelBasis(
                len(basis), b, coordinate, row_of, column, basis[b, coordinate, column, row_of]
            )
            coordinates = basis.shape[1]
            row.append(_expansion(entries, coordinates, into.dimension, out.dimension, spread=_FEW))
        rows.append(tuple(row))
    return Layout(coordinates, None, tuple(rows))


class EquivariantKernel(eqx.Module):
    """The weights of a kernel, and κ from them; built by `Conv`.

    weights: for each pair of different blocks (out by out, in by in) an array (dim Hom, copies out, copies
    in).
    """

    weights: tuple[Float[Array, "n m_out m_in"], ...]
    space: Any = eqx.field(static=True)
    rep_in: AnyRep = eqx.field(static=True)
    rep_out: AnyRep = eqx.field(static=True)
    support: Any = eqx.field(static=True)

    def __init__(
        self,
        space: Space,
        rep_in: AnyRep,
        rep_out: AnyRep,
        support: Region,
        *,
        gain: float = 2.0,
        dtype: DTypeLike,
        key: Array,
    ):
        self.space, self.rep_in, self.rep_out, self.support = space, rep_in, rep_out, support
        if np.result_type(rep_in.dtype, rep_out.dtype) != np.float64:
            remedy = "use the real irreps (pairs of complex ones)"
            raise fail("rep_in", "real representations", "complex matrices", remedy)
        (rep_in, _), (rep_out, _) = gathered(rep_in), gathered(rep_out)
        expansions = layout(space, rep_in, rep_out, support).expansions
        shapes, spreads = [], []
        for (out, m_out), row in zip(rep_out.blocks, expansions, strict=True):
            ways = sum(e.count * m for e, (_, m) in zip(row, rep_in.blocks, strict=True))
            for e, (_, m_in) in zip(row, rep_in.blocks, strict=True):
                shapes.append((e.count, m_out, m_in))
                spreads.append((gain * out.dimension / max(ways, 1)) ** 0.5)
        sizes = [int(np.prod(shape)) for shape in shapes]
        drawn = jax.random.normal(key, (sum(sizes),), dtype) * jnp.asarray(np.repeat(spreads, sizes), dtype)
        ends = np.cumsum(sizes)
        weights = [drawn[e - n : e].reshape(s) for e, n, s in zip(ends, sizes, shapes, strict=True)]
        self.weights = tuple(weights)
        if not any(sizes):
            got = f"Hom({rep_in!r}, {rep_out!r}) = 0 on this support"
            raise fail(
                "rep_out",
                "fields that some equivariant kernel leads to",
                got,
                "use a larger support, or a higher band limit",
            )

    def __call__(self) -> Float[Array, "points C_in C_out"]:
        """κ at the points of the support."""
        (rep_in, place_in), (rep_out, place_out) = gathered(self.rep_in), gathered(self.rep_out)
        found = layout(self.space, rep_in, rep_out, self.support)
        weights = iter(self.weights)
        rows = []
        for (out, m_out), row in zip(rep_out.blocks, found.expansions, strict=True):
            columns = []
            for (into, m_in), expansion in zip(rep_in.blocks, row, strict=True):
                flat = next(weights).reshape(expansion.count, m_out * m_in)  # count may be 0
                d_in, d_out = into.dimension, out.dimension
                part = _expand(flat, expansion).reshape(found.coordinates, d_in, d_out, m_out, m_in)
                part = part.transpose(0, 4, 1, 3, 2)
                columns.append(part.reshape(found.coordinates, m_in * d_in, m_out * d_out))
            rows.append(jnp.concatenate(columns, axis=1))
        kernel = jnp.concatenate(rows, axis=2)
        kernel = kernel if place_in is None else kernel[:, place_in]
        kernel = kernel if place_out is None else kernel[:, :, place_out]
        if found.sampling is None:
            return kernel
        return jnp.tensordot(jnp.asarray(found.sampling, kernel.dtype), kernel, 1)


def region_of(support: Region) -> Any:
    """Supports are hashable in layers: a tuple of tuples stands for an array of displacements."""
    if isinstance(support, tuple) and support and isinstance(support[0], tuple):
        return np.array(support)
    return support


def hashable_region(support: Region) -> Any:
    """`support` as an int, None, or (nested) tuples; tuples with names stay what they are."""
    if support is None or isinstance(support, int) or hasattr(support, "_fields"):
        return support
    array = np.asarray(support)
    if array.ndim == 0 or array.dtype == object:
        return support
    return tuple(map(tuple, array.tolist())) if array.ndim == 2 else tuple(array.tolist())


def _expansion(basis: KernelBasis, coordinates: int, d_in: int, d_out: int, spread: int = 0) -> _Expansion:
    """spread: entries of κ that see no more basis kernels than this are walked through tables at any size."""
    size = coordinates * d_in * d_out
    place = (basis.coordinate * d_in + basis.column) * d_out + basis.row
    few = len(basis.value) > 0 and int(np.bincount(place).max()) <= spread
    if basis.count * size <= _MOST_DENSE and not (few and basis.count * size > _SMALL):
        dense = np.zeros((size, basis.count))
        dense[place, basis.basis] = basis.value
        return _Expansion(basis.count, dense, None)
    forward = _padded(place, basis.basis, basis.value, size)
    backward = _padded(basis.basis, place, basis.value, basis.count)
    return _Expansion(basis.count, None, _Table(*forward, *backward))


def _padded(
    rows: np.ndarray, columns: np.ndarray, values: np.ndarray, n: int
) -> tuple[np.ndarray, np.ndarray]:
    """The entries of each of n rows side by side, padded by column 0 with value 0."""
    order = np.argsort(rows, kind="stable")
    rows, columns, values = rows[order], columns[order], values[order]
    counts = np.bincount(rows, minlength=n)
    slot = np.arange(len(rows)) - np.repeat(np.cumsum(counts) - counts, counts)
    index = np.zeros((n, int(counts.max(initial=1))), np.int32)
    value = np.zeros(index.shape)
    index[rows, slot], value[rows, slot] = columns, values
    return index, value


def _expand(flat: Array, expansion: _Expansion) -> Array:
    if expansion.dense is not None:
        return jnp.asarray(expansion.dense, flat.dtype) @ flat
    assert expansion.table is not None
    return _walk(flat, *(jnp.asarray(a) for a in expansion.table))


@jax.custom_vjp
def _walk(flat: Array, index: Array, value: Array, back_index: Array, back_value: Array) -> Array:
    return _gathered(flat, index, value)


def _gathered(flat: Array, index: Array, value: Array) -> Array:
    """Σ_t value[:, t] flat[index[:, t]], one slot after another."""

    def add(total: Array, slot: tuple[Array, Array]) -> tuple[Array, None]:
        at, factor = slot
        return total + factor.astype(flat.dtype)[:, None] * flat[at], None

    begin = jnp.zeros((index.shape[0], flat.shape[1]), flat.dtype)
    return jax.lax.scan(add, begin, (index.T, value.T))[0]


def _walk_forward(flat: Array, *table: Array) -> tuple[Array, tuple[Array, ...]]:
    return _gathered(flat, *table[:2]), table


def _walk_back(table: tuple[Array, ...], cotangent: Array) -> tuple[Array | None, ...]:
    return _gathered(cotangent, *table[2:]), None, None, None, None


_walk.defvjp(_walk_forward, _walk_back)
