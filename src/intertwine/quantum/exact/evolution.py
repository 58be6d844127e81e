r"""Exact evolution of a state vector, in real or imaginary time, by Krylov spaces.

    ψ(t) = e^{−iHt} ψ(0)        (real time)
    ψ(τ) ∝ e^{−Hτ} ψ(0)        (imaginary time, normalised)

An exponential of a fixed H is applied in Krylov spaces (`krylov`).

States are vectors (2^N,) of spins, or, where the operator is on a Hilbert space of its own (bosons, fermions,
atoms), vectors over `space.configurations()`.

A Hamiltonian that depends on time is carried by steps that choose their own length (`driven`). Errors of
steps are added up, as U keeps distances; `trajectory` has the sums.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from intertwine._caveats import caveat, tell
from intertwine._checks import fail, positive_number
from intertwine.quantum.exact.basis import Symmetry, build_basis, sector_matrix
from intertwine.quantum.exact.driven import Driven
from intertwine.quantum.exact.hilbert.basis import space_basis, space_matrix
from intertwine.quantum.exact.hilbert.leaving import require_kept
from intertwine.quantum.exact.hilbert.spaced import is_plain
from intertwine.quantum.exact.krylov import propagated_with_error
from intertwine.quantum.exact.lanczos import Matrix
from intertwine.quantum.exact.product import product_vector
from intertwine.spaces.hilbert.hilbert_space import HilbertSpace

if TYPE_CHECKING:
    from intertwine.quantum.operators.operator import Operator
    from intertwine.quantum.operators.protocols import QuantumOperator

LARGEST = 24
STEPS = 64
"""Of H(t) over the whole time, at least: each looks at H at eight times."""
FIXED, DRIVEN = 1e-12, 1e-9
"""Tolerances, per unit of time."""


class ExactTrajectory(NamedTuple):
    """times: float64 (T,). states: complex128 (T, 2^N), normalised. errors: float64 (T,), of the norm of the
    error of each state, at most: the estimates of all steps, added up (in imaginary time an error may grow
    besides, by e^{(E − E_0)τ} at most)."""

    times: np.ndarray
    states: np.ndarray
    errors: np.ndarray


def evolve(
    H: QuantumOperator | Callable[[float], QuantumOperator],
    state: str | ArrayLike,
    times: ArrayLike,
    *,
    imaginary: bool = False,
    tolerance: float | None = None,
    step: float | None = None,
) -> np.ndarray:
    """The state at each of `times`, complex128 (len(times), 2^N), normalised; at most 24 spins, or 2^24
    configurations.

    H: a Hermitian operator, or a function of the time that gives one (of two-level modes), smooth but for
    jumps (a pulse shorter than a 300th of the whole time can be missed). On a Hilbert space of its own the
    vectors are over `H.hilbert.configurations()`, and the start may be one of these, as its levels (N,).
    state: at time 0 (also where `times` begins later): a vector (2^N,) with site 0 as the most
    significant bit and bit 0 ↔ s = +1, in the frame of H, or a product state of the sites as they are, by
    name or angles (`product_vector`); what is returned is in the frame of H (`Operator.turned`), where an
    observable A is `A.in_frame(H.turned)`. times: increasing, ≥ 0, in units of 1/energy.
    imaginary: e^{−Hτ} ψ, normalised. tolerance: of the norm of the error, per unit of time; None for 1e-12,
    1e-9 where H depends on time; what was reached is in `trajectory`. step: a fixed step for H(t), None for
    steps that meet the tolerance.

    Raises `InputError` for operators that are not Hermitian, times that do not increase, vectors of other
    lengths or norm 0, functions H(t) that no step is short enough for, and beyond 24 spins (the message says
    the memory). Warns where the errors added up pass twice the tolerance.

    >>> from intertwine.quantum.operators.operator import Operator
    >>> H = Operator.from_strings(1, [(1.0, "X")])
    >>> abs(evolve(H, "up", [0.0, np.pi / 4])[1]).round(6).tolist()
    [0.707107, 0.707107]
    """
    found = trajectory(H, state, times, imaginary=imaginary, tolerance=tolerance, step=step)
    allowed = (FIXED if _is_operator(H) else DRIVEN) if tolerance is None else tolerance
    if step is None and found.errors[-1] > 2 * allowed * found.times[-1] + 1e-13:
        words = f"the error of the vector is up to {found.errors[-1]:.1g} at t = {found.times[-1]:.4g}"
        why = "it takes many Krylov steps" if _is_operator(H) else "H(t) jumps"
        tell([caveat("not-converged", f"{words}, more than {allowed:.1g} per unit of time; {why}")])
    return found.states


def trajectory(
    H: QuantumOperator | Callable[[float], QuantumOperator],
    state: str | ArrayLike,
    times: ArrayLike,
    *,
    imaginary: bool = False,
    tolerance: float | None = None,
    step: float | None = None,
) -> ExactTrajectory:
    """`evolve`, and the error of each state.

    >>> import intertwine as it
    >>> ring = it.Chain(4)
    >>> switched = lambda t: it.tfim(ring, h=2.0 if t >= 0.3 else 0.5)
    >>> found = trajectory(switched, "+x", [0.6])
    >>> before = evolve(it.tfim(ring, h=0.5), "+x", [0.3])[0]
    >>> wanted = evolve(it.tfim(ring, h=2.0), before, [0.3])[0]
    >>> bool(np.linalg.norm(found.states[0] - wanted) < found.errors[0])
    True
    """
    walk = list(steps(H, state, times, imaginary=imaginary, tolerance=tolerance, step=step))
    when, states, errors = zip(*walk, strict=True)
    return ExactTrajectory(np.array(when), np.stack(states), np.array(errors))


def steps(
    H: QuantumOperator | Callable[[float], QuantumOperator],
    state: str | ArrayLike,
    times: ArrayLike,
    *,
    imaginary: bool = False,
    tolerance: float | None = None,
    step: float | None = None,
) -> Iterator[tuple[float, np.ndarray, float]]:
    """(time, vector (2^N,), its error) for each of `times`, one after the other: `trajectory` where the
    vectors need not all be kept."""
    when = check_times(times)
    for name, value in (("tolerance", tolerance), ("step", step)):
        if value is not None:
            positive_number(name, value)
    moving: Any = None if _is_operator(H) or not callable(H) else H
    first = _checked(H if moving is None else moving(0.0))
    if moving is not None and not isinstance(first, _operator_type()):
        raise fail("H", "a function that gives operators of two-level modes", first, "steps of a constant H")
    psi, factor, now, error = start_vector(first, state), -1.0 if imaginary else -1j, 0.0, 0.0
    goal = (DRIVEN if moving is not None else FIXED) if tolerance is None else tolerance
    longest = float(when[-1]) / STEPS or float("inf")
    walk = None if moving is None else Driven(moving, _matrix, factor, goal, step, longest)
    matrix = _matrix(first)
    for t in map(float, when):
        if walk is not None:
            psi, more = walk.carried(psi, now, t)
            error += more
        elif t > now:
            psi, more = propagated_with_error(matrix, psi, t - now, factor, goal)
            error += more
        now = t
        yield now, psi, error


def check_times(times: ArrayLike) -> np.ndarray:
    """`times` as float64 (T,), or the error of times that do not increase from 0 on."""
    when = np.atleast_1d(np.asarray(times, float)) if np.ndim(times) <= 1 else np.asarray(times, float)
    if when.ndim != 1 or len(when) == 0 or not np.all(np.isfinite(when)):
        raise fail("times", "finite numbers in one row", times, "for example numpy.linspace(0, 1, 11)")
    if when[0] < 0 or np.any(np.diff(when) <= 0):
        raise fail("times", "numbers ≥ 0 that increase", times, "sort them and leave out repetitions")
    return when


def start_vector(H: QuantumOperator, state: str | ArrayLike) -> np.ndarray:
    """The normalised vector (2^N,) of `state` for the sites of H, or that over the configurations of its
    Hilbert space."""
    space = _space(H)
    if space is not None:
        return _vector_in(space, state)
    named = isinstance(state, str)
    array = None if named else np.asarray(state)
    if array is None or (array.shape in ((H.size,), (H.size, 2)) and array.shape != (2**H.size,)):
        return _in_frame(product_vector(H.size, state), H)
    if array.shape != (2**H.size,) or not np.all(np.isfinite(array)) or not np.any(array):
        raise fail("state", f"a vector of {2**H.size} finite numbers, or a product state", state)
    return array.astype(complex) / np.linalg.norm(array)


def _vector_in(space: HilbertSpace, state: str | ArrayLike) -> np.ndarray:
    """The vector over the configurations of `space` of a vector, or of one of them."""
    array = np.asarray(state)
    expected = f"a vector of {space.dimension} finite numbers, or the levels of {space.size} modes"
    if array.shape == (space.size,) and space.size != space.dimension:
        number = int(space.numbers_of(space.written(array[None]))[0]) if array.dtype.kind in "iu" else -1
        if number < 0:
            remedy = "give integers, the level of each mode"
            raise fail("state", f"a configuration of {space!r}", state, remedy)
        return np.eye(1, space.dimension, number, dtype=complex)[0]
    if array.dtype.kind not in "iufc" or array.shape != (space.dimension,):
        raise fail("state", expected, state)
    if not np.all(np.isfinite(array)) or not np.any(array):
        raise fail("state", expected, state)
    return array.astype(complex) / np.linalg.norm(array)


def _in_frame(vector: np.ndarray, H: QuantumOperator) -> np.ndarray:
    """A vector of the sites as they are, in the frame of H."""
    if not H.turned:
        return vector
    mask = sum(1 << (H.size - 1 - site) for site in H.turned)
    return vector * (1.0 - 2.0 * (np.bitwise_count(np.arange(len(vector)) & mask) & 1))


def _operator_type() -> type[Operator]:
    from intertwine.quantum.operators.operator import Operator

    return Operator


def _space(H: QuantumOperator) -> HilbertSpace | None:
    """The space whose configurations vectors are over; None for all 2^N of spins ½."""
    return None if is_plain(H, None) else H.hilbert


def _is_operator(H: object) -> bool:
    from intertwine.quantum.operators.protocols import QuantumOperator

    return isinstance(H, QuantumOperator)


def _checked(H: object) -> Any:
    from intertwine.quantum.operators.protocols import QuantumOperator

    if not isinstance(H, QuantumOperator):
        raise fail(
            "H",
            "an Operator, or a function of the time that gives one",
            H,
            "for example intertwine.tfim(lattice)",
        )
    if not H.is_hermitian:
        raise fail("H", "a Hermitian operator", repr(H), "add its Hermitian conjugate")
    space = _space(H)
    dimension = 2**H.size if space is None else space.dimension
    if dimension > 2**LARGEST:
        most = f"at most {LARGEST} sites" if space is None else f"at most {2**LARGEST:,} configurations"
        got = f"{H.size} sites" if space is None else f"{dimension:,}"
        raise fail(
            "H",
            f"{most} for a state vector",
            f"{got}, about {16.0 * dimension * 12 / 1e9:.3g} GB",
            "use intertwine.evolve, which samples",
        )
    if space is not None:
        require_kept(H, space)
    return H


def _matrix(H: Any) -> Matrix:
    space = _space(H)
    if space is not None:
        return space_matrix(_checked(H), space_basis(space))
    return sector_matrix(_checked(H), build_basis(H.size, Symmetry.none(H.size)))
