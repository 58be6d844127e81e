"""`residues:W`: proteins by residue. The first channel of the input is the number along the chain."""

from __future__ import annotations

from typing import Any

from intertwine._checks import fail
from intertwine.layers.networks.points.nequip import nequip
from intertwine.layers.networks.points.plan import PointPlan
from intertwine.layers.points.chain import SEPARATION, ChainEmbedding, ChainLayer, WithoutNumber
from intertwine.symmetry.compact import CompactRep


def residues(plan: PointPlan) -> tuple[list[tuple[str, Any]], list[tuple[str, Any] | None]]:
    """Layers and read-outs: those of NequIP, with separations along the chain as invariants of edges."""
    rest = _without_number(plan.rep_in)
    inner = plan._replace(rep_in=rest, edge_scalars=2 * SEPARATION + 1)
    layers, readouts = nequip(inner)
    (first, embedding), *others = layers
    chained: list[tuple[str, Any]] = [(first, ChainEmbedding(embedding))]
    chained += [(name, ChainLayer(layer, SEPARATION)) for name, layer in others]
    return chained, [pair and (pair[0], WithoutNumber(pair[1])) for pair in readouts]


def _without_number(rep: CompactRep) -> CompactRep:
    """The input's type behind its first channel; a scalar that is 1 where nothing is left."""
    (first, copies), *others = rep.blocks
    if not first.is_trivial:
        remedy = 'for example inputs="scalar + 20 scalar + 2 vector"'
        raise fail("inputs", "a scalar first, the number of the residue along its chain", rep, remedy)
    parts = [(first, copies - 1)] if copies > 1 else []
    if not parts and not others:
        remedy = 'give a feature besides, a 1 for each residue, say: inputs="2 scalar"'
        raise fail("inputs", "more than the number of the residue along its chain", rep, remedy)
    return CompactRep.direct_sum([*parts, *others])
