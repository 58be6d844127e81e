r"""Convolutions on meshes: gather neighbours, transport them to the frame of the centre, one product.

A kernel is given on the first axis, K_p for each radial profile p, and κ(r, θ) = σ(R(θ)) Σ_p w_p(r) K_p
ρ(R(θ))⁻¹ (`spaces.mesh`). A field of spin a is a complex number z; between spins a and b a real matrix K is
c z + d z̄, so that

    κ z = Σ_p w_p (c_p e^{i(b−a)θ} z + d_p e^{i(b+a)θ} z̄)

and everything that the kernel needs to know of the field are the sums over neighbours

    Z_{p,m}(i) = Σ_j q_ij w_p,|m|(r_ij) e^{i(mθ_ij + a t_ij)} z(j),        m = b − a and −(b + a),

with g_ij = R(t_ij), before which z is conjugated where g_ij reflects. They are one product of small
matrices at each vertex; Σ c Z + d Z̄ is one product of the channels. The tables of q, w and e are built
on the host in float64, once for layers alike. On rings the vertex itself is profile 0, and takes no
table."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from jaxtyping import Float, Int, Int32

from intertwine._checks import fail
from intertwine.layers.executors.protocol import FiniteExecutor, Plan
from intertwine.spaces.mesh.mesh import Mesh
from intertwine.spaces.mesh.neighbourhoods import Disc, Neighbourhood, disc, profile
from intertwine.symmetry.compact import CompactRep
from intertwine.symmetry.fibre_maps import AnyRep

_MANY = 12


class EdgeExecutor(FiniteExecutor):
    """Convolutions on `Mesh`, and on any space with its `neighbourhood`."""

    def check(self, plan: Plan) -> None:
        """InputError for regions in other words, strides and paddings."""
        super().check(plan)
        disc(plan.support)

    def apply(
        self, plan: Plan, kernel: Float[Array, "profiles C_in C_out"], x: Float[Array, "... n C_in"]
    ) -> Float[Array, "... n C_out"]:
        """Fields (..., n, C_in); InputError for another number of vertices."""
        size = plan.space.size
        if x.shape[-2] != size:
            raise fail("x", f"a field on {size} vertices", f"shape {x.shape}")
        lead = x.shape[:-2]
        kernel = kernel.astype(x.dtype)
        region = disc(plan.support)
        fields = x.reshape(-1, size, x.shape[-1])
        own = None
        if not region.radius:
            own, kernel = fields @ kernel[0], kernel[1:]
        if kernel.shape[0] == 0:
            assert own is not None
            out = own
        else:
            out = _one_by_one(lambda field: _around(plan, region, field, kernel), fields)
            out = out if own is None else out + own
        return out.reshape(*lead, size, -1)


class _Spin(NamedTuple):
    """The channels of one frequency. first, second: all first components, all second ones (none of frequency
    0).
    parity: of each copy."""

    frequency: int
    first: np.ndarray
    second: np.ndarray
    parity: np.ndarray


@lru_cache(maxsize=512)
def _spins(rep: AnyRep) -> tuple[_Spin, ...]:
    """The channels of a type by frequency."""
    found: dict[int, list[tuple[int, int]]] = {}
    start = 0
    for block, m in rep.blocks:
        assert isinstance(block, CompactRep)
        (k, parity), d = block.irreps[0][0], block.dimension
        found.setdefault(k, []).extend((start + i * d, parity) for i in range(m))
        start += m * d
    spins = []
    for k, channels in sorted(found.items()):
        first, parity = np.array(channels).T
        spins.append(_Spin(k, first, first + 1 if k else np.zeros(0, int), parity))
    return tuple(spins)


def _planes(fields: Float[Array, "B n C"], rep: AnyRep) -> list[Float[Array, "B n parts_m"]]:
    """The channels of each frequency: all first components, then all second ones. By a product, which XLA
    carries out once, where it would sort them anew for every neighbour."""
    spins = _spins(rep)
    order = np.concatenate([np.concatenate([spin.first, spin.second]) for spin in spins])
    if not (order == np.arange(len(order))).all():
        fields = fields @ jnp.asarray(np.eye(len(order))[:, order], fields.dtype)
    ends = np.cumsum([len(spin.first) + len(spin.second) for spin in spins])
    return [fields[..., end - len(s.first) - len(s.second) : end] for s, end in zip(spins, ends, strict=True)]


def _joined(parts: list[Array]) -> Array:
    return parts[0] if len(parts) == 1 else jnp.concatenate(parts, axis=-1)


def _orders(into: int, out: int) -> tuple[int, ...]:
    """The m of the Z that a field of frequency `into` gives to one of frequency `out`."""
    return (out,) if into == 0 else tuple(dict.fromkeys((out - into, -out - into)))


@lru_cache(maxsize=128)
def _seen(space: Mesh, region: Disc) -> tuple[np.ndarray, np.ndarray]:
    """Who is seen, (n, K), and its `back_table`."""
    site = space.neighbourhood(region).site[:, _first(region) :]
    return site, back_table(site, len(site))


def back_table(site: Int[np.ndarray, "n K"], size: int) -> Int32[np.ndarray, "size K_back"]:
    """Where every one of `size` vertices is seen from: places i·K + k of `site`, n·K beyond the last.

    >>> back_table(np.array([[0, 1], [0, 0]]), 2).tolist()
    [[0, 2, 3], [1, 4, 4]]
    """
    flat = site.reshape(-1)
    order = np.argsort(flat, kind="stable")
    counts = np.bincount(flat, minlength=size)
    back = np.full((size, int(counts.max())), flat.size, np.int32)
    slot = np.arange(flat.size) - np.repeat(np.cumsum(counts) - counts, counts)
    back[flat[order], slot] = order
    return back


def _first(region: Disc) -> int:
    """On rings the vertex itself, in front of the tables, is left to profile 0."""
    return 0 if region.radius else 1


@lru_cache(maxsize=256)
def _table(space: Mesh, region: Disc, into: int, outs: tuple[int, ...]) -> tuple[np.ndarray, ...]:
    """What first and second components are multiplied with in Re Z and Im Z for every frequency of the
    output, (n, K, q), q over outputs, orders, parts, profiles: one array where there are no second
    components, and no Im Z where it is not needed."""
    first = _first(region)
    near: Neighbourhood = Neighbourhood(*(part[:, first:] for part in space.neighbourhood(region)))
    x, y = [], []
    for out in outs:
        for m in _orders(into, out):
            waves = np.exp(1j * (m * near.angle + into * near.turn))
            both = [
                near.weight * profile(region, p, m, near.radius) * waves
                for p in range(first, region.profiles)
            ]
            x += [*map(np.real, both), *map(np.imag, both)][: len(both) * (1 if into == out == 0 else 2)]
            y += [-np.imag(z) for z in both] + [np.real(z) for z in both]
    if into == 0:
        return (np.stack(x, axis=-1),)
    mirrored = near.sign[..., None] if space.fibre_group.has_reflections else 1
    return np.stack(x, axis=-1), np.stack(y, axis=-1) * mirrored


def _one_by_one(
    function: Callable[[Array], Array], fields: Float[Array, "B n C"]
) -> Float[Array, "B n C_out"]:
    """On a CPU one example after another, whose neighbours then stay in the cache."""
    if fields.shape[0] == 1 or jax.default_backend() != "cpu":
        return function(fields)
    return jax.lax.map(lambda field: function(field[None])[0], fields)


def _around(
    plan: Plan, region: Disc, fields: Float[Array, "B n C_in"], kernel: Float[Array, "profiles C_in C_out"]
) -> Float[Array, "B n C_out"]:
    """Σ c Z + d Z̄ over the neighbours, for every frequency of the output."""
    space = plan.space
    seen = []
    for spin, plane in zip(_spins(plan.rep_in), _planes(fields, plan.rep_in), strict=True):
        rows = gathered(plane, *map(jnp.asarray, _seen(space, region)))
        if spin.frequency == 0 and space.fibre_group.has_reflections and (spin.parity < 0).any():
            sign = space.neighbourhood(region).sign[:, _first(region) :, None]
            rows = rows * jnp.asarray(np.where(spin.parity < 0, sign, 1), rows.dtype)
        seen.append((spin, rows))
    outs = tuple(spin.frequency for spin in _spins(plan.rep_out))
    found = []
    for into, rows in seen:
        table = _table(space, region, into.frequency, outs)
        sums = _sums(tuple(jnp.asarray(part, rows.dtype) for part in table), rows)
        found.append(sums.reshape(*sums.shape[:2], -1) @ _matrices(into, plan.rep_out, kernel))
    return _added(found)


@jax.custom_vjp
def _sums(tables: tuple[Array, ...], seen: Float[Array, "B n K c"]) -> Float[Array, "B n q m"]:
    """Σ_k table[:, k, q] seen[:, k], over first components, and second ones where there are two tables:
    written out where there are few neighbours, which XLA makes one loop of, small matrix products where
    there are many."""
    split = len(tables)
    fields = [
        seen[..., i * seen.shape[-1] // split : (i + 1) * seen.shape[-1] // split] for i in range(split)
    ]
    if seen.shape[2] > _MANY:
        return _added([jnp.einsum("nkq,bnkm->bnqm", t, f) for t, f in zip(tables, fields, strict=True)])
    both = list(zip(tables, fields, strict=True))
    pairs = [(t[:, k, :, None], f[:, :, k, None]) for k in range(seen.shape[2]) for t, f in both]
    return _added([table * field for table, field in pairs])


def _sums_forward(tables: tuple[Array, ...], seen: Array) -> tuple[Array, tuple[Array, ...]]:
    return _sums(tables, seen), tables


def _sums_back(tables: tuple[Array, ...], slope: Float[Array, "B n q m"]) -> tuple[None, Array]:
    """Σ_q table[:, k, q] slope[:, q], in the same two ways."""
    if tables[0].shape[1] > _MANY:
        parts = [jnp.einsum("nkq,bnqm->bnkm", t, slope) for t in tables]
    else:
        count = slope.shape[2]
        parts = [_added([t[:, :, q, None] * slope[:, :, None, q] for q in range(count)]) for t in tables]
    return None, _joined(parts)


_sums.defvjp(_sums_forward, _sums_back)


def _added(terms: list[Array]) -> Array:
    total = terms[0]
    for term in terms[1:]:
        total = total + term
    return total


@jax.custom_vjp
def gathered(field: Float[Array, "B n c"], site: Array, back: Array) -> Float[Array, "B n K c"]:
    """field[:, site]; its gradient gathers too, since scattering is slow."""
    return jnp.take(field, site, axis=1, mode="clip")


def _gathered_forward(field: Array, site: Array, back: Array) -> tuple[Array, Array]:
    return gathered(field, site, back), back


def _gathered_back(back: Array, slope: Array) -> tuple[Array, None, None]:
    flat = slope.reshape(slope.shape[0], -1, slope.shape[-1])
    rows = [jnp.take(flat, back[:, k], axis=1, mode="fill", fill_value=0) for k in range(back.shape[1])]
    return _added(rows), None, None


gathered.defvjp(_gathered_forward, _gathered_back)


def _matrices(into: _Spin, rep_out: AnyRep, kernel: Array) -> Float[Array, "q_m C_out"]:
    """What Z is multiplied with, for all frequencies of the output: zero between those that do not belong to
    one another, since one large product is quicker than several small ones."""
    spins, rows = _spins(rep_out), []
    width = rep_out.dimension
    for out in spins:
        columns = np.concatenate([out.first, out.second])
        block = _matrix(into, out, kernel)
        rows.append(jnp.zeros((block.shape[0], width), kernel.dtype).at[:, columns].set(block))
    return rows[0] if len(rows) == 1 else jnp.concatenate(rows, axis=0)


def _matrix(into: _Spin, out: _Spin, kernel: Array) -> Float[Array, "q_m C_out"]:
    """What Z is multiplied with: rows as the sums stand, parts within orders, profiles within parts, then
    copies."""
    a, b = into.frequency, out.frequency

    def part(rows: np.ndarray, columns: np.ndarray) -> Array:
        return kernel[:, rows[:, None], columns[None, :]]

    def stacked(*blocks: tuple[Array, ...]) -> Array:
        rows = [jnp.concatenate(block, axis=-1) for block in blocks]  # each (profiles, copies, channels out)
        return jnp.concatenate(rows, axis=0).reshape(-1, rows[0].shape[-1])

    xx = part(into.first, out.first)
    if a == 0 and b == 0:
        return stacked((xx,))
    if a == 0:
        xy = part(into.first, out.second)
        return stacked((xx, xy), (-xy, xx))
    yx = part(into.second, out.first)
    if b == 0:
        return stacked((xx,), (yx,))
    xy, yy = part(into.first, out.second), part(into.second, out.second)
    cr, ci, dr, di = (xx + yy) / 2, (xy - yx) / 2, (xx - yy) / 2, (xy + yx) / 2
    return stacked((cr, ci), (-ci, cr), (dr, di), (di, -dr))
