"""Circuits by the names of `models.names`: hardware-efficient:DEPTH, qaoa:DEPTH, hva:DEPTH."""

from __future__ import annotations

from typing import TYPE_CHECKING

import jax.numpy as jnp
from jax import Array
from jax.typing import DTypeLike

from intertwine.models.parameters import parameter_dtype
from intertwine.models.qubits.circuit import Circuit
from intertwine.models.qubits.presets import (
    hamiltonian_variational,
    hardware_efficient,
    qaoa,
    transverse_ising,
)

if TYPE_CHECKING:
    from intertwine.spaces.lattice import Lattice

CIRCUITS = ("hardware-efficient", "qaoa", "hva")
CIRCUIT_NAMES = tuple(f"{family}:DEPTH" for family in CIRCUITS)


def circuit_from_name(family: str, lattice: Lattice, depth: int, *, dtype: DTypeLike, key: Array) -> Circuit:
    """The circuit of `family` on a lattice, or on anything with a size (an open line); angles are real, of
    the precision of `dtype`. Without an operator, "hva" is that of the transverse-field Ising model.

    >>> import jax, intertwine as it
    >>> circuit_from_name("qaoa", it.Chain(6), 2, dtype=float, key=jax.random.key(0)).depth
    2
    """
    real = jnp.finfo(parameter_dtype(dtype)).dtype
    if family == "hva":
        size, strings = transverse_ising(lattice)
        return hamiltonian_variational(size, strings, depth, dtype=real, key=key)
    return (qaoa if family == "qaoa" else hardware_efficient)(lattice, depth, dtype=real, key=key)
