r"""What is measured of a trained model of structures: errors in units and by element, of baselines, under
turns.

energy     root mean square and mean absolute error of a structure, and of a structure over its points
forces     of a component, over all points: F̂ − F
baselines  energy: reference energies of the elements alone, and the mean over points of what was learnt
           from; forces and other vectors: zero; numbers: the mean, of points by
           element; classes: the commonest
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import jax
import numpy as np
from jaxtyping import Float

from intertwine.data.structures.structures import Structures
from intertwine.learning.structures.references import counts_of
from intertwine.learning.structures.structure_model import StructureModel
from intertwine.learning.structures.targets import ENERGY, FORCES, STRESS, Target

TURNS, TURNED = 4, 8


def errors(
    model: StructureModel, structures: Structures, said: Structures, learnt: Structures
) -> dict[str, dict[str, Any]]:
    """For each target of numbers what the module says."""
    return {
        t.name: _errors(model, t, structures, said.values[t.name], learnt)
        for t in model.targets
        if t.kind != "classes"
    }


def _errors(
    model: StructureModel, target: Target, structures: Structures, said: np.ndarray, learnt: Structures
) -> dict[str, Any]:
    truth = np.asarray(structures.values[target.name], float)
    off = said - truth
    spread = truth if target.kind in (FORCES, STRESS, "vector") else truth - np.nanmean(truth, axis=0)
    found: dict[str, Any] = {
        "rmse": _root(off),
        "mae": _mean(np.abs(off)),
        "rms": _root(spread),
        "unit": target.unit,
        "kind": target.kind,
        "per_point": target.per_point,
        "count": int(np.isfinite(truth).reshape(len(truth), -1).all(1).sum()),
    }
    if target.kind == ENERGY:
        sizes = structures.sizes
        found |= {"rmse_per_point": _root(off / sizes), "mae_per_point": _mean(np.abs(off / sizes))}
    found["baselines"] = {
        words: _root(guess - truth) for words, guess in _baselines(model, target, structures, learnt).items()
    }
    if target.per_point:
        found["by_element"] = by_element(structures, off)
    return found


def _baselines(
    model: StructureModel, target: Target, structures: Structures, learnt: Structures
) -> dict[str, np.ndarray]:
    known = np.asarray(learnt.values[target.name], float)
    truth = np.asarray(structures.values[target.name], float)
    if target.kind == ENERGY:
        per_point = float(np.nanmean(known / learnt.sizes))
        return {
            "reference energies": counts_of(structures, model.elements) @ model.references,
            "mean energy": per_point * structures.sizes,
        }
    if target.kind in (FORCES, STRESS, "vector"):
        return {f"zero {target.name}": np.zeros_like(truth)}
    if not target.per_point:
        return {"mean": np.broadcast_to(np.nanmean(known, axis=0), truth.shape)}
    guess = np.broadcast_to(np.nanmean(known, axis=0), truth.shape).copy()
    for number in structures.elements:
        here = known[learnt.species == number]
        if np.isfinite(here).any():
            guess[structures.species == number] = np.nanmean(here, axis=0)
    return {"mean by element": guess}


def by_element(structures: Structures, off: np.ndarray) -> dict[str, dict[str, Any]]:
    """The errors of the points of each element, or kind."""
    found = {}
    for number in structures.elements:
        here = off[structures.species == number]
        if np.isfinite(here).any():
            name = str(structures.symbols[np.flatnonzero(structures.species == number)[0]])
            found[name] = {"rmse": _root(here), "mae": _mean(np.abs(here)), "count": len(here)}
    return found


def log_probabilities(target: Target, said: Structures) -> Float[np.ndarray, "rows C"]:
    """ln p of each class, of points or structures."""
    return np.log(np.maximum(np.asarray(said.values[f"p({target.name})"], float), 1e-300))


def labels_of(target: Target, structures: Structures) -> np.ndarray:
    """Labels as numbers of the target's classes, −1 where unknown."""
    values = np.asarray(structures.values[target.name])
    words = structures.names.get(target.name)
    if words is None or tuple(words) == target.classes:
        return values.astype(np.int64)
    place = {word: k for k, word in enumerate(target.classes)}
    return np.array([place.get(word, -1) for word in words] + [-1])[values]


