r"""Matrix groups by the generators of their Lie algebra and by discrete elements.

    G = ⟨ exp(Σ_i a_i X_i), h_1, … h_m ⟩,      [X_i, X_j] ∈ span X,      h X_i h⁻¹ ∈ span X

Compact or not, connected or not, semisimple or not; without generators, a group of discrete elements alone,
finite or infinite (Finzi, Welling & Wilson, ICML 2021, A practical method for constructing equivariant
multilayer perceptrons for arbitrary matrix groups).
"""

from __future__ import annotations

import hashlib
from functools import cached_property

import jax
import numpy as np
from jax import Array
from jaxtyping import Float
from numpy.typing import ArrayLike

from intertwine._checks import fail, positive_int, positive_number
from intertwine.symmetry._images import frozen
from intertwine.symmetry.lie.algebra import (
    as_array,
    checked_matrices,
    closure,
    coordinates,
    generated_algebra,
    independent,
)
from intertwine.symmetry.lie.atom import Atom
from intertwine.symmetry.lie.element import LieElement
from intertwine.symmetry.lie.generic import generic_element
from intertwine.symmetry.lie.rep import LieRep

_LARGEST = 2.0
"""The norm of exponents of random elements where exponentials grow: boosts of rapidity up to 2."""
_SINGULAR = 1e-10


