"""A space with a continuous structure group, defined outside the package.

Tangent frames around a ring, carried from point to point by given angles, all turned alike by SO(2): the
kernels at a point and its neighbours are Hom_SO(2).
"""

import jax.numpy as jnp
import numpy as np

from intertwine.layers.executors.protocol import FiniteExecutor
from intertwine.symmetry import CompactGroup, commuting_maps


class Carried(FiniteExecutor):
    """κ at the point itself, and at its neighbours after their fibres were carried there."""

    def apply(self, plan, kernel, x):
        kernel, turns = kernel.astype(x.dtype), plan.space.turns(plan.rep_in).astype(x.dtype)
        ahead = jnp.einsum("nij,...nj->...ni", turns, jnp.roll(x, -1, axis=-2))
        behind = jnp.roll(jnp.einsum("nji,...nj->...ni", turns, x), 1, axis=-2)
        return x @ kernel[0] + ahead @ kernel[1] + behind @ kernel[2]


class Ring:
    """n points with frames; the fibre at i + 1 is carried to i by a turn of `angles[i]`."""

    executor = Carried()
    axes = 1
    common_frame = False

    def __init__(self, angles, group="SO(2)"):
        self.angles = tuple(map(float, angles))
        self.group = self.fibre_group = CompactGroup(group)
        self.shape = (len(self.angles),)
        self.measure = np.arange(1, len(self.angles) + 1) / (len(self.angles) * (len(self.angles) + 1) / 2)

    def turns(self, rep):
        c, s = np.cos(self.angles), np.sin(self.angles)
        return rep.matrix(np.stack([np.stack([c, -s], -1), np.stack([s, c], -1)], -2))

    def kernel_basis(self, into, out, region):
        maps = commuting_maps(into, out).transpose(0, 2, 1)
        return np.einsum("xy,nio->xnyio", np.eye(3), maps).reshape(-1, 3, into.dimension, out.dimension)

    def act(self, element, field, rep):
        return field @ rep.matrix(element).T.astype(field.dtype)

    def __eq__(self, other):
        return isinstance(other, Ring) and (self.angles, self.group) == (other.angles, other.group)

    def __hash__(self):
        return hash((self.angles, self.group))


RING = Ring([0.3, -1.1, 2.0, 0.5, 0.7])
FLAT = Ring([0.0] * 4, "O(2)")
