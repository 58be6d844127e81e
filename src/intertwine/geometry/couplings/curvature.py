r"""The scalar curvature of a manifold of couplings: how far from non-interacting a system is.

    g_ij = ∂_i ∂_j ln Z,   T_ijk = ∂_i ∂_j ∂_k ln Z,   R = ¼ (T_ijk T^ijk − v_k v^k),   v_k = g^{ij} T_ijk

Independent units are flat. Where correlations reach over a length ξ, the curvature of a site grows as ξ^d, so
that its peak finds a transition without an order parameter (Ruppeiner, Rev. Mod. Phys. 67, 605, 1995;
Janyszek & Mrugala, Phys. Rev. A 39, 6515, 1989). A chain of Ising spins has at every (K, h)

    N R = 1 + cosh h / √(sinh² h + e^{−4K}).

The sign is that of mathematics: spheres are positive (the multinomial), hyperbolic planes negative (normal
distributions, −1), and Ising magnets positive; Ruppeiner and others write −R.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from jax import Array
from jaxtyping import Float, PyTree
from numpy.typing import ArrayLike

from intertwine._caveats import beneath, caveat, tell
from intertwine._checks import fail, positive_int
from intertwine._shown import Shown, with_error
from intertwine.geometry.couplings.digits import digits
from intertwine.geometry.couplings.exact import exact_family
from intertwine.geometry.couplings.families import CouplingFamily, FunctionFamily
from intertwine.geometry.couplings.parametric import (
    are_parameters,
    exact_tables,
    gauss_curvature,
    sampled_gauss,
    score_tables,
)
from intertwine.geometry.couplings.sampled import sampled_curvature
from intertwine.geometry.couplings.statistics import (
    Couplings,
    Statistics,
    of_lattice,
    statistics_of,
    words_of,
)
from intertwine.geometry.couplings.tensors import CLOSE, check_independent, scalar_curvature
from intertwine.models.parameters import check_key
from intertwine.models.protocols import is_density
from intertwine.models.results import as_model
from intertwine.models.spins.ising import Ising
from intertwine.models.spins.potts import Clock, Potts
from intertwine.sampling.draw import AnySampler, Drawn, sample
from intertwine.sampling.statistics.joined_bins import caveats_of
from intertwine.spaces.lattice import Lattice


@dataclass(frozen=True, eq=False, repr=False)
class Curvature(Shown):
    """names: the n couplings. couplings: float64 (n,), where they stand; nan where not known. value: R of a
    site, the curvature of the whole system times its `sites`, without unit, spheres positive. error: one
    standard error by jackknife; 0 where exact. metric, third: g (n, n) and T (n, n, n) of a site, in nats;
    third is None of parameters that are no exponential family. exact: whether all of that is. warnings: what
    qualifies it, lines `code: sentence`."""

    names: tuple[str, ...]
    couplings: Float[np.ndarray, " n"]
    value: float
    error: float
    metric: Float[np.ndarray, "n n"]
    metric_error: Float[np.ndarray, "n n"]
    third: Float[np.ndarray, "n n n"] | None
    sites: int
    exact: bool
    warnings: tuple[str, ...] = ()

    @property
    def magnitude(self) -> float:
        """|R| of a site."""
        return abs(self.value)

    @property
    def total(self) -> float:
        """R of the whole system: that of a site over the number of sites."""
        return self.value / self.sites

    @property
    def ruppeiner(self) -> float:
        """R of a site in the sign of Ruppeiner's papers, where spheres are negative."""
        return -self.value

    def __str__(self) -> str:
        at = ", ".join(
            name if math.isnan(x) else f"{name} = {x:.6g}"
            for name, x in zip(self.names, self.couplings, strict=True)
        )
        shown = f"{self.value:+.9g}" if self.exact else with_error(self.value, self.error, "+.4g", ".2g")
        where = f" of a site, {self.sites} sites" if self.sites > 1 else ""
        line = f"R = {shown}{where} (spheres positive) at {at}"
        return beneath(line.replace("-", "−"), self.warnings)


