"""Settings of the command `toy`."""

from typing import Literal

from intertwine.runs.fields import (
    Section,
    Settings,
    checkpoint_every,
    integer,
    kind_of,
    number,
    precision,
    seed,
)


class Walk(Section):
    """Steps of a random walk with a drift."""

    steps: int = integer(20, 1, 1000, "how many")
    drift: float = number(0.5, -10.0, 10.0, "per step")


class ToySettings(Settings):
    """A walk: a function of this and of nothing else."""

    kind: Literal["toy"] = kind_of("toy")
    seed: int = seed()
    precision: Literal["float64", "float32"] = precision("float64")
    checkpoint_every: int = checkpoint_every(3, "steps")
    walk: Walk = Walk()
