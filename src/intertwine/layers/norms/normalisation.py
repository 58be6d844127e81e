r"""Batch and layer normalisation that respect the type.

    y = γ (x − μ)/√(σ² + ε) + β

A mean may be taken off, and a β added, only along invariant vectors, and all components of a copy must
share one scale. So, for each copy of a block:

    trivial            μ its mean, σ² its variance                      (the usual layer)
    permutation        μ one mean over each orbit of components, σ² one variance over the copy
    orthogonal         no μ and no β; σ² = ⟨‖x‖²⟩/d

A `BatchNorm` that is called takes the μ and σ² that it keeps, so that what it says of one example never
depends on others. It takes those of a batch in training alone, `train_outputs` (`running`), which is what
`fit_supervised` does, and keeps running means of them,

    μ ← (1 − w) μ + w μ_batch,    σ² ← (1 − w) σ² + w σ²_batch m/(m − 1),    w = max(0.1, 2/(t + 2)),

m numbers in the batch, t batches before it (Ioffe & Szegedy, ICML 2015; w of the first batches makes the
start forgotten). Before any batch they are μ = 0 and σ² = 1. They are data of the network but no parameters:
kept as the bits of the numbers, integers, they are neither differentiated, nor decayed, nor counted, by this
library's optimisers or any other. `LayerNorm` takes μ and σ² over the channels of each point (Ba et al.
2016).
"""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from jax.typing import DTypeLike
from jaxtyping import Float, Shaped

from intertwine._checks import fail, positive_number
from intertwine.layers.blocks import blocks, check_channels, checked_rep, copy_of, orbit_of
from intertwine.symmetry.fibre_maps import AnyRep

MOMENTUM = 0.1
"""The share of a new batch in the running means, after the first ones."""
_MANY = 1000
"""Batches that statistics which were given count for."""


class Statistics(NamedTuple):
    """mean (orbits,) of each orbit of components, variance (copies,)."""

    mean: Float[Array, " orbits"]
    variance: Float[Array, " copies"]


class Running(eqx.Module):
    """Running means of statistics, as integers: the bits of `Statistics`, and how many batches were seen."""

    mean: Shaped[Array, " orbits"]
    variance: Shaped[Array, " copies"]
    batches: Shaped[Array, ""]

    @classmethod
    def of(cls, statistics: Statistics, batches: int | Array) -> Running:
        """Kept numbers from numbers."""
        return cls(_bits(statistics.mean), _bits(statistics.variance), jnp.asarray(batches, jnp.int32))

    @property
    def statistics(self) -> Statistics:
        """The numbers.

        Raises InputError where arithmetic was done on the bits (an average of whole networks, say).
        """
        return Statistics(_number(self.mean), _number(self.variance))

    def moved(self, batch: Statistics) -> Running:
        """After one more batch."""

        def mixed(old: Array, new: Array) -> Array:
            share = jnp.maximum(MOMENTUM, 2 / (self.batches + 2).astype(old.dtype))
            return old + share * (new.astype(old.dtype) - old)

        old = self.statistics
        now = Statistics(mixed(old.mean, batch.mean), mixed(old.variance, batch.variance))
        return Running.of(now, self.batches + 1)


