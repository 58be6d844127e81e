from . import (
    boltzmann as boltzmann,
    data as data,
    experiments as experiments,
    geometry as geometry,
    layers as layers,
    learning as learning,
    models as models,
    quantum as quantum,
    records as records,
    report as report,
    rg as rg,
    runs as runs,
    sampling as sampling,
    spaces as spaces,
    symmetry as symmetry,
)
from ._checks import InputError as InputError
from ._version import __version__ as __version__
from .boltzmann.constructions.added_unit import add_hidden_unit as add_hidden_unit
from .boltzmann.constructions.representability import represent as represent
from .boltzmann.contact_scores import contacts as contacts, couplings as couplings
from .boltzmann.likelihood.belief_bound import belief_bound as belief_bound
from .boltzmann.likelihood.bound import (
    importance_bound as importance_bound,
    structured_bound as structured_bound,
    variational_bound as variational_bound,
)
from .boltzmann.likelihood.likelihood import (
    free_energy_gap as free_energy_gap,
    kl_divergence as kl_divergence,
    log_likelihood as log_likelihood,
    reconstruction_error as reconstruction_error,
)
from .boltzmann.likelihood.pseudo_likelihood import pseudo_likelihood as pseudo_likelihood
from .boltzmann.objectives.mean_field import mean_field_posterior as mean_field_posterior
from .boltzmann.objectives.methods import CD as CD, PCD as PCD, ExactKL as ExactKL, ModeJumps as ModeJumps
from .boltzmann.objectives.tempering import PT as PT, TrajectoryTempering as TrajectoryTempering
from .boltzmann.objectives.transport import Wasserstein as Wasserstein
from .boltzmann.partition.log_partition import (
    AIS as AIS,
    Exact as Exact,
    LogPartition as LogPartition,
    log_partition as log_partition,
)
from .boltzmann.partition.trajectory_log_z import TrajectoryLogZ as TrajectoryLogZ
from .boltzmann.sklearn.estimators import BoltzmannMachine as BoltzmannMachine
from .boltzmann.sklearn.estimators_deep import (
    DeepBeliefNetwork as DeepBeliefNetwork,
    DeepBoltzmannMachine as DeepBoltzmannMachine,
)
from .boltzmann.temperature import at_temperature as at_temperature
from .boltzmann.training.classifier import (
    LabelScores as LabelScores,
    labelled_rbm as labelled_rbm,
    learn_classifier as learn_classifier,
    sample_given_label as sample_given_label,
)
from .boltzmann.training.deep_belief import (
    learn_deep_belief as learn_deep_belief,
    learn_up_down as learn_up_down,
)
from .boltzmann.training.deep_boltzmann import learn_deep_boltzmann as learn_deep_boltzmann
from .boltzmann.training.deep_network import upper_means as upper_means
from .boltzmann.training.fine_tune import beside as beside, fine_tune as fine_tune
from .boltzmann.training.learn import learn as learn
from .experiments.load import load as load
from .geometry.conservation.asked import conserved as conserved, symmetries as symmetries
from .layers.conv import Conv as Conv
from .layers.equivariance.check import (
    assert_equivariant as assert_equivariant,
    equivariance_errors as equivariance_errors,
)
from .layers.networks.field_network import field_network as field_network
from .layers.networks.network_names import network_from_name as network_from_name
from .layers.networks.sequential import Sequential as Sequential
from .layers.same_weights import on_space as on_space
from .learning.batches import Batches as Batches
from .learning.fields.fit_fields import fit_fields as fit_fields
from .learning.gradient import OptaxGradient as OptaxGradient
from .learning.group_tables.fit import fit_group_table as fit_group_table
from .learning.guard import Diverged as Diverged
from .learning.labels.class_scores import (
    accuracy as accuracy,
    class_probabilities as class_probabilities,
    class_scores as class_scores,
    confusion_matrix as confusion_matrix,
    predict as predict,
)
from .learning.metric import NaturalGradient as NaturalGradient
from .learning.structures.calculator import ase_calculator as ase_calculator
from .learning.structures.fit_structures import fit_structures as fit_structures
from .learning.supervised import Supervised as Supervised
from .learning.supervised_fit import fit_supervised as fit_supervised
from .models import gauge as gauge, qubits as qubits
from .models.autoregressive.causal_transformer import CausalTransformer as CausalTransformer
from .models.autoregressive.masked_convolution import MaskedConvolution as MaskedConvolution
from .models.autoregressive.masked_dense import MaskedDense as MaskedDense
from .models.autoregressive.recurrent import RecurrentNetwork as RecurrentNetwork
from .models.autoregressive.symmetrised_density import SymmetrisedDensity as SymmetrisedDensity
from .models.circuits.convolutional import ConvolutionalCircuit as ConvolutionalCircuit
from .models.circuits.recurrent import RecurrentCircuit as RecurrentCircuit
from .models.deep.residual_network import ResNet as ResNet
from .models.deep.vision_transformer import ViT as ViT
from .models.gauge.loop_rbm import LoopGCNN as LoopGCNN, LoopRBM as LoopRBM
from .models.gauge.wilson_action import Gauge as Gauge
from .models.jastrow import Jastrow as Jastrow
from .models.laws import (
    assert_factors_consistent as assert_factors_consistent,
    assert_holomorphic as assert_holomorphic,
    assert_incremental_consistent as assert_incremental_consistent,
    assert_invariant as assert_invariant,
    assert_spin_form_consistent as assert_spin_form_consistent,
)
from .models.machines.deep_belief import DBN as DBN
from .models.machines.deep_boltzmann import DBM as DBM
from .models.machines.product_mixture import fitted_mixture as fitted_mixture
from .models.machines.rbm import RBM as RBM
from .models.machines.sparse_rbm import SparseRBM as SparseRBM
from .models.mean_field import MeanField as MeanField
from .models.parameters import count_parameters as count_parameters
from .models.qubits.circuit import Circuit as Circuit
from .models.spins.ising import Ising as Ising
from .models.spins.potts import Clock as Clock, Potts as Potts
from .models.spins.spin_enumeration import enumerate_distribution as enumerate_distribution
from .models.symmetric.gcnn import GCNN as GCNN
from .models.symmetric.sectors import sector as sector, sectors as sectors
from .models.symmetric.symmetric_rbm import SymmetricRBM as SymmetricRBM
from .models.symmetric.symmetrised import Symmetrised as Symmetrised
from .models.wrapped import FunctionAmplitude as FunctionAmplitude
from .quantum import (
    entanglement as entanglement,
    exact as exact,
    observables as observables,
    operators as operators,
)
from .quantum.dynamics.evolve import evolve as evolve
from .quantum.dynamics.starts import product_infidelity as product_infidelity, product_state as product_state
from .quantum.dynamics.trajectory import Trajectory as Trajectory
from .quantum.operators.hamiltonians import (
    bose_hubbard as bose_hubbard,
    heisenberg as heisenberg,
    hubbard as hubbard,
    j1j2 as j1j2,
    kitaev as kitaev,
    rydberg as rydberg,
    tfim as tfim,
    toric as toric,
    toric_code as toric_code,
    tv as tv,
    xxz as xxz,
    xyz as xyz,
)
from .quantum.operators.operator import Operator as Operator
from .quantum.vmc.excited import lowest_in_sector as lowest_in_sector
from .quantum.vmc.expect import expect as expect
from .quantum.vmc.ground_state import ground_state as ground_state
from .sampling.autoregressive import Autoregressive as Autoregressive
from .sampling.draw import NotMixed as NotMixed, sample as sample
from .sampling.enumeration import Enumeration as Enumeration
from .sampling.gauge.heat_bath import GaugeHeatBath as GaugeHeatBath
from .sampling.gibbs.annealed import Annealed as Annealed
from .sampling.gibbs.gibbs import Gibbs as Gibbs
from .sampling.gibbs.tempered_gibbs import TemperedGibbs as TemperedGibbs
from .sampling.gibbs.trajectory import TrajectoryGibbs as TrajectoryGibbs
from .sampling.laws import assert_detailed_balance as assert_detailed_balance
from .sampling.mean_values import averages as averages
from .sampling.metropolis.level_rules import Hops as Hops, Raise as Raise
from .sampling.metropolis.metropolis import Metropolis as Metropolis
from .sampling.metropolis.rules import (
    Exchange as Exchange,
    FlipSets as FlipSets,
    GlobalFlip as GlobalFlip,
    Mixture as Mixture,
    SingleFlip as SingleFlip,
)
from .sampling.metropolis.tempering import ParallelTempering as ParallelTempering
from .sampling.missing import complete as complete
from .sampling.spins.cluster import SwendsenWang as SwendsenWang
from .sampling.spins.heat_bath import HeatBath as HeatBath
from .sampling.spins.tempered_heat_bath import TemperedHeatBath as TemperedHeatBath
from .sampling.spins.wolff import Wolff as Wolff
from .sampling.statistics.estimate import Estimate as Estimate, estimate as estimate
from .sampling.statistics.reweighting import (
    MultiHistogram as MultiHistogram,
    OutsideData as OutsideData,
    reweight as reweight,
)
from .spaces.graph.graph import Graph as Graph
from .spaces.grid import Grid as Grid
from .spaces.hilbert.bounds import Bound as Bound
from .spaces.hilbert.hilbert_space import HilbertSpace as HilbertSpace
from .spaces.hilbert.kinds import (
    Bosons as Bosons,
    Dimers as Dimers,
    Fermions as Fermions,
    Qudits as Qudits,
    Rydberg as Rydberg,
    Spins as Spins,
)
from .spaces.homogeneous import HomogeneousSpace as HomogeneousSpace
from .spaces.lattice import Lattice as Lattice
from .spaces.lattices import (
    BCC as BCC,
    FCC as FCC,
    Chain as Chain,
    Cubic as Cubic,
    Diamond as Diamond,
    Honeycomb as Honeycomb,
    Hypercubic as Hypercubic,
    Kagome as Kagome,
    Ladder as Ladder,
    Lieb as Lieb,
    LinkSites as LinkSites,
    Pyrochlore as Pyrochlore,
    Shuriken as Shuriken,
    Square as Square,
    Triangular as Triangular,
)
from .spaces.links import Links as Links
from .spaces.mesh.mesh import Mesh as Mesh
from .spaces.names import space_from_name as space_from_name
from .spaces.points.points import Points as Points
from .spaces.points.radial import Radial as Radial
from .spaces.sphere.sphere import Sphere as Sphere
from .symmetry.groups.permutation_group import PermutationGroup as PermutationGroup
