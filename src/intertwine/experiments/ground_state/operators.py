"""From settings to the operator: the Hamiltonian of a name, or of a file of terms, on its space."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from intertwine._checks import InputError, fail
from intertwine.experiments.ground_state.hamiltonians import Terms
from intertwine.experiments.ground_state.places import build_lattice
from intertwine.experiments.ground_state.spaces import build_space

if TYPE_CHECKING:
    from intertwine.experiments.ground_state.settings import GroundStateConfiguration
    from intertwine.quantum.operators.operator import Operator
    from intertwine.spaces.hilbert.hilbert_space import HilbertSpace
    from intertwine.spaces.hilbert.place import Place
    from intertwine.spaces.lattice import Lattice


def lattice_of(c: GroundStateConfiguration) -> Any:
    """The lattice or graph that the settings name."""
    return build_lattice(c.lattice, c.graph)


def build_operator(
    c: GroundStateConfiguration, lattice: Lattice, *, marshall: bool | None = None
) -> Operator:
    """The Hamiltonian as it is written: spins in the frame that `marshall` asks for (None: as the settings).

    Raises `InputError` where numbers do not fit, terms are not Hermitian, or the operator leaves its space.
    """
    from intertwine.quantum.confined import in_own_space
    from intertwine.quantum.operators import hamiltonians

    space = build_space(c, lattice)
    if isinstance(c.hamiltonian, Terms):
        found = _of_terms(c, c.hamiltonian, lattice if space is None else space)
    else:
        arguments = c.hamiltonian.arguments()
        if marshall is not None and arguments.get("marshall", True) is None:
            arguments["marshall"] = marshall
        if "interaction" in arguments and isinstance(arguments["interaction"], float):
            raise fail("hamiltonian.interaction", "a file of a symmetric table", arguments["interaction"])
        make = getattr(hamiltonians, c.hamiltonian.name)
        try:
            found = make(lattice if space is None else space, **arguments)
        except InputError as error:
            argument, _, rest = str(error).partition(": ")
            known = argument in arguments
            raise InputError(f"hamiltonian.{argument}: {rest}") if known else error from None
    if not found.is_hermitian:
        raise fail("hamiltonian", "a Hermitian operator", "one that is not", "add its Hermitian conjugate")
    return in_own_space(found)


def _of_terms(c: GroundStateConfiguration, terms: Terms, where: HilbertSpace | Place) -> Any:
    from intertwine.experiments.ground_state.bonds import sites_of
    from intertwine.quantum.operators.imports.text import read_terms

    place = getattr(where, "place", where)
    if (named := sites_of(c)) > place.size:
        expected = f"at least {named} sites, those of the terms in {terms.file},"
        remedy = f"take chain:{named}, or leave the lattice out"
        raise fail("lattice", expected, f"{place.size} of {c.lattice}", remedy)
    try:
        return read_terms(terms.text.rstrip() + "\n", where, name=Path(terms.file).stem)
    except InputError as error:
        told = str(error)
        line = told.startswith("line ")
        raise InputError(f"{terms.file}, {told}" if line else f"hamiltonian: {told}") from None
