"""The Hamiltonians of `intertwine ground-state` as settings: a section each, all couplings numbers or files.

    [hamiltonian]
    name = "hubbard"
    U = 8.0
    field = [0.1, -0.2, …]      # --field h.npy: a number for each site, as the file had it

A coupling of pairs may be one number or one for each bond, in the order of `lattice.bonds()`, a coupling of
sites one number or one for each site; `twist` one angle or one for each direction. A file of terms is a
Hamiltonian by itself (`terms`), whose text stands in the settings.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal, get_args

from pydantic import Field

from intertwine._checks import fail
from intertwine.runs.fields import NumberSection, number_or_file, text, truth
from intertwine.runs.number_files import Numbers

_MARSHALL = "true, false or 'auto' (on where the lattice has two sublattices)"
_FIELD = "along z, or chemical: a number, or a file with one for each site"
_TWIST = "angle around each periodic direction, as π/2 or 0.1,0"
_OPTIONAL = ("field", "twist", "mu", "V", "t2", "interaction")
MOST_TERMS = 4_000_000
"""Characters of a file of terms."""


def _coupling(default: float, help: str) -> Any:
    return number_or_file(default, -1e6, 1e6, help)


def _marshall() -> Any:
    return truth("auto", "sign rotation: auto, true, false", expected=_MARSHALL)


class Couplings(NumberSection):
    """A Hamiltonian. needs: the kind of particles, "" for spins. scales: the couplings of which one must not
    be 0. weighted: those that the weights of a graph multiply. of_bonds: those that may differ from bond to
    bond."""

    prefix: ClassVar[str] = "hamiltonian."
    needs: ClassVar[str] = ""
    scales: ClassVar[tuple[str, ...]] = ()
    weighted: ClassVar[tuple[str, ...]] = ()
    of_bonds: ClassVar[tuple[str, ...]] = ()

    def arguments(self) -> dict[str, Any]:
        """The keywords of `operators.hamiltonians`' function of the name: what is zero by default and stays
        so is left out, `marshall` "auto" is None."""
        found = {k: v for k, v in self.model_dump().items() if k not in ("name", "file", "text")}
        found = {k: v for k, v in found.items() if not (k in _OPTIONAL and v == 0.0)}
        return {k: None if k == "marshall" and v == "auto" else v for k, v in found.items()}


class Tfim(Couplings):
    """−J Σ Z Z − h Σ X − field Σ Z."""

    scales = ("J", "h")
    weighted, of_bonds = ("J",), ("J",)
    name: Literal["tfim"] = "tfim"
    J: Numbers = _coupling(1.0, "coupling of tfim, heisenberg, xxz; hopping of bose_hubbard")
    h: Numbers = _coupling(1.0, "transverse field of tfim")
    field: Numbers = _coupling(0.0, _FIELD)


class Heisenberg(Couplings):
    """J Σ (X X + Y Y + Z Z) − field Σ Z."""

    scales = ("J",)
    weighted, of_bonds = ("J",), ("J",)
    name: Literal["heisenberg"] = "heisenberg"
    J: Numbers = _coupling(1.0, "coupling of tfim, heisenberg, xxz; hopping of bose_hubbard")
    marshall: bool | Literal["auto"] = _marshall()
    field: Numbers = _coupling(0.0, _FIELD)
    twist: Numbers = _coupling(0.0, _TWIST)


class Xxz(Couplings):
    """J Σ (X X + Y Y + Δ Z Z) − field Σ Z."""

    scales = ("J",)
    weighted, of_bonds = ("J",), ("J", "delta")
    name: Literal["xxz"] = "xxz"
    J: Numbers = _coupling(1.0, "coupling of tfim, heisenberg, xxz; hopping of bose_hubbard")
    delta: Numbers = _coupling(1.0, "anisotropy of xxz")
    marshall: bool | Literal["auto"] = _marshall()
    field: Numbers = _coupling(0.0, _FIELD)
    twist: Numbers = _coupling(0.0, _TWIST)


class Xyz(Couplings):
    """Σ (Jx X X + Jy Y Y + Jz Z Z) − field Σ Z."""

    scales = ("Jx", "Jy", "Jz")
    weighted, of_bonds = ("Jx", "Jy", "Jz"), ("Jx", "Jy", "Jz")
    name: Literal["xyz"] = "xyz"
    Jx: Numbers = _coupling(1.0, "X X of xyz")
    Jy: Numbers = _coupling(0.5, "Y Y of xyz")
    Jz: Numbers = _coupling(1.5, "Z Z of xyz")
    marshall: bool | Literal["auto"] = _marshall()
    field: Numbers = _coupling(0.0, _FIELD)


class J1J2(Couplings):
    """J1 on nearest and J2 on next-nearest neighbours, − field Σ Z."""

    scales = ("J1", "J2")
    weighted, of_bonds = ("J1",), ("J1",)
    name: Literal["j1j2"] = "j1j2"
    J1: Numbers = _coupling(1.0, "nearest neighbours of j1j2")
    J2: Numbers = _coupling(0.5, "next-nearest neighbours of j1j2")
    marshall: bool | Literal["auto"] = _marshall()
    field: Numbers = _coupling(0.0, _FIELD)
    twist: Numbers = _coupling(0.0, _TWIST)


class Kitaev(Couplings):
    """−K Σ σ^γ σ^γ with γ = x, y, z by the direction, or the colour, of a bond."""

    scales = ("K",)
    weighted, of_bonds = ("K",), ("K",)
    name: Literal["kitaev"] = "kitaev"
    K: Numbers = _coupling(1.0, "of kitaev: a number, or three as 1,1,0.5")
    field: Numbers = _coupling(0.0, _FIELD)


class Toric(Couplings):
    """−Σ Π X − Σ Π Z − hx Σ X − hz Σ Z, stars and plaquettes of links."""

    name: Literal["toric"] = "toric"
    hx: Numbers = _coupling(0.0, "field along X of toric")
    hz: Numbers = _coupling(0.0, "field along Z of toric")


class Hubbard(Couplings):
    """−t Σ c†c + U Σ n↑n↓ + V Σ n n − μ Σ n − field Σ (n↑ − n↓), electrons."""

    needs, scales = "electrons", ("t", "U", "V", "mu")
    weighted, of_bonds = ("t",), ("t", "V")
    name: Literal["hubbard"] = "hubbard"
    t: Numbers = _coupling(1.0, "hopping of hubbard, tv")
    U: Numbers = _coupling(4.0, "repulsion at a site of hubbard, bose_hubbard")
    V: Numbers = _coupling(0.0, "repulsion of neighbours of hubbard, tv, bose_hubbard")
    mu: Numbers = _coupling(0.0, "chemical potential")
    field: Numbers = _coupling(0.0, _FIELD)
    t2: Numbers = _coupling(0.0, "hopping to second neighbours of hubbard")
    twist: Numbers = _coupling(0.0, _TWIST)


class TV(Couplings):
    """−t Σ c†c + V Σ n n − (μ + field) Σ n, fermions without spin."""

    needs, scales = "fermions", ("t", "V", "mu")
    weighted, of_bonds = ("t",), ("t", "V")
    name: Literal["tv"] = "tv"
    t: Numbers = _coupling(1.0, "hopping of hubbard, tv")
    V: Numbers = _coupling(1.0, "repulsion of neighbours of hubbard, tv, bose_hubbard")
    mu: Numbers = _coupling(0.0, "chemical potential")
    field: Numbers = _coupling(0.0, _FIELD)
    twist: Numbers = _coupling(0.0, _TWIST)


class BoseHubbard(Couplings):
    """−J Σ b†b + U/2 Σ n(n − 1) + V Σ n n − (μ + field) Σ n."""

    needs, scales = "bosons", ("J", "U", "V", "mu")
    weighted, of_bonds = ("J",), ("J", "V")
    name: Literal["bose_hubbard"] = "bose_hubbard"
    J: Numbers = _coupling(1.0, "coupling of tfim, heisenberg, xxz; hopping of bose_hubbard")
    U: Numbers = _coupling(4.0, "repulsion at a site of hubbard, bose_hubbard")
    mu: Numbers = _coupling(0.0, "chemical potential")
    V: Numbers = _coupling(0.0, "repulsion of neighbours of hubbard, tv, bose_hubbard")
    field: Numbers = _coupling(0.0, _FIELD)
    twist: Numbers = _coupling(0.0, _TWIST)


class Rydberg(Couplings):
    """−Ω/2 Σ X − Δ Σ n + Σ V_ij n_i n_j within the blockade."""

    needs, scales = "atoms", ("Omega", "Delta")
    name: Literal["rydberg"] = "rydberg"
    Omega: Numbers = _coupling(1.0, "Rabi frequency of rydberg")
    Delta: Numbers = _coupling(1.0, "detuning of rydberg")
    interaction: Numbers = _coupling(0.0, "of rydberg beyond the blockade: a file of a symmetric table")


class Terms(Couplings):
    """A file with a term a line (`it.operators.read_terms`): its text stands in the settings."""

    needs = "any"
    name: Literal["terms"] = "terms"
    file: str = text("terms.txt", "the name of a file of terms", "of the terms", longest=4096)
    text: str = Field(
        default="",
        max_length=MOST_TERMS,
        json_schema_extra={"expected": "the lines of a file of terms", "remedy": "give its name"},
    )


SpinHamiltonian = Annotated[
    Tfim | Heisenberg | Xxz | J1J2 | Toric | Xyz | Kitaev,
    Field(discriminator="name"),
]
Hamiltonian = Annotated[
    Tfim | Heisenberg | Xxz | J1J2 | Toric | Xyz | Kitaev | Hubbard | TV | BoseHubbard | Rydberg | Terms,
    Field(discriminator="name"),
]
NAMES = tuple(m.model_fields["name"].default for m in get_args(get_args(Hamiltonian)[0]))
_ALIASES = {"toric_code": "toric", "t_v": "tv"}


def named_or_file(given: object) -> Any:
    """The table of a Hamiltonian whose name may have other spellings, or be a file of terms."""
    table = {"name": given} if isinstance(given, str) else given
    if not isinstance(table, dict) or not isinstance(table.get("name"), str):
        return given
    plain = table["name"].replace("-", "_")
    plain = _ALIASES.get(plain, plain)
    if plain in NAMES and plain != "terms":
        return table | {"name": plain}
    if plain != "terms" and not _is_file_name(table["name"]):
        return table
    file = table["name"] if plain != "terms" else str(table.get("file", ""))
    rest = {key: value for key, value in table.items() if key != "name"}
    return rest | {"name": "terms", "file": file, "text": table.get("text") or _read(file)}


def _is_file_name(name: str) -> bool:
    return len(name) < 4096 and name.isprintable() and ("." in Path(name).name or "/" in name)


def _read(file: str) -> str:
    try:
        found = Path(file).read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        known = ", ".join(name for name in NAMES if name != "terms")
        expected = f"one of {known}, or a file of terms"
        raise fail("hamiltonian.name", expected, f"{file!r} ({reason})") from None
    if len(found) > MOST_TERMS:
        raise fail("hamiltonian", f"a file of at most {MOST_TERMS:,} characters", f"{len(found):,} in {file}")
    return found
