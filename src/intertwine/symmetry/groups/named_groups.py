r"""Finite groups by name, and products of groups.

    cyclic(n) dihedral(n) dicyclic(n) quaternion() symmetric(n) alternating(n) tetrahedral()
    octahedral() icosahedral()    the rotations of the regular solids: T ≅ A_4, O ≅ S_4, I ≅ A_5
    full_tetrahedral() with_inversion(G)        T_d; T_h, O_h, I_h and any other G × C_i
    direct_product(G, H) semidirect_product(N, H, action)

`tetrahedral_rotations()` and its sisters are the 3×3 matrices of the elements, in the order of the
group's rows, on vectors (x_0, x_1, x_2). The solids stand in a cube with edges along the axes: T is
made of the half turns about the axes and the cyclic permutation of the axes; O adds the quarter turn
about axis 2, e_0 → e_1; I adds a fifth of a turn about (0, 1, φ), φ = (1 + √5)/2, so that T ⊂ O and T ⊂
I. (Coxeter, Regular Polytopes, 1973.)
"""

from __future__ import annotations

from functools import lru_cache
from itertools import permutations
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Float
from numpy.typing import ArrayLike

from intertwine._checks import fail, positive_int
from intertwine.symmetry._images import frozen
from intertwine.symmetry.groups._product_table import MOST_ELEMENTS
from intertwine.symmetry.groups.finite_group import FiniteGroup, as_group

if TYPE_CHECKING:
    from intertwine.symmetry.groups.finite_group import AnyGroup

_GOLDEN = (1 + 5**0.5) / 2
_HALF_TURNS = (np.diag([1.0, -1.0, -1.0]), np.diag([-1.0, 1.0, -1.0]))
_CYCLE = np.eye(3)[[2, 0, 1]]  # e_0 → e_1 → e_2 → e_0
_QUARTER_TURN = np.array([[0.0, -1.0, 0.0], [1.0, 0.0, 0.0], [0.0, 0.0, 1.0]])
_DIAGONAL_MIRROR = np.array([[0.0, 1.0, 0.0], [1.0, 0.0, 0.0], [0.0, 0.0, 1.0]])
_FIFTH_TURN = 0.5 * np.array(
    [[_GOLDEN - 1, -_GOLDEN, 1.0], [_GOLDEN, 1.0, _GOLDEN - 1], [-1.0, _GOLDEN - 1, _GOLDEN]]
)


def cyclic(n: int) -> FiniteGroup:
    """C_n: element k is r^k.

    >>> cyclic(4).product_table[1].tolist()
    [1, 2, 3, 0]
    """
    n = positive_int("n", n, "give the order of the rotation")
    k = np.arange(n)
    return FiniteGroup((k[:, None] + k) % n, f"C{n}")


def dihedral(n: int) -> FiniteGroup:
    """D_n of order 2n: element k is the rotation r^k, element n + k is r^k s with s r s = r⁻¹.

    >>> dihedral(4).order
    8
    """
    n = positive_int("n", n, "give the order of the rotation")
    k = np.arange(n)
    turn, back = (k[:, None] + k) % n, (k[:, None] - k) % n
    return FiniteGroup(np.block([[turn, turn + n], [back + n, back]]), f"D{n}")


def dicyclic(n: int) -> FiniteGroup:
    """Dic_n of order 4n: element k < 2n is a^k, element 2n + k is a^k b; b² = a^n, b a b⁻¹ = a⁻¹.

    >>> dicyclic(3).element_orders.tolist()
    [1, 6, 3, 2, 3, 6, 4, 4, 4, 4, 4, 4]
    """
    n = positive_int("n", n, "give half the order of the generator a")
    k = np.arange(2 * n)
    turn, back = (k[:, None] + k) % (2 * n), (k[:, None] - k) % (2 * n)
    table = np.block([[turn, turn + 2 * n], [back + 2 * n, (back + n) % (2 * n)]])
    return FiniteGroup(table, f"Dic{n}")


def quaternion() -> FiniteGroup:
    """Q_8 = {±1, ±i, ±j, ±k}, in the order 1, i, −1, −i, j, k, −j, −k.

    >>> quaternion().element_orders.tolist()
    [1, 4, 2, 4, 4, 4, 4, 4]
    """
    return FiniteGroup(dicyclic(2).product_table, "Q8")


def symmetric(n: int) -> FiniteGroup:
    """S_n, n ≤ 7: the permutations p of n points in lexicographic order, (p q)[i] = p[q[i]].

    >>> symmetric(3).order, symmetric(3).element_orders.tolist()
    (6, [1, 2, 2, 3, 3, 2])
    """
    return FiniteGroup.of(_permutations(n), f"S{n}")


def alternating(n: int) -> FiniteGroup:
    """A_n, n ≤ 7: the even permutations of n points in lexicographic order.

    >>> alternating(5).order
    60
    """
    rows = _permutations(n)
    i, j = np.triu_indices(rows.shape[1], 1)
    inversions = (rows[:, i] > rows[:, j]).sum(axis=1)
    return FiniteGroup.of(rows[inversions % 2 == 0], f"A{n}")


def _permutations(n: int) -> np.ndarray:
    n = positive_int("n", n, "give the number of points")
    if n > 7:
        raise fail("n", "at most 7 points", n, f"a product table has at most {MOST_ELEMENTS} rows")
    return np.array(list(permutations(range(n))), dtype=np.int32)


def tetrahedral() -> FiniteGroup:
    """T, the 12 rotations of the tetrahedron.

    >>> tetrahedral().order
    12
    """
    return _solid("T")[0]


