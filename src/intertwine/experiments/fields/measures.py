"""What is measured of a learned map of fields: errors in the units of files, under turns, of baselines."""

from __future__ import annotations

from typing import Any

import jax
import numpy as np
from jaxtyping import PyTree

from intertwine.data.fields import Fields
from intertwine.layers.equivariance.check import equivariance_errors
from intertwine.learning.fields.field_model import FieldModel, outputs_of
from intertwine.learning.fields.fit_fields import FieldTask
from intertwine.learning.fields.placing import measure_of, sphere_of
from intertwine.learning.fields.variables import width_of
from intertwine.spaces.names import NamedSpace

TURNS, TURNED = 4, 4
_MANY = 64
"""Band limits beyond are tested with fewer elements."""


def errors(model: FieldModel, fields: Fields, said: Fields) -> dict[str, dict[str, Any]]:
    """For each target: rmse over samples and area, in its unit; the same with the mean over the area of each
    sample taken off (the level of a height is often not determined); the rms of the true field about its
    mean. Of vectors nothing is taken off: their components have no mean that a turn would leave alone."""
    found = {}
    for target in model.targets:
        truth, guess = (parts_of(target.name, f) for f in (fields, said))
        truth = np.where(np.isnan(guess), np.nan, truth)
        weights = _weights(fields, model.space, truth)
        off = np.where(weights > 0, guess - truth, 0.0)
        scalar = target.kind.endswith("scalar")
        level = scalar * (off * weights).sum(_axes(off), keepdims=True)
        true_level = scalar * (np.where(weights > 0, truth, 0.0) * weights).sum(_axes(off), keepdims=True)
        spread = np.where(weights > 0, truth - true_level, 0.0)
        found[target.name] = {
            "rmse": _root(off, weights),
            "rmse_without_mean": _root(off - level, weights),
            "rms": _root(spread, weights),
            "unit": target.unit,
            "kind": target.kind,
        }
    return found


def parts_of(name: str, fields: Fields) -> np.ndarray:
    """(components, samples, *places) of a scalar, or of both components of a vector."""
    parts = [fields.values[part] for part in name.split(":")]
    if parts[0].ndim > 1 + len(fields.places):
        parts = list(np.moveaxis(parts[0], -1, 0))
    return np.stack(parts)


def mean_field(learnt: Fields, tested: Fields, names: list[str]) -> Fields | None:
    """What the mean over the samples learnt from says at every point, nan where none of them has a value;
    None of one sample, where they lie elsewhere, and where nothing is known."""
    if learnt.samples < 2:
        return None  # the sample itself
    there = learnt.layout.is_like(tested.layout) if learnt.layout else learnt.places == tested.places
    if not there:
        return None
    values = {}
    for name in [part for whole in names for part in whole.split(":")]:
        known = np.isfinite(learnt.values[name]).sum(0)
        mean = np.where(known, np.nansum(learnt.values[name], axis=0) / np.maximum(known, 1), np.nan)
        if not known.any():
            return None
        values[name] = np.broadcast_to(mean, (tested.samples, *mean.shape))
    return tested.with_values(values, {}, {})


def turned(model: FieldModel, task: FieldTask, key: jax.Array) -> dict[str, Any] | None:
    """rmse of the targets where the samples, and with them the rotation of the globe, are turned at random:
    the elements by name, and of each target its error as it is and under each; None for spaces where elements
    change frames alone, for arrays that no turn keeps, and where targets are missing."""
    space: Any = model.space.space
    x, root = task.x[:TURNED, ..., :-1], task.x[:TURNED, ..., -1:]
    if hasattr(space, "reframed") or len(set(_sides(model.space))) > 1 or not (root > 0).all():
        return None
    y = task.y[:TURNED].reshape(*x.shape[:-1], -1) / root
    drawn = hasattr(space, "random_elements")
    elements = list(space.random_elements(TURNS, key=key)) if drawn else list(range(space.group.order))[:8]
    types = model.network.rep_in, model.network.rep_out
    rows: dict[str, list[float]] = {target.name: [] for target in model.targets}
    names = ["as they are"]
    for element in [None, *elements]:
        moved = (x, y)
        if element is not None:
            named = getattr(space, "element_name", "element {}".format)
            names.append(named(element))
            moved = tuple(np.asarray(space.act(element, f, rep)) for f, rep in zip(moved, types, strict=True))
        off = (outputs_of(model.network, moved[0]) - moved[1]) * model.target_scale.scale
        start = 0
        for target in model.targets:
            width = width_of(target.kind)
            share = measure_of(space, model.space.shape)
            square = (off[..., start : start + width] ** 2).sum(-1) * share
            rows[target.name].append(float(np.sqrt(square.sum(_places(square)).mean())))
            start += width
    return {"elements": names, "rmse": rows}


def equivariance(network: PyTree, named: NamedSpace, key: jax.Array) -> list[dict[str, Any]]:
    """A row for each layer and element."""
    space: Any = named.space
    more: dict[str, Any] = {"batch": 1}
    if named.space.shape is None:
        more["shape"] = (min(named.shape),) * len(named.shape)
    if getattr(space, "bandlimit", 0) > _MANY:
        more["elements"] = list(space.random_elements(1, key=key))
    rows = equivariance_errors(network, key=key, **more)
    return [row._asdict() for row in rows]


def _sides(named: NamedSpace) -> tuple[int, ...]:
    """The sizes of arrays; nothing on spaces with points of their own."""
    return named.shape if named.space.shape is None else ()


def _weights(fields: Fields, named: NamedSpace, values: np.ndarray) -> np.ndarray:
    """Shares of the points in each sample, where values are known; (components, samples, *places)."""
    if fields.layout is not None:
        share = measure_of(sphere_of(fields.layout), fields.places)
    else:
        share = measure_of(named.space, fields.places)
    kept = np.where(np.isnan(values), 0.0, share)
    return kept / np.maximum(kept.sum(_axes(kept), keepdims=True), 1e-300)


def _axes(values: np.ndarray) -> tuple[int, ...]:
    """Those of the points of (components, samples, *places)."""
    return tuple(range(2, values.ndim))


def _places(values: np.ndarray) -> tuple[int, ...]:
    return tuple(range(1, values.ndim))


def _root(values: np.ndarray, weights: np.ndarray) -> float:
    """√ of Σ_components of the mean over samples, those with known values, of Σ_i q_i x_i²."""
    known = np.maximum((weights.sum(_axes(weights)) > 0).sum(1), 1)
    return float(np.sqrt(((values**2 * weights).sum(_axes(values)).sum(1) / known).sum()))