def accuracy_by_kind(target: Target, structures: Structures, right: np.ndarray) -> dict[str, dict[str, Any]]:
    """Of points: the accuracy for each element or kind of residue."""
    if not target.per_point:
        return {}
    found = {}
    for number in structures.elements:
        here = right[structures.species == number]
        name = str(structures.symbols[np.flatnonzero(structures.species == number)[0]])
        found[name] = {"accuracy": float(np.mean(here)), "count": len(here)}
    return found


def turned(structures: Structures, rotation: np.ndarray, vectors: tuple[str, ...]) -> Structures:
    """The structures turned (or mirrored), with the values of these names, which are vectors."""
    cells = None if structures.cells is None else structures.cells @ rotation.T
    moved = replace(structures, positions=structures.positions @ rotation.T, cells=cells)
    values = {name: np.asarray(structures.values[name]) @ rotation.T for name in vectors}
    return moved.with_values(values, per_point=[n for n in vectors if n in structures.per_point])


def under_turns(model: StructureModel, structures: Structures, key: jax.Array) -> dict[str, Any]:
    """`rotations`: of a few structures as they are and turned at random, also mirrored where the types have
    parities, rmse by target (or the accuracy of classes); `equivariance`: the largest differences between
    what is said of the turned structures and what is said turned, relative to the largest number said."""
    few = structures.take(slice(min(TURNED, len(structures))))
    named = {t.name: t for t in model.targets}
    vectors = [t.name for t in model.targets if t.kind in (FORCES, "vector")]
    vectors += [one.name for one in model.inputs if one.kind == "vector"]
    motions = model.space.random_elements(TURNS, key=key)
    before = model.said(few)
    names, rmse, accuracy, rows = ["as they are"], {}, [], []
    for number in range(TURNS + 1):
        rotation = np.eye(model.space.dimension)
        if number:
            rotation = np.asarray(motions[number - 1].rotation, float)
            names.append(f"{'mirrored and ' if np.linalg.det(rotation) < 0 else ''}turned {number}")
        moved = turned(few, rotation, tuple(dict.fromkeys(vectors)))
        said = model.said(moved)
        largest = 0.0
        for name, target in named.items():
            expected = before[name]
            if target.kind in (FORCES, "vector"):
                expected = expected @ rotation.T
            elif target.kind == STRESS:
                expected = rotation @ expected @ rotation.T
            scale = float(np.abs(expected - _constant(model, target, few)).max()) or 1.0
            largest = max(largest, float(np.abs(said[name] - expected).max()) / scale)
            if target.kind == "classes":
                labels = labels_of(target, few)
                accuracy.append(float((said[name].argmax(-1) == labels)[labels >= 0].mean()))
            else:
                truth = np.asarray(moved.values[name], float)
                truth = rotation @ truth @ rotation.T if target.kind == STRESS else truth
                rmse.setdefault(name, []).append(_root(said[name] - truth))
        if number:
            rows.append(
                {"layer": "whole", "element": number, "name": names[-1], "error": largest, "exact": True}
            )
    table: dict[str, Any] = {"elements": names, "count": len(few)}
    table |= {"rmse": rmse} if rmse else {}
    return {"rotations": table | ({"accuracy": accuracy} if accuracy else {}), "equivariance": rows}


def _constant(model: StructureModel, target: Target, structures: Structures) -> np.ndarray | float:
    """The part of energies that no network says."""
    return counts_of(structures, model.elements) @ model.references if target.kind == ENERGY else 0.0


def _root(values: np.ndarray) -> float:
    return float(np.sqrt(np.nanmean(values**2)))


def _mean(values: np.ndarray) -> float:
    return float(np.nanmean(values))
