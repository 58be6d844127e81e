r"""How the model's average is taken in the gradient of the likelihood of a restricted Boltzmann machine.

    ∂⟨ln p⟩/∂W = ⟨v E[h|v]ᵀ⟩_data − ⟨v hᵀ⟩_model

The second average is what the methods differ in. A method is a pair of pure functions,

    init(model, *, key) -> state                                        chains, a pytree of arrays
    negative(model, state, v, *, key) -> (Samples | Moments, state, scalars)

where v (batch, N) is the batch of data and scalars are what the history records of it. A method may also have
`paired`, which gives E[h|v] of the data as well, where that saves a product, and `pulled`, which puts another
difference of moments in place of that of data and model (`transport`). It is a frozen, hashable
dataclass, static in the compiled loop. Here: contrastive divergence, chains that begin at the data
(Hinton, Neural Comput. 14, 1771 (2002)); persistent chains that are never restarted (Younes 1989; Tieleman,
ICML 2008); and the exact average. With small learning rates persistent chains follow the model, and their
gradient is that of the likelihood; that of CD with few steps is not.
"""

from __future__ import annotations

from dataclasses import dataclass, field as dataclass_field
from typing import TYPE_CHECKING, Any, NamedTuple

import jax
import jax.numpy as jnp
from jax import Array
from jax.typing import DTypeLike
from jaxtyping import Float

from intertwine._checks import fail, positive_int
from intertwine.boltzmann.defaults import CHAINS, STEPS
from intertwine.boltzmann.objectives.exact import log_z, smaller_side
from intertwine.boltzmann.objectives.gaussian_sums import is_gaussian
from intertwine.models.machines.layered import layered
from intertwine.models.machines.product_mixture import ProductMixture

if TYPE_CHECKING:
    from intertwine.models.machines.rbm import RBM


class Moments(NamedTuple):
    """E[v] (N,), E[h] (M,) and E[v hᵀ] (N, M) under one distribution; E[v²] of its Gaussian columns that
    have widths."""

    v: Float[Array, "N"]
    h: Float[Array, "M"]
    vh: Float[Array, "N M"]
    square: Any = None


class Samples(NamedTuple):
    """Samples that stand for a distribution: E[v hᵀ] = Σ_s weights_s v_s h_sᵀ.

    v: (S, N). h: (S, M), E[h|v_s] or a draw from it. weights: (S,), sum 1, or None (each 1/S).
    """

    v: Float[Array, "S N"]
    h: Float[Array, "S M"]
    weights: Float[Array, "S"] | None = None


@dataclass(frozen=True)
class CD:
    """Contrastive divergence CD-k: `steps` sweeps of Gibbs sampling that begin at the batch. Biased.

    >>> CD(steps=10)
    CD(steps=10)
    """

    steps: int = 1

    def __post_init__(self) -> None:
        positive_int("steps", self.steps, "1 is the cheapest, 25 near the likelihood")

    def init(self, model: RBM, *, key: Array) -> tuple[()]:
        return ()

    def negative(
        self, model: RBM, state: tuple[()], v: Array, *, key: Array
    ) -> tuple[Samples, tuple[()], dict[str, Array]]:
        first, rest = jax.random.split(key)
        h = model.sample_hidden(v, key=first)
        v, _ = visible_sweeps(model, h, self.steps, key=rest)
        return Samples(v, model.hidden_given_visible(v)), state, {}


@dataclass(frozen=True)
class PCD:
    """Persistent contrastive divergence PCD-k: `steps` sweeps per batch of `chains` persistent chains.

    The hidden units of the chains are the state, so that a sweep costs two matrix products.
    warm_up: sweeps of fresh chains before the first batch. Chains of a machine that has learned nothing yet
    need none; those of a trained one would spoil it while they are far from its distribution.

    >>> PCD(chains=500)
    PCD(chains=500, steps=1, warm_up=0)
    """

    chains: int = CHAINS
    steps: int = STEPS
    warm_up: int = 0

    def __post_init__(self) -> None:
        positive_int("chains", self.chains, "about as many as the rows of a batch")
        positive_int("steps", self.steps, "1 is usual")
        if isinstance(self.warm_up, bool) or int(self.warm_up) != self.warm_up or self.warm_up < 0:
            raise fail("warm_up", "a number of sweeps ≥ 0", self.warm_up, "1000 for a trained machine")

    def init(self, model: RBM, *, key: Array) -> Float[Array, "C M"]:
        """Hidden units (C, M) drawn in the field of their biases alone, after `warm_up` sweeps."""
        field = jnp.broadcast_to(model.hidden_bias, (self.chains, model.hidden))
        h = model.hidden_layer.sample(field, key=key)
        return _warmed(model, h, jax.random.fold_in(key, 1), self.warm_up) if self.warm_up else h

    def negative(
        self, model: RBM, state: Array, v: Array, *, key: Array
    ) -> tuple[Samples, Array, dict[str, Array]]:
        _, samples, h, scalars = self.paired(model, state, v[:0], key=key)
        return samples, h, scalars

    def paired(
        self, model: RBM, state: Array, v: Array, *, key: Array
    ) -> tuple[Array, Samples, Array, dict[str, Array]]:
        """E[h|v] of the data, then what `negative` gives: one product for both fields on the hidden units."""
        model_v, last = visible_sweeps(model, state, self.steps, key=key)
        theta = model.angles(jnp.concatenate([v, model_v]))
        mean, rows = model.hidden_layer.mean(theta), len(v)
        h = model.hidden_layer.sample(theta[rows:], key=last)
        return mean[:rows], Samples(model_v, mean[rows:]), h, {}


