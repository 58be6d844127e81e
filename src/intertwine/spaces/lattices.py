r"""The lattices with a name: nearest neighbours at distance 1, every boundary periodic unless said otherwise.

    chain        square       triangular     honeycomb       kagome            cubic
    o--o--o      o--o         o---o            o--o          o---o---o         3-d square
                 |  |          \ / \          /    \          \ / \ /
                 o--o           o---o        o      o--        o   o

Open boundaries drop the bonds that would go around. Besides these: ladders; the Lieb lattice (a square one
with a site on every bond) and the shuriken (square-kagome: squares with a triangle on each side); of three
dimensions BCC, FCC, diamond and pyrochlore (tetrahedra that share corners), in primitive cells.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from math import sqrt

import numpy as np

from intertwine._checks import InputError, fail
from intertwine.spaces.graph.graph import Graph
from intertwine.spaces.lattice import Lattice

Boundaries = bool | tuple[bool, ...]
_H = sqrt(3) / 2
_FCC = np.array([[0.0, 1.0, 1.0], [1.0, 0.0, 1.0], [1.0, 1.0, 0.0]])


def Chain(L: int, pbc: Boundaries = True) -> Lattice:
    """L sites in a row, or in a ring.

    >>> Chain(6).bonds().shape, Chain(6).space_group.order, Chain(6, pbc=False).space_group.order
    ((6, 2), 12, 2)
    """
    return Lattice([[1.0]], None, (L,), pbc, "chain")  # type: ignore[arg-type]


def Square(Lx: int, Ly: int | None = None, pbc: Boundaries = True) -> Lattice:
    """Lx × Ly sites (Ly = Lx if not given); site x·Ly + y.

    >>> Square(4, 6).name, Square(6).size, Square(6).space_group.order
    ('square:4x6', 36, 288)
    """
    return Lattice([[1.0, 0.0], [0.0, 1.0]], None, _extent(Lx, Ly), pbc, "square")  # type: ignore[arg-type]


def Triangular(Lx: int, Ly: int | None = None, pbc: Boundaries = True) -> Lattice:
    """Lx × Ly sites, six neighbours each.

    >>> Triangular(6).neighbours().shape, Triangular(6).space_group.order
    ((36, 6), 432)
    """
    return Lattice([[1.0, 0.0], [0.5, _H]], None, _extent(Lx, Ly), pbc, "triangular")  # type: ignore[arg-type]


def Honeycomb(Lx: int, Ly: int | None = None, pbc: Boundaries = True) -> Lattice:
    """Lx × Ly cells of two sites, three neighbours each.

    >>> Honeycomb(3).size, Honeycomb(3).neighbours().shape, Honeycomb(3).space_group.order
    (18, (18, 3), 108)
    """
    vectors, offsets = [[2 * _H, 0.0], [_H, 1.5]], [[0.0, 0.0], [_H, 0.5]]
    return Lattice(vectors, offsets, _extent(Lx, Ly), pbc, "honeycomb")  # type: ignore[arg-type]


def Kagome(Lx: int, Ly: int | None = None, pbc: Boundaries = True) -> Lattice:
    """Lx × Ly cells of three sites, four neighbours each: triangles that share corners.

    >>> Kagome(3).size, Kagome(3).neighbours().shape, Kagome(3).space_group.order
    (27, (27, 4), 108)
    """
    vectors, offsets = [[2.0, 0.0], [1.0, 2 * _H]], [[0.0, 0.0], [1.0, 0.0], [0.5, _H]]
    return Lattice(vectors, offsets, _extent(Lx, Ly), pbc, "kagome")  # type: ignore[arg-type]


def Cubic(Lx: int, Ly: int | None = None, Lz: int | None = None, pbc: Boundaries = True) -> Lattice:
    """Lx × Ly × Lz sites (a cube if only Lx is given).

    >>> Cubic(4).size, Cubic(3, 3, 3).space_group.order
    (64, 1296)
    """
    return Lattice(np.eye(3), None, _extents(Lx, Ly, Lz), pbc, "cubic")


def Hypercubic(*extent: int, pbc: Boundaries = True) -> Lattice:
    """A hypercubic lattice of any dimension, an extent for each direction.

    >>> Hypercubic(4, 4, 4, 8).name, Hypercubic(4, 4, 4, 8).size
    ('hypercubic:4x4x4x8', 512)
    """
    vectors = np.eye(max(len(extent), 1))
    return Lattice(vectors, None, extent, pbc, "hypercubic")


def LinkSites(*extent: int, pbc: Boundaries = True) -> Lattice:
    """The midpoints of the links of a hypercubic lattice of these extents: d sites a cell, link μ of cell x
    is site d·x + μ (`spaces.link_sites`). Its symmetries are those of the lattice of the sites x: without the
    half translations that the midpoints alone have, which exchange stars and faces.

    >>> LinkSites(3, 3).name, LinkSites(3, 3).size, LinkSites(3, 3).space_group.order
    ('links:3x3', 18, 72)
    """
    vectors = np.eye(max(len(extent), 1))
    return Lattice(vectors, vectors / 2, extent, pbc, "links", np.zeros((1, len(vectors))))


def Ladder(L: int, legs: int = 2, pbc: bool = True) -> Lattice:
    """`legs` chains of L sites side by side; site x·legs + leg. pbc: whether the legs are rings; there is no
    bond from the last leg to the first.

    >>> Ladder(4).size, len(Ladder(4).bonds()), len(Ladder(4, 3, pbc=False).bonds())
    (8, 12, 17)
    """
    if not isinstance(pbc, bool | np.bool_):
        raise fail("pbc", "True or False, for the direction along the legs", pbc)
    return Lattice([[1.0, 0.0], [0.0, 1.0]], None, (L, legs), (bool(pbc), False), "ladder")  # type: ignore[arg-type]


def Lieb(Lx: int, Ly: int | None = None, pbc: Boundaries = True) -> Lattice:
    """Lx × Ly cells of three sites: corners of four neighbours, and the middles of the bonds between them, of
    two. Bipartite, with twice as many sites in one sublattice as in the other.

    >>> Lieb(2).size, len(Lieb(2).bonds()), int(Lieb(2).sublattices().sum())
    (12, 16, -4)
    """
    vectors, offsets = [[2.0, 0.0], [0.0, 2.0]], [[0.0, 0.0], [1.0, 0.0], [0.0, 1.0]]
    return Lattice(vectors, offsets, _extent(Lx, Ly), pbc, "lieb")  # type: ignore[arg-type]


def Shuriken(Lx: int, Ly: int | None = None, pbc: Boundaries = True) -> Lattice:
    """Lx × Ly cells of six sites, four neighbours each: squares, with an equilateral triangle on each side
    whose tip is shared with the next square (Siddharthan & Georges 2001; also called square-kagome).

    >>> Shuriken(2).size, Shuriken(2).neighbours().shape, len(Shuriken(2).bonds())
    (24, (24, 4), 48)
    """
    a = 1 + sqrt(3)
    corners = [[0.5, 0.5], [0.5, -0.5], [-0.5, -0.5], [-0.5, 0.5]]
    offsets = [*corners, [a / 2, 0.0], [0.0, a / 2]]
    return Lattice([[a, 0.0], [0.0, a]], offsets, _extent(Lx, Ly), pbc, "shuriken")  # type: ignore[arg-type]


def BCC(Lx: int, Ly: int | None = None, Lz: int | None = None, pbc: Boundaries = True) -> Lattice:
    """Lx × Ly × Lz primitive cells of the body-centred cubic lattice, eight neighbours each; its vectors go
    to three of them. A cube of L³ conventional cells has 2 L³ sites, this one L³.

    >>> BCC(4).size, BCC(4).neighbours().shape
    (64, (64, 8))
    """
    vectors = np.array([[-1.0, 1.0, 1.0], [1.0, -1.0, 1.0], [1.0, 1.0, -1.0]]) / sqrt(3)
    return Lattice(vectors, None, _extents(Lx, Ly, Lz), pbc, "bcc")


def FCC(Lx: int, Ly: int | None = None, Lz: int | None = None, pbc: Boundaries = True) -> Lattice:
    """Lx × Ly × Lz primitive cells of the face-centred cubic lattice, twelve neighbours each.

    >>> FCC(3).size, FCC(3).neighbours().shape
    (27, (27, 12))
    """
    return Lattice(_FCC / sqrt(2), None, _extents(Lx, Ly, Lz), pbc, "fcc")


def Diamond(Lx: int, Ly: int | None = None, Lz: int | None = None, pbc: Boundaries = True) -> Lattice:
    """Lx × Ly × Lz primitive cells of the diamond lattice, two sites each with four neighbours; bipartite.

    >>> Diamond(2).size, Diamond(2).neighbours().shape
    (16, (16, 4))
    """
    offsets = np.array([[0.0, 0.0, 0.0], [1.0, 1.0, 1.0]]) / sqrt(3)
    return Lattice(2 / sqrt(3) * _FCC, offsets, _extents(Lx, Ly, Lz), pbc, "diamond")


def Pyrochlore(Lx: int, Ly: int | None = None, Lz: int | None = None, pbc: Boundaries = True) -> Lattice:
    """Lx × Ly × Lz primitive cells of four sites, six neighbours each: tetrahedra that share corners.

    >>> Pyrochlore(2).size, Pyrochlore(2).neighbours().shape, len(Pyrochlore(1, 1, 1, pbc=False).bonds())
    (32, (32, 6), 6)
    """
    vectors = sqrt(2) * _FCC
    offsets = np.concatenate([np.zeros((1, 3)), vectors / 2])
    return Lattice(vectors, offsets, _extents(Lx, Ly, Lz), pbc, "pyrochlore")


def _extents(Lx: int, Ly: int | None, Lz: int | None) -> tuple[int, int, int]:
    if (Ly is None) != (Lz is None):
        raise fail("Lz", "all three extents, or one for a cube", f"({Lx}, {Ly}, {Lz})", "give Lx, Ly and Lz")
    return Lx, Lx if Ly is None else Ly, Lx if Lz is None else Lz


def _extent(Lx: int, Ly: int | None) -> tuple[int, int]:
    return Lx, Lx if Ly is None else Ly


def _families() -> dict[str, tuple[Callable[..., Lattice], int]]:
    """Each name's factory and dimension, 0 for any."""
    return {
        "chain": (Chain, 1),
        "square": (Square, 2),
        "triangular": (Triangular, 2),
        "honeycomb": (Honeycomb, 2),
        "kagome": (Kagome, 2),
        "cubic": (Cubic, 3),
        "hypercubic": (Hypercubic, 0),
        "links": (LinkSites, 0),
        "ladder": (Ladder, 2),
        "lieb": (Lieb, 2),
        "shuriken": (Shuriken, 2),
        "bcc": (BCC, 3),
        "fcc": (FCC, 3),
        "diamond": (Diamond, 3),
        "pyrochlore": (Pyrochlore, 3),
    }


