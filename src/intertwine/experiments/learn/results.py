"""What a learning run leaves: `result.json`, the numbers, and `result.nc`, the arrays (xarray).

result.nc   sample(sample, unit), every one drawn: the last draw of each chain, then those before it;
            example(example, unit) rows to learn from
            filter(filter, unit), columns of W, the strongest first; filter_unit(filter), which they are
            free_energy_train(row_train), free_energy_test(row_test), free_energy_samples(sample), nats
            observable(chain, draw), its autocorrelation(lag); singular_value(line, mode)
            log_likelihood(line), ... every column of metrics.jsonl
            column_offset(unit), column_scale(unit), of columns that were standardised: the machine, its free
            energies and ln Z are of (column − offset)/scale; samples, examples and likelihoods are undone
            parameter_...   the final parameters, averaged
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from intertwine._version import __version__
from intertwine.boltzmann.cascade.lines import COLUMNS as MODE_COLUMNS
from intertwine.experiments.datasets import data_record
from intertwine.experiments.learn.settings import LearnConfiguration
from intertwine.experiments.learn.statistics import moments
from intertwine.models.parameters import count_parameters
from intertwine.records.learn import SCHEMA
from intertwine.runs.dataset import number_or_nan, parameter_variables, versions
from intertwine.sampling.modes import ModeShares
from intertwine.sampling.statistics.convergence import autocovariance
from intertwine.sampling.statistics.estimate import estimate

if TYPE_CHECKING:
    from intertwine.data.dataset import Dataset, Known
    from intertwine.models.machines.machine import Machine

SHOWN_EXAMPLES, SHOWN_FILTERS = 100, 100
MOMENT_ROWS = 100_000
"""Rows of the data, at most, whose means and covariances are compared with the samples'."""

LAGS = 100


class Drawn(NamedTuple):
    """Configurations from the trained machine (chains, draws, N), the sweeps between two of a chain, and the
    free energy of what was sampled (chains, draws), nats. modes: of its modes, where there are several far
    apart, their shares in the machine and in the samples; else None.
    """

    configurations: np.ndarray
    thin: int
    observable: np.ndarray
    modes: ModeShares | None = None

    @property
    def rows(self) -> np.ndarray:
        """(chains·draws, N), chain by chain."""
        return self.configurations.reshape(-1, self.configurations.shape[-1])

    def latest_first(self, values: np.ndarray) -> np.ndarray:
        """Values of `rows`, (chains·draws, …), with those of the last draw of every chain first."""
        chains, draws = self.configurations.shape[:2]
        of_chains = values.reshape(chains, draws, *values.shape[1:])
        return of_chains[:, ::-1].swapaxes(0, 1).reshape(values.shape)


def chain_record(values: np.ndarray) -> dict[str, float]:
    """tau (draws), R-hat and effective sample size of a chain observable (chains, draws)."""
    found = estimate(values)
    return {name: float(getattr(found, name)) for name in ("mean", "error", "tau", "r_hat", "ess")}


