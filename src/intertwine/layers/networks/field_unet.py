r"""U-Nets on spheres and meshes: fields of one type to fields of another, seen at several sizes.

                x ── conv ─ block ──────────────────────────── + ── conv ─ block ── head ── y
                              └ pool ── conv ─ block ── up ────┘

Between levels of a sphere half the degrees are left out, and put back as zeros (spectral pooling: exact), on
a mesh fibres are carried to the centres of clusters and back (`MeshPool`). A block is x + f(x), f twice norm,
non-linearity and convolution, as in "cnn:W" (`field_network`), so that what a non-linearity of a sphere makes
beyond the band limit is taken off before anything else sees it. Each level has twice the features of the
one above.
"""

from __future__ import annotations

from collections.abc import Callable
from math import log, pi
from typing import Any, NamedTuple, Protocol

from jax import Array
from jax.typing import DTypeLike

from intertwine._checks import fail
from intertwine.layers.blocks import direct_sum
from intertwine.layers.conv import Conv
from intertwine.layers.networks.residual import Residual
from intertwine.layers.networks.sequential import Sequential
from intertwine.layers.networks.unet import UNet
from intertwine.layers.pooling.mesh_pooling import MeshPool, MeshUnpool
from intertwine.layers.sphere.resample import Resample
from intertwine.layers.sphere.sphere_conv import SphereConv
from intertwine.spaces.mesh.coarse import coarser
from intertwine.spaces.mesh.mesh import Mesh
from intertwine.spaces.names import OVERSAMPLING, NamedSpace
from intertwine.spaces.protocols import Region
from intertwine.spaces.sphere.sphere import Sphere
from intertwine.symmetry.fibre_maps import AnyRep

_MOST_LEVELS = 3
_FEWEST_DEGREES, _FEWEST_VERTICES = 3, 12


class Level(NamedTuple):
    """Where the fields of a level lie, and the region of kernels there."""

    space: Any
    region: Region


class Blocks(Protocol):
    """What builds the layers of one level (`field_network`)."""

    dtype: DTypeLike

    def next_key(self) -> Array: ...

    def features(self, width: int) -> AnyRep: ...

    def conv(self, into: AnyRep, out: AnyRep, *, gain: float) -> Conv: ...

    def block(self, rep: AnyRep) -> list[tuple[str, Any]]: ...


def levels_of(named: NamedSpace, region: Region) -> list[Level]:
    """From fine to coarse, three at most: of a sphere on grids twice as fine as need be, half the degrees
    each, at least 3; of a mesh a quarter of the vertices, at least 12. region: of kernels at the finest.

    Raises InputError for other spaces.
    """
    space: Any = named.space
    if isinstance(space, Sphere):
        grid = "gauss" if space.grid == "healpix" else space.grid
        found, limit = [], space.bandlimit
        while len(found) < _MOST_LEVELS and (limit >= _FEWEST_DEGREES or not found):
            finer = Sphere(limit, grid).at(limit, oversampling=OVERSAMPLING)
            local = min(pi, 3 * pi / limit), 3
            found.append(Level(finer, region if not found or region is None else local))
            limit = (limit + 1) // 2
        return found
    if not isinstance(space, Mesh):
        raise fail("space", "the plane, a sphere or a mesh for a U-Net", space, "cnn:W takes any space")
    found = [Level(space, region)]
    while len(found) < _MOST_LEVELS and space.size // 4 >= _FEWEST_VERTICES:
        space = _below(space)
        found.append(Level(space, region))
    return found


def _below(mesh: Mesh) -> Mesh:
    """A mesh of a quarter of the vertices: of an icosphere the level below, which keeps its rotations."""
    level = round(log((mesh.size - 2) / 10, 4)) if mesh.size > 12 else 0
    if level > 0 and mesh.size == 10 * 4**level + 2:
        for made in (Mesh.icosphere, Mesh.icosahedron):
            if made(level) == mesh:
                return made(level - 1)
    return coarser(mesh, mesh.size // 4)


def field_unet(
    named: NamedSpace,
    region: Region,
    width: int,
    into: AnyRep,
    out: AnyRep,
    builder: Callable[[Any, Region], Blocks],
    recipe: object,
) -> UNet:
    """The U-Net with `width` features at the finest level. builder: of the layers of a space and region."""
    levels = levels_of(named, region)
    makers = [builder(level.space, level.region) for level in levels]
    types = [make.features(width * 2**n) for n, make in enumerate(makers)]

    def block(number: int, first: Any) -> Sequential:
        return Sequential([("conv", first), ("block", Residual(makers[number].block(types[number])))])

    def between(source: Any, target: Any, rep_in: AnyRep, rep_out: AnyRep, number: int) -> Any:
        """The first and the last convolution: of a sphere from and to its own grid."""
        make = makers[number]
        if not isinstance(source, Sphere):
            return make.conv(rep_in, rep_out, gain=1.0)
        return SphereConv(
            source, target, rep_in, rep_out, levels[number].region, gain=1.0, dtype=make.dtype,
            key=make.next_key(),
        )  # fmt: skip

    down, pools, ups, up = [], [], [], []
    for n, make in enumerate(makers):
        first = between(named.space, levels[0].space, into, types[0], 0) if n == 0 else None
        down.append(block(n, first or make.conv(types[n - 1], types[n], gain=1.0)))
    for n in range(len(levels) - 1):
        fine, coarse = levels[n].space, levels[n + 1].space
        lower: Any = Resample if isinstance(fine, Sphere) else MeshPool
        raised: Any = Resample if isinstance(fine, Sphere) else MeshUnpool
        pools.append(lower(fine, coarse, types[n]))
        ups.append(raised(coarse, fine, types[n + 1]))
        both = direct_sum([*types[n].blocks, *types[n + 1].blocks])
        up.append(block(n, makers[n].conv(both, types[n], gain=1.0)))
    head = between(levels[0].space, named.space, types[0], out, 0)
    return UNet(tuple(down), tuple(pools), tuple(ups), tuple(up), head, recipe)
