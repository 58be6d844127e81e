r"""Compiled heat bath and overrelaxation of SU(2) links, quaternions of length 1.

    e^{(β/2) tr U A} = e^{a x_0},      A = k V the staples of a link,   X = U V,   a = βk
    p(x_0) ∝ √(1 − x_0²) e^{a x_0},    the rest of X from the sphere,   U = X V†

a > 2: x_0 = 1 − 2λ², λ² = −(ln r_1 + cos²(2π r_2) ln r_3)/2a, kept with probability √(1 − λ²), which accepts
more the larger a (Kennedy & Pendleton, Phys. Lett. B 156, 393, 1985); below: x_0 from e^{a x_0}, kept with
probability √(1 − x_0²) (Creutz, Phys. Rev. D 21, 2308, 1980). Overrelaxation takes X to X†, with the same
weight (Creutz, Phys. Rev. D 36, 515, 1987).
"""

from __future__ import annotations

import numpy as np

from intertwine._compile import inner, kernel
from intertwine.sampling.host_counter import GAMMA, stream, unit

Quaternion = tuple[float, float, float, float]


@inner
def product(a: Quaternion, b: Quaternion) -> Quaternion:
    """a b."""
    return (
        a[0] * b[0] - a[1] * b[1] - a[2] * b[2] - a[3] * b[3],
        a[0] * b[1] + a[1] * b[0] - a[2] * b[3] + a[3] * b[2],
        a[0] * b[2] + a[2] * b[0] - a[3] * b[1] + a[1] * b[3],
        a[0] * b[3] + a[3] * b[0] - a[1] * b[2] + a[2] * b[1],
    )


@inner
def conjugate(a: Quaternion) -> Quaternion:
    """a†."""
    return (a[0], -a[1], -a[2], -a[3])


@inner
def read(links: np.ndarray, x: int, mu: int) -> Quaternion:
    """U_μ(x) in double precision."""
    return (
        np.float64(links[x, mu, 0]),
        np.float64(links[x, mu, 1]),
        np.float64(links[x, mu, 2]),
        np.float64(links[x, mu, 3]),
    )


@inner
def staple(links: np.ndarray, ahead: np.ndarray, behind: np.ndarray, x: int, mu: int) -> Quaternion:
    """A, the sum of the open plaquettes around the link."""
    a0 = a1 = a2 = a3 = 0.0
    next_x = ahead[x, mu]
    for nu in range(links.shape[1]):
        if nu != mu:
            up = read(links, ahead[x, nu], mu)
            one = product(read(links, next_x, nu), conjugate(product(read(links, x, nu), up)))
            below = behind[x, nu]
            there = product(read(links, below, mu), read(links, behind[next_x, nu], nu))
            two = product(conjugate(there), read(links, below, nu))
            a0 += one[0] + two[0]
            a1 += one[1] + two[1]
            a2 += one[2] + two[2]
            a3 += one[3] + two[3]
    return (a0, a1, a2, a3)


@inner
def aim(a: Quaternion, k: float, beta: float) -> Quaternion:
    """V†, V being the direction of A = k V that β favours; 1 where the link is free."""
    if k < 1e-12:
        return (1.0, 0.0, 0.0, 0.0)
    scale = 1.0 / k if beta >= 0.0 else -1.0 / k
    return (a[0] * scale, -a[1] * scale, -a[2] * scale, -a[3] * scale)


@inner
def drawn(a: float, word: np.uint64) -> tuple[Quaternion, np.uint64]:
    """X with the weight e^{a x_0}, a ≥ 0, and the stream after it."""
    if a > 2.0:
        while True:
            s = 2.0
            u = 0.0
            while s >= 1.0:  # cos² of a random angle, and s uniform
                word += GAMMA
                u = 2.0 * unit(word) - 1.0
                word += GAMMA
                v = 2.0 * unit(word) - 1.0
                s = u * u + v * v
            word += GAMMA
            half = -(np.log(unit(word)) + np.log(s) * (u * u / s)) / (2.0 * a)
            word += GAMMA
            r = unit(word)
            if r * r <= 1.0 - half:
                x0 = 1.0 - 2.0 * half
                break
    else:
        a = max(a, 1e-12)
        span = np.expm1(-2.0 * a)
        while True:
            word += GAMMA
            x0 = 1.0 + np.log1p(unit(word) * span) / a
            word += GAMMA
            r = unit(word)
            if r * r <= 1.0 - x0 * x0:
                break
    s = 2.0
    u = v = 0.0
    while s >= 1.0:
        word += GAMMA
        u = 2.0 * unit(word) - 1.0
        word += GAMMA
        v = 2.0 * unit(word) - 1.0
        s = u * u + v * v
    length = np.sqrt(max(1.0 - x0 * x0, 0.0))
    root = 2.0 * np.sqrt(1.0 - s) * length
    return (x0, root * u, root * v, length * (1.0 - 2.0 * s)), word


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
):
    """The link drawn anew, or reflected."""
    a = staple(links, ahead, behind, x, mu)
    k = np.sqrt(a[0] * a[0] + a[1] * a[1] + a[2] * a[2] + a[3] * a[3])
    towards = aim(a, k, beta)
    if reflect:
        new = product(product(towards, conjugate(read(links, x, mu))), towards)
    else:
        found, word = drawn(abs(beta) * k, word)
        new = product(found, towards)
    size = new[0] * new[0] + new[1] * new[1] + new[2] * new[2] + new[3] * new[3]
    scale = 1.0 / np.sqrt(size)
    links[x, mu, 0] = new[0] * scale
    links[x, mu, 1] = new[1] * scale
    links[x, mu, 2] = new[2] * scale
    links[x, mu, 3] = new[3] * scale


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
    """`passes` over the links: one in `period` draws anew (pass numbers that are multiples of it), the others
    reflect.

    links: (chains, V, d, 4), changed. order: int32, the sites that are visited, colour after colour. ahead,
    behind: int32 (V, d), x ± μ. directions: the first and the one after the last. keys: uint64 (chains, 4).
    first: the number of the first pass.
    """
    volume, d = links.shape[1], links.shape[2]
    for chain in range(links.shape[0]):
        of_chain, k0, k1 = links[chain], keys[chain, 0], keys[chain, 1]
        for number in range(first, first + passes):
            for mu in range(directions[0], directions[1]):
                for x in order:
                    word = stream(k0, k1, (number * volume + x) * d + mu)
                    renewed(of_chain, ahead, behind, x, mu, beta, word, number % period != 0)
