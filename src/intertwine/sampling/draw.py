r"""`it.sample`: configurations of a distribution, with τ, R̂ and the effective sample size.

    p(v) = Ψ(v)/Z      for Boltzmann machines (RBM, DBM, DBN with real parameters) and Ising models,
    p(s) = |Ψ(s)|²/Z   for complex models, or where `distribution="born"` says so.

Every sampler serves, also one's own: it is asked what it can do (`sampling.protocols`). Block Gibbs and its
tempered and annealed relatives sample Ψ/Z themselves, samplers of wave functions (`Metropolis`,
`ParallelTempering`, `Enumeration`) are given √Ψ (`models.square_root`).
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol, runtime_checkable

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from jax.typing import DTypeLike

from intertwine._caveats import R_HAT_LIMIT, Caveat, beneath, caveat, tell
from intertwine._checks import fail, one_of, positive_int
from intertwine._memory import check_memory
from intertwine.models.machines.layered import has_layers, layered, layers_of
from intertwine.models.machines.rbm import RBM
from intertwine.models.machines.unit_layer import UnitLayer
from intertwine.models.parameters import check_key
from intertwine.models.protocols import DrawsItself, LogAmplitude, SpinSystem
from intertwine.models.results import Scaling, taken
from intertwine.models.square_root import square_root
from intertwine.sampling.autoregressive import own_sampler
from intertwine.sampling.enumeration import FEW_CONFIGURATIONS, Enumeration, log_density
from intertwine.sampling.gibbs.annealed import Annealed
from intertwine.sampling.gibbs.gibbs import Gibbs
from intertwine.sampling.modes import Modes, find_modes
from intertwine.sampling.protocols import (
    BeginsInModes,
    DrawsIndependently,
    Independent,
    Qualifies,
    Sampler,
    Unfolds,
    Watched,
    Watches,
)
from intertwine.sampling.space import Space, space_of
from intertwine.sampling.statistics.estimate import Estimate, estimate
from intertwine.spaces.lattice import Lattice

LEAST_TAUS = 5
"""Autocorrelation times that must pass before the first configuration of a chain."""


LEAST_CHAINS = 10
"""Chains whose means tell what their draws are worth."""


LEAST_SEEN, MOST_SEEN = 50, 2000
"""Draws a chain that are looked at, in autocorrelation times (with more draws than are asked for, where these
are few), and at most."""


Model = LogAmplitude | SpinSystem
"""What configurations are drawn from."""
AnySampler = Sampler | Watches | DrawsIndependently
"""What draws them."""
Index = int | slice | np.ndarray | list[int] | tuple[int | slice | np.ndarray | None, ...]


@runtime_checkable
class Downwards(Protocol):
    """A machine over directed layers, such as a DBN: `top` is sampled, `descend` goes on downwards."""

    @property
    def top(self) -> RBM: ...

    @property
    def visible_layer(self) -> UnitLayer: ...

    def descend(self, top: Array, *, key: Array) -> Sequence[Array]: ...


class NotMixed(Caveat):
    """The configurations are not yet samples of the model."""


@dataclass(frozen=True, eq=False)
class Drawn:
    """n configurations; behaves as the array of them (`np.asarray`, indexing, len, shape).

    configurations: (n, N), int8 for discrete units; of gauge links (n, *extent, d, *element). Rows take
        the chains in turn: with c chains, row k is of chain k mod c, and rows c apart are successive draws of
        one chain.
    tau: integrated autocorrelation time in `unit`s, the larger of those of the watched quantities.
    unit: "sweep" of block Gibbs, or "draw" of another sampler. between: units between draws of one chain.
    r_hat: the larger one over the watched quantities. ess: how many independent samples the n are worth, by
        τ, and by the spread of the chains' means where there are 10 chains or more.
    energy: the mean of −ln Ψ(v) in nats along the chains, of a machine its free energy, of links the
        action; with its own τ, R-hat and ESS.
    mixed: whether R-hat < 1.05, at least 5 τ passed before the first configuration, and where a machine of
        layers has modes far apart, the configurations lie in them by the shares that annealed chains find
        (`sampling.modes`); None where that cannot be judged, also where chains are held at different values,
        and cannot be compared.
    warnings: what qualifies the configurations, lines `code: sentence`.
    log_weights: (n,) importance weights of annealed chains, else None.
    lattice: of the sites, where the model has one, else None; states: q of Potts and clock models, else None.
    clock: whether the states are directions of a clock.
    chains: c; 1 where every row is independent of the others.
    Slices and `np.asarray` are bare arrays: they carry neither.
    """

    configurations: np.ndarray
    tau: float
    unit: str
    between: int
    r_hat: float
    ess: float
    energy: Estimate
    mixed: bool | None
    log_weights: np.ndarray | None = None
    lattice: Lattice | None = None
    states: int | None = None
    clock: bool = False
    warnings: tuple[str, ...] = ()
    chains: int = 1

    @property
    def by_chain(self) -> np.ndarray:
        """The configurations (n, N) chain after chain: successive rows are successive draws of one chain."""
        return self.configurations[np.argsort(np.arange(len(self)) % self.chains, kind="stable")]

    @property
    def shape(self) -> tuple[int, ...]:
        return self.configurations.shape

    @property
    def dtype(self) -> np.dtype:
        return self.configurations.dtype

    @property
    def ndim(self) -> int:
        return self.configurations.ndim

    def __len__(self) -> int:
        return len(self.configurations)

    def __getitem__(self, index: Index) -> np.ndarray:
        return self.configurations[index]

    def __array__(self, dtype: DTypeLike | None = None, copy: bool | None = None) -> np.ndarray:
        return np.array(self.configurations, dtype=dtype, copy=copy)

    def __str__(self) -> str:
        state = {True: "mixed", False: "NOT mixed", None: "mixing unjudged"}[self.mixed]
        n, *sites = self.shape
        words = (
            f"{n} configurations of {'×'.join(map(str, sites))} columns, {state}: τ = 1 + 2Σρ = "
            f"{self.tau:.1f} {self.unit}s, R̂ {self.r_hat:.3f}, ESS {self.ess:.0f}, "
            f"mean of −ln Ψ {self.energy}"
        )
        return beneath(words, self.warnings)


def sample(
    model: Model,
    n: int,
    *,
    sampler: AnySampler | None = None,
    distribution: str | None = None,
    key: Array,
) -> Drawn:
    """n configurations of `model`, a `Drawn` that behaves as an array (n, N).

    model: RBM, DBM or DBN with real parameters, `Ising`, or any model with a sampler of wave functions; a fit
    or a loaded run stands for its model, and a run of standardised columns gives rows, and takes clamped
    values and starts, in the units of its data.
    sampler: `Gibbs(steps=1000)` (the default for machines of layers: every configuration from a chain of its
    own), `Annealed(steps=1000)` (the default for those with modes far apart), `TemperedGibbs`,
    `TrajectoryGibbs`; `SwendsenWang()` (the default for `Ising`, `Potts` and `Clock`), `Wolff()`,
    `HeatBath()` (the default of those with terms of three spins or more, or with frustration, which clusters
    do not respect), `TemperedHeatBath()`; `GaugeHeatBath()` (the default for `Gauge`); `Metropolis(...)`,
    `ParallelTempering(...)` or `Enumeration()` for two-state units.
    A DBN is sampled by its top RBM with any of them, then downwards.
    Autoregressive models draw themselves, exactly and without chains (`Autoregressive()`).
    distribution: "boltzmann" p = Ψ/Z or "born" p = |Ψ|²/Z. None: the former for Boltzmann machines and
    `Ising`, the latter for complex models and for the model of a ground-state run, which is sampled in the
    space where it was trained; other real models need it said.

    Gives the warning `NotMixed` where the chains disagree, where fewer than 5 autocorrelation times passed
    before the first configuration, or where a machine's modes have other shares than annealed chains from a
    mixture over all of them say. No test can see a mode that no search has met.

    Raises InputError for models and samplers that do not go together.

    >>> rbm = RBM(6, hidden=4, units="binary", key=jax.random.key(0))
    >>> drawn = sample(rbm, 5, sampler=Gibbs(steps=100), key=jax.random.key(1))
    >>> np.asarray(drawn).shape, drawn.dtype, drawn.mixed
    ((5, 6), dtype('int8'), True)
    """
    model, scaling = taken(model)
    found = _sampled(model, n, _inside(sampler, scaling), distribution, key)
    if scaling.scale is None:
        return found
    return replace(found, configurations=scaling.outside(found.configurations))


def _inside(sampler: Any, scaling: Scaling) -> Any:
    """`sampler` with its clamped values and starts in the machine's columns."""
    held, start = (getattr(sampler, name, None) for name in ("clamped", "start"))
    if scaling.scale is None or scaling.offset is None or (held is None and start is None):
        return sampler
    if isinstance(held, np.ndarray):
        held = scaling.inside(held)
    elif held is not None:
        where, values = np.asarray(held[0]), np.asarray(held[1])
        columns = np.flatnonzero(where) if where.dtype == bool else where
        if values.shape[-1:] == scaling.scale.shape:  # of which the clamped ones are read
            values = values[..., columns]
        held = (columns, Scaling(scaling.offset[columns], scaling.scale[columns]).inside(values))
    begun = {} if start is None else {"start": scaling.inside(start)}
    return replace(sampler, clamped=held, **begun)


