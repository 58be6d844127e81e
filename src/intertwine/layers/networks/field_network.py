r"""The same architecture over any space: fields of one type to fields of another, or to scores of classes.

    linear      one convolution
    product:W   convolution → products of pairs of W features → convolution: fields that are bilinear in the
                input, such as advection and balance, without any other non-linearity
    fluxes:K    on a sphere, what vectors carry and its potentials, kernels of K knots (`sphere.fluxes`)
    cnn:W       convolution → blocks x + f(x) → convolution, f twice norm, non-linearity, convolution
    unet:W      the same at several sizes, with skips: spectral pooling on spheres, mesh pooling on meshes
                (`field_unet`), means of 2 × 2 points on the plane (`unet`); fields to fields

Classifiers of the sphere alone: zonal:W, spin:W, so3:W, cg:W (`sphere_classifiers`).

W counts features. On a space with a finite structure group a feature is regular, and the non-linearity a
rectifier; on a surface it is a function of the direction with frequencies 0, 1 and 2 (scalar + vector +
spin 2), and copies of spin are gated by scalars (Weiler et al. 2018), or functions of the direction are
sampled (`nonlinearity="fourier"`), or lengths are changed ("norm"). Kernels are local ones as the name of the
space says (`spaces.names`), a 3×3 window on the plane; `region` takes others.

`Conv` asks the space for its executor and its kernels. On a sphere everything between the first and the
last layer lies on a grid twice as fine, from which each convolution takes the degrees below the band limit:
products of two fields then commute with rotations exactly, other non-linearities to what their degrees
above leave.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
from jax import Array
from jax.typing import DTypeLike

from intertwine._checks import fail, one_of, positive_int
from intertwine.layers.blocks import direct_sum
from intertwine.layers.conv import Conv
from intertwine.layers.dropout import Dropout
from intertwine.layers.fields import field_type
from intertwine.layers.linear import Linear
from intertwine.layers.networks.classifiers import checked_classes
from intertwine.layers.networks.field_unet import field_unet
from intertwine.layers.networks.residual import Residual
from intertwine.layers.networks.sequential import Sequential
from intertwine.layers.networks.sphere_classifiers import SPHERE_FAMILIES, sphere_classifier
from intertwine.layers.networks.unet import UNet, unet
from intertwine.layers.nonlinear.fourier import FourierPointwise
from intertwine.layers.nonlinear.gated import Gated, gated_copies
from intertwine.layers.nonlinear.norm_nonlinearity import NormNonlinearity
from intertwine.layers.nonlinear.pointwise import Pointwise
from intertwine.layers.nonlinear.tensor_product import TensorProduct
from intertwine.layers.norms.normalisation import BatchNorm
from intertwine.layers.pooling.group_pooling import GlobalPool, Invariants
from intertwine.layers.sphere.fluxes import Fluxes
from intertwine.layers.sphere.resample import Resample
from intertwine.spaces.grid import Grid
from intertwine.spaces.names import NamedSpace, named_space, space_from_name
from intertwine.spaces.protocols import Region, Space, has_kernels, takes_arrays
from intertwine.spaces.sphere.sphere import Sphere
from intertwine.symmetry import Rep
from intertwine.symmetry.fibre_maps import AnyRep

FAMILIES = (
    "linear", "product:W", "fluxes:K", "cnn:W", "unet:W", "zonal:W", "spin:W", "so3:W", "cg:W",
)  # fmt: skip
LINEAR_IN_WEIGHTS = ("linear", "fluxes")
"""Families whose weights least squares find."""
NONLINEARITIES = ("auto", "pointwise", "gated", "norm", "fourier")
BLOCKS = 2
_LARGEST = 1024
_FREQUENCIES = 2
_OVERSAMPLING = 4
"""Samples of a function of the direction, over its numbers: a GELU is then equivariant to 1e-3."""


@dataclass(frozen=True)
class FieldRecipe:
    """The arguments of `field_network` that build a network again; all by name."""

    name: str
    space: str
    inputs: int | str
    outputs: int | str | None
    classes: int | str | tuple[str, ...] | None
    global_kernels: bool
    blocks: int
    nonlinearity: str
    dropout: float
    dtype: str

    def places(self, space: Space) -> tuple[int, ...] | None:
        """The sizes of the axes of its input, where the space leaves them open."""
        return None if space.shape is not None else space_from_name(self.space).shape


def check_field_network(name: str) -> tuple[str, int]:
    """The family and the width of a name; InputError if it is none.

    >>> check_field_network("cnn:8"), check_field_network("linear")
    (('cnn', 8), ('linear', 0))
    """
    family, colon, width = name.partition(":") if isinstance(name, str) else ("", "", "")
    if family == "linear" and not colon:
        return family, 0
    known = family in ("product", "fluxes", "cnn", "unet", *SPHERE_FAMILIES)
    if known and width.isdecimal() and 1 <= int(width) <= _LARGEST:
        return family, int(width)
    remedy = f"W is a whole number up to {_LARGEST}, as in cnn:8"
    raise fail("name", "one of " + ", ".join(FAMILIES), name, remedy)


def field_network(
    name: str,
    space: str | Space | NamedSpace,
    *,
    inputs: int | str | AnyRep = 1,
    outputs: int | str | AnyRep | None = None,
    classes: int | Sequence[str] | None = None,
    region: Region = None,
    global_kernels: bool = False,
    blocks: int = BLOCKS,
    nonlinearity: str = "auto",
    dropout: float = 0.0,
    dtype: DTypeLike = float,
    key: Array,
) -> Sequential | UNet:
    """The network called `name` on a space.

    space: a name such as "plane:64", or a `Space`. inputs, outputs: types of fields by name ("2 scalar +
    vector"), numbers of scalars, or representations. classes: in place of outputs, their number or names:
    the last fields' invariants are averaged over the space, and scores of them are given. region: of
    kernels, in the words of the space; None takes the local one of a space by name, and the space's own of
    others. blocks: of "cnn". nonlinearity: "auto" (see the module), "pointwise", "gated", "norm" or
    "fourier". dropout: of whole fields, in training.

    Raises InputError, listing the names, for others, and where both or none of outputs and classes are given.

    >>> net = field_network("cnn:2", "plane:8", inputs="2 scalar + vector", outputs="scalar",
    ...                     key=jax.random.key(0))
    >>> net.outputs(jnp.ones((3, 8, 8, 4))).shape, list(net.names)
    ((3, 8, 8, 1), ['conv1', 'block1', 'block2', 'conv2'])
    """
    family, width = check_field_network(name)
    one_of("nonlinearity", nonlinearity, NONLINEARITIES)
    if (outputs is None) == (classes is None):
        raise fail("outputs", "either a type of fields, or classes", "both" if classes else "neither")
    named = named_space(space)
    if global_kernels and not named.everywhere:
        raise fail("global_kernels", "False on this space, whose kernels are local", True, "take a sphere")
    region = None if global_kernels else named.region if region is None else region
    kind = jnp.zeros((), dtype).dtype
    recipe = None
    classes = tuple(classes) if isinstance(classes, list) else classes
    if isinstance(space, str) and isinstance(inputs, int | str) and isinstance(outputs, int | str | None):
        told = None if classes is None else classes if isinstance(classes, int | str) else tuple(classes)
        rate = float(dropout)
        recipe = FieldRecipe(
            name, space, inputs, outputs, told, global_kernels, blocks, nonlinearity, rate, kind.name
        )
    into = field_type(named.space, inputs, "inputs")
    if family in SPHERE_FAMILIES:
        if classes is None:
            raise fail("outputs", f"None with {name!r}, a classifier", outputs, "give classes=10, say")
        if not isinstance(named.space, Sphere):
            raise fail("space", f"a sphere for {name!r}", space, "cnn:W takes any space")
        count, names = checked_classes(classes)
        made = sphere_classifier(
            family, width, named.space, inputs=into, classes=count, dropout=dropout, dtype=kind, key=key
        )
        return Sequential(made, recipe, names)
    if family == "unet":
        if classes is not None:
            raise fail("classes", f"None with {name!r}, fields to fields", classes, "take cnn:W")
        out = field_type(named.space, _checked(outputs), "outputs")
        return _unet(named, region, width, into, out, nonlinearity, dropout, kind, recipe, key)
    inner = named.space if named.finer is None or family in LINEAR_IN_WEIGHTS else named.finer
    make = _Builder(inner, region, nonlinearity, dropout, kind, key)
    head: AnyRep
    if classes is None:
        head = field_type(named.space, _checked(outputs), "outputs")
    else:
        head = make.features(max(width, 1))
    layers: list[tuple[str, Any]] = []
    if family == "linear":
        layers.append(("conv1", make.conv(into, head, gain=1.0)))
    elif family == "fluxes":
        if not isinstance(named.space, Sphere) or classes is not None:
            got = named.space if classes is None else "classes"
            raise fail("network", "a sphere and fields as outputs for fluxes:K", got, "take product:W")
        layers.append(("fluxes", Fluxes(named.space, into, head, width, dtype=kind, key=make.next_key())))
    elif family == "product":
        hidden = direct_sum([*into.blocks, *make.features(width).blocks])
        layers += [
            ("conv1", make.conv(into, hidden, gain=1.0)),
            (
                "products",
                Sequential(
                    [
                        ("product", _product(hidden, kind, make.next_key())),
                        ("conv", make.conv(hidden, head, gain=1.0)),
                    ]
                ),
            ),
        ]
    else:
        hidden = make.features(width)
        layers.append(("conv1", make.conv(into, hidden, gain=1.0)))
        for number in range(1, positive_int("blocks", blocks) + 1):
            layers.append((f"block{number}", Residual(make.block(hidden))))
        layers.append(("conv2", make.conv(hidden, head, gain=1.0)))
    if inner is not named.space:  # a sphere: in by harmonics, and out again
        layers.insert(0, ("refine", _between(named.space, inner, into)))
        layers += [("coarsen", _between(inner, named.space, head))] if classes is None else []
    names = None
    if classes is not None:
        count, names = checked_classes(classes)
        layers += make.scores(head, count)
    return Sequential(layers, recipe, names)


def sampled(name: str, space: NamedSpace, nonlinearity: str) -> bool:
    """Whether a network has functions of samples, of a field on a sphere or of the direction, or transforms
    by sums that are approximate: it commutes with the group about, and otherwise to rounding.

    >>> sampled("product:2", space_from_name("sphere:4"), "auto")
    False
    """
    family, sphere = check_field_network(name)[0], space.space if isinstance(space.space, Sphere) else None
    if sphere is not None and sphere.grid == "healpix":
        return True
    return family in ("cnn", "unet", *SPHERE_FAMILIES) and (sphere is not None or nonlinearity == "fourier")


def _unet(
    named: NamedSpace,
    region: Region,
    width: int,
    into: AnyRep,
    out: AnyRep,
    nonlinearity: str,
    dropout: float,
    dtype: DTypeLike,
    recipe: object,
    key: Array,
) -> UNet:
    """The U-Net of a space."""
    if isinstance(named.space, Grid):
        if nonlinearity != "auto" or dropout:
            got = nonlinearity if nonlinearity != "auto" else f"dropout {dropout}"
            raise fail("nonlinearity", "'auto', and no dropout, of a U-Net on the plane", got)
        assert isinstance(into, Rep)
        size = min(named.shape)
        return unet(
            named.space, width, channels=into, out=out, image_size=size, dtype=dtype, recipe=recipe, key=key
        )
    keys = iter(jax.random.split(key, 8))

    def builder(space: Space, region: Region) -> _Builder:
        return _Builder(space, region, nonlinearity, dropout, dtype, next(keys))

    return field_unet(named, region, width, into, out, builder, recipe)


class _Builder:
    """The layers of a network on one space."""

    def __init__(
        self, space: Space, region: Region, nonlinearity: str, dropout: float, dtype: DTypeLike, key: Array
    ):
        self.space, self.region, self.dropout, self.dtype, self.key = space, region, dropout, dtype, key
        self.smooth = has_kernels(space)
        usual = "gated" if self.smooth else "pointwise"
        self.nonlinearity = usual if nonlinearity == "auto" else nonlinearity

    def next_key(self) -> Array:
        self.key, here = jax.random.split(self.key)
        return here

    def features(self, width: int) -> AnyRep:
        """`width` features of the space; of functions of the direction all copies of a frequency together."""
        if not self.smooth:
            return width * field_type(self.space, "regular")
        return direct_sum([(field_type(self.space, f"spin {k}"), width) for k in range(_FREQUENCIES + 1)])

    def conv(self, into: AnyRep, out: AnyRep, *, gain: float) -> Conv:
        options: dict[str, Any] = {"padding": "same"} if takes_arrays(self.space) else {}
        return Conv(
            self.space, into, out, self.region, gain=gain, dtype=self.dtype, key=self.next_key(), **options
        )

    def activation(self, rep: AnyRep) -> Any:
        """The non-linearity that gives fields of type `rep`."""
        if self.nonlinearity == "pointwise" or (self.nonlinearity == "gated" and not gated_copies(rep)):
            return Pointwise(rep, "relu")
        if self.nonlinearity == "gated":
            return Gated(rep, "silu")
        if self.nonlinearity == "norm":
            return NormNonlinearity(rep, "silu")  # a rectifier of lengths with no bias changes nothing
        if not self.smooth:
            raise fail("nonlinearity", "fourier on surfaces", "a finite structure group", "take pointwise")
        copies, samples = rep.blocks[0][1], _OVERSAMPLING * (2 * _FREQUENCIES + 1)
        return FourierPointwise.circle(self.space, _FREQUENCIES, copies, "gelu", samples=samples)

    def block(self, rep: AnyRep) -> list[tuple[str, Any]]:
        """Norm, non-linearity and convolution, twice."""
        made: list[tuple[str, Any]] = []
        for number in (1, 2):
            act = self.activation(rep)
            if act.rep_in != rep:  # gates beside the fields
                made.append(
                    (f"gates{number}", Linear(rep, act.rep_in, dtype=self.dtype, key=self.next_key()))
                )
            made += [(f"norm{number}", BatchNorm(act.rep_in, dtype=self.dtype)), (f"act{number}", act)]
            if self.dropout:
                made.append((f"dropout{number}", Dropout(rep, self.dropout)))
            made.append((f"conv{number}", self.conv(rep, rep, gain=1.0)))
        return made

    def scores(self, rep: AnyRep, classes: int) -> list[tuple[str, Any]]:
        """Invariants of the fields, their means over the space, and scores."""
        invariants = Invariants(rep)
        scalar = classes * field_type(self.space, "scalar")
        return [
            ("invariants", invariants),
            ("norm", BatchNorm(invariants.rep_out, dtype=self.dtype)),
            ("mean", GlobalPool(self.space, invariants.rep_out, how="mean")),
            ("scores", Linear(invariants.rep_out, scalar, dtype=self.dtype, key=self.next_key())),
        ]


def _product(rep: AnyRep, dtype: DTypeLike, key: Array) -> Residual:
    """x + all products of pairs of its fields."""
    return Residual([("products", TensorProduct(rep, None, rep, dtype=dtype, key=key))])


def _checked(outputs: int | str | AnyRep | None) -> int | str | AnyRep:
    assert outputs is not None
    return outputs


def _between(space: Space, target: Space, rep: AnyRep) -> Resample:
    """The same fields on another grid of the sphere."""
    assert isinstance(space, Sphere) and isinstance(target, Sphere)
    return Resample(space, target, rep)
