r"""Vision-transformer wave functions: patches of spins, a real encoder, a complex output.

    x_i = E s_i + e_i            the spins s_i of patch i; e_i: learned, with absolute positions only
    x ← encoder layers           attention and dense units (`encoder`)
    z = Σ_i LN(x_i)
    log ψ(s) = Σ_α ln cosh(b_α + w_α·z)        w, b complex, or real for a real wave function

(Viteritti, Rende & Becca, PRL 130, 236401 (2023); a real encoder with one complex layer at the end: Rende,
Viteritti, Bardone, Becca & Goldt, Communications Physics 7, 260 (2024); Viteritti, Rende, Parola, Goldt &
Becca, PRB 111, 134411 (2025)). With `translations` attention depends on displacements alone: ψ is then the
same after translations by whole patches, and `Symmetrised` with the translations inside a patch, the point
group and the flip of all spins does the rest.

The parameters are real; w and b are their real and imaginary parts one below the other. Weights of the output
are small at first, so that ψ begins nearly constant. Batches of configurations are evaluated together with
the batch as the last axis, however often the call is `vmap`ped.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from jax.typing import DTypeLike
from jaxtyping import Float, Int, Num, Shaped

from intertwine._checks import fail, one_of, positive_int
from intertwine.models.deep import batches
from intertwine.models.deep.encoder import Dense, Layer, Norm
from intertwine.models.deep.patches import Patches, patches_of
from intertwine.models.machines.hidden_units import check_configuration
from intertwine.models.numerics import log_2cosh, real_dtype
from intertwine.models.parameters import check_key, check_scale, normal, parameter_dtype
from intertwine.models.protocols import Kind
from intertwine.models.symmetric.gcnn import evaluate_together

if TYPE_CHECKING:
    from intertwine.spaces.lattice import Lattice
    from intertwine.symmetry import PermutationGroup

_OUTPUT = 0.3
"""Of the initial weights of the output, which sees a sum over all patches."""


class ViT(eqx.Module):
    """A vision transformer as a wave function of spins ±1 (or of occupations, written so).

    lattice: a lattice, or anything with a `size` (a graph, a group of sites), where each site is a patch.
    layers: of the encoder. dim: features d of a patch. heads: of attention, a divisor of `dim`; None: the
    largest one up to dim/4. patch: cells of a patch along each direction, a number for all or one for each.
    translations: attention by relative positions, ψ(ts) = ψ(s) for translations t by whole patches; needs a
    lattice that is periodic. attention: "factored" (weights that do not depend on the configuration) or
    "softmax" (queries and keys besides). expansion: hidden units of a layer's dense part over d.
    dtype: float, complex or an exact floating type, of log ψ; the parameters are of its real type.
    scale: factor of the initial weights of the output.

    Raises InputError for anything else.

    >>> from intertwine.spaces.lattices import Square
    >>> psi = ViT(Square(4, 4), layers=1, dim=8, patch=2, translations=True, key=jax.random.key(0))
    >>> s = jnp.where(jax.random.bernoulli(jax.random.key(1), shape=(4, 4)), 1, -1)
    >>> moved = jnp.roll(s, (2, 2), (0, 1))
    >>> bool(abs(psi(s.ravel()) - psi(moved.ravel())) < 1e-5), psi.heads, psi.kind
    (True, 2, 'complex')
    """

    embedding: Dense
    places: Float[Array, "d n"] | None
    layers: tuple[Layer, ...]
    norm: Norm
    out: Dense
    patches: Patches = eqx.field(static=True)
    complex_output: bool = eqx.field(static=True)

    def __init__(
        self,
        lattice: Lattice | PermutationGroup,
        layers: int = 2,
        dim: int = 16,
        *,
        heads: int | None = None,
        patch: int | Sequence[int] = 1,
        translations: bool = False,
        attention: str = "factored",
        expansion: int = 2,
        dtype: DTypeLike = complex,
        scale: float = 1.0,
        key: Array,
    ):
        layers = positive_int("layers", layers, "give the number of layers, for example 2")
        dim = positive_int("dim", dim, "give the features of a patch, for example 16")
        heads = most_heads(dim) if heads is None else positive_int("heads", heads)
        if dim % heads:
            raise fail("heads", f"a divisor of dim = {dim}", heads, f"take for example {most_heads(dim)}")
        one_of("attention", attention, ("factored", "softmax"))
        hidden = dim * positive_int("expansion", expansion, "2 and 4 are usual")
        kind, scale = parameter_dtype(dtype), check_scale(scale)
        self.patches = patches_of(lattice, patch)
        if translations and self.patches.offset is None:
            remedy = "leave translations out: attention then has a weight for each pair of patches"
            raise fail("translations", "False without periodic boundaries", translations, remedy)
        self.complex_output = bool(jnp.issubdtype(kind, jnp.complexfloating))
        real, (n, p) = real_dtype(kind), self.patches.sites.shape
        keys = jax.random.split(check_key(key), layers + 3)
        self.embedding = Dense(p, dim, real, key=keys[0])
        self.places = None if translations else normal(keys[1], (dim, n), real, 0.5)
        self.layers = tuple(
            Layer(self.patches, dim, heads, hidden, bool(translations), attention, real, key=k)
            for k in keys[3:]
        )
        self.norm = Norm(dim, real)
        outputs = 2 * dim if self.complex_output else dim
        self.out = Dense(dim, outputs, real, _OUTPUT * scale / n, key=keys[2])

    @property
    def size(self) -> int:
        """The number of sites N."""
        return self.patches.size

    @property
    def kind(self) -> Kind:
        return "complex" if self.complex_output else "real"

    @property
    def dim(self) -> int:
        """The features of a patch."""
        return self.embedding.bias.shape[0]

    @property
    def heads(self) -> int:
        return self.layers[0].mixing.positions.shape[0]

    @property
    def permutations(self) -> Int[np.ndarray, "g N"]:
        """int32 (g, N): the translations p with ψ(s[p]) = ψ(s), the identity first."""
        if not self.layers[0].mixing.relative:
            return np.arange(self.size, dtype=np.int32)[None]
        return self.patches.translations

    @property
    def evaluation_batch(self) -> int:
        """Configurations that are best evaluated at once."""
        return batches.evaluation_batch(self._width)

    @property
    def _width(self) -> int:
        return batches.in_cache(self.dim * self.patches.count, self.embedding.bias.dtype.itemsize)

    def __call__(self, s: Shaped[Array, "N"]) -> Num[Array, ""]:
        """log ψ of one configuration (N,) of spins ±1."""
        check_configuration(s, self.size)
        return evaluate_together(self, _log_amplitudes)(s[None])[0]


def most_heads(dim: int) -> int:
    """The largest divisor of `dim` up to a quarter of it, at least 1.

    >>> [most_heads(dim) for dim in (1, 6, 16, 30)]
    [1, 1, 4, 6]
    """
    return next(h for h in range(max(1, dim // 4), 0, -1) if dim % h == 0)


def _log_amplitudes(model: ViT, S: Array) -> Array:
    """log ψ (B,) of a batch (B, N)."""
    return batches.in_parts(lambda part: _of_part(model, part), S, model._width)


def _of_part(model: ViT, S: Array) -> Array:
    spins = S.T.astype(model.embedding.bias.dtype)
    x = model.embedding(spins[model.patches.sites.T])  # (p, n, B) → (d, n, B)
    if model.places is not None:
        x = x + model.places[:, :, None]
    for layer in model.layers:
        x = layer(x)
    y = model.out(model.norm(x).sum(1))
    if not model.complex_output:
        return (log_2cosh(y) - math.log(2)).sum(0)
    half = y.shape[0] // 2
    return (log_2cosh(jax.lax.complex(y[:half], y[half:])) - math.log(2)).sum(0)
