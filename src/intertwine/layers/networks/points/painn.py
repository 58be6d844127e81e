"""`painn:W`: W scalars and W vectors, blocks of message and update."""

from __future__ import annotations

from typing import Any

from intertwine.layers.networks.points.plan import OUTPUT_GAIN, PointPlan
from intertwine.layers.points.gates import GatedHead
from intertwine.layers.points.mixing import Mixing
from intertwine.layers.points.painn import PaiNNBlock


def painn(plan: PointPlan) -> tuple[list[tuple[str, Any]], list[tuple[str, Any] | None]]:
    """Layers and read-outs."""
    options: dict[str, Any] = dict(radial=plan.radial, neighbours=plan.neighbours, dtype=plan.dtype)
    blocks = [PaiNNBlock(plan.points, plan.width, key=plan.key_of(k), **options) for k in range(plan.layers)]
    hidden = blocks[0].rep_in
    embedding = Mixing(plan.rep_in, hidden, bias=True, dtype=plan.dtype, key=plan.key_of(101))
    head = GatedHead(
        hidden,
        plan.rep_out,
        max(plan.width // 2, 1),
        gain=OUTPUT_GAIN,
        dtype=plan.dtype,
        key=plan.key_of(102),
    )
    layers = [("embedding", embedding), *((f"block{k}", block) for k, block in enumerate(blocks, 1))]
    return layers, [*[None] * plan.layers, ("readout", head)]
