"""How atoms are drawn: colours as chemists know them, radii of bonds (Å; Cordero et al., Dalton Trans.
2008)."""

from __future__ import annotations

_DRAWN = {
    "H": ("#c9ced6", 0.31), "C": ("#5b626d", 0.76), "N": ("#3d64d8", 0.71), "O": ("#d8402c", 0.66),
    "F": ("#6fbf4f", 0.57), "Na": ("#8b57c9", 1.66), "Mg": ("#3c9d4e", 1.41), "Al": ("#a9989c", 1.21),
    "Si": ("#c7a36a", 1.11), "P": ("#d9852b", 1.07), "S": ("#c9b32a", 1.05), "Cl": ("#43b049", 1.02),
    "K": ("#7a46b8", 2.03), "Ca": ("#5aa646", 1.76), "Ti": ("#9aa1aa", 1.60), "Fe": ("#c9672f", 1.32),
    "Ni": ("#5fb06a", 1.24), "Cu": ("#b87333", 1.32), "Zn": ("#7d80b0", 1.22), "Br": ("#a14a2b", 1.20),
    "Ag": ("#a8a8b0", 1.45), "I": ("#8a3fa0", 1.39), "Pt": ("#b9bcc6", 1.36), "Au": ("#c9a227", 1.36),
    "He": ("#8fd0d6", 0.28), "Ne": ("#86b8d8", 0.58), "Ar": ("#6fb0c9", 1.06),
}  # fmt: skip
_OTHER = ("#9a6fd0", 1.2)


def colour_of(symbol: str) -> str:
    """
    >>> colour_of("Cu"), colour_of("Xx")
    ('#b87333', '#9a6fd0')
    """
    return _DRAWN.get(symbol, _OTHER)[0]


def radius_of(symbol: str) -> float:
    """Å.

    >>> radius_of("C")
    0.76
    """
    return _DRAWN.get(symbol, _OTHER)[1]
