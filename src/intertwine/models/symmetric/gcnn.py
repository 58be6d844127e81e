r"""Group-convolutional wave functions: ψ(g s) = χ(g) ψ(s) for every element of a lattice's space group.

    f_1(g) = σ(W·(g⁻¹s) + b_1)                                  the lift, one filter W of N weights a feature
    f_{l+1}(g) = σ(Σ_h K_l(g⁻¹h) f_l(h) + b_{l+1})              group convolutions
    ψ(s) = Σ_g χ(g) Σ_c exp y_c(g)                              y: the last layer, without σ

(Cohen & Welling, ICML 2016; Roth & MacDonald, arXiv:2104.05085; Roth, Szabó & MacDonald, PRB 108, 054410
(2023)). Every layer commutes with the group, (f_{us})(g) = f_s(u⁻¹g), so that the last line gives ψ(u s) =
χ(u) ψ(s) for a one-dimensional character. For an irreducible character of dimension d, χ or a diagonal
element D_ii in place of it, the line is (up to d/|G|) the projector onto the sector, or onto one of its
rows, applied to Σ_c exp y_c(e). In kets, U_g |s⟩ = |g s⟩ acts in the sector by the irrep of character χ*,
as for `CovariantRBM`.

The parameters are real. With a real `dtype` y is real, and ψ positive for the trivial character; with a
complex one the last layer has twice the features, real and imaginary parts of y, so that ψ has any phases.
`spin_flip = 1` makes ψ(−s) = ψ(s) by an even lift, σ = √(1 + x²) − 1 without bias, at no cost; `spin_flip =
−1` subtracts the network at −s.

Convolutions are carried out over momenta (`group_convolution`); batches of configurations are evaluated
together with the batch as the last axis, however often the call is `vmap`ped.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from jax.typing import DTypeLike
from jaxtyping import Float, Num, PyTree, Shaped
from numpy.typing import ArrayLike

from intertwine import _threads
from intertwine._checks import fail, one_of, positive_int
from intertwine.models.machines.hidden_units import check_configuration
from intertwine.models.numerics import log_weighted_sums, real_dtype
from intertwine.models.parameters import check_key, check_scale, normal, parameter_dtype, parameters
from intertwine.models.protocols import Direct, Kind
from intertwine.models.symmetric.group_convolution import GroupConvolution, apply, group_convolution
from intertwine.models.symmetric.site_group import Coefficients, irreducible_coefficients, site_group

if TYPE_CHECKING:
    from intertwine.spaces.lattice import Lattice
    from intertwine.symmetry import PermutationGroup

BATCH = 256
"""Configurations whose features are held at once (they should fit in a cache)."""

LEAST_BATCH = 64
"""Configurations for which the products of one thread still run at full speed."""


class GCNN(eqx.Module):
    """A group-convolutional neural network as a wave function; ψ(g s) = χ(g) ψ(s), (g s)[p_g[i]] = s[i].

    lattice: a lattice, or the `PermutationGroup` itself.
    layers: of which the first is the lift, 1 or more. features: of each, at every group element.
    group: "space" (the default), "translations", or a `PermutationGroup` of the lattice's sites.
    character: (order,) numbers: a one-dimensional character, the character of an irrep of dimension d > 1, or
    a diagonal matrix element of a unitary one (see `sectors.sector`); None: 1.
    spin_flip: 1 or −1 makes ψ(−s) = ±ψ(s); None leaves it free.
    dtype: float, complex or an exact floating type, of y; the parameters are of its real type.
    scale: factor of the initial weights, which are normal with variance 1/(inputs of a unit); biases start
    at zero times it.
    executor: of the convolutions: "auto", "momentum" or "dense".

    Raises InputError for anything else.

    >>> from intertwine.spaces.lattices import Chain
    >>> ring = Chain(6)
    >>> psi = GCNN(ring, layers=2, features=2, key=jax.random.key(0))
    >>> s = jnp.array([1, 1, -1, 1, -1, -1])
    >>> bool(abs(psi(s) - psi(jnp.roll(s, 1))) < 1e-4), psi.group.order
    (True, 12)
    """

    lift: Float[Array, "F N"]
    lift_bias: Float[Array, "F"] | None
    kernels: tuple[Float[Array, "g O I"], ...]
    biases: tuple[Float[Array, "O"], ...]
    convolution: GroupConvolution = eqx.field(static=True)
    coefficients: Coefficients = eqx.field(static=True)
    spin_flip: int | None = eqx.field(static=True)
    complex_output: bool = eqx.field(static=True)

    def __init__(
        self,
        lattice: Lattice | PermutationGroup,
        layers: int = 4,
        features: int = 8,
        *,
        group: PermutationGroup | str | None = None,
        character: ArrayLike | None = None,
        spin_flip: int | None = None,
        dtype: DTypeLike = float,
        scale: float = 1.0,
        executor: str = "auto",
        key: Array,
    ):
        layers = positive_int("layers", layers, "give the number of layers, for example 4")
        features = positive_int("features", features, "give the features of a layer, for example 8")
        if spin_flip not in (None, 1, -1) or isinstance(spin_flip, bool):
            raise fail("spin_flip", "None, 1 or -1", spin_flip)
        one_of("executor", executor, ("auto", "momentum", "dense"))
        symmetry, kind, scale = site_group(lattice, group), parameter_dtype(dtype), check_scale(scale)
        self.convolution = group_convolution(
            symmetry, _translations(lattice, symmetry), features=features, executor=executor
        )
        self.coefficients = irreducible_coefficients(character, symmetry)
        self.spin_flip = spin_flip
        self.complex_output = bool(jnp.issubdtype(kind, jnp.complexfloating))
        real, g, size = real_dtype(kind), symmetry.order, symmetry.size
        widths = [features] * layers
        widths[-1] *= 2 if self.complex_output else 1
        keys = jax.random.split(check_key(key), layers)
        self.lift = normal(keys[0], (widths[0], size), real, scale * size**-0.5)
        self.lift_bias = None if spin_flip == 1 else jnp.zeros(widths[0], real)
        pairs = list(zip(widths[1:], widths[:-1], strict=True))
        self.kernels = tuple(
            normal(k, (g, o, i), real, scale * (g * i) ** -0.5)
            for k, (o, i) in zip(keys[1:], pairs, strict=True)
        )
        self.biases = tuple(jnp.zeros(o, real) for o, _ in pairs)

    @property
    def size(self) -> int:
        """The number of sites N."""
        return self.lift.shape[1]

    @property
    def group(self) -> Any:
        """The symmetry group."""
        return self.convolution.group

    @property
    def layers(self) -> int:
        return 1 + len(self.kernels)

    @property
    def features(self) -> int:
        """The features of a layer, at every group element; complex ones in the last layer count once."""
        return self.lift.shape[0] // (2 if self.complex_output and not self.kernels else 1)

    @property
    def kind(self) -> Kind:
        positive = self.coefficients.trivial and self.spin_flip != -1 and not self.complex_output
        return "real" if positive else "complex"

    @property
    def evaluation_batch(self) -> int:
        """Configurations that are best evaluated at once."""
        return BATCH * (_threads.available() if jax.default_backend() == "cpu" else 16)

    def __call__(self, s: Shaped[Array, "N"]) -> Num[Array, ""]:
        """log ψ of one configuration (N,) of spins ±1."""
        check_configuration(s, self.size)
        return evaluate_together(self, _log_amplitudes)(s[None])[0]

    def factors(self, samples: Shaped[Array, "S N"]) -> GCNN:
        """∂ log ψ/∂λ of each sample, formed by one backward pass for all."""
        count, width = samples.shape[0], min(samples.shape[0], BATCH)
        padded = jnp.pad(samples, ((0, -count % width), (0, 0)), mode="edge")
        chunks = padded.reshape(-1, width, self.size)
        found = jax.lax.map(lambda chunk: _derivatives(self, chunk), chunks)
        flat = [x.reshape(-1, *x.shape[2:])[:count] for x in found]
        leaves, tree = jax.tree.flatten(parameters(self))
        assert len(leaves) == len(flat)
        return jax.tree.unflatten(tree, [Direct(x) for x in flat])


def _translations(lattice: Lattice | PermutationGroup, symmetry: PermutationGroup) -> Any:
    """The lattice's translations if they all belong to the group, else None (any abelian normal subgroup)."""
    moves = getattr(lattice, "translations", None)
    if moves is None:
        return None
    return moves if (symmetry.rows_of(moves.permutations) >= 0).all() else None


