r"""The defaults of a ground-state search in a Hilbert space with conserved numbers, constraints or levels.

Where H is stoquastic (bosons, atoms, spins in the right frame) the ground state is positive and invariant
under every symmetry of the modes, and so is the network. Where the configurations are few, one of each orbit
is summed instead of sampled, and the block of H in the invariant states says how large a step may be: with
weights n of the orbits,

    H_ab = √(n_a/n_b) Σ_{s' in orbit b} ⟨a|H|s'⟩.

Fermions have signs of their own (`models.fermions`).
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import jax
import numpy as np

from intertwine.quantum.defaults import (
    _MOST_WORK,
    LEARNING_RATE,
    SUM_SHIFT_END,
    Choice,
    _processes,
    in_units_of,
)
from intertwine.quantum.fermion_defaults import choose_fermions
from intertwine.quantum.hilbert_moves import mode_permutations, own_space
from intertwine.quantum.operators.operator import Operator
from intertwine.sampling.orbits import OrbitEnumeration

_MOST_STATES = 100_000
"""Configurations that are summed."""
_DRAWN = 256
_RATE, _DECAY, _STEPS = 1.5, 16.0, (120, 400)
"""Of exact sums, as in `defaults`."""
_HIDDEN = {True: "symmetric-rbm:8", False: "rbm:2"}


def choose_in_space(operator: Any, sums: bool) -> Choice:
    """What to do for the ground state of `operator` in its Hilbert space. sums: whether exact sums may be
    taken in place of samples."""
    space, positive = operator.hilbert, operator.is_stoquastic
    dtype = "real" if positive else "complex"
    rows = kept_permutations(operator) if positive else np.arange(space.size)[None]
    spins = sum(d - 1 for d in space.levels)
    features = max(4, -(-2 * space.size // len(rows)))
    orbits = space.dimension / len(rows)
    work = orbits * (operator.n_connected + 1) * features * len(rows)
    few = space.dimension <= _MOST_STATES and work <= _MOST_WORK * 4
    because = f"{space.dimension} configurations, summed"
    if sums and few and positive and _processes() == 1:
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
    if space.has_fermions and not positive and (found := choose_fermions(operator)) is not None:
        return found
    if not positive:
        words = "a complex network; signs of fermions may be missed" if space.has_fermions else "complex"
        few = sums and space.dimension <= 4096 and spins <= 64 and _processes() == 1
        rule = "sums" if few else "auto"
        return in_units_of(operator, Choice("rbm:2", dtype, rule=rule, because=words))
    symmetric = len(rows) > 1
    choice = Choice(_HIDDEN[symmetric], dtype, because="a positive ground state, sampled")
    return in_units_of(operator, choice)


def strength_in_space(operator: Any) -> float:
    """What a site adds to the moduli of a row of H: the spread of the diagonal and the elements off it, over
    uniform configurations (the same at every call)."""
    space = operator.hilbert
    rows = np.asarray(space.random(_DRAWN, key=jax.random.key(0)))
    found = operator.host_rows(rows)
    diagonal = np.real(next(found)[0])
    elements = sum(float(np.mean(np.abs(values))) for values, _ in found)
    return (float(np.std(diagonal)) + elements) / space.size


def kept_permutations(operator: Any) -> np.ndarray:
    """The symmetries of the modes (g, N) that the operator has as well."""
    rows, plain = mode_permutations(operator.hilbert), as_bosons(operator)
    return rows[np.array([plain.is_invariant(row) for row in rows])]


def as_bosons(operator: Any) -> Any:
    """The operator with the same elements on modes that do not anticommute: what a permutation of
    configurations without signs makes of it."""
    space = own_space(operator)
    if not isinstance(operator, Operator) or space is None or not space.has_fermions:
        return operator
    return Operator.from_masks(
        operator.size,
        operator.masks(),
        lattice=operator.lattice,
        turned=operator.turned,
        hilbert=replace(space, fermionic=()),
    )


def translations_among(operator: Any, rows: np.ndarray) -> np.ndarray:
    """Those of `rows` that are translations of the lattice; all where there are none."""
    lattice = operator.hilbert.place
    group = getattr(lattice, "translations", None)
    if group is None or group.order == 1:
        return rows
    sites = {tuple(row) for row in np.asarray(group.permutations).tolist()}
    modes = np.array(operator.hilbert.species[0][1])
    back = np.full(operator.hilbert.size, -1)
    back[modes] = np.arange(len(modes))
    return rows[np.array([tuple(back[row[modes]].tolist()) in sites for row in rows])]


def _pace(operator: Any, rows: np.ndarray) -> tuple[float, int]:
    """(learning rate, steps) of exact sums: from the width and the gap of the invariant states."""
    from scipy.sparse import coo_matrix

    from intertwine.quantum.exact.lanczos import lowest

    orbits = OrbitEnumeration(rows, hilbert=operator.hilbert)
    n, count = orbits.sizes, len(orbits.sizes)
    found = operator.host_rows(orbits.configurations)
    diagonal = np.real(next(found)[0])
    i, j, values = [np.arange(count)], [np.arange(count)], [diagonal]
    for elements, others in found:
        there = orbits.orbits_of(others)
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
    rate = float(f"{_RATE / width:.3g}") if width > 0 else LEARNING_RATE
    steps = round(_DECAY / (2 * rate * gap)) if gap > 0 else 0
    return rate, min(max(steps, _STEPS[0]), _STEPS[1])


def build_in_space(choice: Choice, operator: Any, key: Any) -> Any:
    """The wave function of `choice` on the modes of the operator's space."""
    from intertwine.models.names import check_model_name, model_from_name
    from intertwine.symmetry.groups.permutation_group import PermutationGroup

    space, name = operator.hilbert, check_model_name(choice.model)
    rows = np.arange(space.size)[None]
    if name.family in ("symmetric-rbm", "gcnn"):
        rows = kept_permutations(operator)
        if "translations" in name.options or (name.family == "symmetric-rbm" and "space" not in name.options):
            rows = translations_among(operator, rows)
        plain = name.options - {"space", "translations"}
        parts = choice.model.split(":")
        choice = replace(choice, model=":".join([*parts[:2], *sorted(plain)]))
    dtype = complex if choice.dtype == "complex" else float
    group: Any = PermutationGroup(rows)
    return model_from_name(choice.model, group, dtype=dtype, sector=choice.sector, space=space, key=key)
