r"""What is read off a network of points: energies, forces, stresses, dipoles, polarisabilities.

    E_S = Σ_{i in S} e_i                         e_i the network's scalar at point i
    F_i = −∂E/∂x_i                               the exact gradient, so that energy is conserved
    σ_S = (1/V_S) ∂E_S/∂ε,  x ↦ x (1 + ε)        ε symmetric; tensile stress positive, pressure −tr σ/3
    μ_S = Σ_i q_i x_i + v_i,  Σ_i q_i = 0        q_i a scalar, v_i a vector at point i
    α_S = Σ_i a_i 1 + t_i                        t_i of degree 2, symmetric and without trace

(Schütt, Unke & Gastegger, ICML 2021, for the last two; Knuth et al. 2015 for the strain.) Points that only
pad a batch count 0.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from jaxtyping import Float

from intertwine._checks import fail
from intertwine.layers.points.hidden_types import checked_compact, edge_irrep
from intertwine.spaces.points.cloud import Cloud
from intertwine.symmetry.compact import CompactRep
from intertwine.symmetry.fibre_maps import bilinear_maps


class Energies(NamedTuple):
    """energies (S,), of each structure. forces (n, d), of each point. stresses (S, d, d), or None where they
    were not asked for; 0 of structures without a cell."""

    energies: Array
    forces: Array
    stresses: Array | None = None


class EnergyForces(eqx.Module):
    r"""Energies of structures with their exact derivatives.

    network: called `network(x, at=cloud)`, one scalar at every point (rep_out = "scalar").

    Raises InputError for a network with other outputs.

    >>> from intertwine.layers.networks.points.point_network import point_network
    >>> from intertwine.spaces.points.points import Points
    >>> points = Points(3.0)
    >>> model = EnergyForces(point_network("painn:4", points, 1, 1, key=jax.random.key(0)))
    >>> cloud = points.cloud(np.array([[0.0, 0, 0], [0, 0, 1], [0, 1.5, 0]]))
    >>> found = model(jnp.ones((len(cloud.positions), 1)), at=cloud)
    >>> found.energies.shape, bool(abs(found.forces.sum(0)).max() < 1e-5)
    ((1,), True)
    """

    network: Any

    def __init__(self, network: Any):
        rep = getattr(network, "rep_out", None)
        if not callable(network) or not getattr(rep, "is_trivial", False) or network.rep_out.dimension != 1:
            raise fail("network", "a network on points with one scalar as output", rep or network)
        self.network = network

    def energies(self, x: Float[Array, "n C"], *, at: Cloud, key: Array | None = None) -> Float[Array, " S"]:
        """The energy of each structure."""
        found = self.network(x, at=at, key=key)
        return (at.sums(found) if len(found) == len(at.positions) else found)[:, 0]

    def __call__(
        self, x: Float[Array, "n C"], *, at: Cloud, stress: bool = False, key: Array | None = None
    ) -> Energies:
        """Energies, forces and, with `stress`, stresses, of one forward and one backward pass."""

        def total(positions: Array, strain: Array | None) -> tuple[Array, Array]:
            found = self.energies(x, at=strained(at, positions, strain), key=key)
            return found.sum(), found

        if not stress:
            slope, energies = jax.grad(total, has_aux=True)(at.positions, None)
            return Energies(energies, -slope)
        d = at.positions.shape[-1]
        rest = jnp.zeros((at.structures, d, d), at.positions.dtype)
        (slope, strains), energies = jax.grad(total, argnums=(0, 1), has_aux=True)(at.positions, rest)
        volume = jnp.abs(jnp.linalg.det(at.cells))[:, None, None]
        whole = volume > 0
        return Energies(energies, -slope, jnp.where(whole, strains / jnp.where(whole, volume, 1), 0))

    def stretched(self, x: Float[Array, "n C"], *, at: Cloud) -> Float[Array, "S d d"]:
        """∂E/∂ε, the virial with its sign changed, also of structures without a cell."""
        d = at.positions.shape[-1]
        rest = jnp.zeros((at.structures, d, d), at.positions.dtype)
        return jax.grad(lambda e: self.energies(x, at=strained(at, at.positions, e)).sum())(rest)


def strained(cloud: Cloud, positions: Array, strain: Array | None) -> Cloud:
    """The cloud with other positions, and space under each structure stretched by 1 + ε, ε (S, d, d)."""
    if strain is None:
        return cloud.moved(positions)
    strain = (strain + strain.swapaxes(-1, -2)) / 2
    moved = positions + jnp.einsum("nd,nde->ne", positions, strain[cloud.structure])
    cells = cloud.cells + jnp.einsum("scd,sde->sce", cloud.cells, strain.astype(cloud.cells.dtype))
    return eqx.tree_at(lambda c: c.cells, cloud.moved(moved), cells)


class Dipole(eqx.Module):
    """Dipoles of structures that are neutral as a whole, as vectors, in the unit of charge and length.

    network: outputs "scalar + vector" at every point: charges, from which each structure's mean is taken
    off, and dipoles of the points.

    Raises InputError for a network with other outputs.

    >>> from intertwine.layers.networks.points.point_network import point_network
    >>> from intertwine.spaces.points.points import Points
    >>> points = Points(3.0)
    >>> model = Dipole(point_network("painn:4", points, 1, "scalar + vector", key=jax.random.key(0)))
    >>> cloud = points.cloud(np.array([[0.0, 0, 0], [0, 0, 1], [0, 1.5, 0]]))
    >>> model(jnp.ones((len(cloud.positions), 1)), at=cloud).shape
    (1, 3)
    """

    network: Any
    rep_out: CompactRep = eqx.field(static=True)

    def __init__(self, network: Any):
        self.rep_out = _vector(network)
        _check_outputs(network, network.rep_out.group.trivial + self.rep_out, "scalar + vector")
        self.network = network

    @property
    def rep_in(self) -> CompactRep:
        """That of the network."""
        return self.network.rep_in

    @property
    def space(self) -> Any:
        """That of the network."""
        return self.network.space

    def __call__(self, x: Float[Array, "n C"], *, at: Cloud, key: Array | None = None) -> Float[Array, "S d"]:
        """The dipole of each structure."""
        found = self.network(x, at=at, key=key)
        charges = found[:, :1] - at.means(found[:, :1])[at.structure]
        return at.sums(charges * at.positions.astype(found.dtype) + found[:, 1:])


class Polarisability(eqx.Module):
    """Polarisabilities of structures: symmetric matrices (S, d, d).

    network: outputs "scalar + degree 2" at every point ("scalar + spin 2" in the plane).

    Raises InputError for a network with other outputs.

    >>> from intertwine.layers.networks.points.point_network import point_network
    >>> from intertwine.spaces.points.points import Points
    >>> points = Points(3.0)
    >>> model = Polarisability(point_network("nequip:2", points, 1, "scalar + degree 2",
    ...     key=jax.random.key(0)))
    >>> cloud = points.cloud(np.array([[0.0, 0, 0], [0, 0, 1], [0, 1.5, 0]]))
    >>> model(jnp.ones((len(cloud.positions), 1)), at=cloud).shape
    (1, 3, 3)
    """

    network: Any

    def __init__(self, network: Any):
        group = _vector(network).group
        _check_outputs(network, group.trivial + edge_irrep(group, 2), "scalar + degree 2")
        self.network = network

    def __call__(
        self, x: Float[Array, "n C"], *, at: Cloud, key: Array | None = None
    ) -> Float[Array, "S d d"]:
        """The matrix of each structure: its mean on the diagonal is the sum of the scalars."""
        found = at.sums(self.network(x, at=at, key=key))
        return symmetric_matrices(found, self.network.rep_out)


def symmetric_matrices(x: Float[Array, "... C"], rep: CompactRep) -> Float[Array, "... d d"]:
    """Fields "scalar + degree 2" as symmetric Cartesian matrices a·1 + t."""
    group = rep.group
    vector, two = edge_irrep(group, 1), edge_irrep(group, 2)
    scale = 1.0 if group.dimension == 3 else 2**0.5
    parts = jnp.asarray(scale * bilinear_maps(vector, vector, two)[0], x.dtype)
    identity = jnp.asarray(np.eye(group.dimension), x.dtype)
    return x[..., :1, None] * identity + jnp.einsum("...m,mij->...ij", x[..., 1:], parts)


def _vector(network: Any) -> CompactRep:
    """The type of a vector of a network's space."""
    rep = checked_compact(getattr(network, "rep_out", None), "network")  # pyright: ignore[reportArgumentType]
    return edge_irrep(rep.group, 1)


def _check_outputs(network: Any, rep: CompactRep, name: str) -> None:
    if network.rep_out != rep:
        raise fail("network", f"a network on points with outputs {name!r}", network.rep_out)
