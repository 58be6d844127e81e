r"""A sector of a space by its labels: the group, its characters, and a projector where these are not enough.

One-dimensional characters (momenta, small irreps of dimension 1, the spin flip) reduce the basis to one state
for each orbit. A row of a larger small irrep D of the little group G_q is kept to by the projector

    P = (d/|G_q|) Σ_{g∈G_q} D_ii(g)* U_g

between the states of momentum q, a sparse matrix with one element a row for each element of the point group.
"""

from __future__ import annotations

import re
from itertools import product as pairs_of
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from intertwine._checks import fail
from intertwine.models.symmetric.sectors import SpaceGroupSector, sector, sectors
from intertwine.quantum.exact.basis import in_threads
from intertwine.quantum.exact.hilbert.basis import SpaceBasis
from intertwine.quantum.exact.hilbert.signed_group import SignedGroup
from intertwine.quantum.exact.hilbert.symmetries import Symmetries
from intertwine.quantum.exact.sector import Sector
from intertwine.spaces.hilbert.place import space_group_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from intertwine.quantum.exact.lanczos import Matrix
    from intertwine.spaces.lattice import Lattice

SectorLike = Sector | SpaceGroupSector | str


class Chosen(NamedTuple):
    """group: with the characters of states. rows: permutations of sites (r, L) of the point group, with
    weights (r,), that make up the projector, or None. copies: how often each level of the sector occurs in
    the space (the dimension of the irrep). label: in words."""

    group: SignedGroup
    rows: np.ndarray | None
    weights: np.ndarray | None
    copies: int
    label: str


def chosen(symmetries: Symmetries, wanted: SectorLike | None) -> Chosen:
    """The sector that is `wanted` of what is symmetric; InputError where it is no symmetry."""
    if wanted is None:
        return _of_group(symmetries, symmetries.sites[:1], np.ones(1), None, "all states")
    place = symmetries.place
    flip: int | None = None
    irrep: Any = wanted
    if isinstance(wanted, str):
        flip, name = _read(wanted)
        _require_flip(symmetries, flip)
        named = [s for s in sectors(_lattice(symmetries)) if _read(s.name)[1] == name]
        if not named:
            names = ", ".join(s.name for s in sectors(place))
            raise fail("sector", f"a Sector, or one of {names}", wanted)
        irrep = named[0]
    elif isinstance(wanted, Sector):
        flip = wanted.spin_flip
        _require_flip(symmetries, flip)
        if wanted.magnetization is not None and not any(
            b.name == "magnetization" and b.told == wanted.magnetization for b in symmetries.space.bounds
        ):
            remedy = "give the numbers to the space, as Spins(lattice, magnetization=0)"
            raise fail("magnetization", "None, or that of the space", wanted.magnetization, remedy)
        irrep = _space_group_sector(symmetries, wanted)
    elif not isinstance(wanted, SpaceGroupSector):
        raise fail("sector", "a Sector, a sector of the lattice, its name, or None", wanted)
    if irrep is None:
        label = "all states" if flip is None else f"spin flip {flip:+d}"
        return _of_group(symmetries, symmetries.sites[:1], np.ones(1), flip, label)
    if isinstance(irrep, Sector):
        return _of_momentum(symmetries, irrep)
    return of_irrep(symmetries, irrep, flip)


def _read(text: str) -> tuple[int | None, str]:
    """(the spin flip or None, momentum and irrep without spaces) of a sector in words.

    >>> _read("k=(pi, 0), A1, flip=-1"), _read("(π, 0) A1"), _read("π A")
    ((-1, '(π,0)A1'), (None, '(π,0)A1'), (None, 'πA'))
    """
    found = re.search(r",?\s*(?:spin[_ ])?flip\s*=?\s*([+−-]?)1\s*$", text)
    flip = None if found is None else (1 if found[1] in ("", "+") else -1)
    words = re.sub(r"\s", "", text if found is None else text[: found.start()]).replace("pi", "π")
    return flip, re.sub(r",(?=[A-Z]|irrep)", "", words.removeprefix("k="))


def _require_flip(symmetries: Symmetries, flip: int | None) -> None:
    if flip is not None and symmetries.flip is None:
        got = f"spin_flip={flip}, which H or its space breaks"
        raise fail("sector", "a quantity that H conserves", got)


def _lattice(symmetries: Symmetries) -> Any:
    if space_group_of(symmetries.place) is None:
        raise fail("sector", "None where the space has no lattice", "a sector", "give the space its lattice")
    if not symmetries.is_whole_group:
        raise fail("sector", "a quantity that H conserves", "an irrep of the space group, which H breaks")
    return symmetries.place


def _space_group_sector(symmetries: Symmetries, wanted: Sector) -> Any:
    """The irrep that is meant, the Sector itself for a momentum alone, None for neither."""
    if wanted.irrep is None:
        return None if wanted.momentum is None else wanted
    lattice = _lattice(symmetries)
    return sector(lattice, cartesian(lattice, wanted.momentum), wanted.irrep)


def cartesian(lattice: Lattice, momentum: Sequence[int] | None) -> np.ndarray:
    """q = Σ_a (m_a/L_a) b_a, float64 (d,)."""
    momentum = (0,) * len(lattice.extent) if momentum is None else momentum
    if len(momentum) != len(lattice.extent):
        raise fail("momentum", f"{len(lattice.extent)} integers, one for each direction", momentum)
    turns = 2 * np.pi * np.array(momentum) / np.array(lattice.extent)
    return np.linalg.lstsq(np.asarray(lattice.basis_vectors), turns, rcond=None)[0]


