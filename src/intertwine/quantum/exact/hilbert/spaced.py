"""Which space an operator and a sector speak of, and whether it is one of spins ½ as `sector` has them."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeGuard

from intertwine._checks import fail
from intertwine.quantum.exact.sector import Sector
from intertwine.spaces.hilbert.bounds import Bound
from intertwine.spaces.hilbert.hilbert_space import HilbertSpace
from intertwine.spaces.hilbert.kinds import Spins

if TYPE_CHECKING:
    from intertwine.quantum.operators.operator import Operator
    from intertwine.quantum.operators.protocols import QuantumOperator


def is_plain(H: QuantumOperator, sector: object) -> TypeGuard[Operator]:
    """Whether the operator's space is that of spins ½ (at any magnetization), and the sector none of the
    space group: what `exact.sector` knows.

    >>> import intertwine as it
    >>> ring = it.heisenberg(it.Chain(4))
    >>> is_plain(ring, None), is_plain(ring, Sector(0, irrep="A"))
    (True, False)
    """
    if sector is not None and (not isinstance(sector, Sector) or sector.irrep is not None):
        return False
    space: HilbertSpace | None = getattr(H, "hilbert", None)
    if space is None:
        return True
    names = [bound.name for bound in space.bounds]
    return space.kind == "spins" and space.binary and names in ([], ["magnetization"])


def plain_sector(H: Operator, sector: Sector | None) -> Sector | None:
    """The sector of spins ½ that a plain operator and sector mean; None for all of them."""
    space: HilbertSpace | None = getattr(H, "hilbert", None)
    if space is None or not space.bounds:
        return sector
    M = space.bounds[0].told
    if sector is None:
        return Sector(M)
    if sector.magnetization not in (None, M):
        raise fail("magnetization", f"None, or that of the space, {M}", sector.magnetization)
    return Sector(M, sector.spin_flip, sector.momentum)


def space_of(H: QuantumOperator, sector: object = None) -> HilbertSpace:
    """The space of an operator: its own, or spins ½ on its lattice; at the magnetization of a sector."""
    space: HilbertSpace | None = getattr(H, "hilbert", None)
    if space is None:
        space = Spins(H.lattice if H.lattice is not None else H.size)
    M = sector.magnetization if isinstance(sector, Sector) else None
    if M is None or space.kind != "spins" or any(b.name == "magnetization" for b in space.bounds):
        return space
    most = sum(d - 1 for d in space.levels)
    if abs(M) > most or (most - M) % 2:
        raise fail("magnetization", f"an integer from −{most} to {most} of that parity", M)
    down = (most - M) // 2
    modes = tuple(range(space.size))
    return space.within(Bound(modes, (1,) * space.size, down, down, name="magnetization", told=M))
