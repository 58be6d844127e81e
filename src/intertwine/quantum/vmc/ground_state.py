r"""Ground states by variational Monte Carlo: the one call that finds one.

    min_λ ⟨ψ_λ|H|ψ_λ⟩/⟨ψ_λ|ψ_λ⟩ by stochastic reconfiguration over Metropolis samples (Sorella 1998; Carleo
    & Troyer 2017).

It joins the parts: a wave function that fits H (`defaults`) and a sampler (`space_choice`), the energy
(`EnergyObjective`), the natural gradient (`NaturalGradient`) with schedules that have proved good, the one
loop, and a final estimate over fresh, longer chains.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

import jax
from jax import Array

from intertwine._caveats import tell
from intertwine._checks import fail, positive_int
from intertwine.learning.gradient import as_optimiser
from intertwine.learning.loop import TrainState
from intertwine.learning.optimiser import Optimiser
from intertwine.learning.schedules import Schedule
from intertwine.learning.step_line import StepLine
from intertwine.learning.study import Scalars, carry_out
from intertwine.models.protocols import DrawsItself
from intertwine.models.results import as_model
from intertwine.quantum import defaults
from intertwine.quantum.confined import in_own_space
from intertwine.quantum.space_choice import default_sampler, in_space
from intertwine.quantum.vmc.expect import check_key
from intertwine.quantum.vmc.fresh_start import FreshStart
from intertwine.quantum.vmc.local_energy import check_sizes
from intertwine.quantum.vmc.moves import AnyOperator, check_operator
from intertwine.quantum.vmc.search import GroundStateRun, GroundStateSearch, SearchState
from intertwine.quantum.vmc.stopping import Stopping
from intertwine.sampling.autoregressive import Autoregressive, own_sampler
from intertwine.sampling.sharding import chain_mesh
from intertwine.sampling.space import placed

if TYPE_CHECKING:
    from intertwine.models.protocols import LogAmplitude
    from intertwine.sampling.protocols import Sampler


def ground_state(
    operator: AnyOperator,
    model: LogAmplitude | None = None,
    steps: int | None = None,
    samples: int | None = None,
    *,
    key: Array,
    sampler: Sampler | None = None,
    optimiser: Optimiser | None = None,
    learning_rate: Schedule | None = None,
    shift: Schedule | None = None,
    chunk: int | None = None,
    final_samples: int | None = None,
    progress: Callable[[TrainState, dict[str, float]], object] | bool | None = None,
    state: TrainState | None = None,
    devices: int | str | None = "auto",
    compare: bool = True,
    stop_v_score: float | None = None,
    patience: int | None = None,
) -> GroundStateRun:
    """The ground state of `operator` in the family of `model`, by `steps` steps of stochastic
    reconfiguration.

    model: a wave function, or the name of one (`models.names`: "rbm:1", "gcnn:2x4"); a run, or the model of
    one, goes on with its chains and its momentum. None for one that the operator chooses, with everything
    else that is not given (`defaults.choose`, the same as the command's): on small systems a
    group-convolutional network in the symmetry sector of the ground state, and exact sums in place of
    samples. With a name or None, in a frame where the operator is stoquastic if there is one.
    steps, samples: None for 300 and 1,024; samples are configurations per step, rounded up to a multiple of
    the sampler's chains. sampler: None for one that fits the operator (the magnetization where its ground
    state is known to be, else all configurations; see `space_choice`). optimiser: None for `NaturalGradient`
    with `learning_rate` and `shift` (numbers or functions of the step; None for those of
    `defaults.optimiser`), or an optax transformation. chunk: samples whose derivatives exist at a time, which
    bounds the memory of deep networks (`NaturalGradient`). final_samples: of the last estimate, 64·samples if
    None. progress: True for a line that is redrawn; or called after every step with the new `TrainState` and
    the step's scalars, and where it raises `StopIteration` that step is the last one. state: a `TrainState`
    to go on from, with the same numbers as a run without a break if all else is the same. devices: how many
    share the chains ("auto": all that divide them, see `sampling.sharding`). compare: tell where the energy
    is far from the exact lowest one of the sampled space, if that is known or takes Lanczos less than a
    second; False for a state that is not meant to be the ground state. stop_v_score, patience: end before the
    last step where the V-score has come down to this, or where the energy has not fallen for so many steps
    (`vmc.stopping`).

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
    model, operator = as_model(model), in_own_space(operator)
    if isinstance(model, str):
        check_operator(operator)
        operator = defaults.stoquastic_frame(operator)
        model_key, key = jax.random.split(key)
        model = defaults.build_model(
            replace(defaults.in_units_of(operator), model=model), operator, model_key
        )
    elif model is None:
        operator = defaults.stoquastic_frame(operator)
        few = samples is None or (isinstance(samples, int) and defaults.may_sum(operator, samples))
        choice = defaults.choose(operator, sums=sampler is None and few)
        model_key, key = jax.random.split(key)
        model = defaults.build_model(choice, operator, model_key)
        if sampler is None and choice.rule == "sums":
            sampler = defaults.orbit_sums(operator, model, choice.magnetization)
            fresh = partial(defaults.build_model, choice, operator), model_key
    if choice is None:
        known = isinstance(operator, AnyOperator)
        choice = defaults.for_model(operator, model) if known else defaults.Choice()
    steps = choice.steps if steps is None else steps
    samples = choice.samples if samples is None else samples
    steps = positive_int("steps", steps, "give the number of optimisation steps, for example 300")
    samples = positive_int("samples", samples, "give the configurations a step, for example 1024")
    if samples < 2:
        raise fail("samples", "at least 2", samples, "a covariance needs them; 1024 is usual")
    final = choice.final_factor * samples if final_samples is None else final_samples
    final = positive_int("final_samples", final)
    check_sizes(operator, model)
    if optimiser is not None and any(given is not None for given in (learning_rate, shift, chunk)):
        remedy = "set learning rate, shift and chunk in the optimiser, or leave it out"
        raise fail("optimiser", "None where learning_rate, shift or chunk is given", optimiser, remedy)
    if sampler is None:
        sampler = own_sampler(model)
    elif isinstance(sampler, Autoregressive):
        sampler = Autoregressive.of(model) if isinstance(model, DrawsItself) else sampler
    if sampler is None:
        kept = "ground" if choice.magnetization is None else choice.magnetization
        sampler = default_sampler(operator, samples, kept)
    sampler = in_space(sampler, getattr(operator, "hilbert", None))
    if optimiser is None:
        optimiser = defaults.optimiser(choice, steps, learning_rate, shift, chunk)
        optimiser = optimiser if fresh is None else FreshStart(optimiser, *fresh, steps)
    search = GroundStateSearch(
        operator, model, sampler, as_optimiser(optimiser), steps=steps, samples=samples, final=final, key=key,
        mesh=chain_mesh(devices, getattr(sampler, "chains", None)), state=state, compare=compare,
        stopping=Stopping(stop_v_score, patience),
    )  # fmt: skip
    line = StepLine(steps) if progress is True else None
    shown: Any = line or progress or None

    def tell_progress(now: SearchState, scalars: Scalars) -> None:
        shown(now.train._replace(model=placed(now.train.model, search.where)), scalars)

    run = carry_out(search, progress=tell_progress if shown else None)
    if line is not None:
        line.close()
    tell(run.warnings)
    return run
