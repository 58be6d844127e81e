from . import (
    blocks as blocks,
    correlators as correlators,
    depth as depth,
    gaussian as gaussian,
    information as information,
    montecarlo as montecarlo,
    networks as networks,
    scaling as scaling,
    steps as steps,
    tensor as tensor,
    terms as terms,
)
from .blocks.block_hamiltonian import (
    BlockDistribution as BlockDistribution,
    BlockHamiltonian as BlockHamiltonian,
    ProjectedCouplings as ProjectedCouplings,
    block_distribution as block_distribution,
    block_hamiltonian as block_hamiltonian,
)
from .blocks.block_rbm import block_rbm as block_rbm
from .blocks.blocking import (
    BlockRule as BlockRule,
    Decimation as Decimation,
    Majority as Majority,
    Rule as Rule,
)
from .correlators.callan_symanzik import callan_symanzik as callan_symanzik
from .correlators.layers import LayerScaling as LayerScaling, layer_scaling as layer_scaling
from .correlators.result import CallanSymanzik as CallanSymanzik
from .correlators.scan import callan_symanzik_scan as callan_symanzik_scan
from .correlators.spin_correlations import (
    SpinCorrelations as SpinCorrelations,
    spin_correlations as spin_correlations,
)
from .depth.depth_flow import depth_flow as depth_flow
from .depth.finite_width import RandomLayers as RandomLayers, random_layers as random_layers
from .depth.fixed_point import edge_of_chaos as edge_of_chaos
from .depth.flow import DepthFlow as DepthFlow
from .depth.initialisation import (
    CriticalInitialisation as CriticalInitialisation,
    CriticalStart as CriticalStart,
    critical_initialisation as critical_initialisation,
    critical_start as critical_start,
)
from .depth.lyapunov import (
    LyapunovSpectrum as LyapunovSpectrum,
    ginibre_exponents as ginibre_exponents,
    lyapunov_spectrum as lyapunov_spectrum,
)
from .depth.network_flow import NetworkDepthFlow as NetworkDepthFlow
from .gaussian.polchinski import CutoffFlow as CutoffFlow, cutoff_flow as cutoff_flow
from .gaussian.transport_flow import GaussianFlow as GaussianFlow, gaussian_flow as gaussian_flow
from .information.coupling_metric import (
    CouplingMetrics as CouplingMetrics,
    coupling_metrics as coupling_metrics,
)
from .information.information_bound import (
    InformationBound as InformationBound,
    mutual_information_bound as mutual_information_bound,
)
from .information.learned_blocks import LearnedBlocks as LearnedBlocks, learn_blocks as learn_blocks
from .information.mutual_information import (
    mutual_information as mutual_information,
    optimal_filter as optimal_filter,
)
from .learning_geometry import (
    FisherSpectrum as FisherSpectrum,
    TrainingFlow as TrainingFlow,
    fisher_spectrum as fisher_spectrum,
    training_flow as training_flow,
)
from .montecarlo.matching import BetaFunction as BetaFunction, beta_function as beta_function
from .montecarlo.mcrg import coupling_flow as coupling_flow, mcrg as mcrg
from .montecarlo.mcrg_result import MCRG as MCRG
from .montecarlo.moment_matching import MatchedCouplings as MatchedCouplings, match_moments as match_moments
from .montecarlo.renormalization import CouplingFlow as CouplingFlow
from .montecarlo.streaming import MCRGSums as MCRGSums
from .montecarlo.variational import (
    VariationalCouplings as VariationalCouplings,
    variational_couplings as variational_couplings,
)
from .networks.bond_rbm import bond_rbm as bond_rbm
from .networks.hidden_hamiltonian import (
    HiddenHamiltonian as HiddenHamiltonian,
    hidden_hamiltonian as hidden_hamiltonian,
)
from .networks.layer_flow import LayerFlow as LayerFlow, layer_flow as layer_flow
from .networks.lowest_layer import placed_rule as placed_rule
from .networks.network_flow import (
    FlowFixedPoint as FlowFixedPoint,
    NetworkFlow as NetworkFlow,
    flow_fixed_point as flow_fixed_point,
    network_flow as network_flow,
)
from .networks.network_map import NetworkRule as NetworkRule, as_rg_map as as_rg_map
from .networks.network_study import NetworkReading as NetworkReading, network_study as network_study
from .networks.rbm_couplings import ShellCouplings as ShellCouplings, couplings_of_rbm as couplings_of_rbm
from .networks.receptive_fields import (
    ReceptiveFields as ReceptiveFields,
    receptive_fields as receptive_fields,
)
from .networks.thermometer import Temperature as Temperature, ising_temperature as ising_temperature
from .networks.trace_condition import TraceCondition as TraceCondition, trace_condition as trace_condition
from .scaling.collapse import Collapse as Collapse, collapse as collapse
from .scaling.critical_slowing import CriticalSlowing as CriticalSlowing, critical_slowing as critical_slowing
from .scaling.finite_size import (
    FiniteSize as FiniteSize,
    PowerLaw as PowerLaw,
    finite_size as finite_size,
    power_law as power_law,
)
from .scaling.universality import CriticalExponents as CriticalExponents, exponents as exponents
from .steps.exact_step import ExactStep as ExactStep
from .steps.flow import (
    FixedPoint as FixedPoint,
    Flow as Flow,
    critical_coupling as critical_coupling,
    fixed_point as fixed_point,
    flow as flow,
)
from .steps.flow_diagram import flow_diagram as flow_diagram
from .steps.matched_flow import matched_flow as matched_flow
from .steps.migdal_kadanoff import (
    MigdalKadanoff as MigdalKadanoff,
    migdal_infinitesimal as migdal_infinitesimal,
    migdal_kadanoff as migdal_kadanoff,
)
from .steps.niemeijer_van_leeuwen import (
    NiemeijerVanLeeuwen as NiemeijerVanLeeuwen,
    niemeijer_van_leeuwen as niemeijer_van_leeuwen,
)
from .steps.sampled_step import MatchedStep as MatchedStep, VariationalStep as VariationalStep
from .steps.step import FunctionStep as FunctionStep, Step as Step, linearise as linearise
from .tensor.coupling_scan import TRGScan as TRGScan, trg_scan as trg_scan
from .tensor.trg import (
    TRG as TRG,
    trg as trg,
    trg_critical as trg_critical,
    trg_derivatives as trg_derivatives,
)
from .terms.spin_products import (
    product_families as product_families,
    product_values as product_values,
    walsh_hadamard as walsh_hadamard,
)
