r"""A trained model as a calculator of ASE, so that it drives relaxations and molecular dynamics.

    atoms.calc = it.ase_calculator(it.load("runs/ethanol"))            energies in eV, lengths in Å

Neighbours are kept up to the cutoff and a skin: their list is made again when an atom has moved by half the
skin, or the cell has changed. Beyond the cutoff they count exactly 0, so that the skin changes no number, and
lists have room to spare, so that nothing is compiled again.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float, PyTree

from intertwine._checks import fail
from intertwine._results import as_model
from intertwine.data.structures.structures import Structures
from intertwine.learning.structures.inputs import NOTHING, SPECIES, features
from intertwine.learning.structures.packing import alone
from intertwine.learning.structures.references import counts_of
from intertwine.learning.structures.structure_model import (
    StructureModel,
    edges_of,
    precision_of,
    reach_of,
    said_of_batch,
    widened,
)
from intertwine.learning.structures.targets import ENERGY, FORCES, STRESS

if TYPE_CHECKING:
    from ase.calculators.calculator import Calculator

SKIN = 0.5
SPARE = 1.15
"""Room for neighbours, over those of the first list."""


def ase_calculator(model: PyTree, *, skin: float = SKIN) -> Calculator:
    """A calculator of ASE with the energy, forces and stress of a trained model.

    model: a run of intertwine fields that was loaded, a `StructureFit`, or its `StructureModel`, of energies
    in eV. skin: how much further than the cutoff neighbours are kept, Å; 0 makes the list anew at every step,
    as models of nearest neighbours do in any case, whose energy is not continuous in time.

    For energies that are conserved over long times train, and load, in float64 (`--precision float64`).

    Raises InputError for models without energies or with other inputs than the elements, and where ASE is not
    installed.
    """
    try:
        from ase.calculators.calculator import Calculator, PropertyNotImplementedError, all_changes
    except ImportError:
        remedy = "pip install 'intertwine[molecules]'"
        raise fail("ase_calculator", "ASE, the Atomic Simulation Environment", "none", remedy) from None
    mover = Mover(as_model(model), skin)

    class IntertwineCalculator(Calculator):
        """Energies, forces and stresses of a `StructureModel`."""

        implemented_properties: ClassVar[list[str]] = ["energy", "free_energy", "forces", "stress"]

        def calculate(
            self,
            atoms: object = None,
            properties: Sequence[str] = ("energy",),
            system_changes: Sequence[str] = tuple(all_changes),
        ) -> None:
            super().calculate(atoms, list(properties), list(system_changes))  # type: ignore[arg-type]
            own: Any = self.atoms
            wanted = "stress" in properties
            if wanted and not np.all(own.pbc):
                raise PropertyNotImplementedError(
                    "stress: of atoms that are periodic in all directions alone"
                )
            cell, periodic = np.asarray(own.cell), np.asarray(own.pbc)
            found = mover(own.get_positions(), own.get_atomic_numbers(), cell, periodic, wanted)
            self.results = {"energy": found[ENERGY], "free_energy": found[ENERGY], "forces": found[FORCES]}
            if wanted:
                self.results["stress"] = found[STRESS].reshape(-1)[[0, 4, 8, 5, 2, 1]]  # as of Voigt

    return IntertwineCalculator()


class Mover:
    """What a model says of one structure again and again, while its atoms move.

    lists: how often neighbours were looked for.
    """

    def __init__(self, model: StructureModel, skin: float = SKIN):
        if not isinstance(model, StructureModel):
            expected = "a model of structures: a run of intertwine fields, or it.fit_structures"
            raise fail("model", expected, model)
        if not (isinstance(skin, int | float) and 0 <= skin < math.inf):
            raise fail("skin", "a length of 0 or more, in Å", skin, "for example 0.5")
        if other := [one.name for one in model.inputs if one.kind not in (SPECIES, NOTHING)]:
            remedy = "atoms of ASE have elements and positions alone"
            raise fail("model", "one that is told the elements alone", f"one of {', '.join(other)}", remedy)
        if model.unit not in ("eV", ""):
            raise fail("model", "energies in eV", f"energies in {model.unit}", "learn from them in eV")
        model.with_derivatives(FORCES)
        self.model = model
        smooth = model.space.nearest is None and model.space.cutoff is not None
        self.skin = float(skin) if smooth else 0.0
        self.lists, self._room, self._made = 0, (0, 0), None
        self._dtype = precision_of(model.network)

    def __call__(
        self,
        positions: Float[np.ndarray, "n 3"],
        numbers: np.ndarray,
        cell: Float[np.ndarray, "3 3"],
        periodic: np.ndarray,
        stress: bool = False,
    ) -> dict[str, Any]:
        """energy (eV), forces (n, 3) in eV/Å and, if asked for, stress (3, 3) in eV/Å³."""
        self._look(np.asarray(positions, float), np.array(numbers), np.array(cell, float), np.array(periodic))
        names = (ENERGY, FORCES, STRESS) if stress else (ENERGY, FORCES)
        targets = tuple(t for t in self.model.with_derivatives(*names) if t.name in names or t.type)
        x = jnp.asarray(positions - self._middle, self._dtype)
        said = said_of_batch(self.model.network, x, self._features, self._cloud, targets)
        scale = self.model.scale
        found = {
            ENERGY: scale * float(said[ENERGY][0]) + self._constant,
            FORCES: scale * np.asarray(said[FORCES], np.float64),
        }
        if stress:
            found[STRESS] = scale * np.asarray(said[STRESS][0], np.float64)
        return found

    def _look(
        self, positions: np.ndarray, numbers: np.ndarray, cell: np.ndarray, periodic: np.ndarray
    ) -> None:
        """New neighbours, where those that are kept may lack some."""
        if self._made is not None:
            before, *rest = self._made
            same = all(np.array_equal(a, b) for a, b in zip(rest, (numbers, cell, periodic), strict=True))
            if same and before.shape == positions.shape:
                furthest = float(np.sqrt(((positions - before) ** 2).sum(1).max()))
                if furthest < 0.5 * self.skin or furthest == 0:
                    return
        cells = None if not periodic.any() else cell
        one = Structures.of([positions], [numbers], cells=cells, periodic=None if cells is None else periodic)
        (edges,) = edges_of(widened(self.model.space, self.skin), one, "atoms")
        self._room = tuple(
            have if need <= have else 4 * math.ceil(SPARE * need / 4)
            for need, have in zip((edges.site.shape[1], edges.back.shape[1]), self._room, strict=True)
        )
        cloud = alone(edges, reach_of(self.model.space), neighbours=self._room[0], arriving=self._room[1])
        self._cloud = jax.tree.map(jnp.asarray, cloud)
        self._middle = positions.mean(0)
        self._features = jnp.asarray(features(self.model.inputs, one, "atoms"))
        self._constant = float((counts_of(one, self.model.elements) @ self.model.references)[0])
        self._made = (positions.copy(), numbers.copy(), cell.copy(), periodic.copy())
        self.lists += 1
