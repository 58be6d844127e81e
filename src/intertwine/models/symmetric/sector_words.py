r"""Sectors in words, as people write them: a momentum, an irrep of its little group, and the spin flip.

    "k=(π,0), A1"      "k=2π/3"      "k=(0,0), B2, flip=-1"      "π A"      "(0, π) E row 1"

Momenta are phases q·a along the lattice vectors, in radians: π, 2π/3, pi/2 or numbers. What is left out is
momentum 0, the first irrep, and no spin flip. Names as `sectors` writes them are such words too.

A state is often looked for in a frame that is turned by R = Π_{i∈A} Z_i (Marshall's rotation). A symmetry g
of the lattice that exchanges A with the other sites, and the spin flip, pass R up to a sign:

    R U_g R⁻¹ = ε(g) U_g,   ε(g) = (−1)^{N_↓} if g A = complement of A;        R Π X R⁻¹ = (−1)^{|A|} Π X,

so that a sector of the laboratory is another one of the frame (`in_frame`).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import numpy as np

from intertwine._checks import InputError, fail
from intertwine.models.symmetric.sectors import SpaceGroupSector, sector, sectors

if TYPE_CHECKING:
    from collections.abc import Iterable

    from intertwine.spaces.lattice import Lattice

_NUMBER = re.compile(r"([+-]?)(\d*\.?\d*(?:e-?\d+)?)\*?(π|pi)?(?:/(\d+))?", re.IGNORECASE)
_FLIP = re.compile(r"(?:spin[ _-]?)?flip\s*[=:]?\s*([+-]?1|[+-])|(even|odd)", re.IGNORECASE)
_ROW = re.compile(r"row\s*[=:]?\s*(\d+)", re.IGNORECASE)
_TOLERANCE = 1e-3
"""Of decimal numbers in place of fractions of π, in units of π."""


@dataclass(frozen=True, eq=False)
class SectorInWords:
    """irrep: of the space group. row: the component of its small irrep. spin_flip: ±1, or None."""

    irrep: SpaceGroupSector
    row: int = 0
    spin_flip: int | None = None

    @property
    def name(self) -> str:
        """The irrep and its row as `sector_called` reads them."""
        return self.irrep.name + (f" row {self.row}" if self.row else "")

    def __str__(self) -> str:
        flip = "" if self.spin_flip is None else f", flip {self.spin_flip:+d}".replace("-", "−")
        return f"{self.name}{flip}"

    def in_frame(self, turned: Iterable[int], down: int | None) -> SectorInWords:
        """The sector that this one of the laboratory is where the spins of `turned` are turned by π about z.

        down: how many spins are down, None where it is not fixed. Raises `InputError` where a symmetry of the
        lattice moves the turned sites to others than these or all the others, or where `down` is needed.

        >>> from intertwine.spaces.lattices import Chain
        >>> print(sector_in_words(Chain(6), "k=0, flip=1").in_frame((0, 2, 4), 3))
        π A, flip −1
        """
        lattice: Any = self.irrep.lattice
        size, A = lattice.size, np.zeros(lattice.size, bool)
        A[list(turned)] = True
        if not A.any() or A.all():
            return self
        images = A[lattice.space_group.permutations]
        same, other = (images == A).all(axis=1), (images == ~A).all(axis=1)
        if not (same | other).all() or (other.any() and down is None):
            remedy = "take marshall = false (--marshall false), a Hamiltonian in the laboratory"
            raise fail("sector", "a frame that the symmetries of the lattice keep", f"{size} sites", remedy)
        signs = np.where(other, -1.0 if (down or 0) % 2 else 1.0, 1.0)
        flip = None if self.spin_flip is None else self.spin_flip * (-1) ** int(A.sum())
        if (signs == 1).all():
            return SectorInWords(self.irrep, self.row, flip)
        wanted = self.irrep.character * signs
        for candidate in sectors(lattice):
            if candidate.dimension == self.irrep.dimension and np.allclose(candidate.character, wanted):
                return SectorInWords(candidate, min(self.row, candidate.dimension - 1), flip)
        raise AssertionError("a product with a character that is no irrep: please report this")


def sector_in_words(lattice: Lattice, words: str) -> SectorInWords:
    """The sector that `words` mean on `lattice`; `InputError` with what there is for any other.

    >>> from intertwine.spaces.lattices import Chain, Square
    >>> print(sector_in_words(Square(4, 4), "k=(π,0), A2, flip=-1"), "|", sector_in_words(Chain(6), "2π/3"))
    (π, 0) A2, flip −1 | 2π/3 A
    """
    text = words.strip().replace("−", "-")
    if not text:
        raise fail("sector", "the words of a sector", repr(words), "for example k=0")
    flip_found = _FLIP.search(text)
    row_found = _ROW.search(text)
    flip = None
    if flip_found is not None:
        sign = flip_found[1] or ("+1" if flip_found[2].lower() == "even" else "-1")
        flip = -1 if sign.startswith("-") else 1
    rest = _ROW.sub(" ", _FLIP.sub(" ", text))
    momentum, letters = _split(rest)
    q = None if momentum is None else _momentum(lattice, momentum, words)
    try:
        irrep = _irrep(lattice, q, letters)
    except InputError as error:
        known = str(error).partition("expected ")[2].partition(", got")[0]
        raise fail("sector", f"an irrep of the momentum, {known}", repr(words)) from None
    row = int(row_found[1]) if row_found else 0
    degree = irrep.dimension // irrep.star
    if row >= degree:
        raise fail("sector", f"a row below {degree} of {irrep.name}", repr(words), "leave the row out")
    return SectorInWords(irrep, row, flip)


def _irrep(lattice: Lattice, q: np.ndarray | None, letters: list[str]) -> SpaceGroupSector:
    if len(letters) > 1:
        raise fail("irrep", "one name", ", ".join(letters))
    if not letters:
        return sector(lattice, q, 0)
    if letters[0].isdecimal():
        return sector(lattice, q, int(letters[0]))
    return sector(lattice, q, letters[0])


def _split(text: str) -> tuple[list[str] | None, list[str]]:
    """(the components of the momentum, other words)"""
    text = re.sub(r"\b[kq]\s*=\s*", "", text)
    inside = re.search(r"\(([^)]*)\)", text)
    if inside is not None:
        rest = text[: inside.start()] + " " + text[inside.end() :]
        return [p.strip() for p in inside[1].split(",")], [w for w in re.split(r"[,\s]+", rest) if w]
    found = [w for w in re.split(r"[,\s]+", text) if w]
    numbers = [w for w in found if _share(w) is not None]
    return numbers or None, [w for w in found if _share(w) is None]


def _share(word: str) -> Fraction | float | None:
    """A number in units of π, modulo 2; None for other words."""
    match = _NUMBER.fullmatch(word.replace(" ", ""))
    if match is None or not (match[2] or match[3]) or match[2] in (".", "e") or match[4] == "0":
        return None
    if match[3]:
        value = Fraction(match[2] or "1") / int(match[4] or 1)
        return (-value if match[1] == "-" else value) % 2
    value = float(match[2]) / int(match[4] or 1) / np.pi
    return (-value if match[1] == "-" else value) % 2


def _momentum(lattice: Lattice, components: list[str], words: str) -> np.ndarray:
    shares = [_share(c) for c in components]
    vectors = np.asarray(lattice.basis_vectors)
    if len(shares) == len(vectors) and None not in shares:
        wanted = np.array([float(s) for s in shares])  # type: ignore[arg-type]
        for q in lattice.momenta:
            apart = (vectors @ q / np.pi - wanted + 1) % 2 - 1
            if np.abs(apart).max(initial=0) < _TOLERANCE:
                return q
    names = dict.fromkeys(s.name.rpartition(" ")[0] for s in sectors(lattice))
    shown = ", ".join(list(names)[:8]) + (" …" if len(names) > 8 else "")
    expected = f"a momentum of the lattice ({shown}, and what its symmetries make of them)"
    raise fail("sector", expected, repr(words), "for example k=" + list(names)[-1])
