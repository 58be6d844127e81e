r"""Classifiers of images that turn with their input, or rather do not: their outputs are invariant.

`group_cnn` is the network of Cohen & Welling (ICML 2016, § 8.1) for rotated MNIST: seven convolutions 3×3
with batch norms and rectifiers, a max-pool after the second, a last kernel that covers what is left (4×4
for 28×28), then the maximum over the group. H = 1 is the plain CNN (Z2CNN), p4 P4CNN. Images of other
sizes are pooled more often, or padded, so that the last kernel stays at most 7 wide.

`steerable_cnn` is that of Weiler & Cesa (NeurIPS 2019; layers of Weiler, Hamprecht & Storath, CVPR 2018):
kernels 9, 7, 7, 7, 7, 5, features growing as 24 : 32 : 36 : 36 : 64 : 96, regular features of C_N or D_N,
a max-pool after the second and fourth, pooling over the group and the plane, and a dense head.

Every pooling window is chosen so that the group maps windows onto windows, and the network as a whole is
exactly invariant under the elements that map the grid to itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import jax
from jax import Array
from jax.typing import DTypeLike
from jaxtyping import PyTree

from intertwine._checks import fail, positive_int
from intertwine.layers.conv import Conv
from intertwine.layers.dropout import Dropout
from intertwine.layers.executors.windows import fitting_width
from intertwine.layers.fields import field_type
from intertwine.layers.linear import Linear
from intertwine.layers.networks.sequential import Sequential
from intertwine.layers.nonlinear.pointwise import Pointwise
from intertwine.layers.norms.normalisation import BatchNorm
from intertwine.layers.pooling.group_pooling import GlobalPool, GroupPool
from intertwine.layers.pooling.pooling import MaxPool
from intertwine.spaces.grid import Grid
from intertwine.spaces.protocols import Space, takes_arrays
from intertwine.symmetry import Rep, regular, trivial

_LARGEST_TOP = 7
_STEERABLE_WIDTHS = (9, 7, 7, 7, 7, 5)
_STEERABLE_FEATURES = (24, 32, 36, 36, 64, 96)


class _Builder:
    """Layers with their names, the type and size of what they give so far."""

    def __init__(self, space: Grid, rep: Rep, size: int, dropout: float, dtype: DTypeLike, key: Array):
        self.space, self.rep, self.size, self.dropout, self.dtype = space, rep, size, dropout, dtype
        self.layers: list[tuple[str, Any]] = []
        self.convolutions, self.key = 0, key

    def next_key(self) -> Array:
        self.key, here = jax.random.split(self.key)
        return here

    def add(self, name: str, layer: PyTree) -> None:
        self.layers.append((name, layer))
        self.rep = layer.rep_out

    def convolution(self, rep: Rep, width: int, *, last: bool = False, same: bool = False) -> None:
        """A convolution and what follows it: norm, `function` and dropout."""
        self.convolutions += 1
        padding = "same" if same else "valid"
        conv = Conv(
            self.space,
            self.rep,
            rep,
            width,
            padding=padding,
            bias=last,
            gain=1.0 if last else 2.0,
            dtype=self.dtype,
            key=self.next_key(),
        )
        self.add(f"conv{self.convolutions}", conv)
        self.size -= 0 if same else width - 1

    def activation(self, function: str) -> None:
        n = self.convolutions
        self.add(f"norm{n}", BatchNorm(self.rep, dtype=self.dtype))
        self.add(f"{function}{n}", Pointwise(self.rep, function))
        if self.dropout:
            self.add(f"dropout{n}", Dropout(self.rep, self.dropout))

    @property
    def pooled_size(self) -> int:
        return (self.size - fitting_width(self.space, self.size, 2, 2)) // 2 + 1

    def pool(self) -> None:
        width = fitting_width(self.space, self.size, 2, 2)
        self.add(f"pool{self.convolutions}", MaxPool(self.space, self.rep, width, stride=2))
        self.size = (self.size - width) // 2 + 1


def checked_classes(classes: object) -> tuple[int, tuple[str, ...] | None]:
    """(the number of outputs, their names or None), of a number or of names.

    >>> checked_classes(3), checked_classes(["cat", "dog"])
    ((3, None), (2, ('cat', 'dog')))
    """
    if isinstance(classes, int) and not isinstance(classes, bool) and classes > 0:
        return classes, None
    names = tuple(classes) if isinstance(classes, list | tuple) else ()
    if not names or len(set(names)) < len(names) or not all(isinstance(name, str) for name in names):
        raise fail("classes", "the number of classes, or a name for each, no two alike", classes)
    return len(names), tuple(map(str, names))


def checked_image_size(space: Space, size: int | None) -> int:
    """Points along each axis: a size that the grid's group maps to itself, or the error.

    >>> checked_image_size(Grid("p4"), None), checked_image_size(Grid("p6"), None)
    (28, 29)
    """
    turned = takes_arrays(space) and space.hexagonal and space.group.order > 1
    if size is None:
        return 29 if turned else 28
    n = positive_int("image_size", size, "points along each axis, for example 28")
    if turned and n % 2 == 0:
        expected = "an odd number on a triangular grid, whose rotations turn about its middle point"
        raise fail("image_size", expected, n, f"{n + 1}, for example")
    return n


def group_cnn(
    space: Grid,
    width: int,
    *,
    channels: int | str | Rep = 1,
    image_size: int | None = None,
    classes: int | Sequence[str] = 10,
    dropout: float = 0.3,
    dtype: DTypeLike = float,
    recipe: object = None,
    key: Array,
) -> Sequential:
    """The network of Cohen & Welling with `width` regular features a layer.

    space: a `Grid`. channels: of the input, a number of scalars, a type by name ("vector") or a `Rep`.
    image_size: points along each axis, by default 28, or 29 on a triangular grid, where it must be odd.
    classes: the number of outputs, or their names. dropout: rate between layers, 0 for none.

    Raises InputError for sizes that are too small.

    >>> net = group_cnn(Grid("p4"), 10, key=jax.random.key(0))
    >>> net["conv7"].support, net.rep_out.dimension
    (4, 10)
    """
    n = checked_image_size(space, image_size)
    if n < 3:
        raise fail("image_size", "at least 3 points along each axis", image_size)
    rep_in = field_type(space, channels)
    hidden = positive_int("width", width, "features a layer, for example 10") * regular(space.group)
    make = _Builder(space, rep_in, n, dropout, dtype, key)
    for number in range(1, 7):
        same = make.size <= (4 if number > 2 else 6)
        make.convolution(hidden, 3, same=same)
        make.activation("relu")
        left = 6 - number  # what is left to come shrinks the image by 2 each
        wanted = (number == 2 and make.size > 4) or (
            number in (3, 4, 5) and make.size - 2 * left > _LARGEST_TOP
        )
        if wanted and make.pooled_size >= 3:
            make.pool()
    while make.size > _LARGEST_TOP:
        make.pool()
    outputs, names = checked_classes(classes)
    make.convolution(outputs * regular(space.group), make.size, last=True)
    make.add("group_pool", GroupPool(make.rep))
    make.add("flatten", GlobalPool(space, make.rep))
    return Sequential(make.layers, recipe, names)


def steerable_cnn(
    space: Grid,
    width: int,
    *,
    channels: int | str | Rep = 1,
    image_size: int | None = None,
    classes: int | Sequence[str] = 10,
    dropout: float = 0.3,
    dtype: DTypeLike = float,
    recipe: object = None,
    key: Array,
) -> Sequential:
    """The network of Weiler & Cesa with `width` regular features in its first layer.

    Arguments and errors as of `group_cnn`; images of at least 12 points along each axis.

    >>> net = steerable_cnn(Grid("c4"), 4, key=jax.random.key(0))
    >>> [layer.rep_out.dimension // 4 for name, layer in net.layers if name.startswith("conv")]
    [4, 5, 6, 6, 11, 16]
    """
    n = checked_image_size(space, image_size)
    if n < 12:
        raise fail("image_size", "at least 12 points along each axis", n, 'take "cnn" for smaller images')
    width = positive_int("width", width, "features of the first layer, for example 16")
    make = _Builder(space, field_type(space, channels), n, 0.0, dtype, key)
    one = regular(space.group)
    for number, (kernel, features) in enumerate(zip(_STEERABLE_WIDTHS, _STEERABLE_FEATURES, strict=True), 1):
        copies = max(1, round(features / _STEERABLE_FEATURES[0] * width))
        make.convolution(copies * one, kernel, same=number < 6 or make.size < kernel)
        make.activation("elu")
        if number in (2, 4):
            make.pool()
    make.add("group_pool", GroupPool(make.rep))
    make.add("flatten", GlobalPool(space, make.rep))
    make.size = 1
    features = make.rep.dimension * trivial(space.group)
    make.add("dense1", Linear(make.rep, features, bias=False, gain=2.0, dtype=dtype, key=make.next_key()))
    make.convolutions += 1
    make.dropout = dropout
    make.activation("elu")
    outputs, names = checked_classes(classes)
    scores = outputs * trivial(space.group)
    make.add("dense2", Linear(make.rep, scores, dtype=dtype, key=make.next_key()))
    return Sequential(make.layers, recipe, names)
