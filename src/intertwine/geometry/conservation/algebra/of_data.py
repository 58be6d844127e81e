r"""The matrices that leave the distribution of data alone, as far as its moments say.

A linear group that leaves a distribution with finite, full second moments M = LLᵀ alone is conjugate to
rotations: A = L B L⁻¹ with Bᵀ = −B. So d(d − 1)/2 numbers are unknown, and with z = L⁻¹x, for every
function φ,

    ⟨∇φ(z) · B z⟩ = 0

is tested for φ = w(|z|²) z_1^{e_1} … z_d^{e_d} of degrees 1 to 4, w = (1 + |z|²/d)^{−2}, whose radial
weight B leaves alone and which makes the means robust. Candidates come from one half of the rows, and are
tested with the other: n t̄ᵀ C⁻¹ t̄ is χ² distributed where B is a symmetry. B is known to about 1/√n only,
and along an exact B some tests are 0 at every row (of columns that are ±1, constant, on a circle), so that C
has the errors of B too: Σ_j (C_j + n m_j m_jᵀ) / s_j² over the other directions, s_j errors away from 0, with
tests of mean m_j and covariance C_j. Which functions were tested is
part of the answer: what only shows in higher moments is not seen, and few rows see little.

within="rotations" asks for A = −Aᵀ itself: then an anisotropic cloud is not symmetric, where of all
matrices the turns along its ellipsoids leave a Gaussian one alone.
"""

from __future__ import annotations

from itertools import combinations
from typing import NamedTuple

import numpy as np
from jaxtyping import Float
from numpy.typing import ArrayLike
from scipy.stats import chi2

from intertwine._caveats import caveat, tell
from intertwine._checks import fail, one_of
from intertwine.geometry.conservation.algebra.discrete import Candidates, candidates, further
from intertwine.geometry.conservation.algebra.found import Symmetries
from intertwine.geometry.conservation.algebra.lie_algebra import lie_algebra
from intertwine.geometry.conservation.dictionary import Dictionary, checked_states, dictionary
from intertwine.geometry.conservation.formulas import sparse_basis
from intertwine.geometry.conservation.null_space import NullSpace

WITHIN = ("matrices", "rotations")

ACCEPTED, REJECTED = 1e-3, 1e-6
"""p-values: above the first a generator is accepted, below the second rejected, between them unjudged."""

_ROWS_A_TEST = 20
_NUMBERS = 6e7
_WEAK = 0.3
_SINGULAR = 1e-9
_LEEWAY = 1.5


class _Tests(NamedTuple):
    """of: rows (n, tests, generators). degree: of the functions."""

    of: Float[np.ndarray, "n T B"]
    degree: int


def data_symmetries(
    data: ArrayLike,
    *,
    affine: bool = False,
    within: str = "matrices",
    candidate: Candidates | None = None,
) -> Symmetries:
    """Of rows (n, d), independent draws of one distribution; see `it.symmetries`."""
    one_of("within", within, WITHIN)
    rows = checked_states(data, "data")
    n, d = rows.shape
    if n < 4 * _ROWS_A_TEST or d < 1:
        raise fail("data", f"at least {4 * _ROWS_A_TEST} rows", n)
    centre = rows.mean(axis=0) if affine else np.zeros(d)
    moved = rows - centre
    said: list[str] = []
    fits = [_fit(moved, change) for change in _frames(moved, within)]
    best = max(range(len(fits)), key=lambda k: (fits[k].null.dimension, -k))
    change, null, found = fits[best].change, fits[best].null, fits[best].found
    tests, weak, unclear = fits[best].tests, fits[best].weak, fits[best].unclear
    if tests.degree < 4:
        sentence = f"{n} rows of {d} columns are enough for moments of degree {tests.degree} at most"
        said.append(caveat("unjudged", f"{sentence}: what shows in higher ones is not seen"))
    generators = np.einsum("ab,kbc,cd->kad", change, found, np.linalg.inv(change)).reshape(-1, d, d)
    if len(generators):
        generators = generators / np.abs(generators).max(axis=(1, 2), keepdims=True)
    algebra = lie_algebra(generators, 5 / np.sqrt(n))
    if unclear:
        sentence = f"{unclear} generators have p-values between {REJECTED:g} and {ACCEPTED:g}"
        said.append(caveat("unjudged", f"{sentence}: more rows would tell"))
    if weak > _WEAK:
        sentence = f"a breaking of less than {weak:.0%} of a moment's spread would not be seen in {n} rows"
        said.append(caveat("unjudged", sentence))
    if len(generators) and not algebra.closes:
        sentence = f"brackets of the generators leave their span by {algebra.closure_error:.1e}"
        said.append(caveat("assumption", f"{sentence}: they are known to about {1 / np.sqrt(n):.1e} only"))
    kept, names = further(candidates(d, candidate), _holds(moved, tests.degree), generators)
    if affine:
        shift = -generators @ centre
        wide = np.zeros((len(generators), d + 1, d + 1))
        wide[:, :d, :d], wide[:, :d, d] = generators, shift
        algebra = lie_algebra(wide, 5 / np.sqrt(n))
    tell(said, stacklevel=4)
    tested = f"tested by {tests.of.shape[1]} moments to degree {tests.degree} of {n} rows, within {within}"
    elements = np.array(kept).reshape(-1, d, d)
    judged = not any(line.startswith("unjudged") for line in said)
    error = 2 / np.sqrt(n)
    return Symmetries(algebra, elements, tuple(names), null, tested, affine, judged, tuple(said), error)


