r"""Compiled heat bath and overrelaxation of SU(3) links by their SU(2) subgroups.

    U ↦ g U,     e^{(β/3) Re tr g M} ∝ e^{a x_0},     M = U A,   X = g v,   a = 2βk/3

A being the staples of U and g an element of an SU(2) subgroup: of M its 2 × 2 block matters, and of that the
quaternion part r = k v. X is drawn as in SU(2) (`host_su2.drawn`). The three subgroups follow one another
(Cabibbo & Marinari, Phys. Lett. B 119, 387, 1982); reflections take each X to X†. Every new link is made
unitary again.
"""

from __future__ import annotations

import numpy as np

from intertwine._compile import inner, kernel
from intertwine.sampling.gauge.host_su2 import aim, drawn, product
from intertwine.sampling.host_counter import stream


@inner
def times(a: np.ndarray, b: np.ndarray, out: np.ndarray):
    """out = a b."""
    for i in range(3):
        for j in range(3):
            out[i, j] = a[i, 0] * b[0, j] + a[i, 1] * b[1, j] + a[i, 2] * b[2, j]


@inner
def times_dagger(a: np.ndarray, b: np.ndarray, out: np.ndarray):
    """out = a b†."""
    for i in range(3):
        for j in range(3):
            out[i, j] = a[i, 0] * np.conj(b[j, 0]) + a[i, 1] * np.conj(b[j, 1]) + a[i, 2] * np.conj(b[j, 2])


@inner
def add_times_dagger(a: np.ndarray, b: np.ndarray, out: np.ndarray):
    """out += a b†."""
    for i in range(3):
        for j in range(3):
            out[i, j] += a[i, 0] * np.conj(b[j, 0]) + a[i, 1] * np.conj(b[j, 1]) + a[i, 2] * np.conj(b[j, 2])


@inner
def add_dagger_times(a: np.ndarray, b: np.ndarray, out: np.ndarray):
    """out += a† b."""
    for i in range(3):
        for j in range(3):
            out[i, j] += np.conj(a[0, i]) * b[0, j] + np.conj(a[1, i]) * b[1, j] + np.conj(a[2, i]) * b[2, j]


@inner
def staple(
    links: np.ndarray,
    ahead: np.ndarray,
    behind: np.ndarray,
    x: int,
    mu: int,
    total: np.ndarray,
    scratch: np.ndarray,
):
    """total = A, the sum of the open plaquettes around the link."""
    total[:] = 0.0
    next_x = ahead[x, mu]
    for nu in range(links.shape[1]):
        if nu != mu:
            times_dagger(links[next_x, nu], links[ahead[x, nu], mu], scratch)
            add_times_dagger(scratch, links[x, nu], total)
            below = behind[x, nu]
            times(links[below, mu], links[behind[next_x, nu], nu], scratch)
            add_dagger_times(scratch, links[below, nu], total)


@inner
def rows_turned(m: np.ndarray, p: int, q: int, g00: complex, g01: complex):
    """Rows p and q of m times g = ((g00, g01), (−g01*, g00*)) from the left."""
    for j in range(3):
        upper, lower = m[p, j], m[q, j]
        m[p, j] = g00 * upper + g01 * lower
        m[q, j] = np.conj(g00) * lower - np.conj(g01) * upper


@inner
def renewed(
    links: np.ndarray,
    ahead: np.ndarray,
    behind: np.ndarray,
    x: int,
    mu: int,
    beta: float,
    word: np.uint64,
    reflect: bool,
    room: np.ndarray,
):
    """The link drawn anew, or reflected. room: complex (3, 3, 3) to work in."""
    a, m, u = room[0], room[1], room[2]
    staple(links, ahead, behind, x, mu, a, m)
    u[:] = links[x, mu]
    times(u, a, m)
    for p, q in ((0, 1), (0, 2), (1, 2)):
        r0 = 0.5 * (m[p, p].real + m[q, q].real)
        r3 = 0.5 * (m[p, p].imag - m[q, q].imag)
        r1 = 0.5 * (m[p, q].imag + m[q, p].imag)
        r2 = 0.5 * (m[p, q].real - m[q, p].real)
        k = np.sqrt(r0 * r0 + r1 * r1 + r2 * r2 + r3 * r3)
        towards = aim((r0, r1, r2, r3), k, beta)
        if reflect:
            g = product(towards, towards)
        else:
            found, word = drawn(abs(beta) * k * (2.0 / 3.0), word)
            g = product(found, towards)
        g00, g01 = complex(g[0], g[3]), complex(g[2], g[1])
        rows_turned(u, p, q, g00, g01)
        rows_turned(m, p, q, g00, g01)
    stored(u, links[x, mu])


@inner
def stored(u: np.ndarray, link: np.ndarray):
    """u made unitary of determinant 1: two rows orthonormal, the third the conjugate of their product."""
    size = 0.0
    for j in range(3):
        size += u[0, j].real ** 2 + u[0, j].imag ** 2
    scale = 1.0 / np.sqrt(size)
    inside = 0.0 + 0.0j
    for j in range(3):
        u[0, j] *= scale
        inside += np.conj(u[0, j]) * u[1, j]
    size = 0.0
    for j in range(3):
        u[1, j] -= inside * u[0, j]
        size += u[1, j].real ** 2 + u[1, j].imag ** 2
    scale = 1.0 / np.sqrt(size)
    for j in range(3):
        u[1, j] *= scale
    for j in range(3):
        b, c = (j + 1) % 3, (j + 2) % 3
        u[2, j] = np.conj(u[0, b] * u[1, c] - u[0, c] * u[1, b])
    link[:] = u


@kernel
def run(
    links: np.ndarray,
    order: np.ndarray,
    ahead: np.ndarray,
    behind: np.ndarray,
    directions: tuple[int, int],
    beta: float,
    keys: np.ndarray,
    first: int,
    passes: int,
    period: int,
):
    """As `host_su2.run`, of links complex (chains, V, d, 3, 3)."""
    volume, d = links.shape[1], links.shape[2]
    room = np.empty((3, 3, 3), np.complex128)
    for chain in range(links.shape[0]):
        of_chain, k0, k1 = links[chain], keys[chain, 0], keys[chain, 1]
        for number in range(first, first + passes):
            for mu in range(directions[0], directions[1]):
                for x in order:
                    word = stream(k0, k1, (number * volume + x) * d + mu)
                    renewed(of_chain, ahead, behind, x, mu, beta, word, number % period != 0, room)
