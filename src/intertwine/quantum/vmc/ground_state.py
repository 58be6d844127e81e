r"""Ground states by variational Monte Carlo: the one call that finds one.

    min_λ ⟨ψ_λ|H|ψ_λ⟩/⟨ψ_λ|ψ_λ⟩ by stochastic reconfiguration over Metropolis samples (Sorella 1998; Carleo
    & Troyer 2017).

It joins the parts: a wave function that fits H (`defaults`) and a sampler (`space_choice`), the energy
(`EnergyObjective`), the natural gradient (`NaturalGradient`) with schedules that have proved good, the one
loop, and a final estimate over fresh, longer chains.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from intertwine._caveats import beneath, caveat, once, tell
from intertwine._checks import fail, positive_int
from intertwine.learning.gradient import as_optimiser
from intertwine.learning.loop import TrainState, train
from intertwine.learning.optimiser import Optimiser
from intertwine.learning.schedules import Schedule
from intertwine.learning.step_line import StepLine
from intertwine.models.units import as_spins
from intertwine.quantum import defaults
from intertwine.quantum.exact.known import LITTLE_WORK, energy_of_space
from intertwine.quantum.operators.operator import Operator
from intertwine.quantum.space_choice import default_sampler
from intertwine.quantum.vmc.at_rest import not_at_rest
from intertwine.quantum.vmc.energy import EnergyObjective, infinite_temperature_energy, v_score
from intertwine.quantum.vmc.expect import Measurement, check_key, expect, measured
from intertwine.quantum.vmc.fresh_start import FreshStart
from intertwine.quantum.vmc.full_variance import not_met
from intertwine.quantum.vmc.local_energy import check_sizes
from intertwine.records.caveats import far_from_exact
from intertwine.sampling.sharding import chain_mesh, replicate
from intertwine.sampling.space import Space, placed, space, space_of, state_left
from intertwine.sampling.statistics.estimate import Estimate

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

    def expect(self, operator: Operator, samples: int = 8192, *, key: Array | None = None) -> Estimate:
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


def ground_state(
    operator: Operator,
    model: Any = None,
    steps: int | None = None,
    samples: int | None = None,
    *,
    key: Array,
    sampler: Any = None,
    optimiser: Optimiser | None = None,
    learning_rate: Schedule | None = None,
    shift: Schedule | None = None,
    final_samples: int | None = None,
    progress: Callable[[TrainState, dict[str, float]], Any] | bool | None = None,
    state: TrainState | None = None,
    devices: int | str | None = "auto",
    compare: bool = True,
) -> GroundStateRun:
    """The ground state of `operator` in the family of `model`, by `steps` steps of stochastic
    reconfiguration.

    model: a wave function; a run, or the model of one, goes on with its chains and its momentum. None for one
    that the operator chooses, with everything else that is not given (`defaults.choose`, the same as the
    command's): on small systems a group-convolutional network in the symmetry sector of the ground state, and
    exact sums in place of samples, in a frame where the operator is stoquastic if there is one.
    steps, samples: None for 300 and 1,024; samples are configurations a step, rounded up to a multiple of the
    sampler's chains. sampler: None for one that fits the operator (the magnetization where its ground state
    is known to be, else all configurations; see `space_choice`). optimiser: None for `NaturalGradient` with
    `learning_rate` and `shift` (numbers or functions of the step; None for those of `defaults.optimiser`), or
    an optax transformation. final_samples: of the last estimate, 64·samples if None. progress: True for a
    line that is redrawn; or called after every step with the new `TrainState` and the step's scalars, and
    where it raises `StopIteration` that step is the last one. state: a `TrainState` to go on from, with the
    same numbers as a run without a break if all else is the same. devices: how many share the chains ("auto":
    all that divide them, see `sampling.sharding`). compare: tell where the energy is far from the exact
    lowest one of the sampled space, if that is known or takes Lanczos less than a second; False for a state
    that is not meant to be the ground state.

    Raises InputError for what does not fit together, `Diverged` (with the last good state) if the run
    diverges.

    >>> import jax, intertwine as it
    >>> key = jax.random.key(0)
    >>> H = it.tfim(it.Chain(6), h=1.0)
    >>> run = it.ground_state(H, it.RBM(6, hidden=6, key=key), steps=60, samples=256, key=key)
    >>> bool(abs(run.energy.mean / it.exact.ground_energy(H) - 1) < 1e-2)
    True
    >>> frustrated = it.ground_state(it.heisenberg(it.Chain(5)), key=key)
    >>> round(float(frustrated.energy.mean), 6)
    -7.472136
    """
    key, choice, fresh = check_key(key), None, None
    if model is None:
        operator = defaults.stoquastic_frame(operator)
        choice = defaults.choose(operator, sums=sampler is None and samples is None)
        model_key, key = jax.random.split(key)
        model = choice.build_model(operator, model_key)
        if sampler is None and choice.rule == "sums":
            sampler = choice.build_sums(operator, model)
            fresh = partial(choice.build_model, operator), model_key
    if choice is None:
        choice = defaults.in_units_of(operator) if isinstance(operator, Operator) else defaults.Choice()
    steps = choice.steps if steps is None else steps
    samples = choice.samples if samples is None else samples
    steps = positive_int("steps", steps, "give the number of optimisation steps, for example 300")
    samples = positive_int("samples", samples, "give the configurations a step, for example 1024")
    if samples < 2:
        raise fail("samples", "at least 2", samples, "a covariance needs them; 1024 is usual")
    final = choice.final_factor * samples if final_samples is None else final_samples
    final = positive_int("final_samples", final)
    if isinstance(model, GroundStateRun):
        model = model.model
    check_sizes(operator, model)
    if optimiser is not None and (learning_rate is not None or shift is not None):
        remedy = "set learning rate and shift in the optimiser, or leave it out"
        raise fail("optimiser", "None where learning_rate or shift is given", optimiser, remedy)
    if sampler is None:
        kept = "ground" if choice.magnetization is None else choice.magnetization
        sampler = default_sampler(operator, samples, kept)
    mover: Any = optimiser
    if mover is None:
        mover = defaults.optimiser(choice, steps, learning_rate, shift)
        mover = mover if fresh is None else FreshStart(mover, *fresh, steps)
    mover = as_optimiser(mover)
    mesh = chain_mesh(devices, getattr(sampler, "chains", None))
    where = space(sampler, operator.size, operator.turned)
    objective = EnergyObjective(operator, sampler, samples, mesh)
    train_key, final_key = jax.random.split(key)

    begin = replicate(as_spins(model), mesh)
    if state is None:
        state = _gone_on(model, begin, sampler, mover, train_key)
    line = StepLine(steps) if progress is True else None
    shown: Any = line or progress or None
    told = shown and (lambda now, scalars: shown(now._replace(model=placed(now.model, where)), scalars))
    state, history = train(begin, objective, mover, steps=steps, key=train_key, progress=told, state=state)
    if line is not None:
        line.close()
    own = Space(sampler, where.magnetizations, where.turned)  # one of each orbit will do for the energy
    last = measured(operator, state.model, own, final, key=final_key, mesh=mesh)
    energy = last.estimate
    trained = placed(like(model, state.model), where, (state.objective_state, state.optimiser_state))
    score = v_score(objective.operator, energy)
    past = columns(history)
    notes = (
        *_kept_by_sampler(operator, where),
        *defaults.cannot_represent(operator, state.model),
        *not_at_rest(score, energy, past["energy"], infinite_temperature_energy(operator)),
        *_not_met(last, state.model, objective),
        *(_far_from_exact(operator, energy, state.model, where) if compare else ()),
    )
    run = GroundStateRun(energy, score, trained, past, state, where, notes)
    tell(run.warnings)
    return run


def _gone_on(model: Any, begin: Any, sampler: Any, optimiser: Any, key: Array) -> TrainState | None:
    """The state in which `model` left another run, at step 0 of this one; None where it comes from none, or
    one of other chains or another optimiser."""
    left, where = state_left(model), space_of(model)
    if left is None or where is None or where.sampler != sampler:
        return None
    chains, moved = left
    shapes = [
        (jax.tree.structure(x), [jnp.shape(leaf) for leaf in jax.tree.leaves(x)])
        for x in (moved, optimiser.init(begin))
    ]
    if shapes[0] != shapes[1]:
        return None
    return TrainState(0, begin, chains, moved, jax.random.split(key)[1])


def _not_met(last: Measurement, model: Any, objective: EnergyObjective) -> tuple[str, ...]:
    """`full_variance.not_met` of the last estimate, in batches of the shape of a step's."""
    if last.configurations is None:
        return ()
    batch = min(len(last.configurations), objective.samples)
    return not_met(last.operator, model, last.configurations, last.weights, last.estimate, batch=batch)


