r"""A Hamiltonian of the time: H(t) = Σ_j c_j(t) P_j, the strings fixed and the coefficients functions.

A coefficient that vanishes at some time (a field that is switched on from 0) is kept as a 0 in place, so that
all H(t) have one structure and nothing is compiled twice. The strings are those met so far; one that first
appears later makes the structure grow, once.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import equinox as eqx
import numpy as np

from intertwine._checks import fail
from intertwine.quantum.operators import pauli
from intertwine.quantum.operators.operator import Operator
from intertwine.quantum.operators.pauli import PauliSum

_PROBES = (0.0, 0.381966, 1.0)


class Drive:
    """H(t) as operators of one structure.

    >>> import intertwine as it
    >>> drive = Drive(lambda t: it.tfim(it.Chain(4), J=1.0, h=t), span=2.0)
    >>> drive(0.0).n_strings, drive(0.5).coefficients.ravel().tolist()
    (4, [-0.5, -0.5, -0.5, -0.5])
    """

    def __init__(self, function: Callable[[float], Operator], span: float):
        self.function = function
        probes = [self._checked(probe * span) for probe in _PROBES]
        self.size, self.lattice, self.turned = probes[0].size, probes[0].lattice, probes[0].turned
        self.hilbert = probes[0].hilbert
        x, z = (np.concatenate([getattr(p.masks(), name) for p in probes]) for name in "xz")
        self._build(x, z)

    def _checked(self, t: float) -> Operator:
        found = self.function(t)
        if not isinstance(found, Operator):
            raise fail("H", "an Operator, or a function of the time that gives one", found)
        if not found.is_hermitian:
            raise fail("H", "a Hermitian operator at all times", f"{found!r} at t = {t:.6g}")
        return found

    def _build(self, x: np.ndarray, z: np.ndarray) -> None:
        """The template: its coefficients are the numbers of the strings."""
        marks = np.unique(np.concatenate([x, z], axis=1), axis=0)
        x, z = marks[:, : self.size], marks[:, self.size :]
        self.rows = {row.tobytes(): j for j, row in enumerate(marks)}
        numbered = PauliSum(x, z, np.arange(1, len(marks) + 1) + 0j)
        self.template = Operator.from_masks(
            self.size, numbered, lattice=self.lattice, turned=self.turned, hilbert=self.hilbert
        )
        self.off = np.asarray(self.template.coefficients).round().astype(int)
        self.on = np.asarray(self.template.diagonal_coefficients).round().astype(int)
        self.marks = marks

    def __call__(self, t: float) -> Operator:
        """H(t)."""
        masks = self._checked(t).in_frame(self.turned).masks()
        keys = np.concatenate([masks.x, masks.z], axis=1)
        if any(key.tobytes() not in self.rows for key in keys):
            merged = np.concatenate([self.marks, keys])
            self._build(merged[:, : self.size], merged[:, self.size :])
        values = np.zeros(1 + len(self.marks), complex)
        for key, value in zip(keys, masks.h, strict=True):
            values[1 + self.rows[key.tobytes()]] = value
        y = pauli.y_counts(self.marks[:, : self.size], self.marks[:, self.size :])
        taken: Any = values if np.any(y % 2) else np.real(values)
        return eqx.tree_at(
            lambda op: (op.coefficients, op.diagonal_coefficients),
            self.template,
            (taken[self.off], taken[self.on]),
        )
