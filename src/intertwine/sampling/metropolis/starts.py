"""Initial configurations of chains: random spins, of a fixed magnetization where the moves conserve it."""

from __future__ import annotations

import jax.numpy as jnp
import numpy as np
from jax import Array
from jax.sharding import AxisType
from jaxtyping import Int8

from intertwine._checks import fail
from intertwine._keys import key_words
from intertwine.sampling.metropolis.joining import check_joined
from intertwine.sampling.metropolis.legality import check_size
from intertwine.sampling.metropolis.level_rules import check_rule
from intertwine.sampling.metropolis.rules import Rule
from intertwine.spaces.hilbert.hilbert_space import HilbertSpace


def random_configurations(
    chains: int, size: int, magnetization: int | None, *, key: Array
) -> Int8[Array, "chains N"]:
    """Independent uniform spins ±1, int8 (chains, size), of a given Σ_i s_i or of any (None).

    Drawn on the host from `key`: a shuffle that runs once is not worth compiling.

    Raises InputError for a magnetization that `size` spins cannot have.

    >>> import jax
    >>> random_configurations(3, 6, 2, key=jax.random.key(0)).sum(axis=1).tolist()
    [2, 2, 2]
    """
    generator = np.random.default_rng(key_words(key))
    if magnetization is None:
        return jnp.asarray(generator.choice(np.array([-1, 1], np.int8), (chains, size)))
    check_possible(size, magnetization)
    ordered = np.where(np.arange(size) < (size + magnetization) // 2, 1, -1).astype(np.int8)
    return jnp.asarray(generator.permuted(np.tile(ordered, (chains, 1)), axis=1))


def check_possible(size: int, magnetization: int) -> None:
    """Raise unless `size` spins ±1 can sum to `magnetization`."""
    if abs(magnetization) > size or (size + magnetization) % 2:
        raise fail(
            "magnetization",
            f"an {'odd' if size % 2 else 'even'} number between −{size} and {size} (the sum of {size} spins)",
            magnetization,
        )


def check_magnetization(rule: Rule, magnetization: object) -> None:
    """Raise unless `magnetization` is None, or an integer and the rule conserves it (up to sign)."""
    if magnetization is None:
        return
    if isinstance(magnetization, bool) or not isinstance(magnetization, int):
        raise fail("magnetization", "an integer, the sum of the spins ±1, or None", magnetization)
    if rule.magnetization == "free":
        raise fail(
            "magnetization",
            "None for moves that change it",
            magnetization,
            "use the rule Exchange to conserve it",
        )


def check_moves(rule: Rule, size: int) -> None:
    """Raise unless the moves exist on `size` sites and join all that they are to sample."""
    rule.components(size)  # sites out of range are an error here
    if not rule.reaches_all(size):
        raise fail(
            "rule",
            f"moves that join all configurations of {size} sites",
            f"{rule!r}, which leaves parts that never meet",
            "take Exchange() (all pairs), bonds that connect all sites, or a Mixture with SingleFlip()",
        )


def start_magnetization(rule: Rule, size: int, magnetization: int | None) -> int | None:
    """The magnetization of the first configurations: as given, or 0 (1 for odd `size`) if the rule keeps its
    absolute value, or None (any)."""
    if magnetization is None and rule.magnetization != "free":
        magnetization = size % 2
    if magnetization is not None:
        check_possible(size, magnetization)
    return magnetization


def check_space(rule: Rule, space: HilbertSpace | None, magnetization: object) -> None:
    """Raise unless the moves of `rule` are made for the configurations of `space` (None: free spins)."""
    if space is None:
        check_rule(rule, binary=True)
        return
    if not isinstance(space, HilbertSpace):
        raise fail("hilbert", "a Hilbert space, or None for free spins", space, "as Bosons(lattice, 8)")
    if magnetization is not None:
        remedy = "say it in the space, as Spins(lattice, magnetization=0)"
        raise fail("magnetization", "None with a Hilbert space", magnetization, remedy)
    check_rule(rule, space.binary)


def first_configurations(
    rule: Rule,
    chains: int,
    size: int,
    magnetization: int | None,
    space: HilbertSpace | None,
    *,
    key: Array,
) -> Int8[Array, "chains N"]:
    """Where `chains` chains begin: uniform configurations of `space`, or (None) `random_configurations`; an
    error where the moves do not join all that they are to sample."""
    if space is not None:
        check_size(space, size)
        check_joined(rule, space)
        return space.random(chains, key=key)
    check_moves(rule, size)
    return random_configurations(chains, size, start_magnetization(rule, size, magnetization), key=key)


def check_state(configurations: Array, expected: tuple[int, ...]) -> None:
    """Raise unless the state has the sampler's chains and the model's sites, on devices that JAX shards by
    itself."""
    if tuple(configurations.shape) != expected:
        raise fail(
            "state",
            f"configurations of shape {expected}, the sampler's chains and the model's sites",
            f"shape {tuple(configurations.shape)}",
            "make the state with this sampler's init",
        )
    mesh = getattr(getattr(configurations, "sharding", None), "mesh", None)
    if AxisType.Explicit in tuple(getattr(mesh, "axis_types", ())):
        raise fail(
            "state",
            "chains on a mesh whose axes are AxisType.Auto",
            "a mesh with explicit axes",
            'jax.make_mesh((devices,), ("chains",), axis_types=(jax.sharding.AxisType.Auto,))',
        )
