r"""What is asked of a wave function in time: the Loschmidt echo, light cones, two-time correlations, S(k, ω).

    echo                L(t) = |⟨ψ(0)|ψ(t)⟩|²
    light cone          C_d(t) = (1/N) Σ_i ⟨A_i A_{i+d}⟩ − ⟨A_i⟩⟨A_{i+d}⟩, by the distance d
    two times           C_ij(t) = ⟨ψ|A_i(t) A_j|ψ⟩ = ⟨ψ(t)|A_i e^{−iHt} A_j|ψ⟩
    structure factor    S(k, ω) = (1/N) Σ_ij e^{−ik(r_i−r_j)} ∫ dt e^{iωt} C_ij(t)

Echoes and light cones are observables of `evolve`, for every model. `two_time` and `dynamic_structure_factor`
are exact, from vectors, to 16 sites; from networks, at any size, they are in `network_correlations`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
from jax import Array
from jaxtyping import PyTree
from numpy.typing import ArrayLike

from intertwine._checks import fail, one_of, positive_int, positive_number
from intertwine.models.parameters import check_key
from intertwine.quantum.entanglement.vectors import size_of
from intertwine.quantum.exact.evolution import LARGEST, check_times, start_vector, steps
from intertwine.quantum.observables.overlaps import fidelity
from intertwine.quantum.operators.operator import Operator
from intertwine.sampling.statistics.estimate import Estimate

if TYPE_CHECKING:
    from intertwine.quantum.dynamics.trajectory import Trajectory
    from intertwine.spaces.lattice import Lattice

MOST_EXACT = 16


def loschmidt_echo(
    start: PyTree, samples: int | None = None, *, key: Array | None = None
) -> Callable[[PyTree], Estimate]:
    """|⟨start|ψ⟩|² as an observable of `evolve`: a function of the model, `observables.fidelity` to `start`.

    samples: None for exact, to 24 sites; else configurations of each state (key: theirs).

    >>> import jax, intertwine as it
    >>> psi = it.MeanField(3, scale=0.0, key=jax.random.key(0))
    >>> round(float(loschmidt_echo(psi)(psi)), 6)
    1.0
    """
    if samples is None and size_of(start) > LARGEST:
        raise fail("samples", f"a number beyond {LARGEST} sites", None, "for example samples=4096")
    if samples is not None:
        positive_int("samples", samples)
        check_key(key)
    return lambda model: fidelity(start, model, samples, key=key)


def correlators(lattice: Lattice, letter: str = "Z") -> dict[str, Operator]:
    """Observables for a light cone on a ring: "Z" and "ZZ1", "ZZ2", … to half the ring, means over the sites.

    letter: "X", "Y" or "Z". Raises InputError for a lattice that is not a periodic chain.

    >>> import intertwine as it
    >>> list(correlators(it.Chain(6)))
    ['Z', 'ZZ1', 'ZZ2', 'ZZ3']
    """
    one_of("letter", letter, ("X", "Y", "Z"))
    n = lattice.size
    ring = getattr(lattice, "dimension", 0) == 1 and getattr(lattice, "translations", None) is not None
    if not ring or lattice.translations.order != n:
        raise fail("lattice", "a periodic chain", lattice)
    out = {letter: Operator.from_strings(n, [(1 / n, {i: letter}) for i in range(n)])}
    for d in range(1, n // 2 + 1):
        pairs = [(1 / n, {i: letter, (i + d) % n: letter}) for i in range(n)]
        out[f"{letter}{letter}{d}"] = Operator.from_strings(n, pairs)
    return out


def light_cone(run: Trajectory, letter: str = "Z") -> np.ndarray:
    """C_d(t), float64 (T, D), d = 1 … D, of a run with the observables of `correlators`; the state is taken
    to be the same at every site."""
    names = [f"{letter}{letter}{d}" for d in range(1, len(run.observables) + 1)]
    names = [name for name in names if name in run.observables]
    if letter not in run.observables or not names:
        raise fail("run", f"a run with observables=correlators(lattice, {letter!r})", list(run.observables))
    return np.stack([run[name] for name in names], axis=1) - run[letter][:, None] ** 2


def two_time(
    H: Operator, state: str | ArrayLike, times: ArrayLike, letter: str = "Z", *, tolerance: float = 1e-12
) -> np.ndarray:
    """⟨ψ|A_i(t) A_j|ψ⟩ for all sites, complex128 (T, N, N), by vectors; at most 16 sites.

    state: ψ at time 0, a vector or a product state (`exact.evolve`). letter: A.

    >>> H = Operator.from_strings(1, [(1.0, "X")])
    >>> two_time(H, "up", [0.0, np.pi / 4])[:, 0, 0].round(9).real.tolist()
    [1.0, 0.0]
    """
    one_of("letter", letter, ("X", "Y", "Z"))
    n, when = H.size, check_times(times)
    if n > MOST_EXACT:
        raise fail("H", f"at most {MOST_EXACT} sites for two-time correlations", f"{n} sites")
    psi = start_vector(H, state)
    sites = [Operator.from_strings(n, [(1.0, {i: letter})]).to_sparse() for i in range(n)]
    starts = [psi, *(A @ psi for A in sites)]
    walks: list[Any] = [list(steps(H, start, when, tolerance=tolerance)) for start in starts]
    out = np.empty((len(when), n, n), complex)
    for k in range(len(when)):
        left = [A @ walks[0][k][1] for A in sites]  # A_i is Hermitian
        for j in range(n):
            norm = np.linalg.norm(starts[1 + j])
            out[k, :, j] = [np.vdot(v, walks[1 + j][k][1]) * norm for v in left]
    return out


def dynamic_structure_factor(
    H: Operator, state: str | ArrayLike, *, span: float, count: int = 201, letter: str = "Z", width: float
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """S(k, ω) of a ring: momenta (N,), frequencies (F,) and S, float64 (N, F), at most 16 sites.

    C(t) at `count` times to `span` and C(−t) = C(t)*, with a Gaussian window e^{−(width·t)²/2}: lines are
    Gaussians of that width in ω, and ∫ dω S(k, ω)/2π = S(k). ψ should be an eigenstate with the translations
    of the ring.
    """
    positive_number("span", span)
    positive_number("width", width)
    times = np.linspace(0, span, positive_int("count", count))
    n = H.size
    found = two_time(H, state, times, letter)
    momenta = 2 * np.pi * np.arange(n) / n
    phases = np.exp(-1j * np.outer(momenta, np.arange(n)))
    spatial = np.einsum("ki,tij,kj->kt", phases, found, phases.conj()) / n
    frequencies, S = lines(spatial, times, width)
    return momenta, frequencies, S


def lines(spatial: np.ndarray, times: np.ndarray, width: float) -> tuple[np.ndarray, np.ndarray]:
    """Frequencies (F,) and ∫ dt e^{iωt} C(t) e^{−(width·t)²/2}, float64 (k, F), of C (k, T) at evenly spaced
    times from 0 on, with C(−t) = C(t)*."""
    count = len(times)
    step = times[1] - times[0]
    frequencies = np.linspace(-np.pi / step, np.pi / step, 2 * count - 1)[count - 1 :] / 2
    window = np.exp(-((width * times) ** 2) / 2)
    window[0] /= 2
    S = (
        2
        * step
        * np.real(np.einsum("kt,t,tf->kf", spatial, window, np.exp(1j * np.outer(times, frequencies))))
    )
    return frequencies, S