def _sampled(model: Any, n: int, sampler: AnySampler | None, distribution: str | None, key: Array) -> Drawn:
    """`sample` in the columns of the model."""
    n = positive_int("n", n, "give the number of configurations")
    check_memory(n * getattr(model, "size", 1), "draw fewer configurations at a time", "n")
    check_key(key)
    if isinstance(model, Downwards):
        return _downwards(model, n, sampler, distribution, key)
    where = space_of(model)
    if where is not None and distribution is None:
        distribution = "born"
    reading = _reading(model, distribution)
    modes = None
    machine = layers_of(model) if reading == "boltzmann" and _sweeps_freely(sampler) else None
    if machine is not None:
        modes = find_modes(machine, key=jax.random.fold_in(key, 1))
        if sampler is None:
            sampler = Gibbs(steps=1000) if modes is None else Annealed(steps=1000)
        if isinstance(sampler, BeginsInModes):
            sampler = sampler.from_modes(machine, modes)
    if sampler is None:
        sampler = _of_space(where, model.size) if where and reading == "born" else _default(model, reading)
    own = getattr(sampler, "distribution", "born")
    if own == "boltzmann" and reading == "born":
        raise fail("sampler", "one of |Ψ|², such as Metropolis(...)", type(sampler).__name__)
    view = square_root(model) if own == "born" and reading == "boltzmann" else model
    found = _drawn(sampler, model, view, n, key)
    if _held_apart(sampler):
        words = (
            "every chain is held at other values, so that chains cannot be compared: it.complete runs several"
        )
        said = (caveat("unjudged", f"{words} for each row"),)
        tell(said, stacklevel=3)
        return replace(_placed(found, model), r_hat=float("nan"), mixed=None, warnings=said)
    found = _qualified(_placed(found, model), modes)
    if found.warnings:
        warnings.warn(str(found), NotMixed, stacklevel=3)
    if said := frustrating(model, sampler):
        tell(said, stacklevel=3)
        found = replace(found, warnings=(*found.warnings, *said))
    return found


