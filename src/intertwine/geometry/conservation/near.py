"""What is told of combinations that nearly meet the conditions, but do not."""

from __future__ import annotations

from intertwine._caveats import caveat
from intertwine.geometry.conservation.null_space import LEAST_GAP, NullSpace, widest_gap

SMALL = 0.1
"""Values above it, over the largest, are not called small."""

FAR = 50.0
"""So many times below the others values of exact conditions have to lie to be worth a word."""


def near_misses(null: NullSpace, *, exact: bool) -> list[str]:
    """The caveat of combinations that change little, yet more than the threshold, far below all others."""
    rest = null.singular_values[: len(null.singular_values) - null.dimension]
    dimension, gap = widest_gap(rest, SMALL)
    if not dimension or gap < (FAR if exact else LEAST_GAP):
        return []
    most = rest[len(rest) - dimension]
    plural = "combination changes" if dimension == 1 else "combinations change"
    sentence = f"{dimension} further {plural} by {most:.1e} or less, {gap:.0f} times below the others"
    why = (
        "more than rounding does, and so not counted"
        if exact
        else "more than the threshold, and so not counted"
    )
    remedy = f"if what was given has errors of that size, say tolerance={2 * most:.1g}"
    return [caveat("data", f"{sentence}: {why}; {remedy}")]
