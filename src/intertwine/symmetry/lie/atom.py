r"""Representations that are given by matrices: what products and sums of types are made of.

A representation of a matrix group is known by the matrices of its generators and of its discrete elements.
Dual, symmetric and antisymmetric powers and the adjoint follow from those:

    V*       −Xᵀ, h⁻ᵀ                     Sym^k, Λ^k       SᵀΔ_k(X) S, Sᵀ h^{⊗k} S
    adjoint  ad X in the basis X_i,  X ↦ h X h⁻¹

with S the orthonormal basis of (anti)symmetric tensors, Δ_k(X) = X ⊗ 1 ⊗ … + 1 ⊗ X ⊗ … + …
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from functools import cached_property
from itertools import combinations, combinations_with_replacement, permutations
from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import Float

from intertwine._checks import fail
from intertwine.symmetry._images import frozen

if TYPE_CHECKING:
    from intertwine.symmetry.lie.element import LieElement

_ROUNDED = 1e-9
_MOST_POWER = 2**20


class Atom:
    """One representation by matrices, an immutable host object equal to one of equal matrices.

    name: how it is printed. generators: (k, d, d). discrete: (m, d, d). of: the matrix of an element that is
    given as a matrix of the group, where it depends on that alone.
    """

    def __init__(
        self,
        name: str,
        generators: Float[np.ndarray, "k d d"],
        discrete: Float[np.ndarray, "m d d"],
        of: Callable[[np.ndarray], np.ndarray] | None = None,
    ):
        self.name, self.of = name, of
        self.generators, self.discrete = frozen(np.array(generators)), frozen(np.array(discrete))

    @property
    def dimension(self) -> int:
        """d."""
        return self.generators.shape[1]

    @cached_property
    def digest(self) -> str:
        """A hash of the matrices."""
        found = hashlib.sha256(str((self.generators.shape, self.discrete.shape)).encode())
        for matrices in (self.generators, self.discrete):
            found.update((matrices.round(9) + 0.0).tobytes())
        return found.hexdigest()

    @cached_property
    def is_orthogonal(self) -> bool:
        """Whether every element is an orthogonal matrix."""
        even = np.abs(self.generators + self.generators.swapaxes(1, 2)).max(initial=0)
        turned = self.discrete @ self.discrete.swapaxes(1, 2) - np.eye(self.dimension)
        return bool(max(even, np.abs(turned).max(initial=0)) < _ROUNDED)

    @cached_property
    def is_trivial(self) -> bool:
        """Whether every element is the identity."""
        moved = np.abs(self.discrete - np.eye(self.dimension)).max(initial=0)
        return bool(max(np.abs(self.generators).max(initial=0), moved) < _ROUNDED)

    def matrix(self, element: LieElement | np.ndarray) -> Float[np.ndarray, "d d"]:
        """The matrix of one element."""
        if not isinstance(element, np.ndarray):
            return element.on(self.generators, self.discrete)
        if self.of is None:
            remedy = "take elements of group.random_elements, or LieElement"
            raise fail("element", f"an element by its coordinates, for {self.name}", "a matrix", remedy)
        return self.of(element)

    @cached_property
    def dual(self) -> Atom:
        """V*, V itself where it is orthogonal."""
        if self.is_orthogonal:
            return self
        of, name = self.of, self.name[:-1] if self.name.endswith("*") else f"{self.name}*"
        inverse = np.linalg.inv(self.discrete) if len(self.discrete) else self.discrete
        turned = None if of is None else (lambda g: np.linalg.inv(of(g)).T)
        return Atom(name, -self.generators.swapaxes(1, 2), inverse.swapaxes(1, 2), turned)

    def power(self, count: int, antisymmetric: bool) -> Atom:
        """Sym^k or Λ^k."""
        d = self.dimension
        if d**count > _MOST_POWER:
            raise fail("power", f"powers within {_MOST_POWER:,} components", f"{d}^{count}")
        basis = _symmetrised(d, count, antisymmetric)
        word = ("Λ" if antisymmetric else "S") + (str(count) if count != 2 else "²")
        of = self.of

        def powered(matrix: np.ndarray) -> np.ndarray:
            moved = basis.toarray().reshape(*(d,) * count, -1)
            for axis in range(count):
                moved = np.moveaxis(np.tensordot(matrix, moved, (1, axis)), 0, axis)
            return basis.T @ moved.reshape(d**count, -1)

        def added(matrix: np.ndarray) -> np.ndarray:
            flat = basis.toarray().reshape(*(d,) * count, -1)
            total = sum(np.moveaxis(np.tensordot(matrix, flat, (1, axis)), 0, axis) for axis in range(count))
            return basis.T @ np.asarray(total).reshape(d**count, -1)

        size = basis.shape[1]
        generators = np.array([added(x) for x in self.generators]).reshape(-1, size, size)
        discrete = np.array([powered(h) for h in self.discrete]).reshape(-1, size, size)
        return Atom(
            f"{word}({self.name})", generators, discrete, None if of is None else lambda g: powered(of(g))
        )


def _symmetrised(d: int, count: int, antisymmetric: bool) -> Any:
    """The orthonormal basis of (anti)symmetric tensors, sparse (d^count, components), by increasing
    indices."""
    from scipy import sparse

    chosen = list((combinations if antisymmetric else combinations_with_replacement)(range(d), count))
    rows, columns, values = [], [], []
    for column, indices in enumerate(chosen):
        entries: dict[int, float] = {}
        for order in permutations(range(count)):
            place = 0
            for at in order:
                place = place * d + indices[at]
            entries[place] = _sign(order) if antisymmetric else 1.0
        rows += list(entries)
        columns += [column] * len(entries)
        values += [value / len(entries) ** 0.5 for value in entries.values()]
    return sparse.csr_array((values, (rows, columns)), shape=(d**count, len(chosen)))


def _sign(order: tuple[int, ...]) -> float:
    swaps = sum(a > b for i, a in enumerate(order) for b in order[i + 1 :])
    return -1.0 if swaps % 2 else 1.0
