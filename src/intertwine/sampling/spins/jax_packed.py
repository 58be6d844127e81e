r"""Heat bath of 32 Ising systems in a word of 32 bits, in JAX (`packed_plan`).

    new = [u < p],     u = Σ_d 2^{−d} u_d,   d = 1 … 32

is made from the last digit to the first: where the digits u_d and p_d differ, p_d decides. All 32 digits are
made, so that p is exact to 2^−33 and the program has no branch. Random words are functions of place, digit
and key alone, bits(i, d) = mix(mix(i ⊕ k_0) + k_d) with keys by threefry for every sweep and colour, as in
`_random_bits`.

On the square torus with even extents neighbours are rolls of the two halves of the checkerboard, (words, 2,
Lx, Ly/2); other lattices look them up in a table.
"""

from __future__ import annotations

from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from jaxtyping import Int8, UInt32

from intertwine._random_bits import mixed_words
from intertwine.sampling.spins.packed_plan import PackedPlan, threshold_words
from intertwine.spaces.lattice import Lattice

LANES = 32
DIGITS = 32
UNROLL = 16


class Layout(NamedTuple):
    """Static: the slots of each class (start, stop) and its environment; the extents of a checkerboard, or
    None."""

    classes: tuple[tuple[int, int], ...]
    kinds: tuple[int, ...]
    board: tuple[int, int] | None


class Tables(NamedTuple):
    """place: (N,) the slot of each site. near: (z, slots), signs: uint32 (z, slots); both None on a
    checkerboard, the latter where no coupling is negative."""

    place: Any
    near: Any
    signs: Any


def jax_layout(plan: PackedPlan, lattice: Lattice) -> tuple[Layout, Tables]:
    """How the classes of a plan lie in memory here."""
    extent = lattice.extent
    if plan.signs is None and len(plan.degrees) == 1 and _is_board(lattice):
        x, y = np.divmod(np.arange(lattice.size), extent[1])
        place = np.empty(lattice.size, np.int32)
        place[np.argsort((x + y) % 2, kind="stable")] = np.arange(lattice.size)
        half = lattice.size // 2
        layout = Layout(((0, half), (half, lattice.size)), (0, 0), (extent[0], extent[1]))
        return layout, Tables(jnp.asarray(place), None, None)
    stops = (*plan.starts[1:].tolist(), plan.slots)
    layout = Layout(tuple(zip(plan.starts.tolist(), stops, strict=True)), tuple(plan.kinds.tolist()), None)
    signs = None if plan.signs is None else jnp.asarray(plan.signs.astype(np.uint32))
    return layout, Tables(jnp.asarray(plan.place), jnp.asarray(plan.near), signs)


def _is_board(lattice: Lattice) -> bool:
    """Whether the bonds are those of a square torus with even extents, site x Ly + y."""
    if lattice.dimension != 2 or lattice.basis_size != 1:
        return False
    if any(n % 2 or n < 4 for n in lattice.extent) or not all(lattice.periodic):
        return False
    sites = np.arange(lattice.size).reshape(lattice.extent)
    pairs = np.concatenate([np.stack([sites, np.roll(sites, -1, a)], -1).reshape(-1, 2) for a in (0, 1)])
    pairs.sort(1)
    return np.array_equal(pairs[np.lexsort(pairs.T[::-1])], lattice.bonds())


def packed_draws_jax(
    plan: PackedPlan,
    coupling: float,
    lattice: Lattice,
    spins: np.ndarray,
    draws: int,
    steps: int,
    key: Array,
) -> Array:
    """Configurations int8 (chains, draws, N), `steps` sweeps apart, after those of `spins` (chains, N)."""
    layout, tables = jax_layout(plan, lattice)
    thresholds = jnp.asarray(threshold_words(plan, coupling, np.ones(len(spins)), DIGITS, np.uint32))
    return _draw(jnp.asarray(spins), tables, thresholds, key, steps=steps, layout=layout, draws=draws)


