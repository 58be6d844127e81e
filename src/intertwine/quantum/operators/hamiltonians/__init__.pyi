from .atoms import rydberg as rydberg
from .bosons import bose_hubbard as bose_hubbard
from .directions import kitaev as kitaev
from .electrons import hubbard as hubbard, tv as tv
from .spins import heisenberg as heisenberg, j1j2 as j1j2, tfim as tfim, xxz as xxz, xyz as xyz
from .stabilisers import toric as toric, toric_code as toric_code