class BatchNorm(eqx.Module):
    r"""Batch normalisation of a type.

    rep: the type of input and output, trivial, permutation and orthogonal blocks. epsilon: added to σ².

    scale γ (copies,), shift β (orbits,). running: the statistics that it keeps.

    Raises InputError for a block that is not orthogonal: it has no invariant norm.

    >>> from intertwine.symmetry import cyclic, regular
    >>> layer = BatchNorm(regular(cyclic(2)))
    >>> x = jnp.array([[0.0, 2.0], [4.0, 2.0]])
    >>> trained, statistics = layer.normalised(x)                        # in training
    >>> bool(jnp.abs(trained.mean()) < 1e-6), trained.var().round(3).item()
    (True, 1.0)
    >>> layer = layer.moved(statistics)
    >>> layer.statistics.mean.tolist(), layer(jnp.array([2.0, 2.0])).tolist()
    ([2.0], [0.0, 0.0])
    """

    scale: Float[Array, " copies"]
    shift: Float[Array, " orbits"]
    running: Running
    rep_in: AnyRep = eqx.field(static=True)
    rep_out: AnyRep = eqx.field(static=True)
    epsilon: float = eqx.field(static=True)

    def __init__(self, rep: AnyRep, *, epsilon: float = 1e-5, dtype: DTypeLike = float):
        self.rep_in = self.rep_out = _orthogonal(rep)
        self.epsilon = positive_number("epsilon", epsilon, "1e-5 is usual")
        self.scale = jnp.ones(int(copy_of(rep)[-1]) + 1, dtype)
        self.shift = jnp.zeros(int(orbit_of(rep).max()) + 1, dtype)
        self.running = Running.of(Statistics(jnp.zeros_like(self.shift), jnp.ones_like(self.scale)), 0)

    def __call__(self, x: Float[Array, "... C"], *, key: Array | None = None) -> Float[Array, "... C"]:
        """x normalised by the statistics that the layer keeps; `key` is not used."""
        _check_real(x, self.rep_in)
        return self._by(self.statistics, x)

    @property
    def statistics(self) -> Statistics:
        """The statistics that the layer keeps."""
        return self.running.statistics

    def normalised(
        self, x: Float[Array, "... C"], axis: str | None = None
    ) -> tuple[Float[Array, "... C"], Statistics]:
        """(x normalised by its own mean and variance, those with the unbiased variance, for `moved`).

        axis: the name of a mapped axis (`jax.vmap`) that the batch lies along besides.
        """
        _check_real(x, self.rep_in)
        points = x.size // x.shape[-1] * (1 if axis is None else jax.lax.psum(1, axis))
        if points < 2:
            raise fail("x", "two or more points to take statistics of", f"shape {x.shape}", "give a batch")
        axes = tuple(range(x.ndim - 1))

        wide = x.astype(jnp.promote_types(x.dtype, jnp.float32))

        def average(values: Array, weights: np.ndarray) -> Array:
            found = values.mean(axes) @ jnp.asarray(weights, values.dtype)
            return found if axis is None else jax.lax.pmean(found, axis)

        to_orbits, to_copies = _averages(self.rep_in)
        mean = average(wide, to_orbits)
        variance = average(_square(wide - _wide(mean, self.rep_in) if mean.size else wide), to_copies)
        count = points * _sizes(self.rep_in)
        unbiased = np.where(_centred(self.rep_in), count / np.maximum(count - 1, 1), 1.0)
        found = Statistics(mean, variance * jnp.asarray(unbiased, variance.dtype))
        return self._by(Statistics(mean, variance), x), jax.lax.stop_gradient(found)

    def moved(self, batch: Statistics) -> BatchNorm:
        """This layer after one more batch of training."""
        return self._keeping(self.running.moved(batch))

    def with_statistics(self, statistics: Statistics) -> BatchNorm:
        """This layer with `statistics` kept, as if many batches had been seen."""
        kept = jax.tree.map(lambda new, old: new.astype(old.dtype), statistics, self.statistics)
        return self._keeping(Running.of(kept, _MANY))

    def calibrated(self, x: Float[Array, "... C"]) -> BatchNorm:
        """This layer with the statistics of x kept."""
        return self.with_statistics(self.normalised(x)[1])

    def _keeping(self, running: Running) -> BatchNorm:
        return eqx.tree_at(lambda norm: norm.running, self, running)

    def _by(self, found: Statistics, x: Array) -> Array:
        scale = self.scale * jax.lax.rsqrt(found.variance.astype(self.scale.dtype) + self.epsilon)
        wide = scale[copy_of(self.rep_in)]
        if not self.shift.size:
            return (x * wide).astype(x.dtype)
        shift = _wide(self.shift, self.rep_in) - _wide(found.mean, self.rep_in) * wide
        return (x * wide + shift).astype(x.dtype)


