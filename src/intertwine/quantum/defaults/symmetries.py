r"""The symmetries that a wave function and an operator share, and what a model is built on."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import jax
import numpy as np
from jaxtyping import PyTree

from intertwine._checks import InputError
from intertwine.models.levels.spins_on_levels import OnLevels
from intertwine.quantum.hilbert_moves import is_plain, mode_permutations, own_space
from intertwine.quantum.operators.operator import Operator

if TYPE_CHECKING:
    from intertwine.spaces.hilbert.hilbert_space import HilbertSpace
    from intertwine.spaces.lattice import Lattice


def processes() -> int:
    """How many processes share the work."""
    return jax.process_count()


def is_bipartite(lattice: Lattice) -> bool:
    try:
        lattice.sublattices()
    except InputError:
        return False
    return True


def stoquastic_frame(operator: Any) -> Any:
    """`operator` in a frame where it is stoquastic, if turning the spins of some sites by π about z leads to
    one; else as it is.

    >>> import intertwine as it
    >>> stoquastic_frame(it.tfim(it.Chain(4), h=-1.0)).turned
    (0, 1, 2, 3)
    """
    from intertwine.quantum.operators.operator import Operator
    from intertwine.quantum.operators.sign_structure import stoquastic_rotation

    if not isinstance(operator, Operator) or operator.is_stoquastic:
        return operator
    sites = stoquastic_rotation(operator)
    if sites is None:
        return operator
    return operator.in_frame(set(np.flatnonzero(sites).tolist()) ^ set(operator.turned))


def frame(operator: Operator) -> Any:
    """The lattice, if the operator has its symmetry, else the bare sites."""
    from intertwine.quantum.ground_sector import has_space_group

    return operator.lattice if has_space_group(operator) else _bare(operator)


def _bare(operator: Operator) -> Any:
    from intertwine.symmetry.groups.permutation_group import PermutationGroup

    return PermutationGroup(np.arange(operator.size)[None])


def place_of(name: str, operator: Any) -> Any:
    """What the model called `name` is built on: the lattice of the operator; the bare sites where there is
    none, and where weights would be tied by symmetries that the name does not ask for and the operator lacks.

    >>> import intertwine as it
    >>> H = it.tfim(it.Chain(4)) + it.Operator.from_strings(4, [(0.5, {1: "Z"})])
    >>> [getattr(place_of(name, H), "name", None) for name in ("local-rbm:1", "symmetric-rbm:2")]
    ['chain:4', None]
    """
    from intertwine.models.autoregressive.presets import AUTOREGRESSIVE
    from intertwine.models.names import check_model_name
    from intertwine.spaces.hilbert.place import space_group_of

    named, lattice = check_model_name(name), operator.lattice
    if named.family in AUTOREGRESSIVE:
        return _space_of(operator)
    if space_group_of(lattice) is None:
        return _bare(operator)
    if named.family not in ("symmetric-rbm", "gcnn") or named.options & {"space", "translations"}:
        return lattice
    translations = getattr(lattice, "translations", None)
    by_space = named.family == "gcnn" or translations is None or translations.order == 1
    group: Any = lattice.space_group if by_space else translations
    kept = all(operator.is_invariant(group.permutations[g]) for g in group.generators)
    return lattice if kept else _bare(operator)


def _space_of(operator: Operator) -> HilbertSpace:
    """The Hilbert space of the operator; that of spins ½ of the magnetization where its ground state is."""
    from intertwine.quantum.space_choice import ground_magnetization
    from intertwine.spaces.hilbert.kinds import Spins

    given = getattr(operator, "hilbert", None)
    if given is not None and not is_plain(given):
        return given
    return Spins(
        operator.size if operator.lattice is None else operator.lattice, 0.5, ground_magnetization(operator)
    )


def symmetry_of(model: PyTree) -> tuple[np.ndarray, bool]:
    """The permutations (g, N) that leave |ψ|² as it is, as far as the model knows, and whether the flip of
    all spins does."""
    identity = np.arange(model.size)[None]
    if isinstance(model, OnLevels):
        return model.encoding.as_modes(symmetry_of(model.model)[0]), False
    coefficients = getattr(model, "coefficients", None)
    group = getattr(model, "group", None) or getattr(model, "symmetry", None)
    if coefficients is not None and group is not None:
        alike = np.isclose(np.abs(coefficients.values), 1)
        return group.permutations[alike], model.spin_flip is not None
    invariant = getattr(model, "invariant", model)
    permutations = getattr(invariant, "permutations", identity)
    even = getattr(model, "spin_flip", None) is not None
    unbiased = hasattr(invariant, "hidden_bias") and invariant.hidden_bias is None
    return np.asarray(permutations), even or unbiased


def orbit_sums(operator: Any, model: PyTree, magnetization: int | None) -> Any:
    """Exact sums over the orbits of configurations that `model` and `operator` treat alike."""
    from intertwine.sampling.enumeration import Enumeration
    from intertwine.sampling.orbits import OrbitEnumeration

    moves, flip = symmetry_of(model)
    space = getattr(operator, "hilbert", None)
    if not is_plain(space):
        plain = as_bosons(operator)
        kept = np.array([row for row in moves if plain.is_invariant(row)])
        if len(kept) == 1 or model.kind != "real":
            return Enumeration(hilbert=space)
        return OrbitEnumeration(kept, hilbert=space)
    kept = np.array([row for row in moves if operator.is_invariant(row)])
    flip = flip and operator.commutes_with_spin_flip and not magnetization
    return OrbitEnumeration(kept, magnetization=magnetization, spin_flip=flip)


def as_bosons(operator: Any) -> Any:
    """The operator with the same elements on modes that do not anticommute: what a permutation of
    configurations without signs makes of it."""
    space = own_space(operator)
    if not isinstance(operator, Operator) or space is None or not space.has_fermions:
        return operator
    return Operator.from_masks(
        operator.size,
        operator.masks(),
        lattice=operator.lattice,
        turned=operator.turned,
        hilbert=replace(space, fermionic=()),
    )


def kept_permutations(operator: Any) -> np.ndarray:
    """The symmetries of the modes (g, N) that the operator has as well."""
    rows, plain = mode_permutations(operator.hilbert), as_bosons(operator)
    return rows[np.array([plain.is_invariant(row) for row in rows])]


def translations_among(operator: Any, rows: np.ndarray) -> np.ndarray:
    """Those of `rows` that are translations of the lattice; all where there are none."""
    lattice = operator.hilbert.place
    group = getattr(lattice, "translations", None)
    if group is None or group.order == 1:
        return rows
    sites = {tuple(row) for row in np.asarray(group.permutations).tolist()}
    modes = np.array(operator.hilbert.species[0][1])
    back = np.full(operator.hilbert.size, -1)
    back[modes] = np.arange(len(modes))
    return rows[np.array([tuple(back[row[modes]].tolist()) in sites for row in rows])]
