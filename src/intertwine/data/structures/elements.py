"""Symbols of the elements, by atomic number; number 0, X, is a place without an element."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from intertwine._checks import fail

_LISTED = (
    "X H He Li Be B C N O F Ne Na Mg Al Si P S Cl Ar K Ca Sc Ti V Cr Mn Fe Co Ni Cu Zn Ga Ge As Se Br Kr "
    "Rb Sr Y Zr Nb Mo Tc Ru Rh Pd Ag Cd In Sn Sb Te I Xe Cs Ba La Ce Pr Nd Pm Sm Eu Gd Tb Dy Ho Er Tm Yb Lu "
    "Hf Ta W Re Os Ir Pt Au Hg Tl Pb Bi Po At Rn Fr Ra Ac Th Pa U Np Pu Am Cm Bk Cf Es Fm Md No Lr Rf Db Sg "
    "Bh Hs Mt Ds Rg Cn Nh Fl Mc Lv Ts Og"
)
SYMBOLS = tuple(_LISTED.split())
"""SYMBOLS[6] == "C"."""

NUMBERS = {symbol: number for number, symbol in enumerate(SYMBOLS)} | {"D": 1, "T": 1}
VIRTUAL = ("MW", "MW1", "M", "EP", "EPW", "LP", "LP1", "LP2", "OM")
"""Names of sites without an atom, which models of water and lone pairs have."""
_WORDS = {symbol.lower(): number for symbol, number in NUMBERS.items()}


def atomic_numbers(where: str, symbols: Iterable[object]) -> np.ndarray:
    """Atomic numbers (n,) of symbols, in letters of either case, or of words that are such numbers.

    Raises InputError, called `where`, for what is no element.

    >>> atomic_numbers("species", ["C", "h", "8"]).tolist()
    [6, 1, 8]
    >>> atomic_numbers("water.xyz", ["Q"])
    Traceback (most recent call last):
    ...
    intertwine._checks.InputError: water.xyz: expected symbols of elements, got 'Q' (atom 0); ...
    """
    words = [str(symbol).strip() for symbol in symbols]
    found = {word: _number(word) for word in set(words)}
    for place, word in enumerate(words):
        if found[word] < 1:
            remedy = "write the chemical symbol or the atomic number of each atom"
            raise fail(where, "symbols of elements", f"{word[:20]!r} (atom {place})", remedy)
    return np.array([found[word] for word in words], np.int64)


def _number(word: str) -> int:
    if word.isascii() and word.isdigit():
        number = int(word[:4])
        return number if number < len(SYMBOLS) else 0
    return _WORDS.get(word.lower(), 0)


def check_numbers_of_elements(where: str, numbers: np.ndarray) -> None:
    """Raise InputError, called `where`, for atomic numbers (n,) that no element has."""
    wrong = np.flatnonzero((numbers < 1) | (numbers >= len(SYMBOLS)))
    if wrong.size:
        got = f"{int(numbers[wrong[0]])} (atom {int(wrong[0])})"
        raise fail(where, f"atomic numbers from 1 to {len(SYMBOLS) - 1}", got, "say what species are")
