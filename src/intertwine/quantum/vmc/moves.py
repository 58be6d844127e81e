"""The moves of an operator, K of them, as local values follow them: flips of spins, or steps of levels."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
from jax import Array
from jaxtyping import Int, Num, PyTree, Shaped

from intertwine._checks import fail
from intertwine.models.protocols import Incremental, LevelFormed, LevelIncremental
from intertwine.quantum.operators.levels.level_operator import LevelOperator
from intertwine.quantum.operators.operator import Operator

AnyOperator = Operator | LevelOperator
"""What wave functions are measured with."""


def check_operator(operator: object) -> None:
    """Raise unless `operator` is one of spins, or of modes with levels."""
    if not isinstance(operator, AnyOperator):
        raise fail("operator", "an Operator", operator, "for example intertwine.tfim(lattice)")


def is_incremental(operator: AnyOperator, model: PyTree) -> bool:
    """Whether the model keeps a cache that its configurations' moves change."""
    return isinstance(model, LevelIncremental if isinstance(operator, LevelOperator) else Incremental)


def on_host_levels(operator: AnyOperator, model: PyTree) -> bool:
    """Whether the compiled kernels of levels take operator and model."""
    formed = isinstance(operator, LevelOperator) and isinstance(model, LevelFormed)
    return formed and model.kind == "real"  # type: ignore[attr-defined]


def log_ratios(operator: AnyOperator, model: Any, cache: PyTree, s: Shaped[Array, "N"]) -> Num[Array, " K"]:
    """log ψ(s^{(k)}) − log ψ(s) of all moves, from the cache of s."""
    if isinstance(operator, LevelOperator):
        modes = jnp.asarray(operator.moves)
        levels = s.at[modes].get(mode="clip") + jnp.asarray(operator.shifts)
        most = jnp.asarray(operator.hilbert.levels).at[modes].get(mode="clip") - 1
        inside = jnp.clip(levels, 0, most)  # elements of the others vanish
        return jax.vmap(lambda m, v: model.log_change(cache, s, m, v))(modes, inside)
    return jax.vmap(lambda sites: model.log_ratio(cache, s, sites))(jnp.asarray(operator.flips))


def moved(
    operator: AnyOperator, rows: Shaped[Array, "n N"], chosen: Int[Array, " n"]
) -> Shaped[Array, "n N"]:
    """Configurations after one move each."""
    if isinstance(operator, LevelOperator):
        modes, shifts = jnp.asarray(operator.moves)[chosen], jnp.asarray(operator.shifts)[chosen]
        return jax.vmap(lambda s, m, c: s.at[m].add(c.astype(s.dtype), mode="drop"))(rows, modes, shifts)
    flips = jnp.asarray(operator.flips)[chosen]
    return jax.vmap(lambda s, sites: s.at[sites].multiply(-1, mode="drop"))(rows, flips)
