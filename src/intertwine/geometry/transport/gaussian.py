r"""Transport between Gaussians, in closed form.

    W_2² = |m_1 − m_2|² + tr[S_1 + S_2 − 2 (S_1^{1/2} S_2 S_1^{1/2})^{1/2}]

(Dowson & Landau 1982; Givens & Shortt 1984); the second part is the squared Bures distance of the
covariances. A machine of Gaussian visible and Gaussian hidden units is a Gaussian itself,

    p(v) ∝ exp(a·v − ½ vᵀD v + ½ |b + Wᵀv|²),     D = diag(1/σ²),    S = (D − W Wᵀ)⁻¹,    m = S (a + W b)

(hidden units of width 1), where D − W Wᵀ is positive; a machine without weights is one whatever its units.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from jaxtyping import Float, PyTree
from numpy.typing import ArrayLike

from intertwine._checks import fail
from intertwine.models.machines.rbm import RBM
from intertwine.models.results import taken

if TYPE_CHECKING:
    Gaussian = ArrayLike | tuple[ArrayLike, ArrayLike] | PyTree


class GaussianLaw(NamedTuple):
    """mean (N,), covariance (N, N), float64."""

    mean: Float[np.ndarray, " N"]
    covariance: Float[np.ndarray, "N N"]


def bures(a: Gaussian, b: Gaussian) -> float:
    """W_2 between two Gaussians; of covariances alone, their Bures distance.

    a, b: a covariance (N, N), a pair (mean (N,), covariance), or a machine that is a Gaussian (an RBM of
    Gaussian visible and hidden units, a fit or a run of one). Covariances may be singular.

    Raises InputError for what is no covariance, and machines that are no Gaussians.

    >>> bures([[1.0]], [[4.0]]), bures(([0.0], [[1.0]]), ([3.0], [[1.0]]))
    (1.0, 3.0)
    """
    first, second = gaussian_law(a, "a"), gaussian_law(b, "b")
    if len(first.mean) != len(second.mean):
        raise fail("b", f"a Gaussian of {len(first.mean)} columns", f"one of {len(second.mean)}")
    root = _root(first.covariance)
    inner = np.linalg.eigvalsh(root @ second.covariance @ root)
    squared = np.trace(first.covariance) + np.trace(second.covariance)
    squared -= 2 * np.sqrt(np.maximum(inner, 0)).sum()
    shift = first.mean - second.mean
    return float(np.sqrt(max(float(shift @ shift + squared), 0.0)))


def gaussian_law(given: Gaussian, argument: str = "model") -> GaussianLaw:
    """Mean and covariance of a Gaussian given in one of the ways of `bures`.

    >>> gaussian_law([[2.0]]).mean.tolist()
    [0.0]
    """
    model, scaling = taken(given)
    if isinstance(model, RBM):
        law = _of_machine(model, argument)
        if scaling.scale is None:
            return law
        mean = scaling.outside(law.mean)
        return GaussianLaw(mean, law.covariance * scaling.scale * scaling.scale[:, None])
    mean, covariance = model if isinstance(model, tuple) and len(model) == 2 else (None, model)
    covariance = _checked(argument, covariance)
    mean = np.zeros(len(covariance)) if mean is None else np.asarray(mean, np.float64)
    if mean.shape != (len(covariance),) or not np.isfinite(mean).all():
        raise fail(argument, f"a finite mean ({len(covariance)},)", f"shape {mean.shape}")
    return GaussianLaw(mean, covariance)


def is_gaussian(model: object) -> bool:
    """Whether a model is a machine of Gaussian units on both sides."""
    return isinstance(model, RBM) and model.units == "gaussian" and model.hidden_units == "gaussian"


def _of_machine(model: RBM, argument: str) -> GaussianLaw:
    if not is_gaussian(model):
        got = f"{model.units} and {model.hidden_units} units"
        raise fail(argument, "a machine of Gaussian visible and hidden units", got, "it.geometry.wasserstein")
    w, a, b = (np.asarray(x, np.float64) for x in (model.weights, model.visible_bias, model.hidden_bias))
    variance = np.asarray(model.visible_layer.variance(), np.float64)
    precision = np.diag(1 / variance) - w @ w.T
    if np.linalg.eigvalsh(precision)[0] <= 0:
        largest = float(np.linalg.eigvalsh(np.sqrt(variance)[:, None] * (w @ w.T) * np.sqrt(variance))[-1])
        remedy = "smaller weights: its density grows without bounds"
        raise fail(argument, "D − W Wᵀ positive", f"a largest eigenvalue of σWWᵀσ of {largest:.4g}", remedy)
    covariance = np.linalg.inv(precision)
    return GaussianLaw(covariance @ (a + w @ b), (covariance + covariance.T) / 2)


def _checked(argument: str, given: Any) -> np.ndarray:
    covariance = np.asarray(given, np.float64)
    if covariance.ndim != 2 or covariance.shape[0] != covariance.shape[1] or not covariance.size:
        raise fail(argument, "a covariance (N, N), or (mean, covariance)", f"shape {covariance.shape}")
    if not np.isfinite(covariance).all():
        raise fail(argument, "a finite covariance", "entries that are not")
    scale = np.abs(covariance).max()
    if np.abs(covariance - covariance.T).max() > 1e-8 * scale:
        raise fail(argument, "a symmetric covariance", "one that is not", "give (S + Sᵀ)/2")
    lowest = float(np.linalg.eigvalsh(covariance)[0])
    if lowest < -1e-8 * scale:
        raise fail(argument, "a covariance without negative eigenvalues", f"one of {lowest:.4g}")
    return (covariance + covariance.T) / 2


def _root(covariance: np.ndarray) -> np.ndarray:
    values, vectors = np.linalg.eigh(covariance)
    return (vectors * np.sqrt(np.maximum(values, 0))) @ vectors.T
