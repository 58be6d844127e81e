r"""Compiled heat bath of abelian links: angles of U(1), whole numbers of Z_N.

A link of U(1) sees e^{βk cos(θ + φ)}, A = k e^{iφ} its staples: θ + φ is drawn from von Mises' distribution
by rejection from a wrapped Cauchy (Best & Fisher, Appl. Stat. 28, 152, 1979); overrelaxation takes θ + φ to
−(θ + φ). A link of Z_N is drawn from its N weights e^{β Re e^{2πi k/N} A}.
"""

from __future__ import annotations

import numpy as np

from intertwine._compile import inner, kernel
from intertwine.sampling.host_counter import GAMMA, stream, unit


@inner
def von_mises(kappa: float, word: np.uint64) -> float:
    """An angle with the density e^{κ cos θ}, κ ≥ 0."""
    if kappa < 1e-6:  # e^{κ cos θ} = 1 + κ cos θ to 1e-12
        while True:
            word += GAMMA
            angle = np.pi * (2.0 * unit(word) - 1.0)
            word += GAMMA
            if unit(word) * (1.0 + kappa) <= 1.0 + kappa * np.cos(angle):
                return angle
    tau = 1.0 + np.sqrt(1.0 + 4.0 * kappa * kappa)
    rho = (tau - np.sqrt(2.0 * tau)) / (2.0 * kappa)
    r = (1.0 + rho * rho) / (2.0 * rho)
    while True:
        word += GAMMA
        z = np.cos(np.pi * unit(word))
        f = (1.0 + r * z) / (r + z)
        c = kappa * (r - f)
        word += GAMMA
        u = unit(word)
        if c * (2.0 - c) > u or np.log(c / u) + 1.0 - c >= 0.0:
            word += GAMMA
            angle = np.arccos(min(max(f, -1.0), 1.0))
            return angle if unit(word) < 0.5 else -angle


@kernel
def run_angles(
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
    """As `host_su2.run`, of angles (chains, V, d)."""
    volume, d = links.shape[1], links.shape[2]
    for chain in range(links.shape[0]):
        u, k0, k1 = links[chain], keys[chain, 0], keys[chain, 1]
        for number in range(first, first + passes):
            for mu in range(directions[0], directions[1]):
                for x in order:
                    word = stream(k0, k1, (number * volume + x) * d + mu)
                    next_x = ahead[x, mu]
                    re = im = 0.0
                    for nu in range(d):
                        if nu != mu:
                            above = np.float64(u[next_x, nu]) - u[ahead[x, nu], mu] - u[x, nu]
                            low = behind[x, nu]
                            below = np.float64(u[low, nu]) - u[low, mu] - u[behind[next_x, nu], nu]
                            re += np.cos(above) + np.cos(below)
                            im += np.sin(above) + np.sin(below)
                    re, im = beta * re, beta * im
                    phase = np.arctan2(im, re)
                    if number % period != 0:
                        angle = -2.0 * phase - u[x, mu]
                    else:
                        angle = von_mises(np.sqrt(re * re + im * im), word) - phase
                    u[x, mu] = angle - 2.0 * np.pi * np.floor(angle / (2.0 * np.pi) + 0.5)


@kernel
def run_whole_numbers(
    links: np.ndarray,
    order: np.ndarray,
    ahead: np.ndarray,
    behind: np.ndarray,
    directions: tuple[int, int],
    beta: float,
    keys: np.ndarray,
    first: int,
    passes: int,
    roots: np.ndarray,
):
    """As `host_su2.run`, of int8 (chains, V, d); every pass draws. roots: complex (N,), e^{2πi k/N}."""
    volume, d, states = links.shape[1], links.shape[2], len(roots)
    weights = np.empty(states)
    for chain in range(links.shape[0]):
        u, k0, k1 = links[chain], keys[chain, 0], keys[chain, 1]
        for number in range(first, first + passes):
            for mu in range(directions[0], directions[1]):
                for x in order:
                    word = stream(k0, k1, (number * volume + x) * d + mu)
                    next_x = ahead[x, mu]
                    around = 0.0 + 0.0j
                    for nu in range(d):
                        if nu != mu:
                            low = behind[x, nu]
                            above = int(u[next_x, nu]) - u[ahead[x, nu], mu] - u[x, nu]
                            below = int(u[low, nu]) - u[low, mu] - u[behind[next_x, nu], nu]
                            around += roots[above % states] + roots[below % states]
                    top = -np.inf
                    for k in range(states):
                        weights[k] = beta * (roots[k].real * around.real - roots[k].imag * around.imag)
                        top = max(top, weights[k])
                    total = 0.0
                    for k in range(states):
                        total += np.exp(weights[k] - top)
                        weights[k] = total
                    mark = unit(word + GAMMA) * total
                    new = 0
                    while new < states - 1 and weights[new] <= mark:
                        new += 1
                    u[x, mu] = new
