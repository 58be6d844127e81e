r"""Values of structures by one name each, and their units: what files call them, and conversion to eV and Å.

A unit is a product of powers, "kcal/mol/Å", "Hartree bohr^-1", "eV/A^3": a factor times eV^a Å^b e^c, with
the constants of CODATA 2018 (the mole a pure number, so that kcal/mol is an energy). "a.u." is the atomic
unit of whatever stands there.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import NamedTuple

from intertwine._checks import fail

_EV_IN_J = 1.602176634e-19
_HARTREE, _BOHR = 27.211386245988, 0.529177210903


class Unit(NamedTuple):
    """factor × eV^energy Å^length e^charge."""

    factor: float
    energy: int = 0
    length: int = 0
    charge: int = 0

    @property
    def dimension(self) -> tuple[int, int, int]:
        """The powers of energy, length and charge."""
        return self[1:]


def _energy(factor: float) -> Unit:
    return Unit(factor, 1)


_JOULE = 1 / _EV_IN_J


def _pressure(pascal: float) -> Unit:
    return Unit(pascal * _JOULE * 1e-30, 1, -3)


_ANGSTROM = ("å", "a", "ang", "angstrom", "angstroms", "ångström", "ångstrom", "ångströms")
_UNITS: dict[str, Unit] = {
    **dict.fromkeys(("ev",), _energy(1.0)), "mev": _energy(1e-3), "kev": _energy(1e3), "j": _energy(_JOULE),
    "kj": _energy(1e3 * _JOULE), "cal": _energy(4.184 * _JOULE), "kcal": _energy(4184 * _JOULE),
    **dict.fromkeys(("mol", "mole", "moles"), Unit(6.02214076e23)), "atom": Unit(1.0),
    **dict.fromkeys(("hartree", "hartrees", "ha", "eh", "e_h"), _energy(_HARTREE)),
    **dict.fromkeys(("mhartree", "mha", "meh"), _energy(1e-3 * _HARTREE)),
    **dict.fromkeys(("rydberg", "ry"), _energy(_HARTREE / 2)),
    **dict.fromkeys(_ANGSTROM, Unit(1.0, 0, 1)),
    **dict.fromkeys(("bohr", "bohrs", "a0", "a_0"), Unit(_BOHR, 0, 1)),
    "pm": Unit(1e-2, 0, 1), "nm": Unit(10.0, 0, 1), "cm": Unit(1e8, 0, 1), "m": Unit(1e10, 0, 1),
    **dict.fromkeys(("e", "|e|", "qe"), Unit(1.0, 0, 0, 1)), "c": Unit(_JOULE, 0, 0, 1),
    **dict.fromkeys(("d", "debye", "debyes"), Unit(1e-21 / 299792458 / _EV_IN_J * 1e10, 0, 1, 1)),
    "pa": _pressure(1.0), "kpa": _pressure(1e3), "mpa": _pressure(1e6), "gpa": _pressure(1e9),
    "bar": _pressure(1e5), "kbar": _pressure(1e8),
}  # fmt: skip
_MEGA = ("MeV", "mPa")
"""Words that without their case are other units: a mega-electronvolt, a millipascal."""
_OF_MOLES = re.compile(r"\b(k?cal|kJ)(?![^\W\d_])", re.IGNORECASE)
_MOLE = re.compile(r"\bmol(es?)?(?![^\W\d_])", re.IGNORECASE)
_WAVE_NUMBER = _energy(1.239841984332e-4)
_FACTOR = re.compile(r"([*/·. ]*)([^\W\d_]+(?:_h|_0|0)?|\|e\||1)(?:\s*(?:\*\*|\^)?\s*([+-]?\d+))?")


class Quantity(NamedTuple):
    """A canonical name's unit here, the rank of its arrays, and what files call it."""

    unit: str
    names: tuple[str, ...]


