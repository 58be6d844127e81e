r"""Unitary matrices of an irreducible representation from its character.

Let λ be a linear character of a subgroup H, P = (1/|H|) Σ_h λ(h)* ρ(h) the projector onto the vectors
that H multiplies by λ, and m = ⟨χ|_H, λ⟩ its rank. The function

    φ(g) = tr ρ(g) P = (1/|H|) Σ_h λ(h)* χ(g h)

needs χ alone and is positive definite: φ(g⁻¹ g') is the scalar product of the vectors g P and g' P, of
which d·m are independent. In a basis of such vectors, chosen by pivoted Cholesky factors L of their
scalar products,

    ρ(s) = L⁻¹ [φ(g_i⁻¹ s g_j)] L⁻†

is unitary: the irreducible representation for m = 1, else m copies of it. These are told apart by an
eigenspace of a random Hermitian right multiplication, P a P with a = Σ_x c_x x, which commutes with
every ρ(s). A pair (H, λ) with small m is looked for among the cyclic subgroups and among subgroups
grown from elements that commute. With real λ all numbers are real when χ is.
"""

from __future__ import annotations

from collections.abc import Generator
from typing import NamedTuple

import numpy as np

from intertwine.symmetry.characters import CharacterTable
from intertwine.symmetry.groups._product_table import closure
from intertwine.symmetry.groups.finite_group import FiniteGroup, Subgroup
from intertwine.symmetry.one_dimensional import linear_characters

_CHAINS = 120
_ATTEMPTS = 20


class Seed(NamedTuple):
    """A linear character `values` (h,) of a subgroup, contained `multiplicity` times in a character."""

    multiplicity: int
    subgroup: Subgroup
    values: np.ndarray


