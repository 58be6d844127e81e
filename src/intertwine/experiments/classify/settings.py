"""Settings of `intertwine classify`: complete, bounded, and checked before anything is computed.

    kind = "classify"     a network whose outputs do not change when its input turns learns labels of images,
    of
                          structures or of their points
    [data]                images with labels: a named set or a file (as of `learn`)
    [space]               what the images lie on: the plane, or a sphere or a mesh; points of structures
    [network]             the point group of the grid, the architecture, dropout
    [optimiser]           epochs, mini-batches, learning rate, regularisation, turned copies of the images
    [points]              what is said of structures alone

Every field has a default, so that the empty configuration is a run: a small network with turns by 90° and
mirrors learns scikit-learn's digits. Contradictions are found here, in words.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, Literal

from pydantic import field_validator, model_validator

from intertwine._checks import InputError, fail
from intertwine.experiments.fields.settings import AUTO, Space
from intertwine.experiments.learn.settings import Data
from intertwine.experiments.structures.settings import (
    OnPointsOfClassify,
    check_structure_network,
    is_point_network,
    point_networks,
)
from intertwine.layers.networks.field_network import check_field_network
from intertwine.layers.networks.sphere_classifiers import SPHERE_FAMILIES
from intertwine.layers.networks.table_network import check_table_network
from intertwine.learning.labels.defaults import BATCH, EPOCHS, LEARNING_RATE, WARMUP, WEIGHT_DECAY
from intertwine.runs.begun import NONE, Starting, begun_with
from intertwine.runs.fields import (
    Section,
    Settings,
    checkpoint_every,
    choice,
    integer,
    kind_of,
    number,
    precision,
    seed,
    text,
    truth,
)
from intertwine.spaces.points.names import is_points

START = ("classify", "network.start")
CRITICAL = "critical"
"""The `start` at criticality (`layers.depth.start`)."""
_GROUPS = "'auto' or a point group such as p1, p4, p4m, c8, d8"


class Images(Data):
    """As the data of `learn`: mnist, rotmnist, digits, a folder of images with one folder a class, or a file
    of images and one of labels; or structures (extended XYZ, PDB, npz, a folder of them). labels: `auto` is
    the array of an archive (npz) that is called so, and of structures the one label that they have. group:S4,
    group:cyclic:97 …: products in a group, of which test_share are held out."""

    name: str = text(
        "digits", "a named data set or a file",
        "digits, mnist, rotmnist, spherical-mnist:NR-R, a folder of images, or a file; group:S4",
        longest=4096,
    )  # fmt: skip
    labels: str = text(
        "auto", "'auto', the name of an array of the file, or a file of labels", "another array, or a file",
        longest=4096, also="--target",
    )  # fmt: skip


class Network(Starting):
    """group: the point group of the grid; p1 is a plain CNN; `auto` is the preset's own, else p4m.

    name: cnn:W, e2:W, z2cnn, p4cnn, p4mcnn (`layers.network_names`); on a sphere so3:W, spin:W, zonal:W,
    cg:W, cnn:W, on a mesh cnn:W (`layers.field_network`); of structures nequip:W, residues:W and others; of a
    group's table quadratic:W, relu:W.
    start: the folder of a classifying run,
    with whose network this one begins; a folder as the name says both. Or "critical": its weights and
    biases are rescaled to criticality first; with `compare` it learns from its ordinary start too.
    """

    begins = START
    words = (CRITICAL,)

    group: str = text("auto", _GROUPS, "p1 (plain), p4, p4m, c8, d8 …")
    name: str = text(
        "cnn:4",
        "a network such as cnn:10, e2:8, z2cnn, p4cnn, p4mcnn, so3:10",
        "cnn:10, e2:8, z2cnn, p4cnn, p4mcnn; on spheres so3:10, spin:16, zonal:16, cg:6",
        flag="--network",
    )
    dropout: float = number(0.1, 0.0, 0.9, "of whole fields")
    start: str = text(
        NONE, f"'none', {CRITICAL!r}, or the folder of a classify run",
        f"{CRITICAL}: rescaled so that its kernel neither grows nor dies; or begin as this run ended",
        longest=4096, metavar="WORD|FOLDER",
    )  # fmt: skip
    compare: bool = truth(
        True, f"with --start {CRITICAL}: learn from the ordinary start too, and tell both accuracies"
    )


class Optimiser(Section):
    """AdamW (Loshchilov & Hutter 2019): the rate rises over the share `warmup` of the updates and falls
    along a cosine to a thousandth. smoothing: of the labels. augment: every visit of an image is turned
    by any angle (rotations), moved by up to a fourteenth of its width too (rotations+shifts), or stretched
    by up to 16 % along each axis, slanted by up to 0.2 and then turned (deformations).

    conserved: whether the quantities that gradient flow of this network conserves are tracked (images alone).
    examples: how many of the set's rows are learnt from, 0 for all. validation: the share of them that is
    held out; the network of the epoch that is best on them is kept. patience, watch: as of `fit_supervised`.
    """

    epochs: int = integer(EPOCHS, 1, 1_000_000, "passes over the images, at most")
    batch: int = integer(BATCH, 1, 1 << 20, "images per update")
    learning_rate: float = number(LEARNING_RATE, 0.0, 10.0, "the largest", above=True)
    warmup: float = number(WARMUP, 0.0, 1.0, "share of the updates before it")
    weight_decay: float = number(WEIGHT_DECAY, 0.0, 10.0, "of AdamW")
    smoothing: float = number(0.0, 0.0, 0.9, "of the labels")
    augment: Literal["none", "rotations", "rotations+shifts", "deformations"] = choice(
        "none", "none", "rotations", "rotations+shifts", "deformations", help="changed copies of the images"
    )
    examples: int = integer(0, 0, 1 << 31, "images to learn from, 0 for all")
    validation: float = number(0.1, 0.0, 0.9, "share of them held out, whose best epoch is kept")
    patience: int = integer(0, 0, 1_000_000, "stop after so many epochs without a better one, 0 for never")
    watch: Literal["loss", "accuracy"] = choice(
        "loss", "loss", "accuracy", help="of the images held out, by which an epoch is better"
    )
    conserved: bool = truth(False, "track what gradient flow of the network conserves")


class ClassifyConfiguration(Settings):
    """A classifying run: a function of this, of the data, and of nothing else."""

    resolver = "intertwine.experiments.group_tables.chosen:resolved"

    kind: Literal["classify"] = kind_of("classify")
    seed: int = seed()
    precision: Literal["float32", "float64"] = precision("float32")
    checkpoint_every: int = checkpoint_every(5, "epochs")
    data: Images = Images()
    space: Space = Space()
    network: Network = Network()
    optimiser: Optimiser = Optimiser()
    points: OnPointsOfClassify = OnPointsOfClassify()

    @model_validator(mode="before")
    @classmethod
    def _of_a_run(cls, tables: Any) -> Any:
        """`network = FOLDER`: the network of that run, with its data if none are given."""
        return begun_with(
            tables, "network", START, own=("group", "name", "dropout"), about=("data",), words=(CRITICAL,)
        )

    @field_validator("network")
    @classmethod
    def _known_network(cls, network: Network) -> Network:
        if is_point_network(network.name):
            check_structure_network(network.name)
            if network.start == CRITICAL:
                expected, remedy = "'none' or a folder with networks of structures", "it is of images"
                raise fail("network.start", expected, repr(network.start), remedy)
        elif network.name.partition(":")[0] in ("quadratic", "relu"):
            check_table_network(network.name)
        else:
            check_network(network)
        return network

    @model_validator(mode="after")
    def _images_with_labels(self) -> ClassifyConfiguration:
        generated = self.data.name.partition(":")[0] in ("ising", "bars-and-stripes")
        if generated:
            raise fail("data.name", "images with labels", repr(self.data.name), "for example 'digits'")
        return self

    @model_validator(mode="after")
    def _something_to_watch(self) -> ClassifyConfiguration:
        o = self.optimiser
        if o.patience and not o.validation:
            expected, remedy = "0 without images held out", "take validation = 0.1"
            raise fail("optimiser.patience", expected, o.patience, remedy)
        return self

    @model_validator(mode="after")
    def _tracked_of_images(self) -> ClassifyConfiguration:
        table = self.data.name.partition(":")[0] == "group"
        if self.optimiser.conserved and (
            table or is_point_network(self.network.name) or is_points(self.space.name)
        ):
            raise fail("optimiser.conserved", "false but for images", True, "it.conserved takes any network")
        return self

    @model_validator(mode="after")
    def _of_one_space(self) -> ClassifyConfiguration:
        """What contradicts a space that is given."""
        if self.space.name != AUTO and not is_points(self.space.name):
            check_on_space(self, self.space.name)
        return self

    @property
    def group(self) -> str:
        """The point group's name."""
        from intertwine.layers.networks.network_names import PRESETS

        if self.network.group != "auto":
            return self.network.group
        return PRESETS.get(self.network.name, ("p4m", 0))[0]

    @property
    def stem(self) -> str:
        """What a folder of runs calls this one: digits-p4m-cnn-4."""
        points = is_point_network(self.network.name) or self.data.name.startswith("group:")
        group = "" if points or check_network(self.network) == SPACES_ALONE else f"-{self.group}"
        words = f"{Path(self.data.name).name.partition('.')[0]}{group}-{self.network.name}"
        return re.sub(r"[^A-Za-z0-9._-]+", "-", words)[:80]


