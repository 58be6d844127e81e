r"""Ground states where nothing is given, in a Hilbert space with conserved numbers, constraints or levels.

Where H is stoquastic (bosons, atoms, spins in the right frame) the ground state is positive and invariant
under every symmetry of the modes, and so is the network. Where the configurations are few, one of each orbit
is summed instead of sampled, and the block of H in the invariant states says how large a step may be: with
weights n of the orbits,

    H_ab = √(n_a/n_b) Σ_{s' in orbit b} ⟨a|H|s'⟩.

Where the ground state may have any signs and the configurations are few, each has an amplitude of its own
(`models.AmplitudeTable`), and exact diagonalization says it.
Fermions have signs of their own (`models.fermions`).
"""

from __future__ import annotations

from typing import Any

import numpy as np

from intertwine.quantum.defaults.choice import (
    LEARNING_RATE,
    MOST_AMPLITUDES,
    MOST_WORK,
    SUM_DECAY,
    SUM_RATE,
    SUM_SHIFT_END,
    SUM_STEPS,
    TABLE,
    TABLE_STEPS,
    Choice,
)
from intertwine.quantum.defaults.fermions import choose_fermions
from intertwine.quantum.defaults.symmetries import kept_permutations, processes
from intertwine.quantum.defaults.units import in_units_of
from intertwine.quantum.hilbert_moves import held_space, own_space
from intertwine.quantum.operators.protocols import QuantumOperator
from intertwine.sampling.orbits import OrbitEnumeration

_MOST_STATES = 100_000
"""Configurations that are summed."""
_HIDDEN = {True: "symmetric-rbm:8", False: "rbm:2"}


def choose_in_space(operator: QuantumOperator, sums: bool) -> Choice:
    """What to do for the ground state of `operator` in its Hilbert space. sums: whether exact sums may be
    taken in place of samples."""
    space, positive = held_space(operator), operator.is_stoquastic
    dtype = "real" if positive else "complex"
    rows = kept_permutations(operator) if positive else np.arange(space.size)[None]
    features = max(4, -(-2 * space.size // len(rows)))
    orbits = space.dimension / len(rows)
    work = orbits * (operator.n_connected + 1) * features * len(rows)
    few = space.dimension <= _MOST_STATES and work <= MOST_WORK * 4
    because = f"{space.dimension} configurations, summed"
    if sums and few and positive and processes() == 1:
        rate, steps = _pace(operator, rows)
        return Choice(
            f"gcnn:2x{features}",
            dtype,
            rule="sums",
            steps=steps,
            learning_rate=rate,
            learning_rate_end=rate,
            shift_end=SUM_SHIFT_END,
            because=because,
        )
    if sums and not positive and space.dimension <= MOST_AMPLITUDES and processes() == 1:
        return table_of(operator, space.dimension)
    if space.has_fermions and not positive and (found := choose_fermions(operator)) is not None:
        return found
    if not positive:
        words = "a complex network; signs of fermions may be missed" if space.has_fermions else "complex"
        return in_units_of(operator, Choice("rbm:2", dtype, because=words))
    symmetric = len(rows) > 1
    choice = Choice(_HIDDEN[symmetric], dtype, because="a positive ground state, sampled")
    return in_units_of(operator, choice)


def may_sum(operator: QuantumOperator, samples: int) -> bool:
    """Whether sums over all configurations of a Hilbert space take no more than `samples` do.

    >>> import intertwine as it
    >>> H = it.tv(it.Fermions(it.Chain(5), 2), V=1.0)
    >>> [may_sum(H, samples) for samples in (5, 64)]
    [False, True]
    """
    space = own_space(operator)
    return space is not None and space.dimension <= min(samples, MOST_AMPLITUDES)


def table_of(operator: QuantumOperator, configurations: int) -> Choice:
    """An amplitude for every configuration, which can have any signs, and sums over them all."""
    because = f"an amplitude for each of {configurations} configurations, from the lowest eigenvector of H"
    dtype = "real" if operator.is_real else "complex"
    choice = Choice(TABLE, dtype, rule="sums", steps=TABLE_STEPS, shift_end=SUM_SHIFT_END, because=because)
    return in_units_of(operator, choice)


def _pace(operator: QuantumOperator, rows: np.ndarray) -> tuple[float, int]:
    """(learning rate, steps) of exact sums: from the width and the gap of the invariant states."""
    from scipy.sparse import coo_matrix

    from intertwine.quantum.exact.lanczos import lowest

    orbits = OrbitEnumeration(rows, hilbert=operator.hilbert)
    n, count = orbits.sizes, len(orbits.sizes)
    found = operator.host_rows(orbits.configurations)
    diagonal = np.real(next(found)[0])
    i, j, values = [np.arange(count)], [np.arange(count)], [diagonal]
    for elements, others in found:
        there = orbits.orbits_of(np.asarray(others))
        inside = np.flatnonzero((there >= 0) & (elements != 0))
        i.append(inside)
        j.append(there[inside])
        values.append(np.real(elements[inside]) * np.sqrt(n[inside] / n[there[inside]]))
    place = np.concatenate(i), np.concatenate(j)
    matrix: Any = coo_matrix((np.concatenate(values), place), shape=(count, count)).tocsr()
    if count < 8:
        energies = np.linalg.eigvalsh(matrix.toarray())
        low, high = float(energies[0]), float(energies[-1])
    else:
        scale = float(abs(matrix).sum(axis=1).max())
        energies = lowest(matrix, 3, scale, 1e-5).energies
        low, high = float(energies[0]), -float(lowest(-matrix, 1, scale, 1e-3).energies[0])
    width = high - low
    above = energies[energies > low + 1e-5 * max(width, 1e-300)]
    gap = float(above[0]) - low if len(above) else width
    rate = float(f"{SUM_RATE / width:.3g}") if width > 0 else LEARNING_RATE
    steps = round(SUM_DECAY / (2 * rate * gap)) if gap > 0 else 0
    return rate, min(max(steps, SUM_STEPS[0]), SUM_STEPS[1])
