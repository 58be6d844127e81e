r"""Where the modes of a machine of layers are, and how much of it lies in each.

Chains of Gibbs sampling stay in the modes that they meet first, and a path from independent units leads them
to the widest one. So modes are looked for by ascents of the mean-field free energy

    ln Z ≥ Σ_even [b·m + A(θ) − θ·m] + Σ_odd A(f(m)),      m = A'(θ),  θ = b + W A'(f(m))

from many beginnings: hidden patterns of every density, each hidden unit by itself, ends of annealed chains,
and given configurations (data, persistent chains). A fixed point that chains soon leave is no mode. The modes
that stand are a mixture of products of units, from which annealed chains (`models.tempered`) find the share
of each with its error, whatever lies between them. What no ascent meets cannot be seen: where modes have been
met once only, there are more of them (Good 1953), and `unseen` says how much the ones met once weigh.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from numpy.typing import ArrayLike

from intertwine._caveats import caveat
from intertwine.models.machines.base_rate import base_rate
from intertwine.models.machines.layered import LayeredMachine, State
from intertwine.models.machines.product_mixture import ProductMixture
from intertwine.models.machines.tempered import tempered_path
from intertwine.sampling.gibbs.sweeps import run
from intertwine.sampling.walk import walk

BEGINNINGS = 128
"""Of each kind: hidden patterns, single hidden units, configurations given."""
ASCENT = 100
MOST_MODES = 64
MOST_NATS = 15.0
"""Fixed points that lie so far below the highest are left out."""
STAYING, STAYING_CHAINS = 60, 4
"""Sweeps for which chains must stay near a fixed point, and how many try."""
WALK, WALKERS = 300, 192
FLOOR = 0.02
LEAST_SHARE = 1e-3
"""Of a mode in a mixture that samples are drawn from."""
LEAST_ESS = 0.1
"""Weights are flattened until this share of the walkers counts."""
LEAST_WALKERS, UNSEEN = 20, 0.02
"""Walkers that must count for the shares of modes to be judged by; the share of modes met once only above
which others are taken to be missing."""
FAR_SHARES = 4.0
"""Errors that the shares of a mode in samples and in the machine may differ by."""


class Modes(NamedTuple):
    """mixture: of the modes, by their shares. means: of the visible units in each, (K, N). shares, errors:
    of the distribution in each mode, (K,). unseen: the share of modes that were met once only. ess: share of
    the walkers that count."""

    mixture: ProductMixture
    means: np.ndarray
    shares: np.ndarray
    errors: np.ndarray
    unseen: float
    ess: float

    def nearest(self, rows: ArrayLike) -> np.ndarray:
        """The likeliest mode of each row (rows, N), int."""
        return np.asarray(_labels(self.mixture, jnp.asarray(rows, self.mixture.fields.dtype)))

    def inside(self, rows: ArrayLike) -> np.ndarray:
        """1 where a row (rows, N) lies in a mode, else 0: (rows, K)."""
        return np.eye(len(self.means))[self.nearest(rows)]

    def compared(self, of_samples: np.ndarray, errors_of_samples: np.ndarray) -> ModeShares:
        """The shares of the modes in the machine beside those in samples of it, (K,)."""
        return ModeShares(self.shares, self.errors, of_samples, errors_of_samples, self.unseen, self.ess)


class ModeShares(NamedTuple):
    """The share of each mode in the machine and in samples of it, with their errors, (K,). unseen, ess: as in
    `Modes`."""

    shares: np.ndarray
    errors: np.ndarray
    of_samples: np.ndarray
    errors_of_samples: np.ndarray
    unseen: float
    ess: float

    @property
    def judged(self) -> bool:
        """Whether the shares in the machine are known well enough to judge samples by."""
        return self.ess * WALKERS >= LEAST_WALKERS and self.unseen <= UNSEEN

    def caveats(self, remedy: str) -> tuple[str, ...]:
        """What is to be said of the samples: that their shares are not those of the machine, or that nothing
        judges them; () where they agree.

        >>> found = ModeShares(*np.array([[0.5, 0.5], [0.01, 0.01], [0.4, 0.6], [0.01, 0.01]]), 0.0, 1.0)
        >>> found.caveats("sample longer")
        ('chains-disagree: 40 % of the samples lie in one of 2 modes that weighs 50 ± 1 %; sample longer',)
        >>> found._replace(unseen=0.5).judged
        False
        """
        count = len(self.shares)
        if not self.judged:
            words = f"the machine has {count} modes or more, and nothing tells the share of each"
            return (caveat("unjudged", f"{words}: not known whether the samples have met all"),)
        errors = np.sqrt(self.errors**2 + self.errors_of_samples**2 + 1e-6)
        far = np.abs(self.of_samples - self.shares) / errors
        worst = int(far.argmax())
        if far[worst] <= FAR_SHARES:
            return ()
        words = f"{100 * self.of_samples[worst]:.3g} % of the samples lie in one of {count} modes that weighs"
        weight = f"{100 * self.shares[worst]:.3g} ± {100 * self.errors[worst]:.1g} %"
        return (caveat("chains-disagree", f"{words} {weight}; {remedy}"),)


def find_modes(machine: LayeredMachine, *, starts: ArrayLike | None = None, key: Array) -> Modes | None:
    """The modes of `machine`, or None where there is one only.

    starts: configurations (rows, N) that may lie in modes, such as data, or a list of several such arrays.
    """
    keys = jax.random.split(key, 4)
    rng = np.random.default_rng(int(jax.random.bits(key, dtype=jnp.uint32)))
    begun = [_beginnings(machine, rng, keys[0]), _walked(machine, keys[1]), _given(machine, starts)]
    means, values = _ascents(machine, np.concatenate(begun))
    near = _nearness(machine)
    found, hits = _distinct(means, values, near)
    if len(found) > 1:
        found, hits = _standing(machine, found, hits, near, keys[2])
    if len(found) < 2:
        return None
    return _weighed(machine, found, hits, keys[3])


EasyEnd = tuple[Array, ...] | ProductMixture
"""Where tempered and annealed chains begin: biases of every layer, or a mixture."""


def easy_end(machine: LayeredMachine, key: Array) -> EasyEnd:
    """Where tempered and annealed chains of `machine` begin, its modes being searched."""
    return easy_end_over(machine, find_modes(machine, key=key))


def easy_end_over(machine: LayeredMachine, modes: Modes | None) -> EasyEnd:
    """The mixture over the modes of `machine`, by their shares; its own biases where there is one only."""
    if modes is None:
        return machine.biases
    shares = jnp.asarray(np.log(np.maximum(modes.shares, LEAST_SHARE)), machine.dtype)
    return ProductMixture(modes.mixture.fields, jax.nn.log_softmax(shares), modes.mixture.layer)


def _beginnings(machine: LayeredMachine, rng: np.random.Generator, key: Array) -> np.ndarray:
    """Visible means given hidden patterns of every density, and given each hidden unit by itself."""
    size = machine.layers[1].size
    level = np.broadcast_to(rng.uniform(-4, 4, (BEGINNINGS, 1)), (BEGINNINGS, size))
    alone = np.full((BEGINNINGS, size), -6.0)
    alone[np.arange(BEGINNINGS), rng.permutation(size)[np.arange(BEGINNINGS) % size]] = 6.0
    return np.concatenate(
        [
            np.asarray(x)
            for x in _downwards(machine, *(jnp.asarray(f, machine.dtype) for f in (level, alone)), key)
        ]
    )


@jax.jit
def _downwards(machine: LayeredMachine, level: Array, alone: Array, key: Array) -> tuple[Array, Array]:
    """Visible means of hidden draws in the fields `level`, and of hidden means in the fields `alone`."""
    first, *others = machine.side(1)
    rest = [layer.mean(jnp.zeros((len(level), layer.size), level.dtype)) for layer in others]

    def down(h: Array) -> Array:
        return machine.layers[0].mean(machine.fields((h, *rest), 0)[0])

    return down(first.sample(level, key=key)), down(first.mean(alone))


def _walked(machine: LayeredMachine, key: Array) -> np.ndarray:
    """Ends of annealed chains from units without a field, and from those in the model's biases."""
    ends = []
    for number, base in enumerate((None, machine.biases)):
        path = tempered_path(machine, base)
        start = path.start((BEGINNINGS // 2,), key=jax.random.fold_in(key, 2 * number))
        state, _ = walk(path, None, start, jax.random.fold_in(key, 2 * number + 1), WALK)
        ends.append(np.asarray(state[0]))
    return np.concatenate(ends)


def _given(machine: LayeredMachine, starts: ArrayLike | None) -> np.ndarray:
    """The configurations given, evenly chosen, always as many."""
    found = [np.zeros((0, machine.size))]
    for rows in starts if isinstance(starts, list) else [] if starts is None else [starts]:
        rows = np.asarray(rows)
        found.append(rows[np.linspace(0, len(rows) - 1, 2 * BEGINNINGS).astype(int)].astype(np.float64))
    return np.concatenate(found)


def _ascents(machine: LayeredMachine, visible: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """`_ascended` of any number of rows, so many at a time that one program serves."""
    found = []
    for begin in range(0, len(visible), BEGINNINGS):
        rows = visible[begin : begin + BEGINNINGS]
        whole = np.pad(rows, ((0, BEGINNINGS - len(rows)), (0, 0)), mode="edge")
        found.append(
            [np.asarray(x)[: len(rows)] for x in _ascended(machine, jnp.asarray(whole, machine.dtype))]
        )
    means, values = (np.concatenate(x) for x in zip(*found, strict=True))
    return means, values


@jax.jit
def _ascended(machine: LayeredMachine, visible: Array) -> tuple[Array, Array]:
    """Fixed points of the mean-field equations above these visible means (S, N), and their free energies."""
    even = [visible] + [
        layer.mean(jnp.zeros((len(visible), layer.size), visible.dtype)) for layer in machine.side(0)[1:]
    ]

    def upward(state: State) -> tuple[State, State]:
        fields = machine.fields(state, 1)
        return fields, tuple(layer.mean(f) for layer, f in zip(machine.side(1), fields, strict=True))

    def step(_: State, state: State) -> State:
        _, odd = upward(state)
        return tuple(layer.mean(f) for layer, f in zip(machine.side(0), machine.fields(odd, 0), strict=True))

    state = jax.lax.fori_loop(0, ASCENT, step, tuple(even))
    on_odd, odd = upward(state)
    fields = machine.fields(odd, 0)
    value: Any = sum(layer.log_partition(f) for layer, f in zip(machine.side(1), on_odd, strict=True))
    for layer, bias, field in zip(machine.side(0), machine.biases[0::2], fields, strict=True):
        mean = layer.mean(field)
        value = value + (mean * (bias - field)).sum(-1) + layer.log_partition(field)
    return machine.layers[0].mean(fields[0]), value


def _nearness(machine: LayeredMachine) -> np.ndarray:
    """What a column's squared difference is divided by, (N,): means closer than 1 in all are the same."""
    width = [np.full(columns, 2.0 if kind == "spin" else 1.0) for kind, columns in machine.layers[0].parts]
    sigma = np.sqrt(np.asarray(machine.layers[0].variance(), np.float64))
    return np.concatenate(width) * sigma * np.sqrt(max(1.0, 0.005 * machine.size))


def _distinct(means: np.ndarray, values: np.ndarray, near: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The different fixed points, highest first, and how often each was met."""
    good = np.isfinite(values) & np.isfinite(means).all(1)
    means, values = means[good] / near, values[good]
    order = np.argsort(-values)
    kept: list[np.ndarray] = []
    hits: list[int] = []
    for row in order:
        if values[row] < values[order[0]] - MOST_NATS:
            break
        far = ((np.asarray(kept) - means[row]) ** 2).sum(1) if kept else np.zeros(0)
        if len(far) and far.min() < 1:
            hits[int(far.argmin())] += 1
        elif len(kept) < MOST_MODES:
            kept.append(means[row])
            hits.append(1)
    return np.asarray(kept).reshape(len(kept), len(near)) * near, np.asarray(hits)


def _standing(
    machine: LayeredMachine, means: np.ndarray, hits: np.ndarray, near: np.ndarray, key: Array
) -> tuple[np.ndarray, np.ndarray]:
    """The fixed points that most chains of Gibbs sampling stay with."""
    count = len(means)
    fields = np.zeros((MOST_MODES, machine.size))
    fields[:count] = [base_rate(machine.layers[0], m, floor=1e-3) for m in means]
    first, second = jax.random.split(key)
    spread = jnp.asarray(np.repeat(fields, STAYING_CHAINS, axis=0), machine.dtype)
    visible = machine.layers[0].sample(spread, key=first)
    others = [
        layer.sample(jnp.zeros((len(visible), layer.size), machine.dtype), key=jax.random.fold_in(first, k))
        for k, layer in enumerate(machine.side(0)[1:])
    ]
    ends = run(machine, None, (visible, *others), second, STAYING)[0]
    back = _ascents(machine, np.asarray(ends)[: count * STAYING_CHAINS])[0]
    far = (((back[:, None] - means[None]) / near) ** 2).sum(-1)
    there = (far.argmin(1) == np.repeat(np.arange(count), STAYING_CHAINS)) & (far.min(1) < 1)
    stay = there.reshape(count, STAYING_CHAINS).mean(1) > 0.5
    return means[stay], hits[stay]


def _weighed(machine: LayeredMachine, means: np.ndarray, hits: np.ndarray, key: Array) -> Modes:
    """The modes with their shares, by annealed chains from their mixture: twice, the second time with the
    shares and the means that the first found."""
    shares = np.full(len(means), 1 / len(means))
    errors, ess, mixture = shares, 0.0, _mixture(machine, means, shares)
    for number in range(2):
        first, second = jax.random.split(jax.random.fold_in(key, number))
        path = tempered_path(machine, mixture)
        state, log_w = walk(path, None, path.start((WALKERS,), key=first), second, WALK)
        weights, ess = _flattened(np.asarray(log_w, np.float64))
        ends = jnp.asarray(state[0])
        label = np.asarray(_labels(mixture, ends))
        inside = np.eye(len(means))[label]
        shares = weights @ inside
        errors = np.sqrt(weights**2 @ (inside - shares) ** 2)
        total = (weights[:, None] * inside).T
        count = np.minimum(inside.sum(0), 1 / np.maximum((total**2).sum(1), 1e-300) * shares**2)
        pull = np.asarray(_visible_means(machine, state), np.float64)
        local = (total @ pull) / np.maximum(shares, 1e-300)[:, None]
        share = (count / (count + 2))[:, None]
        means = np.where(shares[:, None] > 1e-12, share * local + (1 - share) * means, means)
        mixture = _mixture(machine, means, 0.9 * shares + 0.1 / len(means))
    unseen = float(shares[hits == 1].sum())
    return Modes(mixture, means, shares, errors, unseen, ess)


def _mixture(machine: LayeredMachine, means: np.ndarray, shares: np.ndarray) -> ProductMixture:
    layer = machine.layers[0]
    fields = np.stack([base_rate(layer, m, floor=FLOOR) for m in means])
    dtype = machine.dtype
    return ProductMixture(jnp.asarray(fields, dtype), jnp.asarray(np.log(shares), dtype), layer)


def _flattened(log_w: np.ndarray) -> tuple[np.ndarray, float]:
    """Weights of sum 1, of which at least a tenth count, and the share that counted before."""
    flat = np.where(np.isfinite(log_w), log_w, -1e300)
    flat, first = flat - flat.max(), None
    while True:
        w = np.exp(flat)
        w /= w.sum()
        worth = 1 / (w * w).sum() / len(w)
        first = worth if first is None else first
        if worth >= LEAST_ESS:
            return w, float(first)
        flat = 0.9 * flat


@jax.jit
def _labels(mixture: ProductMixture, rows: Array) -> Array:
    """The likeliest mode by the products alone, whatever the shares."""
    return (mixture.log_joint(rows) - mixture.log_shares).argmax(-1)


@jax.jit
def _visible_means(machine: LayeredMachine, state: State) -> Array:
    odd = tuple(layer.mean(f) for layer, f in zip(machine.side(1), machine.fields(state, 1), strict=True))
    return machine.layers[0].mean(machine.fields(odd, 0)[0])
