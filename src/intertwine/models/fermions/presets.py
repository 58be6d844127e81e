r"""Wave functions of fermions by name.

slater, pfaffian, pairing             determinants and pair functions, from free fermions
slater-jastrow, pairing-jastrow       times a coupling for every pair of modes
slater-rbm:ALPHA, pairing-rbm:ALPHA   times an RBM with ALPHA·N hidden units (projected: that many filters)
backflow:HIDDEN                       orbitals moved by a network of HIDDEN units, times a Jastrow factor
hidden-fermions:NUMBER                determinants of NUMBER hidden fermions, times a Jastrow factor
…:space, …:translations               projected onto the symmetries of the lattice, factors tied by them

The sector of a projected one is that of the ground state of free fermions, where these fill closed shells,
and the irrep named otherwise. Pair functions of as many electrons up as down are singlets.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from jax import Array, random
from jax.typing import DTypeLike
from numpy.typing import ArrayLike

from intertwine._checks import fail
from intertwine.models.fermions.backflow import Backflow
from intertwine.models.fermions.filling import filling_of
from intertwine.models.fermions.hidden_fermions import HiddenFermions
from intertwine.models.fermions.images import mode_group
from intertwine.models.fermions.orbitals import free_orbitals
from intertwine.models.fermions.pairing import Pairing
from intertwine.models.fermions.pfaffian import Pfaffian
from intertwine.models.fermions.slater import Slater
from intertwine.models.fermions.with_factors import correlated
from intertwine.models.jastrow import Jastrow
from intertwine.models.machines.rbm import RBM
from intertwine.models.symmetric.symmetric_rbm import SymmetricRBM
from intertwine.models.symmetric.symmetrised import Symmetrised
from intertwine.symmetry.groups.permutation_group import PermutationGroup

if TYPE_CHECKING:
    from intertwine.spaces.hilbert.hilbert_space import HilbertSpace

FERMION_NAMES = (
    "slater",
    "pairing",
    "pfaffian",
    "slater-jastrow",
    "pairing-jastrow",
    "pairing-jastrow:space",
    "slater-rbm:ALPHA",
    "pairing-rbm:ALPHA",
    "slater-rbm:FEATURES:translations",
    "backflow:HIDDEN",
    "hidden-fermions:NUMBER",
)
_PLAIN = ("slater", "pairing", "pfaffian", "slater-jastrow", "pairing-jastrow", "pfaffian-jastrow")
_COUNTED = ("slater-rbm", "pairing-rbm", "pfaffian-rbm", "backflow", "hidden-fermions")
_OPTIONS = frozenset({"space", "translations"})
_LARGEST = 1000
_NOISE, _SMALL = 0.3, 0.02


class FermionName(NamedTuple):
    """The parts of a name: number is 0 where there is none."""

    family: str
    number: float
    options: frozenset[str]


def fermion_name(name: object) -> FermionName | None:
    """The parts of the name of a wave function of fermions, or None.

    >>> fermion_name("slater-rbm:2:translations").number, fermion_name("rbm:2")
    (2.0, None)
    """
    family, *rest = name.strip().split(":") if isinstance(name, str) else ("",)
    number = 0.0
    if family in _COUNTED:
        try:
            number = float(rest.pop(0)) if rest else 0.0
        except ValueError:
            return None
        whole = family.endswith("-rbm") or number == math.floor(number) if math.isfinite(number) else False
        if not whole or not 0 < number <= _LARGEST:
            return None
    elif family not in _PLAIN:
        return None
    options = frozenset(rest)
    if len(rest) != len(options) or not options <= _OPTIONS or len(options) > 1:
        return None
    return FermionName(family, number, options)


def fermion_model(
    name: str,
    space: HilbertSpace,
    *,
    character: ArrayLike | None = None,
    spin_flip: int | None = None,
    dtype: DTypeLike = float,
    key: Array,
) -> Any:
    """The wave function called `name` of the fermions of `space`.

    character: of a projected one, for each element of the group; None for that of free fermions (closed
    shells), else 1. spin_flip: of a projected one, 1 or −1 for an even or odd total spin, None for none.
    Raises InputError for other names and for what does not fit.

    >>> import intertwine as it
    >>> electrons = it.Fermions(it.Chain(6), (3, 3))
    >>> fermion_model("pairing-jastrow:space", electrons, key=random.key(0)).kind
    'signed'
    """
    found = fermion_name(name)
    if found is None:
        raise fail("model", "one of " + ", ".join(FERMION_NAMES), name)
    filling, keys = filling_of(space), random.split(key)
    kind, _, factor = found.family.partition("-")
    reference = _reference(found, space, dtype, keys[0])
    group = None
    if found.options:
        lattice: Any = space.place
        chosen = next(iter(found.options))
        group = getattr(lattice, "space_group" if chosen == "space" else "translations", None)
        if group is None:
            raise fail("model", "a lattice with symmetries, for a projected wave function", repr(space), name)
        if character is None:
            character = free_character(space, group)
        reference = Symmetrised(reference, group, character, spin_flip=spin_flip)
    elif character is not None or spin_flip is not None:
        raise fail("model", "a projected one, as slater-jastrow:space, for a sector", name)
    if kind in ("slater", "pairing", "pfaffian") and not factor:
        return reference
    tied = None if group is None else _with_exchange(mode_group(group, filling.size), space)
    if factor == "rbm" and group is None:
        units = max(1, round(found.number * space.size))
        made: Any = RBM(space.size, units, dtype=dtype, scale=_SMALL, key=keys[1])
    elif factor == "rbm":
        turns = _with_exchange(mode_group(space.place.translations, filling.size), space)
        made = SymmetricRBM(turns, max(1, round(found.number)), dtype=dtype, scale=_SMALL, key=keys[1])
    else:
        made = Jastrow(space.size if tied is None else tied, dtype=dtype, scale=_SMALL / 2, key=keys[1])
    return correlated(reference, made)


def _reference(found: FermionName, space: HilbertSpace, dtype: DTypeLike, key: Array) -> Any:
    family = found.family
    if family == "backflow":
        return Backflow(space, int(found.number), dtype=dtype, key=key)
    if family == "hidden-fermions":
        return HiddenFermions(space, int(found.number), dtype=dtype, key=key)
    noise = {"scale": _NOISE if found.options else _NOISE / 3, "dtype": dtype, "key": key}
    if family.startswith("pairing"):
        particles = filling_of(space).particles
        return Pairing(space, singlet=len(set(particles)) == 1 and len(particles) == 2, **noise)
    return (Pfaffian if family.startswith("pfaffian") else Slater)(space, **noise)


def _with_exchange(group: PermutationGroup, space: HilbertSpace) -> PermutationGroup:
    """`group` and, for as many fermions up as down, the exchange of both species."""
    filling = filling_of(space)
    if (
        len(filling.particles) != 2
        or len(set(filling.particles)) != 1
        or filling.size != 2 * filling.widths[0]
    ):
        return group
    L = filling.widths[0]
    swap = (np.arange(2 * L) + L) % (2 * L)
    return PermutationGroup(np.concatenate([group.permutations, group.permutations[:, swap]]))


def free_character(space: HilbertSpace, group: PermutationGroup) -> np.ndarray | None:
    """χ*(g) of the ground state of free fermions, χ(g) = Π_blocks det Φ†P_gΦ, for closed shells; else None.

    >>> import intertwine as it
    >>> chain = it.Chain(4)
    >>> free_character(it.Fermions(chain, 3), chain.translations).real.tolist()
    [1.0, 1.0, 1.0, 1.0]
    """
    filling = filling_of(space)
    moves = mode_group(group, filling.size).permutations
    values = np.ones(len(moves), complex)
    for orbitals, a, width in zip(free_orbitals(space), filling.starts, filling.widths, strict=True):
        for g, p in enumerate(moves[:, a : a + width] - a):
            moved = np.empty_like(orbitals)
            moved[p] = orbitals
            values[g] *= np.linalg.det(orbitals.conj().T @ moved) if orbitals.shape[1] else 1.0
    if not np.allclose(np.abs(values), 1, atol=1e-6):
        return None
    values = np.conj(values)
    real, imaginary = np.real(values), np.imag(values)
    return np.round(real) + 0.0 if np.allclose(imaginary, 0, atol=1e-6) else values
