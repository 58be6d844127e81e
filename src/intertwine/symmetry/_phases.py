r"""Characters of a finite abelian group as exact integer phases.

A character of a subgroup H extends to ⟨H, x⟩ in m ways, m being the smallest power with x^m ∈ H:
χ(x) is any m-th root of χ(x^m). In phases, χ = exp(2πi k/q) with q the order of the whole group:
k(x) = (k(x^m) + q j)/m for j = 0..m−1, and every such k is an integer because x^q = e.
"""

from __future__ import annotations

import numpy as np


def abelian_phases(order: int, identity: int, steps: list[np.ndarray]) -> np.ndarray:
    """All characters of an abelian group of `order` elements, int64 (order, order) phases modulo `order`,
    sorted by row.

    steps: for each generator the int (order,) map c ↦ c · generator.
    """
    members = np.array([identity])
    phases = np.zeros((1, 1), np.int64)
    for step in steps:
        place = np.full(order, -1)
        place[members] = np.arange(len(members))
        powers = [members]  # members · x^i
        element = int(step[identity])
        while place[element] < 0:
            powers.append(step[powers[-1]])
            element = int(step[element])
        m = len(powers)
        if m == 1:
            continue
        roots, remainder = np.divmod(phases[:, place[element], None] + order * np.arange(m), m)
        if remainder.any():
            raise AssertionError("a phase is not an integer: please report this")
        extended = phases[:, None, None, :] + roots[:, :, None, None] * np.arange(m)[:, None]
        phases = extended.reshape(len(phases) * m, m * len(members)) % order
        members = np.concatenate(powers)
    table = np.empty((len(phases), order), np.int64)
    table[:, members] = phases
    return table[np.lexsort(table.T[::-1])]


def roots_of_unity(order: int) -> np.ndarray:
    """exp(2πi k/order), complex128 (order,), exact at quarter turns and in exactly conjugate pairs."""
    k = np.arange(order)
    roots = np.exp(2j * np.pi * np.minimum(k, order - k) / order)
    roots = np.where(2 * k > order, roots.conj(), roots)
    for quarter, value in enumerate((1, 1j, -1, -1j)):
        roots[4 * k == quarter * order] = value
    return roots
