r"""Expectation values ⟨ψ|A|ψ⟩/⟨ψ|ψ⟩ in a network's state, by sampling |ψ|² in the space where it lives.

A trained model carries its space (`sampling.space`): the magnetization that its chains kept, and the frame
in which its Hamiltonian was written. The observable is written in that frame, its elements that lead out of
the space are left out, and chains like those that trained it sample it. A model without a space stands for
all configurations.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import jax
import numpy as np
from jax import Array
from jax.sharding import Mesh
from jaxtyping import PyTree

from intertwine._caveats import caveat, tell
from intertwine._checks import positive_int
from intertwine.models.results import as_model
from intertwine.models.units import as_spins
from intertwine.quantum.confined import confined
from intertwine.quantum.hilbert_moves import is_plain
from intertwine.quantum.operators.traceless import traceless
from intertwine.quantum.space_choice import MOST_CHAINS, ground_magnetization, measuring_space
from intertwine.quantum.vmc.energy import qualified, thermalised
from intertwine.quantum.vmc.local_energy import check_sizes, local_values
from intertwine.quantum.vmc.moves import AnyOperator
from intertwine.sampling.autoregressive import own_sampler
from intertwine.sampling.protocols import DrawsIndependently
from intertwine.sampling.sharding import on_host, replicate, shard_samples
from intertwine.sampling.space import Space, space_of
from intertwine.sampling.statistics.estimate import Estimate, estimate

if TYPE_CHECKING:
    from intertwine.sampling.protocols import Sampler


def expect(
    operator: AnyOperator,
    model: PyTree,
    samples: int = 4096,
    *,
    key: Array,
    sampler: Sampler | None = None,
    tau: float | None = None,
    mesh: Mesh | None = None,
) -> Estimate:
    """⟨operator⟩ in the state `model`, from fresh chains thermalised for it.

    model: `run.model` of a ground-state run, or the run itself, also one from `it.load`: measured in the
    space in which it was trained; an observable that leads out of it is 0 exactly. Any other model stands for
    all configurations. The operator may be written in another frame than the run's Hamiltonian (with its
    Marshall rotation): it is the same observable.
    samples: configurations (rounded up to a multiple of the sampler's chains). sampler: None for the one of
    the space. tau: an autocorrelation time known from longer chains; the error bar is never below the one
    it implies. mesh: devices over which the chains are spread, None for one. Real for a Hermitian operator,
    else complex.

    >>> import jax
    >>> from intertwine.models.mean_field import MeanField
    >>> from intertwine.quantum.operators.operator import Operator
    >>> field = Operator.from_strings(6, [(-1.0, {i: "X"}) for i in range(6)])
    >>> even = MeanField(6, scale=0.0, key=jax.random.key(0))
    >>> round(float(expect(field, even, samples=256, key=jax.random.key(1)).mean), 5)
    -6.0
    """
    samples = positive_int("samples", samples, "give the number of configurations, for example 4096")
    check_key(key)
    model, where = state_of(model)
    check_sizes(operator, model)
    if where is None and sampler is None:
        sampler = own_sampler(model)
    where, notes = _space(operator, where, sampler, samples)
    found = measured(operator, model, where, samples, key=key, tau=tau, mesh=mesh).estimate.noted(notes)
    tell(found.warnings)
    return found


class Measurement(NamedTuple):
    """estimate: with its caveats. operator: in the frame and the space of the state. configurations: (S, N),
    chain by chain, what was sampled, and weights (S,) or None; both None where nothing had to be.
    acceptance: the share of moves that were accepted."""

    estimate: Estimate
    operator: AnyOperator
    configurations: Array | None
    weights: Any
    acceptance: float = 1.0


def measured(
    operator: AnyOperator,
    model: PyTree,
    where: Space,
    samples: int,
    *,
    key: Array,
    tau: float | None = None,
    mesh: Mesh | None = None,
) -> Measurement:
    """`expect` in the space `where`, with the caveats in the estimate only."""
    hermitian = operator.is_hermitian
    if where.turned is not None:
        operator = operator.in_frame(where.turned)
    operator = confined(operator, where.magnetizations, where.hilbert)
    varying, identity = traceless(operator)
    constant: Any = np.real(identity) if hermitian else np.complex128(identity)
    if varying.n_terms == 0:
        return Measurement(_known(constant, samples), operator, None, None)
    sampler, model = where.sampler, replicate(as_spins(model), mesh)
    start_key, draw_key = jax.random.split(key)
    state, notes = thermalised(sampler, model, key=start_key, mesh=mesh)
    draws = -(-samples // int(getattr(sampler, "chains", 1)))
    drawn, _ = sampler.sample(model, state, draws, key=draw_key)
    flat = shard_samples(drawn.configurations.reshape(-1, operator.size), mesh)
    local = on_host(local_values(varying, model, flat)).reshape(drawn.configurations.shape[:2])
    alone = isinstance(sampler, DrawsIndependently)
    found = estimate(local, drawn.weights, tau=tau, real=hermitian, independent=alone).noted(notes)
    weights = None if drawn.weights is None else drawn.weights.reshape(-1)
    value = qualified(found, local, drawn.weights) + constant
    return Measurement(value, operator, flat, weights, float(drawn.acceptance))


def state_of(model: PyTree) -> tuple[Any, Space | None]:
    """(the network, its space or None) of a run or a model."""
    where = getattr(model, "space", None)
    if isinstance(where, Space) and hasattr(model, "model"):
        return model.model, where
    held = as_model(model)
    return held, space_of(held)


def _space(
    operator: AnyOperator, where: Space | None, sampler: Sampler | None, samples: int
) -> tuple[Space, list[str]]:
    """Where to measure, and what is to be said of it."""
    space = getattr(operator, "hilbert", None)
    if sampler is not None or where is not None or not is_plain(space):
        return measuring_space(where, sampler, operator.size, samples, space), []
    notes = []
    kept = ground_magnetization(operator)
    if kept is not None:
        words = "the model does not say in which magnetization it lives (run.model and it.load do)"
        remedy = f"for a state of Σ s = {kept} give sampler=Metropolis(Exchange(), chains={MOST_CHAINS})"
        notes.append(caveat("assumption", f"{words}, and all configurations were sampled; {remedy}"))
    return measuring_space(None, None, operator.size, samples), notes


def _known(mean: float, samples: int) -> Estimate:
    """A mean that is known without sampling."""
    zero, one, n = np.float64(0.0), np.float64(1.0), np.float64(samples)
    return Estimate(np.asarray(mean)[()], zero, zero, one, one, n, np.int64(samples))


def check_key(key: object) -> Array:
    """`key`, or the error that says how to make one."""
    from intertwine.models.parameters import check_key as check

    return check(key)
