"""The section [points] of `fields` and `classify`, for data that are structures; elsewhere it says
nothing."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Literal

from pydantic import ValidationInfo, field_validator

from intertwine._checks import InputError, fail
from intertwine.layers.networks.points.point_network import POINT_NETWORKS, check_point_network
from intertwine.learning.structures.defaults import AVERAGE
from intertwine.runs.fields import Section, choice, number, number_or_word, text
from intertwine.runs.settings import shown

AUTO = "auto"
_NAME = r"[A-Za-z_][\w.-]*"
_WEIGHTS = re.compile(rf"{_NAME}=[0-9.eE+-]+(?:,{_NAME}=[0-9.eE+-]+)*")
_UNITS = re.compile(rf"{_NAME}=[^=,]+(?:,{_NAME}=[^=,]+)*")


class OnPoints(Section):
    """degree, layers: of the network, `auto` those of its paper. weights: of the targets in the loss; where
    nothing is said 1, of energies the mean number of points. minutes: the run ends, and its learning rate
    has fallen, after so many; epochs are then the most. average: decay of the average of the weights,
    which is what is kept. by: the value of structures, such as trajectory, whose groups are held out
    whole. units: of a file that does not say them, energy=kcal/mol,positions=bohr. points: what the
    points of a protein's file are."""

    degree: int | Literal["auto"] = number_or_word("auto", 0, 11, "the network's own", "of its fields")
    layers: int | Literal["auto"] = number_or_word("auto", 1, 64, "the network's own", "of messages")
    weights: str = text(
        AUTO,
        "'auto', or weights such as energy=1,forces=10",
        "of the targets: energy=1,forces=10",
        longest=500,
    )
    minutes: float = number(0.0, 0.0, 1e6, "end after so many, 0 for the epochs alone")
    average: float = number(AVERAGE, 0.0, 1.0, "decay of the average of the weights")
    by: str = text(AUTO, "'auto', 'none', or a value of structures", "held out by groups: trajectory …",
                   flag="--split-by")  # fmt: skip
    units: str = text(
        AUTO, "'auto', or units such as energy=kcal/mol", "of a file without: energy=kcal/mol,positions=bohr",
        flag="--file-units", longest=500,
    )  # fmt: skip
    points: Literal["auto", "atoms", "residues"] = choice(
        AUTO, AUTO, "atoms", "residues", help="of a file of proteins", flag="--points"
    )

    @field_validator("weights", "units")
    @classmethod
    def _pairs(cls, words: str, info: ValidationInfo) -> str:
        kept = words.replace(" ", "")
        form = _WEIGHTS if info.field_name == "weights" else _UNITS
        example = "energy=1,forces=10" if info.field_name == "weights" else "energy=kcal/mol"
        if words != AUTO and not form.fullmatch(kept):
            raise fail(f"points.{info.field_name}", f"'auto', or {example}", shown(words))
        if info.field_name == "weights" and words != AUTO:
            _weights(kept)
        return kept

    @field_validator("by")
    @classmethod
    def _named(cls, by: str) -> str:
        if not re.fullmatch(_NAME, by):
            raise fail("points.by", "'auto', 'none', or the name of a value", shown(by), "such as trajectory")
        return by

    @property
    def weights_by_name(self) -> dict[str, float] | None:
        """Of the targets."""
        return None if self.weights == AUTO else _weights(self.weights)

    @property
    def units_by_name(self) -> dict[str, str] | None:
        """Of the values of a file."""
        if self.units == AUTO:
            return None
        return dict((name, unit) for name, _, unit in (part.partition("=") for part in self.units.split(",")))


class OnPointsOfClassify(OnPoints):
    """inputs: what the network is told of a point besides where it is: species, values by name, or none."""

    inputs: str = text(
        "species",
        "species, none, or names of values of points",
        "species, none, or values of points",
        longest=1000,
    )

    @field_validator("inputs")
    @classmethod
    def _known_inputs(cls, inputs: str) -> str:
        if not re.fullmatch(rf"{_NAME}(?: *, *{_NAME})*", inputs):
            raise fail("points.inputs", "species, none, or names of values of points", shown(inputs))
        return inputs


def _weights(words: str) -> dict[str, float]:
    try:
        found = {name: float(value) for name, _, value in (p.partition("=") for p in words.split(","))}
    except ValueError:
        raise fail("points.weights", "numbers, such as energy=1,forces=10", shown(words)) from None
    if not all(0 <= value < 1e12 for value in found.values()):
        raise fail("points.weights", "finite weights, 0 or more", shown(words))
    return found


def is_point_network(name: str) -> bool:
    """Whether a network's name begins with that of one on points.

    >>> is_point_network("nequip:8"), is_point_network("cnn:8")
    (True, False)
    """
    return name.partition(":")[0] in POINT_NETWORKS


def point_networks() -> str:
    """The names of networks on points, for errors."""
    return ", ".join(f"{family}:W" for family in POINT_NETWORKS)


def check_structure_network(name: str) -> None:
    """InputError, called network.name, for a name that is none of a network on points."""
    try:
        check_point_network(name)
    except InputError as error:
        raise InputError(f"network.name:{str(error).partition(':')[2]}") from None


def check_structure_source(name: str, setting: str) -> None:
    """InputError, called `setting`, for a file or folder that is not there."""
    from intertwine.data.checks import check_file

    if Path(name).is_dir():
        return
    try:
        check_file(name)
    except InputError as error:
        raise InputError(f"{setting}:{str(error).partition(':')[2]}") from None
