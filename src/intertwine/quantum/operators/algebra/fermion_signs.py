r"""Signs of matrices on a few modes of a system with fermions.

A matrix M on modes a_1 … a_k acts on the states |n_1 … n_k⟩ = (c†_{a_1})^{n_1} … (c†_{a_k})^{n_k} |0⟩, in the
order in which the modes are given. The configurations of the whole system have all fermionic modes in one
order (Jordan & Wigner 1928); bringing the k modes to the front of it, and into their order, gives

    ⟨s|A|s'⟩ = M_{n n'} ε(n) ε(n') Π_{a: n_a ≠ n'_a} Π_{b<a, b outside} (−1)^{n_b}

with ε(n) the sign of sorting the occupied modes among themselves.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np


def sorting_signs(levels: np.ndarray, order: Sequence[int], fermionic: Sequence[bool]) -> np.ndarray:
    """ε(n) of rows of levels (n, k) for modes whose places in the system rise as `order` says (argsort):
    float64 (n,).

    >>> sorting_signs(np.array([[1, 1], [1, 0]]), (1, 0), (True, True))
    array([-1.,  1.])
    """
    odd = (levels % 2 == 1) & np.asarray(fermionic, bool)
    rank = np.argsort(order)
    swaps = np.zeros(len(levels), int)
    for i in range(levels.shape[1]):
        for j in range(i + 1, levels.shape[1]):
            if rank[i] > rank[j]:
                swaps += odd[:, i] & odd[:, j]
    return 1.0 - 2.0 * (swaps % 2)


def string_masks(fermionic: np.ndarray, modes: np.ndarray) -> np.ndarray:
    """For each mode of each row of modes (B, k) the fermionic modes before it that are not in the row: bool
    (B, k, N); none for modes that are no fermions.

    >>> string_masks(np.ones(4, bool), np.array([[3, 1]]))[0].astype(int).tolist()
    [[1, 0, 1, 0], [1, 0, 0, 0]]
    """
    size = len(fermionic)
    before = np.arange(size)[None, None] < modes[:, :, None]
    outside = np.ones((len(modes), size), bool)
    outside[np.arange(len(modes))[:, None], modes] = False
    return before & outside[:, None] & fermionic[None, None] & fermionic[modes][:, :, None]
