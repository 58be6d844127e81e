r"""Wave functions of loops, for operators that flip the stars of a lattice of links."""

from __future__ import annotations

from typing import Any

import numpy as np

from intertwine._checks import InputError
from intertwine.quantum.defaults.choice import Choice
from intertwine.quantum.defaults.symmetries import processes
from intertwine.quantum.operators.operator import Operator

_LOOP_SUMS: dict[str, Any] = {
    "steps": 600,
    "learning_rate": 0.2,
    "learning_rate_end": 0.1,
    "shift": 1e-3,
    "shift_end": 1e-4,
}
"""Of exact sums over loops: the ways to wind around a torus are nearly degenerate, which takes long steps."""


def choose_loops(operator: Operator, sums: bool) -> Choice | None:
    """A wave function of loops for an operator that flips the stars of a lattice of links, as the toric code;
    None for others. Single links are among the loops where it does not commute with the stars."""
    from intertwine.quantum.ground_sector import has_space_group
    from intertwine.spaces.link_sites import links_at, star_links

    try:
        stars = star_links(links_at(operator.lattice))
    except InputError:
        return None
    x, z, _ = operator.masks()
    flipped = {tuple(np.flatnonzero(row)) for row in x}
    if not all(tuple(star) in flipped for star in stars.tolist()) or not has_space_group(operator):
        return None
    pure = not any((z[:, star].sum(1) % 2).any() for star in stars)
    few = operator.size <= 20 and processes() == 1
    if sums and few:
        model = "loop-gcnn:2x2:lines" + ("" if pure else ":strings")
        return Choice(model, rule="sums", **_LOOP_SUMS, because="plaquettes and stars on links, summed")
    model = "loop-rbm:4" if pure else "loop-rbm:4:lines:strings"
    return Choice(model, because="plaquettes and stars on links")
