r"""Whether a wave function can be the ground state at all: signs and symmetries that it lacks, or has too
many of.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import jax

from intertwine._caveats import caveat
from intertwine.quantum.defaults.symmetries import as_bosons, symmetry_of
from intertwine.quantum.hilbert_moves import held_space, is_plain
from intertwine.quantum.operators.operator import Operator
from intertwine.quantum.operators.protocols import QuantumOperator

if TYPE_CHECKING:
    from intertwine.models.protocols import LogAmplitude


def cannot_represent(operator: Any, model: LogAmplitude) -> tuple[str, ...]:
    """The caveats of a wave function that may exclude the ground state: positive, or invariant under a
    symmetry, where the operator does not say that its ground state is; () for others.

    >>> import jax, intertwine as it
    >>> psi = it.RBM(9, hidden=9, key=jax.random.key(0))
    >>> [line.partition(":")[0] for line in cannot_represent(it.heisenberg(it.Chain(9)), psi)]
    ['assumption']
    """
    from intertwine.quantum.ground_sector import LARGEST, ground_sector

    if not is_plain(getattr(operator, "hilbert", None)):
        return _in_space(operator, model)
    lacking = _lacking(operator, model)
    if operator.is_stoquastic:
        return lacking
    fits = ", or leave the model out for one that fits" if operator.size <= LARGEST else ""
    if model.kind == "real":
        words = (
            "the wave function is positive, and the operator is not stoquastic: its ground state may have "
            "signs that this model cannot have, whatever the V-score"
        )
        return (caveat("assumption", f"{words}; take complex amplitudes{fits}"), *lacking)
    coefficients = getattr(model, "coefficients", None)
    chosen = coefficients is not None and not coefficients.trivial
    moves, even = symmetry_of(model)
    even = even and getattr(model, "spin_flip", None) != -1
    if lacking:
        return lacking
    if chosen or hasattr(model, "invariant") or (len(moves) == 1 and not even):
        return ()
    found = ground_sector(operator)
    if found is None:
        fits = ""
        where = "and it is not known whether the ground state is"
    elif found.is_invariant(moves) and not (even and found.spin_flip == -1):
        return ()
    else:
        where = f"and the ground state is not (it has {found})"
    under = f"{len(moves)} symmetries of the sites" if len(moves) > 1 else "the flip of all spins"
    words = f"the wave function is invariant under {under}, {where}"
    return (caveat("assumption", f"{words}; take another character{fits}"),)


def _lacking(operator: Operator, model: LogAmplitude) -> tuple[str, ...]:
    """The caveat of |ψ|² tied by symmetries of the sites that the operator has not."""
    from intertwine.quantum.ground_sector import has_space_group

    moves, _ = symmetry_of(model)
    if has_space_group(operator):
        group: Any = operator.lattice.space_group
        moves = moves[group.rows_of(moves) < 0]
    count = sum(not operator.is_invariant(row) for row in moves)
    if not count:
        return ()
    words = f"the wave function is the same under {count} symmetries of the sites that the operator has not"
    return (caveat("assumption", f"{words}; take a model without them, such as rbm:2"),)


def _in_space(operator: QuantumOperator, model: LogAmplitude) -> tuple[str, ...]:
    """The caveats of a wave function that may exclude the ground state of `operator`: positive, where the
    operator may need signs; () for others."""
    moves, _ = symmetry_of(model)
    plain = as_bosons(operator)
    count = sum(not plain.is_invariant(row) for row in moves)
    if count:
        words = (
            f"the wave function is the same under {count} symmetries of the sites that the operator has not"
        )
        return (caveat("assumption", f"{words}; take a model without them, such as rbm:2"),)
    if found := _projected(model):
        return found
    if operator.is_stoquastic or model.kind != "real":
        return ()
    particles = "fermions" if held_space(operator).has_fermions else "an operator with positive elements"
    words = (
        f"the wave function is positive, and {particles} may have a ground state with signs, which this "
        "model cannot have, whatever the V-score"
    )
    remedy = (
        "a Slater determinant with factors" if held_space(operator).has_fermions else "complex amplitudes"
    )
    return (caveat("assumption", f"{words}; take {remedy}"),)


def _projected(model: LogAmplitude) -> tuple[str, ...]:
    """The caveat of a wave function of fermions that is projected onto one sector of its symmetries; () for
    others."""
    from intertwine.models.symmetric.symmetrised import Symmetrised

    parts = jax.tree.leaves(model, is_leaf=lambda part: isinstance(part, Symmetrised))
    if not any(isinstance(part, Symmetrised) and part.filling is not None for part in parts):
        return ()
    words = (
        "the wave function is projected onto one sector of the symmetries; if the ground state is in "
        "another, this is the lowest energy of its own, whatever the V-score"
    )
    return (caveat("assumption", f"{words}; compare with other sectors, or a model without :space"),)
