r"""Topological entanglement entropy γ, S = α|∂A| − γ, from combinations in which boundaries cancel.

    Kitaev & Preskill    S_A + S_B + S_C − S_AB − S_BC − S_CA + S_ABC = −γ
    Levin & Wen          (S_1 − S_2) − (S_3 − S_4) = −2γ

γ = ln D with the total quantum dimension D: ln 2 for the toric code, 0 without topological order. The regions
have to be larger than the correlation length; the library chooses them on the lattice (`cuts`).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from jaxtyping import PyTree

from intertwine._checks import fail, one_of
from intertwine.quantum.entanglement.cuts import rings, sectors
from intertwine.quantum.entanglement.entropies import renyi
from intertwine.quantum.entanglement.vectors import size_of, state_vector

if TYPE_CHECKING:
    from intertwine.spaces.lattice import Lattice


@dataclass(frozen=True)
class TopologicalEntropy:
    """value: of the combination, nats. error: of it, where the entropies have errors. gamma: γ, −value or
    −value/2. cut: its name. regions: name → sites. entropies: name → nats. signs: name → ±1."""

    value: float
    error: float
    gamma: float
    cut: str
    regions: dict[str, tuple[int, ...]]
    entropies: dict[str, float]
    signs: dict[str, int]

    def __float__(self) -> float:
        return self.value


def topological(
    model: PyTree,
    lattice: Lattice,
    *,
    cut: str = "kitaev-preskill",
    order: float = 1,
    entropy: Callable[[tuple[int, ...]], Any] | None = None,
) -> TopologicalEntropy:
    """The topological entropy of a state on a two-dimensional lattice, by a cut that the library chooses.

    model: a wave function, a run or a vector of amplitudes, to 24 spins. lattice: where its sites are. cut:
    "kitaev-preskill" (a disc in three sectors) or "levin-wen" (rings, which need a larger lattice). order: of
    the entropies. entropy: in place of the exact one, a function of a region (any object with `mean` and
    `error`, or a number), such as `lambda region: renyi2(model, region, samples=4096, key=key)`; model may
    then be None. Raises InputError for a lattice that is too small, or not two-dimensional.

    >>> import numpy as np
    >>> from intertwine.spaces.lattices import Square
    >>> found = topological(np.ones(2**9), Square(3, 3))
    >>> round(found.gamma, 12) + 0.0, sorted(found.regions)
    (0.0, ['A', 'AB', 'ABC', 'B', 'BC', 'C', 'CA'])
    """
    one_of("cut", cut, ("kitaev-preskill", "levin-wen"))
    if entropy is None:
        if size_of(model) != lattice.size:
            raise fail("lattice", f"{size_of(model)} sites, as the model has", f"{lattice.size} sites")
        state = state_vector(model)

        def exact(region: tuple[int, ...]) -> float:
            return renyi(state, region, order)

        entropy = exact
    if cut == "kitaev-preskill":
        A, B, C = sectors(lattice)
        parts = {"A": A, "B": B, "C": C, "AB": A + B, "BC": B + C, "CA": C + A, "ABC": A + B + C}
        signs, factor = {name: (-1) ** (len(name) + 1) for name in parts}, 1.0
    else:
        parts = dict(zip("1234", rings(lattice), strict=True))
        signs, factor = {"1": 1, "2": -1, "3": -1, "4": 1}, 2.0
    found = {name: entropy(sites) for name, sites in parts.items()}
    means = {name: float(value) for name, value in found.items()}
    error = math.hypot(*(float(getattr(value, "error", 0.0)) for value in found.values()))
    value = math.fsum(signs[name] * means[name] for name in parts)
    return TopologicalEntropy(value, error, -value / factor + 0.0, cut, parts, means, signs)
