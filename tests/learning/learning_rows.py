"""One table of models of every kind, and the oracle: derivatives by finite differences over all configurations."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

from intertwine.models.jastrow import Jastrow
from intertwine.models.mean_field import MeanField
from intertwine.models.rbm import RBM
from intertwine.models.symmetric_rbm import SymmetricRBM
from intertwine.models.units import as_spins
from intertwine.models.wrapped import FunctionAmplitude
from intertwine.quantum.operator import Operator
from intertwine.sampling.enumeration import all_configurations
from intertwine.spaces.lattices import Chain

SIZE = 6
KEY = jax.random.key(7)
LETTERS = np.array(["X", "Y", "Z"])


def _normal(*shape: int, dtype: Any = float, seed: int = 0) -> jax.Array:
    return 0.3 * jax.random.normal(jax.random.key(seed), shape, jnp.asarray(dtype(0)).dtype)


def _real_network(p: dict, s: jax.Array) -> jax.Array:
    return jnp.sum(p["u"] * jnp.tanh(s @ p["w"] + p["b"]))


def _two_headed(p: dict, s: jax.Array) -> jax.Array:
    hidden = jnp.tanh(s @ p["w"])
    return jax.lax.complex(hidden @ p["u"], hidden @ p["v"])


def _not_holomorphic(p: dict, s: jax.Array) -> jax.Array:
    z = s @ p["w"]
    return jnp.sum(z * z) + 0.5 * jnp.sum(jnp.conj(z)) + p["c"] * jnp.sum(jnp.abs(z) ** 2)


def _polynomial(p: dict, s: jax.Array) -> jax.Array:
    z = s @ p["w"]
    return jnp.sum(z + 0.5 * z * z)


def _rows() -> dict[str, Callable[[], Any]]:
    w = {"w": _normal(SIZE, 4), "b": _normal(4, seed=1), "u": _normal(4, seed=2)}
    heads = {"w": _normal(SIZE, 4), "u": _normal(4, seed=1), "v": _normal(4, seed=2)}
    mixed = {"w": _normal(SIZE, 3, dtype=complex), "c": jnp.asarray(0.2)}
    poly = {"w": _normal(SIZE, 3, dtype=complex)}
    return {
        "rbm-real": lambda: RBM(SIZE, hidden=5, scale=0.3, key=KEY),
        "rbm-complex": lambda: RBM(SIZE, hidden=5, dtype=complex, scale=0.3, key=KEY),
        "rbm-binary": lambda: as_spins(RBM(SIZE, hidden=5, units="binary", scale=0.3, key=KEY)),
        "rbm-binary-hidden": lambda: RBM(
            SIZE, hidden=5, hidden_units="binary", dtype=complex, scale=0.3, key=KEY
        ),
        "symmetric-rbm-real": lambda: SymmetricRBM(Chain(SIZE), 2, dtype=float, key=KEY),
        "symmetric-rbm-complex": lambda: SymmetricRBM(Chain(SIZE), 2, dtype=complex, key=KEY),
        "jastrow-real": lambda: Jastrow(SIZE, dtype=float, key=KEY),
        "jastrow-complex": lambda: Jastrow(SIZE, dtype=complex, key=KEY),
        "mean-field": lambda: MeanField(SIZE, dtype=float, key=KEY),
        "function-real": lambda: FunctionAmplitude(_real_network, w, size=SIZE),
        "function-complex-of-real": lambda: FunctionAmplitude(_two_headed, heads, size=SIZE),
        "function-complex-of-complex": lambda: FunctionAmplitude(
            _not_holomorphic, mixed, size=SIZE, kind="complex"
        ),
        "function-holomorphic": lambda: FunctionAmplitude(_polynomial, poly, size=SIZE, kind="holomorphic"),
    }


MODELS = _rows()


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
        np.concatenate([np.ravel(leaf.real), np.ravel(leaf.imag)]) if jnp.iscomplexobj(leaf) else np.ravel(leaf)
        for leaf in leaves
    ]
    return np.concatenate(flat), back


def finite_differences(model: Any, configurations: np.ndarray, h: float = 1e-5) -> np.ndarray:
    """∂ log ψ(s)/∂x_k in the real coordinates, (S, K) complex, by central differences: error of order h² = 1e-10."""
    x, back = real_coordinates(model)

    @jax.jit
    def log_psi(y: jax.Array) -> jax.Array:
        return jax.vmap(back(y))(jnp.asarray(configurations))

    columns = []
    for k in range(len(x)):
        step = np.zeros_like(x)
        step[k] = h
        up, down = np.asarray(log_psi(x + step)), np.asarray(log_psi(x - step))
        difference = up - down
        if np.iscomplexobj(difference):  # phases are defined modulo 2π
            wrapped = np.angle(np.exp(1j * difference.imag))
            difference = difference.real + 1j * wrapped
        columns.append(difference / (2 * h))
    return np.stack(columns, axis=1).astype(complex)


def everything(model: Any) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """All configurations, their probabilities |ψ|² and ψ itself (normalised)."""
    configurations = all_configurations(model.size)
    log = np.asarray(jax.vmap(model)(jnp.asarray(configurations))).astype(complex)
    psi = np.exp(log - log.real.max())
    psi /= np.linalg.norm(psi)
    return configurations, np.abs(psi) ** 2, psi
