"""What is to be said of a wave function in a Hilbert space with conserved numbers, constraints or levels."""

from __future__ import annotations

from typing import Any

from intertwine._caveats import caveat
from intertwine.models.protocols import LogAmplitude


def cannot_represent_in_space(operator: Any, model: LogAmplitude) -> tuple[str, ...]:
    """The caveats of a wave function that may exclude the ground state of `operator`: positive, where the
    operator may need signs; () for others."""
    from intertwine.quantum.defaults import symmetry_of
    from intertwine.quantum.hilbert_defaults import as_bosons

    moves, _ = symmetry_of(model)
    plain = as_bosons(operator)
    count = sum(not plain.is_invariant(row) for row in moves)
    if count:
        words = (
            f"the wave function is the same under {count} symmetries of the sites that the operator has not"
        )
        return (caveat("assumption", f"{words}; take a model without them, such as rbm:2"),)
    if operator.is_stoquastic or model.kind != "real":
        return ()
    particles = "fermions" if operator.hilbert.has_fermions else "an operator with positive elements"
    words = (
        f"the wave function is positive, and {particles} may have a ground state with signs, which this "
        "model cannot have, whatever the V-score"
    )
    remedy = "a Slater determinant with factors" if operator.hilbert.has_fermions else "complex amplitudes"
    return (caveat("assumption", f"{words}; take {remedy}"),)
