r"""Products of fields on the sphere in the space of their coefficients (Kondor, Lin & Trivedi 2018).

    h^l_{mc} = Σ_{l1, l2} Σ_k w^{l1 l2 l}_{kc} Σ_{m1 + m2 = m} ⟨l1 m1 l2 m2 | l m⟩ f^{l1}_{m1 k} g^{l2}_{m2 k}

The potentials of a field are vectors of D^l, l < L, and Clebsch-Gordan coefficients project their tensor
products on the degrees below L: a non-linearity that commutes with rotations to rounding, with nothing
sampled. For real fields coefficients times i^{l1 + l2 − l} keep the reality condition (the parity that they
have under the exchange of f and g). Weights mix the channels, each with each degree apart. The products take
about L⁵/4 multiplications a channel: for L up to 12.
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
from jaxtyping import Complex, Float

from intertwine._checks import fail
from intertwine.layers.blocks import check_channels
from intertwine.layers.fields import field_type
from intertwine.spaces.sphere.real_product import real_product
from intertwine.spaces.sphere.sphere import Sphere
from intertwine.symmetry import AnyRep, CompactRep
from intertwine.symmetry.wigner import complex_clebsch_gordan

_MOST = 12


class _Products(NamedTuple):
    """The triples (l1, l2, l), l1 ≤ l2, of one l after another; for every term of the sums over orders its
    triple, the places of the factors in l(l + 1) + m, the order m ≥ 0 of the result, and its coefficient."""

    triples: np.ndarray
    triple: np.ndarray
    first: np.ndarray
    second: np.ndarray
    out: np.ndarray
    value: np.ndarray


class ClebschGordan(eqx.Module):
    """The product of a field with itself by Clebsch-Gordan coefficients.

    space: a `Sphere` with band limit up to 12. rep_in: channels of any spins. rep_out: the type of the
    result.

    weights: (triples, potentials in, potentials out).

    Raises InputError for band limits above 12.

    >>> sphere = Sphere(4)
    >>> layer = ClebschGordan(sphere, "scalar + vector", "2 scalar", key=jax.random.key(0))
    >>> layer(sphere.random_field("scalar + vector", 1, key=jax.random.key(1))).shape
    (1, 4, 8, 2)
    """

    weights: Float[Array, "triples C_in C_out"]
    space: Sphere = eqx.field(static=True)
    rep_in: CompactRep = eqx.field(static=True)
    rep_out: CompactRep = eqx.field(static=True)

    def __init__(
        self,
        space: Sphere,
        rep_in: AnyRep | str,
        rep_out: AnyRep | str,
        *,
        dtype: DTypeLike = float,
        key: Array,
    ):
        if not isinstance(space, Sphere) or space.bandlimit > _MOST:
            remedy = "take a lower band limit (Resample), or Oversampled(TensorProduct)"
            raise fail("space", f"a Sphere with bandlimit up to {_MOST}", space, remedy)
        into, out = field_type(space, rep_in, "rep_in"), field_type(space, rep_out, "rep_out")
        assert isinstance(into, CompactRep) and isinstance(out, CompactRep)
        self.space, self.rep_in, self.rep_out = space, into, out
        products = _products(space.bandlimit)
        count = np.bincount(products.triples[:, 2], minlength=space.bandlimit)[products.triples[:, 2]]
        spread = (1 / (count * into.dimension)) ** 0.5
        shape = (len(products.triples), into.dimension, out.dimension)
        self.weights = jax.random.normal(key, shape, dtype) * jnp.asarray(spread, dtype)[:, None, None]

    def __call__(self, x: Float[Array, "... C_in"], *, key: Array | None = None) -> Float[Array, "... C_out"]:
        """Fields (..., *space, C_in); `key` is not used."""
        check_channels(x, self.rep_in)
        f = _whole(self.space.analysis(x, self.rep_in))  # (..., (l, m), C)
        products = _products(self.space.bandlimit)
        terms = f[..., products.first, :] * f[..., products.second, :]
        terms = terms * jnp.asarray(products.value, f.dtype)[:, None]
        size = self.space.bandlimit
        places, count = products.triple * size + products.out, len(products.triples)
        summed = jnp.zeros((*terms.shape[:-2], count * size, terms.shape[-1]), f.dtype)
        summed = summed.at[..., places, :].add(terms).reshape(*terms.shape[:-2], count, size, -1)
        mixed = real_product("...tmi,tio->...tmo", summed, self.weights)
        degree = products.triples[:, 2]
        lead = mixed.shape[:-3]
        out = jnp.zeros((*lead, size, *mixed.shape[-2:]), f.dtype).at[..., degree, :, :].add(mixed)
        return self.space.synthesis(out, self.rep_out)


def _whole(c: Complex[Array, "... l m C"]) -> Complex[Array, "... lm C"]:
    """All orders of real fields, at l(l + 1) + m."""
    size = c.shape[-2]
    degree = np.concatenate([np.full(2 * k + 1, k) for k in range(size)])
    order = np.concatenate([np.arange(-k, k + 1) for k in range(size)])
    found = c[..., degree, np.abs(order), :]
    sign = np.where(order % 2 == 0, 1.0, -1.0)[:, None].astype(c.real.dtype)
    return jnp.where((order < 0)[:, None], sign * found.conj(), found)


@lru_cache(maxsize=8)
def _products(size: int) -> _Products:
    triples, rows = [], []
    for l3 in range(size):
        for l1 in range(size):
            for l2 in range(max(l1, abs(l3 - l1)), min(size - 1, l1 + l3) + 1):
                if l1 == l2 and l3 % 2:  # odd under the exchange of the factors
                    continue
                table = complex_clebsch_gordan(l1, l2, l3)
                scale = ((2 * l1 + 1) * (2 * l2 + 1) / (2 * l3 + 1) * size / (4 * np.pi)) ** 0.5
                m1, m2 = np.nonzero(table)
                order = m1 - l1 + m2 - l2
                kept = order >= 0
                m1, m2, order = m1[kept], m2[kept], order[kept]
                value = scale * (1, 1j, -1, -1j)[(l1 + l2 - l3) % 4] * table[m1, m2]
                place = np.full(len(m1), len(triples))
                rows.append((place, l1 * l1 + m1, l2 * l2 + m2, order, value))
                triples.append((l1, l2, l3))
    return _Products(np.array(triples), *(np.concatenate(column) for column in zip(*rows, strict=True)))
