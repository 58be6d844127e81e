r"""Pooling over the group, projection to invariants, and pooling over all of the space.

A block that permutes its basis transitively is functions on G/S, S the stabiliser of the first basis
vector. The maximum (or mean) over the fibres of G/S → G/K, S ⊂ K, is a function on G/K: the trivial
representation for K = G, a quotient in between (coset pooling, Cohen & Welling 2016, § 6.3).
"""

from __future__ import annotations

from functools import lru_cache

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jax import Array
from jaxtyping import Float

from intertwine._checks import fail, one_of, positive_int
from intertwine.layers.blocks import blocks, check_channels, checked_rep, direct_sum, join, square_norm
from intertwine.layers.fields import field_type
from intertwine.spaces.protocols import Space, takes_arrays
from intertwine.symmetry import AnyRep, Rep, Subgroup, quotient, trivial, trivial_type
from intertwine.symmetry.groups.finite_group import FiniteGroup
from intertwine.symmetry.lie.rep import LieRep, invariant_forms

HOW = ("max", "mean")


class GroupPool(eqx.Module):
    """The maximum or mean over cosets of a subgroup: regular (or other transitive permutation) blocks
    only.

    rep: the type of the input. subgroup: K, to which fibres are pooled; None pools over the whole group,
    to trivial channels, one per copy. how: "max" or "mean".

    Raises InputError for blocks that are no functions on some G/S with S ⊂ K.

    >>> from intertwine.symmetry import dihedral, regular
    >>> G = dihedral(4)
    >>> GroupPool(10 * regular(G)).rep_out
    10·trivial
    >>> GroupPool(10 * regular(G), G.generate([4])).rep_out.dimension        # pooled over the reflection
    40
    """

    rep_in: Rep = eqx.field(static=True)
    rep_out: Rep = eqx.field(static=True)
    how: str = eqx.field(static=True)
    subgroup: Subgroup = eqx.field(static=True)

    def __init__(self, rep: Rep, subgroup: Subgroup | None = None, *, how: str = "max"):
        if not isinstance(rep, Rep):
            remedy = "take Invariants for norms, and FourierPointwise before it for functions on SO(2)"
            raise fail("rep", "a representation of a finite group", rep, remedy)
        self.rep_in = rep
        self.subgroup = _checked_subgroup(rep.group, subgroup)
        self.how = one_of("how", how, HOW)
        for part, _ in rep.blocks:
            _fibres(part, self.subgroup)
        whole = self.subgroup.order == rep.group.order
        target = trivial(rep.group) if whole else quotient(self.subgroup)
        self.rep_out = Rep.direct_sum([(target, m) for _, m in rep.blocks])

    def __call__(self, x: Float[Array, "... C"], *, key: Array | None = None) -> Float[Array, "... C_out"]:
        """Fields of rep_out; `key` is not used."""
        check_channels(x, self.rep_in)
        parts = []
        for block in blocks(self.rep_in):
            order, n = _fibres(block.rep, self.subgroup)
            part = block.of(x)
            if order is not None:
                part = part[..., order]
            part = part.reshape(*part.shape[:-1], n, -1)
            parts.append(part.max(-1) if self.how == "max" else part.mean(-1))
        return join(parts, x.shape[:-1])


class Invariants(eqx.Module):
    """The invariants of each copy: trivial channels as they are, the maximum (or mean) of permuted ones,
    the norm of other orthogonal blocks, the invariant quadratic forms of blocks of other matrix groups.

    rep: the type of the input; the output has a trivial channel for each copy, or copy and form. how: "max"
    or "mean". Forms (t² − x² − y² − z² of Lorentz vectors) may be negative, and grow with the square of x;
    products of different copies are `TensorProduct` to trivial channels.

    Raises InputError for blocks that are not orthogonal and have no invariant form, or that permute several
    orbits.

    >>> from intertwine.spaces.grid import Grid
    >>> grid = Grid("p4")
    >>> Invariants(grid.scalar + grid.vector)(jnp.array([-1.0, 3.0, 4.0])).tolist()
    [-1.0, 5.0]
    >>> from intertwine.symmetry import lorentz
    >>> Invariants(lorentz().vector)(jnp.array([2.0, 0.0, 1.0, 1.0])).tolist()
    [2.0]
    """

    rep_in: AnyRep = eqx.field(static=True)
    rep_out: AnyRep = eqx.field(static=True)
    how: str = eqx.field(static=True)

    def __init__(self, rep: AnyRep, *, how: str = "max"):
        self.rep_in = checked_rep(rep)
        self.how = one_of("how", how, HOW)
        channels = 0
        for part, m in rep.blocks:
            forms = _forms(part)
            if isinstance(part, Rep) and part.permutation is not None:
                _fibres(part, part.group.whole)
            elif not part.is_orthogonal and not forms:
                raise fail("rep", "orthogonal blocks, which have an invariant norm", part)
            channels += m * max(1, len(forms))
        self.rep_out = direct_sum([(trivial_type(rep.group), positive_int("copies", channels))])

    def __call__(self, x: Float[Array, "... C"], *, key: Array | None = None) -> Float[Array, "... C_out"]:
        """Invariant channels; `key` is not used."""
        check_channels(x, self.rep_in)
        parts = []
        for block in blocks(self.rep_in):
            part = block.of(x)
            if block.rep.is_trivial:
                parts.append(part[..., 0])
            elif block.rep.permutation is not None:
                parts.append(part.max(-1) if self.how == "max" else part.mean(-1))
            elif forms := _forms(block.rep):
                parts.append(jnp.einsum("...mi,fij,...mj->...mf", part, jnp.asarray(forms, x.dtype), part))
            else:
                parts.append(safe_norm(part))
        return join(parts, x.shape[:-1])


