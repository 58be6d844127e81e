r"""The RBM of occupation numbers: visible units are the levels themselves.

    log ψ(n) = Σ_i a_i (n_i − c_i) + Σ_k ln 2cosh θ_k,      θ_k = b_k + Σ_i W_ik (n_i − c_i)

with c_i the mean level of a mode. It has a weight for each mode and hidden unit, whatever the number of
levels (Saito, J. Phys. Soc. Jpn. 86, 093001 (2017) has networks of occupation numbers for bosons), where the
RBM of `spins_on_levels` has one for each level as well: of d levels it has d − 1 times fewer parameters, and
its θ are linear in n.
"""

from __future__ import annotations

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from jax.typing import DTypeLike
from jaxtyping import Float, Int, Num, Shaped

from intertwine._checks import positive_int
from intertwine.models.levels.level_spins import Encoding, encoding
from intertwine.models.machines.hidden_units import HiddenCache, check_configuration, log_hidden, mean_unit
from intertwine.models.numerics import real_dot, real_dtype
from intertwine.models.parameters import check_key, check_scale, normal, parameter_dtype, parameters
from intertwine.models.protocols import Direct, Kind, Outer, SpinForm
from intertwine.spaces.hilbert.hilbert_space import HilbertSpace


class NumberRBM(eqx.Module):
    """An RBM that reads the levels of modes as numbers.

    space: the Hilbert space. hidden: number M of hidden units. dtype: float, complex or an exact floating
    type. scale: standard deviation of the initial parameters.

    Raises InputError for `hidden` that is no positive integer.

    >>> from intertwine.spaces.hilbert.kinds import Bosons
    >>> psi = NumberRBM(Bosons(4, 3), hidden=8, key=jax.random.key(0))
    >>> psi.weights.shape, psi.centre[0], psi(jnp.array([3, 0, 0, 0])).shape
    ((4, 8), 0.75, ())
    """

    visible_bias: Num[Array, "N"]
    hidden_bias: Num[Array, "M"]
    weights: Num[Array, "N M"]
    encoding: Encoding = eqx.field(static=True)
    centre: tuple[float, ...] = eqx.field(static=True)

    def __init__(
        self, space: HilbertSpace, hidden: int, *, dtype: DTypeLike = float, scale: float = 0.05, key: Array
    ):
        hidden = positive_int("hidden", hidden, "give the number of hidden units, for example 2*size")
        self.encoding, self.centre = encoding(space), mean_levels(space)
        kind, spread, keys = parameter_dtype(dtype), check_scale(scale), jax.random.split(check_key(key), 3)
        self.visible_bias = normal(keys[0], (space.size,), kind, spread)
        self.hidden_bias = normal(keys[1], (hidden,), kind, spread)
        self.weights = normal(keys[2], (space.size, hidden), kind, spread)

    @property
    def size(self) -> int:
        """The number of modes N."""
        return self.encoding.modes

    @property
    def kind(self) -> Kind:
        return "holomorphic" if jnp.iscomplexobj(self.weights) else "real"

    def __call__(self, s: Shaped[Array, "N"]) -> Num[Array, ""]:
        """log ψ of one configuration of levels (N,)."""
        check_configuration(s, self.size)
        n = self._centred(s)
        return real_dot(n, self.visible_bias[:, None])[0] + log_hidden(self._angles(n))

    def _centred(self, s: Shaped[Array, "... N"]) -> Float[Array, "... N"]:
        return s.astype(real_dtype(self.weights.dtype)) - np.array(self.centre)

    def _angles(self, n: Float[Array, "... N"]) -> Num[Array, "... M"]:
        return self.hidden_bias + real_dot(n, self.weights)

    # LevelIncremental

    def start(self, s: Shaped[Array, "N"]) -> HiddenCache:
        """θ of `s` and its part of log ψ: O(N M)."""
        angles = self._angles(self._centred(s))
        return HiddenCache(angles, log_hidden(angles))

    def log_change(
        self, cache: HiddenCache, s: Shaped[Array, "N"], modes: Int[Array, "F"], levels: Int[Array, "F"]
    ) -> Num[Array, ""]:
        """log ψ(s') − log ψ(s) with `levels` on `modes`: O(F M)."""
        at, change = self._changes(s, modes, levels)
        angles = cache.angles + real_dot(change, self.weights[at])
        return real_dot(change, self.visible_bias[at][:, None])[0] + log_hidden(angles) - cache.log_hidden

    def change(
        self, cache: HiddenCache, s: Shaped[Array, "N"], modes: Int[Array, "F"], levels: Int[Array, "F"]
    ) -> HiddenCache:
        """The cache of s': O(F M)."""
        at, change = self._changes(s, modes, levels)
        angles = cache.angles + real_dot(change, self.weights[at])
        return HiddenCache(angles, log_hidden(angles))

    def _changes(self, s: Array, modes: Array, levels: Array) -> tuple[Array, Array]:
        """(the modes, clipped; how much their levels change, 0 of a mode equal to N)"""
        at = jnp.minimum(modes, self.size - 1)
        change = jnp.where(modes < self.size, levels.astype(jnp.int32) - s[at].astype(jnp.int32), 0)
        return at, change.astype(real_dtype(self.weights.dtype))

    # Factored, and the form of the spins that stand for the levels

    def factors(self, samples: Shaped[Array, "S N"]) -> NumberRBM:
        """∂ log ψ/∂λ: n − c, tanh θ, and their outer product for the weights."""
        n = self._centred(samples)
        hidden = mean_unit(self._angles(n))
        found = Direct(n), Direct(hidden), Outer(n, hidden)
        return eqx.tree_at(lambda m: (m.visible_bias, m.hidden_bias, m.weights), parameters(self), found)

    def encoded_form(self) -> SpinForm:
        """n_i = (d_i − 1)/2 − ½ Σ_v σ_iv: weights of −½ for every spin of a mode."""
        code = self.encoding
        shift = jnp.asarray((np.array(code.levels) - 1) / 2 - np.array(self.centre))
        bias = self.hidden_bias + shift @ self.weights
        weights = -self.weights[code.mode] / 2
        return SpinForm(shift @ self.visible_bias, -self.visible_bias[code.mode] / 2, None, bias, weights)


def mean_levels(space: HilbertSpace) -> tuple[float, ...]:
    """The mean level of each mode: that of conserved numbers which count some modes alike, else the middle.

    >>> from intertwine.spaces.hilbert.kinds import Bosons, Spins
    >>> mean_levels(Bosons(4, 3))[0], mean_levels(Spins(2, s=1))
    (0.75, (1.0, 1.0))
    """
    means = (np.array(space.levels) - 1) / 2
    for number in space.numbers:
        if set(number.weights) == {1} and number.modulus is None:
            means[list(number.modes)] = number.low / len(number.modes)
    return tuple(means.tolist())
