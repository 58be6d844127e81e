r"""An RBM whose weights are tied by a group of site permutations: ψ(g s) = ψ(s) exactly.

    log ψ(s) = Σ_i a_{o(i)} s_i + Σ_f Σ_g ln 2cosh θ_{fg},      θ_{fg} = b_f + Σ_i W_{fi} s[p_g[i]] = b_f +
    W_f·(g⁻¹s),

one visible bias for each orbit o of sites, and one filter W_f of N weights for each feature, moved by every
element of the group (Carleo & Troyer 2017, supplement; the hidden layer is a group convolution). With
`spin_flip = 1` the biases are absent, and ψ(−s) = ψ(s). It is a plain RBM with features·|G| hidden units, so
it has every capability of one.

The parameters are stored in the units of the untied machine: W_f = weights_f/√|G|, b_f = hidden_bias_f/√|G|,
a_o = visible_bias_o/√|o|. A step of the same length in them is a step of the same length of the untied
weights, so that one shift of the metric means the same for a plain and for a symmetric RBM; without it, the
metric of a large group is |G| times stiffer and the usual shifts regularise nothing.
"""

from __future__ import annotations

import equinox as eqx
import jax
import jax.numpy as jnp
from jax import Array
from jaxtyping import Float, Int, Num, Shaped

from intertwine.models.machines.hidden_units import (
    HiddenCache,
    check_configuration,
    flip_changes,
    log_hidden,
    mean_unit,
    weighted_rows,
)
from intertwine.models.numerics import real_dot, real_dtype
from intertwine.models.parameters import normal, parameters
from intertwine.models.protocols import Direct, Kind, SpinForm
from intertwine.models.symmetric.site_group import site_orbits
from intertwine.symmetry.groups.permutation_group import PermutationGroup

_CHUNK = 2**22  # numbers of the moved samples held at once by `factors`


def moved_filters(filters: Num[Array, "A N"], inverses: Int[Array, "g N"]) -> Num[Array, "N A*g"]:
    """The dense weights of all moved filters: column (f, g), row j holds W_f[p_g⁻¹[j]]."""
    moved = jnp.moveaxis(filters[:, inverses], -1, 0)
    return moved.reshape(moved.shape[0], -1)


