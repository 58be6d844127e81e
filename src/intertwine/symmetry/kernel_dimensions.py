r"""dim Hom_G(Ind_H ρ, Ind_K σ) on a support, counted in three ways that share no code with the basis.

    characters    (1/|K|) Σ_k Σ_{x: kx = x} χ_σ(k) χ_ρ(h(k, x))*, times tr F(k) where functions stand at x
    Mackey        Σ over the orbits K\X, the double cosets K\G/H, of dim Hom_S(ρ^x, σ), S = K ∩ xHx⁻¹
    null space    of the equations κ(k x) = σ(k) κ(x) ρ(h(k, x))⁻¹ for the generators k of K

(Mackey, Annals of Mathematics 55, 101 (1952); Serre 1977, § 7.3.) `intertwiners(...).dimension` counts
the basis.
"""

from __future__ import annotations

import numpy as np

from intertwine._checks import fail
from intertwine.symmetry._whole import as_dimension
from intertwine.symmetry.intertwiner_basis import KernelSpace, Orbits, Support
from intertwine.symmetry.representation import Rep

_MOST_UNKNOWNS = 6000


def dimension_by_characters(space: KernelSpace, rep_in: Rep, rep_out: Rep, support: object) -> int:
    """The average over K of the trace of its action on all kernels.

    >>> from intertwine.spaces.grid import Grid
    >>> p4 = Grid("p4")
    >>> dimension_by_characters(p4, p4.vector, p4.vector, 5)
    26
    """
    region = _region(space, support)
    total = sum(_traces(kind, rep_in, rep_out).sum() for kind in region.kinds) / region.out_group.order
    return as_dimension(total)


def dimension_by_double_cosets(space: KernelSpace, rep_in: Rep, rep_out: Rep, support: object) -> int:
    """Mackey's count: for each orbit of points, the invariants of the stabiliser of its first point.

    >>> from intertwine.spaces.grid import Grid
    >>> p6m = Grid("p6m")
    >>> dimension_by_double_cosets(p6m, p6m.vector, p6m.vector, 3)
    3
    """
    region = _region(space, support)
    total = 0
    for kind in region.kinds:
        traces = _traces(kind, rep_in, rep_out)
        for first in np.unique(kind.action.min(axis=0)):
            stabiliser = kind.action[:, first] == first
            total += as_dimension(traces[stabiliser, first].sum() / stabiliser.sum())
    return total


def dimension_by_null_space(space: KernelSpace, rep_in: Rep, rep_out: Rep, support: object) -> int:
    """The numerical rank of the equations, by singular values; InputError beyond 6,000 unknowns.

    >>> from intertwine.spaces.grid import Grid
    >>> p4m = Grid("p4m")
    >>> dimension_by_null_space(p4m, p4m.vector, p4m.vector, 3)
    5
    """
    region = _region(space, support)
    return sum(_nullity(kind, rep_in, rep_out, region) for kind in region.kinds)


def _region(space: KernelSpace, support: object) -> Support:
    return support if isinstance(support, Support) else space.support(support)


def _traces(kind: Orbits, rep_in: Rep, rep_out: Rep) -> np.ndarray:
    """(k, n): the trace of k on the fibre over x where kx = x, else 0."""
    fixed = kind.action == np.arange(kind.action.shape[1])
    values = rep_out.character[:, None] * rep_in.character[kind.transport].conj()
    if kind.mixing is not None:
        values = values * np.trace(kind.mixing, axis1=1, axis2=2)[:, None]
    return np.where(fixed, values, 0)


def _nullity(kind: Orbits, rep_in: Rep, rep_out: Rep, region: Support) -> int:
    n, d = kind.action.shape[1], rep_out.dimension * rep_in.dimension
    width = 1 if kind.mixing is None else kind.mixing.shape[1]
    unknowns = n * width * d
    if unknowns > _MOST_UNKNOWNS:
        raise fail("support", f"at most {_MOST_UNKNOWNS} unknowns", unknowns, "count by characters")
    gram = np.zeros((unknowns, unknowns), np.result_type(rep_in.dtype, rep_out.dtype))
    for k in region.out_group.generators:
        step = np.zeros((n, width * d, n, width * d), gram.dtype)
        for x in range(n):
            fibre = np.kron(rep_out.matrix(k), rep_in.matrix(int(kind.transport[k, x])).conj())
            if kind.mixing is not None:
                fibre = np.kron(kind.mixing[k], fibre)
            step[kind.action[k, x], :, x, :] = fibre
        equations = step.reshape(unknowns, unknowns) - np.eye(unknowns)
        gram += equations.conj().T @ equations
    return int((np.linalg.eigvalsh(gram) < 1e-8).sum())
