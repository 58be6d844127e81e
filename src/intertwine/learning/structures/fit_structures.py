r"""Learning from structures in one call: energies and forces, other values, classes; molecules, crystals,
proteins, clouds of points.

    fit = it.fit_structures("nequip:16", "ethanol.xyz", targets="energy,forces", epochs=200, key=key)
    fit.model.predict("other.xyz").values["forces"]

AdamW with a rate that rises and falls, and an average of the weights over the last updates, which is what is
measured and kept. The commands `fields` and `classify` carry out the same study.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import jax
import numpy as np
from jax import Array
from jaxtyping import PyTree

from intertwine._caveats import caveat, tell
from intertwine._checks import fail, finite_number, positive_int, positive_number
from intertwine.data.structures.structures import Structures
from intertwine.learning.averaging import WeightAverage
from intertwine.learning.gradient import as_optimiser
from intertwine.learning.labels.defaults import WARMUP
from intertwine.learning.structures.blank import blank_model, check_network
from intertwine.learning.structures.defaults import (
    ALONE,
    AVERAGE,
    BATCH,
    EPOCHS,
    FEW,
    FEW_HELD,
    LEARNING_RATE,
    RARE,
    SPACE,
    WEIGHT_DECAY,
    structure_optimiser,
)
from intertwine.learning.structures.inputs import SEQUENCE, SPECIES, Input, inputs_of
from intertwine.learning.structures.objective import StructureObjective
from intertwine.learning.structures.packing import Rows, Rung, StructureBatches, ladder
from intertwine.learning.structures.said import type_of
from intertwine.learning.structures.structure_model import StructureModel, edges_of, structures_of
from intertwine.learning.structures.study import LearnedStructures, StructureStudy
from intertwine.learning.structures.targets import AUTO, ENERGY, Target, names_of, targets_of
from intertwine.learning.study import carry_out
from intertwine.learning.supervised_study import key_and_seed
from intertwine.models.parameters import check_key
from intertwine.spaces.points.names import points_from_name
from intertwine.spaces.points.points import Points

_COUNTED, _RESIDUES = 32, "residues"
"""Structures whose neighbours are counted."""
_GROUPS = ("trajectory", "group", "groups", "run")
"""Values of a structure by which data are split where they are there: neighbours in time are alike."""


class StructureFit(NamedTuple):
    """model: with the best weights by the structures held out, or the last ones without. history: a dict an
    epoch: epoch, loss, the rms error of each target in its unit (of the energy: per point) as `energy_error`
    …, or the accuracy, the same of the structures held out as `validation_…`, learning_rate, seconds. best:
    the epoch of `model`. warnings: what qualifies it."""

    model: StructureModel
    history: list[dict[str, float]]
    best: int
    warnings: tuple[str, ...] = ()


class StructureTask(NamedTuple):
    """study: what is carried out. kept: the structures that are learnt from. held: those that are held out to
    watch, or None. grouped: the value by whose groups they were split, or None. rungs: the padded sizes."""

    study: StructureStudy
    kept: Structures
    held: Structures | None
    grouped: str | None
    rungs: tuple[Rung, ...]


def fit_structures(
    network: str | PyTree,
    data: Structures | str | Path,
    *,
    targets: str | Sequence[str] = AUTO,
    inputs: str | Sequence[str] = SPECIES,
    space: str | Points = SPACE,
    degree: int | None = None,
    layers: int | None = None,
    weights: Mapping[str, float] | None = None,
    epochs: int = EPOCHS,
    minutes: float | None = None,
    batch: int = BATCH,
    learning_rate: float = LEARNING_RATE,
    warmup: float = WARMUP,
    weight_decay: float = WEIGHT_DECAY,
    average: float = AVERAGE,
    smoothing: float = 0.0,
    optimiser: PyTree = None,
    validation: float | Structures | str | Path = 0.1,
    by: str | None = AUTO,
    patience: int | None = None,
    key: Array,
    progress: Callable[[dict[str, float]], object] | None = None,
) -> StructureFit:
    """Learn what is known of structures: energies with forces, vectors, numbers, classes.

    network: "nequip:W", "painn:W", "mace:W", "tfn:W", "se3-transformer:W", "residues:W" (see `point_network`,
    with `degree` and `layers`), or a network on points whose types fit. data: structures, or a file of them.
    targets: names of values: energy (and its derivatives forces and stress), and any others, of structures or
    of points; words and integers are classes. inputs: what the network is told of each point: "species",
    values of points by name, or "none"; of "residues:W" the places along the chain besides. space:
    "points:R", neighbours within R Å, or "points:R:K", the K nearest of them. weights: target → its weight
    in the loss of standardised squares (1 by default; that of the energy, an error per point, as many as
    there are points). epochs,
    minutes: passes, and time after which the fit ends, if both, the first of them; with minutes the rate
    falls with the time. batch: structures an update. learning_rate, warmup, weight_decay: of AdamW; the rate
    rises over the share `warmup` of the updates and falls along a line to 0. average: decay of the average of
    the weights. smoothing: of labels. optimiser: another one. validation: the share held out (or the
    structures themselves), none of fewer than 4; by: the value of structures whose groups are held out
    whole, "auto" for `trajectory`, `group` or `run` where there is one, None for single structures.
    patience: epochs on end without a better one.

    Structures are padded to few sizes (`packing`); each is compiled once.

    Raises InputError for what cannot be learned from, and `Diverged`.

    >>> apart = np.linspace(0.8, 2.0, 12)
    >>> pairs = [[[0.0, 0.0, 0.0], [x, 0.0, 0.0]] for x in apart]
    >>> data = Structures.of(pairs, ["He", "He"], values={"energy": (apart - 1) ** 2}, units={"energy": "eV"})
    >>> network = dict(layers=1, space="points:3.0", validation=0)
    >>> fit = fit_structures("painn:2", data, epochs=2, **network, key=jax.random.key(0))
    >>> fit.best, fit.model.forces(data).shape, fit.warnings[0][:12]
    (2, (24, 3), 'no-test-data')
    """
    task = structure_task(
        network, data, targets=targets, inputs=inputs, space=space, degree=degree, layers=layers,
        weights=weights, epochs=epochs, minutes=minutes, batch=batch, learning_rate=learning_rate,
        warmup=warmup, weight_decay=weight_decay, average=average, smoothing=smoothing, optimiser=optimiser,
        validation=validation, by=by, patience=patience, key=key,
    )  # fmt: skip
    told = None if progress is None else lambda _, row: progress(row)
    found = fitted(task, carry_out(task.study, progress=told))
    tell(found.warnings)
    return found


def structure_task(
    network: str | PyTree,
    data: Structures | str | Path,
    *,
    targets: str | Sequence[str] = AUTO,
    inputs: str | Sequence[str] = SPECIES,
    space: str | Points = SPACE,
    degree: int | None = None,
    layers: int | None = None,
    weights: Mapping[str, float] | None = None,
    epochs: int = EPOCHS,
    minutes: float | None = None,
    batch: int = BATCH,
    learning_rate: float = LEARNING_RATE,
    warmup: float = WARMUP,
    weight_decay: float = WEIGHT_DECAY,
    average: float = AVERAGE,
    smoothing: float = 0.0,
    optimiser: PyTree = None,
    validation: float | Structures | str | Path = 0.1,
    by: str | None = AUTO,
    patience: int | None = None,
    key: Array,
) -> StructureTask:
    """What `fit_structures` carries out, with the same arguments."""
    epochs, batch = positive_int("epochs", epochs), positive_int("batch", batch)
    seconds = None if not minutes else 60 * positive_number("minutes", minutes)
    structures = structures_of(data)
    wanted, told = targets_of(targets, structures), inputs_of(_told(network, inputs), structures)
    check_key(key)
    network_key, key = jax.random.split(key)
    key, seed = key_and_seed(key)
    grouped = grouping(by, structures)
    kept, held = structures, None
    if isinstance(validation, Structures | str | Path):
        held = structures_of(validation)
    elif validation and len(structures) >= FEW:
        kept, held = split(structures, validation, grouped, seed)
    built = built_network(network, space, kept, told, wanted, degree, layers, network_key)
    check_network(built, told, wanted)
    blank = blank_model(built, kept, told, wanted)
    rows = blank.rows(kept, "data", values=True)
    watched = None if held is None else blank.rows(held, "validation", values=True)
    both = [rows] if watched is None else [rows, watched]
    rungs = ladder(both, batch)
    objective = StructureObjective(wanted, _weights(weights, wanted, kept), float(smoothing))
    per_epoch = StructureBatches(rows, rungs, seed=seed).per_epoch
    chosen = optimiser
    if chosen is None:
        chosen = checked_optimiser(learning_rate, warmup, weight_decay)(epochs * per_epoch)
    chosen = as_optimiser(chosen)
    if not isinstance(chosen, WeightAverage):
        chosen = WeightAverage(chosen, average)
    study = StructureStudy(
        blank, objective, rows, watched, rungs, chosen, epochs=epochs, seed=seed, key=key,
        patience=patience if held is not None else None, seconds=seconds,
        largest_rate=learning_rate if optimiser is None else None,
    )  # fmt: skip
    return StructureTask(study, kept, held, grouped if kept is not structures else None, rungs)


def checked_optimiser(learning_rate: float, warmup: float, weight_decay: float) -> partial[Any]:
    """The default optimiser as a function of the updates; InputError for numbers that it cannot take."""
    learning_rate = positive_number("learning_rate", learning_rate)
    if not 0 <= finite_number("warmup", warmup) <= 1:
        raise fail("warmup", "a share of the updates, from 0 to 1", warmup)
    if finite_number("weight_decay", weight_decay) < 0:
        raise fail("weight_decay", "0 or more", weight_decay)
    return partial(structure_optimiser, learning_rate=learning_rate, warmup=warmup, weight_decay=weight_decay)


def built_network(
    network: str | PyTree,
    space: str | Points,
    structures: Structures,
    inputs: tuple[Input, ...],
    targets: tuple[Target, ...],
    degree: int | None,
    layers: int | None,
    key: Array,
) -> Any:
    """The network of this name for these inputs and targets, whose sums are scaled by the mean number of
    neighbours in the first structures; any other object as it is."""
    if not isinstance(network, str):
        return network
    from intertwine.layers.networks.points.point_network import check_point_network, point_network

    check_point_network(network)
    points = points_from_name(space) if isinstance(space, str) else space
    if points.dimension != structures.dimension == 2 and isinstance(space, str) and "(" not in space:
        points = Points(points.cutoff, nearest=points.nearest, group="O(2)")  # data in the plane
    if points.dimension != structures.dimension:
        got = f"{structures.dimension}"
        remedy = "say points:5.0:O(2) for points in the plane, points:5.0 for those in space"
        raise fail("data", f"positions in {points.dimension} dimensions, as {points!r} has", got, remedy)
    few = edges_of(points, structures.take(slice(_COUNTED)))
    neighbours = float(np.concatenate([edges.count for edges in few]).mean())
    return point_network(
        network, points, " + ".join(one.type for one in inputs), type_of(targets), degree=degree,
        layers=layers, neighbours=max(1.0, neighbours), key=key,
    )  # fmt: skip


def split(
    structures: Structures, share: float, grouped: str | None, seed: int
) -> tuple[Structures, Structures]:
    """(structures to learn from, those held out): a share of them, or of whole groups."""
    if not 0 < share < 1:
        raise fail("validation", "a share from 0 to below 1", share)
    return structures.split(share, by=grouped, seed=seed)


def _told(network: str | PyTree, inputs: str | Sequence[str]) -> tuple[str, ...]:
    """The names of the inputs; of networks of residues first the places along the chain."""
    names = names_of(inputs, "inputs")
    name = network if isinstance(network, str) else getattr(getattr(network, "recipe", None), "name", "")
    ordered = str(name).partition(":")[0] == _RESIDUES
    return (SEQUENCE, *names) if ordered and SEQUENCE not in names else names


def grouping(by: str | None, structures: Structures) -> str | None:
    """The value by whose groups structures are split, None where there are fewer than two groups."""
    names = _GROUPS if by == AUTO else () if by is None else (by,)
    for name in names:
        if name in structures.values and name not in structures.per_point:
            if len(np.unique(structures.values[name])) > 1:
                return name
        elif by != AUTO:
            listed = ", ".join(k for k in structures.values if k not in structures.per_point) or "none"
            raise fail("by", f"a value of each structure ({listed})", repr(by))
    return None


def _weights(
    given: Mapping[str, float] | None, targets: tuple[Target, ...], structures: Structures
) -> tuple[float, ...]:
    """1 where nothing is said; of energies, whose errors are per point, the mean number of points: errors of
    points that know nothing of each other grow with the root of it."""
    own, points = dict(given or {}), float(np.mean(structures.sizes))
    if other := sorted(set(own) - {t.name for t in targets}):
        raise fail("weights", "weights of " + ", ".join(t.name for t in targets), other[0])
    found = tuple(float(own.get(t.name, points if t.kind == ENERGY else 1.0)) for t in targets)
    if any(not 0 <= w < math.inf for w in found) or not any(found):
        raise fail("weights", "finite numbers ≥ 0, one above 0", dict(own))
    return found


def fitted(task: StructureTask, found: LearnedStructures) -> StructureFit:
    """The fit with what qualifies it."""
    lines = [
        *task.kept.warnings,
        *of_split(task),
        *of_elements(task.kept),
        *of_neighbours(task.study.rows, found.model.space),
    ]
    return StructureFit(found.model, found.history, found.best, tuple(dict.fromkeys(lines)))


def of_split(task: StructureTask) -> list[str]:
    """The caveats of structures held out that are few, or of none."""
    if task.held is None:
        words = "no structures were held out: the last weights are kept, whatever they fit"
        return [caveat("no-test-data", words)]
    if len(task.held) < FEW_HELD:
        words = f"{len(task.held)} structures were held out: the best epoch by them may be one by chance"
        return [caveat("unjudged", f"{words}; take more structures, or a larger validation")]
    return []


def of_elements(structures: Structures) -> list[str]:
    """The caveat of elements, or kinds, that hardly any structure has."""
    if len(structures) < RARE * 2:
        return []
    pairs = np.unique(np.stack([structures.species, structures.structure], axis=1), axis=0)
    found = []
    for number in structures.elements:
        count = int((pairs[:, 0] == number).sum())
        if count < RARE:
            word = structures.symbols[np.flatnonzero(structures.species == number)[0]]
            found.append(f"{word} in {count}")
    if not found:
        return []
    words = f"of {len(structures)} structures that are learnt from {', '.join(found)}"
    return [caveat("data", f"{words}: what is said of so few is a guess; take more with them")]


def of_neighbours(rows: Rows, space: Points) -> list[str]:
    """The caveat of points without a neighbour, of whose surroundings a network knows nothing."""
    count = np.concatenate([edges.count for edges in rows.edges if len(edges.count) > 1] or [np.ones(1)])
    alone = float((count == 0).mean())
    if alone <= ALONE:
        return []
    who = "no point has" if alone == 1 else f"{alone:.0%} of the points have no"
    words = f"{who}{' a' if alone == 1 else ''} neighbour within {space.cutoff:g} Å"
    return [caveat("data", f"{words}, and nothing is known of their surroundings; take a larger points:R")]


def padded_sizes(rungs: tuple[Rung, ...]) -> str:
    """The padded sizes in words.

    >>> padded_sizes((Rung(9, 4, 36, 8, 8),))
    '4 structures of up to 9 points (36 points with 8 neighbours)'
    """
    return ", ".join(
        f"{r.structures} structure{'s' * (r.structures != 1)} of up to {r.largest} points "
        f"({r.points} points with {r.neighbours} neighbours)"
        for r in rungs
    )
