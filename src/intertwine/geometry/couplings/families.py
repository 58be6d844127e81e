r"""Exponential families of couplings, in three forms that answer alike: cumulants at any couplings θ.

a table       p_θ(x) ∝ b(x) e^{θ·S(x)} on finitely many states, states of equal S put together
a function    ln Z(θ), differentiated automatically
rows          ln Z of a lattice, by the transfer matrix of its rows (`transfer`)
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple, Protocol

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float

from intertwine._checks import fail


class Cumulants(NamedTuple):
    """log_z: ln Z in nats. mean: ⟨S⟩ (n,). metric: g (n, n). third: T (n, n, n). All of the whole system."""

    log_z: float
    mean: Float[np.ndarray, " n"]
    metric: Float[np.ndarray, "n n"]
    third: Float[np.ndarray, "n n n"]


class CouplingFamily(Protocol):
    """What the geometry of a family is made of."""

    names: tuple[str, ...]
    sites: int
    theta: Float[np.ndarray, " n"]

    def cumulants(self, theta: Float[np.ndarray, " n"]) -> Cumulants:
        """At the couplings θ (n,)."""
        ...


class TableFamily:
    """sums: S, (M, n), a row a state. log_base: ln b, (M,). theta: the system's own couplings."""

    def __init__(
        self, names: tuple[str, ...], sums: np.ndarray, log_base: np.ndarray, theta: np.ndarray, sites: int
    ):
        self.names, self.theta, self.sites = names, np.asarray(theta, np.float64), sites
        rows, place = np.unique(sums, axis=0, return_inverse=True)
        place = place.ravel()
        top = np.full(len(rows), -np.inf)
        np.maximum.at(top, place, log_base)
        anchored = np.where(np.isfinite(top), top, 0.0)
        share = np.bincount(place, np.exp(log_base - anchored[place]), len(rows))
        self.sums, self.log_base = rows.astype(np.float64), anchored + np.log(share)

    def cumulants(self, theta: np.ndarray) -> Cumulants:
        p, log_z = self._weights(theta)
        likely = self.sums[np.argmax(p)]  # counted from it, so that small deviations keep their digits
        mean = p @ (self.sums - likely)
        apart = (self.sums - likely) - mean
        metric = (apart * p[:, None]).T @ apart
        pairs = (apart[:, :, None] * apart[:, None, :]).reshape(len(apart), -1)
        third = ((apart * p[:, None]).T @ pairs).reshape((len(mean),) * 3)
        return Cumulants(log_z, mean + likely, metric, third)

    def overlap(self, first: np.ndarray, last: np.ndarray) -> float:
        """Σ √(p_θ p_θ')."""
        start, end = (self._weights(theta)[1] for theta in (first, last))
        exponent = self.log_base + self.sums @ ((np.asarray(first) + last) / 2)
        return float(np.exp(exponent - (start + end) / 2).sum())

    def _weights(self, theta: np.ndarray) -> tuple[np.ndarray, float]:
        exponent = self.log_base + self.sums @ theta
        top = exponent.max()
        weight = np.exp(exponent - top)
        total = weight.sum()
        return weight / total, float(top + np.log(total))


class FunctionFamily:
    """ln Z as a function of θ (n,), written with `jax.numpy`."""

    def __init__(self, log_z: Callable[..., Any], theta: np.ndarray, names: tuple[str, ...], sites: int = 1):
        self.names, self.theta, self.sites = names, np.asarray(theta, np.float64), sites
        second = jax.hessian(log_z)
        self._all = jax.jit(lambda t: (log_z(t), jax.grad(log_z)(t), second(t), jax.jacfwd(second)(t)))

    def cumulants(self, theta: np.ndarray) -> Cumulants:
        with jax.enable_x64(True):
            try:
                found = self._all(jnp.asarray(theta, jnp.float64))
            except TypeError as error:
                expected = "a function of the couplings (n,) with one number, written with jax.numpy"
                raise fail("system", expected, str(error).partition("\n")[0]) from error
            log_z, mean, metric, third = (np.asarray(x, np.float64) for x in found)
        if not all(np.isfinite(x).all() for x in (log_z, mean, metric, third)):
            raise fail("system", "ln Z with finite derivatives", f"none at {np.asarray(theta).tolist()}")
        return Cumulants(float(log_z), mean, metric, third)
