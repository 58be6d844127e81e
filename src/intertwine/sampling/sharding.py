"""Where the chains live when there is more than one device: the one place that decides it.

    mesh = chain_mesh("auto", chains=64)          None for one device, else one axis "chains" over the devices
    state = shard_chains(state, mesh, chains=64)  each device runs its share of the chains
    model = replicate(model, mesh)                each device has all parameters

Sampling and local energies then need no communication at all; the Gram matrix is computed in rows and
gathered, the solve is repeated on every device. Chains have a key each, so that their numbers do not depend
on where they run; sums over samples are rounded in another order on another number of devices. The devices
may belong to several processes (`jax.distributed`): every process makes the same calls, and `on_host`
gathers what is spread over them. Axes are `AxisType.Auto`: XLA places what is between the fixed points (Xu
et al., GSPMD, arXiv:2105.04663, 2021).
"""

from __future__ import annotations

from typing import Any

import equinox as eqx
import jax
import numpy as np
from jax import Array
from jax.sharding import AxisType, Mesh, NamedSharding, PartitionSpec
from jaxtyping import PyTree

from intertwine._checks import fail, positive_int

AXIS = "chains"


def chain_mesh(devices: int | str | None, chains: int | None, *, argument: str = "devices") -> Mesh | None:
    """The mesh over which `chains` are spread, or None where one device does it all.

    devices: a number, "auto" (as many as there are and divide the chains), or None (one). Several processes
    take the same number of devices each, and all of them.
    chains: of the sampler; None for a sampler without chains, which stays on one device.

    Raises InputError for more devices than there are, and for a number that does not divide the chains.

    >>> chain_mesh(1, chains=64) is None
    True
    >>> chain_mesh(1000, chains=64)
    Traceback (most recent call last):
    ...
    intertwine._checks.InputError: devices: expected 'auto' or an integer from 1 to ..., got 1000; ...
    """
    processes, present = jax.process_count(), jax.device_count()
    if devices is None:
        devices = processes
    if devices != "auto":
        remedy = "take 'auto', or start JAX with more devices"
        count = positive_int(argument, devices, remedy) if not isinstance(devices, str) else present + 1
        if count > present:
            raise fail(argument, f"'auto' or an integer from 1 to {present}", devices, remedy)
    else:
        fitting = [n for n in range(processes, present + 1, processes) if chains is None or chains % n == 0]
        count = max(fitting, default=processes)
    if count % processes:
        remedy = "every process takes part with as many devices as the others"
        raise fail(argument, f"a multiple of the {processes} processes", count, remedy)
    if count == 1 or (chains is None and processes == 1):
        return None
    if chains is None or chains % count:
        remedy = "take other chains, or another number of devices or processes"
        raise fail("chains", f"a multiple of the {count} devices", chains, remedy)
    return jax.make_mesh((count,), (AXIS,), axis_types=(AxisType.Auto,), devices=_share(count // processes))


def _share(each: int) -> list[Any]:
    """The first `each` devices of every process."""
    found: list[Any] = []
    for process in range(jax.process_count()):
        found += [device for device in jax.devices() if device.process_index == process][:each]
    return found


def over_chains(mesh: Mesh) -> NamedSharding:
    """The first axis cut over the devices."""
    return NamedSharding(mesh, PartitionSpec(AXIS))


def everywhere(mesh: Mesh) -> NamedSharding:
    """The whole array on every device."""
    return NamedSharding(mesh, PartitionSpec())


def shard_chains(state: PyTree, mesh: Mesh | None, chains: int) -> Any:
    """A sampler's state: arrays whose first axis are the `chains` cut over the mesh, the others whole."""
    if mesh is None:
        return state

    def place(leaf: PyTree) -> Any:
        if not eqx.is_array(leaf):
            return leaf
        cut = leaf.ndim > 0 and leaf.shape[0] == chains
        return jax.device_put(leaf, over_chains(mesh) if cut else everywhere(mesh))

    return jax.tree.map(place, state)


def shard_samples(values: Array, mesh: Mesh | None) -> Array:
    """(S, ...) samples, chain-major, cut over the mesh as the chains are."""
    return values if mesh is None else jax.device_put(values, over_chains(mesh))


def replicate(tree: PyTree, mesh: Mesh | None) -> Any:
    """Every array of `tree` (a model, an optimiser's state) whole on every device of the mesh."""
    if mesh is None:
        return tree
    place = lambda leaf: jax.device_put(leaf, everywhere(mesh)) if eqx.is_array(leaf) else leaf  # noqa: E731
    return jax.tree.map(place, tree)


def replicated(tree: PyTree, mesh: Mesh | None) -> Any:
    """The same as a constraint, inside a jit whose argument `mesh` is static."""
    if mesh is None:
        return tree
    hold = jax.lax.with_sharding_constraint
    return jax.tree.map(lambda leaf: hold(leaf, everywhere(mesh)) if eqx.is_array(leaf) else leaf, tree)


def mesh_of(array: object) -> Mesh | None:
    """The mesh over which an array is spread, or None where it is on one device.

    >>> mesh_of(jax.numpy.ones(3)) is None
    True
    """
    sharding: Any = getattr(array, "sharding", None)
    if not isinstance(sharding, NamedSharding) or len(sharding.device_set) == 1:
        return None
    return sharding.mesh if isinstance(sharding.mesh, Mesh) else None


def placed_like(value: np.ndarray, like: Array) -> Array:
    """`value` on the devices on which `like` is (a checkpoint's array in the place of its template)."""
    if len(like.sharding.device_set) == 1:
        return jax.numpy.asarray(value)
    return jax.device_put(value, like.sharding)


def on_host(array: object) -> np.ndarray:
    """The whole array as NumPy's, gathered from the other processes where it is spread over them.

    >>> on_host(jax.numpy.arange(3)).tolist()
    [0, 1, 2]
    """
    if isinstance(array, Array) and not array.is_fully_addressable and not array.is_fully_replicated:
        from jax.experimental.multihost_utils import process_allgather

        return np.asarray(process_allgather(array, tiled=True))
    return np.asarray(array)
