r"""A bound on all entropies of a region from the graph of a model alone.

    rank ψ(a, b) ≤ 2^cut,      S_α ≤ cut · ln 2      for every order α ≥ 0

cut is the least number of sites and hidden units that separate the region from the rest (`vertex_cut`; a
variable of r states counts log2 r). Generic weights reach the rank. Weights of 0 are no links: structure is
what was built in, or pruned, not what is small.

Circuits bring the graph of their unrolled tensor network (`models/circuits`): r features cost ln r each time
that they are used again, a site ln 2 once (Levine, Sharir, Cohen & Shashua, PRL 122, 065301 (2019)).
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import equinox as eqx
import numpy as np
from jaxtyping import PyTree

from intertwine._checks import fail
from intertwine._shown import Shown
from intertwine.models.results import as_model
from intertwine.models.structure import Structure, structure_of
from intertwine.quantum.entanglement.regions import checked_region, rest
from intertwine.quantum.entanglement.structure.receptive_range import receptive_range
from intertwine.quantum.entanglement.structure.vertex_cut import vertex_cut
from intertwine.quantum.hilbert_moves import is_plain
from intertwine.quantum.vmc.expect import state_of

if TYPE_CHECKING:
    from intertwine.spaces.lattice import Lattice


@dataclass(frozen=True, repr=False)
class EntropyBound(Shown):
    """nats: no entropy of the region, of any order, is larger. cut: log2 of the bound on the rank: how many
    two-state variables are cut. nodes: the variables cut, in words. sites, hidden: how many of them are sites
    and others. by_range: the bound by the range of the hidden units, nats, None where they have none.
    radius: that range R in cells, or None. fixed: ln 2 units that a fixed magnetization adds to the cut."""

    nats: float
    cut: float
    nodes: tuple[str, ...]
    sites: int
    hidden: int
    by_range: float | None
    radius: float | None
    fixed: float = 0.0

    def __float__(self) -> float:
        return self.nats

    def __str__(self) -> str:
        plural = "" if self.sites == 1 else "s"
        words = f"S ≤ {self.nats:.6g} nats for every order: rank ≤ 2^{self.cut + self.fixed:.6g}"
        parts = [f"{self.sites} site{plural}"] if self.sites else []
        parts += [f"{self.hidden} hidden variable{'' if self.hidden == 1 else 's'}"] if self.hidden else []
        words += f", cutting {' and '.join(parts)}" if parts else ", nothing joins the region to the rest"
        words += f", and {self.fixed:.4g} for the fixed magnetization" if self.fixed else ""
        if self.by_range is None:
            return words
        return f"{words}\nby the range R = {self.radius:g} of the hidden units: {self.by_range:.6g} nats"


def bound(model: PyTree, region: Iterable[int], lattice: Lattice | None = None) -> EntropyBound:
    """What the structure of `model` allows: no entropy of `region`, of any order, exceeds `.nats`.

    model: an RBM (dense, masked, symmetric), DBM, DBN (its probabilities as amplitudes), Jastrow or product
    state, a circuit, a run that holds one, any model with `structure()`, or a `Structure` itself; any number
    of sites. region: site numbers. lattice: where the sites are, for the bound by range; None for a ring.

    Raises InputError for a model whose graph is not known, for a lattice of another size, and for a region
    that is empty, leaves the lattice or repeats a site.

    >>> import jax
    >>> from intertwine.models.machines.rbm import RBM
    >>> print(bound(RBM(10, hidden=2, key=jax.random.key(0)), range(5)))
    S ≤ 1.38629 nats for every order: rank ≤ 2^2, cutting 2 hidden variables
    """
    network, where = (model, None) if isinstance(model, Structure) else state_of(model)
    if not isinstance(network, Structure | eqx.Module):
        network, where = state_of(as_model(model))
    if where is not None and not is_plain(where.hilbert):
        remedy = "its numbers and constraints add to the rank"
        raise fail("model", "a state of spins ½ of any or one magnetization", f"one in {where}", remedy)
    graph = network if isinstance(network, Structure) else structure_of(network)
    sites = checked_region(region, graph.size)
    if lattice is not None and lattice.size != graph.size:
        raise fail("lattice", f"{graph.size} sites, as the model has", f"{lattice.name}: {lattice.size}")
    others = rest(sites, graph.size)
    nodes = vertex_cut(graph, sites, others) if others else ()
    weight = math.fsum(np.log2(graph.states[list(nodes)]))
    cut = int(weight) if weight == int(weight) else weight
    smaller = min(len(sites), len(others))
    fixed = math.log2(smaller + 1) if where is not None and where.magnetizations is not None else 0.0
    fixed = min(fixed, smaller - cut)
    found = receptive_range(graph, lattice, sites)
    return EntropyBound(
        nats=(cut + fixed) * math.log(2),
        cut=cut,
        nodes=tuple(graph.name(v) for v in nodes),
        sites=sum(v < graph.size for v in nodes),
        hidden=sum(v >= graph.size for v in nodes),
        by_range=None if found is None else found.straddling * math.log(2),
        radius=None if found is None else found.radius,
        fixed=fixed,
    )
