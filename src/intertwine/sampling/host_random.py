r"""Random numbers of the host kernels: xoshiro256++ (Blackman & Vigna, ACM TOMS 47, 36, 2021), one
generator per chain.

A chain's 256-bit state is four successive outputs of splitmix64 seeded with the words of a JAX key, so that
what a chain draws depends on the key and the chain's index alone, not on threads. Moves are drawn by
Walker's alias method: one uniform number, one comparison.
"""

from __future__ import annotations

import numpy as np
from jax import Array

from intertwine._compile import inner
from intertwine._keys import key_words

_MASK = (1 << 64) - 1


def _mix(z: np.ndarray) -> np.ndarray:
    """The finaliser of splitmix64."""
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return z ^ (z >> np.uint64(31))


def chain_states(key: Array | np.ndarray, chains: int) -> np.ndarray:
    """One generator state per chain, uint64 (chains, 4), from a JAX key.

    >>> import jax
    >>> a, b = chain_states(jax.random.key(0), 3), chain_states(jax.random.key(0), 2)
    >>> a.shape, bool((a[:2] == b).all())
    ((3, 4), True)
    """
    seed = np.uint64(0)
    for low, high in key_words(key).reshape(-1, 2).tolist():
        seed = _mix(np.array([(int(seed) + (high << 32 | low) + 0x9E3779B97F4A7C15) & _MASK], np.uint64))[0]
    steps = np.arange(1, 4 * chains + 1, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)
    return _mix(seed + steps).reshape(chains, 4)


def alias_table(weights: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Walker's table of a distribution: draw slot i uniformly, keep it with probability share[i], else take
    alias[i].

    >>> share, alias = alias_table(np.array([0.5, 0.25, 0.25]))
    >>> np.bincount(alias, 1 - share, 3) / 3 + share / 3
    array([0.5 , 0.25, 0.25])
    """
    count = len(weights)
    share = np.asarray(weights, np.float64) * (count / np.sum(weights))
    alias = np.arange(count)
    if np.ptp(weights) == 0:
        return np.ones(count), alias
    small, large = list(np.flatnonzero(share < 1)), list(np.flatnonzero(share >= 1))
    while small and large:
        low, high = small.pop(), large[-1]
        alias[low] = high
        share[high] -= 1 - share[low]
        if share[high] < 1:
            small.append(large.pop())
    share[small] = 1.0
    share[large] = 1.0
    return share, alias


@inner
def uniform(states: np.ndarray, g: int) -> float:
    """The next number in [0, 1) of generator g of `states` uint64 (generators, 4), which advances."""
    a, b, c, d = states[g, 0], states[g, 1], states[g, 2], states[g, 3]
    total = a + d
    result = ((total << np.uint64(23)) | (total >> np.uint64(41))) + a
    shifted = b << np.uint64(17)
    c ^= a
    d ^= b
    states[g, 1] = b ^ c
    states[g, 0] = a ^ d
    states[g, 2] = c ^ shifted
    states[g, 3] = (d << np.uint64(45)) | (d >> np.uint64(19))
    return np.float64(result >> np.uint64(11)) * (1.0 / 9007199254740992.0)
