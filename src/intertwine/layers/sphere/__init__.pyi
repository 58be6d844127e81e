from .clebsch_gordan import ClebschGordan as ClebschGordan
from .fluxes import Fluxes as Fluxes
from .operator import SphereOperator as SphereOperator
from .oversampled import Oversampled as Oversampled
from .resample import Resample as Resample
from .sphere_conv import SphereConv as SphereConv
