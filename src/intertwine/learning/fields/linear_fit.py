r"""The best linear map that commutes with the space: what a network has to beat.

One convolution is linear in its weights, which `least_squares` find at once, over all samples, each point
counted by its share of the area. On the sphere it is a zonal filter for each pair of components: a number a
degree, as of Wiener, where that is small enough; else kernels are local.
"""

from __future__ import annotations

from typing import Any

import jax

from intertwine.layers.networks.field_network import field_network
from intertwine.learning.fields.field_model import FieldModel
from intertwine.learning.fields.fit_fields import FieldTask
from intertwine.learning.fields.least_squares import is_small, solved


def linear_fit(task: FieldTask) -> FieldModel:
    """The map of the best single convolution on the samples of `task`.

    >>> from intertwine.data import Fields
    >>> from intertwine.learning.fields.fit_fields import field_study
    >>> import numpy as np
    >>> rng = np.random.default_rng(0)
    >>> field = Fields({"a": (a := rng.normal(size=(2, 4, 4))), "b": 3 * a + 1}, {}, {}, (), None)
    >>> made = field_study("linear", field, inputs="a", targets="b", epochs=1, key=jax.random.key(0))
    >>> found = linear_fit(made.task).predict(field).values["b"]
    >>> bool(np.abs(found - field.values["b"]).max() < 1e-3)
    True
    """
    blank = task.blank
    names: dict[str, Any] = {name: getattr(blank, name) for name in blank.__dataclass_fields__}
    kinds = [v.kind for v in blank.inputs] + (["scalar"] if blank.rotation else [])
    types: dict[str, Any] = dict(inputs=" + ".join(kinds), outputs=" + ".join(v.kind for v in blank.targets))
    network = field_network("linear", blank.space, **types, key=jax.random.key(0))
    if blank.space.everywhere:
        wide = field_network("linear", blank.space, **types, global_kernels=True, key=jax.random.key(0))
        network = wide if is_small(wide, task.y) else network
    return FieldModel(**(names | {"network": solved(network, task.x, task.y)}))
