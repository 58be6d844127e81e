r"""Matrix groups by name, with the matrices of their generators.

    special_orthogonal(n) orthogonal(n)      rotations e_i → e_j, i < j; a mirror
    lorentz() pseudo_orthogonal(p, q)        Λᵀη Λ = η, η = diag(1 p times, −1 q times)
    special_unitary(n) unitary(n)            complex matrices on pairs (Re, Im), of 2n real components
    symplectic(n)                            linear canonical transformations of (q_1 … , p_1 …)
    special_linear(n) general_linear(n)      determinant 1; any determinant but 0
    scaling(n)                               x ↦ e^s x
    euclidean(n) galilei()                   on (x, 1), on (x, t, 1): rotations, shifts, changes of velocity

Vectors of the Lorentz group are (t, x, y, z) with c = 1. Links have gauge groups of their own
(`gauge_group`), and fields on spaces SO(2), O(2), SO(3), O(3) by their irreps (`CompactGroup`); here they
are groups of matrices, whose types are tensors. (Hall, Lie Groups, Lie Algebras, and Representations, 2015,
chapter 1.)
"""

from __future__ import annotations

from itertools import combinations

import numpy as np

from intertwine._checks import fail, positive_int
from intertwine.symmetry.lie.group import LieGroup


def special_orthogonal(n: int) -> LieGroup:
    """SO(n), n ≥ 2: generators (i, j), i < j, turn e_i to e_j.

    >>> special_orthogonal(3).tensor(3).invariants.shape                        # ε_ijk
    (1, 27)
    """
    return _metric_group(_size(n, 2), 0, f"SO({n})", ())


def orthogonal(n: int) -> LieGroup:
    """O(n), n ≥ 1: SO(n) and the mirror of the first axis.

    >>> orthogonal(3).tensor(3).invariants.shape
    (0, 27)
    """
    return _metric_group(_size(n, 1), 0, f"O({n})", (_mirror(n, 0),))


def pseudo_orthogonal(p: int, q: int, *, reflections: bool = False) -> LieGroup:
    """The component SO⁺(p, q) of the identity, or with reflections of a plus and a minus axis all of O(p, q).

    >>> pseudo_orthogonal(2, 2).vector.symmetric(2).invariants.shape
    (1, 10)
    """
    p, q = positive_int("p", p), positive_int("q", q, "take special_orthogonal(p)")
    discrete = (_mirror(p + q, 0), _mirror(p + q, p)) if reflections else ()
    name = f"O({p},{q})" if reflections else f"SO⁺({p},{q})"
    return _metric_group(p, q, name, discrete)


def lorentz(*, reflections: bool = False) -> LieGroup:
    """The Lorentz group SO⁺(1, 3) on (t, x, y, z): boosts along x, y, z, then rotations xy, xz, yz.

    reflections: with time reversal and the inversion of space, O(1, 3).

    >>> [len(lorentz().tensor(k).invariants) for k in (1, 2, 3, 4)]             # none, η, none, η η and ε
    [0, 1, 0, 4]
    """
    if not reflections:
        return pseudo_orthogonal(1, 3)
    return _metric_group(1, 3, "O(1,3)", (np.diag([-1.0, 1, 1, 1]), np.diag([1.0, -1, -1, -1])))


def special_unitary(n: int) -> LieGroup:
    """SU(n), n ≥ 2, on pairs (Re z_1, Im z_1, …): generators iσ of Gell-Mann's matrices.

    >>> SU3 = special_unitary(3)
    >>> SU3.dimension, len(SU3.generators), len(SU3.vector.intertwiners(SU3.vector))     # 1 and i
    (6, 8, 2)
    """
    n = _size(n, 2)
    return LieGroup(_hermitian(n)[1:] * 1j, name=f"SU({n})")


def unitary(n: int) -> LieGroup:
    """U(n) on pairs (Re, Im): the phase, then SU(n).

    >>> unitary(1).vector.symmetric(2).invariants.shape
    (1, 3)
    """
    n = _size(n, 1)
    return LieGroup(_hermitian(n) * 1j, name=f"U({n})")


def symplectic(n: int) -> LieGroup:
    """Sp(n, R), n even: the linear canonical transformations of (q, p).

    >>> symplectic(4).vector.antisymmetric(2).invariants.shape                  # the symplectic form
    (1, 6)
    """
    n = _size(n, 2)
    if n % 2:
        raise fail("n", "an even number, of positions and momenta", n)
    half, zero = n // 2, np.zeros((n // 2, n // 2))
    found = []
    for i in range(half):
        for j in range(half):
            a = zero.copy()
            a[i, j] = 1
            found.append(np.block([[a, zero], [zero, -a.T]]))
            if i <= j:
                s = np.maximum(a, a.T)
                found += [np.block([[zero, s], [zero, zero]]), np.block([[zero, zero], [s, zero]])]
    return LieGroup(found, name=f"Sp({n})")


