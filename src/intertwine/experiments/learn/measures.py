"""What is measured of a machine while it learns and when it has learnt: free energies, likelihoods, spectrum.

Free energies F(v) = −ln Ψ(v) and likelihoods are in nats a row. `Probe` holds the rows they are measured on,
always the same ones.
"""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any, NamedTuple

import jax
import numpy as np
from jaxtyping import PyTree

from intertwine.boltzmann.baseline import complete_rows, independent_columns
from intertwine.boltzmann.beyond_columns import beyond_columns
from intertwine.boltzmann.likelihood.belief_bound import log_weights
from intertwine.boltzmann.likelihood.bound import bound_values
from intertwine.boltzmann.likelihood.likelihood import log_unnormalised
from intertwine.boltzmann.likelihood.pseudo_likelihood import pseudo_likelihood
from intertwine.boltzmann.objectives.exact import is_enumerable
from intertwine.boltzmann.partition.log_partition import AIS, Exact, LogPartition, UntrustedLogPartition
from intertwine.data.dataset import Dataset
from intertwine.experiments.learn.results import Drawn
from intertwine.experiments.learn.settings import LearnConfiguration
from intertwine.learning.batches import has_missing
from intertwine.models.machines.deep_belief import DBN
from intertwine.models.machines.deep_boltzmann import DBM
from intertwine.models.machines.layered import layered
from intertwine.models.machines.rbm import RBM
from intertwine.sampling.gibbs.gibbs import Gibbs
from intertwine.sampling.gibbs.tempered_gibbs import TemperedGibbs
from intertwine.sampling.modes import Modes, ModeShares, easy_end_over, find_modes
from intertwine.sampling.statistics.estimate import estimate

if TYPE_CHECKING:
    from intertwine.models.machines.machine import Machine

PROBE_ROWS = 1000
"""Rows of each set that every line of metrics looks at."""

ENUMERATED = 2**18
"""Up to so many states of the smaller layer log Z is exact."""

PSEUDO_ROWS = 100
"""Rows of the pseudo-likelihood of a line: it costs a pass through the hidden units for each visible one."""

SINGULAR_VALUES = 20
RECOGNITION_DRAWS = 10
"""Draws of q(h|v) a row, for the bound of a deep belief network."""


class Probe(NamedTuple):
    """Rows to learn from and rows held out (None where there are none), binarised once where grey."""

    train: np.ndarray
    test: np.ndarray | None
    log_volume: float = 0.0

    @property
    def missing(self) -> bool:
        """Whether some entry is nan."""
        return any(has_missing(rows) for rows in (self.train, self.test) if rows is not None)

    @classmethod
    def of(cls, data: Dataset, most: int) -> Probe:
        return cls(data.examples(most), data.held_out(most), data.log_volume)


def free_energies(model: Machine, rows: np.ndarray, key: jax.Array) -> np.ndarray:
    """F(v) = −ln p*(v) of each row, nats, float64; of deep machines the variational one, an upper bound:
    by mean field (DBM), or by draws of the recognition pass (DBN).
    """
    if isinstance(model, DBM):
        return -bound_values(model, rows)
    if isinstance(model, DBN):
        return -log_weights(model, rows, draws=RECOGNITION_DRAWS, key=key).mean(1)
    return -log_unnormalised(model, rows)


def is_bound(model: PyTree) -> bool:
    """Whether the likelihoods of `model` are lower bounds."""
    return not isinstance(model, RBM)


def independent(
    model: Machine, probe: Probe, free: dict[str, np.ndarray], log_z: LogPartition
) -> dict[str, Any]:
    """The mean log-likelihood of independent columns, of both sets, nats a row, and the error of what the
    machine gains over it; left out where a continuous column is constant. free: −ln p* of the rows."""
    layer = layered(model).layers[0] if not isinstance(model, DBN) else model.visible_layer
    alone = {"train": independent_columns(layer, probe.train)}
    if probe.test is not None:
        alone["test"] = independent_columns(layer, probe.test, probe.train)
    found: dict[str, Any] = {}
    for name, values in alone.items():
        if np.isfinite(values).all():
            gains = -free[name] - log_z.mean - values
            spread = gains.std(ddof=1) / np.sqrt(len(gains)) if len(gains) > 1 else np.nan
            error = float(np.hypot(spread, log_z.error))
            found[name] = {"mean": float(values.mean()) - probe.log_volume, "error_of_gain": error}
    return found


def learned_caveats(
    model: Machine, probe: Probe, free: dict[str, np.ndarray], log_z: LogPartition
) -> tuple[str, ...]:
    """What is to be said of an RBM that explains rows far worse than a mixture of products of columns."""
    if is_bound(model):
        return ()
    name, rows = ("train", probe.train) if probe.test is None else ("test", probe.test)
    layer = layered(model).layers[0]
    alone = independent_columns(layer, rows, None if name == "train" else probe.train)
    return beyond_columns(layer, rows, -free[name] - log_z.mean, alone, log_z.error)


def estimate_log_z(
    model: Machine, temperatures: int, chains: int, key: jax.Array, rows: np.ndarray | None = None
) -> LogPartition:
    """ln Z: exact where that is quick, else by annealing; what makes it doubtful is in `reason`. rows: the
    data, near which modes are looked for too."""
    if isinstance(model, DBN):
        model, rows = model.top, None
    known = None if rows is None else complete_rows(rows)
    method: Any = AIS(temperatures, max(4, chains), known=known)
    if is_enumerable(model, ENUMERATED):
        method = Exact()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UntrustedLogPartition)
        return method.log_partition(model, key=key)


