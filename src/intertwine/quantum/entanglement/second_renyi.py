"""The second Rényi entropy by one call: exactly, by swaps of all pairs of samples, or in ratio steps."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from jax import Array
from jaxtyping import PyTree

from intertwine._caveats import tell
from intertwine._checks import fail
from intertwine.quantum.entanglement.drawn import draw
from intertwine.quantum.entanglement.entropies import renyi
from intertwine.quantum.entanglement.ratio_chain import ratio_steps
from intertwine.quantum.entanglement.regions import checked_region
from intertwine.quantum.entanglement.sampled_entropy import SampledEntropy, exactly
from intertwine.quantum.entanglement.swap_estimator import swapped_entropy
from intertwine.quantum.entanglement.vectors import size_of

if TYPE_CHECKING:
    from intertwine.sampling.protocols import Sampler
    from intertwine.spaces.hilbert.hilbert_space import HilbertSpace


def renyi2(
    model: PyTree,
    region: Iterable[int],
    samples: int | None = None,
    *,
    key: Array | None = None,
    sampler: Sampler | None = None,
    partners: int | None = None,
    steps: int | None = None,
    space: HilbertSpace | None = None,
) -> SampledEntropy:
    """The Rényi entropy S₂ = −ln Tr ρ² of `region` from samples, at any size, nats.

    model: a wave function, a run (measured in the space where it was trained) or a vector of amplitudes.
    samples: configurations (rounded up to a multiple of the chains), and then `key` has to be given; None for
    the exact value with error 0, to 24 spins. sampler: None for the one of the state's space. partners: with
    how many others each sample is paired at least; None for as many as lower the error, `samples` for all.
    steps: None for the swap of the whole region; a number cuts a large region, whose purity is too small to
    be met, into so many steps, each a ratio of two purities from chains of its own (`ratio_chain`).
    space: the Hilbert space of amplitudes, or of a network that does not carry one.

    The result has `.mean`, `.error` and the rest of an `Estimate`, `.purity`, and `.warnings`, which say
    where the estimate cannot be trusted: a purity that is known too badly for its logarithm, pairs that
    hardly ever contribute, a mean that a few samples carry, chains that disagree. Raises InputError for a
    region that is empty, repeats a site or leaves the lattice, and for more than 24 spins without samples.

    >>> import jax
    >>> bell = [0.6, 0.0, 0.0, 0.8]
    >>> found = renyi2(bell, [0], samples=1000, key=jax.random.key(0))
    >>> round(renyi2(bell, [0]).mean, 6), abs(found.mean - 0.617669) < 3 * found.error < 0.05
    (0.617669, True)
    """
    sites = checked_region(region, size_of(model, space))
    if samples is None:
        return exactly(renyi(model, sites, 2, space=space), 2.0, sites)
    if key is None:
        raise fail("key", "a jax.random.key where samples are given", None, "give key=jax.random.key(0)")
    if len(sites) == size_of(model, space):
        return exactly(0.0, 2.0, sites)
    if steps is None:
        found = swapped_entropy(draw(model, samples, key, sampler, space), sites, partners)
    else:
        found = ratio_steps(model, sites, samples, steps, key=key, sampler=sampler)
    tell(found.warnings)
    return found
