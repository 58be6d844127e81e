r"""Energies of circuits from their vectors: E = ⟨ψ|H|ψ⟩ and ∂E/∂λ = 2 Re ⟨∂ψ|H|ψ⟩.

H is applied to the vector string by string, (Pψ)(b) = c (−1)^{b·z} ψ(b ⊕ x) with the bit masks x, z of a
Pauli string, so that no matrix is stored; strings that flip the same bits are one pass.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from jaxtyping import Complex, Float

from intertwine._checks import fail
from intertwine.models.qubits.circuit import Circuit
from intertwine.quantum.operators.matrices import bit_terms
from intertwine.quantum.operators.operator import Operator

DIAGONALS = 2**24
"""Numbers of elements that are kept for all bits that are flipped; beyond, they are made at every use."""


def energy(H: Operator, circuit: Circuit) -> Float[Array, ""]:
    """⟨ψ|H|ψ⟩ of a circuit, exactly; may be used inside `jax.jit` and `jax.grad`.

    Raises InputError where sizes differ or H is not Hermitian.

    >>> import intertwine as it
    >>> H, plus = it.tfim(it.Chain(4), h=2.0), it.Circuit(4, [it.qubits.h(w) for w in range(4)])
    >>> round(float(energy(H, plus)), 5)
    -8.0
    """
    return _compiled(strings_of(H, circuit), circuit)


def energy_and_gradient(H: Operator, circuit: Circuit) -> tuple[Float[Array, ""], tuple[Array, ...]]:
    """(E, ∂E/∂λ), the gradient like `circuit.parameters`, by reverse differentiation; compiled once.

    >>> import intertwine as it
    >>> psi = it.Circuit(1, [it.qubits.ry(0)], parameters=[[0.3]])
    >>> E, slope = energy_and_gradient(it.Operator.from_strings(1, [(1.0, {0: "Z"})]), psi)
    >>> round(float(E), 4), round(float(slope[0][0, 0]), 4)               # cos 0.3, −sin 0.3
    (0.9553, -0.2955)
    """
    return _energy_and_gradient(strings_of(H, circuit), circuit)


class Strings(eqx.Module):
    """An operator on a vector. flips: int32 (K,), the bits that are flipped. signs: int32 (K, T), the bits
    whose parity is the sign of each term. values: (K, T), 0 where padded."""

    flips: Any
    signs: Any
    values: Any

    def __call__(self, psi: Complex[Array, "D"]) -> Complex[Array, "D"]:
        """Hψ."""
        numbers = jnp.arange(psi.shape[0], dtype=jnp.int32)
        flips, signs = jnp.asarray(self.flips), jnp.asarray(self.signs)

        def elements(signs: Array, values: Array) -> Array:
            def term(total: Array, one: tuple[Array, Array]) -> tuple[Array, None]:
                odd = jax.lax.population_count(numbers & one[0]) & 1
                return total + one[1] * (1 - 2 * odd).astype(psi.real.dtype), None

            return jax.lax.scan(term, jnp.zeros(psi.shape, values.dtype), (signs, values))[0]

        def flip(total: Array, one: tuple[Array, ...]) -> tuple[Array, None]:
            return total + elements(one[1], one[2]) * psi[numbers ^ one[0]], None

        kind = psi.dtype if np.iscomplexobj(self.values) else psi.real.dtype
        values = jnp.asarray(self.values).astype(kind)
        return jax.lax.scan(flip, jnp.zeros_like(psi), (flips, signs, values))[0]


def strings_of(H: object, circuit: object) -> Strings:
    """The strings of a Hermitian operator for the vector of `circuit`; InputError where they do not fit."""
    if not isinstance(circuit, Circuit):
        raise fail("circuit", "a Circuit", circuit, "it.expect measures any other model")
    if not isinstance(H, Operator):
        raise fail("H", "an operator of spins ½, such as it.tfim(it.Chain(8))", H)
    if H.size != circuit.size:
        raise fail("circuit", f"one of {H.size} qubits, as the operator has", f"one of {circuit.size}")
    if not H.is_hermitian:
        raise fail("H", "a Hermitian operator", repr(H), "add its Hermitian conjugate")
    return _strings(_Same(H))


class _Same:
    """An operator as a key: the same object."""

    def __init__(self, operator: Operator):
        self.operator = operator

    def __hash__(self) -> int:
        return id(self.operator)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Same) and other.operator is self.operator


@lru_cache(maxsize=16)
def _strings(same: _Same) -> Strings:
    """Rows of terms that flip the same bits, padded to the same length."""
    terms = bit_terms(same.operator)
    counts = np.diff(terms.pointers)
    width, rows = max(1, int(counts.max(initial=0))), len(terms.flips)
    signs, values = np.zeros((rows, width), np.int32), np.zeros((rows, width), terms.values.dtype)
    row = np.repeat(np.arange(rows), counts)
    place = np.arange(len(row)) - np.repeat(terms.pointers[:-1], counts)
    signs[row, place], values[row, place] = terms.signs, terms.values
    return Strings(terms.flips.astype(np.int32), signs, values)


def _energy(strings: Strings, circuit: Circuit) -> Float[Array, ""]:
    """E with the gradient that a Hermitian H has: Hψ stands still, and its product counts twice."""
    psi = circuit.vector()
    still = jax.lax.stop_gradient(psi)
    image = strings(still)
    value = jnp.vdot(still, image).real
    slope = 2 * jnp.vdot(image, psi).real
    return value + slope - jax.lax.stop_gradient(slope)


_compiled = jax.jit(_energy)


@jax.jit
def _energy_and_gradient(strings: Strings, circuit: Circuit) -> tuple[Array, tuple[Array, ...]]:
    def of(parameters: tuple[Array, ...]) -> Array:
        return _energy(strings, eqx.tree_at(lambda c: c.parameters, circuit, parameters))

    return jax.value_and_grad(of)(circuit.parameters)
