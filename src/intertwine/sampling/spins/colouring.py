"""Colours of the sites of a spin model: sites of one colour share no term, so that they are drawn at once.

Sites are coloured one after another with the smallest colour that no site linked to them has (greedy
colouring: at most one colour more than the most partners of a site). On the square lattice with even extents
that is the checkerboard, on other lattices whatever the order gives.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Int8, Int32

from intertwine._compile import kernel


def greedy_colouring(partners: Int32[np.ndarray, "N z"]) -> Int8[np.ndarray, " N"]:
    """Colours 0, 1, … of N sites such that linked ones differ.

    partners: the sites linked to each, padded with N; at most 126 per site.

    >>> greedy_colouring(np.array([[1, 3], [2, 0], [3, 1], [0, 2]], np.int32)).tolist()
    [0, 1, 0, 1]
    """
    colours = np.full(len(partners) + 1, -1, np.int8)
    _colour(np.ascontiguousarray(partners, np.int32), colours)
    return colours[:-1]


@kernel
def _colour(partners: np.ndarray, colours: np.ndarray):
    taken = np.full(128, -1, np.int64)
    for i in range(partners.shape[0]):
        for z in range(partners.shape[1]):
            j = colours[partners[i, z]]
            if j >= 0:
                taken[j] = i
        c = 0
        while taken[c] == i:
            c += 1
        colours[i] = c
