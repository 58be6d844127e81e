r"""All configurations with their exact probabilities: for small systems, and as the truth of tests.

    p(s) = |ψ(s)|² / Σ_{s'} |ψ(s')|²

over the 2^N configurations, or the binomial(N, (N+M)/2) ones of magnetization M = Σ_i s_i. Site 0 is the most
significant bit of a configuration's number, and bit 0 is s = +1, as in the matrices of operators.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from intertwine._checks import fail, positive_int
from intertwine.models.protocols import LogAmplitude, tabulated
from intertwine.models.units import as_spins
from intertwine.sampling.metropolis.starts import check_possible
from intertwine.sampling.protocols import Independent, Samples
from intertwine.spaces.hilbert.hilbert_space import HilbertSpace

FEW_CONFIGURATIONS = 4096
"""A state of so many configurations is drawn from its exact probabilities."""
_LIMIT = 22
_BATCH = 4096


def configuration_numbers(size: int, magnetization: int | None = None) -> np.ndarray:
    """The numbers of all configurations, ascending: int64 (n,)."""
    numbers = np.arange(2 ** positive_int("size", size), dtype=np.int64)
    if magnetization is None:
        return numbers
    check_possible(size, magnetization)
    return numbers[np.bitwise_count(numbers) == (size - magnetization) // 2]


def all_configurations(size: int, magnetization: int | None = None) -> np.ndarray:
    """All spin configurations, int8 ±1 (n, size), site 0 the most significant bit and bit 0 ↔ +1.

    Raises InputError for more than 22 sites and for an impossible magnetization.

    >>> all_configurations(2).tolist()
    [[1, 1], [1, -1], [-1, 1], [-1, -1]]
    >>> all_configurations(4, magnetization=0).shape
    (6, 4)
    """
    if positive_int("size", size) > _LIMIT:
        raise fail(
            "size", f"at most {_LIMIT} sites for an enumeration", size, "use Metropolis for larger systems"
        )
    numbers = configuration_numbers(size, magnetization)
    bits = (numbers[:, None] >> np.arange(size - 1, -1, -1)) & 1
    return (1 - 2 * bits).astype(np.int8)


@jax.jit
def log_density(model: LogAmplitude, configurations: Array) -> Array:
    """2 Re log ψ of configurations (..., N), in batches that keep the memory small."""
    model = tabulated(as_spins(model))
    flat = configurations.reshape(-1, configurations.shape[-1])
    values = jax.lax.map(lambda s: 2.0 * jnp.real(model(s)), flat, batch_size=min(_BATCH, len(flat)))
    return values.reshape(configurations.shape[:-1])


def probabilities(
    model: LogAmplitude, magnetization: int | None = None, hilbert: HilbertSpace | None = None
) -> np.ndarray:
    """|ψ|², normalised over `all_configurations(model.size, magnetization)`, or over
    `hilbert.configurations()`: float64 (n,)."""
    spins = all_configurations(model.size, magnetization) if hilbert is None else hilbert.configurations()
    log_p = np.asarray(log_density(model, spins), np.float64)
    p = np.exp(log_p - log_p.max())
    return p / p.sum()


class EnumerationState(NamedTuple):
    """Nothing to remember but the number of sites, int32 ()."""

    size: Array


@dataclass(frozen=True)
class Enumeration:
    """Every configuration once, with its probability as weight: exact means, no error bars.

    magnetization: Σ_i s_i of the configurations, or None for all of them. hilbert: the Hilbert space whose
    configurations they are; None for spins.

    `sample` returns one chain whose draws are the configurations in order, whatever number of draws is asked
    for. Raises InputError beyond 22 sites, and for a magnetization that cannot be.

    >>> import jax
    >>> from intertwine.models.machines.rbm import RBM
    >>> key = jax.random.key(0)
    >>> psi = RBM(4, hidden=4, key=key)
    >>> sampler = Enumeration(magnetization=0)
    >>> samples, _ = sampler.sample(psi, sampler.init(psi, key=key), 1, key=key)
    >>> samples.configurations.shape, round(float(samples.weights.sum()), 6)
    ((1, 6, 4), 1.0)
    """

    magnetization: int | None = None
    hilbert: HilbertSpace | None = None

    def __post_init__(self) -> None:
        m = self.magnetization
        if self.hilbert is not None and not isinstance(self.hilbert, HilbertSpace):
            raise fail("hilbert", "a Hilbert space, or None for spins", self.hilbert)
        if self.hilbert is not None and m is not None:
            remedy = "say it in the space, as Spins(lattice, magnetization=0)"
            raise fail("magnetization", "None with a Hilbert space", m, remedy)
        if m is not None and (isinstance(m, bool) or not isinstance(m, int)):
            raise fail("magnetization", "an integer, the sum of the spins ±1, or None", m)

    def init(self, model: LogAmplitude, *, key: Array) -> EnumerationState:
        """The state: the number of sites."""
        self.count(model.size)
        return EnumerationState(jnp.asarray(model.size, jnp.int32))

    def sample(
        self, model: LogAmplitude, state: EnumerationState, draws: int, *, key: Array
    ) -> tuple[Samples, EnumerationState]:
        """All configurations (1, n, N) with weights (1, n); `draws` and `key` do not matter."""
        positive_int("draws", draws)
        configurations = jnp.asarray(self.configurations(model.size))
        log_p = log_density(model, configurations)
        weights = jax.nn.softmax(log_p)
        return Samples(configurations[None], weights[None], jnp.ones(())), state

    def independent(self, model: LogAmplitude, count: int, *, key: Array) -> Independent:
        """`count` configurations drawn from the exact probabilities (`sampling.protocols`)."""
        _, _, _, pick = jax.random.split(key, 4)
        samples, _ = self.sample(model, self.init(model, key=key), 1, key=key)
        assert samples.weights is not None
        p = np.asarray(samples.weights[0], np.float64)
        seeds = np.asarray(jax.random.bits(pick, (4,), np.uint32))
        index = np.random.default_rng(seeds).choice(len(p), count, p=p / p.sum())
        rows = np.asarray(samples.configurations)[0][index]
        return Independent(rows, np.asarray(log_density(model, jnp.asarray(rows)), np.float64), None)

    def configurations(self, size: int) -> np.ndarray:
        """All of them, int8 (n, size)."""
        self.count(size)
        if self.hilbert is not None:
            return self.hilbert.configurations()
        return all_configurations(size, self.magnetization)

    def count(self, size: int) -> int:
        """How many configurations there are.

        >>> Enumeration().count(10), Enumeration(magnetization=0).count(10)
        (1024, 252)
        """
        if self.hilbert is not None:
            if self.hilbert.size != size:
                raise fail("model", f"one of {self.hilbert.size} modes, as the space has", f"one of {size}")
            if self.hilbert.dimension > 2**_LIMIT:
                got = f"{self.hilbert!r}"
                raise fail("hilbert", f"at most 2^{_LIMIT} configurations", got, "use Metropolis for more")
            return self.hilbert.dimension
        if positive_int("size", size) > _LIMIT:
            raise fail(
                "size",
                f"at most {_LIMIT} sites for an enumeration",
                size,
                "use Metropolis for larger systems",
            )
        if self.magnetization is None:
            return 2**size
        check_possible(size, self.magnetization)
        return math.comb(size, (size + self.magnetization) // 2)
