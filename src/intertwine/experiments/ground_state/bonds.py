"""What a run says of its bonds: what the weights of a graph multiply, which coupling belongs to which bond,
and whether a file of terms leaves sites out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from intertwine._caveats import caveat
from intertwine.experiments.ground_state.hamiltonians import Terms

if TYPE_CHECKING:
    from intertwine.experiments.ground_state.settings import GroundStateConfiguration

_SHOWN = 6


def weights_in_words(c: GroundStateConfiguration) -> str | None:
    """What the weights of the graph multiply, "" where they are not used; None where there are none."""
    if not c.graph.weights:
        return None
    names = [name for name in _weighted(c) if not _is_array(getattr(c.hamiltonian, name))]
    return f"{', '.join(names)} times the weight of each edge" if names else ""


def bonds_in_words(c: GroundStateConfiguration, lattice: Any) -> list[str]:
    """The first bonds with the couplings that arrays give them, a line for each array.

    >>> from intertwine.experiments.ground_state.settings import GroundStateConfiguration
    >>> from intertwine.spaces.lattices import Chain
    >>> asked = {"lattice": "chain:3", "hamiltonian": {"name": "tfim", "J": [1.0, 0.5, 2.0]}}
    >>> bonds_in_words(GroundStateConfiguration.model_validate(asked), Chain(3))
    ['J of the bonds: 0-1 1, 0-2 0.5, 1-2 2']
    """
    said = []
    for name in c.hamiltonian.of_bonds:
        values = getattr(c.hamiltonian, name)
        if not _is_array(values) or np.ndim(values) != 1:
            continue
        pairs = lattice.bonds().tolist()
        if len(values) == len(pairs):
            shown = [f"{i}-{j} {value:g}" for (i, j), value in zip(pairs, values, strict=True)][:_SHOWN]
            more = ", …" if len(pairs) > _SHOWN else ""
            said.append(f"{name} of the bonds: {', '.join(shown)}{more}".replace(" -", " −"))
    return said


def caveats_of_bonds(c: GroundStateConfiguration, sites: int) -> list[str]:
    """Weights that nothing uses, and sites that no term names."""
    said = []
    if weights_in_words(c) == "":
        names = ", ".join(_weighted(c))
        reason = "the terms say all couplings" if isinstance(c.hamiltonian, Terms) else ""
        reason = reason or (f"{names} is given for each bond" if names else f"{c.hamiltonian.name} has none")
        said.append(caveat("data", f"the weights in {c.lattice} are not used: {reason}"))
    if isinstance(c.hamiltonian, Terms) and 0 < (named := sites_of(c)) < sites:
        words = (
            f"the terms of {c.hamiltonian.file} end at site {named - 1}, {c.lattice} has {sites}: the others "
        )
        said.append(caveat("data", words + "are free; leave --lattice out for the sites of the terms"))
    return said


def sites_of(c: GroundStateConfiguration) -> int:
    """One more than the largest site in the file of terms; 0 for other Hamiltonians."""
    if not isinstance(c.hamiltonian, Terms):
        return 0
    return sites_of_text(c.hamiltonian.text, c.space.fermions)


def sites_of_text(text: str, fermions: object) -> int:
    """The same of the text and the fermions of the settings: electrons have two modes at a site."""
    from intertwine.quantum.operators.imports.text import sites_of_terms

    return sites_of_terms(text, 2 if "," in str(fermions) else 1)


def _weighted(c: GroundStateConfiguration) -> tuple[str, ...]:
    own = c.hamiltonian.weighted
    return (*own, "J2") if c.hamiltonian.name == "j1j2" and c.graph.shells_by_colour else own


def _is_array(value: object) -> bool:
    return isinstance(value, list)
