r"""Natural gradient descent = stochastic reconfiguration, for real, complex and holomorphic models.

    (S + shift) δ = F,      λ ← λ − η δ,      S = ŌᴴŌ,  F = Ōᴴ ε      (Ō, ε: see `log_derivatives`)

(Sorella, PRL 80, 4558 (1998); Amari 1998). The same δ = Ōᴴ (T + shift)⁻¹ ε comes from the Gram matrix T =
ŌŌᴴ of the samples, minSR (Chen & Heyl, Nature Physics 20, 1476 (2024); Rende et al., Comm. Phys. 7, 260
(2024)). Three solvers, the same answer to rounding, chosen by size:

    dense       P ≤ rows           Cholesky of S, P × P
    minsr       rows < P           Cholesky of T, rows × rows (rows = samples, twice that for kind "complex")
    iterative   both are large     conjugate gradients on the factored Ō

With `momentum` μ > 0 it is SPRING (Goldshlager, Abrahamsen & Lin, J. Comput. Phys. 516, 113351 (2024)): the
new δ is the one nearest to μ δ_previous among those that fit the samples,

    (S + shift) δ = F + shift μ δ_previous    ⇔    δ = μ δ_previous + Ōᴴ (T + shift)⁻¹ (ε − μ Ō δ_previous).

With `chunk` no derivatives are kept: T and S are built from blocks of so many samples, and products with Ō
are made by differentiation (`blocked_derivatives`), so that memory is bounded whatever the model.

A factorisation that fails raises the shift tenfold and tries again; the scalars count it.

An objective that knows its gradient itself, such as the KL divergence from data, gives g = ∂L/∂λ and samples
of p_λ ∝ e^{model}. Then S = Cov(O, O) with O = ∂ model/∂λ is the Fisher information I of p_λ, and the
direction is Amari's, (I + shift) δ = g. It is the same metric: for the wave function ψ = √p the
log-derivatives are O/2, so that S_ψ = I/4 and F_ψ = g/2, and reconfiguration's S_ψ⁻¹ F_ψ = 2 I⁻¹ g.

Of such an objective the metric may also be that of optimal transport, G = I A⁻¹ I with the moves of single
units in A (`transport_product`): then δ = (I + shift)⁻¹ A (I + shift)⁻¹ g, in two solutions with the same
matrix.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Any, Literal, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
from jax import Array
from jax.sharding import Mesh
from jaxtyping import PyTree

from intertwine._checks import fail, one_of, positive_int
from intertwine.learning import schedules
from intertwine.learning.log_derivatives import LogDerivatives, column_count, log_derivatives, unravel
from intertwine.learning.objective import Evaluation
from intertwine.learning.schedules import Schedule
from intertwine.learning.solvers.blocked_derivatives import BlockedDerivatives, blocked_derivatives
from intertwine.learning.solvers.factorise import solve_shifted
from intertwine.learning.solvers.iterative import conjugate_gradients, invert_metric
from intertwine.learning.solvers.transport_product import transport_kind, transport_product
from intertwine.sampling.sharding import mesh_of, replicate, replicated

Solver = Literal["auto", "dense", "minsr", "iterative"]
SOLVERS = ("auto", "dense", "minsr", "iterative")
METRICS = ("fisher", "transport")
LARGEST_FACTORISATION = 8192
"""Rows of the largest matrix that "auto" factorises (half a gigabyte in float64); beyond it iterates."""
MOST_RETRIES = 12
LONGEST_STEP = 0.5
"""Radians between the states before and after a step; steps of runs that go well are a tenth or less."""


class NaturalGradientState(NamedTuple):
    """previous: (P,) the last δ where there is momentum, else (0,)."""

    previous: Array


@dataclass(frozen=True)
class NaturalGradient:
    """Stochastic reconfiguration with shift and learning rate, each a number or a function of the step.

    learning_rate: η. shift: added to the diagonal of S (units of S: squared log-derivatives).
    solver: "auto", "dense", "minsr" or "iterative". momentum: μ of SPRING, 0 ≤ μ < 1.
    max_norm: the largest length √⟨δ|S|δ⟩·η of a step, an angle between states (π/2 if orthogonal), or None;
        a longer step, of which the linear equations know nothing, is shortened to it.
    tolerance, max_iterations: of the iterative solver.
    chunk: samples whose derivatives exist at a time, or None for all of them; takes (samples/chunk + 1)/2
        passes over the samples more.
    metric: "fisher", or "transport", that of optimal transport between distributions of single flips, for
        objectives that learn from data.

    >>> NaturalGradient(learning_rate=0.05, shift=1e-3).chosen(parameters=40, rows=1024)
    'dense'
    >>> NaturalGradient(shift=-1.0)
    Traceback (most recent call last):
    ...
    intertwine._checks.InputError: shift: expected a finite number ≥ 0 or a function of the step, got -1.0; \
