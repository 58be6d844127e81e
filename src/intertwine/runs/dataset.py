"""`result.nc` of any run, an `xarray.Dataset`, and what its numbers depend on besides the configuration."""

from __future__ import annotations

import math
import platform
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr
from jaxtyping import PyTree

from intertwine._checks import fail
from intertwine._version import __version__
from intertwine.runs.run_folder import write_aside_with

_PACKAGES = ("jax", "jaxlib", "numpy", "scipy", "equinox", "optax", "numba", "orbax-checkpoint", "xarray")


def versions() -> dict[str, str]:
    """What the numbers depend on besides the configuration."""
    found = {"python": platform.python_version(), "intertwine": __version__, "platform": platform.platform()}
    for name in _PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def write_dataset(path: Path, data: xr.Dataset) -> None:
    """Write `data` (netCDF-4) aside and rename."""
    write_aside_with(path, lambda aside: data.to_netcdf(aside, engine="h5netcdf"))


def number_or_nan(value: object) -> float:
    return float(value) if isinstance(value, int | float) else math.nan


def parameter_variables(model: PyTree) -> dict[str, Any]:
    """parameter_<name>, each on its own axes; (re, im) last for complex ones."""
    import jax

    from intertwine.models.parameters import parameters

    found = {}
    for path, leaf in jax.tree_util.tree_flatten_with_path(parameters(model))[0]:
        name = "parameter_" + "".join(c if c.isalnum() else "_" for c in jax.tree_util.keystr(path)).strip(
            "_"
        )
        array: Any = np.asarray(leaf)
        axes = [f"{name}_axis_{k}" for k in range(array.ndim)]
        if np.iscomplexobj(array):
            array, axes = np.stack([array.real, array.imag], axis=-1), [*axes, "re_im"]
        found[name] = (axes, array, {"long_name": f"final parameter {name}", "units": "1"})
    return found


def with_parameters(blank: PyTree, arrays: xr.Dataset, where: str) -> Any:
    """`blank` with the parameters that `parameter_variables` wrote; `InputError` where one is not there.
    where: the file, as errors call it."""
    import equinox as eqx
    import jax
    import jax.numpy as jnp

    from intertwine.models.parameters import parameters

    names, (leaves, structure) = list(parameter_variables(blank)), jax.tree.flatten(parameters(blank))
    found = []
    for name, leaf in zip(names, leaves, strict=True):
        complex_, shape = jnp.iscomplexobj(leaf), tuple(leaf.shape)
        asked = (*shape, 2) if complex_ else shape
        if name not in arrays.variables or arrays[name].shape != asked:
            raise fail(where, f"{name} of shape {asked}", "none of it", "get the file again")
        values = np.asarray(arrays[name].values)
        values = values[..., 0] + 1j * values[..., 1] if complex_ else values
        found.append(jnp.asarray(values, leaf.dtype))
    fixed = eqx.filter(blank, eqx.is_inexact_array, inverse=True)
    return eqx.combine(jax.tree.unflatten(structure, found), fixed)
