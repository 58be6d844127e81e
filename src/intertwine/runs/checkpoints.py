"""Checkpoints that are either whole or refused.

    checkpoints/step-00000120/state/          the arrays, written by orbax
                              manifest.json   step, configuration, and the size and SHA-256 of every file of
                              state/

A checkpoint is written under a hidden name, flushed to the disk and renamed. At loading, the manifest must
belong to this run's configuration and every file must be there with its checksum: otherwise the checkpoint
is refused, the reason is told in one line, and the one before it is used. The last three are kept.

The state is any pytree of arrays and numbers; random keys are stored as their integers. Its structure is
not stored (nothing is unpickled): the caller gives a template, the state at step 0 of the same
configuration, whose leaves' shapes and dtypes must match.
"""

from __future__ import annotations

import errno
import hashlib
import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import PyTree

from intertwine._checks import InputError, fail
from intertwine.records.folder import (
    MANIFEST,
    STATE,
    is_hash_of,
    settings_hash,
    step_of,
    unfinished_checkpoints,
)
from intertwine.records.writing import aside_of, from_json, sync_directory, to_json, write_aside
from intertwine.runs.shared.processes import is_leader

FORMAT = 1
KEEP = 3


class OtherConfigurationError(InputError):
    """The checkpoint is whole, but of another configuration: config.toml was edited."""


class Loaded(NamedTuple):
    """A checkpoint that was loaded: `state` after `step` steps; `refused`: a line for each newer one passed
    over.
    """

    state: Any
    step: int
    refused: list[str]


def save(folder: Path, state: PyTree, step: int, *, config: str, keep: int = KEEP) -> Path:
    """Write `state` after `step` steps under `folder` (`checkpoints/`), and drop all but the last `keep`.

    config: the text of the run's `config.toml`. In a run of several processes each calls this, what is spread
    over them is gathered, and the leader writes.
    """
    import orbax.checkpoint as ocp

    arrays = _flatten(state)
    target = folder / f"step-{step:08d}"
    if not is_leader():
        return target
    _quiet_orbax()
    folder.mkdir(parents=True, exist_ok=True)
    for stale in unfinished_checkpoints(folder):
        shutil.rmtree(stale, ignore_errors=True)
    aside = aside_of(target, "tmp")
    try:
        aside.mkdir()
        with _checkpointer() as checkpointer:
            checkpointer.save((aside / STATE).resolve(), args=ocp.args.StandardSave(arrays))
        manifest = {
            "format": FORMAT,
            "step": step,
            "config_sha256": settings_hash(config),
            "files": {name: _describe(aside / STATE / name, sync=True) for name in _files(aside / STATE)},
        }
        write_aside(aside / MANIFEST, to_json(manifest, indent=1))
        if target.exists():
            shutil.rmtree(target)
        os.replace(aside, target)
    except Exception as error:  # orbax and tensorstore raise many kinds where a disk is full
        shutil.rmtree(aside, ignore_errors=True)
        if isinstance(error, OSError):
            raise
        words = " ".join(f"{type(error).__name__}: {error}".split())[:150]
        raise OSError(errno.EIO, f"the checkpoint could not be written ({words})", str(folder)) from None
    sync_directory(folder)
    for old in steps(folder)[:-keep]:
        shutil.rmtree(folder / f"step-{old:08d}", ignore_errors=True)
    return target


def steps(folder: Path) -> list[int]:
    """The steps of which `folder` has checkpoints, good or not, in increasing order."""
    if not folder.is_dir():
        return []
    found = (step_of(entry.name) for entry in folder.iterdir())
    return sorted(step for step in found if step is not None)


def drop_after(folder: Path, step: int) -> None:
    """Remove the checkpoints of later steps: those of a run that has diverged."""
    for later in steps(folder):
        if later > step:
            shutil.rmtree(folder / f"step-{later:08d}", ignore_errors=True)


def load(folder: Path, template: PyTree, step: int, *, config: str) -> Any:
    """The state saved after `step` steps, in the structure of `template`; `InputError` unless it is whole."""
    _quiet_orbax()
    path = folder / f"step-{step:08d}"
    manifest = _read_manifest(path)
    remedy = "an earlier checkpoint is used if there is one"
    if not is_hash_of(manifest["config_sha256"], config):
        what = "a checkpoint of this config.toml", "one of another configuration"
        remedy = "undo the edit of config.toml, or start a new run with it: intertwine run"
        raise OtherConfigurationError(str(fail(str(path), *what, remedy)))
    if manifest["step"] != step:
        raise fail(str(path), f"a checkpoint of step {step}", f"one of step {manifest['step']}", remedy)
    _check_files(path, manifest["files"], remedy)
    try:
        with _checkpointer() as checkpointer:
            stored = checkpointer.restore((path / STATE).resolve())
    except Exception as error:  # orbax and tensorstore raise many kinds
        raise fail(str(path), "a checkpoint that orbax reads", type(error).__name__, remedy) from None
    return _unflatten(stored, template, path)


def checksum(folder: Path) -> str:
    """Of the newest checkpoint in `folder`: that of its manifest, which has the sums of all its files."""
    newest = folder / f"step-{steps(folder)[-1]:08d}" / MANIFEST
    return "sha256:" + hashlib.sha256(newest.read_bytes()).hexdigest()


