r"""`it.sample`: configurations of a distribution, with τ, R̂ and the effective sample size.

    p(v) = Ψ(v)/Z      for Boltzmann machines (RBM, DBM, DBN with real parameters) and Ising models,
    p(s) = |Ψ(s)|²/Z   for complex models, or where `distribution="born"` says so.

Every sampler serves: block Gibbs and its tempered and annealed relatives sample Ψ/Z themselves, samplers of
wave functions (`Metropolis`, `ParallelTempering`, `Enumeration`) are given √Ψ (`models.square_root`).
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass, replace
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from intertwine._caveats import R_HAT_LIMIT, Caveat, beneath, caveat, tell
from intertwine._checks import fail, one_of, positive_int
from intertwine._memory import check_memory
from intertwine.models.frustration import served_by_clusters
from intertwine.models.machines.layered import layered
from intertwine.models.machines.rbm import RBM
from intertwine.models.parameters import check_key
from intertwine.models.spins.ising import Ising
from intertwine.models.spins.potts import Clock, Potts
from intertwine.models.square_root import square_root
from intertwine.sampling.enumeration import Enumeration, log_density
from intertwine.sampling.gibbs.annealed import Annealed
from intertwine.sampling.gibbs.gibbs import Gibbs
from intertwine.sampling.gibbs.tempered_gibbs import TemperedGibbs
from intertwine.sampling.gibbs.trajectory import TrajectoryGibbs
from intertwine.sampling.gibbs.watched import Watched, watch_gibbs, watch_ladder
from intertwine.sampling.modes import Modes, easy_end, find_modes
from intertwine.sampling.orbits import OrbitEnumeration
from intertwine.sampling.space import Space, space_of
from intertwine.sampling.statistics.estimate import Estimate, estimate
from intertwine.spaces.lattice import Lattice

LEAST_TAUS = 5
"""Autocorrelation times that must pass before the first configuration of a chain."""


FEW_CONFIGURATIONS = 4096
"""A state of so many configurations is drawn from its exact probabilities."""


LEAST_CHAINS = 10
"""Chains whose means tell what their draws are worth."""


LEAST_SEEN, MOST_SEEN = 50, 2000
"""Draws a chain that are looked at, in autocorrelation times (with more draws than are asked for, where these
are few), and at most."""


class NotMixed(Caveat):
    """The configurations are not yet samples of the model."""


@dataclass(frozen=True, eq=False)
class Drawn:
    """n configurations; behaves as the array of them (`np.asarray`, indexing, len, shape).

    configurations: (n, N), int8 for discrete units. Rows take the chains in turn: with c chains, row k is
    of chain k mod c, and rows c apart are successive draws of one chain.
    tau: integrated autocorrelation time in `unit`s, the larger of those of the watched quantities.
    unit: "sweep" of block Gibbs, or "draw" of another sampler. between: units between draws of one chain.
    r_hat: the larger one over the watched quantities. ess: how many independent samples the n are worth, by
        τ, and by the spread of the chains' means where there are 10 chains or more.
    energy: the mean free energy −ln Ψ(v) in nats along the chains, with its own τ, R-hat and ESS.
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

    def __getitem__(self, index: Any) -> Any:
        return self.configurations[index]

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        return np.array(self.configurations, dtype=dtype, copy=copy)

    def __str__(self) -> str:
        state = {True: "mixed", False: "NOT mixed", None: "mixing unjudged"}[self.mixed]
        n, sites = self.shape
        words = (
            f"{n} configurations of {sites} columns, {state}: τ = 1 + 2Σρ = {self.tau:.1f} {self.unit}s, "
            f"R̂ {self.r_hat:.3f}, ESS {self.ess:.0f}, free energy {self.energy}"
        )
        return beneath(words, self.warnings)


