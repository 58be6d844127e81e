r"""How an Ising model is laid out for multi-spin coding: one bit per spin, many systems in one word.

Bit b of a word is the spin of system b at one site, 1 for +1 (multi-spin coding: Zorn, Herrmann & Rebbi,
Comput. Phys. Commun. 23, 337, 1981). A heat-bath update draws the new spin from

    p(s_i = +1 | rest) = 1/(1 + e^{−2(K(2c − z) + h)}),

where c of the z neighbours are up (for K_ij < 0 their bits are turned over first). c is a sum of bits, kept
as three words of its binary digits, so that z ≤ 7. The new bits of all systems are [u < p] with an
independent uniform number u for each system, both in binary, compared digit by digit. The digit of p that
belongs to c is a Boolean function of the three words; it is stored by its algebraic normal form

    T = g_0 ⊕ c_0 g_1 ⊕ c_1 (g_2 ⊕ c_0 g_3) ⊕ c_2 (g_4 ⊕ c_0 g_5 ⊕ c_1 (g_6 ⊕ c_0 g_7)),

in which every g is a word: each system may have a temperature of its own at no cost.

Sites of one colour and of one environment (number of neighbours, field) lie side by side in slots, padded to
whole chunks, so that the compiled loops have a fixed length.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from intertwine.models.spins.ising import Ising
from intertwine.models.spins.spin_terms import linked_bonds
from intertwine.models.spins.term_tables import pair_table
from intertwine.spaces.lattice import Lattice

if TYPE_CHECKING:
    from intertwine.models.protocols import SpinSystem

CHUNK = 16
"""Words that a compiled loop takes at once, and uniform numbers of as many generators."""

MOST_NEIGHBOURS = 7
_MOST_KINDS = 64


@dataclass(frozen=True, eq=False)
class PackedPlan:
    """Where spins are stored and what is around them.

    place: int32 (N,), the slot of each site. near: int32 (z, slots), the slots of the neighbours; an absent
    one is the slot after the last, which holds zeros. signs: uint64 (z, slots), all ones where a coupling is
    negative; None if none is. starts, ends: int64 (classes,), the slots of each class of sites, the latter
    without padding. kinds: int64 (classes,), the environment of each class. degrees, fields: (kinds,). bonds:
    int32 (2, B) slots. bond_signs: uint64 (B,) or None.
    """

    slots: int
    place: np.ndarray
    near: np.ndarray
    signs: np.ndarray | None
    starts: np.ndarray
    ends: np.ndarray
    kinds: np.ndarray
    degrees: np.ndarray
    fields: np.ndarray
    bonds: np.ndarray
    bond_signs: np.ndarray | None

    def log_weights(self, coupling: float, differing: np.ndarray, up: np.ndarray) -> np.ndarray:
        """ln Ψ (...,) from the numbers of bonds that are not satisfied (...,) and of spins up by class
        (..., classes)."""
        field = self.fields[self.kinds]
        magnetic = (2.0 * up - (self.ends - self.starts)) @ field
        return coupling * (self.bonds.shape[1] - 2.0 * differing) + magnetic


def packed_plan(model: SpinSystem) -> tuple[PackedPlan, float] | None:
    """(the plan, K) of a model that can be packed, or None.

    That is an `Ising` model without further families, with couplings of one size |K_ij| (K is signed where
    all are equal, else positive), at most 7 neighbours a site and few different fields.

    >>> from intertwine.spaces.lattices import Square
    >>> plan, coupling = packed_plan(Ising(Square(4, 4), K=0.4))
    >>> plan.slots, len(plan.starts), round(coupling, 3)                            # two classes of 8, padded
    (32, 2, 0.4)
    >>> packed_plan(Ising(Square(4, 4), K=0.4, further={"next": 0.1})) is None
    True
    """
    if not isinstance(model, Ising) or model.families:
        return None
    couplings, field = np.asarray(model.coupling, np.float64), np.asarray(model.field, np.float64)
    negative = None
    if couplings.ndim and len(couplings):
        couplings = couplings[linked_bonds(model.lattice)[1]]
        if (abs(couplings) != abs(couplings[0])).any():
            return None
        if (couplings != couplings[0]).any():
            negative = (couplings < 0).tobytes()
            couplings = abs(couplings)
    values = np.unique(field)
    if len(values) > _MOST_KINDS:
        return None
    plan = _plan(model.lattice, negative, field.tobytes())
    return None if plan is None else (plan, float(couplings.flat[0]) if couplings.size else 0.0)


@lru_cache(maxsize=16)
def _plan(lattice: Lattice, negative: bytes | None, field: bytes) -> PackedPlan | None:
    from intertwine.sampling.spins.colouring import greedy_colouring

    partners, numbers = pair_table(lattice)
    size, z = partners.shape
    degree = (partners < size).sum(1)
    if degree.max() > MOST_NEIGHBOURS:
        return None
    fields = np.broadcast_to(np.frombuffer(field), size)
    around, kind = np.unique(np.stack([degree, fields], 1), axis=0, return_inverse=True)
    if len(around) > _MOST_KINDS:
        return None
    colour = greedy_colouring(partners).astype(np.int64)
    label = colour * len(around) + kind.reshape(-1)
    order = np.argsort(label, kind="stable")
    labels, counts = np.unique(label, return_counts=True)
    starts = np.concatenate([[0], np.cumsum(-(-counts // CHUNK) * CHUNK)])
    slots = int(starts[-1])
    shift = starts[:-1] - (np.cumsum(counts) - counts)
    place = np.empty(size + 1, np.int32)
    place[order] = np.arange(size) + np.repeat(shift, counts)
    place[size] = slots
    near = np.full((z, slots), slots, np.int32)
    near[:, place[:size]] = place[partners].T
    bonds = linked_bonds(lattice)[0]
    signs = bond_signs = None
    if negative is not None:
        ones = ~np.uint64(0)
        bond_signs = np.where(np.frombuffer(negative, bool), ones, np.uint64(0))
        signs = np.zeros((z, slots), np.uint64)
        signs[:, place[:size]] = np.where(numbers >= 0, bond_signs[numbers], np.uint64(0)).T
    return PackedPlan(
        slots=slots, place=place[:size], near=near, signs=signs,
        starts=starts[:-1], ends=starts[:-1] + counts, kinds=labels % len(around),
        degrees=around[:, 0], fields=around[:, 1],
        bonds=np.ascontiguousarray(place[bonds].T), bond_signs=bond_signs,
    )  # fmt: skip


def threshold_words(
    plan: PackedPlan,
    coupling: float,
    scales: np.ndarray,
    digits: int,
    word: type[np.unsignedinteger] = np.uint64,
) -> np.ndarray:
    """The words g of the algebraic normal form, (words, kinds, digits, 8) of the unsigned type `word`.

    scales: (systems,), the factor of ln Ψ in each system; systems are filled up to whole words with the last.
    digits: binary digits of p, at most 53; p is rounded to the nearest multiple of 2^−digits, and to 1 −
    2^−digits where that is 1.

    >>> from intertwine.spaces.lattices import Chain
    >>> plan, K = packed_plan(Ising(Chain(4), K=0.5))
    >>> threshold_words(plan, K, np.ones(3), 53).shape
    (1, 1, 53, 8)
    """
    lanes = 8 * np.dtype(word).itemsize
    words = -(-len(scales) // lanes)
    scales = np.concatenate([scales, np.full(words * lanes - len(scales), scales[-1])])
    found = np.empty((words, len(plan.degrees), digits, 8), word)
    levels = (digits - 1 - np.arange(digits)).astype(np.uint64)
    for k, (degree, field) in enumerate(zip(plan.degrees, plan.fields, strict=True)):
        up = np.minimum(np.arange(8), degree)
        log_odds = 2 * scales[:, None] * (coupling * (2 * up - degree) + field)
        with np.errstate(over="ignore"):
            chance = 1 / (1 + np.exp(-log_odds))
        whole = np.minimum(np.rint(chance * 2.0**digits), 2.0**digits - 1).astype(np.uint64)
        bits = (whole[:, None, :] >> levels[:, None] & np.uint64(1)).astype(np.uint8)
        packed = np.packbits(bits.reshape(words, lanes, digits, 8), axis=1, bitorder="little")
        packed = np.ascontiguousarray(np.moveaxis(packed, 1, -1)).view(word)[..., 0]
        for j in range(3):  # the Möbius transform from values to the normal form
            for c in range(8):
                if c >> j & 1:
                    packed[..., c] ^= packed[..., c ^ 1 << j]
        found[:, k] = packed
    return found
