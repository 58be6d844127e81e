"""What a learning run holds in memory."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

from intertwine.experiments.memory_needs import refuse_beyond

if TYPE_CHECKING:
    from intertwine.experiments.learn.settings import LearnConfiguration


def checked_memory(c: LearnConfiguration, columns: int, rows: int, held: int) -> int:
    """A learning run on `rows` of `columns`, whose data take `held` bytes: the weights with their averages,
    gradients and copies for the checkpoint; units of the batch, the chains and the estimates; the samples.
    """
    item = 8 if c.precision == "float64" else 4
    sizes = (columns, *c.model.hidden)
    units, weights = sum(sizes), sum(a * b for a, b in pairwise(sizes))
    copies = 6 + (c.method.temperatures if c.method.name == "trajectory" else 0)
    replicas = c.method.temperatures if c.method.name in ("pt", "trajectory") else 1
    walkers = min(c.optimiser.batch, rows) + c.method.chains * replicas
    walkers += max(c.likelihood.chains, c.likelihood.final_chains) + c.samples.chains
    between = rows * max(c.model.hidden[:-1], default=0)
    drawn = c.samples.count * columns
    needed = item * (copies * weights + 4 * units * walkers + between + drawn) + 2 * held
    remedy = "take fewer hidden units, chains, samples, or a smaller batch"
    return refuse_beyond(needed, remedy)
