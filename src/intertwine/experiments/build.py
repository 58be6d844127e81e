"""From a checked configuration to the objects of the library."""

from __future__ import annotations

from typing import Any, NamedTuple

import jax

from intertwine.experiments.configuration import GroundStateConfiguration
from intertwine.experiments.consistency import build_lattice
from intertwine.learning.schedules import Cosine, Exponential, Warmup


class Problem(NamedTuple):
    """Everything that a configuration determines. final: the objective of the last estimate, more samples
    of the same chains. parameters: how many real or complex numbers the model has. mesh: of the devices
    that share the chains, or None for one."""

    configuration: GroundStateConfiguration
    lattice: Any
    hamiltonian: Any
    model: Any
    objective: Any
    final: Any
    optimiser: Any
    parameters: int
    mesh: Any
    run_key: jax.Array


def build(configuration: GroundStateConfiguration) -> Problem:
    """The lattice, Hamiltonian, model, objective and optimiser of `configuration`."""
    from intertwine.models.parameters import count_parameters
    from intertwine.quantum.energy import EnergyObjective
    from intertwine.sampling.sharding import chain_mesh, replicate

    model_key, run_key = jax.random.split(jax.random.key(configuration.seed))
    lattice = build_lattice(configuration.lattice)
    hamiltonian = build_hamiltonian(configuration, lattice)
    model = build_model(configuration, lattice, model_key)
    sampler = build_sampler(configuration, hamiltonian)
    mesh = chain_mesh(1 if sampler.backend == "host" else configuration.devices, sampler.chains)
    return Problem(
        configuration,
        lattice,
        hamiltonian,
        replicate(model, mesh),
        EnergyObjective(hamiltonian, sampler, configuration.optimiser.samples, mesh),
        EnergyObjective(hamiltonian, sampler, configuration.final.samples, mesh),
        build_optimiser(configuration),
        count_parameters(model),
        mesh,
        run_key,
    )


def build_hamiltonian(configuration: GroundStateConfiguration, lattice: Any) -> Any:
    from intertwine.quantum import hamiltonians

    settings = configuration.hamiltonian.model_dump()
    name = settings.pop("name")
    if settings.get("marshall") == "auto":
        settings["marshall"] = None
    return getattr(hamiltonians, name)(lattice, **settings)


def build_model(configuration: GroundStateConfiguration, lattice: Any, key: jax.Array) -> Any:
    from intertwine.models.names import model_from_name

    dtype = complex if configuration.model.dtype == "complex" else float
    return model_from_name(configuration.model.name, lattice, dtype=dtype, key=key)


def build_sampler(configuration: GroundStateConfiguration, hamiltonian: Any) -> Any:
    """Metropolis; `auto` is the library's own choice for the Hamiltonian (`quantum.space_choice`).

    `exchange` keeps to the least |magnetization|; `mixture`: single flips and exchanges, 45 % each, and flips
    of all spins.
    """
    from intertwine.quantum.space_choice import default_sampler, moves
    from intertwine.sampling.metropolis import Metropolis
    from intertwine.sampling.rules import GlobalFlip, Mixture, SingleFlip

    settings, size = configuration.sampler, hamiltonian.size
    rule: Any = SingleFlip()
    magnetization = None
    if settings.rule == "auto":
        chosen = default_sampler(hamiltonian, configuration.optimiser.samples)
        rule, magnetization = chosen.rule, chosen.magnetization
    elif settings.rule == "exchange":
        rule, magnetization = moves(hamiltonian, size % 2), size % 2
    elif settings.rule == "mixture":
        rule = Mixture([(rule, 0.45), (moves(hamiltonian, size % 2), 0.45), (GlobalFlip(), 0.1)])
    sweep = None if settings.sweep == "auto" else settings.sweep
    return Metropolis(
        rule, chains=settings.chains, sweep=sweep, backend=settings.backend, magnetization=magnetization
    )


def build_optimiser(configuration: GroundStateConfiguration) -> Any:
    from intertwine.learning.gradient import OptaxGradient
    from intertwine.learning.metric import NaturalGradient

    settings = configuration.optimiser
    rate = Warmup(_schedule(settings, settings.learning_rate, settings.learning_rate_end), settings.warmup)
    if settings.method == "sr":
        shift = _schedule(settings, settings.shift, settings.shift_end)
        return NaturalGradient(
            learning_rate=rate, shift=shift, solver=settings.solver, momentum=settings.momentum
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
