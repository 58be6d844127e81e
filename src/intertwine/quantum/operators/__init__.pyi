from .algebra.combined import anticommutator as anticommutator, commutator as commutator, total as total
from .algebra.local import identity as identity, local as local
from .algebra.modes import (
    annihilate as annihilate,
    create as create,
    density as density,
    number as number,
)
from .algebra.spins import (
    exchange as exchange,
    spin_minus as spin_minus,
    spin_plus as spin_plus,
    spin_x as spin_x,
    spin_y as spin_y,
    spin_z as spin_z,
)
from .algebra.squares import (
    magnetization as magnetization,
    staggered_magnetization_squared as staggered_magnetization_squared,
    total_number as total_number,
    total_spin_squared as total_spin_squared,
)
from .algebra.waves import (
    density_wave as density_wave,
    momentum_number as momentum_number,
    spin_wave as spin_wave,
)
from .hamiltonians import (
    bose_hubbard as bose_hubbard,
    heisenberg as heisenberg,
    hubbard as hubbard,
    j1j2 as j1j2,
    kitaev as kitaev,
    rydberg as rydberg,
    tfim as tfim,
    toric as toric,
    toric_code as toric_code,
    tv as tv,
    xxz as xxz,
    xyz as xyz,
)
from .imports.netket import from_netket as from_netket
from .imports.openfermion import from_openfermion as from_openfermion
from .imports.qiskit import from_qiskit as from_qiskit
from .imports.quspin import from_quspin as from_quspin
from .imports.text import read_terms as read_terms
from .imports.writing import write_terms as write_terms
from .levels.level_operator import LevelOperator as LevelOperator
from .operator import Operator as Operator
from .projection import leaves as leaves, projected as projected
from .protocols import QuantumOperator as QuantumOperator
