r"""Sectors of conserved quantities, and which of them a Hamiltonian has.

magnetization M = Σ s_i (Pauli units: −N ≤ M ≤ N, M ≡ N mod 2); spin inversion Π X_i = ±1, a symmetry of the
sectors without fixed M or with M = 0; momentum m, integers with T_R |ψ⟩ = e^{−iq·R}|ψ⟩, q = Σ_a (m_a/L_a)
b_a, for the translations of `H.lattice`. Without a sector, everything conserved is used: the sectors of
`complete_sectors` are disjoint and fill the whole space.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike

from intertwine._checks import fail
from intertwine.quantum.exact.basis import Symmetry
from intertwine.quantum.operators.sign_structure import is_rotation_invariant, rotated, stoquastic_rotation
from intertwine.spaces.hilbert.place import space_group_of

if TYPE_CHECKING:
    from intertwine.quantum.operators.operator import Operator
    from intertwine.spaces.lattice import Lattice

_LARGEST_GROUP = 1000


@dataclass(frozen=True)
class Sector:
    """Values of conserved quantities; None leaves one open.

    magnetization: Σ s_i, an integer of N's parity. spin_flip: +1 or −1, the eigenvalue of Π X_i (electrons:
    of the exchange of c†_↑ and c†_↓). momentum: integers m_a, one for each direction of the lattice (an int
    on a chain), taken modulo L_a. irrep: name or number of an irrep of the momentum's little group, as of
    `it.sector` ("A1", "E"); of dimension 2 or 3 one of its rows is meant, so that levels come once.

    >>> Sector(magnetization=0, momentum=3)
    Sector(magnetization=0, spin_flip=None, momentum=(3,), irrep=None)
    """

    magnetization: int | None = None
    spin_flip: int | None = None
    momentum: tuple[int, ...] | None = None
    irrep: int | str | None = None

    def __post_init__(self) -> None:
        momentum = (self.momentum,) if isinstance(self.momentum, int | np.integer) else self.momentum
        for name, value in (("magnetization", self.magnetization), ("spin_flip", self.spin_flip)):
            if value is not None and not _is_integer(value):
                raise fail(name, "an integer or None", value)
        if self.spin_flip not in (None, 1, -1):
            raise fail("spin_flip", "1, -1 or None", self.spin_flip)
        if momentum is not None:
            if not isinstance(momentum, tuple | list) or not all(_is_integer(m) for m in momentum):
                raise fail("momentum", "integers, one for each direction", self.momentum)
            object.__setattr__(self, "momentum", tuple(int(m) for m in momentum))


def _is_integer(value: object) -> bool:
    return isinstance(value, int | np.integer) and not isinstance(value, bool)


def check_sector(operator: Operator, sector: Sector) -> None:
    """Raises `InputError` where a quantity of `sector` is out of range or not conserved by `operator`."""
    N, M = operator.size, sector.magnetization
    if M is not None:
        if not operator.conserves_magnetization:
            raise fail("sector", "a quantity that H conserves", f"magnetization={M}, which H changes")
        if abs(M) > N or (M - N) % 2:
            raise fail("magnetization", f"an integer from −{N} to {N} of the parity of N = {N}", M)
    if sector.spin_flip is not None:
        if not operator.commutes_with_spin_flip:
            raise fail(
                "sector", "a quantity that H conserves", f"spin_flip={sector.spin_flip}, which H breaks"
            )
        if M:
            raise fail(
                "spin_flip",
                "None where magnetization is not 0",
                sector.spin_flip,
                "spin inversion maps M to −M; give one of the two",
            )
    if sector.momentum is not None:
        lattice, d = operator.lattice, len(getattr(operator.lattice, "extent", ()))
        if lattice is None:
            raise fail("momentum", "None where H has no lattice", sector.momentum, "build H with lattice=...")
        if len(sector.momentum) != d:
            raise fail("momentum", f"{d} integers, one for each direction", sector.momentum)
        if any(m and not p for m, p in zip(sector.momentum, lattice.periodic, strict=True)):
            raise fail("momentum", "0 along open directions", sector.momentum)
        if len(invariant_rows(operator, lattice.translations.permutations)) != lattice.translations.order:
            raise fail(
                "sector", "a quantity that H conserves", f"momentum={sector.momentum}; H breaks translations"
            )


def invariant_rows(operator: Operator, permutations: ArrayLike) -> np.ndarray:
    """The rows of int (g, N) that leave `operator` unchanged, the identity first."""
    kept = np.array([row for row in np.asarray(permutations) if operator.is_invariant(row)])
    identity = np.all(kept == np.arange(operator.size), axis=1)
    return np.concatenate([kept[identity], kept[~identity]])


def translations(operator: Operator) -> np.ndarray:
    """The lattice translations that leave `operator` unchanged (the identity where it has no lattice)."""
    group = getattr(operator.lattice, "translations", None)
    rows = np.arange(operator.size)[None] if group is None else group.permutations
    return invariant_rows(operator, rows)


def momentum_characters(operator: Operator, rows: np.ndarray, momentum: tuple[int, ...]) -> np.ndarray:
    """e^{−iq·R} for each translation, complex (g,); exactly ±1 where it is real."""
    return phases(operator.lattice, rows, momentum)


def phases(lattice: Lattice, rows: np.ndarray, momentum: tuple[int, ...]) -> np.ndarray:
    """e^{−iq·R} of the translations `rows`, permutations of sites (g, N)."""
    extent = np.array(lattice.extent)
    shift = np.stack(np.unravel_index(rows[:, 0] // lattice.basis_size, tuple(extent)), axis=1)
    turns = (shift * np.array(momentum) % extent / extent).sum(axis=1)
    quarter = np.round(4 * turns)
    exact = np.array([1, -1j, -1, 1j])[quarter.astype(int) % 4]
    return np.where(np.abs(4 * turns - quarter) < 1e-9, exact, np.exp(-2j * np.pi * turns))


def complete_sectors(operator: Operator, wanted: Sector | None = None) -> list[tuple[Sector, int]]:
    """Every sector of all that `operator` conserves, inside `wanted`, with how often its spectrum occurs.

    Sectors with the same spectrum by symmetry are listed once and counted: M and −M, momenta that a point
    operation of the lattice carries into one another, and ±momentum of a real H.
    """
    wanted = Sector() if wanted is None else wanted
    check_sector(operator, wanted)
    rows = translations(operator)
    momenta = _momenta(operator, rows, wanted)
    out = []
    for M, copies in _magnetizations(operator, wanted):
        flips: tuple[int | None, ...] = (None,)
        if operator.commutes_with_spin_flip and not M:
            flips = (1, -1) if wanted.spin_flip is None else (wanted.spin_flip,)
        for flip, (momentum, pairs) in itertools.product(flips, momenta):
            out.append((Sector(M, flip, momentum), copies * pairs))
    return out


def _magnetizations(operator: Operator, wanted: Sector) -> list[tuple[int | None, int]]:
    N = operator.size
    if wanted.magnetization is not None:
        return [(wanted.magnetization, 1)]
    if not operator.conserves_magnetization:
        return [(None, 1)]
    if not operator.commutes_with_spin_flip:
        return [(M, 1) for M in range(-N, N + 1, 2)]
    return [(M, 2 if M and wanted.spin_flip is None else 1) for M in range(N % 2, N + 1, 2)]


def ground_sectors(operator: Operator, wanted: Sector | None) -> list[Sector]:
    """Those of `complete_sectors` that can hold the lowest level: under global spin rotations (SU(2)) every
    level has a state of the least |M|, so the others need no search. (Not inside a given momentum: rotations
    that commute with H only up to signs change it.)"""
    found = [sector for sector, _ in complete_sectors(operator, wanted)]
    if wanted is None or wanted == Sector():
        least = operator.size % 2
        if any(s.magnetization != least for s in found) and is_rotation_invariant(operator):
            found = [s for s in found if s.magnetization == least]
    return found


def _momenta(
    operator: Operator, rows: np.ndarray, wanted: Sector
) -> list[tuple[tuple[int, ...] | None, int]]:
    if wanted.momentum is not None:
        return [(wanted.momentum, 1)]
    if len(rows) == 1:
        return [(None, 1)]
    lattice = operator.lattice
    grid = itertools.product(
        *(range(n if p else 1) for n, p in zip(lattice.extent, lattice.periodic, strict=True))
    )
    turned = _turned_translations(operator, rows)
    firsts: dict[bytes, tuple[int, ...]] = {}
    copies: dict[tuple[int, ...], int] = {}
    counted: set[bytes] = set()
    for momentum in grid:
        characters = momentum_characters(operator, rows, momentum)
        own = _as_key(characters)
        if own in counted:
            continue
        counted.add(own)
        first = firsts.setdefault(own, momentum)
        copies[first] = copies.get(first, 0) + 1
        for image in characters[turned]:
            firsts.setdefault(_as_key(image), first)
            if operator.is_real:
                firsts.setdefault(_as_key(image.conj()), first)
    return list(copies.items())


def _as_key(characters: np.ndarray) -> bytes:
    return (np.round(characters, 6) + (0.0 + 0.0j)).tobytes()


def _turned_translations(operator: Operator, rows: np.ndarray) -> np.ndarray:
    """For each g of the lattice's space group that leaves H unchanged, the numbers of g T g⁻¹ among the
    translations T, `rows`; one row of int (·, len(rows)) for each that differs. The identity's is the first.
    """
    own = np.arange(len(rows))[None]
    group = space_group_of(operator.lattice)
    if group is None or group.order > _LARGEST_GROUP or len(rows) != operator.lattice.translations.order:
        return own
    moves = group.permutations
    inverse = np.argsort(moves, axis=1)
    number = np.zeros(operator.size, int)
    number[rows[:, 0]] = np.arange(len(rows))  # a translation is known by where it takes site 0
    turned = number[np.take_along_axis(moves, rows[:, inverse[:, 0]].T, axis=1)]
    _, which = np.unique(turned, axis=0, return_index=True)
    kept = [g for g in which if operator.is_invariant(moves[g])]
    return np.concatenate([own, turned[kept]])


def symmetry_of(operator: Operator, sector: Sector) -> Symmetry:
    """The group and character of one of the `complete_sectors`."""
    rows = translations(operator) if sector.momentum is not None else np.arange(operator.size)[None]
    characters = np.ones(1, complex)
    if sector.momentum is not None:
        characters = momentum_characters(operator, rows, sector.momentum).astype(complex)
    down = None if sector.magnetization is None else (operator.size - sector.magnetization) // 2
    symmetry = Symmetry(rows, np.zeros(len(rows), bool), characters, down)
    return symmetry if sector.spin_flip is None else symmetry.with_inversion(sector.spin_flip)


def positive_sectors(operator: Operator, wanted: Sector | None) -> tuple[np.ndarray, list[Symmetry]] | None:
    """Where a ground state can be taken non-negative: the rotation Π_{i∈A} Z_i that makes it so (A as bool
    (N,)) and the sectors to search, all with trivial characters; None where no rotation makes `operator`
    stoquastic."""
    wanted = Sector() if wanted is None else wanted
    if wanted.spin_flip is not None or wanted.momentum is not None:
        return None
    sites = stoquastic_rotation(operator)
    if sites is None:
        return None
    check_sector(operator, wanted)
    positive = rotated(operator, sites)
    rows = _largest_group(positive)
    plain = Symmetry(rows, np.zeros(len(rows), bool), np.ones(len(rows), complex), None)
    magnetizations = [M for M, _ in _magnetizations(operator, wanted)]
    if wanted.magnetization is None and len(magnetizations) > 1 and is_rotation_invariant(operator):
        magnetizations = [operator.size % 2]
    symmetries = []
    for M in magnetizations:
        symmetry = plain._replace(down=None if M is None else (operator.size - M) // 2)
        inverted = positive.commutes_with_spin_flip and not M
        symmetries.append(symmetry.with_inversion(1) if inverted else symmetry)
    return sites, symmetries


def _largest_group(operator: Operator) -> np.ndarray:
    """The space group of the lattice where it is small enough, else its translations; what leaves H
    unchanged."""
    lattice = operator.lattice
    group = space_group_of(lattice)
    if group is None or group.order > _LARGEST_GROUP:
        return translations(operator)
    return invariant_rows(operator, group.permutations)
