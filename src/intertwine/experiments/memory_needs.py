"""What a run of each kind holds in memory at once, in bytes: estimates within a factor of two or so, made
from sizes alone before anything is allocated. A run that needs more than there is, is refused in one line.
"""

from __future__ import annotations

import math
from itertools import pairwise

from jaxtyping import PyTree

from intertwine._memory import check_memory

PROGRAM = 400 << 20
"""Python, JAX and their compiled programs."""

KERNEL = 7
"""The widest last kernel of a classifier."""


def refuse_beyond(needed: float, remedy: str) -> int:
    """The bytes that a run needs with its program; `InputError` where there is less."""
    total = math.ceil(needed) + PROGRAM
    check_memory(total, remedy)
    return total


def for_learning(c: PyTree, columns: int, rows: int, held: int) -> int:
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


def for_classifying(c: PyTree, order: int, side: int, channels: int, rows: int, classes: int) -> int:
    """A classifying run on `rows` images of side × side points: the dense kernels of every convolution with
    their gradients, the fields of a batch at every layer, the images and their turned copies.

    order: of the point group.
    """
    from intertwine.layers.networks.network_names import check_network_name

    item = 8 if c.precision == "float64" else 4
    family, width = check_network_name(c.network.name)
    if family == "e2":
        shares, kernels = (1, 4 / 3, 1.5, 1.5, 8 / 3, 4), (9, 7, 7, 7, 7, 5)
        fields = [channels, *(max(1, round(share * width)) * order for share in shares)]
    else:
        kernels = (3,) * 6 + (min(side, KERNEL),)
        fields = [channels, *(width * order,) * 6, classes * order]
    dense = sum(k * k * a * b for k, (a, b) in zip(kernels, pairwise(fields), strict=True))
    points = [side**2 * (1 if layer <= 2 else 0.25) * f for layer, f in enumerate(fields)]
    batch = min(c.optimiser.batch, rows)
    images = rows * side**2 * channels * 4
    scores = 8 * (classes**2 + rows * classes)
    needed = item * (3 * dense + 3 * batch * sum(points)) + 3 * images + scores
    return refuse_beyond(needed, "take a narrower network, smaller images or a smaller batch")


def for_renormalizing(c: PyTree) -> int:
    """A renormalization run: the tables of the lattice, and the configurations of a batch with what is
    measured of them; flows of a network; tensors.
    """
    remedy = "take a smaller system, fewer samples, or more bins"
    if c.study == "network":
        steps = 100 * math.ceil(c.network.steps / 100) + 1
        return refuse_beyond(6 * c.network.chains * steps * 8, "take fewer steps or chains of the flow")
    if c.approximate:
        return refuse_beyond(
            20 * 8 * c.rule.parameter**4 if c.rule.family == "trg" else 0, "take a smaller number"
        )
    samples, sites = c.sampler.samples, math.prod(c.named.extent)
    if c.study == "exponents":
        samples, largest = c.scaling.samples, max(map(int, c.scaling.sizes.replace("auto", "48").split("-")))
        sites = largest**2 * {"honeycomb": 2, "kagome": 3}.get(c.named.lattice, 1)
    draws = samples // (c.sampler.chains * c.sampler.bins)
    if c.study == "flow" and c.starts:
        draws = max(draws, 40)
    spin = 7 if c.named.potts_states is None else 9 + 8 * c.named.states
    return refuse_beyond(sites * (700 + c.sampler.chains * draws * spin), remedy)
