r"""Frames of the tangent planes, and fields under a change of them.

At first the frame of a vertex has its first axis along the first edge of its fan (φ = 0) and its second a
quarter turn further in the direction of the fan. Any other choice is an element h_v = R(γ_v) or R(γ_v) s at
every vertex, which turns the axes (e_0, e_1) into (e_0, e_1) h_v: a gauge. Components, directions and
transport become

    f'(v) = ρ(h_v)⁻¹ f(v),      φ' = ±(φ − γ_v),      g'_ij = h_i⁻¹ g_ij h_j,

s the reflection of the second axis, − where there is one.
"""

from __future__ import annotations

from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float, Int, Shaped

from intertwine.spaces.mesh.surface import Surface
from intertwine.spaces.protocols import Field
from intertwine.symmetry.compact import CompactRep


class Frames(NamedTuple):
    """h_v. angle: (n,) γ_v in radians. sign: (n,) 1, or −1 where the frame is reflected."""

    angle: Float[np.ndarray, " n"]
    sign: Int[np.ndarray, " n"]

    @classmethod
    def first(cls, size: int) -> Frames:
        """h_v = 1."""
        return cls(np.zeros(size), np.ones(size, np.int8))

    def after(self, other: Frames) -> Frames:
        """The frames that `other` turns these into: h h'.

        >>> a = Frames(np.array([0.5]), np.array([-1]))
        >>> a.after(Frames(np.array([0.25]), np.array([1]))).angle.tolist()
        [0.25]
        """
        return Frames(self.angle + self.sign * other.angle, self.sign * other.sign)

    def directions(self, angle: np.ndarray, vertex: np.ndarray) -> np.ndarray:
        """φ' of directions φ at vertices."""
        return self.sign[vertex] * (angle - self.angle[vertex])

    def carried(
        self, turn: np.ndarray, sign: np.ndarray, to: np.ndarray, origin: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """g' of transports R(turn), times s where sign is −1, from `origin` to `to`."""
        angle = self.sign[to] * (turn - self.angle[to] + sign * self.angle[origin])
        return angle, self.sign[to] * sign * self.sign[origin]


def random_frames(size: int, reflections: bool, *, key: jax.Array) -> Frames:
    """Uniform frames at every vertex, half of them reflected where `reflections` are allowed.

    >>> random_frames(3, False, key=jax.random.key(0)).sign.tolist()
    [1, 1, 1]
    """
    turn, mirror = (jax.random.uniform(k, (size,)) for k in jax.random.split(key))
    sign = np.where(np.asarray(mirror) < 0.5, -1, 1) if reflections else np.ones(size, int)
    return Frames(2 * np.pi * np.asarray(turn, np.float64), sign.astype(np.int8))


def turned(
    field: Shaped[Field, "... n C"], rep: CompactRep, angle: np.ndarray, sign: np.ndarray
) -> Shaped[Field, "... n C"]:
    """ρ(R(angle)) f, or ρ(R(angle) s) f where sign is −1, at every vertex, of fields (..., n, C), NumPy or
    JAX.

    >>> from intertwine.symmetry import CompactGroup
    >>> vector = CompactGroup("SO(2)").irrep(1)
    >>> turned(np.array([[1.0, 0.0]]), vector, np.array([np.pi / 2]), np.array([1])).round(12).tolist()
    [[0.0, 1.0]]
    """
    xp = jnp if isinstance(field, jax.Array) else np
    parts, start = [], 0
    for block, m in rep.blocks:
        (k, parity), d = block.irreps[0][0], block.dimension
        part = field[..., start : start + m * d]
        start += m * d
        if d == 1:
            parts.append(part if parity > 0 else part * sign[:, None].astype(field.dtype))
            continue
        c, s = (f(k * angle)[:, None].astype(field.dtype) for f in (np.cos, np.sin))
        pair = part.reshape(*part.shape[:-1], m, 2)
        x, y = pair[..., 0], pair[..., 1] * sign[:, None].astype(field.dtype)
        parts.append(xp.stack([c * x - s * y, s * x + c * y], axis=-1).reshape(part.shape))
    return parts[0] if len(parts) == 1 else xp.concatenate(parts, axis=-1)


def mirrored(field: Shaped[np.ndarray, "... n C"], rep: CompactRep) -> Shaped[np.ndarray, "... n C"]:
    """Fields whose second axes are reversed: every spin conjugated."""
    size = np.shape(field)[-2]
    return np.asarray(turned(field, rep, np.zeros(size), np.full(size, -1)))


def axes_in_space(surface: Surface, frames: Frames) -> Float[np.ndarray, "n 2 3"]:
    """The two axes of every frame as unit vectors in space, orthogonal to the normal.

    The plane is turned in itself so that directions φ and the edges, projected to it, differ least.
    """
    ring, normal = surface.rings, surface.normals
    edge = surface.positions[ring.target] - surface.positions[ring.source]
    n = normal[ring.source]
    edge -= (edge * n).sum(axis=1, keepdims=True) * n
    edge /= np.maximum(np.linalg.norm(edge, axis=1, keepdims=True), 1e-30)
    x = edge[ring.starts[:-1]]
    flat = np.linalg.norm(x, axis=1) < 0.5  # the first edge stands on the plane
    if flat.any():
        least = np.eye(3)[np.abs(normal[flat]).argmin(axis=1)]
        x[flat] = np.cross(normal[flat], least)
        x[flat] /= np.linalg.norm(x[flat], axis=1, keepdims=True)
    y = np.cross(normal, x)
    seen = (edge * x[ring.source]).sum(axis=1) + 1j * (edge * y[ring.source]).sum(axis=1)
    gap = seen * np.exp(-1j * surface.scales[ring.source] * ring.fan_angle)
    total = np.add.reduceat(gap, ring.starts[:-1])
    turn = np.angle(total)[:, None]
    x, y = np.cos(turn) * x + np.sin(turn) * y, np.cos(turn) * y - np.sin(turn) * x
    c, s = np.cos(frames.angle)[:, None], np.sin(frames.angle)[:, None]
    return np.stack([c * x + s * y, frames.sign[:, None] * (c * y - s * x)], axis=1)
