r"""Counter-based random numbers of the host kernels: what place i draws in pass t is a function of i, t and
the key alone, whatever the order or the thread.

    stream = mix(mix(i + t·size ⊕ k₀) + k₁),        its n-th number = mix(stream + n γ)

with the finaliser of splitmix64 for `mix` and its constant γ (Steele, Lea & Flood, OOPSLA 2014), nested as in
`_random_bits`; k₀ and k₁ come from JAX keys by `host_random.chain_states`.
"""

from __future__ import annotations

import numpy as np

from intertwine._compile import inner

GAMMA = np.uint64(0x9E3779B97F4A7C15)


@inner
def mixed(z: np.uint64) -> np.uint64:
    """The bijection `mix` of a 64-bit word."""
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return z ^ (z >> np.uint64(31))


@inner
def stream(first: np.uint64, second: np.uint64, counter: int) -> np.uint64:
    """The stream of a place: its numbers are `unit(stream + n GAMMA)`, n = 1, 2, …"""
    return mixed(mixed(np.uint64(counter) ^ first) + second)


@inner
def unit(word: np.uint64) -> float:
    """A number in (0, 1), the middle of one of 2^52 equal intervals."""
    return (np.float64(mixed(word) >> np.uint64(12)) + 0.5) * (1.0 / 4503599627370496.0)
