"""Settings of `intertwine entangle`: complete, bounded, and checked before anything is computed.

    kind = "entangle"     entropies of growing regions of a state
    lattice = "chain:16"  where the spins live
    [hamiltonian]         as of `ground-state`: whose exact ground state is measured, where no run is given
    [state]               the run whose state is measured
    [regions]             how far they grow
    [sampling]            exact, or from samples

Every field has a default, so that the empty configuration is a run: the critical Ising ring of 16 sites.
"""

from __future__ import annotations

from typing import Any, ClassVar, Literal

from pydantic import field_validator, model_validator

from intertwine._checks import InputError, fail
from intertwine.experiments.ground_state.hamiltonians import SpinHamiltonian as Hamiltonian, Tfim
from intertwine.experiments.ground_state.places import LATTICES, check_lattice_name, lattice_stem
from intertwine.records.folder import CONFIG
from intertwine.runs.begun import NONE, absolute
from intertwine.runs.fields import (
    Section,
    Settings,
    checkpoint_every,
    kind_of,
    number_or_word,
    precision,
    seed,
    text,
)
from intertwine.runs.run_paths import check_is_run
from intertwine.runs.settings import read_toml, shown

KINDS_OF_STATES = ("ground-state", "evolve", "learn")


class State(Section):
    """run: the folder of a ground-state, evolve or learn run, whose state is measured; none for the exact
    ground state of the Hamiltonian, to 20 sites."""

    run: str = text(
        NONE, "'none', or the folder of a run", "whose state is measured", longest=4096, metavar="FOLDER"
    )

    @field_validator("run")
    @classmethod
    def _absolute(cls, run: str) -> str:
        return absolute(run)

    def check_there(self) -> None:
        if self.run == NONE:
            return
        expected = "'none', or the folder of a ground-state, evolve or learn run"
        try:
            kind = read_toml(check_is_run(self.run) / CONFIG).get("kind", "ground-state")
        except InputError:
            raise fail("state.run", expected, shown(self.run), "say 'none'") from None
        if kind not in KINDS_OF_STATES:
            raise fail("state.run", expected, f"{shown(self.run)}, a run of {kind!r}", "give another")


class Regions(Section):
    """The first 1, 2, … `largest` sites, in the order of the lattice: blocks of a chain, rows of others."""

    largest: int | Literal["auto"] = number_or_word("auto", 1, 4096, "half of the sites", "sites of the last")


class Sampling(Section):
    """samples: for all regions together; auto: exact to 20 sites, else 4096."""

    samples: int | Literal["auto"] = number_or_word(
        "auto", 4, 1 << 22, "exact to 20 sites, else 4096", "configurations"
    )


class EntangleConfiguration(Settings):
    """A measurement of entropies: a function of this, of the run that it names, and of nothing else."""

    argument: ClassVar[tuple[str, str] | None] = ("RUN", "the folder of a run whose state is measured")

    kind: Literal["entangle"] = kind_of("entangle")
    lattice: str = text(
        "chain:16", f"a lattice such as {LATTICES}", "chain:16, square:4x4, kagome:2x2:open …", group="Model"
    )
    seed: int = seed()
    precision: Literal["float64", "float32"] = precision("float64")
    checkpoint_every: int = checkpoint_every(1, "regions")
    hamiltonian: Hamiltonian = Tfim()
    state: State = State()
    regions: Regions = Regions()
    sampling: Sampling = Sampling()

    @classmethod
    def from_words(cls, tables: dict[str, Any], argument: str | None, switches: set[str]) -> dict[str, Any]:
        """RUN is the state's run."""
        if argument is None:
            return tables
        if "state" in tables:
            raise fail("RUN", "a run folder alone", "a run folder and --run", "leave one of them out")
        return tables | {"state": {"run": argument}}

    @model_validator(mode="after")
    def _one_state(self) -> EntangleConfiguration:
        for name in ("lattice", "hamiltonian"):
            if self.state.run != NONE and getattr(self, name) != type(self).model_fields[name].default:
                raise fail(name, f"no {name} with a run, which has its own", "another", "leave it out")
        return self

    @field_validator("lattice")
    @classmethod
    def _bounded(cls, name: str) -> str:
        return check_lattice_name(name)

    @property
    def stem(self) -> str:
        """What a folder of runs calls this one: entangle-tfim-chain-16."""
        if self.state.run != NONE:
            from pathlib import Path

            return f"entangle-{Path(self.state.run).name}"[:80]
        return f"entangle-{self.hamiltonian.name}-{lattice_stem(self.lattice)}"
