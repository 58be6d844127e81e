r"""What a blocking rule makes of a table over all configurations:

    w'(h) = Σ_v p(h|v) w(v)

with p(h|v) = e^{T(v,h)}. A rule of spins in separate blocks is contracted one block at a time: the table of
2^N numbers, as a tensor with an axis a block, is multiplied by p(h_B|v_B) along each axis, about 2·2^N
operations. Any other rule is asked for T of all pairs (v, h), a bounded number of them at a time.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from jaxtyping import Float, Int8, Int32, PyTree

from intertwine._checks import fail
from intertwine.spaces.lattice import Lattice

if TYPE_CHECKING:
    from intertwine.rg.blocks.blocking import Rule

_PAIRS_AT_ONCE = 2**20
_MOST_PAIRS = 2**30
_MOST_BLOCKED = 2**20
_WIDEST_BLOCK = 16


def push_forward(
    rule: Rule, lattice: Lattice, weights: Float[np.ndarray, "n k"], states: int | None = None
) -> Float[np.ndarray, "m k"]:
    """k tables over the blocked configurations, float64 (n', k), from tables over all configurations of
    `lattice`, (n, k). states: of a Potts or clock spin; None for spins ±1.

    Raises InputError where neither way is short enough.
    """
    blocked, q = rule.blocked(lattice), states or 2
    if q**blocked.size > _MOST_BLOCKED:
        raise fail("rule", f"at most {_MOST_BLOCKED} blocked configurations", f"{q}^{blocked.size}")
    local = None if states else local_rule(rule, lattice)
    if local is not None:
        return _contracted(*local, weights)
    if q ** (lattice.size + blocked.size) > _MOST_PAIRS:
        expected = "at most 2^30 pairs (v, h) for a rule without separate blocks"
        raise fail("rule", expected, f"{q}^{lattice.size + blocked.size}", "take a smaller lattice")
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


class LocalRule(NamedTuple):
    """sites: of each block, int32 (N', n). up: p(+|v_B) in the order of enumerations, float64 (2^n,)."""

    sites: Int32[np.ndarray, "B n"]
    up: Float[np.ndarray, " m"]


def local_rule(rule: PyTree, lattice: Lattice) -> LocalRule | None:
    """The table of a rule whose blocks part the lattice, with `sites` and `probability_up` as those of
    `blocking` have them; None for any other rule.

    >>> from intertwine.rg.blocks.blocking import Decimation
    >>> from intertwine.spaces.lattices import Chain
    >>> table = local_rule(Decimation(2), Chain(4))
    >>> table.sites.tolist(), table.up
    ([[0, 1], [2, 3]], array([1., 1., 0., 0.]))
    """
    if not (hasattr(rule, "sites") and hasattr(rule, "probability_up")):
        return None
    sites = np.array(rule.sites(lattice), np.int32)
    if sites.shape[1] > _WIDEST_BLOCK or not np.array_equal(np.sort(sites.ravel()), np.arange(lattice.size)):
        return None
    return LocalRule(sites, np.array(rule.probability_up(all_states(sites.shape[1])), np.float64))


def _contracted(
    sites: np.ndarray, up: np.ndarray, weights: Float[np.ndarray, "n k"]
) -> Float[np.ndarray, "m k"]:
    """Σ_v Π_B p(h_B|v_B) w(v), one block after another."""
    count, width = sites.shape
    order = [*sites.ravel().tolist(), count * width]
    tensor = weights.reshape((2,) * (count * width) + (-1,)).transpose(order)
    tensor = tensor.reshape((2**width,) * count + (-1,))
    for _ in range(count):  # the first axis is summed, its block goes behind the others
        tensor = np.tensordot(tensor, np.stack([up, 1 - up]), axes=(0, 1))
    return tensor.reshape(weights.shape[1], -1).T
