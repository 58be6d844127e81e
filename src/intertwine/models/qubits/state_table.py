r"""All amplitudes of a state of qubits, (2^N,): log ψ of a configuration is looked up, and draws are exact.

A vanishing amplitude has no logarithm. Below ε = 10⁻¹² (10⁻⁷ in single precision) ψ(s) counts as ψ(s) + ε, so
that with ∂ψ(s) its derivative and Hψ(s) its image

    Σ_s |ψ|² (∂ψ/ψ)* (∂ψ/ψ) = Σ_s ∂ψ* ∂ψ,        Σ_s |ψ|² (∂ψ/ψ)* (Hψ/ψ) = Σ_s ∂ψ* Hψ

hold to rounding also where ψ(s) = 0 and ∂ψ(s) ≠ 0: sums over all configurations are those of the vector.
"""

from __future__ import annotations

import equinox as eqx
import jax
import jax.numpy as jnp
from jax import Array
from jaxtyping import Complex, Float, Int8, Int32, Shaped

from intertwine.models.machines.hidden_units import check_configuration
from intertwine.models.protocols import Kind
from intertwine.spaces.hilbert.hilbert_space import HilbertSpace
from intertwine.spaces.hilbert.kinds import Spins

LEAST = {"complex128": 1e-12, "complex64": 1e-7}


class StateTable(eqx.Module):
    """The vector of a state of N qubits as a wave function of spins ±1.

    >>> table = StateTable(jnp.array([0.6, 0.0, 0.0, 0.8j]))
    >>> table.size, table.draw(5, key=jax.random.key(0)).shape
    (2, (5, 2))
    """

    amplitudes: Complex[Array, "D"]

    @property
    def size(self) -> int:
        """The number of qubits N."""
        return self.amplitudes.shape[0].bit_length() - 1

    @property
    def kind(self) -> Kind:
        return "complex"

    @property
    def hilbert(self) -> HilbertSpace:
        """Free spins ½."""
        return Spins(self.size)

    def __call__(self, s: Shaped[Array, "N"]) -> Complex[Array, ""]:
        """log ψ of one configuration (N,) of spins ±1."""
        check_configuration(s, self.size)
        return jnp.log(floored(self.amplitudes[number_of(s)]))

    def draw(self, count: int, *, key: Array) -> Int8[Array, "count N"]:
        """`count` independent configurations of |ψ|²: the first half of the qubits by their marginal, the
        others given these, which keeps small probabilities apart also in single precision."""
        size = self.size
        p = jnp.square(self.amplitudes.real) + jnp.square(self.amplitudes.imag)
        p = p.reshape(2 ** (size // 2), -1)
        first, second = jax.random.split(key)
        row = _inverse(jnp.cumsum(p.sum(1)), jax.random.uniform(first, (count,), p.dtype))
        columns, u = jnp.cumsum(p, axis=1), jax.random.uniform(second, (count,), p.dtype)
        column = jax.lax.map(lambda x: _inverse(columns[x[0]], x[1]), (row, u), batch_size=1024)
        numbers = row * p.shape[1] + column
        return spins_of(numbers, size)


def floored(psi: Complex[Array, "..."]) -> Complex[Array, "..."]:
    """ψ, and ψ + ε where it vanishes."""
    least = LEAST[psi.dtype.name]
    gone = jnp.square(psi.real) + jnp.square(psi.imag) < least**2
    return psi + jnp.where(gone, least, 0).astype(psi.real.dtype)


def number_of(s: Shaped[Array, "... N"]) -> Int32[Array, "..."]:
    """The number of configurations (..., N): the first site the most significant bit, s = −1 a bit 1."""
    down = (s <= 0).astype(jnp.int32)
    return jnp.sum(down << jnp.arange(s.shape[-1] - 1, -1, -1, dtype=jnp.int32), axis=-1)


def spins_of(numbers: Int32[Array, "..."], size: int) -> Int8[Array, "... N"]:
    """The configurations (..., N) of numbers."""
    bits = (numbers[..., None] >> jnp.arange(size - 1, -1, -1, dtype=jnp.int32)) & 1
    return (1 - 2 * bits).astype(jnp.int8)


def _inverse(cumulated: Float[Array, "n"], u: Float[Array, "..."]) -> Int32[Array, "..."]:
    """The first place where the cumulated weights exceed u of their sum."""
    place = jnp.searchsorted(cumulated, u * cumulated[-1], side="right")
    return jnp.minimum(place, cumulated.shape[0] - 1).astype(jnp.int32)
