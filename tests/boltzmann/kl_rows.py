"""The table of small machines that the objectives of learning are checked on."""

import jax
import numpy as np

from intertwine.models.machines.rbm import RBM

MIXED = (("binary", 2), ("potts:3", 3), ("spin", 1))
MACHINES = {
    "binary-binary": ("binary", 5, "binary", 4),
    "spin-spin": ("spin", 4, "spin", 5),
    "binary-spin": ("binary", 4, "spin", 3),
    "spin-binary": ("spin", 4, "binary", 3),
    "potts-binary": ("potts:3", 6, "binary", 4),
    "binary-potts": ("binary", 5, "potts:3", 6),
    "mixed-binary": (MIXED, 6, "binary", 4),
    "gaussian-binary": ("gaussian", 4, "binary", 4),
    "gaussian-spin": ("gaussian", 3, "spin", 4),
    "binary-gaussian": ("binary", 5, "gaussian", 3),
    "binary-rectified": ("binary", 5, "rectified", 3),
    "rectified-binary": ("rectified", 3, "binary", 4),
}


def machine(name, scale=0.4, seed=0):
    units, size, hidden_units, hidden = MACHINES[name]
    key = jax.random.key(seed)
    return RBM(size, hidden=hidden, units=units, hidden_units=hidden_units, scale=scale, key=key)


def some_data(model, rows=7, seed=1):
    """Rows that the visible units can have."""
    field = jax.random.normal(jax.random.key(seed), (rows, model.size))
    return np.asarray(model.visible_layer.sample(field, key=jax.random.key(seed + 1)))
