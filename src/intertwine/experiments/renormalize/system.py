r"""From a configuration's words to lattices, models, samplers and rules, and what is known exactly of them.

The exponents of the q-state Potts model in two dimensions, q ≤ 4, with u = (2/π) arccos(√q/2) (den Nijs 1979;
Nienhuis 1982; q = 2 is Onsager's Ising model):

    y_T = 3(1 − u)/(2 − u),     y_H = (3 − u)(5 − u)/(4(2 − u)),     ν = 1/y_T,     η = 4 − 2 y_H
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from intertwine.experiments.renormalize.files import read_bonds, read_rule
from intertwine.experiments.renormalize.names import FILES, GLASS, NETWORK, Named
from intertwine.experiments.renormalize.settings import RenormalizeConfiguration
from intertwine.models.spins.ising import (
    CRITICAL_HONEYCOMB,
    CRITICAL_KAGOME,
    CRITICAL_SQUARE,
    CRITICAL_TRIANGULAR,
    Ising,
)
from intertwine.models.spins.ising_exact import ising_torus
from intertwine.models.spins.potts import Clock, Potts, potts_critical
from intertwine.sampling.spins.cluster import SwendsenWang
from intertwine.sampling.spins.default_sampler import spin_sampler
from intertwine.sampling.spins.heat_bath import HeatBath
from intertwine.sampling.spins.wolff import Wolff
from intertwine.spaces.lattice import Lattice
from intertwine.spaces.lattices import lattice_from_name

_PLANE = ("square", "triangular", "honeycomb", "kagome")


class Exponents(NamedTuple):
    """Of a universality class."""

    y_T: float
    y_H: float

    @property
    def nu(self) -> float:
        return 1.0 / self.y_T

    @property
    def eta(self) -> float:
        return 4.0 - 2.0 * self.y_H

    @property
    def beta(self) -> float:
        return (2.0 - self.y_H) / self.y_T


CRITICAL_CUBIC = 0.221654626
"""K_c of the simple cubic lattice, ± 5e-9 (Ferrenberg, Xu & Landau, Phys. Rev. E 97, 043301, 2018)."""

_ISING_CRITICAL = {
    "square": CRITICAL_SQUARE,
    "triangular": CRITICAL_TRIANGULAR,
    "honeycomb": CRITICAL_HONEYCOMB,
    "kagome": CRITICAL_KAGOME,
    "cubic": CRITICAL_CUBIC,
}


def critical_point(named: Named) -> float | None:
    """K_c of the infinite lattice, exact but for the cubic one; None where it is not known, and on the chain,
    which orders at T = 0 only.

    A clock of two directions is the Ising model, one of three is the Potts model of K_Potts = 3 K/2, one of
    four is two Ising models of K/2.

    >>> from intertwine.experiments.renormalize.names import parse_system
    >>> [round(critical_point(parse_system(s)), 6) for s in ("ising:triangular", "kagome:6", "clock:4:32")]
    [0.274653, 0.466566, 0.881374]
    """
    if named.model == GLASS:
        return None
    if named.model == "ising" or (named.model == "clock" and named.states in (2, 4)):
        ising = _ISING_CRITICAL.get(named.lattice)
        return ising if ising is None or named.states != 4 else 2 * ising
    if named.lattice not in ("square", "triangular") or (named.model == "clock" and named.states > 4):
        return None
    return potts_critical(named.states, named.lattice) / (1.0 if named.model == "potts" else 1.5)


def critical_coupling(c: RenormalizeConfiguration) -> float | None:
    """K_c of the system with all its couplings: that of the pure one, or of the anisotropic square lattice,
    sinh 2K sinh 2rK = 1 (Onsager 1944). None where it is not known, in a field, with further pairs and with
    bonds of their own.
    """
    return None if c.system.field else critical_without_field(c)


def critical_without_field(c: RenormalizeConfiguration) -> float | None:
    """`critical_coupling` of the system without its field."""
    s = c.system
    if s.next or s.own_bonds:
        return None
    if s.anisotropy == 1:
        return critical_point(c.named)
    if c.named.model != "ising" or c.named.lattice != "square" or s.anisotropy <= 0:
        return None
    low, high = 0.0, 10.0 / min(1.0, s.anisotropy)
    while high - low > 1e-15 * high:
        middle = (low + high) / 2
        if middle in (low, high):
            break
        log_product = _log_sinh(2 * middle) + _log_sinh(2 * s.anisotropy * middle)
        low, high = (middle, high) if log_product < 0 else (low, middle)
    return (low + high) / 2


def _log_sinh(x: float) -> float:
    return x + math.log(-math.expm1(-2 * x) / 2) if x > 0 else -math.inf


def exact_exponents(named: Named) -> Exponents | None:
    """Of the class of the system in two dimensions, None where it is not known exactly.

    >>> from intertwine.experiments.renormalize.names import parse_system
    >>> found = exact_exponents(parse_system("potts:3:64"))
    >>> round(found.nu, 6), round(found.eta, 6)
    (0.833333, 0.266667)
    """
    if named.lattice not in _PLANE or named.states > 4 or named.model == GLASS:
        return None
    states = 2 if named.model == "clock" and named.states == 4 else named.states
    u = 2.0 / math.pi * math.acos(math.sqrt(states) / 2.0)
    return Exponents(3 * (1 - u) / (2 - u), (3 - u) * (5 - u) / (4 * (2 - u)))


def coupling_of(c: RenormalizeConfiguration) -> float:
    """K, the critical one where the configuration says so; nan where there is no one coupling, or none is
    told: of own bonds and own configurations."""
    if c.system.coupling != "critical":
        return float(c.system.coupling)
    known = critical_without_field(c)
    return math.nan if known is None or c.system.own_configurations else known


def words_of(c: RenormalizeConfiguration) -> str:
    """The system and where its couplings are from, in words."""
    K = coupling_of(c)
    told = f" at K = {K:.6g}" if math.isfinite(K) else ""
    files = ((c.system.own_bonds, "the couplings"), (c.system.own_configurations, "configurations"))
    return c.named.full + told + "".join(f" with {what} of {Path(path).name}" for path, what in files if path)


def build_lattice(named: Named, extent: tuple[int, ...] | None = None) -> Lattice:
    """The periodic lattice of a system's name; with another extent, if one is given."""
    found = lattice_from_name((named if extent is None else named._replace(extent=extent)).lattice_name)
    assert isinstance(found, Lattice)
    return found


