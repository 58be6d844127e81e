r"""ln Z of a machine, with bounds and a verdict on whether the estimate can be trusted.

>>> import jax
>>> import intertwine as it
>>> from intertwine.boltzmann.objectives.exact import exact_log_partition
>>> rbm = it.RBM(12, hidden=6, units="binary", hidden_units="binary", scale=0.5, key=jax.random.key(0))
>>> found = log_partition(rbm, AIS(temperatures=200, chains=50), key=jax.random.key(1))
>>> found.trusted, bool(found.lower <= exact_log_partition(rbm) <= found.upper)
(True, True)
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from jax.typing import DTypeLike
from jaxtyping import PyTree

from intertwine._caveats import Caveat, caveat
from intertwine._checks import fail, positive_int
from intertwine.boltzmann.objectives.exact import exact_log_partition
from intertwine.boltzmann.partition.annealing import (
    Annealed,
    anneal,
    begin,
    effective_size,
    log_partition_of_base,
    resampled,
    sweeps,
)
from intertwine.boltzmann.partition.bracket import (
    bennett,
    bootstrap_error,
    delta_error,
    log_mean_exp,
    lower_bound,
    upper_bound,
)
from intertwine.boltzmann.partition.fitted_base import FittedBase, fitted_base
from intertwine.boltzmann.partition.spacing import adapted, schedule
from intertwine.models.machines.deep_belief import DBN
from intertwine.models.machines.layered import LayeredMachine, State, layered
from intertwine.models.machines.tempered import TemperedPath, tempered_path
from intertwine.models.parameters import check_key
from intertwine.models.results import as_model
from intertwine.sampling.modes import find_modes

if TYPE_CHECKING:
    from intertwine.models.machines.machine import Machine

UNSEEN = 0.02
"""Share of modes that were met once only above which others are taken to be missing."""


SURE = 1 - 1e-6
"""Confidence of the bounds of walks from other bases, so that several of them raise no false alarm."""


class UntrustedLogPartition(Caveat):
    """An estimate of ln Z that should not be quoted."""


@dataclass(frozen=True)
class LogPartition:
    """ln Z in nats.

    mean: the estimate. error: one standard deviation, the larger of bootstrap and delta method; 0 if exact.
    ess: effective sample size of as many weights as there are chains, the smaller one of both directions.
    lower, upper: bounds, each with 99.95 % confidence; upper is inf without a reverse walk.
    trusted: False where the chains are worth too few, the bounds are far apart, the directions or the walks
    from other bases disagree, or a mode was found that the walks do not reach; None where nothing can judge;
    `reason` says why.
    forward, reverse: the chains' log weights (C,), float64; None if exact.
    method: how it was found.
    """

    mean: float
    error: float
    ess: float
    lower: float
    upper: float
    trusted: bool | None
    method: str
    reason: str = ""
    forward: np.ndarray | None = field(default=None, repr=False)
    reverse: np.ndarray | None = field(default=None, repr=False)

    def __str__(self) -> str:
        if self.forward is None:
            return f"ln Z = {self.mean:.10g} ({self.method})"
        bounds = f"{self.lower:.3f} ≤ ln Z ≤ {self.upper:.3f}"
        note = {True: "", None: f"; unjudged: {self.reason}"}.get(
            self.trusted, f"; not to be trusted: {self.reason}"
        )
        return (
            f"ln Z = {self.mean:.3f} ± {self.error:.3f} ({bounds}; ESS {self.ess:.0f}; {self.method}{note})"
        )

    def __float__(self) -> float:
        return float(self.mean)

    @property
    def warnings(self) -> tuple[str, ...]:
        """What qualifies the number, lines `code: sentence`; () where it is exact or trusted."""
        if self.trusted:
            return ()
        reason = self.reason or "no reason was given"
        if self.trusted is None:
            return (caveat("unjudged", f"nothing judges the estimate of ln Z: {reason}"),)
        return (caveat("untrusted", f"the estimate of ln Z is not to be trusted: {reason}"),)


@dataclass(frozen=True)
class Exact:
    """ln Z by enumeration of the smaller side: at most 2^24 configurations."""

    def log_partition(self, model: Machine, *, key: Array | None = None) -> LogPartition:
        del key
        value = exact_log_partition(model)
        return LogPartition(value, 0.0, float("inf"), value, value, True, "exact")


@dataclass(frozen=True, eq=False)
class AIS:
    """Annealed importance sampling.

    temperatures: steps from the base to the model, or the β's from 0 to 1.
    spacing: of the β's: "adapted" (denser where quick walks lose most, see `spacing`), "linear", "sigmoid".
    chains: how many, at least 4.
    base: where the path begins: "model" (independent units with the means of the model, or a mixture of them
        over its modes where it has several far apart, see `fitted_base`), an array (N,) of visible biases,
        such as `base_rate(layer, mean)` of the training data (Salakhutdinov & Murray 2008), one vector of
        biases a layer, a `ProductMixture`, or "uniform" (no fields: only for weak machines).
    reverse: also walk back from the model to the base, for the upper bound and half the error: three times
        the work. Without, nothing judges the estimate.
    starts: samples of the model (rows, N) to walk back from, such as the persistent chains of its training
        or its training data; else the ends of the walk there, resampled by their weights, for which twice as
        many chains walk there. Modes are looked for near them too.
    known: configurations (rows, N) near which modes are looked for, and no more, such as training data.
    mixing: Gibbs sweeps from the starts before the walk back; a tenth of the temperatures if None.
    least_ess: smallest trusted effective sample size, as a share of the chains. widest: the widest trusted
        bracket, nats.

    Raises InputError for values out of range.
    """

    temperatures: Any = 10_000
    chains: int = 100
    base: Any = "model"
    spacing: str = "adapted"
    reverse: bool = True
    starts: Any = None
    known: Any = None
    mixing: int | None = None
    least_ess: float = 0.2
    widest: float = 1.0

    def __post_init__(self) -> None:
        schedule(self.temperatures, self.spacing)
        if positive_int("chains", self.chains, "give how many, for example 100") < 4:
            raise fail("chains", "at least 4, for error bars", self.chains)
        if isinstance(self.base, str) and self.base not in ("model", "uniform"):
            raise fail("base", "'model', 'uniform', or biases, or a mixture", self.base)

    def log_partition(self, model: Machine, *, key: Array) -> LogPartition:
        machine = layered(model)
        _check_finite(machine)
        keys = jax.random.split(check_key(key), 7)
        betas = schedule(self.temperatures, self.spacing)
        fitted, path = self._path(machine, len(betas) - 1, keys[0])
        if self.spacing == "adapted" and np.ndim(self.temperatures) == 0:
            betas = adapted(path, len(betas) - 1, self.chains, key=keys[5])
        offset = log_partition_of_base(path)
        own_starts = self.reverse and self.starts is None
        walkers = 2 * self.chains if own_starts else self.chains
        there = anneal(path, betas, begin(path, walkers, keys[1]), key=keys[2])
        forward = offset + there.log_weights()
        if not self.reverse:
            return self._judged(forward, None, betas, machine.dtype)
        starts = self._starts(machine, there, forward, len(betas) - 1, keys[3])
        back = anneal(path, betas[::-1], starts, key=keys[4])
        doubt = _doubt_of_modes(fitted) or self._missed(
            machine, path, betas, offset, fitted, there, forward, keys[6]
        )
        return self._judged(forward, offset - back.log_weights(), betas, machine.dtype, fitted.walks, doubt)

    def _path(self, machine: LayeredMachine, steps: int, key: Array) -> tuple[FittedBase, TemperedPath]:
        """What is known of the machine, and the path."""
        if isinstance(self.base, str) and self.base == "model":
            pilot = int(np.clip(steps // 5, 200, 1000))
            fitted = fitted_base(
                machine, chains=self.chains, steps=pilot, key=key, starts=self._given(machine)
            )
        else:
            base = None if isinstance(self.base, str) else self.base
            modes = find_modes(machine, starts=self._given(machine), key=key) if self.reverse else None
            fitted = FittedBase(base, modes, ())
        return fitted, tempered_path(machine, fitted.base)

    def _given(self, machine: LayeredMachine) -> list[np.ndarray]:
        """`starts` and `known`, checked."""
        found = []
        for name, rows in (("starts", self.starts), ("known", self.known)):
            if rows is None:
                continue
            given = np.asarray(rows)
            machine.layers[0].check(given, name)
            if given.ndim != 2 or len(given) == 0:
                raise fail(name, "samples (rows, N)", f"shape {given.shape}")
            found.append(given)
        return found

    def _missed(
        self,
        machine: LayeredMachine,
        path: TemperedPath,
        betas: np.ndarray,
        offset: float,
        fitted: FittedBase,
        there: Annealed,
        forward: np.ndarray,
        key: Array,
    ) -> str:
        """Whether the walk from a base that was given leaves out modes that are found in other ways.

        Walks back from one mode k have −ln E[1/w] = ln Z + ln(s_k/F_k), with the share s_k of the model in it
        and the share F_k of the walks there that end in it: a mode that few end in must weigh little.
        """
        modes = fitted.modes
        if modes is None or path.mixture is not None:
            return ""
        first, second, third = jax.random.split(key, 3)
        visible = modes.mixture.evenly().sample((self.chains,), key=first)
        state = sweeps(machine, self._completed(machine, visible, first), max(1, len(betas) // 10), second)
        back = offset - anneal(path, betas[::-1], state, key=third).log_weights()
        ends, begun = modes.nearest(there.state[0]), modes.nearest(state[0])
        mean = float(log_mean_exp(forward))
        for mode in np.unique(begun):
            arrived = max(float((ends == mode).mean()), 1 / len(ends))
            share = arrived * np.exp(min(-float(log_mean_exp(-back[begun == mode])) - mean, 50.0))
            if share > 4 * arrived + 0.02:
                return (
                    f"a mode that {100 * arrived:.2g} % of the walks end in weighs more than all they find; "
                    "leave base='model', which covers it, or give a mixture over the modes as the base"
                )
        return ""

    def _starts(
        self, machine: LayeredMachine, there: Annealed, forward: np.ndarray, steps: int, key: Array
    ) -> State:
        keys = jax.random.split(key, 3)
        seed = int(jax.random.bits(keys[0], dtype=jnp.uint32))
        rng = np.random.default_rng(seed)
        if self.starts is None:
            rows = rng.permutation(resampled(forward, rng))[: self.chains]
            state = tuple(np.asarray(x)[rows] for x in there.state)
        else:
            given = self._given(machine)[0]
            rows = rng.choice(len(given), self.chains, replace=len(given) < self.chains)
            state = self._completed(machine, jnp.asarray(given[rows], machine.dtype), keys[1])
        count = max(1, steps // 10) if self.mixing is None else int(self.mixing)
        return sweeps(machine, state, count, keys[2])

    @staticmethod
    def _completed(machine: LayeredMachine, v: Array, key: Array) -> State:
        """Even layers with these visible ones; the others as they come, from zero fields."""
        keys = jax.random.split(key, len(machine.side(0)))
        others = [
            layer.sample(jnp.zeros((len(v), layer.size), machine.dtype), key=k)
            for layer, k in zip(machine.side(0)[1:], keys[1:], strict=True)
        ]
        return (v, *others)

    @staticmethod
    def _rounding(forward: np.ndarray, betas: np.ndarray, dtype: DTypeLike) -> float:
        """What rounding may add up to over the way: independent roundings of the fields and of the steps."""
        return float(4 * np.finfo(dtype).eps * (1 + np.abs(forward).max() + np.sqrt(len(betas))))

    def _judged(
        self,
        forward: np.ndarray,
        reverse: np.ndarray | None,
        betas: np.ndarray,
        dtype: DTypeLike,
        others: tuple[np.ndarray, ...] = (),
        doubt: str = "",
    ) -> LogPartition:
        """The estimate with its bounds, and whether to trust it. others: log weights of walks along other
        paths. doubt: what is known against it already."""
        walks = [forward] if reverse is None else [forward, -reverse]
        if not all(np.isfinite(walk).all() for walk in walks):
            raise fail(
                "temperatures",
                "steps that change the weights by less than e^80",
                "log weights that are not finite",
                "use more of them",
            )
        ess = min(effective_size(walk) * self.chains / len(walk) for walk in walks)
        rounding = self._rounding(forward, betas, dtype)
        lower = lower_bound(forward) - rounding
        independent = effective_size(forward) if self.starts is None else None
        upper = float("inf")
        if reverse is not None:
            upper = upper_bound(reverse, independent=independent) + rounding
        mean = float(log_mean_exp(forward) if reverse is None else bennett(forward, reverse))
        error = bootstrap_error(forward, reverse, len(betas), independent)
        if independent is not None or reverse is None:
            error = max(error, delta_error(forward))
        error = max(error, rounding)
        reason = self._doubt(forward, reverse, ess, lower, upper) or _doubt_of_others(others, upper) or doubt
        trusted: bool | None = not reason
        if trusted and reverse is None:
            trusted, reason = None, "walks one way cannot tell that they leave out modes; give reverse=True"
        method = f"AIS, {len(betas) - 1} temperatures × {self.chains} chains"
        found = LogPartition(mean, error, ess, lower, upper, trusted, method, reason, forward, reverse)
        if trusted is False:
            warnings.warn(f"log Z by AIS cannot be trusted: {reason}.", UntrustedLogPartition, stacklevel=4)
        return found

    def _doubt(
        self, forward: np.ndarray, reverse: np.ndarray | None, ess: float, lower: float, upper: float
    ) -> str:
        more = "use more temperatures"
        if lower > upper:
            return f"the walk back ends {lower - upper:.2g} nats below the walk there; give starts that mix"
        if ess < self.least_ess * self.chains:
            return f"{self.chains} chains are worth {ess:.1f}; {more}"
        if reverse is not None and upper - lower > self.widest:
            return f"the bounds are {upper - lower:.2g} nats apart; {more}"
        if reverse is not None:
            gap = float(log_mean_exp(forward) + log_mean_exp(-reverse))
            error = float(np.hypot(delta_error(forward), delta_error(-reverse)))
            if abs(gap) > 4 * error + 1e-3:
                return f"there and back differ by {abs(gap):.2g} nats with an error of {error:.2g}; {more}"
        return ""


def log_partition(model: Machine, method: PyTree = None, *, key: Array | None = None) -> LogPartition:
    """ln Z of an RBM or of a deep Boltzmann machine of any depth, nats; of a deep belief network, that of the
    RBM on top, which is all that its likelihood needs.

    method: `Exact()`, or `AIS(temperatures=10_000, chains=100)`, the default.
    key: for AIS.

    Raises InputError for models that have no layers, parameters that are not finite, a missing key, and
    sums that are too large. Warns `UntrustedLogPartition` where the estimate should not be quoted.
    """
    model = as_model(model)
    method = AIS() if method is None else method
    if not hasattr(method, "log_partition"):
        raise fail("method", "it.AIS(...) or it.Exact()", method)
    if key is None and not isinstance(method, Exact):
        raise fail("key", "a random key, for annealing", None, "for example jax.random.key(0)")
    return method.log_partition(model.top if isinstance(model, DBN) else model, key=key)


def _doubt_of_modes(fitted: FittedBase) -> str:
    """Whether there are likely to be modes that nothing has met."""
    if fitted.modes is None or fitted.modes.unseen <= UNSEEN:
        return ""
    return (
        f"modes that weigh {100 * fitted.modes.unseen:.2g} % were met once only, so that others may not have "
        "been met; give starts that lie in the modes, such as the training data"
    )


def _doubt_of_others(walks: tuple[np.ndarray, ...], upper: float) -> str:
    """Whether a walk from another base finds more than the bracket has."""
    most = max((lower_bound(walk, SURE) for walk in walks), default=-np.inf)
    if most <= upper:
        return ""
    return f"walks from another base find {most - upper:.2g} nats more; give starts that lie in the modes"


def _check_finite(machine: LayeredMachine) -> None:
    if not all(np.isfinite(np.asarray(x)).all() for x in jax.tree.leaves(machine)):
        raise fail("model", "finite parameters", "NaN or infinity", "training has diverged; use a checkpoint")