def _drawn(sampler: AnySampler, model: Model, view: LogAmplitude, n: int, key: Array) -> Drawn:
    """The configurations in the way that the sampler offers. view: the model as the sampler reads it."""
    if isinstance(sampler, Unfolds):
        raise fail("sampler", "one that draws configurations, not orbits", sampler, "use Enumeration()")
    if isinstance(sampler, Watches):
        return _judged(sampler.watch(view, n, key=key), n)
    if isinstance(sampler, DrawsIndependently):
        return _unchained(sampler.independent(view, n, key=key), model)
    if isinstance(sampler, Sampler):
        return _by_draws(sampler, model, view, n, key)
    raise fail("sampler", "a sampler, such as Gibbs(steps=1000)", sampler)


def _qualified(found: Drawn, modes: Modes | None) -> Drawn:
    """The configurations with the verdict of all signs together."""
    said = [] if found.mixed else [caveat("chains-disagree", _slow(found))]
    if modes is None:
        return replace(found, warnings=tuple(said))
    drawn = modes.inside(found.configurations).mean(0)
    compared = modes.compared(drawn, np.sqrt(modes.shares * (1 - modes.shares) / max(found.ess, 1.0)))
    doubts = compared.caveats("take TemperedGibbs or Annealed with base=None")
    mixed = found.mixed
    if mixed and doubts:
        mixed = False if compared.judged else None
    return replace(found, mixed=mixed, warnings=(*said, *doubts))


