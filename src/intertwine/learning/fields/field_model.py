r"""A learned map of fields: a network between standardised fields, and what it stands for in the units of
files.

    scalars   (x − mean)/deviation        vectors, spin 2   x/(root mean square of a component)

Means are over samples and the area; a vector has no mean that a turn would leave alone. The rotation of the
globe, f = 2Ω sin φ, may be one more scalar: a field that turns with the globe where it is turned. In
learning each point counts by its share of the area, and points without a target do not count:

    L = ½ ⟨Σ_i q_i ‖ŷ_i − y_i‖²⟩,   Σ_i q_i = 1.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from jaxtyping import Float

from intertwine._checks import fail
from intertwine.data.field_files import load_fields
from intertwine.data.fields import Fields
from intertwine.data.known_numbers import check_fills
from intertwine.learning.fields.placing import measure_of, off_space, on_space, placed
from intertwine.learning.fields.variables import type_of, units_of, width_of
from intertwine.spaces.names import NamedSpace
from intertwine.spaces.sphere.sphere import Sphere

ROTATION = "rotation"
_AT_ONCE = 4


class Weighed(eqx.Module):
    """A network whose input has the square roots of the shares of the points as its last channel, with
    which its outputs are multiplied: squared errors are then means over the area."""

    network: Any

    def outputs(self, x: Float[Array, "B ..."], *, key: Array | None = None) -> Float[Array, "B ..."]:
        """A batch (B, *space, C + 1)."""
        return self.network.outputs(x[..., :-1], key=key) * x[..., -1:]

    def __call__(self, x: Float[Array, "..."], *, key: Array | None = None) -> Float[Array, "..."]:
        """One example."""
        return self.outputs(x[None], key=key)[0]


class Scale(NamedTuple):
    """shift, scale (C,): channels are (x − shift)/scale."""

    shift: np.ndarray
    scale: np.ndarray

    def of(self, x: np.ndarray) -> np.ndarray:
        """Standardised channels."""
        return (x - self.shift) / self.scale

    def back(self, x: np.ndarray) -> np.ndarray:
        """Channels in their units."""
        return x * self.scale + self.shift


def scale_of(values: Float[np.ndarray, "..."], kinds: tuple[str, ...], weights: np.ndarray) -> Scale:
    """The standardisation of channels of types. weights: (samples, *places) or (*places), of the mean."""
    axes = tuple(range(values.ndim - 1))
    share = np.broadcast_to(weights, values.shape[:-1])[..., None]
    known = np.where(share > 0, values, 0.0)
    total = share.sum()
    mean = (known * share).sum(axes) / total
    square = (known**2 * share).sum(axes) / total
    shift, scale, start = np.zeros(len(mean)), np.ones(len(mean)), 0
    for kind in kinds:
        if kind in ("vector", "spin 2"):
            scale[start : start + 2] = np.sqrt(square[start : start + 2].mean())
            start += 2
            continue
        here = slice(start, start + width_of(kind))
        shift[here], scale[here] = mean[here], np.sqrt(np.maximum(square[here] - mean[here] ** 2, 0))
        start += width_of(kind)
    return Scale(shift, np.where(scale > 1e-12 * (1 + np.abs(shift)), scale, 1.0))


class Variable(NamedTuple):
    """name: "z", or "u:v" of a vector. kind: its type. unit: as in the file."""

    name: str
    kind: str
    unit: str

    @classmethod
    def of(cls, name: str, fields: Fields) -> Variable:
        """One of a file."""
        return cls(name, type_of(name, fields), units_of(name, fields))


@dataclass(frozen=True, eq=False, repr=False)
class FieldModel:
    """A map of fields in the units of files.

    network: between standardised fields on `space`. name: of the space, as `space_from_name` takes it.
    inputs, targets: the variables. rotation: whether the rotation of the globe is a further input.
    input_scale, target_scale: of the channels, the rotation's included.
    """

    network: Any
    space: NamedSpace
    name: str
    inputs: tuple[Variable, ...]
    targets: tuple[Variable, ...]
    rotation: bool
    input_scale: Scale
    target_scale: Scale

    def channels(self, fields: Fields, argument: str = "data") -> Float[np.ndarray, "samples ..."]:
        """What the network is given of the fields of a file, (samples, *space, C), standardised.

        Raises InputError, called `argument`, for variables that are not there, other units, other grids and
        missing values.
        """
        fields = fields.at(self.space.shape)
        for wanted in self.inputs:
            for part in wanted.name.split(":"):
                if part not in fields.values:
                    listed = ", ".join(list(fields.values)[:12])
                    raise fail(argument, f"the variable {part!r}, as the run learnt from", listed)
                check_fills(argument, part, fields.values[part])
            found = Variable.of(wanted.name, fields)
            if found != wanted:
                expected = f"{wanted.name} as a {wanted.kind} in {wanted.unit or 'no unit'}"
                got = f"a {found.kind} in {found.unit or 'no unit'}"
                raise fail(argument, expected, got, "convert it, and say its units in the file")
        fields = placed(fields, self.space, argument)
        x = raw_inputs(fields, tuple(v.name for v in self.inputs), self.space, self.rotation)
        if np.isnan(x).any():
            got = f"{int(np.isnan(x).sum())} missing values"
            raise fail(argument, "inputs that are known everywhere", got, "fill them in")
        return self.input_scale.of(x)

    def predict(self, fields: Fields | str | Path, argument: str = "data") -> Fields:
        """The targets that the network says of fields, or of a file of them, where these lie, in their units.

        Raises InputError as `channels` does.
        """
        fields = (fields if isinstance(fields, Fields) else load_fields(fields)).at(self.space.shape)
        y = self.target_scale.back(outputs_of(self.network, self.channels(fields, argument)))
        pairs = [(v.name, v.kind) for v in self.targets]
        values = off_space(y, pairs, self.space, fields)
        units = {part: v.unit for v in self.targets for part in v.name.split(":")}
        words = {part: f"{part} said of {self._sources}" for part in units}
        return fields.with_values(values, units, words)

    @property
    def _sources(self) -> str:
        names = [part for v in self.inputs for part in v.name.split(":")]
        return ", ".join([*names, "the rotation of the globe"] if self.rotation else names)

    def __repr__(self) -> str:
        targets = ", ".join(v.name for v in self.targets)
        return f"FieldModel({self._sources} → {targets} on {self.name})"


def raw_inputs(
    fields: Fields, names: tuple[str, ...], named: NamedSpace, rotation: bool
) -> Float[np.ndarray, "samples ..."]:
    """Channels in the units of the file; the rotation as sin φ."""
    x = on_space(fields, names, named)
    if not rotation:
        return x
    sine = np.broadcast_to(latitude_sine(named)[..., None], (*x.shape[:-1], 1))
    return np.concatenate([x, sine], axis=-1)


def latitude_sine(named: NamedSpace) -> Float[np.ndarray, "..."]:
    """sin φ = f/2Ω at the points of a sphere; InputError for other spaces."""
    if not isinstance(named.space, Sphere):
        raise fail("rotation", "a sphere, which turns", named.space, "leave the rotation out")
    return np.cos(named.space.points[..., 0])


def weights_of(named: NamedSpace, known: np.ndarray | None, samples: int) -> Float[np.ndarray, "samples ..."]:
    """The share q_i of each point in the mean of its sample, (samples, *shape)."""
    share = measure_of(named.space, named.shape)
    found = np.broadcast_to(share, (samples, *share.shape))
    if known is None:
        return found
    kept = found * known
    axes = tuple(range(1, kept.ndim))
    return kept / np.maximum(kept.sum(axes, keepdims=True), 1e-300)


def outputs_of(network: Any, x: Float[np.ndarray, "samples ..."]) -> Float[np.ndarray, "samples ..."]:
    """The network's outputs for many examples, in its own precision."""
    leaves = jax.tree.leaves(eqx.filter(network, eqx.is_inexact_array))
    dtype = jnp.result_type(*leaves) if leaves else jnp.result_type(float)
    resting = eqx.nn.inference_mode(network)
    run = eqx.filter_jit(lambda n, batch: n.outputs(batch))
    parts = [run(resting, jnp.asarray(x[i : i + _AT_ONCE], dtype)) for i in range(0, len(x), _AT_ONCE)]
    return np.concatenate([np.asarray(part, np.float64) for part in parts])
