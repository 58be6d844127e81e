r"""The Hamiltonian of the hidden layer of an RBM, exact and by cumulants.

    e^{−H(h)} = Σ_v e^{−E(v, h)},      −H(h) = b·h − base(h) + Σ_i A_i(a_i + Σ_k W_ik h_k)

is a closed form, A(θ) = ln Σ_x e^{xθ − base(x)} of a visible unit (`unit_kinds`). Its expansion in W is
that in cumulants κ_n = A^{(n)}(a) of the visible units without the hidden ones (Mehta & Schwab 2014),

    −H(h) = const + Σ_k (b_k + Σ_i κ₁ W_ik) h_k + ½ Σ_kl J_kl h_k h_l + …,      J_kl = Σ_i κ₂ W_ik W_il,

whose n-th term couples n hidden units and is of order W^n.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from jaxtyping import Float

from intertwine._checks import fail, positive_int
from intertwine.models.machines.rbm import RBM
from intertwine.models.results import as_model

MOST_ORDERS = 8


@dataclass(frozen=True, eq=False)
class HiddenHamiltonian:
    """−H of the hidden layer.

    cumulants: float64 (orders + 1, N): κ_0 = A(a), κ_1 … of each visible unit. constant: Σ κ_0. fields: (M,)
    b_k + Σ κ_1 W_ik. pairs: (M, M), J_kl with its diagonal, which is a constant for spins ±1.
    """

    rbm: RBM
    cumulants: Float[np.ndarray, "orders N"]

    @property
    def constant(self) -> float:
        return float(self.cumulants[0].sum())

    @property
    def fields(self) -> Float[np.ndarray, " M"]:
        return np.asarray(self.rbm.hidden_bias, np.float64) + self.cumulants[1] @ self._weights

    @property
    def pairs(self) -> Float[np.ndarray, "M M"]:
        return self._weights.T @ (self.cumulants[2][:, None] * self._weights)

    @property
    def _weights(self) -> np.ndarray:
        return np.asarray(self.rbm.weights, np.float64)

    def log_weight(self, h: Array | np.ndarray, order: int | None = None) -> Float[np.ndarray, "..."]:
        """−H of hidden states (..., M): exact for None, else with the cumulants up to `order`.

        Raises InputError for states of another size and orders that were not asked for.
        """
        h = np.asarray(h, np.float64)
        if h.ndim == 0 or h.shape[-1] != self.rbm.hidden:
            raise fail("h", f"hidden states (..., {self.rbm.hidden})", f"shape {h.shape}")
        own = h @ np.asarray(self.rbm.hidden_bias, np.float64)
        own = own - np.asarray(self.rbm.hidden_layer.base(jnp.asarray(h)), np.float64)
        if order is None:
            angles = np.asarray(self.rbm.visible_bias, np.float64) + h @ self._weights.T
            return own + np.asarray(self.rbm.visible_layer.log_partition(jnp.asarray(angles)), np.float64)
        if not 0 <= order < len(self.cumulants):
            raise fail("order", f"an order up to {len(self.cumulants) - 1}", order)
        x = h @ self._weights.T
        return own + sum((x**n / math.factorial(n)) @ self.cumulants[n] for n in range(order + 1))


def hidden_hamiltonian(rbm: RBM, orders: int = 4) -> HiddenHamiltonian:
    """The Hamiltonian of the hidden layer with cumulants up to `orders`, 2 to 8.

    rbm: real, visible units of any kind but Potts (whose columns are not independent). Raises InputError for
    others.

    >>> found = hidden_hamiltonian(RBM(6, hidden=3, scale=0.1, key=jax.random.key(0)))
    >>> h = np.array([1, -1, 1])
    >>> bool(abs(found.log_weight(h, 4) - found.log_weight(h)) < 1e-4), found.pairs.shape
    (True, (3, 3))
    """
    rbm = as_model(rbm)
    if not isinstance(rbm, RBM) or rbm.kind != "real":
        raise fail("rbm", "an RBM with real parameters", type(rbm).__name__)
    if "potts" in str(rbm.units):
        raise fail("rbm", "visible units other than Potts, whose columns are not independent", rbm.units)
    if not 2 <= positive_int("orders", orders) <= MOST_ORDERS:
        raise fail("orders", f"2 to {MOST_ORDERS}", orders)

    def each(a: jax.Array) -> jax.Array:
        """A of every unit: the layer's sum, one unit at a time moved away from 0."""
        at_zero = rbm.visible_layer.log_partition(jnp.zeros_like(a))
        single = jax.vmap(lambda i: rbm.visible_layer.log_partition(jnp.zeros_like(a).at[i].set(a[i])))
        return single(jnp.arange(a.size)) - at_zero * (1 - 1 / a.size)

    derivative = lambda f: lambda a: jax.grad(lambda x: f(x).sum())(a)  # noqa: E731
    a, found, f = rbm.visible_bias, [], each
    for _ in range(orders + 1):
        found.append(np.asarray(f(a), np.float64))
        f = derivative(f)
    return HiddenHamiltonian(rbm, np.stack(found))
