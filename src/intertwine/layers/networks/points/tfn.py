"""`tfn:W`: W copies of each irrep, convolutions and functions of lengths."""

from __future__ import annotations

from typing import Any

from intertwine.layers.networks.points.plan import OUTPUT_GAIN, PointPlan
from intertwine.layers.points.gates import GatedHead
from intertwine.layers.points.mixing import Mixing
from intertwine.layers.points.tfn import TensorFieldLayer


def tfn(plan: PointPlan) -> tuple[list[tuple[str, Any]], list[tuple[str, Any] | None]]:
    """Layers and read-outs."""
    before = plan.first_hidden
    embedding = Mixing(plan.rep_in, before, bias=True, dtype=plan.dtype, key=plan.key_of(101))
    layers: list[tuple[str, Any]] = [("embedding", embedding)]
    for number in range(1, plan.layers + 1):
        after = plan.last_hidden(before) if number == plan.layers else plan.hidden_after(before)
        layer = TensorFieldLayer(
            plan.points, before, after, degree=plan.degree, radial=plan.radial, neighbours=plan.neighbours,
            dtype=plan.dtype, key=plan.key_of(number),
        )  # fmt: skip
        layers.append((f"layer{number}", layer))
        before = after
    head = GatedHead(
        before, plan.rep_out, plan.width, gain=OUTPUT_GAIN, dtype=plan.dtype, key=plan.key_of(102)
    )
    return layers, [*[None] * plan.layers, ("readout", head)]
