"""The principal modes of the data, followed along a learning run: each line has their strengths in W, and the
moments of the training's own chains along them (`boltzmann.cascade`)."""

from __future__ import annotations

from typing import Any

from jaxtyping import PyTree

from intertwine._checks import InputError
from intertwine.boltzmann.cascade.emergence import facts_of, told
from intertwine.boltzmann.cascade.lines import chains_of, emergence_line, is_gaussian_machine
from intertwine.boltzmann.cascade.principal_modes import MOST_COLUMNS, PrincipalModes, can_differ, modes_for
from intertwine.data.dataset import Dataset
from intertwine.learning.study import Scalars
from intertwine.records.schema import plain


class FollowedModes:
    """The modes of the data, found at the first line; none for data of very many columns."""

    def __init__(self, data: Dataset):
        self.data = data
        self.modes: PrincipalModes | None = None

    def line(self, state: PyTree, scalars: Scalars) -> Scalars:
        """The numbers of a machine of the first stage, from its `TrainState`; {} where there are no modes."""
        modes = self.of(state.model)
        if modes is None:
            return {}
        told = {"time": scalars.get("time", float(state.step)), "updates_so_far": int(state.step)}
        return told | emergence_line(state.model, modes, chains_of(state))

    def of(self, machine: PyTree) -> PrincipalModes | None:
        """The modes."""
        if self.modes is None and self.data.size <= MOST_COLUMNS and can_differ(self.data.train):
            try:
                self.modes = modes_for(machine, self.data)
            except InputError:  # rows without any variance: a training that is nothing but biases
                return None
        return self.modes

    def facts(self, machine: PyTree, history: list[Scalars]) -> dict[str, Any] | None:
        """What result.json says of them: the eigenvalues, and the time of each with its error."""
        lines = [line | {"updates": line["updates_so_far"]} for line in history if line.get("mode_strengths")]
        if not lines or self.of(machine) is None:
            return None
        assert self.modes is not None
        facts = facts_of(self.modes) | {"gaussian": is_gaussian_machine(machine)}
        found = told(lines, facts, facts["gaussian"])
        columns = {name: getattr(found, name) for name in ("half_time", "half_error", "unstable", "final")}
        lists = {name: [plain(float(x)) for x in values] for name, values in columns.items()}
        return facts | {"noise": plain(facts["noise"]), "notes": list(found.warnings)} | lists