for example 0.01.
    """

    learning_rate: Schedule = 0.02
    shift: Schedule = 1e-3
    solver: Solver = "auto"
    momentum: float = 0.0
    max_norm: float | None = LONGEST_STEP
    tolerance: float = 1e-6
    max_iterations: int = 1000
    chunk: int | None = None
    metric: Literal["fisher", "transport"] = "fisher"

    def __post_init__(self) -> None:
        schedules.check("learning_rate", self.learning_rate)
        schedules.check("shift", self.shift)
        one_of("solver", self.solver, SOLVERS)
        one_of("metric", self.metric, METRICS)
        if self.metric == "transport" and self.momentum:
            raise fail("momentum", "0 with the metric of transport", self.momentum)
        positive_int("max_iterations", self.max_iterations)
        if self.chunk is not None:
            positive_int("chunk", self.chunk, "give samples, for example 256, or None for all at once")
        if not 0 <= self.momentum < 1:
            raise fail(
                "momentum", "a number from 0 to below 1", self.momentum, "0 is plain SR, 0.9 to 0.99 SPRING"
            )
        if not self.tolerance > 0:
            raise fail("tolerance", "a positive number", self.tolerance)
        if self.max_norm is not None and not self.max_norm > 0:
            raise fail("max_norm", "None or a positive number", self.max_norm)

    def chosen(self, *, parameters: int, rows: int) -> Literal["dense", "minsr", "iterative"]:
        """The solver for P = `parameters` columns of Ō (see `column_count`) and `rows` rows."""
        if self.solver != "auto":
            return self.solver
        if min(parameters, rows) > LARGEST_FACTORISATION:
            return "iterative"
        return "dense" if parameters <= rows else "minsr"

    def init(self, model: PyTree) -> NaturalGradientState:
        columns = column_count(model) if self.momentum > 0 else 0
        leaves = jax.tree.leaves(eqx.filter(model, eqx.is_inexact_array))
        dtype = jnp.result_type(*leaves)
        if model.kind != "holomorphic":
            dtype = jnp.finfo(dtype).dtype
        return replicate(NaturalGradientState(jnp.zeros((columns,), dtype)), mesh_of(leaves[0]))

    def step(
        self, model: PyTree, evaluation: Evaluation, state: NaturalGradientState, *, step: int
    ) -> tuple[Any, NaturalGradientState, dict[str, float]]:
        """One step of reconfiguration: the new model, state and scalars."""
        learning_rate, shift = schedules.at(self.learning_rate, step), schedules.at(self.shift, step)
        delta, operator, scalars = self.direction(model, evaluation, shift=shift, previous=state.previous)
        limit = float("inf") if self.max_norm is None else self.max_norm
        mesh = mesh_of(evaluation.samples)
        model, delta, norms = _descend(model, operator, delta, learning_rate, limit, mesh)
        scalars |= {"learning_rate": learning_rate} | {k: float(v) for k, v in norms.items()}
        return model, NaturalGradientState(delta if self.momentum > 0 else state.previous), scalars

    def direction(
        self, model: PyTree, evaluation: Evaluation, *, shift: float, previous: Array | None = None
    ) -> tuple[Array, LogDerivatives | BlockedDerivatives, dict[str, float]]:
        """δ as a vector (see `unravel`), the operator Ō, and what the solver reports."""
        rows = evaluation.samples.shape[0] * (2 if model.kind == "complex" else 1)
        solver = self.chosen(parameters=column_count(model), rows=rows)
        momentum = self.momentum if previous is not None else 0.0
        previous = previous if momentum > 0 else None
        if evaluation.gradient is not None:
            return self._along(model, evaluation, solver, shift, momentum, previous)
        if self.metric == "transport":
            remedy = 'an energy takes "fisher", that of its wave function'
            raise fail("metric", '"fisher" where the objective does not learn from data', self.metric, remedy)
        samples, local, weights = evaluation.samples, evaluation.local, evaluation.weights
        mesh = mesh_of(samples)
        system = _assemble(model, samples, local, weights, previous, momentum, solver, mesh, self.chunk)
        if solver == "iterative":
            tried, retries = shift, 0
            result = conjugate_gradients(
                system.operator, system.rhs, shift, self.tolerance, self.max_iterations
            )
            x, scalars = result.delta, {"iterations": float(result.iterations)}
        else:
            x, tried, retries = _factorise(system, shift, step_solver=solver)
            scalars = {}
        delta = _direction(system.operator, x, previous, momentum, solver, mesh)
        return delta, system.operator, {"shift": tried, "shift_retries": float(retries)} | scalars

    def _along(
        self,
        model: PyTree,
        evaluation: Evaluation,
        solver: str,
        shift: float,
        momentum: float,
        previous: Array | None,
    ) -> tuple[Array, LogDerivatives | BlockedDerivatives, dict[str, float]]:
        """(I + shift) δ = g + shift μ δ_previous for a gradient that the objective gives."""
        if model.kind != "real":
            raise fail("model", 'kind "real" where the objective gives its gradient', model.kind)
        past = 0.0 if previous is None else momentum * previous
        transport = transport_kind(model) if self.metric == "transport" else ""
        system = _assemble_given(
            model, evaluation.samples, evaluation.weights, evaluation.gradient, solver, self.chunk
        )
        delta, scalars = self._inverse(system, system.rhs + shift * past, solver, shift)
        if transport:
            moved = transport_product(model, evaluation.samples, evaluation.weights, delta, transport)
            delta, scalars = self._inverse(system, moved, solver, scalars["shift"])
        return delta, system.operator, scalars

    def _inverse(
        self, system: _System, rhs: Array, solver: str, shift: float
    ) -> tuple[Array, dict[str, float]]:
        """(I + shift)⁻¹ rhs, and what the solver reports."""
        if solver == "iterative":
            result = invert_metric(system.operator, rhs, shift, self.tolerance, self.max_iterations)
            return result.delta, {
                "iterations": float(result.iterations),
                "shift": shift,
                "shift_retries": 0.0,
            }
        inner = system.operator.matvec(rhs) if solver == "minsr" else rhs
        x, tried, retries = _factorise(system._replace(rhs=inner), shift, step_solver=solver)
        if solver == "minsr":  # Woodbury: (ŌᵀŌ + ε)⁻¹ r = (r − Ōᵀ (ŌŌᵀ + ε)⁻¹ Ō r)/ε
            x = (rhs - system.operator.rmatvec(x)) / tried
        return x, {"shift": tried, "shift_retries": float(retries)}


class _System(NamedTuple):
    operator: LogDerivatives | BlockedDerivatives
    matrix: Array | None
    rhs: Array


@partial(jax.jit, static_argnames=("solver", "mesh", "chunk"))
def _assemble(
    model: PyTree,
    samples: Array,
    local: Array,
    weights: Array,
    previous: Array,
    momentum: Array,
    solver: str,
    mesh: Mesh | None,
    chunk: int | None,
) -> _System:
    operator = _operator(model, samples, weights, chunk)
    residual = operator.residual(local)
    if previous is not None:
        residual = residual - momentum * operator.matvec(previous)
    if solver == "minsr":
        return _System(operator, *replicated((operator.gram(), residual), mesh))
    if solver == "dense":
        return _System(operator, *replicated((operator.metric(), operator.rmatvec(residual)), mesh))
    return _System(operator, None, replicated(residual, mesh))


def _operator(model: PyTree, samples: Array, weights: Array, chunk: int | None) -> Any:
    if chunk is None:
        return log_derivatives(model, samples, weights)
    return blocked_derivatives(model, samples, weights, chunk=chunk)


@partial(jax.jit, static_argnames=("solver", "chunk"))
def _assemble_given(
    model: PyTree, samples: Array, weights: Array, gradient: PyTree, solver: str, chunk: int | None
) -> _System:
    operator = _operator(model, samples, weights, chunk)
    rhs = jnp.concatenate([leaf.ravel() for leaf in jax.tree.leaves(gradient)])
    if solver == "iterative":
        return _System(operator, None, rhs)
    return _System(operator, operator.gram() if solver == "minsr" else operator.metric(), rhs)


def _factorise(system: _System, shift: float, *, step_solver: str) -> tuple[Array, float, int]:
    """x, the shift that worked, and how often it had to be raised."""
    assert system.matrix is not None
    tried = shift
    for retry in range(MOST_RETRIES):
        solution = solve_shifted(system.matrix, system.rhs, tried)
        if solution.solved:
            return solution.x, tried, retry
        if not bool(jnp.all(jnp.isfinite(system.rhs)) & jnp.all(jnp.isfinite(system.matrix))):
            break
        tried = max(10 * tried, 1e-8)
    # nothing finite to solve: a NaN step, which the guard of the loop turns into a clear stop
    return jnp.full_like(system.rhs, jnp.nan), tried, MOST_RETRIES


@partial(jax.jit, static_argnames=("solver", "mesh"))
def _direction(
    operator: LogDerivatives | BlockedDerivatives,
    x: Array,
    previous: Array,
    momentum: Array,
    solver: str,
    mesh: Mesh | None,
) -> Array:
    delta = operator.rmatvec(x) if solver == "minsr" else x
    return replicated(delta if previous is None else delta + momentum * previous, mesh)


@partial(jax.jit, static_argnames=("mesh",))
def _descend(
    model: PyTree,
    operator: LogDerivatives | BlockedDerivatives,
    delta: Array,
    learning_rate: Array,
    limit: Array,
    mesh: Mesh | None,
) -> tuple[Any, Array, dict[str, Array]]:
    """λ − η δ and δ, shortened so that the Fubini-Study length η √⟨δ|S|δ⟩ of the step is at most `limit`."""
    image = operator.matvec(delta)
    length = learning_rate * jnp.sqrt(jnp.sum(jnp.abs(image) ** 2))
    delta = delta * jnp.minimum(1.0, limit / jnp.maximum(length, jnp.finfo(length.dtype).tiny))
    update = unravel(model, -learning_rate * delta)
    norm = learning_rate * jnp.sqrt(jnp.sum(jnp.abs(delta) ** 2))
    moved = eqx.apply_updates(model, update)
    return replicated((moved, delta, {"update_norm": norm, "step_length": length}), mesh)
