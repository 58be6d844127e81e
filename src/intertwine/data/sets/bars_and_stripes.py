r"""Bars and stripes: the smallest set of pictures with a distribution that is known (MacKay 2003).

An n × n picture of rows that are on or off, or of columns: a coin decides which, and a coin each line. The
two pictures of one colour come about both ways: p = 2⁻ⁿ for them, 2⁻⁽ⁿ⁺¹⁾ for the other 2ⁿ⁺¹ − 4.
"""

from __future__ import annotations

import math

import numpy as np

from intertwine._checks import fail
from intertwine.data.dataset import Dataset, Known

LARGEST = 10


def bars_and_stripes(side: int) -> Dataset:
    """All 2ⁿ⁺¹ pictures, two of them twice: the frequencies are the probabilities. None is held out.

    >>> data = bars_and_stripes(4)
    >>> data.train.shape, round(data.known.entropy, 6)
    ((32, 16), 3.379093)
    """
    if not 2 <= side <= LARGEST:
        raise fail(
            "data", f"bars-and-stripes:2 to bars-and-stripes:{LARGEST}", side, "take bars-and-stripes:4"
        )
    lines = ((np.arange(1 << side)[:, None] >> np.arange(side)) & 1).astype(np.uint8)
    rows = np.repeat(lines, side, axis=1)
    columns = np.tile(lines, (1, side))
    entropy = math.log(2) * (side + 1 - 2.0 ** (1 - side))

    def log_probability(pictures: np.ndarray) -> np.ndarray:
        x = np.asarray(pictures).reshape(-1, side, side)
        striped, barred = (x == x[:, :, :1]).all((1, 2)), (x == x[:, :1, :]).all((1, 2))
        with np.errstate(divide="ignore"):
            return np.log((striped.astype(float) + barred) / 2.0 ** (side + 1))

    return Dataset.of(
        np.concatenate([rows, columns]), test_share=0.0, units="binary", shape=(side, side),
        name=f"bars-and-stripes:{side}", source="made here: every picture, with its probability",
        known=Known(entropy, log_probability),
    )  # fmt: skip


def check_side(side: int) -> None:
    """Raise `InputError` for pictures that are too small or too large."""
    if not 2 <= side <= LARGEST:
        remedy = "take bars-and-stripes:4"
        raise fail("data", f"bars-and-stripes:2 to bars-and-stripes:{LARGEST}", side, remedy)
