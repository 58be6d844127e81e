"""Functions under test: layers, networks and functions of one's own as functions of a batch."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import equinox as eqx
import jax
import numpy as np
from jax import Array
from jaxtyping import PyTree

from intertwine._checks import fail
from intertwine.layers.equivariance.action import Action
from intertwine.layers.placed import takes_place
from intertwine.spaces.protocols import takes_clouds


class Case(NamedTuple):
    """One function to test: its name, what it is, how the group acts, and the input x (B, *space, C)."""

    name: str
    subject: Any
    function: Callable[[Any], Any]
    action: Action
    x: np.ndarray


def runner(subject: PyTree) -> Callable[[Any], Any]:
    """The function of a batch, compiled for modules."""
    if not isinstance(subject, eqx.Module):
        return plain(subject)
    return lambda x: compiled([subject], [jax.numpy.asarray(x)])[0]


class OnRows(eqx.Module):
    """What takes fields on clouds as a function of rows (B, n, d + C), positions before the channels: B
    clouds, every point in the places of all others. Rows (B, C) are values of whole clouds."""

    subject: Any
    space: Any = eqx.field(static=True)

    def __call__(self, rows: Array) -> Array:
        """(B, n, C_out) or (B, C_out)."""
        if rows.ndim == 2:
            return self.subject(rows)
        batch, n, d = rows.shape[0], rows.shape[1], self.space.dimension
        x = jax.numpy.asarray(rows[..., d:]).reshape(batch * n, -1)
        cloud = self.space.all_pairs(jax.numpy.asarray(rows[..., :d]))
        y = self.subject(x, at=cloud) if takes_place(self.subject) else self.subject(x)
        if not hasattr(y, "shape") or not y.shape or y.shape[0] not in (batch, batch * n):
            remedy = "give a function of one of several outputs: lambda x, at: network(x, at=at).forces"
            got = f"shape {y.shape}" if hasattr(y, "shape") else type(y).__name__
            raise fail(
                "subject", f"an output ({batch * n}, C) of points or ({batch}, C) of clouds", got, remedy
            )
        return y.reshape(batch, -1, *y.shape[1:]) if y.shape[0] == batch * n else y


def on_rows(subject: PyTree, space: object) -> Any:
    """`subject` as a function of a batch of arrays: itself but on clouds. What is compiled stays a module."""
    if not takes_clouds(space):
        return subject
    rows = OnRows(subject, space)
    return rows if isinstance(subject, eqx.Module) else rows.__call__


@eqx.filter_jit
def compiled(subjects: list[PyTree], inputs: list[Array]) -> list[Array]:
    return [plain(subject)(x) for subject, x in zip(subjects, inputs, strict=True)]


def plain(subject: PyTree) -> Callable[[Any], Any]:
    return subject.outputs if hasattr(subject, "outputs") else subject