def evaluate_together(model: PyTree, batched: PyTree) -> Any:
    """`batched(model, S)` for S (B, N), such that any `vmap` over it becomes one larger batch.

    Derivatives are those of `batched` itself.
    """
    arrays, static = eqx.partition(model, eqx.is_inexact_array)

    def plain(arrays: PyTree, S: Array) -> Array:
        return batched(eqx.combine(arrays, static), S)

    @jax.custom_batching.custom_vmap
    def together(arrays: PyTree, S: Array) -> Array:
        return plain(arrays, S)

    @together.def_vmap
    def _(size: int, is_batched: list, arrays: PyTree, S: Array) -> tuple[Array, bool]:
        if any(jax.tree.leaves(is_batched[0])):
            axes = jax.tree.map(lambda b: 0 if b else None, is_batched)
            return jax.vmap(plain, in_axes=tuple(axes), axis_size=size)(arrays, S), True
        flat = together(arrays, S.reshape(-1, S.shape[-1]))
        return flat.reshape(S.shape[:-1]), True

    @jax.custom_jvp
    def value(arrays: PyTree, S: Array) -> Array:
        return together(arrays, S)

    @value.defjvp
    def _(primals: tuple, tangents: tuple) -> tuple[Array, Array]:
        return jax.jvp(plain, primals, tangents)

    return lambda S: value(arrays, S)