@partial(jax.jit, static_argnames=("layout", "draws"))
def _draw(
    configurations: Int8[Array, "chains N"],
    tables: Tables,
    thresholds: UInt32[Array, "words kinds 32 8"],
    key: Array,
    *,
    steps: Array,
    layout: Layout,
    draws: int,
) -> Int8[Array, "chains draws N"]:
    """`draws` configurations of every chain, `steps` sweeps apart."""
    chains, size = configurations.shape
    words = thresholds.shape[0]
    lanes = jnp.arange(LANES, dtype=jnp.uint32)
    up = jnp.zeros((words * LANES, size), jnp.uint32).at[:chains].set(configurations > 0)
    packed = (up.reshape(words, LANES, size) << lanes[:, None]).sum(1, dtype=jnp.uint32)
    slots = layout.classes[-1][1]
    state = jnp.zeros((words, slots + 1), jnp.uint32).at[:, tables.place].set(packed)

    def sweep(i: Array, carry: tuple[Array, Array]) -> tuple[Array, Array]:
        state, draw_key = carry
        words_of = jax.random.bits(
            jax.random.fold_in(draw_key, i), (len(layout.classes), DIGITS + 1), jnp.uint32
        )
        for k, (start, stop) in enumerate(layout.classes):
            near = _board_near(state, k, layout) if layout.board else _table_near(state, start, stop, tables)
            new = _new_spins(near, thresholds[:, layout.kinds[k]], words_of[k])
            state = jax.lax.dynamic_update_slice(state, new, (0, start))
        return state, draw_key

    def one(state: Array, draw_key: Array) -> tuple[Array, Array]:
        state, _ = jax.lax.fori_loop(0, steps, sweep, (state, draw_key))
        bits = (state[:, None, tables.place] >> lanes[:, None]) & 1
        return state, (2 * bits.astype(jnp.int8) - 1).reshape(-1, size)[:chains]

    return jax.lax.scan(one, state, jax.random.split(key, draws))[1].swapaxes(0, 1)


def _table_near(state: Array, start: int, stop: int, tables: Tables) -> list[Array]:
    found = [state[:, row[start:stop]] for row in tables.near]
    if tables.signs is None:
        return found
    return [x ^ row[start:stop] for x, row in zip(found, tables.signs, strict=True)]


def _board_near(state: Array, colour: int, layout: Layout) -> list[Array]:
    """The four neighbours of each site of a colour: the other half, moved."""
    assert layout.board is not None
    rows, columns = layout.board
    start, stop = layout.classes[1 - colour]
    other = state[:, start:stop].reshape(-1, rows, columns // 2)
    odd = (jnp.arange(rows) % 2 != colour)[:, None]
    beside = jnp.where(odd, jnp.roll(other, -1, 2), jnp.roll(other, 1, 2))
    found = (other, beside, jnp.roll(other, 1, 1), jnp.roll(other, -1, 1))
    return [x.reshape(len(state), -1) for x in found]


def _new_spins(near: list[Array], table: UInt32[Array, "words 32 8"], key_words: Array) -> Array:
    """(words, n) new spins from the words of the neighbours (words, n) each."""
    c0 = c1 = c2 = jnp.zeros_like(near[0])
    for x in near:
        c0, x = c0 ^ x, c0 & x
        c1, x = c1 ^ x, c1 & x
        c2 = c2 ^ x
    places = mixed_words(jax.lax.iota(jnp.uint32, c0.size).reshape(c0.shape) ^ key_words[0])

    def digit(new: Array, inputs: tuple[Array, Array]) -> tuple[Array, None]:
        g, key_word = inputs
        low = g[0] ^ (c0 & g[1]) ^ (c1 & (g[2] ^ (c0 & g[3])))
        high = g[4] ^ (c0 & g[5]) ^ (c1 & (g[6] ^ (c0 & g[7])))
        threshold = low ^ (c2 & high)
        random = mixed_words(places + key_word)
        return (threshold & ~random) | (~(threshold ^ random) & new), None

    digits = jnp.moveaxis(table, 0, -1)[..., None]
    return jax.lax.scan(digit, jnp.zeros_like(c0), (digits, key_words[1:]), reverse=True, unroll=UNROLL)[0]
