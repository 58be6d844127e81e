r"""A finite piece of any Bravais lattice with a basis, periodic, open or mixed.

    r(n, b) = Σ_a n_a a_a + c_b,      0 ≤ n_a < L_a

Sites are numbered cell by cell, row-major (the first extent slowest), the basis last. Everything else is found from
these positions: shells of neighbours are the distinct distances between nearest images, smallest first; the space group
is the set of isometries that permute the sites (`space_group`); displacements between sites fall into classes, over which
correlation functions are averaged.

Small tori: a pair of sites is one pair, even where bonds wrap onto it twice. So `Chain(2)` has one bond, the 2 × 2 square
torus four; and shell k is the k-th distance that occurs *on this torus*.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from jaxtyping import Float, Int8, Int32

from intertwine._checks import fail, positive_int
from intertwine.spaces.geometry import Geometry, nearest_images
from intertwine.spaces.space_group import SpaceGroup, find_space_group, translation_permutations
from intertwine.symmetry import PermutationGroup

_LARGEST_GROUP = 2**30


@dataclass(frozen=True, eq=False, repr=False)
class Lattice:
    r"""Sites of a Bravais lattice with a basis: an immutable host object (NumPy), hashable and comparable by content,
    static under `jax.jit`.

    basis_vectors: (d, d), rows a_a, linearly independent, in any unit of length (Cartesian).
    site_offsets: (n_basis, d) Cartesian positions c_b in the cell; None for one site at the origin.
    extent: the number of cells L_a along each basis vector.
    pbc: True (periodic), False (open), or one of them for each direction.
    label: the name's first word, e.g. "square" in `square:6x6`; plays no part in equality.
    Raises `InputError` for dependent vectors, wrong shapes, non-finite numbers, sites that coincide.

    >>> ladder = Lattice([[1.0, 0.0], [0.0, 1.0]], None, (4, 2), pbc=(True, False))
    >>> ladder.size, ladder.name, len(ladder.bonds()), ladder.space_group.order
    (8, 'lattice:4x2:periodic-open', 12, 16)
    >>> ladder.positions[:3]
    array([[0., 0.],
           [0., 1.],
           [1., 0.]])
    """

    basis_vectors: Float[np.ndarray, "d d"]
    site_offsets: Float[np.ndarray, "b d"] | None
    extent: tuple[int, ...]
    pbc: bool | tuple[bool, ...] = True
    label: str = "lattice"
    _tables: dict[Any, np.ndarray] = field(init=False)

    def __post_init__(self) -> None:
        basis = _real("basis_vectors", self.basis_vectors)
        d = len(basis)
        if d == 0 or basis.shape != (d, d):
            raise fail("basis_vectors", "shape (d, d), one row a lattice vector", f"shape {basis.shape}")
        lengths = np.linalg.norm(basis, axis=1)
        if lengths.min() == 0 or abs(np.linalg.det(basis / lengths[:, None])) < 1e-6:
            raise fail("basis_vectors", "linearly independent rows", basis.tolist(), "choose other lattice vectors")
        offsets = _real("site_offsets", np.zeros((1, d)) if self.site_offsets is None else self.site_offsets)
        if offsets.ndim != 2 or offsets.shape[1] != d or len(offsets) == 0:
            raise fail("site_offsets", f"shape (n_basis, {d})", f"shape {offsets.shape}", "one row a site of the cell")
        given = self.extent if isinstance(self.extent, Sequence) else (self.extent,)
        if isinstance(given, str) or len(given) != d:
            raise fail("extent", f"{d} numbers of cells", self.extent, "give one for each lattice vector")
        extent = tuple(positive_int("extent", n, "give the number of cells along each direction") for n in given)
        for key, value in (("basis_vectors", basis), ("site_offsets", offsets), ("extent", extent)):
            object.__setattr__(self, key, value)
        object.__setattr__(self, "pbc", _boundaries(self.pbc, d))
        object.__setattr__(self, "_tables", {})
        if np.linalg.norm(self.displacements[self._apart], axis=1).min(initial=np.inf) <= self._geometry.tolerance:
            raise fail("site_offsets", "sites that are apart", offsets.tolist(), "two sites coincide: drop one")

    @property
    def _geometry(self) -> Geometry:
        assert self.site_offsets is not None and isinstance(self.pbc, tuple)
        return Geometry(self.basis_vectors, self.site_offsets, self.extent, self.pbc)

    @property
    def dimension(self) -> int:
        """d."""
        return len(self.extent)

    @property
    def basis_size(self) -> int:
        """The number of sites in a cell."""
        return len(self._geometry.site_offsets)

    @property
    def size(self) -> int:
        """The number of sites N."""
        return int(np.prod(self.extent)) * self.basis_size

    @property
    def periodic(self) -> tuple[bool, ...]:
        """For each direction, whether it is periodic."""
        return self._geometry.periodic

    @property
    def name(self) -> str:
        """E.g. `square:6x6`, `kagome:2x3:open`, `square:4x2:periodic-open`; `lattice_from_name` reads it back for the
        lattices that have a name of their own."""
        boundary = {True: "periodic", False: "open"}
        words = [boundary[p] for p in self.periodic]
        tail = "" if all(self.periodic) else f":{words[0]}" if len(set(words)) == 1 else ":" + "-".join(words)
        return f"{self.label}:{'x'.join(str(n) for n in self.extent)}{tail}"

    @cached_property
    def positions(self) -> Float[np.ndarray, "N d"]:
        """float64 (N, d): Cartesian positions, in the unit of the basis vectors."""
        return _frozen(self._geometry.positions())

    def site_at(self, cell: Sequence[int], basis: int = 0) -> int:
        """The site `basis` of a cell, cells folded along periodic directions; `InputError` if it is outside.

        >>> Lattice([[1.0]], None, (5,)).site_at([-1])
        4
        """
        indices = np.asarray(cell)
        if indices.shape != (self.dimension,) or not np.issubdtype(indices.dtype, np.integer):
            raise fail("cell", f"{self.dimension} integers", cell)
        folded, inside = self._geometry.wrap(indices)
        if not inside or not 0 <= basis < self.basis_size:
            raise fail("cell", f"a cell inside {self.extent} and a basis site < {self.basis_size}", f"{cell}, {basis}")
        return int(self._geometry.number(folded)) * self.basis_size + basis

    # ---- displacements ------------------------------------------------------------------------------------------

    @cached_property
    def _spans(self) -> np.ndarray:
        """The number of different cell displacements along each direction."""
        return np.where(self.periodic, self.extent, 2 * np.array(self.extent) - 1)

    @cached_property
    def _class_cells(self) -> np.ndarray:
        """int64 (n, d): the cell displacement of each class; along open directions from −(L−1) to L−1."""
        cells = np.indices(tuple(self._spans)).reshape(self.dimension, -1).T
        return np.where(~np.array(self.periodic) & (cells >= self.extent), cells - self._spans, cells)

    @cached_property
    def displacements(self) -> Float[np.ndarray, "C d"]:
        """float64 (C, d): for each class of `displacement_index` the shortest vector r_j − r_i (one of them, where several
        images are equally short). Class 0 is the zero vector.

        >>> Lattice([[1.0]], None, (4,)).displacements.ravel()
        array([ 0.,  1.,  2., -1.])
        """
        between = self._geometry.site_offsets[None] - self._geometry.site_offsets[:, None]
        vectors = (self._class_cells @ self.basis_vectors)[:, None, None] + between
        return _frozen(nearest_images(vectors.reshape(-1, self.dimension), self._geometry.wrapping))

    @cached_property
    def displacement_index(self) -> Int32[np.ndarray, "N N"]:
        """int32 (N, N): the class of the displacement from site i to site j. Pairs of one class are translates of each
        other: same cell displacement (modulo the extent along periodic directions), same two basis sites.

        A correlation function averaged over translations is

        >>> import numpy as np
        >>> chain = Lattice([[1.0]], None, (4,))
        >>> index = chain.displacement_index.ravel()
        >>> correlation = np.array([[1, -1, 1, -1]]).T @ np.array([[1, -1, 1, -1]])          # ⟨s_i s_j⟩, (N, N)
        >>> np.bincount(index, correlation.ravel()) / np.bincount(index)
        array([ 1., -1.,  1., -1.])

        and belongs to the vectors `displacements`. On a periodic lattice with one site a cell, `displacement_index[0, j] = j`.
        """
        cells = self._geometry.cells
        steps = (cells[None] - cells[:, None]) % self._spans
        number = np.ravel_multi_index(tuple(np.moveaxis(steps, -1, 0)), tuple(self._spans))
        b = np.arange(self.basis_size)
        pairs = number[:, None, :, None] * self.basis_size**2 + (b[:, None, None] * self.basis_size + b)
        return _frozen(pairs.reshape(self.size, self.size).astype(np.int32))

    @cached_property
    def momenta(self) -> Float[np.ndarray, "n d"]:
        r"""float64 (n_cells, d): q = Σ_a (m_a/L_a) b_a with a_a·b_c = 2π δ_ac and 0 ≤ m_a < L_a, row-major; row 0 is q = 0.

        The momenta of a torus, and the customary grid of a structure factor S(q) = (1/N) Σ_ij e^{iq·(r_i − r_j)} ⟨s_i s_j⟩ along
        open directions, where translation is no symmetry. With a basis S(q) repeats only outside the first zone: add
        reciprocal vectors to see it there.

        >>> Lattice([[1.0]], None, (4,)).momenta.ravel() / np.pi
        array([0. , 0.5, 1. , 1.5])
        """
        return _frozen(2 * np.pi * (self._geometry.cells / np.array(self.extent)) @ np.linalg.inv(self.basis_vectors).T)

    # ---- shells of neighbours -----------------------------------------------------------------------------------

    @cached_property
    def _apart(self) -> np.ndarray:
        """Which displacement classes join two different sites."""
        apart = np.ones(len(self.displacements), bool)
        apart[: self.basis_size**2 : self.basis_size + 1] = False  # no cell displacement and b_i = b_j
        return apart

    @cached_property
    def _shells(self) -> tuple[np.ndarray, np.ndarray]:
        """The distinct distances, increasing, and the shell (from 1) of each class; 0 from a site to itself."""
        lengths = np.linalg.norm(self.displacements, axis=1)
        ordered = np.sort(lengths[self._apart])
        fresh = np.diff(ordered, prepend=-np.inf) > self._geometry.tolerance
        starts = ordered[fresh]
        shell = np.searchsorted(starts - self._geometry.tolerance / 2, lengths, side="right")
        return starts, np.where(self._apart, shell, 0)

    @property
    def shells(self) -> int:
        """How many shells of neighbours there are (0 for a single site)."""
        return len(self._shells[0])

    def shell_distance(self, shell: int = 1) -> float:
        """The distance of the `shell`-th neighbours (1 = nearest), in the unit of the basis vectors.

        >>> Lattice([[1.0, 0.0], [0.0, 1.0]], None, (4, 4)).shell_distance(3)
        2.0
        """
        return float(self._shells[0][self._checked_shell(shell) - 1])

    def bonds(self, shell: int = 1) -> Int32[np.ndarray, "B 2"]:
        """int32 (B, 2): the pairs i < j at the `shell`-th distance, sorted, each once (also where a bond of a small torus
        wraps onto the same pair twice). `InputError` if there is no such shell.

        >>> Lattice([[1.0]], None, (4,)).bonds()
        array([[0, 1],
               [0, 3],
               [1, 2],
               [2, 3]], dtype=int32)
        """
        return self._table("bonds", self._checked_shell(shell))

    def neighbours(self, shell: int = 1) -> Int32[np.ndarray, "N z"]:
        """int32 (N, z): for each site its neighbours of that shell, increasing, padded with N; z is the largest number.

        >>> Lattice([[1.0]], None, (4,), pbc=False).neighbours()
        array([[1, 4],
               [0, 2],
               [1, 3],
               [2, 4]], dtype=int32)
        """
        return self._table("neighbours", self._checked_shell(shell))

    def _checked_shell(self, shell: int) -> int:
        shell = positive_int("shell", shell, "1 is the nearest neighbours")
        if shell > self.shells:
            raise fail("shell", f"at most {self.shells}, the shells of {self.name}", shell, "take a larger lattice")
        return shell

    def _table(self, kind: str, shell: int) -> np.ndarray:
        if (kind, shell) not in self._tables:
            i, j = self._pairs(shell)
            if kind == "bonds":
                table = np.stack([i, j], axis=1)[i < j]
            else:
                counts = np.bincount(i, minlength=self.size)
                table = np.full((self.size, counts.max()), self.size)
                table[i, np.arange(len(i)) - (np.cumsum(counts) - counts)[i]] = j
            self._tables[kind, shell] = _frozen(table.astype(np.int32))
        return self._tables[kind, shell]

    def _pairs(self, shell: int) -> tuple[np.ndarray, np.ndarray]:
        """All ordered pairs (i, j) of a shell, sorted."""
        cells, nb = self._geometry.cells, self.basis_size
        chosen = np.flatnonzero(self._shells[1] == shell)
        folded, inside = self._geometry.wrap(cells[:, None] + self._class_cells[chosen // nb**2])
        i = self._geometry.number(cells)[:, None] * nb + chosen // nb % nb
        j = self._geometry.number(np.where(inside[..., None], folded, 0)) * nb + chosen % nb
        return tuple(np.divmod(np.unique((i * self.size + j)[inside]), self.size))

    def sublattices(self) -> Int8[np.ndarray, N]:
        """int8 (N,): ±1, opposite on nearest neighbours, +1 on the first site of each connected part.
        `InputError` if no such two-colouring exists (an odd ring of bonds: triangles, odd periodic extents).

        >>> Lattice([[1.0]], None, (4,)).sublattices()
        array([ 1, -1,  1, -1], dtype=int8)
        """
        colour = np.zeros(self.size + 1, np.int8)
        neighbours = self.neighbours() if self.shells else np.full((1, 1), 1)
        for first in range(self.size):
            if colour[first]:
                continue
            colour[first], frontier, sign = 1, np.array([first]), -1
            while frontier.size:
                reached = np.unique(neighbours[frontier])
                frontier = reached[(reached < self.size) & (colour[reached] == 0)]
                colour[frontier], sign = sign, -sign
        bonds = self.bonds() if self.shells else np.zeros((0, 2), int)
        if (colour[bonds[:, 0]] == colour[bonds[:, 1]]).any():
            raise fail(
                "lattice",
                "a bipartite lattice (no odd ring of nearest-neighbour bonds)",
                f"{self.name}, which is not bipartite",
                "use even periodic extents, open boundaries, or a lattice without triangles",
            )
        return _frozen(colour[:-1])

    # ---- symmetry -----------------------------------------------------------------------------------------------

    @cached_property
    def translations(self) -> PermutationGroup:
        """The translations by whole cells along periodic directions, row-major in the cell shift: element k moves cells by
        `numpy.unravel_index(k, periodic extents)`. On a torus row k goes with momentum row k of `momenta`: the characters
        e^{−iq·R} are `characters_1d()` in another order.

        >>> Lattice([[1.0]], None, (3,)).translations.permutations
        array([[0, 1, 2],
               [1, 2, 0],
               [2, 0, 1]], dtype=int32)
        """
        self._guard(int(np.prod([n for n, p in zip(self.extent, self.periodic, strict=True) if p])))
        return PermutationGroup(translation_permutations(self._geometry))

    @cached_property
    def _symmetry(self) -> SpaceGroup:
        self._guard(int(np.prod([n for n, p in zip(self.extent, self.periodic, strict=True) if p])))
        found = find_space_group(self._geometry)
        for shell in range(1, min(2, self.shells) + 1):
            linked = np.zeros((self.size, self.size), bool)
            linked[self._pairs(shell)] = True
            for element in found.group.permutations[list(found.group.generators)]:
                if not np.array_equal(linked, linked[np.ix_(element, element)]):
                    raise fail(
                        "lattice", "positions whose symmetry is clear", self.name, "give them to more digits than 1e-6"
                    )
        return found

    @property
    def space_group(self) -> PermutationGroup:
        """All isometries of the finite lattice (translations along periodic directions, point group, glides, screws) as
        distinct site permutations, identity first, then the other translations. Found from the positions and checked: a
        group, and automorphisms of the first two shells. Open boundaries leave the point group alone.

        Orders on large enough tori: chain 2L; square 8L² (4 Lx Ly if Lx ≠ Ly); triangular, honeycomb, kagome 12L²; cubic
        48L³. Smaller where isometries act alike: chain of 2: 2, square 2 × 2: 8. An element's isometry of the torus is
        asked for, not just one of its bond graph: the 4 × 4 square has 128 elements, not the graph's 384.

        >>> Lattice([[1.0, 0.0], [0.0, 1.0]], None, (5, 5)).space_group.order
        200
        """
        return self._symmetry.group

    @property
    def point_group(self) -> PermutationGroup:
        """The elements of `space_group` that fix `origin`, the point of highest symmetry.

        >>> Lattice([[1.0, 0.0], [0.0, 1.0]], None, (5, 5)).point_group.order
        8
        """
        return self._symmetry.point_group

    @cached_property
    def origin(self) -> Float[np.ndarray, d]:
        """float64 (d,): the point that `point_group` fixes, with the most isometries; a site if one is among the best (the
        square's), else e.g. the centre of a hexagon (honeycomb, kagome) or of an open lattice."""
        return _frozen(self._symmetry.origin)

    def _guard(self, elements: int) -> None:
        if elements * self.size > _LARGEST_GROUP:
            raise fail("lattice", "a lattice whose symmetry fits in memory", self.name, "take a smaller lattice")

    # ---- identity -----------------------------------------------------------------------------------------------

    @cached_property
    def _content(self) -> tuple[Any, ...]:
        g = self._geometry
        return g.basis_vectors.tobytes(), g.site_offsets.tobytes(), g.extent, g.periodic

    def __hash__(self) -> int:
        return hash(self._content)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Lattice):
            return NotImplemented
        return self._content == other._content

    def __repr__(self) -> str:
        return f"Lattice({self.name!r}, size={self.size})"


def _frozen(array: np.ndarray) -> np.ndarray:
    array.setflags(write=False)
    return array


def _real(argument: str, value: Any) -> np.ndarray:
    """`value` as read-only finite float64, +0.0 for −0.0 (equal contents are equal bytes)."""
    try:
        array = np.array(value, dtype=np.float64) + 0.0
    except (TypeError, ValueError):
        raise fail(argument, "an array of real numbers", value) from None
    if not np.isfinite(array).all():
        raise fail(argument, "finite numbers", array.tolist())
    return _frozen(array)


def _boundaries(pbc: Any, d: int) -> tuple[bool, ...]:
    flags = (pbc,) * d if isinstance(pbc, bool | np.bool_) else tuple(pbc) if isinstance(pbc, Sequence) else ()
    if len(flags) != d or not all(isinstance(flag, bool | np.bool_) for flag in flags):
        raise fail("pbc", f"True, False, or {d} of them", pbc, "True is periodic, False is open")
    return tuple(bool(flag) for flag in flags)
