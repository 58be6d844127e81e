"""What a ground-state run leaves: `result.json`, the numbers, and `result.nc`, the fields (xarray).

result.nc   spin_correlation(displacement), structure_factor(momentum), with errors and vectors
            energy(step), ... every column of metrics.jsonl
            site_position(site, dimension)
            parameter_...   the final parameters; a complex one has a last axis `re_im`
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import PyTree

from intertwine._version import __version__
from intertwine.records.caveats import of_ground_state
from intertwine.records.ground_state import SCHEMA
from intertwine.runs.dataset import number_or_nan, parameter_variables, versions

if TYPE_CHECKING:
    from intertwine.experiments.ground_state.particles import Field
    from intertwine.experiments.ground_state.settings import GroundStateConfiguration
    from intertwine.quantum.exact.known import KnownEnergy
    from intertwine.quantum.observables.correlations import Correlations
    from intertwine.sampling.statistics.estimate import Estimate
    from intertwine.spaces.lattice import Lattice


def relative_error(energy: float, exact: float) -> float | None:
    """|E − E₀| / |E₀|, or None for E₀ = 0."""
    return abs(energy - exact) / abs(exact) if exact else None


def result_record(
    configuration: GroundStateConfiguration,
    energy: Estimate,
    v_score: float,
    exact: KnownEnergy | None,
    **facts: object,
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
    lattice: Lattice,
    fields: Correlations,
    history: list[dict[str, Any]],
    model: PyTree,
    record: dict[str, Any],
) -> Any:
    """`result.nc` as an `xarray.Dataset`. fields: `Correlations`."""
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
    if not lattice.dimension:  # a graph without positions has no momenta
        variables = {name: v for name, v in variables.items() if "displacement" in v[0]}
    return _with_history(variables, history, model, record)


def dataset_in_space(
    lattice: Lattice,
    fields: dict[str, Field],
    history: list[dict[str, Any]],
    model: PyTree,
    record: dict[str, Any],
) -> Any:
    """The same in a Hilbert space. fields: by name, of the sites and of the momenta of the lattice."""
    variables: dict[str, Any] = {}
    if getattr(lattice, "dimension", 0):
        positions = np.asarray(lattice.positions, dtype=float)
        variables["site_position"] = _vectors(positions, "site", "lattice constants")
        momenta = np.asarray(lattice.momenta, dtype=float)
        variables["momentum_vector"] = _vectors(momenta, "momentum", "radians per lattice constant")
    for name, (axis, values, errors, words) in fields.items():
        variables[name] = _field(values, axis, words)
        variables[f"{name}_error"] = _field(errors, axis, "one standard deviation")
    return _with_history(variables, history, model, record)


def _with_history(
    variables: dict[str, Any], history: list[dict[str, Any]], model: PyTree, record: dict[str, Any]
) -> Any:
    import xarray

    for name in sorted({key for line in history for key in line} - {"step"}):
        column = np.array([number_or_nan(line.get(name)) for line in history])
        entry = SCHEMA.words_of(name)
        variables[name] = ("step", column, {"long_name": entry.words, "units": entry.unit})
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


def _field(values: np.ndarray, axis: str, long_name: str) -> tuple[str, np.ndarray, dict[str, str]]:
    return axis, values, {"long_name": long_name, "units": "1"}


def _vectors(values: np.ndarray, axis: str, units: str) -> tuple[tuple[str, str], np.ndarray, dict[str, str]]:
    return (axis, "dimension"), values, {"long_name": axis, "units": units}