def _slow(found: Drawn) -> str:
    """What is wrong with chains that are not mixed."""
    if found.r_hat >= R_HAT_LIMIT:
        words = f"R-hat is {found.r_hat:.3g}, above {R_HAT_LIMIT}"
    elif found.log_weights is not None:
        words = f"{len(found)} weighted configurations are worth {found.ess:.0f}"
    else:
        words = f"fewer than {LEAST_TAUS} autocorrelation times ({found.tau:.3g}) passed before the first"
    return f"{words}: the configurations are not yet samples; give more steps, or a tempered sampler"


def _sweeps_freely(sampler: AnySampler | None) -> bool:
    """Whether `sampler` is one of machines of layers, and holds no units."""
    if sampler is None:
        return True
    return isinstance(sampler, Watches | BeginsInModes) and getattr(sampler, "clamped", sampler) is None


def _held_apart(sampler: AnySampler) -> bool:
    """Whether the chains of `sampler` are clamped at values of their own, each a distribution of its own."""
    clamped = getattr(sampler, "clamped", None)
    values = clamped if isinstance(clamped, np.ndarray) or clamped is None else clamped[1]
    held = np.asarray([] if values is None else values)
    return held.ndim == 2 and len(held) > 1 and not np.array_equal(held, held[:1].repeat(len(held), 0), True)


def _placed(found: Drawn, model: Model) -> Drawn:
    """The configurations with the lattice and the states of the model that they were drawn from."""
    lattice = getattr(model, "lattice", None)
    if not isinstance(lattice, Lattice) or lattice.size != found.shape[1]:
        return found
    states, clock = getattr(model, "states", None), bool(getattr(model, "directions", False))
    return replace(found, lattice=lattice, states=states, clock=clock)


def _reading(model: Model, distribution: str | None) -> str:
    """How Ψ is a probability."""
    kind = getattr(model, "kind", "real")
    only = getattr(model, "distribution", None)
    machine = has_layers(model)
    if distribution is not None:
        one_of("distribution", distribution, ("boltzmann", "born"))
        if distribution == "boltzmann" and kind != "real":
            raise fail("distribution", "'born' for a complex model", distribution)
        if only and distribution != only:
            raise fail("distribution", f"{only!r} for {type(model).__name__}", distribution)
        return distribution
    if kind != "real":
        return "born"
    if only or machine:
        return "boltzmann"
    if isinstance(model, DrawsItself):
        return "born"
    raise fail(
        "distribution",
        "'boltzmann' (p = Ψ/Z) or 'born' (p = |Ψ|²/Z)",
        None,
        f"a real {type(model).__name__} can mean either",
    )


def _of_space(where: Space, size: int) -> Sampler:
    """The sampler of a state's space: all its configurations where they are few."""
    kept = where.magnetizations
    if where.hilbert is not None:
        few = where.hilbert.dimension <= FEW_CONFIGURATIONS
        return Enumeration(hilbert=where.hilbert) if few else where.sampler
    if size <= 22 and (kept is None or len(kept) == 1):
        every = Enumeration(None if kept is None else kept[0])
        if every.count(size) <= FEW_CONFIGURATIONS:
            return every
    return where.sampler


