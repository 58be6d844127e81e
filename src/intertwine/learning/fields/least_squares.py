r"""The weights of a network that is linear in them, by least squares.

    y = A w,        (D Aᵀ A D + ε) D⁻¹ w = D Aᵀ y,      D = 1/norms of the columns of A

over all samples, each point counted by its share of the area; ε is there for what the samples leave open.
"""

from __future__ import annotations

from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jax.flatten_util import ravel_pytree
from jaxtyping import Float

from intertwine._checks import fail
from intertwine.learning.fields.field_model import Weighed

RIDGE = 1e-9
_LARGEST, _SMALL = 2e8, 2e7
"""Entries of A for one sample, with a request and without."""


def is_small(network: Any, y: Float[np.ndarray, "samples K"]) -> bool:
    """Whether least squares are quick enough to be taken unasked."""
    weights = ravel_pytree(eqx.filter(network, eqx.is_inexact_array))[0]
    return weights.size * y[0].size <= _SMALL


def solved(network: Any, x: Float[np.ndarray, "samples ..."], y: Float[np.ndarray, "samples K"]) -> Any:
    """The network with the best weights for x and y of a `FieldTask`.

    Raises InputError where it has too many.
    """
    parameters, fixed = eqx.partition(network, eqx.is_inexact_array)
    flat, unflatten = ravel_pytree(parameters)
    if flat.size * y[0].size > _LARGEST:
        got = f"{flat.size} weights, {y[0].size} numbers a sample"
        raise fail("method", "fewer weights for least squares", got, "take adamw, or a coarser space")

    @jax.jit
    def columns(x: jax.Array) -> jax.Array:
        def outputs(w: jax.Array) -> jax.Array:
            return Weighed(eqx.combine(unflatten(w), fixed)).outputs(x[None]).reshape(-1)

        return jax.vmap(outputs)(jnp.eye(flat.size, dtype=flat.dtype)).T

    gram, right = np.zeros((flat.size, flat.size)), np.zeros(flat.size)
    for one, wanted in zip(x, y, strict=True):
        a = np.asarray(columns(jnp.asarray(one)), np.float64)
        gram += a.T @ a
        right += a.T @ np.asarray(wanted, np.float64)
    norm = np.sqrt(np.diag(gram))
    norm[norm == 0] = 1.0
    scaled = gram / norm / norm[:, None]
    scaled[np.diag_indices_from(scaled)] += RIDGE
    found = np.linalg.lstsq(scaled, right / norm, rcond=None)[0] / norm
    return eqx.combine(unflatten(jnp.asarray(found, flat.dtype)), fixed)
