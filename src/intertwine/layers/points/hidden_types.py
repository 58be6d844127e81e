r"""The types of hidden fields: `width` copies of each irrep up to a degree.

    natural     (l, (−1)^l): what harmonics of the edges make of scalars; 0e + 1o + 2e + …
    both        each degree with both parities, pseudoscalars and axial vectors among them

Groups without reflections, and spins k ≥ 1 in the plane, have one irrep of each degree. The types are kept
small: a layer gives what its input can lead to by harmonics of an edge, and no more.
"""

from __future__ import annotations

from collections.abc import Sequence

from intertwine._checks import fail
from intertwine.layers.blocks import direct_sum
from intertwine.symmetry.compact import CompactGroup, CompactRep
from intertwine.symmetry.fibre_maps import AnyRep

PARITIES = ("natural", "both")


def irreps_up_to(group: CompactGroup, degree: int, parities: str = "natural") -> tuple[CompactRep, ...]:
    """The irreps of degree 0 to `degree`.

    >>> irreps_up_to(CompactGroup("O(3)"), 1), irreps_up_to(CompactGroup("SO(3)"), 1)
    (((0, +), (1, -)), (0, 1))
    """
    found = []
    for k in range(degree + 1):
        found.append(edge_irrep(group, k))
        if parities == "both" and group.has_reflections and (group.dimension == 3 or k == 0):
            found.append(group.irrep(k, -(1 if group.dimension == 2 else (-1) ** k)))
    return tuple(found)


def edge_irrep(group: CompactGroup, degree: int) -> CompactRep:
    """The irrep of the harmonics of degree l of a direction: (l, (−1)^l) of O(3), spin k in the plane."""
    return group.irrep(degree, (-1) ** degree if group.name == "O(3)" else 1)


def copies(irreps: Sequence[CompactRep], width: int) -> CompactRep:
    """`width` copies of each, block after block."""
    found = direct_sum([(irrep, width) for irrep in irreps])
    assert isinstance(found, CompactRep)
    return found


def led_to(rep: CompactRep, targets: Sequence[CompactRep], degree: int) -> tuple[CompactRep, ...]:
    """Those of `targets` that lie in rep ⊗ harmonics of degree 0 to `degree`.

    >>> O3 = CompactGroup("O(3)")
    >>> led_to(O3.irrep(0), irreps_up_to(O3, 2, "both"), 2)
    ((0, +), (1, -), (2, +))
    """
    reached: set[CompactRep] = set()
    for part, _ in rep.blocks:
        for k in range(degree + 1):
            reached |= {irrep for irrep, _ in part.tensor(edge_irrep(rep.group, k)).blocks}
    return tuple(irrep for irrep in targets if irrep in reached)


def parities_for(*reps: CompactRep) -> str:
    """ "both" where one of the types holds a parity that harmonics of scalars do not have."""
    for rep in reps:
        for part, _ in rep.blocks:
            if part not in irreps_up_to(rep.group, part.irreps[0][0].frequency):
                return "both"
    return "natural"


def top_degree(rep: CompactRep) -> int:
    """The highest degree in a type."""
    return max(irrep.frequency for irrep, _ in rep.irreps)


def scalars_of(rep: AnyRep) -> int:
    """How many copies of the scalar a type has."""
    return sum(m for part, m in rep.blocks if part.is_trivial)


def checked_compact(rep: AnyRep, argument: str) -> CompactRep:
    """`rep`, or the error for types of a finite group."""
    if not isinstance(rep, CompactRep):
        remedy = "take Points(cutoff, group='O(3)'), or Conv for point groups"
        raise fail(argument, "a type of O(3), SO(3), O(2) or SO(2)", rep, remedy)
    return rep
