r"""Batch and layer normalisation that respect the type.

    y = γ (x − μ)/√(σ² + ε) + β

A mean may be taken off, and a β added, only along invariant vectors, and all components of a copy must
share one scale. So, for each copy of a block:

    trivial            μ its mean, σ² its variance                      (the usual layer)
    permutation        μ one mean over each orbit of components, σ² one variance over the copy
    orthogonal         no μ and no β; σ² = ⟨‖x‖²⟩/d

`BatchNorm` takes μ and σ² over all axes but the last of what it is given in training. There is no hidden
state: the statistics used at rest are set by `calibrated`, over batches of data with the trained
parameters (Ioffe & Szegedy, ICML 2015, Algorithm 2, with m/(m − 1) of the mean batch variance). A layer
that has not been calibrated takes those of what it is given at rest too. `LayerNorm` takes them over the
channels of each point (Ba et al. 2016).
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from jaxtyping import Float

from intertwine._checks import fail, positive_number
from intertwine.layers.blocks import blocks, check_channels, checked_rep, copy_of, orbit_of
from intertwine.symmetry.representation import Rep


class Statistics(NamedTuple):
    """What a `BatchNorm` stores: mean (orbits,) of each orbit of components, variance (copies,)."""

    mean: Float[Array, " orbits"]
    variance: Float[Array, " copies"]


class BatchNorm(eqx.Module):
    r"""Batch normalisation of a type.

    rep: the type of input and output, trivial, permutation and orthogonal blocks. epsilon: added to σ².
    inference: whether the stored statistics are used; `equinox.nn.inference_mode` sets it.

    scale γ (copies,), shift β (orbits,). stored: `Statistics`, or None before `calibrated`.

    Raises InputError for a block that is not orthogonal: it has no invariant norm.

    >>> from intertwine.symmetry import cyclic, regular
    >>> layer = BatchNorm(regular(cyclic(2)))
    >>> x = jnp.array([[0.0, 2.0], [4.0, 2.0]])
    >>> bool(jnp.abs(layer(x).mean()) < 1e-6), layer(x).var().round(3).item()
    (True, 1.0)
    >>> rest = eqx.nn.inference_mode(layer.calibrated(x))
    >>> rest.stored.mean.tolist(), rest(jnp.array([2.0, 2.0])).tolist()
    ([2.0], [0.0, 0.0])
    """

    scale: Float[Array, " copies"]
    shift: Float[Array, " orbits"]
    stored: Statistics | None
    rep_in: Rep = eqx.field(static=True)
    rep_out: Rep = eqx.field(static=True)
    epsilon: float = eqx.field(static=True)
    inference: bool

    def __init__(self, rep: Rep, *, epsilon: float = 1e-5, dtype: Any = float, inference: bool = False):
        self.rep_in = self.rep_out = _orthogonal(rep)
        self.epsilon, self.inference = positive_number("epsilon", epsilon, "1e-5 is usual"), bool(inference)
        self.scale = jnp.ones(int(copy_of(rep)[-1]) + 1, dtype)
        self.shift = jnp.zeros(int(orbit_of(rep).max()) + 1, dtype)
        self.stored = None

    def __call__(self, x: Float[Array, "... C"], *, key: Array | None = None) -> Float[Array, "... C"]:
        """x normalised; `key` is not used."""
        check_channels(x, self.rep_in)
        if self.inference and self.stored is not None:
            found = jax.lax.stop_gradient(self.stored)
        else:
            found = self._of(x)
        scale = self.scale * jax.lax.rsqrt(found.variance + self.epsilon)
        wide = scale[copy_of(self.rep_in)]
        if not self.shift.size:
            return x * wide
        return x * wide + (_wide(self.shift, self.rep_in) - _wide(found.mean, self.rep_in) * wide)

    def statistics(self, x: Float[Array, "... C"]) -> Statistics:
        """Mean and unbiased variance of one batch, for `with_statistics` (averaged over batches)."""
        check_channels(x, self.rep_in)
        found = self._of(x)
        count = x.size // x.shape[-1] * _sizes(self.rep_in)
        unbiased = np.where(_centred(self.rep_in), count / np.maximum(count - 1, 1), 1.0)
        return Statistics(found.mean, found.variance * jnp.asarray(unbiased, x.dtype))

    def with_statistics(self, statistics: Statistics) -> BatchNorm:
        """This layer with `statistics` for use at rest."""
        return eqx.tree_at(lambda m: m.stored, self, statistics, is_leaf=lambda leaf: leaf is None)

    def calibrated(self, x: Float[Array, "... C"]) -> BatchNorm:
        """This layer with the statistics of x stored."""
        return self.with_statistics(self.statistics(x))

    def _of(self, x: Array) -> Statistics:
        points = x.size // x.shape[-1]
        if points < 2:
            raise fail("x", "two or more points to take statistics of", f"shape {x.shape}", "give a batch")
        axes = tuple(range(x.ndim - 1))
        to_orbits, to_copies = _averages(self.rep_in)
        mean = x.mean(axes) @ jnp.asarray(to_orbits, x.dtype)
        centred = x - _wide(mean, self.rep_in) if mean.size else x
        return Statistics(mean, _square(centred).mean(axes) @ jnp.asarray(to_copies, centred.real.dtype))


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
    rep_in: Rep = eqx.field(static=True)
    rep_out: Rep = eqx.field(static=True)
    epsilon: float = eqx.field(static=True)

    def __init__(self, rep: Rep, *, epsilon: float = 1e-5, dtype: Any = float):
        self.rep_in = self.rep_out = _orthogonal(rep)
        self.epsilon = positive_number("epsilon", epsilon, "1e-5 is usual")
        self.scale = jnp.ones(int(copy_of(rep)[-1]) + 1, dtype)
        self.shift = jnp.zeros(int(orbit_of(rep).max()) + 1, dtype)

    def __call__(self, x: Float[Array, "... C"], *, key: Array | None = None) -> Float[Array, "... C"]:
        """x normalised at each point; `key` is not used."""
        check_channels(x, self.rep_in)
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
        return y + _wide(self.shift, self.rep_in) if self.shift.size else y


def _wide(values: Array, rep: Rep) -> Array:
    """(orbits,) → (C,), zero on channels that are not permuted."""
    orbit = orbit_of(rep)
    spread = values[np.maximum(orbit, 0)]
    return spread if (orbit >= 0).all() else jnp.where(jnp.asarray(orbit >= 0), spread, 0)


def _square(x: Array) -> Array:
    return (x * x.conj()).real if jnp.iscomplexobj(x) else x * x


@lru_cache(maxsize=1024)
def _averages(rep: Rep) -> tuple[np.ndarray, np.ndarray]:
    """Matrices (C, orbits) and (C, copies) that average over the members of each."""
    found = []
    for labels in (orbit_of(rep), copy_of(rep)):
        hot = (labels[:, None] == np.arange(labels.max() + 1)).astype(float)
        found.append(hot / hot.sum(axis=0))
    return found[0], found[1]


@lru_cache(maxsize=1024)
def _sizes(rep: Rep) -> np.ndarray:
    """(copies,): the components of each copy."""
    return np.bincount(copy_of(rep))


@lru_cache(maxsize=1024)
def _centred(rep: Rep) -> np.ndarray:
    """bool (copies,): whether a mean is taken off the copy."""
    return np.concatenate([np.full(b.copies, b.rep.permutation is not None) for b in blocks(rep)])


def _orthogonal(rep: Any) -> Rep:
    checked_rep(rep)
    for part, _, _, _ in blocks(rep):
        if not part.is_orthogonal:
            remedy = "a norm of other matrices is not invariant: change the basis (Rep.changed)"
            raise fail("rep", "orthogonal blocks", f"{part!r}, whose matrices are not", remedy)
    return rep