def likelihood(free: np.ndarray, log_z: LogPartition, log_volume: float = 0.0) -> dict[str, Any]:
    """Mean of −F − ln Z over rows with its error, and the bracket that the bounds of ln Z give; log_volume:
    what ln p is lower by in the units of the data (`Dataset.log_volume`)."""
    mean = -float(free.mean()) - log_volume
    spread = float(free.std(ddof=1) / np.sqrt(len(free))) if len(free) > 1 else float("nan")
    return {
        "mean": mean - log_z.mean,
        "error": float(np.hypot(spread, log_z.error)),
        "lower": mean - log_z.upper,
        "upper": mean - log_z.lower,
        "rows": len(free),
    }


def line_measures(model: Machine, probe: Probe, key: jax.Array) -> dict[str, Any]:
    """Of every line of the last stage: free-energy gap, and pseudo-likelihood of an RBM; nats."""
    found: dict[str, Any] = {}
    if probe.missing:
        return found  # free energies of rows that are known in part take annealing: with the likelihood
    if probe.test is not None:
        test, train = (free_energies(model, rows, key).mean() for rows in (probe.test, probe.train))
        found["free_energy_gap"] = float(test - train)
    if isinstance(model, RBM) and model.visible_layer.is_discrete:
        rows = probe.train if probe.test is None else probe.test
        found["pseudo_likelihood"] = float(pseudo_likelihood(model, rows[:PSEUDO_ROWS]).mean)
    return found


def line_likelihood(c: LearnConfiguration, model: Machine, probe: Probe, key: jax.Array) -> dict[str, Any]:
    """Of some lines: log-likelihood of both sets with the bracket of log Z."""
    log_z = estimate_log_z(model, c.likelihood.temperatures, c.likelihood.chains, key, probe.train)
    rows = probe.train if probe.test is None else probe.test
    measured = likelihood(free_energies(model, rows, key), log_z, probe.log_volume)
    return {
        "log_likelihood": measured["mean"],
        "log_likelihood_error": measured["error"],
        "log_likelihood_lower": measured["lower"],
        "log_likelihood_upper": measured["upper"],
        "log_likelihood_train": likelihood(free_energies(model, probe.train, key), log_z, probe.log_volume)[
            "mean"
        ],
        "log_z": log_z.mean,
        "log_z_trusted": float(log_z.trusted is True),
    }


def first_weights(model: Machine) -> Any:
    """The weights between the visible and the first hidden layer, (N, M)."""
    if isinstance(model, DBM):
        return model.weights[0]
    if isinstance(model, DBN):
        return model.recognition[0].weights
    return model.weights


def singular_values(weights: np.ndarray) -> list[float]:
    """The largest singular values of W, in decreasing order."""
    w = np.asarray(weights, np.float64)
    gram = w @ w.T if w.shape[0] <= w.shape[1] else w.T @ w
    values = np.sqrt(np.maximum(np.linalg.eigvalsh(gram)[::-1], 0.0))
    return [float(f"{value:.7g}") for value in values[:SINGULAR_VALUES]]


def draw(c: LearnConfiguration, model: Machine, key: jax.Array, rows: np.ndarray) -> Drawn:
    """Samples of the trained machine by block Gibbs sampling, as the configuration says; with tempering from
    a mixture over its modes where it has several far apart, looked for near the data `rows` too; of a deep
    belief network in its top machine, and down.
    """
    s = c.samples
    first, second, third, last = jax.random.split(key, 4)
    sampled = model.top if isinstance(model, DBN) else model
    given = None if isinstance(model, DBN) else complete_rows(rows)
    modes = find_modes(layered(sampled), starts=given, key=jax.random.fold_in(key, 4))
    sampler: Any = Gibbs(steps=s.thin, chains=s.chains, burn_in=s.steps)
    if modes is not None:
        base = easy_end_over(layered(sampled), modes)
        sampler = TemperedGibbs(steps=s.thin, chains=s.chains, burn_in=s.steps, base=base)
    samples, _ = sampler.sample(sampled, sampler.init(sampled, key=first), s.count // s.chains, key=second)
    drawn = np.asarray(samples.configurations)
    if not isinstance(model, DBN):
        rows = drawn.reshape(-1, drawn.shape[-1])
        observable = free_energies(model, rows, third).reshape(drawn.shape[:2])
        return Drawn(drawn, s.thin, observable, None if modes is None else _shares(modes, drawn))
    observable = free_energies(sampled, drawn.reshape(-1, drawn.shape[-1]), third)
    down = [model.descend(top.astype(model.top.weights.dtype), key=jax.random.fold_in(last, k))[0]
            for k, top in enumerate(drawn)]  # fmt: skip
    return Drawn(_stored(np.asarray(down), model), s.thin, observable.reshape(drawn.shape[:2]))


def _shares(modes: Modes, drawn: np.ndarray) -> ModeShares:
    """What the machine has in each mode, and what the samples (chains, draws, N) have there."""
    chains, draws, size = drawn.shape
    inside = modes.inside(drawn.reshape(-1, size)).reshape(chains, draws, -1)
    found = [estimate(inside[:, :, k]) for k in range(inside.shape[2])]
    return modes.compared(np.array([x.mean for x in found]), np.array([x.error for x in found]))


def _stored(values: np.ndarray, model: Machine) -> np.ndarray:
    return values.astype(np.int8) if model.visible_layer.is_discrete else values
