r"""Operators on two groups of modes as sums of products: electrons with spin up and down, and the like.

Where no bound of a space joins the first modes with the others, configurations are pairs (u, v), a vector is
a matrix X_{uv}, and every Pauli string, fermions' signs included, is a product of one string on each half:

    H X = K_u X + X K_vᵀ + D ∘ X + Σ_t A_t X B_tᵀ,

the first two of small sparse matrices, D the diagonal (the interaction of Hubbard's model), and the last for
terms that change both halves. So nothing of the size of the space is stored but vectors and D (Lin,
Gubernatis, Gould & Tobochnik, Comput. Phys. 7, 400 (1993)).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from intertwine.quantum.exact.basis import in_threads
from intertwine.quantum.exact.hilbert.basis import space_basis, space_matrix
from intertwine.quantum.operators import pauli
from intertwine.quantum.operators.pauli import PauliSum
from intertwine.spaces.hilbert.hilbert_space import HilbertSpace

if TYPE_CHECKING:
    from intertwine.quantum.operators.operator import Operator

_LARGEST_HALF = 300_000
_MOST_PRODUCTS = 64


class Halves(NamedTuple):
    """A space as a product of two."""

    first: HilbertSpace
    second: HilbertSpace


def halves_of(space: HilbertSpace) -> Halves | None:
    """The two halves of a space of two-level modes, divided where that is most even; None where bounds join
    all of it, or a half is large.

    >>> import intertwine as it
    >>> halves = halves_of(it.Fermions(4, (2, 1)))
    >>> halves.first.dimension, halves.second.dimension, halves_of(it.Fermions(4, 2))
    (6, 4, None)
    """
    if not space.binary or space.size < 2 or not space.bounds:
        return None
    joined = np.zeros(space.size, bool)  # whether a bound joins modes before i with modes from i on
    for bound in space.bounds:
        if bound.modes:
            joined[min(bound.modes) + 1 : max(bound.modes) + 1] = True
    best: Halves | None = None
    for at in np.flatnonzero(~joined[1:]) + 1:
        found = Halves(*(_part(space, low, high) for low, high in ((0, int(at)), (int(at), space.size))))
        if best is None or max(h.dimension for h in found) < max(h.dimension for h in best):
            best = found
    if best is None or max(half.dimension for half in best) > _LARGEST_HALF:
        return None
    return best


def _part(space: HilbertSpace, low: int, high: int) -> HilbertSpace:
    """Modes low … high − 1 of a space, with the bounds that lie in them."""
    from dataclasses import replace

    inside = [b for b in space.bounds if b.modes and low <= min(b.modes) and max(b.modes) < high]
    bounds = tuple(replace(b, modes=tuple(i - low for i in b.modes)) for b in inside)
    return HilbertSpace(space.levels[low:high], bounds, space.fermionic[low:high], kind=space.kind)


class ProductMatrix:
    """H on X (n_u, n_v), ravelled; see the module. products: pairs (A_t, B_t) of sparse matrices."""

    def __init__(
        self,
        up: Any,
        down: Any,
        diagonal: np.ndarray,
        products: list[tuple[Any, Any]],
        dtype: np.dtype,
    ):
        self.up, self.down, self.diagonal, self.products = up, down, diagonal, products
        self.dtype = dtype
        n = up.shape[0] * down.shape[0]
        self.shape = (n, n)

    def __matmul__(self, x: np.ndarray) -> np.ndarray:
        from intertwine.quantum.exact.hilbert import half_kernels

        if x.ndim == 2:
            return np.stack([self @ column for column in x.T], axis=1)
        shape = self.up.shape[0], self.down.shape[0]
        x = np.ascontiguousarray(x, self.dtype).reshape(shape)
        y = np.empty(shape, self.dtype)
        up, down = ((m.indptr, m.indices, m.data) for m in (self.up, self.down))
        in_threads(half_kernels.apply_halves, shape[0], *up, *down, self.diagonal, x, y)
        for a, b in self.products:
            y += (b @ (a @ x).T).T
        return y.ravel()


def product_matrix(operator: Operator, halves: Halves) -> ProductMatrix | None:
    """An operator between two halves, or None where more than 64 products would change both."""
    x, z, h = operator.masks()
    cut = halves.first.size
    values = np.real(h) if operator.is_real else h
    in_first = np.any(x[:, :cut] | z[:, :cut], axis=1)
    in_second = np.any(x[:, cut:] | z[:, cut:], axis=1)
    flips_first, flips_second = np.any(x[:, :cut], axis=1), np.any(x[:, cut:], axis=1)
    both = in_first & in_second
    diagonal = ~flips_first & ~flips_second
    keys = np.packbits(np.concatenate([x[:, :cut], z[:, :cut]], axis=1), axis=1)
    changing = both & ~diagonal
    groups = np.unique(keys[changing], axis=0, return_inverse=True)[1].reshape(-1)
    if len(groups) and groups.max() >= _MOST_PRODUCTS:
        return None
    bases = [space_basis(half) for half in halves]

    def part(rows: np.ndarray, which: int, weights: np.ndarray) -> Any:
        """Σ of the halves of strings as a sparse matrix."""
        one = slice(0, cut) if which == 0 else slice(cut, None)
        terms = pauli.canonical(PauliSum(x[rows, one], z[rows, one], weights.astype(complex)))
        size = halves[which].size
        return space_matrix(type(operator).from_masks(size, terms), bases[which])

    dtype = values.dtype
    up = part(in_first & ~in_second, 0, values[in_first & ~in_second])
    down = part(~in_first, 1, values[~in_first])  # the identity too
    signs = [_signs(z[both & diagonal][:, :cut], bases[0]), _signs(z[both & diagonal][:, cut:], bases[1])]
    table = (signs[0] * values[both & diagonal]) @ signs[1].T
    products = []
    rows = np.flatnonzero(changing)
    for g in range(groups.max() + 1 if len(groups) else 0):
        mine = rows[groups == g]
        a = part(mine[:1], 0, np.ones(1))
        b = part(mine, 1, values[mine])
        if a.count_nonzero() and b.count_nonzero():
            products.append((a, b))
    dtype = np.result_type(dtype, *(m.dtype for pair in products for m in pair), up.dtype, down.dtype)
    up, down = up.astype(dtype), down.astype(dtype)
    return ProductMatrix(up, down, table, products, np.dtype(dtype))


def _signs(z: np.ndarray, basis: Any) -> np.ndarray:
    """Π_{i∈z} s_i of every pattern (n, T)."""
    masks = (z.astype(np.int64) << basis.packing.shifts).sum(axis=1)
    return 1.0 - 2.0 * (np.bitwise_count(basis.states[:, None] & masks) & 1)