QUANTITIES = {
    "positions": Quantity("Å", ("positions", "R", "coords", "coordinates", "pos", "xyz")),
    "energy": Quantity(
        "eV",
        ("energy", "energies", "E", "total_energy", "potential_energy", "REF_energy", "ref_energy",
         "dft_energy", "DFT_energy", "TotEnergy", "Energy", "Etot", "E_tot"),
    ),
    "free_energy": Quantity("eV", ("free_energy",)),
    "forces": Quantity(
        "eV/Å",
        ("forces", "force", "F", "REF_forces", "ref_forces", "dft_forces", "DFT_forces", "dft_force",
         "Forces", "gradients", "gradient", "energy_gradient", "energy_gradients", "grad",
         "dft_total_gradient", "dft_gradient", "REF_gradient", "REF_gradients"),
    ),
    "stress": Quantity("eV/Å^3", ("stress", "stresses", "REF_stress", "ref_stress", "dft_stress")),
    "virial": Quantity("eV", ("virial", "virials", "REF_virial", "REF_virials", "ref_virial", "dft_virial")),
    "dipole": Quantity("e Å", ("dipole", "dipoles", "dipole_moment", "REF_dipole", "ref_dipole")),
    "charges": Quantity("e", ("charges", "charge", "REF_charges", "ref_charges", "partial_charges")),
    "energies": Quantity(
        "eV",
        ("energies", "local_energy", "local_energies", "atomic_energy", "atomic_energies", "atom_energies"),
    ),
    "stresses": Quantity("eV/Å^3", ("stresses",)),
}  # fmt: skip
"""Canonical names; of several names in one file the first is taken, the others stay what they are called, and
that is told. `energies` and `stresses` are those of atoms."""

OF_ATOMS = frozenset({"energies", "stresses"})
"""What is a quantity of atoms where there is one for each, and else another name of one of structures."""
OF_POINTS = {"energy": "energies", "stress": "stresses", "charge": "charges"}
"""What values of atoms are called that have the name of one of structures; others begin with "atom-"."""
NEGATED = frozenset(name.lower() for name in QUANTITIES["forces"].names if "grad" in name)
"""Names of −forces, in small letters."""
LOOSE = frozenset({"charge", *NEGATED})
"""Names, in small letters, that mean a quantity only where there is a row for each atom: a charge may be that
of a molecule, a gradient one of temperature."""


def parse_unit(argument: str, text: str, quantity: str) -> Unit:
    """The unit that `text` is, of `quantity`, one of `QUANTITIES`.

    Raises InputError for what is no unit, and for one of another dimension.

    >>> round(parse_unit("units", "kcal/mol", "energy").factor, 9)
    0.043364104
    >>> parse_unit("units", "Hartree/Bohr", "forces") == parse_unit("units", "a.u.", "forces")
    True
    >>> parse_unit("units", "eV", "forces")
    Traceback (most recent call last):
    ...
    intertwine._checks.InputError: units: expected a unit of forces, such as eV/Å, got 'eV'; ...
    """
    usual = QUANTITIES[quantity].unit
    dimension = _product(usual).dimension  # type: ignore[union-attr]
    if text.strip().lower() in ("a.u.", "au", "atomic"):
        energy, length, _ = dimension
        return Unit(_HARTREE**energy * _BOHR**length, *dimension)
    found = _product(text)
    if found is None or found.dimension != dimension:
        remedy = (
            "known are eV, meV, Hartree, Ry, kcal/mol, kJ/mol, cm^-1, Å, bohr, nm, pm, e, Debye, GPa, kbar"
        )
        raise fail(argument, f"a unit of {quantity}, such as {usual}", repr(text), remedy)
    _check_moles(argument, text, quantity)
    return found


def _check_moles(argument: str, text: str, quantity: str) -> None:
    """Raise InputError for kilocalories of one molecule, and for electronvolts of a mole."""
    if quantity in ("stress", "stresses") or not _product(QUANTITIES[quantity].unit)[1]:  # type: ignore[index]
        return
    heat, mole = _OF_MOLES.search(text), _MOLE.search(text)
    if heat is not None and mole is None:
        better = text.replace(heat[0], f"{heat[0]}/mol", 1)
        got = f"{text!r}, which of one molecule nobody has"
        raise fail(argument, f"{heat[0]}/mol for {quantity}", got, f"say {better!r}")
    if mole is not None and heat is None and not re.search(r"\bj\b", text, re.IGNORECASE):
        got = f"{text!r}: of a mole are kcal and kJ alone"
        raise fail(argument, f"a unit of {quantity}, such as {QUANTITIES[quantity].unit}", got)


