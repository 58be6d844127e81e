"""What may be asked of a ground-state run: complete, bounded, and checked before anything is computed.

    kind = "ground-state"        what is done
    lattice = "chain:20"         where the spins live
    [hamiltonian]                tfim (J, h), heisenberg (J), xxz (J, delta), j1j2 (J1, J2), in Pauli matrices
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
from typing import Annotated, Any, Literal

from pydantic import Field, field_validator, model_validator

from intertwine._checks import InputError, fail
from intertwine.quantum import defaults
from intertwine.runs.fields import Section, Settings, auto_integer, choice, integer, number, text

MAX_SITES = 4096
_LATTICES = "chain:20, square:6x6, triangular:4x4, honeycomb:3x3, kagome:2x2, cubic:4x4x4"
_MARSHALL = "true, false or 'auto' (on where the lattice has two sublattices)"


def _coupling(default: float) -> Any:
    return number(default, -1e6, 1e6)


def _marshall() -> Any:
    return Field(default="auto", json_schema_extra={"expected": _MARSHALL, "remedy": "for example 'auto'"})


class Tfim(Section):
    """−J Σ Z Z − h Σ X."""

    name: Literal["tfim"] = "tfim"
    J: float = _coupling(1.0)
    h: float = _coupling(1.0)


class Heisenberg(Section):
    """J Σ (X X + Y Y + Z Z)."""

    name: Literal["heisenberg"] = "heisenberg"
    J: float = _coupling(1.0)
    marshall: bool | Literal["auto"] = _marshall()


class Xxz(Section):
    """J Σ (X X + Y Y + Δ Z Z)."""

    name: Literal["xxz"] = "xxz"
    J: float = _coupling(1.0)
    delta: float = _coupling(1.0)
    marshall: bool | Literal["auto"] = _marshall()


class J1J2(Section):
    """J1 on nearest and J2 on next-nearest neighbours."""

    name: Literal["j1j2"] = "j1j2"
    J1: float = _coupling(1.0)
    J2: float = _coupling(0.5)
    marshall: bool | Literal["auto"] = _marshall()


HAMILTONIANS: dict[str, type[Section]] = {"tfim": Tfim, "heisenberg": Heisenberg, "xxz": Xxz, "j1j2": J1J2}
Hamiltonian = Annotated[
    Tfim | Heisenberg | Xxz | J1J2,
    Field(discriminator="name"),
]


class Model(Section):
    """The wave function: rbm:ALPHA, symmetric-rbm:FEATURES, gcnn:LAYERSxFEATURES, ... (models.names), or
    "auto" for one that fits the operator.

    sector: of a gcnn, "trivial" or the name of an irrep of the lattice's space group, as "(0, π) A2".
    """

    name: str = text("auto", "a model such as rbm:1, symmetric-rbm:4, gcnn:4x8, jastrow, or auto")
    dtype: Literal["real", "complex"] = choice("real", "real", "complex")
    sector: str = text("trivial", "'trivial' or a sector such as '(0, π) A2'")

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

    chains: int | Literal["auto"] = auto_integer(1, 65536, "at most 64, with 8 draws each")
    sweep: int | Literal["auto"] = Field(
        default="auto",
        json_schema_extra={
            "expected": "'auto' (the number of sites) or an integer from 1 to 100000",
            "remedy": "for example 'auto'",
        },
    )
    rule: Literal["auto", "single", "exchange", "mixture", "sums"] = choice(
        "auto", "auto", "single", "exchange", "mixture", "sums"
    )
    magnetization: int | Literal["auto"] = Field(
        default="auto",
        json_schema_extra={
            "expected": f"'auto' or an integer from -{MAX_SITES} to {MAX_SITES}",
            "remedy": "for example 'auto'",
        },
    )
    backend: Literal["auto", "host", "jax"] = choice("auto", "auto", "host", "jax")

    @field_validator("magnetization")
    @classmethod
    def _possible(cls, magnetization: int | str) -> int | str:
        if isinstance(magnetization, int) and abs(magnetization) > MAX_SITES:
            expected = f"'auto' or an integer from -{MAX_SITES} to {MAX_SITES}"
            raise fail("sampler.magnetization", expected, _shown(magnetization), "say 'auto'")
        return magnetization

    @field_validator("sweep")
    @classmethod
    def _bounded(cls, sweep: int | str) -> int | str:
        if isinstance(sweep, int) and not 1 <= sweep <= 100_000:
            raise fail("sampler.sweep", "'auto' or an integer from 1 to 100000", _shown(sweep), "say 'auto'")
        return sweep


class Optimiser(Section):
    """sr: stochastic reconfiguration (natural gradient; with momentum, SPRING); adam and sgd: optax on the
    plain gradient, to which shift and momentum do not apply.

    The learning rate and the shift go from their value to their `_end` value along the schedule (`constant`
    keeps the first value); the learning rate rises to it over the first `warmup` steps.
    """

    steps: int = integer(defaults.STEPS, 1, 10_000_000)
    samples: int = integer(defaults.SAMPLES, 2, 1 << 22)
    method: Literal["sr", "adam", "sgd"] = choice("sr", "sr", "adam", "sgd")
    learning_rate: float = number(defaults.LEARNING_RATE, 0.0, 1e12, above=True)
    learning_rate_end: float = number(defaults.LEARNING_RATE_END, 0.0, 1e12, above=True)
    warmup: int = integer(defaults.WARMUP, 0, 1_000_000)
    shift: float = number(defaults.SHIFT, 0.0, 10.0)
    shift_end: float = number(defaults.SHIFT_END, 0.0, 10.0)
    momentum: float = number(defaults.MOMENTUM, 0.0, 0.999)
    schedule: Literal["constant", "exponential", "cosine"] = choice(
        "exponential", "constant", "exponential", "cosine"
    )
    solver: Literal["auto", "dense", "minsr", "iterative"] = choice(
        "auto", "auto", "dense", "minsr", "iterative"
    )


class Final(Section):
    """The estimate after the last step, with parameters that no longer move."""

    samples: int | Literal["auto"] = auto_integer(2, 1 << 24, "64 times those of a step")


class GroundStateConfiguration(Settings):
    """A ground-state run: a function of this and of nothing else."""

    contradictions = "intertwine.experiments.ground_state.checks:check_consistency"
    resolver = "intertwine.experiments.ground_state.build:resolved"

    kind: Literal["ground-state"] = choice("ground-state", "ground-state")
    lattice: str = text("chain:20", f"a lattice such as {_LATTICES}")
    seed: int = integer(0, 0, 2**63 - 1)
    precision: Literal["float64", "float32"] = choice("float64", "float64", "float32")
    checkpoint_every: int = integer(50, 1, 10_000_000)
    devices: int | Literal["auto"] = Field(
        default="auto",
        json_schema_extra={
            "expected": "'auto' (as many as there are and divide the chains) or an integer from 1 to 65536",
            "remedy": "for example 'auto'",
        },
    )
    hamiltonian: Hamiltonian = Heisenberg()
    model: Model = Model()
    sampler: Sampler = Sampler()
    optimiser: Optimiser = Optimiser()
    final: Final = Final()

    @model_validator(mode="before")
    @classmethod
    def _short_forms(cls, data: Any) -> Any:
        """`hamiltonian = "tfim"` for `hamiltonian.name = "tfim"`, and the same for the model."""
        if not isinstance(data, dict):
            return data
        short = {
            key: {"name": data[key]} for key in ("hamiltonian", "model") if isinstance(data.get(key), str)
        }
        return {**data, **short}

    @field_validator("lattice")
    @classmethod
    def _bounded(cls, name: str) -> str:
        return check_lattice_name(name)

    @field_validator("devices")
    @classmethod
    def _some(cls, devices: int | str) -> int | str:
        if isinstance(devices, int) and not 1 <= devices <= 65536:
            raise fail("devices", "'auto' or an integer from 1 to 65536", _shown(devices), "say 'auto'")
        return devices

    @property
    def stem(self) -> str:
        """What a folder of runs calls this one: heisenberg-chain-20."""
        return f"{self.hamiltonian.name}-{self.lattice.replace(':', '-')}"


_FAMILIES = {
    "chain": (1, 1),
    "square": (2, 1),
    "triangular": (2, 1),
    "honeycomb": (2, 2),
    "kagome": (2, 3),
    "cubic": (3, 1),
}


def check_lattice_name(name: str) -> str:
    """`name` if it is of a size that can be built; nothing is built here (other faults show when it is)."""
    family, _, rest = name.strip().lower().partition(":")
    extents = re.findall(r"[0-9]+", rest, re.ASCII)
    dimension, cells = _FAMILIES.get(family, (1, 1))
    for extent in extents * (dimension if len(extents) == 1 else 1):
        cells *= int(extent[:20])
    if cells > MAX_SITES:
        remedy = "give a smaller lattice, say 'square:10x10'"
        raise fail("lattice", f"at most {MAX_SITES} sites", repr(name), remedy)
    return name


def _shown(value: int) -> str:
    return str(value) if abs(value) < 10**30 else "an integer of more than 30 digits"
