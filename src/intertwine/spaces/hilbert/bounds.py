r"""What restricts the configurations of a system: bounds on weighted sums of levels.

    low ≤ Σ_i w_i n_i ≤ high        (or, with a modulus m, (Σ_i w_i n_i) mod m between low and high)

Conserved numbers are bounds with low = high: particles, the magnetization, a parity (m = 2). Constraints are
bounds too: n_i + n_j ≤ 1 for two Rydberg atoms within the blockade, Σ n = 1 for the links around a vertex of
a dimer covering.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from jax import Array

from intertwine._checks import fail


@dataclass(frozen=True)
class Bound:
    """low ≤ Σ_i weights_i n_i ≤ high over `modes`, the sum taken modulo `modulus` where there is one.

    name: what it is called in messages, as "particles" or "blockade". told: the value that messages tell,
    where that is not the sum of levels (the magnetization).

    >>> pair = Bound((0, 1), (1, 1), 0, 1, name="blockade")
    >>> pair.holds(np.array([[0, 0], [0, 1], [1, 1]])).tolist()
    [True, True, False]
    """

    modes: tuple[int, ...]
    weights: tuple[int, ...]
    low: int
    high: int
    modulus: int | None = None
    name: str = "number"
    told: int | None = None

    def __post_init__(self) -> None:
        for field in ("modes", "weights"):
            values = np.asarray(getattr(self, field))
            if values.ndim != 1 or (values.size and not np.issubdtype(values.dtype, np.integer)):
                raise fail(field, "integers", getattr(self, field))
            object.__setattr__(self, field, tuple(int(v) for v in values))
        if len(self.modes) != len(self.weights):
            raise fail("weights", f"{len(self.modes)} integers, one for each mode", self.weights)
        if len(set(self.modes)) != len(self.modes):
            raise fail("modes", "each mode once", self.modes)
        for field in ("low", "high"):
            value = getattr(self, field)
            if isinstance(value, bool) or not isinstance(value, int | np.integer):
                raise fail(field, "an integer", value)
            object.__setattr__(self, field, int(value))
        if self.low > self.high:
            raise fail("low", f"at most high = {self.high}", self.low)

    @property
    def is_number(self) -> bool:
        """Whether the sum has one value: a conserved number."""
        return self.low == self.high

    def sums(self, levels: Array | np.ndarray) -> Any:
        """Σ_i w_i n_i of levels (..., N), numpy or JAX."""
        total = sum(w * levels[..., i].astype(int) for i, w in zip(self.modes, self.weights, strict=True))
        if not self.modes:
            total = levels[..., :1].sum(-1).astype(int) * 0
        return total if self.modulus is None else total % self.modulus

    def holds(self, levels: Array | np.ndarray) -> Any:
        """Whether levels (..., N) satisfy it, bool (...,), numpy or JAX."""
        total = self.sums(levels)
        return (total >= self.low) & (total <= self.high)
