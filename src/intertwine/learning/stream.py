r"""Mini-batch updates, many of them in one compiled loop: how the training loop walks through data.

    λ ← λ + optimiser(∂L/∂λ of batch k),        key of update k = fold_in(key, k)

An update of a small machine takes less time than a call from Python, so that the loop over the batches of a
chunk is compiled as a whole (`jax.lax.fori_loop` with a number of turns that is not compiled in: chunks of
any length share one program). Chunk sizes and interruptions do not change the numbers: the position in the
data, the key and the learning rate are functions of the update's number.

Any objective that gives its gradient on a batch is walked in this way (`MiniBatchObjective`), with any
optimiser that is a pure function of the gradient (`OptaxGradient`, `WeightAverage`). With another optimiser,
such as `NaturalGradient`, the loop takes one batch at a time through the objective's `evaluate`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from time import perf_counter
from typing import Any, NamedTuple, Protocol

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from jaxtyping import PyTree

from intertwine._checks import fail
from intertwine.layers.networks.numbers import as_numbers
from intertwine.learning.batches import Batches, binarised, prefetched
from intertwine.learning.objective import Evaluation

_BINARISE = 0x62696E


class MiniBatchObjective(Protocol):
    """What is learned from data: hashable, with pure functions that JAX can compile.

    A batch is an array (batch, ...), or the tuple of arrays that `Batches` was made with.

    value_name: the scalar that the guard watches and the progress line shows, such as "loss". It is among
        the scalars of `gradient` or of `measure`.
    evaluate(model, state, batch, *, key) -> (Evaluation, state): only where an optimiser needs samples.
    measure(model, state, batch, *, key) -> scalars: optional, looked at once a chunk, on its last batch.
    settled(model, state) -> model: optional, after every update: the model with what the objective knows of
        it beside the parameters (running statistics of batch norms).
    """

    @property
    def value_name(self) -> str: ...

    def init(self, model: PyTree, *, key: Array) -> Any:
        """The objective's state (chains, running means): a pytree of arrays."""
        ...

    def gradient(
        self, model: PyTree, state: PyTree, batch: PyTree, *, key: Array
    ) -> tuple[Any, Any, dict[str, Array]]:
        """(∂L/∂λ like `parameters(model)`, the new state, scalars that are averaged over the chunk)."""
        ...


class StreamState(NamedTuple):
    """position: updates made on these data so far. inner: the objective's own state."""

    position: Any
    inner: Any


@dataclass(frozen=True, eq=False)
class OverBatches:
    """The objective that the training loop takes: a mini-batch objective and the data that it learns from."""

    objective: Any
    batches: Batches

    @property
    def value_name(self) -> str:
        return self.objective.value_name

    def init(self, model: PyTree, *, key: Array) -> StreamState:
        return StreamState(np.int64(0), self.objective.init(model, key=key))

    def evaluate(self, model: PyTree, state: StreamState, *, key: Array) -> tuple[Evaluation, StreamState]:
        """One batch, for optimisers that need samples."""
        if not hasattr(self.objective, "evaluate"):
            raise fail(
                "optimiser",
                f"one that needs only the gradient of {type(self.objective).__name__}",
                "one that needs samples",
                "use OptaxGradient(optax.adam(1e-3))",
            )
        position = int(state.position)
        batch = prepared(self.batches.at(position), model, self.batches.binarise, key)
        evaluation, inner = self.objective.evaluate(model, state.inner, batch, key=key)
        return evaluation, StreamState(np.int64(position + 1), inner)

    def settled(self, model: PyTree, state: StreamState) -> Any:
        return settled(self.objective, model, state.inner)


def settled(objective: PyTree, model: PyTree, state: PyTree) -> Any:
    """The model after an update, with what the objective keeps for it; `state`: of the objective."""
    return objective.settled(model, state) if hasattr(objective, "settled") else model


def can_stream(optimiser: PyTree) -> bool:
    """Whether its updates can run inside one compiled loop: not with NaturalGradient, averaged or not."""
    inner = getattr(optimiser, "optimiser", optimiser)
    return hasattr(inner, "update")


