from .algebra.found import Symmetries as Symmetries
from .algebra.lie_algebra import LieAlgebra as LieAlgebra
from .asked import conserved as conserved, symmetries as symmetries
from .charges import Charges as Charges
from .null_space import NullSpace as NullSpace
from .training.laws import TrainingLaws as TrainingLaws
