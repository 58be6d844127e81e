r"""Which configurations an evolution is measured on: sums where they are few, chains else.

They are those of the space that the state carries, else of the operator's Hilbert space, else all. Orbits are
summed of what the wave function and H at all times leave alone; among fermions a permutation changes signs,
and every configuration is summed.
"""

from __future__ import annotations

from typing import Any

import jax
import numpy as np
from jaxtyping import PyTree

from intertwine._checks import fail
from intertwine.quantum import defaults
from intertwine.quantum.confined import check_keeps_numbers, check_modes
from intertwine.quantum.dynamics.ensemble import Source
from intertwine.quantum.dynamics.flattened import Flattened
from intertwine.quantum.hilbert_moves import is_plain, own_space
from intertwine.quantum.operators.operator import Operator
from intertwine.quantum.space_choice import default_sampler, in_space
from intertwine.quantum.vmc.moves import AnyOperator
from intertwine.sampling.autoregressive import own_sampler
from intertwine.sampling.orbits import OrbitEnumeration
from intertwine.sampling.protocols import Sampler
from intertwine.sampling.space import Space, magnetizations, space
from intertwine.spaces.hilbert.hilbert_space import HilbertSpace

MOST_SITES, MOST_ORBITS = 20, 8192
"""Of exact sums that are taken by themselves."""
SAMPLES, BLUR = 4096, 0.4


def source_of(
    probes: list[AnyOperator],
    model: PyTree,
    where: Space | None,
    samples: int | None,
    sampler: Sampler | None,
    flatten: float | None,
) -> tuple[Source, Space]:
    """Sums or chains, and the space of the state. probes: H at some times."""
    held = own_space(probes[0]) if where is None else where.hilbert
    if held is not None and not is_plain(held):
        return _in_hilbert(probes, held, model, where, samples, sampler, flatten)
    assert isinstance(probes[0], Operator)
    first = probes[0]
    kept = None if where is None else where.magnetizations
    if kept is not None and not all(_keeps_magnetization(probe) for probe in probes):
        expected = "a state of all configurations, where H changes Σ s"
        remedy = "train it with moves that reach all of them (--rule single, or it.Metropolis())"
        raise fail("model", expected, f"one with {where}, whose amplitudes elsewhere mean nothing", remedy)
    only = kept[0] if kept is not None and len(kept) == 1 else None
    if _may_sum(samples, sampler, flatten) and first.size <= MOST_SITES:
        alike = defaults.symmetry_of(model)[0]
        if 2**first.size / len(alike) <= MOST_ORBITS:
            sums = _sums(probes, model, only)
            return Source(sums, None), space(sums, first.size, first.turned)
    if isinstance(sampler, OrbitEnumeration):
        return Source(sampler, None), space(sampler, first.size, first.turned)
    count = SAMPLES if samples is None else samples
    if sampler is None:
        sampler = where.sampler if where is not None and kept is not None else None
        sampler = own_sampler(model) if sampler is None and flatten is None else sampler
    drawing: Any = default_sampler(first, count, only) if sampler is None else sampler
    of_space = Space(drawing, magnetizations(drawing, first.size), first.turned)
    if flatten is not None:
        return Source(Flattened(drawing, flatten), count), of_space
    return Source(drawing, count, BLUR if of_space.magnetizations is None else 0.0), of_space


def _in_hilbert(
    probes: list[AnyOperator],
    held: HilbertSpace,
    model: PyTree,
    where: Space | None,
    samples: int | None,
    sampler: Sampler | None,
    flatten: float | None,
) -> tuple[Source, Space]:
    """The same in a Hilbert space with conserved numbers, constraints or levels."""
    for probe in probes:
        check_modes(probe, held)
        check_keeps_numbers(probe, held)
    turned = probes[0].turned
    if _may_sum(samples, sampler, flatten) and held.dimension <= MOST_ORBITS:
        rows = np.arange(held.size)[None] if held.has_fermions else defaults.symmetry_of(model)[0]
        kept = np.array([row for row in rows if all(probe.is_invariant(row) for probe in probes)])
        sums = OrbitEnumeration(kept, hilbert=held)
        return Source(sums, None), Space(sums.unfolded(), None, turned, held)
    if isinstance(sampler, OrbitEnumeration):
        return Source(sampler, None), Space(sampler.unfolded(), None, turned, held)
    count = SAMPLES if samples is None else samples
    if sampler is None:
        sampler = own_sampler(model) if where is None and flatten is None else getattr(where, "sampler", None)
    drawing = in_space(default_sampler(probes[0], count) if sampler is None else sampler, held)
    of_space = Space(drawing, None, turned, held)
    return Source(drawing if flatten is None else Flattened(drawing, flatten), count), of_space


def _keeps_magnetization(probe: AnyOperator) -> bool:
    return isinstance(probe, Operator) and probe.conserves_magnetization


def _may_sum(samples: int | None, sampler: Sampler | None, flatten: float | None) -> bool:
    return sampler is None and samples is None and flatten is None and jax.process_count() == 1


def _sums(probes: list[AnyOperator], model: PyTree, magnetization: int | None) -> OrbitEnumeration:
    """Sums over the orbits of what the model and H at all times leave alone."""
    moves, flip = defaults.symmetry_of(model)
    kept = np.array([row for row in moves if all(probe.is_invariant(row) for probe in probes)])
    even = all(isinstance(probe, Operator) and probe.commutes_with_spin_flip for probe in probes)
    flip = flip and not magnetization and even
    return OrbitEnumeration(kept, magnetization=magnetization, spin_flip=flip)
