r"""A state that is to be measured: all configurations of a vector with |ψ|², or samples of a network.

    ⟨A⟩ = Σ_s |ψ(s)|² A_loc(s),      A_loc(s) = Σ_{s'} ⟨s|A|s'⟩ ψ(s')/ψ(s)

is a sum over the configurations of an exact vector, and a mean over the same set of samples for any number of
operators of a network; configurations that several operators lead to are evaluated once.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from jax import Array
from jaxtyping import Num, PyTree

from intertwine._caveats import tell
from intertwine._checks import fail
from intertwine.quantum.entanglement.drawn import LogPsi, draw
from intertwine.quantum.entanglement.vectors import is_vector, network_of
from intertwine.sampling.statistics.estimate import estimate
from intertwine.spaces.hilbert.hilbert_space import HilbertSpace
from intertwine.spaces.hilbert.kinds import Spins

if TYPE_CHECKING:
    from intertwine.quantum.operators.protocols import QuantumOperator
    from intertwine.sampling.protocols import Sampler

_BLOCK = 4096

Values = Callable[[np.ndarray], np.ndarray]
"""Numbers (..., n) of configurations (n, N), whose mean is wanted."""


class Measured(NamedTuple):
    """mean: of each number; error: one standard deviation, 0 of an exact vector."""

    mean: Num[np.ndarray, "..."]
    error: Num[np.ndarray, "..."]


class OverMomenta(NamedTuple):
    """momentum: Cartesian, float64 (Q, d), rows of `lattice.momenta`. mean, error: float64 (Q,)."""

    momentum: np.ndarray
    mean: np.ndarray
    error: np.ndarray


class OverDisplacements(NamedTuple):
    """displacement: float64 (C, d), those of `lattice.displacements`. mean, error: float64 (C,)."""

    displacement: np.ndarray
    mean: np.ndarray
    error: np.ndarray


@dataclass(frozen=True, eq=False)
class Held:
    """configurations: int8 (chains, draws, N). weights: (chains, draws) of an exact vector, else None.
    log_psi: of configurations (n, N), −inf where there is no amplitude. space: whose configurations they are.
    turned: the frame of the state (`Operator.turned`). notes: caveats of the samples."""

    configurations: np.ndarray
    weights: np.ndarray | None
    log_psi: LogPsi
    space: HilbertSpace
    turned: tuple[int, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def place(self) -> Any:
        """The lattice or graph of the sites; InputError where there is none."""
        if getattr(self.space.place, "displacement_index", None) is None:
            raise fail("space", "one with a lattice", self.space, "as it.Fermions(it.Square(4, 4), (5, 5))")
        return self.space.place

    def measured(self, values: Values, *, real: bool = True) -> Measured:
        """The means of `values`, blocks of configurations at a time."""
        rows = self.configurations.reshape(-1, self.configurations.shape[2])
        blocks = [slice(at, at + _BLOCK) for at in range(0, len(rows), _BLOCK)]
        if self.weights is not None:
            weights = self.weights.ravel()
            mean: Any = sum(values(rows[b]) @ weights[b] for b in blocks)
            mean = np.real(mean) if real else mean
            return Measured(np.asarray(mean), np.zeros(np.shape(mean)))
        found = np.concatenate([values(rows[b]) for b in blocks], axis=-1)
        shape, series = found.shape[:-1], found.reshape(-1, *self.configurations.shape[:2])
        estimates = [estimate(np.real(x) if real else x) for x in series]
        lines = dict.fromkeys([*self.notes, *(line for e in estimates for line in e.warnings)])
        tell(list(lines)[:3])
        mean, error = (np.array([getattr(e, name) for e in estimates]) for name in ("mean", "error"))
        return Measured(mean.reshape(shape), error.reshape(shape))

    def local(self, operators: Sequence[QuantumOperator]) -> Values:
        """The local values of operators, complex (operators, n)."""
        framed = [operator.in_frame(self.turned) for operator in operators]
        return lambda rows: local_values_of(framed, rows, self.log_psi, self.space)


def held(
    state: PyTree,
    space: HilbertSpace | None,
    samples: int,
    key: Array | None,
    sampler: Sampler | None,
) -> Held:
    """A vector over `space.configurations()`, or a model or run that is sampled in its space, to be measured.

    >>> import intertwine as it
    >>> held([0.6, 0.8], it.Fermions(2, 1), 16, None, None).weights.tolist()
    [[0.36, 0.6400000000000001]]
    """
    if space is not None and not isinstance(space, HilbertSpace):
        raise fail("space", "a Hilbert space or None", space, "as it.Fermions(lattice, (2, 2))")
    if is_vector(state):
        return _vector(np.asarray(state), space)
    if key is None:
        raise fail("key", "a jax.random.key for a state that is sampled", None, "give key=jax.random.key(0)")
    network, where = network_of(state)
    own = getattr(where, "hilbert", None) or getattr(sampler, "hilbert", None)
    if space is not None and own is not None and own != space:
        raise fail("space", f"None, or that of the state, {own}", space)
    if space is None:
        space = Spins(int(network.size)) if own is None else own
    assert isinstance(space, HilbertSpace)
    if space.size != network.size:
        raise fail("space", f"one of {network.size} modes, as the state has", f"{space.size} modes")
    drawn = draw(state, samples, key, sampler, space)
    turned = drawn.turned or ()
    return Held(drawn.configurations, None, drawn.log_psi, space, turned, tuple(drawn.notes))


def _vector(vector: np.ndarray, space: HilbertSpace | None) -> Held:
    if vector.ndim != 1 or vector.dtype.kind not in "iufc" or len(vector) == 0:
        raise fail("state", "a model, a run, or a vector of amplitudes", f"an array of shape {vector.shape}")
    if space is None:
        size = len(vector).bit_length() - 1
        if len(vector) != 2**size or size < 1:
            raise fail("space", "the Hilbert space of a vector that is none of spins ½", None)
        space = Spins(size)
    if len(vector) != space.dimension:
        got = f"{len(vector)} amplitudes"
        raise fail("state", f"a vector over the {space.dimension} configurations of the space", got)
    norm = float(np.linalg.norm(vector))
    if not 0 < norm < np.inf:
        raise fail("state", "finite amplitudes, not all 0", f"a vector of norm {norm}")
    with np.errstate(divide="ignore"):
        logs = np.log((vector / norm).astype(np.complex128))
    place = space
    there = np.flatnonzero(vector)

    def log_psi(configurations: np.ndarray) -> np.ndarray:
        numbers = place.numbers_of(configurations)
        return np.where(numbers >= 0, logs[numbers], -np.inf)

    rows = space.configurations()[there]
    weights = np.abs(vector[there] / norm) ** 2
    return Held(rows[None], weights[None], log_psi, space)


def local_values_of(
    operators: Sequence[QuantumOperator], rows: np.ndarray, log_psi: LogPsi, space: HilbertSpace
) -> np.ndarray:
    """A_loc of each operator at configurations (n, N), complex (operators, n); elements that lead out of the
    space are 0."""
    n = len(rows)
    out = np.zeros((len(operators), n), complex)
    numbers: dict[bytes, int] = {}
    places: list[np.ndarray] = []
    wanted: list[np.ndarray] = []
    parts: list[tuple[int, int, np.ndarray]] = []
    for a, operator in enumerate(operators):
        for elements, others in operator.host_rows(rows):
            if others is None:
                out[a] += elements
            elif np.any(elements):
                k = numbers.setdefault(others.tobytes(), len(numbers))
                if k == len(places):
                    places.append(others)
                    wanted.append(np.zeros(n, bool))
                wanted[k] |= elements != 0
                parts.append((a, k, elements))
    if not parts:
        return out
    own = log_psi(rows)
    picks = [np.flatnonzero(mask & space.allows(o)) for mask, o in zip(wanted, places, strict=True)]
    others = np.concatenate([o[pick] for o, pick in zip(places, picks, strict=True)])
    found = log_psi(others) if len(others) else np.zeros(0, complex)
    ends = np.cumsum([len(pick) for pick in picks])
    ratios = []
    for pick, end in zip(picks, ends, strict=True):
        ratio = np.zeros(n, complex)
        ratio[pick] = np.exp(found[end - len(pick) : end] - own[pick])
        ratios.append(ratio)
    for a, k, elements in parts:
        out[a] += elements * ratios[k]
    return out
