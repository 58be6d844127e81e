r"""Data that the library makes: winds on a sphere, and the tendency of vorticity that they bring about.

Random stream functions ψ with degrees l < L/2 and a steep spectrum; winds v = r̂ × grad ψ, vorticity ζ =
Δψ, and

    ∂ζ/∂t = −v·grad ζ,

the barotropic vorticity equation on the unit sphere at rest: bilinear in the winds, and with degrees below
L, so that it is exact on the grid.
"""

from __future__ import annotations

import jax
import numpy as np

from intertwine._checks import fail
from intertwine.data.fields import Axis, Fields
from intertwine.data.globe import globe_of
from intertwine.spaces.sphere.calculus import apply_operator
from intertwine.spaces.sphere.sphere import Sphere

SAMPLES, HELD_OUT = 48, 16
_LARGEST = 128


def winds(bandlimit: int, seed: int) -> tuple[Fields, Fields]:
    """(samples to learn from, samples to test with) on the Gauss-Legendre grid of L = `bandlimit`: u, v, the
    vorticity, its tendency.

    Raises InputError for L below 4 or beyond 128.
    """
    if not 4 <= bandlimit <= _LARGEST:
        raise fail("data.name", f"winds:L with L from 4 to {_LARGEST}", f"winds:{bandlimit}")
    sphere = Sphere(bandlimit)
    count = SAMPLES + HELD_OUT
    degrees = np.arange(bandlimit)
    falling = np.where((degrees > 0) & (2 * degrees < bandlimit), 1 / np.maximum(degrees, 1.0) ** 2, 0.0)
    noise = sphere.random_coefficients("scalar", count, key=jax.random.key(seed))
    stream = sphere.synthesis(noise * falling[:, None, None])
    wind = apply_operator(sphere, "rotated gradient", stream)
    vorticity = apply_operator(sphere, "laplacian", stream)
    slope = apply_operator(sphere, "gradient", vorticity)
    scale = float(np.sqrt((np.asarray(wind) ** 2).mean()))
    south, east = np.moveaxis(np.asarray(wind, np.float64), -1, 0) / scale
    tendency = -np.asarray((wind * slope).sum(-1), np.float64) / scale**2
    values = {
        "u": east,
        "v": -south,
        "vorticity": np.asarray(vorticity, np.float64)[..., 0] / scale,
        "tendency": tendency,
    }
    latitude = 90 - np.degrees(sphere.colatitudes)
    globe = globe_of(latitude, np.arange(2 * bandlimit) * 180 / bandlimit)
    axes = (Axis("sample", np.arange(count), {}),)
    whole = Fields(
        values, dict.fromkeys(values, "1"), {}, axes, globe, None, f"winds:{bandlimit}", f"seed {seed}"
    )
    return whole.take(np.arange(SAMPLES)), whole.take(np.arange(SAMPLES, count))