class LayerNorm(eqx.Module):
    r"""Normalisation over the channels of each point.

    One mean and variance over all permuted channels, and one norm over all others.

    rep, epsilon, errors: as in `BatchNorm`. scale γ (copies,), shift β (orbits,).

    >>> from intertwine.symmetry import cyclic, regular
    >>> LayerNorm(regular(cyclic(2)))(jnp.array([[1.0, 3.0]])).round(3).tolist()
    [[-1.0, 1.0]]
    """

    scale: Float[Array, " copies"]
    shift: Float[Array, " orbits"]
    rep_in: AnyRep = eqx.field(static=True)
    rep_out: AnyRep = eqx.field(static=True)
    epsilon: float = eqx.field(static=True)

    def __init__(self, rep: AnyRep, *, epsilon: float = 1e-5, dtype: DTypeLike = float):
        self.rep_in = self.rep_out = _orthogonal(rep)
        self.epsilon = positive_number("epsilon", epsilon, "1e-5 is usual")
        self.scale = jnp.ones(int(copy_of(rep)[-1]) + 1, dtype)
        self.shift = jnp.zeros(int(orbit_of(rep).max()) + 1, dtype)

    def __call__(self, x: Float[Array, "... C"], *, key: Array | None = None) -> Float[Array, "... C"]:
        """x normalised at each point; `key` is not used."""
        check_channels(x, self.rep_in)
        kind = x.dtype
        x = x.astype(jnp.promote_types(kind, jnp.float32))
        moved = jnp.asarray(orbit_of(self.rep_in) >= 0)
        count = int((orbit_of(self.rep_in) >= 0).sum())
        if count:
            mean = jnp.where(moved, x, 0).sum(-1, keepdims=True) / count
            x = x - jnp.where(moved, mean, 0)
        square, normed = _square(x), jnp.zeros((), x.real.dtype)
        for chosen, n in ((moved, count), (~moved, x.shape[-1] - count)):
            if n:
                variance = jnp.where(chosen, square, 0).sum(-1, keepdims=True) / n
                normed = normed + jnp.where(chosen, jax.lax.rsqrt(variance + self.epsilon), 0)
        y = x * normed * self.scale[copy_of(self.rep_in)]
        return (y + _wide(self.shift, self.rep_in) if self.shift.size else y).astype(kind)


def _bits(values: Array) -> Array:
    """Real numbers, in single or double precision, as integers of as many bits."""
    values = values.astype(jnp.promote_types(values.dtype, jnp.float32))
    return jax.lax.bitcast_convert_type(values, jnp.int64 if values.dtype == jnp.float64 else jnp.int32)


def _number(bits: Array) -> Array:
    """The numbers of `_bits`."""
    if not jnp.issubdtype(bits.dtype, jnp.integer):
        remedy = "average or cast equinox.filter(network, equinox.is_inexact_array), which leaves them out"
        got = f"{bits.dtype}: the network was changed as a whole"
        raise fail("network", "batch-norm statistics as the integers that hold them", got, remedy)
    real = jnp.float64 if bits.dtype == jnp.int64 else jnp.float32
    return jax.lax.stop_gradient(jax.lax.bitcast_convert_type(bits, real))


def _wide(values: Array, rep: AnyRep) -> Array:
    """(orbits,) → (C,), zero on channels that are not permuted."""
    orbit = orbit_of(rep)
    spread = values[np.maximum(orbit, 0)]
    return spread if (orbit >= 0).all() else jnp.where(jnp.asarray(orbit >= 0), spread, 0)


def _check_real(x: Array, rep: AnyRep) -> None:
    check_channels(x, rep)
    if jnp.iscomplexobj(x):
        raise fail("x", "real fields", f"{x.dtype}", "put real and imaginary parts side by side as channels")


def _square(x: Array) -> Array:
    return (x * x.conj()).real if jnp.iscomplexobj(x) else x * x


@lru_cache(maxsize=1024)
def _averages(rep: AnyRep) -> tuple[np.ndarray, np.ndarray]:
    """Matrices (C, orbits) and (C, copies) that average over the members of each."""
    found = []
    for labels in (orbit_of(rep), copy_of(rep)):
        hot = (labels[:, None] == np.arange(labels.max() + 1)).astype(float)
        found.append(hot / hot.sum(axis=0))
    return found[0], found[1]


@lru_cache(maxsize=1024)
def _sizes(rep: AnyRep) -> np.ndarray:
    """(copies,): the components of each copy."""
    return np.bincount(copy_of(rep))


@lru_cache(maxsize=1024)
def _centred(rep: AnyRep) -> np.ndarray:
    """bool (copies,): whether a mean is taken off the copy."""
    return np.concatenate([np.full(b.copies, b.rep.permutation is not None) for b in blocks(rep)])


def _orthogonal(rep: AnyRep) -> AnyRep:
    checked_rep(rep)
    for part, _, _, _ in blocks(rep):
        if not part.is_orthogonal:
            remedy = "a norm of other matrices is not invariant: change the basis (Rep.changed)"
            raise fail("rep", "orthogonal blocks", f"{part!r}, whose matrices are not", remedy)
    return rep
