"""`mace:W`: densities of W channels, products to four bodies, outputs read off after every layer."""

from __future__ import annotations

from typing import Any

from intertwine.layers.networks.points.plan import OUTPUT_GAIN, PointPlan
from intertwine.layers.points.body_order import led_to_by_products
from intertwine.layers.points.embedding import Embedding
from intertwine.layers.points.gates import GatedHead
from intertwine.layers.points.hidden_types import copies, irreps_up_to, top_degree
from intertwine.layers.points.mace import MACELayer
from intertwine.layers.points.mixing import Mixing

_ORDER = 3


def mace(plan: PointPlan) -> tuple[list[tuple[str, Any]], list[tuple[str, Any] | None]]:
    """Layers and read-outs. Hidden fields are scalars and vectors, or of the degree of the outputs."""
    group = plan.rep_in.group
    embedding = Embedding(plan.rep_in, plan.first_hidden, dtype=plan.dtype, key=plan.key_of(101))
    layers: list[tuple[str, Any]] = [("embedding", embedding)]
    readouts: list[tuple[str, Any] | None] = [None]
    reach = irreps_up_to(group, min(plan.degree, max(1, top_degree(plan.rep_out))), plan.parities)
    wanted = [part for part, _ in plan.rep_out.blocks]
    before = plan.first_hidden
    for number in range(1, plan.layers + 1):
        last, density = number == plan.layers, plan.hidden_after(before)
        targets = [part for part in reach if not last or part in wanted or part.is_trivial]
        after = copies(led_to_by_products(density, targets, _ORDER), plan.width)
        layer = MACELayer(
            plan.points, embedding.attributes, before, density, after, order=_ORDER, degree=plan.degree,
            radial=plan.radial, neighbours=plan.neighbours, keep=number > 1, dtype=plan.dtype,
            key=plan.key_of(number),
        )  # fmt: skip
        layers.append((f"layer{number}", layer))
        key, rep = plan.key_of(200 + number), layer.rep_out
        if last:
            head = GatedHead(
                rep, plan.rep_out, max(plan.width // 2, 1), gain=OUTPUT_GAIN, dtype=plan.dtype, key=key
            )
            readouts.append(("readout", head))
        else:
            readouts.append(
                (
                    f"readout{number}",
                    Mixing(rep, plan.rep_out, bias=True, gain=OUTPUT_GAIN, dtype=plan.dtype, key=key),
                )
            )
        before = after
    return layers, readouts
