r"""Intertwiners Hom_G(Ind_H ρ, Ind_K σ): the kernels of equivariant linear maps between fields.

A field of type ρ on X = G/H and one of type σ on Y = G/K. A linear map that commutes with G is fixed by
its kernel κ: X → Hom(V, W) at the base point of Y,

    κ(k x) = σ(k) κ(x) ρ(h(k, x))⁻¹   for k ∈ K,      h(k, x) = s_{kx}⁻¹ k s_x   (1 on a grid Z^d: h = k),

an invariant section over the points x (`sections`). It is supported on a union of orbits K\X, the double
cosets K\G/H, and dim Hom is the sum over them of dim Hom_{K∩xHx⁻¹} (Mackey 1952; Cohen, Geiger & Weiler,
NeurIPS 2019). Blocks of sums are solved once for each pair of blocks. Where ρ or σ permute a basis, the
basis vectors count as points too, and nothing is left to solve for the regular representation.

On grids whose rotations do not map the grid to itself the points are replaced by harmonics: rings of
radius r and angular functions (cos mθ, sin mθ), on which the group acts exactly, sampled on the grid
afterwards (Weiler & Cesa, NeurIPS 2019).

Bases are kept on disk by a hash of all that determines them (`disk_cache`).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import NamedTuple, Protocol

import numpy as np
from jaxtyping import Float

from intertwine._checks import fail
from intertwine.symmetry.disk_cache import cached, content_hash
from intertwine.symmetry.groups.finite_group import FiniteGroup
from intertwine.symmetry.groups.sections import Sections, invariant_sections, orbit_indicators
from intertwine.symmetry.representation import Rep

_VERSION = 1
_MOST_NUMBERS = 2**27


class Orbits(NamedTuple):
    """One kind of points that the stabiliser K of the base point of Y moves.

    action: int32 (k, n), the image of each point. transport: int32 (k, n), h(k, x) as elements of H.
    mixing: None, or the orthogonal matrices (k, e, e) by which K mixes the e functions that stand at each
    point.
    """

    action: np.ndarray
    transport: np.ndarray
    mixing: np.ndarray | None = None


class Support(NamedTuple):
    """Where kernels live. in_group: H. out_group: K.

    kinds: the kinds of points; coordinates are numbered kind by kind, then by point, then by mixed
    function.
    sampling: None where coordinates are points; else (points, coordinates), values of the functions at
    the points.
    """

    in_group: FiniteGroup
    out_group: FiniteGroup
    kinds: tuple[Orbits, ...]
    sampling: np.ndarray | None = None

    @property
    def coordinates(self) -> int:
        return sum(o.action.shape[1] * (1 if o.mixing is None else o.mixing.shape[1]) for o in self.kinds)

    @property
    def points(self) -> int:
        return self.coordinates if self.sampling is None else len(self.sampling)


class KernelSpace(Protocol):
    """A space that intertwiners can be built on: all that they ask of it."""

    def support(self, region: object) -> Support: ...


class KernelBasis(NamedTuple):
    """Kernels from one block ρ to one block σ, sparse, each of Frobenius norm 1 over its coordinates.

    count: dim Hom. basis, coordinate, row (of σ), column (of ρ), value: (e,) the entries.
    """

    count: int
    basis: np.ndarray
    coordinate: np.ndarray
    row: np.ndarray
    column: np.ndarray
    value: np.ndarray


@dataclass(frozen=True, eq=False)
class Intertwiners:
    """All kernels from rep_in to rep_out on a support: what `intertwiners` returns.

    blocks: (a tuple a block of rep_out, in it) a `KernelBasis` for each block of rep_in.

    >>> from intertwine.spaces.grid import Grid
    >>> p4 = Grid("p4")
    >>> intertwiners(p4, p4.vector, p4.vector, 3).dimension
    10
    """

    support: Support
    rep_in: Rep
    rep_out: Rep
    blocks: tuple[tuple[KernelBasis, ...], ...]

    @property
    def dimension(self) -> int:
        """dim Hom_G, multiplicities counted."""
        return sum(
            basis.count * m * n
            for (_, m), row in zip(self.rep_out.blocks, self.blocks, strict=True)
            for (_, n), basis in zip(self.rep_in.blocks, row, strict=True)
        )

    @cached_property
    def kernels(self) -> Float[np.ndarray, "dim points out in"]:
        """The basis kernels at the points, dense; InputError where they do not fit in memory."""
        shape = (self.dimension, self.support.coordinates, self.rep_out.dimension, self.rep_in.dimension)
        if np.prod(shape, dtype=float) > _MOST_NUMBERS:
            raise fail("kernels", "kernels that fit in memory", f"shape {shape}", "use the sparse blocks")
        dtype = np.result_type(self.rep_in.dtype, self.rep_out.dtype)
        out, start, row_start = np.zeros(shape, dtype), 0, 0
        for (rep_out, m), row in zip(self.rep_out.blocks, self.blocks, strict=True):
            for i in range(m):
                column_start = 0
                for (rep_in, n), b in zip(self.rep_in.blocks, row, strict=True):
                    for j in range(n):
                        rows = row_start + i * rep_out.dimension + b.row
                        columns = column_start + j * rep_in.dimension + b.column
                        out[start + b.basis, b.coordinate, rows, columns] = b.value
                        start += b.count
                    column_start += n * rep_in.dimension
            row_start += m * rep_out.dimension
        if self.support.sampling is None:
            return out
        return np.einsum("yc,bcij->byij", self.support.sampling, out)


def intertwiners(space: KernelSpace, rep_in: Rep, rep_out: Rep, support: object) -> Intertwiners:
    """A basis of the equivariant kernels from fields of type `rep_in` to fields of type `rep_out`.

    space: a `Grid`, a `HomogeneousSpace` or anything else that has `support`. support: the region, in the
    words of the space: the width of a window of a grid (3 is 3×3, or 7 points of a hexagonal grid), or a list
    of points that the stabiliser maps to itself.

    Raises InputError for representations of another group, or a support that is not mapped to itself.

    >>> from intertwine.spaces.grid import Grid
    >>> from intertwine.symmetry import regular, trivial
    >>> grid = Grid("p4m")
    >>> intertwiners(grid, trivial(grid.group), regular(grid.group), 3).kernels.shape
    (9, 9, 8, 1)
    """
    region = support if isinstance(support, Support) else space.support(support)
    for argument, rep, group in (
        ("rep_in", rep_in, region.in_group),
        ("rep_out", rep_out, region.out_group),
    ):
        if not isinstance(rep, Rep) or rep.group != group:
            raise fail(
                argument, f"a representation of {group!r}", _told(rep), f"the fibre's group is {group!r}"
            )
        if not rep.is_orthogonal:
            remedy = "average an inner product over the group and change the basis with rep.changed"
            raise fail(argument, "orthogonal (or unitary) matrices", _told(rep), remedy)
    rows = []
    for out, _ in rep_out.blocks:
        rows.append(tuple(_basis(_Pair(region, into, out)) for into, _ in rep_in.blocks))
    return Intertwiners(region, rep_in, rep_out, tuple(rows))


def _told(rep: Rep) -> str:
    return f"{rep!r} of {rep.group!r}" if isinstance(rep, Rep) else repr(rep)


class _Pair:
    """A support and two blocks, hashed by content."""

    def __init__(self, support: Support, rep_in: Rep, rep_out: Rep):
        self.support, self.rep_in, self.rep_out = support, rep_in, rep_out
        arrays = [a for kind in support.kinds for a in kind if a is not None]
        groups = [support.in_group.product_table, support.out_group.product_table]
        self.digest = content_hash(*arrays, *groups, _VERSION, rep_in.digest, rep_out.digest)

    def __hash__(self) -> int:
        return hash(self.digest)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Pair) and self.digest == other.digest


@lru_cache(maxsize=512)
def _basis(pair: _Pair) -> KernelBasis:
    """The basis of one pair of blocks, from memory, from disk, or solved."""
    arrays = cached(f"kernel-{pair.digest}", lambda: _solved(pair)._asdict())
    return KernelBasis(int(arrays["count"]), *(arrays[name] for name in KernelBasis._fields[1:]))


def _solved(pair: _Pair) -> KernelBasis:
    parts: list[tuple[np.ndarray, ...]] = []
    count = start = 0
    for kind in pair.support.kinds:
        entries = _kind_basis(kind, pair.rep_in, pair.rep_out)
        width = 1 if kind.mixing is None else kind.mixing.shape[1]
        parts.append((entries.basis + count, entries.coordinate + start, *entries[3:]))
        count += entries.count
        start += kind.action.shape[1] * width
    return KernelBasis(count, *(np.concatenate(arrays) for arrays in zip(*parts, strict=True)))


def _kind_basis(kind: Orbits, rep_in: Rep, rep_out: Rep) -> KernelBasis:
    """Points are (x, column of ρ, row of σ) as far as ρ and σ permute; the rest is the fibre."""
    k, n = kind.action.shape
    d_in, d_out = rep_in.dimension, rep_out.dimension
    elements = np.arange(k)
    action = kind.action.reshape(k, n, 1, 1).astype(np.int64)
    columns = rows = 1
    if rep_in.permutation is not None:
        columns = d_in
        action = action * d_in + rep_in.permutation[kind.transport][:, :, :, None]
    if rep_out.permutation is not None:
        rows = d_out
        action = action * d_out + rep_out.permutation[elements][:, None, None, :]
    action = np.broadcast_to(action, (k, n, columns, rows)).reshape(k, -1)
    factors: list[Callable[[np.ndarray, int], np.ndarray]] = []
    shape = []
    if kind.mixing is not None:
        mixing = kind.mixing
        factors.append(lambda g, p: mixing[g])
        shape.append(mixing.shape[1])
    if rep_out.permutation is None:
        factors.append(lambda g, p: rep_out.matrices[g])
        shape.append(d_out)
    if rep_in.permutation is None:
        back = rep_in.matrices.conj()  # the dual of a unitary representation
        factors.append(lambda g, p: back[kind.transport[g, p // (columns * rows)]])
        shape.append(d_in)
    if not factors:
        found = orbit_indicators(action)
    else:
        found = invariant_sections(action, lambda g, p: _kron(factors, g, p), int(np.prod(shape)))
    return _entries(found, kind, shape, (n, columns, rows), rep_in, rep_out)


def _entries(
    found: Sections,
    kind: Orbits,
    fibre: list[int],
    points: tuple[int, int, int],
    rep_in: Rep,
    rep_out: Rep,
) -> KernelBasis:
    x, column, row = np.unravel_index(found.point, points)
    parts = list(np.unravel_index(found.component, tuple(fibre) or (1,)))
    coordinate = x
    if kind.mixing is not None:
        coordinate = x * kind.mixing.shape[1] + parts.pop(0)
    if rep_out.permutation is None:
        row = parts.pop(0)
    if rep_in.permutation is None:
        column = parts.pop(0)
    return KernelBasis(found.count, found.basis, coordinate, row, column, found.value)


def _kron(factors: list[Callable[[np.ndarray, int], np.ndarray]], g: np.ndarray, p: int) -> np.ndarray:
    out = factors[0](g, p)
    for factor in factors[1:]:
        other = factor(g, p)
        d = out.shape[-1] * other.shape[-1]
        out = np.einsum("gij,gkl->gikjl", out, other).reshape(len(g), d, d)
    return out
