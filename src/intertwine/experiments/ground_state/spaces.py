"""Which configurations: particles, levels and constraints of `intertwine ground-state`, as settings.

    [space]
    fermions = [5, 5]     # --fermions 5,5: electrons, up and down; one number: fermions without spin
    bosons = 8            # --bosons 8, at most `most` at a site
    spin = 1.0            # --spin 1
    blockade = 1          # --blockade 1: no two Rydberg atoms nearer than the next shell are excited

Only what the Hamiltonian needs may be given; a file of terms takes any one of them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field, field_validator

from intertwine._checks import InputError, fail
from intertwine.runs.fields import Section, number, number_or_word

if TYPE_CHECKING:
    from intertwine.experiments.ground_state.settings import GroundStateConfiguration
    from intertwine.spaces.hilbert.hilbert_space import HilbertSpace
    from intertwine.spaces.hilbert.place import Place

_MOST = 100_000
_FERMIONS = "'none', 'any', particle numbers up,down as 5,5 for electrons, or one number without spin"
_GIVE = {"electrons": "--fermions 5,5", "fermions": "--fermions 5", "bosons": "--bosons 8"}


class SpaceSection(Section):
    """See the module. fermions, bosons: numbers, "any" where they are not conserved, "none" for others."""

    fermions: int | list[int] | Literal["none", "any", "any,any"] = Field(
        default="none",
        json_schema_extra={
            "expected": _FERMIONS, "remedy": "for example 5,5", "flag": "", "group": "Model",
            "help": "particles: 5,5 for electrons (up, down), 5 without spin", "metavar": "INTEGERS",
        },
    )  # fmt: skip
    bosons: int | Literal["none", "any"] = number_or_word(
        "none", 0, _MOST, "", "particles, or any with --most", group="Model"
    )
    most: int | Literal["auto"] = number_or_word(
        "auto", 1, 126, "as many as there are particles", "bosons at a site", group="Model"
    )
    spin: float = number(0.5, 0.5, 63.0, "of each site: 0.5, 1, 1.5 …", group="Model")
    blockade: int | Literal["auto", "none"] = number_or_word(
        "auto", 1, 100, "1", "shells of neighbours that an excited atom keeps down", group="Model"
    )

    @field_validator("fermions", mode="before")
    @classmethod
    def _pair(cls, given: object) -> Any:
        if isinstance(given, str) and given not in ("none", "any", "any,any"):
            parts = given.strip().strip("()[]").split(",")
            if not all(p.strip().isdecimal() for p in parts):
                raise fail("space.fermions", _FERMIONS, repr(given), "for example --fermions 5,5")
            found = [int(p) for p in parts]
            given = found[0] if len(found) == 1 else found
        if isinstance(given, list) and not all(type(n) is int for n in given):
            raise fail("space.fermions", _FERMIONS, given, "for example --fermions 5,5")
        if isinstance(given, list) and len(given) != 2:
            raise fail("space.fermions", _FERMIONS, f"{len(given)} numbers", "for example --fermions 5,5")
        return given


def build_space(c: GroundStateConfiguration, place: Place) -> HilbertSpace | None:
    """The Hilbert space, or None for spins ½ at no given numbers, which the lattice says by itself.

    Raises `InputError` where the numbers do not fit the sites, and where they are not what the Hamiltonian
    needs.
    """
    from intertwine.spaces.hilbert.kinds import Bosons, Fermions, Rydberg, Spins

    s, kind = c.space, kind_of_particles(c)
    try:
        if kind in ("electrons", "fermions"):
            pair = isinstance(s.fermions, list) or s.fermions == "any,any"
            if pair != (kind == "electrons"):
                expected = "two numbers, up and down," if kind == "electrons" else "one number"
                remedy = f"for example {_GIVE[kind]}"
                raise fail("space.fermions", f"{expected} for {c.hamiltonian.name}", s.fermions, remedy)
            numbers: Any = tuple(s.fermions) if isinstance(s.fermions, list) else s.fermions
            return Fermions(place, None if isinstance(numbers, str) else numbers, spin=kind == "electrons")
        if kind == "bosons":
            return Bosons(
                place,
                None if isinstance(s.bosons, str) else s.bosons,
                None if isinstance(s.most, str) else s.most,
            )
        if kind == "atoms":
            shells = {"auto": 1, "none": None}.get(s.blockade, s.blockade)  # type: ignore[arg-type]
            return Rydberg(place, shells)  # type: ignore[arg-type]
    except InputError as error:
        argument, _, rest = str(error).partition(": ")
        named = {"particles": "fermions" if kind in ("electrons", "fermions") else "bosons"}
        field = named.get(argument, argument)
        raise error if argument.startswith("space.") else InputError(f"space.{field}: {rest}") from None
    if s.spin == 0.5:
        return None
    m = c.sampler.magnetization
    return Spins(place, s.spin, None if isinstance(m, str) else m)


def kind_of_particles(c: GroundStateConfiguration) -> str:
    """ "electrons", "fermions", "bosons", "atoms", or "spins"; `InputError` where what is given is not what
    the Hamiltonian is made of."""
    needs, given = c.hamiltonian.needs, _given(c)
    if needs == "any":
        return given or "spins"
    if needs in _GIVE and needs != given and (needs, given) != ("fermions", "electrons"):
        got = "none" if not given else f"{given}, by --{given}"
        if given == "fermions":  # one number for electrons
            got = str(c.space.fermions)
        remedy = f"say for example {_GIVE[needs]}"
        raise fail("space", f"the particle numbers of {needs} for {c.hamiltonian.name}", got, remedy)
    if given and needs != given and needs not in ("fermions",):
        what = {"electrons": "fermions", "atoms": "blockade"}.get(given, given)
        made = needs or "spins"
        raise fail(f"space.{what}", f"none for {c.hamiltonian.name}, made of {made}", "one", "leave it out")
    return needs or "spins"


def _given(c: GroundStateConfiguration) -> str:
    """The kind of particles whose numbers the settings have, "" for none."""
    s = c.space
    pair = isinstance(s.fermions, list) or s.fermions == "any,any"
    kinds = {
        "electrons" if pair else "fermions": s.fermions != "none",
        "bosons": s.bosons != "none",
        "atoms": s.blockade != "auto",
    }
    found = [kind for kind, there in kinds.items() if there]
    if len(found) > 1:
        raise fail("space", "one kind of particles", " and ".join(found), "leave the others out")
    return found[0] if found else ""
