r"""The laws that models obey, as checkers for any model, also a user's own.

    assert_incremental_consistent   log_ratio and flip equal fresh evaluations
    assert_factors_consistent       per-sample derivatives in factors equal automatic differentiation
    assert_spin_form_consistent     the spin form is the same function
    assert_derivatives              automatic differentiation equals finite differences
    assert_holomorphic              Cauchy-Riemann: ∂ log ψ along iδ is i times that along δ
    assert_invariant                ψ(g s) = χ(g) ψ(s) for every element of a group

Each returns the largest deviation and raises AssertionError above `tol`; the default tolerances are rounding
(or finite-difference) errors of the model's precision. log ψ is compared modulo 2πi: through e^{difference}.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from jaxtyping import Int, Num, PyTree
from numpy.typing import ArrayLike

from intertwine._keys import key_words
from intertwine.models.numerics import log_2cosh, real_dtype
from intertwine.models.parameters import parameters
from intertwine.models.protocols import Direct, Outer, SpinForm
from intertwine.models.results import as_model
from intertwine.symmetry.groups.permutation_group import PermutationGroup

if TYPE_CHECKING:
    from intertwine.models.fermions.filling import Filling
    from intertwine.models.protocols import LogAmplitude, SpinFormed


def assert_incremental_consistent(
    model: PyTree, *, key: Array, tol: float | None = None, configurations: int = 32
) -> float:
    """`log_ratio` and `flip` against fresh evaluations, for 1, 2 and 4 flipped sites with padding."""
    model = as_model(model)
    tol = _rounding(model) if tol is None else tol
    worst, n = 0.0, model.size
    for flips in (1, 2, 4):
        key, draw, choose, again = jax.random.split(key, 4)
        s = random_configurations(model, configurations, key=draw)
        sites, more = (_random_sites(k, configurations, n, flips) for k in (choose, again))
        if (filling := getattr(model, "filling", None)) is not None:
            sites, more = _random_hops(filling, s, flips, choose)
        worst = max(worst, float(np.abs(_incremental_errors(model, s, sites, more)).max()))
    return _verdict(worst, tol, "log_ratio or flip differs from a fresh evaluation of the model")


@jax.jit
def _incremental_errors(model: PyTree, s: Array, sites: Array, more: Array) -> Array:
    """e^{difference} − 1 of two successive flips, (S, 2)."""

    def one(s: Array, sites: Array, more: Array) -> Array:
        first = _flipped(model, s, sites)
        cache = model.start(s)
        moved = model.flip(cache, s, sites)
        steps = [
            model.log_ratio(cache, s, sites) - (model(first) - model(s)),
            model.log_ratio(moved, first, more) - (model(_flipped(model, first, more)) - model(first)),
        ]
        return jnp.exp(jnp.stack(steps)) - 1

    return jax.vmap(one)(s, sites, more)


def assert_factors_consistent(
    model: PyTree, *, key: Array, tol: float | None = None, configurations: int = 16
) -> float:
    """`factors` against automatic differentiation, relative to the largest derivative of each array."""
    model = as_model(model)
    tol = _rounding(model) if tol is None else tol
    samples = random_configurations(model, configurations, key=key)
    factored = _factors(model, samples)
    is_factor = lambda x: isinstance(x, Outer | Direct)  # noqa: E731
    formed = jax.tree.leaves(jax.tree.map(_formed, factored, is_leaf=is_factor))
    exact = jax.tree.leaves(log_derivatives(model, samples))
    if [a.shape for a in formed] != [b.shape for b in exact]:
        shapes = [a.shape[1:] for a in formed], [b.shape[1:] for b in exact]
        raise AssertionError(f"factors have shapes {shapes[0]}, the parameters {shapes[1]}")
    worst = max(_relative(a, b) for a, b in zip(formed, exact, strict=True))
    return _verdict(worst, tol, "factors differ from automatic differentiation")


@jax.jit
def _factors(model: PyTree, samples: Num[Array, "S N"]) -> Any:
    return model.factors(samples)


@jax.jit
def _spin_form(model: SpinFormed) -> SpinForm:
    return model.spin_form()


def _formed(factor: Outer | Direct) -> np.ndarray:
    if isinstance(factor, Direct):
        return np.asarray(factor.values)
    return np.asarray(factor.left)[:, :, None] * np.asarray(factor.right)[:, None, :]


@jax.jit
def log_derivatives(model: LogAmplitude, samples: Num[Array, "S N"]) -> Any:
    """O(s) = ∂ log ψ/∂λ of each sample by reverse mode: complex for `holomorphic` and `complex` kinds.

    For complex parameters that are not holomorphic it is the derivative along their real parts only.
    """
    trained, rest = eqx.partition(model, eqx.is_inexact_array)

    def one(s: Array) -> Any:
        def value(p: PyTree) -> Array:
            return eqx.combine(p, rest)(s)

        if model.kind in ("real", "signed"):
            return jax.grad(lambda p: value(p).real)(trained)
        if model.kind == "holomorphic":
            return jax.grad(value, holomorphic=True)(trained)
        re, im = jax.grad(lambda p: value(p).real)(trained), jax.grad(lambda p: value(p).imag)(trained)
        return jax.tree.map(lambda a, b: a.real + 1j * b.real, re, im)

    return jax.vmap(one)(samples)


def assert_spin_form_consistent(
    model: LogAmplitude, *, key: Array, tol: float | None = None, configurations: int = 64
) -> float:
    """`spin_form` against the model, constants included; a model over 0/1 units is taken at v = (1 + s)/2."""
    model = as_model(model)
    tol = _rounding(model) if tol is None else tol
    own = random_configurations(model, configurations, key=key)
    spins = 2 * own - 1 if getattr(model, "units", "spin") == "binary" else own
    form, values = _spin_form(model), _values(model, own)
    difference = _spin_form_values(form, spins) - values
    return _verdict(float(np.abs(np.exp(difference) - 1).max()), tol, "the spin form differs from the model")


@jax.jit
def _spin_form_values(form: SpinForm, spins: Array) -> Array:
    return jax.vmap(lambda s: evaluate_spin_form(form, s))(spins)


@jax.jit
def _values(model: LogAmplitude, samples: Array) -> Array:
    return jax.vmap(model)(samples)


def evaluate_spin_form(form: SpinForm, s: Num[Array, "N"]) -> Num[Array, ""]:
    """The value of a `SpinForm` at one configuration of spins ±1, term by term."""
    s = s.astype(form.field.dtype)
    pairs = 0.0 if form.coupling is None else s @ form.coupling @ s / 2
    return form.constant + form.field @ s + pairs + log_2cosh(form.hidden_bias + s @ form.weights).sum()


def assert_derivatives(
    model: LogAmplitude,
    *,
    key: Array,
    tol: float | None = None,
    configurations: int = 16,
    directions: int = 4,
) -> float:
    """Automatic differentiation against central differences of fourth order, along random directions."""
    tol = (1e-6 if _precision(model) < 1e-10 else 2e-2) if tol is None else tol
    draw, *keys = jax.random.split(key, directions + 1)
    samples = random_configurations(model, configurations, key=draw)
    exact = log_derivatives(model, samples)
    worst = 0.0
    for k in keys:
        direction = _random_direction(model, k, real=model.kind != "holomorphic")
        predicted = sum(
            np.tensordot(np.asarray(o), d.astype(o.dtype), d.ndim)
            for o, d in zip(jax.tree.leaves(exact), jax.tree.leaves(direction), strict=True)
        )
        worst = max(worst, _relative(predicted, _difference(model, direction, samples)))
    return _verdict(worst, tol, "automatic differentiation differs from finite differences")


def assert_holomorphic(
    model: LogAmplitude, *, key: Array, tol: float | None = None, configurations: int = 8
) -> float:
    """Cauchy-Riemann by finite differences: the change of log ψ along iδ is i times the change along δ."""
    model = as_model(model)
    tol = (1e-6 if _precision(model) < 1e-10 else 2e-2) if tol is None else tol
    if not all(jnp.iscomplexobj(leaf) for leaf in jax.tree.leaves(parameters(model))):
        raise AssertionError("not holomorphic: some parameters are real")
    draw, key = jax.random.split(key)
    samples = random_configurations(model, configurations, key=draw)
    direction = _random_direction(model, key, real=False)
    turned = jax.tree.map(lambda d: 1j * d, direction)
    along, across = (_difference(model, d, samples) for d in (direction, turned))
    return _verdict(
        _relative(across, 1j * np.asarray(along)),
        tol,
        "not holomorphic in its parameters: declare kind='complex'",
    )


def assert_invariant(
    model: LogAmplitude,
    group: PermutationGroup,
    character: ArrayLike | None = None,
    *,
    key: Array,
    tol: float | None = None,
    configurations: int = 32,
) -> float:
    """ψ(g s) = χ(g) ψ(s) for every element g, relative to the largest |ψ| drawn; χ = 1 by default."""
    model = as_model(model)
    tol = _rounding(model) if tol is None else tol
    s = np.asarray(random_configurations(model, configurations, key=key))
    with_images = np.concatenate([s[:, None], group.apply(s)], axis=1)
    logs = np.asarray(_values(model, with_images.reshape(-1, model.size)))
    logs = logs.reshape(configurations, group.order + 1)
    top = float(np.real(logs).max())
    if not top > np.log(float(jnp.finfo(_dtype(model)).tiny)) / 4:
        raise AssertionError(
            f"ψ vanishes on all {configurations} configurations drawn: no state of this symmetry"
        )
    psi = np.exp(logs - top)
    chi = np.ones(group.order) if character is None else np.asarray(character)
    worst = float(np.abs(psi[:, 1:] - chi * psi[:, :1]).max())
    return _verdict(worst, tol, "ψ(g s) differs from χ(g) ψ(s)")


def random_configurations(model: LogAmplitude, number: int, *, key: Array) -> Int[Array, "S N"]:
    """Uniform int8 configurations in the model's units; of fermions those with its numbers of particles."""
    filling = getattr(model, "filling", None)
    if filling is not None:
        return jnp.asarray(_filled(filling, number, key))
    return _random_units(key, number, model.size, getattr(model, "units", "spin") == "binary")


