r"""A layer of units: kinds side by side, as functions of the field θ on the whole layer.

A layer is a list of (kind, columns), static in jit; most layers have one kind. Every function is the table's
(`unit_kinds`) on each stretch of columns.

Gaussian units may have widths σ of their own, parameters that are learned: a unit of width σ is σ times a
unit of width 1 in the field σθ,

    base(x) = x²/2σ²,    A(θ) = σ²θ²/2 + ½ ln 2πσ²,    E[x|θ] = σ²θ,    Var(x|θ) = σ²,

so that energies stay linear in −1/2σ² too (Liao, Kornblith, Ren, Fleet & Hinton, "Gaussian-Bernoulli RBMs
without tears", 2022). ln σ² is kept, which has no bounds.

>>> layer = UnitLayer.of((("binary", 4), ("potts:3", 3)), 7)       # four pixels and a label
>>> layer.size, layer.count
(7, 5)
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache, partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from jax.typing import DTypeLike
from jaxtyping import Float, Int8
from numpy.typing import ArrayLike

from intertwine._checks import fail, positive_int
from intertwine.models.machines.unit_kinds import KIND_NAMES, UnitKind, unit_kind

MOST_STATES = 2**24
Spec = str | tuple[tuple[str, int], ...]


@partial(jax.tree_util.register_dataclass, data_fields=["log_variance"], meta_fields=["parts"])
@dataclass(frozen=True, eq=False)
class UnitLayer:
    """Units side by side; make one with `UnitLayer.of`. Layers of the same units are equal, whatever their
    widths.

    parts: ((kind, columns), ...). log_variance: ln σ² of the Gaussian columns (..., their number), or None
    where all have σ = 1.
    """

    parts: tuple[tuple[str, int], ...]
    log_variance: Any = None

    def __eq__(self, other: object) -> bool:
        return isinstance(other, UnitLayer) and self.parts == other.parts

    def __hash__(self) -> int:
        if self.log_variance is not None:
            raise TypeError("a layer with widths is an array, not a static argument")
        return hash(self.parts)

    @classmethod
    def of(cls, spec: Spec, size: int, argument: str = "units") -> UnitLayer:
        """The layer of `size` columns that `spec` describes: a kind's name, or ((kind, columns), ...).

        Raises InputError for unknown kinds, and for columns that do not add up or do not hold whole units.

        >>> UnitLayer.of("spin", 3).parts
        (('spin', 3),)
        """
        size = positive_int("size", size, "give the number of columns of the layer")
        if isinstance(spec, str):
            spec = ((spec, size),)
        try:
            parts = tuple((str(kind), positive_int(argument, columns)) for kind, columns in spec)
        except (TypeError, ValueError):
            kinds = ", ".join(KIND_NAMES)
            raise fail(argument, f"one of {kinds}, or pairs (kind, columns)", spec) from None
        for kind, columns in parts:
            width = _kind(kind, argument).columns
            if columns % width:
                raise fail(
                    argument,
                    f"a number of columns that {width} divides for {kind}",
                    columns,
                    f"a unit of {width} states is {width} columns, one-hot",
                )
        if sum(columns for _, columns in parts) != size:
            raise fail(argument, f"columns that add up to {size}", parts)
        return cls(parts)

    @property
    def size(self) -> int:
        """The number of columns."""
        return sum(columns for _, columns in self.parts)

    @property
    def count(self) -> int:
        """The number of units."""
        return sum(columns // unit_kind(kind).columns for kind, columns in self.parts)

    @property
    def spec(self) -> Spec:
        """What `of` takes: the kind's name where there is one kind."""
        return self.parts[0][0] if len(self.parts) == 1 else self.parts

    @property
    def gaussian_columns(self) -> np.ndarray:
        """The numbers of the Gaussian columns."""
        kinds = np.repeat([kind for kind, _ in self.parts], [columns for _, columns in self.parts])
        return np.flatnonzero(kinds == "gaussian")

    def with_widths(self, log_variance: ArrayLike = 0.0, dtype: DTypeLike | None = None) -> UnitLayer:
        """The layer with ln σ² of its Gaussian columns, a number or one each; itself without any.

        >>> UnitLayer.of("gaussian", 2).with_widths(0.0).log_variance.tolist()
        [0.0, 0.0]
        """
        count = len(self.gaussian_columns)
        if not count:
            return self
        values = jnp.asarray(log_variance, dtype)
        if values.shape not in ((), (count,)):
            raise fail("log_variance", f"a number, or one for each of {count} Gaussian columns", values.shape)
        return UnitLayer(self.parts, jnp.broadcast_to(values, (count,)))

    def variance(self, dtype: DTypeLike = float) -> Float[Array, "... size"]:
        """σ² of every Gaussian column, 1 for the others."""
        if self.log_variance is None:
            return jnp.ones(self.size, dtype)
        ones = jnp.ones((*self.log_variance.shape[:-1], self.size), self.log_variance.dtype)
        return ones.at[..., self.gaussian_columns].set(jnp.exp(self.log_variance))

    @property
    def is_discrete(self) -> bool:
        """Whether every unit has finitely many values."""
        return all(unit_kind(kind).states for kind, _ in self.parts)

    @property
    def is_two_state(self) -> bool:
        """Whether the layer is all binary or all spin, so that a site can be flipped."""
        return self.spec in ("binary", "spin")

    def log_partition(self, theta: Float[Array, "... K"]) -> Float[Array, "..."]:
        """Σ over units of A(θ), nats.

        >>> round(float(UnitLayer.of("spin", 2).log_partition(jnp.zeros(2))), 6)      # 2 ln 2
        1.386294
        """
        return sum(  # type: ignore[return-value]
            kind.log_partition(part)
            if width is None
            else kind.log_partition(width * part) + jnp.log(width).sum(-1)
            for kind, part, width in self._split(theta)
        )

    def mean(self, theta: Float[Array, "... K"]) -> Float[Array, "... K"]:
        """E[x|θ] of every column."""
        return _joined(
            [
                kind.mean(part) if width is None else width * kind.mean(width * part)
                for kind, part, width in self._split(theta)
            ]
        )

    def sample(self, theta: Float[Array, "... K"], *, key: Array) -> Float[Array, "... K"]:
        """x ~ p(x|θ), of θ's type."""
        one = len(self.parts) == 1
        keys = [key] if one else jax.random.split(key, len(self.parts))
        return _joined(
            [
                kind.sample(k, part) if width is None else width * kind.sample(k, width * part)
                for k, (kind, part, width) in zip(keys, self._split(theta), strict=True)
            ]
        )

    def base(self, x: Float[Array, "... K"]) -> Float[Array, "..."]:
        """Σ base(x): the energy of the units by themselves, nats."""
        return sum(  # type: ignore[return-value]
            kind.base(part if width is None else part / width) for kind, part, width in self._split(x)
        )

    def states(self) -> Int8[np.ndarray, "K size"]:
        """Every configuration of a discrete layer, int8; the first unit varies slowest, and 0 comes before 1,
        +1 before −1: the order of `Operator` and of every enumeration.

        Raises InputError for continuous units, and for more than 2^24 configurations.

        >>> UnitLayer.of("binary", 2).states().tolist()
        [[0, 0], [0, 1], [1, 0], [1, 1]]
        """
        if not self.is_discrete:
            raise fail("units", "units with finitely many values, to enumerate them", self.spec)
        if self.state_count > MOST_STATES:
            raise fail(
                "units",
                "at most 2^24 configurations, to enumerate them",
                f"{self.state_count:.3g}",
                "use sampling, or annealed importance sampling for log Z",
            )
        return _states(self.parts)

    @property
    def state_count(self) -> float:
        """The number of configurations; inf for continuous units, and beyond 10^300."""
        if not self.is_discrete:
            return float("inf")
        total = 1
        for kind, columns in self.parts:
            row = unit_kind(kind)
            total *= len(row.states) ** (columns // row.columns)
        return float(total) if total < 10**300 else float("inf")

    def check(self, x: ArrayLike, argument: str = "data", *, missing: bool = False) -> None:
        """Raise InputError unless host data `x` (..., size) holds values that these units can have; nan as
        well where entries may be `missing`, in all columns of a Potts unit or in none."""
        array = np.asarray(x)
        if array.ndim < 1 or array.shape[-1] != self.size:
            raise fail(argument, f"rows of {self.size} columns", f"shape {array.shape}")
        if array.dtype.kind not in "biuf":
            raise fail(argument, "real numbers", f"type {array.dtype}")
        if missing and array.dtype.kind == "f" and np.isnan(array).any():
            array = self._with_possible_values(array, argument)
        if array.dtype.kind == "f" and not np.isfinite(array).all():
            row = np.argwhere(~np.isfinite(array))[0]
            raise fail(argument, "finite numbers", f"{array[tuple(row)]} at {tuple(row.tolist())}")
        begin = 0
        for name, columns in self.parts:
            _check_values(array[..., begin : begin + columns], name, unit_kind(name), argument)
            begin += columns

    def _with_possible_values(self, array: np.ndarray, argument: str) -> np.ndarray:
        """`array` with a value of the units wherever a unit is nan."""
        gone, values, begin = np.isnan(array), np.zeros(self.size), 0
        for name, columns in self.parts:
            kind = unit_kind(name)
            groups = gone[..., begin : begin + columns].reshape(*gone.shape[:-1], -1, kind.columns)
            if (groups.any(-1) != groups.all(-1)).any():
                raise fail(argument, f"all {kind.columns} columns of a {name} unit missing, or none", "some")
            if kind.states:
                values[begin : begin + columns] = np.tile(kind.states[0], columns // kind.columns)
            begin += columns
        return np.where(gone, values, array)

    def _split(self, x: Array) -> list[tuple[UnitKind, Array, Array | None]]:
        """(kind, its columns of x, their widths σ or None) of every part."""
        widths = None if self.log_variance is None else jnp.exp(0.5 * self.log_variance)
        if len(self.parts) == 1:
            return [(unit_kind(self.parts[0][0]), x, widths)]
        found: list[tuple[UnitKind, Array, Array | None]] = []
        begin = place = 0
        for kind, columns in self.parts:
            width = None
            if kind == "gaussian" and widths is not None:
                width, place = widths[..., place : place + columns], place + columns
            found.append((unit_kind(kind), x[..., begin : begin + columns], width))
            begin += columns
        return found


def _kind(name: str, argument: str) -> UnitKind:
    try:
        return unit_kind(name)
    except ValueError:
        raise fail(argument, "one of " + ", ".join(KIND_NAMES), name, "for example 'binary'") from None


def _joined(parts: list[Array]) -> Array:
    return parts[0] if len(parts) == 1 else jnp.concatenate(parts, axis=-1)


@lru_cache(maxsize=4)
def _states(parts: tuple[tuple[str, int], ...]) -> np.ndarray:
    total = np.zeros((1, 0), np.int8)
    for name, columns in parts:
        row = unit_kind(name)
        values = np.asarray(row.states, np.int8)
        for _ in range(columns // row.columns):
            total = np.concatenate(
                [np.repeat(total, len(values), axis=0), np.tile(values, (len(total), 1))], axis=1
            )
    total.flags.writeable = False
    return total


def _check_values(array: np.ndarray, name: str, kind: UnitKind, argument: str) -> None:
    remedy = f"{name} units take {kind.values}"
    if kind.columns > 1:
        groups = array.reshape(*array.shape[:-1], -1, kind.columns)
        if not (np.isin(groups, (0, 1)).all() and (groups.sum(-1) == 1).all()):
            raise fail(argument, f"values of {name} units", "groups that are not one-hot", remedy)
        return
    good = np.isin(array, [state[0] for state in kind.states]) if kind.states else array >= kind.lowest
    if not good.all():
        where = tuple(np.argwhere(~good)[0].tolist())
        raise fail(argument, f"values of {name} units", f"{array[where]} at {where}", remedy)
