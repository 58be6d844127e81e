"""A structure model before it is learned: the network, the elements, the standardisation of the data."""

from __future__ import annotations

import numpy as np
from jaxtyping import PyTree

from intertwine._checks import fail
from intertwine.data.structures.structures import Structures
from intertwine.learning.structures.inputs import Input
from intertwine.learning.structures.references import energy_scale, reference_energies
from intertwine.learning.structures.said import type_of
from intertwine.learning.structures.structure_model import Standard, StructureModel
from intertwine.learning.structures.targets import ENERGY, FORCES, STRESS, Target
from intertwine.spaces.points.points import Points


def blank_model(
    network: PyTree, structures: Structures, inputs: tuple[Input, ...], targets: tuple[Target, ...]
) -> StructureModel:
    """The model with the standardisation of `structures`, which it is to be learned from."""
    elements = tuple(int(s) for s in structures.elements)
    references = reference_energies(structures, elements)
    if not any(target.kind == ENERGY for target in targets):
        references = np.zeros(len(elements))
    derived = any(target.kind in (ENERGY, FORCES, STRESS) for target in targets)
    scale = energy_scale(structures, elements, references) if derived else 1.0
    plain = [t for t in targets if t.kind in ("scalars", "vector")]
    sizes = int(structures.sizes.min()), int(structures.sizes.max())
    names = structures.species_names
    return StructureModel(
        network, inputs, targets, elements, references, scale,
        {t.name: _standard(t, structures) for t in plain}, sizes,
        None if names is None else tuple(names),
    )  # fmt: skip


def _standard(target: Target, structures: Structures) -> Standard:
    values = np.asarray(structures.values[target.name], float)
    table = values.reshape(len(values), -1)
    if target.kind == "vector":  # which have no mean that a turn would leave alone
        size = float(np.sqrt(np.nanmean(table**2)))
        return Standard((0.0,) * target.width, size if size > 0 else 1.0)
    mean = np.nanmean(table, axis=0)
    size = float(np.sqrt(np.nanmean((table - mean) ** 2)))
    return Standard(tuple(mean.tolist()), size if size > 1e-12 * (1 + float(np.abs(mean).max())) else 1.0)


def check_network(network: PyTree, inputs: tuple[Input, ...], targets: tuple[Target, ...]) -> None:
    """InputError for a network of other fields than what it is told and asked."""
    space = getattr(network, "space", None)
    if not isinstance(space, Points):
        raise fail("network", "a network on points, or the name of one such as nequip:16", network)
    wanted = [space.named_type(words) for words in (" + ".join(i.type for i in inputs), type_of(targets))]
    for what, rep, own in zip(("rep_in", "rep_out"), wanted, (network.rep_in, network.rep_out), strict=True):
        if own.dimension != rep.dimension or own != rep:
            raise fail(f"network.{what}", f"{rep!r}, for these inputs and targets", f"{own!r}")
