r"""Irreducible representations of finite groups, as unitary or real orthogonal matrices.

Complex ones stand in the order of the character table. Over the reals (Frobenius & Schur 1906) a
character χ with indicator ν gives

    ν = 1    real matrices of dimension χ(1)
    ν = 0    χ + χ*, dimension 2 χ(1): each complex entry a + ib becomes [[a, −b], [b, a]], in blocks
    ν = −1   2χ, dimension 2 χ(1), likewise

and conjugate pairs come once. Complex matrices with ν = 1 are the real ones.

Cyclic and dihedral groups have closed forms: "irrep k" is frequency k, r ↦ exp(2πi k/n) or the rotation
by 2πk/n, and s ↦ diag(1, −1). Dihedral ones of dimension 1 have their Mulliken names: A2 (r ↦ 1, s ↦
−1), B1 (r ↦ −1, s ↦ 1), B2 (r ↦ −1, s ↦ −1). Others are made from their characters
(`_matrix_elements`), the same on every machine, and named by their row in the table.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Literal

import numpy as np

from intertwine._checks import fail, one_of
from intertwine.symmetry._matrix_elements import seeds, unitary_matrices
from intertwine.symmetry._phases import roots_of_unity
from intertwine.symmetry.characters import CharacterTable, character_table
from intertwine.symmetry.groups.finite_group import FiniteGroup, as_group
from intertwine.symmetry.groups.named_groups import cyclic, dihedral
from intertwine.symmetry.representation import Rep, trivial

if TYPE_CHECKING:
    from intertwine.symmetry.groups.finite_group import AnyGroup

Field = Literal["complex", "real"]


def irreps(group: AnyGroup, field: Field = "complex") -> tuple[Rep, ...]:
    """The irreducible representations, unitary or real orthogonal, the trivial one first.

    group: a `FiniteGroup`, `Subgroup` or `PermutationGroup`.

    >>> from intertwine.symmetry import cyclic, dihedral
    >>> irreps(dihedral(4))
    (trivial, A2, B1, B2, irrep 1)
    >>> irreps(cyclic(4)), irreps(cyclic(4), "real")
    ((trivial, irrep 1, irrep -1, irrep 2), (trivial, irrep 1, irrep 2))
    """
    return _irreps(as_group(group), one_of("field", field, ("complex", "real")))


def frobenius_schur(rep: Rep) -> int:
    """ν = (1/|G|) Σ_g χ(g²): of an irreducible representation 1 (real), 0 (complex) or −1
    (quaternionic); else the sum of ν over its complex constituents.

    >>> from intertwine.symmetry import quaternion
    >>> [frobenius_schur(rho) for rho in irreps(quaternion())]
    [1, 1, 1, 1, -1]
    """
    if not isinstance(rep, Rep):
        raise fail("rep", "a Rep", rep)
    squares = rep.group.product_table.diagonal()
    return round(float(np.mean(rep.character[squares]).real))


@lru_cache(maxsize=32)
def _irreps(group: FiniteGroup, field: Field) -> tuple[Rep, ...]:
    table = character_table(group)
    if group == cyclic(group.order):
        return tuple(_cyclic(table, field))
    if group.order % 2 == 0 and group == dihedral(group.order // 2):
        return tuple(_dihedral(table, row) for row in range(len(table)))
    if field == "complex":
        return tuple(_from_characters(table))
    return tuple(_real_forms(table, _irreps(group, "complex")))


def _cyclic(table: CharacterTable, field: Field) -> list[Rep]:
    group, n = table.group, table.group.order
    roots = roots_of_unity(n)
    made: list[Rep] = []
    for row in range(n):
        k = 0 if row == 0 else round(float(np.angle(table.values[row, 1]) * n / (2 * np.pi)))
        if field == "real" and k < 0:
            continue
        phases = roots[k * np.arange(n) % n]
        if k == 0:
            made.append(trivial(group))
        elif 2 * abs(k) == n:
            made.append(Rep(group, np.real(phases)[:, None, None], f"irrep {n // 2}"))
        else:
            matrices = phases[:, None, None]
            made.append(Rep(group, _realified(matrices) if field == "real" else matrices, f"irrep {k}"))
    return made


def _dihedral(table: CharacterTable, row: int) -> Rep:
    group, n = table.group, table.group.order // 2
    j = np.arange(n)
    turn, mirror = (float(table.values[row, group.class_of[x]].real) for x in (1 % n, n))
    if table.degrees[row] == 1:
        if row == 0:
            return trivial(group)
        signs = np.where(j % 2 == 1, turn, 1.0)
        name = "A2" if turn > 0 else "B1" if mirror > 0 else "B2"
        return Rep(group, np.concatenate([signs, signs * mirror])[:, None, None], name)
    k = round(float(np.arccos(turn / 2) * n / (2 * np.pi)))
    turns = _realified(roots_of_unity(n)[k * j % n][:, None, None])
    return Rep(group, np.concatenate([turns, turns * np.array([1.0, -1.0])]) + 0.0, f"irrep {k}")


def _from_characters(table: CharacterTable) -> list[Rep]:
    group = table.group
    chosen = seeds(table)
    made = [trivial(group)]
    for row in range(1, len(table)):
        real = bool(table.indicators[row] == 1)
        character = table.values[row, group.class_of]
        if table.degrees[row] > 1:
            matrices = unitary_matrices(group, character, chosen[row], real)
        else:
            matrices = (np.real(character) if real else character)[:, None, None]
        made.append(Rep(group, matrices, f"irrep {row}"))
    return made


def _real_forms(table: CharacterTable, made: tuple[Rep, ...]) -> list[Rep]:
    """Real forms of complex representations, one for each conjugate pair."""
    kept: list[Rep] = []
    for row, rep in enumerate(made):
        if table.indicators[row] == 1:
            kept.append(rep)
        elif table.indicators[row] == -1 or table.conjugates[row] > row:
            kept.append(Rep(table.group, _realified(rep.matrices), rep.name))
    return kept


def _realified(matrices: np.ndarray) -> np.ndarray:
    """[[Re, −Im], [Im, Re]] of complex matrices (g, d, d)."""
    real, imaginary = np.real(matrices), np.imag(matrices)
    return np.block([[real, -imaginary], [imaginary, real]]) + 0.0
