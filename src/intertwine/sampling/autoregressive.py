r"""Exact samples of models that draw themselves: independent configurations, no chains, no proposals.

    s_0 ∼ |ψ_0|²,   s_1 ∼ |ψ_1(· | s_0)|²,   …                                        (ancestral sampling)

An autoregressive state (`models.autoregressive`) is normalised, and drawing mode after mode from its
conditionals gives independent samples of |ψ|² (Sharir et al., PRL 124, 020503 (2020)): the acceptance is 1,
τ = 1, nothing is thermalised. The model does it, by one evaluation with a cache (`DrawsItself` in
`models.protocols`); the sampler asks it for as many as are wanted, in parts that keep the memory small.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from jaxtyping import Int8

from intertwine._checks import fail, positive_int
from intertwine.models.protocols import DrawsItself, Tabulates, tabulated
from intertwine.sampling.enumeration import FEW_CONFIGURATIONS, Enumeration, log_density
from intertwine.sampling.protocols import Independent, Samples
from intertwine.spaces.hilbert.hilbert_space import HilbertSpace

_PART = 4096


class AutoregressiveState(NamedTuple):
    """Nothing to remember but the number of modes, int32 ()."""

    size: Array


@dataclass(frozen=True)
class Autoregressive:
    """Independent configurations of a model that draws itself, in the model's own Hilbert space.

    hilbert, magnetization: where a state lives, as `Autoregressive.of(model)` fills them in for those who
    measure it; they do not change what is drawn.

    `sample` returns each draw as a chain of its own, (draws, 1, N), with acceptance 1. Raises InputError for
    models that do not draw themselves.

    >>> import jax
    >>> from intertwine.models.autoregressive.recurrent import RecurrentNetwork
    >>> key = jax.random.key(0)
    >>> psi = RecurrentNetwork(6, layers=1, features=4, key=key)
    >>> sampler = Autoregressive()
    >>> samples, _ = sampler.sample(psi, sampler.init(psi, key=key), 5, key=key)
    >>> samples.configurations.shape, float(samples.acceptance)
    ((5, 1, 6), 1.0)
    """

    hilbert: HilbertSpace | None = None
    magnetization: int | None = None

    @classmethod
    def of(cls, model: DrawsItself) -> Autoregressive:
        """The sampler of `model`, which says where it lives: a magnetization of spins ½, or a Hilbert space.

        >>> import jax
        >>> from intertwine.models.autoregressive.masked_dense import MaskedDense
        >>> from intertwine.spaces.hilbert.kinds import Spins
        >>> psi = MaskedDense(Spins(4, magnetization=2), layers=1, features=2, key=jax.random.key(0))
        >>> Autoregressive.of(psi)
        Autoregressive(hilbert=None, magnetization=2)
        """
        space = _checked(model).hilbert
        if space.kind != "spins" or not space.binary:
            return cls(space)
        if not space.bounds:
            return cls()
        bound = space.bounds[0]
        whole = len(space.bounds) == 1 and bound.is_number and set(bound.weights) == {1}
        if whole and len(bound.modes) == space.size and bound.modulus is None:
            return cls(None, space.size - 2 * bound.low)
        return cls(space)

    def init(self, model: DrawsItself, *, key: Array) -> AutoregressiveState:
        """The state: the number of modes."""
        return AutoregressiveState(jnp.asarray(_checked(model).hilbert.size, jnp.int32))

    def sample(
        self, model: DrawsItself, state: AutoregressiveState, draws: int, *, key: Array
    ) -> tuple[Samples, AutoregressiveState]:
        """`draws` independent configurations (draws, 1, N)."""
        rows = _drawn(_checked(model), key, positive_int("draws", draws))
        return Samples(rows[:, None], None, jnp.ones(())), state

    def independent(self, model: DrawsItself, count: int, *, key: Array) -> Independent:
        """`count` configurations with their log |ψ|², which is normalised (`sampling.protocols`)."""
        rows = _drawn(_checked(model), key, positive_int("count", count))
        return Independent(np.asarray(rows), np.asarray(log_density(model, rows), np.float64), None)


def own_sampler(model: object) -> Autoregressive | Enumeration | None:
    """The sampler of a model that draws itself; None for any other. One that has all its amplitudes at once,
    and few of them, is summed.

    >>> own_sampler(jax.numpy.sin) is None
    True
    """
    if not isinstance(model, DrawsItself):
        return None
    if isinstance(model, Tabulates) and model.hilbert.dimension <= FEW_CONFIGURATIONS:
        return Enumeration()
    return Autoregressive.of(model)


def _checked(model: object) -> DrawsItself:
    if not isinstance(model, DrawsItself):
        remedy = "such as RecurrentNetwork(lattice, …); Metropolis samples any model"
        raise fail("model", "one that draws itself", model, remedy)
    return model


@partial(jax.jit, static_argnames="count")
def _drawn(model: DrawsItself, key: Array, count: int) -> Int8[Array, "count N"]:
    """In parts of equal width; the same key and count give the same rows."""
    model, parts = tabulated(model), -(-count // _PART)
    if parts == 1:
        return model.draw(count, key=key)
    width = -(-count // parts)
    rows = jax.lax.map(lambda k: model.draw(width, key=k), jax.random.split(key, parts))
    return rows.reshape(parts * width, -1)[:count]