class GlobalPool(eqx.Module):
    """The maximum or mean over all points of the space: one fibre vector is left.

    space: a `Grid`, a `HomogeneousSpace` or any other `Space`. rep: the type; "max" only on permutation
    representations. The fibre still turns with the group: put `GroupPool` or `Invariants` before or after
    it for invariants. On a triangular grid the points inside the array's hexagon count; a space with a
    `measure` (the share of each point, sum 1) has its mean by that.

    Raises InputError, with the reason, for a maximum over a type that is not permuted, and on a space without
    a `common_frame` for a type that is not trivial (its fibres have frames of their own).

    >>> from intertwine.spaces.grid import Grid
    >>> grid = Grid("p4")
    >>> GlobalPool(grid, grid.vector, how="mean")(jnp.ones((3, 8, 8, 2))).shape
    (3, 2)
    """

    space: Space = eqx.field(static=True)
    rep_in: AnyRep = eqx.field(static=True)
    rep_out: AnyRep = eqx.field(static=True)
    how: str = eqx.field(static=True)

    def __init__(self, space: Space, rep: AnyRep | str, *, how: str = "max"):
        if not hasattr(space, "act"):
            raise fail("space", "a Grid, a HomogeneousSpace or another Space", space)
        rep = field_type(space, rep, "rep") if isinstance(rep, str) else checked_rep(rep)
        self.rep_in = self.rep_out = rep
        self.space, self.how = space, one_of("how", how, HOW)
        if how == "max" and not rep.is_permutation:
            reason = (
                "the largest of single components does not commute with it: take how='mean' or Invariants"
            )
            raise fail("rep", "a representation that permutes the channels", rep, reason)
        if how == "max" and not getattr(space, "maps_points", True):
            reason = "the group moves points between the points, where the largest value may lie"
            raise fail("how", "'mean' on this space", how, reason)
        if not space.common_frame and not rep.is_trivial:
            raise fail("rep", "trivial channels on a space with local frames", rep, "take GroupPool first")

    def __call__(self, x: Float[Array, "... C"], *, key: Array | None = None) -> Float[Array, "... C"]:
        """(..., *space, C) → (..., C); `key` is not used."""
        check_channels(x, self.rep_in)
        d = self.space.axes
        if x.ndim < d + 1:
            raise fail("x", f"{d} axes of the space and then the channels", f"shape {x.shape}")
        axes = tuple(range(-1 - d, -1))
        space = self.space
        measure = getattr(space, "measure", None)
        if measure is not None and self.how == "mean":
            return (x * jnp.asarray(measure, x.dtype)[..., None]).sum(axes)
        if not (takes_arrays(space) and space.hexagonal) or len(space.linear) == 1:
            return x.max(axes) if self.how == "max" else x.mean(axes)
        inside = space.mask(x.shape[-1 - d : -1])[..., None]
        if self.how == "max":
            return jnp.where(inside, x, -jnp.inf).max(axes)
        return jnp.where(inside, x, 0).sum(axes) / inside.sum()


def safe_norm(x: Float[Array, "... d"], floor: float = 1e-12) -> Float[Array, "..."]:
    """‖x‖ over the last axis, with gradient 0 at x = 0; of half precision computed in single precision."""
    kind = x.real.dtype
    square = square_norm(x.astype(jnp.promote_types(x.dtype, jnp.float32)))
    return jnp.where(square > floor**2, jnp.sqrt(jnp.maximum(square, floor**2)), 0).astype(kind)


def _forms(rep: AnyRep) -> tuple[np.ndarray, ...]:
    """The invariant forms that take the place of the norm of a block that is not orthogonal."""
    return () if rep.is_orthogonal or not isinstance(rep, LieRep) else tuple(invariant_forms(rep))


@lru_cache(maxsize=512)
def _fibres(rep: Rep, subgroup: Subgroup) -> tuple[np.ndarray | None, int]:
    """The order of the basis that puts the fibres of G/S → G/K side by side (None: as it is), and |G/K|."""
    group = rep.group
    if rep.permutation is None:
        reason = "only functions on the group or its cosets can be pooled: take Invariants for norms"
        raise fail("rep", "blocks that permute their basis", rep, reason)
    images = rep.permutation[:, 0]
    if len(np.unique(images)) < rep.dimension:
        raise fail("rep", "blocks of one orbit", f"{rep!r} of several", "write it as a sum of its orbits")
    stabiliser = np.flatnonzero(images == 0)
    if (subgroup.place[stabiliser] < 0).any():
        got = f"{rep!r}, with one of {len(stabiliser)} elements"
        raise fail("subgroup", "a subgroup that contains the stabiliser of each block's basis", got)
    coset = np.zeros(rep.dimension, np.int64)
    coset[images] = subgroup.coset_of[np.arange(group.order)]
    order = np.argsort(coset, kind="stable")
    return (None if (order == np.arange(rep.dimension)).all() else order), subgroup.index


def _checked_subgroup(group: FiniteGroup, subgroup: Subgroup | None) -> Subgroup:
    if subgroup is None:
        return group.whole
    if not isinstance(subgroup, Subgroup) or subgroup.parent != group:
        raise fail("subgroup", f"a subgroup of {group!r}, or None", subgroup, "make it with group.generate")
    return subgroup
