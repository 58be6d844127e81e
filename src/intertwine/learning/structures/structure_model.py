r"""A learned function of structures: a network in its own scale, and what it stands for in the units of data.

    E_s = scale · Ê_s + Σ_i e(element of i)          F = scale · F̂          values = shift + scale_t · said

`predict` gives every target, `energy`, `forces` and `stress` one each, `energy_function` the energy of one
structure as a compiled function of its positions, for whatever moves atoms.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from jaxtyping import Float, PyTree

from intertwine._checks import InputError, fail
from intertwine.data.structures.loading import load_structures
from intertwine.data.structures.structures import Structures
from intertwine.learning.structures.inputs import SPECIES, Input, features
from intertwine.learning.structures.packing import Rows, all_batches, alone, ladder
from intertwine.learning.structures.references import counts_of
from intertwine.learning.structures.said import said_of
from intertwine.learning.structures.targets import ENERGY, FORCES, STRESS, Target
from intertwine.spaces.points.edges import Edges, checked_box
from intertwine.spaces.points.points import Points
from intertwine.spaces.points.search import search

AT_ONCE = 32
"""Structures of a batch in predictions, at most."""


class Standard(NamedTuple):
    """Of a target: what is said in the network's scale times `scale` and plus `shift` is the value."""

    shift: tuple[float, ...]
    scale: float


