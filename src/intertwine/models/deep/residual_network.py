r"""Deep residual convolutional wave functions on the translations of a lattice.

    x = K_0 s + b_0                                         F features at every site
    x ← x + K_2 σ(K_1 σ(LN x) + b_1) + b_2                  one residual block: two convolutions
    y_c(t) = w_c·LN x(t) + b_c                              complex, c = 1 … F
    ψ(s) = Σ_t χ(t) Σ_c e^{y_c(t)}      or, for the head "product",      log ψ(s) = Σ_t Σ_c ln cosh y_c(t)

(He et al., CVPR 2016, blocks that begin with their norm and activation; as wave functions Chen & Heyl, Nature
Physics 20, 1476 (2024), whose networks have GELU or ReLU, layers of norm and a sum over translations at the
end). Kernels reach over a window of cells; convolutions run over momenta (`group_convolution`), and arrays
keep the batch last. Every layer commutes with the translations t, so that ψ(ts) = χ(t) ψ(s), with the
momentum of χ.

Cells with several sites, and directions that are open, only make more features: those of the sites which no
translation joins lie side by side, (n, b·F, B) for n translations of b·n sites.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from jax.typing import DTypeLike
from jaxtyping import Float, Num, Shaped
from numpy.typing import ArrayLike

from intertwine._checks import fail, one_of, positive_int
from intertwine.models.deep import batches
from intertwine.models.deep.encoder import gelu
from intertwine.models.deep.windows import Windows, windows_of
from intertwine.models.machines.hidden_units import check_configuration
from intertwine.models.numerics import log_2cosh, log_weighted_sums, real_dtype
from intertwine.models.parameters import check_key, check_scale, normal, parameter_dtype
from intertwine.models.protocols import Kind
from intertwine.models.symmetric.gcnn import evaluate_together
from intertwine.models.symmetric.site_group import Coefficients, irreducible_coefficients

if TYPE_CHECKING:
    from intertwine.spaces.lattice import Lattice
    from intertwine.symmetry import PermutationGroup

_BRANCH, _OUTPUT, _SMALL = 0.5, 0.1, 1e-5


class ResNet(eqx.Module):
    """A residual convolutional network as a wave function of spins ±1; ψ(ts) = χ(t) ψ(s).

    lattice: a lattice, or a `PermutationGroup` of translations (abelian, no site fixed by any but the
    identity). layers: residual blocks, of two convolutions each. features: F of a site. window: cells that a
    kernel reaches over, along each direction. activation: "gelu" or "relu". head: "sum" or "product".
    character: (n,) numbers, that of a momentum, for the head "sum"; None: 1.
    dtype: float, complex or an exact floating type, of log ψ; the parameters are of its real type.
    scale: factor of the initial weights of the output.

    Raises InputError for anything else.

    >>> from intertwine.spaces.lattices import Chain
    >>> psi = ResNet(Chain(6), layers=1, features=4, key=jax.random.key(0))
    >>> s = jnp.array([1, 1, -1, 1, -1, -1])
    >>> bool(abs(psi(s) - psi(jnp.roll(s, 1))) < 1e-4), psi.kind
    (True, 'complex')
    """

    lift: Float[Array, "k F b"]
    lift_bias: Float[Array, "F"]
    blocks: tuple[Block, ...]
    norm: tuple[Float[Array, "F"], Float[Array, "F"]]
    out: Float[Array, "O F"]
    out_bias: Float[Array, "O"]
    windows: Windows = eqx.field(static=True)
    coefficients: Coefficients = eqx.field(static=True)
    activation: str = eqx.field(static=True)
    head: str = eqx.field(static=True)
    complex_output: bool = eqx.field(static=True)

    def __init__(
        self,
        lattice: Lattice | PermutationGroup,
        layers: int = 2,
        features: int = 8,
        *,
        window: int = 3,
        activation: str = "gelu",
        head: str = "sum",
        character: ArrayLike | None = None,
        dtype: DTypeLike = complex,
        scale: float = 1.0,
        key: Array,
    ):
        layers = positive_int("layers", layers, "give the number of residual blocks, for example 2")
        features = positive_int("features", features, "give the features of a site, for example 8")
        one_of("activation", activation, ("gelu", "relu"))
        one_of("head", head, ("sum", "product"))
        if character is not None and head == "product":
            raise fail("character", "None for the head 'product'", "one", "take the head 'sum'")
        kind, scale = parameter_dtype(dtype), check_scale(scale)
        real = real_dtype(kind)
        self.windows = windows_of(lattice, window, features)
        self.coefficients = irreducible_coefficients(character, self.windows.group)
        self.activation, self.head = activation, head
        self.complex_output = bool(jnp.issubdtype(kind, jnp.complexfloating))
        keys = jax.random.split(check_key(key), 2 + layers)
        taps, b = len(self.windows.taps), self.windows.sites.shape[1]
        width = features * b
        self.lift = normal(keys[0], (taps, width, b), real, (taps * b) ** -0.5)
        self.lift_bias = jnp.zeros(width, real)
        self.blocks = tuple(Block(taps, width, real, key=k) for k in keys[2:])
        self.norm = jnp.ones(width, real), jnp.zeros(width, real)
        outputs = width * (2 if self.complex_output else 1)
        share = 1.0 if head == "sum" else 0.3 * self.windows.group.order**-0.5
        self.out = normal(keys[1], (outputs, width), real, _OUTPUT * share * scale * width**-0.5)
        self.out_bias = jnp.zeros(outputs, real)

    @property
    def size(self) -> int:
        """The number of sites N."""
        return self.windows.sites.size

    @property
    def kind(self) -> Kind:
        return "real" if not self.complex_output and self.coefficients.trivial else "complex"

    @property
    def group(self) -> PermutationGroup:
        """The translations."""
        return self.windows.group

    @property
    def spin_flip(self) -> None:
        """Nothing is known of the flip of all spins."""
        return None

    @property
    def evaluation_batch(self) -> int:
        """Configurations that are best evaluated at once."""
        return batches.evaluation_batch(self._width)

    @property
    def _width(self) -> int:
        return batches.in_cache(self.lift_bias.shape[0] * self.group.order, self.lift.dtype.itemsize)

    def __call__(self, s: Shaped[Array, "N"]) -> Num[Array, ""]:
        """log ψ of one configuration (N,) of spins ±1."""
        check_configuration(s, self.size)
        return evaluate_together(self, _log_amplitudes)(s[None])[0]


class Block(eqx.Module):
    """x + K_2 σ(K_1 σ(LN x) + b_1) + b_2."""

    norm: tuple[Float[Array, "F"], Float[Array, "F"]]
    kernels: tuple[Float[Array, "k F F"], Float[Array, "k F F"]]
    biases: tuple[Float[Array, "F"], Float[Array, "F"]]

    def __init__(self, taps: int, features: int, dtype: jnp.dtype, *, key: Array):
        scale, keys = (taps * features) ** -0.5, jax.random.split(key)
        zeros = jnp.zeros(features, dtype)
        self.norm = jnp.ones(features, dtype), zeros
        first = normal(keys[0], (taps, features, features), dtype, 2**0.5 * scale)
        self.kernels = first, normal(keys[1], (taps, features, features), dtype, _BRANCH * scale)
        self.biases = zeros, zeros


def _log_amplitudes(model: ResNet, S: Array) -> Array:
    """log ψ (B,) of a batch (B, N)."""
    return batches.in_parts(lambda part: _of_part(model, part), S, model._width)


def _of_part(model: ResNet, S: Array) -> Array:
    act = gelu if model.activation == "gelu" else jax.nn.relu
    spins = S.T.astype(model.lift.dtype)[model.windows.sites]  # (n, b, B)
    x = _convolved(model.windows, model.lift, spins) + model.lift_bias[:, None]
    for block in model.blocks:
        y = act(_normed(block.norm, x))
        for k, (kernel, bias) in enumerate(zip(block.kernels, block.biases, strict=True)):
            y = _convolved(model.windows, kernel, y if k == 0 else act(y)) + bias[:, None]
        x = x + y
    return _head(model, jnp.matmul(model.out, _normed(model.norm, x), precision="highest"))


def _head(model: ResNet, y: Array) -> Array:
    """log ψ (B,) of the last features (n, O, B)."""
    y = y + model.out_bias[:, None]
    if model.complex_output:
        half = y.shape[1] // 2
        y = jax.lax.complex(y[:, :half], y[:, half:])
    if model.head == "product":
        return (log_2cosh(y) - math.log(2)).sum((0, 1))
    count = y.shape[0] * y.shape[1]
    flat = y.reshape(count, -1)
    if model.kind == "real":
        return jax.nn.logsumexp(flat, 0) - math.log(count)
    rows = model.windows.convolution.elements.reshape(-1)
    weights = np.repeat(model.coefficients.values[rows], y.shape[1])
    return log_weighted_sums(flat, weights)[0] - math.log(count)


def _convolved(windows: Windows, kernel: Float[Array, "k O I"], f: Float[Array, "n I B"]) -> Array:
    whole = jnp.zeros((windows.group.order, *kernel.shape[1:]), kernel.dtype).at[windows.taps].set(kernel)
    return windows.convolution(whole, f)


def _normed(norm: tuple[Array, Array], x: Float[Array, "n F B"]) -> Float[Array, "n F B"]:
    """Over the features of each site."""
    centred = x - x.mean(1, keepdims=True)
    inverse = jax.lax.rsqrt((centred * centred).mean(1, keepdims=True) + _SMALL)
    return centred * inverse * norm[0][:, None] + norm[1][:, None]
