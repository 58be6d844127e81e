r"""Families of interaction terms: products of spins over the translates and images of one shape.

    S_α(s) = Σ_{shapes g·α} Σ_{cells n} Π_{r ∈ g·α} s_{n + r}

A shape α is a set of cell vectors; g runs over the point group of the infinite Bravais lattice, images that
are translates of each other taken once. The couplings K_α of −H = Σ_α K_α S_α and the operators of Monte
Carlo renormalization (Swendsen 1979) are such sums.

    nearest  o-o     next  o      plaquette  o-o     third  o . o     diamond   o        knight (shell:4)
                            \                | |                              o   o
                             o               o-o                                o
    field    o       corner  o        row  o-o-o     vee   . o .
                             |                             o . o
                             o-o

Terms keep their multiplicity: on a torus of two sites along a direction a bond goes around twice and counts
twice, so that the couplings of small and large tori mean the same. That is the one rule of all models of
spins, of their energies, of block Hamiltonians and of tensors; from three sites along each direction on there
is no difference.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

import numpy as np
from jaxtyping import Int8, Int32, Int64

from intertwine._checks import fail
from intertwine.spaces.graph.graph import Graph
from intertwine.spaces.lattice import Lattice

Shape = tuple[tuple[int, ...], ...]

EVEN = ("nearest", "next", "plaquette", "third", "diamond", "shell:4", "shell:5")
"""Products of an even number of spins, in the order in which couplings are added."""

ODD = ("field", "corner", "row", "vee")
"""Products of an odd number of spins, in the order in which couplings are added."""

_SHELLS = {"nearest": 1, "next": 2, "third": 3}
_SEEDS: dict[str, Shape] = {
    "plaquette": ((0, 0), (0, 1), (1, 0), (1, 1)),
    "diamond": ((0, 1), (1, 0), (1, 2), (2, 1)),
    "corner": ((0, 0), (0, 1), (1, 0)),
    "vee": ((0, 0), (1, 1), (2, 0)),
}


@dataclass(frozen=True, eq=False)
class Terms:
    """One family of terms on a lattice; made by `spin_terms`.

    name: of the family. sites: int32 (T, k), the k sites of each of its T terms. shapes: the images of the
    shape, cell vectors int64 (k, d) each; empty where the lattice has more than one site per cell.
    """

    name: str
    sites: Int32[np.ndarray, "T k"]
    shapes: tuple[Int64[np.ndarray, "k d"], ...] = ()

    @property
    def order(self) -> int:
        """The number k of spins in a term."""
        return self.sites.shape[1]

    @property
    def parity(self) -> Literal["even", "odd"]:
        """Whether the sum keeps or changes its sign when all spins are turned over."""
        return "odd" if self.order % 2 else "even"

    def sum(self, spins: Int8[np.ndarray, "... N"]) -> Int64[np.ndarray, "..."]:
        """S_α of spins ±1 (..., N).

        >>> from intertwine.spaces.lattices import Square
        >>> int(spin_terms(Square(4, 4), "nearest").sum(np.ones(16, np.int8)))
        32
        """
        spins = np.asarray(spins)
        product = spins[..., self.sites[:, 0]]
        for column in self.sites.T[1:]:
            product = product * spins[..., column]
        return product.sum(-1, dtype=np.int64)


def spin_terms(lattice: Lattice | Graph, name: str | Shape) -> Terms:
    """The family `name` on `lattice`.

    name: "field" (single spins); pairs "nearest", "next", "third" or "shell:k"; on lattices of one site a
    cell also "row" (three in a line along a bond), and in two or three dimensions "plaquette" (the unit
    square; the rhombus of the triangular lattice), "diamond", "corner" (a plaquette without one; the
    triangle), "vee"; or cell vectors of your own, such as ((0, 0), (0, 1), (0, 3)).

    Raises InputError for unknown names, shapes that do not fit the dimension, repeat a site or close on
    themselves around the torus, and shapes of more than two sites on a lattice with a basis.

    >>> from intertwine.spaces.lattices import Square, Triangular
    >>> spin_terms(Square(4, 4), "next").sites.shape, spin_terms(Triangular(4, 4), "corner").sites.shape
    ((32, 2), (32, 3))
    >>> spin_terms(Square(6, 6), ((0, 0), (0, 3))).parity
    'even'
    """
    if not isinstance(lattice, Lattice | Graph):
        raise fail("lattice", "a lattice, such as it.Square(8, 8)", lattice)
    return _found(lattice, name if isinstance(name, str) else _checked(name))


@lru_cache(maxsize=64)
def linked_bonds(lattice: Lattice | Graph) -> tuple[Int32[np.ndarray, "M 2"], Int64[np.ndarray, " M"]]:
    """(bonds, numbers): the nearest-neighbour bonds in the order of `lattice.bonds()`, each as often as it
    goes around the torus, and the number there of each.

    >>> from intertwine.spaces.lattices import Square
    >>> len(Square(2, 2).bonds()), len(linked_bonds(Square(2, 2))[0]), len(linked_bonds(Square(3, 3))[0])
    (4, 8, 18)
    """
    if not lattice.shells:
        return _frozen(np.zeros((0, 2))), np.zeros(0, np.int64)
    bonds = lattice.bonds()
    times = np.ones(len(bonds), np.int64)
    if 2 in lattice.extent and lattice.basis_size == 1:
        size = lattice.size
        terms = np.sort(spin_terms(lattice, "nearest").sites, axis=1).astype(np.int64)
        found, counts = np.unique(terms @ [size, 1], return_counts=True)
        times = dict(zip(found.tolist(), counts.tolist(), strict=True))
        times = np.array([times.get(n, 1) for n in (bonds.astype(np.int64) @ [size, 1]).tolist()])
    numbers = np.repeat(np.arange(len(bonds)), times)
    numbers.setflags(write=False)
    return _frozen(bonds[numbers]), numbers


@lru_cache(maxsize=512)
def _found(lattice: Lattice | Graph, name: str | Shape) -> Terms:
    label = name if isinstance(name, str) else "/".join(",".join(map(str, r)) for r in name)
    if name == "field":
        sites = np.arange(lattice.size, dtype=np.int32)[:, None]
        return Terms(label, _frozen(sites), (np.zeros((1, lattice.dimension), np.int64),))
    shell = _shell(name)
    if lattice.basis_size > 1 or isinstance(lattice, Graph):
        if shell is None:
            expected = "pairs (nearest, next, third, shell:k) or field on a lattice with a basis"
            raise fail("coupling", expected, label, "larger shapes need one site per cell")
        return Terms(label, lattice.bonds(shell))
    shapes = _shell_shapes(lattice, shell) if shell is not None else _images(lattice, _seed(lattice, name))
    return Terms(label, _frozen(_placed(lattice, shapes, label)), shapes)


def _checked(name: Shape) -> Shape:
    """Cell vectors as tuples of ints."""
    try:
        vectors = np.array(name)
    except ValueError:
        vectors = np.zeros(0)
    if vectors.ndim != 2 or len(vectors) == 0 or not np.issubdtype(vectors.dtype, np.integer):
        raise fail("coupling", "a name, or cell vectors such as ((0, 0), (0, 1))", name)
    return tuple(tuple(int(x) for x in row) for row in name)


def _shell(name: str | Shape) -> int | None:
    if not isinstance(name, str):
        return None
    if name in _SHELLS:
        return _SHELLS[name]
    word, _, number = name.partition(":")
    if word == "shell" and number.isascii() and number.isdigit() and 1 <= int(number) <= 99:
        return int(number)
    return None


def _seed(lattice: Lattice, name: str | Shape) -> Shape:
    d = lattice.dimension
    if not isinstance(name, str):
        if len(name[0]) != d:
            raise fail("coupling", f"cell vectors of {d} components", name)
        return name
    if name == "row":
        return tuple((k, *(0,) * (d - 1)) for k in range(3))
    if name in _SEEDS and d >= 2:
        return tuple((*r, *(0,) * (d - 2)) for r in _SEEDS[name])
    known = ", ".join(("field", "row", *_SHELLS, "shell:k", *(_SEEDS if d >= 2 else ())))
    raise fail("coupling", f"one of {known}, or cell vectors", name)


def _point_matrices(lattice: Lattice) -> list[np.ndarray]:
    """Integer matrices M, n → n M, that keep all lengths of the infinite Bravais lattice."""
    basis, d = lattice.basis_vectors, lattice.dimension
    gram, tolerance = basis @ basis.T, 1e-6 * float((basis**2).sum(1).min())
    reach = np.array(list(itertools.product((-1, 0, 1), repeat=d)))
    lengths = np.einsum("na,ab,nb->n", reach, gram, reach)
    rows = [reach[abs(lengths - gram[a, a]) < tolerance] for a in range(d)]
    found = (np.array(choice) for choice in itertools.product(*rows))
    return [m for m in found if abs(m @ gram @ m.T - gram).max() < tolerance]


def _images(lattice: Lattice, seed: Shape) -> tuple[np.ndarray, ...]:
    """The images of `seed` under the point group, one of each set of translates."""
    images: dict[bytes, np.ndarray] = {}
    for matrix in _point_matrices(lattice):
        image = _normal(np.array(seed, np.int64) @ matrix)
        images.setdefault(image.tobytes(), image)
    return tuple(images.values())


def _normal(vectors: np.ndarray) -> np.ndarray:
    """Sorted, the first at the origin."""
    ordered = vectors[np.lexsort(vectors.T[::-1])]
    return np.ascontiguousarray(ordered - ordered[0])


def _shell_shapes(lattice: Lattice, shell: int) -> tuple[np.ndarray, ...]:
    """The pairs at the `shell`-th distance of the infinite lattice."""
    reach = shell + 1
    cells = np.array(list(itertools.product(range(-reach, reach + 1), repeat=lattice.dimension)), np.int64)
    lengths = np.linalg.norm(cells @ lattice.basis_vectors, axis=1)
    step = 1e-6 * float(np.linalg.norm(lattice.basis_vectors, axis=1).min())
    ordered = np.sort(lengths)
    distances = ordered[np.diff(ordered, prepend=-np.inf) > step]
    chosen = cells[np.abs(lengths - distances[shell]) < step]
    pairs = {_normal(np.stack([np.zeros_like(v), v])).tobytes(): v for v in chosen}
    return tuple(_normal(np.stack([np.zeros_like(v), v])) for v in pairs.values())


def _placed(lattice: Lattice, shapes: tuple[np.ndarray, ...], label: str) -> np.ndarray:
    """int32 (T, k): the sites of every translate of every shape that fits."""
    geometry = lattice._geometry
    placed = []
    for shape in shapes:
        folded, inside = geometry.wrap(geometry.cells[:, None] + shape)
        placed.append(geometry.number(folded)[inside.all(1)])
    sites = np.concatenate(placed).astype(np.int32)
    ordered = np.sort(sites, axis=1)
    if not len(sites) or (ordered[:, 1:] == ordered[:, :-1]).any():
        expected = f"a lattice on which the shape {label} has sites of its own"
        raise fail("coupling", expected, lattice.name, "take a larger lattice, or fewer couplings")
    return sites


def _frozen(array: np.ndarray) -> np.ndarray:
    array = np.ascontiguousarray(array, np.int32)
    array.setflags(write=False)
    return array
