r"""What a blocking rule makes of a table over all configurations:

    w'(h) = Σ_v p(h|v) w(v)

with p(h|v) = e^{T(v,h)}. A rule of separate blocks is contracted one block at a time: the table of 2^N
numbers, as a tensor with an axis a block, is multiplied by p(h_B|v_B) along each axis, about 2·2^N
operations. Any other rule is asked for T of all pairs (v, h), a bounded number of them at a time.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from jaxtyping import Float, Int8

from intertwine._checks import fail
from intertwine.spaces.lattice import Lattice

_PAIRS_AT_ONCE = 2**20
_MOST_PAIRS = 2**30
_MOST_BLOCKED = 2**20


def push_forward(
    rule: Any, lattice: Lattice, weights: Float[np.ndarray, "n k"], states: int | None = None
) -> Float[np.ndarray, "m k"]:
    """k tables over the blocked configurations, float64 (n', k), from tables over all configurations of
    `lattice`, (n, k). states: of a Potts or clock spin; None for spins ±1.

    Raises InputError where neither way is short enough.
    """
    blocked, q = rule.blocked(lattice), states or 2
    if q**blocked.size > _MOST_BLOCKED:
        raise fail("rule", f"at most {_MOST_BLOCKED} blocked configurations", f"{q}^{blocked.size}")
    if q ** (lattice.size + blocked.size) > _MOST_PAIRS:
        raise fail(
            "rule",
            "at most 2^30 pairs (v, h) for a rule without separate blocks",
            f"{q}^{lattice.size + blocked.size}",
            "take a smaller lattice",
        )
    h = all_states(blocked.size, states)
    rows = max(1, _PAIRS_AT_ONCE // len(h))
    found = np.zeros((len(h), weights.shape[1]))
    for start in range(0, len(weights), rows):
        v = numbered(np.arange(start, min(start + rows, len(weights))), lattice.size, states)
        log_p = np.asarray(rule.log_weight(h, v[:, None], lattice), np.float64)
        found += np.exp(log_p).T @ weights[start : start + rows]
    return found


def all_states(size: int, states: int | None = None) -> Int8[np.ndarray, "n N"]:
    """All configurations in the order of enumerations: spins ±1, or 0 … states − 1.

    >>> all_states(2).tolist()
    [[1, 1], [1, -1], [-1, 1], [-1, -1]]
    """
    return numbered(np.arange((states or 2) ** size), size, states)


def numbered(numbers: np.ndarray, size: int, states: int | None) -> Int8[np.ndarray, "n N"]:
    """The configurations of these numbers, the first site the slowest digit."""
    digits = np.empty((len(numbers), size), np.int8)
    for i in range(size):
        digits[:, i] = numbers // (states or 2) ** (size - 1 - i) % (states or 2)
    return digits if states else 1 - 2 * digits


def local_rule(rule, lattice):
    return rule.sites(lattice), rule.up
