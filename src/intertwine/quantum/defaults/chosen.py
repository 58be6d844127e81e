"""The defaults of a ground-state search, for the function and the command: `choose` asks the operator."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from jax import Array

from intertwine._checks import fail
from intertwine.models.amplitude_table import AmplitudeTable, check_few
from intertwine.quantum.defaults.choice import TABLE, Choice
from intertwine.quantum.defaults.spaces import choose_in_space
from intertwine.quantum.defaults.spins import choose_spins
from intertwine.quantum.defaults.symmetries import kept_permutations, place_of, translations_among
from intertwine.quantum.hilbert_moves import held_space, is_plain
from intertwine.quantum.operators.operator import Operator
from intertwine.quantum.operators.protocols import QuantumOperator
from intertwine.spaces.hilbert.kinds import Spins


def choose(operator: QuantumOperator, *, sums: bool = True) -> Choice:
    """What to do for the ground state of `operator`, in the frame that it is written in, where nothing is
    given. sums: whether exact sums may be taken in place of samples.

    >>> import intertwine as it
    >>> choose(it.heisenberg(it.Chain(20))).model, choose(it.heisenberg(it.Chain(9))).sector
    ('symmetric-rbm:8', '4π/9 A')
    """
    from intertwine.quantum.vmc.moves import check_operator

    check_operator(operator)
    if not operator.is_hermitian:
        raise fail("operator", "a Hermitian operator", repr(operator), "add its Hermitian conjugate")
    if is_plain(operator.hilbert):
        assert isinstance(operator, Operator)
        return choose_spins(operator, sums)
    return choose_in_space(operator, sums)


def build_model(choice: Choice, operator: QuantumOperator, key: Array) -> Any:
    """The wave function of `choice` for `operator`. A table of amplitudes begins at the lowest eigenvector of
    the matrix, by `exact.ground_state`."""
    from intertwine.models.names import check_model_name, model_from_name
    from intertwine.models.qubits.presets import hamiltonian_variational

    if choice.model == TABLE:
        return _eigenvector(operator, choice)
    name = check_model_name(choice.model)
    if name.family == "hva" and is_plain(getattr(operator, "hilbert", None)):
        assert isinstance(operator, Operator)
        return hamiltonian_variational(operator.size, operator.strings(), int(name.number), key=key)
    if not is_plain(getattr(operator, "hilbert", None)):
        return _build_in_space(choice, operator, key)
    dtype = complex if choice.dtype == "complex" else float
    place = place_of(choice.model, operator)
    return model_from_name(choice.model, place, dtype=dtype, sector=choice.sector, key=key)


def _eigenvector(operator: QuantumOperator, choice: Choice) -> AmplitudeTable:
    """The ground state as a table, complex where H is or where the choice says so."""
    from intertwine.quantum.exact.solve import ground_state

    space = held_space(operator) if operator.hilbert is not None else Spins(operator.size)
    check_few(space)
    _, psi = ground_state(operator)
    return AmplitudeTable(space, psi.astype(complex) if choice.dtype == "complex" else psi)


def _build_in_space(choice: Choice, operator: QuantumOperator, key: Array) -> Any:
    """The wave function of `choice` on the modes of the operator's space."""
    from intertwine.models.names import check_model_name, model_from_name
    from intertwine.symmetry.groups.permutation_group import PermutationGroup

    space, name = held_space(operator), check_model_name(choice.model)
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