def _default(model: Model, reading: str) -> AnySampler:
    if isinstance(model, SpinSystem):
        from intertwine.sampling.spins.default_sampler import spin_sampler

        return spin_sampler(model)
    if reading == "boltzmann":
        layered(model)  # type: ignore[arg-type]  # it says what is missing
        return Gibbs(steps=1000)
    if (own := own_sampler(model)) is not None:
        return own
    raise fail("sampler", "a sampler of |Ψ|²", None, "for example Metropolis(SingleFlip(), chains=64)")


def frustrating(model: Model, sampler: AnySampler) -> tuple[str, ...]:
    """What `sampler` has to say of `model`: the caveat of clusters that were asked for where the couplings
    frustrate; () where all is well.

    >>> from intertwine.models.spins.ising import Ising
    >>> from intertwine.sampling.spins.cluster import SwendsenWang
    >>> from intertwine.spaces.lattices import Triangular
    >>> len(frustrating(Ising(Triangular(6, 6), -0.5), SwendsenWang()))
    1
    """
    return sampler.caveats(model) if isinstance(sampler, Qualifies) and isinstance(model, SpinSystem) else ()


def _judged(watched: Watched, n: int) -> Drawn:
    chains, draws, size = watched.configurations.shape
    found = {name: estimate(values) for name, values in watched.traces.items()} or {"free_energy": _nothing()}
    tau = watched.stride * max(float(e.tau) for e in found.values())
    r_hat = max(float(e.r_hat) for e in found.values()) if chains > 1 else _half_r_hat(watched)
    mixed = bool(watched.burn_in >= LEAST_TAUS * tau and r_hat < R_HAT_LIMIT)
    worth = n if draws == 1 else min(n, n * watched.steps / tau, _worth_of_means(watched.projections))
    rows = watched.configurations.reshape(chains * draws, size)
    rows = watched.configurations.swapaxes(0, 1).reshape(rows.shape)[:n] if draws > 1 else rows[:n]
    energy, turns = found["free_energy"], chains if draws > 1 else 1
    return Drawn(rows, tau, "sweep", watched.steps, r_hat, float(worth), energy, mixed, chains=turns)


def _worth_of_means(values: np.ndarray) -> float:
    """How many independent rows the mean of `values` (chains, draws) is worth by the spread of the means of
    the chains, which sees what no autocorrelation within a chain does: var(values) chains / var(means)."""
    chains, draws = values.shape
    spread = values.mean(1, dtype=np.float64).var(ddof=1) if chains >= LEAST_CHAINS and draws > 1 else 0.0
    return float(values.var(ddof=1, dtype=np.float64) * chains / spread) if spread > 0 else np.inf


def _nothing() -> Estimate:
    nan = np.float64(np.nan)
    return Estimate(nan, nan, nan, nan, nan, nan, np.int64(0))


def _half_r_hat(watched: Watched) -> float:
    """R-hat of one chain alone: half against half."""
    from intertwine.sampling.statistics.convergence import r_hat

    found = [1.0]
    for values in watched.traces.values():
        half = values.shape[1] // 2
        found.append(r_hat(np.vstack((values[:, :half], values[:, -half:]))))
    return max(found)


def _unchained(found: Independent, model: Model) -> Drawn:
    """Independent configurations; those with weights are worth their effective sample size."""
    n, log_w = len(found.configurations), found.log_weights
    ess = float(n)
    if log_w is not None:
        share = np.exp(log_w - log_w.max())
        ess = float(share.sum() ** 2 / (share**2).sum())
    energy = estimate(-found.log_density[:, None])
    rows = found.configurations
    return Drawn(_in_units(model, rows), 1.0, "draw", 1, 1.0, ess, energy, bool(ess >= n / 2), log_w)


