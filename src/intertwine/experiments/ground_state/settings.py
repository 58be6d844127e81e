"""Settings of `intertwine ground-state`: complete, bounded, and checked before anything is computed.

    kind = "ground-state"        what is done
    lattice = "chain:20"         where the spins live
    [hamiltonian]                tfim (J, h), heisenberg (J), xxz (J, delta), j1j2 (J1, J2), toric (hx, hz)
    [model]                      the wave function
    [sampler]                    how configurations are drawn
    [optimiser]                  how the parameters move
    [final]                      the last, longer estimate

Every field has a default, so that the empty configuration is a run. The defaults are those of
`quantum.defaults`, and where the model is "auto", what is not given is chosen for the operator when the run
starts (`build.resolved`): the folder's config.toml has the settings that were chosen. Contradictions between
fields (an exchange rule with a field that does not conserve magnetization, samples that the chains do not
divide) are found here, in words.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, field_validator, model_validator

from intertwine._checks import InputError, fail
from intertwine.quantum import defaults
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
    truth,
)

MAX_SITES = 4096
START = ("ground-state", "model.start")
_LATTICES = (
    "chain:20, square:6x6, triangular:4x4, honeycomb:3x3, kagome:2x2, cubic:4x4x4, links:4x4, ladder:8x2, "
    "lieb:2x2, shuriken:2x2, bcc:3, fcc:3, diamond:2, pyrochlore:2, or graph:FILE with an edge a line"
)
_MARSHALL = "true, false or 'auto' (on where the lattice has two sublattices)"


def _coupling(default: float, help: str) -> Any:
    return number(default, -1e6, 1e6, help)


def _marshall() -> Any:
    return truth("auto", "sign rotation: auto, true, false", expected=_MARSHALL)


class Tfim(Section):
    """−J Σ Z Z − h Σ X."""

    name: Literal["tfim"] = "tfim"
    J: float = _coupling(1.0, "coupling of tfim, heisenberg, xxz")
    h: float = _coupling(1.0, "transverse field of tfim")


class Heisenberg(Section):
    """J Σ (X X + Y Y + Z Z)."""

    name: Literal["heisenberg"] = "heisenberg"
    J: float = _coupling(1.0, "coupling of tfim, heisenberg, xxz")
    marshall: bool | Literal["auto"] = _marshall()


class Xxz(Section):
    """J Σ (X X + Y Y + Δ Z Z)."""

    name: Literal["xxz"] = "xxz"
    J: float = _coupling(1.0, "coupling of tfim, heisenberg, xxz")
    delta: float = _coupling(1.0, "anisotropy of xxz")
    marshall: bool | Literal["auto"] = _marshall()


class J1J2(Section):
    """J1 on nearest and J2 on next-nearest neighbours."""

    name: Literal["j1j2"] = "j1j2"
    J1: float = _coupling(1.0, "nearest neighbours of j1j2")
    J2: float = _coupling(0.5, "next-nearest neighbours of j1j2")
    marshall: bool | Literal["auto"] = _marshall()


class Toric(Section):
    """−Σ Π X − Σ Π Z − hx Σ X − hz Σ Z, stars and plaquettes of links."""

    name: Literal["toric"] = "toric"
    hx: float = _coupling(0.0, "field along X of toric")
    hz: float = _coupling(0.0, "field along Z of toric")


Hamiltonian = Annotated[
    Tfim | Heisenberg | Xxz | J1J2 | Toric,
    Field(discriminator="name"),
]


class Model(Starting):
    """The wave function: rbm:ALPHA, symmetric-rbm:FEATURES, gcnn:LAYERSxFEATURES, ... (models.names), or
    "auto" for one that fits the operator.

    sector: of a gcnn, "trivial" or the name of an irrep of the lattice's space group, as "(0, π) A2". start:
    the folder of a ground-state run, whose parameters it begins with; a folder as the name says both.
    """

    begins = START

    name: str = text(
        "auto",
        "a model such as rbm:1, symmetric-rbm:4, gcnn:4x8, jastrow, or auto",
        "auto, rbm:1, symmetric-rbm:4, gcnn:2x4, jastrow …",
    )
    dtype: Literal["real", "complex"] = choice("real", "real", "complex", help="parameters")
    sector: str = text(
        "trivial", "'trivial' or a sector such as '(0, π) A2'", "irrep of a gcnn: trivial, '(0, π) A2' …"
    )
    start: str = start_of("ground-state")

    @field_validator("name")
    @classmethod
    def _known(cls, name: str) -> str:
        from intertwine.models.names import MODEL_NAMES, check_model_name

        if name == "auto":
            return name
        try:
            check_model_name(name)
        except InputError:
            raise fail("model.name", "one of " + ", ".join(MODEL_NAMES), repr(name), "say 'rbm:1'") from None
        return name


class Sampler(Section):
    """Markov chains on |ψ|²; rule `auto` exchanges neighbours where the magnetization is conserved, `sums`
    sums over all configurations (of `magnetization` Σ s_i, "auto" for all) in place of chains.
    """

    chains: int | Literal["auto"] = number_or_word(
        "auto", 1, 65536, "at most 64, with 8 draws each", "Markov chains"
    )
    sweep: int | Literal["auto"] = number_or_word(
        "auto", 1, 100_000, "the number of sites", "proposals between draws"
    )
    rule: Literal["auto", "single", "exchange", "mixture", "sums"] = choice(
        "auto", "auto", "single", "exchange", "mixture", "sums", help="moves"
    )
    magnetization: int | Literal["auto"] = number_or_word(
        "auto", -MAX_SITES, MAX_SITES, "", "Σ s that the chains keep: auto, 0, 1 …"
    )
    backend: Literal["auto", "host", "jax"] = choice("auto", "auto", "host", "jax", help="where moves run")


class Optimiser(Section):
    """sr: stochastic reconfiguration (natural gradient; with momentum, SPRING); adam and sgd: optax on the
    plain gradient, to which shift and momentum do not apply.

    The learning rate and the shift go from their value to their `_end` value along the schedule (`constant`
    keeps the first value); the learning rate rises to it over the first `warmup` steps.
    """

    steps: int = integer(defaults.STEPS, 1, 10_000_000, "updates of the parameters")
    samples: int = integer(defaults.SAMPLES, 2, 1 << 22, "configurations per step")
    method: Literal["sr", "adam", "sgd"] = choice("sr", "sr", "adam", "sgd", help="of the updates")
    learning_rate: float = number(defaults.LEARNING_RATE, 0.0, 1e12, "at the first step", above=True)
    learning_rate_end: float = number(defaults.LEARNING_RATE_END, 0.0, 1e12, "at the last step", above=True)
    warmup: int = integer(defaults.WARMUP, 0, 1_000_000, "steps to reach the learning rate")
    shift: float = number(defaults.SHIFT, 0.0, 10.0, "added to the metric S, at the first step")
    shift_end: float = number(defaults.SHIFT_END, 0.0, 10.0, "the same at the last step")
    momentum: float = number(defaults.MOMENTUM, 0.0, 0.999, "of sr (SPRING)")
    schedule: Literal["constant", "exponential", "cosine"] = choice(
        "exponential", "constant", "exponential", "cosine", help="from the first values to the last"
    )
    solver: Literal["auto", "dense", "minsr", "iterative"] = choice(
        "auto", "auto", "dense", "minsr", "iterative", help="of the equations of sr"
    )


class Final(Section):
    """The estimate after the last step, with parameters that no longer move."""

    samples: int | Literal["auto"] = number_or_word(
        "auto", 2, 1 << 24, "64 times those of a step", "of the last estimate", flag="--final-samples"
    )


class GroundStateConfiguration(Settings):
    """A ground-state run: a function of this and of nothing else."""

    contradictions = "intertwine.experiments.ground_state.checks:check_consistency"
    resolver = "intertwine.experiments.ground_state.build:resolved"

    kind: Literal["ground-state"] = kind_of("ground-state")
    lattice: str = text(
        "chain:20", f"a lattice such as {_LATTICES}", "chain:20, square:6x6, kagome:2x2:open …", group="Model"
    )
    seed: int = seed()
    precision: Literal["float64", "float32"] = precision("float64")
    checkpoint_every: int = checkpoint_every(50, "steps")
    devices: int | Literal["auto"] = number_or_word(
        "auto", 1, 65536, "as many as there are and divide the chains", "that share the chains", group="Run"
    )
    hamiltonian: Hamiltonian = Heisenberg()
    model: Model = Model()
    sampler: Sampler = Sampler()
    optimiser: Optimiser = Optimiser()
    final: Final = Final()

    @model_validator(mode="before")
    @classmethod
    def _of_a_run(cls, tables: Any) -> Any:
        """`model = FOLDER`: the model of that run, with its lattice and Hamiltonian if none are given."""
        own, about = ("name", "dtype", "sector"), ("lattice", "hamiltonian")
        return begun_with(tables, "model", START, own=own, about=about)

    @field_validator("lattice")
    @classmethod
    def _bounded(cls, name: str) -> str:
        return check_lattice_name(name)

    @property
    def final_samples(self) -> int:
        """Of the last estimate; "auto" is so many times those of a step."""
        asked = self.final.samples
        return defaults.FINAL_FACTOR * self.optimiser.samples if asked == "auto" else asked

    @property
    def chains(self) -> int:
        """How many Markov chains; "auto" is what the samples of a step want."""
        from intertwine.quantum.space_choice import chains_for

        asked = self.sampler.chains
        return chains_for(self.optimiser.samples) if asked == "auto" else asked

    @property
    def stem(self) -> str:
        """What a folder of runs calls this one: heisenberg-chain-20."""
        return f"{self.hamiltonian.name}-{lattice_stem(self.lattice)}"


_FAMILIES = {
    "chain": (1, 1),
    "square": (2, 1),
    "triangular": (2, 1),
    "honeycomb": (2, 2),
    "kagome": (2, 3),
    "cubic": (3, 1),
    "lieb": (2, 3),
    "shuriken": (2, 6),
    "bcc": (3, 1),
    "fcc": (3, 1),
    "diamond": (3, 2),
    "pyrochlore": (3, 4),
}


def lattice_stem(name: str) -> str:
    """What names of folders and files call a lattice: square-6x6, graph-edges.

    >>> lattice_stem("square:6x6"), lattice_stem("graph:data/edges.csv+data/sites.csv")
    ('square-6x6', 'graph-edges')
    """
    if is_graph(name):
        return f"graph-{Path(name.partition(':')[2].partition('+')[0]).stem}"
    return name.replace(":", "-")


def is_graph(name: str) -> bool:
    """Whether the lattice is a file of edges, graph:FILE."""
    return name.strip().lower().startswith("graph:")


def check_lattice_name(name: str) -> str:
    """`name` if it is of a size that can be built; nothing is built here (other faults show when it is)."""
    if is_graph(name):
        return name
    family, _, rest = name.strip().lower().partition(":")
    extents = re.findall(r"[0-9]+", rest, re.ASCII)
    dimension, cells = _FAMILIES.get(family, (1, 1))
    for extent in extents * (dimension if len(extents) == 1 else 1):
        cells *= int(extent[:20])
    cells *= len(extents) if family == "links" else 1
    if cells > MAX_SITES:
        remedy = "give a smaller lattice, say 'square:10x10'"
        raise fail("lattice", f"at most {MAX_SITES} sites", repr(name), remedy)
    return name
