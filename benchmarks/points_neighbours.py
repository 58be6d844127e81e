"""Neighbours of points within a cut-off, beside matscipy's and ASE's lists: the same pairs, in what time.

    pip install matscipy ase
    python benchmarks/points_neighbours.py [--points 5000] [--cutoff 5.0] [--rounds 15]

Positions are uniform at the density of copper, in a cubic and in a crooked periodic cell, and open. Each
round times all in turn; a line for each cell has the medians in milliseconds: `edges` (tables of neighbours,
cell steps and reverse edges on the host), `cloud` (the same as arrays of JAX, padded), matscipy's list of (i,
j, S) and ASE's (once). The pairs are compared first.
"""

from __future__ import annotations

import argparse
import time
import warnings
from collections.abc import Callable
from typing import Any

import jax
import numpy as np
from ase import Atoms
from ase.neighborlist import neighbor_list
from matscipy.neighbours import neighbour_list

import intertwine as it

DENSITY = 4 / 3.61**3
"""Points of copper in a cubic Å."""


def pairs(edges: Any) -> np.ndarray:
    """Sorted rows (i, j, steps) of tables of neighbours."""
    i, k = np.nonzero(np.arange(edges.site.shape[1]) < edges.count[:, None])
    steps = np.zeros((*edges.site.shape, 3), int) if edges.steps is None else edges.steps
    return ordered(i, edges.site[i, k], steps[i, k])


def ordered(i: np.ndarray, j: np.ndarray, steps: np.ndarray) -> np.ndarray:
    """Rows (i, j, steps) in the order of their numbers."""
    rows = np.column_stack([i, j, steps]).astype(np.int64)
    return rows[np.lexsort(rows.T)]


def seconds(function: Callable[[], object]) -> float:
    """Of one call."""
    begun = time.perf_counter()
    jax.block_until_ready(function())
    return time.perf_counter() - begun


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--points", type=int, default=5000)
    parser.add_argument("--cutoff", type=float, default=5.0)
    parser.add_argument("--rounds", type=int, default=15)
    options = parser.parse_args()
    n, cutoff = options.points, options.cutoff
    draw, edge = np.random.default_rng(0), (options.points / DENSITY) ** (1 / 3)
    crooked = np.array([[1.0, 0.0, 0.0], [0.5, 0.9, 0.0], [-0.3, 0.4, 1.0]])
    crooked = crooked * (edge**3 / abs(np.linalg.det(crooked))) ** (1 / 3)
    cells = {"cubic": (edge * np.eye(3), True), "crooked": (crooked, True), "open": (edge * np.eye(3), False)}
    for name, (cell, periodic) in cells.items():
        x = draw.uniform(0, 1, (n, 3)) @ cell
        atoms, points = Atoms(positions=x, cell=cell, pbc=periodic), it.Points(cutoff)
        box = cell if periodic else None
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # crooked cells: points at the faces
            ours = pairs(points.edges(x, box))
            assert np.array_equal(ours, ordered(*neighbour_list("ijS", atoms, cutoff)))
            calls = {
                "edges": lambda p=points, x=x, box=box: p.edges(x, box),
                "cloud": lambda p=points, x=x, box=box: p.cloud(x, cell=box),
                "matscipy": lambda atoms=atoms: neighbour_list("ijS", atoms, cutoff),
            }
            rounds = [{what: seconds(call) for what, call in calls.items()} for _ in range(options.rounds)]
            ase = seconds(lambda atoms=atoms: neighbor_list("ijS", atoms, cutoff))
        median = {what: 1e3 * float(np.median([r[what] for r in rounds])) for what in calls}
        ratio = float(np.median([r["matscipy"] / r["edges"] for r in rounds]))
        times = "  ".join(f"{what} {value:.1f}" for what, value in median.items())
        print(f"{name:8} {len(ours)} edges  {times}  ASE {1e3 * ase:.0f} ms  matscipy/edges {ratio:.2f}")


if __name__ == "__main__":
    main()