def load_latest(folder: Path, template: PyTree, *, config: str, last_step: int) -> Loaded | None:
    """The newest good checkpoint of at most `last_step` steps (as many as `metrics.jsonl` has), or None.

    template: a state of the right structure, or a function from the step to one.

    Where every one is refused: the template and step 0, with the reasons. Raises `InputError` where the
    newest whole one belongs to another configuration.
    """
    of_step = template if callable(template) else lambda _: template
    refused: list[str] = []
    for step in reversed(steps(folder)):
        if step > last_step:
            name = f"{folder / f'step-{step:08d}'}"
            refused.append(
                f"{name}: expected {step} lines in metrics.jsonl, got {last_step}; an earlier one is used."
            )
            continue
        try:
            return Loaded(load(folder, of_step(step), step, config=config), step, refused)
        except OtherConfigurationError:
            raise
        except InputError as error:
            refused.append(str(error))
    return Loaded(of_step(0), 0, refused) if refused else None


def _read_manifest(path: Path) -> dict[str, Any]:
    wanted = {"format": int, "step": int, "config_sha256": str, "files": dict}
    try:
        manifest = from_json((path / MANIFEST).read_bytes())
        whole = isinstance(manifest, dict) and all(isinstance(manifest.get(k), t) for k, t in wanted.items())
    except (OSError, ValueError):
        whole, manifest = False, {}
    if not whole or manifest["format"] != FORMAT:
        raise fail(
            str(path), "a whole manifest.json", "one that is missing or damaged", "an earlier one is used"
        )
    return manifest


def _check_files(path: Path, files: dict[str, Any], remedy: str) -> None:
    present = set(_files(path / STATE)) if (path / STATE).is_dir() else set()
    for name in sorted(set(files) | present):
        if name not in present:
            raise fail(str(path), f"the file {name}", "none", remedy)
        if files.get(name) != _describe(path / STATE / name):
            raise fail(str(path), f"the file {name} as it was written", "one truncated or altered", remedy)


def _files(folder: Path) -> list[str]:
    return sorted(str(p.relative_to(folder).as_posix()) for p in folder.rglob("*") if p.is_file())


def _describe(path: Path, *, sync: bool = False) -> dict[str, Any]:
    with open(path, "rb") as file:
        data = file.read()
        if sync:
            os.fsync(file.fileno())
    return {"bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}


def _is_key(leaf: object) -> bool:
    import jax
    import jax.numpy as jnp

    return isinstance(leaf, jax.Array) and jnp.issubdtype(leaf.dtype, jax.dtypes.prng_key)


def _arrays(tree: PyTree) -> tuple[list[tuple[str, Any]], Any]:
    """The leaves that are stored, each with a name that orbax takes, and the tree's structure."""
    import jax

    leaves, structure = jax.tree_util.tree_flatten_with_path(tree)
    named = []
    for index, (path, leaf) in enumerate(leaves):
        words = "".join(c if c.isalnum() else "_" for c in jax.tree_util.keystr(path)).strip("_")
        named.append((f"{index:04d}_{words}", leaf))
    return named, structure


def _is_stored(leaf: object) -> bool:
    return isinstance(leaf, bool | int | float | complex) or (
        hasattr(leaf, "dtype") and hasattr(leaf, "shape")
    )


def _to_numpy(leaf: Any) -> np.ndarray:
    import jax

    from intertwine.sampling.sharding import on_host

    return np.asarray(jax.random.key_data(leaf)) if _is_key(leaf) else on_host(leaf)


def _flatten(state: PyTree) -> dict[str, np.ndarray]:
    """name → array; functions and strings are the configuration's business, and arrays of no element hold
    nothing.
    """
    arrays = {name: _to_numpy(leaf) for name, leaf in _arrays(state)[0] if _is_stored(leaf)}
    return {name: array for name, array in arrays.items() if array.size}


def _unflatten(stored: Mapping[str, np.ndarray], template: PyTree, path: Path) -> Any:
    import jax
    import jax.numpy as jnp

    from intertwine.sampling.sharding import placed_like

    named, structure = _arrays(template)
    leaves = []
    for name, leaf in named:
        if not _is_stored(leaf) or not _to_numpy(leaf).size:
            leaves.append(leaf)
            continue
        wanted = _to_numpy(leaf)
        have = np.asarray(stored[name]) if name in stored else None
        if have is None or have.shape != wanted.shape or have.dtype != wanted.dtype:
            got = "none" if have is None else f"{have.dtype}{list(have.shape)}"
            what = f"{name} as {wanted.dtype}{list(wanted.shape)}"
            raise fail(str(path), what, got, "resume with the version of intertwine that wrote it")
        if _is_key(leaf):
            leaves.append(jax.random.wrap_key_data(jnp.asarray(have), impl=jax.random.key_impl(leaf)))
        elif isinstance(leaf, jax.Array):
            leaves.append(placed_like(have, leaf))
        elif isinstance(leaf, np.ndarray | np.generic):
            leaves.append(have if isinstance(leaf, np.ndarray) else have[()])
        else:
            leaves.append(type(leaf)(have.item()))
    return jax.tree_util.tree_unflatten(structure, leaves)


def _checkpointer() -> Any:
    """Orbax for this process alone: it is not to wait for the other processes of a run."""
    import jax
    import orbax.checkpoint as ocp

    handler, own = ocp.StandardCheckpointHandler, jax.process_index()
    if jax.process_count() == 1:
        return ocp.Checkpointer(handler())
    alone = ocp.options.MultiprocessingOptions(
        primary_host=own, active_processes={own}, barrier_sync_key_prefix=f"process-{own}"
    )
    return ocp.Checkpointer(handler(multiprocessing_options=alone), multiprocessing_options=alone)


def _quiet_orbax() -> None:
    """orbax logs through absl at every save; only its errors matter here."""
    import logging

    logging.getLogger("absl").setLevel(logging.ERROR)
