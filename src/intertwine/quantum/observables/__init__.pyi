from .correlations import Correlations as Correlations
from .overlaps import fidelity as fidelity, overlap as overlap
from .products_apart import connected as connected
from .strings import string_operator as string_operator, wilson_loop as wilson_loop
from .structure import structure_factor as structure_factor
from .zero_variance import Extrapolated as Extrapolated, at_zero_variance as at_zero_variance
