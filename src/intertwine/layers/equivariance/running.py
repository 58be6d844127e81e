"""Functions under test: layers, networks and functions of one's own as functions of a batch."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import equinox as eqx
import jax
import numpy as np
from jax import Array
from jaxtyping import PyTree

from intertwine.layers.equivariance.action import Action


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


@eqx.filter_jit
def compiled(subjects: list[PyTree], inputs: list[Array]) -> list[Array]:
    return [plain(subject)(x) for subject, x in zip(subjects, inputs, strict=True)]


def plain(subject: PyTree) -> Callable[[Any], Any]:
    return subject.outputs if hasattr(subject, "outputs") else subject
