"""Mesh files by trimesh: OBJ, PLY, STL and what else it reads; vertices at the same position are one.

Texture coordinates and normals split vertices along seams, and STL has three vertices of its own for
every face: such copies are merged by their positions, which keeps the order of the file."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from jaxtyping import Float, Int

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
