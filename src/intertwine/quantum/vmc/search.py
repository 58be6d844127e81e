r"""The search for a ground state as a study: steps of the optimiser, then an estimate over fresh chains.

`ground_state` carries it out in one call, the command `ground-state` with a folder beside it; the same
operator, model, settings and key give the same numbers in both.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from jax.sharding import Mesh
from jaxtyping import PyTree

from intertwine._caveats import beneath, caveat, once
from intertwine.learning.guard import Diverged, Guard, Watched
from intertwine.learning.loop import TrainState, iterate, start
from intertwine.learning.optimiser import Optimiser
from intertwine.learning.study import Scalars, Study
from intertwine.models.results import as_model
from intertwine.models.units import as_spins
from intertwine.quantum import defaults
from intertwine.quantum.exact.known import LITTLE_WORK, energy_of_space
from intertwine.quantum.operators.levels.level_operator import LevelOperator
from intertwine.quantum.vmc.at_rest import not_at_rest
from intertwine.quantum.vmc.centre import infinite_temperature_energy
from intertwine.quantum.vmc.energy import EnergyObjective, EnergyState, v_score
from intertwine.quantum.vmc.expect import Measurement, expect, measured
from intertwine.quantum.vmc.full_variance import not_met
from intertwine.quantum.vmc.moves import AnyOperator
from intertwine.quantum.vmc.stopping import Seen, Stopping
from intertwine.records.caveats import far_from_exact
from intertwine.sampling.sharding import replicate
from intertwine.sampling.space import Space, placed, space, space_of, state_left
from intertwine.sampling.statistics.estimate import Estimate

if TYPE_CHECKING:
    from intertwine.models.protocols import LogAmplitude

_MEASURED = 2**31 - 1
"""Folded into the run's key for measurements; no step has this number."""


@dataclass(frozen=True, eq=False, repr=False)
class GroundStateRun:
    """What a ground-state search found.

    energy: of the final model, over fresh samples. v_score: N Var/(E − E_∞)² of that estimate.
    model: the trained model, of the type that was given; it carries its space. history: name → float64
    (steps,), one entry a step. state: the `TrainState` after the last step, to go on from. space: where the
    state lives. warnings: what qualifies the numbers.
    """

    energy: Estimate
    v_score: float
    model: Any
    history: dict[str, np.ndarray]
    state: TrainState
    space: Space
    notes: tuple[str, ...] = ()

    @property
    def warnings(self) -> tuple[str, ...]:
        return tuple(once([*self.notes, *self.energy.warnings]))

    def expect(self, operator: AnyOperator, samples: int = 8192, *, key: Array | None = None) -> Estimate:
        """⟨operator⟩ in the state that was found, in the space where it lives: `intertwine.expect`.

        key: None for one folded from the run's own, the same at every call.

        >>> import jax, intertwine as it
        >>> key = jax.random.key(0)
        >>> H = it.heisenberg(it.Chain(4))
        >>> run = it.ground_state(H, it.RBM(4, hidden=4, key=key), steps=10, samples=64, key=key)
        >>> total = sum(it.Operator.from_strings(4, [(1.0, {i: "Z"})]) for i in range(4))
        >>> print(run.expect(total @ total, samples=64).line)
        0 ± 0 (τ 1.0, R̂ 1.000, ESS 64)
        """
        key = jax.random.fold_in(self.state.key, _MEASURED) if key is None else key
        return expect(operator, self, samples, key=key)

    def __str__(self) -> str:
        text = f"energy {self.energy.line}, V-score {self.v_score:.2g}, {len(self.history['step'])} steps"
        return beneath(text, self.warnings)

    def __repr__(self) -> str:
        where = f"{type(self.model).__name__} of {self.model.size} sites, {self.space}"
        return f"GroundStateRun({where}; {str(self).partition(chr(10))[0]})"


class SearchState(NamedTuple):
    """train: of the loop. seen: what the guard against divergence remembers, float64 (6,). stopping: what the
    rule of an early end remembers, float64 (6,), None without one."""

    train: TrainState
    seen: np.ndarray
    stopping: np.ndarray | None = None


