r"""Parallel tempering of Ising models by packed heat bath: all rungs of a ladder in one word.

Rung r of a ladder samples p_r ∝ Ψ^{β_r}, β_1 < … < β_R = 1, by heat bath; after every sweep neighbouring
rungs swap their configurations with probability

    min(1, exp{(β_r − β_{r+1}) [ln Ψ(s_{r+1}) − ln Ψ(s_r)]}),

the pairs (1, 2), (3, 4), … and (2, 3), (4, 5), … in turn (Swendsen & Wang, Phys. Rev. Lett. 57, 2607, 1986;
Hukushima & Nemoto, J. Phys. Soc. Jpn. 65, 1604, 1996). Without a field that is a ladder of couplings K_r =
β_r K. A system has a bit of a word of 64, with a temperature of its own at no cost (`packed_plan`), and a
round of swaps costs less than a sweep.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from jaxtyping import Float, Int8, Int32, Int64
from numpy.typing import ArrayLike

from intertwine import _threads
from intertwine._checks import fail, positive_int
from intertwine._keys import key_words
from intertwine.models.spins.ising import Ising
from intertwine.sampling.metropolis.tempering import checked_powers
from intertwine.sampling.protocols import Samples
from intertwine.sampling.spins.heat_bath import PACKED, check_spins
from intertwine.sampling.spins.packed_plan import PackedPlan, packed_plan, threshold_words
from intertwine.sampling.spins.packed_systems import class_starts, generators, packed_words, unpacked


class TemperedHeatBathState(NamedTuple):
    """Where the rungs are, and what the swaps of the last call did.

    configurations: int8 spins ±1, (chains, R, N), by ascending β. came_from: int8 (chains, R), 1 if the state
    was last at the first rung, −1 at the last, 0 at neither. parity: int32 (), the pairs that come next.
    swap_acceptance: mean probability of the swaps of rungs r and r + 1, (R−1,); nan before the first call and
    without swaps. round_trips: round trips of a chain in a sweep, (); likewise.
    """

    configurations: Int8[Array, "chains R N"]
    came_from: Int8[Array, "chains R"]
    parity: Int32[Array, ""]
    swap_acceptance: Float[Array, "pairs"]
    round_trips: Float[Array, ""]


class LadderSums(NamedTuple):
    """What was summed over the lattice on every rung, after every round.

    betas: (R,). log_weight: ln Ψ at β = 1, float64 (R, chains, draws): the sample of rung r has the weight
    e^{β_r ln Ψ}. magnetization: Σ_i s_i, int64 (R, chains, draws).
    """

    betas: Float[np.ndarray, " R"]
    log_weight: Float[np.ndarray, "R chains draws"]
    magnetization: Int64[np.ndarray, "R chains draws"]


@dataclass(frozen=True)
class TemperedHeatBath:
    """Heat bath of an `Ising` model on a ladder of temperatures, with swaps: p = Ψ/Z.

    chains: how many ladders. betas: 2 to 64 ascending powers of Ψ, the last one 1; or a number R of them,
    1/R, 2/R, …, 1. steps: sweeps, each with swaps, between draws. burn_in: sweeps before the first draw.
    swaps: False for independent chains at many temperatures.

    Models as `HeatBath` packs them; others have `ParallelTempering`. Raises InputError for powers that do not
    ascend to 1, numbers that are not positive, and other models.

    >>> from intertwine.spaces.lattices import Square
    >>> ising = Ising(Square(8, 8), K=0.6)
    >>> sampler = TemperedHeatBath(chains=8, betas=6, burn_in=200)
    >>> samples, state = sampler.sample(ising, sampler.init(ising, key=jax.random.key(0)), 50,
    ...                                 key=jax.random.key(1))
    >>> samples.configurations.shape, state.swap_acceptance.shape
    ((8, 50, 64), (5,))
    """

    chains: int = 8
    betas: int | tuple[float, ...] = 8
    steps: int = 1
    burn_in: int = 1000
    swaps: bool = True

    distribution = "boltzmann"

    def __post_init__(self) -> None:
        positive_int("chains", self.chains, "give the number of ladders")
        positive_int("steps", self.steps, "give the number of sweeps between draws")
        if isinstance(self.burn_in, bool) or not isinstance(self.burn_in, int) or self.burn_in < 0:
            raise fail("burn_in", "a number of sweeps ≥ 0", self.burn_in)
        if isinstance(self.betas, int):
            positive_int("betas", self.betas, "give the number of rungs, or their powers ending with 1")
        else:
            object.__setattr__(self, "betas", checked_powers(self.betas))
        if not 2 <= len(self.powers) <= 64:
            raise fail("betas", "2 to 64 rungs", len(self.powers), "HeatBath has one")

    @property
    def powers(self) -> tuple[float, ...]:
        """β of every rung, ascending to 1."""
        if isinstance(self.betas, int):
            return tuple((b + 1) / self.betas for b in range(self.betas))
        return self.betas

    def init(self, model: Ising, *, key: Array) -> TemperedHeatBathState:
        """Fresh ladders after `burn_in` sweeps from random spins."""
        self._planned(model)
        start, run = jax.random.split(key)
        rungs = len(self.powers)
        rng = np.random.default_rng(key_words(start))
        spins = rng.choice(np.array([-1, 1], np.int8), (self.chains, rungs, model.size))
        state = TemperedHeatBathState(
            jnp.asarray(spins),
            jnp.zeros((self.chains, rungs), jnp.int8),
            jnp.zeros((), jnp.int32),
            jnp.full(rungs - 1, jnp.nan),
            jnp.full((), jnp.nan),
        )
        if self.burn_in:
            state = self._continued(model, state, 1, self.burn_in, run, False)[2]
        return state

    def sample(
        self, model: Ising, state: TemperedHeatBathState, draws: int, *, key: Array
    ) -> tuple[Samples, TemperedHeatBathState]:
        """`draws` configurations of the rung β = 1 of every ladder, int8 (chains, draws, N)."""
        _, drawn, state = self._continued(model, state, draws, self.steps, key, True)
        assert drawn is not None
        return Samples(jnp.asarray(drawn), None, jnp.ones(())), state

    def ladder(
        self, model: Ising, state: TemperedHeatBathState, draws: int, *, key: Array
    ) -> tuple[LadderSums, TemperedHeatBathState]:
        """ln Ψ and Σ_i s_i on all rungs, `draws` times, for reweighting (`MultiHistogram`)."""
        sums, _, state = self._continued(model, state, draws, self.steps, key, False)
        return sums, state

    def _planned(self, model: Ising) -> tuple[PackedPlan, float]:
        check_spins(model)
        found = packed_plan(model)
        if found is None:
            raise fail("model", PACKED, type(model).__name__, "ParallelTempering takes others, in it.sample")
        return found

    def _continued(
        self, model: Ising, state: TemperedHeatBathState, draws: int, steps: int, key: Array, keep: bool
    ) -> tuple[LadderSums, np.ndarray | None, TemperedHeatBathState]:
        plan, coupling = self._planned(model)
        draws = positive_int("draws", draws, "give the number of configurations a chain")
        wanted, given = (self.chains, len(self.powers), model.size), state.configurations.shape
        if given != wanted:
            raise fail("state", f"configurations of shape {wanted}", given, "init")
        return _run(self, plan, coupling, state, draws, steps, key, keep)


def _run(
    sampler: TemperedHeatBath,
    plan: PackedPlan,
    coupling: float,
    state: TemperedHeatBathState,
    draws: int,
    steps: int,
    key: Array,
    keep: bool,
) -> tuple[LadderSums, np.ndarray | None, TemperedHeatBathState]:
    """The sums on all rungs, the draws at β = 1 if they are kept, and the state after them."""
    from intertwine.sampling.spins import host_packed as host
    from intertwine.sampling.spins.host_packed_ladder import run_ladder

    rng = np.random.default_rng(key_words(key))
    betas, size, chains = np.array(sampler.powers), len(plan.place), sampler.chains
    rungs, parity = len(betas), int(state.parity)
    a_word = host.LANES // rungs
    count = -(-chains // a_word)
    words = packed_words(plan, _in_words(state.configurations, a_word, 1).reshape(-1, size))
    marks = _in_words(state.came_from, a_word, 0)
    tables = threshold_words(plan, coupling, betas[np.arange(host.LANES) % rungs], host.DIGITS)[0]
    work, generator = generators(count, rng), rng.integers(0, 2**64, (count, 1, 4), dtype=np.uint64)
    log_weight, magnetization = (np.zeros((count, draws, host.LANES), t) for t in (np.float64, np.int64))
    drawn = np.empty((chains, draws, size), np.int8) if keep else None
    accepted, trips = np.zeros((count, rungs - 1)), np.zeros((count, 1))
    starts, fields = class_starts(plan), plan.fields[plan.kinds]

    def of_words(first: int, last: int) -> None:
        for w in range(first, last):
            part = slice(w * a_word, min((w + 1) * a_word, chains))
            here = part.stop - part.start
            last_rungs = rungs - 1 + rungs * np.arange(here)
            run_ladder(
                words[w], plan.place, plan.near, plan.signs, starts, plan.ends, plan.kinds, plan.bonds,
                plan.bond_signs, tables, work[w], coupling, fields, betas, here, sampler.swaps, parity,
                generator[w], marks[w], last_rungs, None if drawn is None else drawn[part], steps,
                log_weight[w], magnetization[w], accepted[w], trips[w],
            )  # fmt: skip

    _threads.over_ranges(of_words, count)
    sums = [
        np.moveaxis(_by_chain(np.moveaxis(x, 1, 2), rungs, chains), 1, 0) for x in (log_weight, magnetization)
    ]
    after = unpacked(plan, words, count * host.LANES).reshape(count, host.LANES, size)
    share, round_trips = np.full(rungs - 1, np.nan), np.nan
    if sampler.swaps:
        rounds = (draws * steps + (np.arange(rungs - 1) + parity + 1) % 2) // 2
        share = accepted.sum(0) / np.where(rounds > 0, rounds * chains, np.nan)
        round_trips = trips.sum() / (chains * draws * steps)
        parity = (parity + draws * steps) % 2
    new = TemperedHeatBathState(
        jnp.asarray(_by_chain(after, rungs, chains)),
        jnp.asarray(_by_chain(marks, rungs, chains)),
        jnp.asarray(parity, jnp.int32),
        jnp.asarray(share),
        jnp.asarray(round_trips),
    )
    return LadderSums(betas, *sums), drawn, new


def _in_words(values: ArrayLike, a_word: int, fill: int) -> np.ndarray:
    """(chains, R, …) as (words, 64, …): `a_word` chains per word, the rungs of a chain side by side."""
    found = np.asarray(values)
    chains, rungs, *rest = found.shape
    words = -(-chains // a_word)
    rows = np.full((words, 64, *rest), fill, np.int8)
    padded = np.full((words * a_word, rungs, *rest), fill, np.int8)
    padded[:chains] = found
    rows[:, : a_word * rungs] = padded.reshape(words, a_word * rungs, *rest)
    return rows


def _by_chain(rows: np.ndarray, rungs: int, chains: int) -> np.ndarray:
    """(words, 64, …) as (chains, R, …)."""
    a_word = 64 // rungs
    return rows[:, : a_word * rungs].reshape(len(rows) * a_word, rungs, *rows.shape[2:])[:chains]
