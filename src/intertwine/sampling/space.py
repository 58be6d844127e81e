r"""The space that a state lives in: on which configurations ψ is defined, in which frame, how it is sampled.

A network gives log ψ(s) for every configuration, but a state that was trained by moves that keep Σ_i s_i = 0
is defined on those configurations only: what the network says of others is no part of it. So a state is a
network and a `Space`. A trained model carries its space (`placed`, `space_of`), and whatever measures it,
`it.expect` and `it.sample`, does so where it was trained:

    ⟨A⟩ = Σ_{s, s' ∈ M} ψ*(s) ⟨s|A|s'⟩ ψ(s') / Σ_{s ∈ M} |ψ(s)|²,

in which an element that leads out of M is exactly 0. The mark stays with the model itself, its copies and its
pickles; a model made anew from its parameters (`jax.tree.map`) has none, and stands for all configurations.
"""

from __future__ import annotations

import copy
from dataclasses import dataclass
from typing import Any

from jaxtyping import PyTree

from intertwine.models.symmetric.symmetrised import Symmetrised
from intertwine.sampling.metropolis.starts import start_magnetization
from intertwine.sampling.protocols import Sampler, Unfolds
from intertwine.spaces.hilbert.hilbert_space import HilbertSpace

_MARK, _STATE = "_space", "_train_state"


@dataclass(frozen=True)
class Space:
    """Where a state lives.

    sampler: what draws configurations of it. magnetizations: the values of Σ_i s_i that occur in it, or None
    for all. turned: the sites whose spins are turned by π about z in its frame (`Operator.turned`); None
    where that is not known. hilbert: the Hilbert space whose configurations it has; None for free spins.
    """

    sampler: Any
    magnetizations: tuple[int, ...] | None = None
    turned: tuple[int, ...] | None = None
    hilbert: HilbertSpace | None = None

    def __str__(self) -> str:
        if self.hilbert is not None:
            return repr(self.hilbert)
        if self.magnetizations is None:
            return "all configurations"
        return "Σ s = " + " or ".join(f"{m}".replace("-", "−") for m in self.magnetizations)


def space(sampler: Sampler, size: int, turned: tuple[int, ...] | None = None) -> Space:
    """The space of states of `size` sites that `sampler` draws from.

    >>> from intertwine.sampling.metropolis.metropolis import Metropolis
    >>> from intertwine.sampling.metropolis.rules import Exchange
    >>> print(space(Metropolis(Exchange(), chains=4), 6))
    Σ s = 0
    """
    if isinstance(sampler, Unfolds):  # an observable need not have the symmetry: all of each orbit
        sampler = sampler.unfolded()
    return Space(sampler, magnetizations(sampler, size), turned, getattr(sampler, "hilbert", None))


def magnetizations(sampler: Sampler, size: int) -> tuple[int, ...] | None:
    """The values of Σ_i s_i that `sampler` meets on `size` sites, or None for all."""
    if getattr(sampler, "hilbert", None) is not None:
        return None
    rule = getattr(sampler, "rule", None)
    kept = getattr(sampler, "magnetization", None)
    if rule is None:
        return None if kept is None else (int(kept),)
    if rule.magnetization == "free":
        return None
    start = start_magnetization(rule, size, kept)
    assert start is not None
    return (start,) if rule.magnetization == "kept" or start == 0 else (start, -start)


def placed(model: PyTree, where: Space | None, state: PyTree = None) -> Any:
    """`model` with its space, and (objective state, optimiser state) of its training: chains and momentum to
    go on with.
    """
    marked = copy.copy(model)
    try:
        object.__setattr__(marked, _MARK, where)
        object.__setattr__(marked, _STATE, state)
    except AttributeError:  # a class with slots
        return model
    return marked


def space_of(model: PyTree) -> Space | None:
    """The space that `model` carries, or None. A projected state lives where the state does that is
    projected, if the flip of all spins does not lead out of it."""
    where = getattr(model, _MARK, None)
    if where is not None or not isinstance(model, Symmetrised):
        return where
    where = space_of(model.model)
    kept = () if where is None or where.magnetizations is None else where.magnetizations
    return None if model.spin_flip is not None and set(kept) != {-m for m in kept} else where


def state_left(model: PyTree) -> Any:
    """(objective state, optimiser state) of the training that `model` comes from, or None."""
    return getattr(model, _STATE, None)
