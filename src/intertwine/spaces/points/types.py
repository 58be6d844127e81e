r"""Types of fields on points by name: "2 scalar + vector + degree 2", or as e3nn writes them, "16x0e + 8x1o".

In space, of O(3), p the sign under the inversion:

    scalar, pseudoscalar      (0, +), (0, −)      energies, charges; chirality, triple products
    vector, pseudovector      (1, −), (1, +)      forces, dipoles (x, y, z); angular momenta, spins
    degree l, pseudo degree l (l, (−1)^l) and the other sign: harmonics of degree l
    tensor                    rank 2, T_ab, in its parts: trace/√3, antisymmetric/√2 (x, y, z), degree 2
    symmetric tensor          without the second of these parts: stresses, polarisabilities
    0e, 1o, 3x2e              degree and parity, even or odd, as of e3nn

SO(3) has no parities: scalar, vector, degree l, 0, 3x2. In the plane, of O(2) and SO(2): scalar, pseudoscalar
(of O(2)), vector (x, y), spin k (cos kθ, sin kθ), tensor and symmetric tensor as on surfaces."""

from __future__ import annotations

import re
from collections.abc import Callable

from intertwine._checks import fail
from intertwine.symmetry import CompactGroup, CompactRep

_WORDS = re.compile(r"(?:(\d+)\s*[·*]?\s*)?([a-z]+(?: [a-z]+)*)(?:\s+(\d+))?")
_SHORT = re.compile(r"(?:(\d+)\s*x\s*)?(\d+)([eo]?)")
_MOST = 11


def type_of_names(group: CompactGroup, names: str, argument: str = "names") -> CompactRep:
    """The type called `names` of fields of a compact group.

    Raises InputError, listing the names, for others, for parities of SO(3), and for degrees above 11.

    >>> type_of_names(CompactGroup("O(3)"), "2 scalar + pseudovector + 3x2e")
    2·(0, +) + (1, +) + 3·(2, +)
    >>> type_of_names(CompactGroup("O(2)"), "scalar + spin 3")
    scalar + spin 3
    """
    total: CompactRep | None = None
    for term in names.split("+"):
        one = _term(group, " ".join(term.strip().lower().split()), argument)
        total = one if total is None else total + one
    assert total is not None
    return total


def _term(group: CompactGroup, term: str, argument: str) -> CompactRep:
    if group.dimension == 3 and (short := _SHORT.fullmatch(term)):
        count, degree, parity = int(short[1] or 1), int(short[2]), short[3]
        if bool(parity) != group.has_reflections:
            form = "3x1o, with e or o for the parity" if group.has_reflections else "3x1, without a parity"
            raise fail(argument, f"a type of {group.name} such as {form}", term)
        if not count or degree > _MOST:
            raise fail(argument, f"one copy or more of a degree from 0 to {_MOST}", term)
        return count * group.irrep(degree, -1 if parity == "o" else 1)
    words = _WORDS.fullmatch(term)
    if not words or words[1] == "0":
        raise _unknown(group, argument, term)
    count, name, degree = int(words[1] or 1), words[2], words[3]
    if degree is not None:
        numbered = _numbered(group)
        if name not in numbered:
            raise _unknown(group, argument, term)
        if int(degree) > _MOST:
            raise fail(argument, f"a degree from 0 to {_MOST}", term)
        return count * numbered[name](int(degree))
    named = _named(group)
    if name not in named:
        raise _unknown(group, argument, term)
    return count * named[name]


def _numbered(group: CompactGroup) -> dict[str, Callable[[int], CompactRep]]:
    if group.dimension == 2:
        return dict.fromkeys(("spin", "degree"), group.irrep)
    if not group.has_reflections:
        return {"degree": group.irrep}
    return {
        "degree": lambda k: group.irrep(k, (-1) ** k),
        "pseudo degree": lambda k: group.irrep(k, -((-1) ** k)),
    }


def _named(group: CompactGroup) -> dict[str, CompactRep]:
    scalar, mirrors = group.irrep(0), group.has_reflections
    if group.dimension == 2:
        odd = group.irrep(0, -1) if mirrors else scalar
        found = {
            "scalar": scalar,
            "vector": group.irrep(1),
            "tensor": scalar + odd + group.irrep(2),
            "symmetric tensor": scalar + group.irrep(2),
        }
        return found | ({"pseudoscalar": odd} if mirrors else {})
    found = {
        "scalar": scalar,
        "vector": group.irrep(1, -1 if mirrors else 1),
        "tensor": scalar + group.irrep(1) + group.irrep(2),
        "symmetric tensor": scalar + group.irrep(2),
    }
    return found | ({"pseudoscalar": group.irrep(0, -1), "pseudovector": group.irrep(1)} if mirrors else {})


def _unknown(group: CompactGroup, argument: str, term: str) -> Exception:
    numbered = " k, ".join(_numbered(group)) + " k"
    expected = "a sum of " + ", ".join(_named(group)) + f", {numbered} with numbers before them"
    short = ""
    if group.dimension == 3:
        short = ", or 16x0e + 8x1o" if group.has_reflections else ", or 16x0 + 8x1"
    return fail(argument, expected, term or "nothing", f'for example "2 scalar + vector + degree 2"{short}')
