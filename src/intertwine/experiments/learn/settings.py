"""Settings of `intertwine learn`: complete, bounded, and checked before anything is computed.

    kind = "learn"        a Boltzmann machine learns the distribution of a data set
    [data]                what is learnt: a named set or a file, its units, what is held out
    [model]               rbm:HIDDEN, dbm:H1-H2, dbn:H1-H2 and the kind of the units
    [method]              how the model's own average is taken: auto, pcd, cd, pt, trajectory, exact
    [optimiser]           epochs, mini-batches, learning rate, regularisation
    [likelihood]          how log Z is estimated, and how often
    [samples]             what is drawn from the trained machine

Every field has a default, so that the empty configuration is a run: an RBM learns the critical Ising model on
an 8 × 8 torus, whose likelihood and energy are known exactly. Contradictions are found here, in words.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any, Literal

from pydantic import field_validator, model_validator

from intertwine._checks import InputError, fail
from intertwine.boltzmann.defaults import AVERAGE, BATCH, CHAINS, SCALE, STEPS
from intertwine.boltzmann.training.names import NAMES, parsed
from intertwine.data.formats.sequences import SIMILAR
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

START = ("learn", "model.start")
_SHAPE = re.compile(r"([0-9]{1,5})x([0-9]{1,5})(?:x([0-9]{1,5}))?", re.ASCII)
_UNITS = re.compile(
    r"auto|binary|spin|gaussian|potts|potts:(?:[2-9]|[1-9][0-9]|1[0-9]{2}|2[0-4][0-9]|25[0-6])", re.ASCII
)


class Data(Section):
    """A named set (mnist, rotmnist, digits, ising:8, ising:8x16:2.5, bars-and-stripes:4) or a file (npy, npz,
    netCDF, CSV, parquet, IDX, FASTA). `auto` and `none` stand for what is not given.

    header: whether the first line of a table holds names. similarity: sequences alike in this share of their
    places count as one, 0 for none.
    """

    name: str = text(
        "ising:8", "a named data set or a file", "mnist, digits, ising:8, bars-and-stripes:4, or a file",
        longest=4096,
    )  # fmt: skip
    rows: int = integer(
        1000,
        2,
        1_000_000,
        "of a set that is made here",
        remedy="of a set that is made here: for example 1000",
    )
    units: str = text(
        "auto",
        "'auto', 'binary', 'spin', 'gaussian', 'potts' or 'potts:q'",
        "binary, spin, gaussian, potts, potts:q",
        metavar="WORD",
    )
    shape: str = text(
        "auto", "'auto', HEIGHTxWIDTH such as 28x28, or with channels, 32x32x3",
        "of images, where the file has none", metavar="28x28",
    )  # fmt: skip
    variable: str = text(
        "auto", "'auto' or the name of an array of the file", "which array of it, or which columns: a,b,c"
    )
    labels: str = text(
        "none", "'none', the name of an array of the file, or a file of labels",
        "another array or column of it, or a file", longest=4096,
    )  # fmt: skip
    header: Literal["auto", "yes", "no"] = choice("auto", "auto", "yes", "no", help="of a table")
    alphabet: str = text(
        "auto", "'auto', 'dna', 'rna', 'protein' or the letters of sequences",
        "of sequences: dna, rna, protein, letters", metavar="WORD",
    )  # fmt: skip
    similarity: float = number(SIMILAR, 0.0, 1.0, "of sequences that count as one, 0 for none")
    test_share: float = number(0.1, 0.0, 0.9, "of a file's rows, held out")
    folder: str = text(
        "auto", "'auto' (the environment variable INTERTWINE_DATA) or the folder of mnist", "where mnist is",
        longest=4096, flag="--data-folder", metavar="FOLDER",
    )  # fmt: skip
    download: bool = truth(False, "fetch mnist where it is not")
    seed: int = integer(0, 0, 2**32 - 1, "of rows made or held out", flag="--data-seed")

    @field_validator("name")
    @classmethod
    def _absolute(cls, name: str) -> str:
        from intertwine.data.loading import is_named

        return name if is_named(name) else os.path.abspath(name)

    def check_there(self) -> None:
        from intertwine.data.loading import check_name

        try:
            check_name(self.name)
        except InputError as error:
            if self.name.startswith("group:"):
                raise InputError(f"data.name:{str(error).partition(':')[2]}") from None
            reason = str(error).partition("got ")[2].rstrip(".")
            expected = "a data set (mnist, digits, ising:8, bars-and-stripes:4) or a file"
            remedy = "give its path; for a run that goes on, write its place into config.toml"
            raise fail("data.name", expected, reason or repr(self.name), remedy) from None
        if self.folder != "auto" and not _is_folder(self.folder):
            raise fail("data.folder", "a folder that exists", _short(self.folder), "take 'auto'")

    @field_validator("units")
    @classmethod
    def _known_units(cls, units: str) -> str:
        return _matching(
            "data.units", _UNITS, units, "'auto', 'binary', 'spin', 'gaussian', 'potts' or 'potts:q'"
        )

    @field_validator("shape")
    @classmethod
    def _known_shape(cls, shape: str) -> str:
        expected = "'auto' or such as 28x28 or 32x32x3"
        return shape if shape == "auto" else _matching("data.shape", _SHAPE, shape, expected)

    @model_validator(mode="after")
    def _of_the_right_source(self) -> Data:
        from intertwine.data.loading import is_from_mnist, is_named

        named = is_named(self.name)
        for field, default in (
            ("shape", "auto"),
            ("variable", "auto"),
            ("labels", "none"),
            ("alphabet", "auto"),
            ("header", "auto"),
        ):
            value = getattr(self, field)
            if named and value not in (default, "auto"):
                raise fail(
                    f"data.{field}", f"{default!r} with {self.name!r}", _short(value), "give a file as data"
                )
        if not is_from_mnist(self.name) and self.folder != "auto":
            raise fail("data.folder", f"'auto' with {_short(self.name)}", _short(self.folder), "take 'auto'")
        if not is_from_mnist(self.name) and self.download:
            raise fail("data.download", f"false with {_short(self.name)}", "true", "only mnist is downloaded")
        return self


class Model(Starting):
    """rbm:HIDDEN, dbm:H1-H2-..., dbn:H1-H2-...; the visible units are those of the data. start: the folder of
    a learning run, with whose machine this one begins; a folder as the name says both.
    """

    begins = START

    name: str = text("rbm:64", "a machine such as " + ", ".join(NAMES), ", ".join(NAMES))
    hidden_units: Literal["binary", "spin", "rectified"] = choice(
        "binary", "binary", "spin", "rectified", help="of all layers"
    )
    scale: float = number(SCALE, 0.0, 10.0, "standard deviation of the first weights")
    start: str = start_of("learn")

    @field_validator("name")
    @classmethod
    def _known(cls, name: str) -> str:
        parsed(name, "model.name")
        return name

    @property
    def family(self) -> str:
        """rbm, dbm or dbn."""
        return parsed(self.name)[0]

    @property
    def hidden(self) -> tuple[int, ...]:
        """The sizes of the hidden layers."""
        return parsed(self.name)[1]


class Method(Section):
    """auto: pcd, and for an rbm on data in clusters far apart with jumps between their modes. pcd: persistent
    chains (Tieleman 2008). cd: chains from the data (Hinton 2002). pt: parallel tempering.
    trajectory: tempering along the machines of the training (Béreux et al. 2025). exact: enumeration.
    wasserstein: the divergence of optimal transport in place of the likelihood (Montavon et al. 2016).

    chains apply to auto, pcd, pt, trajectory and wasserstein; temperatures to pt and trajectory (its most
    machines). epsilon, metric, kl: of wasserstein, see `it.Wasserstein`; `auto` is a tenth of the mean
    distance between two rows, and hamming for discrete units. distance: whether W1 to rows of the data is
    measured at every line; `auto`: with wasserstein.
    """

    name: Literal["auto", "pcd", "cd", "pt", "trajectory", "exact", "wasserstein"] = choice(
        "auto", "auto", "pcd", "cd", "pt", "trajectory", "exact", "wasserstein", help="of the model's average"
    )
    chains: int = integer(CHAINS, 2, 1 << 20, "persistent chains")
    steps: int = integer(STEPS, 1, 100_000, "Gibbs sweeps per update")
    temperatures: int = integer(10, 2, 1000, "of pt and trajectory")
    epsilon: float | Literal["auto"] = number_or_word(
        "auto", 0, 1e9, "", "of wasserstein, in the unit of the distance", above=True, metavar="NUMBER"
    )
    metric: Literal["auto", "hamming", "euclidean"] = choice(
        "auto", "auto", "hamming", "euclidean", help="of distances"
    )
    kl: float = number(0.0, 0.0, 1e6, "weight of the likelihood beside wasserstein")
    distance: Literal["auto", "yes", "no"] = choice(
        "auto", "auto", "yes", "no", help="W1 to the data at every line"
    )


class Optimiser(Section):
    """Steepest descent on mini-batches. The learning rate goes to its `_end` value along the schedule; `auto`
    is 0.1 for discrete units (0.05 on data of several modes, with the method auto), 0.01 for Gaussian columns
    and 0.005 for others, and a thousandth of that at the end. epochs: passes over the data; `auto` is 10, and
    enough for 2000 updates (6000 of an rbm on data of several modes, with the method auto), as for
    `it.learn`.

    weight_decay: on the weights. sparsity: the wanted mean of the hidden units, 0 for none (Lee et al. 2008),
    and sparsity_cost. centred: gradients of centred units (Montavon & Müller 2012; Melchior et al. 2016).
    average: the share of the past that the averaged parameters keep at an update, 0 for none.
    layer_epochs: of each layer before a deep machine is trained as a whole, with the `auto` rate; `auto`: as
    many as of the whole, 0 for none (dbm only).
    """

    epochs: int | Literal["auto"] = number_or_word("auto", 1, 1_000_000, "", "passes over the data")
    layer_epochs: int | Literal["auto"] = number_or_word(
        "auto", 0, 1_000_000, "", "of each layer of a deep machine, first"
    )
    batch: int = integer(BATCH, 1, 1 << 20, "rows per update")
    learning_rate: float | Literal["auto"] = number_or_word(
        "auto", 0, 10, "", "at the first update", above=True, metavar="NUMBER"
    )
    learning_rate_end: float | Literal["auto"] = number_or_word(
        "auto", 0, 10, "", "at the last update", above=True, metavar="NUMBER"
    )
    schedule: Literal["constant", "linear", "exponential", "cosine"] = choice(
        "linear", "constant", "linear", "exponential", "cosine", help="of the learning rate"
    )
    weight_decay: float = number(0.0, 0.0, 1.0, "on the weights")
    sparsity: float = number(0.0, 0.0, 1.0, "wanted mean of hidden units, 0 for none")
    sparsity_cost: float = number(0.01, 0.0, 10.0, "weight of the sparsity in the loss")
    centred: bool = truth(True, "centred gradients: true, false")
    average: float = number(AVERAGE, 0.0, 1.0, "of the parameters, 0 for none")


class Likelihood(Section):
    """log Z by annealed importance sampling (Salakhutdinov & Murray 2008), exactly where 2^20 states suffice.

    every: epochs between two estimates during the training, 0 for none, `auto` for ten in all; temperatures
    and chains are theirs, final_temperatures and final_chains those of the last. rows: of each set, at most,
    in any estimate.
    """

    every: int | Literal["auto"] = number_or_word(
        "auto", 0, 1_000_000, "", "epochs between estimates, 0 for none", flag="--likelihood-every"
    )
    temperatures: int = integer(
        500, 2, 10_000_000, "of the estimates on the way", flag="--likelihood-temperatures"
    )
    chains: int = integer(100, 2, 1 << 20, "of the estimates on the way", flag="--likelihood-chains")
    final_temperatures: int = integer(
        10_000, 2, 10_000_000, "of the last estimate of ln Z", flag="--ais-temperatures"
    )
    final_chains: int = integer(100, 2, 1 << 20, "of the last estimate of ln Z", flag="--ais-chains")
    rows: int = integer(10_000, 2, 1 << 24, "of each set, at most, in an estimate", flag="--likelihood-rows")


class Samples(Section):
    """Drawn from the trained machine by block Gibbs sampling, after `steps` sweeps of `chains` chains; each
    chain then gives count/chains draws, `thin` sweeps apart.
    """

    count: int = integer(10_000, 2, 1 << 22, "drawn from the trained machine", flag="--samples")
    chains: int = integer(100, 1, 1 << 20, "that draw them", flag="--sample-chains")
    steps: int = integer(1000, 0, 10_000_000, "sweeps before the first draw", flag="--sample-steps")
    thin: int = integer(10, 1, 100_000, "sweeps between two draws of a chain", flag="--sample-thin")


class LearnConfiguration(Settings):
    """A learning run: a function of this, of the data, and of nothing else."""

    kind: Literal["learn"] = kind_of("learn")
    seed: int = seed()
    precision: Literal["float32", "float64"] = precision("float32")
    checkpoint_every: int = checkpoint_every(10, "epochs")
    data: Data = Data()
    model: Model = Model()
    method: Method = Method()
    optimiser: Optimiser = Optimiser()
    likelihood: Likelihood = Likelihood()
    samples: Samples = Samples()

    @model_validator(mode="before")
    @classmethod
    def _of_a_run(cls, tables: Any) -> Any:
        """`model = FOLDER`: the machine of that run, with its data if none are given."""
        return begun_with(tables, "model", START, own=("name", "hidden_units", "scale"), about=("data",))

    @model_validator(mode="after")
    def _consistent(self) -> LearnConfiguration:
        check_consistency(self)
        return self

    @property
    def stem(self) -> str:
        """What a folder of runs calls this one: rbm-64-ising-8."""
        words = f"{self.model.name}-{Path(self.data.name).name.partition('.')[0]}"
        return re.sub(r"[^A-Za-z0-9._-]+", "-", words)[:80]


def check_consistency(c: LearnConfiguration) -> None:
    """Raise the first contradiction between sections as an `InputError`."""
    if c.samples.count % c.samples.chains or c.samples.count < 4 * c.samples.chains:
        chains = c.samples.chains
        remedy = f"give for example {max(4, round(c.samples.count / chains)) * chains}, or other chains"
        expected = f"a multiple of samples.chains = {chains}, at least four times it"
        raise fail("samples.count", expected, c.samples.count, remedy)
    deep = {"dbm": ("auto", "pcd", "wasserstein"), "dbn": ("auto", "pcd", "cd", "wasserstein")}
    allowed = deep.get(c.model.family)
    if allowed is not None and c.method.name not in allowed:
        words = " or ".join(map(repr, allowed))
        raise fail("method.name", f"{words} with {c.model.name}", repr(c.method.name), "say 'pcd'")
    for name, default in (("epsilon", "auto"), ("kl", 0.0)):
        if c.method.name != "wasserstein" and getattr(c.method, name) != default:
            got = getattr(c.method, name)
            expected, remedy = f"{default!r} with {c.method.name!r}", "say method 'wasserstein'"
            raise fail(f"method.{name}", expected, got, remedy)
    if c.model.family == "dbn" and not c.optimiser.layer_epochs:
        raise fail("optimiser.layer_epochs", "at least 1 with a dbn", 0, "say 'auto'")
    if c.model.hidden_units == "rectified" and (c.model.family != "rbm" or c.method.name == "exact"):
        got = f"{c.model.name} by {c.method.name}"
        raise fail("model.hidden_units", "'binary' or 'spin'", f"'rectified' in {got}", "say 'binary'")
    if c.optimiser.sparsity > 0 and c.model.hidden_units == "rectified":
        raise fail("optimiser.sparsity", "0 with rectified hidden units", c.optimiser.sparsity, "say 0")
    if c.optimiser.sparsity >= 1:
        raise fail("optimiser.sparsity", "a mean below 1, or 0 for none", c.optimiser.sparsity, "say 0.1")


def _matching(field: str, pattern: re.Pattern[str], value: str, expected: str) -> str:
    if not pattern.fullmatch(value):
        raise fail(field, expected, _short(value), "for example 'auto'")
    return value


def _short(value: str) -> str:
    shown = ascii(value) if not value.isprintable() else repr(value)
    return shown if len(shown) <= 80 else shown[:77] + "..."


def _is_folder(name: str) -> bool:
    try:
        return Path(name).is_dir()
    except (OSError, ValueError):
        return False