class _Fit(NamedTuple):
    change: np.ndarray
    tests: _Tests
    null: NullSpace
    found: np.ndarray
    weak: float
    unclear: int


def _fit(moved: np.ndarray, change: np.ndarray) -> _Fit:
    """The turns of z = L⁻¹x that are accepted."""
    z = moved @ np.linalg.inv(change).T
    z = z[np.random.default_rng(0).permutation(len(z))]
    turns = _turns(z.shape[1])
    tests = _tests(z, turns)
    null, chosen, weak, unclear = _judged(tests)
    return _Fit(change, tests, null, _snapped(chosen, turns, tests, len(z)), weak, unclear)


def _frames(moved: np.ndarray, within: str) -> list[np.ndarray]:
    """L to try, the simplest first: one width, a width a column, all of M."""
    second = moved.T @ moved / len(moved)
    values, vectors = np.linalg.eigh(second)
    if values[0] <= 1e-12 * max(values[-1], 1e-300):
        remedy = "leave out columns that are constant or that others give"
        raise fail(
            "data", "columns with second moments of full rank", "columns that depend on each other", remedy
        )
    one = np.eye(len(second)) * np.sqrt(values.mean())
    if within == "rotations":
        return [one]
    return [one, np.diag(np.sqrt(np.diag(second))), (vectors * np.sqrt(values)) @ vectors.T]


