from .recursion import wigner_d_degrees as wigner_d_degrees
from .rotation import rotate_coefficients as rotate_coefficients
from .sphere import Sphere as Sphere
