"""Contradictions between the settings of a renormalization run, each an `InputError` in words."""

from __future__ import annotations

from intertwine._checks import fail
from intertwine.experiments.renormalize.memory import checked_memory
from intertwine.experiments.renormalize.names import APPROXIMATE, GLASS, NETWORK
from intertwine.experiments.renormalize.settings import RenormalizeConfiguration

_LARGEST_CUBE = 64
_SHORTEST = 12
_OWN = ("anisotropy", "bonds", "disorder", "configurations")


def check_consistency(c: RenormalizeConfiguration) -> None:
    """Raise the first contradiction between sections as an `InputError`."""
    _check_study(c)
    if c.study == "network":
        return
    _check_couplings_of_bonds(c)
    if c.study != "callan-symanzik" or c.equation.couplings == "auto":
        _check_coupling(c)
    if c.approximate:
        _check_approximate(c)
        return
    if c.study == "callan-symanzik":
        _check_equation(c)
        return
    if c.study == "curvature":
        _check_curvature(c)
        return
    if c.study == "exponents":
        _check_exponents(c)
        _check_samples(c, "scaling.samples", c.scaling.samples)
        _check_sampler(c)
        return
    if c.named.potts_states is not None:
        _check_potts(c)
    if c.system.own_configurations:
        _check_configurations(c)
    else:
        _check_samples(c, "sampler.samples", c.sampler.samples)
        _check_sampler(c)
    checked_memory(c)  # before a lattice is built
    _check_tiling(c)


def _check_study(c: RenormalizeConfiguration) -> None:
    family = c.rule.family
    if c.study == "network" and family != NETWORK:
        remedy = "give the folder that `intertwine learn --data ising:8` wrote"
        raise fail("rule.name", "the folder of a learning run", repr(c.rule.name), remedy)
    if c.study in ("exponents", "callan-symanzik", "curvature") and (
        family in APPROXIMATE or family == NETWORK
    ):
        expected = f"no rule in the study {c.study}, which needs none"
        raise fail("rule.name", expected, repr(c.rule.name), "leave it out")
    if family == NETWORK:
        from intertwine.experiments.renormalize.trained_network import check_learned

        check_learned(c.rule.name)


def _check_potts(c: RenormalizeConfiguration) -> None:
    """Potts and clock states have majorities, no field and nearest neighbours alone."""
    if c.study == "flow" and c.rule.family not in ("majority", "decimation"):
        expected = f"majority:b or decimation:b for a {c.named.model.capitalize()} model"
        raise fail("rule.name", expected, repr(c.rule.short), "say 'majority:2'")
    _check_left_out(c, f"for a {c.named.model.capitalize()} model", "field", "next", "anisotropy", "bonds")


def _check_left_out(c: RenormalizeConfiguration, where: str, *names: str) -> None:
    """Raise InputError for fields of the system that are not as they are by default."""
    for name in names:
        default = type(c.system).model_fields[name].default
        if getattr(c.system, name) != default:
            expected = f"{default} {where}"
            raise fail(f"system.{name}", expected, getattr(c.system, name), "leave it out")


def _check_coupling(c: RenormalizeConfiguration) -> None:
    from intertwine.experiments.renormalize.system import critical_point, critical_without_field

    s = c.system
    if s.coupling != "critical" or s.own_bonds or s.own_configurations:
        return
    if critical_without_field(c) is not None:
        return
    reason, remedy = "whose critical point is not known", "give K = J/T as --coupling"
    if c.named.model == GLASS:
        reason = "which depends on its signs"
    elif c.named.lattice == "chain":
        reason = "which orders at T = 0 alone"
    elif c.named.model == "clock":
        reason = "whose transitions are not known exactly"
    elif (known := critical_point(c.named)) is not None:
        reason = "whose critical point is moved by further couplings"
        remedy = f"give K = J/T as --coupling; without them it is {known:.7g}"
    raise fail("system.coupling", "a number", f"'critical' for {c.named.full}, {reason}", remedy)


