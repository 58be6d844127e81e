r"""The Kullback-Leibler divergence from data to a restricted Boltzmann machine, as an objective of the loop.

    L = KL(data ‖ p) + const = −⟨ln p(v)⟩_data,      −∂L/∂W = C(v, h) = ⟨v hᵀ⟩_data − ⟨v hᵀ⟩_model,
    −∂L/∂a = ⟨v⟩_data − ⟨v⟩_model,                   −∂L/∂b = ⟨h⟩_data − ⟨h⟩_model

for units of every kind, since each energy is linear in the parameters. The model's average is the method's
business (`methods`); the gradient of one update is one stacked product [V₊; V₋]ᵀ[H₊; −H₋].

Centred (Montavon & Müller 2012; Melchior, Fischer & Wiskott, JMLR 17(99), 2016): the machine is written with
offsets μ, λ as E = −(v − μ)ᵀW(h − λ) − ..., a reparametrisation of the same machine that makes the gradient
nearly diagonal. Seen from the uncentred parameters the descent direction is

    ΔW = C − μ (Δh)ᵀ − (Δv) λᵀ,        Δa' = Δv − ΔW λ,        Δb' = Δh − ΔWᵀ μ,

with Δv, Δh the differences of the means: a fixed positive definite map of the gradient, whose zeros are the
same. μ, λ are running means over the data. Standardised, variables are also divided by their running standard
deviations σ_v, σ_h, which divides ΔW by σ_v²σ_h², and the biases' parts by σ_v² and σ_h².

Gaussian units of width σ move in the coordinates of Liao et al. (2022): the shift σ²W that a hidden unit
gives to the mean of v, the mean σ²(a + Wλ) itself, and ln σ², with shifts and mean held while σ² moves,

    Δ ln σ² = r [⟨(v − E[v|h])²⟩_data/σ² − 1],   h ~ p(h|v),     within ±r,
    ΔW = C'/σ² − W Δ ln σ²,     C' = C − μ(Δh)ᵀ − (Δv)λᵀ,     Δa' = Δv/σ² − (a + Wλ) Δ ln σ² − ΔW λ.

σ² is thus led to the variance of v that hidden units drawn from the data leave, as in the EM algorithm, and
there it is in every machine that describes the data. The gradient of the likelihood compares ⟨v²⟩ of data and
model instead, two large numbers whose noise widths do not survive; it is what `centred=False` gives, and the
natural gradient. Nothing depends on the units in which v is measured. A share of the variance of each column
(`LEAST_SHARE`) is added to ⟨…⟩, so that columns with repeated values do not draw σ to 0.

A value that no row has in its column would draw the visible bias to −∞, update by update. `unseen`, the share
of a row that learning begins with (`beginning`), is added to ⟨v⟩_data in Δa', and holds it where it began.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
from jax import Array
from jaxtyping import Float

from intertwine._checks import fail
from intertwine.boltzmann.objectives.methods import PCD, Moments, Samples
from intertwine.learning.objective import Evaluation
from intertwine.models.machines.unit_layer import UnitLayer
from intertwine.models.parameters import parameters
from intertwine.sampling.missing import completed
from intertwine.sampling.statistics.estimate import estimate

if TYPE_CHECKING:
    from collections.abc import Callable

    from intertwine.models.machines.rbm import RBM

SLIDE = 0.01
"""Weight of a new batch in the running means, once there have been 100."""
MEASURED_ROWS = 128
WIDTH_RATE = 2.0
"""r: how much faster ln σ² moves than the other parameters."""
LEAST_SHARE = 1e-3
LEAST_VARIANCE = 0.01
"""Added to variances by which gradients are divided: pixels that never change stay finite."""


class Offsets(NamedTuple):
    """Running means over the data. v, h: means μ (N,), λ (M,). v2, h2: mean squares. count: batches."""

    v: Float[Array, "N"]
    h: Float[Array, "M"]
    v2: Float[Array, "N"]
    h2: Float[Array, "M"]
    count: Array


class KLState(NamedTuple):
    """chains: the method's state. offsets: see `Offsets`. unseen: see `KL`, (N,)."""

    chains: Any
    offsets: Offsets
    unseen: Any = 0.0