def curvature(
    system: PyTree | Callable[[Array], Array],
    couplings: Couplings = None,
    *,
    at: ArrayLike | Mapping[str, float] | None = None,
    samples: int | None = None,
    sampler: AnySampler | None = None,
    lattice: Lattice | None = None,
    key: Array | None = None,
) -> Curvature:
    """The scalar curvature of the manifold of couplings that `system` is a point of.

    system: an `Ising`, `Potts` or `Clock` model; a machine or any other model of spins or 0/1 units; ln Z
        itself, a function of θ (n,) written with `jax.numpy`; configurations, as `it.sample` gives them; or
        sums S, float (S, n) or (chains, S, n), of a simulation of one's own.
    couplings: two or more. Of spin models names of families ("nearest", "field", "next", "plaquette", …),
        shapes, "nearest:0" and "nearest:1" for bonds of one direction (Ising, Potts; None: nearest and
        field). Of every model "temperature", the factor of ln Ψ, or a function of configurations (S, N) ↦
        (S, n). Of machines names of parameters: "weights[0,2]" for one, "weights" for the factor of all.
    at: couplings (n,) to look at instead of the model's own, exact families alone; θ of a function.
    samples: None for exact values, by enumeration (2²² states) or by the transfer matrix of rows (2¹⁰
        states of a row); else configurations that are drawn, with `sampler` (None: as `it.sample`) and `key`.
    lattice: of configurations that do not carry theirs.

    Raises InputError for one coupling only, couplings that depend on each other, and systems too large for
    exact values.

    >>> from intertwine.spaces.lattices import Chain
    >>> ring = curvature(Ising(Chain(16), 0.0, 0.0), at=(0.3, 0.2))
    >>> round(ring.value, 8)
    2.74495586
    >>> from intertwine.models.spins.ising_chain import log_partition
    >>> round(curvature(log_partition, at=(0.3, 0.2)).value, 12)                       # the infinite chain
    2.744965271011
    """
    system = as_model(system)
    if callable(system) and not is_density(system):
        return _of_function(system, couplings, at)
    if not is_density(system):
        _left_out(at=at, samples=samples, sampler=sampler)
        return _of_samples(system, couplings, lattice)
    if not isinstance(system, Ising | Potts | Clock) and are_parameters(system, couplings):
        _left_out(at=at)
        return _of_parameters(system, couplings, samples, sampler, key)
    statistics = statistics_of(system, couplings)
    _check_several(statistics.names)
    if samples is None:
        return from_family(exact_family(system, statistics), at)
    _left_out(at=at)
    drawn = _drawn(system, samples, sampler, key)
    sites = system.size if isinstance(system, Ising | Potts | Clock) else 1
    return from_sums(drawn, statistics, sites)


def from_family(family: CouplingFamily, at: ArrayLike | Mapping[str, float] | None = None) -> Curvature:
    """The exact curvature of a family at couplings (n,), by default its own."""
    theta = family.theta if at is None else checked_couplings("at", at, family.names)
    found = family.cumulants(theta)
    least = check_independent(found.metric, family.names)
    value = float(scalar_curvature(found.metric, found.third)) * family.sites
    said = ()
    if least < CLOSE:
        words = f"the couplings are close to dependent (smallest eigenvalue {least:.1e})"
        said = (caveat("untrusted", f"{words}: digits of the curvature are lost"),)
    value, lost = digits(value, found, family)
    said += lost
    tell(said, stacklevel=3)
    zero = np.zeros_like(found.metric)
    return Curvature(
        family.names, theta, value, 0.0, found.metric / family.sites, zero, found.third / family.sites,
        family.sites, True, said,
    )  # fmt: skip


def from_sums(drawn: ArrayLike, statistics: Statistics, sites: int) -> Curvature:
    """The curvature of configurations, chain after chain."""
    rows = drawn.by_chain if isinstance(drawn, Drawn) else np.asarray(drawn)
    found = sampled_curvature(statistics.sums(rows), statistics.odd, statistics.names)
    value, error = found.curvature * sites, found.error * sites
    said = (*caveats_of(drawn, found.correlated), *doubts(value, error))
    tell(said, stacklevel=3)
    return Curvature(
        statistics.names, statistics.theta, value, error, found.metric / sites, found.metric_error / sites,
        found.third / sites, sites, False, said,
    )  # fmt: skip


def doubts(value: float, error: float) -> tuple[str, ...]:
    """The caveat of a value within two errors of 0, where R is quadratic in the noise."""
    if 2 * error < abs(value):
        return ()
    words = f"|R| of {abs(value):.3g} is not told from 0 by its error of {error:.2g}"
    return (caveat("unjudged", f"{words}: third cumulants need more samples"),)


def checked_couplings(name: str, given: Any, names: tuple[str, ...]) -> Float[np.ndarray, " n"]:
    """Couplings (n,), from numbers in order or by name."""
    if isinstance(given, Mapping):
        if set(given) != set(names):
            raise fail(name, f"a number for each of {', '.join(names)}", sorted(map(str, given)))
        given = [given[k] for k in names]
    try:
        theta = np.atleast_1d(np.asarray(given, np.float64))
    except (TypeError, ValueError):
        theta = np.full(0, np.nan)
    if theta.shape != (len(names),) or not np.isfinite(theta).all():
        raise fail(name, f"{len(names)} finite numbers, for {', '.join(names)}", given)
    return theta


