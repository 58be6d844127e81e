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

from typing import NamedTuple

import numpy as np

from intertwine.symmetry.characters import CharacterTable
from intertwine.symmetry.finite_group import FiniteGroup, Subgroup
from intertwine.symmetry.linear_characters import linear_characters

_CHAINS = 60
_LARGEST_SUBGROUP = 2_000
_ATTEMPTS = 20


class Seed(NamedTuple):
    """A linear character `values` (h,) of a subgroup, contained `multiplicity` times in a character."""

    multiplicity: int
    subgroup: Subgroup
    values: np.ndarray


def seeds(table: CharacterTable) -> dict[int, Seed]:
    """For each character of degree above 1, a pair (H, λ) with small multiplicity; λ real where χ is."""
    group, wanted = table.group, np.flatnonzero(table.degrees > 1)
    best: dict[int, Seed] = {}
    for subgroup in _candidates(group, table):
        if all(int(row) in best and best[int(row)].multiplicity == 1 for row in wanted):
            break
        linear = linear_characters(subgroup.group)
        inner = table.values[:, group.class_of[subgroup.members]] @ linear.conj().T / subgroup.order
        counts = np.rint(inner.real).astype(int)
        real = np.abs(np.imag(linear)).max(axis=1) == 0
        for row in wanted:
            m = np.where((counts[row] > 0) & (real | (table.indicators[row] != 1)), counts[row], 2**30)
            column = int(m.argmin())
            if m[column] < (best[int(row)].multiplicity if int(row) in best else 2**30):
                best[int(row)] = Seed(int(m[column]), subgroup, linear[column])
    return best


def _candidates(group: FiniteGroup, table: CharacterTable):
    yield group.generate([])
    for representative in table.representatives:
        yield group.generate([int(representative)])
    rng = np.random.default_rng(0)
    for _ in range(_CHAINS):
        chosen = [int(rng.integers(group.order))]
        while True:
            t = group.product_table
            free = np.all([t[x] == t[:, x] for x in chosen], axis=0)  # those that commute with all
            pool = np.flatnonzero(free) if rng.random() < 0.7 else np.arange(group.order)
            chosen.append(int(rng.choice(pool)))
            subgroup = group.generate(chosen)
            if subgroup.order > _LARGEST_SUBGROUP or subgroup.order == group.order:
                break
            yield subgroup
            if len(chosen) > 8:
                break


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
