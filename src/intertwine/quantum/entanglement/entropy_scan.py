r"""Entropy against the size of a region, region by region: the study of `it.entanglement.scan`.

    S(l) for growing regions A_1 ⊂ A_2 ⊂ …

exactly to 24 spins (one state vector, a decomposition per region), else from one set of samples for all
regions (`swap_estimator`). Beside it the bound that the model's structure sets. How S grows is said by two
fits, with their residuals: the logarithm of the chord (`chord_fit`, a critical chain) and a straight line
(volume law).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from time import perf_counter
from typing import Any

import numpy as np
from jax import Array
from jaxtyping import Float, PyTree

from intertwine._caveats import beneath, caveat, once, tell
from intertwine._checks import InputError, fail, positive_int
from intertwine.learning.study import Scalars, Study, carry_out
from intertwine.models.parameters import check_key
from intertwine.quantum.entanglement.drawn import Drawn, draw
from intertwine.quantum.entanglement.entropies import entropy_of, spectrum
from intertwine.quantum.entanglement.regions import checked_region
from intertwine.quantum.entanglement.space_vectors import SpaceVector
from intertwine.quantum.entanglement.structure.bound import bound
from intertwine.quantum.entanglement.swap_estimator import swapped_entropy
from intertwine.quantum.entanglement.vectors import (
    MOST_SITES,
    StateVector,
    any_vector,
    size_of,
    space_of_state,
)

SAMPLES = 4096
EXACT_SITES = 20
"""To so many sites entropies are exact where nothing is said of samples."""


@dataclass(frozen=True, eq=False, repr=False)
class EntropyCurve:
    """Entropies of growing regions, nats.

    lengths: sites of each region (n,). von_neumann: nan where it was sampled. renyi2, error: the second Rényi
    entropy, and one standard error (0 where it is exact). bound: of every order, by the model's structure;
    nan where that is not known. samples: None where it is exact. warnings: what qualifies it.
    """

    regions: tuple[tuple[int, ...], ...]
    von_neumann: Float[np.ndarray, " n"]
    renyi2: Float[np.ndarray, " n"]
    error: Float[np.ndarray, " n"]
    bound: Float[np.ndarray, " n"]
    samples: int | None
    warnings: tuple[str, ...] = ()

    @property
    def lengths(self) -> np.ndarray:
        return np.array([len(region) for region in self.regions])

    def __str__(self) -> str:
        last = f"{self.lengths[-1]} sites: Rényi-2 {self.renyi2[-1]:.6g}"
        last += f" ± {self.error[-1]:.1g}" if self.samples else f", von Neumann {self.von_neumann[-1]:.6g}"
        return beneath(f"{len(self.regions)} regions to {last} nats", self.warnings)

    def __repr__(self) -> str:
        return f"EntropyCurve({str(self).partition(chr(10))[0]})"


def scan(
    model: PyTree,
    regions: Iterable[Iterable[int]] | None = None,
    samples: int | None = None,
    *,
    key: Array | None = None,
    progress: Callable[[np.ndarray, Scalars], object] | None = None,
) -> EntropyCurve:
    """The entropies of `regions` in `model`.

    model: a wave function, a run, or a vector of amplitudes. regions: None for the first 1, 2, … N/2 sites.
    samples: configurations, the same for all regions, and then `key` has to be given; None for exact values,
    to 24 spins. progress: called with the number of regions done and the line of each.

    Raises InputError as `renyi2` does.

    >>> bell_pairs = np.kron([1.0, 0.0, 0.0, 1.0], [1.0, 0.0, 0.0, 1.0])
    >>> scan(bell_pairs).renyi2.round(6).tolist()
    [0.693147, 0.0]
    """
    found = carry_out(EntropyScan(model, regions, samples, key=key), progress=progress)
    tell(found.warnings)
    return found


class EntropyScan(Study[np.ndarray, EntropyCurve]):
    """What `scan` carries out, a line per region; the state counts them."""

    def __init__(
        self,
        model: PyTree,
        regions: Iterable[Iterable[int]] | None = None,
        samples: int | None = None,
        *,
        key: Array | None = None,
    ):
        self.model, self.size = model, size_of(model)
        if self.size < 2:
            raise fail("model", "at least two sites", self.size)
        given = [range(n) for n in range(1, self.size // 2 + 1)] if regions is None else regions
        self.regions = tuple(checked_region(region, self.size) for region in given)
        if not self.regions:
            raise fail("regions", "at least one", "none")
        if samples is not None:
            positive_int("samples", samples, "4096 is usual")
            check_key(key)
        elif space_of_state(model) is None and self.size > MOST_SITES:
            expected, got = f"a number beyond {MOST_SITES} spins", f"None for {self.size} spins"
            raise fail("samples", expected, got, f"give samples, for example {SAMPLES}, and a key")
        self.samples, self.key, self.lines = samples, key, len(self.regions)
        self._state: StateVector | SpaceVector | Drawn | None = None
        self._told: dict[int, tuple[str, ...]] = {}

    def start(self) -> np.ndarray:
        return np.zeros((), np.int64)

    def template(self, done: int) -> np.ndarray:
        return self.start()

    def iterate(self, state: np.ndarray, done: int) -> Iterator[tuple[np.ndarray, Scalars]]:
        for line in range(done, self.lines):
            begun = perf_counter()
            row = self._line(line)
            yield np.int64(line + 1) * np.ones((), np.int64), row | {"seconds": perf_counter() - begun}

    def finish(self, state: np.ndarray, history: list[Scalars]) -> EntropyCurve:
        def column(name: str) -> np.ndarray:
            return np.array([math.nan if row.get(name) is None else row[name] for row in history], float)

        for line in range(len(history) if self.samples else 0):
            if line not in self._told:  # measured before an interruption
                self._line(line)
        notes = [note for line in sorted(self._told) for note in self._told[line]]
        high = column("renyi2") - 5 * column("error") > column("bound") + 1e-9
        if high.any():
            notes.append(caveat("untrusted", "an entropy lies above what the structure of the model allows"))
        return EntropyCurve(
            self.regions, column("von_neumann"), column("renyi2"), column("error"), column("bound"),
            self.samples, tuple(once(notes)),
        )  # fmt: skip

    def _line(self, line: int) -> Scalars:
        region = self.regions[line]
        row: Scalars = {"sites": float(len(region)), "bound": self._bound(region)}
        if self.samples is None:
            values = spectrum(self.vector(), region)
            one, two = (entropy_of(values, order) for order in (1.0, 2.0))
            return row | {"von_neumann": one, "renyi2": two, "error": 0.0, "rank": float(len(values))}
        found = swapped_entropy(self._drawn(), region)
        self._told[line] = found.warnings
        numbers = {"renyi2": found.mean, "error": found.error, "r_hat": found.r_hat}
        return row | {"von_neumann": math.nan} | numbers

    def vector(self) -> StateVector | SpaceVector:
        """The amplitudes of the state, made once."""
        if not isinstance(self._state, StateVector | SpaceVector):
            self._state = any_vector(self.model)
        return self._state

    def _drawn(self) -> Drawn:
        if not isinstance(self._state, Drawn):
            assert self.samples is not None
            self._state = draw(self.model, self.samples, check_key(self.key))
        return self._state

    def _bound(self, region: tuple[int, ...]) -> float:
        try:
            return float(bound(self.model, region).nats)
        except InputError:
            return math.nan


def volume_law(lengths: np.ndarray, entropies: np.ndarray) -> tuple[float, float]:
    """(nats per site of the line S = s l + b through the entropies, the largest distance from it).

    >>> slope, residual = volume_law(np.array([1, 2, 3]), np.array([0.7, 1.4, 2.1]))
    >>> round(slope, 6), round(residual, 6)
    (0.7, 0.0)
    """
    design = np.stack([lengths, np.ones(len(lengths))], axis=1).astype(float)
    found: Any = np.linalg.lstsq(design, entropies, rcond=None)[0]
    return float(found[0]), float(np.abs(design @ found - entropies).max())
