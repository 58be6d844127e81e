r"""A step in coupling space, and its derivative.

    K (n,)  ──R──►  K' (n,)  on a lattice coarser by b,      T = ∂R/∂K

Whatever has `block`, `names` and `step` is a step: a recursion in closed form, an enumeration, a simulation.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float
from numpy.typing import ArrayLike

from intertwine._checks import fail

Couplings = ArrayLike | Mapping[str, float]
"""Couplings (n,), or by name."""


@runtime_checkable
class Step(Protocol):
    """One renormalization step in coupling space.

    block: the linear factor b > 1. names: one a coupling. step: couplings (n,) to couplings (n,), a function
    of JAX or of NumPy.

    A step may also have `jacobian(couplings) -> (n, n)`, [i, j] = ∂K'_i/∂K_j, used in place of a derivative
    of `step`, and `measured(couplings) -> (couplings (n,), covariance (n, n), jacobian (n, n))` where the
    new couplings are sampled.
    """

    @property
    def block(self) -> float: ...

    @property
    def names(self) -> tuple[str, ...]: ...

    def step(self, couplings: Couplings) -> Any: ...


@dataclass(frozen=True)
class FunctionStep:
    """A step given as a function.

    function: couplings (n,) to couplings (n,), of JAX or NumPy. block: b > 1. names: one a coupling.

    >>> decimation = FunctionStep(lambda K: jnp.arctanh(jnp.tanh(K) ** 2), block=2, names=("nearest",))
    >>> round(float(decimation.step(jnp.array([1.0]))[0]), 6)
    0.662501
    """

    function: Callable[[Any], Any]
    block: float
    names: tuple[str, ...]

    def step(self, couplings: Couplings) -> Any:
        return self.function(couplings)


def linearise(step: Step, couplings: Couplings) -> Float[np.ndarray, "n n"]:
    """T[i, j] = ∂K'_i/∂K_j at `couplings` (n,): the step's own `jacobian`, else the derivative by JAX, else
    central differences (relative error about 1e-9).

    >>> linearise(FunctionStep(lambda K: K**2, block=2, names=("nearest",)), [0.5])
    array([[1.]])
    """
    K = as_couplings("couplings", couplings, step)
    own = getattr(step, "jacobian", None)
    if own is not None:
        return np.asarray(own(K), np.float64)
    try:
        with jax.enable_x64(True):
            return np.asarray(jax.jacfwd(step.step)(jnp.asarray(K)), np.float64).reshape(len(K), len(K))
    except TypeError:  # a function of the host
        width = 1e-4 * np.maximum(np.abs(K), 0.1)
        columns = []
        for j, w in enumerate(width):
            at = [stepped(step, K + m * w * np.eye(len(K))[j]) for m in (-2, -1, 1, 2)]
            columns.append((at[0] - 8 * at[1] + 8 * at[2] - at[3]) / (12 * w))
        return np.stack(columns, axis=1)


def as_couplings(argument: str, couplings: Couplings, step: Step) -> Float[np.ndarray, " n"]:
    """Couplings (n,) in the order of the step's names, float64."""
    names = tuple(step.names)
    if not step.block > 1:
        raise fail("step", "a step whose block b is > 1", step.block)
    if isinstance(couplings, Mapping):
        unknown = [str(name) for name in couplings if name not in names]
        if unknown:
            raise fail(argument, "couplings of " + ", ".join(names), ", ".join(unknown))
        couplings = [couplings.get(name, 0.0) for name in names]
    try:
        K = np.array(couplings, np.float64)
    except (TypeError, ValueError):
        raise fail(argument, f"{len(names)} numbers", couplings, "in the order of step.names") from None
    if K.shape != (len(names),) or not np.isfinite(K).all():
        raise fail(argument, f"{len(names)} finite numbers, of " + ", ".join(names), str(couplings))
    return K


def stepped(step: Step, K: Float[np.ndarray, " n"], finite: bool = True) -> Float[np.ndarray, " n"]:
    """R(K) in float64; with `finite`, an error where it is not finite."""
    with jax.enable_x64(True):
        new = np.array(step.step(K), np.float64)
    if new.shape != K.shape:
        raise fail("step", f"a step that returns couplings of shape {K.shape}", f"shape {new.shape}")
    if finite and not np.isfinite(new).all():
        raise fail("step", "a step that gives finite couplings", f"{new} from {K}", "begin elsewhere")
    return new


def measured(step: Step, K: Float[np.ndarray, " n"]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(K', covariance, T) of one step, without errors where the step is not sampled."""
    own = getattr(step, "measured", None)
    if own is None:
        nothing = np.zeros((len(K), len(K)))
        return stepped(step, K), nothing, nothing
    new, covariance, matrix = own(K)
    return np.asarray(new, np.float64), np.asarray(covariance), np.asarray(matrix)
