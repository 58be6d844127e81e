r"""ln p(s) of rows under a normalised density, nats: no ln Z is needed."""

from __future__ import annotations

from functools import partial

import jax
import numpy as np
from jax import Array
from jaxtyping import Float, PyTree, Shaped
from numpy.typing import ArrayLike

from intertwine._checks import fail
from intertwine.boltzmann.objectives.density import DensityLikelihood, log_density
from intertwine.learning.batches import Batches, host_array
from intertwine.spaces.hilbert.hilbert_space import HilbertSpace

_ROWS = 1024


def log_densities(model: PyTree, data: ArrayLike) -> Float[np.ndarray, " rows"]:
    """ln p of each row: configurations as the model's space writes them, or of two-level modes 0 and 1
    (`bits_of`).

    >>> import intertwine as it
    >>> density = it.MaskedDense(3, layers=1, features=4, key=jax.random.key(0))
    >>> rows = density.hilbert.configurations()
    >>> bool(abs(np.exp(log_densities(density, rows)).sum() - 1) < 1e-5)
    True
    """
    rows, space = host_array(data), model.hilbert
    if rows.ndim != 2 or rows.shape[1] != space.size:
        raise fail("data", f"rows of {space.size} columns", f"shape {rows.shape}")
    objective = DensityLikelihood(bits_of(space, not (rows < 0).any()))
    if not are_configurations(space, rows, objective.bits):
        raise fail("data", f"configurations of {space!r}", "others", "as the space writes them, or 0 and 1")
    parts = []
    for start in range(0, len(rows), _ROWS):
        part = rows[start : start + _ROWS]
        filled = np.pad(part, ((0, _ROWS - len(part)), (0, 0)), mode="edge")
        parts.append(np.asarray(_compiled(objective, model, filled), float)[: len(part)])
    return np.concatenate(parts)


def bits_of(space: HilbertSpace, unsigned: bool) -> int:
    """What 1 stands for in rows of 0 and 1: the spin +1, or a particle, an excited atom, which is −1 in a
    configuration; 0 where rows are configurations as they are (unsigned: no entry is below 0).

    >>> from intertwine.spaces.hilbert.kinds import Fermions, Spins
    >>> bits_of(Spins(4), True), bits_of(Fermions(4, 2), True), bits_of(Spins(4), False)
    (1, -1, 0)
    """
    if not (space.binary and unsigned):
        return 0
    return 1 if space.kind == "spins" else -1


def are_configurations(space: HilbertSpace, rows: Shaped[np.ndarray, "B N"], bits: int) -> bool:
    """Whether all rows are configurations of `space`, with `bits` as in `DensityLikelihood`."""
    with np.errstate(invalid="ignore"):
        written = bits * (2 * rows - 1) if bits else rows
        levels = (1 - written) / 2 if space.binary else written
        inside = (levels == np.round(levels)) & (levels >= 0) & (levels < np.array(space.levels))
    return bool(inside.all()) and bool(np.all(space.allows(space.written(levels.astype(np.int8)))))


@partial(jax.jit, static_argnames="objective")
def _compiled(objective: DensityLikelihood, model: PyTree, rows: Array) -> Array:
    return log_density(model, objective.configurations(rows))


def likelihood_gap(model: PyTree, batches: Batches, held_out: np.ndarray) -> dict[str, float]:
    """The mean −ln p of held-out rows, and how far it lies above that of as many training rows, nats."""
    seen = host_array(batches.arrays[0][: len(held_out)])
    theirs, ours = (-float(log_densities(model, rows).mean()) for rows in (held_out, seen))
    return {"validation_negative_log_likelihood": theirs, "likelihood_gap": theirs - ours}
