r"""The gradient flow of the likelihood, exact in the gradient and in time.

    dλ/dt = −∂/∂λ [⟨F(v)⟩_data + ln Z]

for machines whose ln Z is known (`objectives.exact`: one small discrete side, or Gaussian units on both), by
a Runge-Kutta method of order 8 with controlled errors (Dormand & Prince; SciPy's DOP853). It is what steepest
descent with an exact gradient goes to for small learning rates: t is learning rate × updates.
"""

from __future__ import annotations

from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jax.flatten_util import ravel_pytree
from jaxtyping import PyTree
from numpy.typing import ArrayLike
from scipy.integrate import solve_ivp

from intertwine._checks import fail
from intertwine.boltzmann.objectives.exact import is_enumerable, log_z
from intertwine.boltzmann.objectives.gaussian_sums import is_gaussian
from intertwine.boltzmann.training.rows import batches_of, check_rows
from intertwine.boltzmann.training.stages import check_two_layers
from intertwine.models.machines.layered import layered
from intertwine.models.machines.rbm import RBM
from intertwine.models.results import as_model

MOST_STATES = 2**16


def gradient_flow(model: RBM, data: PyTree, times: ArrayLike, *, tolerance: float = 1e-9) -> list[RBM]:
    """The machine along the gradient flow from `model` on, at each of `times`, in the type of `model`.

    data: (rows, N), or (data, weights), as of `it.learn`; of a Gaussian machine only their means and
    covariances matter. times: increasing, from 0 on. tolerance: of each step, relative and absolute.

    Raises InputError for machines whose ln Z is not known, rows that do not fit, and times out of order.

    >>> rbm = RBM.from_parameters([0.0], [0.0], [[1e-3]], units="gaussian", hidden_units="gaussian",
    ...                           log_variance=None)
    >>> models = gradient_flow(rbm, np.array([[2.0], [-2.0]]), [0.0, 2.167994627793163])   # c = 4
    >>> round(float(models[1].weights[0, 0]) ** 2, 4)                                      # half of 3/4
    0.375
    """
    model = as_model(model)
    check_two_layers(model)
    if not is_enumerable(model, MOST_STATES):
        got = f"{model.size} {model.units} and {model.hidden} {model.hidden_units} units"
        remedy = "follow it.learn with it.boltzmann.EmergenceTrace instead"
        raise fail(
            "model", f"a machine whose ln Z is a sum of {MOST_STATES} terms, or an integral", got, remedy
        )
    moments = np.asarray(times, np.float64)
    if moments.ndim != 1 or not len(moments) or not np.isfinite(moments).all():
        raise fail("times", "finite times (T,)", times)
    if moments[0] < 0 or (np.diff(moments) <= 0).any():
        raise fail("times", "increasing times from 0 on", times)
    rows, weights = _rows(model, data)
    dtype = model.weights.dtype
    with jax.enable_x64(True):
        wide = jax.tree.map(lambda x: jnp.asarray(np.asarray(x), jnp.float64), model)
        arrays, rest = eqx.partition(wide, eqx.is_inexact_array)
        first, unravel = ravel_pytree(arrays)
        held = jnp.asarray(rows), jnp.asarray(weights)

        @jax.jit
        def slope(y: Any) -> Any:
            def value(flat: Any) -> Any:
                machine = eqx.combine(unravel(flat), rest)
                return held[1] @ machine.free_energy(held[0]) + log_z(machine)

            return -jax.grad(value)(y)

        y, at, found = np.asarray(first), 0.0, []
        for t in moments:
            if t > at:
                path = solve_ivp(
                    lambda _, x: np.asarray(slope(x)), (at, t), y, method="DOP853", rtol=tolerance,
                    atol=tolerance * max(1e-3, float(np.abs(y).max(initial=0))),
                )  # fmt: skip
                y, at = path.y[:, -1], float(t)
            if not np.isfinite(y).all():
                raise fail(
                    "model", "a flow that stays finite", f"nan at t = {t:.6g}", "begin at smaller weights"
                )
            found.append(jax.tree.map(np.asarray, unravel(jnp.asarray(y))))
    fixed = eqx.filter(model, eqx.is_inexact_array, inverse=True)
    return [eqx.combine(jax.tree.map(lambda x: jnp.asarray(x, dtype), y), fixed) for y in found]


def _rows(model: RBM, data: PyTree) -> tuple[np.ndarray, np.ndarray]:
    """(rows, their shares), float64; of a Gaussian machine 2N rows of the same means and covariances."""
    batches = batches_of(data, 1, seed=0, binarise=False)
    check_rows(model, batches)
    rows = np.asarray(batches.arrays[0], np.float64)
    weights = np.asarray(batches.arrays[1], np.float64) if len(batches.arrays) > 1 else np.ones(len(rows))
    weights = weights / weights.sum()
    if not is_gaussian(layered(model)) or len(rows) <= 2 * model.size:
        return rows, weights
    mean = weights @ rows
    c, u = np.linalg.eigh(np.einsum("r,ri,rj->ij", weights, rows - mean, rows - mean, optimize=True))
    spread = (np.sqrt(np.maximum(c, 0) * model.size) * u).T
    return np.concatenate([mean + spread, mean - spread]), np.full(2 * model.size, 0.5 / model.size)
