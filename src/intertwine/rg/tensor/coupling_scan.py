"""Tensor renormalization at many couplings, as a study: a line is a coupling, coarse-grained by the plain and
by the bond-weighted scheme beside Onsager's ln Z."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from jaxtyping import Float
from numpy.typing import ArrayLike

from intertwine._checks import fail, positive_int
from intertwine._shown import Shown
from intertwine.learning.study import Scalars, Study, carry_out
from intertwine.models.spins.onsager import onsager
from intertwine.rg.defaults import TENSOR_STEPS
from intertwine.rg.tensor.trg import SCHEMES, trg


@dataclass(frozen=True, eq=False, repr=False)
class TRGScan(Shown):
    """K: float64 (n,), in the order in which they were given. log_z: ln Z per site by coupling and scheme
    (the plain one first), (n, 2). exact: Onsager's, (n,). phases: Gu and Wen's number of the bond-weighted
    scheme by coupling and step, (n, steps). dimensions: the two smallest scaling dimensions of the last
    coupling by step, (steps, 2). chi: the singular values kept.
    """

    K: Float[np.ndarray, " n"]
    log_z: Float[np.ndarray, "n 2"]
    exact: Float[np.ndarray, " n"]
    phases: Float[np.ndarray, "n steps"]
    dimensions: Float[np.ndarray, "steps 2"]
    chi: int

    @property
    def errors(self) -> Float[np.ndarray, "n 2"]:
        """|ln Z/exact − 1| of both schemes."""
        return np.abs(self.log_z / self.exact[:, None] - 1)

    def __str__(self) -> str:
        lines = [f"{'K':>9}  {'ln Z per site':>14}  {'error':>8}  {'plain':>8}  phases"]
        for K, log_z, (plain, weighted), phases in zip(
            self.K, self.log_z[:, 1], self.errors, self.phases[:, -1], strict=True
        ):
            lines.append(f"{K:9.5f}  {log_z:14.10f}  {weighted:8.1e}  {plain:8.1e}  {phases:.3g}")
        return "\n".join(lines)


class Scanned(NamedTuple):
    """What has come of a `TRGScan`; NaN where it has not."""

    log_z: np.ndarray
    phases: np.ndarray
    dimensions: np.ndarray


class CouplingScan(Study[Scanned, TRGScan]):
    """Couplings K of the square lattice, one after another."""

    def __init__(self, couplings: np.ndarray, chi: int, steps: int = TENSOR_STEPS):
        self.couplings, self.chi, self.steps = couplings, chi, steps
        self.lines = len(couplings)

    def template(self, done: int) -> Scanned:
        shapes = (self.lines, 2), (self.lines, self.steps), (self.steps, 2)
        return Scanned(*(np.full(shape, np.nan) for shape in shapes))

    def start(self) -> Scanned:
        """The state before the first coupling."""
        return self.template(0)

    def iterate(self, state: Scanned, done: int) -> Iterator[tuple[Scanned, Scalars]]:
        for line in range(done, self.lines):
            state = Scanned(*(array.copy() for array in state))
            K = float(self.couplings[line])
            for column, scheme in enumerate(SCHEMES):
                found = trg(K, self.chi, self.steps, scheme=scheme)
                state.log_z[line, column] = found.log_z
            state.phases[line] = found.invariant
            if line == self.lines - 1:
                state.dimensions[:] = found.dimensions[:, :2]
            exact = onsager(K).log_partition
            plain, weighted = state.log_z[line] / exact - 1
            yield (
                state,
                {
                    "start": K,
                    "log_z": found.log_z,
                    "exact": exact,
                    "error_trg": plain,
                    "error_bond_weighted": weighted,
                },
            )

    def finish(self, state: Scanned, history: list[Scalars]) -> TRGScan:
        exact = np.array([onsager(float(K)).log_partition for K in self.couplings])
        return TRGScan(self.couplings, state.log_z, exact, state.phases, state.dimensions, self.chi)


def trg_scan(couplings: ArrayLike, chi: int = 16, steps: int = TENSOR_STEPS) -> TRGScan:
    """Tensor renormalization of the square Ising model at several couplings, by both schemes of `trg`, beside
    Onsager's ln Z: the numbers of `intertwine renormalize --rule trg:χ`.

    couplings: K > 0, (n,). chi, steps: as for `trg`. Raises InputError for other values.

    >>> found = trg_scan([0.4, 0.5], chi=8)
    >>> bool((found.errors[:, 1] < 1e-5).all()), found.phases[:, -1].round(3).tolist()
    (True, [1.0, 2.0])
    """
    values = np.asarray(couplings, np.float64)
    if values.ndim != 1 or not values.size or not (np.isfinite(values).all() and (values > 0).all()):
        raise fail("couplings", "positive numbers (n,)", couplings)
    return carry_out(CouplingScan(values, positive_int("chi", chi), positive_int("steps", steps)))