def _check_couplings_of_bonds(c: RenormalizeConfiguration) -> None:
    """What says the couplings of single bonds, once."""
    s = c.system
    if s.disorder and c.named.model != GLASS:
        raise fail("system.disorder", "0 but for edwards-anderson", s.disorder, "leave it out")
    if s.anisotropy != 1 and c.named.lattice not in ("square", "cubic"):
        got = f"{s.anisotropy:g} on {c.named.lattice}"
        raise fail("system.anisotropy", "1 but for the square and the cubic lattice", got)
    if not s.own_bonds:
        return
    _check_left_out(c, "with bonds, a file of all couplings", "coupling", "anisotropy")
    if c.named.model == GLASS or not c.named.sized:
        remedy = "the file is for the bonds of one lattice"
        raise fail("system.name", "a system with a size such as ising:16, with bonds", c.system.name, remedy)
    if c.study == "flow" and not c.approximate:
        from intertwine.experiments.renormalize.files import read_bonds
        from intertwine.experiments.renormalize.system import build_lattice

        read_bonds(s.own_bonds, build_lattice(c.named))


def _check_configurations(c: RenormalizeConfiguration) -> None:
    from intertwine.experiments.renormalize.files import read_configurations
    from intertwine.experiments.renormalize.system import build_lattice

    _check_left_out(c, "with configurations, which have their own couplings", "bonds", "disorder")
    if not c.named.sized:
        remedy = "it says the lattice of the configurations"
        raise fail("system.name", "a system with a size, such as ising:16x64", c.system.name, remedy)
    found = read_configurations(c.system.own_configurations, build_lattice(c.named), c.named.potts_states)
    if found.shape[1] < 2 * c.sampler.bins:
        got = f"{c.sampler.bins} bins of {len(found)} chains or stretches of {found.shape[1]} draws"
        raise fail("sampler.bins", f"at most {found.shape[1] // 2} bins", got, "give fewer, at least 4")


def _check_approximate(c: RenormalizeConfiguration) -> None:
    """The transformations are for pure Ising models on one kind of lattice each."""
    lattices = {"migdal-kadanoff": ("square", "cubic"), "trg": ("square",)}.get(
        c.rule.family, ("triangular",)
    )
    n = c.named
    if n.model != "ising" or n.lattice not in lattices:
        expected = f"an Ising system on {' or '.join(lattices)} with {c.rule.name}"
        raise fail("system.name", expected, repr(c.system.name), f"say 'ising:{lattices[0]}'")
    _check_left_out(c, f"with {c.rule.name}", "field", "next", *_OWN)
    _check_positive(c)


def _check_exponents(c: RenormalizeConfiguration) -> None:
    if c.named.lattice == "chain" or c.named.model not in ("ising", "potts"):
        expected = "an Ising or Potts model in two or three dimensions in the study of exponents"
        raise fail("system.name", expected, repr(c.system.name), "for example 'ising:triangular'")
    if c.named.sized:
        remedy = f"say {c.named.full.rpartition(':')[0]!r}, and the sizes as scaling.sizes"
        raise fail("system.name", "a system without a size in the study of exponents", c.system.name, remedy)
    sizes = c.scaling.sizes
    if c.named.lattice == "cubic" and sizes != "auto" and int(sizes.rpartition("-")[2]) > _LARGEST_CUBE:
        raise fail("scaling.sizes", f"sides up to {_LARGEST_CUBE} of cubes", sizes, "for example 6-8-12-16")
    if c.system.field != 0:
        raise fail("system.field", "0 in the study of exponents", c.system.field, "leave it out")
    _check_left_out(c, "in the study of exponents", "bonds", "disorder", "configurations")
    _check_positive(c)
    if c.named.model == "potts":
        _check_potts(c)


