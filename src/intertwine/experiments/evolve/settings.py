"""Settings of `intertwine evolve`: complete, bounded, and checked before anything is computed.

    kind = "evolve"       a wave function in real or imaginary time
    lattice = "chain:10"  where the spins live
    [hamiltonian]         as of `ground-state`
    [model]               the network, and the state at time 0: a product state, or that of a run
    [time]                until when, at how many times, real or imaginary, a ramp of a coupling
    [method]              how steps are made, and how exactly
    [sampling]            exact sums, or configurations of a step and of a measurement
    [measure]             what is measured besides the energy

Every field has a default, so that the empty configuration is a run: the Ising ring of 10 sites, all spins
along x, after its field was set to the critical one.
"""

from __future__ import annotations

import re
from typing import Any, Literal

from pydantic import field_validator, model_validator

from intertwine._checks import InputError, fail
from intertwine.experiments.ground_state.hamiltonians import SpinHamiltonian as Hamiltonian, Tfim
from intertwine.experiments.ground_state.places import LATTICES, check_lattice_name, lattice_stem
from intertwine.runs.begun import Starting, begun_with, start_of
from intertwine.runs.fields import (
    Section,
    Settings,
    checkpoint_every,
    choice,
    integer,
    kind_of,
    number,
    number_or_word,
    precision,
    seed,
    text,
)

START = ("ground-state", "model.start")
STATES = ("+x", "-x", "+y", "-y", "up", "down", "neel")
_TURNS = re.compile(r"[XYZH][0-9]+( [XYZH][0-9]+)*", re.ASCII)
_RAMP = re.compile(r"(J|h|delta|J1|J2)=(-?[0-9]+(?:\.[0-9]*)?)", re.ASCII)


class Model(Starting):
    """The network: rbm:ALPHA, symmetric-rbm:FEATURES, ... (models.names), with complex parameters.

    state: the product state at time 0, "+x", "up" (all along z), "neel", ..., made by small weights that can
    move. start: the folder of a ground-state run, whose state is that of time 0; a folder as the name says
    both. turn: what is applied to that state at time 0, unitaries of single sites, such as "Z0" or "X0 H3".
    """

    begins = START

    name: str = text(
        "symmetric-rbm:8",
        "a model such as symmetric-rbm:8, gcnn:2x4:translations, rbm:2, jastrow",
        "symmetric-rbm:8, gcnn:2x4:translations, rbm:2, jastrow …",
    )
    state: Literal["+x", "-x", "+y", "-y", "up", "down", "neel"] = choice(
        "+x", *STATES, help="of all spins at time 0"
    )
    sector: str = text(
        "trivial", "'trivial' or a sector such as '(0, π) A2'", "irrep of a gcnn: trivial, '(0, π) A2' …"
    )
    start: str = start_of("ground-state")
    turn: str = text(
        "none", "'none', or letters X, Y, Z, H with sites, such as 'Z0 X3'", "turn spins at time 0: 'Z0 X3' …"
    )

    @field_validator("turn")
    @classmethod
    def _spelt(cls, turn: str) -> str:
        if turn != "none" and not _TURNS.fullmatch(turn):
            expected = "'none', or letters X, Y, Z, H with sites, such as 'Z0 X3'"
            raise fail("model.turn", expected, repr(turn), "say 'none'")
        return turn

    @property
    def turns(self) -> dict[int, str]:
        """Site → letter."""
        return {} if self.turn == "none" else {int(one[1:]): one[0] for one in self.turn.split()}

    @field_validator("name")
    @classmethod
    def _known(cls, name: str) -> str:
        from intertwine.models.names import MODEL_NAMES, check_model_name

        try:
            check_model_name(name)
        except InputError:
            remedy = "say 'symmetric-rbm:8'"
            raise fail("model.name", "one of " + ", ".join(MODEL_NAMES), repr(name), remedy) from None
        return name