def _turns(d: int) -> Float[np.ndarray, "B d d"]:
    found = np.zeros((d * (d - 1) // 2, d, d))
    for k, (i, j) in enumerate(combinations(range(d), 2)):
        found[k, i, j], found[k, j, i] = 1.0, -1.0
    return found


def _tests(z: np.ndarray, turns: np.ndarray) -> _Tests:
    """w ∇φ · B z of each row, to the largest degree that the rows are enough for."""
    n, d = z.shape
    for degree in (4, 3, 2, 1):
        words = _words(d, degree, n, len(turns))
        if words is None:
            continue
        weight = _weight(z)
        of = [words.rates(z, z @ turn.T) * weight[:, None] for turn in turns]
        return _Tests(np.stack(of, axis=2) if of else np.zeros((n, len(words.exponents), 0)), degree)
    raise fail("data", f"at least {2 * _ROWS_A_TEST * d} rows for {d} columns", n)


def _words(d: int, degree: int, n: int, generators: int) -> Dictionary | None:
    from math import comb

    count = comb(d + degree, degree) - 1
    if 2 * _ROWS_A_TEST * count > n or count * max(generators, 1) * n > _NUMBERS:
        return None
    return dictionary(d, degree)


def _weight(z: np.ndarray) -> np.ndarray:
    return (1 + (z * z).mean(axis=1)) ** -2.0


def _judged(tests: _Tests) -> tuple[NullSpace, np.ndarray, float, int]:
    """(the null space, generators (k, B) that are accepted, what is too weak to be seen, how many are neither
    accepted nor rejected)."""
    n, _, count = tests.of.shape
    if not count:
        return NullSpace(0, np.zeros(0), 0.0, np.inf, True, np.zeros((0, 0))), np.zeros((0, 0)), 0.0, 0
    first, second = tests.of[: n // 2], tests.of[n // 2 :]
    _, found, directions = np.linalg.svd(_white(first), full_matrices=True)
    sizes = np.zeros(count)
    sizes[: len(found)] = found
    directions, sizes = directions[::-1], np.maximum(sizes[::-1], 1.0)
    of_errors = _of_errors(second, directions, sizes)
    ratios, p_values = [], []
    degrees = 1
    for k, direction in enumerate(directions):
        value, degrees = _chi_squared(second @ direction, of_errors[k])
        ratios.append(np.sqrt(value / degrees))
        p_values.append(float(chi2.sf(value, degrees)))
    accepted = next((k for k, p in enumerate(p_values) if p < ACCEPTED), count)
    unclear = sum(REJECTED < p < ACCEPTED for p in p_values)
    threshold = float(np.sqrt(chi2.isf(ACCEPTED, degrees) / degrees))
    values = np.array(ratios[::-1])
    least = ratios[accepted] if accepted < count else np.inf
    gap = float(least / threshold)
    _, _, whole = np.linalg.svd(_white(tests.of), full_matrices=True)
    chosen = whole[::-1][:accepted]
    null = NullSpace(accepted, values, threshold, gap, not unclear, chosen)
    return null, chosen, float(np.sqrt(2 * degrees / n)), unclear


def _of_errors(of: np.ndarray, directions: np.ndarray, sizes: np.ndarray) -> list[Float[np.ndarray, "T T"]]:
    """What the errors of each direction, by those after it, add to the covariance of its tests."""
    whole, found = np.zeros((of.shape[1], of.shape[1])), []
    for direction, size in zip(directions[::-1], sizes[::-1], strict=True):
        found.append(whole)
        along = of @ direction
        mean = along.mean(axis=0)
        whole = whole + (_LEEWAY / size) ** 2 * (np.cov(along.T) + len(of) * np.outer(mean, mean))
    return found[::-1]


def _white(of: np.ndarray) -> np.ndarray:
    """Mean tests (T, B) in units of their mean errors."""
    mean = of.mean(axis=0)
    spread = np.mean([np.cov(of[:, :, b].T).reshape(of.shape[1], -1) for b in range(of.shape[2])], axis=0)
    values, vectors = np.linalg.eigh(spread)
    values = np.maximum(values, _SINGULAR * max(values[-1], 1e-300))
    return (vectors / np.sqrt(values)).T @ mean * np.sqrt(len(of))


def _chi_squared(
    of: Float[np.ndarray, "n T"], further: Float[np.ndarray, "T T"] | float = 0.0
) -> tuple[float, int]:
    """(n t̄ᵀ C⁻¹ t̄, degrees of freedom) of the mean of rows; what has no variance has to be 0. further: in C
    beside the covariance of the rows."""
    covariance = np.cov(of.T).reshape(of.shape[1], -1) + further
    values, vectors = np.linalg.eigh(covariance)
    least = _SINGULAR * max(values[-1], 1e-300)
    along = vectors.T @ of.mean(axis=0)
    return float(len(of) * np.sum(along**2 / np.maximum(values, least))), int((values > least).sum())


def _snapped(chosen: np.ndarray, turns: np.ndarray, tests: _Tests, n: int) -> Float[np.ndarray, "k d d"]:
    """The generators in a basis of few terms, with 0 and ±1 where the data allow it."""
    if not len(chosen):
        return np.zeros((0, *turns.shape[1:]))
    basis = sparse_basis(chosen, negligible=min(0.2, 10 / np.sqrt(n)))
    whole = np.where(np.abs(basis - basis.round()) < 10 / np.sqrt(n), basis.round(), basis)
    limits = [_chi_squared(tests.of @ row) for row in whole if np.any(row)]
    fits = len(limits) == len(whole) and all(chi2.sf(value, k) > ACCEPTED for value, k in limits)
    return np.tensordot(whole if fits else basis, turns, 1)


def _holds(rows: np.ndarray, degree: int):
    """Whether the moments of g x are those of x, within their errors."""
    z = rows / np.sqrt((rows * rows).mean())
    words = dictionary(rows.shape[1], degree)

    def measured(x: np.ndarray) -> np.ndarray:
        return words.values(x) * _weight(x)[:, None]

    before = measured(z)

    def holds(element: np.ndarray) -> bool:
        value, degrees = _chi_squared(measured(z @ element.T) - before)
        return bool(chi2.sf(value, degrees) > ACCEPTED)

    return holds
