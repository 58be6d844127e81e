r"""A Lie algebra of matrices from a basis: structure constants, Killing form, parts, a name.

    [A_i, A_j] = Σ_k c_ijk A_k,     K_ij = tr(ad_i ad_j) = Σ_kl c_ikl c_jlk

The signature (p, q) of K (positive, negative) is (0, n) for a compact semisimple algebra, and with the
dimension it tells the small simple ones apart. A reductive algebra is its centre and the simple ideals of
[g, g]; others are told by the dimensions of their radical.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from intertwine.geometry.conservation.algebra.names import of_one, of_simple
from intertwine.symmetry.lie.algebra import closure, trace_form

CLOSED = 1e-6
"""Brackets that leave the span by more, over their size, do not close."""

_ZERO = 1e-7


@dataclass(frozen=True, eq=False)
class LieAlgebra:
    """generators: float64 (n, d, d). structure: c (n, n, n). closure_error: the largest part of a bracket
    outside the span, over its size. killing: K (n, n). name: what the algebra is, or its dimensions.
    """

    generators: Float[np.ndarray, "n d d"]
    structure: Float[np.ndarray, "n n n"]
    closure_error: float
    killing: Float[np.ndarray, "n n"]
    name: str

    @property
    def dimension(self) -> int:
        return len(self.generators)

    @property
    def closes(self) -> bool:
        """Whether brackets are combinations of the generators again."""
        return self.closure_error < CLOSED

    @property
    def signature(self) -> tuple[int, int]:
        """How many eigenvalues of K are positive, and negative."""
        return _signature(self.killing)


def lie_algebra(generators: Float[np.ndarray, "n d d"], tolerance: float = CLOSED) -> LieAlgebra:
    """Of matrices that are linearly independent.

    >>> turn = np.array([[[0, -1, 0], [1, 0, 0], [0, 0, 0]], [[0, 0, -1], [0, 0, 0], [1, 0, 0]],
    ...                  [[0, 0, 0], [0, 0, -1], [0, 1, 0]]], float)
    >>> found = lie_algebra(turn)
    >>> found.name, found.signature, found.closes
    ('so(3)', (0, 3), True)
    """
    count, d = len(generators), generators.shape[-1]
    if not count:
        empty = np.zeros((0, 0, 0))
        return LieAlgebra(np.zeros((0, d, d)), empty, 0.0, np.zeros((0, 0)), "0")
    structure, worst = closure(generators)
    error, killing = worst.residual, trace_form(structure)
    name = (
        _named(generators, structure)
        if error < max(CLOSED, tolerance)
        else f"{count} matrices that do not close"
    )
    return LieAlgebra(generators, structure, error, killing, name)


def _signature(form: np.ndarray, zero: float = _ZERO) -> tuple[int, int]:
    if not form.size:
        return 0, 0
    values = np.linalg.eigvalsh((form + form.T) / 2)
    size = max(float(np.abs(values).max()), 1e-12)
    return int((values > zero * size).sum()), int((values < -zero * size).sum())


def _named(generators: np.ndarray, structure: np.ndarray) -> str:
    count = len(generators)
    if count == 1:
        return of_one(generators[0])
    derived = _span(structure.reshape(-1, count))
    centre = _null(np.swapaxes(structure, 0, 1).reshape(count, -1).T)
    if not len(derived):
        kinds = [of_one(g) for g in generators]
        compact = all(kind == "u(1)" for kind in kinds)
        return f"{'u(1)' if compact else 'R'}^{count}, abelian"
    killing = trace_form(structure)
    inner = derived @ killing @ derived.T
    semisimple = sum(_signature(inner)) == len(derived)
    if semisimple and len(derived) + len(centre) == count:
        parts = [of_simple(n, s) for n, s in _ideals(structure, derived)]
        parts += [of_one(np.tensordot(row, generators, 1)) for row in centre]
        return "so(4) = so(3) ⊕ so(3)" if parts == ["so(3)", "so(3)"] else " ⊕ ".join(parts)
    return _with_radical(structure, killing, derived)


def _with_radical(structure: np.ndarray, killing: np.ndarray, derived: np.ndarray) -> str:
    """A semidirect sum: the radical is what is orthogonal to [g, g]."""
    count = len(killing)
    radical = _null(derived @ killing)
    if len(radical) == count:
        return f"solvable, of dimension {count}"
    quotient, _ = np.linalg.qr(np.concatenate([radical, np.eye(count)]).T)
    rest = quotient[:, len(radical) :].T
    reduced = np.einsum("ia,jb,abc,kc->ijk", rest, rest, structure, rest)
    parts = " ⊕ ".join(of_simple(n, s) for n, s in _ideals(reduced, np.eye(len(rest))))
    within = np.einsum("ia,jb,abc->ijc", radical, radical, structure)
    kind = "R" if np.abs(within).max(initial=0.0) < 1e-6 else "a radical of dimension "
    return f"{parts} ⋉ {kind}{'^' if kind == 'R' else ''}{len(radical)}"


def _ideals(structure: np.ndarray, derived: np.ndarray) -> list[tuple[int, tuple[int, int]]]:
    """(dimension, signature of the Killing form) of each simple ideal of a semisimple algebra, spanned by
    `derived`: eigenspaces of a map that commutes with all of ad."""
    basis, _ = np.linalg.qr(derived.T)
    own = np.einsum("ia,jb,abc,kc->ijk", basis.T, basis.T, structure, basis.T)
    n = len(own)
    adjoint = own.transpose(0, 2, 1)
    eye = np.eye(n)
    equations = [np.kron(eye, a) - np.kron(a.T, eye) for a in adjoint]
    commuting = _null(np.concatenate(equations)).reshape(-1, n, n).transpose(0, 2, 1)
    mixed = np.tensordot(np.random.default_rng(1).normal(size=len(commuting)), commuting, 1)
    values, vectors = np.linalg.eig(mixed)
    killing = trace_form(own)
    found, left = [], list(range(n))
    while left:
        value = values[left[0]]
        near = [
            k
            for k in left
            if min(abs(values[k] - value), abs(values[k] - np.conj(value))) < 1e-5 * (1 + abs(value))
        ]
        left = [k for k in left if k not in near]
        space = _span(np.concatenate([np.real(vectors[:, near]).T, np.imag(vectors[:, near]).T]))
        found.append((len(space), _signature(space @ killing @ space.T)))
    return sorted(found, reverse=True)


def _span(rows: np.ndarray) -> np.ndarray:
    _, singular, right = np.linalg.svd(rows, full_matrices=False)
    return right[singular > _ZERO * max(1.0, singular.max(initial=0.0))]


def _null(rows: np.ndarray) -> np.ndarray:
    _, singular, right = np.linalg.svd(rows, full_matrices=True)
    rank = int((singular > _ZERO * max(1.0, singular.max(initial=0.0))).sum())
    return right[rank:]