def sample(model: Any, n: int, *, sampler: Any = None, distribution: str | None = None, key: Array) -> Drawn:
    """n configurations of `model`, a `Drawn` that behaves as an array (n, N).

    model: RBM, DBM or DBN with real parameters, `Ising`, or any model with a sampler of wave functions.
    sampler: `Gibbs(steps=1000)` (the default for machines of layers: every configuration from a chain of its
    own), `Annealed(steps=1000)` (the default for those with modes far apart), `TemperedGibbs`,
    `TrajectoryGibbs`; `SwendsenWang()` (the default for `Ising`, `Potts` and `Clock`), `Wolff()`,
    `HeatBath()` (the default of those with terms of three spins or more, or with frustration, which clusters
    do not respect), `TemperedHeatBath()`; `Metropolis(...)`, `ParallelTempering(...)` or `Enumeration()` for
    two-state units.
    A DBN is sampled by its top RBM with any of them, then downwards.
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
    n = positive_int("n", n, "give the number of configurations")
    check_memory(n * getattr(model, "size", 1), "draw fewer configurations at a time", "n")
    check_key(key)
    if hasattr(model, "descend") and hasattr(model, "top"):
        return _downwards(model, n, sampler, distribution, key)
    where = space_of(model)
    if where is not None and distribution is None:
        distribution = "born"
    reading = _reading(model, distribution)
    modes = None
    if reading == "boltzmann" and _has_layers(model) and _sweeps_freely(sampler):
        machine = layered(model)
        modes = find_modes(machine, key=jax.random.fold_in(key, 1))
        if sampler is None:
            sampler = Gibbs(steps=1000) if modes is None else Annealed(steps=1000)
        if isinstance(sampler, TemperedGibbs | Annealed) and sampler.base is None:
            sampler = replace(sampler, base=easy_end(machine, None, modes) if modes else machine.biases)
    if sampler is None:
        sampler = _of_space(where, model.size) if where and reading == "born" else _default(model, reading)
    own = getattr(sampler, "distribution", "born")
    if own == "boltzmann" and reading == "born":
        raise fail("sampler", "one of |Ψ|², such as Metropolis(...)", type(sampler).__name__)
    if isinstance(sampler, Annealed):
        found = _annealed(sampler, model, n, key)
    elif isinstance(sampler, Gibbs):
        found = _judged(watch_gibbs(sampler, model, n, key=key), n)
    elif isinstance(sampler, TemperedGibbs | TrajectoryGibbs):
        found = _judged(watch_ladder(sampler, model, n, key=key), n)
    elif hasattr(sampler, "init") and hasattr(sampler, "sample"):
        view = square_root(model) if own == "born" and reading == "boltzmann" else model
        found = _by_draws(sampler, model, view, n, key)
    else:
        raise fail("sampler", "a sampler, such as Gibbs(steps=1000)", sampler)
    if _held_apart(sampler):
        words = (
            "every chain is held at other values, so that chains cannot be compared: it.complete runs several"
        )
        said = (caveat("unjudged", f"{words} for each row"),)
        tell(said)
        return replace(_placed(found, model), r_hat=float("nan"), mixed=None, warnings=said)
    found = _qualified(_placed(found, model), modes)
    if found.warnings:
        warnings.warn(str(found), NotMixed, stacklevel=2)
    if said := frustrating(model, sampler):
        tell(said)
        found = replace(found, warnings=(*found.warnings, *said))
    return found


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


def _sweeps_freely(sampler: Any) -> bool:
    """Whether `sampler` is one of machines of layers, and holds no units."""
    kinds = Gibbs | TemperedGibbs | TrajectoryGibbs | Annealed
    return sampler is None or (isinstance(sampler, kinds) and sampler.clamped is None)


def _has_layers(model: Any) -> bool:
    return isinstance(model, RBM) or all(hasattr(model, x) for x in ("biases", "weights", "layers"))


def _held_apart(sampler: Any) -> bool:
    """Whether the chains of `sampler` are clamped at values of their own, each a distribution of its own."""
    clamped = getattr(sampler, "clamped", None)
    values = clamped if isinstance(clamped, np.ndarray) or clamped is None else clamped[1]
    held = np.asarray([] if values is None else values)
    return held.ndim == 2 and len(held) > 1 and not np.array_equal(held, held[:1].repeat(len(held), 0), True)


def _placed(found: Drawn, model: Any) -> Drawn:
    """The configurations with the lattice and the states of the model that they were drawn from."""
    lattice = getattr(model, "lattice", None)
    if not isinstance(lattice, Lattice) or lattice.size != found.shape[1]:
        return found
    states = model.states if isinstance(model, Potts | Clock) else None
    return replace(found, lattice=lattice, states=states, clock=isinstance(model, Clock))


def _reading(model: Any, distribution: str | None) -> str:
    """How Ψ is a probability."""
    kind = getattr(model, "kind", "real")
    only = getattr(model, "distribution", None)
    machine = _has_layers(model)
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
    raise fail(
        "distribution",
        "'boltzmann' (p = Ψ/Z) or 'born' (p = |Ψ|²/Z)",
        None,
        f"a real {type(model).__name__} can mean either",
    )


def _of_space(where: Space, size: int) -> Any:
    """The sampler of a state's space: all its configurations where they are few."""
    kept = where.magnetizations
    if size <= 22 and (kept is None or len(kept) == 1):
        every = Enumeration(None if kept is None else kept[0])
        if every.count(size) <= FEW_CONFIGURATIONS:
            return every
    return where.sampler


