"""Renormalization: block spins, flows of couplings and exponents, and networks as renormalization steps.

Names load their module when they are first used, as those of `intertwine` do. Several functions are named as
the file that they are in: the name is the function, and the file is reached by importing from it.

>>> from intertwine import rg
>>> round(rg.migdal_kadanoff(b=2).y_T, 6)
0.747236
"""

from __future__ import annotations

import sys
from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from intertwine.geometry.spectrum import FisherSpectrum, fisher_spectrum
    from intertwine.geometry.trained_flow import TrainingFlow, training_flow
    from intertwine.rg.blocks.block_hamiltonian import (
        BlockDistribution,
        BlockHamiltonian,
        ProjectedCouplings,
        block_distribution,
        block_hamiltonian,
    )
    from intertwine.rg.blocks.block_rbm import block_rbm
    from intertwine.rg.blocks.blocking import BlockRule, Decimation, Majority, Rule
    from intertwine.rg.information.coupling_metric import CouplingMetrics, coupling_metrics
    from intertwine.rg.information.information_bound import InformationBound, mutual_information_bound
    from intertwine.rg.information.learned_blocks import LearnedBlocks, learn_blocks
    from intertwine.rg.information.mutual_information import mutual_information, optimal_filter
    from intertwine.rg.montecarlo.matching import BetaFunction, beta_function
    from intertwine.rg.montecarlo.mcrg import mcrg
    from intertwine.rg.montecarlo.mcrg_result import MCRG
    from intertwine.rg.montecarlo.moment_matching import MatchedCouplings, match_moments
    from intertwine.rg.montecarlo.streaming import MCRGSums
    from intertwine.rg.montecarlo.variational import VariationalCouplings, variational_couplings
    from intertwine.rg.networks.bond_rbm import bond_rbm
    from intertwine.rg.networks.hidden_hamiltonian import HiddenHamiltonian, hidden_hamiltonian
    from intertwine.rg.networks.layer_flow import LayerFlow, layer_flow
    from intertwine.rg.networks.network_flow import (
        FlowFixedPoint,
        NetworkFlow,
        flow_fixed_point,
        network_flow,
    )
    from intertwine.rg.networks.network_map import NetworkRule, as_rg_map
    from intertwine.rg.networks.rbm_couplings import ShellCouplings, couplings_of_rbm
    from intertwine.rg.networks.receptive_fields import ReceptiveFields, receptive_fields
    from intertwine.rg.networks.thermometer import Temperature, ising_temperature
    from intertwine.rg.networks.trace_condition import TraceCondition, trace_condition
    from intertwine.rg.scaling.collapse import Collapse, collapse
    from intertwine.rg.scaling.critical_slowing import CriticalSlowing, critical_slowing
    from intertwine.rg.scaling.finite_size import FiniteSize, PowerLaw, finite_size, power_law
    from intertwine.rg.scaling.universality import CriticalExponents, exponents
    from intertwine.rg.steps.exact_step import ExactStep
    from intertwine.rg.steps.flow import FixedPoint, Flow, critical_coupling, fixed_point, flow
    from intertwine.rg.steps.matched_flow import matched_flow
    from intertwine.rg.steps.migdal_kadanoff import MigdalKadanoff, migdal_infinitesimal, migdal_kadanoff
    from intertwine.rg.steps.niemeijer_van_leeuwen import NiemeijerVanLeeuwen, niemeijer_van_leeuwen
    from intertwine.rg.steps.sampled_step import MatchedStep, VariationalStep
    from intertwine.rg.steps.step import FunctionStep, Step, linearise
    from intertwine.rg.tensor.trg import TRG, trg, trg_critical, trg_derivatives
    from intertwine.rg.terms.spin_products import product_families, product_values, walsh_hadamard

