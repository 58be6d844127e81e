r"""PaiNN: messages of scalars and vectors alone (Schütt, Unke & Gastegger, ICML 2021).

    message   Δs_i = Σ_j W_s(r) ∘ φ_s(s_j)
              Δv_i = Σ_j W_v(r) ∘ φ_v(s_j) ∘ v_j + W_r(r) ∘ φ_r(s_j) r̂_ij
    update    Δs_i = a_ss + a_sv ∘ ⟨U v_i, V v_i⟩,   Δv_i = a_vv ∘ U v_i,   a = MLP(s_i, ‖V v_i‖)

W is linear in functions of the distance, times a smooth cut-off. F scalars and F vectors in any dimension;
products ∘ are channel by channel. Sums are divided by √2, dot products by the dimension, and the changes
begin small, so that products of products do not grow from layer to layer. There are no products of two
vectors but the dot product: chirality is out of its sight.
"""

from __future__ import annotations

import equinox as eqx
import jax
import jax.numpy as jnp
from jax import Array
from jax.typing import DTypeLike
from jaxtyping import Float

from intertwine._checks import fail, positive_int, positive_number
from intertwine.layers.blocks import check_channels
from intertwine.layers.points.hidden_types import edge_irrep
from intertwine.layers.points.point_conv import checked_cloud, radial_basis
from intertwine.layers.points.radial import RadialBasis
from intertwine.spaces.points.cloud import Cloud
from intertwine.spaces.points.gather import gathered
from intertwine.spaces.points.points import Points
from intertwine.symmetry.compact import CompactGroup, CompactRep

_SOFT = 0.3
"""‖v‖ is √(‖v‖² + ε²), smooth where v = 0: with ε far below the usual lengths forces turn within a step of
dynamics, and the energy steps."""
_HALF = 0.5**0.5
_SMALL = 0.1
"""The variance of φ and of the a at the start."""


class Dense(eqx.Module):
    """x W + b of scalar channels."""

    weight: Float[Array, "m_in m_out"]
    bias: Float[Array, " m_out"] | None

    def __init__(
        self, m_in: int, m_out: int, *, bias: bool = True, gain: float = 1.0, dtype: DTypeLike, key: Array
    ):
        spread = jnp.asarray((gain / m_in) ** 0.5, dtype)
        self.weight = jax.random.normal(key, (m_in, m_out), dtype) * spread
        self.bias = jnp.zeros(m_out, dtype) if bias else None

    def __call__(self, x: Float[Array, "... m_in"]) -> Float[Array, "... m_out"]:
        y = jnp.matmul(x, self.weight.astype(x.dtype), precision="highest")
        return y if self.bias is None else y + self.bias.astype(x.dtype)


