r"""Fourier point-wise non-linearity: sample band-limited functions, apply σ to the samples, transform
back.

    x ↦ f(u_j) = Σ_c S_jc x_c,      y = S⁺ σ(f)

A copy of the type is a function on the circle with frequencies up to L (`circle`), or on a finite group
with some of its irreps (`over_group`); S evaluates it at points u_j, and S⁺ is the least-squares inverse.
A group that permutes the points commutes with the layer exactly. Any other rotation, all of SO(2) and
O(2), commutes up to the part of σ(f) above the band limit that the samples alias, which falls with their
number, for smooth σ faster than any power (Cohen, Geiger, Köhler & Welling, ICLR 2018; de Haan et al.
2021, Franzen & Wand 2021).
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jax import Array
from jaxtyping import Float

from intertwine._checks import fail, positive_int
from intertwine.layers.blocks import Block, blocks, check_channels, checked_rep, direct_sum, join
from intertwine.layers.nonlinear.pointwise import Function, checked_function, function_of
from intertwine.spaces.protocols import ArraySpace, Space, takes_arrays
from intertwine.symmetry.compact import CompactGroup
from intertwine.symmetry.fibre_maps import AnyRep
from intertwine.symmetry.representation import Rep


class FourierPointwise(eqx.Module):
    """σ of the values of band-limited functions. Build it with `circle` or `over_group`.

    rep_in = rep_out: for each irrep of one function all copies, then the next irrep. copies: functions.
    samples: points where they are evaluated.
    """

    rep_in: AnyRep = eqx.field(static=True)
    rep_out: AnyRep = eqx.field(static=True)
    copies: int = eqx.field(static=True)
    function: Function = eqx.field(static=True)
    values: tuple[tuple[float, ...], ...] = eqx.field(static=True)

    def __init__(
        self, one: AnyRep, synthesis: np.ndarray, copies: int, function: str | Callable[[Array], Array]
    ):
        self.copies = positive_int("copies", copies, "the number of functions, for example 8")
        summands = [part for part, m in checked_rep(one, "one").blocks for _ in range(m)]
        self.rep_in = self.rep_out = direct_sum([(part, self.copies) for part in summands])
        s = np.asarray(synthesis, float)
        if s.ndim != 2 or s.shape[1] != one.dimension or np.linalg.matrix_rank(s) < one.dimension:
            got = f"shape {s.shape}" + (f" of rank {np.linalg.matrix_rank(s)}" if s.ndim == 2 else "")
            raise fail("samples", f"points that tell the {one.dimension} components apart", got, "take more")
        self.values = tuple(map(tuple, s.tolist()))
        self.function = checked_function(function)

    @classmethod
    def circle(
        cls,
        space: Space | ArraySpace,
        band_limit: int,
        copies: int,
        function: str | Callable[[Array], Array] = "gelu",
        *,
        samples: int | None = None,
    ) -> FourierPointwise:
        """Functions on the circle of directions with frequencies 0 … band_limit, on planar grids, surfaces.

        A copy has the channels 1, √2 cos θ, √2 sin θ, √2 cos 2θ, …; h takes f to f(h⁻¹θ). samples:
        equally spaced angles, by default at least twice 2·band_limit + 1 and a multiple of the rotations
        of the grid's group, with which the layer then commutes exactly.

        Raises InputError for fewer than 2·band_limit + 1 samples, and for spaces that are not planar.

        >>> from intertwine.spaces.grid import Grid
        >>> layer = FourierPointwise.circle(Grid("c8"), 2, 4)
        >>> layer.rep_in.dimension, layer.samples
        (20, 16)
        """
        group: Any = getattr(space, "fibre_group", None)
        on_surface = isinstance(group, CompactGroup) and group.dimension == 2
        if not on_surface and (not takes_arrays(space) or space.dimension != 2):
            raise fail("space", "a planar Grid or a surface", space, "use over_group for other groups")
        limit = 0 if band_limit == 0 else positive_int("band_limit", band_limit, "the highest frequency")
        rotations, harmonic = 1, getattr(group, "irrep", None)
        if takes_arrays(space):
            rotations, harmonic = int((np.linalg.det(space.linear) > 0).sum()), space.harmonic
        assert harmonic is not None
        least = 2 * limit + 1
        if samples is None:
            samples = -(-2 * least // rotations) * rotations
        if positive_int("samples", samples) < least:
            raise fail("samples", f"at least 2·band_limit + 1 = {least}", samples)
        angle = 2 * np.pi * np.arange(samples)[:, None] / samples
        k = np.arange(1, limit + 1)
        waves = np.sqrt(2) * np.stack([np.cos(k * angle), np.sin(k * angle)], axis=-1).reshape(samples, -1)
        one = direct_sum([(harmonic(m), 1) for m in range(limit + 1)])
        return cls(one, np.concatenate([np.ones((samples, 1)), waves], axis=1), copies, function)

    @classmethod
    def over_group(
        cls, one: Rep, copies: int, function: str | Callable[[Array], Array] = "gelu"
    ) -> FourierPointwise:
        """Functions on a finite group, f(g) = Σ_σ √d_σ ⟨σ(g) e_i, x_σ⟩ for copy i of σ, sampled at every
        element.

        one: the type of one function: real irreps σ, each at most as often as in the regular
        representation.

        Raises InputError where the functions are not independent, or one is not real and orthogonal.

        >>> from intertwine.symmetry import dihedral, irreps
        >>> G = dihedral(4)
        >>> one = irreps(G, "real")[0] + irreps(G, "real")[-1]
        >>> FourierPointwise.over_group(one, 3, "relu").rep_in.dimension, one.dimension
        (9, 3)
        """
        checked_rep(one, "one")
        if not isinstance(one, Rep) or one.dtype != np.float64 or not one.is_orthogonal:
            raise fail("one", "a real orthogonal representation", one, 'take irreps(group, "real")')
        columns = []
        for block in blocks(one):
            d = block.rep.dimension
            assert isinstance(block.rep, Rep)
            columns += [block.rep.matrices[:, :, i % d] * d**0.5 for i in range(block.copies)]
        return cls(one, np.concatenate(columns, axis=1), copies, function)

    @property
    def samples(self) -> int:
        return len(self.values)

    def __call__(self, x: Float[Array, "... C"], *, key: Array | None = None) -> Float[Array, "... C"]:
        """Fields of the same type; `key` is not used."""
        check_channels(x, self.rep_in)
        parts = [block.of(x) for block in self._summands]
        one = parts[0] if len(parts) == 1 else jnp.concatenate(parts, axis=-1)
        synthesis, analysis = _matrices(self.values)
        values = function_of(self.function)(one @ jnp.asarray(synthesis.T, x.dtype))
        y = values @ jnp.asarray(analysis.T, x.dtype)
        ends = np.cumsum([block.rep.dimension for block in self._summands])[:-1]
        return join(jnp.split(y, ends, axis=-1), x.shape[:-1])

    @property
    def _summands(self) -> list[Block]:
        """The irreps of one function, each with all its copies."""
        found = []
        for block in blocks(self.rep_in):
            width = self.copies * block.rep.dimension
            starts = range(block.start, block.stop, width)
            found += [Block(block.rep, self.copies, start, start + width) for start in starts]
        return found


@lru_cache(maxsize=256)
def _matrices(values: tuple[tuple[float, ...], ...]) -> tuple[np.ndarray, np.ndarray]:
    """S and its least-squares inverse."""
    s = np.array(values)
    return s, np.linalg.pinv(s)
