r"""Spin correlations and structure factors of a state, from its samples.

C(r) = ⟨Z_i Z_j⟩ over pairs at r,      S(q) = (1/N) ⟨|Σ_j e^{−iq·r_j} Z_j|²⟩
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from jax import Array
from jaxtyping import PyTree

from intertwine._checks import fail
from intertwine.quantum.entanglement.drawn import draw
from intertwine.quantum.observables.correlations import Correlations, correlations

if TYPE_CHECKING:
    from intertwine.sampling.protocols import Sampler
    from intertwine.spaces.lattice import Lattice


def structure_factor(
    model: PyTree, lattice: Lattice, samples: int = 4096, *, key: Array, sampler: Sampler | None = None
) -> Correlations:
    """C(r) of the displacements and S(q) of the momenta of `lattice`, with error bars.

    model: a wave function, a run or a vector of amplitudes. samples, sampler: as of `it.expect`. A rotation
    about z (Marshall's) leaves them as they are. Raises InputError for a lattice of another size.

    >>> import jax, numpy as np
    >>> from intertwine.spaces.lattices import Chain
    >>> neel = np.zeros(16)
    >>> neel[[0b0101, 0b1010]] = 1
    >>> structure_factor(neel, Chain(4), 64, key=jax.random.key(0)).structure_factor.round(12) + 0.0
    array([0., 0., 4., 0.])
    """
    drawn = draw(model, samples, key, sampler)
    if drawn.size != lattice.size:
        raise fail("lattice", f"{drawn.size} sites, as the model has", f"{lattice.size} sites")
    return correlations(lattice, drawn.configurations)
