r"""From a configuration's words to lattices, models, samplers and rules, and what is known exactly of them.

The exponents of the q-state Potts model in two dimensions, q ≤ 4, with u = (2/π) arccos(√q/2) (den Nijs 1979;
Nienhuis 1982; q = 2 is Onsager's Ising model):

    y_T = 3(1 − u)/(2 − u),     y_H = (3 − u)(5 − u)/(4(2 − u)),     ν = 1/y_T,     η = 4 − 2 y_H
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np

from intertwine.experiments.renormalize_configuration import (
    Named,
    RenormalizeConfiguration,
)
from intertwine.models import ising as ising_models
from intertwine.models.ising import Ising
from intertwine.models.ising_exact import ising_torus
from intertwine.models.potts import Potts, potts_critical
from intertwine.sampling.cluster import SwendsenWang
from intertwine.sampling.heat_bath import HeatBath
from intertwine.sampling.wolff import Wolff
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


def critical_point(named: Named) -> float | None:
    """K_c of the infinite lattice where it is known exactly, else None.

    >>> from intertwine.experiments.renormalize_configuration import parse_system
    >>> round(critical_point(parse_system("ising:triangular")), 6), critical_point(parse_system("cubic:8"))
    (0.274653, None)
    """
    if named.model == "potts":
        return (
            potts_critical(named.states, named.lattice) if named.lattice in ("square", "triangular") else None
        )
    return getattr(ising_models, f"CRITICAL_{named.lattice.upper()}", None)


def exact_exponents(named: Named) -> Exponents | None:
    """Of the class of the system in two dimensions, None where it is not known exactly.

    >>> from intertwine.experiments.renormalize_configuration import parse_system
    >>> found = exact_exponents(parse_system("potts:3:64"))
    >>> round(found.nu, 6), round(found.eta, 6)
    (0.833333, 0.266667)
    """
    if named.lattice not in _PLANE or named.states > 4:
        return None
    u = 2.0 / math.pi * math.acos(math.sqrt(named.states) / 2.0)
    return Exponents(3 * (1 - u) / (2 - u), (3 - u) * (5 - u) / (4 * (2 - u)))


def coupling_of(c: RenormalizeConfiguration) -> float:
    """K, the critical one where the configuration says so (it is then known)."""
    known = critical_point(c.named)
    if c.system.coupling == "critical":
        assert known is not None
        return known
    return float(c.system.coupling)


def around(K: float, number: int, spread: float) -> np.ndarray:
    """`number` couplings between (1 − spread) K and (1 + spread) K, K itself left out.

    >>> around(1.0, 4, 0.2).tolist()
    [0.8, 0.9, 1.1, 1.2]
    """
    below = np.linspace(1 - spread, 1, number - number // 2, endpoint=False)
    above = np.linspace(1 + spread, 1, number // 2, endpoint=False)
    return K * np.concatenate([below, above[::-1]])


def build_lattice(named: Named, extent: tuple[int, ...] | None = None) -> Lattice:
    """The periodic lattice of a system's name; with another extent, if one is given."""
    return lattice_from_name((named if extent is None else named._replace(extent=extent)).lattice_name)


def build_model(c: RenormalizeConfiguration, extent: tuple[int, ...] | None = None) -> Ising | Potts:
    """The distribution of the configuration; on a lattice of another extent, if one is given."""
    lattice, K = build_lattice(c.named, extent), coupling_of(c)
    if c.named.model == "potts":
        return Potts(lattice, c.named.states, K, c.system.field)
    further = {"next": c.system.next} if c.system.next else None
    return Ising(lattice, K, c.system.field, further=further)


def build_rule(c: RenormalizeConfiguration) -> Any:
    """The blocking rule of the configuration."""
    from intertwine.rg import blocking

    if c.rule.family == "majority":
        return blocking.Majority(int(c.rule.parameter), ties=c.rule.ties, states=c.named.potts_states)
    if c.rule.family == "decimation":
        return blocking.Decimation(int(c.rule.parameter))
    return blocking.BlockRule(2, BlockRBM(c.rule.parameter))


class BlockRBM(NamedTuple):
    """p(h = +1|v_B) of a hidden spin with the weight w to every spin of its block: 1/(1 + e^{−2w Σ v})."""

    weight: float

    def __call__(self, spins: np.ndarray) -> np.ndarray:
        return 1.0 / (1.0 + np.exp(-2.0 * self.weight * spins.sum(-1, dtype=np.float64)))


def build_sampler(c: RenormalizeConfiguration) -> Any:
    """The sampler of the configuration; `auto` by the signs of the couplings."""
    s = c.sampler
    kind: Any = SwendsenWang
    if s.name == "heat-bath" or (s.name == "auto" and c.system.next < 0):
        kind = HeatBath
    elif s.name == "wolff":
        kind = Wolff
    return kind(chains=s.chains, steps=s.thin, burn_in=s.burn_in)


def exact_energy(c: RenormalizeConfiguration) -> float | None:
    """⟨E⟩/N = −⟨Σ s s'⟩/N of the finite torus (Kaufman 1949), None where it is not known."""
    named, K = c.named, coupling_of(c)
    pure = c.system.field == 0 and c.system.next == 0
    if named.model != "ising" or named.lattice != "square" or not pure:
        return None
    if min(named.extent) < 3 or not K > 0:
        return None
    rows, columns = named.extent
    return ising_torus(rows, columns, K).energy
