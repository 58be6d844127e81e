r"""The curvature of any family of distributions in its parameters, by Gauss's equation.

The map p ↦ 2√p carries the Fisher metric to that of a sphere in flat space. A family λ ↦ p_λ is a surface in
it, with tangent vectors √p O_i, O_i = ∂_i ln p, and second derivatives √p (∂_i ∂_j ln p + ½ O_i O_j). Their
parts N_ij normal to the surface give

    R = g^{ik} g^{jl} (E[N_ik N_jl] − E[N_il N_jk]) = E[(tr N)²] − E[N_ij N^ij]

(Gauss 1827; Amari 1985). For an exponential family this is the formula of third cumulants; of an RBM, whose
distribution of visible units is none, it is the curvature of what the machine is.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from jaxtyping import Float, PyTree

from intertwine._checks import fail
from intertwine.geometry.spectrum import exact_distribution, spin_view
from intertwine.sampling.statistics.jackknife import jackknife_error

_NAME = re.compile(r"(?P<leaf>[a-z_]+)(?:\[(?P<place>[0-9]+(?:,[0-9]+)*)\])?", re.ASCII)
_GROUPS = 20
_BATCH = 4096


def are_parameters(model: PyTree, couplings: object) -> bool:
    """Whether all `couplings` are names such as "weights[0,2]" or "visible_bias" of arrays of the model."""
    names = (couplings,) if isinstance(couplings, str) else couplings
    if not isinstance(names, tuple | list) or not names:
        return False
    found = [_NAME.fullmatch(name) if isinstance(name, str) else None for name in names]
    return all(m is not None and eqx.is_inexact_array(getattr(model, m["leaf"], None)) for m in found)


def score_tables(model: PyTree, names: tuple[str, ...], rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """∂_i ln Ψ (S, n) and ∂_i ∂_j ln Ψ (S, n, n) of rows ±1 (S, N)."""
    moved = _moved(model, names)

    def value(t: Array, s: Array) -> Array:
        return spin_view(moved(t))(s)

    @eqx.filter_jit
    def both(rows: Array) -> Any:
        t = jnp.zeros(len(names), jax.tree.leaves(eqx.filter(model, eqx.is_inexact_array))[0].dtype)
        return jax.lax.map(
            lambda s: (jax.grad(value)(t, s), jax.hessian(value)(t, s)),
            rows,
            batch_size=min(_BATCH, len(rows)),
        )

    first, second = both(jnp.asarray(rows))
    return np.asarray(first, np.float64), np.asarray(second, np.float64)


def exact_tables(model: PyTree, names: tuple[str, ...]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """First and second derivatives of ln Ψ for all configurations, and their probabilities."""
    rows, weights = exact_distribution(spin_view(model))
    return *score_tables(model, names, rows), weights


def gauss_curvature(
    first: Float[np.ndarray, "S n"], second: Float[np.ndarray, "S n n"], weights: Float[np.ndarray, " S"]
) -> tuple[Float[np.ndarray, "n n"], float]:
    """(g, R) from derivatives of ln Ψ and probabilities.

    >>> p, S = np.array([0.5, 0.3, 0.2]), np.eye(3)[:, :2]
    >>> round(gauss_curvature(S, np.zeros((3, 2, 2)), p)[1], 12)
    0.5
    """
    score = first - weights @ first
    metric = (score * weights[:, None]).T @ score
    n = metric.shape[0]
    values, vectors = np.linalg.eigh(metric)
    if not values[0] > 0:
        return metric, np.nan
    root = vectors / np.sqrt(values)
    score = score @ root
    bend = second - np.tensordot(weights, second, 1)
    bend = np.einsum("ia,sij,jb->sab", root, bend, root)
    bend = bend - np.eye(n) + score[:, :, None] * score[:, None, :] / 2
    along = np.einsum("s,sab,sk->abk", weights, bend, score)
    bend = bend - np.einsum("abk,sk->sab", along, score)
    trace = np.einsum("saa->s", bend)
    return metric, float(weights @ (trace**2 - (bend**2).sum((1, 2))))


def sampled_gauss(first: np.ndarray, second: np.ndarray) -> tuple[np.ndarray, np.ndarray, float, float]:
    """(g, its error, R, its error) over samples chain after chain, by the jackknife over stretches."""
    count, n = first.shape
    group = np.arange(count) * _GROUPS // count

    def values(kept: np.ndarray) -> np.ndarray:
        metric, found = gauss_curvature(first[kept], second[kept], np.full(kept.sum(), 1 / kept.sum()))
        return np.append(metric.ravel(), found)

    whole = values(group >= 0)
    left = np.array([values(group != g) for g in range(_GROUPS)])
    value = whole + (_GROUPS - 1) * (whole - left.mean(0))
    error = jackknife_error(left)
    return value[:-1].reshape(n, n), error[:-1].reshape(n, n), float(value[-1]), float(error[-1])


def _moved(model: PyTree, names: tuple[str, ...]) -> Callable[[Array], Any]:
    """t (n,) ↦ the model with each named number, or array as a whole, moved by t_k (relative to itself)."""
    directions: dict[str, list[tuple[int, np.ndarray]]] = {}
    for k, name in enumerate(names):
        match = _NAME.fullmatch(name)
        assert match is not None
        leaf = np.asarray(getattr(model, match["leaf"]))
        direction = np.array(leaf)
        if match["place"]:
            place = tuple(int(x) for x in match["place"].split(","))
            direction = np.zeros(leaf.shape, leaf.dtype)
            try:
                if len(place) != leaf.ndim:
                    raise IndexError
                direction[place] = 1
            except IndexError:
                raise fail("couplings", f"places in an array of shape {leaf.shape}", name) from None
        directions.setdefault(match["leaf"], []).append((k, direction))

    def moved(t: Array) -> Any:
        changed = [
            getattr(model, leaf) + sum(t[k] * jnp.asarray(d) for k, d in parts)
            for leaf, parts in directions.items()
        ]
        return eqx.tree_at(lambda m: [getattr(m, leaf) for leaf in directions], model, changed)

    return moved
