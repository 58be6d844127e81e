"""From a checked configuration to the objects of the library."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

import jax

from intertwine._checks import fail
from intertwine.experiments.ground_state.operators import build_operator, lattice_of
from intertwine.experiments.ground_state.settings import GroundStateConfiguration
from intertwine.learning.schedules import Cosine, Exponential, Warmup
from intertwine.quantum.defaults import max_norm
from intertwine.runs.begun import NONE

if TYPE_CHECKING:
    from intertwine.models.protocols import LogAmplitude
    from intertwine.quantum.operators.operator import Operator
    from intertwine.quantum.vmc.search import GroundStateSearch
    from intertwine.spaces.hilbert.hilbert_space import HilbertSpace
    from intertwine.spaces.lattice import Lattice


TRIVIAL = "trivial"


class Problem(NamedTuple):
    """Everything that a configuration determines. parameters: how many real or complex numbers the model has.
    devices: how many share the chains."""

    configuration: GroundStateConfiguration
    lattice: Lattice
    search: GroundStateSearch
    parameters: int
    devices: int

    @property
    def hamiltonian(self) -> Any:
        return self.search.operator

    @property
    def space(self) -> HilbertSpace | None:
        """Where there are numbers, constraints or levels; None for free spins ½."""
        from intertwine.quantum.hilbert_moves import own_space

        return own_space(self.hamiltonian)


def resolved(configuration: GroundStateConfiguration) -> GroundStateConfiguration:
    """`configuration` with the model that fits its operator, and all that belongs to it and was not given,
    where the model is "auto"; with learning rates in the unit of the couplings for others.

    Exact sums are taken only where nothing of the sampling was given.
    """
    from intertwine.models.names import check_model_name
    from intertwine.models.qubits.named import CIRCUITS
    from intertwine.quantum.defaults import choose, in_units_of, may_sum, of_circuits
    from intertwine.quantum.sector_choice import choose_in_sector

    if configuration.model.name != "auto":
        final = configuration.final.model_copy(update={"samples": configuration.final_samples})
        configuration = configuration.model_copy(update={"final": final})
        if configuration.optimiser.method != "sr":
            return configuration
        hamiltonian = build_hamiltonian(configuration, lattice_of(configuration))
        asked, names = configuration.optimiser.model_fields_set, ("learning_rate", "learning_rate_end")
        circuit = check_model_name(configuration.model.name).family in CIRCUITS
        fitting = of_circuits(hamiltonian) if circuit else in_units_of(hamiltonian)
        changes = {} if asked & set(names) else {name: getattr(fitting, name) for name in names}
        if circuit:
            others = {"momentum", "shift", "shift_end"} - asked
            changes |= {name: getattr(fitting, name) for name in others}
        if not changes:
            return configuration
        settings = configuration.optimiser.model_copy(update=changes)
        return configuration.model_copy(update={"optimiser": settings})
    given = configuration.sampler.model_fields_set | configuration.final.model_fields_set
    operator = build_hamiltonian(configuration, lattice_of(configuration))
    asked = "samples" in configuration.optimiser.model_fields_set
    sums = not given and (not asked or may_sum(operator, configuration.optimiser.samples))
    if configuration.model.sector == TRIVIAL:
        chosen = choose(operator, sums=sums)
    else:
        kept = kept_by(configuration)
        chosen = choose_in_sector(operator, configuration.model.sector, sums=sums, magnetization=kept)
    magnetization = "auto" if chosen.magnetization is None else chosen.magnetization
    moves = ("steps", "samples", "learning_rate", "learning_rate_end", "shift", "shift_end", "momentum")
    tables = configuration.model_dump()
    tables["model"]["name"] = chosen.model
    samples = configuration.optimiser.samples
    samples = samples if "samples" in configuration.optimiser.model_fields_set else chosen.samples
    for name, values in (
        ("model", {"dtype": chosen.dtype, "sector": chosen.sector}),
        ("sampler", {"rule": chosen.rule, "magnetization": magnetization}),
        ("optimiser", {name: getattr(chosen, name) for name in moves}),
        ("final", {"samples": chosen.final_factor * samples}),
    ):
        asked = getattr(configuration, name).model_fields_set
        tables[name] |= {key: value for key, value in values.items() if key not in asked}
    return GroundStateConfiguration.model_validate(tables)


def build(configuration: GroundStateConfiguration, begin: LogAmplitude | None = None) -> Problem:
    """The lattice and the search that `configuration` describes; begin: the model in place of a fresh one."""
    from intertwine.learning.metric import NaturalGradient
    from intertwine.models.parameters import count_parameters
    from intertwine.quantum.hilbert_moves import own_space
    from intertwine.quantum.space_choice import in_space
    from intertwine.quantum.vmc.fresh_start import FreshStart
    from intertwine.quantum.vmc.search import GroundStateSearch
    from intertwine.quantum.vmc.stopping import Stopping
    from intertwine.sampling.autoregressive import own_sampler
    from intertwine.sampling.sharding import chain_mesh

    configuration = resolved(configuration)
    key = jax.random.key(configuration.seed)
    model_key, run_key = jax.random.split(key) if configuration.model.start == NONE else (key, key)
    lattice = lattice_of(configuration)
    hamiltonian = build_hamiltonian(configuration, lattice)
    model = build_model(configuration, hamiltonian, model_key) if begin is None else begin
    optimiser = build_optimiser(configuration)
    if configuration.sampler.rule == "sums":
        sampler, mesh = _sums(configuration, hamiltonian, model), None
        if isinstance(optimiser, NaturalGradient):
            fresh = partial(build_model, configuration, hamiltonian)
            optimiser = FreshStart(optimiser, fresh, model_key, configuration.optimiser.steps)
    elif configuration.sampler.rule == "auto" and (own := own_sampler(model)) is not None:
        sampler, mesh = own, None
    else:
        sampler = own_sampler(model) or build_sampler(configuration, hamiltonian)
        sampler = in_space(sampler, own_space(hamiltonian))
        alone = getattr(sampler, "backend", "auto") == "host"
        mesh = chain_mesh(1 if alone else configuration.devices, getattr(sampler, "chains", None))
    o, final = configuration.optimiser, configuration.final_samples
    stopping = Stopping(_given(o.stop_v_score), _given(o.patience))
    search = GroundStateSearch(
        hamiltonian, model, sampler, optimiser, steps=o.steps, samples=o.samples, final=final, key=run_key,
        mesh=mesh, compare=False, stopping=stopping,
    )  # fmt: skip
    return Problem(configuration, lattice, search, count_parameters(model), 1 if mesh is None else mesh.size)


def _given(value: object) -> Any:
    """None for the word that says that nothing is given."""
    return None if isinstance(value, str) else value


def build_hamiltonian(configuration: GroundStateConfiguration, lattice: Lattice) -> Operator:
    """The Hamiltonian; where its signs are left open, in a frame where it is stoquastic if there is one."""
    from intertwine.quantum.defaults import stoquastic_frame

    found = build_operator(configuration, lattice)
    free = getattr(configuration.hamiltonian, "marshall", "auto") == "auto"
    return stoquastic_frame(found) if free else found


def build_model(configuration: GroundStateConfiguration, hamiltonian: Operator, key: jax.Array) -> Any:
    """The wave function for `hamiltonian`, in the sector of its frame that the settings mean."""
    from intertwine.quantum.defaults import Choice, build_model as model_of
    from intertwine.quantum.hilbert_moves import own_space
    from intertwine.quantum.sector_choice import sector_of

    name, sector = configuration.model.name, configuration.model.sector
    if sector != TRIVIAL:
        found = sector_of(hamiltonian, sector, kept_by(configuration))
        if own_space(hamiltonian) is None:
            name, sector = _with_flip(name, found.spin_flip), found.name
        else:
            sector = str(found).replace("−", "-")
    choice = Choice(model=name, dtype=configuration.model.dtype, sector=sector)
    return model_of(choice, hamiltonian, key)


def _with_flip(name: str, flip: int | None) -> str:
    """The name of a gcnn with the spin flip that is asked for."""
    own = {"even", "odd"} & set(name.split(":"))
    word = {1: "even", -1: "odd", None: ""}[flip]
    if own and word and own != {word}:
        raise fail("model.sector", f"the flip of {name}", f"one that is {word}", "leave one of them out")
    return name if own or not word else f"{name}:{word}"


def kept_by(configuration: GroundStateConfiguration) -> int | None:
    """Σ s that the settings ask for, None where they leave it open."""
    m = configuration.sampler.magnetization
    return None if isinstance(m, str) else m


def _sums(configuration: GroundStateConfiguration, hamiltonian: Operator, model: LogAmplitude) -> Any:
    from intertwine.quantum.defaults import orbit_sums

    magnetization = configuration.sampler.magnetization
    return orbit_sums(hamiltonian, model, None if magnetization == "auto" else magnetization)


def build_sampler(configuration: GroundStateConfiguration, hamiltonian: Operator) -> Any:
    """Metropolis; `auto` is the library's own choice for the Hamiltonian (`quantum.space_choice`).

    `exchange` keeps to the least |magnetization|; `mixture`: single flips and exchanges, 45 % each, and flips
    of all spins.
    """
    from intertwine.quantum.hilbert_moves import own_space
    from intertwine.quantum.space_choice import default_sampler, moves
    from intertwine.sampling.metropolis.metropolis import Metropolis
    from intertwine.sampling.metropolis.rules import GlobalFlip, Mixture, SingleFlip

    settings, size = configuration.sampler, hamiltonian.size
    rule: Any = SingleFlip()
    magnetization = None
    if own_space(hamiltonian) is not None and settings.rule != "auto":
        raise fail("sampler.rule", "'auto' or 'sums' in this space", repr(settings.rule), "take 'auto'")
    if settings.rule == "auto":
        kept = "ground" if settings.magnetization == "auto" else settings.magnetization
        kept = kept if own_space(hamiltonian) is None else None
        chosen = default_sampler(hamiltonian, configuration.optimiser.samples, kept)
        rule, magnetization = chosen.rule, chosen.magnetization
    elif settings.rule == "exchange":
        rule, magnetization = moves(hamiltonian, size % 2), size % 2
    elif settings.rule == "mixture":
        rule = Mixture([(rule, 0.45), (moves(hamiltonian, size % 2), 0.45), (GlobalFlip(), 0.1)])
    sweep = None if settings.sweep == "auto" else settings.sweep
    return Metropolis(
        rule, chains=configuration.chains, sweep=sweep, backend=settings.backend, magnetization=magnetization,
        hilbert=own_space(hamiltonian),
    )  # fmt: skip


def build_optimiser(configuration: GroundStateConfiguration) -> Any:
    from intertwine.learning.gradient import OptaxGradient
    from intertwine.learning.metric import NaturalGradient

    settings = configuration.optimiser
    rate = Warmup(_schedule(settings, settings.learning_rate, settings.learning_rate_end), settings.warmup)
    if settings.method == "sr":
        shift = _schedule(settings, settings.shift, settings.shift_end)
        return NaturalGradient(
            learning_rate=rate,
            shift=shift,
            solver=settings.solver,
            momentum=settings.momentum,
            max_norm=max_norm(configuration.sampler.rule),
            chunk=None if settings.chunk == "auto" else settings.chunk,
        )
    import optax

    traced = _optax_schedule(settings)
    return OptaxGradient(optax.adam(traced) if settings.method == "adam" else optax.sgd(traced))


def _schedule(settings: Any, begin: float, end: float) -> Any:
    if settings.schedule == "constant" or begin == end:
        return begin
    return (Exponential if settings.schedule == "exponential" else Cosine)(begin, end, settings.steps)


def _optax_schedule(settings: Any) -> Any:
    """The same learning rates as a function that optax can trace."""
    import jax.numpy as jnp
    import optax

    begin, end, steps = settings.learning_rate, settings.learning_rate_end, settings.steps
    after: Any = {
        "constant": optax.constant_schedule(begin),
        "exponential": optax.exponential_decay(begin, steps, end / begin, end_value=end),
        "cosine": optax.cosine_decay_schedule(begin, steps, alpha=end / begin),
    }[settings.schedule]
    return lambda count: after(count) * jnp.minimum(1.0, (count + 1) / (settings.warmup + 1))
