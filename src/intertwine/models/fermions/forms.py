r"""What compiled kernels compute of a fermionic wave function: a weighted sum of determinants times a factor.

    ψ(s) = e^{factor(s)} Σ_d w_d det [ F_d[r, c] | U_d[r] ]

r are the occupied modes of one block of modes (rows), c those of another (columns, at most as many), F_d a
pair function between the two blocks, and U_d orbitals of the fermions that are not paired. It holds

    Slater determinants      F = Φ↑ Φ↓ᵀ, because det Φ↑[r] det Φ↓[c] = det (Φ↑ Φ↓ᵀ)[r, c]; one block: U = Φ
    pair functions           F itself: electrons in singlets (Anderson 1987)
    projected ones           F_g(i, j) = F(g⁻¹i, g⁻¹j) for every element g of a group, w_g = χ(g)

The factor is a `SpinForm`: a Jastrow state, an RBM.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from jaxtyping import Num, PyTree

from intertwine.models.fermions.filling import Filling
from intertwine.models.protocols import SpinForm, SpinFormed

LARGEST_ANGLE = 20.0
"""Bound on the angles of hidden units up to which products of ratios stay within numbers."""


class DeterminantForm(eqx.Module):
    """factor: a `SpinForm` of all N modes. pairs: F (D, rows, columns). unpaired: U (D, rows, n_r − n_c).
    weights: w (D,). rows, columns: the blocks of `filling` (columns None: one block alone)."""

    factor: SpinForm
    pairs: Num[Array, "D L M"]
    unpaired: Num[Array, "D L u"]
    weights: Num[Array, "D"]
    filling: Filling = eqx.field(static=True)
    rows: int = eqx.field(static=True)
    columns: int | None = eqx.field(static=True)


def blocks(filling: Filling) -> tuple[int, int | None]:
    """(the block of rows, the block of columns): the one with more fermions has the rows."""
    if len(filling.particles) == 1:
        return 0, None
    rows = 0 if filling.particles[0] >= filling.particles[1] else 1
    return rows, 1 - rows


def no_factor(size: int, dtype: Any) -> SpinForm:
    """The factor 1."""
    zero = jnp.zeros((), dtype)
    return SpinForm(zero, jnp.zeros(size, dtype), None, jnp.zeros(0, dtype), jnp.zeros((size, 0), dtype))


def product_pairs(filling: Filling, orbitals: Sequence[Num[Array, "modes n"]]) -> DeterminantForm:
    """The form of a product of Slater determinants of one block or two."""
    r, c = blocks(filling)
    rows = orbitals[r]
    columns = jnp.zeros((0, 0), rows.dtype) if c is None else orbitals[c]
    n = columns.shape[1]
    pairs = rows[:, :n] @ columns.T
    one, factor = jnp.ones(1, rows.dtype), no_factor(filling.size, rows.dtype)
    return DeterminantForm(factor, pairs[None], rows[None, :, n:], one, filling, r, c)


def has_determinants(model: PyTree) -> bool:
    """Whether `model` is exactly a `DeterminantForm`."""
    return bool(getattr(model, "has_determinants", False))


def times_factor(form: DeterminantForm, factor: SpinFormed) -> DeterminantForm:
    """The form times one more factor, whose own is 1."""
    return eqx.tree_at(lambda f: f.factor, form, factor.spin_form(), is_leaf=lambda x: x is None)


@jax.jit
def determinant_form(model: PyTree) -> DeterminantForm:
    """`model.determinant_form()`, compiled once for all models of a shape."""
    return model.determinant_form()


def fits_tables(form: DeterminantForm) -> bool:
    """Whether compiled kernels take it: a real factor with weights of moderate size."""
    factor = form.factor
    if any(x is not None and jnp.iscomplexobj(x) for x in factor):
        return False
    weights, bias = np.abs(np.asarray(factor.weights)), np.abs(np.asarray(factor.hidden_bias))
    widest = float(np.max(weights.sum(axis=0) + bias, initial=0.0))
    return widest < LARGEST_ANGLE and bool(np.isfinite(widest))
