"""The command `intertwine ground-state`."""

from __future__ import annotations

from typing import Annotated

from intertwine.cli.flags import Coordinator, Out, Overwrite, Processes, ProcessId, flag, tables_from_flags
from intertwine.cli.starting import start, workers_asked

TEXT = {"lattice", "hamiltonian.name", "model.name", "model.sector"}
FIELDS = {
    "lattice": "lattice",
    "hamiltonian": "hamiltonian.name",
    "j": "hamiltonian.J",
    "h": "hamiltonian.h",
    "delta": "hamiltonian.delta",
    "j1": "hamiltonian.J1",
    "j2": "hamiltonian.J2",
    "marshall": "hamiltonian.marshall",
    "model": "model.name",
    "dtype": "model.dtype",
    "sector": "model.sector",
    "steps": "optimiser.steps",
    "samples": "optimiser.samples",
    "method": "optimiser.method",
    "learning_rate": "optimiser.learning_rate",
    "learning_rate_end": "optimiser.learning_rate_end",
    "warmup": "optimiser.warmup",
    "shift": "optimiser.shift",
    "shift_end": "optimiser.shift_end",
    "momentum": "optimiser.momentum",
    "schedule": "optimiser.schedule",
    "solver": "optimiser.solver",
    "chains": "sampler.chains",
    "sweep": "sampler.sweep",
    "rule": "sampler.rule",
    "magnetization": "sampler.magnetization",
    "backend": "sampler.backend",
    "final_samples": "final.samples",
    "seed": "seed",
    "precision": "precision",
    "checkpoint_every": "checkpoint_every",
    "devices": "devices",
}


def ground_state(
    lattice: Annotated[
        str | None, flag("--lattice", "chain:20, square:6x6, kagome:2x2:open …", "NAME")
    ] = None,
    hamiltonian: Annotated[str | None, flag("--hamiltonian", "heisenberg, tfim, xxz, j1j2", "NAME")] = None,
    j: Annotated[str | None, flag("--J", "coupling of tfim, heisenberg, xxz", "NUMBER")] = None,
    h: Annotated[str | None, flag("--h", "transverse field of tfim", "NUMBER")] = None,
    delta: Annotated[str | None, flag("--delta", "anisotropy of xxz", "NUMBER")] = None,
    j1: Annotated[str | None, flag("--J1", "nearest neighbours of j1j2", "NUMBER")] = None,
    j2: Annotated[str | None, flag("--J2", "next-nearest neighbours of j1j2", "NUMBER")] = None,
    marshall: Annotated[str | None, flag("--marshall", "sign rotation: auto, true, false", "WORD")] = None,
    model: Annotated[
        str | None, flag("--model", "auto, rbm:1, symmetric-rbm:4, gcnn:2x4, jastrow …", "NAME")
    ] = None,
    dtype: Annotated[str | None, flag("--dtype", "parameters: real, complex", "WORD")] = None,
    sector: Annotated[str | None, flag("--sector", "irrep of a gcnn: trivial, '(0, π) A2' …", "NAME")] = None,
    steps: Annotated[str | None, flag("--steps", "updates of the parameters", "INTEGER")] = None,
    samples: Annotated[str | None, flag("--samples", "configurations a step", "INTEGER")] = None,
    method: Annotated[str | None, flag("--method", "sr, adam, sgd", "WORD")] = None,
    learning_rate: Annotated[str | None, flag("--learning-rate", "at the first step", "NUMBER")] = None,
    learning_rate_end: Annotated[
        str | None, flag("--learning-rate-end", "at the last step", "NUMBER")
    ] = None,
    warmup: Annotated[str | None, flag("--warmup", "steps to reach the learning rate", "INTEGER")] = None,
    shift: Annotated[str | None, flag("--shift", "added to S, at the first step", "NUMBER")] = None,
    shift_end: Annotated[str | None, flag("--shift-end", "at the last step", "NUMBER")] = None,
    momentum: Annotated[str | None, flag("--momentum", "of sr (SPRING), 0 to 0.999", "NUMBER")] = None,
    schedule: Annotated[str | None, flag("--schedule", "constant, exponential, cosine", "WORD")] = None,
    solver: Annotated[str | None, flag("--solver", "auto, dense, minsr, iterative", "WORD")] = None,
    chains: Annotated[str | None, flag("--chains", "Markov chains", "INTEGER")] = None,
    sweep: Annotated[str | None, flag("--sweep", "proposals between draws, or auto", "INTEGER")] = None,
    rule: Annotated[str | None, flag("--rule", "auto, single, exchange, mixture, sums", "WORD")] = None,
    magnetization: Annotated[str | None, flag("--magnetization", "Σ s: auto, 0, 1 …", "INTEGER")] = None,
    backend: Annotated[str | None, flag("--backend", "auto, host, jax", "WORD")] = None,
    final_samples: Annotated[str | None, flag("--final-samples", "of the last estimate", "INTEGER")] = None,
    seed: Annotated[str | None, flag("--seed", "same seed, same numbers", "INTEGER")] = None,
    precision: Annotated[str | None, flag("--precision", "float64, float32", "WORD")] = None,
    checkpoint_every: Annotated[str | None, flag("--checkpoint-every", "steps", "INTEGER")] = None,
    devices: Annotated[str | None, flag("--devices", "share the chains: auto, 1, 2 …", "INTEGER")] = None,
    processes: Processes = None,
    process_id: ProcessId = None,
    coordinator: Coordinator = None,
    out: Out = None,
    overwrite: Overwrite = False,
) -> int:
    """Find the ground state of a lattice Hamiltonian; alone: the Heisenberg chain of 20 sites."""
    tables = tables_from_flags("ground-state", FIELDS, locals(), TEXT)
    if "hamiltonian" in tables:
        tables["hamiltonian"].setdefault("name", "heisenberg")
    return start(tables, out, overwrite, workers_asked(processes, process_id, coordinator))
