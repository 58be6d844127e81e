r"""Operators from text: a term a line.

    # Hubbard on two sites                        a comment, to the end of a line
    -1.0 * c^0_up c1_up + h.c.                    creation c^, annihilation c; adds the adjoint
    -1.0 * +_0_down -_1_down + h.c.               the same letters written + and -
    4 * n0_up n0_down                             numbers of particles
    (0.5+0.2j) * X0 Z3                            Pauli matrices of spins ½, a complex coefficient
    0.5 * Sp0 Sm1 + h.c.                          spin operators: Sz Sx Sy Sp Sm (S+ S-), also of electrons
    2 * b^0 b1                                    bosons
    1.5 [0^ 3]                                    modes by their number in the space, as OpenFermion prints
    0.25 * |2><1|_0                               takes level 1 of a mode to level 2
    1/3 * n2                                      a fraction; the minus sign may be - or −
    -3.5                                          the identity

A term is a coefficient (1 if there is none), then factors, apart by spaces or `*`; the last one acts first. A
factor is a letter, a site from 0, and after `_` the species (its name or number) where the space has several
(`electrons` for a spin operator of electrons beside other modes); c, f are fermions, a, b are not, + and -
are either. A number at the start of a line is its coefficient; where no letters are, a later one alone is the
annihilation operator of that mode, with ^ the creation operator. Terms add up, a `+` at the end of a line is
skipped. Every line that does not fit is named in the error.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from intertwine._checks import InputError, fail
from intertwine.quantum.operators.imports.products import Factor, Term, matrix_of, operator_of
from intertwine.quantum.operators.protocols import QuantumOperator
from intertwine.spaces.hilbert.hilbert_space import HilbertSpace
from intertwine.spaces.hilbert.kinds import Spins
from intertwine.spaces.hilbert.place import Place

_MOST_BYTES = 2**30
ELECTRONS = "electrons"
"""The species of a spin operator that acts on both, up and down, in a mixed space."""
_NUMBER = r"(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?"
_COEFFICIENT = re.compile(
    rf"(?P<sign>[+-]?)\s*(?:\((?P<inside>[^()]*)\)|(?P<number>{_NUMBER})(?P<imaginary>[ij]?))(?![\w^.])"
    rf"(?:\s*/\s*(?P<over>{_NUMBER})(?![\w^.]))?"
    rf"|(?P<lone>[+-])(?!_)",
    re.ASCII,
)
_TERM = re.compile(rf"[+−-]?\s*(?:\([^()]*\)|{_NUMBER}[ij]?)(?:\s*/\s*{_NUMBER})?\s*(?:[*\[]|$)", re.ASCII)
"""How a text of one line begins that is no path."""
_COMPLEX = re.compile(rf"(?P<re>[+-]?{_NUMBER})?(?:(?P<im>[+-]?(?:{_NUMBER})?)[ij])?", re.ASCII)
_HC = re.compile(r"\+\s*h\.?\s*c\.?$", re.IGNORECASE)
_SUFFIX = r"(?:_(?P<species>\w+))?"
_FACTORS = (
    re.compile(r"(?P<pauli>[IXYZ])_?(?P<site>[0-9]+)" + _SUFFIX, re.ASCII),
    re.compile(r"S\^?(?P<spin>[zxypm+-])_?(?P<site>[0-9]+)" + _SUFFIX, re.ASCII),
    re.compile(r"(?P<ladder>[abcf])(?P<dagger>\^|†)?_?(?P<site>[0-9]+)" + _SUFFIX, re.ASCII),
    re.compile(r"(?P<move>[+-])_(?P<site>[0-9]+)" + _SUFFIX, re.ASCII),
    re.compile(r"(?P<count>n)_?(?P<site>[0-9]+)" + _SUFFIX, re.ASCII),
    re.compile(r"(?P<unit>\|[0-9]+><[0-9]+\|)_?(?P<site>[0-9]+)" + _SUFFIX, re.ASCII),
    re.compile(r"(?P<mode>[0-9]+)(?P<up>\^)?", re.ASCII),
)


def read_terms(
    source: str | Path, space: HilbertSpace | Place | int, *, name: str | None = None
) -> QuantumOperator:
    """The operator that a text, or a file, says term by term (see the module for the format).

    source: a path, or the text itself. space: the Hilbert space whose modes the terms act on; a lattice, a
    graph or a number of sites stands for free spins ½. name: of the operator; that of the file unless given.
    Raises `InputError` with the line's number and its text where one does not fit.

    >>> from intertwine.spaces.hilbert.kinds import Fermions
    >>> H = read_terms("-1 * c^0 c1 + h.c.\\n2 * n0 n1", Fermions(2))
    >>> H.to_dense().tolist()                                          # of |00⟩, |01⟩, |10⟩, |11⟩
    [[0.0, 0.0, 0.0, 0.0], [0.0, 0.0, -1.0, 0.0], [0.0, -1.0, 0.0, 0.0], [0.0, 0.0, 0.0, 2.0]]
    """
    known = isinstance(space, HilbertSpace)
    modes = space if isinstance(space, HilbertSpace) else Spins(space)
    text, where, stem = _read(source)
    terms = list(_terms(text, where, modes))
    if not terms:
        raise fail("terms", "one term a line", f"{where} without any" if where else "a text without any")
    return operator_of(modes, terms, stem if name is None else name, known)


def _read(source: str | Path) -> tuple[str, str, str]:
    """The text, its file in errors ("" for none) and the name of the operator."""
    if not isinstance(source, str | Path):
        raise fail("terms", "a path, or a text with a term a line", source)
    if isinstance(source, str) and "\n" not in source and not _is_path(source):
        return source, "", ""
    if isinstance(source, str) and "\n" in source:
        return source, "", ""
    path = Path(source)
    try:
        if path.stat().st_size > _MOST_BYTES:
            raise fail("terms", "a file of at most 1 GiB", str(path))
        return path.read_text(encoding="utf-8-sig"), str(path), path.stem
    except (OSError, UnicodeDecodeError) as error:
        if isinstance(error, InputError):
            raise
        reason = getattr(error, "strerror", None) or "it is no text in UTF-8"
        raise fail("terms", "a text file that can be read", f"{path} ({reason})") from None


def _is_path(text: str) -> bool:
    """Whether one line of text is meant as a path: a file there is, or what looks like no term."""
    try:
        if Path(text).is_file():
            return True
    except (OSError, ValueError):
        return False
    words = re.split(r"[\s*/]+", text.strip())
    letters = any(pattern.fullmatch(word) for word in words for pattern in _FACTORS[:-1])
    if letters or _HC.search(text.strip()) or _TERM.match(text.strip()):
        return False
    return bool(re.search(r"\.[A-Za-z]\w*$|[/\\]", text.strip()))


def _terms(text: str, where: str, space: HilbertSpace) -> Iterator[Term]:
    for number, line in enumerate(text.splitlines(), start=1):
        body = line.partition("#")[0].strip().replace("−", "-")
        if not body:
            continue
        place = f"{where}, line {number}" if where else f"line {number}"
        try:
            yield from _line(body, space)
        except _UnfitError as unfit:
            raise fail(place, str(unfit), body, unfit.remedy) from None
        except InputError as error:
            raise fail(place, "a term on the modes of the space", f"{body} ({error})") from None


class _UnfitError(Exception):
    """What a line is expected to be; remedy: what to do."""

    def __init__(self, expected: str, remedy: str = ""):
        super().__init__(expected)
        self.remedy = remedy


def _line(body: str, space: HilbertSpace) -> Iterator[Term]:
    conjugate = _HC.search(body)
    body = body[: conjugate.start()].strip() if conjugate else body.removesuffix("+").strip()
    coefficient, rest = _coefficient(body)
    if not np.isfinite(coefficient):
        raise _UnfitError("a finite coefficient")
    rest = rest.strip()
    if rest.startswith("[") != rest.endswith("]"):
        raise _UnfitError("brackets around all factors")
    rest = rest.removeprefix("[").removesuffix("]")
    terms = [Term(coefficient, ())]
    words = rest.replace("*", " ").split()
    if 0 < sum(bool(_FACTORS[-1].fullmatch(word)) for word in words) < len(words):
        raise _UnfitError("the coefficient in front, then letters or numbers of modes, not both")
    for word in words:
        choices = _factor(word, space)
        terms = [Term(t.coefficient * c, t.factors + f) for t in terms for c, f in choices]
    yield from terms
    if conjugate:
        yield from (term.adjoint for term in terms)


def _coefficient(body: str) -> tuple[complex, str]:
    found = _COEFFICIENT.match(body)
    if found is None:
        return 1.0, body
    rest = body[found.end() :].strip().removeprefix("*")
    if found["lone"]:
        return -1.0 if found["lone"] == "-" else 1.0, rest
    sign = -1.0 if found["sign"] == "-" else 1.0
    if found["over"] is not None:
        if not float(found["over"]):
            raise _UnfitError("a finite coefficient")
        sign /= float(found["over"])
    if found["inside"] is None:
        return sign * float(found["number"]) * (1j if found["imaginary"] else 1.0), rest
    inside = _COMPLEX.fullmatch(re.sub(r"\s+", "", found["inside"]))
    if inside is None or not inside[0]:
        raise _UnfitError("a coefficient such as 0.5, -2j or (0.5+0.2j)")
    imaginary = inside["im"]
    if imaginary in ("", "+", "-"):
        imaginary += "1"
    return sign * complex(float(inside["re"] or 0), float(imaginary or 0)), rest


def _factor(word: str, space: HilbertSpace) -> list[tuple[complex, tuple[Factor, ...]]]:
    """A factor as a sum of products of letters."""
    found = next((m for pattern in _FACTORS if (m := pattern.fullmatch(word))), None)
    if found is None:
        raise _UnfitError(f"factors such as X0, c^0, n1, Sz2, b^0 or 0^, not {word!r}")
    given = found.groupdict()
    if given.get("mode") is not None:
        mode = int(given["mode"])
        if mode >= space.size:
            raise _UnfitError(f"modes from 0 to {space.size - 1}")
        return [(1.0, (Factor("+" if given["up"] else "-", mode),))]
    word_of = given["species"]
    species: str | int | None = int(word_of) if word_of is not None and word_of.isdecimal() else word_of
    names = [name for name, _ in space.species]
    if given.get("spin") is not None:
        letter = "S" + {"+": "p", "-": "m"}.get(given["spin"], given["spin"])
        if {"up", "down"} <= set(names) and (species == ELECTRONS or (species is None and len(names) == 2)):
            return _of_electron(letter, *(space.mode(int(given["site"]), s) for s in ("up", "down")))
    elif given.get("ladder") is not None:
        letter = "+" if given["dagger"] else "-"
    else:
        letter = given.get("pauli") or given.get("move") or given.get("count") or given["unit"]
    mode = space.mode(int(given["site"]), species)
    kind, fermion = given.get("ladder"), space.fermionic[mode]
    if kind is not None and (kind in "cf") != fermion:
        raise _UnfitError(
            f"{'c' if fermion else 'b'} for the {'fermionic' if fermion else 'other'} mode of {word}"
        )
    if letter == "I":
        return [(1.0, ())]
    if matrix_of(letter, space.levels[mode], fermion) is None:
        what = "a fermionic mode" if fermion else f"a mode of {space.levels[mode]} levels"
        raise _UnfitError(f"letters that {what} has, not {word}", "for example n0, +_0, or Sz0 of a spin")
    return [(1.0, (Factor(letter, mode),))]


def _of_electron(letter: str, up: int, down: int) -> list[tuple[complex, tuple[Factor, ...]]]:
    """S of an electron: S^z = (n↑ − n↓)/2, S^+ = c†↑ c↓."""
    raised, lowered = (Factor("+", up), Factor("-", down)), (Factor("+", down), Factor("-", up))
    return {
        "Sz": [(0.5, (Factor("n", up),)), (-0.5, (Factor("n", down),))],
        "Sp": [(1.0, raised)],
        "Sm": [(1.0, lowered)],
        "Sx": [(0.5, raised), (0.5, lowered)],
        "Sy": [(-0.5j, raised), (0.5j, lowered)],
    }[letter]


def sites_of_terms(text: str, species: int = 1) -> int:
    """One more than the largest site that the terms of a text name; 0 for a text without any. species: modes
    at a site, by which modes that are named by their number are divided.

    >>> sites_of_terms("-1 * c^0_up c4_up + h.c.\\n4 * n2_up n2_down"), sites_of_terms("0.5 [0^ 5]", 2)
    (5, 3)
    """
    most = 0
    for line in text.splitlines():
        body = line.partition("#")[0].strip()
        try:
            _, rest = _coefficient(_HC.sub("", body))
        except _UnfitError:
            continue
        for word in rest.replace("*", " ").replace("[", " ").replace("]", " ").split():
            found = next((m.groupdict() for pattern in _FACTORS if (m := pattern.fullmatch(word))), {})
            if found.get("site") is not None:
                most = max(most, int(found["site"]) + 1)
            elif found.get("mode") is not None:
                most = max(most, -(-(int(found["mode"]) + 1) // species))
    return most
