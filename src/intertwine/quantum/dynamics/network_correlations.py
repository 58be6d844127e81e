r"""Two-time correlations and S(k, ω) from networks: two evolutions, ψ and A_jψ, and the overlap between them.

    C_i(t) = ⟨ψ|A_i(t) A_j|ψ⟩ = ⟨ψ(t)|A_i|φ(t)⟩,       ψ(t) = e^{−iHt}ψ,   φ(t) = e^{−iHt} A_jψ

A_j, a Pauli matrix of a site, is a local unitary: A_jψ is a network exactly (`local_unitary`). Both evolve by
the variational principle, with the phases that the equation of motion gives them (`tangent`). Both states
have norm 1, so that the error is at most

    |C_est − C| ≤ b_ψ(t) + b_φ(t) + b_ψ b_φ,

b being the bounds of the certificate, which hold at these phases. Where steps are exact sums, the overlap
is a sum over all configurations. From samples, with p = |ψ|²/Z_ψ and q = |φ|²/Z_φ, it is a mean over samples
of both,

    C_i = ½ ⟨g⟩_p + ½ ⟨g⟩_q,     g(s) = ψ̂(s)* (A_iφ̂)(s)/[½(p + q)](s),     |ψ̂ φ̂|/[½(p + q)] ≤ 1,

which has no large weights however far apart the states are; the ratio of the norms Z is where ⟨q/(p + q)⟩_p =
⟨p/(p + q)⟩_q (Bennett, J. Comput. Phys. 22, 245 (1976)), and its error is in that of C.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from jaxtyping import PyTree
from numpy.typing import ArrayLike

from intertwine._caveats import caveat, code_of, once, tell
from intertwine._checks import fail, one_of, positive_int, positive_number
from intertwine.models.parameters import check_key
from intertwine.quantum.confined import confined
from intertwine.quantum.dynamics.certificate import TRUSTED
from intertwine.quantum.dynamics.correlations import lines
from intertwine.quantum.dynamics.evolution import Evolution, EvolutionState
from intertwine.quantum.dynamics.evolve import evolution
from intertwine.quantum.dynamics.local_unitary import locally_turned
from intertwine.quantum.dynamics.trajectory import distance_words
from intertwine.quantum.entanglement.vectors import logs_of_all
from intertwine.quantum.operators.operator import Operator
from intertwine.quantum.vmc.local_energy import local_values, log_amplitudes
from intertwine.sampling.statistics.estimate import estimate

if TYPE_CHECKING:
    from intertwine.models.protocols import LogAmplitude

_SAMPLES, _FAR = 16_384, 600.0


@dataclass(frozen=True, eq=False, repr=False)
class TwoTimes:
    """⟨ψ|A_i(t) A_site|ψ⟩ of a network.

    times: float64 (T,). values: complex128 (T, N), for all sites i. errors: float64 (T, N), one standard
    error over samples, 0 for sums. bound: float64 (T,), of |error| besides, by the certificates of both
    evolutions. notes: caveats.
    """

    times: np.ndarray
    values: np.ndarray
    errors: np.ndarray
    bound: np.ndarray
    site: int
    notes: tuple[str, ...] = ()

    @property
    def trusted_until(self) -> float:
        """The last time before the bound passes 0.1, 0 where none is."""
        beyond = np.flatnonzero(~(self.bound <= TRUSTED))
        if len(beyond) == 0:
            return float(self.times[-1])
        return float(self.times[beyond[0] - 1]) if beyond[0] else 0.0

    @property
    def judged(self) -> bool:
        """Whether the bound holds all that it is to hold."""
        return not any(code_of(line) == "unjudged" for line in self.notes)

    @property
    def warnings(self) -> tuple[str, ...]:
        """What qualifies the numbers, a line each."""
        said = [*self.notes]
        if not np.all(self.bound <= TRUSTED):
            words = f"the bound on the error of two-time correlations passes {TRUSTED} after"
            end = f"t = {self.trusted_until:.4g} ({self.bound[-1]:.2g} at the end)"
            said.append(caveat("untrusted", f"{words} {end}; take a larger model, or more samples"))
        return tuple(said)

    def structure_factor(self, width: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """S(k, ω) = Σ_r e^{−ikr} ∫ dt e^{iωt} C_r(t) of a ring: momenta (N,), frequencies (F,), S (N, F).

        The times are evenly spaced from 0 on, and ψ is taken to have the translations of the ring; a Gaussian
        window e^{−(width·t)²/2} makes lines of that width. Raises InputError for other times.
        """
        positive_number("width", width)
        steps = np.diff(self.times)
        if self.times[0] != 0 or len(steps) < 2 or not np.allclose(steps, steps[0], rtol=1e-6):
            raise fail("times", "evenly spaced ones from 0 on", self.times, "for example linspace(0, 4, 41)")
        n = self.values.shape[1]
        momenta = 2 * np.pi * np.arange(n) / n
        phases = np.exp(-1j * np.outer(momenta, np.arange(n) - self.site))
        frequencies, S = lines(phases @ self.values.T, self.times, width)
        return momenta, frequencies, S

    def __repr__(self) -> str:
        span = f"{len(self.times)} times to {self.times[-1]:.4g}, {self.values.shape[1]} sites"
        return f"TwoTimes({span}; error at the end {distance_words(self.bound[-1], self.judged)})"


def two_time_correlations(
    H: Operator,
    model: LogAmplitude,
    times: ArrayLike,
    letter: str = "Z",
    *,
    site: int = 0,
    key: Array,
    samples: int | None = None,
    observe: int | None = None,
    **options: Any,
) -> TwoTimes:
    """⟨ψ|A_i(t) A_site|ψ⟩ for all sites i, of a network, a run or its model, at any size.

    H: a Hermitian operator. model: ψ at time 0, of complex amplitudes. times: increasing, ≥ 0, in units of
    1/energy. letter: A, "X", "Y" or "Z". samples: configurations of a step; None for exact sums where there
    are few. observe: configurations of each state for an overlap, where steps take samples; 16,384 by
    default. options: those of `evolve` (tolerance, cutoff, snr).

    A_siteψ has lost the symmetry of ψ: an RBM evolves as one of free weights, any other model in its own
    family, and the bound says how well it does. Raises InputError as `evolve` does, and where A leads out of
    the magnetization of a run.

    >>> import intertwine as it
    >>> key = jax.random.key(0)
    >>> psi = it.product_state(it.RBM(3, hidden=6, dtype=complex, key=key), "+x", key=key)
    >>> found = two_time_correlations(it.tfim(it.Chain(3), h=0.5), psi, [0.0, 0.1], key=key)
    >>> complex(found.values[1, 0].round(3)), bool(found.bound[-1] < 1e-2)       # 0.99504 − 0.09851i exactly
    ((0.995-0.099j), True)
    """
    one_of("letter", letter, ("X", "Y", "Z"))
    check_key(key)
    if others := sorted(set(options) - {"tolerance", "cutoff", "snr"}):
        raise fail("options", "tolerance, cutoff, snr", others[0])
    if not isinstance(H, Operator):
        raise fail("H", "an Operator", H, "two-time correlations are for one that does not depend on time")
    if isinstance(site, bool) or not isinstance(site, int | np.integer) or not 0 <= site < H.size:
        raise fail("site", f"one of 0 to {H.size - 1}", site)
    given: dict[str, Any] = {"samples": samples, "observe": 64, "method": "tdvp", "phase": True, **options}
    keys = jax.random.split(key, 3)
    left = evolution(H, model, times, key=keys[0], **given)
    right = evolution(H, locally_turned(model, {site: letter}), times, key=keys[1], **given)
    kept = None if left.where is None else left.where.magnetizations
    at = [Operator.from_strings(H.size, [(1.0, {i: letter})]) for i in range(H.size)]
    turned = left.hamiltonian(0.0).turned
    operators = [confined(one.in_frame(turned), kept) for one in at]
    begin = _phase(operators[site], left.begin, right.begin, keys[2])
    summed = left.source.exact and right.source.exact
    count = _SAMPLES if observe is None else positive_int("observe", observe)
    values, errors, bound = [], [], []
    walks = (study.iterate(study.start(), 0) for study in (left, right))
    for line, ((a, _), (b, _)) in enumerate(zip(*walks, strict=True)):
        if summed:
            found, error = _summed(operators, a.model, b.model), np.zeros(H.size)
        else:
            draw = jax.random.fold_in(keys[2], line)
            found, error = _sampled(operators, left, a, right, b, count, draw)
        turn = begin + float(b.account.turned) - float(a.account.turned)
        values.append(found * np.exp(1j * turn))
        errors.append(error)
        first, second = float(a.account.bound), float(b.account.bound)
        bound.append(min(first + second + first * second, 2.0))
    found = TwoTimes(
        left.times, np.array(values), np.array(errors), np.array(bound), site,
        tuple(once([*left.notes, *right.notes])),
    )  # fmt: skip
    tell(found.warnings)
    return found


def _phase(A: Operator, psi: PyTree, phi: PyTree, key: Array) -> float:
    """Of Aψ relative to the network that stands for it, from the configuration (of some) with the largest
    amplitude."""
    s = jnp.where(jax.random.bernoulli(key, shape=(256, A.size)), 1, -1).astype(jnp.int8)
    wanted = log_amplitudes(psi, s) + jnp.log(local_values(A, psi, s) + 0j)
    best = int(jnp.argmax(jnp.where(jnp.isfinite(jnp.real(wanted)), jnp.real(wanted), -jnp.inf)))
    return float(jnp.imag(wanted[best] - log_amplitudes(phi, s)[best]))


def _summed(operators: list[Operator], psi: PyTree, phi: PyTree) -> np.ndarray:
    """⟨ψ|A_i|φ⟩ of both, normalised, by all configurations."""
    a, b = (logs_of_all(model, operators[0].size).astype(complex) for model in (psi, phi))
    a, b = (np.exp(logs - np.max(logs.real)) for logs in (a, b))
    a, b = a / np.linalg.norm(a), b / np.linalg.norm(b)
    return np.array([np.vdot(a, operator.to_sparse() @ b) for operator in operators])


def _sampled(
    operators: list[Operator],
    left: Evolution,
    a: EvolutionState,
    right: Evolution,
    b: EvolutionState,
    count: int,
    key: Array,
) -> tuple[np.ndarray, np.ndarray]:
    """⟨ψ|A_i|φ⟩ of both, normalised, and its errors, (N,) each, from samples of both."""
    apart, turning, local, shapes = [], [], [], []
    for study, state, k in ((left, a, 0), (right, b, 1)):
        source, own = study.source, jax.random.fold_in(key, k)
        drawn, _ = source.sampler.sample(state.model, state.chains, source.draws(count), key=own)
        rows = np.asarray(drawn.configurations)
        flat = jnp.asarray(rows.reshape(-1, rows.shape[-1]))
        ratio = np.asarray(log_amplitudes(b.model, flat) - log_amplitudes(a.model, flat), complex)
        shapes.append(rows.shape[:2])
        apart.append(2 * np.real(ratio))
        turning.append(np.exp(1j * np.imag(ratio)))
        local.append(np.array([np.asarray(local_values(A, b.model, flat)) for A in operators]))
    c = _ratio_of_norms(apart[0], apart[1])

    def terms(c: float) -> list[np.ndarray]:
        return [
            turn * values / np.cosh(np.clip(0.5 * (x - c), -_FAR, _FAR))
            for turn, values, x in zip(turning, local, apart, strict=True)
        ]

    g, step = terms(c), 1e-4
    slope = sum((up - down).mean(axis=1) for up, down in zip(terms(c + step), terms(c - step), strict=True))
    slope = 0.5 * slope / (2 * step)
    u, v = _share(apart[0] - c), _share(c - apart[1])
    steep = max(float(np.mean(u * (1 - u)) + np.mean(v * (1 - v))), 1e-12)
    parts = 0.5 * g[0] + np.outer(slope, u) / steep, 0.5 * g[1] - np.outer(slope, v) / steep
    mean = 0.5 * (g[0].mean(axis=1) + g[1].mean(axis=1))
    error = []
    for rows in zip(*parts, strict=True):
        both = [estimate(row.reshape(shape)) for row, shape in zip(rows, shapes, strict=True)]
        error.append(math.hypot(*(float(one.error) for one in both)))
    return mean, np.array(error)


def _share(x: np.ndarray) -> np.ndarray:
    """1/(1 + e^{−x})."""
    return 0.5 * (1 + np.tanh(0.5 * x))


def _ratio_of_norms(first: np.ndarray, second: np.ndarray) -> float:
    """c = ln Z_φ/Z_ψ where ⟨q/(p + q)⟩_p = ⟨p/(p + q)⟩_q; first, second: 2 ln|φ/ψ| over those of ψ and φ."""
    low = min(first.min(), second.min()) - 1
    high = max(first.max(), second.max()) + 1
    for _ in range(200):
        c = 0.5 * (low + high)
        more = np.mean(_share(first - c)) > np.mean(_share(c - second))
        low, high = (c, high) if more else (low, c)
    return 0.5 * (low + high)
