"""One table of small machines: every kind of unit, RBMs and deep ones; all are summed by brute force."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

from intertwine.models.machines.deep_boltzmann import DBM
from intertwine.models.machines.layered import layered
from intertwine.models.machines.rbm import RBM

MIXED = (("binary", 2), ("potts:3", 3), ("spin", 1))
KINDS = {
    "binary-binary": ("binary", "binary"),
    "spin-spin": ("spin", "spin"),
    "binary-spin": ("binary", "spin"),
    "spin-binary": ("spin", "binary"),
    "potts-binary": ("potts:3", "binary"),
    "gaussian-binary": ("gaussian", "binary"),
    "rectified-spin": ("rectified", "spin"),
    "binary-gaussian": ("binary", "gaussian"),
    "spin-rectified": ("spin", "rectified"),
    "mixed-potts": (MIXED, "potts:2"),
    "gaussian-gaussian": ("gaussian", "gaussian"),
}
DISCRETE = [
    name for name, pair in KINDS.items() if not any(c in str(pair) for c in ("gaussian", "rectified"))
]
ENUMERABLE = [name for name in KINDS if name != "gaussian-gaussian"]
DEEP = {
    "two hidden layers": ((5, 4, 3), "binary", "binary"),
    "three hidden layers": ((4, 3, 3, 2), "binary", "spin"),
    "four hidden layers": ((3, 3, 2, 2, 2), "spin", "binary"),
    "gaussian visible": ((3, 3, 2), "gaussian", "binary"),
}


def rbm(name: str, scale: float = 0.4, seed: int = 0) -> RBM:
    visible, hidden = KINDS[name]
    key = jax.random.key(seed)
    return RBM(6, hidden=4, units=visible, hidden_units=hidden, scale=scale, dtype="float64", key=key)


def dbm(name: str, scale: float = 0.6, seed: int = 0) -> DBM:
    sizes, visible, hidden = DEEP[name]
    model = DBM(
        sizes, units=visible, hidden_units=hidden, scale=scale, dtype="float64", key=jax.random.key(seed)
    )
    keys = jax.random.split(jax.random.key(seed + 100), len(sizes))
    biases = tuple(
        0.5 * jax.random.normal(k, b.shape, b.dtype) for k, b in zip(keys, model.biases, strict=True)
    )
    return eqx.tree_at(lambda m: m.biases, model, biases)


def brute_log_z(model) -> float:
    """ln Σ e^{−E} over every configuration of all layers, from the energy alone; Gaussian and rectified
    layers by quadrature unit by unit given the others."""
    machine = layered(model)
    biases, weights = ([np.asarray(x, float) for x in xs] for xs in (machine.biases, machine.weights))
    discrete = [i for i, layer in enumerate(machine.layers) if layer.is_discrete]
    tables = [machine.layers[i].states().astype(float) for i in discrete]
    grids = np.meshgrid(*[np.arange(len(table)) for table in tables], indexing="ij")
    x = {i: table[grid.ravel()] for i, table, grid in zip(discrete, tables, grids, strict=True)}
    value = sum(x[i] @ biases[i] for i in discrete)
    value = value + sum(((x[i] @ weights[i]) * x[i + 1]).sum(1) for i in discrete if i + 1 in discrete)
    for i, layer in enumerate(machine.layers):
        if i not in discrete:
            field = biases[i]
            field = field + x[i - 1] @ weights[i - 1] if i > 0 else field
            field = field + x[i + 1] @ weights[i].T if i + 1 < len(machine.layers) else field
            value = value + _log_integral(layer.parts[0][0], field).sum(1)
    return float(np.logaddexp.reduce(value))


def _log_integral(kind: str, theta: np.ndarray) -> np.ndarray:
    """ln ∫ e^{xθ − x²/2} dx by Gauss-Legendre over the bulk."""
    low = np.maximum(theta - 12, 0.0) if kind == "rectified" else theta - 12
    high = np.maximum(theta, 0.0) + 12
    nodes, weights = np.polynomial.legendre.leggauss(100)
    half = (high - low) / 2
    points = low[..., None] + half[..., None] * (nodes + 1)
    exponent = points * theta[..., None] - points * points / 2
    top = exponent.max(-1)
    return np.log((weights * np.exp(exponent - top[..., None])).sum(-1) * half) + top


def visible_states(model) -> jax.Array:
    return jnp.asarray(layered(model).layers[0].states(), jnp.float64)
