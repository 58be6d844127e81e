r"""Types of fields by name: "2 scalar + vector + 8 regular".

    scalar             1                       temperature, a grey image
    pseudoscalar       det A                   vorticity in the plane; changes sign under reflections
    vector             A                       gradients, velocities; component a along axis a
    pseudovector       det(A) A                spins, magnetic fields
    tensor             A ⊗ A                   components T_ab, row by row
    symmetric tensor   A ⊗ A, symmetric        stress, strain: T_00, T_11, …, then √2 T_ab for a < b
    regular            functions on H          what group convolutions compute with
    quotient K         functions on H/K        K: a rotation number n, "s" (a reflection), or both, "2s"
    irrep k            angular frequency k     planar groups; elsewhere number k of `irreps(H)`

On surfaces, whose structure group is SO(2) or O(2) (the sphere, meshes), fields are sums of

    scalar, vector     spin 0, spin 1          a vector has its components along the two axes of the frame
    pseudoscalar       det h                   of O(2) alone
    spin k             the turn by kθ          complex numbers (Re, Im) that a turn by θ multiplies by e^{ikθ}
    tensor             rank 2, T_ab            its parts: trace/√2, (T_01 − T_10)/√2, and of spin 2
                                               (T_00 − T_11)/√2, (T_01 + T_10)/√2
    symmetric tensor   without the second of these parts
    regular k          functions on H          spins 0 to k: 1, √2 cos θ, √2 sin θ, √2 cos 2θ, …

A is the matrix of the element on R^d. The √2 makes the stress's representation orthogonal (Mandel's
notation), as norms and kernels ask for.
"""

from __future__ import annotations

import re
from itertools import combinations
from typing import Any, overload

import numpy as np

from intertwine._checks import fail
from intertwine.spaces.point_groups import turned_waves
from intertwine.spaces.protocols import ArraySpace, Space
from intertwine.symmetry import (
    AnyRep,
    CompactGroup,
    CompactRep,
    FiniteGroup,
    Rep,
    irreps,
    quotient,
    regular,
    trivial,
)

NAMES = (
    "scalar",
    "pseudoscalar",
    "vector",
    "pseudovector",
    "tensor",
    "symmetric tensor",
    "regular",
    "quotient K",
    "irrep k",
)
_TERM = re.compile(r"(?:(\d+)\s*[·*]?\s*)?([a-z][a-z ]*?)(?:\s+(\d+s?|s))?")


@overload
def field_type(space: ArraySpace, names: str | int | AnyRep, argument: str = ...) -> Rep: ...
@overload
def field_type(space: Space, names: str | int | AnyRep, argument: str = ...) -> AnyRep: ...
def field_type(space: Space, names: str | int | AnyRep, argument: str = "names") -> AnyRep:
    """The representation of a sum of named fields on `space`.

    space: any space; the names that need matrices of H on vectors are for spaces that have such (`linear`),
    as a `Grid` does; quotients for planar ones. names: as above; a number n is
    n scalars, and a representation of the space's group is itself. argument: what errors call it.

    Raises InputError, listing the names, for any other.

    >>> from intertwine.spaces.grid import Grid
    >>> p4m = Grid("p4m")
    >>> field_type(p4m, "2 scalar + vector + 8 regular")
    2·scalar + vector + 8·regular
    >>> field_type(p4m, "symmetric tensor").dimension, field_type(p4m, "quotient 2s").dimension
    (3, 2)
    """
    group = getattr(space, "fibre_group", None) or getattr(space, "group", None)
    if group is None:
        raise fail("space", "a Grid, a HomogeneousSpace or another Space", space)
    if isinstance(names, AnyRep):
        if names.group != group:
            remedy = getattr(space, "reason_of_group", "")
            raise fail(argument, f"a representation of {group!r}", f"{names!r} of {names.group!r}", remedy)
        return names
    if isinstance(names, int | np.integer) and not isinstance(names, bool) and names > 0:
        names = f"{names} scalar"
    if not isinstance(names, str):
        raise _unknown(names, argument)
    own = getattr(space, "named_type", None)
    if own is not None and _matrices(space) is None:
        return own(names, argument)
    compact = isinstance(group, CompactGroup)
    total: Any = None
    for term in names.split("+"):
        found = _TERM.fullmatch(term.strip().lower())
        if not found or found[1] == "0":
            raise _unknown(term.strip() or names)
        if compact:
            one = int(found[1] or 1) * _of_surface(group, found[2], found[3], term.strip())
        else:
            one = int(found[1] or 1) * _one(space, group, found[2], found[3], term.strip())
        total = one if total is None else total + one
    assert total is not None
    return total


def _one(space: Space, group: FiniteGroup, name: str, which: str | None, term: str) -> Rep:
    if name == "irrep" and which is not None and which.isdigit():
        return _irrep(space, group, int(which))
    if name == "quotient" and which is not None:
        return _quotient(space, group, which)
    if which is not None:
        raise _unknown(term)
    if name == "scalar":
        return Rep(group, name="scalar", permutation=trivial(group).permutation)
    if name == "regular":
        return regular(group)
    linear = _matrices(space)
    if linear is None:
        raise _unknown(term)
    sign, d, vector = np.linalg.det(linear)[:, None, None].round(), linear.shape[1], Rep(group, linear)
    made = {
        "pseudoscalar": lambda: sign,
        "vector": lambda: linear,
        "pseudovector": lambda: sign * linear,
        "tensor": lambda: vector.tensor(vector).matrices,
        "symmetric tensor": lambda: _symmetric(linear, d),
    }
    if name not in made:
        raise _unknown(term)
    return Rep(group, made[name](), name)


