"""A trained network out of the folder of its learning run: its machine, its data, what it is as a rule."""

from __future__ import annotations

import hashlib
import json
from functools import lru_cache
from math import prod
from pathlib import Path
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from intertwine._checks import InputError, fail
from intertwine.experiments.learn.settings import LearnConfiguration
from intertwine.models.machines.rbm import RBM
from intertwine.runs import checkpoints
from intertwine.runs.run_folder import CHECKPOINTS, CONFIG, check_is_run, read_metrics
from intertwine.runs.settings import read_toml, validate
from intertwine.spaces.lattice import Lattice
from intertwine.spaces.lattices import Square


class Learned(NamedTuple):
    """A machine with real float64 parameters, the data that it learnt, the torus of its visible units, and
    after how many lines of its training it was saved.
    """

    machine: RBM
    data: Any
    lattice: Lattice
    step: int


def check_learned(folder: str) -> LearnConfiguration:
    """The configuration of the learning run in `folder`; `InputError` unless it has a machine that can be
    read as a renormalization step: an rbm on spins or bits, saved at least once."""
    path = check_is_run(Path(folder))
    tables = read_toml(path / CONFIG)
    wanted = "the folder of a learning run with an rbm"
    kind = tables.get("kind", "ground-state")
    remedy = "make one with: intertwine learn --data ising:8 --model rbm:64"
    if kind != "learn":
        raise fail("rule.name", wanted, f"{folder}, a run of kind {kind!r}", remedy)
    c = validate(LearnConfiguration, tables)
    if c.model.family != "rbm":
        raise fail("rule.name", wanted, f"{folder}, with {c.model.name}", remedy)
    if not checkpoints.steps(path / CHECKPOINTS):
        raise fail("rule.name", wanted, f"{folder}, which has no checkpoint yet", "let it run on")
    return c


def checksum(folder: str) -> str:
    """Of the newest checkpoint of the learning run in `folder`: that of its manifest."""
    path = Path(folder) / CHECKPOINTS
    newest = path / f"step-{checkpoints.steps(path)[-1]:08d}" / checkpoints.MANIFEST
    return "sha256:" + hashlib.sha256(newest.read_bytes()).hexdigest()


@lru_cache(maxsize=2)
def load_learned(folder: str, extent: tuple[int, ...] | None = None) -> Learned:
    """The machine of the newest good checkpoint in `folder`. extent: of its torus, where the data do not say
    how their columns lie.

    Raises `InputError` for another kind of run, data that changed or are gone, units that are no spins or
    bits, and sites that are no torus of at least 3 by 3.
    """
    from intertwine.experiments.learn import experiment as learn

    c, path = check_learned(folder), Path(folder)
    with jax.enable_x64(c.precision == "float64"):
        problem = learn.build(c)
        loaded = checkpoints.load_latest(
            path / CHECKPOINTS,
            problem.training.template,
            config=(path / CONFIG).read_text(encoding="utf-8"),
            last_step=len(read_metrics(path)),
        )
        if loaded is None or not loaded.step:
            reason = (loaded.refused if loaded else ["no checkpoint"])[0]
            raise fail("rule.name", "a learning run with a good checkpoint", f"{folder} ({reason[:120]})")
        machine = problem.training.model(loaded.state)
    if machine.units not in ("spin", "binary"):
        raise fail("rule.name", "a machine on spins or bits", f"one on {machine.units} units")
    _check_data(path, problem.data.checksum)
    parts = (machine.visible_bias, machine.hidden_bias, machine.weights)
    exact = [jnp.asarray(np.asarray(part, np.float64)) for part in parts]
    plain = RBM.from_parameters(*exact, units=machine.units, hidden_units=machine.hidden_units)
    return Learned(plain, problem.data, _torus(problem.data.shape or extent, machine.size), loaded.step)


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
    from intertwine.runs.run_folder import DATA

    try:
        before = json.loads((path / DATA).read_text(encoding="utf-8"))["checksum"]
    except (OSError, ValueError, KeyError, TypeError):
        return
    if before != found:
        raise InputError(
            str(fail("data.name", f"the data of {path} ({before})", found, "put the old file back"))
        )


def rows_of(learned: Learned, most: int) -> np.ndarray:
    """At most `most` rows of the data, held out where there are some, in the machine's own units."""
    data = learned.data
    rows = data.examples(most) if data.test is None else data.held_out()[:most]
    return np.asarray(rows, np.float64)