class LieGroup:
    r"""A group of real n × n matrices.

    generators: (k, n, n), a basis of its Lie algebra; those that depend on others before them are left out.
    Complex matrices act on pairs (Re, Im), n = 2·their size, and span the algebra with real coefficients
    (`real_form`). discrete: (m, n, n), elements that with the exponentials generate the group. name: how it
    is printed. tolerance: relative error of the matrices, 1e-9 for matrices known to rounding; of
    generators that were measured, above their error.

    Immutable; equal to a group of equal matrices. Its representations are made by `vector`, `adjoint`,
    `tensor` and `rep`; layers take them as types.

    Raises InputError for generators that do not close under brackets, discrete elements that are not
    invertible or do not map the algebra to itself, and for no matrices at all.

    >>> boost = [[0.0, 1.0], [1.0, 0.0]]
    >>> plane = LieGroup([boost], [np.diag([1.0, -1.0])], name="O(1,1)")
    >>> plane, plane.vector.symmetric(2).invariants.round(3).tolist()              # t² − x²
    (O(1,1), [[0.707, 0.0, -0.707]])
    >>> LieGroup([[[0, 1.0, 0], [0, 0, 0], [0, 0, 0]], [[0, 0, 0], [0, 0, 1.0], [0, 0, 0]]])
    Traceback (most recent call last):
    ...
    intertwine._checks.InputError: generators: expected matrices whose brackets lie in their span, got
    [X_0, X_1] off it by 1 of |X_0| |X_1|; generated_algebra adds what is missing, 3 generators in all.
    """

    def __init__(
        self,
        generators: ArrayLike = (),
        discrete: ArrayLike = (),
        *,
        name: str = "",
        tolerance: float = 1e-9,
    ):
        self._parts: tuple[tuple[str, int, int], ...] = ()
        self.name, self.tolerance = str(name), positive_number("tolerance", tolerance, "1e-9 is usual")
        one, other = as_array("generators", generators), as_array("discrete", discrete)
        sizes = [m.shape[-1] if m.ndim else None for m in (one, other) if m.size]
        if not sizes:
            remedy = "the trivial group of n components has discrete=[np.eye(n)]"
            raise fail("generators", "matrices, or discrete elements", "none", remedy)
        doubled = np.iscomplexobj(one) or np.iscomplexobj(other)
        size = 2 * sizes[0] if doubled and sizes[0] else sizes[0]
        both = [m.astype(complex) if doubled and m.dtype.kind in "biufc" else m for m in (one, other)]
        given = checked_matrices("generators", both[0], size)
        self.generators = frozen(independent(given, max(self.tolerance, 1e-9)))
        self.discrete = frozen(checked_matrices("discrete", both[1], size))
        self._check_closed()
        self._check_discrete()

    def _check_closed(self) -> None:
        constants, worst = closure(self.generators)
        self.structure_constants = frozen(constants)
        if worst.residual <= 10 * self.tolerance:
            return
        i, j = worst.i, worst.j
        got = f"[X_{i}, X_{j}] off it by {worst.residual:.3g} of |X_{i}| |X_{j}|"
        try:
            count = len(generated_algebra(self.generators, tolerance=max(self.tolerance, 1e-7)))
            remedy = f"generated_algebra adds what is missing, {count} generators in all"
        except ValueError:
            remedy = "they generate a very large algebra; is one of them wrong?"
        if worst.residual < 1e-2:
            remedy = f"or give the error of the generators as tolerance={worst.residual:.0e}; {remedy}"
        raise fail("generators", "matrices whose brackets lie in their span", got, remedy)

    def _check_discrete(self) -> None:
        for row, h in enumerate(self.discrete):
            if np.linalg.cond(h) > 1 / _SINGULAR:
                raise fail(
                    "discrete", "invertible matrices", f"row {row} of determinant {np.linalg.det(h):.3g}"
                )
            if not len(self.generators):
                continue
            moved = h @ self.generators @ np.linalg.inv(h)
            off = coordinates(self.generators, moved)[1] / np.linalg.norm(moved, axis=(1, 2))
            if off.max() > 100 * self.tolerance:
                i = int(off.argmax())
                got = f"row {row}, h X_{i} h⁻¹ off their span by {off[i]:.3g}"
                remedy = "such an h generates a larger group: add the generators h X h⁻¹"
                raise fail("discrete", "elements that map the span of the generators to itself", got, remedy)

    @property
    def dimension(self) -> int:
        """n of the n × n matrices."""
        return self.generators.shape[1]

    @cached_property
    def generic(self) -> Float[np.ndarray, " k"]:
        """Coordinates of one element of the algebra that tells as many vectors apart as any."""
        return frozen(generic_element(self.generators, self.tolerance))

    @cached_property
    def trivial(self) -> LieRep:
        """ρ(g) = 1."""
        return LieRep(self, [((), 1)])

    @cached_property
    def vector(self) -> LieRep:
        """The group's own matrices, V; of a product of groups the sum of their vectors."""
        return LieRep.direct_sum([(part, 1) for part in self.vectors])

    @cached_property
    def vectors(self) -> tuple[LieRep, ...]:
        """V, or the vectors of each factor of a product of groups."""
        found = []
        for name, start, stop in self._parts or (("V", 0, self.dimension),):
            part = slice(start, stop)
            own = (self.generators[:, part, part], self.discrete[:, part, part])
            found.append(LieRep(self, [((Atom(name, *own, lambda g, p=part: g[p, p]),), 1)]))
        return tuple(found)

    def __mul__(self, other: LieGroup) -> LieGroup:
        """The product G × H, block-diagonal matrices on the vectors of both.

        >>> from intertwine.symmetry import special_orthogonal, special_unitary
        >>> both = special_orthogonal(3) * special_unitary(2)
        >>> both, both.dimension, [v.dimension for v in both.vectors], both.vector
        (SO(3) × SU(2), 7, [3, 4], V_SO(3) + V_SU(2))
        """
        if not isinstance(other, LieGroup):
            return NotImplemented
        n, m = self.dimension, other.dimension

        def wide(first: np.ndarray, second: np.ndarray) -> np.ndarray:
            found = np.zeros((n + m, n + m))
            found[:n, :n], found[n:, n:] = first, second
            return found

        still = [np.zeros((d, d)) for d in (n, m)]
        one = [np.eye(d) for d in (n, m)]
        generators = [wide(x, still[1]) for x in self.generators] + [
            wide(still[0], x) for x in other.generators
        ]
        discrete = [wide(h, one[1]) for h in self.discrete] + [wide(one[0], h) for h in other.discrete]
        name, tolerance = f"{self!r} × {other!r}", max(self.tolerance, other.tolerance)
        made = LieGroup(generators, discrete, name=name, tolerance=tolerance)
        shifted = [(word, n + start, n + stop) for word, start, stop in other._named_parts]
        made._parts = (*self._named_parts, *shifted)
        return made

    @property
    def _named_parts(self) -> tuple[tuple[str, int, int], ...]:
        return self._parts or ((f"V_{self!r}", 0, self.dimension),)

    @cached_property
    def adjoint(self) -> LieRep:
        """The group on its Lie algebra, X ↦ g X g⁻¹, in the basis of the generators."""
        k = len(self.generators)
        if not k:
            raise fail("group", "a group with generators", self, "discrete groups have no adjoint")
        generators = self.structure_constants.swapaxes(1, 2)  # [X_i, X_j] = Σ_k c_ij^k X_k: entry (k, j)

        def of(g: np.ndarray) -> np.ndarray:
            return coordinates(self.generators, g @ self.generators @ np.linalg.inv(g))[0].T

        discrete = np.array([of(h) for h in self.discrete]).reshape(-1, k, k)
        return LieRep(self, [((Atom("adjoint", generators, discrete, of),), 1)])

    def tensor(self, up: int, down: int = 0) -> LieRep:
        """V^{⊗up} ⊗ V*^{⊗down}.

        >>> from intertwine.symmetry import special_linear
        >>> special_linear(3).tensor(1, 1).invariants.shape                     # the trace
        (1, 9)
        """
        return (self.vector**up).tensor(self.vector.dual() ** down)

    def rep(self, generators: ArrayLike, discrete: ArrayLike = (), *, name: str = "") -> LieRep:
        """A representation by the matrices of the generators (k, d, d) and of the discrete elements (m, d,
        d), in their order; also one of a covering group, such as spinors. Complex matrices in their real
        form.

        Raises InputError where they have other brackets, or discrete elements that do not fit.

        >>> from intertwine.symmetry import special_orthogonal
        >>> pauli = np.array([[[0, 1], [1, 0]], [[0, -1j], [1j, 0]], [[1, 0], [0, -1]]])
        >>> spin = special_orthogonal(3).rep(-0.5j * pauli[[2, 1, 0]] * [[[1]], [[-1]], [[1]]], name="spinor")
        >>> spin.dimension, spin.tensor(spin).hom_dim(special_orthogonal(3).vector)
        (4, 4)
        """
        k, m = len(self.generators), len(self.discrete)
        shown = np.asarray(generators)
        size = None if shown.size else np.asarray(discrete).shape[-1]
        xs = checked_matrices("generators", generators, size)
        doubled = np.iscomplexobj(shown) and np.size(discrete)
        hs = checked_matrices("discrete", np.asarray(discrete, complex) if doubled else discrete, xs.shape[1])
        if len(xs) != k or len(hs) != m:
            expected = f"{k} generators and {m} discrete elements, as of the group"
            raise fail("generators", expected, f"{len(xs)} and {len(hs)}")
        wanted = np.tensordot(self.structure_constants, xs, 1)
        off = np.abs(xs[:, None] @ xs[None] - (xs[None] @ xs[:, None]) - wanted).max(initial=0)
        if off > 1e3 * self.tolerance * max(np.abs(xs).max(initial=0) ** 2, 1):
            raise fail("generators", "matrices with the brackets of the group", f"a difference of {off:.3g}")
        for row, h in enumerate(hs):
            there = np.tensordot(self.adjoint.discrete[row].T, xs, 1) if k else xs
            off = np.abs(h @ xs - there @ h).max(initial=0)
            if np.linalg.cond(h) > 1 / _SINGULAR or off > 1e3 * self.tolerance * max(np.abs(h).max() * 10, 1):
                got = f"row {row} off by {off:.3g}"
                raise fail("discrete", "ρ(h) ρ(X) ρ(h)⁻¹ = ρ(h X h⁻¹)", got)
        return LieRep(self, [((Atom(name or f"rep({xs.shape[1]})", xs, hs),), 1)])

    def random_elements(self, count: int, *, key: Array, size: float | None = None) -> tuple[LieElement, ...]:
        """Elements exp(X) h: X in random directions, of spectral norms from size/count to size, times a
        product of discrete elements. size: π for orthogonal groups, else 2 (boosts of rapidity up to 2).

        They are not uniform; what a check needs is that they generate the group.

        >>> from intertwine.symmetry import lorentz
        >>> len(lorentz().random_elements(3, key=jax.random.key(0)))
        3
        """
        count = positive_int("count", count)
        default = np.pi if self.vector.is_orthogonal else _LARGEST
        largest = default if size is None else positive_number("size", size)
        k, m = len(self.generators), len(self.discrete)
        direction = np.asarray(jax.random.normal(key, (count, k)), float)
        which = np.array(jax.random.bernoulli(jax.random.fold_in(key, 1), 0.5, (count, m)))
        which[count - 1 :] = True
        found = []
        for i in range(count):
            factors: list[np.ndarray | int] = []
            if k:
                norm = np.linalg.norm(np.tensordot(direction[i], self.generators, 1), 2)
                factors.append(direction[i] * (largest * (i + 1) / count / norm))
            found.append(LieElement((*factors, *(int(j) for j in np.flatnonzero(which[i])))))
        return tuple(found)

    @cached_property
    def digest(self) -> str:
        """A hash of the matrices and the tolerance."""
        shapes = f"{self.generators.shape}{self.discrete.shape}{self.tolerance}{self._parts}"
        found = hashlib.sha256(shapes.encode())
        for matrices in (self.generators, self.discrete):
            found.update((matrices.round(9) + 0.0).tobytes())
        return found.hexdigest()

    def __hash__(self) -> int:
        return hash(self.digest)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, LieGroup):
            return NotImplemented
        return self is other or self.digest == other.digest

    def __repr__(self) -> str:
        if self.name:
            return self.name
        discrete = f" and {len(self.discrete)} discrete elements" if len(self.discrete) else ""
        n = self.dimension
        return f"LieGroup({len(self.generators)} generators of {n} × {n} matrices{discrete})"