# ---------------------------------------------------------------------------------------------- forward


class _Forward(NamedTuple):
    """y (n, p·O, B) of the last layer, and what the backward pass needs: of each convolution its operator and
    its input's spectrum, of each layer but the last its σ′ (n, p·F, B)."""

    output: Array
    operators: list[Array]
    spectra: list[Array]
    slopes: list[Array]


def _log_amplitudes(model: GCNN, S: Array) -> Array:
    """log ψ (B,) of a batch (B, N), a part of it for each thread: XLA runs independent parts side by side."""
    parts = min(_threads.available(), S.shape[0] // LEAST_BATCH) if jax.default_backend() == "cpu" else 1
    if parts < 2:
        return _log_amplitudes_of(model, S)
    return jnp.concatenate([_log_amplitudes_of(model, part) for part in jnp.array_split(S, parts)])


def _log_amplitudes_of(model: GCNN, S: Array) -> Array:
    if model.spin_flip == -1:
        S = jnp.concatenate([S, -S])
    return _combined(model, _forward(model, S).output)[0]


def _forward(model: GCNN, S: Array) -> _Forward:
    plan = model.convolution
    n, p = plan.elements.shape
    real = model.lift.dtype
    inverses = plan.group.inverse_permutations[plan.elements.reshape(-1)]
    filters = jnp.moveaxis(model.lift[:, inverses], 0, 1)  # (g, F, N)
    x = jnp.matmul(filters.reshape(-1, model.size), S.astype(real).T, precision="highest")
    x = _with_bias(x.reshape(n, -1, S.shape[0]), model.lift_bias, p)
    out = _Forward(x, [], [], [])
    for layer, (kernel, bias) in enumerate(zip(model.kernels, model.biases, strict=True)):
        even = layer == 0 and model.spin_flip == 1
        value, slope = _even(out.output) if even else _activation(out.output)
        operator, spectrum = plan.operator(kernel), plan.transformed(value)
        z = _with_bias(plan.restored(apply(operator, spectrum)), bias, p)
        out = _Forward(z, [*out.operators, operator], [*out.spectra, spectrum], [*out.slopes, slope])
    if not model.kernels and model.spin_flip == 1:
        value, slope = _even(out.output)
        out = out._replace(output=value, slopes=[slope])
    return out


def _with_bias(x: Array, bias: Array | None, cosets: int) -> Array:
    return x if bias is None else x + jnp.tile(bias, cosets)[:, None]


_GAIN = 1.2197
"""1/√E[σ(x)²/gain²] for x normal: the layers keep the variance of their inputs."""


def _activation(x: Array) -> tuple[Array, Array]:
    """σ and its derivative: x above 0, x/√(1 + x²) below, times a constant."""
    below = jnp.minimum(x, 0)
    turn = jax.lax.rsqrt(1 + below * below)
    value = _GAIN * (jnp.maximum(x, 0) + below * turn)
    return value, _GAIN * turn * turn * turn


def _even(x: Array) -> tuple[Array, Array]:
    """√(1 + x²) − 1, an even function like ln cosh, and its derivative."""
    root = jnp.sqrt(1 + x * x)
    return root - 1, x / root


def _combined(model: GCNN, y: Array) -> tuple[Array, Array]:
    """log ψ (B,), and the share of each term of the sum over (n, p, c) and (s, −s), (terms, B)."""
    n, p = model.convolution.elements.shape
    y = y.reshape(n * p, -1, y.shape[-1])
    width = y.shape[1] // (2 if model.complex_output else 1)
    if model.kind == "real":
        u = y.reshape(n * p * width, -1)
        top = jax.lax.stop_gradient(u.max(0))
        terms = jnp.exp(u - top)
        total = terms.sum(0)
        return top + jnp.log(total), terms / total
    u = jax.lax.complex(y[:, :width], y[:, width:]) if model.complex_output else y
    weights = np.repeat(model.coefficients.values[model.convolution.elements.reshape(-1)], width)
    if model.spin_flip == -1:
        weights = np.outer(weights, [1.0, -1.0]).reshape(-1)
    return log_weighted_sums(u.reshape(len(weights), -1), weights)


# --------------------------------------------------------------------------------------------- backward


def _derivatives(model: GCNN, S: Array) -> list[Array]:
    """∂ log ψ/∂λ for each leaf in order, (B, *leaf); complex for kind "complex"."""
    batch = S.shape[0]
    if model.spin_flip == -1:
        S = jnp.concatenate([S, -S])
    forward = _forward(model, S)
    shares = _combined(model, forward.output)[1]
    found = _backward(model, S, forward, _output_cotangent(model, shares, batch))
    if model.kind == "real":
        return [x.real for x in found]
    return found


def _output_cotangent(model: GCNN, shares: Array, batch: int) -> list[Array]:
    """∂ log ψ/∂y of the last layer: its real part and, for kind "complex", its imaginary part."""
    n, p = model.convolution.elements.shape
    terms = shares.reshape(n * p, -1, 2 * batch if model.spin_flip == -1 else batch)
    if model.complex_output:
        terms = jnp.concatenate([terms, 1j * terms], axis=1)
    terms = terms.reshape(n, -1, terms.shape[-1])
    return [terms] if model.kind == "real" else [terms.real, terms.imag]


def _backward(model: GCNN, S: Array, forward: _Forward, cotangents: list[Array]) -> list[Array]:
    parts = [_backward_real(model, S, forward, cotangent) for cotangent in cotangents]
    if len(parts) == 1:
        return parts[0]
    return [jax.lax.complex(re, im) for re, im in zip(*parts, strict=True)]


def _backward_real(model: GCNN, S: Array, forward: _Forward, cotangent: Array) -> list[Array]:
    """Σ over the output of cotangent · ∂y/∂λ for each sample, in the order of the leaves."""
    plan = model.convolution
    n, p = plan.elements.shape
    kernels, biases = [], []
    slopes = list(forward.slopes)
    for operator, spectrum, bias in zip(
        reversed(forward.operators), reversed(forward.spectra), reversed(model.biases), strict=True
    ):
        outputs = bias.shape[0]
        biases.append(cotangent.reshape(n * p, outputs, -1).sum(0))
        given = plan.transformed(cotangent)
        kernels.append(plan.kernel_gradient(given, spectrum, outputs))
        back = plan.restored(apply(jnp.swapaxes(operator, -1, -2), given))
        cotangent = back * slopes.pop()
    if slopes:
        cotangent = cotangent * slopes.pop()
    first = cotangent.reshape(n * p, model.lift.shape[0], -1)
    moved = S.astype(first.dtype)[:, plan.group.permutations[plan.elements.reshape(-1)]]  # (B, g, N)
    lift = jnp.matmul(jnp.moveaxis(first, -1, 0).swapaxes(1, 2), moved, precision="highest")
    found = [lift]
    if model.lift_bias is not None:
        found.append(first.sum(0).T)
    found += [jnp.moveaxis(x, -1, 0) for x in reversed(kernels)]
    found += [x.T for x in reversed(biases)]
    if model.spin_flip == -1:
        found = [x.reshape(2, -1, *x.shape[1:]).sum(0) for x in found]
    return found
