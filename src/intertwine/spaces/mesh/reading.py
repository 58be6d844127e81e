"""Mesh files, read by trimesh (OBJ, PLY, STL and what else it reads; vertices at the same position are one)
and written as OBJ.

Texture coordinates and normals split vertices along seams, and STL has three vertices of its own for
every face: such copies are merged by their positions, which keeps the order of the file."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from jaxtyping import Float, Int
from numpy.typing import ArrayLike

from intertwine._checks import fail


def read_mesh(path: str | Path) -> tuple[Float[np.ndarray, "n 3"], Int[np.ndarray, "F 3"]]:
    """Positions, merged, and faces of a file.

    Raises InputError for files that are not there, of no known format, and without triangles.
    """
    file = Path(path).expanduser()
    if not file.is_file():
        raise fail("path", "a mesh file (OBJ, PLY, STL)", f"{str(path)!r}, which is not there")
    import trimesh

    try:
        found = trimesh.load(str(file), process=False, force="mesh", maintain_order=True)
    except Exception as error:  # whatever the reader of a damaged file stumbles on
        got = f"{str(path)!r}, which trimesh cannot read ({error or type(error).__name__})"
        raise fail("path", "a mesh file (OBJ, PLY, STL)", got) from None
    positions = np.asarray(getattr(found, "vertices", ()), np.float64)
    faces = np.asarray(getattr(found, "faces", ()), np.int64)
    if not faces.size or not positions.size:
        raise fail("path", "a file with triangles", f"{str(path)!r}, without any")
    return merged(positions, faces)


def merged(
    positions: Float[np.ndarray, "n 3"], faces: Int[np.ndarray, "F 3"]
) -> tuple[Float[np.ndarray, "m 3"], Int[np.ndarray, "F 3"]]:
    """Vertices at the same position made one, in the order in which positions come first.

    >>> corners = np.array([[0.0, 0, 0], [1, 0, 0], [0, 1, 0], [1, 0, 0], [1, 1, 0], [0, 1, 0]])
    >>> merged(corners, np.array([[0, 1, 2], [3, 4, 5]]))[1].tolist()
    [[0, 1, 2], [1, 3, 2]]
    """
    first, place = np.unique(positions + 0.0, axis=0, return_index=True, return_inverse=True)[1:]
    order = np.argsort(first)
    rank = np.empty_like(order)
    rank[order] = np.arange(len(order))
    return positions[first[order]], rank[place.reshape(-1)][faces]


def mesh_text(positions: Float[np.ndarray, "n 3"], faces: Int[np.ndarray, "F 3"]) -> str:
    """A mesh in Wavefront's form (OBJ), with every digit of its positions.

    >>> mesh_text(np.eye(3), np.array([[0, 1, 2]])).splitlines()[-1]
    'f 1 2 3'
    """
    lines = [f"v {x!r} {y!r} {z!r}" for x, y, z in np.asarray(positions, float).tolist()]
    lines += [f"f {a + 1} {b + 1} {c + 1}" for a, b, c in np.asarray(faces).tolist()]
    return "\n".join(lines) + "\n"


def checked_mesh(vertices: ArrayLike, faces: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
    """Positions and faces as float64 (n, 3) and int64 (F, 3), or the error that says what they are not."""
    try:
        positions, sides = np.asarray(vertices, np.float64), np.asarray(faces)
    except (TypeError, ValueError):
        raise fail("vertices", "an array (n, 3) of numbers", vertices) from None
    if positions.ndim != 2 or positions.shape[1] != 3:
        raise fail("vertices", "positions (n, 3)", f"shape {positions.shape}")
    if not np.isfinite(positions).all():
        row = int(np.argmin(np.isfinite(positions).all(axis=1)))
        raise fail("vertices", "finite positions", f"vertex {row} at {positions[row].tolist()}")
    if (
        sides.ndim != 2
        or sides.shape[1:] != (3,)
        or not len(sides)
        or not np.issubdtype(sides.dtype, np.integer)
    ):
        remedy = "cut polygons into triangles" if sides.ndim == 2 and sides.shape[1:] != (3,) else ""
        raise fail("faces", "integers (F, 3)", f"shape {sides.shape} of {sides.dtype}", remedy)
    if sides.min() < 0 or sides.max() >= len(positions):
        got = f"{sides.min()} to {sides.max()}"
        raise fail("faces", f"vertices from 0 to {len(positions) - 1}", got, "count from 0")
    return np.ascontiguousarray(positions), np.ascontiguousarray(sides, np.int64)