def function_family(
    log_z: Callable[..., object], couplings: Couplings, at: Any, where: str
) -> FunctionFamily:
    """The family of ln Z with the names that are given, or θ0, θ1, …"""
    if at is None:
        raise fail(where, "the couplings (n,) at which ln Z is looked at", None)
    count = len(at) if isinstance(at, Mapping) else np.size(at)
    names = tuple(f"θ{k}" for k in range(count)) if couplings is None else words_of(couplings)
    return FunctionFamily(log_z, checked_couplings(where, at, names), names)


def _of_function(log_z: Callable[..., object], couplings: Couplings, at: Any) -> Curvature:
    family = function_family(log_z, couplings, at, "at")
    _check_several(family.names)
    return from_family(family)


def _of_samples(given: Any, couplings: Couplings, lattice: Lattice | None) -> Curvature:
    """Of configurations of a lattice, or of sums themselves."""
    lattice = getattr(given, "lattice", None) if lattice is None else lattice
    values = np.asarray(given)
    if values.ndim not in (2, 3) or values.dtype.kind not in "iuf":
        expected = "a model, ln Z as a function, configurations, or sums (S, n) or (chains, S, n)"
        raise fail("system", expected, given)
    if not np.isfinite(values).all():
        raise fail("system", "finite numbers", "some that are not")
    rows = given if isinstance(given, Drawn) else values.reshape(-1, values.shape[-1])
    if lattice is not None:
        states = getattr(given, "states", None)
        known = set(np.unique(values).tolist())
        if (
            not known <= ({-1, 1} if states is None else set(range(states)))
            or values.shape[-1] != lattice.size
        ):
            raise fail("system", f"spins ±1 of {lattice.name}", f"values {sorted(known)[:4]}, {values.shape}")
        statistics = of_lattice(lattice, couplings, states)
        _check_several(statistics.names)
        return from_sums(rows, statistics, lattice.size)
    if callable(couplings):
        statistics = statistics_of(_Bare(values.shape[-1]), couplings)
        _check_several(statistics.names)
        return from_sums(rows, statistics._replace(theta=np.full(len(statistics.names), np.nan)), 1)
    n = values.shape[-1]
    names = tuple(f"sum {k}" for k in range(n)) if couplings is None else words_of(couplings)
    if len(names) != n:
        raise fail("couplings", f"{n} names, one for each column of sums", couplings)
    _check_several(names)
    bare = Statistics(names, lambda x: np.asarray(x, np.float64), np.full(n, np.nan), np.zeros(n, bool))
    return from_sums(rows, bare, 1)


@dataclass(frozen=True)
class _Bare:
    """Configurations of which only their length is known."""

    size: int


def _of_parameters(
    model: PyTree, couplings: Couplings, samples: int | None, sampler: AnySampler | None, key: Array | None
) -> Curvature:
    names = words_of(couplings)
    _check_several(names)
    theta = np.full(len(names), np.nan)
    if samples is None:
        metric, value = gauss_curvature(*exact_tables(model, names))
        check_independent(metric, names)
        return Curvature(names, theta, value, 0.0, metric, np.zeros_like(metric), None, 1, True)
    drawn = _drawn(model, samples, sampler, key)
    rows = drawn.by_chain
    rows = rows if getattr(model, "units", "spin") == "spin" else 2 * rows - 1
    metric, spread, value, error = sampled_gauss(*score_tables(model, names, rows.astype(np.int8)))
    check_independent(metric, names)
    said = (*caveats_of(drawn), *doubts(value, error))
    tell(said, stacklevel=3)
    return Curvature(names, theta, value, error, metric, spread, None, 1, False, said)


def _drawn(model: PyTree, samples: int, sampler: AnySampler | None, key: Array | None) -> Drawn:
    count = positive_int("samples", samples, "give configurations to draw, or None for exact values")
    return sample(model, count, sampler=sampler, distribution="boltzmann", key=check_key(key))


def _check_several(names: tuple[str, ...]) -> None:
    if len(names) < 2:
        remedy = "a line has none; `it.geometry.geodesic` gives its length"
        raise fail("couplings", "two couplings or more, since curvature needs a surface", names, remedy)


def _left_out(**given: object) -> None:
    for name, value in given.items():
        if value is not None:
            raise fail(name, "nothing here", value, "it is for exact families" if name == "at" else "")
