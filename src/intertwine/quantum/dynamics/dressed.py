r"""A model times the exponential of a diagonal operator, whose factors e^{zD} it takes exactly.

    log ψ'(s) = log ψ(s) + Σ_t g_t Π_{i∈z_t} s_i,       e^{zD}: g_t ← g_t + z d_t

for D = Σ_t d_t Π_{i∈z_t} Z_i. Strings that the symmetry of the model joins share one g, so that the symmetry
stays.
"""

from __future__ import annotations

from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from jaxtyping import Complex, Int, Num, PyTree, Shaped

from intertwine.models.parameters import parameters
from intertwine.models.protocols import Direct, Factored, Kind, SpinForm, SpinFormed
from intertwine.quantum import defaults
from intertwine.quantum.operators import pauli
from intertwine.quantum.operators.operator import Operator


class Dressed(eqx.Module):
    """`model` times the exponential of the diagonal strings of an operator; build it with `dressed`.

    exponents: one for each class of strings. sites: int32 (T, D), padded with N. classes: int32 (T,).
    permutations: int32 (g, N), which leave both alone.
    """

    model: Any
    exponents: Complex[Array, "c"]
    sites: Int[Array, "T D"]
    classes: Int[Array, "T"]
    permutations: Int[Array, "g N"]

    @property
    def size(self) -> int:
        """The number of sites N."""
        return self.model.size

    @property
    def kind(self) -> Kind:
        return "holomorphic" if self.model.kind == "holomorphic" else "complex"

    def __call__(self, s: Shaped[Array, "N"]) -> Num[Array, ""]:
        """log ψ' of one configuration (N,) of spins ±1."""
        spins = jnp.concatenate([s.astype(jnp.finfo(self.exponents.dtype).dtype), jnp.ones(1)])
        return self.model(s) + jnp.sum(self.exponents[self.classes] * jnp.prod(spins[self.sites], axis=-1))

    def turned(self, operator: Operator, z: complex) -> Dressed:
        """e^{zD} of it, D the diagonal of `operator`, whose strings are those that it was built for."""
        _, values = _diagonal(operator)
        if len(values) != len(self.classes):
            raise ValueError("the strings of the diagonal have changed")
        new = np.zeros(len(self.exponents), complex)
        new[np.asarray(self.classes)] = values
        return eqx.tree_at(lambda m: m.exponents, self, self.exponents + jnp.asarray(z * new))


class DressedForm(Dressed):
    """Of a model that is a `SpinForm`, with strings of one or two sites: one too, with its compiled
    kernels."""

    def spin_form(self) -> SpinForm:
        """The fields and couplings of both."""
        form, n, values = self.model.spin_form(), self.size, self.exponents[self.classes]
        sites = jnp.pad(self.sites, ((0, 0), (0, 2 - self.sites.shape[1])), constant_values=n)
        first, second = jnp.min(sites, axis=1), jnp.max(sites, axis=1)
        field = jnp.zeros(n, values.dtype).at[first].add(jnp.where(second == n, values, 0))
        coupling = jnp.zeros((n, n), values.dtype).at[first, second].add(values, mode="drop")
        coupling = coupling + coupling.T
        whole = coupling if form.coupling is None else form.coupling + coupling
        return form._replace(field=form.field + field, coupling=whole)

    def factors(self, samples: Shaped[Array, "S N"]) -> DressedForm:
        """Those of the model, and Σ Π s_i of each class."""
        s = samples.astype(jnp.finfo(self.exponents.dtype).dtype)
        extended = jnp.concatenate([s, jnp.ones((s.shape[0], 1), s.dtype)], axis=1)
        products = jnp.prod(extended[:, self.sites], axis=-1)
        sums = jnp.zeros((s.shape[0], self.exponents.shape[0]), s.dtype).at[:, self.classes].add(products)
        new = (self.model.factors(samples), Direct(sums))
        return eqx.tree_at(lambda m: (m.model, m.exponents), parameters(self), new)


def dressed(model: PyTree, operator: Operator) -> Dressed:
    """`model` with exponents 0 for the diagonal strings of `operator`."""
    strings, _ = _diagonal(operator)
    numbers = {row.tobytes(): t for t, row in enumerate(strings)}
    moves = [row for row in defaults.symmetry_of(model)[0] if operator.is_invariant(row)]
    classes = np.arange(len(strings))
    for t, row in enumerate(strings):
        for p in moves:
            moved = np.empty_like(row)
            moved[p] = row
            classes[t] = min(classes[t], numbers[moved.tobytes()])
    classes = np.unique(classes, return_inverse=True)[1].astype(np.int32)
    leaf = jnp.result_type(*_leaves(model), jnp.complex64)
    sites = jnp.asarray(pauli.padded(strings), jnp.int32)
    kept = jnp.asarray(np.array(moves), jnp.int32)
    pairs = sites.shape[1] <= 2 and model.kind == "holomorphic"
    kind = DressedForm if pairs and isinstance(model, SpinFormed) and isinstance(model, Factored) else Dressed
    return kind(model, jnp.zeros(int(classes.max()) + 1, leaf), sites, jnp.asarray(classes), kept)


def _leaves(model: PyTree) -> list[Array]:
    return jax.tree.leaves(eqx.filter(model, eqx.is_inexact_array))


def _diagonal(operator: Operator) -> tuple[np.ndarray, np.ndarray]:
    """The strings (T, N) and coefficients (T,) of the diagonal, the identity left out."""
    x, z, h = operator.masks()
    chosen = ~np.any(x, axis=1) & np.any(z, axis=1)
    return z[chosen], h[chosen]
