r"""Real Wigner matrices D^l and real Clebsch-Gordan coefficients of SO(3), in float64 on the host.

D^l acts on the real spherical harmonics S_{l,m}, m = −l..l in this order, S_{l,m} ∝ cos mφ for m > 0
and sin |m|φ for m < 0, polar axis z:

    S_l(R x) = D^l(R) S_l(x),        D^l(R R') = D^l(R) D^l(R'),  D^l orthogonal.

The three components of l = 1 are (y, z, x) = (x_1, x_2, x_0) times √(3/4π): D^1(R) = P R Pᵀ with P the
permutation `VECTOR_ORDER`. (e3nn's matrices are these for P R Pᵀ: it calls the polar axis y, so that its
l = 1 is in the order (x, y, z).)

With R = R_z(α) R_y(β) R_z(γ), rotations about z mix cos mφ and sin mφ by mα; a rotation about y is
exp(−iβ J_y), whose eigenvalues are the whole numbers −l..l. (Edmonds, Angular Momentum in Quantum
Mechanics, 1957.)

Clebsch-Gordan coefficients are exact square roots of rationals (Racah's sum in whole numbers), carried
to the real basis with the phase (−i)^(l1+l2−l3), which makes all of them real: C(1,1,0) = δ/√3,
C(1,1,1) = ε/√2. Their signs are those of e3nn.
"""

from __future__ import annotations

from fractions import Fraction
from functools import lru_cache
from math import factorial

import numpy as np
from jaxtyping import Float
from numpy.typing import ArrayLike

from intertwine._checks import fail
from intertwine.symmetry._images import frozen
from intertwine.symmetry.groups.rotations import checked_orthogonal, euler_angles

VECTOR_ORDER = (1, 2, 0)
"""Component k of l = 1 is component VECTOR_ORDER[k] of a vector (x_0, x_1, x_2)."""


def wigner_d(degree: int, rotations: ArrayLike) -> Float[np.ndarray, "... m m"]:
    """D^l(R), (..., 2l+1, 2l+1), of rotations (..., 3, 3).

    Raises InputError for matrices that are no rotations and for negative degrees.

    >>> from intertwine.symmetry.groups.rotations import axis_rotation
    >>> turn = wigner_d(1, axis_rotation([0, 0, 1], np.pi / 2))        # on (y, z, x): x goes to y
    >>> (turn.round(12) + 0.0).tolist()
    [[0.0, 0.0, 1.0], [0.0, 1.0, 0.0], [-1.0, 0.0, 0.0]]
    """
    l = checked_degree("degree", degree)  # noqa: E741
    alpha, beta, gamma = euler_angles(checked_orthogonal(rotations, 3, proper=True))
    vectors = _tilt_vectors(l)
    m = np.arange(-l, l + 1)
    tilt = np.real((vectors * np.exp(-1j * m * beta[..., None, None])) @ vectors.conj().T)
    left, right = m * alpha[..., None], m * gamma[..., None]
    turned = np.cos(left)[..., None] * tilt - np.sin(left)[..., None] * tilt[..., ::-1, :]
    return np.cos(right)[..., None, :] * turned + np.sin(right)[..., None, :] * turned[..., ::-1]


@lru_cache(maxsize=128)
def clebsch_gordan_so3(l1: int, l2: int, l3: int) -> Float[np.ndarray, "m1 m2 m3"]:
    """C, (2l1+1, 2l2+1, 2l3+1), with Σ_ab C_abc u_a v_b of degree l3 where u, v have degrees l1, l2.

    Columns are orthonormal, Σ_ab C_abc C_abc' = δ_cc'; all zero where not |l1 − l2| ≤ l3 ≤ l1 + l2.

    >>> clebsch_gordan_so3(1, 1, 1)[0, 1].round(12).tolist()      # y × z = x, by 1/√2
    [0.0, 0.0, 0.707106781187]
    """
    orders = complex_clebsch_gordan(l1, l2, l3)
    table = np.zeros((2 * l1 + 1, 2 * l2 + 1, 2 * l3 + 1))
    for m1, m2 in np.argwhere(orders):
        table[m1, m2, m1 - l1 + m2 - l2 + l3] = orders[m1, m2]
    first, second, third = _real_basis(l1), _real_basis(l2), _real_basis(l3)
    turned = np.einsum("abc,xa,yb,zc->xyz", table, first.conj(), second.conj(), third, optimize=True)
    return frozen(np.ascontiguousarray(np.real(turned * (1, -1j, -1, 1j)[(l1 + l2 - l3) % 4])) + 0.0)