@dataclass(frozen=True, eq=False, repr=False)
class StructureModel:
    """A function of structures in the units of the data it was learned from.

    network: `network(features, at=cloud)` → fields on the points. inputs, targets: what it is told, and says.
    elements: those that it knows. references: e of each, eV. scale: of energies, eV, and forces, eV/Å.
    standards: name → of the other targets. sizes: points of the smallest and largest structure learnt from.
    """

    network: Any
    inputs: tuple[Input, ...]
    targets: tuple[Target, ...]
    elements: tuple[int, ...]
    references: Float[np.ndarray, " elements"]
    scale: float
    standards: dict[str, Standard] = field(default_factory=dict)
    sizes: tuple[int, int] = (1, 1)
    species_names: tuple[str, ...] | None = None

    @property
    def space(self) -> Points:
        """The points that the network works on: how far they see."""
        return self.network.space

    @property
    def unit(self) -> str:
        """Of energies."""
        units = [t.unit for t in self.targets if t.kind == ENERGY]
        return units[0] if units else "eV"

    def predict(self, structures: Structures | str | Path, argument: str = "data") -> Structures:
        """The structures, or those of a file, with what the network says of them in place of their values.

        Of classes the most probable one, and beside it the probability of each, called "p(name)". Raises
        InputError, called `argument`, for elements that were not learned.
        """
        structures = structures_of(structures)
        said = self.said(structures, argument)
        values, units, names, per_point = {}, {}, {}, []
        for target in self.targets:
            here = said[target.name]
            if target.kind == "classes":
                values[target.name] = here.argmax(-1).astype(np.int64)
                names[target.name] = target.classes
                values[f"p({target.name})"] = here
            else:
                values[target.name], units[target.name] = here, target.unit
            if target.per_point:
                per_point += [target.name] + [f"p({target.name})"] * (target.kind == "classes")
        return structures.with_values(values, units=units, names=names, per_point=tuple(per_point))

    def answer(self, structures: Structures | str | Path) -> Any:
        """What `it.predict` gives: of one target of classes the labels as words, else `predict`."""
        found = self.predict(structures)
        if [target.kind for target in self.targets] == ["classes"]:
            return found.words(self.targets[0].name)
        return found

    def energy(self, structures: Structures | str | Path) -> Float[np.ndarray, " S"]:
        """The energy of each structure, eV. Raises InputError for a model that has none."""
        return self._one(ENERGY, structures)

    def forces(self, structures: Structures | str | Path) -> Float[np.ndarray, "total d"]:
        """The forces on all points, −∂E/∂x, eV/Å, also where they were not learned from."""
        return self._one(FORCES, structures)

    def stress(self, structures: Structures | str | Path) -> Float[np.ndarray, "S d d"]:
        """The stress of each structure, (1/V) ∂E/∂strain, eV/Å³. Raises InputError for structures that are
        not periodic in all directions, which have no volume."""
        structures = structures_of(structures)
        open_ = np.flatnonzero(~structures.periodic.all(1))
        if len(open_):
            got = f"structure {open_[0]}, which is not" if len(structures) > 1 else "one that is not"
            raise fail("structures", "structures that are periodic in all directions, with a volume", got)
        return self._one(STRESS, structures)

    def _one(self, name: str, structures: Structures | str | Path) -> np.ndarray:
        return self.said(structures_of(structures), "structures", self.with_derivatives(name))[name]

    def with_derivatives(self, *names: str) -> tuple[Target, ...]:
        """The targets, and these of energy, forces and stress besides; InputError without energies."""
        if not any(t.kind in (ENERGY, FORCES, STRESS) for t in self.targets):
            listed = ", ".join(t.name for t in self.targets)
            raise fail("model", "one that has learned energies or forces", f"one of {listed}")
        own, found = {t.name for t in self.targets}, self.targets
        unit, d = self.unit, self.space.dimension
        for name in names:
            if name not in own:
                width = {ENERGY: 1, FORCES: d, STRESS: d * d}[name]
                units = {ENERGY: unit, FORCES: f"{unit}/Å", STRESS: f"{unit}/Å^3"}
                found = (*found, Target(name, name, name == FORCES, width, units[name]))
        # an energy that was not learned from is said first, as its channel is
        return tuple(sorted(found, key=lambda t: t.kind == ENERGY and t.name not in own, reverse=True))

    def said(
        self, structures: Structures, argument: str = "data", targets: tuple[Target, ...] | None = None
    ) -> dict[str, np.ndarray]:
        """name → what the network says, in units: (S, …) or (total, …); of classes their probabilities."""
        targets = self.targets if targets is None else targets
        rows = self.rows(structures, argument)
        rungs = ladder([rows], AT_ONCE)
        found: dict[str, np.ndarray] = {}
        dtype = precision_of(self.network)
        for chosen, batch in all_batches(rows, rungs):
            cloud = jax.tree.map(jnp.asarray, batch.cloud)
            x = jnp.asarray(batch.positions, dtype)
            here = said_of_batch(self.network, x, jnp.asarray(batch.features), cloud, targets)
            points = np.concatenate([np.arange(*rows.offsets[k : k + 2]) for k in chosen])
            for target in targets:
                values = np.asarray(here[target.name], np.float64)
                to = points if target.per_point else chosen
                length = structures.total if target.per_point else len(structures)
                found.setdefault(target.name, np.zeros((length, *values.shape[1:])))[to] = values[: len(to)]
        return {t.name: self._in_units(t, found[t.name], structures) for t in targets}

    def _in_units(self, target: Target, values: np.ndarray, structures: Structures) -> np.ndarray:
        if target.kind == "classes":
            scores = np.exp(values - values.max(-1, keepdims=True))
            return scores / scores.sum(-1, keepdims=True)
        if target.kind == ENERGY:
            return self.scale * values + counts_of(structures, self.elements) @ self.references
        if target.kind in (FORCES, STRESS):
            return self.scale * values
        standard = self.standards[target.name]
        found = values * standard.scale + np.array(standard.shift)
        return found[:, 0] if target.kind == "scalars" and target.width == 1 else found

    def rows(self, structures: Structures, argument: str = "data", values: bool = False) -> Rows:
        """What batches are made of. values: whether with the targets, standardised, nan where not known."""
        check_alike(self, structures, argument)
        edges = edges_of(self.space, structures, argument)
        told: dict[str, np.ndarray] = {}
        known: dict[str, np.ndarray] = {}
        for target in self.targets if values else ():
            if target.name not in structures.values:
                listed = ", ".join(structures.values) or "none"
                raise fail(argument, f"values called {target.name}, a target", listed)
            told[target.name], known[target.name] = self._standardised(target, structures, argument)
        per_point = frozenset(target.name for target in self.targets if target.per_point)
        table = features(self.inputs, structures, argument)
        offsets = np.asarray(structures.offsets)
        return Rows(edges, table, told, known, per_point, offsets, reach_of(self.space))

    def _standardised(
        self, target: Target, structures: Structures, argument: str
    ) -> tuple[np.ndarray, np.ndarray]:
        """(the values of a target in the network's scale, 0 where they are not known; 1 where they are)."""
        values = np.asarray(structures.values[target.name])
        if target.kind == "classes":
            values = _numbered(target, structures, argument)
            return values.astype(np.int32), (values >= 0).astype(np.float32)
        values = values.astype(np.float64)
        if (found := str(structures.units.get(target.name, ""))) != target.unit:
            expected, got = (unit or "no unit" for unit in (target.unit, found))
            raise fail(argument, f"{target.name} in {expected}", got, "convert one of them")
        if target.kind == ENERGY:
            values = (values - counts_of(structures, self.elements) @ self.references) / self.scale
        elif target.kind in (FORCES, STRESS):
            values = values / self.scale
        else:
            standard = self.standards[target.name]
            values = (values.reshape(len(values), -1) - np.array(standard.shift)) / standard.scale
        known = np.asarray(np.isfinite(values.reshape(len(values), -1)).all(1))
        values = np.where(known.reshape(-1, *(1,) * (values.ndim - 1)), values, 0.0)
        return np.asarray(values, precision_of(self.network)), known.astype(np.float32)

    def energy_function(
        self, structures: Structures, *, skin: float = 0.0
    ) -> Callable[[Array], Float[Array, ""]]:
        """The energy of one structure, eV, as a compiled function of its positions (n, d), Å, for export and
        for whatever differentiates it.

        skin: how much further than the cutoff neighbours are kept, Å: the function is exact as long as no
        point has moved further than half of that from `structures`.

        Raises InputError for several structures.
        """
        if len(structures) != 1:
            raise fail("structures", "one structure", f"{len(structures)}", "give structures.take([0])")
        self.with_derivatives(ENERGY)
        edges = edges_of(widened(self.space, skin), structures, "structures")
        table = jnp.asarray(features(self.inputs, structures, "structures"))
        cloud = jax.tree.map(jnp.asarray, alone(edges[0], reach_of(self.space)))
        constant = float((counts_of(structures, self.elements) @ self.references)[0])
        network, scale, targets = self.network, self.scale, self.with_derivatives(ENERGY)
        dtype = precision_of(network)

        @jax.jit
        def energy(positions: Array) -> Array:
            said = said_of(network, jnp.asarray(positions, dtype), table, cloud, _energies(targets))
            return scale * said[ENERGY][0] + constant

        return energy

    def __repr__(self) -> str:
        targets = ", ".join(target.name for target in self.targets)
        return f"StructureModel({', '.join(i.name for i in self.inputs)} → {targets} on {self.space!r})"


