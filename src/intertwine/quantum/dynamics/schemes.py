r"""Product schemes: e^{zH} as a product of factors that a network can be fitted to, z = −iτ or −τ.

    taylor   Π_k (1 + a_k z H)                    Σ_k z^k H^k/k! to the order p, in linear factors: −1/a_k are
                                                  the roots of the truncated exponential
    split    Π_k (1 + a_k z A) e^{c_k z D}        H = A + D with D diagonal, whose factors are exact

(Gravina, Savona & Vicentini, Quantum 9, 1803 (2025)). Split factors of orders 1 to 3; from the conditions on
all words in A and D up to that length: (1), ((1−i)/2, (1+i)/2), and with x = (1 − 1/√3)/4, y = (1 + 1/√3)/4
the four numbers x − iy, y + ix, y − ix, x + iy, a and c being the same. A factor costs one fit of fidelity.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from intertwine._checks import fail, one_of

_X, _Y = (1 - 1 / np.sqrt(3)) / 4, (1 + 1 / np.sqrt(3)) / 4
_SPLIT = {
    1: (1.0 + 0j,),
    2: (0.5 - 0.5j, 0.5 + 0.5j),
    3: (_X - 1j * _Y, _Y + 1j * _X, _Y - 1j * _X, _X + 1j * _Y),
}


class Scheme(NamedTuple):
    """linear: a_k, first applied first; diagonal: c_k, applied before a_k, or None for "taylor". order: p."""

    linear: tuple[complex, ...]
    diagonal: tuple[complex, ...] | None
    order: int

    def applied(
        self,
        hamiltonian: Callable[[np.ndarray], np.ndarray],
        diagonal: np.ndarray,
        vector: np.ndarray,
        z: complex,
    ) -> np.ndarray:
        """The scheme on a vector (n,). hamiltonian: v ↦ Hv; diagonal: that of H, (n,)."""
        for k, a in enumerate(self.linear):
            if self.diagonal is None:
                vector = vector + a * z * hamiltonian(vector)
            else:
                vector = np.exp(self.diagonal[k] * z * diagonal) * vector
                vector = vector + a * z * (hamiltonian(vector) - diagonal * vector)
        return vector


def scheme(name: str, order: int) -> Scheme:
    """The factors of "taylor" (orders 1 to 4) or "split" (1 to 3).

    >>> [round(abs(a), 6) for a in scheme("taylor", 2).linear], scheme("split", 2).diagonal
    ([0.707107, 0.707107], ((0.5-0.5j), (0.5+0.5j)))
    """
    one_of("scheme", name, ("taylor", "split"))
    most = 3 if name == "split" else 4
    if isinstance(order, bool) or not isinstance(order, int) or not 1 <= order <= most:
        raise fail("order", f"an integer from 1 to {most} for {name!r}", order)
    if name == "split":
        return Scheme(_SPLIT[order], _SPLIT[order], order)
    coefficients = 1 / np.cumprod([1.0, *range(1, order + 1)])
    roots = np.sort_complex(np.roots(coefficients[::-1]))
    return Scheme(tuple(complex(a) for a in -1 / roots), None, order)