@dataclass(frozen=True)
class KL:
    """The objective. Frozen and hashable: static in the compiled loop.

    method: CD, PCD, PT, TrajectoryTempering, ExactKL, or Wasserstein (another divergence).
    centred, standardised: see the head of this file.
    weight_decay, l1: ½ weight_decay Σ W² and l1 Σ |W| are added to L; biases are free.
    sparsity: None, or (target, strength): strength · (mean − target) is added to the gradient with respect to
    the field on each hidden unit, whose running mean over the data is thus drawn to the target (Hinton 2010).
    missing: sweeps that draw the entries of a batch that are nan, given the others (`sampling.missing`); 0
    where nothing is missing.
    unseen: added to the means of the visible units over the data, (N,) (`beginning.unseen_means`), or None.

    >>> KL(PCD(chains=50), weight_decay=1e-4).value_name
    'reconstruction_error'
    """

    method: Any = field(default_factory=PCD)
    centred: bool = True
    standardised: bool = False
    weight_decay: float = 0.0
    l1: float = 0.0
    sparsity: tuple[float, float] | None = None
    missing: int = 0
    unseen: Any = field(default=None, compare=False, repr=False)

    def __post_init__(self) -> None:
        if not (hasattr(self.method, "init") and hasattr(self.method, "negative")):
            raise fail("method", "a method such as PCD(chains=100), CD(steps=1) or ExactKL()", self.method)
        for name in ("weight_decay", "l1"):
            value = getattr(self, name)
            if not 0 <= value < float("inf"):
                raise fail(name, "a finite number ≥ 0", value, "for example 1e-4")
        if self.sparsity is not None and not (len(self.sparsity) == 2 and self.sparsity[1] >= 0):
            raise fail(
                "sparsity", "None or (target mean, strength ≥ 0)", self.sparsity, "such as (0.1, 0.01)"
            )

    @property
    def value_name(self) -> str:
        own = (
            None if self.missing else getattr(self.method, "value_name", None)
        )  # of all entries, drawn ones too
        return own or "reconstruction_error"

    def init(self, model: RBM, *, key: Array) -> KLState:
        h = model.hidden_layer.mean(model.hidden_bias)
        v = model.visible_given_hidden(h)
        h = model.hidden_given_visible(v)
        layer = model.visible_layer
        spread = 0.0 if layer.log_variance is None else layer.variance(v.dtype)
        return KLState(
            self.method.init(model, key=key),
            Offsets(v, h, v * v + spread, h * h, jnp.zeros((), jnp.int32)),
            jnp.zeros_like(v) if self.unseen is None else jnp.asarray(self.unseen, v.dtype),
        )

    def gradient(
        self, model: RBM, state: KLState, batch: Array | tuple[Array, ...], *, key: Array
    ) -> tuple[Any, KLState, dict[str, Array]]:
        """∂L/∂λ on a batch v (B, N), or (v, weights) with weights (B,) that count rows unequally."""
        change, state, scalars, _ = self.change(model, state, batch, key)
        return change, state, scalars

    def evaluate(
        self, model: RBM, state: KLState, batch: Array | tuple[Array, ...], *, key: Array
    ) -> tuple[Evaluation, KLState]:
        """The model's samples and the uncentred gradient, for the natural gradient."""
        plain = KL(self.method, False, False, self.weight_decay, self.l1, self.sparsity, self.missing)
        change, state, scalars, negative, errors = _evaluated(model, state, batch, key, objective=plain)
        if not isinstance(negative, Samples):
            raise fail(
                "optimiser", f"one that needs no samples, with {self.method}", "one that needs samples"
            )
        local = jnp.zeros(negative.v.shape[0], negative.v.dtype)
        value = estimate(errors[:, None])
        found = {name: float(x) for name, x in scalars.items()}
        return Evaluation(negative.v, local, negative.weights, value, found, change), state

    def measure(
        self, model: RBM, state: KLState, batch: Array | tuple[Array, ...], *, key: Array
    ) -> dict[str, Array]:
        """`reconstruction_error`, the mean square difference a column between v and its mean-field image;
        `free_energy`, the mean F(v) in nats; over the first rows of the batch, at most 128."""
        v = _rows(batch)[0][:MEASURED_ROWS]
        if self.missing:
            v = completed(model, v, state.offsets.v, sweeps=self.missing, key=key)
        found = {
            "reconstruction_error": _reconstruction_error(model, v).mean(),
            "free_energy": model.free_energy(v).mean(),
        }
        if hasattr(self.method, "observed"):
            weights = _rows(batch)[1]
            weights = None if weights is None else weights[:MEASURED_ROWS]
            found |= self.method.observed(model, state.chains, v, weights, key=key)
        return found

    def change(
        self,
        model: RBM,
        state: KLState,
        batch: Array | tuple[Array, ...],
        key: Array,
        carried: Callable[[Samples], tuple[UnitLayer, Array, Array]] | None = None,
    ) -> tuple:
        """(∂L/∂λ, the new state, scalars, the method's `Samples` or `Moments`). carried: where a method of
        transport measures distances, if not on the machine's own units (`Wasserstein.pulled`)."""
        v, weights = _rows(batch)
        if self.missing:
            drawn, key = jax.random.split(key)
            v = completed(model, v, state.offsets.v, sweeps=self.missing, key=drawn)
        if hasattr(self.method, "paired"):
            h, negative, chains, scalars = self.method.paired(model, state.chains, v, key=key)
        else:
            h = model.hidden_given_visible(v)
            negative, chains, scalars = self.method.negative(model, state.chains, v, key=key)
        data_v, data_h, difference = contrast(v, h, weights, negative, model.visible_layer)
        if self._pulls:
            seen = None if carried is None else carried(negative)
            difference = self.method.pulled(model.visible_layer, v, weights, negative, difference, seen)
        if self.value_name == "negative_log_likelihood":
            free = _mean(model.free_energy(v)[:, None], weights)[0]
            scalars = scalars | {"negative_log_likelihood": scalars["log_z"] + free}
        gradient = self._gradient(model, difference, state, self._unexplained(model, v, weights, key))
        widths = model.visible_layer.log_variance is not None
        offsets = self._slid(state.offsets, v, h, data_v, data_h, weights, widths)
        return gradient, KLState(chains, offsets, state.unseen), scalars, negative

    @property
    def _pulls(self) -> bool:
        """Whether the method puts another gradient in place of the likelihood's."""
        return hasattr(self.method, "pulled")

    def _unexplained(self, model: RBM, v: Array, weights: Array | None, key: Array) -> Array | None:
        """⟨(v − E[v|h])²⟩ of the Gaussian columns, h drawn for each row."""
        layer = model.visible_layer
        if layer.log_variance is None or self._pulls or not (self.centred or self.standardised):
            return None
        h = model.sample_hidden(v, key=jax.random.fold_in(key, 1))
        missed = (v - model.visible_given_hidden(h))[:, layer.gaussian_columns]
        return _mean(missed * missed, weights)

    def _gradient(self, model: RBM, difference: Moments, state: KLState, unexplained: Array | None) -> Any:
        """∂L/∂λ, or the direction that stands for it, a machine like `model`."""
        layer, offsets = model.visible_layer, state.offsets
        if self.weight_decay or self.l1:  # a part of the gradient like any other, mapped as all of it is
            shrunk = self.weight_decay * model.weights + self.l1 * jnp.sign(model.weights)
            difference = difference._replace(vh=difference.vh - shrunk)
        if layer.log_variance is None:
            ascent = self._direction(difference, offsets)
        elif (self.centred or self.standardised) and not self._pulls:
            *ascent, of_widths = self._with_widths(model, difference, offsets, unexplained)
        else:
            ascent = difference[:3]
            of_widths = 0.5 * difference.square * jnp.exp(-layer.log_variance)
        penalty = self._penalty(model, state)
        change = [extra - part for extra, part in zip(penalty, ascent, strict=True)]
        slots = (model.visible_bias, model.hidden_bias, model.weights)
        change = [part.astype(slot.dtype) for part, slot in zip(change, slots, strict=True)]
        found = eqx.tree_at(_leaves, parameters(model), tuple(change))
        if layer.log_variance is None:
            return found
        of_widths = -of_widths.astype(layer.log_variance.dtype)
        return eqx.tree_at(lambda m: m.visible_layer.log_variance, found, of_widths)

    def _with_widths(
        self, model: RBM, difference: Moments, offsets: Offsets, unexplained: Any
    ) -> tuple[Array, Array, Array, Array]:
        """(Δa', Δb', ΔW, Δ ln σ²) of a machine with Gaussian columns; see the head of this file."""
        (dv, dh, dw), (mu, lam) = difference[:3], offsets[:2]
        columns, variance = model.visible_layer.gaussian_columns, model.visible_layer.variance()
        dw = dw - mu[:, None] * dh - dv[:, None] * lam
        field = model.visible_bias + model.weights @ lam
        spread = LEAST_SHARE * (offsets.v2 - mu * mu)[columns]
        share = (unexplained + spread) * jnp.exp(-model.visible_layer.log_variance) - 1
        of_widths = WIDTH_RATE * jnp.clip(share, -1, 1)
        moved = jnp.zeros_like(mu).at[columns].set(of_widths)
        v_scale, h_scale = 1 / variance, jnp.ones_like(lam)
        if self.standardised:
            others = jnp.ones_like(mu).at[columns].set(0)
            v_scale = jnp.where(others > 0, 1 / (offsets.v2 - mu * mu + LEAST_VARIANCE), v_scale)
            h_scale = 1 / (offsets.h2 - lam * lam + LEAST_VARIANCE)
        dw = dw * v_scale[:, None] * h_scale - model.weights * moved[:, None]
        return dv * v_scale - field * moved - dw @ lam, dh * h_scale - mu @ dw, dw, of_widths

    def _direction(self, difference: Moments, offsets: Offsets) -> tuple[Array, Array, Array]:
        """(Δa', Δb', ΔW) from the differences of the moments."""
        dv, dh, dw = difference[:3]
        if not (self.centred or self.standardised):
            return dv, dh, dw
        mu, lam = offsets.v, offsets.h
        if not self.standardised:
            # products with the uncorrected difference: the corrected one is then used once, and fused
            to_v = dw @ lam - mu * (dh @ lam) - dv * (lam @ lam)
            to_h = mu @ dw - (mu @ mu) * dh - (mu @ dv) * lam
            return dv - to_v, dh - to_h, dw - mu[:, None] * dh - dv[:, None] * lam
        v_scale = 1 / (offsets.v2 - mu * mu + LEAST_VARIANCE)
        h_scale = 1 / (offsets.h2 - lam * lam + LEAST_VARIANCE)
        dw = (dw - mu[:, None] * dh - dv[:, None] * lam) * v_scale[:, None] * h_scale
        return dv * v_scale - dw @ lam, dh * h_scale - mu @ dw, dw

    def _penalty(self, model: RBM, state: KLState) -> tuple[Any, Any, Any]:
        of_bias, of_weights, offsets = 0.0, 0.0, state.offsets
        if self.sparsity is not None:
            target, strength = self.sparsity
            of_bias = strength * (offsets.h - target)
            of_weights = of_weights + offsets.v[:, None] * of_bias
        of_visible = state.unseen
        if self.standardised:
            of_visible = of_visible / (offsets.v2 - offsets.v**2 + LEAST_VARIANCE)
        return -of_visible, of_bias, of_weights

    def _slid(
        self,
        offsets: Offsets,
        v: Array,
        h: Array,
        data_v: Array,
        data_h: Array,
        weights: Array | None,
        widths: bool,
    ) -> Offsets:
        if not (self.centred or self.standardised or self.sparsity):
            return offsets
        share = jnp.maximum(SLIDE, 1 / (1 + offsets.count.astype(data_v.dtype))).astype(data_v.dtype)
        v2, h2 = offsets.v2, offsets.h2
        if self.standardised or widths:
            v2 = v2 + share * (_mean(v * v, weights) - v2)
        if self.standardised:
            h2 = h2 + share * (_mean(h * h, weights) - h2)
        mu = offsets.v + share * (data_v - offsets.v)
        lam = offsets.h + share * (data_h - offsets.h)
        return Offsets(mu, lam, v2, h2, offsets.count + 1)


