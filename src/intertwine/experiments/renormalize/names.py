"""Systems and rules by name: `[MODEL:][LATTICE:]SIZE`, and what may stand there."""

from __future__ import annotations

import re
from math import prod
from typing import Any, Literal, NamedTuple

from intertwine._checks import fail

LATTICES = {"square": 64, "triangular": 48, "honeycomb": 32, "kagome": 24, "cubic": 16, "chain": 64}
"""The lattices and the size that is taken where none is said."""
SYSTEMS = (
    "ising:64", "ising:triangular:48", "potts:3:64", "clock:4:32", "edwards-anderson:16", "square:32x64",
)  # fmt: skip
GLASS = "edwards-anderson"
RULES = (
    "majority:2", "decimation:2", "block-rbm:1.0", "table:FILE", "weights:FILE", "migdal-kadanoff",
    "niemeijer-van-leeuwen", "trg:16",
)  # fmt: skip
APPROXIMATE = ("migdal-kadanoff", "niemeijer-van-leeuwen", "trg")
NETWORK = "network"
FILES = ("table", "weights")
LARGEST, MOST_SITES, MOST_STATES = 4096, 1 << 22, 16
_EXTENT = re.compile(r"[0-9]{1,7}(?:x[0-9]{1,7}){0,2}", re.ASCII)


class Named(NamedTuple):
    """What a system's name says. states: 2 for spins ±1. sized: whether it says a size."""

    model: Literal["ising", "potts", "clock", "edwards-anderson"]
    states: int
    lattice: str
    extent: tuple[int, ...]
    sized: bool

    @property
    def potts_states(self) -> int | None:
        """q of states 0 … q − 1 (Potts and clock models), None for spins ±1."""
        return self.states if self.model in ("potts", "clock") else None

    @property
    def full(self) -> str:
        """The name with nothing left out: ising:square:64x64."""
        model = self.model if self.potts_states is None else f"{self.model}:{self.states}"
        return f"{model}:{self.lattice_name}"

    @property
    def lattice_name(self) -> str:
        """The lattice in the words of `lattice_from_name`: square:64x64."""
        return f"{self.lattice}:{'x'.join(map(str, self.extent))}"


def parse_system(name: str) -> Named:
    """The parts of a system's name; `InputError` for what is none.

    >>> parse_system("potts:3:64")
    Named(model='potts', states=3, lattice='square', extent=(64, 64), sized=True)
    >>> parse_system("triangular:48").full, parse_system("ising").full
    ('ising:triangular:48x48', 'ising:square:64x64')
    """
    wanted, said = "a system such as " + ", ".join(SYSTEMS), name.split(":")
    words, states = list(said), 2
    if words[0] == "ising":
        words.pop(0)
    elif words[0] in (GLASS, "ea"):
        said[0], words = GLASS, words[1:]
    elif words[0] in ("potts", "clock") and len(words) > 1 and re.fullmatch("[0-9]{1,3}", words[1], re.ASCII):
        states = int(words[1])
        words = words[2:]
    elif words[0] == "xy":
        remedy = "there is no XY model here; clock:16:32 has 16 directions"
        raise fail("system.name", wanted, short(name), remedy)
    lattice = words.pop(0) if words and words[0] in LATTICES else "square"
    extent = words.pop(0) if words and _EXTENT.fullmatch(words[0]) else None
    if words:
        raise fail("system.name", wanted, short(name), "give [MODEL:][LATTICE:]SIZE")
    if not 2 <= states <= MOST_STATES:
        raise fail("system.name", f"2 to {MOST_STATES} states", short(name), "for example 'potts:3:64'")
    dimension = {"chain": 1, "cubic": 3}.get(lattice, 2)
    sides = [int(side) for side in extent.split("x")] if extent else [LATTICES[lattice]]
    sides = sides * dimension if len(sides) == 1 else sides
    basis = {"honeycomb": 2, "kagome": 3}.get(lattice, 1)
    if len(sides) != dimension or not all(2 <= side <= LARGEST for side in sides):
        expected = f"{dimension} sides from 2 to {LARGEST} for {lattice}, or one"
        raise fail("system.name", expected, short(name), f"for example '{lattice}:{LATTICES[lattice]}'")
    if basis * prod(sides) > MOST_SITES:
        raise fail("system.name", f"at most {MOST_SITES} sites", short(name), "for example 'ising:64'")
    model: Any = said[0] if said[0] in ("potts", "clock", GLASS) else "ising"
    return Named(model, states, lattice, tuple(sides), extent is not None)


def short(value: str) -> str:
    """A value in an error: what cannot be printed escaped, cut to 80 characters."""
    shown = ascii(value) if not value.isprintable() else repr(value)
    return shown if len(shown) <= 80 else shown[:77] + "..."
