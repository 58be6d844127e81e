r"""The best linear map that commutes with the space: what a network has to beat.

One convolution is linear in its weights w, y = A w, so that the least-squares solution of

    (Aᵀ A + ε tr(Aᵀ A)/n) w = Aᵀ y

is found at once, over all samples, each point counted by its share of the area. On the sphere it is a zonal
filter for each pair of components: a number a degree, as of Wiener, where the space can hold that many.
"""

from __future__ import annotations

from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jax.flatten_util import ravel_pytree

from intertwine.layers.networks.field_network import field_network
from intertwine.learning.fields.field_model import FieldModel, Weighed
from intertwine.learning.fields.fit_fields import FieldTask

_RIDGE = 1e-9
_LARGEST = 2e7
"""Entries of A for one sample: beyond, kernels are local."""


def linear_fit(task: FieldTask) -> FieldModel:
    """The map of the best single convolution on the samples of `task`.

    >>> from intertwine.data import Fields
    >>> from intertwine.learning.fields.fit_fields import field_study
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
    network = field_network("linear", blank.name, **types, key=jax.random.key(0))
    if blank.space.everywhere:
        wide = field_network("linear", blank.name, **types, global_kernels=True, key=jax.random.key(0))
        weights = ravel_pytree(eqx.filter(wide, eqx.is_inexact_array))[0]
        network = wide if weights.size * task.y[0].size <= _LARGEST else network
    return FieldModel(**(names | {"network": _solved(network, task)}))


def _solved(network: Any, task: FieldTask) -> Any:
    parameters, fixed = eqx.partition(network, eqx.is_inexact_array)
    flat, unflatten = ravel_pytree(parameters)

    @jax.jit
    def columns(x: jax.Array) -> jax.Array:
        def outputs(w: jax.Array) -> jax.Array:
            return Weighed(eqx.combine(unflatten(w), fixed)).outputs(x[None]).reshape(-1)

        return jax.vmap(outputs)(jnp.eye(flat.size, dtype=flat.dtype)).T

    gram, right = np.zeros((flat.size, flat.size)), np.zeros(flat.size)
    for x, y in zip(task.x, task.y, strict=True):
        a = np.asarray(columns(jnp.asarray(x)), np.float64)
        gram += a.T @ a
        right += a.T @ np.asarray(y, np.float64)
    gram[np.diag_indices_from(gram)] += _RIDGE * np.trace(gram) / flat.size
    found = np.linalg.lstsq(gram, right, rcond=None)[0]
    return eqx.combine(unflatten(jnp.asarray(found, flat.dtype)), fixed)