def _filled(filling: Filling, number: int, key: Array) -> np.ndarray:
    generator = np.random.default_rng(key_words(key))
    out = generator.choice(np.array([-1, 1], np.int8), (number, filling.size))
    for a, b, n in zip(filling.starts, filling.stops, filling.particles, strict=True):
        ordered = np.where(np.arange(b - a) < n, -1, 1).astype(np.int8)
        out[:, a:b] = generator.permuted(np.tile(ordered, (number, 1)), axis=1)
    return out


@partial(jax.jit, static_argnums=(1, 2, 3))
def _random_units(key: Array, number: int, size: int, binary: bool) -> Int[Array, "S N"]:
    bits = jax.random.bernoulli(key, shape=(number, size)).astype(jnp.int8)
    return bits if binary else 2 * bits - 1


def _flipped(model: LogAmplitude, s: Array, sites: Array) -> Array:
    other = 1 - s if getattr(model, "units", "spin") == "binary" else -s
    chosen = (jnp.arange(model.size)[:, None] == sites).any(-1)
    return jnp.where(chosen, other, s)


@partial(jax.jit, static_argnums=(1, 2, 3))
def _random_sites(key: Array, number: int, n: int, flips: int) -> Int[Array, "S F"]:
    """`flips` different sites in each row of six places, the others padding; all where there are fewer."""
    orders = jax.vmap(lambda k: jax.random.permutation(k, n)[:flips])(jax.random.split(key, number))
    return jnp.pad(orders, ((0, 0), (1, 5 - orders.shape[1])), constant_values=n).astype(jnp.int32)


