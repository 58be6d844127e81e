r"""How the β's of an annealed path are spaced.

The work lost on a stretch of the path is ζ(β) β̇² to first order, with a friction ζ that is the variance of
df/dβ times its relaxation time; the least loss in a given number of steps has β̇ ∝ 1/√ζ (Sivak & Crooks, Phys.
Rev. Lett. 108, 190602, 2012). A quick walk there and back over the path cut into stretches tells ζ: what a
stretch loses is half the difference of the two directions' mean work, and half the covariance of its work
with that of the whole walk. In a trained machine it is concentrated where the modes form.

A schedule is chosen with chains of its own, so that the walks which use it stay unbiased.
"""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from numpy.typing import ArrayLike

from intertwine._checks import fail, one_of, positive_int
from intertwine.boltzmann.partition.annealing import anneal_between, begin, padded, resampled, sweeps
from intertwine.models.machines.layered import State
from intertwine.models.machines.tempered import TemperedPath

SPACINGS = ("adapted", "linear", "sigmoid")
_SIGMOID = 4.0
"""The range ±4 of the sigmoidal schedule (Grosse, Maddison & Salakhutdinov 2013)."""
_STRETCHES = 40
_SHARE = 0.05
"""Of the temperatures, spent on each quick walk."""
_FLOOR = 0.15
"""The part of the temperatures that is spread evenly whatever the quick walks say."""


def schedule(temperatures: int | ArrayLike, spacing: str = "linear") -> np.ndarray:
    """The β's 0 = β_0 < … < β_K = 1: float64 (K + 1,).

    temperatures: how many steps K, or the β's themselves. spacing: "linear", or "sigmoid" (denser at both
    ends).

    Raises InputError for β's that do not increase from 0 to 1, and unknown spacings.

    >>> schedule(4).tolist()
    [0.0, 0.25, 0.5, 0.75, 1.0]
    >>> schedule([0, 0.9, 1]).tolist()
    [0.0, 0.9, 1.0]
    """
    if np.ndim(temperatures) == 1:
        betas = np.asarray(temperatures, np.float64)
        if len(betas) < 2 or betas[0] != 0 or betas[-1] != 1 or not (np.diff(betas) > 0).all():
            raise fail("temperatures", "β's that increase from 0 to 1", betas.tolist(), "or give how many")
        return betas
    count = positive_int("temperatures", temperatures, "give how many, or the β's from 0 to 1")
    t = np.linspace(0, 1, count + 1)
    if one_of("spacing", spacing, SPACINGS) != "sigmoid":
        return t
    raw = 1 / (1 + np.exp(_SIGMOID * (1 - 2 * t)))
    betas = (raw - raw[0]) / (raw[-1] - raw[0])
    betas[-1] = 1.0
    return betas


def adapted(path: TemperedPath, count: int, chains: int, *, key: Array) -> np.ndarray:
    """`count` steps spaced for the least loss on this path: float64 (count + 1,). Costs a sixth of a walk."""
    steps = int(_SHARE * count / _STRETCHES)
    if steps < 1:
        return schedule(count)
    keys = jax.random.split(key, 5)
    betas = np.linspace(0, 1, _STRETCHES * steps + 1)
    state, there = _walk(path, begin(path, chains, keys[0]), betas, steps, keys[1])
    rows = resampled(there.sum(0), np.random.default_rng(int(jax.random.bits(keys[2], dtype=jnp.uint32))))
    state = sweeps(path.model, tuple(np.asarray(x)[rows] for x in state), len(betas) - 1, keys[3])
    _, back = _walk(path, state, betas[::-1], steps, keys[4])
    back = -back[::-1]
    loss = 0.5 * (back.mean(1) - there.mean(1))
    for walk in (there, back):
        centred = walk - walk.mean(1, keepdims=True)
        loss = loss + 0.25 * centred @ centred.sum(0) / (chains - 1)
    density = np.sqrt(np.maximum(_smooth(_smooth(loss)), 0))
    if not (np.isfinite(density).all() and density.sum() > 0):
        return schedule(count)
    density = (1 - _FLOOR) * density / density.mean() + _FLOOR
    place = np.concatenate([[0.0], np.cumsum(density) / density.sum()])
    found = np.interp(np.linspace(0, 1, count + 1), place, np.linspace(0, 1, _STRETCHES + 1))
    found[0], found[-1] = 0.0, 1.0
    return found


def _walk(
    path: TemperedPath, state: State, betas: np.ndarray, steps: int, key: Array
) -> tuple[State, np.ndarray]:
    """The state at the end, and the work of every stretch and chain (stretches, chains)."""
    found, betas = [], padded(betas)
    for first in range(0, _STRETCHES * steps, steps):
        walked = anneal_between(path, betas, first, first + steps, state, key)
        state = walked.state
        found.append(walked.log_weights())
    return state, np.array(found)


def _smooth(x: np.ndarray) -> np.ndarray:
    return np.convolve(np.pad(x, 1, mode="edge"), (0.25, 0.5, 0.25), "valid")