def _default(model: Any, reading: str) -> Any:
    if isinstance(model, Ising | Potts | Clock):
        return spin_sampler(model)
    if reading == "boltzmann":
        layered(model)
        return Gibbs(steps=1000)
    raise fail("sampler", "a sampler of |Ψ|²", None, "for example Metropolis(SingleFlip(), chains=64)")


def spin_sampler(model: Ising | Potts | Clock, **settings: Any) -> Any:
    """The sampler of a spin model where none is named: clusters, or the heat bath for terms of three spins or
    more and for frustrated models. settings: of either.

    >>> from intertwine.spaces.lattices import Square, Triangular
    >>> spin_sampler(Ising(Square(4, 4), 0.4), chains=8), spin_sampler(Ising(Triangular(6, 6), -0.5)).chains
    (SwendsenWang(chains=8, steps=1, burn_in=200), 64)
    """
    from intertwine.sampling.spins.cluster import SwendsenWang
    from intertwine.sampling.spins.heat_bath import HeatBath

    return SwendsenWang(**settings) if served_by_clusters(model) else HeatBath(**settings)


def frustrating(model: Any, sampler: Any) -> tuple[str, ...]:
    """The caveat of clusters that were asked for where the couplings frustrate; () where all is well.

    >>> from intertwine.sampling.spins.cluster import SwendsenWang
    >>> from intertwine.spaces.lattices import Triangular
    >>> len(frustrating(Ising(Triangular(6, 6), -0.5), SwendsenWang()))
    1
    """
    from intertwine.sampling.spins.cluster import SwendsenWang
    from intertwine.sampling.spins.wolff import Wolff

    if not (isinstance(sampler, SwendsenWang | Wolff) and isinstance(model, Ising | Potts | Clock)):
        return ()
    if served_by_clusters(model):
        return ()
    words = "not all couplings and fields can be satisfied at once (frustration): clusters cover the lattice"
    reason = "without respecting its ground states, and chains can be slow without showing it"
    return (caveat("assumption", f"{words} {reason}; the heat bath is the sampler by default"),)


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


def _annealed(sampler: Annealed, model: Any, n: int, key: Array) -> Drawn:
    machine = layered(model)
    state, log_w = sampler.draw(model, n, key=key)
    log_w = np.asarray(log_w, np.float64)
    share = np.exp(log_w - log_w.max())
    ess = float(share.sum() ** 2 / (share**2).sum())
    rows = np.asarray(state[0]).astype(np.int8 if machine.layers[0].is_discrete else machine.dtype)
    energy = estimate(-np.asarray(machine.log_weight(state), np.float64)[:, None])
    return Drawn(rows, 1.0, "draw", 1, 1.0, ess, energy, bool(ess >= n / 2), log_w)


