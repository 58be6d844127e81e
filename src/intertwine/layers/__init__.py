"""Layers: equivariant maps between fields, typed by representations; networks of them and their law."""

from intertwine.layers.bias import Bias
from intertwine.layers.conv import Conv
from intertwine.layers.dropout import Dropout
from intertwine.layers.equivariance.check import EquivarianceError, assert_equivariant, equivariance_errors
from intertwine.layers.executors.spectral import group_fourier, spectral_convolution
from intertwine.layers.fields import field_type
from intertwine.layers.linear import Linear
from intertwine.layers.mask import Mask
from intertwine.layers.networks.classifiers import group_cnn, steerable_cnn
from intertwine.layers.networks.export import PlainConv, export
from intertwine.layers.networks.network_names import network_from_name
from intertwine.layers.networks.parameter_count import parameter_count, width_for
from intertwine.layers.networks.saved_network import load_network, save_network
from intertwine.layers.networks.sequential import Sequential
from intertwine.layers.networks.unet import UNet
from intertwine.layers.nonlinear.fourier import FourierPointwise
from intertwine.layers.nonlinear.gated import Gated
from intertwine.layers.nonlinear.norm_nonlinearity import NormNonlinearity
from intertwine.layers.nonlinear.pointwise import Pointwise
from intertwine.layers.nonlinear.tensor_product import TensorProduct
from intertwine.layers.norms.calibration import calibrated, train_outputs
from intertwine.layers.norms.normalisation import BatchNorm, LayerNorm
from intertwine.layers.pooling.group_pooling import GlobalPool, GroupPool, Invariants
from intertwine.layers.pooling.pooling import AveragePool, BlurPool, MaxPool, NormPool
from intertwine.layers.pooling.resample import Upsample

__all__ = [
    "AveragePool",
    "BatchNorm",
    "Bias",
    "BlurPool",
    "Conv",
    "Dropout",
    "EquivarianceError",
    "FourierPointwise",
    "Gated",
    "GlobalPool",
    "GroupPool",
    "Invariants",
    "LayerNorm",
    "Linear",
    "Mask",
    "MaxPool",
    "NormNonlinearity",
    "NormPool",
    "PlainConv",
    "Pointwise",
    "Sequential",
    "TensorProduct",
    "UNet",
    "Upsample",
    "assert_equivariant",
    "calibrated",
    "equivariance_errors",
    "export",
    "field_type",
    "group_cnn",
    "group_fourier",
    "load_network",
    "network_from_name",
    "parameter_count",
    "save_network",
    "spectral_convolution",
    "steerable_cnn",
    "train_outputs",
    "width_for",
]
