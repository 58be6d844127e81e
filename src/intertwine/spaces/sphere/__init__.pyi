from .calculus import (
    apply_operator as apply_operator,
    divergence as divergence,
    gradient as gradient,
    helmholtz as helmholtz,
    inverse_laplacian as inverse_laplacian,
    laplacian as laplacian,
    power_spectrum as power_spectrum,
    stream_function as stream_function,
    velocity_potential as velocity_potential,
    vorticity as vorticity,
    with_bandlimit as with_bandlimit,
)
from .recursion import wigner_d_degrees as wigner_d_degrees
from .rotation import rotate_coefficients as rotate_coefficients
from .sphere import Sphere as Sphere