EVERYWHERE, PLANES_ALONE, SPACES_ALONE = "everywhere", "planes", "other spaces"
"""Where a network by name works."""


def check_network(network: Network) -> str:
    """Where the network works; raises `InputError` for a network or a point group that is not known, or two
    that contradict each other."""
    from intertwine.layers.networks.network_names import NETWORK_NAMES

    on_plane, on_spaces = _plane_family(network.name), _space_family(network.name)
    if on_plane is None and on_spaces is None:
        names = [name for name in NETWORK_NAMES if name != "unet:W"]
        names += [f"{family}:W" for family in SPHERE_FAMILIES]
        if network.name.partition(":")[0] in ("unet", "linear", "product"):
            raise fail("network.name", "a classifier", repr(network.name), "for example 'cnn:10'")
        remedy = f"W is a whole number, as in cnn:10; of structures {point_networks()}"
        raise fail("network.name", "one of " + ", ".join(names), repr(network.name), remedy)
    if on_plane is None:
        if network.group != "auto":
            expected = f"'auto' with {network.name}, which is of spheres"
            raise fail("network.group", expected, repr(network.group), "cnn:W takes any group")
        return SPACES_ALONE
    _check_group(network)
    return EVERYWHERE if on_spaces is not None else PLANES_ALONE