def tetrahedral_rotations() -> Float[np.ndarray, "12 3 3"]:
    """The matrices of `tetrahedral()`, in its order."""
    return _solid("T")[1]


def octahedral() -> FiniteGroup:
    """O, the 24 rotations of the cube and the octahedron.

    >>> octahedral().order
    24
    """
    return _solid("O")[0]


def octahedral_rotations() -> Float[np.ndarray, "24 3 3"]:
    """The matrices of `octahedral()`, in its order."""
    return _solid("O")[1]


def icosahedral() -> FiniteGroup:
    """I, the 60 rotations of the icosahedron and the dodecahedron.

    >>> icosahedral().order
    60
    """
    return _solid("I")[0]


def icosahedral_rotations() -> Float[np.ndarray, "60 3 3"]:
    """The matrices of `icosahedral()`, in its order.

    >>> bool(np.allclose(np.linalg.det(icosahedral_rotations()), 1))
    True
    """
    return _solid("I")[1]


def full_tetrahedral() -> FiniteGroup:
    """T_d ≅ S_4, the 24 rotations and reflections of the tetrahedron.

    >>> full_tetrahedral().order
    24
    """
    return _solid("Td")[0]


def full_tetrahedral_matrices() -> Float[np.ndarray, "24 3 3"]:
    """The matrices of `full_tetrahedral()`, in its order."""
    return _solid("Td")[1]


@lru_cache(maxsize=4)
def _solid(name: str) -> tuple[FiniteGroup, np.ndarray]:
    extra = {"T": [], "O": [_QUARTER_TURN], "I": [_FIFTH_TURN], "Td": [_DIAGONAL_MIRROR]}[name]
    group, matrices = FiniteGroup.from_matrices([*_HALF_TURNS, _CYCLE, *extra], name)
    exact = np.array([0.0, 0.5, _GOLDEN / 2, (_GOLDEN - 1) / 2, 1.0])  # every entry, up to its sign
    nearest = exact[np.abs(np.abs(matrices)[..., None] - exact).argmin(axis=-1)]
    return group, frozen(np.where(nearest == 0, 0.0, np.copysign(nearest, matrices)))


def with_inversion(group: AnyGroup) -> FiniteGroup:
    """G × C_i: element k < |G| is g_k, element |G| + k is the inversion times g_k.

    With matrices R of G, those of the product are `numpy.concatenate([R, -R])`.

    >>> with_inversion(octahedral()).order
    48
    """
    group = as_group(group)
    return FiniteGroup(direct_product(cyclic(2), group).product_table, f"{group.name}i" if group.name else "")


def direct_product(left: AnyGroup, right: AnyGroup) -> FiniteGroup:
    """G × H: element (g, h) is row g |H| + h, so that regular(G × H) = regular(G) ⊗ regular(H).

    >>> direct_product(cyclic(2), cyclic(3)).is_abelian
    True
    """
    left, right = as_group(left, "left"), as_group(right, "right")
    return semidirect_product(left, right, np.tile(np.arange(left.order), (right.order, 1)))


def semidirect_product(normal: AnyGroup, acting: AnyGroup, action: ArrayLike, name: str = "") -> FiniteGroup:
    """N ⋊ H with (n, h)(n', h') = (n · h(n'), h h'); element (n, h) is row n |H| + h.

    normal: N. acting: H. action: int (|H|, |N|), action[h, n] = h(n): automorphisms of N, with
    action[h h', n] = action[h, action[h', n]].

    Raises InputError where `action` is none of that.

    >>> flips = semidirect_product(cyclic(5), cyclic(2), [[0, 1, 2, 3, 4], [0, 4, 3, 2, 1]])
    >>> flips.order, flips.is_abelian
    (10, False)
    """
    normal, acting = as_group(normal, "normal"), as_group(acting, "acting")
    rows = _checked_automorphisms(normal, acting, action)
    n, h = normal.order, acting.order
    if n * h > MOST_ELEMENTS:
        raise fail("normal and acting", f"at most {MOST_ELEMENTS} elements in all", f"{n}·{h}")
    first = normal.product_table[np.arange(n)[:, None, None], rows]  # (n, h, n'): n · h(n')
    table = first[:, :, :, None] * h + acting.product_table[:, None, :]
    straight = bool((rows == np.arange(n)).all())
    known = f"{normal.name} {'×' if straight else '⋊'} {acting.name}" if normal.name and acting.name else ""
    return FiniteGroup(table.reshape(n * h, n * h), name or known)


def _checked_automorphisms(normal: FiniteGroup, acting: FiniteGroup, action: ArrayLike) -> np.ndarray:
    rows = np.asarray(action)
    n, h = normal.order, acting.order
    if rows.shape != (h, n) or not np.issubdtype(rows.dtype, np.integer):
        raise fail("action", f"integers of shape ({h}, {n})", f"shape {rows.shape} of {rows.dtype}")
    if (np.sort(rows, axis=1) != np.arange(n)).any():
        raise fail("action", f"rows that permute 0..{n - 1}", "one that does not")
    for s in acting.generators or (acting.identity,):
        moved = rows[s]
        if not np.array_equal(moved[normal.product_table], normal.product_table[np.ix_(moved, moved)]):
            raise fail("action", "automorphisms, h(n n') = h(n) h(n')", f"row {s}, which is none")
        if not np.array_equal(rows[acting.product_table[:, s]], rows[:, moved]):
            raise fail("action", "a homomorphism H → Aut(N)", f"another map at h' = {s}", "check the order")
    return rows.astype(np.int64)