def build_model(
    c: RenormalizeConfiguration, extent: tuple[int, ...] | None = None, coupling: float | None = None
) -> Ising | Potts | Clock:
    """The distribution of the configuration; on a lattice of another extent, or of uniform bonds of another
    coupling, if one is given."""
    lattice, K = build_lattice(c.named, extent), coupling_of(c) if coupling is None else coupling
    if c.named.model == "potts":
        return Potts(lattice, c.named.states, K, c.system.field)
    if c.named.model == "clock":
        return Clock(lattice, c.named.states, K)
    further = {"next": c.system.next} if c.system.next else None
    bonds = _bond_couplings(c, lattice) if coupling is None else coupling
    return Ising(lattice, bonds, c.system.field, further=further)


def _bond_couplings(c: RenormalizeConfiguration, lattice: Lattice) -> Any:
    """K, or the coupling of every bond, float64 (B,)."""
    if c.system.own_bonds:
        return read_bonds(c.system.own_bonds, lattice)
    found: Any = coupling_of(c)
    if c.named.model == GLASS:
        signs = np.random.default_rng(c.system.disorder).choice([-1.0, 1.0], len(lattice.bonds()))
        found = found * signs
    if c.system.anisotropy != 1:
        last = np.unravel_index(lattice.bonds(), lattice.extent)[-1]
        found = found * np.where(last[:, 0] != last[:, 1], c.system.anisotropy, 1.0)
    return found


def build_rule(c: RenormalizeConfiguration) -> tuple[Any, tuple[str, ...]]:
    """The blocking rule of the configuration, and what qualifies it."""
    from intertwine.rg.blocks import blocking

    if c.rule.family == NETWORK:
        from intertwine.experiments.renormalize.trained_network import network_rule

        return network_rule(c.rule.name, build_lattice(c.named))
    if c.rule.family == "majority":
        states = c.named.potts_states
        return blocking.Majority(int(c.rule.parameter), ties=c.rule.ties, states=states), ()
    if c.rule.family == "decimation":
        return blocking.Decimation(int(c.rule.parameter)), ()
    if c.rule.family in FILES:
        return read_rule(c.rule.family, c.rule.path, len(c.named.extent)), ()
    return blocking.BlockRule(2, BlockRBM(c.rule.parameter)), ()


class BlockRBM(NamedTuple):
    """p(h = +1|v_B) of a hidden spin with the weight w to every spin of its block: 1/(1 + e^{−2w Σ v})."""

    weight: float

    def __call__(self, spins: np.ndarray) -> np.ndarray:
        return 1.0 / (1.0 + np.exp(-2.0 * self.weight * spins.sum(-1, dtype=np.float64)))


def build_sampler(c: RenormalizeConfiguration) -> Any:
    """The sampler of the configuration; `auto` is the one that `it.sample` takes for the model."""
    s = c.sampler
    settings = {"chains": s.chains, "steps": s.thin, "burn_in": s.burn_in}
    if s.name == "auto":
        return spin_sampler(build_model(c), **settings)
    return {"swendsen-wang": SwendsenWang, "wolff": Wolff, "heat-bath": HeatBath}[s.name](**settings)


def exact_energy(c: RenormalizeConfiguration) -> float | None:
    """⟨E⟩/N = −⟨Σ s s'⟩/N of the finite torus (Kaufman 1949), None where it is not known."""
    named, K = c.named, coupling_of(c)
    s = c.system
    pure = s.field == 0 and s.next == 0 and s.anisotropy == 1 and not s.own_bonds
    if named.model != "ising" or named.lattice != "square" or not pure:
        return None
    rows, columns = named.extent
    turned = K < 0 and rows % 2 == columns % 2 == 0  # every second spin turned over: K → −K
    if min(named.extent) < 3 or not (K > 0 or turned):
        return None
    return ising_torus(rows, columns, abs(K)).energy * math.copysign(1.0, K)
