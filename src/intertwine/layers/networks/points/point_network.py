r"""Networks on points by name, with the presets of their papers; W counts copies of each irrep.

    painn:W            scalars and vectors (Schütt et al., ICML 2021)
    nequip:W           tensor-product convolutions and gates (Batzner et al., Nature Comm. 2022)
    mace:W             products of the density to four bodies (Batatia et al., NeurIPS 2022)
    tfn:W              convolutions and norm non-linearities (Thomas et al., 2018)
    se3-transformer:W  attention by invariant products (Fuchs et al., NeurIPS 2020)
    residues:W         for proteins by residue: neighbours along the chain told apart (`points.chain`); the
                       first channel of the input is the number of the residue

`degree` is that of hidden fields and of the harmonics of edges, `layers` the number of message-passing
layers. A scalar in the input (a species, one-hot) is also what weights of self-connections and products
depend on. Hidden fields have the parities of harmonics, (l, (−1)^l), or all parities where inputs or outputs
are of others (pseudoscalars, say); `parities="both"` takes all in any case.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import jax.numpy as jnp
from jax import Array
from jax.typing import DTypeLike

from intertwine._checks import fail, one_of, positive_int, positive_number
from intertwine.layers.fields import field_type
from intertwine.layers.networks.points.mace import mace
from intertwine.layers.networks.points.nequip import nequip
from intertwine.layers.networks.points.painn import painn
from intertwine.layers.networks.points.plan import PointPlan
from intertwine.layers.networks.points.point_module import PointNetwork
from intertwine.layers.networks.points.residues import residues
from intertwine.layers.networks.points.se3_transformer import se3_transformer
from intertwine.layers.networks.points.tfn import tfn
from intertwine.layers.points.hidden_types import PARITIES, checked_compact, parities_for, top_degree
from intertwine.layers.points.radial import RadialBasis
from intertwine.spaces.points.points import Points
from intertwine.symmetry.compact import CompactGroup, CompactRep
from intertwine.symmetry.fibre_maps import AnyRep
from intertwine.symmetry.wigner import checked_degree

_LARGEST = 1024
NEIGHBOURS = 10.0
"""The mean number of neighbours that sums are scaled by, where it is not said."""


class PointFamily(NamedTuple):
    """build: from a `PointPlan` the layers and read-outs of `PointNetwork`. degree, layers, functions (of the
    distance), smooth (the cut-off): the preset. words: what it is."""

    build: Callable[[PointPlan], tuple[list[tuple[str, Any]], list[tuple[str, Any] | None]]]
    degree: int
    layers: int
    functions: int
    smooth: str
    words: str


POINT_NETWORKS: dict[str, PointFamily] = {
    "painn": PointFamily(painn, 1, 3, 20, "cosine", "scalars and vectors"),
    "nequip": PointFamily(nequip, 2, 3, 8, "polynomial", "tensor-product convolutions and gates"),
    "mace": PointFamily(mace, 3, 2, 8, "polynomial", "products of the density to four bodies"),
    "tfn": PointFamily(tfn, 2, 3, 8, "polynomial", "tensor-product convolutions and functions of lengths"),
    "se3-transformer": PointFamily(se3_transformer, 2, 3, 8, "polynomial", "attention by invariant products"),
    "residues": PointFamily(residues, 2, 3, 8, "polynomial", "proteins by residue, along the chain"),
}
"""The families by name."""


@dataclass(frozen=True)
class PointRecipe:
    """The arguments of `point_network` that build a network again, as numbers and words.

    points: cutoff, nearest, group. inputs, outputs: irreps (degree, parity, copies).
    """

    name: str
    points: tuple[float | None, int | None, str]
    inputs: tuple[tuple[int, int, int], ...]
    outputs: tuple[tuple[int, int, int], ...]
    degree: int
    layers: int
    functions: int
    distance: float | None
    neighbours: float
    parities: str
    pool: str | None
    dtype: str


def check_point_network(name: str) -> tuple[str, int]:
    """The family and the width of a name; InputError if it is none.

    >>> check_point_network("nequip:32")
    ('nequip', 32)
    """
    family, _, width = name.partition(":") if isinstance(name, str) else ("", "", "")
    if family in POINT_NETWORKS and width.isdecimal() and 1 <= int(width) <= _LARGEST:
        return family, int(width)
    known = ", ".join(f"{family}:W" for family in POINT_NETWORKS)
    raise fail("name", f"one of {known}", name, f"W is a whole number up to {_LARGEST}, as in nequip:32")


def point_network(
    name: str,
    points: Points,
    inputs: int | str | AnyRep = 1,
    outputs: int | str | AnyRep = 1,
    *,
    degree: int | None = None,
    layers: int | None = None,
    functions: int | None = None,
    distance: float | None = None,
    neighbours: float = NEIGHBOURS,
    parities: str | None = None,
    pool: str | None = None,
    dtype: DTypeLike = float,
    key: Array,
) -> PointNetwork:
    """The network called `name` on clouds of points.

    points: a `Points` of a continuous group. inputs, outputs: types of fields by name ("3 scalar + vector"),
    numbers of scalars, or representations. degree, layers, functions (of the distance): None takes the
    preset's. distance: a typical one, of a space without a cut-off. neighbours: the mean number of
    neighbours, by whose root sums are divided. parities: None, "natural" or "both", as above. pool: "sum" or
    "mean" gives outputs (S, C) for structures.

    Raises InputError, listing the names, for others, and for outputs of a degree that the network does not
    reach.

    >>> import jax
    >>> network = point_network("nequip:4", Points(4.0), 3, "scalar", key=jax.random.key(0))
    >>> network.rep_in.dimension, network.rep_out.dimension
    (3, 1)
    """
    family, width = check_point_network(name)
    preset = POINT_NETWORKS[family]
    if not isinstance(points, Points):
        raise fail("points", "a space of points", points, "for example it.Points(5.0)")
    space: Any = points
    into = checked_compact(field_type(space, inputs, "inputs"), "inputs")
    out = checked_compact(field_type(space, outputs, "outputs"), "outputs")
    parities = parities_for(into, out) if parities is None else one_of("parities", parities, PARITIES)
    reach = preset.degree if degree is None else checked_degree("degree", degree)
    if degree is None and family != "painn":
        reach = max(reach, top_degree(out))
    kind = jnp.zeros((), dtype).dtype
    recipe = PointRecipe(
        name,
        (points.cutoff, points.nearest, into.group.name),
        irreps_of(into),
        irreps_of(out),
        reach,
        positive_int("layers", preset.layers if layers is None else layers),
        positive_int("functions", preset.functions if functions is None else functions),
        distance,
        positive_number("neighbours", neighbours),
        parities,
        pool,
        kind.name,
    )
    radial = _radial(points, recipe.functions, preset.smooth, distance, kind)
    plan = PointPlan(
        points, into, out, width, reach, recipe.layers, radial, recipe.neighbours, parities, kind, key
    )
    made, readouts = preset.build(plan)
    return PointNetwork(points, made, readouts, pool=pool, recipe=recipe)


def _radial(
    points: Points, functions: int, smooth: str, distance: float | None, dtype: DTypeLike
) -> RadialBasis:
    """Functions up to the cut-off; of nearest neighbours alone, at the scale of a typical distance."""
    if points.cutoff is not None:
        return RadialBasis(points.cutoff, functions, smooth=smooth, dtype=dtype)
    if distance is None:
        remedy = "or give the space a cut-off besides"
        raise fail("distance", "a typical distance, of nearest neighbours without a cut-off", None, remedy)
    return RadialBasis(positive_number("distance", distance), functions, cut=False, dtype=dtype)


def irreps_of(rep: CompactRep) -> tuple[tuple[int, int, int], ...]:
    """(degree, parity, copies) of each block."""
    return tuple((irrep.frequency, irrep.parity, m) for irrep, m in rep.irreps)


def network_of_recipe(recipe: dict[str, Any], *, key: Array) -> PointNetwork:
    """The network of a recipe's entries (of JSON: lists for tuples), with numbers drawn anew."""
    given = dict(recipe)
    cutoff, nearest, group = given.pop("points")
    points = Points(cutoff, nearest=nearest, group=group)
    types = [_type(points, given.pop(which)) for which in ("inputs", "outputs")]
    name, dtype = given.pop("name"), jnp.dtype(given.pop("dtype"))
    return point_network(name, points, *types, dtype=dtype, key=key, **given)


def _type(points: Points, irreps: list[tuple[int, int, int]]) -> CompactRep:
    group = CompactGroup(repr(points.fibre_group))
    return CompactRep.direct_sum([(group.irrep(k, parity), m) for k, parity, m in irreps])
