r"""Pooling between meshes: means over clusters, every fibre carried to the frame of its cluster's centre.

    MeshPool      y(a) = Σ_{i ∈ C_a} A_i ρ(g_ai) f(i) / Σ A_i       A_i the area of vertex i, or its part
                                                                    in C_a
    MeshUnpool    y(i) = Σ_a share_ia ρ(g_ai)⁻¹ f(a)                the nearest centre, or the mean of
                                                                    several

between a mesh and a coarser one whose vertices are among its own: an icosphere and the level below, or what
`coarser` makes of any mesh (`spaces.mesh.coarse`).
"""

from __future__ import annotations

from functools import lru_cache
from typing import ClassVar, NamedTuple, cast

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jax import Array
from jaxtyping import Float

from intertwine._checks import fail
from intertwine.layers.blocks import blocks, check_channels, join
from intertwine.layers.executors.edges import back_table, gathered
from intertwine.layers.fields import field_type
from intertwine.spaces.mesh.coarse import clusters
from intertwine.spaces.mesh.mesh import Mesh
from intertwine.spaces.protocols import Space
from intertwine.symmetry.compact import CompactRep
from intertwine.symmetry.fibre_maps import AnyRep


class _BetweenMeshes(eqx.Module):
    """Fields on one mesh to fields of the same type on another."""

    space: Mesh = eqx.field(static=True)
    space_out: Mesh = eqx.field(static=True)
    rep_in: AnyRep = eqx.field(static=True)
    rep_out: AnyRep = eqx.field(static=True)

    coarsens: ClassVar[bool]

    def __init__(self, space: Mesh, space_out: Mesh, rep: AnyRep | str):
        _check(*((space, space_out) if self.coarsens else (space_out, space)))
        self.space, self.space_out = space, space_out
        self.rep_in = self.rep_out = field_type(cast("Space", space), rep, "rep")


class MeshPool(_BetweenMeshes):
    """Fields on a mesh to fields of the same type on a coarser one.

    space: the finer mesh. space_out: the coarser. rep: the type, or its name.

    Raises InputError for meshes of different structure groups, and where a vertex of the coarser is none of
    the finer.

    >>> ball, coarse = Mesh.icosphere(2), Mesh.icosphere(1)
    >>> MeshPool(ball, coarse, "scalar + vector")(jnp.ones((5, 162, 3))).shape
    (5, 42, 3)
    """

    coarsens = True

    def __call__(self, x: Float[Array, "... n C"], *, key: Array | None = None) -> Float[Array, "... m C"]:
        """Means over clusters; `key` is not used."""
        return _carried(x, self.rep_in, _down(self.space, self.space_out), self.space.size)


class MeshUnpool(_BetweenMeshes):
    """Fields on a coarser mesh to fields on the finer: what each centre has, carried to its cluster.

    space: the coarser mesh. space_out: the finer. rep, errors: as of `MeshPool`.

    >>> ball, coarse = Mesh.icosphere(2), Mesh.icosphere(1)
    >>> MeshUnpool(coarse, ball, "scalar")(jnp.ones((42, 1))).shape
    (162, 1)
    """

    coarsens = False

    def __call__(self, x: Float[Array, "... m C"], *, key: Array | None = None) -> Float[Array, "... n C"]:
        """Carried back; `key` is not used."""
        return _carried(x, self.rep_in, _up(self.space_out, self.space), self.space.size)


class _Table(NamedTuple):
    """Padded by weight 0. site (m, K) whom each vertex takes from; angle, sign: carried how; back: see
    `edges.back_table`."""

    site: np.ndarray
    angle: np.ndarray
    sign: np.ndarray
    weight: np.ndarray
    back: np.ndarray


@lru_cache(maxsize=32)
def _down(fine: Mesh, coarse: Mesh) -> _Table:
    found = clusters(fine, coarse)
    area = fine.areas[found.fine] * found.share
    weight = area / np.bincount(found.coarse, area, coarse.size)[found.coarse]
    return _table(found.coarse, found.fine, found.turn, found.sign, weight, coarse.size, fine.size)


@lru_cache(maxsize=32)
def _up(fine: Mesh, coarse: Mesh) -> _Table:
    found = clusters(fine, coarse)
    order = np.argsort(found.fine, kind="stable")
    into, out, turn, sign, share = found.fine, found.coarse, found.turn, found.sign, found.share
    back = -sign * turn  # the inverse of R(t), or of R(t) s
    parts = (part[order] for part in (into, out, back, sign, share))
    return _table(*parts, fine.size, coarse.size)  # type: ignore[arg-type]


def _table(
    to: np.ndarray,
    origin: np.ndarray,
    turn: np.ndarray,
    sign: np.ndarray,
    weight: np.ndarray,
    n: int,
    size: int,
) -> _Table:
    counts = np.bincount(to, minlength=n)
    slot = np.arange(len(to)) - np.repeat(np.cumsum(counts) - counts, counts)
    laid = [np.zeros((n, int(counts.max())), part.dtype) for part in (origin, turn, sign, weight)]
    for table, part in zip(laid, (origin, turn, sign, weight), strict=True):
        table[to, slot] = part
    site = laid[0].astype(np.int32)
    return _Table(site, laid[1], np.where(laid[2] < 0, -1, 1), laid[3], back_table(site, size))


def _carried(x: Array, rep: AnyRep, table: _Table, size: int) -> Array:
    check_channels(x, rep)
    if x.ndim < 2 or x.shape[-2] != size:
        raise fail("x", f"a field on {size} vertices", f"shape {x.shape}")
    flat = x.reshape(-1, *x.shape[-2:])
    seen = gathered(flat, jnp.asarray(table.site), jnp.asarray(table.back))
    parts = []
    for block in blocks(rep):
        part = block.of(seen)
        assert isinstance(block.rep, CompactRep)
        (k, parity) = block.rep.irreps[0][0]
        if block.rep.dimension == 1:
            weight = table.weight * np.where(table.sign < 0, parity, 1)
            parts.append(jnp.einsum("nk,bnkmd->bnmd", jnp.asarray(weight, x.dtype), part))
            continue
        c, s = table.weight * np.cos(k * table.angle), table.weight * np.sin(k * table.angle)
        turn = np.stack([np.stack([c, -table.sign * s], -1), np.stack([s, table.sign * c], -1)], axis=-2)
        parts.append(jnp.einsum("nkij,bnkmj->bnmi", jnp.asarray(turn, x.dtype), part))
    out = join(parts, seen.shape[:2])
    return out.reshape(*x.shape[:-2], *out.shape[-2:])


def _check(fine: Mesh, coarse: Mesh) -> None:
    for name, mesh in (("space", fine), ("space_out", coarse)):
        if not isinstance(mesh, Mesh):
            raise fail(name, "a Mesh", mesh, "on grids take AveragePool")
    if fine.fibre_group != coarse.fibre_group:
        got = f"{fine.fibre_group!r} and {coarse.fibre_group!r}"
        raise fail("space_out", "meshes with the same structure group", got)
    clusters(fine, coarse)