def _by_draws(sampler: Sampler, model: Model, view: LogAmplitude, n: int, key: Array) -> Drawn:
    """Any sampler of the protocol: its chains, thermalised where that is measured, and a draw at a time."""
    from intertwine.sampling.thermalise import thermalise

    begin, warm, run, _ = jax.random.split(key, 4)
    state = sampler.init(view, key=begin)
    chains = getattr(sampler, "chains", 1)
    draws = -(-n // chains)
    before = 0
    if getattr(sampler, "distribution", "born") == "born":
        state, report = thermalise(sampler, view, state, key=warm)
        before = report.draws
    else:
        before = getattr(sampler, "burn_in", 0) // max(getattr(sampler, "steps", 1), 1)
    samples, state = sampler.sample(view, state, draws, key=run)
    if samples.weights is not None:
        raise fail(
            "sampler", "one that draws configurations, not weighted ones", sampler, "use Enumeration()"
        )
    spins = np.asarray(samples.configurations)
    watched = [_watched(model, view, sampler, samples.configurations)]
    while True:
        energy, *others = (estimate(values) for values in np.concatenate(watched, 2))
        seen = sum(x.shape[2] for x in watched)
        taus = [float(np.nan_to_num(e.tau, nan=1.0)) for e in (energy, *others)]
        if seen >= max(LEAST_SEEN * max(taus), LEAST_SEEN) or seen >= MOST_SEEN:
            break
        more, state = sampler.sample(view, state, max(seen, LEAST_SEEN), key=jax.random.fold_in(run, seen))
        watched.append(_watched(model, view, sampler, more.configurations))
    tau, r_hat = (max(float(getattr(e, name)) for e in (energy, *others)) for name in ("tau", "r_hat"))
    r_hat = 1.0 if chains == 1 and np.isnan(r_hat) else r_hat
    rows = spins[:, :draws].swapaxes(0, 1).reshape(chains * draws, *spins.shape[2:])[:n]
    worth = n if draws == 1 else min(n, n / tau)
    mixed = bool(before >= LEAST_TAUS * tau and r_hat < R_HAT_LIMIT)
    turns = chains if draws > 1 else 1
    return Drawn(_in_units(model, rows), tau, "draw", 1, r_hat, float(worth), energy, mixed, chains=turns)


def _watched(model: Model, view: LogAmplitude, sampler: Sampler, spins: Array) -> np.ndarray:
    """−ln of the probability, and the order parameter m of spin models and m²: (quantities, chains, draws).
    Chains that are stuck in states of opposite m have the same energy and m²."""
    found = [-_log_weight(view, sampler, spins)]
    if isinstance(model, SpinSystem):
        found += list(np.asarray(_order(model, jnp.asarray(spins)), np.float64))
    return np.stack(found)


@jax.jit
def _order(model: SpinSystem, spins: Array) -> Array:
    """m², and the components of m, (quantities, chains, draws)."""
    return jnp.concatenate([model.order_squared(spins)[None], jnp.moveaxis(model.order(spins), -1, 0)])


def _log_weight(view: LogAmplitude, sampler: Sampler, spins: Array) -> np.ndarray:
    """ln of the unnormalised probability that was sampled, (chains, draws)."""
    if getattr(sampler, "distribution", "born") == "boltzmann":
        return np.asarray(_values(view, spins), np.float64)
    return np.asarray(log_density(view, spins), np.float64)


@jax.jit
def _values(model: LogAmplitude, spins: Array) -> Array:
    """ln Ψ of configurations (chains, draws, N)."""
    return jax.vmap(jax.vmap(model))(spins)


def _in_units(model: Model, spins: np.ndarray) -> np.ndarray:
    return (spins > 0).astype(np.int8) if getattr(model, "units", "spin") == "binary" else spins


def _downwards(
    model: Downwards, n: int, sampler: AnySampler | None, distribution: str | None, key: Array
) -> Drawn:
    """Ancestral samples of a deep belief network below its top RBM."""
    if getattr(sampler, "clamped", None) is not None:
        raise fail("sampler", "one without clamped units for a deep belief network", "clamped")
    first, second = jax.random.split(key)
    top = _sampled(model.top, n, sampler, distribution, first)
    states = model.descend(jnp.asarray(np.asarray(top)).astype(model.top.weights.dtype), key=second)
    visible = np.asarray(states[0])
    rows = visible.astype(np.int8) if model.visible_layer.is_discrete else visible
    return replace(top, configurations=rows)
