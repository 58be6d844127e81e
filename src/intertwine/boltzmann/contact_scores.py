r"""Which units of a trained RBM are linked: couplings between pairs, and contacts of sequences.

A hidden unit couples all visible units at once; to second order about configurations v of the data its part
of ln Ψ is a coupling between pairs (Tubiana, Cocco & Monasson, eLife 8, e39397 (2019)),

    J_ij(a, b) = ⟨Σ_μ A_μ''(θ_μ(v)) W_ia,μ W_jb,μ⟩_data,       A'' the variance of h_μ in its field θ_μ.

For units of q states J is put into the zero-sum gauge, the norm of each block is taken, and what a place
shares with all others is removed (average product correction: Dunn, Wahl & Gloor, Bioinformatics 24, 333
(2008); Ekeberg et al., Phys. Rev. E 87, 012707 (2013)):

    F_ij = √(Σ_ab J_ij(a, b)²),      S_ij = F_ij − F_i· F_·j/F_··
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from numpy.typing import ArrayLike

from intertwine._checks import fail
from intertwine.boltzmann.training.stages import check_two_layers
from intertwine.learning.batches import host_array
from intertwine.models.machines.unit_kinds import unit_kind
from intertwine.models.results import as_model, taken

if TYPE_CHECKING:
    from intertwine.models.machines.rbm import RBM

MOST_ROWS = 10_000


def couplings(model: RBM, rows: ArrayLike) -> np.ndarray:
    """J between all pairs of visible columns of an RBM, float64 (N, N), about the first 10,000 of `rows`
    (nan: missing).

    Raises InputError for machines of more layers and for rows of another width.
    """
    model, scaling = taken(model)
    check_two_layers(model)
    if any(unit_kind(kind).columns > 1 for kind, _ in model.hidden_layer.parts):
        raise fail("model", "hidden units of one column each", model.hidden_units, "take binary ones")
    array = host_array(scaling.inside(rows), "rows")[:MOST_ROWS]
    model.visible_layer.check(array, "rows", missing=True)
    mean = np.nanmean(array, 0, dtype=np.float64) if array.dtype.kind == "f" else 0
    values = np.where(np.isnan(array), mean, array) if array.dtype.kind == "f" else array
    variance = np.asarray(_hidden_variance(model, jnp.asarray(values, model.weights.dtype)), np.float64)
    weights = np.asarray(model.weights, np.float64)
    return (weights * variance) @ weights.T


def contacts(model: RBM, rows: ArrayLike) -> np.ndarray:
    """Scores S_ij of all pairs of units, float64 (L, L), symmetric, 0 on the diagonal: the larger, the more
    the two depend on one another directly. model: an RBM whose visible units are of one kind. rows: (n, N) of
    the data (nan: missing).

    >>> from intertwine.models.machines.rbm import RBM
    >>> weights = jnp.zeros((6, 1)).at[jnp.array([1, 4])].set(2.0)
    >>> rbm = RBM.from_parameters(jnp.zeros(6), jnp.zeros(1), weights, units="binary", hidden_units="binary")
    >>> scores = contacts(rbm, np.random.default_rng(0).integers(0, 2, (50, 6)))
    >>> np.unravel_index(scores.argmax(), scores.shape)
    (np.int64(1), np.int64(4))
    """
    found, model = couplings(model, rows), as_model(model)
    kinds = {kind for kind, _ in model.visible_layer.parts}
    if len(kinds) > 1:
        raise fail("model", "visible units of one kind", model.units, "take couplings(model, rows)")
    states = unit_kind(kinds.pop()).columns
    blocks = found.reshape(len(found) // states, states, -1, states).swapaxes(1, 2)
    if states > 1:
        blocks = blocks - blocks.mean(2, keepdims=True)
        blocks = blocks - blocks.mean(3, keepdims=True)
    norms = np.sqrt((blocks**2).sum((2, 3)))
    np.fill_diagonal(norms, 0)
    size = len(norms)
    if size < 3:
        return norms
    of_row = norms.sum(1) / (size - 1)
    whole = of_row.mean()
    scores = norms - np.outer(of_row, of_row) / whole if whole > 0 else norms
    np.fill_diagonal(scores, 0)
    return scores


@jax.jit
def _hidden_variance(model: RBM, rows: Array) -> Array:
    """⟨A''(θ)⟩ of every hidden unit of one column, (M,)."""

    def mean_of(theta: Array) -> Array:
        return model.hidden_layer.mean(theta)

    theta = model.angles(rows)
    _, slope = jax.jvp(mean_of, (theta,), (jnp.ones_like(theta),))
    return slope.mean(0)
