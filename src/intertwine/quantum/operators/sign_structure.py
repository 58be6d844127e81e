r"""Signs of an operator's elements, and the diagonal rotations Π_{i∈A} Z_i that change them.

The rotation multiplies every element of a flip set x by (−1)^{|x ∩ A|}, so the wish "these flip sets change
sign, those do not" is a linear system over GF(2) for A, solved by elimination. Where it makes every
off-diagonal element at most 0 (a stoquastic operator; for the Heisenberg model the rule of Marshall 1955),
the theorem of Perron and Frobenius holds: a ground state is non-negative, hence unchanged by every
permutation symmetry and by the spin inversion of the rotated operator.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from intertwine.quantum.operators import pauli, sign_strings

if TYPE_CHECKING:
    from intertwine.quantum.operators.operator import Operator

_EXACT_SITES = 20


def element_range(operator: Operator, k: int) -> tuple[float, float]:
    """The least and the largest value of h_k(s) over all s, for a real operator.

    Exact where the terms touch at most 20 sites; beyond, the bounds c_0 ∓ Σ |c_t|.
    """
    values = np.real(np.asarray(operator.coefficients)[k])
    z = pauli.unpadded(np.asarray(operator.signs)[k], operator.size)[values != 0]
    values = values[values != 0]
    common = sign_strings.between(operator.common[k : k + 1], operator.size)[0]
    outside = common & ~np.any(z, axis=0)
    if np.any(outside):  # it is ±1 whatever the spins of the terms
        low, high = _range(values, z)
        return -max(-low, high), max(-low, high)
    return _range(values, z ^ common)


def _range(values: np.ndarray, z: np.ndarray) -> tuple[float, float]:
    """The least and the largest Σ_t values_t Π_{i∈z_t} s_i."""
    touched = np.flatnonzero(np.any(z, axis=0))
    if len(touched) > _EXACT_SITES:
        constant = np.sum(values[~np.any(z, axis=1)])
        spread = np.sum(np.abs(values[np.any(z, axis=1)]))
        return float(constant - spread), float(constant + spread)
    table = np.zeros(2 ** len(touched))
    table[z[:, touched] @ (1 << np.arange(len(touched)))] = values
    table = pauli.walsh_hadamard(table)
    return float(np.min(table)), float(np.max(table))


def is_stoquastic(operator: Operator) -> bool:
    """See `Operator.is_stoquastic`."""
    if np.iscomplexobj(operator.coefficients):
        return False
    tolerance = 1e-12 * float(np.max(np.abs(operator.coefficients), initial=0.0))
    return all(element_range(operator, k)[1] <= tolerance for k in range(len(operator.flips)))


def solve_parities(masks: np.ndarray, odd: np.ndarray) -> np.ndarray | None:
    """A set A, bool (N,), with |mask ∩ A| odd exactly for the rows where `odd`; None where there is none.

    masks: bool (R, N); odd: bool (R,).

    >>> ring = np.array([[1, 1, 0, 0], [0, 1, 1, 0], [0, 0, 1, 1], [1, 0, 0, 1]], bool)
    >>> solve_parities(ring, np.ones(4, bool))
    array([ True, False,  True, False])
    >>> solve_parities(np.array([[1, 1, 0], [0, 1, 1], [1, 0, 1]], bool), np.ones(3, bool)) is None
    True
    """
    rows = np.concatenate([masks, np.asarray(odd, bool)[:, None]], axis=1)
    size = masks.shape[1]
    pivots: list[int] = []
    for column in range(size):
        below = np.flatnonzero(rows[len(pivots) :, column])
        if len(below) == 0:
            continue
        top = len(pivots)
        rows[[top, top + below[0]]] = rows[[top + below[0], top]]
        others = rows[:, column].copy()
        others[top] = False
        rows[others] ^= rows[top]
        pivots.append(column)
    if np.any(rows[len(pivots) :, size]):
        return None
    solution = np.zeros(size, bool)
    solution[pivots] = rows[: len(pivots), size]
    return solution


def rotated(operator: Operator, sites: np.ndarray) -> Operator:
    """U H U† with U = Π_{i∈A} Z_i, A given as bool (N,)."""
    x, z, h = operator.masks()
    sign = 1.0 - 2.0 * (np.count_nonzero(x & sites, axis=1) % 2)
    terms = pauli.canonical(pauli.PauliSum(x, z, h * sign))
    about = {"lattice": operator.lattice, "name": operator.name, "hilbert": operator.hilbert}
    return type(operator).from_masks(operator.size, terms, **about)


def stoquastic_rotation(operator: Operator) -> np.ndarray | None:
    """A set A, bool (N,), whose rotation makes `operator` stoquastic; None where there is none."""
    if np.iscomplexobj(operator.coefficients):
        return None
    ranges = np.array([element_range(operator, k) for k in range(len(operator.flips))]).reshape(-1, 2)
    tolerance = 1e-12 * float(np.max(np.abs(operator.coefficients), initial=0.0))
    if np.any((ranges[:, 0] < -tolerance) & (ranges[:, 1] > tolerance)):
        return None
    flips = pauli.unpadded(np.asarray(operator.flips), operator.size)
    return solve_parities(flips, ranges[:, 1] > tolerance)


def rotation_between(a: Operator, b: Operator, tolerance: float = 1e-10) -> np.ndarray | None:
    """A set A, bool (N,), whose rotation turns `a` into `b` (`tolerance`: of the largest coefficient), or
    None."""
    if a.size != b.size:
        return None
    (xa, za, ha), (xb, zb, hb) = a.masks(), b.masks()
    if xa.shape != xb.shape or not (np.array_equal(xa, xb) and np.array_equal(za, zb)):
        return None
    bound = tolerance * np.max(np.abs(ha), initial=0.0)
    same, opposite = np.abs(ha - hb) <= bound, np.abs(ha + hb) <= bound
    if not np.all(same | opposite):
        return None
    return solve_parities(xa, ~same)


def is_rotation_invariant(operator: Operator) -> bool:
    """Whether H commutes with every global spin rotation, [H, Σ Z] = [H, Σ X] = 0, up to some Π_{i∈A} Z_i.

    A is found from the two-spin terms: it makes the sign of X_i X_j that of Z_i Z_j. Then every level has a
    state of the least |magnetization| (0, or 1 for an odd number of spins).
    """
    if not operator.conserves_magnetization:
        return False
    x, z, h = operator.masks()
    diagonal = ~np.any(x, axis=1)
    axial = {tuple(np.flatnonzero(z[t])): h[t].real for t in np.flatnonzero(diagonal)}
    pairs = np.flatnonzero((np.count_nonzero(x, axis=1) == 2) & ~np.any(z, axis=1))
    odd = [h[t].real * axial.get(tuple(np.flatnonzero(x[t])), 0.0) < 0 for t in pairs]
    sites = solve_parities(x[pairs], np.array(odd, bool))
    if sites is None:
        return False
    return _commutes_with_total_x(rotated(operator, sites))


def _commutes_with_total_x(operator: Operator) -> bool:
    """[H, Σ X_i] = 0; X_i anticommutes with a string exactly where it has Z or Y there."""
    x, z, h = operator.masks()
    c = h * 1j ** (pauli.y_counts(x, z) % 4)
    t, i = np.nonzero(z)
    if len(t) == 0:
        return True
    moved = x[t]
    # X·Z = −iY and X·Y = iZ: in Pauli coefficients Z → Y carries −i, Y → Z carries +i.
    factor = np.where(moved[np.arange(len(t)), i], 1j, -1j)
    moved[np.arange(len(t)), i] ^= True
    rest = pauli.canonical(pauli.PauliSum(moved, z[t], c[t] * factor)).h
    return bool(np.all(np.abs(rest) <= 1e-12 * np.max(np.abs(c), initial=0.0)))
