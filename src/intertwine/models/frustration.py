r"""Whether the couplings of a spin model can all be satisfied at once.

Spins turned over on some of the sites, s_i → ε_i s_i, make K_ij → ε_i K_ij ε_j. Where a choice of ε makes all
couplings ferromagnetic, there is no frustration: the product of the signs around every closed path of bonds
is positive (Toulouse 1977). A field is a bond to one more spin that is up. The test is one of colouring: in
two copies of the lattice, with a bond K > 0 inside each copy and a bond K < 0 from one to the other, no site
may be linked to its own copy.

Clusters of frustrated models cover the lattice without respecting its ground states; single spins are better.
"""

from __future__ import annotations

import numpy as np

from intertwine.models.spins.ising import Ising
from intertwine.models.spins.potts import Clock, Potts


def is_frustrated(model: Ising | Potts | Clock) -> bool:
    """Whether no configuration satisfies all pairs and fields of `model`.

    Potts and clock models with K < 0 count as frustrated: their ground states are many, or none satisfies all
    bonds. Terms of more than two spins are not looked at.

    >>> from intertwine.spaces.lattices import Square, Triangular
    >>> [is_frustrated(Ising(lattice, K=-0.5)) for lattice in (Square(4, 4), Square(4, 5), Triangular(4, 4))]
    [False, True, True]
    """
    if not isinstance(model, Ising):
        return float(model.coupling) < 0
    bonds, values = model.pairs()
    field = np.broadcast_to(np.asarray(model.field, float), (model.size,))
    if (values >= 0).all() and ((field >= 0).all() or (field <= 0).all()):
        return False
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    fixed, nodes = np.flatnonzero(field), model.size + 1
    ends = np.concatenate([bonds, np.stack([fixed, np.full_like(fixed, model.size)], 1)])
    signs = np.concatenate([values, field[fixed]])
    (i, j), sign = ends[signs != 0].T, signs[signs != 0]
    across = np.where(sign > 0, 0, nodes)
    rows, columns = np.concatenate([i, i + nodes]), np.concatenate([j + across, j + nodes - across])
    graph = coo_array((np.ones(len(rows), np.int8), (rows, columns)), (2 * nodes, 2 * nodes))
    _, part = connected_components(graph, directed=False)
    return bool((part[:nodes] == part[nodes:]).any())


def served_by_clusters(model: Ising | Potts | Clock) -> bool:
    """Whether Swendsen-Wang clusters are the better sampler of a spin model: pairs and fields alone, not
    frustrated.

    >>> from intertwine.spaces.lattices import Square
    >>> served_by_clusters(Ising(Square(4, 4), 0.3)), served_by_clusters(Potts(Square(4, 4), 3, -0.3))
    (True, False)
    """
    return not (isinstance(model, Ising) and model.multi_spin) and not is_frustrated(model)
