r"""A lower bound on the mutual information of a block's coarse spins and its environment, from samples.

    I(H; E) ≥ bound(critic) on held-out configurations,    critic trained on the others     (`block_critic`)

The critic never sees the configurations that it is measured on, so that the expectation of the estimate is a
lower bound whatever the critic has learned; its error bar includes the autocorrelation of the chains. On the
square lattice with nearest neighbours one layer of environment is as good as all of it (Markov). The
estimator of Koch-Janusz & Ringel (2018) trained two RBMs instead; Gökmen et al., Phys. Rev. E 104, 064106
(2021), use InfoNCE.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from jaxtyping import Int8
from numpy.typing import ArrayLike

from intertwine._checks import fail, one_of, positive_int
from intertwine._keys import key_words
from intertwine._shown import Shown
from intertwine.learning.batches import Batches
from intertwine.learning.gradient import OptaxGradient
from intertwine.learning.loop import train
from intertwine.learning.stream import OverBatches
from intertwine.models.parameters import check_key
from intertwine.rg.blocks.chains import chains_of
from intertwine.rg.information.block_critic import (
    CRITICS,
    METHODS,
    BlockCritic,
    Critic,
    InformationObjective,
    Method,
    TableRule,
    held_out_values,
)
from intertwine.rg.information.block_window import BlockWindow
from intertwine.rg.information.mutual_information import window_table
from intertwine.sampling.statistics.estimate import Estimate, estimate
from intertwine.spaces.lattice import Lattice

if TYPE_CHECKING:
    from intertwine.rg.information.block_critic import FilterRule

MOST_PLACES = 256
"""Placements of the block over which held-out configurations are averaged, at most."""


@dataclass(frozen=True, repr=False)
class InformationBound(Shown):
    """information: the bound in nats, an `Estimate` over held-out configurations. method: "infonce" or "nwj".
    limit: the largest value that it can take, ln K for InfoNCE with K held-out configurations (inf for NWJ).
    history: scalars along the training, `step` and the bound on training batches, `information`."""

    information: Estimate
    method: str
    limit: float
    history: tuple[dict[str, float], ...]

    def __str__(self) -> str:
        return f"I(H; E) ≥ {self.information} nats ({self.method}, at most {self.limit:.2f})"


@dataclass(frozen=True)
class Training:
    """How a critic, and a rule with it, is trained.

    method: the bound. critic: "network" (two hidden layers of `width`) or "bilinear". steps: updates of Adam
    at `learning_rate`, falling to 0 as a cosine. batch: configurations an update. held_out: the share of
    every chain, at its end, that the bound is measured on.
    """

    method: Method = "infonce"
    critic: str = "network"
    width: int = 32
    steps: int = 2000
    batch: int = 1000
    learning_rate: float = 5e-3
    held_out: float = 0.3

    def __post_init__(self) -> None:
        one_of("method", self.method, METHODS)
        one_of("critic", self.critic, CRITICS)
        for name in ("width", "steps", "batch"):
            positive_int(name, getattr(self, name))
        if self.batch < 2:
            raise fail("batch", "at least 2 configurations, to have a negative sample", self.batch)
        if not 0 < self.learning_rate < math.inf:
            raise fail("learning_rate", "a positive number", self.learning_rate)
        if not 0 < self.held_out < 1:
            raise fail("held_out", "a share between 0 and 1", self.held_out)

    def run(
        self,
        rule: TableRule | FilterRule,
        states: int,
        spins: Int8[np.ndarray, "C D N"],
        window: BlockWindow,
        *,
        learned: bool,
        tau: float | None,
        key: Array,
        progress: Callable[[dict[str, float]], object] | None = None,
    ) -> tuple[BlockCritic, InformationBound]:
        """The trained pair of rule and critic, and its bound. spins: chains of draws. tau: their
        autocorrelation time in draws, where it is known."""
        critic_key, order_key, run_key = jax.random.split(key, 3)
        chains, draws, sites = spins.shape
        kept = draws - max(2, round(draws * self.held_out))
        if kept < 2:
            raise fail("spins", "at least 4 configurations a chain", draws, "take longer chains")
        critic = Critic(self.critic, window.outside.shape[1], states, self.width, key=critic_key)
        rows = np.ascontiguousarray(spins[:, :kept]).reshape(-1, sites)
        seed = int(key_words(order_key)[-1])
        objective = InformationObjective(window, self.method, learned, self.steps // 2 if learned else 0)
        stream = OverBatches(objective, Batches(rows, self.batch, seed=seed))
        state, history = train(
            BlockCritic(rule, critic),
            stream,  # type: ignore[arg-type]
            _adam(self.learning_rate, self.steps),
            steps=self.steps,
            key=run_key,
            progress=None if progress is None else lambda _, scalars: progress(scalars),
        )
        held = np.ascontiguousarray(spins[:, kept:]).reshape(-1, sites)
        places = np.random.default_rng(seed).permutation(len(window.inside))[:MOST_PLACES]
        values = held_out_values(state.model, held, window, self.method, places)
        limit = math.log(len(held)) if self.method == "infonce" else math.inf
        measured = estimate(values.reshape(chains, -1), tau=tau)
        return state.model, InformationBound(measured, self.method, limit, tuple(history))


def mutual_information_bound(
    spins: ArrayLike,
    rule: TableRule | FilterRule,
    lattice: Lattice | None = None,
    *,
    block: int = 2,
    buffer: int = 1,
    environment: int | None = 1,
    training: Training | None = None,
    samples: int = 10_000,
    key: Array,
    progress: Callable[[dict[str, float]], object] | None = None,
) -> InformationBound:
    """A lower bound on I(H; E) of a given rule.

    spins: ±1, (draws, N) of one chain or (chains, draws, N), of a distribution that is the same at every
    cell; or an `Ising` model, of which `samples` configurations are drawn. rule: weights,
    table or blocking rule, as in `mutual_information`. lattice: None is the one of the model, or that
    `it.sample` gave along. block, buffer, environment: see `BlockWindow`. training: see `Training`. progress:
    called with the scalars of every chunk of updates.

    Raises InputError for spins that are not ±1, and where rule, lattice and spins do not fit.

    >>> from intertwine.models.spins.ising import Ising
    >>> from intertwine.spaces.lattices import Square
    >>> ising = Ising(Square(6, 6), K=0.4406867935)
    >>> quick = Training(steps=300, batch=200)
    >>> found = mutual_information_bound(
    ...     ising, np.ones(4), training=quick, samples=2000, key=jax.random.key(0))
    >>> bool(0.3 < found.information.mean < 0.52), found.method
    (True, 'infonce')
    """
    draw_key, run_key = jax.random.split(check_key(key))
    chains, lattice, tau = chains_of(spins, lattice, samples, key=draw_key)
    window = BlockWindow(lattice, block, buffer, environment)
    table = window_table(rule, window)
    training = Training() if training is None else training
    fixed = TableRule(jnp.asarray(table, jnp.float32))
    _, bound = training.run(
        fixed, len(table), chains, window, learned=False, tau=tau, key=run_key, progress=progress
    )
    return bound


@lru_cache(maxsize=8)
def _adam(learning_rate: float, steps: int) -> OptaxGradient:
    """One object for each setting, so that it is compiled once."""
    import optax

    return OptaxGradient(optax.adam(optax.cosine_decay_schedule(learning_rate, steps)))
