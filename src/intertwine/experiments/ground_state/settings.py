"""Settings of `intertwine ground-state`: complete, bounded, and checked before anything is computed.

    kind = "ground-state"        what is done
    lattice = "chain:20"         where the sites are; a file of edges (`places`)
    [hamiltonian]                tfim (J, h), hubbard (t, U), … (`hamiltonians`), or a file of terms
    [space]                      particles, levels, constraints (`spaces`)
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

from typing import Any, Literal

from pydantic import field_validator, model_validator

from intertwine._checks import InputError, fail
from intertwine.experiments.ground_state.hamiltonians import Hamiltonian, Heisenberg, named_or_file
from intertwine.experiments.ground_state.places import (
    LATTICES,
    MAX_SITES,
    GraphSection,
    check_lattice_name,
    lattice_stem,
    with_graph,
)
from intertwine.experiments.ground_state.spaces import SpaceSection
from intertwine.quantum import defaults
from intertwine.runs.begun import Starting, begun_with, start_of
from intertwine.runs.fields import (
    Section,
    Settings,
    Told,
    checkpoint_every,
    choice,
    integer,
    kind_of,
    number,
    number_or_word,
    precision,
    seed,
    seeds_in_words,
    several_seeds,
    text,
)

START = ("ground-state", "model.start")


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

    @field_validator("sector")
    @classmethod
    def _words(cls, sector: str) -> str:
        if not sector.strip():
            raise fail("model.sector", "'trivial' or a sector such as '(0, π) A2'", repr(sector))
        return sector

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
    stop_v_score: float | Literal["none"] = number_or_word(
        "none", 0.0, 1e6, "", "end where the V-score has come down to this", above=True, metavar="NUMBER"
    )
    patience: int | Literal["none"] = number_or_word(
        "none", 1, 10_000_000, "", "end after so many steps in which the energy has not fallen"
    )
    schedule: Literal["constant", "exponential", "cosine"] = choice(
        "exponential", "constant", "exponential", "cosine", help="from the first values to the last"
    )
    solver: Literal["auto", "dense", "minsr", "iterative"] = choice(
        "auto", "auto", "dense", "minsr", "iterative", help="of the equations of sr"
    )
    chunk: int | Literal["auto"] = number_or_word(
        "auto", 1, 1 << 22, "all samples at once", "samples differentiated at a time by sr"
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
        "chain:20", f"a lattice such as {LATTICES}", "chain:20, square:6x6 …, or a file of edges",
        longest=4096, group="Model", also="--graph",
    )  # fmt: skip
    seed: int = seed()
    exact: Literal["auto", "yes", "no"] = choice(
        "auto", "auto", "yes", "no", help="the exact energy too; auto where it takes seconds", group="Run"
    )
    seeds: int | list[int] | Literal["none"] = several_seeds()
    precision: Literal["float64", "float32"] = precision("float64")
    checkpoint_every: int = checkpoint_every(50, "steps")
    devices: int | Literal["auto"] = number_or_word(
        "auto", 1, 65536, "as many as there are and divide the chains", "that share the chains", group="Run"
    )
    graph: GraphSection = GraphSection()
    hamiltonian: Hamiltonian = Heisenberg()
    space: SpaceSection = SpaceSection()
    model: Model = Model()
    sampler: Sampler = Sampler()
    optimiser: Optimiser = Optimiser()
    final: Final = Final()

    @model_validator(mode="before")
    @classmethod
    def _of_a_run(cls, tables: Any) -> Any:
        """`model = FOLDER`: the model of that run, with its lattice and Hamiltonian if none are given; files
        of edges and of terms are read."""
        own, about = ("name", "dtype", "sector"), ("lattice", "graph", "hamiltonian", "space")
        tables = begun_with(tables, "model", START, own=own, about=about)
        if not isinstance(tables, dict):
            return tables
        if "hamiltonian" in tables:
            tables = tables | {"hamiltonian": named_or_file(tables["hamiltonian"])}
        return with_graph(_on_the_sites_of_terms(tables))

    @field_validator("seeds", mode="before")
    @classmethod
    def _several(cls, given: object) -> Any:
        return seeds_in_words(given)

    @field_validator("lattice")
    @classmethod
    def _bounded(cls, name: str) -> str:
        return check_lattice_name(name)

    def parts(self) -> dict[str, GroundStateConfiguration]:
        """The runs of several seeds, or sectors."""
        from intertwine.experiments.ground_state.several import parts_of

        return parts_of(self)

    def table(self, records: dict[str, dict[str, Any]]) -> Told:
        """Energies, errors, V-scores of several runs, and which is the lowest."""
        from intertwine.experiments.ground_state.several import table_of

        return table_of(self, records)

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


def _on_the_sites_of_terms(tables: dict[str, Any]) -> dict[str, Any]:
    """`tables` with a chain of the sites of the terms, where a file of terms comes without a lattice."""
    hamiltonian, space = tables.get("hamiltonian"), tables.get("space")
    if tables.get("lattice") is not None or not isinstance(hamiltonian, dict):
        return tables
    if hamiltonian.get("name") != "terms" or not isinstance(hamiltonian.get("text"), str):
        return tables
    from intertwine.experiments.ground_state.bonds import sites_of_text

    fermions = space.get("fermions") if isinstance(space, dict) else None
    sites = sites_of_text(hamiltonian["text"], fermions)
    return tables | {"lattice": f"chain:{sites}"} if sites else tables
