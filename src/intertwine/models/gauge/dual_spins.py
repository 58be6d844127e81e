r"""Wave functions of closed loops by spins on the faces, whose domain walls they are.

    s_l = σ_p σ_p',      ψ(s) = φ(σ(s)),      φ(−σ) = φ(σ)

(Wegner, J. Math. Phys. 12, 2259, 1971: Z_2 gauge theory and its dual Ising model.)
"""

from __future__ import annotations

import jax.numpy as jnp
from jax import Array
from jaxtyping import Shaped

from intertwine._checks import fail
from intertwine.models.gauge.loop_rbm import OfLoops, of_loops
from intertwine.models.protocols import LogAmplitude
from intertwine.spaces.lattice import Lattice
from intertwine.spaces.link_sites import links_at


def of_dual_spins(inner: LogAmplitude, lattice: Lattice) -> OfLoops:
    r"""A wave function of closed loops s_l = X_l = ±1 (the basis "x" of `toric`) from one of dual spins.

    Gauss' law Π_{l∋v} s_l = 1 says that the links with s = −1 are closed loops: walls between domains of
    spins on the faces, s_l = σ_p σ_p', where no loop winds around the torus. ψ(s) = φ(σ(s)), σ by the links
    that are crossed on the way from the first face; φ is even, or ψ is not the same for the other way round.
    Moves of Metropolis that stay among such configurations are the faces (`FlipSets`).
    inner: φ, a model of a spin on each face with φ(−σ) = φ(σ). lattice: of the links, in two dimensions.

    Raises InputError for other lattices and models of another size.
    """
    links = links_at(lattice)
    if links.dimension != 2:
        raise fail("lattice", "links in two dimensions", lattice.name)
    Lx, Ly = links.extent
    ways = [
        [2 * (i * Ly) + 1 for i in range(1, x + 1)] + [2 * (x * Ly + j) for j in range(1, y + 1)]
        for x in range(Lx)
        for y in range(Ly)
    ]
    return of_loops(inner, ways, size=links.size)


def domain_walls(lattice: Lattice, spins: Shaped[Array, "... V"]) -> Shaped[Array, "... N"]:
    """s_l = σ_p σ_p' of spins on the faces (..., V), face x standing between the directions at site x.

    >>> from intertwine.spaces.lattices import LinkSites
    >>> s = domain_walls(LinkSites(3, 3), jnp.ones(9, jnp.int8).at[4].set(-1))
    >>> int((s == -1).sum())                                                      # around one face
    4
    """
    links = links_at(lattice)
    if links.dimension != 2 or spins.shape[-1] != links.lattice.size:
        raise fail("spins", f"a spin on each of {links.lattice.size} faces in two dimensions", spins.shape)
    _, behind = links.neighbours()
    walls = [spins * spins[..., behind[:, 1 - mu]] for mu in range(2)]
    return jnp.stack(walls, -1).reshape(*spins.shape[:-1], links.size)