def seeds(table: CharacterTable) -> dict[int, Seed]:
    """For each character of degree above 1, a pair (H, λ) with small multiplicity; λ real where χ is.

    λ in χ on H means χ in Ind λ, so that [G : H] is at least the degree: larger subgroups are not tried.
    """
    group = table.group
    best: dict[int, Seed] = {}
    wanted = [int(row) for row in np.flatnonzero(table.degrees > 1)]
    subgroups = _candidates(group, table.representatives)
    while wanted:
        smallest = int(table.degrees[wanted].min())
        try:
            members, cheap = subgroups.send(group.order // smallest if best else None)
        except StopIteration:
            break
        subgroup = group.subgroup(members)
        linear = linear_characters(subgroup.group)
        inner = table.values[:, group.class_of[members]] @ linear.conj().T / subgroup.order
        counts = np.rint(inner.real).astype(int)
        real = np.abs(np.imag(linear)).max(axis=1) == 0
        for row in wanted:
            m = np.where((counts[row] > 0) & (real | (table.indicators[row] != 1)), counts[row], 2**30)
            column = int(m.argmin())
            if row not in best or m[column] < best[row].multiplicity:
                best[row] = Seed(int(m[column]), subgroup, linear[column])
        wanted = [row for row in wanted if best[row].multiplicity > (1 if cheap else 2)]
    return best


def _candidates(
    group: FiniteGroup, representatives: np.ndarray
) -> Generator[tuple[np.ndarray, bool], int | None, None]:
    """Members of subgroups of at most the order that is sent, and whether they are among the first."""
    table, most = group.product_table, group.order
    rng = np.random.default_rng(0)
    known: set[bytes] = set()
    for k in range(-1 - len(representatives), _CHAINS):
        chosen = [int(rng.integers(group.order))] if k >= 0 else [int([*representatives, group.identity][k])]
        while len(chosen) < 9:
            inside = closure(table, group.identity, np.array(chosen, dtype=np.int64))
            members = np.flatnonzero(inside)
            if len(members) > most:
                break
            if members.tobytes() not in known:
                known.add(members.tobytes())
                most = (yield members, k < _CHAINS // 3) or most
            if k < 0:
                break
            free = np.all([table[x] == table[:, x] for x in chosen], axis=0)  # those that commute with all
            pool = np.flatnonzero(free & ~inside) if rng.random() < 0.7 else np.flatnonzero(~inside)
            if not len(pool):
                break
            chosen.append(int(rng.choice(pool)))


def unitary_matrices(group: FiniteGroup, character: np.ndarray, seed: Seed, real: bool) -> np.ndarray:
    """ρ(g) of every element, (g, d, d); real: whether character and λ are."""
    character = np.real(character) if real else character
    values = np.real(seed.values) if real else seed.values
    members = seed.subgroup.members
    weights = values.conj() / len(members)
    phi = character[group.product_table[:, members]] @ weights
    degree = round(float(character[group.identity].real))
    pivots, inverse_factor = _basis(group, phi, seed.subgroup.section, degree * seed.multiplicity)
    if seed.multiplicity > 1:
        inverse_factor = _one_copy(group, phi, pivots, inverse_factor, seed, degree, real)
    matrices = np.empty((group.order, degree, degree), phi.dtype)
    step = max(1, 2**22 // len(pivots) ** 2)
    for start in range(0, group.order, step):
        s = np.arange(start, min(start + step, group.order))
        left = group.product_table[group.inverse[pivots][:, None], s].T  # (s, i): g_i⁻¹ s
        block = phi[group.product_table[left[:, :, None], pivots]]
        matrices[s] = inverse_factor @ block @ inverse_factor.conj().T
    whole = np.rint(np.real(matrices))
    return np.where(np.abs(matrices - whole) < 1e-13, whole, matrices) + 0.0


def _basis(group: FiniteGroup, phi: np.ndarray, rows: np.ndarray, rank: int) -> tuple[np.ndarray, np.ndarray]:
    """Elements g_i among `rows` with independent vectors, and L⁻¹ of their scalar products L L†."""
    factor = np.zeros((len(rows), rank), phi.dtype)
    rest = np.full(len(rows), float(phi[group.identity].real))
    chosen: list[int] = []
    for k in range(rank):
        pivot = int(np.argmax(rest.round(6)))  # rounded: the first of equals, on every machine
        column = phi[group.product_table[group.inverse[rows], rows[pivot]]]
        column = column - factor[:, :k] @ factor[pivot, :k].conj()
        factor[:, k] = column / rest[pivot] ** 0.5
        rest = rest - np.abs(factor[:, k]) ** 2
        rest[[*chosen, pivot]] = 0
        chosen.append(pivot)
    return rows[chosen], np.linalg.inv(factor[chosen])


def _one_copy(
    group: FiniteGroup,
    phi: np.ndarray,
    pivots: np.ndarray,
    inverse_factor: np.ndarray,
    seed: Seed,
    degree: int,
    real: bool,
) -> np.ndarray:
    """Rows (d, d·m) of one of the m copies, from an eigenspace of a Hermitian element of the commutant."""
    table, members = group.product_table, seed.subgroup.members
    weights = (np.real(seed.values) if real else seed.values).conj() / len(members)
    pairs = table[group.inverse[pivots][:, None], pivots]  # g_i⁻¹ g_j
    for attempt in range(_ATTEMPTS):
        rng = np.random.default_rng(attempt)
        form = np.zeros(pairs.shape, phi.dtype)
        for x in rng.integers(group.order, size=4):
            c = rng.normal() if real else rng.normal() + 1j * rng.normal()
            for y, factor in ((x, c), (group.inverse[x], np.conj(c))):
                moved = table[table[pairs[:, :, None], members], y]
                form += factor * (phi[moved] @ weights)
        values, vectors = np.linalg.eigh(inverse_factor @ form @ inverse_factor.conj().T)
        gap = (values[degree] - values[degree - 1]) / max(np.abs(values).max(), 1e-9)
        if gap > 1e-2 and values[degree - 1] - values[0] < 1e-8 * gap * np.abs(values).max():
            copy = pivoted_columns(vectors[:, :degree] @ vectors[:, :degree].conj().T, degree)
            return copy.conj().T @ inverse_factor
    raise AssertionError(f"no irreducible part of {group!r} in {_ATTEMPTS} attempts: please report this")


def pivoted_columns(projector: np.ndarray, rank: int) -> np.ndarray:
    """An orthonormal basis (n, rank) of a projector's image, the same on every machine: its longest
    columns, each orthogonal to the earlier."""
    rest = projector.copy()
    found = np.zeros((len(projector), rank), projector.dtype)
    for k in range(rank):
        column = rest[:, int(np.argmax(np.linalg.norm(rest, axis=0).round(6)))]
        column = column - found[:, :k] @ (found[:, :k].conj().T @ column)
        found[:, k] = column / np.linalg.norm(column)
        rest = rest - np.outer(found[:, k], found[:, k].conj() @ rest)
    return found