def complex_clebsch_gordan(l1: int, l2: int, l3: int) -> Float[np.ndarray, "m1 m2"]:
    """⟨l1 m1 l2 m2 | l3 m1+m2⟩, (2l1+1, 2l2+1), with the phases of Condon and Shortley; zero where there is
    none.

    >>> float(complex_clebsch_gordan(1, 1, 2)[1, 1].round(12))
    0.816496580928
    """
    l1, l2, l3 = (checked_degree(f"l{k + 1}", value) for k, value in enumerate((l1, l2, l3)))
    table = np.zeros((2 * l1 + 1, 2 * l2 + 1))
    if not abs(l1 - l2) <= l3 <= l1 + l2:
        return table
    for m1 in range(-l1, l1 + 1):
        for m2 in range(max(-l2, -l3 - m1), min(l2, l3 - m1) + 1):
            table[m1 + l1, m2 + l2] = _racah(l1, l2, l3, m1, m2)
    return table


def checked_degree(argument: str, value: object) -> int:
    """A whole number ≥ 0, or `InputError`."""
    if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < 0:
        raise fail(argument, "a whole number ≥ 0", value)
    return int(value)


def _racah(l1: int, l2: int, l3: int, m1: int, m2: int) -> float:
    """⟨l1 m1 l2 m2 | l3 m1+m2⟩ with the phases of Condon and Shortley."""
    f, m3 = factorial, m1 + m2
    triangle = Fraction(
        (2 * l3 + 1) * f(l3 + l1 - l2) * f(l3 - l1 + l2) * f(l1 + l2 - l3), f(l1 + l2 + l3 + 1)
    )
    weights = f(l3 + m3) * f(l3 - m3) * f(l1 - m1) * f(l1 + m1) * f(l2 - m2) * f(l2 + m2)
    total = Fraction(0)
    for k in range(max(0, l2 - l3 - m1, l1 + m2 - l3), min(l1 + l2 - l3, l1 - m1, l2 + m2) + 1):
        below = f(k) * f(l1 + l2 - l3 - k) * f(l1 - m1 - k) * f(l2 + m2 - k)
        total += Fraction((-1) ** k, below * f(l3 - l2 + m1 + k) * f(l3 - l1 - m2 + k))
    return (1.0 if total > 0 else -1.0) * float(triangle * weights * total**2) ** 0.5


@lru_cache(maxsize=128)
def _real_basis(l: int) -> np.ndarray:  # noqa: E741
    """U with S = U Y: real harmonics in the complex ones, rows and columns m = −l..l."""
    u = np.zeros((2 * l + 1, 2 * l + 1), complex)
    u[l, l] = 1
    for m in range(1, l + 1):
        u[l + m, l - m], u[l + m, l + m] = 0.5**0.5, (-1) ** m * 0.5**0.5
        u[l - m, l - m], u[l - m, l + m] = 1j * 0.5**0.5, -1j * (-1) ** m * 0.5**0.5
    return u


@lru_cache(maxsize=128)
def _tilt_vectors(l: int) -> np.ndarray:  # noqa: E741
    """Eigenvectors of J_y (columns, eigenvalues −l..l) in the real basis."""
    m = np.arange(-l, l)
    raising = np.zeros((2 * l + 1, 2 * l + 1))
    raising[np.arange(1, 2 * l + 1), np.arange(2 * l)] = np.sqrt(l * (l + 1) - m * (m + 1))
    _, vectors = np.linalg.eigh((raising - raising.T) / 2j)
    return frozen(_real_basis(l).conj() @ vectors)
