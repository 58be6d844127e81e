"""Meshes that tests share: a Möbius strip, a sheet, a torus, a bumpy sheet with saddles."""

from pathlib import Path

import numpy as np

SPOT = Path(__file__).parent / "spot.obj"
"""A cow of 2,930 vertices with texture seams, by Keenan Crane (public domain)."""


def mobius(n=24, w=4):
    u, v = np.linspace(0, 2 * np.pi, n, endpoint=False), np.linspace(-0.4, 0.4, w)
    a, b = (part.reshape(-1) for part in np.meshgrid(u, v, indexing="ij"))
    r = 1 + b * np.cos(a / 2)
    points = np.stack([r * np.cos(a), r * np.sin(a), b * np.sin(a / 2)], axis=1)
    faces = []
    for i in range(n):
        for j in range(w - 1):
            k, (c, d) = (i + 1, (j, j + 1)) if i < n - 1 else (0, (w - 1 - j, w - 2 - j))
            faces += [[i * w + j, k * w + c, k * w + d], [i * w + j, k * w + d, i * w + j + 1]]
    return points, np.array(faces)


def sheet(n=6, height=None):
    x, y = (part.reshape(-1).astype(float) for part in np.meshgrid(np.arange(n), np.arange(n), indexing="ij"))
    z = np.zeros_like(x) if height is None else height(x, y)
    a = np.array([i * n + j for i in range(n - 1) for j in range(n - 1)])
    faces = np.concatenate([np.stack([a, a + n, a + n + 1], 1), np.stack([a, a + n + 1, a + 1], 1)])
    return np.stack([x, y, z], axis=1), faces


def bumpy(n=6):
    """Hills and saddles, as steep as 45 degrees."""
    return sheet(n, lambda x, y: 0.9 * np.sin(1.7 * x + 0.3) * np.cos(1.3 * y))


def torus(n=24, m=12, big=1.0, small=0.4, seed=None):
    """Positions and faces; jittered along the surface by `seed`."""
    u, v = (part.reshape(-1) for part in np.meshgrid(np.arange(n), np.arange(m), indexing="ij"))
    faces = []
    for i in range(n):
        for j in range(m):
            a, b = i * m + j, (i + 1) % n * m + j
            c, d = (i + 1) % n * m + (j + 1) % m, i * m + (j + 1) % m
            faces += [[a, b, c], [a, c, d]]
    u, v = u * 2 * np.pi / n, v * 2 * np.pi / m
    if seed is not None:
        noise = np.random.default_rng(seed).uniform(-0.2, 0.2, (2, n * m))
        u, v = u + noise[0] * 2 * np.pi / n, v + noise[1] * 2 * np.pi / m
    r = big + small * np.cos(v)
    return np.stack([r * np.cos(u), r * np.sin(u), small * np.sin(v)], axis=1), np.array(faces)
