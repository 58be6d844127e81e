r"""Maps between induced representations, counted by double cosets and found as a null space.

    Hom_G(Ind_H ρ, Ind_K σ) ≅ ⊕ over K g H of Hom_S(ρ^g, σ),    S = K ∩ gHg⁻¹,  ρ^g(s) = ρ(g⁻¹ s g)

(Mackey, Annals of Mathematics 55, 101, 1952; Serre 1977, § 7.3). `hom_space` solves b(s) X = X a(s)
numerically for the generators s and knows nothing of characters: with `hom_dim` these are three counts
of one dimension.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from jaxtyping import Num

from intertwine._checks import fail
from intertwine.symmetry._whole import as_dimension
from intertwine.symmetry.groups.finite_group import Subgroup
from intertwine.symmetry.representation import Rep

_MOST_UNKNOWNS = 6_000


def mackey_dim(H: Subgroup, rho: Rep, K: Subgroup, sigma: Rep) -> int:
    """dim Hom_G(Ind_H ρ, Ind_K σ) as a sum over the double cosets K\\G/H.

    H, K: subgroups of one group. rho, sigma: representations of H.group and K.group.

    >>> from intertwine.symmetry import symmetric, trivial
    >>> G = symmetric(4)
    >>> H, K = G.generate([1]), G.generate([9])
    >>> mackey_dim(H, trivial(H), K, trivial(K)) == len(H.double_cosets(K))
    True
    """
    for argument, subgroup, rep in (("H", H, rho), ("K", K, sigma)):
        if not isinstance(subgroup, Subgroup):
            raise fail(argument, "a Subgroup", subgroup, "make it with group.subgroup or group.generate")
        if not isinstance(rep, Rep) or rep.group != subgroup.group:
            raise fail("rho and sigma", "representations of H.group and K.group", rep)
    return sum(_on_double_coset(H, rho, K, sigma, int(rows[0])) for rows in H.double_cosets(K))


def _on_double_coset(H: Subgroup, rho: Rep, K: Subgroup, sigma: Rep, g: int) -> int:
    """dim Hom_S(ρ^g, σ) by the characters of S."""
    table, inverse = H.parent.product_table, H.parent.inverse
    moved = H.place[table[table[inverse[g], K.members], g]]  # g⁻¹ k g as an element of H
    both = moved >= 0
    return as_dimension(np.vdot(rho.character[moved[both]], sigma.character[both]) / both.sum())


def hom_space(a: Rep, b: Rep) -> Num[np.ndarray, "n d_b d_a"]:
    """An orthonormal basis of Hom_G(a, b), the X (d_b, d_a) with b(g) X = X a(g), by singular values.

    Raises InputError for representations of different groups, or of more than 6,000 entries of X.

    >>> from intertwine.symmetry import dihedral, regular
    >>> hom_space(regular(dihedral(3)), regular(dihedral(3))).shape
    (6, 6, 6)
    """
    if not isinstance(a, Rep) or not isinstance(b, Rep) or a.group != b.group:
        raise fail("a and b", "representations of one group", f"{a!r} and {b!r}")
    n, m = a.dimension, b.dimension
    if n * m > _MOST_UNKNOWNS:
        raise fail("a and b", f"at most {_MOST_UNKNOWNS} entries", f"{m}·{n}", "count with hom_dim")
    dtype: Any = np.result_type(a.dtype, b.dtype)
    gram = np.zeros((n * m, n * m), dtype)
    for s in a.group.generators:
        equations = np.kron(b.matrix(s), np.eye(n)) - np.kron(np.eye(m), a.matrix(s).T)
        gram += equations.conj().T @ equations
    values, vectors = np.linalg.eigh(gram)
    null = values < 1e-9 * max(1.0, float(values[-1]))
    return vectors[:, null].T.reshape(-1, m, n)
