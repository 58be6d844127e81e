r"""A dictionary of functions of a state: monomials of its coordinates and of further functions, to a degree.

    f_k(x) = Π_i z_i^{e_ki},     z = (x_1 … x_d, g_1(x) … g_p(x)),     1 ≤ Σ_i e_ki ≤ degree

Values and gradients are float64 whatever JAX is set to. The g are differentiated by JAX.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations_with_replacement
from math import comb

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float, Int
from numpy.typing import ArrayLike

from intertwine._checks import fail, positive_int
from intertwine.geometry.conservation.formulas import monomial

Functions = Mapping[str, Callable[..., object]]
"""Functions of one state (d,) → a number, by name."""

MOST_FUNCTIONS = 1500
"""Functions of the largest dictionary."""


@dataclass(frozen=True, eq=False)
class Dictionary:
    """names: of the coordinates. functions: further ones. exponents: (K, d + p)."""

    names: tuple[str, ...]
    functions: Functions
    exponents: Int[np.ndarray, "K V"]

    @property
    def words(self) -> list[str]:
        """The name of each function."""
        variables = (*self.names, *self.functions)
        return [monomial(row.tolist(), variables) for row in self.exponents]

    def variables(self, states: Float[np.ndarray, "n d"]) -> Float[np.ndarray, "n V"]:
        """z of each state; `InputError` where a function is not a finite number."""
        return self._variables(states)[0]

    def values(self, states: Float[np.ndarray, "n d"]) -> Float[np.ndarray, "n K"]:
        """f_k of each state."""
        return _powers(self.variables(states), self.exponents)

    def rates(
        self, states: Float[np.ndarray, "n d"], velocities: Float[np.ndarray, "n d"]
    ) -> Float[np.ndarray, "n K"]:
        """∇f_k · velocity at each state."""
        z, jacobian = self._variables(states)
        dz = np.einsum("nvd,nd->nv", jacobian, velocities)
        return np.stack([(_slopes(z, row) * dz).sum(axis=1) for row in self.exponents], axis=1)

    def gradients(
        self, states: Float[np.ndarray, "n d"], combinations: Float[np.ndarray, "k K"]
    ) -> Float[np.ndarray, "n k d"]:
        """∇ Σ_k c_k f_k at each state, of each combination."""
        z, jacobian = self._variables(states)
        found = np.zeros((len(states), len(combinations), states.shape[1]))
        for k, row in enumerate(self.exponents):
            if np.any(combinations[:, k]):
                of_one = np.einsum("nv,nvd->nd", _slopes(z, row), jacobian)
                found += combinations[None, :, k, None] * of_one[:, None, :]
        return found

    def _variables(self, states: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        n, d = states.shape
        z, jacobian = [states], [np.broadcast_to(np.eye(d), (n, d, d))]
        for name, function in self.functions.items():
            value, slope = _of_function(name, function, states)
            z.append(value[:, None])
            jacobian.append(slope[:, None, :])
        return np.concatenate(z, axis=1), np.concatenate(jacobian, axis=1)


def dictionary(
    dimension: int, degree: int, functions: Functions | None = None, names: Sequence[str] | None = None
) -> Dictionary:
    """All monomials of degree 1 to `degree`, those of low degree first.

    Raises InputError for names that are not `dimension` different ones, and for too many functions.

    >>> dictionary(2, 2, {"1/r": lambda x: 1 / jnp.hypot(x[0], x[1])}, ("x", "y")).words[-3:]
    ['y²', 'y (1/r)', '(1/r)²']
    """
    degree = positive_int("degree", degree, "give the largest degree of the polynomials")
    further = dict(functions or {})
    own = tuple(names) if names is not None else tuple(f"x{i + 1}" for i in range(dimension))
    if len(own) != dimension or len({*own, *further}) != dimension + len(further):
        raise fail("names", f"{dimension} different names, one a coordinate, other than functions", list(own))
    for name, function in further.items():
        if not callable(function):
            raise fail(f"functions[{name!r}]", "a function of one state", function)
    variables = dimension + len(further)
    count = comb(variables + degree, degree) - 1
    if count > MOST_FUNCTIONS:
        words = f"{count} functions: {variables} variables to degree {degree}"
        raise fail("degree", f"at most {MOST_FUNCTIONS} functions", words, "take a lower degree")
    rows = []
    for total in range(1, degree + 1):
        for chosen in combinations_with_replacement(range(variables), total):
            rows.append(np.bincount(chosen, minlength=variables))
    return Dictionary(own, further, np.array(rows))


def checked_states(states: ArrayLike, argument: str = "states") -> Float[np.ndarray, "n d"]:
    """Finite float64 (n, d), or the error that says what is wrong."""
    given = np.asarray(states)
    if given.ndim < 2 or given.dtype.kind not in "biuf" or not given.size:
        raise fail(argument, "numbers (states, coordinates)", given)
    flat = given.astype(np.float64).reshape(-1, given.shape[-1])
    if not np.isfinite(flat).all():
        raise fail(argument, "finite numbers", f"{int((~np.isfinite(flat)).sum())} that are not")
    return flat


def _powers(z: np.ndarray, exponents: np.ndarray) -> np.ndarray:
    found = np.ones((len(z), len(exponents)))
    for v in range(z.shape[1]):
        powers = z[:, v, None] ** np.arange(exponents[:, v].max(initial=0) + 1)
        found *= powers[:, exponents[:, v]]
    return found


def _slopes(z: np.ndarray, row: np.ndarray) -> np.ndarray:
    """∂f/∂z (n, V) of one monomial."""
    found = np.zeros_like(z)
    for v in np.flatnonzero(row):
        less = row.copy()
        less[v] -= 1
        found[:, v] = row[v] * _powers(z, less[None])[:, 0]
    return found


def _of_function(
    name: str, function: Callable[..., object], states: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    with jax.enable_x64(True):

        def one(x: jax.Array) -> jax.Array:
            return jnp.asarray(function(x)).reshape(())

        try:
            value, slope = jax.jit(jax.vmap(jax.value_and_grad(one)))(jnp.asarray(states))
        except Exception as error:
            reason = f"{type(error).__name__}: {(str(error).strip().splitlines() or [''])[0]}"
            expected = "a function of one state (d,) that JAX differentiates, to a number"
            raise fail(f"functions[{name!r}]", expected, reason, "write it with jax.numpy") from error
        found, gradient = np.asarray(value, np.float64), np.asarray(slope, np.float64)
    if not (np.isfinite(found).all() and np.isfinite(gradient).all()):
        bad = int((~np.isfinite(found)).sum() + (~np.isfinite(gradient)).any(axis=1).sum())
        raise fail(f"functions[{name!r}]", "finite values and slopes at every state", f"{bad} that are not")
    return found, gradient