def _random_hops(filling: Filling, s: Array, flips: int, key: Array) -> tuple[np.ndarray, np.ndarray]:
    """Two successive sets of up to two hops in each of six places, with padding."""
    generator, spins = np.random.default_rng(key_words(key)), np.array(s)
    out = np.full((2, len(spins), 6), filling.size, np.int32)
    for k in range(2):
        for row, places in zip(spins, out[k], strict=True):
            for hop in range(flips // 2):
                block = generator.integers(len(filling.starts))
                modes = np.arange(filling.starts[block], filling.stops[block])
                free = modes[~np.isin(modes, places)]
                here, there = free[row[free] < 0], free[row[free] > 0]
                if len(here) and len(there):
                    places[1 + 2 * hop : 3 + 2 * hop] = generator.choice(there), generator.choice(here)
            row[places[places < filling.size]] *= -1
    return out[0], out[1]


def _random_direction(model: LogAmplitude, key: Array, *, real: bool) -> Any:
    leaves, tree = jax.tree.flatten(parameters(model))
    draws = []
    for k, leaf in zip(jax.random.split(key, len(leaves)), leaves, strict=True):
        dtype = real_dtype(leaf.dtype) if real else leaf.dtype
        draws.append(np.asarray(jax.random.normal(k, leaf.shape, dtype)).astype(leaf.dtype))
    length = np.sqrt(sum(np.sum(np.abs(d) ** 2) for d in draws))
    return jax.tree.unflatten(tree, [d / length.astype(d.dtype) for d in draws])


def _difference(model: LogAmplitude, direction: PyTree, samples: Array) -> Num[Array, "S"]:
    """d/dt log ψ(λ + t δ) at t = 0 by central differences, error O(t⁴); phases modulo 2π."""
    return _central_difference(model, direction, samples, float(_precision(model)) ** 0.25)


@jax.jit
def _central_difference(
    model: LogAmplitude, direction: PyTree, samples: Array, step: float
) -> Num[Array, "S"]:
    trained, rest = eqx.partition(model, eqx.is_inexact_array)

    def at(t: Array) -> Array:
        moved = jax.tree.map(lambda p, d: p + t.astype(p.dtype) * d, trained, direction)
        return jax.vmap(eqx.combine(moved, rest))(samples)

    forward, back, far, far_back = jax.vmap(at)(step * jnp.asarray([1.0, -1.0, 2.0, -2.0]))

    def modulo(change: Array) -> Array:
        if not jnp.iscomplexobj(change) or model.kind == "signed":
            return change.real
        return change.real + 1j * jnp.angle(jnp.exp(1j * change.imag))

    return (8 * modulo(forward - back) - modulo(far - far_back)) / (12 * step)


def _relative(found: ArrayLike, expected: ArrayLike) -> float:
    """Compared on the host: nothing compiles for it."""
    difference = np.asarray(found) - np.asarray(expected)
    return float(np.abs(difference).max() / max(float(np.abs(expected).max()), 1e-300))


def _dtype(model: LogAmplitude) -> jnp.dtype:
    return real_dtype(jnp.result_type(*jax.tree.leaves(parameters(model))))


def _precision(model: LogAmplitude) -> float:
    return float(jnp.finfo(_dtype(model)).eps)


def _rounding(model: LogAmplitude) -> float:
    """The rounding error allowed in e^{log ψ}: 5000 units in the last place (1e-12 in float64)."""
    return 5000 * _precision(model)


def _verdict(worst: float, tol: float, complaint: str) -> float:
    if not worst <= tol:
        raise AssertionError(f"{complaint}: largest deviation {worst:.3g}, tolerance {tol:.3g}")
    return worst
