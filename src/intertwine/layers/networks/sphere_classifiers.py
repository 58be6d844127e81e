r"""Classifiers of signals on the sphere, whose scores do not change when the sphere is turned.

    zonal:W     scalars alone, zonal kernels (Esteves et al. 2018)
    spin:W      scalars, vectors and spin 2 that scalars gate (spin-weighted: Esteves, Makadia & Daniilidis
                2020)
    so3:W       S² → SO(3) → … → SO(3): functions of the direction with frequencies 0, 1, 2 at each point, and
                a rectifier of their values on SO(3) (Cohen, Geiger, Köhler & Welling 2018)
    cg:W        products of coefficients by Clebsch-Gordan, nothing sampled (Kondor, Lin & Trivedi 2018)

The first three have four convolutions from one band limit to the next lower one, L → 5L/6 → 5L/12 → 5L/12 →
5L/24 (24: 20, 10, 10, 5), each with batch norm and a non-linearity, W/2, W, W and 5W/2 features; then
invariants of the fibre, their mean over the sphere, and a dense layer. The coefficients that a convolution
leaves out are not computed (`SphereConv`): pooling costs nothing and commutes with rotations.

A non-linearity of polynomial degree p makes degrees up to pL. On a grid of R rings their products with
harmonics of the next band limit M are integrated exactly while pL + M ≤ 2R: where the next band limit is
lower, grids little finer than need be make the error of equivariance small.
"""

from __future__ import annotations

from math import pi
from typing import Any

import jax
from jax import Array
from jax.typing import DTypeLike

from intertwine.layers.blocks import direct_sum
from intertwine.layers.dropout import Dropout
from intertwine.layers.fields import field_type
from intertwine.layers.linear import Linear
from intertwine.layers.networks.sequential import Sequential
from intertwine.layers.nonlinear.fourier import FourierPointwise
from intertwine.layers.nonlinear.gated import Gated
from intertwine.layers.nonlinear.pointwise import Pointwise
from intertwine.layers.norms.normalisation import BatchNorm
from intertwine.layers.pooling.group_pooling import GlobalPool, Invariants
from intertwine.layers.sphere.clebsch_gordan import ClebschGordan
from intertwine.layers.sphere.sphere_conv import SphereConv
from intertwine.spaces.protocols import Region
from intertwine.spaces.sphere.sphere import Sphere
from intertwine.symmetry.fibre_maps import AnyRep

SPHERE_FAMILIES = ("zonal", "spin", "so3", "cg")
"""Networks of the sphere alone, as `field_network` names them."""
LEVELS = ((5 / 6, 0.5, 5 / 4), (5 / 12, 1.0, 3 / 2), (5 / 12, 1.0, 3 / 2), (5 / 24, 2.5, 3 / 2))
"""Of each convolution: its band limit over that of the input, its features over W, and how much finer than
need be the grid of its non-linearity is."""
SHARES = {"zonal": (1.0,), "spin": (1.0, 0.75, 0.5), "so3": (1.0, 1.0, 1.0)}
"""Features of each spin, over those of spin 0."""
_RINGS = 3
_SAMPLES = 10
_PRODUCTS_BELOW = 6
"""The band limit of Clebsch-Gordan products."""

Layers = list[tuple[str, Any]]


def band_limits(bandlimit: int) -> list[int]:
    """The band limit of the fields after each convolution.

    >>> band_limits(24), band_limits(30)
    ([20, 10, 10, 5], [25, 12, 12, 6])
    """
    return [max(1, round(level[0] * bandlimit)) for level in LEVELS]


def sphere_classifier(
    family: str,
    width: int,
    space: Sphere,
    *,
    inputs: AnyRep,
    classes: int,
    dropout: float,
    dtype: DTypeLike,
    key: Array,
) -> Layers:
    """The layers of a network of `SPHERE_FAMILIES` from fields on `space` to scores."""
    make = _Builder(space, inputs, dropout, dtype, key)
    if family == "cg":
        make.products(width)
    else:
        for limit, (_, share, fineness) in zip(band_limits(space.bandlimit), LEVELS, strict=True):
            target = Sphere(limit).at(limit, oversampling=fineness)
            make.level(target, activation(target, family, max(1, round(share * width))))
    return make.scores(classes)


class _Builder:
    """Layers with their names, the sphere and the type of what they give so far; between layers always the
    grid of Gauss and Legendre, whose transforms are exact.

    `waiting`: non-linearities, which are part of the next level: what they make beyond its band limit is
    left out there.
    """

    def __init__(self, space: Sphere, rep: AnyRep, dropout: float, dtype: DTypeLike, key: Array):
        self.space, self.rep, self.dropout, self.dtype, self.key = space, rep, dropout, dtype, key
        self.layers: Layers = []
        self.waiting: Layers = []

    def next_key(self) -> Array:
        self.key, here = jax.random.split(self.key)
        return here

    def convolution(self, target: Sphere, rep: AnyRep) -> Layers:
        """From what there is to fields on `target`, and their norm."""
        lower = min(self.space.bandlimit, target.bandlimit)
        region: Region = min(pi, _RINGS * pi / lower), _RINGS
        conv = SphereConv(
            self.space, target, self.rep, rep, region, bias=False, gain=1.0, dtype=self.dtype,
            key=self.next_key(),
        )  # fmt: skip
        self.space, self.rep = target, rep
        return [("conv", conv), ("norm", BatchNorm(rep, dtype=self.dtype))]

    def level(self, target: Sphere, act: Any) -> None:
        """The non-linearity before, a convolution to another sphere, and its norm."""
        inner = [*self.waiting, *self.convolution(target, act.rep_in)]
        self.layers.append((f"level{len(self.layers) + 1}", Sequential(inner)))
        self.waiting, self.rep = [("act", act)], act.rep_out
        if self.dropout:
            self.waiting.append(("dropout", Dropout(self.rep, self.dropout)))

    def products(self, width: int) -> None:
        """Twice a convolution and products of coefficients."""
        target = Sphere(min(_PRODUCTS_BELOW, self.space.bandlimit))
        hidden = direct_sum([(field_type(target, kind), width) for kind in ("scalar", "vector")])
        for number in (1, 2):
            inner = self.convolution(target, hidden)
            inner.append(
                ("products", ClebschGordan(target, hidden, hidden, dtype=self.dtype, key=self.next_key()))
            )
            self.layers.append((f"level{number}", Sequential(inner)))

    def scores(self, classes: int) -> Layers:
        """All layers, with invariants of the fibre, their means over the sphere, and scores."""
        invariants = Invariants(self.rep)
        scalars = classes * field_type(self.space, "scalar")
        pool = GlobalPool(self.space, invariants.rep_out, how="mean")
        return [
            *self.layers,
            ("mean", Sequential([*self.waiting, ("invariants", invariants), ("mean", pool)])),
            ("norm", BatchNorm(invariants.rep_out, dtype=self.dtype)),
            ("scores", Linear(invariants.rep_out, scalars, dtype=self.dtype, key=self.next_key())),
        ]


def activation(space: Sphere, family: str, features: int) -> Any:
    """The non-linearity of a family, which gives `features` of its features."""
    shares = SHARES[family]
    if family == "so3":
        return FourierPointwise.circle(space, len(shares) - 1, features, "relu", samples=_SAMPLES)
    counts = [max(1, round(share * features)) for share in shares]
    rep = direct_sum([(field_type(space, f"spin {k}"), count) for k, count in enumerate(counts)])
    return Gated(rep, "silu") if len(counts) > 1 else Pointwise(rep, "silu")
