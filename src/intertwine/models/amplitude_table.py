r"""A number for every configuration of a Hilbert space: the whole vector as a wave function.

    ψ(s) = c_{k(s)},    k(s) the number of s in `space.configurations()`

It holds every state of the space, with any signs or phases, and its metric is 1 on vectors orthogonal to c:
a step of the natural gradient is one of imaginary time, c − η (H − E) c. For spaces of few configurations,
where symmetries or positive amplitudes would exclude the ground state.

A configuration is found by a hash of its entries, 32 bits wide, which tells all configurations of the space
apart; outside of the space log ψ is −∞ but for one configuration in 2³²/dimension.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from jax.typing import DTypeLike
from jaxtyping import Inexact, Num, Shaped, UInt32

from intertwine._caveats import caveat
from intertwine._checks import fail
from intertwine.models.machines.hidden_units import check_configuration
from intertwine.models.protocols import Kind

if TYPE_CHECKING:
    from intertwine.spaces.hilbert.hilbert_space import HilbertSpace

MOST_AMPLITUDES = 2**16
LEAST = 1e-12
"""Moduli that are kept, over the largest one: a vanishing amplitude has no logarithm."""


class AmplitudeTable(eqx.Module):
    r"""ψ(s) = c_{k(s)} of the configurations of a Hilbert space.

    space: the Hilbert space, of at most 65,536 configurations. amplitudes: (dimension,), real or complex, in
    the order of `space.configurations()`; None for normal ones drawn with `key`, of type `dtype`.

    Real amplitudes have signs (kind "signed"), complex ones are holomorphic. Raises `InputError` for spaces
    that are too large and for amplitudes of another shape, not finite or all 0.

    >>> import intertwine as it
    >>> space = it.Fermions(3, 1)
    >>> psi = AmplitudeTable(space, [1.0, -2.0, 3.0])
    >>> [round(complex(psi(jnp.asarray(s))).real, 6) for s in space.configurations()]
    [0.0, 0.693147, 1.098612]
    """

    amplitudes: Inexact[Array, "D"]
    space: HilbertSpace = eqx.field(static=True)

    def __init__(
        self,
        space: HilbertSpace,
        amplitudes: Inexact[Array | np.ndarray, "D"] | list[float] | None = None,
        *,
        dtype: DTypeLike = float,
        key: Array | None = None,
    ):
        check_few(space)
        self.space = space
        if amplitudes is None:
            key = jax.random.key(0) if key is None else key
            self.amplitudes = jax.random.normal(key, (space.dimension,), dtype)
            return
        given = np.asarray(amplitudes)
        if given.shape != (space.dimension,) or not np.isfinite(given).all() or not given.any():
            expected = f"{space.dimension} finite numbers, one for each configuration, not all 0"
            raise fail("amplitudes", expected, given)
        kept = given if np.iscomplexobj(given) else given.astype(np.float64)
        least = LEAST * np.abs(kept).max()
        self.amplitudes = jnp.asarray(np.where(np.abs(kept) < least, least, kept))

    @property
    def size(self) -> int:
        """The number of modes."""
        return self.space.size

    @property
    def kind(self) -> Kind:
        return "holomorphic" if jnp.iscomplexobj(self.amplitudes) else "signed"

    @property
    def caveats(self) -> tuple[str, ...]:
        """What qualifies an energy found with a table: it is exact diagonalization in another form."""
        words = (
            f"each of the {self.space.dimension} configurations has an amplitude of its own: the state is a "
            "vector, and its energy says nothing of a network; give a model to train one"
        )
        return (caveat("assumption", words),)

    def __call__(self, s: Shaped[Array, "N"]) -> Num[Array, ""]:
        """log ψ of one configuration (N,), as the space writes it."""
        check_configuration(s, self.size)
        weights, keys, order = (jnp.asarray(x) for x in _index(self.space))
        number = jnp.sum(s.astype(jnp.int32).astype(jnp.uint32) * weights, dtype=jnp.uint32)
        place = jnp.minimum(jnp.searchsorted(keys, number), len(keys) - 1)
        c = self.amplitudes[order[place]]
        log = jnp.log(c) if jnp.iscomplexobj(c) else jnp.log(jnp.abs(c)) + 1j * jnp.pi * (c < 0)
        return jnp.where(keys[place] == number, log, -jnp.inf)


def check_few(space: HilbertSpace) -> None:
    """Raise `InputError` for a space of more configurations than a table has amplitudes."""
    if space.dimension > MOST_AMPLITUDES:
        expected = f"a space of at most {MOST_AMPLITUDES} configurations for a table of amplitudes"
        raise fail("space", expected, f"{space.dimension:.4g}", "take a network, for example rbm:2")


@lru_cache(maxsize=16)
def _index(space: HilbertSpace) -> tuple[UInt32[np.ndarray, "N"], UInt32[np.ndarray, "D"], np.ndarray]:
    """Weights of a hash that tells the configurations of `space` apart, its sorted values, and the number of
    the configuration of each."""
    rows = space.configurations().astype(np.int32).astype(np.uint32)
    seed = 0
    while True:
        weights = np.random.default_rng(seed).integers(0, 2**32, space.size, np.uint32)
        numbers = (rows * weights).sum(1, dtype=np.uint32)
        order = np.argsort(numbers)
        keys = numbers[order]
        if (keys[1:] != keys[:-1]).all():
            return weights, keys, order.astype(np.int32)
        seed += 1
