r"""What layers, intertwiners and the law of equivariance ask of a space.

A space is where fields live: points, a group G that moves them, and at each point a fibre, on which a group H
acts. `Grid` and `HomogeneousSpace` are two; any object with the same attributes is a third, wherever it is
defined, and `Conv`, `intertwiners`, `assert_equivariant` and the pooling layers take it. No code looks at the
type of a space.

    group, fibre_group      G (or its point group, where shifts are understood) and H
    axes, shape             the axes of a field before its channels
    support(region)         `intertwiners` needs nothing else
    act(g, field, rep)      the law of equivariance needs nothing else
    executor                how `Conv` applies a kernel (`layers.executors.protocol`)

What a space has besides is asked for where it is used: `ArraySpace` are the spaces whose fields are arrays of
any size, with windows, borders and a centre; `matrices` of H on vectors (`linear`) give it the fields that
`field_type` names by them.

Where H is a continuous group (`CompactGroup`: the sphere, meshes), types are `CompactRep`, and a space says
its kernels itself, irrep by irrep (`SmoothSpace`):

    kernel_basis(into, out, region)     in place of `support`
    random_elements(count, key)         elements for the law, drawn; `act` takes one
    random_field(rep, batch, key)       fields for the law: band-limited, say (optional: white noise)
    measure, maps_points                for means and maxima over the points (optional)
    element_name(g), usual_mistakes     words for the law (optional)

Where fields live on any of a family of geometries, clouds of points, a layer is told which by every call,
`layer(x, at=cloud)`, and the space is the family (`CloudSpace`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol, TypeGuard

import numpy as np
from jax import Array
from jaxtyping import Bool, Float, Shaped

from intertwine.symmetry import CompactGroup, CompactRep, FibreGroup, FiniteGroup, Rep
from intertwine.symmetry.intertwiner_basis import Support

if TYPE_CHECKING:
    from intertwine.spaces.grid import Window

Region = object
"""A part of a space in its own words: the width of a window, a list of points; hashable in layers."""

Field = Array | np.ndarray
"""Fields, NumPy or JAX arrays alike."""


class Space(Protocol):
    """Points, the group that moves them and the fibres over them. Hashable, equal where it is the same."""

    @property
    def group(self) -> FibreGroup:
        """The elements that `act` takes and the law is tested under: rows of a finite group, or what
        `random_elements` draws."""
        ...

    @property
    def fibre_group(self) -> FibreGroup:
        """H, whose representations are the types of fields."""
        ...

    @property
    def axes(self) -> int:
        """How many axes of a field (..., *space, C) are the space's."""
        ...

    @property
    def shape(self) -> tuple[int, ...] | None:
        """The sizes of these axes; None where they may be any (`ArraySpace`)."""
        ...

    @property
    def common_frame(self) -> bool:
        """Whether the fibre at every point is turned by the same element h, so that sums over the points of
        fields that are not scalar make sense."""
        ...

    @property
    def executor(self) -> object:
        """An `intertwine.layers.executors.protocol.Executor`, or the name of one, "module:Class"."""
        ...

    def support(self, region: Region) -> Support:
        """The points where kernels live, and how the stabiliser of the base point moves them and carries
        fibres along; `region` in the words of the space. InputError where it is not mapped to itself."""
        ...

    def act(self, element: Any, field: Shaped[Field, "... C"], rep: Any) -> Shaped[Field, "... C"]:
        """g f of fields (..., *space, C) of type `rep`."""
        ...


class Mistake(NamedTuple):
    """What is often done wrong on a space. words: "u and v exchanged", say. change: of fields
    (..., *space, C) of a type. back: what undoes it."""

    words: str
    change: Callable[[np.ndarray, Any], np.ndarray]
    back: Callable[[np.ndarray, Any], np.ndarray]


