"""Contradictions between the settings of a renormalization run, each an `InputError` in words."""

from __future__ import annotations

from intertwine._checks import fail
from intertwine.experiments.memory_needs import for_renormalizing
from intertwine.experiments.renormalize_configuration import (
    APPROXIMATE,
    NETWORK,
    RenormalizeConfiguration,
)


def check_consistency(c: RenormalizeConfiguration) -> None:
    """Raise the first contradiction between sections as an `InputError`."""
    _check_study(c)
    if c.study == "network":
        return
    _check_coupling(c)
    if c.approximate:
        _check_approximate(c)
        return
    if c.study == "exponents":
        _check_exponents(c)
        _check_samples(c, "scaling.samples", c.scaling.samples)
        _check_sampler(c)
        return
    if c.named.model != "ising":
        _check_potts(c)
    _check_samples(c, "sampler.samples", c.sampler.samples)
    _check_sampler(c)
    for_renormalizing(c)  # before a lattice is built
    _check_tiling(c)


def _check_study(c: RenormalizeConfiguration) -> None:
    family = c.rule.family
    if c.study == "network" and family != NETWORK:
        remedy = "give the folder that `intertwine learn --data ising:8` wrote"
        raise fail("rule.name", "the folder of a learning run", repr(c.rule.name), remedy)
    if c.study == "flow" and family == NETWORK:
        remedy = "a network alone is looked at by: intertwine renormalize FOLDER"
        raise fail(
            "rule.name", "a rule that blocks lattices of any size", f"the folder {c.rule.name}", remedy
        )
    if c.study == "exponents" and (family in APPROXIMATE or family == NETWORK):
        expected = "no rule in the study of exponents, which needs none"
        raise fail("rule.name", expected, repr(c.rule.name), "leave it out")
    if family == NETWORK:
        from intertwine.experiments.renormalize_learned import check_learned

        check_learned(c.rule.name)


def _check_potts(c: RenormalizeConfiguration) -> None:
    """Potts states have majorities, no field and nearest neighbours alone."""
    if c.rule.family == "block-rbm":
        expected = "majority:b or decimation:b for a Potts model"
        raise fail("rule.name", expected, repr(c.rule.name), "say 'majority:2'")
    for name in ("field", "next"):
        if getattr(c.system, name) != 0:
            raise fail(f"system.{name}", "0 for a Potts model", getattr(c.system, name), "leave it out")


def _check_coupling(c: RenormalizeConfiguration) -> None:
    from intertwine.experiments.renormalize_system import critical_point

    if c.system.coupling != "critical":
        return
    if critical_point(c.named) is None:
        got = f"'critical' on {c.named.full}, whose critical point is not known exactly"
        raise fail("system.coupling", "a number", got, "for example 0.5")
    if c.system.next != 0:
        got = f"'critical' with next = {c.system.next:g}, which moves the critical point"
        raise fail("system.coupling", "a number", got, "for example 0.25")


def _check_approximate(c: RenormalizeConfiguration) -> None:
    """The transformations are for pure Ising models on one kind of lattice each."""
    lattices = {"migdal-kadanoff": ("square", "cubic"), "trg": ("square",)}.get(
        c.rule.family, ("triangular",)
    )
    n = c.named
    if n.model != "ising" or n.lattice not in lattices:
        expected = f"an Ising system on {' or '.join(lattices)} with {c.rule.name}"
        raise fail("system.name", expected, repr(c.system.name), f"say 'ising:{lattices[0]}'")
    for name in ("field", "next"):
        if getattr(c.system, name) != 0:
            raise fail(f"system.{name}", f"0 with {c.rule.name}", getattr(c.system, name), "leave it out")


def _check_exponents(c: RenormalizeConfiguration) -> None:
    if c.named.lattice not in ("square", "triangular"):
        expected = "the square or the triangular lattice in the study of exponents"
        raise fail("system.name", expected, repr(c.system.name), "for example 'ising:triangular'")
    if c.named.sized:
        remedy = f"say {c.named.full.rpartition(':')[0]!r}, and the sizes as scaling.sizes"
        raise fail("system.name", "a system without a size in the study of exponents", c.system.name, remedy)
    if c.system.field != 0:
        raise fail("system.field", "0 in the study of exponents", c.system.field, "leave it out")
    if c.named.model == "potts":
        _check_potts(c)


def _check_samples(c: RenormalizeConfiguration, name: str, samples: int) -> None:
    together = c.sampler.chains * c.sampler.bins
    if samples % together:
        remedy = f"give for example {max(1, round(samples / together)) * together}"
        expected = f"a multiple of sampler.chains · sampler.bins = {together}"
        raise fail(name, expected, samples, remedy)


def _check_sampler(c: RenormalizeConfiguration) -> None:
    if c.sampler.name in ("swendsen-wang", "wolff") and c.system.next < 0:
        got = f"{c.sampler.name!r} with system.next = {c.system.next:g}, which frustrates the clusters"
        raise fail("sampler.name", "'heat-bath'", got, "say 'auto'")


def _check_tiling(c: RenormalizeConfiguration) -> None:
    """Every level must be blocked, and hold the couplings that are measured on it."""
    from intertwine.experiments.renormalize_system import build_lattice, build_rule
    from intertwine.rg.streaming import MCRGSums

    if c.named.lattice in ("honeycomb", "kagome"):
        got = f"{c.rule.name!r} on {c.named.lattice}"
        raise fail("rule.name", "a lattice of one site a cell", got, "take square, triangular or cubic")
    MCRGSums(
        build_rule(c),
        build_lattice(c.named),
        levels=c.levels,
        couplings=c.couplings,
        states=c.named.potts_states,
    )