def _check_equation(c: RenormalizeConfiguration) -> None:
    from intertwine.experiments.renormalize.callan_symanzik import couplings_of
    from intertwine.experiments.renormalize.system import build_lattice
    from intertwine.rg.correlators.shells import Shells
    from intertwine.rg.correlators.spin_correlations import is_staggered
    from intertwine.rg.correlators.windows import given_window

    if c.named.model == GLASS:
        remedy = "correlations of a glass have no sign"
        raise fail("system.name", "a system without frozen signs", c.system.name, remedy)
    _check_left_out(c, "with --callan-symanzik", "field", "bonds", "disorder", "configurations")
    if c.named.model == "ising" and c.system.next < 0:
        remedy = "neighbours that disagree make correlations alternate"
        raise fail("system.next", "0 or above with --callan-symanzik", c.system.next, remedy)
    if c.named.potts_states is not None:
        _check_potts(c)
    checked_memory(c)
    if min(c.named.extent) < _SHORTEST:
        remedy = "correlations are looked at up to half the side"
        raise fail(
            "system.name", f"sides of {_SHORTEST} or more with --callan-symanzik", c.system.name, remedy
        )
    if c.equation.couplings == "auto" and c.system.coupling != "critical" and c.system.coupling == 0:
        raise fail("system.coupling", "a number other than 0 with --callan-symanzik", 0)
    lattice = build_lattice(c.named)
    for K in couplings_of(c):
        is_staggered(lattice, K, c.named.potts_states)
    if c.equation.ends is not None:
        given_window(Shells.of(lattice).distances[: 1 << 16], c.equation.ends)
    together = c.sampler.chains * c.sampler.bins
    if c.sampler.bins < 8 or c.equation.samples < 2 * together:
        expected = "8 bins or more, and samples for two draws of each chain in each bin"
        raise fail("equation.samples", f"{expected}, {2 * together}", c.equation.samples)
    _check_samples(c, "equation.samples", c.equation.samples)
    _check_sampler(c)


def _check_curvature(c: RenormalizeConfiguration) -> None:
    from intertwine.experiments.renormalize.system import build_model, coupling_of
    from intertwine.geometry.couplings.exact import is_quick

    if c.named.model not in ("ising", "potts"):
        expected = "an Ising or Potts model in the study of curvature"
        raise fail("system.name", expected, repr(c.system.name), "it needs two couplings")
    _check_left_out(c, "in the study of curvature", *_OWN)
    if coupling_of(c) == 0:
        raise fail("system.coupling", "a number other than 0 in the study of curvature", 0)
    if c.curvature.second == "bonds" and c.named.lattice != "square":
        raise fail("curvature.second", "'field' but for the square lattice", "'bonds'")
    checked_memory(c)
    couplings = ("nearest", "field") if c.curvature.second == "field" else ("nearest:0", "nearest:1")
    if not c.curvature.samples and not is_quick(build_model(c), couplings):
        expected = "samples of a system whose exact values take long"
        raise fail("curvature.samples", expected, 0, "say for example --samples 10000")
    if 0 < c.curvature.samples < 1000:
        raise fail("curvature.samples", "0, or 1000 or more", c.curvature.samples)
    _check_sampler(c)


def _check_positive(c: RenormalizeConfiguration) -> None:
    if c.system.coupling != "critical" and c.system.coupling < 0:
        expected = "'critical' or a number from 0 to 10 for an approximate rule or --exponents"
        raise fail("system.coupling", expected, f"{c.system.coupling:g}", "blocks of samples take any")


def _check_samples(c: RenormalizeConfiguration, name: str, samples: int) -> None:
    together = c.sampler.chains * c.sampler.bins
    if samples % together:
        remedy = f"give for example {max(1, round(samples / together)) * together}"
        expected = f"a multiple of sampler.chains · sampler.bins = {together}"
        raise fail(name, expected, samples, remedy)


def _check_sampler(c: RenormalizeConfiguration) -> None:
    s = c.system
    if c.sampler.name in ("swendsen-wang", "wolff"):
        got = ""
        if s.next < 0:
            got = f" with system.next = {s.next:g}"
        elif c.named.model == "potts" and s.coupling != "critical" and s.coupling < 0:
            got = f" with a Potts model of K = {s.coupling:g}"
        if got:
            frustrated = f"{c.sampler.name!r}{got}, which frustrates the clusters"
            raise fail("sampler.name", "'heat-bath'", frustrated, "say 'auto'")


def _check_tiling(c: RenormalizeConfiguration) -> None:
    """Every level must be blocked, and hold the couplings that are measured on it."""
    from intertwine.experiments.renormalize.system import build_lattice, build_rule
    from intertwine.rg.montecarlo.streaming import MCRGSums

    if c.named.lattice in ("honeycomb", "kagome"):
        got = f"{c.rule.name!r} on {c.named.lattice}"
        remedy = (
            "blocks need one site a cell: take square, triangular or cubic; --exponents measures this one"
        )
        raise fail("rule.name", "a rule that blocks this lattice", got, remedy)
    lattice, states = build_lattice(c.named), c.named.potts_states
    MCRGSums(build_rule(c)[0], lattice, levels=c.levels, couplings=c.couplings, states=states)
