r"""Product states of spins: ⊗_i (u_i |↑⟩ + d_i |↓⟩), by name, by angles or by their spinors.

    |θ, φ⟩ = cos(θ/2) |↑⟩ + e^{iφ} sin(θ/2) |↓⟩,

the spin along (sin θ cos φ, sin θ sin φ, cos θ) on the Bloch sphere. Spin up is s = +1.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from intertwine._checks import fail, positive_int

_ALONG = {
    "+x": (np.pi / 2, 0.0),
    "-x": (np.pi / 2, np.pi),
    "+y": (np.pi / 2, np.pi / 2),
    "-y": (np.pi / 2, -np.pi / 2),
    "up": (0.0, 0.0),
    "down": (np.pi, 0.0),
}
NAMES = (*_ALONG, "neel")


def spinors(size: int, state: str | ArrayLike) -> np.ndarray:
    """The normalised (u_i, d_i) of each site, complex128 (size, 2).

    state: a name ("+x", "-x", "+y", "-y", "up", "down", "neel": up on even sites), angles θ (size,) or pairs
    (θ, φ) (size, 2) in radians, or complex spinors (size, 2), which are normalised.

    Raises `InputError` for other names and shapes, numbers that are not finite, and spinors that are 0.

    >>> spinors(2, "neel").real.tolist(), spinors(1, [np.pi]).real.round(12).tolist()
    ([[1.0, 0.0], [0.0, 1.0]], [[0.0, 1.0]])
    """
    size = positive_int("size", size, "give the number of spins")
    if isinstance(state, str):
        if state == "neel":
            out = np.zeros((size, 2), complex)
            out[np.arange(size), np.arange(size) % 2] = 1
            return out
        if state not in _ALONG:
            raise fail("state", "one of " + ", ".join(map(repr, NAMES)) + ", or angles", state)
        angles = np.tile(_ALONG[state], (size, 1))
    else:
        given = np.asarray(state)
        if given.shape not in ((size,), (size, 2)) or not np.issubdtype(given.dtype, np.number):
            raise fail("state", f"a name, or numbers of shape ({size},) or ({size}, 2)", state)
        if not np.all(np.isfinite(given)):
            raise fail("state", "finite numbers", state)
        if np.iscomplexobj(given):
            norms = np.linalg.norm(given, axis=-1, keepdims=True)
            if given.ndim != 2 or np.any(norms == 0):
                raise fail("state", f"spinors of shape ({size}, 2), none of them 0", state)
            return given / norms
        angles = given if given.ndim == 2 else np.stack([given, np.zeros(size)], axis=1)
    half, phase = angles[:, 0] / 2, angles[:, 1]
    out = np.stack([np.cos(half) + 0j, np.exp(1j * phase) * np.sin(half)], axis=1)
    out[np.abs(out) < 1e-16] = 0
    return out


def product_vector(size: int, state: str | ArrayLike) -> np.ndarray:
    """The product state as a vector, complex128 (2^size,); site 0 is the most significant bit, bit 0 ↔
    s = +1.

    state: as `spinors`.

    >>> product_vector(2, "up").real.tolist()
    [1.0, 0.0, 0.0, 0.0]
    """
    out = np.ones(1, complex)
    for spinor in spinors(size, state):
        out = np.kron(out, spinor)
    return out
