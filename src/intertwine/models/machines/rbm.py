r"""The restricted Boltzmann machine, as a distribution and as a wave function.

    Ψ(v) = Σ_h exp(vᵀ W h + a·v + b·h),      ln Ψ(v) = a·v + Σ_k ln Σ_{h_k} e^{h_k θ_k},      θ = b + Wᵀ v,

with ln 2cosh θ_k for hidden spins ±1 and ln(1 + e^{θ_k}) for binary hidden units 0, 1 (Smolensky 1986; Hinton
2002; as a wave function: Carleo & Troyer, Science 355, 602 (2017)). The same object is read in two ways:

    Boltzmann machine    p(v) = Ψ(v)/Z,       E = −(vᵀWh + a·v + b·h), real parameters
    wave function        p(s) = |Ψ(s)|²/Z,    real or complex parameters

`units` are the values of the visible units: `model(v)` and every capability take configurations in these
units, ±1 or 0/1. Wave functions live on spins ±1, s = +1 ↔ v = 1: `as_spins(model)` (intertwine.models.units)
is the model there. A Boltzmann machine may have units of any kind (`unit_kinds`: also Gaussian, rectified and
Potts, and kinds side by side in a layer), each with its base energy,

    E(v, h) = −(vᵀWh + a·v + b·h) + base(v) + base(h),      ln Ψ(v) = a·v − base(v) + Σ_k A_k(θ_k).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import equinox as eqx
import jax
import jax.numpy as jnp
from jax import Array
from jax.typing import DTypeLike
from jaxtyping import Float, Int, Num, Shaped
from numpy.typing import ArrayLike

from intertwine import _checks
from intertwine.models.machines.hidden_units import (
    HiddenCache,
    check_columns,
    check_configuration,
    flip_changes,
    weighted_rows,
)
from intertwine.models.machines.unit_layer import Spec, UnitLayer
from intertwine.models.numerics import real_dot, real_dtype
from intertwine.models.parameters import check_key, check_scale, normal, parameter_dtype, parameters
from intertwine.models.protocols import Direct, Kind, Outer, SpinForm

if TYPE_CHECKING:
    from intertwine.models.machines.quadratic_form import Qubo


class RBM(eqx.Module):
    r"""A restricted Boltzmann machine: N visible units, M hidden units, no links inside a layer.

    size: number N of visible units. hidden: number M of hidden units (density α = M/N).
    dtype: float (kind `real`), complex (kind `holomorphic`), or an exact floating type.
    units, hidden_units: the visible and hidden units: "spin" (±1), "binary" (0/1), "gaussian", "rectified",
    "potts:q", or pairs ((kind, columns), ...) side by side. Sizes count columns: a Potts unit is q of them,
    one-hot. Gaussian visible units have widths σ that are learned (`visible_layer.log_variance`, 0 at first),
    or σ = 1 without `widths`; hidden ones σ = 1. Complex parameters, flips of sites and the spin form need
    two-state units.
    scale: standard deviation of the initial parameters, normal and all small, so that log Ψ starts flat (an
    even superposition) with every unit different; 0.01 to 0.1 trains well.

    Raises InputError for sizes that are not positive integers, unknown units, columns that hold no whole
    units, and a 64-bit type in 32-bit JAX.

    >>> import jax, jax.numpy as jnp
    >>> rbm = RBM(4, hidden=8, key=jax.random.key(0))
    >>> rbm(jnp.array([1, -1, 1, -1])).shape, rbm.kind
    ((), 'real')
    >>> RBM(7, hidden=8, units=(("gaussian", 4), ("potts:3", 3)), key=jax.random.key(0)).visible_layer.count
    5
    """

    visible_bias: Num[Array, "N"]
    hidden_bias: Num[Array, "M"]
    weights: Num[Array, "N M"]
    visible_layer: UnitLayer
    hidden_layer: UnitLayer

    def __init__(
        self,
        size: int,
        hidden: int,
        *,
        dtype: DTypeLike = float,
        units: Spec = "spin",
        hidden_units: Spec = "spin",
        scale: float = 0.05,
        widths: bool = True,
        key: Array,
    ):
        size = _checks.positive_int(
            "size", size, "give the number of visible units, for example lattice.size"
        )
        hidden = _checks.positive_int("hidden", hidden, "give the number of hidden units, for example 2*size")
        self.visible_layer = UnitLayer.of(units, size, "units")
        self.hidden_layer = UnitLayer.of(hidden_units, hidden, "hidden_units")
        kind, spread = parameter_dtype(dtype), check_scale(scale)
        two_state = self.visible_layer.is_two_state and self.hidden_layer.is_two_state
        if kind.kind == "c" and not two_state:
            raise _checks.fail("dtype", "a real type for units that are not all spin or binary", kind.name)
        keys = jax.random.split(check_key(key), 3)
        if widths:
            self.visible_layer = self.visible_layer.with_widths(0.0, kind)
        self.visible_bias = normal(keys[0], (size,), kind, spread)
        self.hidden_bias = normal(keys[1], (hidden,), kind, spread)
        self.weights = normal(keys[2], (size, hidden), kind, spread)

    @classmethod
    def from_parameters(
        cls,
        visible_bias: Num[Array, "N"],
        hidden_bias: Num[Array, "M"],
        weights: Num[Array, "N M"],
        *,
        units: Spec = "spin",
        hidden_units: Spec = "spin",
        log_variance: ArrayLike | None = 0.0,
    ) -> RBM:
        """The machine with given parameters (N,), (M,), (N, M), of one common type. log_variance: ln σ² of
        the Gaussian visible columns, a number or one each; None for σ = 1 that is not learned.

        >>> RBM.from_parameters(jnp.zeros(3), jnp.zeros(2), jnp.ones((3, 2))).hidden
        2
        """
        arrays = [jnp.asarray(x) for x in (visible_bias, hidden_bias, weights)]
        dtype = jnp.result_type(*arrays, jnp.float32)
        _checks.shape("weights", arrays[2], ("N", "M"))
        size, hidden = arrays[2].shape
        _checks.shape("visible_bias", arrays[0], (size,), "give one number per row of weights")
        _checks.shape("hidden_bias", arrays[1], (hidden,), "give one number per column of weights")
        blank = cls(
            size, hidden, dtype=dtype, units=units, hidden_units=hidden_units,
            widths=log_variance is not None, key=jax.random.key(0),
        )  # fmt: skip
        if log_variance is not None:
            layer = blank.visible_layer.with_widths(log_variance, real_dtype(dtype))
            blank = eqx.tree_at(lambda m: m.visible_layer, blank, layer)
        return eqx.tree_at(_leaves, blank, tuple(x.astype(dtype) for x in arrays))

    @property
    def size(self) -> int:
        """The number of visible units N."""
        return self.weights.shape[0]

    @property
    def hidden(self) -> int:
        """The number of hidden units M."""
        return self.weights.shape[1]

    @property
    def units(self) -> Spec:
        """The kind of the visible units, or ((kind, columns), ...)."""
        return self.visible_layer.spec

    @property
    def hidden_units(self) -> Spec:
        """The kind of the hidden units, or ((kind, columns), ...)."""
        return self.hidden_layer.spec

    @property
    def kind(self) -> Kind:
        return "holomorphic" if jnp.iscomplexobj(self.weights) else "real"

    def __call__(self, s: Shaped[Array, "N"]) -> Num[Array, ""]:
        """log Ψ of one configuration (N,) in the model's units."""
        check_configuration(s, self.size)
        v = s.astype(self._real)
        visible = real_dot(v, self.visible_bias[:, None])[0] - self.visible_layer.base(v)
        return visible + self.hidden_layer.log_partition(self.angles(s))

    def angles(self, s: Shaped[Array, "... N"]) -> Num[Array, "... M"]:
        """θ = b + Wᵀv, the field on every hidden unit."""
        check_columns("v", s, self.size)
        return self.hidden_bias + real_dot(s.astype(self._real), self.weights)

    def visible_angles(self, h: Shaped[Array, "... M"]) -> Num[Array, "... N"]:
        """a + W h, the field on every visible unit."""
        check_columns("h", h, self.hidden)
        return self.visible_bias + real_dot(h.astype(self._real), self.weights.T)

    @property
    def has_widths(self) -> bool:
        """Whether some visible unit is Gaussian with a width other than 1."""
        log_variance = self.visible_layer.log_variance
        return log_variance is not None and bool(jnp.any(log_variance != 0))

    def at_unit_widths(self) -> RBM:
        """The machine of v/σ, whose Gaussian units have σ = 1: the same Ψ.

        >>> rbm = RBM.from_parameters([1.0], [0.0], [[3.0]], units="gaussian", log_variance=2 * jnp.log(0.5))
        >>> narrow = rbm.at_unit_widths()
        >>> narrow.weights.tolist(), bool(jnp.isclose(narrow(jnp.ones(1)), rbm(jnp.full(1, 0.5))))
        ([[1.5]], True)
        """
        width = jnp.sqrt(self.visible_layer.variance(self._real))
        parts = (width * self.visible_bias, self.hidden_bias, width[:, None] * self.weights)
        return RBM.from_parameters(*parts, units=self.units, hidden_units=self.hidden_units)

    def energy(self, v: Shaped[Array, "... N"], h: Shaped[Array, "... M"]) -> Num[Array, "..."]:
        """E(v, h) = −(vᵀWh + a·v + b·h) + base(v) + base(h), nats."""
        v, h = jnp.asarray(v).astype(self._real), jnp.asarray(h).astype(self._real)
        linked = (self.angles(v) * h).sum(-1) + (self.visible_bias * v).sum(-1)
        return self.visible_layer.base(v) + self.hidden_layer.base(h) - linked

    def free_energy(self, v: Shaped[Array, "... N"]) -> Num[Array, "..."]:
        """F(v) = −ln Σ_h e^{−E(v, h)} = −ln Ψ(v), nats; many configurations at once."""
        v = jnp.asarray(v).astype(self._real)
        check_columns("v", v, self.size)
        visible = (self.visible_bias * v).sum(-1) - self.visible_layer.base(v)
        return -(visible + self.hidden_layer.log_partition(self.angles(v)))

    @property
    def _real(self) -> jnp.dtype:
        return real_dtype(self.weights.dtype)

    # Incremental

    def start(self, s: Shaped[Array, "N"]) -> HiddenCache:
        """The cache of `s`: O(N M)."""
        check_configuration(s, self.size)
        self._need_two_state()
        angles = self.angles(s)
        return HiddenCache(angles, self.hidden_layer.log_partition(angles))

    def log_ratio(self, cache: HiddenCache, s: Shaped[Array, "N"], sites: Int[Array, "F"]) -> Num[Array, ""]:
        """log Ψ(s') − log Ψ(s) with `sites` flipped: O(M)."""
        changes = flip_changes(s, sites, self._real, str(self.units))
        angles = cache.angles + weighted_rows(changes, self.weights, sites)
        visible = weighted_rows(changes, self.visible_bias, sites)
        return visible + self.hidden_layer.log_partition(angles) - cache.log_hidden

    def flip(self, cache: HiddenCache, s: Shaped[Array, "N"], sites: Int[Array, "F"]) -> HiddenCache:
        """The cache after the flip of `sites` of `s`: O(M)."""
        changes = flip_changes(s, sites, self._real, str(self.units))
        angles = cache.angles + weighted_rows(changes, self.weights, sites)
        return HiddenCache(angles, self.hidden_layer.log_partition(angles))

    # SpinFormed, Factored, Bipartite

    def spin_form(self) -> SpinForm:
        """The same function of spins s = 2v − 1 (binary) or s = v (spin), constants included."""
        self._need_two_state()
        field, bias, weights = self.visible_bias, self.hidden_bias, self.weights
        constant = jnp.zeros((), weights.dtype)
        if self.units == "binary":  # v = (1 + s)/2
            field, weights = field / 2, weights / 2
            constant, bias = constant + field.sum(), bias + weights.sum(0)
        if self.hidden_units == "binary":  # ln(1 + e^θ) = θ/2 + ln 2cosh(θ/2)
            bias, weights = bias / 2, weights / 2
            constant, field = constant + bias.sum(), field + weights.sum(1)
        return SpinForm(constant, field, None, bias, weights)

    def factors(self, samples: Shaped[Array, "S N"]) -> RBM:
        """∂ log Ψ/∂λ: v for the visible bias, E[h|v] for the hidden bias, their outer product for weights,
        v²/2σ² for ln σ²."""
        v = samples.astype(self._real)
        hidden = self.hidden_layer.mean(self.angles(samples))
        found = eqx.tree_at(_leaves, parameters(self), (Direct(v), Direct(hidden), Outer(v, hidden)))
        if self.visible_layer.log_variance is None:
            return found
        part = v[:, self.visible_layer.gaussian_columns]
        half = 0.5 * part * part * jnp.exp(-self.visible_layer.log_variance)
        return eqx.tree_at(lambda m: m.visible_layer.log_variance, found, Direct(half))

    def hidden_given_visible(self, v: Shaped[Array, "... N"]) -> Float[Array, "... M"]:
        """E[h | v] of each hidden unit; real parameters only."""
        self._need_real()
        return self.hidden_layer.mean(self.angles(v))

    def visible_given_hidden(self, h: Shaped[Array, "... M"]) -> Float[Array, "... N"]:
        """E[v | h] of each visible unit; real parameters only."""
        self._need_real()
        return self.visible_layer.mean(self.visible_angles(h))

    def sample_hidden(self, v: Shaped[Array, "... N"], *, key: Array) -> Float[Array, "... M"]:
        """h ~ p(h | v); real parameters only."""
        self._need_real()
        return self.hidden_layer.sample(self.angles(v), key=key)

    def sample_visible(self, h: Shaped[Array, "... M"], *, key: Array) -> Float[Array, "... N"]:
        """v ~ p(v | h); real parameters only."""
        self._need_real()
        return self.visible_layer.sample(self.visible_angles(h), key=key)

    def to_qubo(self) -> Qubo:
        """E(v, h) = xᵀQx + offset of bits x = (v, h), for annealers; `.to_ising()` for spins.

        >>> machine = RBM(2, hidden=1, units="binary", hidden_units="binary", key=jax.random.key(0))
        >>> machine.to_qubo().matrix.shape
        (3, 3)
        """
        from intertwine.models.machines.quadratic_form import qubo_of

        return qubo_of(self)

    def _need_real(self) -> None:
        if self.kind != "real":
            raise _checks.fail(
                "model",
                "an RBM with real parameters, which has conditional probabilities",
                f"parameters of type {self.weights.dtype}",
                "use RBM(..., dtype=float), or sample |Ψ|² with Metropolis",
            )

    def _need_two_state(self) -> None:
        if not (self.visible_layer.is_two_state and self.hidden_layer.is_two_state):
            raise _checks.fail(
                "model",
                "an RBM whose units are all spin or binary, so that a site can be flipped",
                f"units {self.units!r} and hidden_units {self.hidden_units!r}",
                "sample it with Gibbs",
            )


def _leaves(model: RBM) -> tuple:
    return model.visible_bias, model.hidden_bias, model.weights
