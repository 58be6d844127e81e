"""A mesh in three lines: counts and kind, size, curvature."""

from __future__ import annotations

import numpy as np

from intertwine.spaces.mesh.surface import Surface


def summary(surface: Surface, group: str) -> str:
    """What a mesh shows of itself.

    >>> from intertwine.spaces.mesh.icosphere import icosahedron
    >>> print(summary(Surface(*icosahedron(0)), "SO(2)").splitlines()[0])
    Mesh of 12 vertices, 30 edges, 20 faces: closed, orientable, Euler number 2 (genus 0)
    """
    topo, lengths = surface.topology, surface.lengths
    open_edges = topo.boundary_edges
    words = [
        f"boundary of {open_edges} edges" if open_edges else "closed",
        "orientable" if topo.orientable else "not orientable",
        f"Euler number {topo.euler}",
    ]
    if topo.components > 1:
        words.insert(0, f"{topo.components} pieces")
    genus = (
        f" (genus {1 - topo.euler // 2})"
        if not open_edges and topo.orientable and topo.components == 1
        else ""
    )
    turned = f", {topo.reversed_faces} faces turned to agree" if topo.reversed_faces else ""
    d, h = surface.defects, surface.holonomies
    held = f"; holonomies of faces {_range(h)}" if topo.orientable else ""
    return "\n".join(
        (
            f"Mesh of {surface.size} vertices, {len(topo.edges)} edges, {len(surface.faces)} faces: "
            f"{', '.join(words)}{genus}{turned}",
            f"area {surface.face_areas.sum():.4g}, edges {_range(lengths)}, frames {group}",
            f"angle defects {_range(d)}, in all {round(d.sum() / np.pi, 3) + 0.0:.3f} π{held}",
        )
    )


def _range(values: np.ndarray) -> str:
    return f"{values.min():.3g} to {values.max():.3g}"
