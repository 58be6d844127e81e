r"""The toric code in fields: Z_2 gauge theory with matter, on the links of a lattice."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from intertwine._checks import fail, one_of
from intertwine.quantum.operators.hamiltonians.couplings import numbers, told
from intertwine.quantum.operators.operator import Operator
from intertwine.quantum.operators.pauli import PauliSum, canonical
from intertwine.spaces.lattice import Lattice


def toric(lattice: Lattice, hx: ArrayLike = 0.0, hz: ArrayLike = 0.0, basis: str = "z") -> Operator:
    """The toric code in fields, which is Z_2 gauge theory with matter (Kitaev 2003; Fradkin & Shenker 1979;
    Trebst et al., Phys. Rev. Lett. 98, 070602, 2007): stars Π X, plaquettes Π Z and fields on the links,

        H = −Σ_v Π_{l∋v} X_l − Σ_p Π_{l∈p} Z_l − Σ_l hx_l X_l − Σ_l hz_l Z_l.

    lattice: of the links, `it.LinkSites(4, 4)` (name links:4x4), in two dimensions or more. hx, hz: numbers,
    or one for each link. basis: "z", or "x" for configurations s = X_l, where X and Z change places. Without
    hz it is gauge invariant, and in two dimensions the transverse-field Ising model of the plaquettes, with
    the coupling hx and the field 1.

    >>> from intertwine.spaces.lattices import LinkSites
    >>> toric(LinkSites(2, 2), hx=0.2, hz=0.2)
    Operator(toric(hx=0.2, hz=0.2), size=8, strings=24, flips=12, real)
    """
    from intertwine.spaces.link_sites import links_at, plaquette_links, star_links

    if not hasattr(lattice, "bonds") or not hasattr(lattice, "size"):
        raise fail("lattice", "the links of a lattice, such as LinkSites(4, 4)", lattice)
    links, N, parts = links_at(lattice), lattice.size, []
    one_of("basis", basis, ("z", "x"))
    each = np.arange(N)[:, None]
    for kind, table, strength in (
        ("x", star_links(links), -np.ones(len(star_links(links)))),
        ("z", plaquette_links(links), -np.ones(len(plaquette_links(links)))),
        ("x", each, -numbers("hx", hx, N, "link")),
        ("z", each, -numbers("hz", hz, N, "link")),
    ):
        mask = np.zeros((len(table), N), bool)
        mask[np.arange(len(table))[:, None], table] = True
        none = np.zeros_like(mask)
        flips = (kind == "x") == (basis == "z")
        parts.append(PauliSum(*((mask, none) if flips else (none, mask)), strength.astype(complex)))
    joined = PauliSum(*(np.concatenate(field) for field in zip(*parts, strict=True)))
    return Operator.from_masks(N, canonical(joined), lattice=lattice, name=f"toric({told(hx=hx, hz=hz)})")


toric_code = toric
