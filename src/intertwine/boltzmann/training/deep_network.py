r"""A deep Boltzmann machine unrolled as a feed-forward network, for discriminative fine-tuning.

    inputs (v, m_2),      x_1 = E[h|b_1 + W_0ᵀ v + W_1 m_2],      x_2 = E[h|b_2 + W_1ᵀ x_1], ...

The mean-field posterior m_2 of the second hidden layer stands beside the data as further inputs, so that the
first layer of the network begins with exactly the mean field of the machine: x_1 = m_1 (Salakhutdinov &
Hinton 2009, section 3.3). Layers above it that have one above themselves count what comes from below twice,
as in the first pass of the mean field. Fine-tuning then changes W_0, both W_1 and the rest independently.

>>> model = DBM((4, 3, 2), scale=1.0, key=jax.random.key(0))
>>> x = np.array([[0.0, 1.0, 1.0, 0.0]])
>>> first = unrolled_layers(model)[0].mean(jnp.concatenate([x, upper_means(model, x)], axis=1))
>>> bool(jnp.allclose(first, mean_field_means(model, x, SWEEPS)[0], atol=1e-6))
True
"""

from __future__ import annotations

import jax  # noqa: F401 (the example)
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float
from numpy.typing import ArrayLike

from intertwine._checks import fail
from intertwine.boltzmann.objectives.mean_field import mean_field_means
from intertwine.learning.batches import blocks
from intertwine.learning.labels.labelled import examples
from intertwine.models.machines.deep_boltzmann import DBM
from intertwine.models.machines.directed_layer import DirectedLayer
from intertwine.models.results import taken

SWEEPS = 20
"""Of the mean field that gives the further inputs."""


def unrolled_layers(model: DBM) -> tuple[DirectedLayer, ...]:
    """The layers of the network from the lowest up; the lowest has the columns of v and of the second hidden
    layer as inputs (of v alone with one hidden layer)."""
    found = []
    for level in range(1, model.depth + 1):
        weights = model.weights[level - 1]
        if level == 1 and model.depth > 1:
            weights = jnp.concatenate([weights, model.weights[1].T])
        elif level < model.depth:
            weights = 2 * weights
        found.append(DirectedLayer(weights, model.biases[level], model.layers[level]))
    return tuple(found)


def upper_means(model: DBM, x: ArrayLike) -> Float[np.ndarray, "rows E"]:
    """m_2 of each row of `x` (rows, N), values of the visible units or means of them: the further inputs.

    Raises InputError for one hidden layer, and rows of another width.
    """
    model, scaling = taken(model)
    rows = examples(scaling.inside(x))
    if model.depth < 2:
        raise fail("model", "two hidden layers or more", model.sizes, "an RBM needs no further inputs")
    if rows.ndim != 2 or rows.shape[1] != model.size:
        raise fail("x", f"rows of {model.size} columns", f"shape {rows.shape}")
    found = np.empty((len(rows), model.sizes[2]), np.dtype(model.dtype))
    for begin, part in blocks(rows):
        found[begin : begin + len(part)] = mean_field_means(model, part, SWEEPS)[1]
    return found
