r"""The Jastrow state: a pair coupling for every two sites.

    log ψ(s) = Σ_{i<j} J_{ij} s_i s_j + Σ_i a_i s_i

(Jastrow 1955; for spins: Manousakis, RMP 63, 1 (1991)). Each pair has one parameter, J_{ij} with i < j in row
order; with a symmetry group, pairs and sites of one orbit share theirs: on a lattice a coupling for each kind
of distance.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from jax.typing import DTypeLike
from jaxtyping import Int, Num, Shaped

from intertwine import _checks
from intertwine.models.machines.hidden_units import check_configuration, flip_changes, weighted_rows
from intertwine.models.numerics import real_dot, real_dtype
from intertwine.models.parameters import check_key, check_scale, normal, parameter_dtype, parameters
from intertwine.models.protocols import Direct, Kind, SpinForm
from intertwine.models.symmetric.site_group import pair_orbits, site_group, site_orbits

if TYPE_CHECKING:
    from intertwine.spaces.lattice import Lattice
    from intertwine.symmetry import PermutationGroup


class Jastrow(eqx.Module):
    """Pair couplings between all sites, of spins ±1.

    size: the number of sites N, or a lattice or `PermutationGroup` to tie the couplings by.
    dtype: float, complex or an exact floating type.
    group: with a lattice "space" (default), "translations" or a `PermutationGroup`; with a number None: every
    pair has its own coupling, N(N−1)/2 in all.
    scale: standard deviation of the initial couplings and fields; by default 0.1/√N, so that log ψ varies by
    about 0.1 √N.

    >>> psi = Jastrow(4, key=jax.random.key(0))
    >>> psi.couplings.shape, psi.field.shape
    ((6,), (4,))
    """

    couplings: Num[Array, "pairs"]
    field: Num[Array, "orbits"]
    pair_orbits: Int[Array, "N N"]
    orbits: Int[Array, "N"]
    tied: bool = eqx.field(static=True)

    def __init__(
        self,
        size: int | Lattice | PermutationGroup,
        *,
        dtype: DTypeLike = float,
        group: PermutationGroup | str | None = None,
        scale: float | None = None,
        key: Array,
    ):
        kind, keys = parameter_dtype(dtype), jax.random.split(check_key(key))
        self.tied = group is not None or not isinstance(size, int | np.integer)
        if self.tied:
            of_sites: Any = size
            symmetry = site_group(of_sites, group)
            pairs, sites = pair_orbits(symmetry), site_orbits(symmetry)
            count, fields, n = int(pairs[0, 0]), int(sites.max()) + 1, symmetry.size
        else:
            n = _checks.positive_int("size", size, "give the number of sites, for example lattice.size")
            count, fields, sites = n * (n - 1) // 2, n, np.arange(n, dtype=np.int32)
            pairs = np.full((n, n), count, np.int32)
            upper = np.triu_indices(n, 1)
            pairs[upper] = np.arange(count)
            pairs.T[upper] = np.arange(count)
        spread = 0.1 / n**0.5 if scale is None else check_scale(scale)
        self.couplings = normal(keys[0], (count,), kind, spread)
        self.field = normal(keys[1], (fields,), kind, spread)
        self.pair_orbits, self.orbits = jnp.asarray(pairs), jnp.asarray(sites)

    @property
    def size(self) -> int:
        """The number of sites N."""
        return self.orbits.shape[0]

    @property
    def kind(self) -> Kind:
        return "holomorphic" if jnp.iscomplexobj(self.couplings) else "real"

    @property
    def _real(self) -> jnp.dtype:
        return real_dtype(self.couplings.dtype)

    def coupling_matrix(self) -> Num[Array, "N N"]:
        """J, symmetric with zero diagonal."""
        return self._coupling(self.pair_orbits)

    def _coupling(self, index: Int[Array, "..."]) -> Num[Array, "..."]:
        return jnp.take(self.couplings, index, mode="fill", fill_value=0)

    def __call__(self, s: Shaped[Array, "N"]) -> Num[Array, ""]:
        """log ψ of one configuration (N,) of spins ±1."""
        local = self.start(s) / 2 + self.field[self.orbits]
        return real_dot(s.astype(self._real), local[:, None])[0]

    # Incremental

    def start(self, s: Shaped[Array, "N"]) -> Num[Array, "N"]:
        """The pair fields Σ_j J_{ij} s_j of all sites: O(N²)."""
        check_configuration(s, self.size)
        return real_dot(s.astype(self._real), self.coupling_matrix())

    def log_ratio(
        self, cache: Num[Array, "N"], s: Shaped[Array, "N"], sites: Int[Array, "F"]
    ) -> Num[Array, ""]:
        """Σ_f d_f (a_f + Σ_j J_{fj} s_j) + ½ Σ_{ff'} d_f J_{ff'} d_f' with the changes d = −2s: O(N + F²)."""
        changes = flip_changes(s, sites, self._real)
        index = jnp.take(self.pair_orbits, sites, axis=0, mode="fill", fill_value=self.couplings.shape[0])
        between = self._coupling(
            jnp.take(index, sites, axis=1, mode="fill", fill_value=self.couplings.shape[0])
        )
        local = cache + self.field[self.orbits]
        return weighted_rows(changes, local, sites) + (changes[:, None] * changes * between).sum() / 2

    def flip(self, cache: Num[Array, "N"], s: Shaped[Array, "N"], sites: Int[Array, "F"]) -> Num[Array, "N"]:
        """The pair fields after the flip: O(N F)."""
        changes = flip_changes(s, sites, self._real)
        index = jnp.take(self.pair_orbits, sites, axis=0, mode="fill", fill_value=self.couplings.shape[0])
        return cache + (changes[:, None] * self._coupling(index)).sum(0)

    # SpinFormed, Factored

    def spin_form(self) -> SpinForm:
        """J and a themselves; no hidden units."""
        dtype = self.couplings.dtype
        none, empty = jnp.zeros(0, dtype), jnp.zeros((self.size, 0), dtype)
        return SpinForm(jnp.zeros((), dtype), self.field[self.orbits], self.coupling_matrix(), none, empty)

    def factors(self, samples: Shaped[Array, "S N"]) -> Jastrow:
        """∂ log ψ/∂J_{ij} = s_i s_j and ∂ log ψ/∂a_i = s_i, summed over the orbit where they are tied."""
        s = samples.astype(self._real)
        first, second = np.triu_indices(self.size, 1)
        pairs, fields = s[:, first] * s[:, second], s
        if self.tied:
            orbit = self.pair_orbits[first, second]
            pairs = jnp.zeros((len(s), self.couplings.shape[0]), s.dtype).at[:, orbit].add(pairs)
            fields = jnp.zeros((len(s), self.field.shape[0]), s.dtype).at[:, self.orbits].add(s)
        return eqx.tree_at(
            lambda m: (m.couplings, m.field), parameters(self), (Direct(pairs), Direct(fields))
        )
