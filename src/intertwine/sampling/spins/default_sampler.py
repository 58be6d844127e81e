"""The sampler of a spin or gauge model where none is named."""

from __future__ import annotations

from typing import Any

from intertwine._checks import fail
from intertwine.models.frustration import served_by_clusters
from intertwine.models.gauge.wilson_action import Gauge
from intertwine.models.protocols import SpinSystem
from intertwine.models.spins.ising import Ising
from intertwine.models.spins.potts import Clock, Potts
from intertwine.sampling.gauge.heat_bath import GaugeHeatBath
from intertwine.sampling.protocols import Sampler
from intertwine.sampling.spins.cluster import SwendsenWang
from intertwine.sampling.spins.heat_bath import HeatBath


def spin_sampler(model: SpinSystem, **settings: Any) -> Sampler:
    """The sampler of a spin model where none is named: clusters, or the heat bath for terms of three spins or
    more and for frustrated models, and for gauge links theirs. settings: of the sampler.

    Raises InputError for models that neither serves.

    >>> from intertwine.spaces.lattices import Square, Triangular
    >>> spin_sampler(Ising(Square(4, 4), 0.4), chains=8), spin_sampler(Ising(Triangular(6, 6), -0.5)).chains
    (SwendsenWang(chains=8, steps=1, burn_in=200), 64)
    """
    if isinstance(model, Gauge):
        return GaugeHeatBath(**settings)
    if not isinstance(model, Ising | Potts | Clock):
        raise fail(
            "sampler", f"a sampler of a {type(model).__name__}", None, "name the one that draws from it"
        )
    return SwendsenWang(**settings) if served_by_clusters(model) else HeatBath(**settings)