def _energies(targets: tuple[Target, ...]) -> tuple[Target, ...]:
    """The targets without the derivatives."""
    return tuple(target for target in targets if target.kind not in (FORCES, STRESS))


@eqx.filter_jit
def said_of_batch(
    network: PyTree, positions: Array, features: Array, cloud: PyTree, targets: tuple[Target, ...]
) -> dict[str, Array]:
    return said_of(network, positions, features, cloud, targets)


def structures_of(given: Structures | str | Path) -> Structures:
    """Structures, or those of a file."""
    return given if isinstance(given, Structures) else load_structures(given)


def edges_of(space: Points, structures: Structures, argument: str = "data") -> list[Edges]:
    """The neighbours in each structure, on the host; InputError names the structure."""
    found = []
    for k, one in enumerate(structures):
        try:
            cell = None if one.cell is None or not one.periodic.any() else one.cell
            box = checked_box(one.positions, cell, None if cell is None else one.periodic, space.dimension)
            found.append(search(box, space.cutoff, space.nearest))
        except InputError as error:
            raise InputError(f"{argument}: structure {k}: {error}") from None
    return found


def reach_of(space: Points) -> float:
    """How far a point sees; 1 where that is not said."""
    return 1.0 if space.cutoff is None else float(space.cutoff)


def widened(space: Points, skin: float) -> Points:
    """The same points that see further by `skin`; InputError where they see their nearest alone."""
    if not skin:
        return space
    if space.cutoff is None or space.nearest is not None:
        raise fail("skin", "0 for a network of nearest neighbours", skin)
    return Points(space.cutoff + skin, group=space.group)


def precision_of(network: PyTree) -> Any:
    """The type of the parameters of a network."""
    return jnp.result_type(*jax.tree.leaves(eqx.filter(network, eqx.is_inexact_array)))


def check_alike(model: StructureModel, structures: Structures, argument: str) -> None:
    """InputError for structures of another kind or dimension than those learned from."""
    d = model.space.dimension
    if structures.positions.shape[1] != d:
        raise fail(argument, f"positions in {d} dimensions", f"{structures.positions.shape[1]}")
    if any(one.kind == SPECIES for one in model.inputs):
        known = structures.species_names
        if model.species_names is not None and known is not None and known != model.species_names:
            raise fail(argument, f"points of the kinds {_few(model.species_names)}", _few(known))


def _numbered(target: Target, structures: Structures, argument: str) -> np.ndarray:
    """Labels as numbers of the target's classes, −1 where not known."""
    values = np.asarray(structures.values[target.name])
    words = structures.names.get(target.name)
    if words is None or tuple(words) == target.classes:
        return values.astype(np.int64)
    other = sorted({words[v] for v in np.unique(values) if v >= 0} - set(target.classes))
    if other:
        raise fail(argument, f"labels among {_few(target.classes)}", _few(tuple(other)))
    place = {word: k for k, word in enumerate(target.classes)}
    table = np.array([place.get(word, -1) for word in words] + [-1])
    return table[values]


def _few(words: tuple[str, ...]) -> str:
    return ", ".join(map(str, words[:8])) + (", …" if len(words) > 8 else "")
