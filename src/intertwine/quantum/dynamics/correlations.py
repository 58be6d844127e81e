r"""What is asked of a wave function in time: the Loschmidt echo, light cones, two-time correlations, S(k, ω).

    echo                L(t) = |⟨ψ(0)|ψ(t)⟩|²
    light cone          C_d(t) = (1/N) Σ_i ⟨A_i A_{i+d}⟩ − ⟨A_i⟩⟨A_{i+d}⟩, by the distance d
    two times           C_ij(t) = ⟨ψ|A_i(t) A_j|ψ⟩ = ⟨ψ(t)|A_i e^{−iHt} A_j|ψ⟩
    structure factor    S(k, ω) = (1/N) Σ_ij e^{−ik(r_i−r_j)} ∫ dt e^{iωt} C_ij(t)

Echoes and light cones are observables of `evolve`, for every model; the two-time functions are exact, from
vectors (`exact.evolve`), to 16 sites: the phase between two evolutions is no part of a network.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from jaxtyping import PyTree
from numpy.typing import ArrayLike

from intertwine._checks import fail, one_of, positive_int, positive_number
from intertwine.models.parameters import check_key
from intertwine.models.results import as_model
from intertwine.models.units import as_spins
from intertwine.quantum.dynamics.ensemble import Source
from intertwine.quantum.exact.evolution import check_times, start_vector, steps
from intertwine.quantum.operators.operator import Operator
from intertwine.quantum.space_choice import default_sampler
from intertwine.quantum.vmc.local_energy import log_amplitudes
from intertwine.sampling.enumeration import all_configurations
from intertwine.sampling.statistics.estimate import Estimate, estimate

if TYPE_CHECKING:
    from intertwine.quantum.dynamics.trajectory import Trajectory
    from intertwine.spaces.lattice import Lattice

MOST_SUMMED, MOST_EXACT = 14, 16


def loschmidt_echo(
    start: PyTree, *, samples: int = 4096, key: Array | None = None
) -> Callable[[PyTree], float | Estimate]:
    """|⟨start|ψ⟩|² as an observable of `evolve`: a function of the model.

    To 14 sites summed over all configurations. Beyond, ⟨φ/ψ⟩_ψ ⟨ψ/φ⟩_φ from `samples` configurations of each
    state (key: theirs), an `Estimate` whose error grows as the states part: it says so by its error.

    >>> import intertwine as it
    >>> psi = it.MeanField(3, scale=0.0, key=jax.random.key(0))
    >>> round(loschmidt_echo(psi)(psi), 12)
    1.0
    """
    first = as_spins(as_model(start))
    if first.size > MOST_SUMMED:
        if key is None:
            raise fail("key", "a key beyond 14 sites, where the echo is sampled", key)
        seed, count = check_key(key), positive_int("samples", samples)
        return lambda model: _sampled_echo(first, as_spins(as_model(model)), count, seed)
    spins = jnp.asarray(all_configurations(first.size))
    begin = _normalised(first, spins)
    return lambda model: float(np.abs(np.vdot(begin, _normalised(as_spins(as_model(model)), spins))) ** 2)


def _normalised(model: PyTree, spins: Array) -> np.ndarray:
    logs = np.asarray(log_amplitudes(model, spins), complex)
    psi = np.exp(logs - np.max(np.real(logs)))
    return psi / np.linalg.norm(psi)


def _sampled_echo(first: PyTree, model: PyTree, samples: int, key: Array) -> Estimate:
    """The mean over pairs of draws (s of φ, s' of ψ) of Re [ψ(s)/φ(s) · φ(s')/ψ(s')]."""
    bare = Operator.from_strings(first.size, [(1.0, {i: "X"}) for i in range(first.size)])
    source = Source(default_sampler(bare, samples, None), samples)
    logs = []
    for k, state in enumerate((first, model)):
        begin, draw = jax.random.split(jax.random.fold_in(key, k))
        ensemble, _, _ = source.draw(state, source.start(state, begin), draw)
        own, other = (log_amplitudes(m, ensemble.configurations) for m in (first, model))
        logs.append(np.asarray(other - own if k == 0 else own - other))
    shift = [float(np.max(np.real(x))) for x in logs]
    a, b = (np.exp(x - s) for x, s in zip(logs, shift, strict=True))
    scale = np.exp(sum(shift))
    mean = np.mean(a) * np.mean(b)
    terms = np.real(a * np.mean(b) + np.mean(a) * b - mean)  # the linear part of the product of two means
    return estimate(terms.reshape(getattr(source.sampler, "chains", 1), -1) * scale, real=True)


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


def structure_factor(
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
    step = times[1] - times[0]
    frequencies = np.linspace(-np.pi / step, np.pi / step, 2 * count - 1)[count - 1 :] / 2
    window = np.exp(-((width * times) ** 2) / 2)
    window[0] /= 2
    S = (
        2
        * step
        * np.real(np.einsum("kt,t,tf->kf", spatial, window, np.exp(1j * np.outer(times, frequencies))))
    )
    return momenta, frequencies, S
