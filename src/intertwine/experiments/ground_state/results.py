"""What a ground-state run leaves: `result.json`, the numbers, and `result.nc`, the fields (xarray).

result.nc   spin_correlation(displacement), structure_factor(momentum), with errors and vectors
            energy(step), ... every column of metrics.jsonl
            site_position(site, dimension)
            parameter_...   the final parameters; a complex one has a last axis `re_im`
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from intertwine._version import __version__
from intertwine.records.caveats import of_ground_state
from intertwine.runs.dataset import number_or_nan, parameter_variables, versions

METRICS = (
    "step", "energy", "error", "variance", "v_score", "acceptance", "tau", "r_hat", "ess",
    "learning_rate", "shift", "update_norm", "seconds",
)  # fmt: skip


def metrics_record(scalars: dict[str, float]) -> dict[str, Any]:
    """A line of `metrics.jsonl`: the agreed columns, then whatever else the step measured.

    >>> list(metrics_record({"step": 0, "energy": -1.0, "shift_retries": 0.0}))[-2:]
    ['seconds', 'shift_retries']
    """
    record = {name: scalars.get(name) for name in METRICS}
    record |= {name: value for name, value in scalars.items() if name not in record}
    return {k: v if v is None or math.isfinite(v) else None for k, v in record.items()}


def relative_error(energy: float, exact: float) -> float | None:
    """|E − E₀| / |E₀|, or None for E₀ = 0."""
    return abs(energy - exact) / abs(exact) if exact else None


def result_record(
    configuration: Any, energy: Any, v_score: float, exact: Any, **facts: Any
) -> dict[str, Any]:
    """`result.json`. energy: an `Estimate`; exact: `KnownEnergy` or None; facts: size, parameters,
    seconds, ...
    """
    mean = float(np.real(energy.mean))
    numbers = {name: float(getattr(energy, name)) for name in ("error", "variance", "tau", "r_hat", "ess")}
    hamiltonian = configuration.hamiltonian.model_dump()
    known = exact and {"energy": float(exact.value), "source": exact.source, "error": float(exact.error)}
    record = {
        "kind": configuration.kind,
        "version": __version__,
        "energy": {"mean": mean, **numbers, "samples": int(energy.samples)},
        "v_score": v_score,
        "exact": known,
        "relative_error": None if exact is None else relative_error(mean, exact.value),
        "steps": configuration.optimiser.steps,
        "lattice": configuration.lattice,
        "hamiltonian": hamiltonian.pop("name"),
        "hamiltonian_parameters": hamiltonian,
        "model": configuration.model.name,
        "dtype": configuration.model.dtype,
        "sector": configuration.model.sector,
        "sampling": configuration.sampler.rule,
        "precision": configuration.precision,
        "seed": configuration.seed,
        "warnings": list(energy.notes),
        **facts,
        "versions": versions(),
    }
    return record | {"warnings": of_ground_state(record)}


def dataset(
    lattice: Any, fields: Any, history: list[dict[str, Any]], model: Any, record: dict[str, Any]
) -> Any:
    """`result.nc` as an `xarray.Dataset`. fields: `Correlations`."""
    import xarray

    variables: dict[str, Any] = {
        "spin_correlation": _field(
            fields.correlation, "displacement", "translation-averaged ⟨s_0 s_r⟩ (Z Z)"
        ),
        "spin_correlation_error": _field(fields.correlation_error, "displacement", "one standard deviation"),
        "displacement_vector": _vectors(fields.displacement, "displacement", "lattice constants"),
        "structure_factor": _field(fields.structure_factor, "momentum", "⟨|Σ_j exp(−ik·x_j) s_j|²⟩/N (Z Z)"),
        "structure_factor_error": _field(fields.structure_factor_error, "momentum", "one standard deviation"),
        "momentum_vector": _vectors(fields.momentum, "momentum", "radians per lattice constant"),
        "site_position": _vectors(np.asarray(lattice.positions, dtype=float), "site", "lattice constants"),
    }
    for name in sorted({key for line in history for key in line} - {"step"}):
        column = np.array([number_or_nan(line.get(name)) for line in history])
        variables[name] = ("step", column, {"long_name": name, "units": _UNITS.get(name, "1")})
    variables |= parameter_variables(model)
    attributes = {
        "title": f"ground state: {record['hamiltonian']} on {record['lattice']}, {record['model']}",
        "energy": record["energy"]["mean"],
        "energy_error": record["energy"]["error"],
        "convention": "Pauli matrices, total energies, spins ±1, natural logarithms",
        "source": f"intertwine {__version__}",
    }
    steps = np.array([line["step"] for line in history], dtype=np.int64)
    return xarray.Dataset(variables, coords={"step": steps}, attrs=attributes)


_UNITS = {
    "energy": "units of the couplings", "error": "units of the couplings",
    "variance": "units of the couplings squared", "tau": "draws", "ess": "samples", "seconds": "s",
}  # fmt: skip


def _field(values: np.ndarray, axis: str, long_name: str) -> tuple[str, np.ndarray, dict[str, str]]:
    return axis, values, {"long_name": long_name, "units": "1"}


def _vectors(values: np.ndarray, axis: str, units: str) -> tuple[tuple[str, str], np.ndarray, dict[str, str]]:
    return (axis, "dimension"), values, {"long_name": axis, "units": units}
