"""What learning a group's table takes where nothing is given, for the function and the command.

A strong decay of the weights (AdamW) is what leads from memorising to the rule; with it, squared errors of
the scores generalise where the cross-entropy goes on to grow its margins (measured for Z_23 and S_4).
"""

SHARE = 0.6
NETWORK = "quadratic:256"
MOST_EPOCHS, FEWEST_EPOCHS, EPOCHS_OF_ALL = 4000, 1000, 96_000
LEARNING_RATE, LAST_RATE = 1e-2, 1e-2
WEIGHT_DECAY = 2.0
WHOLE = 1 << 20
"""Rows of a batch: all of them."""
LOOKS = 100
"""Lines of metrics after the first, at most."""


def epochs_of(order: int) -> int:
    """Passes over the pairs of a group of so many elements: larger tables need fewer.

    >>> epochs_of(24), epochs_of(60), epochs_of(97)
    (4000, 1600, 1000)
    """
    return min(MOST_EPOCHS, max(FEWEST_EPOCHS, EPOCHS_OF_ALL // order))
