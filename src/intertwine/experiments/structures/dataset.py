"""`result.nc` of a run on structures: what is true and what is said, one structure in space, the metrics."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from intertwine._version import __version__
from intertwine.data.structures.structures import Structures
from intertwine.experiments.structures import measures
from intertwine.learning.structures.structure_model import StructureModel
from intertwine.learning.study import Scalars
from intertwine.records.kinds import KINDS, named
from intertwine.runs.complete import series
from intertwine.runs.dataset import parameter_variables

if TYPE_CHECKING:
    import xarray

MOST = 20_000
"""Values of a target that are kept, chosen evenly."""
MOST_POINTS = 2000
"""Points of the structure that is shown."""


def dataset(
    model: StructureModel, tested: Structures, said: Structures, history: list[Scalars], kind: str
) -> xarray.Dataset:
    """The file's variables: true_X and said_X of each target with, where it is of points, element_X; of
    classes label and log_probability; position, element and what is said of the first structure."""
    import xarray

    variables: dict[str, Any] = {}
    for target in model.targets:
        name = target.name.replace("-", "_")
        if target.kind == "classes":
            labels = measures.labels_of(target, tested)
            log_p = measures.log_probabilities(target, said)
            chosen = _chosen(len(labels))
            variables["label"] = ("example", labels[chosen])
            variables["log_probability"] = (("example", "class"), log_p[chosen].astype(np.float32))
            continue
        truth, guess = (np.asarray(s.values[target.name], float) for s in (tested, said))
        chosen = _chosen(len(truth))
        truth, guess = (values.reshape(len(values), -1)[chosen] for values in (truth, guess))
        axes = (f"row_of_{name}", f"component_of_{name}")
        unit = {"units": target.unit}
        variables[f"true_{name}"] = (axes, truth, unit)
        variables[f"said_{name}"] = (axes, guess, unit)
        if target.per_point:
            variables[f"element_{name}"] = (axes[:1], tested.species[chosen].astype(np.int32))
        elif target.kind == "energy":
            variables[f"points_{name}"] = (axes[:1], tested.sizes[chosen].astype(np.int32))
    variables |= _shown(model, tested, said)
    columns = series(history, named(KINDS[kind].schema))
    variables |= {name: ("line", values) for name, values in columns.items() if name != "step"}
    variables |= parameter_variables(model.network)
    return xarray.Dataset(variables, attrs={"title": repr(model), "source": f"intertwine {__version__}"})


def _chosen(count: int) -> np.ndarray:
    return np.unique(np.linspace(0, count - 1, min(count, MOST)).astype(int))


def _shown(model: StructureModel, tested: Structures, said: Structures) -> dict[str, Any]:
    """The first structure that is not too large: where its points are, what they are, forces or labels."""
    fitting = np.flatnonzero(tested.sizes <= MOST_POINTS)
    if not len(fitting) or tested.dimension != 3:
        return {}
    here = slice(*tested.offsets[fitting[0] : fitting[0] + 2])
    positions = tested.positions[here]
    found: dict[str, Any] = {
        "position": (("point", "xyz"), positions - positions.mean(0), {"units": "Å"}),
        "element": ("point", tested.species[here].astype(np.int32)),
    }
    for target in model.targets:
        if not target.per_point:
            continue
        if target.kind in ("forces", "vector"):
            found["arrow"] = (
                ("point", "xyz"),
                np.asarray(said.values[target.name])[here],
                {"units": target.unit},
            )
        if target.kind == "classes":
            found["shown_label"] = ("point", measures.labels_of(target, tested)[here].astype(np.int32))
            found["shown_guess"] = ("point", np.asarray(said.values[target.name])[here].astype(np.int32))
    return found