def _far_from_exact(operator: Operator, energy: Estimate, model: Any, where: Space) -> list[str]:
    """The caveats of an energy that is not the exact one, which the command gives too."""
    exact = energy_of_space(operator, where.magnetizations, LITTLE_WORK)
    if exact is None:
        return []
    single = any(
        jnp.finfo(leaf).bits == 32 for leaf in jax.tree.leaves(eqx.filter(model, eqx.is_inexact_array))
    )
    precision = "float32" if single else "float64"
    mean, error = float(np.real(energy.mean)), float(energy.error)
    centre = infinite_temperature_energy(operator)
    return far_from_exact(mean, error, exact.value, exact.error, precision, centre)


def _kept_by_sampler(operator: Operator, where: Space) -> tuple[str, ...]:
    """The caveat of a sampler that keeps what the operator does not."""
    if where.magnetizations is None or operator.conserves_magnetization:
        return ()
    words = f"the sampler keeps to {where}, which the operator does not conserve"
    remedy = "the state is the lowest of the operator within it; take single flips for the ground state"
    return (caveat("assumption", f"{words}: {remedy}"),)


def columns(history: list[dict[str, float]]) -> dict[str, np.ndarray]:
    """A list of scalars a step as an array a name; nan where a step lacks one."""
    names = dict.fromkeys(name for scalars in history for name in scalars)
    return {name: np.array([scalars.get(name, np.nan) for scalars in history], float) for name in names}


def like(model: Any, trained: Any) -> Any:
    """`trained` as the type of `model`: parameters of a model of spins put back into one of other units."""
    return trained if as_spins(model) is model else trained.model