def check_on_space(c: ClassifyConfiguration, space: str) -> None:
    """Raise `InputError` for settings of images of the plane where they lie on `space`, and for networks of
    other spaces."""
    kind, where = space.partition(":")[0], check_network(c.network)
    if kind == "plane":
        if where == SPACES_ALONE:
            raise fail("network.name", "a network of the plane", repr(c.network.name), "take cnn:10")
        if space.count(":") > 1:
            raise fail("space.name", "plane:N without a group", repr(space), "say --group, as in --group p4")
        return
    if where == PLANES_ALONE:
        remedy = "take so3:10 on a sphere, cnn:4 on a mesh"
        raise fail("network.name", f"a network of {space}", repr(c.network.name), remedy)
    if where == SPACES_ALONE and kind not in ("sphere", "healpix"):
        raise fail("network.name", f"a network of {space}", repr(c.network.name), "take cnn:4")
    if c.network.group != "auto":
        raise fail(
            "network.group", f"'auto' on {space}", repr(c.network.group), "it is of images of the plane"
        )
    if c.optimiser.augment != "none":
        remedy = "the network does not change when they turn"
        raise fail("optimiser.augment", f"'none' on {space}", repr(c.optimiser.augment), remedy)


def _plane_family(name: str) -> str | None:
    from intertwine.layers.networks.network_names import check_network_name

    try:
        family, _ = check_network_name(name)
    except InputError:
        return None
    return None if family == "unet" else family


def _space_family(name: str) -> str | None:
    try:
        family, _ = check_field_network(name)
    except InputError:
        return None
    return family if family in ("cnn", *SPHERE_FAMILIES) else None


def _check_group(network: Network) -> None:
    from intertwine.layers.networks.network_names import PRESETS
    from intertwine.spaces.grid import Grid

    if network.group == "auto":
        return
    try:
        grid = Grid(network.group)
    except InputError as error:
        raise _renamed("network.group", error) from None
    if grid.dimension != 2 or grid.hexagonal:
        raise fail(
            "network.group", "a point group of square images", repr(network.group), "for example 'p4m'"
        )
    own = PRESETS.get(network.name, (network.group, 0))[0]
    if own != network.group:
        remedy = f"take {own!r}, or cnn:W with any group"
        raise fail("network.group", f"{own!r} with {network.name}", repr(network.group), remedy)


def _renamed(field: str, error: InputError) -> InputError:
    return InputError(f"{field}:{str(error).partition(':')[2]}")
