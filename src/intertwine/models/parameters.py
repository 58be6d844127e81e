r"""What the parameters λ of a model are, how many, of which type, and how they start.

The parameters of a model are its inexact (real or complex floating) array leaves; integer tables
(permutations, pair indices) and static fields are not. A complex parameter counts once.
"""

from __future__ import annotations

from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from jax.typing import DTypeLike
from jaxtyping import Num, PyTree

from intertwine._checks import fail
from intertwine.models.results import as_model

_X64 = 'run jax.config.update("jax_enable_x64", True) first, or ask for dtype=float or dtype=complex'


def parameters(model: PyTree) -> Any:
    """The model's pytree with everything but its parameters replaced by None.

    >>> from intertwine.models.mean_field import MeanField
    >>> [leaf.shape for leaf in jax.tree.leaves(parameters(MeanField(4, key=jax.random.key(0))))]
    [(4,)]
    """
    return eqx.filter(model, eqx.is_inexact_array)


def count_parameters(model: PyTree) -> int:
    """How many parameters there are; a complex one counts once.

    >>> from intertwine.models.machines.rbm import RBM
    >>> count_parameters(RBM(4, hidden=3, key=jax.random.key(0)))  # 4 + 3 + 4·3
    19
    """
    model = as_model(model)
    return sum(leaf.size for leaf in jax.tree.leaves(parameters(model)))


def parameter_dtype(dtype: DTypeLike) -> jnp.dtype:
    """`float` or `complex` at JAX's current precision, or exactly the floating type named.

    Raises InputError for a type that is not float32, float64, complex64 or complex128, and for a 64-bit type
    while JAX has only 32 bits (JAX would silently round).

    >>> parameter_dtype("float32")
    dtype('float32')
    """
    if dtype is float or dtype is complex:
        return jnp.dtype(jnp.asarray(dtype(0)).dtype)
    try:
        asked = np.dtype(dtype)
    except TypeError:
        raise fail("dtype", "float, complex, float32, float64, complex64 or complex128", dtype) from None
    if asked.name not in ("float32", "float64", "complex64", "complex128"):
        raise fail("dtype", "float, complex, float32, float64, complex64 or complex128", asked.name)
    wide = asked.name in ("float64", "complex128")
    if wide and not jax.config.jax_enable_x64:  # type: ignore[attr-defined]
        raise fail("dtype", "a 32-bit type, because JAX runs in 32 bits", asked.name, _X64)
    return asked


def check_key(key: object) -> Array:
    """`key` if it is a JAX random key, or the error that says how to make one."""
    remedy = "give key=jax.random.key(0)"
    if not isinstance(key, jax.Array):
        raise fail("key", "a JAX random key", key, remedy)
    old_style = key.dtype == jnp.uint32 and key.shape == (2,)
    if not (old_style or (jnp.issubdtype(key.dtype, jax.dtypes.prng_key) and key.shape == ())):
        raise fail("key", "one JAX random key", f"an array of shape {key.shape} and type {key.dtype}", remedy)
    return key


def check_scale(scale: Any) -> float:
    """The standard deviation of initial parameters: a finite number ≥ 0."""
    try:
        value = float(scale)
    except (TypeError, ValueError):
        value = float("nan")
    if isinstance(scale, bool) or not 0 <= value < float("inf"):
        raise fail("scale", "a finite number ≥ 0, the standard deviation of the initial parameters", scale)
    return value


def normal(key: Array, shape: tuple[int, ...], dtype: jnp.dtype, scale: float) -> Num[Array, "..."]:
    """Normal initial parameters with E|λ|² = scale²."""
    return scale * jax.random.normal(key, shape, dtype)
