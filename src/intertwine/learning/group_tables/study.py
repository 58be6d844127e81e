r"""Learning a group's table as a study: lines of metrics, first after each pass over the pairs, then rarer.

The first line is the network before any update. Every line has the look of `layers.emergence`: accuracies of
the pairs learnt from and held out, equivariance errors, energies by irrep. The result is the last network:
the pairs held out choose nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from time import perf_counter
from typing import Any, NamedTuple

import numpy as np
from jax import Array
from jaxtyping import PyTree

from intertwine.layers.emergence.emergent import emergence_caveats, look
from intertwine.learning.batches import Batches
from intertwine.learning.epochs import epoch_scalars
from intertwine.learning.group_tables.defaults import LOOKS
from intertwine.learning.guard import Guard
from intertwine.learning.labels.class_scores import mean_loss
from intertwine.learning.labels.labelled import Labelled
from intertwine.learning.loop import TrainState, iterate, start
from intertwine.learning.stream import OverBatches
from intertwine.learning.study import Scalars, Study
from intertwine.learning.supervised import Supervised
from intertwine.models.network import Network
from intertwine.symmetry.groups.finite_group import FiniteGroup


class TableFit(NamedTuple):
    """What was learned of a group's table.

    model: the network after the last update. history: a dict a line: updates, epoch, loss and accuracy of the
    pairs learnt from, validation_loss and validation_accuracy of those held out, symmetry_error, class_error,
    irrep_energy, irrep_weights, seconds. looks: the same, for `it.layers.emergent_symmetry(fit)`. group:
    whose table it is. pairs: int32 (rows, 2) learnt from. state: of the loop.
    """

    model: Any
    history: list[dict[str, Any]]
    group: FiniteGroup
    pairs: np.ndarray
    state: TrainState

    @property
    def looks(self) -> list[dict[str, Any]]:
        return self.history

    @property
    def warnings(self) -> tuple[str, ...]:
        """What qualifies the fit: a table that was memorised alone, or not even that."""
        first, last = self.history[0], self.history[-1]
        fall = first["symmetry_error"] / max(last["symmetry_error"], 1e-300)
        return emergence_caveats(last["accuracy"], last["validation_accuracy"], last["symmetry_error"], fall)


class TableStudy(Study[TrainState, TableFit]):
    """See the module. pairs: (learnt from, held out), (rows, 2) each. epochs: passes over the pairs."""

    def __init__(
        self,
        network: PyTree,
        group: FiniteGroup,
        pairs: tuple[np.ndarray, np.ndarray],
        objective: Supervised,
        optimiser: Any,
        *,
        epochs: int,
        batch: int,
        seed: int,
        key: Array,
    ):
        self.begin, self.group, self.pairs = Network.of(network), group, pairs
        self.objective, self.optimiser, self.epochs, self.key = objective, optimiser, epochs, key
        self.data, self.held = (self._labelled(p) for p in pairs)
        rows = min(batch, len(pairs[0]))
        self.stream = OverBatches(objective, Batches(tuple(self.data), rows, seed=seed))
        self.learnt = np.zeros((group.order,) * 2, bool)
        self.learnt[pairs[0][:, 0], pairs[0][:, 1]] = True
        self.parts = min(LOOKS, epochs)
        self.lines = 1 + self.parts

    def start(self) -> TrainState:
        return start(self.begin, self.stream, self.optimiser, key=self.key)

    def template(self, done: int) -> TrainState:
        return self.start()

    def passes(self, line: int) -> int:
        """Passes over the pairs before the end of a line: its square's share of all, so that the first ones,
        in which pairs are memorised, are looked at often."""
        return max(line, self.epochs * line * line // self.parts**2)

    def iterate(self, state: TrainState, done: int) -> Iterator[tuple[TrainState, Scalars]]:
        guard, per_epoch = Guard(patience=1 << 62), self.stream.batches.per_epoch
        for line in range(done, self.lines):
            begun, pieces = perf_counter(), []
            updates = self.passes(line) * per_epoch - int(state.step)
            for later, scalars in iterate(state, self.stream, self.optimiser, steps=updates, guard=guard):
                state = later
                pieces.append(scalars)
            found: Scalars = {"step": line, "epoch": self.passes(line), "updates": int(state.step)}
            found |= {name: value for name, value in epoch_scalars(pieces).items() if name == "learning_rate"}
            yield state, found | self._measured(state) | {"seconds": perf_counter() - begun}

    def finish(self, state: TrainState, history: list[Scalars]) -> TableFit:
        return TableFit(state.model.module, history, self.group, self.pairs[0], state)

    def _measured(self, state: TrainState) -> Scalars:
        network = state.model.at_rest()
        seen = look(network.module, self.group, self.learnt)
        losses = {
            name: mean_loss(network, self.objective, rows)["loss"]
            for name, rows in (("loss", self.data), ("validation_loss", self.held))
        }
        return losses | seen

    def _labelled(self, pairs: np.ndarray) -> Labelled:
        products = self.group.product_table[pairs[:, 0], pairs[:, 1]]
        if self.objective.classifies:
            return Labelled(pairs, products.astype(np.int32))
        return Labelled(pairs, np.eye(self.group.order, dtype=np.float32)[products])