class GroundStateSearch(Study[SearchState, GroundStateRun]):
    """min_λ ⟨ψ_λ|H|ψ_λ⟩/⟨ψ_λ|ψ_λ⟩ by `steps` steps of `optimiser` over `samples` configurations of `sampler`
    each, then the energy over `final` fresh ones.

    model: where it begins; one that comes from another search with the same chains and optimiser goes on with
    them. state: a `TrainState` to go on from in place of a beginning. compare: tell where the energy is far
    from the exact one, where that is known or easy to find. stopping: what ends it before its last step.
    """

    def __init__(
        self,
        operator: AnyOperator,
        model: PyTree,
        sampler: PyTree,
        optimiser: Optimiser,
        *,
        steps: int,
        samples: int,
        final: int,
        key: Array,
        mesh: Mesh | None = None,
        state: TrainState | None = None,
        compare: bool = True,
        stopping: Stopping | None = None,
    ):
        model = as_model(model)
        self.stopping = Stopping() if stopping is None else stopping
        self.operator, self.given, self.optimiser = operator, model, optimiser
        self.lines, self.final, self.mesh, self.compare = steps, final, mesh, compare
        self.where = space(sampler, operator.size, operator.turned)
        self.objective = EnergyObjective(operator, sampler, samples, mesh, getattr(optimiser, "chunk", None))
        self.begin = replicate(as_spins(model), mesh)
        self.key, self.final_key = jax.random.split(key)
        self.state = self._left_by(model) if state is None else state

    def start(self) -> SearchState:
        state = self.state
        if state is None:
            state = start(self.begin, self.objective, self.optimiser, key=self.key)
        return SearchState(state, np.array(Watched(), np.float64), self.stopping.begun())

    def template(self, done: int) -> SearchState:
        """Chains need not be thermalised for the structure of a state."""
        chains = EnergyState(self.objective.sampler.init(self.begin, key=self.key))
        run_key = jax.random.split(self.key)[1]
        state = TrainState(0, self.begin, chains, self.optimiser.init(self.begin), run_key)
        return SearchState(state, np.array(Watched(), np.float64), self.stopping.begun())

    def iterate(self, state: SearchState, done: int) -> Iterator[tuple[SearchState, Scalars]]:
        guard = Guard.remembering(state.seen)
        known = None if state.stopping is None else Seen(*(float(x) for x in state.stopping))
        if known is not None and known.ended:
            return
        walk = iterate(state.train, self.objective, self.optimiser, steps=self.lines - done, guard=guard)
        for later, scalars in walk:
            known = None if known is None else self.stopping.after(known, scalars)
            told = None if known is None else np.array(known, np.float64)
            yield SearchState(later, np.array(guard.seen, np.float64), told), scalars
            if known is not None and known.ended:
                return

    def last_good(self, error: Diverged) -> tuple[SearchState, int] | None:
        if not isinstance(error.state, TrainState):
            return None
        begun = self.stopping.begun()
        return SearchState(error.state, np.array(Watched(), np.float64), begun), int(error.state.step)

    def finish(self, state: SearchState, history: list[Scalars]) -> GroundStateRun:
        return self.measured(state, history)[0]

    def measured(self, state: SearchState, history: list[Scalars]) -> tuple[GroundStateRun, Measurement]:
        """What was found, and the configurations that it was measured on."""
        train, operator = state.train, self.operator
        own = replace(self.where, sampler=self.objective.sampler)
        last = measured(operator, train.model, own, self.final, key=self.final_key, mesh=self.mesh)
        energy, past = last.estimate, columns(history)
        score = v_score(self.objective.operator, energy)
        notes = (
            *getattr(train.model, "caveats", ()),
            *_kept_by_sampler(operator, self.where),
            *defaults.cannot_represent(operator, train.model),
            *not_at_rest(score, energy, past.get("energy", []), self.centre),
            *_not_met(last, train.model, self.objective),
            *(self._far_from_exact(energy, train.model) if self.compare else ()),
        )
        left = train.objective_state, train.optimiser_state
        model = placed(like(self.given, train.model), self.where, left)
        return GroundStateRun(energy, score, model, past, train, self.where, notes), last

    @property
    def centre(self) -> float:
        """E_∞ of the space."""
        return infinite_temperature_energy(self.objective.operator)

    def _far_from_exact(self, energy: Estimate, model: LogAmplitude) -> list[str]:
        return _far_from_exact(self.operator, energy, model, self.where, self.centre)

    def _left_by(self, model: PyTree) -> TrainState | None:
        """The state in which `model` left another search, at step 0 of this one; None where it comes from
        none, or one of other chains or another optimiser."""
        left, where = state_left(model), space_of(model)
        if left is None or where is None or where.sampler != self.objective.sampler:
            return None
        chains, moved = left
        shapes = [
            (jax.tree.structure(x), [jnp.shape(leaf) for leaf in jax.tree.leaves(x)])
            for x in (moved, self.optimiser.init(self.begin))
        ]
        if shapes[0] != shapes[1]:
            return None
        return TrainState(0, self.begin, chains, moved, jax.random.split(self.key)[1])


def _not_met(last: Measurement, model: PyTree, objective: EnergyObjective) -> tuple[str, ...]:
    """`full_variance.not_met` of the last estimate, in batches of the shape of a step's."""
    if last.configurations is None:
        return ()
    batch = min(len(last.configurations), objective.samples)
    return not_met(last.operator, model, last.configurations, last.weights, last.estimate, batch=batch)


def _far_from_exact(
    operator: AnyOperator, energy: Estimate, model: LogAmplitude, where: Space, centre: float
) -> list[str]:
    """The caveats of an energy that is not the exact one, which the command gives too."""
    exact = energy_of_space(operator, where.magnetizations, LITTLE_WORK, where.hilbert)
    if exact is None:
        return []
    single = any(
        jnp.finfo(leaf).bits == 32 for leaf in jax.tree.leaves(eqx.filter(model, eqx.is_inexact_array))
    )
    precision = "float32" if single else "float64"
    mean, error = float(np.real(energy.mean)), float(energy.error)
    return far_from_exact(mean, error, exact.value, exact.error, precision, centre)


def _kept_by_sampler(operator: AnyOperator, where: Space) -> tuple[str, ...]:
    """The caveat of a sampler that keeps what the operator does not."""
    kept = where.magnetizations is None or isinstance(operator, LevelOperator)
    if kept or operator.conserves_magnetization:
        return ()
    words = f"the sampler keeps to {where}, which the operator does not conserve"
    remedy = "the state is the lowest of the operator within it; take single flips for the ground state"
    return (caveat("assumption", f"{words}: {remedy}"),)


def columns(history: list[dict[str, float]]) -> dict[str, np.ndarray]:
    """A list of scalars per step as an array per name; nan where a step lacks one."""
    names = dict.fromkeys(name for scalars in history for name in scalars)
    return {name: np.array([scalars.get(name) for scalars in history], float) for name in names}


def like(model: PyTree, trained: PyTree) -> Any:
    """`trained` as the type of `model`: parameters of a model of spins put back into one of other units."""
    return trained if as_spins(model) is model else trained.model
