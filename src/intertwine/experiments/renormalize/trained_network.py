"""A trained network out of the folder of its learning run: its machine, its data, what it is as a rule."""

from __future__ import annotations

import hashlib
import json
from math import prod
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from intertwine._checks import InputError, fail
from intertwine.experiments.datasets import load_data
from intertwine.experiments.load import load
from intertwine.models.machines.rbm import RBM
from intertwine.models.results import as_model
from intertwine.report.folder import read_record
from intertwine.rg.networks.lowest_layer import lowest_layer, placed_rule
from intertwine.rg.networks.network_map import NetworkRule
from intertwine.runs.kinds import configuration_of
from intertwine.runs.run_folder import CONFIG, DATA, DATASET, RESULT, check_is_run
from intertwine.runs.settings import read_toml
from intertwine.spaces.lattice import Lattice
from intertwine.spaces.lattices import Square

if TYPE_CHECKING:
    from intertwine.experiments.renormalize.settings import RenormalizeConfiguration


class Learned(NamedTuple):
    """A machine with real float64 parameters, the data that it learnt, the torus of its visible units, and
    what qualifies it: of a deep machine it is the lowest layer.
    """

    machine: RBM
    data: Any
    lattice: Lattice
    caveats: tuple[str, ...]


def check_learned(folder: str) -> Any:
    """The settings of the complete learning run in `folder`; `InputError` for another folder."""
    path = check_is_run(Path(folder))
    tables = read_toml(path / CONFIG)
    kind = tables.get("kind", "ground-state")
    if kind != "learn":
        remedy = "make one with: intertwine learn --data ising:8 --model rbm:64"
        raise fail("rule.name", "the folder of a learning run", f"{folder}, a run of kind {kind!r}", remedy)
    if not (path / DATASET).is_file():
        remedy = f"finish it with: intertwine resume {folder}"
        raise fail("rule.name", "the folder of a complete learning run", f"{folder}, without results", remedy)
    return configuration_of(tables)


def checksum(folder: str) -> str:
    """Of the file of the machine's parameters."""
    return "sha256:" + hashlib.sha256((Path(folder) / DATASET).read_bytes()).hexdigest()


def load_learned(folder: str, extent: tuple[int, ...] | None = None) -> Learned:
    """The machine of the learning run in `folder`. extent: of its torus, where the data do not say how their
    columns lie.

    Raises `InputError` for another kind of run, data that changed or are gone, units that are no spins or
    bits, and sites that are no torus of at least 3 by 3.
    """
    settings, path = check_learned(folder), Path(folder)
    data = load_data(settings.data)
    _check_data(path, data.checksum)
    machine, caveats = _machine(folder, settings)
    return Learned(machine, data, _torus(data.shape or extent, machine.size), caveats)


def network_rule(folder: str, lattice: Lattice) -> tuple[NetworkRule, tuple[str, ...]]:
    """The machine of the learning run in `folder` as a rule that blocks `lattice`, and what qualifies it;
    `InputError` where its hidden units are no block spins."""
    settings = check_learned(folder)
    shape = read_record(Path(folder) / RESULT).get("data", {}).get("shape")
    if shape is not None and tuple(shape) != lattice.extent:
        torus = "x".join(map(str, shape))
        remedy = f"say --system ising:{torus}"
        raise fail("system.name", f"the torus {torus} of the network's visible units", lattice.name, remedy)
    machine, caveats = _machine(folder, settings)
    try:
        return placed_rule(machine, lattice), caveats
    except InputError as error:
        raise InputError(str(error).replace("rule:", "rule.name:", 1)) from None


def _machine(folder: str, settings: RenormalizeConfiguration) -> tuple[RBM, tuple[str, ...]]:
    """The machine, of a deep one its lowest layer, with float64 parameters where JAX has them."""
    with jax.enable_x64(settings.precision == "float64"):
        machine, caveats = lowest_layer(as_model(load(folder)))
    if machine.units not in ("spin", "binary"):
        raise fail("rule.name", "a machine on spins or bits", f"one on {machine.units} units")
    parts = (machine.visible_bias, machine.hidden_bias, machine.weights)
    exact = [jnp.asarray(np.asarray(part, np.float64)) for part in parts]
    return RBM.from_parameters(*exact, units=machine.units, hidden_units=machine.hidden_units), caveats


def _torus(shape: tuple[int, ...] | None, size: int) -> Lattice:
    if shape is None:
        got = f"one on {size} columns, which do not say how they lie"
        raise fail("rule.name", "a machine on a known torus", got, "give it: --system ising:8x8")
    if len(shape) != 2 or prod(shape) != size or min(shape) < 3:
        raise fail(
            "rule.name",
            "a machine on a torus of at least 3 by 3 sites",
            f"one on {size} units",
            "learn ising:8",
        )
    return Square(*shape)


def _check_data(path: Path, found: str) -> None:
    try:
        before = json.loads((path / DATA).read_text(encoding="utf-8"))["checksum"]
    except (OSError, ValueError, KeyError, TypeError):
        return
    if before != found:
        raise fail("data.name", f"the data of {path} ({before})", found, "put the old file back")


def rows_of(learned: Learned, most: int) -> np.ndarray:
    """At most `most` rows of the data, held out where there are some, in the machine's own units."""
    data = learned.data
    rows = data.examples(most) if data.test is None else data.held_out()[:most]
    return np.asarray(rows, np.float64)