@partial(jax.jit, static_argnames="objective")
def _evaluated(
    model: RBM, state: KLState, batch: Array | tuple[Array, ...], key: Array, *, objective: KL
) -> tuple:
    """What `_change` gives, and the reconstruction error of each row."""
    v = _rows(batch)[0]
    if objective.missing:
        drawn = jax.random.fold_in(key, objective.missing)
        v = completed(model, v, state.offsets.v, sweeps=objective.missing, key=drawn)
    return *objective.change(model, state, batch, key), _reconstruction_error(model, v)


def contrast(
    v: Array, h: Array, weights: Array | None, negative: Samples | Moments, layer: UnitLayer | None = None
) -> tuple[Array, Array, Moments]:
    """⟨v⟩ and ⟨h⟩ over the data (B, N), (B, M), and the moments of the data less those of the model.

    Samples of the model are stacked on the data, so that every mean is a product with a few rows of shares.
    layer: of the visible units, for the squares of those with widths.
    """
    of_data = jnp.full(len(v), 1 / len(v), v.dtype) if weights is None else weights / weights.sum()
    columns = None if layer is None or layer.log_variance is None else layer.gaussian_columns
    if isinstance(negative, Moments):
        data_v, data_h = of_data @ v, of_data @ h
        product = v.T @ (h * of_data[:, None])
        square = None if columns is None else of_data @ jnp.square(v[:, columns]) - negative.square
        moments = Moments(data_v - negative.v, data_h - negative.h, product - negative.vh, square)
        return data_v, data_h, moments
    count = len(negative.v)
    of_model = jnp.full(count, 1 / count, v.dtype) if negative.weights is None else negative.weights
    both_v, both_h = jnp.concatenate([v, negative.v]), jnp.concatenate([h, negative.h])
    shares = jnp.stack([jnp.pad(of_data, (0, count)), jnp.pad(of_model, (len(v), 0))])
    (data_v, model_v), (data_h, model_h) = shares @ both_v, shares @ both_h
    product = both_v.T @ (both_h * (shares[0] - shares[1])[:, None])
    square = None if columns is None else (shares[0] - shares[1]) @ jnp.square(both_v[:, columns])
    return data_v, data_h, Moments(data_v - model_v, data_h - model_h, product, square)


def _rows(batch: Array | tuple[Array, ...]) -> tuple[Array, Array | None]:
    if isinstance(batch, tuple):
        v, weights = batch
        return v, weights.astype(v.dtype)
    return batch, None


def _mean(values: Array, weights: Array | None) -> Array:
    return values.mean(0) if weights is None else (weights / weights.sum()) @ values


def _reconstruction_error(model: RBM, v: Array) -> Array:
    image = model.visible_given_hidden(model.hidden_given_visible(v))
    return jnp.square(v - image).mean(-1)


def _leaves(model: RBM) -> tuple:
    return model.visible_bias, model.hidden_bias, model.weights
