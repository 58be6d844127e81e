r"""A finite piece of any Bravais lattice with a basis, periodic, open or mixed.

    r(n, b) = Σ_a n_a a_a + c_b,      0 ≤ n_a < L_a

Sites are numbered cell by cell, row-major (the first extent slowest), the basis last. Everything else is
found from these positions: shells of neighbours are the distinct distances between nearest images, smallest
first; the space group is the set of isometries that permute the sites (`space_group`); displacements between
sites fall into classes, over which correlation functions are averaged.

Small tori: a pair of sites is one pair, even where bonds wrap onto it twice. So `Chain(2)` has one bond, the
2 × 2 square torus four; and shell k is the k-th distance that occurs *on this torus*.

(A long file, because it is the face of four others: mostly docstrings.)
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from math import prod
from typing import Any

import numpy as np
from jaxtyping import Float, Int8, Int32

from intertwine._checks import fail, positive_int
from intertwine.spaces.displacements import (
    Displacements,
    displacement_classes,
    displacement_numbers,
    neighbour_table,
    shell_pairs,
    two_colouring,
)
from intertwine.spaces.geometry import Geometry
from intertwine.spaces.space_group import SpaceGroup, find_space_group, translation_permutations
from intertwine.symmetry import PermutationGroup

_LARGEST_TABLE = 2**27
_MOST_SITES = 2**22


@dataclass(frozen=True, eq=False, repr=False)
class Lattice:
    r"""Sites of a Bravais lattice with a basis: an immutable host object (NumPy), hashable and comparable by
    content, static under `jax.jit`.

    basis_vectors: (d, d), rows a_a, linearly independent, in any unit of length (Cartesian).
    site_offsets: (n_basis, d) Cartesian positions c_b in the cell; None for one site at the origin.
    extent: the number of cells L_a along each basis vector.
    pbc: True (periodic), False (open), or one of them for each direction.
    label: the name's first word, e.g. "square" in `square:6x6`; plays no part in equality.
    marks: None, or (m, d), Cartesian points of the cell besides the sites that symmetries must carry onto one
    another, as the sites of a lattice of links (`LinkSites`).
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
    marks: Float[np.ndarray, "m d"] | None = None
    _tables: dict[Any, np.ndarray] = field(init=False)

    def __post_init__(self) -> None:
        basis = _real("basis_vectors", self.basis_vectors)
        d = len(basis)
        if d == 0 or basis.shape != (d, d):
            raise fail("basis_vectors", "shape (d, d), one row per lattice vector", f"shape {basis.shape}")
        lengths = np.linalg.norm(basis, axis=1)
        if lengths.min() == 0 or abs(np.linalg.det(basis / lengths[:, None])) < 1e-6:
            raise fail("basis_vectors", "linearly independent rows", basis.tolist(), "choose others")
        offsets = _real("site_offsets", np.zeros((1, d)) if self.site_offsets is None else self.site_offsets)
        if offsets.ndim != 2 or offsets.shape[1] != d or len(offsets) == 0:
            raise fail("site_offsets", f"shape (n_basis, {d})", f"shape {offsets.shape}", "one row per site")
        given = self.extent if isinstance(self.extent, Sequence) else (self.extent,)
        if isinstance(given, str) or len(given) != d:
            raise fail("extent", f"{d} numbers of cells", self.extent, "give one for each lattice vector")
        extent = tuple(positive_int("extent", n, "give numbers of cells") for n in given)
        sites = prod(extent) * len(offsets)
        if sites > _MOST_SITES:
            raise fail("extent", f"at most {_MOST_SITES} sites", f"{sites} sites", "take a smaller lattice")
        marks = None if self.marks is None else _real("marks", self.marks)
        if marks is not None and (marks.ndim != 2 or marks.shape[1] != d or len(marks) == 0):
            raise fail("marks", f"None or shape (m, {d})", f"shape {marks.shape}", "one row per point")
        checked = {"basis_vectors": basis, "site_offsets": offsets, "extent": extent, "marks": marks}
        for key, value in checked.items():
            object.__setattr__(self, key, value)
        object.__setattr__(self, "pbc", _boundaries(self.pbc, d))
        object.__setattr__(self, "_tables", {})
        if self.shells and self._classes.shell_lengths[0] <= self._geometry.tolerance:
            raise fail("site_offsets", "sites that are apart", offsets.tolist(), "drop one that coincides")

    @property
    def _geometry(self) -> Geometry:
        assert self.site_offsets is not None and isinstance(self.pbc, tuple)
        return Geometry(self.basis_vectors, self.site_offsets, self.extent, self.pbc, self.marks)

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
        return prod(self.extent) * self.basis_size

    @property
    def periodic(self) -> tuple[bool, ...]:
        """For each direction, whether it is periodic."""
        return self._geometry.periodic

    @property
    def name(self) -> str:
        """E.g. `square:6x6`, `kagome:2x3:open`, `square:4x2:periodic-open`; `lattice_from_name` reads it back
        for the lattices that have a name of their own."""
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
            expected = f"a cell inside {self.extent} and a basis site below {self.basis_size}"
            raise fail("cell", expected, f"{cell}, {basis}")
        return int(self._geometry.number(folded)) * self.basis_size + basis

    # ---- displacements

    @cached_property
    def _classes(self) -> Displacements:
        return displacement_classes(self._geometry)

    @cached_property
    def displacements(self) -> Float[np.ndarray, "C d"]:
        """float64 (C, d): for each class of `displacement_index` the shortest vector r_j − r_i (one of them,
        where several images are equally short). Class 0 is the zero vector.

        >>> Lattice([[1.0]], None, (4,)).displacements.ravel()
        array([ 0.,  1.,  2., -1.])
        """
        return _frozen(self._classes.vectors)

    @cached_property
    def displacement_index(self) -> Int32[np.ndarray, "N N"]:
        """int32 (N, N): the class of the displacement from site i to site j. Pairs of one class are
        translates of each other: same cell displacement (modulo the extent along periodic directions), same
        two basis sites.

        A correlation function averaged over translations is

        >>> import numpy as np
        >>> chain = Lattice([[1.0]], None, (4,))
        >>> index = chain.displacement_index.ravel()
        >>> correlation = np.outer([1, -1, 1, -1], [1, -1, 1, -1])                     # ⟨s_i s_j⟩, (N, N)
        >>> np.bincount(index, correlation.ravel()) / np.bincount(index)
        array([ 1., -1.,  1., -1.])

        and belongs to the vectors `displacements`. On a periodic lattice with one site per cell,
        `displacement_index[0, j] = j`.
        """
        self._guard(self.size)
        return _frozen(displacement_numbers(self._geometry))

    @cached_property
    def momenta(self) -> Float[np.ndarray, "n d"]:
        r"""float64 (n_cells, d): q = Σ_a (m_a/L_a) b_a with a_a·b_c = 2π δ_ac and 0 ≤ m_a < L_a, row-major;
        row 0 is q = 0.

        The momenta of a torus, and the customary grid of a structure factor S(q) = (1/N) Σ_ij e^{iq·(r_i −
        r_j)} ⟨s_i s_j⟩ along open directions, where translation is no symmetry. With a basis S(q) repeats
        only outside the first zone: add reciprocal vectors to see it there.

        >>> Lattice([[1.0]], None, (4,)).momenta.ravel() / np.pi
        array([0. , 0.5, 1. , 1.5])
        """
        reciprocal = 2 * np.pi * np.linalg.inv(self.basis_vectors).T
        return _frozen(self._geometry.cells / np.array(self.extent) @ reciprocal)

    # ---- shells of neighbours

    @property
    def shells(self) -> int:
        """How many shells of neighbours there are (0 for a single site)."""
        return len(self._classes.shell_lengths)

    def shell_distance(self, shell: int = 1) -> float:
        """The distance of the `shell`-th neighbours (1 = nearest), in the unit of the basis vectors.

        >>> Lattice([[1.0, 0.0], [0.0, 1.0]], None, (4, 4)).shell_distance(3)
        2.0
        """
        return float(self._classes.shell_lengths[self._checked_shell(shell) - 1])

    def bonds(self, shell: int = 1) -> Int32[np.ndarray, "B 2"]:
        """int32 (B, 2): the pairs i < j at the `shell`-th distance, sorted, each once (also where a bond of a
        small torus wraps onto the same pair twice). `InputError` if there is no such shell.

        >>> Lattice([[1.0]], None, (4,)).bonds()
        array([[0, 1],
               [0, 3],
               [1, 2],
               [2, 3]], dtype=int32)
        """
        return self._table("bonds", self._checked_shell(shell))

    def neighbours(self, shell: int = 1) -> Int32[np.ndarray, "N z"]:
        """int32 (N, z): for each site its neighbours of that shell, increasing, padded with N; z is the
        largest number.

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
            expected = f"at most {self.shells}, the shells of {self.name}"
            raise fail("shell", expected, shell, "take a larger lattice")
        return shell

    def _table(self, kind: str, shell: int) -> np.ndarray:
        if (kind, shell) not in self._tables:
            i, j = shell_pairs(self._geometry, self._classes, shell)
            pairs = np.stack([i, j], axis=1)
            table = pairs[i < j] if kind == "bonds" else neighbour_table(i, j, self.size)
            self._tables[kind, shell] = _frozen(table.astype(np.int32))
        return self._tables[kind, shell]

    def sublattices(self) -> Int8[np.ndarray, " N"]:
        """int8 (N,): ±1, opposite on nearest neighbours, +1 on the first site of each connected part.
        `InputError` if no such two-colouring exists (an odd ring of bonds: triangles, odd periodic extents).

        >>> Lattice([[1.0]], None, (4,)).sublattices()
        array([ 1, -1,  1, -1], dtype=int8)
        """
        colours = two_colouring(self.neighbours()) if self.shells else np.ones(1, np.int8)
        if colours is None:
            raise fail(
                "lattice",
                "a bipartite lattice (no odd ring of nearest-neighbour bonds)",
                f"{self.name}, which is not bipartite",
                "use even periodic extents, open boundaries, or a lattice without triangles",
            )
        return _frozen(colours)

    # ---- symmetry

    @cached_property
    def translations(self) -> PermutationGroup:
        """The translations by whole cells along periodic directions, row-major in the cell shift: element k
        moves cells by `numpy.unravel_index(k, periodic extents)`. On a torus row k goes with momentum row k
        of `momenta`, and the characters e^{−iq·R} of the momenta q are `characters_1d()` in another order.

        >>> Lattice([[1.0]], None, (3,)).translations.permutations
        array([[0, 1, 2],
               [1, 2, 0],
               [2, 0, 1]], dtype=int32)
        """
        self._guard(prod(n for n, p in zip(self.extent, self.periodic, strict=True) if p))
        return PermutationGroup(translation_permutations(self._geometry))

    @cached_property
    def _symmetry(self) -> SpaceGroup:
        self._guard(self.size)
        found = find_space_group(self._geometry)
        for shell in range(1, min(2, self.shells) + 1):
            i, j = shell_pairs(self._geometry, self._classes, shell)
            for element in found.group.permutations[list(found.group.generators)].astype(np.int64):
                if not np.array_equal(np.sort(element[i] * self.size + element[j]), i * self.size + j):
                    remedy = "give vectors and offsets to more than 6 digits"
                    raise fail("lattice", "positions whose symmetry is clear", self.name, remedy)
        return found

    @property
    def space_group(self) -> PermutationGroup:
        """All isometries of the finite lattice (translations along periodic directions, point group, glides,
        screws) as distinct site permutations, identity first, then the other translations. Found from the
        positions and checked: a group, and automorphisms of the first two shells. Open boundaries leave the
        point group alone.

        Orders on large enough tori: chain 2L; square 8L² (4 Lx Ly if Lx ≠ Ly); triangular, honeycomb, kagome
        12L²; cubic 48L³. Smaller where isometries act alike: chain of 2: 2, square 2 × 2: 8. Isometries of
        the torus are meant, not all automorphisms of the bond graph: the 4 × 4 square has 128, its graph 384.

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
    def origin(self) -> Float[np.ndarray, " d"]:
        """float64 (d,): the point that `point_group` fixes, with the most isometries; a site if one is among
        the best (the square's), else e.g. the centre of a hexagon (honeycomb, kagome) or of an open lattice.

        >>> Lattice([[1.0]], None, (4,), pbc=False).origin
        array([1.5])
        """
        return _frozen(self._symmetry.origin)

    def _guard(self, elements: int) -> None:
        if elements * self.size > _LARGEST_TABLE:
            raise fail("lattice", "a lattice whose tables fit in memory", self.name, "take a smaller lattice")

    # ---- identity

    @cached_property
    def _content(self) -> tuple[Any, ...]:
        g = self._geometry
        marks = None if g.marks is None else g.marks.tobytes()
        return g.basis_vectors.tobytes(), g.site_offsets.tobytes(), g.extent, g.periodic, marks

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


def _real(argument: str, value: object) -> np.ndarray:
    """`value` as read-only finite float64, +0.0 for −0.0 (equal contents are equal bytes)."""
    try:
        array = np.array(value, dtype=np.float64) + 0.0
    except (TypeError, ValueError):
        raise fail(argument, "an array of real numbers", value) from None
    if not np.isfinite(array).all():
        raise fail(argument, "finite numbers", array.tolist())
    return _frozen(array)


def _boundaries(pbc: bool | Sequence[bool], d: int) -> tuple[bool, ...]:
    if isinstance(pbc, bool | np.bool_):
        pbc = (pbc,) * d
    flags = tuple(pbc) if isinstance(pbc, Sequence) else ()
    if len(flags) != d or not all(isinstance(flag, bool | np.bool_) for flag in flags):
        raise fail("pbc", f"True, False, or {d} of them", pbc, "True is periodic, False is open")
    return tuple(bool(flag) for flag in flags)