def _of_surface(group: CompactGroup, name: str, which: str | None, term: str) -> CompactRep:
    """Fields whose frames SO(2) or O(2) turns."""
    if group.dimension != 2:
        raise fail("space", "a structure group SO(2) or O(2) for named fields", group, "take group.irrep(l)")
    scalar, odd = group.irrep(0), group.irrep(0, -1) if group.has_reflections else group.irrep(0)
    if which is not None and which.isdigit():
        k = int(which)
        if name in ("spin", "irrep"):
            return group.irrep(k)
        if name == "regular":
            return CompactRep.direct_sum([(group.irrep(j), 1) for j in range(k + 1)])
    made = {
        "scalar": scalar,
        "vector": group.irrep(1),
        "tensor": scalar + odd + group.irrep(2),
        "symmetric tensor": scalar + group.irrep(2),
    }
    if group.has_reflections:
        made["pseudoscalar"] = odd
    if which is not None or name not in made:
        expected = "a sum of " + ", ".join((*made, "spin k", "regular k")) + " with numbers before them"
        raise fail("names", expected, term, 'for example "2 scalar + vector + 8 spin 2"')
    return made[name]


def _symmetric(linear: np.ndarray, d: int) -> np.ndarray:
    """A T Aᵀ on the orthonormal basis e_aa, (e_ab + e_ba)/√2."""
    basis = [np.diag(np.eye(d)[a]) for a in range(d)]
    for a, b in combinations(range(d), 2):
        one = np.zeros((d, d))
        one[a, b] = one[b, a] = 0.5**0.5
        basis.append(one)
    e = np.array(basis)
    return np.einsum("mab,hac,ncd,hbd->hmn", e, linear, e, linear)


def _matrices(space: Space) -> np.ndarray | None:
    """(h, d, d): how H acts on vectors, where the space says it."""
    return getattr(space, "linear", None)


def _irrep(space: Space, group: FiniteGroup, k: int) -> Rep:
    """Angular frequency k of a planar group; else number k of the group's irreps."""
    linear = _matrices(space)
    if linear is None or linear.shape[1] != 2:
        known = irreps(group, "real")
        if k >= len(known):
            raise fail("names", f"irrep k with k from 0 to {len(known) - 1}", f"irrep {k}")
        return known[k]
    name = f"irrep {k}"
    sign = np.sign(np.linalg.det(linear))
    rotations = int((sign > 0).sum())
    if k > rotations // 2:
        raise fail(
            "names", f"irrep k with k from 0 to {rotations // 2}", name, "higher ones are the same again"
        )
    if k == 0 or 2 * k == rotations:
        angle = k * np.arctan2(linear[:, 1, 0], linear[:, 0, 0])
        turns = np.where(sign > 0, np.cos(angle), _mirror_sign(linear, k)).round()
        return Rep(group, turns[:, None, None], name)
    return Rep(group, turned_waves(linear, k), name)


def _mirror_sign(linear: np.ndarray, k: int) -> np.ndarray:
    """cos kθ is even under x_1 ↦ −x_1: the value of its one-dimensional irrep at reflections r^j s."""
    if k == 0:
        return np.ones(len(linear))
    reflections = np.linalg.det(linear) < 0
    angle = np.arctan2(linear[:, 1, 0], linear[:, 0, 0])
    first = angle[reflections][0] if reflections.any() else 0.0  # of s itself: a mirror of the group
    return np.cos(k * (angle - first))


def _quotient(space: Space, group: FiniteGroup, which: str) -> Rep:
    linear = _matrices(space)
    if linear is None or linear.shape[1] != 2:
        raise fail(
            "names", "quotients of planar grids", f"quotient {which}", "use symmetry.quotient(subgroup)"
        )
    sign = np.linalg.det(linear)
    rotations, mirrors = np.flatnonzero(sign > 0), np.flatnonzero(sign < 0)
    n = int(which.rstrip("s") or 1)
    if n < 1 or len(rotations) % n or (which.endswith("s") and not mirrors.size):
        had = f"{len(rotations)} rotations and {'' if mirrors.size else 'no '}reflections"
        raise fail("names", f"quotient K with K a subgroup: the grid has {had}", f"quotient {which}")
    members = [int(rotations[len(rotations) // n % len(rotations)])] if n > 1 else []
    members += [int(mirrors[0])] if which.endswith("s") else []
    return quotient(group.generate(members), f"quotient {which}")


def _unknown(name: object, argument: str = "names") -> Exception:
    remedy = 'for example "2 scalar + vector + 8 regular"'
    return fail(argument, "a sum of " + ", ".join(NAMES) + " with numbers before them", name, remedy)