_NAMES = {
    "block_hamiltonian": (
        "BlockDistribution",
        "BlockHamiltonian",
        "ProjectedCouplings",
        "block_distribution",
        "block_hamiltonian",
    ),
    "block_rbm": ("block_rbm",),
    "blocking": (
        "BlockRule",
        "Decimation",
        "Majority",
        "Rule",
    ),
    "bond_rbm": ("bond_rbm",),
    "collapse": (
        "Collapse",
        "collapse",
    ),
    "coupling_metric": (
        "CouplingMetrics",
        "coupling_metrics",
    ),
    "critical_slowing": (
        "CriticalSlowing",
        "critical_slowing",
    ),
    "exact_step": ("ExactStep",),
    "finite_size": (
        "FiniteSize",
        "PowerLaw",
        "finite_size",
        "power_law",
    ),
    "fisher_spectrum": (
        "FisherSpectrum",
        "fisher_spectrum",
    ),
    "flow": (
        "FixedPoint",
        "Flow",
        "critical_coupling",
        "fixed_point",
        "flow",
    ),
    "hidden_hamiltonian": (
        "HiddenHamiltonian",
        "hidden_hamiltonian",
    ),
    "information_bound": (
        "InformationBound",
        "mutual_information_bound",
    ),
    "layer_flow": (
        "LayerFlow",
        "layer_flow",
    ),
    "learned_blocks": (
        "LearnedBlocks",
        "learn_blocks",
    ),
    "matched_flow": ("matched_flow",),
    "matching": (
        "BetaFunction",
        "beta_function",
    ),
    "mcrg": ("mcrg",),
    "mcrg_result": ("MCRG",),
    "migdal_kadanoff": (
        "MigdalKadanoff",
        "migdal_infinitesimal",
        "migdal_kadanoff",
    ),
    "moment_matching": (
        "MatchedCouplings",
        "match_moments",
    ),
    "mutual_information": (
        "mutual_information",
        "optimal_filter",
    ),
    "network_flow": (
        "FlowFixedPoint",
        "NetworkFlow",
        "flow_fixed_point",
        "network_flow",
    ),
    "network_map": (
        "NetworkRule",
        "as_rg_map",
    ),
    "niemeijer_van_leeuwen": (
        "NiemeijerVanLeeuwen",
        "niemeijer_van_leeuwen",
    ),
    "rbm_couplings": (
        "ShellCouplings",
        "couplings_of_rbm",
    ),
    "receptive_fields": (
        "ReceptiveFields",
        "receptive_fields",
    ),
    "sampled_step": (
        "MatchedStep",
        "VariationalStep",
    ),
    "spin_products": (
        "product_families",
        "product_values",
        "walsh_hadamard",
    ),
    "step": (
        "FunctionStep",
        "Step",
        "linearise",
    ),
    "streaming": ("MCRGSums",),
    "thermometer": (
        "Temperature",
        "ising_temperature",
    ),
    "trace_condition": (
        "TraceCondition",
        "trace_condition",
    ),
    "training_flow": (
        "TrainingFlow",
        "training_flow",
    ),
    "trg": (
        "TRG",
        "trg",
        "trg_critical",
        "trg_derivatives",
    ),
    "universality": (
        "CriticalExponents",
        "exponents",
    ),
    "variational": (
        "VariationalCouplings",
        "variational_couplings",
    ),
}
_HOME = {name: module for module, names in _NAMES.items() for name in names}

__all__ = [
    "MCRG",
    "TRG",
    "BetaFunction",
    "BlockDistribution",
    "BlockHamiltonian",
    "BlockRule",
    "Collapse",
    "CouplingMetrics",
    "CriticalExponents",
    "CriticalSlowing",
    "Decimation",
    "ExactStep",
    "FiniteSize",
    "FisherSpectrum",
    "FixedPoint",
    "Flow",
    "FlowFixedPoint",
    "FunctionStep",
    "HiddenHamiltonian",
    "InformationBound",
    "LayerFlow",
    "LearnedBlocks",
    "MCRGSums",
    "Majority",
    "MatchedCouplings",
    "MatchedStep",
    "MigdalKadanoff",
    "NetworkFlow",
    "NetworkRule",
    "NiemeijerVanLeeuwen",
    "PowerLaw",
    "ProjectedCouplings",
    "ReceptiveFields",
    "Rule",
    "ShellCouplings",
    "Step",
    "Temperature",
    "TraceCondition",
    "TrainingFlow",
    "VariationalCouplings",
    "VariationalStep",
    "as_rg_map",
    "beta_function",
    "block_distribution",
    "block_hamiltonian",
    "block_rbm",
    "bond_rbm",
    "collapse",
    "coupling_metrics",
    "couplings_of_rbm",
    "critical_coupling",
    "critical_slowing",
    "exponents",
    "finite_size",
    "fisher_spectrum",
    "fixed_point",
    "flow",
    "flow_fixed_point",
    "hidden_hamiltonian",
    "ising_temperature",
    "layer_flow",
    "learn_blocks",
    "linearise",
    "match_moments",
    "matched_flow",
    "mcrg",
    "migdal_infinitesimal",
    "migdal_kadanoff",
    "mutual_information",
    "mutual_information_bound",
    "network_flow",
    "niemeijer_van_leeuwen",
    "optimal_filter",
    "power_law",
    "product_families",
    "product_values",
    "receptive_fields",
    "trace_condition",
    "training_flow",
    "trg",
    "trg_critical",
    "trg_derivatives",
    "variational_couplings",
    "walsh_hadamard",
]


class _Names(ModuleType):
    """A package whose names are not hidden by files of the same name."""

    def __setattr__(self, name: str, value: Any) -> None:
        if not (name in _HOME and isinstance(value, ModuleType)):
            super().__setattr__(name, value)


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'intertwine.rg' has no attribute {name!r}; see intertwine.rg.__all__")
    value = getattr(import_module(f"intertwine.rg.{_HOME[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)


sys.modules[__name__].__class__ = _Names
