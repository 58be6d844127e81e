r"""The energy of a machine of two-state units as a quadratic form, which annealers take.

    E(x) = Σ_{i≤j} Q_ij x_i x_j + offset,   x = (v, h) ∈ {0, 1}          (QUBO)
    E(s) = Σ_i h_i s_i + Σ_{i<j} J_ij s_i s_j + offset,   s = ±1, x = (1 + s)/2      (Ising)

for E = −(vᵀWh + a·v + b·h) of an RBM, whose units may be spins or binary, in each layer: a spin unit of the
machine is 2x − 1. Keys are numbers of units, the visible ones first: dictionaries are what `dimod` and
D-Wave's samplers read (`sample_qubo(Q)`, `sample_ising(h, J)`), `matrix` is the upper triangle that others
take. The offset is what all states have in common.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Float

from intertwine._checks import fail

if TYPE_CHECKING:
    from intertwine.models.machines.rbm import RBM


@dataclass(frozen=True)
class Qubo:
    """matrix: upper triangle (n, n) over n = N + M bits, the visible units first; offset: added to xᵀQx."""

    matrix: Float[np.ndarray, "n n"]
    offset: float

    @property
    def Q(self) -> dict[tuple[int, int], float]:
        """{(i, j): Q_ij}, i ≤ j, without zeros."""
        return {(int(i), int(j)): float(self.matrix[i, j]) for i, j in np.argwhere(self.matrix)}

    def energies(self, bits: Float[np.ndarray, "... n"]) -> Float[np.ndarray, "..."]:
        """E of rows of bits 0 or 1."""
        x = np.asarray(bits, np.float64)
        return ((x @ self.matrix) * x).sum(-1) + self.offset

    def to_ising(self) -> IsingForm:
        """The same of spins s = 2x − 1."""
        off = np.triu(self.matrix, 1)
        own = np.diag(self.matrix)
        fields = own / 2 + (off.sum(0) + off.sum(1)) / 4
        J = {(int(i), int(j)): float(off[i, j] / 4) for i, j in np.argwhere(off)}
        offset = self.offset + float(own.sum() / 2 + off.sum() / 4)
        return IsingForm({i: float(x) for i, x in enumerate(fields)}, J, offset)


@dataclass(frozen=True)
class IsingForm:
    """h: {i: h_i}. J: {(i, j): J_ij}, i < j. offset. The sign is that of annealers: E = Σ h s + Σ J s s."""

    h: dict[int, float]
    J: dict[tuple[int, int], float]
    offset: float


def qubo_of(machine: RBM) -> Qubo:
    """The quadratic form of an RBM with two-state units and real parameters. Raises InputError for others."""
    if not (machine.visible_layer.is_two_state and machine.hidden_layer.is_two_state):
        got = f"units {machine.units!r} and hidden_units {machine.hidden_units!r}"
        raise fail("model", "units that are spin or binary, for an annealer", got)
    if machine.kind != "real":
        raise fail("model", "real parameters, for an annealer", f"kind {machine.kind!r}")
    W = np.asarray(machine.weights, np.float64)
    a, b = (np.asarray(x, np.float64) for x in (machine.visible_bias, machine.hidden_bias))
    (N, M), offset = W.shape, 0.0
    of_v, of_h = machine.units == "spin", machine.hidden_units == "spin"
    if of_v:  # v = 2x − 1
        offset, b, a, W = offset + a.sum(), b - W.sum(0), 2 * a, 2 * W
    if of_h:
        offset, a, b, W = offset + b.sum(), a - W.sum(1), 2 * b, 2 * W
    matrix = np.zeros((N + M, N + M))
    matrix[np.arange(N + M), np.arange(N + M)] = -np.concatenate([a, b])
    matrix[:N, N:] = -W
    return Qubo(matrix, float(offset))
