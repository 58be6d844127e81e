r"""Annealed chains: fresh, independent samples by a slow walk from independent units to the model.

Each chain begins with an exact draw of the base and takes one sweep of block Gibbs at every β of an ascending
schedule, β = 1 last (Kirkpatrick, Gelatt & Vecchi 1983; Neal, Stat. Comput. 11, 125, 2001). Chains are
independent of one another, however badly block Gibbs mixes at β = 1. They are samples of the model only as
far as the walk was slow: the importance weights

    ln w = Σ_k [ln p*_{β_k}(x_k) − ln p*_{β_{k−1}}(x_k)]

say how far that is. Their effective sample size (Σ w)²/Σ w² near the number of chains means yes; the weighted
samples are right in any case.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import jax
import numpy as np
from jax import Array
from jaxtyping import Float

from intertwine._checks import positive_int
from intertwine.models.machines.layered import LayeredMachine, Layers, State, layered
from intertwine.models.machines.tempered import tempered_path
from intertwine.sampling.gibbs.clamped import clamp_of
from intertwine.sampling.modes import Modes, easy_end, easy_end_over
from intertwine.sampling.protocols import Independent
from intertwine.sampling.walk import walk


@dataclass(frozen=True, eq=False)
class Annealed:
    """Annealed chains of a machine of layers (RBM, DBM), for `it.sample`: p = Ψ/Z.

    steps: sweeps of a chain, one at each β = 1/steps, 2/steps, …, 1. base: the easy end, as for
    `TemperedGibbs`; None for a mixture over the modes that are found (`modes`). clamped: as for
    `Gibbs`; values (k,).

    Raises InputError as `TemperedGibbs` does.

    >>> Annealed(steps=100).steps
    100
    """

    steps: int = 1000
    base: Any = None
    clamped: Any = None

    distribution = "boltzmann"

    def __post_init__(self) -> None:
        positive_int("steps", self.steps, "give the number of sweeps")

    def independent(self, model: Layers, count: int, *, key: Array) -> Independent:
        """`count` weighted configurations (`sampling.protocols`)."""
        machine = layered(model)
        state, log_weights = self.draw(model, count, key=key)
        rows = np.asarray(state[0]).astype(np.int8 if machine.layers[0].is_discrete else machine.dtype)
        log_density = np.asarray(machine.log_weight(state), np.float64)
        return Independent(rows, log_density, np.asarray(log_weights, np.float64))

    def from_modes(self, machine: LayeredMachine, modes: Modes | None) -> Annealed:
        """Itself, or, where it does not say its easy end, with one over the `modes` that were found."""
        return self if self.base is not None else replace(self, base=easy_end_over(machine, modes))

    def draw(self, model: Layers, count: int, *, key: Array) -> tuple[State, Float[Array, "chains"]]:
        """`count` chains: the even side of each (visible layer first), and ln w, (count,)."""
        machine = layered(model)
        clamp = clamp_of(self.clamped, machine.layers[0], count, machine.dtype)
        first, rest, search = jax.random.split(key, 3)
        path = tempered_path(machine, easy_end(machine, search) if self.base is None else self.base)
        state = path.start((count,), key=first)
        if clamp is not None:
            state = (clamp.hold(state[0]), *state[1:])
        return walk(path, clamp, state, rest, self.steps)
