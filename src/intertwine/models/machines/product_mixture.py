r"""Mixtures of independent units: distributions with several modes that can be drawn and evaluated exactly.

    q(v) = Σ_k π_k Π_i p(v_i | θ_{ki}),      p(v | θ) = e^{vθ − base(v) − A(θ)}      (`unit_kinds`)

They cover the modes of data or of a machine: as the beginning of annealed paths (`tempered`), as the easy end
of tempered ladders, and as proposals of chains that jump between modes. Fitted to data they are the latent
class model, by expectation maximisation (Dempster, Laird & Rubin 1977).
"""

from __future__ import annotations

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from jaxtyping import Float
from numpy.typing import ArrayLike

from intertwine.models.machines.unit_layer import UnitLayer


class ProductMixture(eqx.Module):
    """`fields` (K, N) of the units of `layer` in each of K modes, and `log_shares` (K,), ln π_k.

    >>> layer = UnitLayer.of("binary", 2)
    >>> q = ProductMixture(jnp.array([[9.0, 9.0], [-9.0, -9.0]]), jnp.log(jnp.array([0.25, 0.75])), layer)
    >>> [round(float(jnp.exp(q.log_probability(jnp.array(v)))), 3) for v in ([1.0, 1.0], [0.0, 0.0])]
    [0.25, 0.75]
    """

    fields: Float[Array, "K N"]
    log_shares: Float[Array, "K"]
    layer: UnitLayer

    @property
    def count(self) -> int:
        """The number of modes K."""
        return self.fields.shape[0]

    def log_joint(self, v: Float[Array, "... N"]) -> Float[Array, "... K"]:
        """ln [π_k p(v|k)], nats, of every mode."""
        own = self.log_shares - self.layer.log_partition(self.fields)
        return v @ self.fields.T + own - self.layer.base(v)[..., None]

    def log_probability(self, v: Float[Array, "... N"]) -> Float[Array, "..."]:
        """ln q(v), nats."""
        return jax.nn.logsumexp(self.log_joint(v), axis=-1)

    def labels(self, shape: tuple[int, ...], *, key: Array) -> Array:
        """Modes drawn by their shares, int (*shape); of one axis in even numbers and random order, so that
        modes of a few per cent are not left out by chance."""
        if len(shape) != 1:
            return jax.random.categorical(key, self.log_shares, shape=shape)
        first, second = jax.random.split(key)
        places = (jnp.arange(shape[0]) + jax.random.uniform(first)) / shape[0]
        summed = jnp.cumsum(jax.nn.softmax(self.log_shares))
        found = jnp.minimum(jnp.searchsorted(summed, places), self.count - 1)
        return jax.random.permutation(second, found)

    def sample(self, shape: tuple[int, ...], *, key: Array) -> Float[Array, "... N"]:
        """Exact draws (*shape, N)."""
        first, second = jax.random.split(key)
        return self.layer.sample(self.fields[self.labels(shape, key=first)], key=second)

    def conditional(
        self, count: int, mask: Array | None = None, values: Array | None = None, *, key: Array
    ) -> Array:
        """`count` independent exact draws (count, N) given that the units of `mask`, (N,) or (count, N), are
        at `values`: the mode by ln π_k + ln p(v_held | k), the free units given the mode. None: all free.

        >>> layer = UnitLayer.of("binary", 2)
        >>> q = ProductMixture(jnp.array([[9.0, 9.0], [-9.0, -9.0]]), jnp.log(jnp.array([0.5, 0.5])), layer)
        >>> held = (jnp.array([True, False]), jnp.array([1.0, 0.0]))
        >>> q.conditional(3, *held, key=jax.random.key(0)).tolist()
        [[1.0, 1.0], [1.0, 1.0], [1.0, 1.0]]
        """
        first, second = jax.random.split(key)
        log_p = jnp.broadcast_to(self.log_shares, (count, self.count))
        if mask is not None and values is not None:
            held = jnp.where(mask[..., None, :], self.fields, 0)  # what free units add is the same for all k
            known = (held * jnp.where(mask, values, 0)[..., None, :]).sum(-1)
            log_p = log_p + known - self.layer.log_partition(held)
        found = self.layer.sample(self.fields[jax.random.categorical(first, log_p)], key=second)
        return found if mask is None or values is None else jnp.where(mask, values, found)

    def evenly(self) -> ProductMixture:
        """The same modes, each with the same share."""
        even = jnp.full_like(self.log_shares, -np.log(self.count))
        return ProductMixture(self.fields, even, self.layer)

    def padded(self) -> ProductMixture:
        """The same distribution with a power of two of modes, so that few programs are compiled: the
        likeliest are written twice, with half their share."""
        extra = max(2, 1 << (self.count - 1).bit_length()) - self.count
        if not extra:
            return self
        shares = np.array(self.log_shares, np.float64)
        order = np.argsort(-shares)[np.arange(extra) % self.count]
        shares -= np.log(1 + np.bincount(order, minlength=self.count))
        rows = np.concatenate([np.arange(self.count), order])
        fields = np.asarray(self.fields)[rows]
        return ProductMixture(jnp.asarray(fields), jnp.asarray(shares[rows], fields.dtype), self.layer)


def fitted_mixture(
    layer: UnitLayer, rows: ArrayLike, modes: int, *, floor: float = 0.02, rounds: int = 30, seed: int = 0
) -> ProductMixture:
    """A mixture of at most `modes` products of units, fitted to `rows` (any number, N) by expectation
    maximisation from distant rows; modes that die out are left away. float32.

    >>> rows = np.repeat([[0, 0, 1, 1], [1, 1, 0, 0]], 20, axis=0)
    >>> fitted_mixture(UnitLayer.of("binary", 4), rows, 2).log_shares.round(2).tolist()
    [-0.689..., -0.689...]
    """
    from intertwine.models.machines.base_rate import base_rate

    x = np.asarray(rows, np.float32)
    rng = np.random.default_rng(seed)
    mean, centres = x.mean(0), [x[rng.integers(len(x))]]
    far = ((x - centres[0]) ** 2).sum(1)
    while len(centres) < modes and far.sum() > 0:
        centres.append(x[rng.choice(len(x), p=far / far.sum(dtype=np.float64))])
        far = np.minimum(far, ((x - centres[-1]) ** 2).sum(1))
    means, shares = 0.5 * (np.stack(centres) + mean), np.full(len(centres), 1 / len(centres))
    found = None
    for _ in range(rounds):
        fields = np.stack([base_rate(layer, m, floor=floor) for m in means])
        found = ProductMixture(
            jnp.asarray(fields, jnp.float32), jnp.asarray(np.log(shares), jnp.float32), layer
        )
        weights = np.asarray(_responsibilities(found, jnp.asarray(x)))
        counts = weights.sum(0)
        alive = counts >= 1
        counts, weights = counts[alive], weights[:, alive]
        means = (weights.T @ x + mean) / (counts[:, None] + 1)
        shares = (counts + 1) / (counts.sum() + len(counts))
    assert found is not None
    return found


@jax.jit
def _responsibilities(mixture: ProductMixture, rows: Array) -> Array:
    return jax.nn.softmax(mixture.log_joint(rows), axis=-1)
