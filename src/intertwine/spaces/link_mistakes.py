"""What is often done wrong with links, each found by an experiment on the function itself."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import jax
import jax.numpy as jnp
import numpy as np

from intertwine.spaces.link_fields import parts, together, transformed_field
from intertwine.symmetry.gauge_rep import GaugeRep

if TYPE_CHECKING:
    from intertwine.spaces.links import Links

Function = Callable[[Any], Any]
_PHASE = np.exp(0.37j)


def likely_mistake(links: Links, function: Function, x: np.ndarray, rep_in: Any, rep_out: Any) -> str:
    """A sentence without a full stop, or "" where none of the experiments says anything.

    A phase on every link: what was carried to x and whatever closes has as many links as daggers, and does
    not see it. A frame at one site: what is computed at other sites does not see it. Matrices transposed: a
    dagger without its conjugation turns with the conjugate frames.
    """
    if not isinstance(rep_in, GaugeRep) or not isinstance(rep_out, GaugeRep) or not rep_in.count("link"):
        return ""
    y = np.asarray(function(x))
    if y.ndim != x.ndim or y.shape[:-1] != x.shape[:-1]:
        return "it changes with the frames: numbers are read out that are no traces of closed paths"
    found = parts(rep_in, jnp.asarray(x))
    found["link"] = found["link"] * _PHASE
    turned = np.asarray(function(np.asarray(together(rep_in, found, x.ndim - 1))))
    if not rep_out.count("fundamental") and _changed(_body(rep_out, turned), _body(rep_out, y)):
        return (
            "a link is used without its dagger, or a dagger too many: with a phase on every link its output "
            "changes, as that of paths that come back does not"
        )
    site = (slice(None), *[0] * links.axes)
    gauge = np.array(links.group.identity(links.extent))
    random = np.asarray(links.random_elements(1, key=jax.random.key(0))[0])
    gauge[site[1:]] = random[site[1:]]

    def act(field: np.ndarray, rep: GaugeRep) -> np.ndarray:
        return np.asarray(transformed_field(links, jnp.asarray(gauge), jnp.asarray(field), rep))

    moved = np.asarray(function(act(x, rep_in)))
    gap = np.abs(_body(rep_out, moved) - _body(rep_out, y))
    gap[site] = 0
    if gap.max() > 1e-6 * max(np.abs(y).max(), 1e-30):
        return (
            "its output at a site changes with the frame of another site: what comes from there is not "
            "carried by the links (a missing transport), or with the dagger on the wrong side"
        )
    flipped, there = _transposed(rep_out, y), _transposed(rep_out, moved)
    if rep_out.count("adjoint") and not _changed(there, act(flipped, rep_out)):
        return "its matrices are transposed, not daggered: the conjugation is forgotten"
    return ""


def _transposed(rep: GaugeRep, y: np.ndarray) -> np.ndarray:
    found = parts(rep, jnp.asarray(y))
    if "adjoint" in found:
        found["adjoint"] = jnp.swapaxes(found["adjoint"], -1, -2)
    return np.asarray(together(rep, found, y.ndim - 1))


def _body(rep: GaugeRep, y: np.ndarray) -> np.ndarray:
    """The channels after those of the links."""
    return y[..., rep.count("link") * 2 * rep.group.dimension**2 :]


def _changed(a: np.ndarray, b: np.ndarray) -> bool:
    return bool(np.abs(a - b).max() > 1e-6 * max(np.abs(b).max(), 1e-30))
