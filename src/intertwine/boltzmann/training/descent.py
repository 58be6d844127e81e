r"""Steepest descent with a rate that falls, and an average of the parameters beside it: how the parameters of
every machine of a distribution move, unless another optimiser is given.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any, NamedTuple

from intertwine._checks import fail
from intertwine.boltzmann.defaults import LAST_RATE
from intertwine.learning.averaging import WeightAverage
from intertwine.learning.gradient import OptaxGradient, as_optimiser
from intertwine.learning.schedules import Cosine, Exponential, Linear

if TYPE_CHECKING:
    from intertwine.learning.optimiser import Optimiser

SHAPES = {"linear": Linear, "exponential": Exponential, "cosine": Cosine}


class Falling(NamedTuple):
    """A learning rate from `first` to `last` over all updates of a stage. None: where the machine and the
    data want it to begin, and LAST_RATE of that. shape: one of SHAPES, or "constant" for `first` alone.

    >>> Falling(0.1).over(1000, suited=0.05)
    Linear(start=0.1, stop=0.0001, steps=1000)
    """

    first: float | None = None
    last: float | None = None
    shape: str = "linear"

    def over(self, updates: int, suited: float) -> Any:
        """The schedule of a stage of so many updates, in which a rate from `suited` on would do."""
        first = suited if self.first is None else self.first
        last = LAST_RATE * first if self.last is None else self.last
        return (
            first if self.shape == "constant" or last == first else SHAPES[self.shape](first, last, updates)
        )


def descent(
    optimiser: Optimiser | None, rate: Any, average: float | None, updates: int, suited: float
) -> Any:
    """The optimiser of `updates` updates: `optimiser`, or plain descent with `rate` (a schedule, a `Falling`,
    or None for one that falls from `suited`); with an average of the parameters."""
    if optimiser is not None and rate is not None:
        raise fail("learning_rate", "None where an optimiser is given", rate, "give the optimiser its own")
    if optimiser is None:
        rate = Falling() if rate is None else rate
        rate = rate.over(updates, suited) if isinstance(rate, Falling) else rate
        optimiser = OptaxGradient(plain_descent(), rate)
    optimiser = as_optimiser(optimiser)
    return optimiser if average is None else WeightAverage(optimiser, average)


@cache
def plain_descent() -> Any:
    """One object, so that all runs share compiled programs."""
    import optax

    return optax.sgd(1.0)
