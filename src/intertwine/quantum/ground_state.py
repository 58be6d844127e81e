r"""Ground states by variational Monte Carlo: the one call that finds one.

    min_λ ⟨ψ_λ|H|ψ_λ⟩/⟨ψ_λ|ψ_λ⟩ by stochastic reconfiguration over Metropolis samples (Sorella 1998; Carleo
    & Troyer 2017).

It joins the parts: a sampler that fits H (`default_sampler`), the energy (`EnergyObjective`), the natural
gradient (`NaturalGradient`) with schedules that have proved good, the one loop, and a final estimate over
fresh, longer chains.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import jax
import numpy as np
from jax import Array

from intertwine._checks import fail, positive_int
from intertwine.learning.loop import TrainState, train
from intertwine.learning.metric import NaturalGradient
from intertwine.learning.optimiser import Optimiser
from intertwine.learning.schedules import Cosine, Exponential, Schedule
from intertwine.models.units import as_spins
from intertwine.quantum.energy import EnergyObjective, v_score
from intertwine.quantum.expect import check_key, default_sampler, expect
from intertwine.quantum.local_energy import check_sizes
from intertwine.quantum.operator import Operator
from intertwine.sampling.estimate import Estimate
from intertwine.sampling.sharding import chain_mesh, replicate

FINAL_FACTOR = 8


@dataclass(frozen=True, eq=False)
class GroundStateRun:
    """What a ground-state search found.

    energy: of the final model, over fresh samples. v_score: N Var/(E − E_∞)² of that estimate.
    model: the trained model, of the type that was given. history: name → float64 (steps,), one entry a step.
    state: the `TrainState` after the last step, to go on from.
    """

    energy: Estimate
    v_score: float
    model: Any
    history: dict[str, np.ndarray]
    state: TrainState

    def __str__(self) -> str:
        return f"energy {self.energy}, V-score {self.v_score:.2g}, {len(self.history['step'])} steps"


def ground_state(
    operator: Operator,
    model: Any,
    steps: int = 300,
    samples: int = 1024,
    *,
    key: Array,
    sampler: Any = None,
    optimiser: Optimiser | None = None,
    learning_rate: Schedule | None = None,
    shift: Schedule | None = None,
    final_samples: int | None = None,
    progress: Callable[[TrainState, dict[str, float]], Any] | None = None,
    devices: int | str | None = "auto",
) -> GroundStateRun:
    """The ground state of `operator` in the family of `model`, by `steps` steps of stochastic
    reconfiguration.

    samples: configurations a step, rounded up to a multiple of the sampler's chains.
    sampler: None for one that fits the operator (zero magnetization where that is conserved, see
    `default_sampler`). optimiser: None for `NaturalGradient` with `learning_rate` and `shift` (numbers or
    functions of the step; None for the defaults of `default_optimiser`). final_samples: of the last
    estimate, 8·samples if None. progress: called after every step with the new `TrainState` and the step's
    scalars. devices: how many share the chains ("auto": all that divide them, see `sampling.sharding`).

    Raises InputError for what does not fit together, `Diverged` (with the last good state) if the run
    diverges.

    >>> import jax, intertwine as it
    >>> key = jax.random.key(0)
    >>> H = it.tfim(it.Chain(6), h=1.0)
    >>> run = it.ground_state(H, it.RBM(6, hidden=6, key=key), steps=60, samples=256, key=key)
    >>> bool(abs(run.energy.mean / it.exact.ground_energy(H) - 1) < 1e-2)
    True
    """
    steps = positive_int("steps", steps, "give the number of optimisation steps, for example 300")
    samples = positive_int("samples", samples, "give the configurations a step, for example 1024")
    if samples < 2:
        raise fail("samples", "at least 2", samples, "a covariance needs them; 1024 is usual")
    final = FINAL_FACTOR * samples if final_samples is None else positive_int("final_samples", final_samples)
    check_sizes(operator, model)
    if optimiser is not None and (learning_rate is not None or shift is not None):
        remedy = "set learning rate and shift in the optimiser, or leave it out"
        raise fail("optimiser", "None where learning_rate or shift is given", optimiser, remedy)
    sampler = default_sampler(operator, samples) if sampler is None else sampler
    optimiser = default_optimiser(steps, learning_rate, shift) if optimiser is None else optimiser
    mesh = chain_mesh(devices, getattr(sampler, "chains", None))
    objective = EnergyObjective(operator, sampler, samples, mesh)
    train_key, final_key = jax.random.split(check_key(key))

    begin = replicate(as_spins(model), mesh)
    state, history = train(begin, objective, optimiser, steps=steps, key=train_key, progress=progress)
    energy = expect(operator, state.model, final, key=final_key, sampler=sampler, mesh=mesh)
    trained = like(model, state.model)
    return GroundStateRun(energy, v_score(operator, energy), trained, columns(history), state)


def default_optimiser(
    steps: int, learning_rate: Schedule | None = None, shift: Schedule | None = None
) -> NaturalGradient:
    """Stochastic reconfiguration with momentum (SPRING) and schedules over `steps` where none is given.

    The shift stays at 10⁻³ or above: with 1,024 samples, directions of the metric below that are noise, and
    steps along them end in a spike of |ψ|². More samples allow less.
    """
    return NaturalGradient(
        learning_rate=Cosine(0.05, 0.005, steps, warmup=10) if learning_rate is None else learning_rate,
        shift=Exponential(1e-2, 1e-3, steps) if shift is None else shift,
        momentum=0.8,
    )


def columns(history: list[dict[str, float]]) -> dict[str, np.ndarray]:
    """A list of scalars a step as an array a name; nan where a step lacks one."""
    names = dict.fromkeys(name for scalars in history for name in scalars)
    return {name: np.array([scalars.get(name, np.nan) for scalars in history], float) for name in names}


def like(model: Any, trained: Any) -> Any:
    """`trained` as the type of `model`: parameters of a model of spins put back into one of other units."""
    return trained if as_spins(model) is model else trained.model
