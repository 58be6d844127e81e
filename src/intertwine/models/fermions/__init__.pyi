from .correlated import Correlated as Correlated, correlated as correlated
from .orbitals import free_orbitals as free_orbitals
from .pairing import Pairing as Pairing
from .pfaffian import Pfaffian as Pfaffian
from .slater import Slater as Slater
