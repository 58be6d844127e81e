r"""The time-dependent variational principle at one state: velocity, residual, signal-to-noise.

With φ̇ = −c H φ, c = i in real and c = 1 in imaginary time, and Ō, ε over weighted configurations as in
`learning.log_derivatives`, the velocity is the least-squares solution

    λ̇ = argmin ‖Ō λ̇ + c ε‖²,      r² = min,      S λ̇ = −c F  (S = ŌᴴŌ, F = Ōᴴε)

(McLachlan, Mol. Phys. 8, 39 (1964); Carleo et al., Sci. Rep. 2, 243 (2012)). r is the norm of the part of
(H − E)φ that no direction of the tangent space follows: the exact state leaves the family at this rate.

With Ō = U σ Vᴴ and ρ = Uᴴ(−c ε) it is λ̇ = V f ρ/σ, with factors f in [0, 1] (Schmitt & Heyl, PRL 125, 100503
(2020)):

    f_k = [1 + (cutoff σ_1²/σ_k²)⁶]⁻¹ [1 + (least/SNR_k)⁶]⁻¹,      SNR_k = |ρ_k| / error(ρ_k),
    r² = ‖ε‖² − Σ_k (2 f_k − f_k²) |ρ_k|².

The second factor is for samples. Which error of ρ_k is meant matters. Over other samples, F alone varies as
Var(Ō* ε); but S and F come from the same samples, and what the tangent space can follow is fitted without any
noise: only the remainder e = −cε − Ōλ̇ is, error(ρ_k)² = Σ_s |U_sk|² |e_s|² (the sandwich estimator of least
squares). That is what `noise = "residual"` takes, from a first solution without the factor; "force" takes the
errors of F, as Schmitt and Heyl do. The residual over the samples is too small by what was fitted to their
noise: with p = Σ f directions from n configurations, over fresh ones it is about r² (1 + p/n)/(1 − p/n),
which is what is reported; `Velocity.missed` finds it, for a velocity from elsewhere, over fresh ones.

The phase of the state that follows the equation, e^{iθ}ψ/‖ψ‖ with ⟨φ|φ̇⟩ = −iE, is no part of a network; with
D(s) = Σ_k λ̇_k O_k(s) it turns as θ̇ = −E − Im ⟨D⟩ (`turning`).

Forms, the same answer: the singular values of Ō itself for exact sums (σ to 1e-15 of the largest, where
those of S end at 1e-8); the eigenvectors of S where there are fewer parameters than rows, of T = ŌŌᴴ (σ² and
U) where there are more; where both are large, a Cholesky factorisation with a shift of `cutoff` σ_1² in place
of the factors.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from jaxtyping import Num, PyTree

from intertwine.learning.log_derivatives import LogDerivatives, column_count, log_derivatives, unravel
from intertwine.learning.products import gram_hermitian, product
from intertwine.learning.solvers.factorise import on_host, solve_lower, solve_shifted
from intertwine.learning.solvers.host_gram import lower_gram
from intertwine.quantum.dynamics.ensemble import Ensemble, weights_of
from intertwine.quantum.vmc.local_energy import local_values, log_amplitudes
from intertwine.quantum.vmc.moves import AnyOperator

MOST_SINGULAR = 4e9
"""Multiply-adds of a singular value decomposition that exact sums may take for a velocity."""
MOST_EIGEN = 1200
"""Rows of a matrix whose eigenvectors are found."""
EXACT_CUTOFF, SAMPLED_CUTOFF, SHIFTED_CUTOFF = 1e-13, 1e-8, 1e-6


@dataclass(frozen=True)
class Regular:
    """What is kept of the velocity: see the module. cutoff: of σ²/σ_1², None for one that fits the form.
    least: the SNR below which a direction of sampled equations is left out. noise: "residual" or "force"."""

    cutoff: float | None = None
    least: float = 2.0
    noise: str = "residual"


class Velocity(NamedTuple):
    """vector: λ̇ as columns of Ō (P,), or of whatever was solved for. operator: Ō at the state. energy: E.
    variance: ‖ε‖² = Var(H). residual: r. snr: the median of SNR_k over directions within the cutoff (inf for
    exact sums). kept: Σ f. value: ⟨local⟩, complex. target: −c ε in the rows of Ō. unseen: what no velocity
    of a real model follows, of ‖ε‖². turning: θ̇, where it was asked for."""

    vector: Num[Array, "P"]
    operator: LogDerivatives
    energy: float
    variance: float
    residual: float
    snr: float
    kept: float
    value: complex
    target: Num[Array, "R"]
    unseen: float = 0.0
    turning: float = 0.0

    def missed(self, vector: Num[Array, "P"]) -> float:
        """r of another velocity, `vector`, over these configurations: ‖Ō vector + c ε‖."""
        left = float(_squared(self.operator, self.target, vector))
        return float(np.sqrt(max(left + self.unseen, 0.0)))


class _System(NamedTuple):
    operator: LogDerivatives
    target: Array
    value: Array
    matrix: Array
    projected: Array
    rows: Array


@partial(jax.jit, static_argnames="form")
def _assemble(
    model: PyTree, ensemble: Ensemble, amplitudes: Array | None, local: Array, factor: Array, form: str
) -> _System:
    """Ō, −c ε, ⟨local⟩, the matrix of the form, Ō, S (with −cF) or T, and Ō beside S. amplitudes: log ψ(s),
    None to find them here."""
    if amplitudes is None:
        amplitudes = jax.vmap(model)(ensemble.configurations)
    weights = weights_of(amplitudes, ensemble.base)
    operator = log_derivatives(model, ensemble.configurations, weights)
    value = jnp.sum(weights * local)
    scaled = local.real * factor.real if operator.kind == "real" else local * factor
    target = operator.residual(scaled)
    none = jnp.zeros(())
    if form == "shifted rows":
        return _System(operator, target, value, none, target, none)
    if form == "rows":
        return _System(operator, target, value, operator.gram(), target, none)
    dense = operator.dense()
    if form == "singular":
        return _System(operator, target, value, dense, target, none)
    metric = gram_hermitian(dense.conj().T)
    return _System(operator, target, value, metric, operator.rmatvec(target), dense)


def form_of(rows: int, columns: int, exact: bool) -> str:
    """The form for so many rows and columns of Ō: "singular", "columns", "rows", "shifted columns" or
    "shifted rows".

    >>> form_of(108, 89, True), form_of(4096, 329, False), form_of(2048, 3320, False)
    ('singular', 'columns', 'shifted rows')
    """
    if exact and rows * columns * min(rows, columns) <= MOST_SINGULAR:
        return "singular"
    form = "columns" if columns <= rows else "rows"
    return form if min(rows, columns) <= MOST_EIGEN else f"shifted {form}"


def velocity(
    operator: AnyOperator,
    model: PyTree,
    ensemble: Ensemble,
    *,
    factor: complex = -1j,
    exact: bool,
    regular: Regular,
    local: Array | None = None,
) -> Velocity:
    """The velocity of `model` under `operator`, over `ensemble`.

    factor: −c, −1j in real and −1 in imaginary time. exact: whether the ensemble is all configurations.
    local: (S,) local values to follow in place of those of the operator.
    """
    configurations = ensemble.configurations
    if local is None:
        local = local_values(operator, model, configurations)
    doubled = 2 if model.kind == "complex" else 1
    form = form_of(doubled * ensemble.count, column_count(model), exact)
    few = form == "singular" and model.kind != "real"
    amplitudes = None if few else log_amplitudes(model, configurations)
    tiled = form == "shifted rows" and model.kind != "complex" and on_host(configurations)
    kind = form if tiled else form.removeprefix("shifted ")
    system = _assemble(model, ensemble, amplitudes, local, np.complex128(factor), kind)
    lower = lower_gram(system.operator) if tiled else None
    value = complex(system.value)
    norm = float(np.sum(np.abs(np.asarray(system.target)) ** 2))
    shown = norm if model.kind != "real" else float(_variance(amplitudes, ensemble.base, local))
    nan = jnp.full((system.operator.columns,), jnp.nan)
    lost = Velocity(nan, system.operator, value.real, np.nan, np.nan, np.nan, 0.0, value, system.target)
    watched = np.asarray(system.matrix) if lower is None else np.diagonal(lower)  # a lost row has lost both
    if not np.isfinite(norm) or not np.all(np.isfinite(watched)):
        return lost
    try:
        if form == "singular":
            vector, left, kept, snr = _singular(system, regular)
        elif form.startswith("shifted"):
            vector, left, kept, snr = _shifted(system, lower, form, regular)
        else:
            vector, left, kept, snr = _eigen(system, form, regular, norm, exact)
    except np.linalg.LinAlgError:  # of a state far out, where a step that was too long has led
        return lost
    if not exact:
        fitted = kept / 2 if model.kind == "complex" else kept
        share = min(fitted / ensemble.count, 0.9)
        left *= (1 + share) / (1 - share)
    left += shown - norm  # what a real model cannot follow at all
    residual = float(np.sqrt(max(left, 0.0)))
    return Velocity(
        vector, system.operator, value.real, shown, residual, snr, kept, value, system.target, shown - norm
    )


@jax.jit
def _squared(operator: LogDerivatives, target: Array, vector: Array) -> Array:
    return jnp.sum(jnp.abs(operator.matvec(vector) - target) ** 2)


@jax.jit
def _mean_turn(model: PyTree, ensemble: Ensemble, vector: Array) -> Array:
    """Im ⟨D⟩."""
    numbers, rest = eqx.partition(model, eqx.is_inexact_array)

    def logs(numbers: PyTree) -> Array:
        return jax.vmap(eqx.combine(numbers, rest))(ensemble.configurations)

    amplitudes, change = jax.jvp(logs, (numbers,), (unravel(model, vector),))
    return jnp.sum(weights_of(amplitudes, ensemble.base) * jnp.imag(change))


def with_turning(found: Velocity, model: PyTree, ensemble: Ensemble) -> Velocity:
    """`found` at `model`, and how the phase of the state turns."""
    return found._replace(turning=-found.energy - float(_mean_turn(model, ensemble, found.vector)))


@jax.jit
def _variance(amplitudes: Array, base: Array, local: Array) -> Array:
    weights = weights_of(amplitudes, base)
    return jnp.sum(weights * jnp.abs(local - jnp.sum(weights * local)) ** 2)


def _cut(squares: np.ndarray, cutoff: float) -> np.ndarray:
    """[1 + (cutoff σ_1²/σ²)⁶]⁻¹."""
    tiny = np.finfo(squares.dtype).tiny
    ratio = cutoff * max(float(squares.max(initial=0.0)), tiny) / np.maximum(squares, tiny)
    return 1 / (1 + np.minimum(ratio, 1e40) ** 6)


def _double(array: Array) -> np.ndarray:
    host = np.asarray(array)
    return host.astype(np.result_type(host, np.float64))


def _epsilon(array: Array) -> float:
    return float(jnp.finfo(array.dtype).eps)


def _singular(system: _System, regular: Regular) -> tuple[Array, float, float, float]:
    eps = _epsilon(system.matrix)
    matrix, target = _double(system.matrix), _double(system.target)
    u, s, vh = np.linalg.svd(matrix, full_matrices=False)
    rho = u.conj().T @ target
    cutoff = max(EXACT_CUTOFF, eps**1.8) if regular.cutoff is None else regular.cutoff
    f = _cut(s**2, cutoff)
    vector = vh.conj().T @ (f * rho / np.maximum(s, np.finfo(s.dtype).tiny))
    left = float(np.linalg.norm(target - u @ (f * rho)) ** 2)
    return jnp.asarray(vector), left, float(np.sum(f)), float("inf")


def _eigen(
    system: _System, form: str, regular: Regular, norm: float, exact: bool
) -> tuple[Array, float, float, float]:
    eps = _epsilon(system.matrix)
    squares, vectors = np.linalg.eigh(_double(system.matrix))
    tiny = np.finfo(squares.dtype).tiny
    squares = np.maximum(squares, max(0.01 * eps * float(squares.max(initial=0.0)), tiny))
    cutoff = SAMPLED_CUTOFF if regular.cutoff is None else regular.cutoff
    f = _cut(squares, max(cutoff, 4 * eps))
    inner = vectors.conj().T @ _double(system.projected)
    rho = inner / np.sqrt(squares) if form == "columns" else inner
    snr = float("inf")
    if not exact:
        noise = np.asarray(
            _noise(
                system.rows, system.target, jnp.asarray(vectors), jnp.asarray(np.sqrt(squares)),
                jnp.asarray(f * rho), form=form, kind=regular.noise,
                doubled=system.operator.kind == "complex",
            )
        )  # fmt: skip
        ratios = np.abs(rho) / np.maximum(noise, tiny)
        within = f > 0.5
        snr = float(np.median(ratios[within])) if np.any(within) else 0.0
        f = f / (1 + np.minimum(regular.least / np.maximum(ratios, tiny), 1e40) ** 6)
    scaled = f * rho / np.sqrt(squares)
    vector = jnp.asarray(vectors @ scaled)
    if form == "rows":
        vector = system.operator.rmatvec(jnp.asarray(vectors @ (scaled / np.sqrt(squares))))
    left = norm - float(np.sum((2 * f - f**2) * np.abs(rho) ** 2))
    return vector, left, float(np.sum(f)), snr


@partial(jax.jit, static_argnames=("form", "kind", "doubled"))
def _noise(
    dense: Array,
    target: Array,
    vectors: Array,
    sigma: Array,
    fitted: Array,
    form: str,
    kind: str,
    doubled: bool,
) -> Array:
    """error(ρ_k), (K,). doubled: whether the rows are real and imaginary parts."""
    u = product(dense, vectors) / sigma if form == "columns" else vectors
    e = target if kind == "force" else target - product(u, fitted.astype(u.dtype))
    terms = u.conj() * e[:, None]
    if doubled:
        half = terms.shape[0] // 2
        terms = terms[:half] + terms[half:]
    mean = jnp.sum(terms, axis=0)
    return jnp.sqrt(jnp.maximum(jnp.sum(jnp.abs(terms) ** 2, 0) - jnp.abs(mean) ** 2 / terms.shape[0], 0))


def _shifted(
    system: _System, lower: np.ndarray | None, form: str, regular: Regular
) -> tuple[Array, float, float, float]:
    """By Cholesky of S + shift or T + shift (of which `lower` is the half that is known, where it is given);
    Σ f is not known, and taken for the smaller dimension's half."""
    cutoff = SHIFTED_CUTOFF if regular.cutoff is None else regular.cutoff
    scale = float(np.max(np.real(np.diagonal(system.matrix if lower is None else lower))))
    shift = cutoff * max(scale, float(np.finfo(np.float64).tiny))
    for _ in range(12):
        if lower is None:
            solution = solve_shifted(system.matrix, system.projected, shift)
        else:
            solution = solve_lower(lower, np.asarray(system.projected), shift)
        if solution.solved:
            break
        shift *= 10
    x = solution.x if solution.solved else jnp.full_like(system.projected, jnp.nan)
    vector = x if form.endswith("columns") else system.operator.rmatvec(x)
    left = float(jnp.sum(jnp.abs(system.target - system.operator.matvec(vector)) ** 2))
    return vector, left, 0.5 * min(system.matrix.shape[0], system.operator.rows), float("nan")


@jax.jit
def length(operator: LogDerivatives, vector: Array) -> Array:
    """‖Ō v‖ = √⟨v|S|v⟩: the Fubini-Study length of a step v of the parameters."""
    return jnp.sqrt(jnp.sum(jnp.abs(operator.matvec(vector)) ** 2))


@jax.jit
def moved(model: PyTree, vector: Array) -> Any:
    """`model` with its parameters moved by `vector`, (P,) columns of Ō."""
    return eqx.apply_updates(model, unravel(model, vector))