def advance(
    state: PyTree, stream: OverBatches, optimiser: PyTree, steps: int
) -> Iterator[tuple[Any, dict[str, float]]]:
    """`steps` further updates of `state` (a `TrainState`); yields after each chunk.

    The scalars: what the objective measures, averaged over the chunk or taken at its end, `step` (updates
    made before the chunk), `updates`, `epoch` (a fraction), `learning_rate` where there is one, `update_norm`
    (the length of the way in λ), `seconds`.
    """
    first = int(state.objective_state.position)
    begun = perf_counter()
    for chunk in prefetched(stream.batches.chunks(first, steps)):
        step = int(state.step)
        rates = np.zeros(stream.batches.most, np.float32)
        rates[: chunk.count] = optimiser.rates(step, chunk.count)
        model, inner, optimiser_state, scalars = _run(
            state.model,
            state.objective_state.inner,
            state.optimiser_state,
            stream.batches.unpacked(chunk.arrays),
            rates,
            state.key,
            step,
            chunk.count,
            objective=stream.objective,
            optimiser=optimiser.unscheduled(),
            binarise=stream.batches.binarise,
        )
        position = chunk.position + chunk.count
        found = {name: float(value) for name, value in jax.device_get(scalars).items()}
        now = perf_counter()
        found = {"step": step, "updates": chunk.count, "epoch": position / stream.batches.per_epoch} | found
        if rates.any() and not (rates[: chunk.count] == 1).all():
            found["learning_rate"] = float(rates[chunk.count - 1])
        found["seconds"], begun = now - begun, now
        objective_state = StreamState(np.int64(position), inner)
        state = type(state)(step + chunk.count, model, objective_state, optimiser_state, state.key)
        yield state, found


@partial(jax.jit, static_argnames=("objective", "optimiser", "binarise"))
def _run(
    model: PyTree,
    inner: PyTree,
    optimiser_state: PyTree,
    batches: PyTree,
    rates: Array,
    key: Array,
    first: Array,
    count: Array,
    *,
    objective: PyTree,
    optimiser: PyTree,
    binarise: bool,
) -> tuple[Any, Any, Any, dict[str, Array]]:
    def batch_of(i: Array | int) -> Any:
        raw = jax.tree.map(lambda x: jax.lax.dynamic_index_in_dim(x, i, keepdims=False), batches)
        return prepared(raw, model, binarise, jax.random.fold_in(key, first + i))

    def update(i: Array, carry: tuple) -> tuple:
        model, inner, optimiser_state, total = carry
        of_update = jax.random.fold_in(key, first + i)
        gradient, inner, scalars = objective.gradient(model, inner, batch_of(i), key=of_update)
        model, optimiser_state = optimiser.update(model, gradient, optimiser_state, rates[i])
        model = settled(objective, model, inner)
        total = jax.tree.map(lambda sum, x: sum + x, total, scalars)
        return model, inner, optimiser_state, total

    shapes = jax.eval_shape(lambda: objective.gradient(model, inner, batch_of(0), key=key)[2])
    zeros = jax.tree.map(lambda x: jnp.zeros(x.shape, x.dtype), shapes)
    start = (model, inner, optimiser_state, zeros)
    later, inner, optimiser_state, total = jax.lax.fori_loop(0, count, update, start)
    scalars = {name: value / count for name, value in total.items()}
    if hasattr(objective, "measure"):
        of_measure = jax.random.fold_in(jax.random.fold_in(key, first + count - 1), 1)
        scalars |= objective.measure(later, inner, batch_of(count - 1), key=of_measure)
    moved = zip(_inexact(later), _inexact(model), strict=True)
    scalars["update_norm"] = jnp.sqrt(sum(jnp.sum(jnp.abs(a - b) ** 2) for a, b in moved))
    return later, inner, optimiser_state, scalars


def prepared(batch: PyTree, model: PyTree, binarise: bool, key: Array) -> Any:
    """The batch as the objective sees it: the first array binarised, or in the type of the model's
    parameters where it holds units; labels and other integers of further arrays as they are."""
    dtype = jnp.finfo(jnp.result_type(*_inexact(model))).dtype
    values = batch[0] if isinstance(batch, tuple) else batch
    if binarise:
        values = binarised(jnp.asarray(values), dtype, key=jax.random.fold_in(key, _BINARISE))
    else:
        values = as_numbers(jnp.asarray(values), _module(model), dtype)
    return (values, *batch[1:]) if isinstance(batch, tuple) else values


def _module(model: PyTree) -> Any:
    """The network itself, which says how it reads bytes."""
    network = getattr(model, "network", model)
    return getattr(network, "module", network)


def _inexact(model: PyTree) -> list[Array]:
    return [x for x in jax.tree.leaves(model) if jnp.issubdtype(jnp.result_type(x), jnp.inexact)]
