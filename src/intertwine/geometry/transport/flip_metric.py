r"""The metric of optimal transport on the parameters of a small model, exactly, beside the Fisher metric.

    G_W = Jᵀ L(p)⁺ J,   J = ∂p/∂λ,     L(p) = Σ_edges θ(p_x, p_y) (e_x − e_y)(e_x − e_y)ᵀ

over all 2^N configurations, whose edges are flips of one unit (Maas, J. Funct. Anal. 261, 2250, 2011; Li &
Montúfar, Inf. Geom. 1, 181, 2018). The mobility θ is the mean (p + q)/2, or the logarithmic one
(p − q)/ln(p/q), for which the heat flow of the graph is the gradient flow of the entropy. Where the Fisher
metric asks how well two distributions can be told apart, this one asks how far probability has to be carried.
`projected` is what `NaturalGradient(metric="transport")` has from samples (`transport_product`), never above
the exact one with the mean.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from jaxtyping import Float, PyTree

from intertwine._checks import fail, one_of
from intertwine._shown import Shown
from intertwine.geometry.spectrum import exact_distribution, metric_operator, spin_view
from intertwine.learning.log_derivatives import formed_blocks
from intertwine.models.results import as_model

LARGEST = 12
"""Units of the largest exact metric."""


@dataclass(frozen=True, eq=False, repr=False)
class TransportMetric(Shown):
    """All float64 (P, P), in the order of the columns of `log_derivatives`. metric: G_W, in squared flips.
    projected: F A⁻¹ F. fisher: F, in nats. mobility: "arithmetic" or "logarithmic"."""

    metric: Float[np.ndarray, "P P"]
    projected: Float[np.ndarray, "P P"]
    fisher: Float[np.ndarray, "P P"]
    mobility: str

    @property
    def kept(self) -> Float[np.ndarray, " r"]:
        """The eigenvalues of `projected` against `metric`, largest first, of the directions that change the
        distribution: 1 where the projection loses nothing."""
        values, vectors = np.linalg.eigh(self.metric)
        root = vectors[:, values > 1e-6 * values[-1]] / np.sqrt(values[values > 1e-6 * values[-1]])
        return np.linalg.eigvalsh(root.T @ self.projected @ root)[::-1]

    def __str__(self) -> str:
        kept = self.kept
        return (
            f"transport metric of {len(self.metric)} parameters ({self.mobility} mobility), trace "
            f"{np.trace(self.metric):.4g}, Fisher {np.trace(self.fisher):.4g}; "
            f"log-derivatives as potentials keep {kept[-1]:.3f} to {kept[0]:.3f}"
        )


def transport_metric(
    model: PyTree, *, mobility: Literal["arithmetic", "logarithmic"] = "arithmetic"
) -> TransportMetric:
    """The transport metric of p = Ψ/Z over the flips of single units, by all configurations.

    model: real parameters, spins ±1 or 0/1 units, at most 12. mobility: see the head of this file.
    Raises InputError for other models.

    >>> import jax
    >>> from intertwine.models.mean_field import MeanField
    >>> free = MeanField(3, key=jax.random.key(0))                 # G_W = (1 − tanh²)²/2, F = 1 − tanh²
    >>> found = transport_metric(free)
    >>> bool(np.allclose(found.metric, found.fisher @ found.fisher / 2, atol=1e-6))
    True
    """
    model = as_model(model)
    view = spin_view(model)
    one_of("mobility", mobility, ("arithmetic", "logarithmic"))
    if view.size > LARGEST:
        remedy = 'NaturalGradient(metric="transport") has it from samples'
        raise fail("model", f"at most {LARGEST} units", view.size, remedy)
    rows, p = exact_distribution(view)
    operator = metric_operator(view, rows, p)
    scores = np.concatenate([np.asarray(block, np.float64) for block in formed_blocks(operator)], 1)
    scores = scores - p @ scores
    fisher = (scores * p[:, None]).T @ scores
    change = p[:, None] * scores
    metric = change.T @ _potentials(rows, p, change, mobility)
    return TransportMetric((metric + metric.T) / 2, _projected(rows, p, scores, fisher), fisher, mobility)


def _neighbours(rows: np.ndarray) -> np.ndarray:
    """The number of every configuration with unit i flipped: (2^N, N)."""
    size = rows.shape[1]
    numbers = np.arange(len(rows))
    place = 1 << np.arange(size)[::-1]
    coded = (rows < 0) @ place
    where = np.empty(len(rows), np.int64)
    where[coded] = numbers
    return where[coded[:, None] ^ place]


def _potentials(rows: np.ndarray, p: np.ndarray, change: np.ndarray, mobility: str) -> np.ndarray:
    """L(p)⁺ J up to a constant: the potentials that are 0 at the most probable configuration."""
    from scipy.linalg import cho_factor, cho_solve

    near = _neighbours(rows)
    q = p[near]
    theta = (p[:, None] + q) / 2
    if mobility == "logarithmic":
        apart = np.log(p)[:, None] - np.log(q)
        with np.errstate(divide="ignore", invalid="ignore"):
            theta = np.where(np.abs(apart) > 1e-6, (p[:, None] - q) / apart, theta)
    laplacian = np.zeros((len(p), len(p)))
    laplacian[np.arange(len(p))[:, None], near] = -theta
    laplacian[np.arange(len(p)), np.arange(len(p))] = theta.sum(1)
    if not theta.sum(1).min() > 0:
        remedy = "its parameters are too large for an exact metric"
        raise fail("model", "probabilities that are above 0 in float64", "some that are 0", remedy)
    kept = np.delete(np.arange(len(p)), int(p.argmax()))
    scale = np.sqrt(theta.sum(1)[kept])
    matrix = laplacian[np.ix_(kept, kept)] / np.outer(scale, scale)
    found = np.zeros_like(change)
    found[kept] = cho_solve(cho_factor(matrix), change[kept] / scale[:, None]) / scale[:, None]
    return found


def _projected(rows: np.ndarray, p: np.ndarray, scores: np.ndarray, fisher: np.ndarray) -> np.ndarray:
    """F A⁺ F with A = ½ E Σ_i (O(s^i) − O(s))²."""
    near = _neighbours(rows)
    local = np.zeros_like(fisher)
    for column in near.T:
        apart = scores[column] - scores
        local += (apart * p[:, None]).T @ apart / 2
    return fisher @ np.linalg.pinv(local, rcond=1e-10, hermitian=True) @ fisher
