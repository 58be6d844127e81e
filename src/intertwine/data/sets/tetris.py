r"""The eight shapes of four blocks in space: the example of tensor field networks (Thomas et al., 2018).

Four points at distance 1 from one another, in eight ways. Two of the shapes are mirror images, and each of
the other six is its own: what knows distances and angles alone cannot tell the two apart.
"""

from __future__ import annotations

import numpy as np

from intertwine.data.structures.structures import Structures

TETRIS = {
    "chiral": ((0, 0, 0), (0, 0, 1), (1, 0, 0), (1, 1, 0)),
    "chiral mirrored": ((0, 0, 0), (0, 0, 1), (1, 0, 0), (1, -1, 0)),
    "square": ((0, 0, 0), (1, 0, 0), (0, 1, 0), (1, 1, 0)),
    "line": ((0, 0, 0), (0, 0, 1), (0, 0, 2), (0, 0, 3)),
    "corner": ((0, 0, 0), (0, 0, 1), (0, 1, 0), (1, 0, 0)),
    "L": ((0, 0, 0), (0, 0, 1), (0, 0, 2), (0, 1, 0)),
    "T": ((0, 0, 0), (0, 0, 1), (0, 0, 2), (0, 1, 1)),
    "zigzag": ((0, 0, 0), (1, 0, 0), (1, 1, 0), (2, 1, 0)),
}
"""The blocks of each shape; the first two are the mirror pair."""


def tetris() -> Structures:
    """The eight shapes, with labels "shape"; blocks have edges of length 1.

    >>> shapes = tetris()
    >>> len(shapes), shapes.words("shape").tolist()[:3]
    (8, ['chiral', 'chiral mirrored', 'square'])
    """
    positions = [np.array(blocks, float) for blocks in TETRIS.values()]
    return Structures.of(positions).with_values(
        {"shape": np.arange(len(TETRIS))}, names={"shape": tuple(TETRIS)}
    )
