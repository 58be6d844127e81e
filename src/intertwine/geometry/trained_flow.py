r"""Training as a flow p_λ → p_λ' → p_λ'' in the space of distributions, measured with the Fisher metric.

    length of a step    √(δᵀ Ḡ δ),  δ = λ' − λ,  Ḡ the mean of G at both ends
    distance            2 arccos Σ_s √(p_λ(s) p_λ'(s)),  the shortest way between the two on the simplex of
                        all distributions (Fisher-Rao; Bhattacharyya 1943)
    divergence          KL(p_λ ‖ p_λ') ≈ ½ length²

For small steps length and distance agree; where they do not, the models are too far apart for a metric. The
distances of all steps add up to no less than the distance of the first and the last distribution, and the
ratio says how straight training walks. None of these depends on how λ is chosen; the share of a step along
stiff directions does, as the spectrum itself (`fisher_spectrum`).

From samples, with Δ = ln Ψ_λ' − ln Ψ_λ, the overlap needs no Z, and the ratio of the Z is its bridge (Meng &
Wong, Stat. Sinica 6, 831, 1996):

    (Σ √(p p'))² = ⟨e^{Δ/2}⟩_p ⟨e^{−Δ/2}⟩_p',      Z'/Z = ⟨e^{Δ/2}⟩_p / ⟨e^{−Δ/2}⟩_p'
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from jaxtyping import Float, Int, PyTree

from intertwine._checks import fail, positive_int
from intertwine._shown import Shown
from intertwine.geometry.spectrum import (
    FisherSpectrum,
    exact_distribution,
    log_weights,
    metric_operator,
    spectrum,
    spin_view,
)
from intertwine.learning.log_derivatives import LogDerivatives
from intertwine.models.parameters import check_key, parameters
from intertwine.models.results import as_model
from intertwine.sampling.draw import sample
from intertwine.sampling.statistics.jackknife import jackknife_error

if TYPE_CHECKING:
    from intertwine.models.protocols import LogAmplitude
    from intertwine.sampling.protocols import Sampler

_GROUPS = 16


@dataclass(frozen=True, eq=False, repr=False)
class TrainingFlow(Shown):
    """T steps between T + 1 models. All arrays float64.

    length, distance: (T,), of every step, see the head of this file. divergence, divergence_error: (T,) KL of
    every step in nats and its jackknife error, 0 where exact. share: (T,) of the step along relevant
    directions of the model before it; chance: (T,) what a random step would have. direct: distance of the
    first and the last distribution; nan where sampled. spectra: T + 1.
    """

    length: Float[np.ndarray, " T"]
    distance: Float[np.ndarray, " T"]
    divergence: Float[np.ndarray, " T"]
    divergence_error: Float[np.ndarray, " T"]
    share: Float[np.ndarray, " T"]
    chance: Float[np.ndarray, " T"]
    direct: float
    spectra: tuple[FisherSpectrum, ...]
    threshold: float

    @property
    def total(self) -> float:
        """The length of the whole way, Σ distance."""
        return float(self.distance.sum())

    @property
    def straightness(self) -> float:
        """The direct distance over that of the way, 0 to 1; nan where sampled."""
        return self.direct / self.total if self.total > 0 else math.nan

    @property
    def participation(self) -> Float[np.ndarray, " T1"]:
        """The effective number of stiff directions of every model."""
        return np.array([s.participation for s in self.spectra])

    @property
    def relevant(self) -> Int[np.ndarray, " T1"]:
        """The number of directions above the threshold, of every model."""
        return np.array([s.relevant(self.threshold) for s in self.spectra])

    def __str__(self) -> str:
        rows = ["step   length  distance        KL   share  chance  relevant"]
        for k in range(len(self.length)):
            numbers = (self.length[k], self.distance[k], self.divergence[k], self.share[k], self.chance[k])
            shown = "{:8.4f}  {:8.4f}  {:8.5f}  {:6.3f}  {:6.3f}".format(*numbers)
            rows.append(f"{k:4d} {shown}  {self.relevant[k]:8d}")
        straight = ""
        if not math.isnan(self.direct):
            straight = f"; first to last {self.direct:.4f}, straightness {self.straightness:.3f}"
        return "\n".join([*rows, f"length of the way {self.total:.4f}{straight}"])


class _Point(NamedTuple):
    view: Any
    spins: np.ndarray
    weights: np.ndarray | None
    operator: LogDerivatives


def training_flow(
    models: Sequence[Any],
    *,
    samples: int | None = None,
    sampler: Sampler | None = None,
    threshold: float = 1e-2,
    key: Array | None = None,
    progress: Callable[[int, int], object] | None = None,
) -> TrainingFlow:
    """Lengths, divergences and spectra along a sequence of models of one shape, such as the checkpoints of a
    run.

    models: at least two, real parameters, spins or 0/1 units, p = Ψ/Z. samples: None for exact values by
    enumeration, else configurations drawn of every model by `sampler` (as `it.sample`), with `key`.
    threshold: eigenvalues above it, relative to the largest, are relevant. progress: called with the number
    of models done and of all.

    Raises InputError for models of different shapes and for systems too large to enumerate.

    >>> from intertwine.models.machines.rbm import RBM
    >>> machines = [RBM(4, hidden=3, scale=s, key=jax.random.key(0)) for s in (0.2, 0.25, 0.3)]
    >>> flow = training_flow(machines)
    >>> flow.length.shape, bool(flow.total >= flow.direct)
    ((2,), True)
    >>> bool((abs(flow.length / flow.distance - 1) < 0.01).all())
    True
    """
    models = [as_model(model) for model in models]
    views = _views(models)
    if not (np.ndim(threshold) == 0 and 0 < float(threshold) < 1):
        raise fail("threshold", "a number between 0 and 1", threshold)
    if samples is not None:
        samples = positive_int("samples", samples, "give the configurations of a model, or None")
        key = check_key(key)
    rows: list[tuple] = []
    spectra: list[FisherSpectrum] = []
    before: _Point | None = None
    for k, (model, view) in enumerate(zip(models, views, strict=True)):
        now = _point(model, view, samples, sampler, key if key is None else jax.random.fold_in(key, k))
        spectra.append(spectrum(now.operator, samples))
        if before is not None:
            rows.append(_step(before, now, spectra[-2], threshold))
        before = now
        if progress is not None:
            progress(k + 1, len(views))
    length, distance, divergence, error, share, chance = np.array(rows, np.float64).T
    direct = math.nan if samples is not None else _direct(views[0], views[-1])
    return TrainingFlow(
        length, distance, divergence, error, share, chance, direct, tuple(spectra), float(threshold)
    )


def _views(models: Sequence[Any]) -> list[Any]:
    views = [spin_view(model) for model in models]
    if len(views) < 2:
        raise fail("models", "at least two models", len(views))
    shapes = [[leaf.shape for leaf in jax.tree.leaves(parameters(view))] for view in views]
    for found in shapes[1:]:
        if found != shapes[0]:
            raise fail("models", f"parameters of the same shapes {shapes[0]}", f"{found}")
    return views


def _point(
    model: PyTree, view: LogAmplitude, samples: int | None, sampler: Sampler | None, key: Any
) -> _Point:
    if samples is None:
        spins, weights = exact_distribution(view)
    else:
        drawn = sample(model, samples, sampler=sampler, distribution="boltzmann", key=key).by_chain
        spins, weights = (drawn if drawn.min() < 0 else 2 * drawn - 1).astype(np.int8), None
    return _Point(view, spins, weights, metric_operator(view, spins, weights))


def _step(before: _Point, now: _Point, stiff: FisherSpectrum, threshold: float) -> tuple[float, ...]:
    """One row of `TrainingFlow`."""
    change = _flat(now.view) - _flat(before.view)
    images = [np.asarray(p.operator.matvec(jnp.asarray(change)), np.float64) for p in (before, now)]
    length = math.sqrt(sum(float(x @ x) for x in images) / 2)
    deltas = [log_weights(now.view, p.spins) - log_weights(before.view, p.spins) for p in (before, now)]
    distance, divergence = _overlap(deltas, [p.weights for p in (before, now)])
    error = 0.0 if before.weights is not None else _jackknife(deltas)
    moved = bool(np.any(change))
    share = stiff.share(np.asarray(change, np.float64), threshold) if moved else math.nan
    return length, distance, divergence, error, share, stiff.relevant(threshold) / stiff.parameters


def _overlap(deltas: Sequence[np.ndarray], weights: Sequence[Any]) -> tuple[float, float]:
    """(2 arccos Σ√(pp'), KL(p‖p')) from Δ under p and under p'."""
    forward = _log_mean(deltas[0] / 2, weights[0])
    backward = _log_mean(-deltas[1] / 2, weights[1])
    overlap = min(1.0, math.exp((forward + backward) / 2))
    mean = float(np.average(deltas[0], weights=weights[0]))
    return 2 * math.acos(overlap), forward - backward - mean


def _log_mean(x: np.ndarray, weights: np.ndarray) -> float:
    top = float(x.max())
    return top + math.log(float(np.average(np.exp(x - top), weights=weights)))


def _jackknife(deltas: Sequence[np.ndarray]) -> float:
    """The error of KL over groups of configurations that are left out."""
    parts = [np.array_split(np.arange(len(d)), _GROUPS) for d in deltas]
    left = [
        _overlap([np.delete(d, part[g]) for d, part in zip(deltas, parts, strict=True)], [None, None])[1]
        for g in range(_GROUPS)
    ]
    return float(jackknife_error(np.array(left)))


def _direct(first: PyTree, last: PyTree) -> float:
    roots = [np.sqrt(exact_distribution(view)[1]) for view in (first, last)]
    return 2 * math.acos(min(1.0, float(roots[0] @ roots[1])))


def _flat(view: LogAmplitude) -> np.ndarray:
    return np.concatenate([np.asarray(leaf).ravel() for leaf in jax.tree.leaves(parameters(view))])
