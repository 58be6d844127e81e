r"""One point with a structure group H: fields are single fibre vectors, kernels are Hom_H(ρ, σ).

For a finite group it is G/G, a `HomogeneousSpace`; for SO(2), O(2), SO(3), O(3) and matrix groups it is a
`CompactPoint`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float, Shaped

from intertwine._checks import fail
from intertwine.spaces.homogeneous import HomogeneousSpace
from intertwine.spaces.protocols import Field, Region
from intertwine.symmetry import (
    CompactGroup,
    CompactRep,
    FibreGroup,
    FiniteGroup,
    LieElement,
    LieGroup,
    LieRep,
    commuting_maps,
)
from intertwine.symmetry.intertwiner_basis import Support


@dataclass(frozen=True)
class CompactPoint:
    """A point whose fibre a compact group, or any matrix group, turns: fields (..., C).

    >>> from intertwine.symmetry import CompactGroup
    >>> SO2 = CompactGroup("SO(2)")
    >>> CompactPoint(SO2).kernel_basis(SO2.irrep(1), SO2.irrep(1), None).shape
    (2, 1, 2, 2)
    """

    group: CompactGroup | LieGroup
    executor = None
    common_frame = True
    axes = 0
    shape = ()

    @property
    def fibre_group(self) -> CompactGroup | LieGroup:
        """H itself."""
        return self.group

    def support(self, region: Region) -> Support:
        """There is no finite support: kernels are `kernel_basis`."""
        raise fail("space", "a space of a finite group", self)

    def kernel_basis(
        self, into: CompactRep | LieRep, out: CompactRep | LieRep, region: Region
    ) -> Float[np.ndarray, "n 1 d_in d_out"]:
        """Hom_H of two blocks."""
        return commuting_maps(into, out).transpose(0, 2, 1)[:, None]

    def act(
        self,
        element: Float[np.ndarray, "n n"] | LieElement,
        field: Shaped[Field, "... C"],
        rep: CompactRep | LieRep,
    ) -> Shaped[Field, "... C"]:
        """ρ(h) f."""
        known: Any = element  # of the kind that the type has
        return field @ rep.matrix(known).T.astype(field.dtype)


def one_point(group: FibreGroup) -> HomogeneousSpace | CompactPoint:
    """The space of one point with structure group `group`.

    >>> from intertwine.symmetry import cyclic
    >>> one_point(cyclic(3)).size
    1
    """
    if isinstance(group, CompactGroup | LieGroup):
        return CompactPoint(group)
    assert isinstance(group, FiniteGroup)  # frames of a gauge group are changed at every site: `Links`
    return HomogeneousSpace(group.whole)