class SmoothSpace(Protocol):
    """A space whose structure group is continuous: types are `CompactRep`. The attributes of `Space` but for
    `support`, and these."""

    @property
    def fibre_group(self) -> CompactGroup:
        """H."""
        ...

    def kernel_basis(
        self, into: CompactRep, out: CompactRep, region: Region
    ) -> Float[np.ndarray, "count coordinates d_in d_out"]:
        """A basis B of the kernels from fields of one irrep to fields of another, at the `coordinates` in
        which the executor takes kernels (degrees of harmonics, rings of neighbours): κ = Σ_b w_b B_b, an
        array (coordinates, C_in, C_out) for whole types. The coordinates are the same for every pair; `count`
        may be 0. Weights are drawn with variance gain·d_out/Σ count: scale B so that the variance of a field
        is kept by the gain 1 (norm 1 where coordinates are points)."""
        ...

    def random_elements(self, count: int, *, key: Array) -> Sequence[Any]:
        """Elements that `act` takes, drawn uniformly."""
        ...


def has_kernels(space: object) -> TypeGuard[SmoothSpace]:
    """Whether a space says its kernels itself.

    >>> from intertwine.spaces.grid import Grid
    >>> has_kernels(Grid("p4"))
    False
    """
    return hasattr(space, "kernel_basis") and not isinstance(getattr(space, "fibre_group", None), FiniteGroup)


class CloudSpace(Space, Protocol):
    """A family of clouds of points, of shape None, that says its kernels itself as a `SmoothSpace` does.
    `act` takes fields (..., n, C), the same with the positions of the points before their channels, (..., n,
    d + C), and values (S, C) of whole clouds."""

    @property
    def dimension(self) -> int:
        """d."""
        ...

    def check_cloud(self, cloud: object, x: Field) -> None:
        """InputError unless x (..., n, C) is a field on `cloud`, and that is of this family."""
        ...

    def all_pairs(self, positions: Any) -> Any:
        """The cloud of positions (B, n, d), traced by JAX."""
        ...

    def random_elements(self, count: int, *, key: Array, points: int | None = 10) -> Sequence[Any]:
        """Elements that `act` takes, for clouds of so many points."""
        ...

    def random_field(self, rep: CompactRep, batch: int, *, key: Array, points: int = 10) -> np.ndarray:
        """Random positions and channels, (batch, points, d + C)."""
        ...

    def act(self, element: Any, field: Shaped[Field, "... C"], rep: Any) -> Shaped[Field, "... C"]:
        """g f."""
        ...


def takes_clouds(space: object) -> TypeGuard[CloudSpace]:
    """Whether layers on `space` are called with the cloud that a field lives on.

    >>> from intertwine.spaces.grid import Grid
    >>> takes_clouds(Grid("p4"))
    False
    """
    return hasattr(space, "all_pairs")


class ArraySpace(Space, Protocol):
    """A space whose fields are arrays (..., X_0, …, X_{d−1}, C) of any size: `Grid`. Groups are finite."""

    @property
    def group(self) -> FiniteGroup:
        """The elements that `act` takes, rows of the group."""
        ...

    @property
    def fibre_group(self) -> FiniteGroup:
        """H."""
        ...

    @property
    def dimension(self) -> int:
        """d."""
        ...

    @property
    def cell(self) -> Float[np.ndarray, "d d"]:
        """Rows are the lattice vectors."""
        ...

    @property
    def linear(self) -> Float[np.ndarray, "h d d"]:
        """The matrices of H on R^d, orthogonal."""
        ...

    @property
    def exact_elements(self) -> Bool[np.ndarray, " h"]:
        """Which elements map the points to points."""
        ...

    @property
    def exact(self) -> bool:
        """Whether all of them do."""
        ...

    @property
    def hexagonal(self) -> bool:
        """Whether windows are hexagons."""
        ...

    def harmonic(self, k: int) -> Rep:
        """The functions (cos kθ, sin kθ) of the direction, on planar spaces."""
        ...

    def window(self, region: Region) -> Window:
        """The taps of a kernel."""
        ...

    def mask(self, shape: tuple[int, ...]) -> Bool[np.ndarray, "..."]:
        """Which points of an array of `shape` stay inside under every exact element."""
        ...


def takes_arrays(space: object) -> TypeGuard[ArraySpace]:
    """Whether fields on `space` are arrays of any size, as on grids.

    >>> from intertwine.spaces.grid import Grid
    >>> takes_arrays(Grid("p4")), takes_arrays(None)
    (True, False)
    """
    return getattr(space, "shape", ()) is None and hasattr(space, "window")
