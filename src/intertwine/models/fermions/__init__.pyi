from .backflow import Backflow as Backflow
from .hidden_fermions import HiddenFermions as HiddenFermions
from .orbitals import free_orbitals as free_orbitals
from .pairing import Pairing as Pairing
from .pfaffian import Pfaffian as Pfaffian
from .presets import fermion_model as fermion_model
from .slater import Slater as Slater
from .with_factors import Correlated as Correlated, correlated as correlated
