r"""A network in one file: a line of JSON that says how to build it, then its numbers.

The first line holds the recipe (the arguments of `network_from_name`, `field_network` or `point_network`);
the numbers follow as NumPy arrays (`equinox.tree_serialise_leaves`), batch-norm statistics among them.
Nothing is pickled, and loading runs no code of the file's.
"""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp

from intertwine._checks import InputError, fail
from intertwine._results import as_model
from intertwine.layers.networks.field_network import FieldRecipe, field_network
from intertwine.layers.networks.network_names import Recipe, network_from_name
from intertwine.layers.networks.points.point_network import PointRecipe, network_of_recipe
from intertwine.layers.networks.table_network import TableRecipe, table_network

_FORMAT = "intertwine network 2"
_OLD = "intertwine network 1"


def save_network(path: str | Path, network: eqx.Module) -> None:
    """Write a network that `network_from_name`, `field_network` or `point_network` built, trained or not.

    Raises InputError for a network without recipe (of layers of one's own, or on a grid without name).
    """
    network = as_model(network)
    recipe = getattr(network, "recipe", None)
    if not isinstance(recipe, Recipe | FieldRecipe | PointRecipe | TableRecipe):
        remedy = "for others use equinox.tree_serialise_leaves"
        expected = "one that network_from_name, field_network, point_network or table_network built"
        raise fail("network", expected, "one without recipe", remedy)
    head = {"format": _FORMAT, "recipe": asdict(recipe), "grey": bool(getattr(network, "grey", False))}
    head |= {"of": "fields"} if isinstance(recipe, FieldRecipe) else {}
    head |= {"of": "points"} if isinstance(recipe, PointRecipe) else {}
    head |= {"of": "group"} if isinstance(recipe, TableRecipe) else {}
    with Path(path).open("wb") as file:
        file.write((json.dumps(head) + "\n").encode())
        eqx.tree_serialise_leaves(file, network)


def load_network(path: str | Path, *, space: str | None = None) -> Any:
    """The network that `save_network` wrote: the same outputs, bit for bit.

    space: of a network on fields, the name of its space where that has changed (a mesh file in another
    place).

    Raises InputError for anything else.

    >>> import tempfile
    >>> net = network_from_name("cnn:2", "p4", image_size=12, key=jax.random.key(0))
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     save_network(Path(folder) / "net", net)
    ...     bool(eqx.tree_equal(net, load_network(Path(folder) / "net")))
    True
    """
    try:
        with Path(path).open("rb") as file:
            head = json.loads(file.readline(2**20))
            if isinstance(head, dict) and head.get("format") == _OLD:
                remedy = "train it again: the run's config.toml says how"
                raise fail("path", "a network of this version", f"{path}, one of an earlier version", remedy)
            if not isinstance(head, dict) or head.get("format") != _FORMAT:
                raise fail("path", "a file of save_network", path)
            return eqx.tree_deserialise_leaves(file, _skeleton(head, space))
    except InputError:
        raise
    except OSError as error:
        raise fail("path", "a file that can be read", f"{path} ({error.strerror})") from None
    except Exception as error:
        reason = f"{path} ({type(error).__name__}: {(str(error).splitlines() or [''])[0]})"
        raise fail("path", "a whole file of save_network", reason) from error


def _skeleton(head: dict[str, Any], space: str | None) -> Any:
    """The network without its numbers."""
    arguments: dict[str, Any] = dict(head["recipe"])
    if isinstance(arguments.get("classes"), list):  # JSON has no tuples
        arguments["classes"] = tuple(arguments["classes"])
    name, dtype = arguments["name"], arguments["dtype"]
    if dtype == "float64" and not jax.config.read("jax_enable_x64"):
        remedy = 'call jax.config.update("jax_enable_x64", True) first'
        raise fail("path", "a network of float32", "one of float64", remedy)

    if head.get("of") == "points":
        return eqx.filter_eval_shape(lambda: network_of_recipe(arguments, key=jax.random.key(0)))
    del arguments["name"], arguments["dtype"]
    common: dict[str, Any] = dict(dtype=jnp.dtype(dtype), key=jax.random.key(0))
    if head.get("of") == "group":
        return eqx.filter_eval_shape(lambda: table_network(name, arguments["order"], **common))

    def build() -> Any:
        if head.get("of") == "fields":
            own = arguments | {"space": space or arguments["space"]}
            found: Any = field_network(name, **own, **common)
        else:
            found = network_from_name(name, **arguments, **common)
        return found.reading_bytes(True) if head.get("grey") else found

    return eqx.filter_eval_shape(build)
