r"""The channels of a type, block by block.

The last axis of a field holds a representation ρ = m_1 ρ_1 + m_2 ρ_2 + …, copies one after another.
Layers that treat blocks each by its kind (norms, dropout, pooling, non-linearities) ask here which
channels belong to which copy, and, for representations that permute their basis, to which orbit.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any, NamedTuple

import jax.numpy as jnp
import numpy as np
from jax import Array
from jaxtyping import Int32, Shaped

from intertwine._checks import fail
from intertwine.symmetry._images import components, frozen
from intertwine.symmetry.fibre_maps import AnyRep
from intertwine.symmetry.representation import Rep


class Block(NamedTuple):
    """`copies` neighbouring copies of `rep` in the channels start ≤ c < stop."""

    rep: AnyRep
    copies: int
    start: int
    stop: int

    def of(self, x: Shaped[Array, "... C"]) -> Shaped[Array, "... m d"]:
        """The channels of this block, one row per copy."""
        part = x if x.shape[-1] == self.stop - self.start else x[..., self.start : self.stop]
        return part.reshape(*x.shape[:-1], self.copies, self.rep.dimension)


@lru_cache(maxsize=1024)
def blocks(rep: AnyRep) -> tuple[Block, ...]:
    """The blocks of a type with their channels.

    >>> from intertwine.symmetry import cyclic, regular, trivial
    >>> [(b.copies, b.start, b.stop) for b in blocks(2 * trivial(cyclic(4)) + regular(cyclic(4)))]
    [(2, 0, 2), (1, 2, 6)]
    """
    found, start = [], 0
    for part, copies in rep.blocks:
        stop = start + part.dimension * copies
        found.append(Block(part, copies, start, stop))
        start = stop
    return tuple(found)


def direct_sum(parts: Sequence[tuple[AnyRep, int]]) -> AnyRep:
    """The sum of pairs (ρ, multiplicity) of one group, finite or compact."""
    summed: Any = type(parts[0][0]).direct_sum
    return summed(list(parts))


def join(parts: list[Array], shape: tuple[int, ...]) -> Array:
    """Blocks (..., m, d) put one after another along the last axis; `shape` is that of the axes before."""
    flat = [part.reshape(*shape, -1) for part in parts]
    return flat[0] if len(flat) == 1 else jnp.concatenate(flat, axis=-1)


@lru_cache(maxsize=1024)
def copy_of(rep: AnyRep) -> Int32[np.ndarray, " C"]:
    """int32 (C,): the number of the copy that each channel belongs to, counted over all blocks."""
    sizes = np.concatenate([np.full(m, part.dimension) for part, m in rep.blocks])
    return frozen(np.repeat(np.arange(len(sizes)), sizes).astype(np.int32))


@lru_cache(maxsize=1024)
def orbit_of(rep: AnyRep) -> Int32[np.ndarray, " C"]:
    """int32 (C,): the orbit of each channel that is permuted, orbits numbered in order; −1 for others.

    The sums over orbits span the invariant vectors of a permutation representation: what a bias may
    shift.
    """
    labels, count = np.full(rep.dimension, -1, np.int32), 0
    for part, copies, start, stop in blocks(rep):
        if part.permutation is None:
            continue
        inner = _orbits(part)
        n = int(inner.max()) + 1
        labels[start:stop] = (count + np.arange(copies)[:, None] * n + inner).reshape(-1)
        count += copies * n
    return frozen(labels)


def _orbits(part: AnyRep) -> np.ndarray:
    """int (d,): the orbit of each basis vector of a block that permutes them."""
    if not isinstance(part, Rep) or part.permutation is None:
        return np.zeros(part.dimension, np.int64)
    generators = part.group.generators or (part.group.identity,)
    joined = components(part.dimension, [part.permutation[s] for s in generators])
    return np.unique(joined, return_inverse=True)[1]


@lru_cache(maxsize=1024)
def gathered(rep: AnyRep) -> tuple[AnyRep, np.ndarray | None]:
    """(the type with equal blocks together, for each channel of `rep` its place in that; None: as it is).

    >>> from intertwine.symmetry import cyclic, regular, trivial
    >>> together, place = gathered(2 * (trivial(cyclic(2)) + regular(cyclic(2))))
    >>> together.blocks[0][1], place.tolist()
    (2, [0, 2, 3, 1, 4, 5])
    """
    parts: dict[AnyRep, list[np.ndarray]] = {}
    for part, copies, start, stop in blocks(rep):
        parts.setdefault(part, []).append(np.arange(start, stop).reshape(copies, -1))
    if len(parts) == len(rep.blocks):
        return rep, None
    order = np.concatenate([np.concatenate(found).reshape(-1) for found in parts.values()])
    together = direct_sum([(part, sum(map(len, found))) for part, found in parts.items()])
    return together, np.argsort(order)


def signed_permutation(rep: AnyRep) -> bool:
    """Whether every ρ(g) permutes the basis up to signs: what an odd point-wise function needs."""
    if not isinstance(rep, Rep):
        return rep.is_signed_permutation
    if rep.is_permutation:
        return True
    if any(part is not rep for part, _ in rep.blocks):
        return all(signed_permutation(part) for part, _ in rep.blocks)
    size = np.abs(rep.matrices)
    one = np.abs(size - 1) < 1e-9
    real = float(np.abs(np.imag(rep.matrices)).max()) < 1e-9
    return bool(real and (one | (size < 1e-9)).all() and (one.sum(axis=1) == 1).all())


def kind(rep: AnyRep) -> str:
    """The strictest that holds: "trivial", "permutation", "signed permutation", "orthogonal" or "linear"."""
    if rep.is_trivial:
        return "trivial"
    if rep.is_permutation:
        return "permutation"
    if signed_permutation(rep):
        return "signed permutation"
    return "orthogonal" if rep.is_orthogonal else "linear"


def checked_rep(rep: AnyRep, argument: str = "rep") -> AnyRep:
    """`rep`, or the error that says a representation was expected."""
    if not isinstance(rep, AnyRep):
        remedy = "for example 8 * regular(dihedral(4)), or field_type(grid, 'scalar + vector') of a name"
        raise fail(argument, "a representation (Rep, CompactRep, LieRep)", rep, remedy)
    return rep


def square_norm(x: Array) -> Array:
    """‖x‖² over the last axis, real also for complex numbers."""
    return (x * x.conj()).real.sum(-1) if jnp.iscomplexobj(x) else (x * x).sum(-1)


def check_channels(x: Array, rep: AnyRep, argument: str = "x") -> None:
    """Raise unless the last axis of x has the channels of `rep` and x holds floats."""
    have = getattr(x, "shape", ())
    if not have or have[-1] != rep.dimension:
        remedy = "channels are the last axis; is the array of another type, or channels first?"
        raise fail(argument, f"{rep.dimension} channels ({rep!r}) on the last axis", f"shape {have}", remedy)
    if not jnp.issubdtype(x.dtype, jnp.inexact):
        raise fail(argument, "an array of floats", f"{x.dtype}", "convert it, for example x.astype(float)")
