from . import (
    depth as depth,
    emergence as emergence,
    equivariance as equivariance,
    executors as executors,
    gauge as gauge,
    networks as networks,
    nonlinear as nonlinear,
    norms as norms,
    points as points,
    pooling as pooling,
    sphere as sphere,
)
from .bias import Bias as Bias
from .conv import Conv as Conv
from .depth.start import CriticalStart as CriticalStart, critical_start as critical_start
from .dropout import Dropout as Dropout
from .emergence.character_network import character_network as character_network
from .emergence.emergent import EmergentSymmetry as EmergentSymmetry, emergent_symmetry as emergent_symmetry
from .equivariance.check import (
    EquivarianceError as EquivarianceError,
    assert_equivariant as assert_equivariant,
    equivariance_errors as equivariance_errors,
)
from .executors.spectral import group_fourier as group_fourier, spectral_convolution as spectral_convolution
from .fields import field_type as field_type
from .gauge.activation import GaugeActivation as GaugeActivation
from .gauge.bilinear import GaugeBilinear as GaugeBilinear
from .gauge.loop_inputs import ClosedLines as ClosedLines, Plaquettes as Plaquettes
from .gauge.traces import Traces as Traces
from .linear import Linear as Linear
from .mask import Mask as Mask
from .networks.classifiers import group_cnn as group_cnn, steerable_cnn as steerable_cnn
from .networks.equivariant_mlp import equivariant_mlp as equivariant_mlp, hidden_type as hidden_type
from .networks.export import PlainConv as PlainConv, export as export
from .networks.field_network import field_network as field_network
from .networks.network_names import network_from_name as network_from_name
from .networks.parameter_count import parameter_count as parameter_count, width_for as width_for
from .networks.points.point_module import PointNetwork as PointNetwork
from .networks.points.point_network import POINT_NETWORKS as POINT_NETWORKS, point_network as point_network
from .networks.residual import Residual as Residual
from .networks.saved_network import load_network as load_network, save_network as save_network
from .networks.sequential import Sequential as Sequential
from .networks.table_network import TableNetwork as TableNetwork, table_network as table_network
from .networks.unet import UNet as UNet
from .nonlinear.fourier import FourierPointwise as FourierPointwise
from .nonlinear.gated import Gated as Gated
from .nonlinear.norm_nonlinearity import NormNonlinearity as NormNonlinearity
from .nonlinear.pointwise import Pointwise as Pointwise
from .nonlinear.tensor_product import TensorProduct as TensorProduct
from .norms.calibration import calibrated as calibrated, train_outputs as train_outputs
from .norms.normalisation import BatchNorm as BatchNorm, LayerNorm as LayerNorm
from .points.body_order import SymmetricProducts as SymmetricProducts
from .points.mixing import Mixing as Mixing
from .points.nequip import NequIPLayer as NequIPLayer
from .points.painn import PaiNNBlock as PaiNNBlock
from .points.point_conv import PointConv as PointConv
from .points.pooling import PointPool as PointPool
from .points.radial import RadialBasis as RadialBasis
from .points.readouts import (
    Dipole as Dipole,
    Energies as Energies,
    EnergyForces as EnergyForces,
    Polarisability as Polarisability,
)
from .points.rotated_conv import RotatedConv as RotatedConv
from .pooling.group_pooling import GlobalPool as GlobalPool, GroupPool as GroupPool, Invariants as Invariants
from .pooling.mesh_pooling import MeshPool as MeshPool, MeshUnpool as MeshUnpool
from .pooling.pooling import (
    AveragePool as AveragePool,
    BlurPool as BlurPool,
    MaxPool as MaxPool,
    NormPool as NormPool,
)
from .pooling.resample import Upsample as Upsample
from .same_weights import on_space as on_space
from .sphere.clebsch_gordan import ClebschGordan as ClebschGordan
from .sphere.fluxes import Fluxes as Fluxes
from .sphere.operator import SphereOperator as SphereOperator
from .sphere.oversampled import Oversampled as Oversampled
from .sphere.resample import Resample as Resample
from .sphere.sphere_conv import SphereConv as SphereConv
