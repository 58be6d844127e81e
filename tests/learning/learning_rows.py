"""The models of the learning tests, and the oracle: finite differences over all configurations."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

from intertwine.models.units import as_spins
from intertwine.models.wrapped import FunctionAmplitude
from intertwine.quantum.operators.operator import Operator
from intertwine.sampling.enumeration import all_configurations
from models.table import MODELS as TABLE

SIZE = 8
KEY = jax.random.key(7)
LETTERS = np.array(["X", "Y", "Z"])


def _not_holomorphic(p: dict, s: jax.Array) -> jax.Array:
    z = s @ p["w"]
    return jnp.sum(z * z) + 0.5 * jnp.sum(jnp.conj(z)) + p["c"] * jnp.sum(jnp.abs(z) ** 2)


def _of_complex(key: jax.Array) -> FunctionAmplitude:
    """Complex and real leaves, log ψ not analytic."""
    parameters = {"w": 0.2 * jax.random.normal(key, (SIZE, 3), complex), "c": jnp.asarray(0.1)}
    return FunctionAmplitude(_not_holomorphic, parameters, size=SIZE, kind="complex")


def _in_spins(name: str) -> Any:
    return as_spins((TABLE | {"function-of-complex": _of_complex})[name](KEY))


MODELS = {
    name: partial(_in_spins, name)
    for name in [*TABLE, "function-of-complex"]
    if "square" not in name and "tied-complex" not in name and "character-even" not in name  # 16 sites
}
"""Every model of 8 sites in the table of models, as a function of spins, and one with mixed parameters."""


def random_operator(size: int, seed: int, terms: int = 14, real: bool = False) -> Operator:
    """A random sparse Hermitian sum of fields, couplings and three-body terms."""
    rng = np.random.default_rng(seed)
    strings = []
    for _ in range(terms):
        sites = rng.choice(size, size=int(rng.integers(1, 4)), replace=False)
        letters = rng.choice(LETTERS, size=len(sites))
        while real and np.count_nonzero(letters == "Y") % 2:
            letters = rng.choice(LETTERS, size=len(sites))
        strings.append((float(rng.normal()), dict(zip(sites.tolist(), letters.tolist(), strict=True))))
    return Operator.from_strings(size, strings)


def real_coordinates(model: Any) -> tuple[np.ndarray, Callable[[jax.Array], Any]]:
    """The parameters as real numbers, leaf by leaf (Re then Im of a complex leaf), and the way back."""
    parameters, static = eqx.partition(model, eqx.is_inexact_array)
    leaves, tree = jax.tree.flatten(parameters)

    def back(x: jax.Array) -> Any:
        out, start = [], 0
        for leaf in leaves:
            part = x[start : start + leaf.size].reshape(leaf.shape)
            start += leaf.size
            if jnp.iscomplexobj(leaf):
                part = jax.lax.complex(part, x[start : start + leaf.size].reshape(leaf.shape))
                start += leaf.size
            out.append(part)
        return eqx.combine(jax.tree.unflatten(tree, out), static)

    flat = [
        np.concatenate([np.ravel(leaf.real), np.ravel(leaf.imag)])
        if jnp.iscomplexobj(leaf)
        else np.ravel(leaf)
        for leaf in leaves
    ]
    return np.concatenate(flat), back


def finite_differences(model: Any, configurations: np.ndarray, h: float = 1e-4) -> np.ndarray:
    """∂ log ψ(s)/∂x_k in the real coordinates, (S, K) complex, by five-point differences: error O(h⁴)."""
    x, back = real_coordinates(model)

    @jax.jit
    @partial(jax.vmap, in_axes=(0, None))
    def changes(e: jax.Array, y: jax.Array) -> jax.Array:
        """log ψ(y + e) − log ψ(y − e)."""
        both = [jax.vmap(back(z))(jnp.asarray(configurations)) for z in (y + e, y - e)]
        difference = both[0] - both[1]
        if not jnp.iscomplexobj(difference):
            return difference
        phase = jnp.round(difference.imag / (2 * jnp.pi))  # phases are defined modulo 2π
        return difference - 2j * jnp.pi * phase

    e = h * np.eye(len(x))
    near, far = np.asarray(changes(e, x)), np.asarray(changes(2 * e, x))
    return ((8 * near - far) / (12 * h)).T.astype(complex)


def everything(model: Any) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """All configurations, their probabilities |ψ|², and ψ, normalised."""
    configurations = all_configurations(model.size)
    log = np.asarray(jax.jit(jax.vmap(model))(jnp.asarray(configurations))).astype(complex)
    psi = np.exp(log - log.real.max())
    psi /= np.linalg.norm(psi)
    return configurations, np.abs(psi) ** 2, psi
