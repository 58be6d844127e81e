"""Settings of `intertwine renormalize`: complete, bounded, and checked before anything is computed.

    kind = "renormalize"  a classical spin system, or a trained network, and what coarse graining does to it
    study                 flow: levels of blocking; exponents: ν, η by finite-size scaling;
                          callan-symanzik: β(K) and γ(K) of its equation; network: a machine;
                          curvature: the scalar curvature of the couplings around the system's
    [system]              ising:64, ising:triangular:48, potts:3:64 and its couplings
    [rule]                how spins are blocked, or an approximate transformation
    [sampler]             how configurations are drawn
    [scaling]             the sizes of the study `exponents`
    [equation]            the couplings and distances of the study `callan-symanzik`
    [network]             the flow v → h → v of the study `network`
    [curvature]           the couplings of the study `curvature`

Every field has a default, so that the empty configuration is a run: Swendsen's Monte Carlo renormalization of
the square Ising model at its critical point. Contradictions are found here, in words.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, ClassVar, Literal

from pydantic import ValidationInfo, field_validator

from intertwine._checks import InputError, fail
from intertwine.experiments.renormalize.names import (
    APPROXIMATE,
    FILES,
    GLASS,
    NETWORK,
    RULES,
    SYSTEMS,
    Named,
    parse_system,
    short,
)
from intertwine.rg import defaults
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

_RULE = re.compile(
    r"(?P<name>majority|decimation):(?P<block>[0-9]{1,3})|(?P<rbm>block-rbm):(?P<weight>[0-9.eE+-]{1,20})"
    r"|(?P<trg>trg):(?P<bond>[0-9]{1,4})|(?P<word>migdal-kadanoff|niemeijer-van-leeuwen)"
    r"|(?P<file>table|weights):(?P<path>.+)",
    re.ASCII,
)
_NUMBER = re.compile(r"-?[0-9]{1,2}(?:\.[0-9]{1,15})?", re.ASCII)
_WINDOW = re.compile(r"([0-9]{1,4}(?:\.[0-9]{1,6})?)-([0-9]{1,4}(?:\.[0-9]{1,6})?)", re.ASCII)
_SIZES = re.compile(r"[0-9]{1,4}(?:-[0-9]{1,4}){2,15}", re.ASCII)


class System(Section):
    """[MODEL:][LATTICE:]SIZE with MODEL ising (where none is said), potts:q, clock:q or edwards-anderson
    (every bond K or −K), LATTICE square (where none is said), triangular, honeycomb, kagome, cubic, chain;
    `auto` is the square Ising model, or what the rule is for. coupling: K = J/T of nearest neighbours,
    `critical` where it is known; field: h on every spin (on state 0); next: K of next-nearest neighbours;
    anisotropy: K of the bonds along the last direction over that of the others. bonds: a file of couplings,
    an own one for each bond, or none. disorder: which signs edwards-anderson has. configurations: a file of
    configurations to renormalize instead of sampling, or none.
    """

    name: str = text(
        "auto", "a system such as " + ", ".join(SYSTEMS),
        "ising:64, triangular:48, potts:3:64, clock:4:32, edwards-anderson:16 …",
        remedy="for example 'ising:64'",
    )  # fmt: skip
    coupling: float | Literal["critical"] = number_or_word(
        "critical", -10, 10, "", "K = J/T", metavar="NUMBER"
    )
    field: float = number(0.0, -10.0, 10.0, "h on every spin")
    next: float = number(0.0, -10.0, 10.0, "K of next-nearest neighbours")
    anisotropy: float = number(1.0, -10.0, 10.0, "K along the last direction over K of the others")
    bonds: str = text(
        "none", "'none', or a file with a line 'i j K' for every bond", "own couplings, a line 'i j K' each",
        longest=4096, metavar="FILE",
    )  # fmt: skip
    disorder: int = integer(0, 0, 2**31 - 1, "which signs edwards-anderson has")
    configurations: str = text(
        "none", "'none', or a file of spins ±1 or states, (n, N) or (chains, draws, N)",
        "own ones, (n, N) or (chains, draws, N)", longest=4096, metavar="FILE",
    )  # fmt: skip

    @field_validator("bonds", "configurations")
    @classmethod
    def _there(cls, path: str, info: ValidationInfo) -> str:
        return path if path == "none" else _own_file(f"system.{info.field_name}", path)

    @property
    def own_bonds(self) -> str:
        """The path of the file of couplings, empty for none."""
        return "" if self.bonds == "none" else self.bonds

    @property
    def own_configurations(self) -> str:
        """The path of the file of configurations, empty for none."""
        return "" if self.configurations == "none" else self.configurations

    @field_validator("name")
    @classmethod
    def _known(cls, name: str) -> str:
        if name != "auto":
            parse_system(name)
        return name


class Rule(Section):
    """majority:b and decimation:b block b × b spins, block-rbm:w gives every 2 × 2 block a hidden unit of
    weight w. table:FILE has p(h = +1|v) of every configuration v of a block, weights:FILE weights w_i of
    p = 1/(1 + e^{−2 Σ w_i v_i}). migdal-kadanoff, niemeijer-van-leeuwen and trg:χ are approximate
    transformations without samples. ties: how equal votes of
    majority:b end, at random or by the block's first spin.
    """

    name: str = text(
        "majority:2", "one of " + ", ".join(RULES) + ", or a run folder (of networks)",
        "majority:2, decimation:2, block-rbm:1.0, table:FILE, weights:FILE, migdal-kadanoff, "
        "niemeijer-van-leeuwen, trg:16",
        longest=4096,
    )  # fmt: skip
    ties: Literal["random", "first"] = choice("random", "random", "first", help="how equal votes end")

    @field_validator("name")
    @classmethod
    def _known(cls, name: str) -> str:
        if found := _RULE.fullmatch(name):
            if found["file"]:
                return f"{found['file']}:{_own_file('rule.name', found['path'])}"
            _parameter(name)
            return name
        return _network_folder(name)

    @property
    def family(self) -> str:
        """majority, decimation, block-rbm, table, weights, migdal-kadanoff, niemeijer-van-leeuwen, trg or
        network."""
        return self.name.partition(":")[0] if _RULE.fullmatch(self.name) else NETWORK

    @property
    def parameter(self) -> float:
        """The number behind the colon; 2 where there is none."""
        return _parameter(self.name) if self.family not in (NETWORK, *FILES) else 2.0

    @property
    def path(self) -> str:
        """The file of table:FILE and weights:FILE."""
        return self.name.partition(":")[2]

    @property
    def short(self) -> str:
        """The name in a sentence: of files and folders the last part."""
        return self.name if self.family not in (NETWORK, *FILES) else Path(self.name).name


class Sampler(Section):
    """Chains beside one another, `thin` steps between draws. auto: Swendsen-Wang clusters where all couplings
    can be satisfied at once, else the heat bath.

    samples: in all; they come in `bins` batches, a line of metrics each, over which errors are taken.
    """

    name: Literal["auto", "swendsen-wang", "wolff", "heat-bath"] = choice(
        "auto", "auto", "swendsen-wang", "wolff", "heat-bath", help="of the configurations"
    )
    samples: int = integer(defaults.SAMPLES, 20, 1 << 24, "configurations in all")
    chains: int = integer(defaults.CHAINS, 1, 4096, "Markov chains")
    bins: int = integer(defaults.BINS, 4, 10_000, "batches, for error bars")
    thin: int = integer(defaults.THIN, 1, 10_000, "steps between draws")
    burn_in: int = integer(defaults.BURN_IN, 1, 1_000_000, "steps before the first draw")


class Scaling(Section):
    """The study `exponents`: the sides of the lattices, joined by hyphens, `auto` for six of them, and how
    many samples are drawn of each.
    """

    sizes: str = text(
        "auto", "'auto' or three to sixteen sizes such as 8-16-32", "of --exponents, such as 8-16-32",
        metavar="L-L-…",
    )  # fmt: skip
    samples: int = integer(
        defaults.SCALING_SAMPLES, 20, 1 << 26, "of --exponents, for every size", flag="--scaling-samples"
    )

    @field_validator("sizes")
    @classmethod
    def _known(cls, sizes: str) -> str:
        if sizes == "auto":
            return sizes
        found = [int(size) for size in sizes.split("-")] if _SIZES.fullmatch(sizes) else []
        if not found or min(found) < 4 or max(found) > 256 or sorted(set(found)) != found:
            expected = "'auto' or three to sixteen growing sizes from 4 to 256"
            raise fail("scaling.sizes", expected, short(sizes), "for example 8-16-32")
        return sizes


class Equation(Section):
    """The study `callan-symanzik`: the couplings, joined by commas, `auto` for five around the coupling of
    the system where its lattice is long compared with ξ; the first and the last distance of the fit, `auto`
    for those from side/16 to side/5; and how many samples are drawn at each coupling.
    """

    couplings: str = text(
        "auto", "'auto' or 2 to 16 numbers such as 0.38,0.4,0.46",
        "K of --callan-symanzik, such as 0.38,0.4,0.46", flag="--at", metavar="K,K,…",
    )  # fmt: skip
    window: str = text(
        "auto", "'auto' or two distances such as 4-12", "r of --callan-symanzik, such as 4-12", metavar="R-R"
    )
    samples: int = integer(
        defaults.EQUATION_SAMPLES, 20, 1 << 26, "of --callan-symanzik, at each K", flag="--equation-samples"
    )

    @field_validator("couplings")
    @classmethod
    def _known(cls, couplings: str) -> str:
        if couplings == "auto":
            return couplings
        words = couplings.split(",")
        fine = 2 <= len(words) <= 16 and all(_NUMBER.fullmatch(word) for word in words)
        values = {float(word) for word in words} if fine else set()
        if len(values) < len(words) or not all(0 < abs(K) <= 10 for K in values) or not values:
            expected = "'auto' or 2 to 16 different couplings up to 10 in modulus, not 0"
            raise fail("equation.couplings", expected, short(couplings), "for example 0.38,0.4,0.46,0.48")
        if min(values) * max(values) < 0:
            raise fail("equation.couplings", "couplings of one sign", short(couplings))
        return couplings

    @field_validator("window")
    @classmethod
    def _ends(cls, window: str) -> str:
        found = _WINDOW.fullmatch(window)
        if window != "auto" and (not found or not 0 < float(found[1]) < float(found[2])):
            raise fail(
                "equation.window", "'auto' or two growing distances", short(window), "for example 4-12"
            )
        return window

    @property
    def ends(self) -> tuple[float, float] | None:
        """(first, last) r, None for auto."""
        found = _WINDOW.fullmatch(self.window)
        return None if found is None else (float(found[1]), float(found[2]))


class Network(Section):
    """The study `network`: steps of the flow v → h → v, and how many configurations flow side by side."""

    steps: int = integer(defaults.FLOW_STEPS, 100, 1_000_000, "v → h → v of a network", flag="--flow-steps")
    chains: int = integer(defaults.FLOW_CHAINS, 4, 10_000, "that flow side by side", flag="--flow-chains")


class Curvature(Section):
    """The study `curvature`: `points` couplings from (1 − span) K to (1 + span) K, with the field as second
    coupling, or the bonds of both directions. samples: of each; 0 for exact values alone, of small systems.
    """

    points: int = integer(13, 3, 1000, "of --curvature, couplings around K", flag="--curvature-points")
    span: float = number(0.3, 1e-3, 0.999, "of --curvature, how far they reach, over K")
    second: Literal["field", "bonds"] = choice(
        "field", "field", "bonds", help="of --curvature, the coupling beside K"
    )
    samples: int = integer(
        10_000, 0, 1 << 26, "of --curvature, for every K; 0: exact alone", flag="--curvature-samples"
    )


class RenormalizeConfiguration(Settings):
    """A renormalization run: a function of this, of the network that it names, and of nothing else.

    levels: how often spins are blocked. couplings: families of terms that are kept. starts: other values of
    K, evenly around that of the system, from which the flow is followed too.
    """

    contradictions = "intertwine.experiments.renormalize.checks:check_consistency"

    argument = ("RUN", "a trained network: the folder of a learning run")
    switches: ClassVar[dict[str, str]] = {
        "--exponents": "ν and η by finite-size scaling, over several sizes",
        "--callan-symanzik": "β(K) and γ(K) from correlations, at several couplings",
        "--curvature": "scalar curvature of the couplings around K",
    }

    kind: Literal["renormalize"] = kind_of("renormalize")
    study: Literal["flow", "exponents", "network", "callan-symanzik", "curvature"] = choice(
        "flow",
        "flow",
        "exponents",
        "network",
        "callan-symanzik",
        "curvature",
        help="what is looked at",
        group="Model",
    )
    levels: int = integer(defaults.LEVELS, 1, 30, "how often spins are blocked", group="Rule")
    couplings: int = integer(defaults.COUPLINGS, 1, 7, "families of terms that are kept", group="Rule")
    starts: int = integer(defaults.STARTS, 0, 20, "other couplings to flow from, 0 for none", group="Rule")
    seed: int = seed()
    precision: Literal["float64", "float32"] = precision("float64")
    checkpoint_every: int = checkpoint_every(5, "lines")
    system: System = System()
    rule: Rule = Rule()
    sampler: Sampler = Sampler()
    scaling: Scaling = Scaling()
    equation: Equation = Equation()
    network: Network = Network()
    curvature: Curvature = Curvature()

    @classmethod
    def from_words(cls, tables: dict[str, Any], argument: str | None, switches: set[str]) -> dict[str, Any]:
        """RUN is the rule of the study `network`; of --exponents, --samples are those of every size, of
        --callan-symanzik and --curvature those at every coupling."""
        ruled = "rule" in tables
        if argument is not None and (ruled or switches):
            got = "a run folder and " + ("--rule" if ruled else min(switches))
            raise fail("RUN", "a run folder alone", got, "leave one of them out")
        if argument is not None:
            return tables | {"study": "network", "rule": {"name": argument}}
        if len(switches) > 1:
            raise fail("--exponents", "one study", " and ".join(sorted(switches)), "leave one of them out")
        for switch, section in (("--callan-symanzik", "equation"), ("--curvature", "curvature")):
            if switch in switches:
                sampler, own = dict(tables.get("sampler", {})), dict(tables.get(section, {}))
                if "samples" in sampler:
                    own.setdefault("samples", sampler.pop("samples"))
                return tables | {"study": switch.removeprefix("--"), "sampler": sampler, section: own}
        if switches:
            sampler, scaling = dict(tables.get("sampler", {})), dict(tables.get("scaling", {}))
            if "samples" in sampler:
                scaling.setdefault("samples", sampler.pop("samples"))
            return tables | {"study": "exponents", "sampler": sampler, "scaling": scaling}
        return tables

    @property
    def named(self) -> Named:
        """The system; for `auto` the square Ising model, the triangular one for niemeijer-van-leeuwen."""
        triangular = self.rule.family == "niemeijer-van-leeuwen"
        auto = "ising:triangular" if triangular else "ising:square"
        return parse_system(auto if self.system.name == "auto" else self.system.name)

    @property
    def approximate(self) -> bool:
        """Whether the flow is one of the transformations that need no samples."""
        return self.study == "flow" and self.rule.family in APPROXIMATE

    @property
    def frozen(self) -> bool:
        """Whether bonds have couplings of their own, from a file or by chance."""
        return bool(self.system.own_bonds) or self.named.model == GLASS

    @property
    def alike(self) -> bool:
        """Whether the couplings are numbers by family, of spins ±1: those that a flow can follow."""
        return not self.frozen and self.named.potts_states is None and self.system.anisotropy == 1

    @property
    def stem(self) -> str:
        """What a folder of runs calls this one: majority-2-ising-64."""
        rule = Path(self.rule.name).name
        words = f"network-{rule}" if self.study == "network" else f"{rule}-{self.named.full}"
        if self.study in ("callan-symanzik", "curvature"):
            words = f"{self.study}-{self.named.full}"
        if self.study == "exponents":
            words = f"exponents-{self.named.full.rpartition(':')[0]}"
        return re.sub(r"[^A-Za-z0-9._-]+", "-", words)[:80]


def _parameter(name: str) -> float:
    family, _, word = name.partition(":")
    low, high = {"majority": (2, 16), "decimation": (2, 16), "trg": (2, 64), "block-rbm": (0.0, 20.0)}.get(
        family, (2, 2)
    )
    try:
        value = float(word or 2)
    except ValueError:
        value = float("nan")
    if not low <= value <= high:
        remedy = f"for example '{next(rule for rule in RULES if rule.startswith(family))}'"
        raise fail("rule.name", f"{family} with a number from {low:g} to {high:g}", short(name), remedy)
    return value


def _own_file(field: str, path: str) -> str:
    """The absolute path of a file that is there."""
    from intertwine.data.checks import check_file

    try:
        return str(check_file(path).resolve())
    except InputError:
        raise fail(field, "a file of numbers that can be read", short(path)) from None


def _network_folder(name: str) -> str:
    """The absolute path of a finished learning run, or the error that says what `name` is."""
    from intertwine.runs.run_folder import check_is_run

    expected = "one of " + ", ".join(RULES) + ", or the folder of a learning run"
    try:
        return str(check_is_run(Path(name)).resolve())
    except InputError:
        raise fail("rule.name", expected, short(name), "for example 'majority:2'") from None