class PaiNNBlock(eqx.Module):
    """x + message, then + update.

    points: a `Points`. width: F; the fields are F scalars and then F vectors. radial: a `RadialBasis`, or how
    many functions of the distance. neighbours: the mean number of neighbours, by whose root sums are divided.

    >>> import numpy as np
    >>> points = Points(3.0)
    >>> layer = PaiNNBlock(points, 4, key=jax.random.key(0))
    >>> cloud = points.cloud(np.array([[0.0, 0, 0], [0, 0, 1], [0, 1.5, 0]]))
    >>> layer(jnp.ones((len(cloud.positions), 16)), at=cloud).shape[-1]
    16
    """

    phi: tuple[Dense, Dense]
    filters: Dense
    mixed: Dense
    update: tuple[Dense, Dense]
    radial: RadialBasis
    space: Points = eqx.field(static=True)
    width: int = eqx.field(static=True)
    neighbours: float = eqx.field(static=True)

    def __init__(
        self,
        points: Points,
        width: int,
        *,
        radial: RadialBasis | int = 20,
        neighbours: float = 10.0,
        dtype: DTypeLike = float,
        key: Array,
    ):
        if not isinstance(points.fibre_group, CompactGroup):
            remedy = "take Points(cutoff, group='O(3)')"
            raise fail("points", "points of O(3), SO(3), O(2) or SO(2)", points, remedy)
        self.space, self.width = points, positive_int("width", width)
        self.neighbours = positive_number("neighbours", neighbours)
        kind, keys = jnp.zeros((), dtype).dtype, jax.random.split(key, 6)
        if isinstance(radial, int) and points.cutoff is not None:
            radial = RadialBasis(points.cutoff, radial, smooth="cosine", dtype=kind)
        self.radial = radial_basis(points, radial, kind)
        f = self.width
        self.phi = (
            Dense(f, f, dtype=kind, key=keys[0]),
            Dense(f, 3 * f, gain=_SMALL, dtype=kind, key=keys[1]),
        )
        self.filters = Dense(self.radial.functions, 3 * f, dtype=kind, key=keys[2])
        self.mixed = Dense(f, 2 * f, bias=False, dtype=kind, key=keys[3])
        self.update = (
            Dense(2 * f, f, dtype=kind, key=keys[4]),
            Dense(f, 3 * f, gain=_SMALL, dtype=kind, key=keys[5]),
        )

    @property
    def rep_in(self) -> CompactRep:
        """F scalars and F vectors."""
        group = self.space.fibre_group
        assert isinstance(group, CompactGroup)
        return self.width * group.trivial + self.width * edge_irrep(group, 1)

    @property
    def rep_out(self) -> CompactRep:
        """The same."""
        return self.rep_in

    def __call__(self, x: Float[Array, "n C"], *, at: Cloud, key: Array | None = None) -> Float[Array, "n C"]:
        """Fields of the same type; `key` is not used."""
        at = checked_cloud(at, self.space, x)
        check_channels(x, self.rep_in)
        f, n = self.width, len(x)
        s, v = x[:, :f], x[:, f:].reshape(n, f, -1).swapaxes(1, 2)  # (n, d, F)
        ds, dv = self._message(s, v, at)
        s, v = (s + ds) * _HALF, (v + dv) * _HALF
        ds, dv = self._updated(s, v)
        s, v = (s + ds) * _HALF, (v + dv) * _HALF
        return jnp.concatenate([s, v.swapaxes(1, 2).reshape(n, -1)], axis=1)

    def _message(self, s: Array, v: Array, at: Cloud) -> tuple[Array, Array]:
        f, d = self.width, v.shape[1]
        vectors = at.vectors()
        distance = jnp.sqrt((vectors**2).sum(-1))
        unit = (vectors / distance[..., None]).astype(s.dtype)
        filters = self.filters(self.radial.plain(distance).astype(s.dtype))
        weights = filters * (self.radial.envelope(distance) / self.neighbours**0.5).astype(s.dtype)[..., None]
        phi = self.phi[1](jax.nn.silu(self.phi[0](s)))
        of_vectors = (phi[:, None, :f] * v).reshape(len(s), -1)
        sent = gathered(jnp.concatenate([phi[:, f:], of_vectors], axis=1), at)  # (n, K, (2 + d) F)
        ds = (weights[..., :f] * sent[..., :f]).sum(1)
        along = weights[..., f : 2 * f] * sent[..., f : 2 * f]
        turned = sent[..., 2 * f :].reshape(*sent.shape[:2], d, f)
        dv = (weights[..., None, 2 * f :] * turned).sum(1)
        return ds, dv + jnp.einsum("nkd,nkf->ndf", unit, along)

    def _updated(self, s: Array, v: Array) -> tuple[Array, Array]:
        f = self.width
        mixed = self.mixed(v)
        one, two = mixed[..., :f], mixed[..., f:]
        length = jnp.sqrt((two**2).sum(1) + _SOFT**2)
        hidden = jax.nn.silu(self.update[0](jnp.concatenate([s, length], axis=1)))
        a = self.update[1](hidden)
        ds = a[:, :f] + a[:, f : 2 * f] * (one * two).mean(1)
        return ds, a[:, None, 2 * f :] * one
