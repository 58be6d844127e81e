r"""Types of fields on links: how numbers at a site change when its frame does.

    kind           at x                                        under frames Ω            real numbers
    link           U_μ(x), μ = 0 … d−1, n × n                  Ω(x) U_μ(x) Ω(x + μ)†     2n² each
    adjoint        W(x), complex n × n                         Ω(x) W(x) Ω(x)†           2n²
    fundamental    ψ(x), complex (n,)                          Ω(x) ψ(x)                 2n
    scalar         a real number                               itself                    1

Complex numbers are pairs (Re, Im), matrices row by row. Sums keep their blocks, copies one after another, as
those of `Rep` and `CompactRep`; the connection itself is among the fields that layers carry along, first.

Maps of one fibre that commute with every Ω ∈ G, real-linear, are known by Schur's lemma: of complex matrices
under conjugation, which are 2 (trivial + su(n)), 4 + 4 for n ≥ 2 and 4 for n = 1; of C^n multiplication by
complex numbers, and by quaternions for SU(2), whose C² is pseudo-real, and for the real ±1 of Z_2 the 2 × 2
matrices (Bröcker & tom Dieck 1985, II.6).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np
from jaxtyping import Float, Int32

from intertwine._checks import fail, positive_int
from intertwine.symmetry._images import frozen
from intertwine.symmetry.groups.gauge_group import GaugeGroup

GaugeKind = Literal["link", "adjoint", "fundamental", "scalar"]
KINDS: tuple[GaugeKind, ...] = ("link", "adjoint", "fundamental", "scalar")


@dataclass(frozen=True, repr=False)
class GaugeRep:
    """A sum of kinds of fields: `field_type(links, "links + 4 adjoint")` makes it.

    group: the gauge group. kinds: pairs (kind, multiplicity), in the order of the channels.

    >>> from intertwine.symmetry.groups.gauge_group import gauge_group
    >>> rep = GaugeRep(gauge_group("SU(2)"), (("link", 2), ("adjoint", 3), ("scalar", 1)))
    >>> rep, rep.dimension
    (2·link + 3·adjoint + scalar, 41)
    """

    group: GaugeGroup
    kinds: tuple[tuple[GaugeKind, int], ...]

    dtype: ClassVar[np.dtype] = np.dtype(np.float64)
    is_orthogonal: ClassVar[bool] = True

    def __post_init__(self) -> None:
        for kind, count in self.kinds:
            if kind not in KINDS:
                raise fail("kinds", "kinds among " + ", ".join(KINDS), kind)
            positive_int("kinds", count, "give how many")

    @classmethod
    def direct_sum(cls, blocks: Sequence[tuple[GaugeRep, int]]) -> GaugeRep:
        """The sum of pairs (ρ, multiplicity) of one group; equal neighbours are joined."""
        joined: list[tuple[GaugeKind, int]] = []
        for rep, m in blocks:
            for kind, count in rep.kinds * (m if len(rep.kinds) > 1 else 1):
                times = count * (m if len(rep.kinds) == 1 else 1)
                if joined and joined[-1][0] == kind:
                    joined[-1] = (kind, joined[-1][1] + times)
                else:
                    joined.append((kind, times))
        return cls(blocks[0][0].group, tuple(joined))

    @property
    def dimension(self) -> int:
        """How many real numbers at a site."""
        return sum(count * self._numbers(kind) for kind, count in self.kinds)

    def _numbers(self, kind: GaugeKind) -> int:
        n = self.group.dimension
        return {"link": 2 * n * n, "adjoint": 2 * n * n, "fundamental": 2 * n, "scalar": 1}[kind]

    @property
    def blocks(self) -> tuple[tuple[GaugeRep, int], ...]:
        """The blocks (ρ, multiplicity) in the order of the channels."""
        if len(self.kinds) == 1 and self.kinds[0][1] == 1:
            return ((self, 1),)
        return tuple((GaugeRep(self.group, ((kind, 1),)), count) for kind, count in self.kinds)

    def count(self, kind: GaugeKind) -> int:
        """How many copies of a kind."""
        return sum(m for other, m in self.kinds if other == kind)

    @property
    def is_trivial(self) -> bool:
        """Whether nothing changes with the frames."""
        return all(kind == "scalar" for kind, _ in self.kinds)

    @property
    def is_permutation(self) -> bool:
        """Whether frames permute the numbers: only where they leave them alone."""
        return self.is_trivial

    @property
    def is_signed_permutation(self) -> bool:
        """The same up to signs."""
        return self.is_trivial

    @property
    def permutation(self) -> Int32[np.ndarray, "1 1"] | None:
        """As of a `Rep`: of one scalar; None for others."""
        return frozen(np.zeros((1, 1), np.int32)) if self.kinds == (("scalar", 1),) else None

    def __add__(self, other: GaugeRep) -> GaugeRep:
        if not isinstance(other, GaugeRep) or other.group != self.group:
            raise fail("type", f"one of {self.group.name}", other)
        return GaugeRep.direct_sum([(self, 1), (other, 1)])

    def __mul__(self, multiplicity: int) -> GaugeRep:
        return GaugeRep.direct_sum([(self, positive_int("multiplicity", multiplicity))])

    __rmul__ = __mul__

    def __repr__(self) -> str:
        return " + ".join((f"{m}·" if m > 1 else "") + kind for kind, m in self.kinds)


def gauge_invariants(block: GaugeRep) -> Float[np.ndarray, "k d"]:
    """Vectors of one block that every change of frame leaves alone: 1 and i of the adjoint, 1 of a scalar.

    >>> from intertwine.symmetry.groups.gauge_group import gauge_group
    >>> len(gauge_invariants(GaugeRep(gauge_group("SU(3)"), (("adjoint", 1),))))
    2
    """
    kind, n = block.kinds[0][0], block.group.dimension
    if kind == "scalar":
        return np.ones((1, 1))
    if kind == "adjoint":
        return np.stack([_real(np.eye(n)), _real(1j * np.eye(n))])
    return np.zeros((0, block.dimension))


def gauge_maps(into: GaugeRep, out: GaugeRep) -> Float[np.ndarray, "k d_out d_in"]:
    """A basis of the real-linear maps of one fibre that commute with every Ω; none from or to links, which
    stay as they are. Each has norm 1.

    >>> from intertwine.symmetry.groups.gauge_group import gauge_group
    >>> adjoint, scalar, psi = (
    ...     GaugeRep(gauge_group("SU(2)"), ((kind, 1),)) for kind in ("adjoint", "scalar", "fundamental")
    ... )
    >>> len(gauge_maps(adjoint, adjoint)), len(gauge_maps(adjoint, scalar)), len(gauge_maps(psi, psi))
    (8, 2, 4)
    """
    n, kinds = into.group.dimension, (into.kinds[0][0], out.kinds[0][0])
    maps: list[Callable[[np.ndarray], np.ndarray | complex]] = []
    if kinds == ("adjoint", "adjoint"):
        eye = np.eye(n)
        one, flip = (lambda w: w), (lambda w: w.conj().T)
        maps = [one, lambda w: 1j * w, flip, lambda w: 1j * w.conj().T]
        if n > 1:  # traceless parts and traces apart
            maps = [(lambda w, f=f: f(w - np.trace(w) / n * eye)) for f in maps]
            maps += [
                lambda w, f=f: f(np.trace(w)) * eye
                for f in (lambda t: t, lambda t: 1j * t, np.conj, lambda t: 1j * np.conj(t))
            ]
    elif kinds == ("adjoint", "scalar"):
        maps = [lambda w: np.trace(w).real, lambda w: np.trace(w).imag]
    elif kinds == ("scalar", "adjoint"):
        maps = [lambda w: w[0].real * np.eye(n), lambda w: 1j * w[0].real * np.eye(n)]
    elif kinds == ("scalar", "scalar"):
        maps = [lambda w: w[0].real]
    elif kinds == ("fundamental", "fundamental"):
        maps = [lambda w: w, lambda w: 1j * w]
        if into.group.name == "Z2":
            maps += [np.conj, lambda w: 1j * w.conj()]
        if into.group.name == "SU(2)":
            turn = np.array([[0.0, 1.0], [-1.0, 0.0]])
            maps += [lambda w: turn @ w.conj(), lambda w: 1j * (turn @ w.conj())]
    if not maps:
        return frozen(np.zeros((0, out.dimension, into.dimension)))
    basis = [np.stack([_real(np.asarray(f(e))) for e in _units(into)], 1) for f in maps]
    found = np.array(basis)[:, : out.dimension]  # a real number has no imaginary part
    return frozen(found / np.linalg.norm(found, axis=(1, 2), keepdims=True))


def _units(block: GaugeRep) -> list[np.ndarray]:
    """The unit vectors of a block as what they stand for."""
    n, kind = block.group.dimension, block.kinds[0][0]
    if kind == "scalar":
        return [np.ones(1)]
    shape = (n, n) if kind == "adjoint" else (n,)
    return [v.view(np.complex128).reshape(shape) for v in np.eye(block.dimension)]


def _real(value: np.ndarray) -> np.ndarray:
    """Complex numbers as pairs (Re, Im)."""
    flat = np.asarray(value, np.complex128).reshape(-1)
    return np.stack([flat.real, flat.imag], -1).reshape(-1)
