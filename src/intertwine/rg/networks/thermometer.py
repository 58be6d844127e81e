r"""A thermometer for spins on a square torus: the temperature at which the Ising model has their energy.

    e = −(1/N) Σ_{⟨ij⟩} ⟨s_i s_j⟩,      T(e) is the inverse of Kaufman's exact e(T) of the same torus

(Kaufman, Phys. Rev. 76, 1232, 1949). e(T) grows from −2 to 0 at every size, so that any energy between is
read as one temperature, with δT = δe/c, c = de/dT being the specific heat. That spins have this energy does
not make them Ising spins: it is a number of theirs that can be compared, without a network that was trained
to tell temperatures (as in Iso, Shiba & Yokoo, Phys. Rev. E 97, 053304, 2018).
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

from intertwine._checks import fail
from intertwine._shown import with_error
from intertwine.models.spins.ising_exact import ising_torus
from intertwine.spaces.lattice import Lattice
from intertwine.spaces.lattices import Square

_HOTTEST, _COLDEST = 1e-6, 5.0
"""Couplings between which e is inverted: beyond them e is 0 or −2 to 1e-6."""


class Temperature(NamedTuple):
    """mean and error: T in units of J/k_B, one σ; inf above energy 0, 0 at the ground state's."""

    mean: float
    error: float

    @property
    def coupling(self) -> float:
        """K = 1/T."""
        return 1 / self.mean if self.mean > 0 else math.inf

    def __str__(self) -> str:
        known = math.isinf(self.mean)
        return "T = ∞" if known else f"T = {with_error(self.mean, self.error, '.4g', '.2g')}"


def ising_temperature(energy: float, lattice: Lattice, error: float = 0.0) -> Temperature:
    """The temperature of the Ising model on `lattice` with this energy per site.

    energy: −Σ_{⟨ij⟩} s_i s_j / N, in units of J; error: its standard error. lattice: a periodic square
    lattice, both sides at least 3. Energies ≥ 0 are T = ∞, those of the ground state and below T = 0.

    Raises InputError for other lattices and numbers that are not finite.

    >>> from intertwine.spaces.lattices import Square
    >>> print(ising_temperature(-1.4915891, Square(8, 8), error=0.01))            # T_c = 2.2692
    T = 2.269 ± 0.0087
    """
    from scipy.optimize import brentq

    rows, columns = _torus(lattice)
    for name, value in (("energy", energy), ("error", error)):
        if isinstance(value, bool) or not math.isfinite(value):
            raise fail(name, "a finite number", value)

    def excess(K: float) -> float:
        return ising_torus(rows, columns, K).energy - energy

    if excess(_HOTTEST) <= 0:
        return Temperature(math.inf, math.inf)
    if excess(_COLDEST) >= 0:
        return Temperature(0.0, 0.0)
    found: Any = brentq(excess, _HOTTEST, _COLDEST, xtol=1e-13)
    values = ising_torus(rows, columns, float(found))
    return Temperature(1 / float(found), error / values.specific_heat)


def _torus(lattice: Lattice) -> tuple[int, int]:
    """Its sides, once it is a square torus."""
    if not isinstance(lattice, Lattice) or lattice.dimension != 2:
        raise fail("lattice", "a square torus, such as it.Square(8, 8)", lattice)
    rows, columns = lattice.extent
    if lattice != Square(rows, columns) or min(rows, columns) < 3:
        raise fail("lattice", "a periodic square lattice of sides ≥ 3", lattice.name, "its energy is known")
    return rows, columns
