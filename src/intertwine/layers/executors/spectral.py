r"""The spectral executor: convolutions on a finite group as block products, one for each irrep.

    (K f)(y) = Σ_z f(y z) κ(z)      ⟹      (K f)^(D) = f^(D) κ^(D)
    f^(D) = Σ_x f(x) D(x),      κ^(D) = Σ_z κ(z) D(z)⁻¹      for every real irrep D

The rows u of D that give independent functions u·D(x) (d/e of them, e = 1, 2, 4 the dimension of the
commutant of a real, complex or quaternionic irrep) make an orthogonal matrix of order |G|: the transform
is one product, its inverse the transpose. A convolution over all of G costs Σ_D d³/e products for each
pair of channels instead of |G|², plus two transforms for each channel (Diaconis 1988, ch. 3; Cohen et
al., ICLR 2018).
"""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

import jax.numpy as jnp
import numpy as np
from jax import Array
from jaxtyping import Float

from intertwine._checks import fail
from intertwine.symmetry import FiniteGroup, Rep
from intertwine.symmetry.irreducible import irreps

MOST_ELEMENTS = 2048


class _Family(NamedTuple):
    """Irreps of one size. start: of their coefficients. rows: u's of each. inverses: (irreps, g, d, d),
    D(z)⁻¹."""

    start: int
    irreps: int
    rows: int
    dimension: int
    inverses: np.ndarray

    @property
    def coefficients(self) -> int:
        return self.irreps * self.rows * self.dimension


class GroupFourier(NamedTuple):
    """The Fourier transform on a finite group over the reals; made by `group_fourier`.

    matrix: float64 (g, g), orthogonal: coefficients by elements. families: what the coefficients are.
    """

    matrix: Float[np.ndarray, "g g"]
    families: tuple[_Family, ...]

    @property
    def products(self) -> int:
        """Multiplications of a full convolution for each pair of channels."""
        return sum(f.coefficients * f.dimension for f in self.families)


@lru_cache(maxsize=32)
def group_fourier(group: FiniteGroup) -> GroupFourier:
    """The transform on `group`; InputError above 2,048 elements.

    >>> from intertwine.symmetry import dihedral
    >>> fourier = group_fourier(dihedral(4))
    >>> bool(abs(fourier.matrix @ fourier.matrix.T - np.eye(8)).max() < 1e-12), fourier.products
    (True, 12)
    """
    if group.order > MOST_ELEMENTS:
        raise fail("group", f"at most {MOST_ELEMENTS} elements", group.order, "use executor='gather'")
    by_size: dict[tuple[int, int], list[tuple[Rep, np.ndarray]]] = {}
    for irrep in irreps(group, field="real"):
        rows = _independent_rows(irrep)
        by_size.setdefault((irrep.dimension, len(rows)), []).append((irrep, rows))
    functions, families, start = [], [], 0
    for (d, n), members in sorted(by_size.items(), key=lambda item: item[0]):
        for irrep, rows in members:
            values = np.einsum("ud,gdj->ujg", rows, irrep.matrices) * (d / group.order) ** 0.5
            functions.append(values.reshape(-1, group.order))
        inverses = np.stack([irrep.matrices[group.inverse] for irrep, _ in members])
        families.append(_Family(start, len(members), n, d, inverses))
        start += len(members) * n * d
    matrix = np.concatenate(functions)
    if matrix.shape != (group.order,) * 2 or np.abs(matrix @ matrix.T - np.eye(group.order)).max() > 1e-9:
        raise AssertionError(f"the transform on {group!r} is not orthogonal: please report this")
    return GroupFourier(matrix, tuple(families))


def _independent_rows(irrep: Rep) -> np.ndarray:
    """Unit vectors u (d/e, d) whose functions u·D(x) are orthogonal: the span of one under the commutant
    is left out."""
    matrices, d = irrep.matrices, irrep.dimension
    random = np.random.default_rng(0).normal(size=(4, d, d))
    commutant = np.einsum("gij,ajk,glk->ail", matrices, random, matrices) / len(matrices)
    spanned = np.zeros((0, d))
    rows = []
    for unit in np.eye(d):
        rest = unit - spanned.T @ (spanned @ unit)
        rest = rest - spanned.T @ (spanned @ rest)
        if np.linalg.norm(rest) < 1e-6:
            continue
        rows.append(rest / np.linalg.norm(rest))
        images = np.vstack([rows[-1], commutant @ rows[-1]])
        images = images - (images @ spanned.T) @ spanned
        left, size, _ = np.linalg.svd(images.T, full_matrices=False)
        spanned = np.vstack([spanned, left.T[size > 1e-8 * size[0]]])
        if len(spanned) == d:
            break
    return np.array(rows)


def spectral_convolution(
    x: Float[Array, "... g C_in"],
    kernel: Float[Array, "z C_in C_out"],
    group: FiniteGroup,
    points: np.ndarray,
) -> Float[Array, "... g C_out"]:
    """Σ_z f(y z) κ(z) of functions on the group (..., g, C_in), κ given on the elements `points`, int (z,).

    >>> from intertwine.symmetry import cyclic
    >>> f, k = jnp.array([[1.0], [2.0], [3.0]]), jnp.array([[[1.0]], [[10.0]]])
    >>> found = spectral_convolution(f, k, cyclic(3), np.array([0, 1]))      # f(y) + 10 f(y + 1)
    >>> [round(float(v), 3) for v in found[:, 0]]
    [21.0, 32.0, 13.0]
    """
    fourier = group_fourier(group)
    matrix = jnp.asarray(fourier.matrix, x.dtype)
    transformed = jnp.einsum("kg,...gc->...kc", matrix, x)
    parts = []
    for family in fourier.families:
        part = transformed[..., family.start : family.start + family.coefficients, :]
        part = part.reshape(*x.shape[:-2], family.irreps, family.rows, family.dimension, x.shape[-1])
        block = jnp.einsum("rzij,zcd->ricjd", jnp.asarray(family.inverses[:, points], x.dtype), kernel)
        product = jnp.einsum("...ruic,ricjd->...rujd", part, block)
        parts.append(product.reshape(*x.shape[:-2], family.coefficients, kernel.shape[-1]))
    return jnp.einsum("kg,...kc->...gc", matrix, jnp.concatenate(parts, axis=-2))
