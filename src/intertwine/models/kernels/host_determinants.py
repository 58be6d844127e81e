r"""Sums of determinants on the host: ratios by dot products, inverses by rank-one updates.

A `DeterminantForm` has D matrices M_d (n, n): row p is the p-th occupied mode of one block, the first columns
are the occupied modes of another. Kept for one configuration are the inverses and the shares of the sum,

    q_d = w_d det M_d / Σ_e w_e det M_e.

A hop changes one row (v) or one column (v) of every matrix, and

    ψ'/ψ = Σ_d q_d r_d,   r_d = v · M_d⁻¹[:, p]   or   M_d⁻¹[k, :] · v,   q_d' = q_d r_d / Σ_e q_e r_e

(Sherman & Morrison 1950; Ceperley, Chester & Kalos, PRB 16, 3081 (1977)). The determinants are the fastest
axis, so that projected states use vector lanes. Inverses are made anew from the matrices after a hop that
leaves one of them nearly singular; a pivot that vanishes counts 10⁻⁹ of the largest element, which makes
det · M⁻¹, the adjugate that the ratios need, right to that accuracy where M itself is singular.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from intertwine._compile import inner
from intertwine.models.fermions.forms import DeterminantForm

NEARLY_SINGULAR = 1e-4
"""Ratios of one determinant below which its inverse is made anew after the hop."""
ROW, COLUMN = 0, 1


class HostDeterminants(NamedTuple):
    """pairs: F (L, M, D). unpaired: U (L, u, D). weights: w (D,). side: int8 (N,), whether a mode is of the
    rows (0), of the columns (1) or of neither (2). place: int32 (N,), its number in its block."""

    pairs: np.ndarray
    unpaired: np.ndarray
    weights: np.ndarray
    side: np.ndarray
    place: np.ndarray


class Kept(NamedTuple):
    """Scratch for one configuration. modes: int32 (2, n), the occupied modes of the rows and of the columns
    by their number in the block. where: int32 (N,), the row or column in which an occupied mode stands.
    inverses: (n, n, D), column, row. shares, ratios, scales: (D,), see `invert`, `hop_ratio`, `scaled_hop`.
    work: (n, D). lu: (n, 2n)."""

    modes: np.ndarray
    where: np.ndarray
    inverses: np.ndarray
    shares: np.ndarray
    ratios: np.ndarray
    scales: np.ndarray
    work: np.ndarray
    lu: np.ndarray


def host_determinants(form: DeterminantForm) -> HostDeterminants:
    """The arrays of a form, in float64 or complex128, each scaled so that its elements are of order 1."""
    filling = form.filling
    wide = np.complex128 if any(np.iscomplexobj(x) for x in (form.pairs, form.unpaired)) else np.float64
    side = np.full(filling.size, 2, np.int8)
    place = np.zeros(filling.size, np.int32)
    for which, block in ((ROW, form.rows), (COLUMN, form.columns)):
        if block is not None:
            a, b = filling.starts[block], filling.stops[block]
            side[a:b], place[a:b] = which, np.arange(b - a)
    moved = [
        np.ascontiguousarray(np.moveaxis(np.asarray(x, wide), 0, -1)) for x in (form.pairs, form.unpaired)
    ]
    scaled = [x / (np.abs(x).max(initial=0.0) or 1.0) for x in moved]
    return HostDeterminants(scaled[0], scaled[1], np.asarray(form.weights, wide), side, place)


def kept(form: DeterminantForm, host: HostDeterminants) -> Kept:
    """Scratch for one configuration at a time."""
    n, D, dtype = form.filling.particles[form.rows], len(host.weights), host.weights.dtype
    return Kept(
        np.zeros((2, max(n, 1)), np.int32),
        np.zeros(form.filling.size, np.int32),
        np.zeros((n, n, D), dtype),
        np.zeros(D, dtype),
        np.zeros(D, dtype),
        np.ones(D, dtype),
        np.zeros((n, D), dtype),
        np.zeros((n, 2 * n), dtype),
    )


@inner
def list_modes(host: HostDeterminants, k: Kept, spins: np.ndarray, c: int) -> None:
    """The occupied modes of configuration c, ascending."""
    count0, count1 = 0, 0
    for i in range(spins.shape[1]):
        if i < host.side.shape[0] and spins[c, i] < 0:
            if host.side[i] == 0:
                k.modes[0, count0] = host.place[i]
                k.where[i] = count0
                count0 += 1
            elif host.side[i] == 1:
                k.modes[1, count1] = host.place[i]
                k.where[i] = count1
                count1 += 1


@inner
def invert(host: HostDeterminants, k: Kept) -> None:
    """Inverses and shares from the listed modes: Gauss-Jordan with row pivots, O(D n³)."""
    n, D, u = k.inverses.shape[0], k.shares.shape[0], host.unpaired.shape[1]
    nc = n - u
    largest = -np.inf
    for d in range(D):
        scale = 0.0
        for p in range(n):
            for j in range(n):
                if j < nc:
                    k.lu[p, j] = host.pairs[k.modes[0, p], k.modes[1, j], d]
                else:
                    k.lu[p, j] = host.unpaired[k.modes[0, p], j - nc, d]
                scale = max(scale, abs(k.lu[p, j]))
                k.lu[p, n + j] = 0.0
            k.lu[p, n + p] = 1.0
        least = 1e-9 * scale + 1e-300
        size, phase = 0.0, k.shares[d] * 0.0 + 1.0
        for j in range(n):
            best, height = j, abs(k.lu[j, j])
            for p in range(j + 1, n):
                if abs(k.lu[p, j]) > height:
                    best, height = p, abs(k.lu[p, j])
            if best != j:
                phase = -phase
                for x in range(2 * n):
                    k.lu[j, x], k.lu[best, x] = k.lu[best, x], k.lu[j, x]
            if height < least:
                k.lu[j, j] = least
                height = least
            size += np.log(height)
            phase *= k.lu[j, j] / height
            head = 1.0 / k.lu[j, j]
            for x in range(j, 2 * n):
                k.lu[j, x] *= head
            for p in range(n):
                if p != j:
                    f = k.lu[p, j]
                    for x in range(j, 2 * n):
                        k.lu[p, x] -= f * k.lu[j, x]
        for j in range(n):
            for p in range(n):
                k.inverses[j, p, d] = k.lu[j, n + p]
        k.shares[d] = phase * host.weights[d]
        k.ratios[d] = size
        largest = max(largest, size)
    total = k.shares[0] * 0.0
    for d in range(D):
        k.shares[d] *= np.exp(np.real(k.ratios[d]) - largest)
        total += k.shares[d]
    if abs(total) < 1e-200:
        total = total * 0.0 + 1e-200
    for d in range(D):
        k.shares[d] /= total
        k.scales[d] = 1.0


@inner
def hop_ratio(host: HostDeterminants, k: Kept, leaves: int, enters: int):
    """ψ'/ψ without the sign of the order, for a fermion that goes from one mode to an empty one of the same
    block; the ratios of all determinants stay in `ratios`."""
    n, D = k.inverses.shape[0], k.shares.shape[0]
    nc = n - host.unpaired.shape[1]
    p, to = k.where[leaves], host.place[enters]
    if D == 1:
        one = k.shares[0] * 0.0
        if host.side[leaves] == 0:
            for j in range(nc):
                one += host.pairs[to, k.modes[1, j], 0] * k.inverses[j, p, 0]
            for j in range(nc, n):
                one += host.unpaired[to, j - nc, 0] * k.inverses[j, p, 0]
        else:
            for j in range(n):
                one += host.pairs[k.modes[0, j], to, 0] * k.inverses[p, j, 0]
        k.ratios[0] = one
        return one
    for d in range(D):
        k.ratios[d] = 0.0
    if host.side[leaves] == 0:
        for j in range(nc):
            m = k.modes[1, j]
            for d in range(D):
                k.ratios[d] += host.pairs[to, m, d] * k.inverses[j, p, d]
        for j in range(nc, n):
            for d in range(D):
                k.ratios[d] += host.unpaired[to, j - nc, d] * k.inverses[j, p, d]
    else:
        for j in range(n):
            m = k.modes[0, j]
            for d in range(D):
                k.ratios[d] += host.pairs[m, to, d] * k.inverses[p, j, d]
    total = k.shares[0] * 0.0
    for d in range(D):
        total += k.shares[d] * k.ratios[d]
    return total


@inner
def hop(host: HostDeterminants, k: Kept, leaves: int, enters: int, total) -> None:
    """Let the fermion hop whose `ratios` were just found, with their sum `total`: O(D n²)."""
    n, D = k.inverses.shape[0], k.shares.shape[0]
    singular = abs(total) < 1e-200
    for d in range(D):
        if abs(k.ratios[d]) < NEARLY_SINGULAR:
            singular = True
    if singular:
        side = host.side[leaves]
        k.modes[side, k.where[leaves]] = host.place[enters]
        k.where[enters] = k.where[leaves]
        invert(host, k)
        return
    scaled_hop(host, k, leaves, enters)
    for d in range(D):
        k.shares[d] *= k.ratios[d] / total
        k.ratios[d] = 1.0 / k.ratios[d]
        k.scales[d] = 1.0
    for j in range(n):
        for x in range(n):
            for d in range(D):
                k.inverses[j, x, d] *= k.ratios[d]


@inner
def scaled_hop(host: HostDeterminants, k: Kept, leaves: int, enters: int) -> None:
    """The hop for s M⁻¹ in place of M⁻¹, with s (`scales`) the ratio of the determinant so far: where s = 1
    nothing is divided, so that a matrix may be singular in between. `ratios` are those just found."""
    n, D = k.inverses.shape[0], k.shares.shape[0]
    nc = n - host.unpaired.shape[1]
    p, to, side = k.where[leaves], host.place[enters], host.side[leaves]
    for x in range(n):
        for d in range(D):
            k.work[x, d] = 0.0
        if x != p:
            for j in range(n):
                if side == 1:
                    m = k.modes[0, j]
                    for d in range(D):
                        k.work[x, d] += host.pairs[m, to, d] * k.inverses[x, j, d]
                elif j < nc:
                    m = k.modes[1, j]
                    for d in range(D):
                        k.work[x, d] += host.pairs[to, m, d] * k.inverses[j, x, d]
                else:
                    for d in range(D):
                        k.work[x, d] += host.unpaired[to, j - nc, d] * k.inverses[j, x, d]
    for d in range(D):
        if abs(k.scales[d]) < 1e-14:
            k.scales[d] = 1e-14
        k.scales[d] = 1.0 / k.scales[d]
    for x in range(n):
        if x != p:
            for j in range(n):
                if side == 0:
                    for d in range(D):
                        change = k.inverses[j, x, d] * k.ratios[d] - k.inverses[j, p, d] * k.work[x, d]
                        k.inverses[j, x, d] = change * k.scales[d]
                else:
                    for d in range(D):
                        change = k.inverses[x, j, d] * k.ratios[d] - k.inverses[p, j, d] * k.work[x, d]
                        k.inverses[x, j, d] = change * k.scales[d]
    for d in range(D):
        k.scales[d] = k.ratios[d]
    k.modes[side, p] = to
    k.where[enters] = p


@inner
def copy_into(spare: Kept, k: Kept) -> None:
    """A copy to try hops on."""
    spare.modes[:] = k.modes
    spare.where[:] = k.where
    spare.inverses[:] = k.inverses
    spare.shares[:] = k.shares
    spare.scales[:] = 1.0


@inner
def order_sign(spins: np.ndarray, c: int, first: int, second: int) -> float:
    """(−1)^{occupied modes between two modes}."""
    sign = 1.0
    for i in range(min(first, second) + 1, max(first, second)):
        if spins[c, i] < 0:
            sign = -sign
    return sign
