r"""The Fisher metric of a model's distribution, and its spectrum: which directions of λ matter.

    G = Cov(O, O),   O_k = ∂ ln Ψ_λ(s)/∂λ_k,        KL(p_λ ‖ p_{λ+δ}) = ½ δᵀGδ + O(δ³)       (nats)

for p = Ψ/Z (`learning.log_derivatives`; Amari 1998). Eigenvectors with large eigenvalues are stiff: along
them the distribution changes most, and samples tell the parameters best. In most models of many parameters
the eigenvalues lie evenly over many decades, and the model is sloppy (Gutenkunst et al., PLoS Comput. Biol.
3, e189, 2007; Transtrum et al., J. Chem. Phys. 143, 010901, 2015). Stiff directions are to the data what
relevant ones are to a flow of couplings: the few that a coarse look at the system still sees (Machta et al.,
Science 342, 604, 2013; `coupling_metrics`).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float, Int8, PyTree
from numpy.typing import ArrayLike

from intertwine._checks import fail
from intertwine._shown import Shown
from intertwine.learning.log_derivatives import LogDerivatives, column_count, log_derivatives
from intertwine.models.results import as_model
from intertwine.models.units import as_spins
from intertwine.sampling.enumeration import all_configurations

if TYPE_CHECKING:
    from intertwine.models.protocols import LogAmplitude

LARGEST_TABLE = 2**26
"""Numbers of the largest table of log-derivatives that is formed."""


@dataclass(frozen=True, eq=False, repr=False)
class FisherSpectrum(Shown):
    """eigenvalues: of G, float64 (r,), largest first, in nats over the square of the parameters' unit.
    directions: float64 (r, P), orthonormal rows, in the order of the columns of `log_derivatives`. With fewer
    configurations S than parameters r = S, and the other P − r eigenvalues are 0. parameters: P.
    configurations: how many were averaged over; None where the distribution is exact. resolution: eigenvalues
    below it times the largest one are rounding.
    """

    eigenvalues: Float[np.ndarray, " r"]
    directions: Float[np.ndarray, "r P"]
    parameters: int
    configurations: int | None
    resolution: float

    @property
    def participation(self) -> float:
        """(Σλ)²/Σλ², the effective number of stiff directions, from 1 to P."""
        return float(self.eigenvalues.sum() ** 2 / (self.eigenvalues**2).sum())

    def relevant(self, threshold: float = 1e-2) -> int:
        """How many eigenvalues are above `threshold` times the largest one."""
        return int((self.eigenvalues > threshold * self.eigenvalues[0]).sum())

    @property
    def decades(self) -> float:
        """How many powers of ten the eigenvalues above the resolution span."""
        held = self.eigenvalues[self.eigenvalues > self.resolution * self.eigenvalues[0]]
        return math.log10(held[0] / held[-1])

    def share(self, change: Float[np.ndarray, " P"], threshold: float = 1e-2) -> float:
        """The part of |δ|² along relevant directions, 0 to 1; a random δ has relevant/P on average."""
        along = self.directions[: self.relevant(threshold)] @ change
        return float(along @ along / (change @ change))

    def __str__(self) -> str:
        top, count = self.eigenvalues[0], self.relevant()
        return (
            f"{self.parameters} directions, largest eigenvalue {top:.3g}; {count} above 1 % of it, "
            f"participation {self.participation:.1f}, {self.decades:.1f} decades"
        )


def fisher_spectrum(model: PyTree, spins: ArrayLike | None = None) -> FisherSpectrum:
    """Eigenvalues and directions of the Fisher metric of p = Ψ/Z.

    model: real parameters, spins ±1 or 0/1 units (an RBM, an `Ising` model, any function). spins: ±1 (S, N),
    configurations of the model, or None for the exact metric by enumeration.

    Raises InputError for complex models, units of other kinds, spins that are not ±1, systems too large for
    an enumeration, and models that nothing changes.

    >>> from intertwine.models.mean_field import MeanField
    >>> free = MeanField(3, key=jax.random.key(0))                      # ln Ψ = Σ a_i s_i: 1 − tanh² a_i
    >>> exact = np.sort(1 - np.tanh(np.asarray(free.field)) ** 2)[::-1]
    >>> bool(np.allclose(fisher_spectrum(free).eigenvalues, exact, atol=1e-6))
    True
    """
    model = as_model(model)
    view = spin_view(model)
    if spins is None:
        configurations, weights = exact_distribution(view)
        return spectrum(metric_operator(view, configurations, weights), None)
    configurations = _checked_spins(spins, view.size)
    return spectrum(metric_operator(view, configurations, None), len(configurations))


def spin_view(model: PyTree) -> Any:
    """The model as a function ln Ψ of spins ±1, its parameters checked to be real."""
    kind = getattr(model, "kind", None)
    if kind != "real":
        shown = type(model).__name__ if kind is None else f"kind {kind}"
        raise fail("model", "a model with real parameters, p = Ψ/Z", shown)
    if hasattr(model, "states") or getattr(model, "units", "spin") not in ("spin", "binary"):
        raise fail("model", "units of two states, spin or binary", type(model).__name__)
    view = model if getattr(model, "distribution", "born") == "boltzmann" else as_spins(model)
    if not column_count(view):
        raise fail("model", "a model with parameters", type(model).__name__)
    return view


@eqx.filter_jit
def _log_weights(view: LogAmplitude, spins: np.ndarray) -> Any:
    return jax.lax.map(view, jnp.asarray(spins), batch_size=min(4096, len(spins)))


def log_weights(view: LogAmplitude, spins: Int8[np.ndarray, "S N"]) -> Float[np.ndarray, " S"]:
    """ln Ψ of configurations, float64."""
    return np.asarray(_log_weights(view, spins), np.float64)


def _checked_spins(spins: Any, size: int) -> Int8[np.ndarray, "S N"]:
    """Configurations ±1 (S, N), or the error that says what is wrong."""
    given = np.asarray(spins)
    if given.ndim != 2 or given.shape[1] != size or len(given) < 2:
        raise fail("spins", f"at least two configurations (S, {size})", f"shape {given.shape}")
    if given.dtype.kind not in "if" or not (np.abs(given) == 1).all():
        raise fail("spins", "values ±1", f"values such as {np.unique(given)[:4].tolist()}")
    return given.astype(np.int8)


def exact_distribution(view: LogAmplitude) -> tuple[Int8[np.ndarray, "n N"], Float[np.ndarray, " n"]]:
    """All configurations and their probabilities Ψ/Z."""
    if 2.0**view.size * column_count(view) > LARGEST_TABLE:
        raise fail(
            "spins",
            f"configurations, where 2^N times the parameters exceed {LARGEST_TABLE}",
            None,
            "sample the model, for example spins=it.sample(model, 4000, key=key)",
        )
    configurations = all_configurations(view.size)
    log_p = log_weights(view, configurations)
    p = np.exp(log_p - log_p.max())
    return configurations, p / p.sum()


@eqx.filter_jit
def metric_operator(view: LogAmplitude, spins: ArrayLike, weights: ArrayLike | None) -> LogDerivatives:
    """Ō over configurations (S, N) with probabilities (S,), or 1/S each."""
    return log_derivatives(view, jnp.asarray(spins), None if weights is None else jnp.asarray(weights))


def spectrum(operator: LogDerivatives, configurations: int | None) -> FisherSpectrum:
    """The eigenvalues of ŌᵀŌ, from the smaller of it and ŌŌᵀ."""
    if operator.columns <= operator.rows:
        values, vectors = np.linalg.eigh(np.asarray(operator.metric(), np.float64))
        directions = vectors.T[::-1]
    else:
        values, vectors = np.linalg.eigh(np.asarray(operator.gram(), np.float64))
        directions = (np.asarray(operator.dense(), np.float64).T @ vectors).T[::-1]
        directions, _ = np.linalg.qr(directions.T)  # in the order of the eigenvalues: keeps every direction
        directions = directions.T
    values = np.maximum(values[::-1], 0)
    if not np.isfinite(values).all() or values[0] <= 0:
        raise fail("model", "a distribution that depends on its parameters", f"eigenvalues {values[:4]}")
    resolution = 100 * float(jnp.finfo(operator.weights.dtype).eps)
    return FisherSpectrum(values, directions, operator.columns, configurations, resolution)