def _of_group(
    symmetries: Symmetries, sites: np.ndarray, characters: np.ndarray, flip: int | None, label: str
) -> Chosen:
    group = symmetries.group(sites, np.asarray(characters, complex), flip)
    return Chosen(group, None, None, 1, label)


def _of_momentum(symmetries: Symmetries, wanted: Sector) -> Chosen:
    from intertwine.quantum.exact.sector import phases

    lattice = symmetries.place
    if getattr(lattice, "translations", None) is None:
        raise fail("momentum", "None where the space has no lattice", wanted.momentum)
    assert wanted.momentum is not None
    cartesian(lattice, wanted.momentum)
    if any(m and not p for m, p in zip(wanted.momentum, lattice.periodic, strict=True)):
        raise fail("momentum", "0 along open directions", wanted.momentum)
    rows = symmetries.translations
    if len(rows) != lattice.translations.order:
        got = f"momentum={wanted.momentum}; H breaks translations"
        raise fail("sector", "a quantity that H conserves", got)
    characters = phases(lattice, rows, wanted.momentum)
    words = "momentum " + ", ".join(map(str, wanted.momentum))
    words += "" if wanted.spin_flip is None else f", spin flip {wanted.spin_flip:+d}"
    return _of_group(symmetries, rows, characters, wanted.spin_flip, words)


def of_irrep(symmetries: Symmetries, irrep: SpaceGroupSector, flip: int | None) -> Chosen:
    """An irrep of the space group (a row of its small irrep, where that is larger), with a spin flip."""
    lattice = _lattice(symmetries)
    if irrep.lattice != lattice:
        raise fail("sector", f"one of {lattice.name}", f"one of {irrep.lattice.name}")
    group = lattice.space_group
    row = np.asarray(irrep.row(), complex)
    label = irrep.name + ("" if flip is None else f", spin flip {flip:+d}")
    degree = irrep.dimension // irrep.star
    if degree == 1:
        members = irrep.little[np.argsort(irrep.little != group.identity, kind="stable")]
        found = _of_group(symmetries, group.permutations[members], np.conj(row[members]), flip, label)
        return found._replace(copies=irrep.dimension)
    translations = group.rows_of(lattice.translations.permutations)
    translations = translations[np.argsort(translations != group.identity, kind="stable")]
    found = _of_group(symmetries, group.permutations[translations], np.conj(row[translations]), flip, label)
    representatives, seen = [], set()
    for g in irrep.little:
        if int(g) not in seen:
            representatives.append(int(g))
            seen |= set(np.asarray(group.multiply(int(g), translations)).ravel().tolist())
    weights = degree / len(representatives) * row[representatives]
    return found._replace(rows=group.permutations[representatives], weights=weights, copies=irrep.dimension)


def translation_sectors(symmetries: Symmetries) -> list[tuple[Chosen, str, int | None]]:
    """The sectors of momenta and of the spin flip, with the momentum in words and the flip; together they are
    the space."""
    momenta: list[tuple[int, ...] | None] = [None]
    rows = symmetries.translations
    if len(rows) > 1 and len(rows) == symmetries.place.translations.order:
        lattice = symmetries.place
        periods = zip(lattice.extent, lattice.periodic, strict=True)
        momenta = list(pairs_of(*(range(n if p else 1) for n, p in periods)))
    flips = (None,) if symmetries.flip is None else (1, -1)
    return [
        (chosen(symmetries, Sector(None, f, m)), "" if m is None else f"momentum {m}", f)
        for m, f in pairs_of(momenta, flips)
    ]


class Projected:
    """P H P + c (1 − P): what is outside the range of P is lifted to c, above the spectrum."""

    def __init__(self, matrix: Matrix, projector: Matrix, lift: float):
        self.matrix, self.projector, self.lift = matrix, projector, lift
        self.shape = matrix.shape
        self.dtype = np.result_type(matrix.dtype, projector.dtype)

    def __matmul__(self, x: np.ndarray) -> np.ndarray:
        inside = self.projector @ x
        return self.projector @ (self.matrix @ inside) + self.lift * (x - inside)


def projector(basis: SpaceBasis, symmetries: Symmetries, sector: Chosen) -> Any:
    """Σ weights U_g between the states of a basis, CSR."""
    from scipy.sparse import csr_matrix

    from intertwine.quantum.exact.hilbert import projector_kernels

    assert sector.rows is not None and sector.weights is not None
    movers = symmetries.group(sector.rows, sector.weights)
    arguments = movers.kernel_arguments(basis.packing, basis.space.levels, basis.space.fermionic)
    n, r = basis.dimension, movers.order
    columns = np.tile(np.arange(n), r)
    rows, values = np.zeros(n * r, np.int64), np.zeros(n * r, complex)
    for g in range(r):
        part = slice(g * n, (g + 1) * n)
        in_threads(
            projector_kernels.orbit_images,
            n,
            g,
            *arguments,
            *basis.kernel_arguments(),
            rows[part],
            values[part],
        )
        values[part] *= sector.weights[g]
    found = csr_matrix((values, (rows, columns)), shape=(n, n))
    if np.max(np.abs(np.imag(found.data)), initial=0.0) < 1e-12:
        found = found.real
    found.eliminate_zeros()
    return found
