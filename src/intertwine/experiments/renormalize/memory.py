"""What a renormalization run holds in memory."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from intertwine.experiments.memory_needs import refuse_beyond

if TYPE_CHECKING:
    from intertwine.experiments.renormalize.settings import RenormalizeConfiguration


def checked_memory(c: RenormalizeConfiguration) -> int:
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
    if c.study == "callan-symanzik":
        samples, sites = c.equation.samples, sites * {"honeycomb": 2, "kagome": 3}.get(c.named.lattice, 1)
    if c.study == "exponents":
        samples, largest = c.scaling.samples, max(map(int, c.scaling.sizes.replace("auto", "48").split("-")))
        sites = largest**2 * {"honeycomb": 2, "kagome": 3}.get(c.named.lattice, 1)
    draws = samples // (c.sampler.chains * c.sampler.bins)
    if c.study == "curvature":
        draws = c.curvature.samples // c.sampler.chains
    if c.study == "flow" and c.starts:
        draws = max(draws, 40)
    spin = 7 if c.named.potts_states is None else 9 + 8 * c.named.states
    return refuse_beyond(sites * (700 + c.sampler.chains * draws * spin), remedy)