def _by_draws(sampler: Any, model: Any, view: Any, n: int, key: Array) -> Drawn:
    """Any sampler of the protocol: its chains, thermalised where that is measured, and a draw at a time."""
    from intertwine.sampling.thermalise import thermalise

    begin, warm, run, pick = jax.random.split(key, 4)
    state = sampler.init(view, key=begin)
    chains = getattr(sampler, "chains", 1)
    draws = -(-n // chains)
    if isinstance(sampler, OrbitEnumeration):
        raise fail("sampler", "one that draws configurations, not orbits", sampler, "use Enumeration()")
    if isinstance(sampler, Enumeration):
        return _chosen(sampler, model, view, state, n, pick)
    before = 0
    if getattr(sampler, "distribution", "born") == "born":
        state, report = thermalise(sampler, view, state, key=warm)
        before = report.draws
    else:
        before = getattr(sampler, "burn_in", 0) // max(getattr(sampler, "steps", 1), 1)
    samples, state = sampler.sample(view, state, draws, key=run)
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
    rows = spins[:, :draws].swapaxes(0, 1).reshape(chains * draws, -1)[:n]
    worth = n if draws == 1 else min(n, n / tau)
    mixed = bool(before >= LEAST_TAUS * tau and r_hat < R_HAT_LIMIT)
    turns = chains if draws > 1 else 1
    return Drawn(_in_units(model, rows), tau, "draw", 1, r_hat, float(worth), energy, mixed, chains=turns)


def _watched(model: Any, view: Any, sampler: Any, spins: Any) -> np.ndarray:
    """−ln of the probability, and the order parameter m of spin models and m²: (quantities, chains, draws).
    Chains that are stuck in states of opposite m have the same energy and m²."""
    found = [-_log_weight(view, sampler, spins)]
    if isinstance(model, Ising | Potts | Clock):
        found += list(np.asarray(_order(model, jnp.asarray(spins)), np.float64))
    return np.stack(found)


@jax.jit
def _order(model: Any, spins: Any) -> Any:
    """m², and the components of m, (quantities, chains, draws)."""
    return jnp.concatenate([model.order_squared(spins)[None], jnp.moveaxis(model.order(spins), -1, 0)])


def _log_weight(view: Any, sampler: Any, spins: Any) -> np.ndarray:
    """ln of the unnormalised probability that was sampled, (chains, draws)."""
    if getattr(sampler, "distribution", "born") == "boltzmann":
        return np.asarray(_values(view, spins), np.float64)
    return np.asarray(log_density(view, spins), np.float64)


@jax.jit
def _values(model: Any, spins: Any) -> Array:
    """ln Ψ of configurations (chains, draws, N)."""
    return jax.vmap(jax.vmap(model))(spins)


def _chosen(sampler: Enumeration, model: Any, view: Any, state: Any, n: int, key: Array) -> Drawn:
    """Independent samples from the exact probabilities."""
    samples, _ = sampler.sample(view, state, 1, key=key)
    assert samples.weights is not None
    p = np.asarray(samples.weights[0], np.float64)
    seeds = np.asarray(jax.random.bits(key, (4,), np.uint32))
    index = np.random.default_rng(seeds).choice(len(p), n, p=p / p.sum())
    rows = np.asarray(samples.configurations)[0][index]
    energy = estimate(-_log_weight(view, sampler, rows)[:, None])
    return Drawn(_in_units(model, rows), 1.0, "draw", 1, 1.0, float(n), energy, True)


def _in_units(model: Any, spins: np.ndarray) -> np.ndarray:
    return (spins > 0).astype(np.int8) if getattr(model, "units", "spin") == "binary" else spins


def _downwards(model: Any, n: int, sampler: Any, distribution: str | None, key: Array) -> Drawn:
    """Ancestral samples of a deep belief network below its top RBM."""
    if getattr(sampler, "clamped", None) is not None:
        raise fail("sampler", "one without clamped units for a deep belief network", "clamped")
    first, second = jax.random.split(key)
    top = sample(model.top, n, sampler=sampler, distribution=distribution, key=first)
    states = model.descend(np.asarray(top).astype(model.top.weights.dtype), key=second)
    visible = np.asarray(states[0])
    rows = visible.astype(np.int8) if model.visible_layer.is_discrete else visible
    return replace(top, configurations=rows)