def autocorrelation(values: np.ndarray) -> np.ndarray:
    """ρ(t) of (chains, draws) for t = 0 … at most LAGS or half a chain: deviations from the mean of all."""
    deviations = values - values.mean()
    covariance = autocovariance(deviations)[: min(LAGS, values.shape[1] // 2) + 1]
    draws = values.shape[1]
    taper = 1.0 - np.arange(len(covariance)) / draws
    return np.ones(1) if covariance[0] <= 0 else covariance / taper / covariance[0]


def modes_record(modes: ModeShares | None) -> dict[str, Any] | None:
    """The shares of the modes as they stand in `result.json`."""
    return None if modes is None else {k: np.asarray(v).tolist() for k, v in modes._asdict().items()}


def observables_record(known: Known | None, drawn: Drawn, data: np.ndarray) -> dict[str, Any]:
    """Of each known observable: its exact mean, those of samples and of the data with their errors, and the
    distance of the samples' from the exact one in units of both errors together (the machine knows the
    distribution from these data alone)."""
    if known is None or known.observables is None:
        return {}
    chains, draws = drawn.configurations.shape[:2]
    seen, found = known.observables(data), {}
    for name, values in known.observables(drawn.rows).items():
        of_samples = estimate(values.reshape(chains, draws))
        exact, error = known.exact.get(name), float(of_samples.error)
        of_data = float(seen[name].std() / len(data) ** 0.5)
        far = None if exact is None else abs(float(of_samples.mean) - exact) / math.hypot(error, of_data)
        found[name] = {
            "exact": exact,
            "samples": {"mean": float(of_samples.mean), "error": error},
            "data": {"mean": float(seen[name].mean()), "error": of_data},
            "distance": far,
        }
    return found


def result_record(
    c: LearnConfiguration, data: Dataset, model: Machine, epochs: int, **facts: object
) -> dict[str, Any]:
    """`result.json`. epochs: passes over the data, of a deep machine as a whole. facts: log_z,
    log_likelihood, sampling, observables, seconds, ...
    """
    return {
        "kind": c.kind,
        "version": __version__,
        "model": c.model.name,
        "units": data.units,
        "hidden_units": c.model.hidden_units,
        "method": c.method.name,
        "parameters": count_parameters(model),
        "epochs": epochs,
        "precision": c.precision,
        "seed": c.seed,
        "data": data_record(data),
        **facts,
        "versions": versions(),
    }


def dataset(
    model: Machine,
    weights: np.ndarray,
    data: Dataset,
    drawn: Drawn,
    free: dict[str, np.ndarray],
    history: list[dict[str, Any]],
    record: Mapping[str, Any],
) -> Any:
    """`result.nc` as an `xarray.Dataset`. weights: those of the filters. free: free energies of "train",
    "test", "samples".
    """
    import xarray

    order, filters = strongest_filters(weights)
    observable, samples = drawn.observable, drawn.latest_first(drawn.rows)
    variables: dict[str, Any] = {
        "sample": (
            ("sample", "unit"),
            data.as_given(samples),
            _words("the last draw of each chain first"),
        ),
        "example": (("example", "unit"), data.as_given(_examples(data)), _words("rows to learn from")),
        "filter": (("filter", "unit"), filters, _words("columns of W of the largest norm")),
        "filter_unit": ("filter", order, _words("the hidden units of the filters")),
        "observable": (("chain", "draw"), observable, _words("free energy along the chains", "nats")),
        "autocorrelation": ("lag", autocorrelation(observable), _words("of the free energy along a chain")),
    }
    for name, values in free.items():
        values = drawn.latest_first(values) if name == "samples" else values
        variables[f"free_energy_{name}"] = (f"row_{name}", values, _words(f"free energy of {name}", "nats"))
    weights_of_rows = None if data.weights is None else data.weights[:MOMENT_ROWS]
    variables |= moments(data.examples(MOMENT_ROWS), drawn.rows, weights_of_rows)
    if data.scale is not None:
        variables["column_offset"] = ("unit", data.offset, _words("subtracted from the columns"))
        variables["column_scale"] = ("unit", data.scale, _words("that the columns were divided by"))
    variables |= _history(history) | parameter_variables(model)
    height, width = data.shape if data.shape and len(data.shape) == 2 else (0, 0)
    attributes = {
        "title": f"{record['model']} learnt from {data.name}",
        "units": data.units,
        "image_height": height,
        "image_width": width,
        "sweeps_between_draws": drawn.thin,
        "convention": "E = −(vᵀWh + a·v + b·h), F(v) = −ln Σ_h e^{−E}, natural logarithms",
        "source": f"intertwine {__version__}",
    }
    if data.columns:
        attributes["columns"] = "\n".join(data.columns)
    return xarray.Dataset(variables, attrs=attributes)


def _examples(data: Dataset) -> np.ndarray:
    """Rows to learn from, missing entries at the means of their columns."""
    rows = data.examples(SHOWN_EXAMPLES)
    if not data.missing:
        return rows
    known = data.examples(MOMENT_ROWS)
    return np.where(np.isnan(rows), np.nanmean(known, 0), rows)


def strongest_filters(weights: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(hidden units, their columns of W as rows), the largest norms first, at most SHOWN_FILTERS."""
    w = np.asarray(weights)
    order = np.argsort(-np.linalg.norm(w, axis=0), kind="stable")[:SHOWN_FILTERS]
    return order.astype(np.int64), np.ascontiguousarray(w[:, order].T)


def _history(history: list[dict[str, Any]]) -> dict[str, Any]:
    variables: dict[str, Any] = {}
    names = {key for line in history for key in line} - {"singular_values", "stage", *MODE_COLUMNS}
    for name in sorted(names):
        column = np.array([number_or_nan(line.get(name)) for line in history])
        unit = SCHEMA.words_of(name).unit
        variables["line" if name == "step" else name] = ("line", column, _words(name, unit))
    spectra = [line.get("singular_values") or [] for line in history]
    modes = max((len(values) for values in spectra), default=0)
    if modes:
        table = np.full((len(history), modes), np.nan)
        for row, values in zip(table, spectra, strict=True):
            row[: len(values)] = values
        variables["singular_value"] = (("line", "mode"), table, _words("largest singular values of W"))
    followed = max((len(line.get(name) or []) for line in history for name in MODE_COLUMNS), default=0)
    for name in MODE_COLUMNS if followed else ():
        found = np.full(
            (len(history), followed), np.nan
        )  # a machine may have fewer singular values than modes
        for kept, line in zip(found, history, strict=True):
            kept[: len(line.get(name) or [])] = line.get(name) or []
        variables[name] = (("line", "principal_mode"), found, _words(SCHEMA.words_of(name).words))
    return variables


def _words(long_name: str, units: str = "1") -> dict[str, str]:
    return {"long_name": long_name, "units": units}
