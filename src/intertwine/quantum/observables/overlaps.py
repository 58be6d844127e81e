r"""Overlaps and fidelities of two states, exactly or from samples of both.

    F = |⟨a|b⟩|²/(⟨a|a⟩⟨b|b⟩) = ⟨ψ_b/ψ_a⟩_{|a|²} ⟨ψ_a/ψ_b⟩_{|b|²}

The two means come from independent samples, so that their product has no bias. As ⟨|ψ_b/ψ_a|²⟩⟨|ψ_a/ψ_b|²⟩
is 1, half of what the samples say of it can be taken off (Sinibaldi, Giuliani, Carleo & Vicentini, Quantum 7,
1131 (2023)): near F = 1 the noise cancels, and the error falls with 1 − F. That is done where it lowers the
variance, and where both states have amplitudes at the same magnetizations.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import jax
import numpy as np
from jax import Array
from jaxtyping import PyTree

from intertwine._caveats import tell
from intertwine._checks import fail
from intertwine.quantum.entanglement.drawn import Drawn, draw
from intertwine.quantum.entanglement.vectors import (
    any_vector,
    in_levels,
    size_of,
    space_of_state,
    state_vector,
)
from intertwine.quantum.vmc.energy import qualified
from intertwine.sampling.statistics.estimate import Estimate, estimate

if TYPE_CHECKING:
    from intertwine.sampling.protocols import Sampler


RARE, HARMLESS = 10.0, 0.1
"""Configurations of one state that stand for less than RARE samples of the other are likely to be missed
there: what is taken off is too much by half of their share, which may be so many errors."""


def overlap(a: PyTree, b: PyTree) -> complex:
    """⟨a|b⟩ of two normalised states, of up to 24 spins, or in one Hilbert space: models, runs or vectors of
    amplitudes, in the laboratory's frame (a run's Marshall rotation is undone).

    >>> abs(overlap([1.0, 1.0], [1.0, -1.0])) < 1e-15, round(abs(overlap([1.0, 1.0], [2.0, 2.0j])), 12)
    (True, 0.707106781187)
    """
    first, second = _alike(a, b)
    held = space_of_state(a) or space_of_state(b)
    if not in_levels(held):
        return complex(np.vdot(state_vector(first).amplitudes, state_vector(second).amplitudes))
    return complex(np.vdot(any_vector(first, held).amplitudes, any_vector(second, held).amplitudes))


def fidelity(
    a: PyTree,
    b: PyTree,
    samples: int | None = None,
    *,
    key: Array | None = None,
    sampler: Sampler | None = None,
) -> Estimate:
    """|⟨a|b⟩|² of two normalised states, exactly (to 24 spins, error 0) or from `samples` of each.

    a, b: models, runs or vectors. key: needed with samples. sampler: for both; None for the one of each
    state's space. Raises InputError for states of different sizes, and more than 24 spins without samples.

    >>> import jax
    >>> found = fidelity([1.0, 1.0], [1.0, 0.8], samples=512, key=jax.random.key(0))
    >>> round(float(fidelity([1.0, 1.0], [1.0, 0.8])), 6)
    0.987805
    >>> bool(abs(found.mean - 0.987805) < 4 * found.error < 0.01)
    True
    """
    a, b = _alike(a, b)
    if samples is None:
        zero, one, n = np.float64(0.0), np.float64(1.0), np.int64(0)
        return Estimate(np.float64(abs(overlap(a, b)) ** 2), zero, zero, one, one, zero, n)
    if key is None:
        raise fail("key", "a jax.random.key where samples are given", None, "give key=jax.random.key(0)")
    keys = jax.random.split(key)
    held = space_of_state(a) or space_of_state(b)
    first, second = draw(a, samples, keys[0], sampler, held), draw(b, samples, keys[1], sampler, held)
    x, y = _logs(second, first, first), _logs(first, second, second)
    shift = 0.5 * (_top(x) - _top(y))  # of the norms, which drop out
    x, y = np.exp(x - shift), np.exp(y + shift)
    A, B, A2, B2 = x.mean(), y.mean(), np.mean(np.abs(x) ** 2), np.mean(np.abs(y) ** 2)
    choices = [0.0, 0.5] if first.magnetizations == second.magnetizations else [0.0]

    def series(half: float) -> list[np.ndarray]:
        halves = ((B * x).real - half * B2 * np.abs(x) ** 2, (A * y).real - half * A2 * np.abs(y) ** 2)
        return [np.asarray(part) for part in halves]

    half = min(choices, key=lambda half: sum(float(np.var(part)) for part in series(half)))
    missed = sum(np.mean(np.abs(z) ** 2 < RARE / z.size * z2) for z, z2 in ((x, A2), (y, B2)))
    spread = sum(float(np.var(part)) / part.size for part in series(half)) ** 0.5
    half = half if half * missed < HARMLESS * spread else 0.0
    mean = (A * B).real - half * (A2 * B2 - 1)
    parts = series(half)
    found = [qualified(estimate(part), part) for part in parts]
    notes = [line for one in found for line in one.notes] + [*first.notes, *second.notes]
    one, other = found
    result = Estimate(
        mean=np.float64(mean),
        error=np.hypot(one.error, other.error),
        variance=np.float64(one.variance + other.variance),
        tau=np.fmax(one.tau, other.tau),
        r_hat=np.fmax(one.r_hat, other.r_hat),
        ess=np.fmin(one.ess, other.ess),
        samples=one.samples + other.samples,
    ).noted(notes)
    tell(result.warnings)
    return result


def _alike(a: PyTree, b: PyTree) -> tuple[PyTree, PyTree]:
    spaces = [space for space in (space_of_state(a), space_of_state(b)) if in_levels(space)]
    if spaces:
        if len(set(spaces)) > 1:
            raise fail("b", f"a state in {spaces[0]!r}, as a", f"one in {spaces[1]!r}")
        return a, b
    if size_of(a) != size_of(b):
        raise fail("b", f"a state of {size_of(a)} sites, as a", f"{size_of(b)} sites")
    return a, b


def _top(logs: np.ndarray) -> float:
    sizes = np.real(logs)
    return float(np.max(sizes[np.isfinite(sizes)], initial=0.0))


def _logs(of: Drawn, at: Drawn, below: Drawn) -> np.ndarray:
    """ln ψ_of − ln ψ_below on the configurations of `at`, in one frame; −∞ outside the space of `of`."""
    flat = at.configurations.reshape(-1, at.size)
    logs = of.log_psi(flat) - below.log_psi(flat)
    if of.magnetizations is not None:
        logs[~np.isin(flat.sum(axis=1, dtype=int), of.magnetizations)] = -np.inf
    turned = sorted(set(of.turned or ()) ^ set(below.turned or ()))
    if turned:
        logs = logs + 1j * np.pi * (np.prod(flat[:, turned], axis=1) < 0)
    return logs.reshape(at.configurations.shape[:2])
