"""`nequip:W`: W copies of each irrep, convolutions with self-connections and gates."""

from __future__ import annotations

from typing import Any

from intertwine.layers.networks.points.plan import OUTPUT_GAIN, PointPlan
from intertwine.layers.points.embedding import Embedding
from intertwine.layers.points.gates import GatedHead
from intertwine.layers.points.nequip import NequIPLayer


def nequip(plan: PointPlan) -> tuple[list[tuple[str, Any]], list[tuple[str, Any] | None]]:
    """Layers and read-outs."""
    embedding = Embedding(plan.rep_in, plan.first_hidden, dtype=plan.dtype, key=plan.key_of(101))
    layers: list[tuple[str, Any]] = [("embedding", embedding)]
    before = plan.first_hidden
    for number in range(1, plan.layers + 1):
        last = number == plan.layers
        after = plan.last_hidden(before) if last else plan.hidden_after(before)
        layer = NequIPLayer(
            plan.points, embedding.attributes, before, after, degree=plan.degree, radial=plan.radial,
            neighbours=plan.neighbours, edge_scalars=plan.edge_scalars, dtype=plan.dtype,
            key=plan.key_of(number),
        )  # fmt: skip
        layers.append((f"layer{number}", layer))
        before = after
    width = max(plan.width // 2, 1)
    head = GatedHead(
        layers[-1][1].rep_out, plan.rep_out, width, gain=OUTPUT_GAIN, dtype=plan.dtype, key=plan.key_of(102)
    )
    return layers, [*[None] * plan.layers, ("readout", head)]
