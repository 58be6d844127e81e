"""Settings of learning that every machine of a distribution shares."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from intertwine.boltzmann.defaults import AVERAGE, CHAINS, STEPS
from intertwine.boltzmann.objectives.kl import KL
from intertwine.boltzmann.training.descent import descent


@dataclass(frozen=True, kw_only=True)
class Teaching:
    """What `it.learn` says of each. None: what suits the machine and the data (`course`).

    method: how the model's average is taken; where it is chosen, with `chains` chains and `steps` sweeps.
    epochs, learning_rate, optimiser: of a deep machine, those of the whole.
    """

    method: Any = None
    chains: int = CHAINS
    steps: int = STEPS
    epochs: int | None = None
    learning_rate: Any = None
    optimiser: Any = None
    centred: bool = True
    standardised: bool = False
    weight_decay: float = 0.0
    l1: float = 0.0
    sparsity: tuple[float, float] | None = None
    average: float | None = AVERAGE
    begin: str = "auto"

    def likelihood(self, method: object, missing: int = 0, unseen: Any = None) -> KL:
        """The objective of a machine of two layers."""
        return KL(
            method,
            self.centred,
            self.standardised,
            self.weight_decay,
            self.l1,
            self.sparsity,
            missing,
            unseen,
        )

    def descent(self, updates: int, suited: float) -> Any:
        """The optimiser of so many updates, for which a rate from `suited` on would do."""
        return descent(self.optimiser, self.learning_rate, self.average, updates, suited)
