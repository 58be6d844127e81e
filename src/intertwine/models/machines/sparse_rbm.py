r"""The restricted Boltzmann machine with a mask: hidden units that see some sites only.

    log ψ(s) = a·s + Σ_k ln 2cosh(b_k + Σ_{i ∈ N(k)} W_ik s_i)

Where unit k sees the sites within R of its centre, all entropies obey an area law, S ≤ 2R ln 2 per unit of a
site and boundary point, whatever the weights (Deng, Li & Das Sarma, Phys. Rev. X 7, 021021 (2017));
`it.entanglement.bound` says it for any mask. Only the links have parameters, so that training keeps the mask.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from jax.typing import DTypeLike
from jaxtyping import Int, Num, Shaped
from numpy.typing import ArrayLike

from intertwine import _checks
from intertwine.models.machines.hidden_units import (
    HiddenCache,
    check_configuration,
    flip_changes,
    log_hidden,
    mean_unit,
    weighted_rows,
)
from intertwine.models.numerics import real_dot, real_dtype
from intertwine.models.parameters import check_key, check_scale, normal, parameter_dtype, parameters
from intertwine.models.protocols import Direct, Kind, SpinForm

if TYPE_CHECKING:
    from intertwine.spaces.lattice import Lattice


class SparseRBM(eqx.Module):
    r"""An RBM of spins ±1 whose weights exist where `mask` says so.

    mask: booleans (N, M); mask[i, k]: hidden unit k sees site i. dtype: float, complex or an exact floating
    type. scale: standard deviation of the initial parameters.

    weights: (E,), of the links in row order of the mask. sites, units: (E,), their ends.
    Raises InputError for a mask that is not two-dimensional or not boolean (0 and 1 count).

    >>> import jax
    >>> psi = SparseRBM([[1, 0], [1, 1], [0, 1]], key=jax.random.key(0))
    >>> psi.size, psi.hidden, psi.weights.shape, psi(jnp.array([1, -1, 1])).shape
    (3, 2, (4,), ())
    """

    visible_bias: Num[Array, "N"]
    hidden_bias: Num[Array, "M"]
    weights: Num[Array, "E"]
    sites: Int[Array, "E"]
    units: Int[Array, "E"]

    def __init__(self, mask: ArrayLike, *, dtype: DTypeLike = float, scale: float = 0.05, key: Array):
        there = np.asarray(mask)
        _checks.shape("mask", there, ("N", "M"), "a row for each site, a column for each hidden unit")
        if not np.isin(there, (0, 1)).all():
            raise _checks.fail("mask", "booleans, or 0 and 1", there)
        kind, spread, keys = parameter_dtype(dtype), check_scale(scale), jax.random.split(check_key(key), 3)
        sites, units = np.nonzero(there)
        self.visible_bias = normal(keys[0], there.shape[:1], kind, spread)
        self.hidden_bias = normal(keys[1], there.shape[1:], kind, spread)
        self.weights = normal(keys[2], sites.shape, kind, spread)
        self.sites, self.units = jnp.asarray(sites, jnp.int32), jnp.asarray(units, jnp.int32)

    @classmethod
    def of_range(
        cls,
        lattice: Lattice,
        radius: float,
        *,
        per_site: int = 1,
        dtype: DTypeLike = float,
        scale: float = 0.05,
        key: Array,
    ) -> SparseRBM:
        """The machine of range `radius`: `per_site` hidden units at every site, each of which sees the sites
        within that distance (of nearest images, in the lattice's unit of length).

        >>> from intertwine.spaces.lattices import Chain
        >>> psi = SparseRBM.of_range(Chain(12), 1, key=jax.random.key(0))
        >>> psi.hidden, psi.weights.shape
        (12, (36,))
        """
        mask = range_mask(lattice, radius, per_site)
        return cls(mask, dtype=dtype, scale=scale, key=key)

    @property
    def size(self) -> int:
        """The number of sites N."""
        return self.visible_bias.shape[0]

    @property
    def hidden(self) -> int:
        """The number of hidden units M."""
        return self.hidden_bias.shape[0]

    @property
    def kind(self) -> Kind:
        return "holomorphic" if jnp.iscomplexobj(self.weights) else "real"

    @property
    def _real(self) -> jnp.dtype:
        return real_dtype(self.weights.dtype)

    def dense_weights(self) -> Num[Array, "N M"]:
        """W, 0 where the mask is."""
        return (
            jnp.zeros((self.size, self.hidden), self.weights.dtype)
            .at[self.sites, self.units]
            .set(self.weights)
        )

    def angles(self, s: Shaped[Array, "... N"]) -> Num[Array, "... M"]:
        """θ = b + Wᵀs, the field on every hidden unit."""
        return self.hidden_bias + real_dot(s.astype(self._real), self.dense_weights())

    def __call__(self, s: Shaped[Array, "N"]) -> Num[Array, ""]:
        """log ψ of one configuration (N,) of spins ±1."""
        check_configuration(s, self.size)
        visible = real_dot(s.astype(self._real), self.visible_bias[:, None])[0]
        return visible + log_hidden(self.angles(s))

    # Incremental

    def start(self, s: Shaped[Array, "N"]) -> HiddenCache:
        """The cache of `s`."""
        check_configuration(s, self.size)
        angles = self.angles(s)
        return HiddenCache(angles, log_hidden(angles))

    def log_ratio(self, cache: HiddenCache, s: Shaped[Array, "N"], sites: Int[Array, "F"]) -> Num[Array, ""]:
        """log ψ(s') − log ψ(s) with `sites` flipped: O(F E)."""
        moved = self.flip(cache, s, sites).log_hidden - cache.log_hidden
        return moved + weighted_rows(flip_changes(s, sites, self._real), self.visible_bias, sites)

    def flip(self, cache: HiddenCache, s: Shaped[Array, "N"], sites: Int[Array, "F"]) -> HiddenCache:
        """The cache after the flip of `sites` of `s`: O(F E)."""
        changes = flip_changes(s, sites, self._real)
        of_links = (changes[:, None] * (sites[:, None] == self.sites)).sum(0) * self.weights
        angles = cache.angles.at[self.units].add(of_links)
        return HiddenCache(angles, log_hidden(angles))

    # SpinFormed, Factored

    def spin_form(self) -> SpinForm:
        """The dense RBM."""
        zero = jnp.zeros((), self.weights.dtype)
        return SpinForm(zero, self.visible_bias, None, self.hidden_bias, self.dense_weights())

    def factors(self, samples: Shaped[Array, "S N"]) -> SparseRBM:
        """∂ log ψ/∂λ: s_i, tanh θ_k, and s_i tanh θ_k of the links."""
        s = samples.astype(self._real)
        hidden = mean_unit(self.angles(samples))
        links = s[:, self.sites] * hidden[:, self.units]
        return eqx.tree_at(
            lambda m: (m.visible_bias, m.hidden_bias, m.weights),
            parameters(self),
            (Direct(s), Direct(hidden), Direct(links)),
        )


def range_mask(lattice: Lattice, radius: float, per_site: int = 1) -> np.ndarray:
    """Booleans (N, per_site·N): site i is within `radius` of the centre of unit k, site k // per_site.

    Raises InputError for a radius that is negative or not finite.

    >>> from intertwine.spaces.lattices import Chain
    >>> range_mask(Chain(5), 1).astype(int)[0].tolist()
    [1, 1, 0, 0, 1]
    """
    per_site = _checks.positive_int("per_site", per_site, "give how many hidden units a site has")
    if isinstance(radius, bool) or not isinstance(radius, int | float) or not 0 <= radius < np.inf:
        raise _checks.fail("radius", "a distance ≥ 0, in the unit of length of the lattice", radius)
    if not hasattr(lattice, "displacements"):
        raise _checks.fail("lattice", "a lattice, for example it.Chain(20)", type(lattice).__name__)
    lengths = np.linalg.norm(lattice.displacements, axis=1)
    near = lengths[lattice.displacement_index] <= radius + 1e-9
    return np.repeat(near, per_site, axis=1)