class Time(Section):
    """From 0 to `end` (1/energy), at `points` times evenly apart, the first of which is 0. direction: real
    for Schrödinger's equation, imaginary for e^{−Hτ}. ramp: a coupling that goes along a straight line to a
    value at the end, such as h=2.0; none for a quench.
    """

    end: float = number(2.0, 0.0, 1e4, "1/energy", above=True, flag="--time")
    points: int = integer(21, 2, 100_000, "times at which is measured, 0 among them")
    direction: Literal["real", "imaginary"] = choice("real", "real", "imaginary", help="of time")
    ramp: str = text("none", "'none' or a coupling and its value at the end, such as h=2.0", "h=2.0 …")

    @field_validator("ramp")
    @classmethod
    def _known(cls, ramp: str) -> str:
        if ramp != "none" and not _RAMP.fullmatch(ramp):
            expected = "'none' or a coupling and its value at the end, such as h=2.0"
            raise fail("time.ramp", expected, repr(ramp), "say 'none'")
        return ramp

    @property
    def ramped(self) -> tuple[str, float] | None:
        """(coupling, its value at the end)."""
        match = _RAMP.fullmatch(self.ramp)
        return None if match is None else (match[1], float(match[2]))


class Method(Section):
    """auto chooses, and the result says why. tolerance: of the integrator's error (a distance of states) per
    unit of time. cutoff: of the metric's eigenvalues over the largest one. snr: directions whose signal is
    below so many errors are left out (samples).
    """

    name: Literal["auto", "tdvp", "projected"] = choice("auto", "auto", "tdvp", "projected", help="of steps")
    tolerance: float | Literal["auto"] = number_or_word(
        "auto", 0, 1, "1e-4, of samples 2e-3", "of a step's error", above=True, metavar="NUMBER"
    )
    cutoff: float | Literal["auto"] = number_or_word(
        "auto", 0, 1, "", "of the metric's eigenvalues", above=True, metavar="NUMBER"
    )
    snr: float = number(2.0, 0.0, 1000.0, "least signal over noise of a direction")


class Sampling(Section):
    """auto: exact sums over all configurations where there are few, else samples; a number: so many."""

    samples: int | Literal["auto"] = number_or_word(
        "auto", 2, 1 << 22, "exact sums, else 4096", "configurations per step"
    )
    observe: int | Literal["auto"] = number_or_word(
        "auto", 2, 1 << 24, "four times those of a step", "configurations per measurement"
    )


class Measure(Section):
    """Besides energy, variance and the certificate: ⟨X⟩ per site; correlations ⟨Z Z⟩ of neighbours up to
    `distances` shells; the entropy of half of the sites (auto: von Neumann's to 16 sites, Rényi's second from
    samples beyond).
    """

    distances: int = integer(3, 0, 64, "shells of neighbours for ⟨Z Z⟩")
    entropy: Literal["auto", "none"] = choice("auto", "auto", "none", help="of half of the sites")


class EvolveConfiguration(Settings):
    """An evolution: a function of this and of nothing else."""

    kind: Literal["evolve"] = kind_of("evolve")
    lattice: str = text(
        "chain:10", f"a lattice such as {LATTICES}", "chain:10, square:4x4, kagome:2x2:open …", group="Model"
    )
    seed: int = seed()
    precision: Literal["float64", "float32"] = precision("float64")
    checkpoint_every: int = checkpoint_every(1, "times")
    hamiltonian: Hamiltonian = Tfim()
    model: Model = Model()
    time: Time = Time()
    method: Method = Method()
    sampling: Sampling = Sampling()
    measure: Measure = Measure()

    @model_validator(mode="before")
    @classmethod
    def _of_a_run(cls, tables: Any) -> Any:
        """`model = FOLDER`: the model of that run, with its lattice and Hamiltonian if none are given."""
        return begun_with(tables, "model", START, own=("name", "sector"), about=("lattice", "hamiltonian"))

    @field_validator("lattice")
    @classmethod
    def _bounded(cls, name: str) -> str:
        return check_lattice_name(name)

    @model_validator(mode="after")
    def _ramp_of_this_hamiltonian(self) -> EvolveConfiguration:
        ramp = self.time.ramped
        others = ("name", "marshall", "field", "twist")
        known = [name for name in type(self.hamiltonian).model_fields if name not in others]
        if ramp is not None and ramp[0] not in known:
            couplings = ", ".join(known)
            raise fail("time.ramp", f"a coupling of {self.hamiltonian.name} ({couplings})", self.time.ramp)
        if ramp is not None and self.time.direction == "imaginary":
            raise fail("time.ramp", "'none' in imaginary time", repr(self.time.ramp), "say 'none'")
        return self

    @property
    def stem(self) -> str:
        """What a folder of runs calls this one: evolve-tfim-chain-10."""
        return f"evolve-{self.hamiltonian.name}-{lattice_stem(self.lattice)}"
