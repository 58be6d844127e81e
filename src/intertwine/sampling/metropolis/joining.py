r"""Whether moves join all configurations of a Hilbert space: all of them are followed, where they are few.

Configurations are nodes and moves that stay in the space are edges; a chain samples all of |ψ|² only where
there is one connected part. Beyond `_MOST` pairs of a configuration and a move it is not looked at, but for
exchanges and hops under conserved numbers: these join all where their pairs connect the modes of each number.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from intertwine._checks import fail
from intertwine.sampling.metropolis.legality import moved_levels
from intertwine.sampling.metropolis.rules import Rule, connected
from intertwine.spaces.hilbert.hilbert_space import HilbertSpace

_MOST = 500_000


@lru_cache(maxsize=64)
def count_parts(rule: Rule, space: HilbertSpace) -> int | None:
    """How many parts that never meet the moves leave; None where there are too many to follow.

    >>> from intertwine.sampling.metropolis.rules import Exchange, SingleFlip
    >>> from intertwine.spaces.hilbert.kinds import Fermions, Rydberg
    >>> from intertwine.spaces.lattices import Chain
    >>> count_parts(SingleFlip(), Rydberg(Chain(6))), count_parts(Exchange([(0, 1), (2, 3)]), Fermions(4, 1))
    (1, 2)
    """
    from scipy.sparse import coo_matrix
    from scipy.sparse.csgraph import connected_components

    parts = rule.components(space.size)
    moves = sum(len(table.sites) for table, _ in parts)
    if space.dimension * moves > _MOST:
        return None
    levels = space.levels_of(space.configurations()).astype(np.int64)
    own = np.arange(len(levels))
    rows, columns = [own], [own]
    for table, _ in parts:
        for m in range(len(table.sites)):
            place = space.numbers_of(space.written(moved_levels(space, table, m, levels)))
            inside = np.flatnonzero((place >= 0) & (place != own))
            rows.append(inside)
            columns.append(place[inside])
    i, j = np.concatenate(rows), np.concatenate(columns)
    graph = coo_matrix((np.ones(len(i), bool), (i, j)), shape=(len(own), len(own)))
    return int(connected_components(graph, directed=False, return_labels=False))


def check_joined(rule: Rule, space: HilbertSpace) -> None:
    """Raise unless the moves exist in `space` and join all its configurations, as far as that is known."""
    count = count_parts(rule, space)
    if count is None:
        count = 1 if _pairs_join(rule, space) else 2
    if count > 1:
        raise fail(
            "rule",
            f"moves that join all configurations of {space!r}",
            f"{rule!r}, which leaves parts that never meet",
            "take pairs that connect all modes of each number, or a Mixture with moves that join the parts",
        )


def _pairs_join(rule: Rule, space: HilbertSpace) -> bool:
    """False where exchanges and hops alone do not connect the modes of a conserved number."""
    tables = [table for table, _ in rule.components(space.size)]
    if not all(t.sites.shape[1] == 2 and (t.exchange.all() or t.shifts is not None) for t in tables):
        return True
    pairs = np.concatenate([t.sites for t in tables])
    for bound in space.numbers:
        if bound.modulus is not None or len(set(bound.weights)) > 1 or len(bound.modes) < 2:
            continue
        place = np.full(space.size, -1)
        place[list(bound.modes)] = np.arange(len(bound.modes))
        inside = place[pairs[(place[pairs] >= 0).all(1)]]
        if not connected(inside.reshape(-1, 2), len(bound.modes)):
            return False
    return True