class JumpState(NamedTuple):
    """v: chains (C, N). mixture: that the jumps are drawn from. jumped: running share of them accepted."""

    v: Float[Array, "C N"]
    mixture: ProductMixture
    jumped: Float[Array, ""]


@dataclass(frozen=True)
class ModeJumps:
    """Persistent chains that also jump between modes far apart: at every update each of `chains` chains is
    offered an independent draw v' of a mixture q of products, taken with probability

        min(1, Ψ(v') q(v) / [Ψ(v) q(v')])

    (Metropolis-Hastings), and then moves by `steps` sweeps. Chains of Gibbs sampling alone never cross
    between clusters, and then nothing holds the shares of these in the model to those in the data.

    mixture: of the data (`fitted_mixture`). levels: it is taken at so many strengths, fields from near those
    of the means of all to its own, so that jumps reach modes while they are being learned.

    The history records `jumped`, the share of the jumps that are taken, as a running mean.
    """

    chains: int = CHAINS
    steps: int = STEPS
    mixture: ProductMixture | None = dataclass_field(default=None, compare=False, repr=False)
    levels: int = 4

    def __post_init__(self) -> None:
        positive_int("chains", self.chains, "about as many as the rows of a batch")
        positive_int("steps", self.steps, "1 is usual")
        positive_int("levels", self.levels, "4 is usual")

    def init(self, model: RBM, *, key: Array) -> JumpState:
        """Chains drawn in the visible biases alone."""
        if self.mixture is None or self.mixture.layer != model.visible_layer:
            raise fail(
                "mixture", "a mixture of the model's visible units", self.mixture, "fitted_mixture(...)"
            )
        field = jnp.broadcast_to(model.visible_bias, (self.chains, model.size))
        v = model.visible_layer.sample(field, key=key)
        return JumpState(v, self._spread(v.dtype), jnp.zeros((), v.dtype))

    def _spread(self, dtype: DTypeLike) -> ProductMixture:
        assert self.mixture is not None
        fields, shares = self.mixture.fields.astype(dtype), self.mixture.log_shares.astype(dtype)
        middle = jax.nn.softmax(shares) @ fields
        strengths = jnp.arange(1, self.levels + 1, dtype=dtype) / self.levels
        spread = middle + strengths[:, None, None] * (fields - middle)
        shares = jnp.tile(shares, self.levels) - jnp.log(self.levels).astype(dtype)
        return ProductMixture(spread.reshape(-1, fields.shape[1]), shares, self.mixture.layer)

    def negative(
        self, model: RBM, state: JumpState, v: Array, *, key: Array
    ) -> tuple[Samples, JumpState, dict[str, Array]]:
        keys = jax.random.split(key, 4)
        here, mixture = state.v, state.mixture
        there = mixture.sample((self.chains,), key=keys[0])
        log_ratio = model.free_energy(here) - model.free_energy(there)
        log_ratio = log_ratio + mixture.log_probability(here) - mixture.log_probability(there)
        taken = jnp.log(jax.random.uniform(keys[1], log_ratio.shape, log_ratio.dtype)) < log_ratio
        here = jnp.where(taken[:, None], there, here)
        h = model.sample_hidden(here, key=keys[2])
        here, _ = visible_sweeps(model, h, self.steps, key=keys[3])
        share = taken.astype(here.dtype).mean()
        jumped = state.jumped + 0.01 * (share - state.jumped)
        samples = Samples(here, model.hidden_given_visible(here))
        return samples, JumpState(here, mixture, jumped), {"jumped": jumped}


@dataclass(frozen=True)
class ExactKL:
    """The exact average, by summing over all configurations of the smaller layer of discrete units.

    For machines with up to about 22 binary units on either side, or Gaussian units on both (`exact`).

    >>> ExactKL()
    ExactKL()
    """

    value_name = "negative_log_likelihood"

    def init(self, model: RBM, *, key: Array) -> tuple[()]:
        """Nothing; raises InputError where neither layer can be enumerated nor both integrated."""
        if not is_gaussian(layered(model)):
            smaller_side(layered(model))
        return ()

    def negative(
        self, model: RBM, state: tuple[()], v: Array, *, key: Array
    ) -> tuple[Moments, tuple[()], dict[str, Array]]:
        total, mean = jax.value_and_grad(log_z)(model)
        layer, square = model.visible_layer, None
        if layer.log_variance is not None:
            square = 2 * jnp.exp(layer.log_variance) * mean.visible_layer.log_variance
        moments = Moments(mean.visible_bias, mean.hidden_bias, mean.weights, square)
        return moments, state, {"log_z": total}


def visible_sweeps(model: RBM, h: Array, steps: int, *, key: Array) -> tuple[Array, Array]:
    """`steps` sweeps h → v → h → ... → v of block Gibbs sampling from hidden units (S, M): the last v (S, N),
    and a key not yet used, for the hidden units that follow it."""

    def sweep(h: Array, key: Array) -> tuple[Array, None]:
        first, second = jax.random.split(key)
        v = model.sample_visible(h, key=first)
        return model.sample_hidden(v, key=second), None

    keys = jax.random.split(key, steps + 1)
    if steps > 1:
        h, _ = jax.lax.scan(sweep, h, keys[: steps - 1])
    first, last = jax.random.split(keys[steps])
    return model.sample_visible(h, key=first), last


@jax.jit
def _warmed(model: RBM, h: Array, key: Array, count: int) -> Array:
    """Hidden units after `count` sweeps h → v → h of block Gibbs sampling."""

    def sweep(i: Array, h: Array) -> Array:
        down, up = jax.random.split(jax.random.fold_in(key, i))
        return model.sample_hidden(model.sample_visible(h, key=down), key=up)

    return jax.lax.fori_loop(0, count, sweep, h)