def lattice_from_name(name: object) -> Lattice | Graph:
    """The lattice of a name `family:extents[:boundaries]`, the inverse of `Lattice.name`; or the graph of a
    file, `graph:edges.csv`, with positions `graph:edges.csv+sites.csv` (`Graph.from_file`).

    Families: chain, square, triangular, honeycomb, kagome, cubic, hypercubic, links, ladder, lieb, shuriken,
    bcc, fcc, diamond, pyrochlore. Extents: numbers joined by x, or one number for equal extents (ladder:8 has
    two legs; hypercubic and links take them all). Boundaries: `periodic` (default), `open`, or one of them
    for each direction joined by a hyphen; ladders are open across their legs. Anything else raises one
    `InputError` that lists what is known.

    >>> lattice_from_name("square:6").name, lattice_from_name("kagome:2x3:open").size
    ('square:6x6', 18)
    >>> lattice_from_name("square:4x2:periodic-open") == Square(4, 2, pbc=(True, False))
    True
    >>> lattice_from_name("hexagonal:3x3")
    Traceback (most recent call last):
    ...
    intertwine._checks.InputError: lattice: expected a name such as chain:20, square:6x6, cubic:4 or
    kagome:2x3:open, of the families chain, square, triangular, honeycomb, kagome, cubic, hypercubic, links,
    ladder, lieb, shuriken, bcc, fcc, diamond, pyrochlore, or graph:FILE, got hexagonal:3x3; there is no
    family 'hexagonal'.
    """
    families = _families()

    def wrong(what: str) -> Exception:
        known = "a name such as chain:20, square:6x6, cubic:4 or kagome:2x3:open, of the families "
        return fail("lattice", known + ", ".join(families) + ", or graph:FILE", name, what)

    if not isinstance(name, str):
        raise wrong("give a string")
    head, _, files = name.strip().partition(":")
    if head.lower() == "graph":
        edges, _, sites = files.partition("+")
        if not edges or (not sites and files.endswith("+")):
            raise wrong("give a file, for example graph:edges.csv")
        return _read_graph(edges, sites or None)
    family, *rest = name.strip().lower().split(":")
    if family not in families:
        raise wrong(f"there is no family {family!r}")
    factory, d = families[family]
    d = d or max(rest[0].count("x") + 1 if rest else 4, 2)
    if not 1 <= len(rest) <= 2 or not re.fullmatch(r"[0-9]{1,9}(x[0-9]{1,9})*", rest[0], re.ASCII):
        raise wrong(f"give the extents, for example {family}:{'x'.join(['4'] * d)}")
    extent = [int(n) for n in rest[0].split("x")]
    if len(extent) not in (1, d) or min(extent) < 1:
        raise wrong(f"{family} takes one positive extent or {d}")
    words = rest[1].split("-") if len(rest) == 2 else ["periodic"]
    if len(words) not in (1, d) or not set(words) <= {"periodic", "open"}:
        raise wrong(f"boundaries are periodic, open, or {d} of them joined by a hyphen")
    if family == "ladder":
        if words[1:] == ["periodic"]:
            raise wrong("a ladder is open across its legs; a torus is square:8x2")
        return Ladder(extent[0], *(extent[1:] or [2]), pbc=words[0] == "periodic")
    pbc = tuple(word == "periodic" for word in words) * (d // len(words))
    return factory(*(extent * (d // len(extent))), pbc=pbc)


def _read_graph(edges: str, sites: str | None) -> Graph:
    try:
        return Graph.from_file(edges, sites)
    except InputError as error:
        if ", line " in str(error).partition(":")[0] or str(error).startswith("graph:"):
            raise
        raise fail("lattice", "a file of edges", f"graph:{edges} ({str(error).rstrip('.')})") from None
