r"""The symmetric RBM in every one-dimensional representation of a lattice's symmetry group.

`SymmetricRBM(...)` returns an `InvariantRBM` (trivial character: every capability of an RBM) or, for another
character or an odd spin flip, a `CovariantRBM` (through the generic path).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import jax
from jax import Array
from jax.typing import DTypeLike
from numpy.typing import ArrayLike

from intertwine import _checks
from intertwine.models.parameters import check_key, check_scale, parameter_dtype
from intertwine.models.symmetric.covariant_rbm import CovariantRBM
from intertwine.models.symmetric.invariant_rbm import InvariantRBM
from intertwine.models.symmetric.site_group import character_phases, site_group

if TYPE_CHECKING:
    from intertwine.spaces.lattice import Lattice
    from intertwine.symmetry import PermutationGroup


def SymmetricRBM(
    lattice: Lattice | PermutationGroup,
    features: int,
    *,
    dtype: DTypeLike = float,
    group: PermutationGroup | str | None = None,
    character: ArrayLike | None = None,
    spin_flip: int | None = None,
    scale: float | None = None,
    key: Array,
) -> InvariantRBM | CovariantRBM:
    r"""An RBM with weights tied by a group, ψ(g s) = χ(g) ψ(s); (g s)[p_g[i]] = s[i].

    lattice: a lattice, or the `PermutationGroup` itself.
    features: number of filters; there are features·|G| hidden units and about features·N parameters.
    dtype: float, complex or an exact floating type.
    group: "translations", "space", or a `PermutationGroup` of the lattice's sites. None: the translations,
    or the space group of a lattice without any. The space group ties more weights, but every filter then
    enters once for each element of the point group, and a filter that has that symmetry itself to that power:
    on the 6×6 Ising model in a transverse field, 4 filters under translations reach a V-score
    30 times smaller.
    character: χ, one complex number for each element of the group, a row of `group.characters_1d()`; None: 1.
    spin_flip: 1 or -1 makes ψ(−s) = ±ψ(s); None leaves it free.
    scale: standard deviation of the initial weights and biases. The default 0.6/(features·N·|G|²)^(1/4) keeps
    the spread of log ψ of order one, because |G| copies of a filter add coherently; far larger values start
    in a spiky state.

    Raises InputError for anything else.

    >>> import jax.numpy as jnp
    >>> from intertwine.symmetry.groups.permutation_group import PermutationGroup
    >>> ring = PermutationGroup.generate([[1, 2, 3, 0]])
    >>> psi = SymmetricRBM(ring, features=2, key=jax.random.key(0))
    >>> s = jnp.array([1, 1, -1, 1])
    >>> bool(abs(psi(s) - psi(jnp.roll(s, 1))) < 1e-5)
    True
    >>> SymmetricRBM(ring, features=2, character=[1, -1, 1, -1], key=jax.random.key(0)).kind     # momentum π
    'complex'
    """
    features = _checks.positive_int("features", features, "give the number of filters, for example 4")
    if spin_flip not in (None, 1, -1) or isinstance(spin_flip, bool):
        raise _checks.fail("spin_flip", "None, 1 or -1", spin_flip)
    if group is None and (translations := getattr(lattice, "translations", None)) is not None:
        group = "translations" if translations.order > 1 else "space"
    symmetry, kind = site_group(lattice, group), parameter_dtype(dtype)
    if scale is None:
        scale = 0.6 * (features * symmetry.size * symmetry.order**2) ** -0.25
    body, head = jax.random.split(check_key(key))
    invariant = InvariantRBM(symmetry, features, kind, check_scale(scale), spin_flip is None, body)
    phases, roots = character_phases([1] * symmetry.order if character is None else character, symmetry)
    if roots == 1 and spin_flip != -1:
        return invariant
    return CovariantRBM(invariant, phases, roots, spin_flip, head)
