r"""What is chosen for a ground-state search, its standard values, and the optimiser that they make.

Steps are longer where configurations are sampled than where they are summed; the shift of the metric is
larger there.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from intertwine.learning.metric import NaturalGradient
    from intertwine.learning.schedules import Schedule

STEPS = 300
SAMPLES = 1024
CHAINS = 64
FINAL_FACTOR = 64
DEEP_STEPS, DEEP_FACTOR = 200, 16
"""The same of sampled group-convolutional networks, whose amplitudes take longer."""
LEARNING_RATE, LEARNING_RATE_END, WARMUP = 0.05, 0.01, 10
SHIFT, SHIFT_END = 1e-2, 1e-3
"""The shift stays at 10⁻³ or above: with 1,024 samples, directions of the metric below that are noise, and
steps along them end in a spike of |ψ|². Exact sums allow less."""
MOMENTUM = 0.8
MODEL = "symmetric-rbm:8"
TABLE, MOST_AMPLITUDES, TABLE_STEPS = "table", 4096, 1
"""Where a ground state may have any signs and the configurations are at most so many, each has an amplitude
of its own. The table begins at the lowest eigenvector of H, so that a step changes nothing."""

SUM_SHIFT_END = 1e-5
MAX_NORM, SUM_MAX_NORM = 0.5, 0.15
"""No step is longer than this in the Fubini-Study metric, where orthogonal states are π/2 apart. The second
is that of exact sums: a longer one can end where the amplitude of a configuration is 0, and nothing moves it
from there."""

SUM_RATE = 1.5
"""Of exact sums, over the width of the spectrum: a step of imaginary time e^{−ηH} ≈ 1 − ηH shrinks every
excited state for η < 2/width."""
SUM_DECAY, SUM_STEPS = 16.0, (120, 400)
"""So many times 1/e the square of the first excited state is to shrink, within so many steps."""
MOST_STATES = {True: 100_000, False: 200_000}
"""Configurations that are enumerated, for a stoquastic operator and for others."""
MOST_WORK = 2e7
"""Orbits · flip sets · features · |G|: about a second a step."""


@dataclass(frozen=True)
class Choice:
    """The settings of a search, in the words of a configuration.

    model, dtype, sector: the wave function (`models.names`). rule: "sums" or "auto". magnetization: Σ s_i of
    the configurations, None for the sampler's own. final_factor: samples of the last estimate over those of a
    step. because: why, in a sentence.
    """

    model: str = MODEL
    dtype: str = "real"
    sector: str = "trivial"
    rule: str = "auto"
    magnetization: int | None = None
    steps: int = STEPS
    samples: int = SAMPLES
    final_factor: int = FINAL_FACTOR
    momentum: float = MOMENTUM
    learning_rate: float = LEARNING_RATE
    learning_rate_end: float = LEARNING_RATE_END
    shift: float = SHIFT
    shift_end: float = SHIFT_END
    because: str = "stochastic reconfiguration over Metropolis samples"


def max_norm(rule: str) -> float:
    """The longest step where configurations are chosen by `rule` ("sums" or another)."""
    return SUM_MAX_NORM if rule == "sums" else MAX_NORM


def optimiser(
    choice: Choice,
    steps: int,
    learning_rate: Schedule | None = None,
    shift: Schedule | None = None,
    chunk: int | None = None,
) -> NaturalGradient:
    """Stochastic reconfiguration with momentum (SPRING) and schedules over `steps` where none is given."""
    from intertwine.learning.metric import NaturalGradient
    from intertwine.learning.schedules import Exponential, Warmup

    c = choice
    rate = Warmup(Exponential(c.learning_rate, c.learning_rate_end, steps), WARMUP)
    return NaturalGradient(
        learning_rate=rate if learning_rate is None else learning_rate,
        shift=Exponential(c.shift, c.shift_end, steps) if shift is None else shift,
        momentum=c.momentum,
        max_norm=max_norm(c.rule),
        chunk=chunk,
    )
