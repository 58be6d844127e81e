r"""The invariant vectors of a product of representations of a matrix group.

    W = V_1 ⊗ … ⊗ V_m,      X w = Σ_f (1 ⊗ … X^(f) … ⊗ 1) w = 0 for X ∈ g,      h w = h^(1) ⊗ … ⊗ h^(m) w = w

and Hom(V, W) is the invariants of W ⊗ V* (Finzi, Welling & Wilson, ICML 2021, solve the same equations by
gradient steps on all of W). Here they are solved where they can hold alone, on the products of weight
vectors of one generic element whose weights add up to zero (`generic`): the equations there are sparse, and
their null space is found at once (`null_space`). Discrete elements normalise the algebra, so that they map
its invariants to one another: they add a small dense problem. Without generators the equations of h are
solved on W itself.

The basis is orthonormal and the same on every machine to rounding: columns of the projector, orthogonalised
in order.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Float

from intertwine._checks import fail
from intertwine.symmetry.lie.generic import Weights, weights_of
from intertwine.symmetry.lie.null_space import null_space

_MOST_NUMBERS = 2**27
_MOST_COMPONENTS = 2**23
_PIVOT = 0.0731
"""A column of the projector begins a new basis vector where what is left of it has this share of the
largest."""
_NOISE = 1e-12


class Factor(NamedTuple):
    """What the solver asks of one factor: generators (k, d, d) and discrete elements (m, d, d)."""

    generators: np.ndarray
    discrete: np.ndarray


def invariant_tensors(
    factors: Sequence[Factor], generic: Float[np.ndarray, " k"], tolerance: float
) -> Float[np.ndarray, "r n"]:
    """An orthonormal basis of the invariants of a product, components in the order of np.kron.

    generic: coordinates of a generic element (`generic_element`). tolerance: of the matrices.

    Raises InputError for products that are too large.
    """
    shape = tuple(f.generators.shape[1] for f in factors)
    size = int(np.prod(shape, dtype=np.float64))
    if size > _MOST_COMPONENTS:
        raise fail("type", f"products of at most {_MOST_COMPONENTS:,} components", f"{size:,}")
    if not len(generic):
        found = _fixed(factors, size, tolerance)
    else:
        found = _annihilated(factors, shape, generic, tolerance)
        found = _fixed_among(found, [f.discrete for f in factors], shape)
    return _canonical(found)


def _annihilated(
    factors: Sequence[Factor], shape: tuple[int, ...], generic: np.ndarray, tolerance: float
) -> np.ndarray:
    """Orthonormal columns (n, r), real, that every generator takes to zero."""
    known: dict[int, Weights] = {}
    parts: dict[int, np.ndarray] = {}
    for f in factors:
        if id(f.generators) not in known:
            weights = weights_of(np.tensordot(generic, f.generators, 1), 100 * tolerance)
            known[id(f.generators)] = weights
            moved = weights.inverse @ f.generators @ weights.basis
            parts[id(f.generators)] = np.where(np.abs(moved) > 1e-15 * np.abs(moved).max(initial=0), moved, 0)
    weights = [known[id(f.generators)] for f in factors]
    total, slack = np.zeros(1, complex), sum(w.slack for w in weights)
    for w in weights:
        total = (total[:, None] + w.weight).reshape(-1)
    kept = np.flatnonzero(np.abs(total) <= slack)
    if not len(kept):
        return np.zeros((int(np.prod(shape)), 0))
    gram = _gram([parts[id(f.generators)] for f in factors], shape, kept)
    sizes = np.max([np.linalg.norm(f.generators, 2, axis=(1, 2)) for f in factors], axis=0)
    vectors = null_space(gram, float((sizes**2).sum()), tolerance)
    _check_size(len(total), vectors.shape[1])
    spread = np.zeros((len(total), vectors.shape[1]), np.result_type(vectors, *(w.basis for w in weights)))
    spread[kept] = vectors
    return _real_span(_applied([w.basis for w in weights], spread, shape))


def _gram(generators: list[np.ndarray], shape: tuple[int, ...], kept: np.ndarray) -> Any:
    """Σ_i A_iᴴ A_i, A_i the i-th generator on the components `kept`."""
    from scipy import sparse

    places = np.array(np.unravel_index(kept, shape))
    strides = np.append(np.cumprod(shape[:0:-1])[::-1], 1)
    total: Any = 0
    columns = np.arange(len(kept))
    for i in range(len(generators[0])):
        rows, at, values = [], [], []
        for f, matrices in enumerate(generators):
            matrix = matrices[i]
            for step in np.unique(np.subtract(*np.nonzero(matrix))):
                # one diagonal of the matrix at a time
                to = places[f] + step
                inside = (to >= 0) & (to < shape[f])
                value = matrix[to[inside], places[f][inside]]
                some = value != 0
                rows.append((kept[inside] + step * strides[f])[some])
                at.append(columns[inside][some])
                values.append(value[some])
        if not rows:
            continue
        reached, row = np.unique(np.concatenate(rows), return_inverse=True)
        entries = (np.concatenate(values), (row, np.concatenate(at)))
        a = sparse.csr_array(sparse.coo_array(entries, shape=(len(reached), len(kept))))
        total = total + a.conj().T @ a
    return np.zeros((len(kept),) * 2) if isinstance(total, int) else total


def _fixed_among(found: np.ndarray, discrete: list[np.ndarray], shape: tuple[int, ...]) -> np.ndarray:
    """Those of the span of columns `found` that discrete elements, which map it to itself, leave alone."""
    if not found.shape[1] or not len(discrete[0]):
        return found
    conditions = []
    for j in range(len(discrete[0])):
        moved = _applied([d[j] for d in discrete], found, shape)
        conditions.append(found.T @ moved - np.eye(found.shape[1]))
    _, values, right = np.linalg.svd(np.concatenate(conditions))
    return found @ right[int((values > 1e-5).sum()) :].T


def _fixed(factors: Sequence[Factor], size: int, tolerance: float) -> np.ndarray:
    """Orthonormal columns that the discrete elements leave alone, where there is nothing else."""
    from scipy import sparse

    gram: Any = sparse.csr_array((size, size))
    for j in range(len(factors[0].discrete)):
        moved: Any = sparse.csr_array(np.ones((1, 1)))
        for f in factors:
            moved = sparse.kron(moved, sparse.csr_array(f.discrete[j]), format="csr")
        a = moved - sparse.eye_array(size, format="csr")
        gram = gram + a.T @ a
    _check_size(size, 1)
    return null_space(gram, 1.0, tolerance)


def _applied(matrices: list[np.ndarray], columns: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """(M_1 ⊗ … ⊗ M_m) columns, (n, r)."""
    tensor = columns.reshape(*shape, -1)
    for axis, matrix in enumerate(matrices):
        tensor = np.moveaxis(np.tensordot(matrix, tensor, (1, axis)), 0, axis)
    return tensor.reshape(len(columns), -1)


def _real_span(columns: np.ndarray) -> np.ndarray:
    """An orthonormal basis of the real vectors in a complex span that is its own conjugate."""
    count = columns.shape[1]
    if not count:
        return np.real(columns)
    parts = (
        np.concatenate([np.real(columns), np.imag(columns)], axis=1) if np.iscomplexobj(columns) else columns
    )
    values, vectors = np.linalg.eigh(parts.T @ parts)
    first = parts @ (vectors[:, -count:] / np.sqrt(np.maximum(values[-count:], 1e-300)))
    return np.linalg.qr(first)[0]


def _canonical(found: np.ndarray) -> np.ndarray:
    """The span of orthonormal columns (n, r) as rows (r, n) that depend on the span alone."""
    count = found.shape[1]
    left, turn = (found**2).sum(axis=1), np.zeros((count, count))  # squared norms of what is left of the rows
    for i in range(count):
        row = found[int(np.argmax(left > _PIVOT**2 * left.max()))]
        for _ in range(2):
            row = row - turn[:i].T @ (turn[:i] @ row)
        turn[i] = row / np.linalg.norm(row)
        left = left - (found @ turn[i]) ** 2
    basis = turn @ found.T
    basis[np.abs(basis) < _NOISE] = 0
    return np.ascontiguousarray(basis)


def _check_size(size: int, count: int) -> None:
    if size * count > _MOST_NUMBERS:
        raise fail("type", "invariants that fit in memory", f"{count:,} of {size:,} components")
