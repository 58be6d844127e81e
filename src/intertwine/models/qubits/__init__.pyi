from .circuit import Circuit as Circuit
from .gates import (
    Gate as Gate,
    Layer as Layer,
    cnot as cnot,
    cz as cz,
    h as h,
    layer as layer,
    rotation as rotation,
    rx as rx,
    rxx as rxx,
    ry as ry,
    ryy as ryy,
    rz as rz,
    rzz as rzz,
    s as s,
    swap as swap,
    t as t,
    unitary as unitary,
    x as x,
    y as y,
    z as z,
)
from .open_qasm import qasm as qasm
from .presets import (
    hamiltonian_variational as hamiltonian_variational,
    hardware_efficient as hardware_efficient,
    qaoa as qaoa,
)
from .shifted_angles import parameter_shift as parameter_shift
