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

from functools import lru_cache
from typing import NamedTuple

import jax.numpy as jnp
import numpy as np
from jax import Array
from jaxtyping import Float

from intertwine._checks import fail
from intertwine.layers.executors.protocol import FiniteExecutor, Plan
from intertwine.spaces.mesh.mesh import Mesh
from intertwine.spaces.mesh.neighbourhoods import Disc, Neighbourhood, disc, profile
from intertwine.symmetry.compact import CompactRep
from intertwine.symmetry.fibre_maps import AnyRep


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
        fields = jnp.moveaxis(x.reshape(-1, size, x.shape[-1]), 0, 1)  # (n, B, C)
        own = None
        if not region.radius:
            own, kernel = fields @ kernel[0], kernel[1:]
        if kernel.shape[0] == 0:
            assert own is not None
            out = own
        else:
            seen = fields[plan.space.neighbourhood(region).site]  # (n, K, B, C)
            sums = [_sums(plan, region, spin, seen) for spin in _spins(plan.rep_in)]
            out = _mixed(plan, sums, kernel)
            out = out if own is None else out + own
        return jnp.moveaxis(out, 1, 0).reshape(*lead, size, -1)


class _Spin(NamedTuple):
    """The channels of one frequency: first components, second components (none of frequency 0), parities."""

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


def _orders(into: int, rep_out: AnyRep) -> tuple[int, ...]:
    """The m of Z that a field of frequency `into` is summed with."""
    out = [spin.frequency for spin in _spins(rep_out)]
    if into == 0:
        return tuple(out)
    return tuple(sorted({b - into for b in out} | {-b - into for b in out}))


@lru_cache(maxsize=128)
def _table(
    space: Mesh, region: Disc, frequency: int, orders: tuple[int, ...]
) -> tuple[np.ndarray, np.ndarray]:
    """Real and imaginary part of q w e^{i(mθ + a t)}, (n, profiles·orders, K)."""
    near: Neighbourhood = space.neighbourhood(region)
    rows = []
    for p in range(0 if region.radius else 1, region.profiles):
        for m in orders:
            size = near.weight * profile(region, p, m, near.radius)
            rows.append(size * np.exp(1j * (m * near.angle + frequency * near.turn)))
    found = np.stack(rows, axis=1)
    return np.ascontiguousarray(np.real(found)), np.ascontiguousarray(np.imag(found))


def _sums(plan: Plan, region: Disc, spin: _Spin, seen: Array) -> tuple[Array, Array]:
    """Re Z and Im Z, (n, profiles·orders, B, copies)."""
    space = plan.space
    real, imag = (
        jnp.asarray(part, seen.dtype)
        for part in _table(space, region, spin.frequency, _orders(spin.frequency, plan.rep_out))
    )
    mirrored = space.fibre_group.has_reflections
    sign = jnp.asarray(space.neighbourhood(region).sign, seen.dtype)[:, :, None, None] if mirrored else None
    x = seen[..., spin.first]
    if spin.frequency == 0:
        if sign is not None and (spin.parity < 0).any():
            x = x * jnp.where(jnp.asarray(spin.parity) < 0, sign, 1)
        return _product(real, x), _product(imag, x)
    y = seen[..., spin.second]
    y = y if sign is None else y * sign
    return _product(real, x) - _product(imag, y), _product(imag, x) + _product(real, y)


def _product(table: Float[Array, "n q K"], seen: Float[Array, "n K B m"]) -> Float[Array, "n q B m"]:
    return jnp.einsum("nqk,nkbm->nqbm", table, seen)


def _mixed(plan: Plan, sums: list[tuple[Array, Array]], kernel: Float[Array, "profiles C_in C_out"]) -> Array:
    """Σ c Z + d Z̄ for every frequency of the output, (n, B, C_out)."""
    rep_in, rep_out = _spins(plan.rep_in), _spins(plan.rep_out)
    profiles = kernel.shape[0]
    columns, places = [], []
    for out in rep_out:
        rows, weights = [], []
        for into, (re, im) in zip(rep_in, sums, strict=True):
            orders = _orders(into.frequency, plan.rep_out)
            for m, matrix in _matrices(into, out, kernel):
                at = np.arange(profiles) * len(orders) + orders.index(m)
                parts = [re[:, at], im[:, at]][: matrix.shape[1]]
                rows += [jnp.stack(parts, axis=1)]
                weights.append(matrix)
        columns.append(_contracted(rows, weights))
        places.append(np.concatenate([out.first, out.second]))
    joined = jnp.concatenate(columns, axis=-1)
    return joined[..., np.argsort(np.concatenate(places))]


def _contracted(rows: list[Array], weights: list[Array]) -> Array:
    """Σ over (parts, profiles, copies) of everything, as one product."""
    n, _, _, batch, _ = rows[0].shape
    flat = [jnp.moveaxis(row, 3, 1).reshape(n, batch, -1) for row in rows]
    matrix = [jnp.moveaxis(w, 0, 1).reshape(-1, w.shape[-1]) for w in weights]
    return jnp.concatenate(flat, axis=-1) @ jnp.concatenate(matrix, axis=0)


def _matrices(into: _Spin, out: _Spin, kernel: Array) -> list[tuple[int, Array]]:
    """(m, (profiles, parts, copies in, channels out)) for each Z_m that this pair of frequencies takes."""
    a, b = into.frequency, out.frequency

    def part(rows: np.ndarray, columns: np.ndarray) -> Array:
        return kernel[:, rows[:, None], columns[None, :]]

    def joined(*blocks: tuple[Array, ...]) -> Array:
        return jnp.stack([jnp.concatenate(block, axis=-1) for block in blocks], axis=1)

    xx = part(into.first, out.first)
    if a == 0 and b == 0:
        return [(0, joined((xx,)))]
    if a == 0:
        xy = part(into.first, out.second)
        return [(b, joined((xx, xy), (-xy, xx)))]
    yx = part(into.second, out.first)
    if b == 0:
        return [(-a, joined((xx,), (yx,)))]
    xy, yy = part(into.first, out.second), part(into.second, out.second)
    cr, ci, dr, di = (xx + yy) / 2, (xy - yx) / 2, (xx - yy) / 2, (xy + yx) / 2
    return [(b - a, joined((cr, ci), (-ci, cr))), (-b - a, joined((dr, di), (di, -dr)))]
