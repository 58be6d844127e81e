r"""What winds carry, and the potentials of that: the bilinear laws of motion on a sphere, with few numbers.

Of scalars s and vectors v, with the vorticity ζ and the divergence δ of every v,

    s,  v      the fields themselves
    q v        fluxes of q = every s, ζ and δ by every v
    v·w, v×w   energies, and the like of every pair

are made on a grid that holds products of two fields, and a kernel leads from their potentials to those of the
result, the same in every degree up to

    κ_l = Σ_k h_k(l) (A_k + B_k √(2/l(l+1)))         l ≥ 1

with K hats h_k, linear in l between knots (one: the same for all l), and κ_0 = 0: nothing is said of means
over the sphere, as no wind tells the level of a height. A_k leads to fluxes themselves, B_k to their
potentials: the balance of winds and heights,

    Δ(Φ + ½ v²) = r̂·(∇ × (f + ζ) v)        (Charney 1955; of the divergence equation at rest)

is among these maps with K = 1, and the tendency −div ζ v of vorticity about so with K = 2. All weights enter
linearly, so that they can be found by least squares.
"""

from __future__ import annotations

from itertools import combinations, combinations_with_replacement

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from jax.typing import DTypeLike
from jaxtyping import Float

from intertwine._checks import fail, positive_int
from intertwine.layers.blocks import check_channels
from intertwine.layers.fields import field_type
from intertwine.spaces.sphere.calculus import apply_operator, with_bandlimit
from intertwine.spaces.sphere.real_product import real_product
from intertwine.spaces.sphere.sphere import Sphere
from intertwine.spaces.sphere.spins import channels_of_spins
from intertwine.symmetry import AnyRep, CompactRep

_FINENESS = 2.0
"""Of the grid of products: those of two fields with degrees below L are exact there, up to L."""


class Fluxes(eqx.Module):
    """Fields, fluxes and energies, and one kernel from their potentials.

    space: a `Sphere`. rep_in: scalars and vectors, one vector at least. rep_out: scalars and vectors. knots:
    K of the profiles.

    weights: (2 K, potentials of fields and products, potentials of rep_out), A before B.

    Raises InputError for other types and spaces.

    >>> sphere = Sphere(6)
    >>> layer = Fluxes(sphere, "vector + scalar", "scalar", key=jax.random.key(0))
    >>> layer(sphere.random_field(layer.rep_in, 2, key=jax.random.key(1))).shape, layer.weights.shape
    ((2, 6, 12, 1), (2, 10, 1))
    """

    weights: Float[Array, "P C_in C_out"]
    space: Sphere = eqx.field(static=True)
    rep_in: CompactRep = eqx.field(static=True)
    rep_out: CompactRep = eqx.field(static=True)

    def __init__(
        self,
        space: Sphere,
        rep_in: AnyRep | str,
        rep_out: AnyRep | str,
        knots: int = 1,
        *,
        dtype: DTypeLike = float,
        key: Array,
    ):
        if not isinstance(space, Sphere):
            raise fail("space", "a Sphere", space)
        into, out = field_type(space, rep_in, "rep_in"), field_type(space, rep_out, "rep_out")
        assert isinstance(into, CompactRep) and isinstance(out, CompactRep)
        for argument, rep in (("rep_in", into), ("rep_out", out)):
            if not set(channels_of_spins(rep)) <= {0, 1}:
                raise fail(argument, "scalars and vectors", rep)
        if 1 not in channels_of_spins(into):
            raise fail("rep_in", "a vector, which carries the others", into, "take product:W without one")
        most = space.bandlimit - 1
        if positive_int("knots", knots) > max(1, most):
            raise fail("knots", f"from 1 to {most}", knots)
        self.space, self.rep_in, self.rep_out = space, into, out
        potentials = _potentials(into)
        shape = (2 * knots, potentials, out.dimension)
        drawn = jax.random.normal(key, shape, dtype)
        self.weights = drawn * jnp.asarray((2 * knots * potentials) ** -0.5, dtype)

    def __call__(self, x: Float[Array, "... C"], *, key: Array | None = None) -> Float[Array, "... C_out"]:
        """Fields (..., *space, C); `key` is not used."""
        check_channels(x, self.rep_in)
        limit = self.space.bandlimit
        finer = self.space.at(limit, oversampling=_FINENESS)
        values = finer.synthesis(self.space.analysis(x, self.rep_in), self.rep_in)
        made, rep = _products(finer, values, self.rep_in)
        found = with_bandlimit(finer.analysis(made, rep), limit)
        out = real_product("...lmi,lio->...lmo", found, self._kernel())
        return self.space.synthesis(out, self.rep_out)

    def _kernel(self) -> Float[Array, "l C_in C_out"]:
        """κ, scalars before the potentials of vectors."""
        profiles = jnp.asarray(_profiles(self.space.bandlimit, len(self.weights) // 2), self.weights.dtype)
        return jnp.einsum("pl,pio->lio", profiles, self.weights)


def _potentials(rep: CompactRep) -> int:
    """Those of the fields and of their products."""
    places = channels_of_spins(rep)
    s, v = len(places.get(0, ())), len(places[1]) // 2
    return s + v * v + 2 * (v + v * (s + 2 * v))


def _products(
    sphere: Sphere, x: Float[Array, "... C"], rep: CompactRep
) -> tuple[Float[Array, "... C_all"], CompactRep]:
    """All of them on the points of a sphere, scalars first, and their type."""
    places = channels_of_spins(rep)
    scalars, wind = x[..., places.get(0, np.zeros(0, int))], x[..., places[1]]
    vectors = jnp.moveaxis(wind.reshape(*wind.shape[:-1], -1, 2), -2, 0)  # (v, ..., 2)
    unit = float(sphere.bandlimit)  # of length: derivatives are then as large as the fields
    derived = [
        apply_operator(sphere, name, wind, radius=unit) for name in ("vorticity", "divergence")
    ]  # of all vectors
    carried = jnp.moveaxis(jnp.concatenate([scalars, *derived], axis=-1), -1, 0)
    pairs = [(v * w).sum(-1) for v, w in combinations_with_replacement(vectors, 2)]
    crossed = [v[..., 0] * w[..., 1] - v[..., 1] * w[..., 0] for v, w in combinations(vectors, 2)]
    fluxes = [q[..., None] * v for v in vectors for q in carried]
    numbers = jnp.stack([*jnp.moveaxis(scalars, -1, 0), *pairs, *crossed], axis=-1)
    made = jnp.concatenate([numbers, *vectors, *fluxes], axis=-1)
    count = numbers.shape[-1]
    return made, count * sphere.scalar + (len(vectors) + len(fluxes)) * sphere.vector


def _profiles(limit: int, knots: int) -> Float[np.ndarray, "P l"]:
    """Hats between knots from 1 to L − 1, plain and times √(2/l(l+1)); 0 at l = 0."""
    degree = np.arange(limit)
    hats = np.ones((1, limit))
    if knots > 1:
        place = np.linspace(1, limit - 1, knots)
        hats = np.maximum(0, 1 - np.abs(degree - place[:, None]) / (place[1] - place[0]))
    hats = hats * (degree > 0)
    return np.concatenate([hats, hats * np.sqrt(2 / np.maximum(degree * (degree + 1), 1))])
