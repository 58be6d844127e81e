r"""A graph: sites with bonds, any list of them, where there need not be any lattice.

    bonds(1)              the edges
    bonds(k)              the pairs at graph distance k, the number of edges of a shortest path (k = 1: edges)
    bonds(colour=c)       the edges of a colour
    space_group           the permutations of sites that carry edges onto edges of the same colour and weight

Positions are optional, for plots and structure factors: bonds and symmetries come from the edges alone.
With `shells_by_colour` shell k is the k-th colour (in sorted order), for Hamiltonians with second neighbours
that a graph cannot know: J1 on the first colour, J2 on the second.

To whatever asks for more than sites and bonds a graph is a lattice of one open cell that holds all its sites:
no translations, the group above for point group.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path

import numpy as np
from jaxtyping import Float, Int8, Int16, Int32
from numpy.typing import ArrayLike

from intertwine._checks import fail, positive_int
from intertwine.spaces.displacements import neighbour_table, two_colouring
from intertwine.spaces.graph.automorphisms import Automorphisms, find_automorphisms
from intertwine.spaces.graph.cell import OneCell
from intertwine.spaces.graph.distances import pair_distances
from intertwine.spaces.graph.edges import Colour, NetworkxGraph, clean_edges, read_networkx
from intertwine.spaces.graph.sites import checked_positions, checked_size
from intertwine.symmetry import PermutationGroup

_LARGEST_TABLE = 2**27
_LARGEST_GROUP = 100_000


class Graph(OneCell):
    r"""Sites 0 … N − 1 and edges between them: an immutable host object (NumPy), hashable and comparable by
    content, static under `jax.jit`.

    edges: pairs of sites, (E, 2), in any direction; or a networkx graph, of which the attributes `colour`,
    `weight` (edges) and `pos` (nodes) are taken where all have them. Their order is kept: `edges`, `weights`,
    `colours`, `bonds()` and couplings of Hamiltonians, one for each bond, all go by it. The same pair twice
    is one edge, where it comes first; an edge from a site to itself raises.
    size: N. None: one more than the largest site, and every site must have an edge.
    colours: of each edge, integers or words, as "x", "y", "z" of Kitaev's bonds.
    positions: (N, d) Cartesian, in any unit; None where there are none.
    weights: of each edge, real numbers: what a coupling of bonds that is one number (J, J1, K of spins, the
    hopping t or J of particles) is multiplied by; a coupling that is an array stands for itself.
    shells_by_colour: whether shell k is the k-th colour.
    label: the name, of files; plays no part in equality.

    >>> triangle_with_tail = Graph([(0, 1), (1, 2), (2, 0), (2, 3)])
    >>> triangle_with_tail
    Graph('graph of 4 sites and 4 bonds')
    >>> triangle_with_tail.bonds(2).tolist(), triangle_with_tail.space_group.permutations.tolist()
    ([[0, 3], [1, 3]], [[0, 1, 2, 3], [1, 0, 2, 3]])
    >>> kitaev = Graph([(0, 1), (1, 2), (2, 3), (3, 0)], colours="xyxy")
    >>> kitaev.bonds(colour="y").tolist(), kitaev.space_group.order
    ([[1, 2], [0, 3]], 4)
    """

    def __init__(
        self,
        edges: ArrayLike | NetworkxGraph,
        *,
        size: int | None = None,
        colours: Sequence[Colour] | None = None,
        positions: ArrayLike | None = None,
        weights: ArrayLike | None = None,
        shells_by_colour: bool = False,
        label: str = "",
    ):
        names: tuple[str, ...] = ()
        if isinstance(edges, NetworkxGraph):
            drawn = read_networkx(edges)
            edges, names = drawn.edges, drawn.names
            size = drawn.size if size is None else size
            colours = drawn.colours if colours is None else colours
            weights = drawn.weights if weights is None else weights
            positions = drawn.positions if positions is None else positions
        found = clean_edges(edges, colours, weights)
        points = None if positions is None else checked_positions(positions)
        if size is None and points is not None:
            size = len(points)
        self._size = checked_size(size, found.pairs)
        if points is not None and len(points) != self._size:
            raise fail("positions", f"{self._size} rows, one for each site", f"{len(points)} rows")
        if shells_by_colour and not found.colours:
            raise fail("shells_by_colour", "False where edges have no colours", True, "give colours")
        self._edges, self._colours, self._weights = _frozen(found.pairs), found.colours, found.weights
        if self._weights is not None:
            _frozen(self._weights)
        self._points, self._by_colour = points, bool(shells_by_colour)
        self._names, self.label = names, str(label)

    @classmethod
    def from_file(cls, path: str | Path, positions: str | Path | None = None) -> Graph:
        """The graph of a text file with an edge a line, `source,target[,colour][,weight]`, separated by
        commas, semicolons, tabs or spaces; sites are numbered from 0.

        A first line of words names the columns (`source,target,colour`, `weight`, or `shell` for colours that
        are shells of neighbours); without one the third column is the colour. Lines from # on are comments.
        positions: a file with a site a line, x[,y[,z]], in the order of the sites; or with a first line that
        names the columns, one of them `site`. `InputError` names a line that does not fit.

        >>> import tempfile
        >>> folder = Path(tempfile.mkdtemp())
        >>> _ = (folder / "edges.csv").write_text("source,target,colour\\n0,1,x\\n1,2,y\\n")
        >>> Graph.from_file(folder / "edges.csv").colours
        ('x', 'y')
        """
        from intertwine.spaces.graph.reading import read_edges, read_positions

        rows = read_edges(Path(path))
        points = None if positions is None else read_positions(Path(positions))
        label = f"graph:{path}" + ("" if positions is None else f"+{positions}")
        return cls(
            rows.edges,
            colours=rows.colours,
            weights=rows.weights,
            positions=points,
            shells_by_colour=rows.shells_by_colour,
            label=label,
        )

    # ---- sites and bonds

    @property
    def size(self) -> int:
        """The number of sites N."""
        return self._size

    @property
    def name(self) -> str:
        """`graph:FILE` for those that were read, which `lattice_from_name` reads again; else in words."""
        return self.label or f"graph of {self.size} sites and {len(self.edges)} bonds"

    @property
    def names(self) -> tuple[str, ...]:
        """What the sites are called by the networkx graph that they come from; () otherwise."""
        return self._names

    @property
    def edges(self) -> Int32[np.ndarray, "E 2"]:
        """int32 (E, 2): all edges i < j, each once, in the order in which they were given."""
        return self._edges

    @property
    def colours(self) -> tuple[Colour, ...]:
        """The colour of each of `edges`; () where they have none."""
        return self._colours

    @property
    def palette(self) -> tuple[Colour, ...]:
        """The different colours, sorted."""
        return tuple(sorted(set(self._colours)))  # type: ignore[type-var]

    @property
    def weights(self) -> Float[np.ndarray, " E"] | None:
        """The weight of each of `edges`, float64 (E,), or None."""
        return self._weights

    def bond_weights(self, shell: int = 1) -> Float[np.ndarray, " B"] | None:
        """The weights of `bonds(shell)`, or None where these are no edges, or have none.

        >>> Graph([(0, 1), (1, 2)], weights=[1, 2]).bond_weights().tolist()
        [1.0, 2.0]
        """
        shell = self._checked_shell(shell)
        if self.weights is None or (shell > 1 and not self._by_colour):
            return None
        if not self._by_colour:
            return self.weights
        return self.weights[[k for k, c in enumerate(self._colours) if c == self.palette[shell - 1]]]

    def bonds(self, shell: int = 1, *, colour: Colour | None = None) -> Int32[np.ndarray, "B 2"]:
        """int32 (B, 2): the pairs i < j of a shell; those of one colour where it is given. Edges are in the
        order in which they were given, other pairs sorted. `InputError` if there is no such shell, or colour.

        >>> Graph([(0, 1), (1, 2), (2, 3)]).bonds(3)
        array([[0, 3]], dtype=int32)
        """
        if colour is not None:
            if colour not in self._colours:
                known = ", ".join(repr(c) for c in self.palette) or "none: the edges have no colours"
                raise fail("colour", f"one of {known}", colour)
            return self.edges[[k for k, c in enumerate(self._colours) if c == colour]]
        shell = self._checked_shell(shell)
        if self._by_colour:
            return self.bonds(colour=self.palette[shell - 1])
        if shell == 1:
            return self.edges
        return np.argwhere(np.triu(self.distances == shell)).astype(np.int32)

    @property
    def shells(self) -> int:
        """How many shells there are: the longest distance between sites of a connected part, or the number of
        colours where they are the shells. Beyond 11,585 sites only the edges are told."""
        if self._by_colour:
            return len(self.palette)
        if self.size**2 > _LARGEST_TABLE:
            return min(1, len(self.edges))
        return int(self.distances.max())

    def shell_distance(self, shell: int = 1) -> float:
        """The number of the shell: distances are numbers of edges."""
        return float(self._checked_shell(shell))

    def neighbours(self, shell: int = 1) -> Int32[np.ndarray, "N z"]:
        """int32 (N, z): for each site its neighbours of that shell, increasing, padded with N.

        >>> Graph([(0, 1), (1, 2)]).neighbours().tolist()
        [[1, 3], [0, 2], [1, 3]]
        """
        pairs = self.bonds(shell)
        both = np.concatenate([pairs, pairs[:, ::-1]])
        i, j = both[np.lexsort((both[:, 1], both[:, 0]))].T
        return _frozen(neighbour_table(i, j, self.size).astype(np.int32))

    def sublattices(self) -> Int8[np.ndarray, " N"]:
        """int8 (N,): ±1, opposite on neighbours, +1 on the first site of each connected part. `InputError`
        where an odd ring of bonds does not let them.

        >>> Graph([(0, 1), (1, 2)]).sublattices().tolist()
        [1, -1, 1]
        """
        colours = two_colouring(self.neighbours()) if len(self.edges) else np.ones(self.size, np.int8)
        if colours is None:
            got = f"{self.name}, which is not bipartite"
            raise fail("lattice", "a bipartite graph (no odd ring of bonds)", got)
        return _frozen(colours)

    @property
    def is_connected(self) -> bool:
        """Whether a path of edges joins any two sites."""
        from scipy.sparse import coo_array
        from scipy.sparse.csgraph import connected_components

        links = coo_array((np.ones(len(self.edges)), tuple(self.edges.T)), shape=(self.size, self.size))
        return int(connected_components(links, directed=False)[0]) == 1

    def _checked_shell(self, shell: int) -> int:
        shell = positive_int("shell", shell, "1 is the edges")
        if (shell > 1 or not len(self.edges)) and shell > self.shells:
            raise fail("shell", f"at most {self.shells}, the shells of {self.name}", shell)
        return shell

    @cached_property
    def distances(self) -> Int16[np.ndarray, "N N"]:
        """int16 (N, N): the numbers of edges of shortest paths, −1 where there is none; to 11,585 sites."""
        return _frozen(pair_distances(self.size, self.edges))

    # ---- symmetry

    @cached_property
    def automorphisms(self) -> Automorphisms:
        """All permutations of sites that carry edges onto edges of the same colour and weight, in strong
        generators: `.order` (exact, however large), `.generators`.

        >>> import itertools
        >>> Graph(list(itertools.combinations(range(20), 2))).automorphisms.order              # 20!
        2432902008176640000
        """
        kinds = np.zeros(len(self.edges), np.int64)
        for values in (self._colours, () if self._weights is None else self._weights):
            if len(values):
                _, kind = np.unique(np.asarray(values), return_inverse=True)
                kinds = kinds * (int(kind.max()) + 1) + kind
        return find_automorphisms(self.size, self.edges, kinds)

    @cached_property
    def space_group(self) -> PermutationGroup:
        """The automorphisms as a list, the identity first. `InputError` beyond 100,000 of them: then there
        are `automorphisms.generators`.

        >>> ring = [(i, (i + 1) % 6) for i in range(6)]
        >>> Graph(ring).space_group.order, Graph(ring, weights=[1, 2, 1, 2, 1, 2]).space_group.order
        (12, 6)
        """
        order = self.automorphisms.order
        if order > _LARGEST_GROUP or order * self.size > _LARGEST_TABLE:
            expected = f"at most {_LARGEST_GROUP:,} automorphisms to list"
            remedy = "take a subgroup of them: PermutationGroup.generate(graph.automorphisms.generators[:k])"
            raise fail("graph", expected, f"{order:.6g} of {self.name}", remedy)
        return PermutationGroup(self.automorphisms.elements())

    @property
    def point_group(self) -> PermutationGroup:
        """The same as `space_group`: there are no translations."""
        return self.space_group

    @cached_property
    def translations(self) -> PermutationGroup:
        """The identity alone."""
        return PermutationGroup.trivial(self.size)

    # ---- where the sites are

    @property
    def has_positions(self) -> bool:
        """Whether positions were given."""
        return self._points is not None

    @property
    def positions(self) -> Float[np.ndarray, "N d"]:
        """float64 (N, d); (N, 0) where none were given."""
        return _frozen(np.zeros((self.size, 0))) if self._points is None else self._points

    # ---- identity

    @cached_property
    def _content(self) -> tuple[object, ...]:
        arrays = (self._edges, self._weights, self._points)
        return (
            self._size,
            self._colours,
            self._by_colour,
            *(a if a is None else (a.shape, a.tobytes()) for a in arrays),
        )

    def __hash__(self) -> int:
        return hash(self._content)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Graph):
            return NotImplemented
        return self._content == other._content

    def __repr__(self) -> str:
        return f"Graph({self.name!r})"


def _frozen(array: np.ndarray) -> np.ndarray:
    array.setflags(write=False)
    return array
