r"""Exact evolution of a state vector, in real or imaginary time, by Krylov spaces.

    ψ(t + δ) = e^{−iHδ} ψ(t) ≈ ‖ψ‖ V_m e^{−iT_m δ} e_1        (real time)
    ψ(τ + δ) ∝ e^{−Hδ} ψ(τ)                                    (imaginary time, normalised)

with the Lanczos basis V_m of {ψ, Hψ, …, H^{m−1}ψ} and the tridiagonal T_m = V_mᴴHV_m (Park & Light, J. Chem.
Phys. 85, 5870 (1986)). The error of a step is about β_m |(e^{−iT_m δ})_{m1}| δ, with the last off-diagonal
element β_m; steps are as long as that stays below the tolerance (Saad, SIAM J. Numer. Anal. 29, 209 (1992)).

A Hamiltonian that depends on time is carried in steps of `step` by the commutator-free Magnus propagator of
order 4 (Blanes & Moan, Appl. Numer. Math. 56, 1519 (2006)),

    e^{−iδ(a H_1 + b H_2)} e^{−iδ(b H_1 + a H_2)},   a, b = 1/4 ∓ √3/6,   H_{1,2} at t + δ(1/2 ∓ √3/6).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike

from intertwine._checks import fail, positive_number
from intertwine.quantum.exact.basis import Symmetry, build_basis, sector_matrix
from intertwine.quantum.exact.lanczos import Matrix
from intertwine.quantum.exact.product import product_vector

if TYPE_CHECKING:
    from intertwine.quantum.operators.operator import Operator

LARGEST = 24
_KRYLOV_BYTES = 4e9
_KRYLOV = 30
MAGNUS = 0.25 + np.sqrt(3) / 6, 0.25 - np.sqrt(3) / 6
"""b and a."""
NODES = 0.5 - np.sqrt(3) / 6, 0.5 + np.sqrt(3) / 6


def evolve(
    H: Operator | Callable[[float], Operator],
    state: str | ArrayLike,
    times: ArrayLike,
    *,
    imaginary: bool = False,
    tolerance: float = 1e-12,
    step: float = 0.01,
) -> np.ndarray:
    """The state at each of `times`, complex128 (len(times), 2^N), normalised; at most 24 spins.

    H: a Hermitian operator, or a function of the time that gives one. state: at time 0 (also where `times`
    begins later): a vector (2^N,) with site 0 as the most significant bit and bit 0 ↔ s = +1, in the frame of
    H, or a product state of the sites as they are, by name or angles (`product_vector`); what is returned is
    in the frame of H (`Operator.turned`), where an observable A is `A.in_frame(H.turned)`. times: increasing,
    ≥ 0, in units of 1/energy.
    imaginary: e^{−Hτ} ψ, normalised. tolerance: of the norm of the error, per unit of time. step: of the
    propagator where H depends on time.

    Raises `InputError` for operators that are not Hermitian, times that do not increase, vectors of other
    lengths or norm 0, and beyond 24 spins (the message says the memory).

    >>> from intertwine.quantum.operators.operator import Operator
    >>> H = Operator.from_strings(1, [(1.0, "X")])
    >>> abs(evolve(H, "up", [0.0, np.pi / 4])[1]).round(6).tolist()
    [0.707107, 0.707107]
    """
    walk = steps(H, state, times, imaginary=imaginary, tolerance=tolerance, step=step)
    return np.stack([psi for _, psi in walk])


def steps(
    H: Operator | Callable[[float], Operator],
    state: str | ArrayLike,
    times: ArrayLike,
    *,
    imaginary: bool = False,
    tolerance: float = 1e-12,
    step: float = 0.01,
) -> Iterator[tuple[float, np.ndarray]]:
    """(time, vector (2^N,)) for each of `times`, one after the other: `evolve` where the vectors need not all
    be kept."""
    when = check_times(times)
    positive_number("tolerance", tolerance)
    positive_number("step", step)
    driven = H if not isinstance(H, _operator_type()) and callable(H) else None
    first = _checked(H if driven is None else driven(0.0))
    matrix = _matrix(first)
    psi, factor, now = start_vector(first, state), -1.0 if imaginary else -1j, 0.0
    for t in map(float, when):
        if driven is not None:
            psi = _driven(driven, psi, now, t, factor, step, tolerance)
        elif t > now:
            psi = propagated(matrix, psi, t - now, factor, tolerance)
        now = t
        yield now, psi


def check_times(times: ArrayLike) -> np.ndarray:
    """`times` as float64 (T,), or the error of times that do not increase from 0 on."""
    when = np.atleast_1d(np.asarray(times, float)) if np.ndim(times) <= 1 else np.asarray(times, float)
    if when.ndim != 1 or len(when) == 0 or not np.all(np.isfinite(when)):
        raise fail("times", "finite numbers in one row", times, "for example numpy.linspace(0, 1, 11)")
    if when[0] < 0 or np.any(np.diff(when) <= 0):
        raise fail("times", "numbers ≥ 0 that increase", times, "sort them and leave out repetitions")
    return when


def start_vector(H: Operator, state: str | ArrayLike) -> np.ndarray:
    """The normalised vector (2^N,) of `state` for the sites of H."""
    named = isinstance(state, str)
    array = None if named else np.asarray(state)
    if array is None or (array.shape in ((H.size,), (H.size, 2)) and array.shape != (2**H.size,)):
        return _in_frame(product_vector(H.size, state), H)
    if array.shape != (2**H.size,) or not np.all(np.isfinite(array)) or not np.any(array):
        raise fail("state", f"a vector of {2**H.size} finite numbers, or a product state", state)
    return array.astype(complex) / np.linalg.norm(array)


def _in_frame(vector: np.ndarray, H: Operator) -> np.ndarray:
    """A vector of the sites as they are, in the frame of H."""
    if not H.turned:
        return vector
    mask = sum(1 << (H.size - 1 - site) for site in H.turned)
    return vector * (1.0 - 2.0 * (np.bitwise_count(np.arange(len(vector)) & mask) & 1))


def _operator_type() -> type[Operator]:
    from intertwine.quantum.operators.operator import Operator

    return Operator


def _checked(H: object) -> Operator:
    if not isinstance(H, _operator_type()):
        raise fail(
            "H",
            "an Operator, or a function of the time that gives one",
            H,
            "for example intertwine.tfim(lattice)",
        )
    if not H.is_hermitian:
        raise fail("H", "a Hermitian operator", repr(H), "add its Hermitian conjugate")
    if H.size > LARGEST:
        needed = 16.0 * 2**H.size * 12
        raise fail(
            "H",
            f"at most {LARGEST} sites for a state vector",
            f"{H.size} sites, about {needed / 1e9:.3g} GB",
            "use intertwine.evolve, which samples",
        )
    return H


def _matrix(H: Operator) -> Matrix:
    return sector_matrix(_checked(H), build_basis(H.size, Symmetry.none(H.size)))


def _driven(
    H: Callable[[float], Operator],
    psi: np.ndarray,
    begin: float,
    end: float,
    factor: complex,
    step: float,
    tolerance: float,
) -> np.ndarray:
    count = int(np.ceil((end - begin) / step - 1e-9))
    for j in range(count):
        d = (end - begin) / count
        t = begin + j * d
        first, second = H(t + NODES[0] * d), H(t + NODES[1] * d)
        for u, v in (MAGNUS, MAGNUS[::-1]):
            matrix = _matrix(u * first + v * second)
            psi = propagated(matrix, psi, d, factor, tolerance)
    return psi


def propagated(matrix: Matrix, psi: np.ndarray, span: float, factor: complex, tolerance: float) -> np.ndarray:
    """e^{factor · matrix · span} psi, normalised."""
    left = span
    most = int(np.clip(_KRYLOV_BYTES // (16 * len(psi)) - 2, 6, _KRYLOV))
    while left > 0:
        basis, alpha, beta = _lanczos(matrix, psi, most)
        if len(alpha) == 1:  # an eigenvector
            return psi * (np.exp(factor * alpha[0] * left) if np.iscomplexobj(np.array(factor)) else 1.0)
        energies, vectors = np.linalg.eigh(np.diag(alpha) + np.diag(beta[:-1], 1) + np.diag(beta[:-1], -1))
        shifted = energies - (energies[0] if factor == -1.0 else 0.0)
        done = left
        for _ in range(200):
            small = vectors @ (np.exp(factor * shifted * done) * vectors[0].conj())
            error = abs(beta[-1] * small[-1]) / np.linalg.norm(small)
            if error <= tolerance:
                break
            done *= min(0.9, max(0.2, 0.9 * (tolerance / error) ** (1 / len(alpha))))
        psi = basis.T @ small
        psi = psi / np.linalg.norm(psi)
        left = 0.0 if done == left else left - done
    return psi


def _lanczos(matrix: Matrix, psi: np.ndarray, most: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The basis as rows (m, n), the diagonal (m,) and the off-diagonal elements (m,), the last one leading
    out; it is 0 where the space is invariant."""
    basis = np.empty((most, len(psi)), complex)
    alpha, beta = np.zeros(most), np.zeros(most)
    basis[0] = psi
    for m in range(most):
        w = matrix @ basis[m]
        alpha[m] = np.vdot(basis[m], w).real
        for _ in range(2):  # orthogonal to rounding
            w = w - basis[: m + 1].T @ (basis[: m + 1].conj() @ w)
        beta[m] = np.linalg.norm(w)
        if beta[m] <= 1e-13 * max(1.0, np.max(np.abs(alpha))):
            beta[m] = 0.0
            return basis[: m + 1], alpha[: m + 1], beta[: m + 1]
        if m + 1 < most:
            basis[m + 1] = w / beta[m]
    return basis, alpha, beta
