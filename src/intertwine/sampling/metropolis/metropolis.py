r"""The Metropolis algorithm for |ψ|², many chains side by side.

A chain at s draws a move of the rule (`rules`), s → s', and accepts it with probability

    A(s → s') = min(1, |ψ(s')|² / |ψ(s)|²) = min(1, exp(2 Re[log ψ(s') − log ψ(s)])),

else it stays. Proposals are symmetric, so |ψ(s)|² T(s → s') A(s → s') is symmetric in s and s': detailed
balance (Metropolis et al., J. Chem. Phys. 21, 1087, 1953; for wave functions Becca & Sorella 2017, ch. 3). A
configuration is drawn every `sweep` proposals.

Two backends with the same law: compiled host kernels on a CPU for models that are a `SpinForm` (`host`), and
JAX everywhere else (and for chains spread over devices), for the incremental path (`start`, `log_ratio`,
`flip`: O(M) per proposal) or any model. All chains take the same part of a `Mixture` at a time: each part
keeps |ψ|² by itself, so this changes no law and, the parts being drawn independently of the states, leaves
stationary chains uncorrelated. Caches are made afresh at every draw, so that rounding does not accumulate.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from jaxtyping import Int8, PyTree

from intertwine._checks import fail, one_of, positive_int
from intertwine.models.fermions.forms import determinant_form, fits_tables, has_determinants
from intertwine.models.protocols import (
    Incremental,
    LevelFormed,
    LevelIncremental,
    LogAmplitude,
    SpinFormed,
    encoded_form,
    spin_form,
)
from intertwine.models.units import as_spins
from intertwine.sampling.metropolis.legality import Checks, checks, stays_inside
from intertwine.sampling.metropolis.rules import MoveTable, Rule
from intertwine.sampling.metropolis.starts import (
    check_magnetization,
    check_space,
    check_state,
    first_configurations,
)
from intertwine.sampling.protocols import Samples
from intertwine.spaces.hilbert.hilbert_space import HilbertSpace


class ChainState(NamedTuple):
    """Where the chains are: int8 spins ±1, or levels, (chains, N)."""

    configurations: Int8[Array, "chains N"]


@dataclass(frozen=True)
class Metropolis:
    """Metropolis sampling of |ψ|² with a rule's moves.

    rule: what is proposed (`SingleFlip()`, `Exchange(lattice)`, `Mixture([...])`).
    chains: how many chains run side by side.
    sweep: proposals between draws; N by default.
    backend: "host" (compiled kernels on the CPU, for models with `spin_form`), "jax", or "auto": the first
        where JAX runs on a CPU and the model and rule allow it.
    magnetization: Σ_i s_i of the initial configurations, for rules that conserve it: 0 by default, or 1 for
        odd N. A `GlobalFlip` mixed with exchanges joins the sectors of Σ_i s_i and its negative.
    hilbert: the Hilbert space whose configurations are sampled (`spaces.hilbert`): chains begin in uniform
        ones, and a move that would leave it is null. None for free spins.

    The same model, state, draws and key give the same numbers on one backend; the two backends agree in law.
    Drawing 5 and then 5 is as good as drawing 10 but uses other random numbers.

    Raises InputError for numbers that are not positive, unknown backends, and a magnetization that cannot be.

    >>> import jax
    >>> from intertwine.models.machines.rbm import RBM
    >>> from intertwine.sampling.metropolis.rules import SingleFlip
    >>> key = jax.random.key(0)
    >>> psi = RBM(6, hidden=6, key=key)
    >>> sampler = Metropolis(SingleFlip(), chains=16)
    >>> state = sampler.init(psi, key=key)
    >>> samples, state = sampler.sample(psi, state, 8, key=key)
    >>> samples.configurations.shape, samples.configurations.dtype
    ((16, 8, 6), dtype('int8'))
    """

    rule: Rule
    chains: int
    sweep: int | None = None
    backend: str = "auto"
    magnetization: int | None = None
    hilbert: HilbertSpace | None = None

    def __post_init__(self) -> None:
        if not isinstance(self.rule, Rule):
            raise fail("rule", "a Rule", self.rule, "for example SingleFlip() or Exchange(lattice)")
        positive_int("chains", self.chains, "give the number of chains, for example 64")
        if self.sweep is not None:
            positive_int("sweep", self.sweep, "give the number of proposals between draws, or None for N")
        one_of("backend", self.backend, ("auto", "host", "jax"))
        check_magnetization(self.rule, self.magnetization)
        check_space(self.rule, self.hilbert, self.magnetization)

    def init(self, model: LogAmplitude, *, key: Array) -> ChainState:
        """Random configurations; of one magnetization if the rule conserves it, or of the Hilbert space."""
        begin = first_configurations(
            self.rule, self.chains, model.size, self.magnetization, self.hilbert, key=key
        )
        return ChainState(begin)

    def sample(
        self, model: LogAmplitude, state: ChainState, draws: int, *, key: Array
    ) -> tuple[Samples, ChainState]:
        """`draws` configurations a chain, int8 (chains, draws, N), and the chains after them.

        The acceptance is the share of proposals that moved the chain; null exchanges count as proposals.
        """
        draws = positive_int("draws", draws, "give the number of configurations a chain")
        model = as_spins(model)
        check_state(state.configurations, (self.chains, model.size))
        sweep = self.sweep or model.size
        if self._hops_on_host(model, state.configurations):
            from intertwine.sampling.metropolis import host_hops

            table = self.rule.table(model.size)
            form = determinant_form(model)
            rows, rate = host_hops.sample(form, table, state.configurations, draws, sweep, key)
            drawn, last, share = jnp.asarray(rows), jnp.asarray(rows[:, -1].copy()), jnp.asarray(rate)
        elif self._on_host(model, state.configurations):
            drawn, last, share = _host_sample(
                self.rule, self.hilbert, model, state.configurations, draws, sweep, key
            )
        else:
            kinds, tables = jax_tables(self.rule, model.size, self.hilbert)
            drawn, last, share = _jax_sample(
                model, state.configurations, tables, key, kinds=kinds, draws=draws, sweep=sweep
            )
        return Samples(drawn, None, share), ChainState(last)

    def _hops_on_host(self, model: LogAmplitude, configurations: Array) -> bool:
        """Whether the compiled hops of fermions run."""
        if self.backend == "jax" or not has_determinants(model) or jax.default_backend() != "cpu":
            return False
        if isinstance(configurations, Array) and len(configurations.sharding.device_set) > 1:
            return False
        from intertwine.sampling.metropolis import host_hops

        return host_hops.supports(self.rule, model, self.hilbert) and fits_tables(determinant_form(model))

    def _on_host(self, model: LogAmplitude, configurations: Array) -> bool:
        """Whether the host kernels run; an error if they are asked for and cannot."""
        spread = isinstance(configurations, Array) and len(configurations.sharding.device_set) > 1
        if self.backend == "jax" or (self.backend == "auto" and (spread or jax.default_backend() != "cpu")):
            return False
        if self.hilbert is not None and not self.hilbert.binary:
            able = levels_on_host(self.rule, model)
        else:
            able = isinstance(model, SpinFormed)
            if able:
                from intertwine.sampling.metropolis import host

                able = host.supports(self.rule, model)
        if self.backend == "host" and not able:
            raise fail(
                "backend",
                "'jax' or 'auto' for this model and rule",
                "host",
                "the host kernels need a model with `spin_form`",
            )
        return able


def levels_on_host(rule: Rule, model: LogAmplitude) -> bool:
    """Whether the host kernels of levels take the model and the moves: real models, steps of levels."""
    if not isinstance(model, LevelFormed) or model.kind != "real":
        return False
    from intertwine.sampling.metropolis import host_levels

    return host_levels.supports(rule)


def _host_sample(
    rule: Rule,
    space: HilbertSpace | None,
    model: LogAmplitude,
    configurations: Array,
    draws: int,
    sweep: int,
    key: Array,
) -> tuple[Array, Array, Array]:
    """(configurations (chains, draws, N), the last ones, accepted share of the proposals)."""
    table = rule.table(model.size)
    if space is not None and not space.binary:
        from intertwine.models.kernels.level_kernels import level_form
        from intertwine.sampling.metropolis import host_levels

        form = level_form(encoded_form(model), model.encoding)  # type: ignore[attr-defined]
        checked = checks(space, table)
        drawn, share = host_levels.sample(form, table, checked, configurations, draws, sweep, key)
        return jnp.asarray(drawn), jnp.asarray(drawn[:, -1].copy()), jnp.asarray(share)
    from intertwine.sampling.metropolis import host

    drawn, share = host.sample(
        spin_form(model),
        table.sites,
        table.weights,
        configurations,
        draws,
        sweep,
        key,
        exchange=table.exchange,
        checked=checks(space, table),
    )
    return jnp.asarray(drawn), jnp.asarray(drawn[:, -1].copy()), jnp.asarray(share)


# --------------------------------------------------------------------------------------------- the JAX kernel


class JaxTables(NamedTuple):
    """A rule's parts for the JAX kernel: the sites (moves, F) of each, the cumulative probabilities of all,
    the shifts of levels (moves, F) of each (None: flips), the bounds that its moves can break (None: none),
    and the number of levels of each mode (None: ±1)."""

    sites: tuple[np.ndarray, ...]
    cumulative: np.ndarray
    shifts: tuple[np.ndarray | None, ...]
    checked: tuple[Checks | None, ...]
    levels: np.ndarray | None


def jax_tables(
    rule: Rule, size: int, space: HilbertSpace | None = None
) -> tuple[tuple[bool, ...], JaxTables]:
    """(whether each part exchanges: static; the arrays)."""
    parts: tuple[tuple[MoveTable, float], ...] = rule.components(size)
    kinds = tuple(bool(table.exchange[0]) for table, _ in parts)
    shares = np.cumsum([p for _, p in parts])
    levels = None if space is None or space.binary else np.array(space.levels, np.int8)
    return kinds, JaxTables(
        tuple(table.sites for table, _ in parts),
        shares[:-1].astype(np.float32),
        tuple(table.shifts for table, _ in parts),
        tuple(checks(space, table) for table, _ in parts),
        levels,
    )


def start_chain(model: LogAmplitude, s: Array, of_levels: bool = False) -> Any:
    """The cache of the incremental path, or log ψ(s) without one."""
    able = isinstance(model, LevelIncremental if of_levels else Incremental)
    return model.start(s) if able else model(s)  # type: ignore[attr-defined]


def flipped(s: Array, sites: Array) -> Array:
    """`s` with `sites` flipped; N flips nothing."""
    return s.at[sites].multiply(jnp.int8(-1), mode="drop")


class Move(NamedTuple):
    """One move of the JAX kernel: its sites (F,), the shifts of their levels (F,) or None for flips, the
    bounds that it can break, with the rows of them, or None, and the number of levels (N,), or None for
    ±1."""

    sites: Array
    shifts: Array | None
    checked: Checks | None
    rows: Array | None
    levels: np.ndarray | None


def after_move(s: Array, move: Move, exchange: bool) -> tuple[Array, Array | bool]:
    """(s', whether s' is in the space) after a move."""
    if move.levels is None:
        after = flipped(s, move.sites)
        legal: Any = s[move.sites[0]] != s[move.sites[1]] if exchange else True
        own = (1 - after) // 2
    else:
        here = s.at[move.sites].get(mode="clip")
        values = here[::-1] if move.shifts is None else here + move.shifts.astype(s.dtype)
        within = (values >= 0) & (values < jnp.asarray(move.levels).at[move.sites].get(mode="clip"))
        legal = jnp.all(within | (move.sites >= s.shape[0]))
        if exchange:
            legal &= here[0] != here[1]
        after = s.at[move.sites].set(values, mode="drop")
        own = after
    if move.checked is not None and move.rows is not None:
        legal &= stays_inside(move.checked, move.rows, own.astype(jnp.int32))
    return after, legal


def candidate(model: LogAmplitude, cache: PyTree, s: Array, after: Array, move: Move) -> tuple[Any, Array]:
    """(cache', 2 Re log ψ(s')/ψ(s)) of a move; the ratio is +inf out of a configuration of zero amplitude."""
    if move.levels is None and isinstance(model, Incremental):
        return model.flip(cache, s, move.sites), 2.0 * jnp.real(model.log_ratio(cache, s, move.sites))
    if move.levels is not None and isinstance(model, LevelIncremental):
        values = after.at[move.sites].get(mode="clip")
        ratio = model.log_change(cache, s, move.sites, values)
        return model.change(cache, s, move.sites, values), 2.0 * jnp.real(ratio)
    value = model(after)
    stuck = jnp.real(cache) == -jnp.inf
    return value, jnp.where(stuck, jnp.inf, 2.0 * jnp.real(value - cache))


def propose(
    model: LogAmplitude,
    exchange: bool,
    cache: PyTree,
    s: Array,
    move: Move,
    log_u: Array,
    beta: Array | float = 1.0,
) -> tuple[Any, Array, Array]:
    """One Metropolis step of one chain for |ψ|^{2β}: (cache, s, accepted)."""
    after, legal = after_move(s, move, exchange)
    if legal is not True:
        after = jnp.where(legal, after, s)
    new_cache, log_ratio = candidate(model, cache, s, after, move)
    accept = log_u < beta * log_ratio  # a nan is no move
    accept &= legal
    keep = lambda new, old: jnp.where(accept, new, old)  # noqa: E731
    return jax.tree.map(keep, new_cache, cache), keep(after, s), accept


def chain_keys(key: Array, configurations: Array) -> Array:
    """A key for each of the chains (chains, N), spread over devices as they are."""
    chain = jnp.zeros_like(configurations[:, 0], jnp.uint32) + jnp.arange(
        len(configurations), dtype=jnp.uint32
    )
    return jax.vmap(lambda c: jax.random.fold_in(key, c))(chain)


def run_sweep(
    model: LogAmplitude,
    kinds: tuple[bool, ...],
    tables: JaxTables,
    configurations: Array,
    keys: Array,
    part_key: Array,
    sweep: int,
    betas: Array | None = None,
) -> tuple[Array, Array]:
    """`sweep` proposals for every chain: (configurations, accepted proposals of each chain).

    `keys` has one key per chain, so that chains may live on different devices; `part_key` draws the parts of
    a mixture for all. `betas` (chains,): sample |ψ|^{2β}.
    """
    real = jnp.zeros(()).dtype
    none = jnp.zeros_like(configurations[:, 0], jnp.int32)  # spread over devices as the chains are
    scale = none + (jnp.ones((), real) if betas is None else betas)
    draw = jax.vmap(
        lambda k: (jax.random.uniform(k, (sweep,), real), jax.random.bits(k, (sweep,), jnp.uint32))
    )
    uniforms, bits = draw(keys)
    log_u = jnp.log(jnp.maximum(uniforms, jnp.finfo(real).tiny))
    parts = jnp.searchsorted(
        tables.cumulative, jax.random.uniform(part_key, (sweep,), jnp.float32), side="right"
    )

    def step(carry: PyTree, inputs: PyTree) -> Any:
        part, bit, log_uniform = inputs

        def of_part(exchange: bool, p: int) -> Any:
            sites, shifts, checked = tables.sites[p], tables.shifts[p], tables.checked[p]

            def move(cache: PyTree, s: Array, b: Array, lu: Array, beta: Array) -> Any:
                m = b % np.uint32(len(sites))
                chosen = Move(
                    jnp.asarray(sites)[m],
                    None if shifts is None else jnp.asarray(shifts)[m],
                    checked,
                    None if checked is None else jnp.asarray(checked.rows)[m],
                    tables.levels,
                )
                return propose(model, exchange, cache, s, chosen, lu, beta)

            return lambda cache, s: jax.vmap(move)(cache, s, bit, log_uniform, scale)

        branches = [of_part(exchange, p) for p, exchange in enumerate(kinds)]
        caches, spins, counts = carry
        if len(branches) == 1:
            caches, spins, accepted = branches[0](caches, spins)
        else:
            caches, spins, accepted = jax.lax.switch(part, branches, caches, spins)
        return (caches, spins, counts + accepted), None

    caches = jax.vmap(partial(start_chain, model, of_levels=tables.levels is not None))(configurations)
    start = (caches, configurations, none)
    (_, spins, counts), _ = jax.lax.scan(step, start, (parts, bits.T, log_u.T))
    return spins, counts


@partial(jax.jit, static_argnames=("kinds", "draws", "sweep"))
def _jax_sample(
    model: LogAmplitude,
    configurations: Array,
    tables: JaxTables,
    key: Array,
    *,
    kinds: tuple[bool, ...],
    draws: int,
    sweep: int,
) -> tuple[Array, Array, Array]:
    """(configurations (chains, draws, N), the last ones, accepted share of the proposals)."""

    def draw(spins: Array, draw_key: Array) -> tuple[Array, tuple[Array, Array]]:
        chain_key, part_key = jax.random.split(draw_key)
        keys = chain_keys(chain_key, spins)
        spins, counts = run_sweep(model, kinds, tables, spins, keys, part_key, sweep)
        return spins, (spins, counts)

    last, (drawn, counts) = jax.lax.scan(draw, configurations, jax.random.split(key, draws))
    share = counts.astype(jnp.float32).mean() / sweep
    return jnp.swapaxes(drawn, 0, 1), last, share
