from .state_geometry import berry_curvature as berry_curvature, geometric_tensor as geometric_tensor
from .vector_energy import energy as energy, energy_and_gradient as energy_and_gradient
