"""The command `ground-state`: a search (`quantum.vmc.search`), and what its folder says of it."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import jax
import numpy as np
from jaxtyping import PyTree

from intertwine._checks import InputError
from intertwine.experiments.ground_state import results
from intertwine.experiments.ground_state.bonds import bonds_in_words, caveats_of_bonds, weights_in_words
from intertwine.experiments.ground_state.build import TRIVIAL, Problem, build, kept_by
from intertwine.experiments.ground_state.checks import memory_needed
from intertwine.experiments.ground_state.loaded import beginning_record, begun_from
from intertwine.experiments.ground_state.observables import observables
from intertwine.experiments.ground_state.particles import (
    POSITIVE,
    fields_in_space,
    momentum_distribution,
    observables_in_space,
    signs_in_words,
    space_in_words,
)
from intertwine.experiments.ground_state.settings import GroundStateConfiguration
from intertwine.experiments.memory_needs import refuse_beyond
from intertwine.learning.study import Scalars
from intertwine.quantum.observables.correlations import correlations
from intertwine.quantum.sector_choice import MOST_DIAGONALIZED
from intertwine.quantum.vmc.expect import Measurement
from intertwine.quantum.vmc.search import SearchState
from intertwine.runs.begun import NONE
from intertwine.runs.experiment import Experiment, Finished
from intertwine.sampling.enumeration import Enumeration
from intertwine.sampling.sharding import on_host

if TYPE_CHECKING:
    import xarray

    from intertwine.models.protocols import LogAmplitude
    from intertwine.quantum.exact import KnownEnergy


class GroundState(Experiment):
    """A ground-state run made ready."""

    def __init__(self, configuration: GroundStateConfiguration):
        self.problem = build(configuration, _begin(configuration))
        configuration = self.problem.configuration
        needed = memory_needed(configuration, self.problem.lattice.size)
        self.memory = refuse_beyond(needed, "take fewer samples")
        self.exact = _known_energy(self.problem)
        self.study, self.every = self.problem.search, configuration.checkpoint_every
        self.source = beginning_record(configuration.model.start)

    def announce(self) -> None:
        _announce(self.problem, self.exact)

    def describe(self, record: Scalars) -> str:
        return describe_energy(record, self.exact and self.exact.value)

    def finish(self, state: SearchState, history: list[Scalars], seconds: Callable[[], float]) -> Finished:
        problem = self.problem
        run, last = problem.search.measured(state, history)
        drawn = _drawn(problem, last, run.model)
        kept = problem.search.where.magnetizations
        record = results.result_record(
            problem.configuration,
            run.energy.noted((*caveats_of_bonds(problem.configuration, problem.lattice.size), *run.notes)),
            run.v_score,
            self.exact,
            acceptance=last.acceptance,
            size=problem.lattice.size,
            parameters=problem.parameters,
            devices=problem.devices,
            processes=jax.process_count(),
            seconds=seconds(),
            **_measured(problem, drawn),
            magnetization=None if kept is None else list(kept),
            weights=weights_in_words(problem.configuration) or None,
        )

        def dataset() -> xarray.Dataset:
            if problem.space is not None:
                fields = fields_in_space(problem.lattice, problem.space, *drawn)
                fields |= momentum_distribution(problem, run.model)
                return results.dataset_in_space(problem.lattice, fields, history, run.model, record)
            found = correlations(problem.lattice, *drawn)
            return results.dataset(problem.lattice, found, history, run.model, record)

        return Finished(record, dataset, _words(record))


def _measured(problem: Problem, drawn: tuple[np.ndarray, np.ndarray | None]) -> dict[str, Any]:
    """What result.json says of the state and of its space."""
    signs = signs_in_words(problem.hamiltonian)
    if problem.space is None:
        seen = observables(problem.lattice, *drawn)
        return {"observables": seen, "space": None, "dimension": None, "signs": signs}
    space = problem.space
    return {
        "observables": observables_in_space(problem.lattice, space, *drawn),
        "space": space_in_words(space),
        "dimension": space.dimension if space.dimension < 2**53 else float(space.dimension),
        "signs": signs,
    }


def _begin(c: GroundStateConfiguration) -> LogAmplitude | None:
    """The model that the run begins with, with its chains and its momentum; None for a fresh one."""
    if c.model.start == NONE:
        return None
    return begun_from(c.model.start, c).model


def _drawn(problem: Problem, last: Measurement, model: PyTree) -> tuple[np.ndarray, np.ndarray | None]:
    """Configurations (chains, draws, N) of the final state and, for exact sums, their weights."""
    sampler, size = problem.search.objective.sampler, problem.hamiltonian.size
    key = problem.search.final_key
    if problem.configuration.sampler.rule == "sums":
        kept = kept_by(problem.configuration) if problem.space is None else None
        every = Enumeration(kept, problem.space)
        drawn, _ = every.sample(model, every.init(model, key=key), 1, key=key)
        return on_host(drawn.configurations), on_host(drawn.weights)
    if last.configurations is None:  # the energy is a constant
        draws = -(-problem.search.final // getattr(sampler, "chains", 1))
        drawn, _ = sampler.sample(model, sampler.init(model, key=key), draws, key=key)
        return on_host(drawn.configurations), None
    chains = getattr(sampler, "chains", len(last.configurations))  # without chains, each is on its own
    return on_host(last.configurations).reshape(chains, -1, size), None


def _known_energy(problem: Problem) -> KnownEnergy | None:
    """The exact energy, or None; not knowing it stops no run that does not ask for it."""
    from intertwine.quantum.exact import NotConverged, known_energy
    from intertwine.quantum.exact.known import KnownEnergy
    from intertwine.quantum.exact.solve import ground_energy
    from intertwine.quantum.sector_choice import EmptySector, energy_in_sector

    c, H = problem.configuration, problem.hamiltonian
    if c.exact == "no":
        return None
    try:
        if c.model.sector != TRIVIAL:
            most = None if c.exact == "yes" else MOST_DIAGONALIZED
            return energy_in_sector(H, c.model.sector, kept_by(c), most)
        found = known_energy(H)
        if found is not None or c.exact == "auto":
            return found
        return KnownEnergy(ground_energy(H), "exact diagonalization (Lanczos) by intertwine")
    except EmptySector:
        raise
    except (InputError, NotConverged):
        if c.exact == "yes":
            raise
        return None


def describe_energy(record: dict[str, Any], exact: float | None) -> str:
    """Energy, error, V-score, acceptance of one step.

    >>> describe_energy({"energy": -35.6123, "error": 0.0021, "v_score": 1.2e-4}, -35.61754)
    'E −35.6123 ± 0.0021  (1.5e-04 from exact)  V-score 1.2e-04'
    """
    energy, error = record["energy"], record["error"]
    digits = 4 if not error or not math.isfinite(error) else max(0, min(8, 1 - math.floor(math.log10(error))))
    words = f"E {energy:.{digits}f} ± {error:.{digits}f}".replace("-", "−")
    if exact:
        words += f"  ({abs(energy - exact) / abs(exact):.1e} from exact)"
    score, acceptance = record.get("v_score"), record.get("acceptance")
    words += f"  V-score {score:.1e}" if score is not None else ""
    return words + (f"  acceptance {acceptance:.2f}" if acceptance is not None else "")


def _announce(problem: Problem, exact: KnownEnergy | None) -> None:
    c = problem.configuration
    model = f"{c.model.name} ({c.model.dtype}, {problem.parameters} parameters)"
    print(f"{c.hamiltonian.name} on {c.lattice}, {problem.lattice.size} sites; {model}")
    for line in (weights_in_words(c), *bonds_in_words(c, problem.lattice)):
        if line:
            print(line)
    for line in caveats_of_bonds(c, problem.lattice.size):
        print(line.partition(": ")[2])
    if c.model.sector != "trivial":
        print(f"in the sector {c.model.sector} of the space group")
    if problem.space is not None:
        print(f"{space_in_words(problem.space)}; dimension {_count(problem.space.dimension)}")
    if (signs := signs_in_words(problem.hamiltonian)) != POSITIVE:
        print(signs)
    if c.sampler.rule == "sums":
        print("exact sums over all configurations in place of samples")
    if exact is not None:
        print(f"exact energy {exact.value:.8f} ({exact.source})", flush=True)


def _count(number: int) -> str:
    return f"{number:,}" if number < 10**15 else f"{number:.3e}"


def _words(record: dict[str, Any]) -> list[str]:
    energy, exact = record["energy"], record["exact"]
    said = [f"energy {energy['mean']:.6f} ± {energy['error']:.1g}, V-score {record['v_score']:.2g}"]
    if exact is not None and record["relative_error"] is not None:
        error = record["relative_error"]
        said.append(f"relative error {error:.1e} from the exact {exact['energy']:.6f} ({exact['source']})")
    return said
