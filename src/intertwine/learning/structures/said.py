r"""What a network says of a batch of structures: energies, their derivatives, and whatever else it has
channels for, in one pass forward and, for derivatives, one back.

    E_s = Σ_{i ∈ s} E_i          F_i = −∂(Σ_s E_s)/∂x_i
    σ_s = (1/V_s) ∂E_s/∂ε_s      x → x (1 + ε),  cell → cell (1 + ε)

Forces are the exact gradient of what the network says, so that a closed path does no work. All in the
network's scale.
"""

from __future__ import annotations

import equinox as eqx
import jax
import jax.numpy as jnp
from jax import Array
from jaxtyping import Float, PyTree

from intertwine.learning.structures.targets import ENERGY, FORCES, STRESS, Target
from intertwine.spaces.points.cloud import Cloud


def said_of(
    network: PyTree,
    positions: Float[Array, "n d"],
    features: Float[Array, "n C"],
    cloud: Cloud,
    targets: tuple[Target, ...],
) -> dict[str, Array]:
    """name → what is said: of structures (S, …), of points (n, …).

    Vectors of structures, such as dipoles, are sums over points; other numbers, and the scores of classes,
    are means.
    """
    names = {target.name for target in targets}
    features = features.astype(positions.dtype)
    cells = cloud.cells.astype(positions.dtype)
    cloud = eqx.tree_at(lambda c: (c.positions, c.cells), cloud, (positions, cells))
    if not names & {FORCES, STRESS}:
        return _by_name(network(features, at=cloud), cloud, targets)
    strain = jnp.zeros((cloud.structures, *(positions.shape[1:] * 2)), positions.dtype)

    def run(x: Array, strain: Array) -> Array:
        return network(features, at=_strained(cloud, x, strain if STRESS in names else None))

    outputs, pull = jax.vjp(run, positions, strain)
    place = _channel(targets)
    share = jnp.zeros_like(outputs).at[:, place].set(cloud.real.astype(outputs.dtype))
    slope, by_strain = pull(share)
    found = _by_name(outputs, cloud, targets)
    if FORCES in names:
        found[FORCES] = -slope
    if STRESS in names:
        volume = jnp.abs(jnp.linalg.det(cells))[:, None, None]
        found[STRESS] = jnp.where(volume > 0, by_strain / jnp.where(volume > 0, volume, 1), 0)
        found[STRESS] = 0.5 * (found[STRESS] + jnp.swapaxes(found[STRESS], 1, 2))
    return found


def type_of(targets: tuple[Target, ...]) -> str:
    """The fields that a network for these targets gives; the energy first where it is a derivative's alone.

    >>> type_of((Target("energy", "energy", False, 1), Target("forces", "forces", True, 3)))
    'scalar'
    """
    return " + ".join(t.type for t in spoken(targets))


def spoken(targets: tuple[Target, ...]) -> tuple[Target, ...]:
    """The targets that have channels, an energy among them wherever forces or stress are asked for."""
    own = tuple(target for target in targets if target.type)
    derived = any(target.kind in (FORCES, STRESS) for target in targets)
    if derived and all(target.kind != ENERGY for target in own):
        own = (Target(ENERGY, ENERGY, False, 1), *own)
    return own


def _channel(targets: tuple[Target, ...]) -> int:
    """The channel of the energy."""
    place = 0
    for target in spoken(targets):
        if target.kind == ENERGY:
            return place
        place += target.channels
    raise ValueError("no energy")


def _by_name(outputs: Array, cloud: Cloud, targets: tuple[Target, ...]) -> dict[str, Array]:
    found, place = {}, 0
    for target in spoken(targets):
        own = outputs[:, place : place + target.channels]
        place += target.channels
        if not target.per_point:
            summed = target.kind in (ENERGY, "vector")
            own = cloud.sums(own) if summed else cloud.means(own)
        found[target.name] = own[:, 0] if target.kind == ENERGY else own
    return found


def _strained(cloud: Cloud, positions: Array, strain: Array | None) -> Cloud:
    if strain is None:
        return cloud.moved(positions)
    moved = positions + jnp.einsum("ni,nij->nj", positions, strain[cloud.structure])
    cells = cloud.cells + cloud.cells @ strain
    return eqx.tree_at(lambda c: (c.positions, c.cells), cloud, (moved, cells))
