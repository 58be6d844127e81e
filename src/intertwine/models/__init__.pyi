from . import (
    autoregressive as autoregressive,
    circuits as circuits,
    deep as deep,
    fermions as fermions,
    gauge as gauge,
    kernels as kernels,
    levels as levels,
    machines as machines,
    qubits as qubits,
    spins as spins,
    symmetric as symmetric,
)
from .amplitude_table import AmplitudeTable as AmplitudeTable
from .autoregressive.causal_transformer import CausalTransformer as CausalTransformer
from .autoregressive.masked_convolution import MaskedConvolution as MaskedConvolution
from .autoregressive.masked_dense import MaskedDense as MaskedDense
from .autoregressive.recurrent import RecurrentNetwork as RecurrentNetwork
from .autoregressive.symmetrised_density import SymmetrisedDensity as SymmetrisedDensity
from .circuits.convolutional import ConvolutionalCircuit as ConvolutionalCircuit
from .circuits.recurrent import RecurrentCircuit as RecurrentCircuit
from .deep.residual_network import ResNet as ResNet
from .deep.vision_transformer import ViT as ViT
from .fermions.backflow import Backflow as Backflow
from .fermions.hidden_fermions import HiddenFermions as HiddenFermions
from .fermions.pairing import Pairing as Pairing
from .fermions.pfaffian import Pfaffian as Pfaffian
from .fermions.slater import Slater as Slater
from .fermions.with_factors import correlated as correlated
from .gauge.wilson_action import Gauge as Gauge
from .jastrow import Jastrow as Jastrow
from .laws import (
    assert_factors_consistent as assert_factors_consistent,
    assert_holomorphic as assert_holomorphic,
    assert_incremental_consistent as assert_incremental_consistent,
    assert_invariant as assert_invariant,
    assert_spin_form_consistent as assert_spin_form_consistent,
)
from .machines.base_rate import base_rate as base_rate
from .machines.deep_belief import DBN as DBN
from .machines.deep_boltzmann import DBM as DBM
from .machines.product_mixture import fitted_mixture as fitted_mixture
from .machines.rbm import RBM as RBM
from .machines.sparse_rbm import SparseRBM as SparseRBM, range_mask as range_mask
from .mean_field import MeanField as MeanField
from .names import model_from_name as model_from_name
from .network import FunctionNetwork as FunctionNetwork
from .parameters import count_parameters as count_parameters
from .qubits.circuit import Circuit as Circuit
from .spins.ising import Ising as Ising
from .spins.potts import Clock as Clock, Potts as Potts
from .spins.spin_enumeration import enumerate_distribution as enumerate_distribution
from .symmetric.gcnn import GCNN as GCNN
from .symmetric.sectors import sector as sector, sectors as sectors
from .symmetric.symmetric_rbm import SymmetricRBM as SymmetricRBM
from .symmetric.symmetrised import Symmetrised as Symmetrised
from .wrapped import FunctionAmplitude as FunctionAmplitude
