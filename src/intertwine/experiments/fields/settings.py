"""Settings of `intertwine fields`: complete, bounded, and checked before anything is computed.

    kind = "fields"     variables of fields are learnt from others
    [data]              the file, which variables, which samples
    [space]             where the network works: a sphere, a mesh, the plane, points in space
    [network]           its architecture
    [optimiser]         epochs, mini-batches, learning rate, samples held out
    [points]            what is said of structures alone, whose energies and forces, say, are learnt

Every field has a default, so that the empty configuration is a run: the tendency of vorticity from winds on a
sphere, made by the library.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, ClassVar, Literal

from pydantic import ValidationInfo, field_validator, model_validator

from intertwine._checks import InputError, fail
from intertwine.experiments.structures.settings import (
    OnPoints,
    check_structure_network,
    is_point_network,
    point_networks,
)
from intertwine.layers.networks.field_network import check_field_network
from intertwine.learning.fields.fit_fields import BATCH, EPOCHS, LEARNING_RATE
from intertwine.learning.labels.defaults import WARMUP, WEIGHT_DECAY
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
from intertwine.runs.settings import shown
from intertwine.spaces.names import SPACES
from intertwine.spaces.points.names import FORM, is_points, name_of_points, points_from_name

MADE = re.compile(r"winds:([0-9]{1,3})", re.ASCII)
"""Data that the library makes."""
VARIABLES = ("u", "v", "vorticity", "tendency")
"""Of these."""
NONE, AUTO = "none", "auto"
_NUMBER = r"-?(?:[0-9]+\.?[0-9]*|\.[0-9]+)"
_VALUE = rf"(?:[0-9]{{4}}-[0-9]{{2}}[-0-9T:]*|{_NUMBER})"
_AXIS = rf"[A-Za-z_]\w*={_VALUE}(?:/{_VALUE})*"
_SELECTION = re.compile(rf"{_AXIS}(?:,{_AXIS})*")


class Data(Section):
    """name: a netCDF file on latitudes and longitudes, a HEALPix map (FITS), an npz archive of arrays,
    structures (extended XYZ, PDB, npz, a folder of them), or winds:L, made here. inputs, targets: variables,
    separated by commas; u, v are one vector; of structures energy,forces from species if not given. select:
    samples by the values of axes, month=1,level=500/850. test, test_select: other samples to test with, of
    the same file where test is none. rotation: whether the network is told the rotation of the globe.
    test_share: of structures, drawn at random."""

    name: str = text(
        "winds:8", "a file of fields, or winds:L", "netCDF, FITS or npz, or winds:8", longest=4096
    )
    inputs: str = text("u,v", "names of variables", "such as u,v, separated by commas", longest=1000)
    targets: str = text(
        "tendency", "names of variables", "such as z, separated by commas; of structures energy,forces",
        longest=1000, also="--target",
    )  # fmt: skip
    select: str = text(
        "all", "'all', or values of axes: month=1,level=500", "samples to learn from", longest=1000
    )
    test: str = text(NONE, "'none', or a file of fields", "another file to test with", longest=4096)
    test_select: str = text("all", "'all', or values of axes", "samples to test with", longest=1000)
    rotation: bool = truth(False, "whether the network is told the rotation of the globe")
    test_share: float = number(
        0.0, 0.0, 0.9, "of structures, held out to test with; of these 0.1 if not given"
    )

    @field_validator("select", "test_select")
    @classmethod
    def _selection(cls, words: str, info: ValidationInfo) -> str:
        kept = words.replace(" ", "")
        if words != "all" and not _SELECTION.fullmatch(kept):
            remedy = "for example month=1/7,level=500, or time=2001-12"
            raise fail(f"data.{info.field_name}", "'all', or values of axes", shown(words), remedy)
        names = [part.partition("=")[0] for part in kept.split(",")]
        if twice := next((name for name in names if names.count(name) > 1), None):
            remedy = "say its values with strokes between them, month=1/7"
            raise fail(f"data.{info.field_name}", "each axis once", f"{twice} twice", remedy)
        return kept

    @field_validator("name", "test")
    @classmethod
    def _absolute(cls, name: str) -> str:
        if name == NONE or MADE.fullmatch(name) or "\x00" in name:
            return name
        return str(Path(name).expanduser().absolute())

    @model_validator(mode="after")
    def _variables_made(self) -> Data:
        """Of data that the library makes, the names are known, and the samples to test with."""
        if MADE.fullmatch(self.name) and (self.test != NONE or self.test_select != "all"):
            remedy = "leave test and test_select out"
            raise fail("data.test", "none with winds:L, which has its own samples", self.test, remedy)
        for field in ("inputs", "targets") if MADE.fullmatch(self.name) else ():
            names = [part.strip() for part in re.split("[,:]", getattr(self, field))]
            if not set(names) <= set(VARIABLES):
                expected = "variables of winds: " + ", ".join(VARIABLES)
                raise fail(f"data.{field}", expected, shown(getattr(self, field)), "for example u,v")
        return self

    def check_there(self) -> None:
        from intertwine.data.checks import check_file

        for field in ("name", "test"):
            name = getattr(self, field)
            if name != NONE and not MADE.fullmatch(name) and not Path(name).is_dir():
                try:
                    check_file(name)
                except InputError as error:
                    raise InputError(f"data.{field}:{str(error).partition(':')[2]}") from None

    @property
    def stem(self) -> str:
        """The name without folders and ending."""
        return self.name.replace(":", "-") if MADE.fullmatch(self.name) else Path(self.name).stem


class Space(Section):
    """name: plane:N, sphere:L, healpix:N, mesh:FILE, icosphere:N; points:R[:K] of structures, whose points
    see those within R Å; auto is the grid of the file, points:5.0 of structures."""

    name: str = text(
        AUTO, "'auto' or the name of a space", "sphere:32, healpix:16, mesh:FILE, plane:64, points:5.0 …",
        longest=4096,
    )  # fmt: skip

    @field_validator("name")
    @classmethod
    def _known(cls, name: str) -> str:
        if is_points(name):
            return name_of_points(points_from_name(name, "space.name"))
        kind, colon, rest = name.partition(":")
        if name != AUTO and (kind not in SPACES or not colon or not rest):
            forms = ", ".join([*(row.form for row in SPACES.values()), FORM])
            raise fail("space.name", f"'auto', or one of {forms}", repr(name), "for example sphere:32")
        if kind == "mesh" and "\x00" not in rest:
            return f"mesh:{Path(rest).expanduser().absolute()}"
        return name


class Network(Section):
    """name: linear, product:W, fluxes:K, cnn:W or unet:W; of structures nequip:W, painn:W, mace:W and
    others. nonlinearity, blocks: of cnn. global_kernels: kernels that see all of a sphere."""

    name: str = text("product:4", "a network such as cnn:8, product:4, linear",
                     "linear, product:4, fluxes:1, cnn:8, unet:4; of structures nequip:16, painn:32 …",
                     flag="--network")  # fmt: skip
    nonlinearity: Literal["auto", "pointwise", "gated", "norm", "fourier"] = choice(
        "auto", "auto", "pointwise", "gated", "norm", "fourier", help="of cnn"
    )
    blocks: int = integer(2, 1, 32, "residual blocks of cnn")
    global_kernels: bool = truth(True, "kernels that see all of a sphere, elsewhere local ones")
    dropout: float = number(0.0, 0.0, 0.9, "of whole fields")

    @field_validator("name")
    @classmethod
    def _known(cls, name: str) -> str:
        if is_point_network(name):
            check_structure_network(name)
            return name
        try:
            check_field_network(name)
        except InputError as error:
            told = str(error).partition(":")[2].rstrip(".")
            raise InputError(f"network.name:{told}; of structures {point_networks()}.") from None
        return name


class Optimiser(Section):
    """method: least squares find the weights of linear and fluxes:K at once (auto: where they are not too
    many). The others are learnt by AdamW, whose rate rises over the share `warmup` of the updates and falls
    along a cosine. validation: the share of the samples that is held out, none of fewer than 4; the network
    of the best epoch on them is kept."""

    method: Literal["auto", "adamw", "least-squares"] = choice(
        "auto", "auto", "adamw", "least-squares", help="least squares for linear and fluxes:K"
    )
    epochs: int = integer(EPOCHS, 1, 1_000_000, "passes over the samples, at most")
    batch: int = integer(BATCH, 1, 1 << 20, "samples per update")
    learning_rate: float = number(LEARNING_RATE, 0.0, 10.0, "the largest", above=True)
    warmup: float = number(WARMUP, 0.0, 1.0, "share of the updates before it")
    weight_decay: float = number(WEIGHT_DECAY, 0.0, 10.0, "of AdamW")
    validation: float = number(0.1, 0.0, 0.9, "share of the samples held out, whose best epoch is kept")
    patience: int = integer(0, 0, 1_000_000, "stop after so many epochs without a better one, 0 for never")


class FieldsConfiguration(Settings):
    """A run of fields: a function of this, of the data, and of nothing else."""

    argument: ClassVar[tuple[str, str] | None] = None
    resolver = "intertwine.experiments.structures.chosen:resolved"

    kind: Literal["fields"] = kind_of("fields")
    seed: int = seed()
    precision: Literal["float32", "float64"] = precision("float32")
    checkpoint_every: int = checkpoint_every(20, "epochs")
    data: Data = Data()
    space: Space = Space()
    network: Network = Network()
    optimiser: Optimiser = Optimiser()
    points: OnPoints = OnPoints()

    @model_validator(mode="after")
    def _something_to_watch(self) -> FieldsConfiguration:
        o = self.optimiser
        if o.patience and not o.validation:
            expected, remedy = "0 without samples held out", "take validation = 0.1"
            raise fail("optimiser.patience", expected, o.patience, remedy)
        return self

    @property
    def stem(self) -> str:
        """What a folder of runs calls this one: winds-12-product-4."""
        words = f"{self.data.stem}-{self.network.name}"
        return re.sub(r"[^A-Za-z0-9._-]+", "-", words)[:80]


def selected(words: str) -> dict[str, Any]:
    """What `Fields.select` takes.

    >>> selected("month=1,level=500/850")
    {'month': [1.0], 'level': [500.0, 850.0]}
    """
    if words == "all":
        return {}
    pairs = [part.split("=") for part in words.split(",")]
    return {name: [_number_or_date(value) for value in values.split("/")] for name, values in pairs}


def _number_or_date(word: str) -> float | str:
    """
    >>> _number_or_date("500"), _number_or_date("2001-12")
    (500.0, '2001-12')
    """
    try:
        return float(word)
    except ValueError:
        return word