def special_linear(n: int) -> LieGroup:
    """SL(n, R), n ≥ 2: determinant 1.

    >>> special_linear(2).vector.antisymmetric(2).is_trivial
    True
    """
    n = _size(n, 2)
    steps = [np.diag(np.eye(n)[i] - np.eye(n)[i + 1]) for i in range(n - 1)]
    return LieGroup([*_units(n), *steps], name=f"SL({n})")


def general_linear(n: int) -> LieGroup:
    """GL(n, R), both signs of the determinant.

    >>> general_linear(2).tensor(1, 1).invariants.shape, general_linear(2).tensor(2).invariants.shape
    ((1, 4), (0, 4))
    """
    n = _size(n, 1)
    scales = [np.diag(row) for row in np.eye(n)]
    return LieGroup([*_units(n), *scales], [_mirror(n, 0)], name=f"GL({n})")


def scaling(n: int = 1) -> LieGroup:
    """x ↦ e^s x of n components.

    >>> scaling(2).vector.tensor(scaling(2).vector.dual()).is_trivial
    True
    """
    return LieGroup([np.eye(_size(n, 1))], name="scaling")


def euclidean(n: int, *, reflections: bool = False) -> LieGroup:
    """The motions of space on (x_1 … x_n, 1): rotations, then shifts; with a mirror where asked.

    >>> euclidean(2).vector.dual().invariants.shape                             # the 1
    (1, 3)
    """
    n = positive_int("n", n)
    turns = special_orthogonal(n).generators if n > 1 else np.zeros((0, 1, 1))
    generators = [*(_padded(x, n + 1) for x in turns), *(_unit(n + 1, i, n) for i in range(n))]
    discrete = [_mirror(n + 1, 0)] if reflections else []
    return LieGroup(generators, discrete, name=f"E({n})" if reflections else f"SE({n})")


def galilei() -> LieGroup:
    """The Galilei group on (x, y, z, t, 1): rotations, changes of velocity, shifts of space and of time.

    >>> len(galilei().generators), galilei().vector.dual().invariants.round(3).tolist()
    (10, [[0.0, 0.0, 0.0, 0.0, 1.0]])
    """
    turns = [_padded(x, 5) for x in special_orthogonal(3).generators]
    boosts = [_unit(5, i, 3) for i in range(3)]
    return LieGroup([*turns, *boosts, *(_unit(5, i, 4) for i in range(4))], name="Galilei")


def _metric_group(p: int, q: int, name: str, discrete: tuple[np.ndarray, ...]) -> LieGroup:
    """Generators of pairs i < j: rotations e_i → e_j of axes of one sign, boosts of axes of different
    signs."""
    n, found = p + q, []
    for i, j in combinations(range(n), 2):
        x = np.zeros((n, n))
        x[j, i] = 1
        x[i, j] = 1 if i < p <= j else -1
        found.append(x)
    return LieGroup(np.array(found).reshape(-1, n, n), discrete, name=name)


def _hermitian(n: int) -> np.ndarray:
    """1, the symmetric and antisymmetric pairs, and the diagonal ones of Gell-Mann (n², n, n)."""
    found = [np.eye(n, dtype=complex)]
    for i, j in combinations(range(n), 2):
        found += [_unit(n, i, j) + _unit(n, j, i) + 0j, -1j * (_unit(n, i, j) - _unit(n, j, i))]
    for m in range(1, n):
        found.append(np.diag([1.0] * m + [-m] + [0] * (n - m - 1)) * (2 / (m * (m + 1))) ** 0.5 + 0j)
    return np.array(found)


def _units(n: int) -> list[np.ndarray]:
    return [_unit(n, i, j) for i in range(n) for j in range(n) if i != j]


def _unit(n: int, row: int, column: int) -> np.ndarray:
    found = np.zeros((n, n))
    found[row, column] = 1
    return found


def _mirror(n: int, axis: int) -> np.ndarray:
    return np.diag(np.where(np.arange(n) == axis, -1.0, 1.0))


def _padded(matrix: np.ndarray, n: int) -> np.ndarray:
    found = np.zeros((n, n))
    found[: len(matrix), : len(matrix)] = matrix
    return found


def _size(n: int, least: int) -> int:
    n = positive_int("n", n, "the size of the matrices")
    if n < least:
        raise fail("n", f"at least {least}", n)
    return n