def _product(text: str) -> Unit | None:
    """A product of powers of units, or None."""
    words = " ".join(text.strip().split())
    if words.lower().replace("^", "").replace(" ", "") in ("cm-1", "1/cm"):
        return _WAVE_NUMBER
    factor, powers, place = 1.0, [0, 0, 0], 0
    while place < len(words):
        match = _FACTOR.match(words, place)
        if match is None or (place and not match[1]):
            return None
        unit = Unit(1.0) if match[2] == "1" else _UNITS.get(match[2].lower())
        unit = None if match[2] in _MEGA else unit
        sign = -1 if "/" in match[1] else 1
        power = sign * int((match[3] or "1")[:3])
        if unit is None or match[1].count("/") > 1 or abs(power) > 9:
            return None
        factor *= unit.factor**power
        powers = [p + power * q for p, q in zip(powers, unit.dimension, strict=True)]
        place = match.end()
    return Unit(factor, *powers) if words else None


def canonical(
    names: Sequence[str], fits: Callable[[str, str], bool] = lambda name, quantity: True
) -> dict[str, str]:
    """name in the file → canonical name, for those that have one. fits(name, quantity): whether the value of
    this name has the shape of the quantity.

    >>> canonical(["R", "REF_energy", "energy", "z"])
    {'R': 'positions', 'energy': 'energy'}
    """
    found: dict[str, str] = {}
    for quantity in QUANTITIES:
        first = next((name for name in called(names, quantity, fits) if name not in found), None)
        if first is not None:
            found[first] = quantity
    return found


def called(
    names: Sequence[str], quantity: str, fits: Callable[[str, str], bool] = lambda name, quantity: True
) -> list[str]:
    """Those of the names that mean a quantity, the usual first.

    >>> called(["E", "ENERGY", "e"], "energy")
    ['ENERGY', 'E']
    """
    found = [name for known in QUANTITIES[quantity].names for name in names if _same(name, known)]
    return [name for name in dict.fromkeys(found) if fits(name, quantity)]


def _same(name: str, known: str) -> bool:
    """Whether two names are one, also in other letters (ENERGY) where they are words."""
    return name == known or (len(known) > 2 and name.lower() == known.lower())


def derived(units: dict[str, str], quantity: str) -> str | None:
    """The unit of forces, stresses and virials where only those of energies and lengths are said.

    >>> derived({"energy": "kcal/mol"}, "forces")
    'kcal/mol/Å'
    """
    energy, length = units.get("energy"), units.get("positions", "Å")
    if energy is None:
        return None
    if energy.strip().lower() in ("a.u.", "au", "atomic") or length.strip().lower() in (
        "a.u.",
        "au",
        "atomic",
    ):
        energy = "Hartree" if energy.strip().lower() in ("a.u.", "au", "atomic") else energy
        length = "bohr" if length.strip().lower() in ("a.u.", "au", "atomic") else length
    words = {
        "free_energy": energy,
        "energies": energy,
        "virial": energy,
        "forces": f"{energy}/{length}",
        "stress": f"{energy}/{length}^3",
        "stresses": f"{energy}/{length}^3",
    }
    return words.get(quantity)


ELECTRONIC = {
    "eV": _HARTREE,
    "Hartree": 1.0,
    "kcal/mol": _HARTREE / 0.0433641042,
    "kJ/mol": _HARTREE / 0.0103642697,
}
"""Units whose all-electron energies are told apart, as Hartrees in them."""


def size_of_electronic(ratio: float) -> str | None:
    """The unit in which energies are those of all electrons, from their ratio to Σ −Z^2.4/2 (the energies of
    neutral atoms in Hartree, within 3 % from carbon to krypton); None where no unit fits.

    >>> size_of_electronic(627.0), size_of_electronic(27.0), size_of_electronic(3.0)
    ('kcal/mol', 'eV', None)
    """
    return next((unit for unit, size in ELECTRONIC.items() if abs(ratio / size - 1) < 0.1), None)
