r"""What a renormalization run takes from files of one's own: couplings, configurations, blocking rules.

    bonds            a line `i j K` for every nearest-neighbour bond, in any order; or as many numbers K as
                     there are bonds, in the order of `lattice.bonds()`
    configurations   spins ±1 or states 0 … q − 1, (n, N) in the order in which they were drawn, or (chains,
                     draws, N); sites in the order of the lattice
    table:FILE       p(h = +1 | v) of all 2^n configurations v of a block of n = b^d spins, the first site
                     slowest and +1 before −1
    weights:FILE     w_i of the n spins of a block: p(h = +1 | v) = 1/(1 + e^{−2 Σ_i w_i v_i})

Files are npy, npz, netCDF or tables of numbers (csv, txt); nothing in them is executed.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from intertwine._checks import InputError, fail
from intertwine.experiments.renormalize.names import FILES
from intertwine.experiments.renormalize.settings import RenormalizeConfiguration
from intertwine.spaces.lattice import Lattice

STRETCHES = 4
"""Parts of a run of configurations that stand for chains."""

LARGEST_BLOCK = 16
"""Spins of a block whose rule is a table."""


def read_bonds(path: str, lattice: Lattice) -> np.ndarray:
    """The coupling of each of `lattice.bonds()`, float64 (B,). Raises InputError for other files."""
    bonds = lattice.bonds()
    field, count = "system.bonds", len(bonds)
    table = _read(field, path).astype(np.float64, copy=False)
    wanted = f"{count} couplings of {lattice.name}, or {count} lines 'i j K'"
    if not np.isfinite(table).all():
        raise fail(field, wanted, f"{path}, with numbers that are not finite")
    if table.size == count:
        return table.reshape(-1)
    if table.ndim != 2 or table.shape != (count, 3):
        raise fail(field, wanted, f"{path} of shape {table.shape}")
    pairs = np.sort(table[:, :2], axis=1)
    order = np.lexsort(pairs.T[::-1])
    if not np.array_equal(pairs[order], bonds):
        known = {tuple(pair) for pair in bonds.tolist()}
        other = next((pair for pair in map(tuple, pairs.tolist()) if pair not in known), None)
        got = f"{path} with the pair {other[0]:g} {other[1]:g}, no bond" if other else f"{path}, a bond twice"
        raise fail(field, f"each of the {count} nearest-neighbour bonds of {lattice.name} once", got)
    return table[order, 2]


def read_configurations(path: str, lattice: Lattice, states: int | None) -> np.ndarray:
    """int8 (chains, draws, N); one run (n, N), or (n, L, L) on a lattice of L × L sites, as `STRETCHES`
    successive ones, that they may be held against each other. Raises InputError for other files."""
    from intertwine.rg.blocks.blocks import checked_spins

    field = "system.configurations"
    found = _read(field, path)
    if found.ndim == lattice.dimension + 1 > 2 and found.shape[1:] == lattice.extent and found.size:
        found = found.reshape(len(found), -1)
    values = "spins ±1" if states is None else f"states 0 to {states - 1}"
    wanted = f"{values} of {lattice.name}, an array (n, {lattice.size}) or (chains, draws, {lattice.size})"
    if found.ndim not in (2, 3) or found.shape[-1] != lattice.size or not found.size:
        raise fail(field, wanted, f"{path} of shape {found.shape}", "say the lattice as --system")
    try:
        rows = checked_spins(found, lattice, states)
    except InputError:
        raise fail(field, wanted, f"{path} with other values", _remedy(found, states)) from None
    if found.ndim == 3:
        return rows
    length = len(rows) // STRETCHES
    return rows[: STRETCHES * length].reshape(STRETCHES, length, lattice.size)


def _remedy(values: np.ndarray, states: int | None) -> str:
    """What makes spins or states of other values."""
    if not np.isfinite(values).all():
        return "some are nan or infinite"
    low, high = values.min(), values.max()
    if states is not None and low == 1 and high == states:
        return "v − 1 counts states from 0"
    if states is None and low == 0 and high == 1:
        return "2 v − 1 makes spins of bits"
    return f"they go from {low:g} to {high:g}"


def read_rule(family: str, path: str, dimension: int) -> Any:
    """The rule of table:FILE or weights:FILE in `dimension` dimensions. Raises InputError for other files."""
    from intertwine.rg.blocks.blocking import BlockRule

    numbers = _read("rule.name", path).astype(np.float64, copy=False).reshape(-1)
    spins = int(numbers.size).bit_length() - 1 if family == "table" else numbers.size
    block = round(spins ** (1 / dimension)) if spins > 0 else 0
    whole = numbers.size == (2**spins if family == "table" else spins)
    if not whole or block < 2 or block**dimension != spins or (family == "table" and spins > LARGEST_BLOCK):
        sizes = [n for n in (b**dimension for b in range(2, 17)) if n <= LARGEST_BLOCK or family != "table"]
        counts = ", ".join(f"{2**n if family == 'table' else n}" for n in sizes[:4])
        what = "probabilities p(h = +1|v)" if family == "table" else "weights"
        raise fail("rule.name", f"{counts} … {what} in {dimension}-d", f"{path} with {numbers.size} numbers")
    if not np.isfinite(numbers).all():
        raise fail("rule.name", "finite numbers", f"{path} with others")
    if family == "weights":
        return BlockRule(block, Weights(tuple(numbers.tolist())))
    if numbers.min() < 0 or numbers.max() > 1:
        raise fail(
            "rule.name", "probabilities from 0 to 1", f"{path} with others", "weights:FILE has weights"
        )
    return BlockRule(block, numbers)


class Weights(NamedTuple):
    """p(h = +1|v_B) of a hidden spin with its own weight to every spin of its block."""

    weights: tuple[float, ...]

    def __call__(self, spins: np.ndarray) -> np.ndarray:
        return 1.0 / (1.0 + np.exp(-2.0 * np.clip(spins @ np.array(self.weights), -350.0, 350.0)))


def own_files(c: RenormalizeConfiguration) -> dict[str, Any] | None:
    """What names the files of the run and their contents, for `data.json`; None where there are none."""
    from intertwine.data.checks import checksum

    paths = [c.system.own_bonds, c.system.own_configurations, c.rule.path if c.rule.family in FILES else ""]
    paths = [path for path in paths if path]
    if not paths:
        return None
    sums = [checksum(Path(path)) for path in paths]
    together = sums[0] if len(sums) == 1 else "sha256:" + hashlib.sha256("\n".join(sums).encode()).hexdigest()
    return {"source": ", ".join(paths), "checksum": together}


def _read(field: str, path: str) -> np.ndarray:
    """The array of a file, the errors about it by the field that names it."""
    from intertwine.data.files import read_array

    try:
        return np.asarray(read_array(path))
    except InputError as error:
        raise fail(field, "a file of numbers", f"{path}: {error}") from None
