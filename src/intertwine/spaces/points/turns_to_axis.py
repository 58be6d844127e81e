r"""Rotations that turn a direction to the polar axis, and their Wigner matrices, in JAX.

    R(u) u = e_y,        R(u) = 1 + [v] + [v]²/(1 + u_y),   v = u × e_y        (Rodrigues)

for u_y ≥ 0; for u_y < 0 the half turn F about x comes first, R(u) = R(F u) F, so that nothing is singular
anywhere. (The two differ on the equator by a rotation about the axis, with which what is done in the turned
frame commutes.) In the basis of `harmonics` D¹(R) = R, and each degree is made of the one before by the
stretched coupling, an isometry S from degree l + 1 to l ⊗ 1:

    D^{l+1} = Sᵀ (D^l ⊗ R) S.
"""

from __future__ import annotations

from functools import lru_cache

import jax.numpy as jnp
import numpy as np
from jax import Array
from jaxtyping import Float

from intertwine.spaces.points.harmonics import unit_vectors
from intertwine.symmetry._images import frozen
from intertwine.symmetry.wigner import clebsch_gordan_so3


def turns_to_axis(vectors: Float[Array, "... 3"]) -> Float[Array, "... 3 3"]:
    """A rotation that turns each vector to the y axis; for the zero vector some matrix.

    >>> turn = turns_to_axis(jnp.array([0.0, 0.0, 2.0]))
    >>> (turn @ jnp.array([0.0, 0.0, 1.0])).tolist()
    [0.0, 1.0, 0.0]
    """
    u = unit_vectors(vectors)
    up = u[..., 1] >= 0
    sign = jnp.where(up, 1.0, -1.0).astype(u.dtype)
    x, y, z = u[..., 0], sign * u[..., 1], sign * u[..., 2]
    share = 1 / (1 + y)
    one = [1 - x * x * share, -x, -x * z * share]
    two = [x, y, z]
    three = [one[2], -z, 1 - z * z * share]
    rows = [jnp.stack([row[0], sign * row[1], sign * row[2]], -1) for row in (one, two, three)]
    return jnp.stack(rows, -2)


def wigner_matrices(rotations: Float[Array, "... 3 3"], degree: int) -> list[Float[Array, "... m m"]]:
    """D^l for l = 0 … degree, of rotations: Y_l(R x) = D^l(R) Y_l(x) for `harmonics`.

    >>> [d.shape for d in wigner_matrices(jnp.eye(3), 2)]
    [(1, 1), (3, 3), (5, 5)]
    """
    lead = rotations.shape[:-2]
    found = [jnp.ones((*lead, 1, 1), rotations.dtype)]
    for k in range(degree):
        if k == 0:
            found.append(rotations)
            continue
        d, s = 2 * k + 1, jnp.asarray(_isometry(k), rotations.dtype)  # (d·3, d + 2)
        both = found[-1][..., :, None, :, None] * rotations[..., None, :, None, :]
        both = jnp.matmul(both.reshape(*lead, 3 * d, 3 * d), s, precision="highest")
        found.append(jnp.matmul(s.T, both, precision="highest"))
    return found


@lru_cache(maxsize=64)
def _isometry(degree: int) -> Float[np.ndarray, "products m"]:
    table = clebsch_gordan_so3(degree, 1, degree + 1)
    return frozen(np.ascontiguousarray(table.reshape(-1, table.shape[-1])))