class InvariantRBM(eqx.Module):
    """The trivial-character symmetric RBM; build it with `SymmetricRBM`."""

    visible_bias: Num[Array, "o"] | None
    hidden_bias: Num[Array, "A"] | None
    weights: Num[Array, "A N"]
    permutations: Int[Array, "g N"]
    inverses: Int[Array, "g N"]
    orbits: Int[Array, "N"]

    def __init__(
        self, group: PermutationGroup, features: int, dtype: jnp.dtype, scale: float, biased: bool, key: Array
    ):
        keys = jax.random.split(key, 3)
        orbits = site_orbits(group)
        untied = scale * group.order**0.5
        self.visible_bias = normal(keys[0], (int(orbits.max()) + 1,), dtype, scale) if biased else None
        self.hidden_bias = normal(keys[1], (features,), dtype, untied) if biased else None
        self.weights = normal(keys[2], (features, group.size), dtype, untied)
        self.permutations = jnp.asarray(group.permutations)
        self.inverses = jnp.asarray(group.inverse_permutations)
        self.orbits = jnp.asarray(orbits)

    @property
    def size(self) -> int:
        """The number of sites N."""
        return self.weights.shape[1]

    @property
    def features(self) -> int:
        """The number of filters."""
        return self.weights.shape[0]

    @property
    def hidden(self) -> int:
        """The number of hidden units, features·|G|."""
        return self.weights.shape[0] * self.permutations.shape[0]

    @property
    def kind(self) -> Kind:
        return "holomorphic" if jnp.iscomplexobj(self.weights) else "real"

    @property
    def _real(self) -> jnp.dtype:
        return real_dtype(self.weights.dtype)

    @property
    def _unit(self) -> float:
        return self.permutations.shape[0] ** -0.5

    @property
    def filters(self) -> Num[Array, "A N"]:
        """W_f, as they stand in θ."""
        return self._unit * self.weights

    def _orbit_units(self, count: int) -> Float[Array, "o"]:
        return jnp.zeros(count, self._real).at[self.orbits].add(1) ** -0.5

    def _field(self) -> Num[Array, "N"]:
        if self.visible_bias is None:
            return jnp.zeros(self.size, self.weights.dtype)
        return (self._orbit_units(self.visible_bias.shape[0]) * self.visible_bias)[self.orbits]

    def __call__(self, s: Shaped[Array, "N"]) -> Num[Array, ""]:
        """log ψ of one configuration (N,) of spins ±1."""
        check_configuration(s, self.size)
        value = log_hidden(self.angles(s))
        if self.visible_bias is None:
            return value
        return value + real_dot(s.astype(self._real), self._field()[:, None])[0]

    def angles(self, s: Shaped[Array, "... N"]) -> Num[Array, "... M"]:
        """θ_{fg} with the group the fast index, M = features·|G|."""
        fields = real_dot(s.astype(self._real), moved_filters(self.filters, self.inverses))
        return fields if self.hidden_bias is None else fields + self._expanded_bias()

    def _expanded_bias(self) -> Num[Array, "M"]:
        if self.hidden_bias is None:
            return jnp.zeros(self.hidden, self.weights.dtype)
        return jnp.repeat(self._unit * self.hidden_bias, self.permutations.shape[0])

    # Incremental: as for a plain RBM, with the rows of the weights gathered for the flipped sites only

    def start(self, s: Shaped[Array, "N"]) -> HiddenCache:
        """The cache of `s`."""
        check_configuration(s, self.size)
        angles = self.angles(s)
        return HiddenCache(angles, log_hidden(angles))

    def log_ratio(self, cache: HiddenCache, s: Shaped[Array, "N"], sites: Int[Array, "F"]) -> Num[Array, ""]:
        """log ψ(s') − log ψ(s) with `sites` flipped: O(features·|G|)."""
        value = self.flip(cache, s, sites).log_hidden - cache.log_hidden
        if self.visible_bias is None:
            return value
        changes = flip_changes(s, sites, self._real)
        return value + weighted_rows(changes, self._field(), sites)

    def flip(self, cache: HiddenCache, s: Shaped[Array, "N"], sites: Int[Array, "F"]) -> HiddenCache:
        """The cache after the flip of `sites` of `s`."""
        places = jnp.take(self.inverses, sites, axis=1, mode="fill", fill_value=self.size)
        rows = jnp.take(self.filters, places, axis=1, mode="fill", fill_value=0)
        change = (rows * flip_changes(s, sites, self._real)).sum(-1).reshape(-1)
        angles = cache.angles + change
        return HiddenCache(angles, log_hidden(angles))

    # SpinFormed and Factored

    def spin_form(self) -> SpinForm:
        """The dense RBM with features·|G| hidden units."""
        weights = moved_filters(self.filters, self.inverses)
        return SpinForm(jnp.zeros((), weights.dtype), self._field(), None, self._expanded_bias(), weights)

    def factors(self, samples: Shaped[Array, "S N"]) -> InvariantRBM:
        """∂ log ψ/∂λ of each sample: Σ_{i∈o} s_i, Σ_g tanh θ_{fg}, Σ_g tanh θ_{fg} s[p_g[i]], scaled."""
        s = samples.astype(self._real)
        hidden = self._unit * mean_unit(self.angles(samples))
        hidden = hidden.reshape(*hidden.shape[:-1], self.features, -1)
        derivatives: list = [Direct(self._moved(samples, hidden))]
        where = [lambda m: m.weights]
        if self.visible_bias is not None:
            members = (self.orbits[:, None] == jnp.arange(self.visible_bias.shape[0])).astype(self._real)
            moved = s @ (members * self._orbit_units(self.visible_bias.shape[0]))
            derivatives += [Direct(moved), Direct(hidden.sum(-1))]
            where += [lambda m: m.visible_bias, lambda m: m.hidden_bias]
        return eqx.tree_at(lambda m: [leaf(m) for leaf in where], parameters(self), derivatives)

    def _moved(self, samples: Shaped[Array, "S N"], hidden: Num[Array, "S A g"]) -> Num[Array, "S A N"]:
        """Σ_g hidden[S, f, g] s[p_g[i]], a real matrix product per sample, some samples at a time."""

        def one(sample: tuple[Array, Array]) -> Array:
            s, t = sample
            moved = s[self.permutations].astype(self._real)
            return jax.lax.complex(t.real @ moved, t.imag @ moved) if jnp.iscomplexobj(t) else t @ moved

        batch = max(1, min(samples.shape[0], _CHUNK // self.permutations.size))
        return jax.lax.map(one, (samples, hidden), batch_size=batch)
