"""intertwine: symmetric neural networks as distributions, as wave functions and as fields.

This file is the table of contents: what a user may touch, by name. A name's module is imported when the name
is first used (PEP 562), so that `import intertwine` costs little more than `import jax`.

>>> import jax
>>> import intertwine as it
>>> lattice = it.Chain(8)
>>> hamiltonian = it.heisenberg(lattice)
>>> round(it.exact.ground_energy(hamiltonian), 6)
-14.604374
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from intertwine._checks import InputError
from intertwine._version import __version__

if TYPE_CHECKING:
    from intertwine import (
        boltzmann,
        data,
        experiments,
        layers,
        learning,
        models,
        quantum,
        report,
        rg,
        sampling,
        spaces,
        symmetry,
    )
    from intertwine.boltzmann.added_unit import add_hidden_unit
    from intertwine.boltzmann.belief_bound import belief_bound
    from intertwine.boltzmann.bound import importance_bound, structured_bound, variational_bound
    from intertwine.boltzmann.classifier import (
        LabelScores,
        labelled_rbm,
        learn_classifier,
        sample_given_label,
    )
    from intertwine.boltzmann.contacts import contacts, couplings
    from intertwine.boltzmann.deep_belief import learn_deep_belief, learn_up_down
    from intertwine.boltzmann.deep_boltzmann import learn_deep_boltzmann
    from intertwine.boltzmann.deep_network import upper_means
    from intertwine.boltzmann.estimators import BoltzmannMachine
    from intertwine.boltzmann.estimators_deep import DeepBeliefNetwork, DeepBoltzmannMachine
    from intertwine.boltzmann.fine_tune import beside, fine_tune
    from intertwine.boltzmann.learn import learn
    from intertwine.boltzmann.likelihood import (
        free_energy_gap,
        kl_divergence,
        log_likelihood,
        reconstruction_error,
    )
    from intertwine.boltzmann.log_partition import AIS, Exact, LogPartition, log_partition
    from intertwine.boltzmann.mean_field import mean_field_posterior
    from intertwine.boltzmann.methods import CD, PCD, ExactKL, ModeJumps
    from intertwine.boltzmann.pseudo_likelihood import pseudo_likelihood
    from intertwine.boltzmann.representability import represent
    from intertwine.boltzmann.temperature import at_temperature
    from intertwine.boltzmann.tempering import PT, TrajectoryTempering
    from intertwine.boltzmann.trajectory_log_z import TrajectoryLogZ
    from intertwine.experiments.load import load
    from intertwine.layers.conv import Conv
    from intertwine.layers.equivariance import assert_equivariant, equivariance_errors
    from intertwine.layers.network_names import network_from_name
    from intertwine.layers.sequential import Sequential
    from intertwine.learning.batches import Batches
    from intertwine.learning.class_scores import (
        accuracy,
        class_probabilities,
        class_scores,
        confusion_matrix,
        predict,
    )
    from intertwine.learning.fit_supervised import fit_supervised
    from intertwine.learning.gradient import OptaxGradient
    from intertwine.learning.guard import Diverged
    from intertwine.learning.metric import NaturalGradient
    from intertwine.learning.supervised import Supervised
    from intertwine.models.deep_belief import DBN
    from intertwine.models.deep_boltzmann import DBM
    from intertwine.models.gcnn import GCNN
    from intertwine.models.ising import Ising
    from intertwine.models.jastrow import Jastrow
    from intertwine.models.laws import (
        assert_factors_consistent,
        assert_holomorphic,
        assert_incremental_consistent,
        assert_invariant,
        assert_spin_form_consistent,
    )
    from intertwine.models.mean_field import MeanField
    from intertwine.models.parameters import count_parameters
    from intertwine.models.potts import Clock, Potts
    from intertwine.models.product_mixture import fitted_mixture
    from intertwine.models.rbm import RBM
    from intertwine.models.sectors import sector, sectors
    from intertwine.models.spin_enumeration import enumerate_distribution
    from intertwine.models.symmetric_rbm import SymmetricRBM
    from intertwine.models.symmetrised import Symmetrised
    from intertwine.models.wrapped import FunctionAmplitude
    from intertwine.quantum import exact
    from intertwine.quantum.excited import lowest_in_sector
    from intertwine.quantum.expect import expect
    from intertwine.quantum.ground_state import ground_state
    from intertwine.quantum.hamiltonians import heisenberg, j1j2, tfim, xxz
    from intertwine.quantum.operator import Operator
    from intertwine.sampling.annealed import Annealed
    from intertwine.sampling.cluster import SwendsenWang
    from intertwine.sampling.draw import NotMixed, sample
    from intertwine.sampling.enumeration import Enumeration
    from intertwine.sampling.estimate import Estimate, estimate
    from intertwine.sampling.gibbs import Gibbs
    from intertwine.sampling.heat_bath import HeatBath
    from intertwine.sampling.laws import assert_detailed_balance
    from intertwine.sampling.metropolis import Metropolis
    from intertwine.sampling.missing import complete
    from intertwine.sampling.reweighting import MultiHistogram, OutsideData, reweight
    from intertwine.sampling.rules import Exchange, GlobalFlip, Mixture, SingleFlip
    from intertwine.sampling.tempered_gibbs import TemperedGibbs
    from intertwine.sampling.tempered_heat_bath import TemperedHeatBath
    from intertwine.sampling.tempering import ParallelTempering
    from intertwine.sampling.trajectory import TrajectoryGibbs
    from intertwine.sampling.wolff import Wolff
    from intertwine.spaces.grid import Grid
    from intertwine.spaces.homogeneous import HomogeneousSpace
    from intertwine.spaces.lattice import Lattice
    from intertwine.spaces.lattices import Chain, Cubic, Honeycomb, Kagome, Square, Triangular
    from intertwine.symmetry.permutation_group import PermutationGroup

_MODULES = (
    "boltzmann",
    "data",
    "experiments",
    "layers",
    "learning",
    "models",
    "quantum",
    "report",
    "rg",
    "sampling",
    "spaces",
    "symmetry",
)

_NAMES = {
    "intertwine.spaces.lattice": ("Lattice",),
    "intertwine.spaces.lattices": ("Chain", "Cubic", "Honeycomb", "Kagome", "Square", "Triangular"),
    "intertwine.symmetry.permutation_group": ("PermutationGroup",),
    "intertwine.models.rbm": ("RBM",),
    "intertwine.models.symmetric_rbm": ("SymmetricRBM",),
    "intertwine.models.jastrow": ("Jastrow",),
    "intertwine.models.mean_field": ("MeanField",),
    "intertwine.models.wrapped": ("FunctionAmplitude",),
    "intertwine.models.parameters": ("count_parameters",),
    "intertwine.models.laws": (
        "assert_factors_consistent",
        "assert_holomorphic",
        "assert_incremental_consistent",
        "assert_invariant",
        "assert_spin_form_consistent",
    ),
    "intertwine.sampling.estimate": ("Estimate", "estimate"),
    "intertwine.sampling.metropolis": ("Metropolis",),
    "intertwine.sampling.rules": ("Exchange", "GlobalFlip", "Mixture", "SingleFlip"),
    "intertwine.sampling.tempering": ("ParallelTempering",),
    "intertwine.sampling.enumeration": ("Enumeration",),
    "intertwine.sampling.laws": ("assert_detailed_balance",),
    "intertwine.models.deep_belief": ("DBN",),
    "intertwine.models.deep_boltzmann": ("DBM",),
    "intertwine.models.ising": ("Ising",),
    "intertwine.models.potts": ("Clock", "Potts"),
    "intertwine.models.spin_enumeration": ("enumerate_distribution",),
    "intertwine.sampling.heat_bath": ("HeatBath",),
    "intertwine.sampling.tempered_heat_bath": ("TemperedHeatBath",),
    "intertwine.sampling.reweighting": ("MultiHistogram", "OutsideData", "reweight"),
    "intertwine.sampling.wolff": ("Wolff",),
    "intertwine.learning.supervised": ("Supervised",),
    "intertwine.learning.fit_supervised": ("fit_supervised",),
    "intertwine.learning.class_scores": (
        "class_scores",
        "class_probabilities",
        "predict",
        "accuracy",
        "confusion_matrix",
    ),
    "intertwine.learning.batches": ("Batches",),
    "intertwine.sampling.gibbs": ("Gibbs",),
    "intertwine.sampling.tempered_gibbs": ("TemperedGibbs",),
    "intertwine.sampling.annealed": ("Annealed",),
    "intertwine.sampling.trajectory": ("TrajectoryGibbs",),
    "intertwine.sampling.cluster": ("SwendsenWang",),
    "intertwine.sampling.missing": ("complete",),
    "intertwine.sampling.draw": (
        "sample",
        "NotMixed",
    ),
    "intertwine.models.product_mixture": ("fitted_mixture",),
    "intertwine.boltzmann.methods": (
        "CD",
        "PCD",
        "ExactKL",
        "ModeJumps",
    ),
    "intertwine.boltzmann.tempering": (
        "PT",
        "TrajectoryTempering",
    ),
    "intertwine.boltzmann.contacts": (
        "contacts",
        "couplings",
    ),
    "intertwine.boltzmann.temperature": ("at_temperature",),
    "intertwine.boltzmann.learn": ("learn",),
    "intertwine.boltzmann.log_partition": (
        "AIS",
        "Exact",
        "LogPartition",
        "log_partition",
    ),
    "intertwine.boltzmann.trajectory_log_z": ("TrajectoryLogZ",),
    "intertwine.boltzmann.likelihood": (
        "log_likelihood",
        "free_energy_gap",
        "kl_divergence",
        "reconstruction_error",
    ),
    "intertwine.boltzmann.pseudo_likelihood": ("pseudo_likelihood",),
    "intertwine.boltzmann.representability": ("represent",),
    "intertwine.boltzmann.added_unit": ("add_hidden_unit",),
    "intertwine.boltzmann.deep_boltzmann": ("learn_deep_boltzmann",),
    "intertwine.boltzmann.deep_belief": (
        "learn_deep_belief",
        "learn_up_down",
    ),
    "intertwine.boltzmann.bound": (
        "variational_bound",
        "structured_bound",
        "importance_bound",
    ),
    "intertwine.boltzmann.belief_bound": ("belief_bound",),
    "intertwine.boltzmann.mean_field": ("mean_field_posterior",),
    "intertwine.boltzmann.fine_tune": (
        "fine_tune",
        "beside",
    ),
    "intertwine.boltzmann.classifier": (
        "labelled_rbm",
        "LabelScores",
        "learn_classifier",
        "sample_given_label",
    ),
    "intertwine.boltzmann.estimators": ("BoltzmannMachine",),
    "intertwine.boltzmann.estimators_deep": (
        "DeepBeliefNetwork",
        "DeepBoltzmannMachine",
    ),
    "intertwine.boltzmann.deep_network": ("upper_means",),
    "intertwine.learning.metric": ("NaturalGradient",),
    "intertwine.learning.gradient": ("OptaxGradient",),
    "intertwine.learning.guard": ("Diverged",),
    "intertwine.quantum.operator": ("Operator",),
    "intertwine.quantum.hamiltonians": ("heisenberg", "j1j2", "tfim", "xxz"),
    "intertwine.quantum.expect": ("expect",),
    "intertwine.quantum.ground_state": ("ground_state",),
    "intertwine.spaces.grid": ("Grid",),
    "intertwine.spaces.homogeneous": ("HomogeneousSpace",),
    "intertwine.layers.conv": ("Conv",),
    "intertwine.layers.equivariance": (
        "assert_equivariant",
        "equivariance_errors",
    ),
    "intertwine.layers.network_names": ("network_from_name",),
    "intertwine.layers.sequential": ("Sequential",),
    "intertwine.models.gcnn": ("GCNN",),
    "intertwine.models.symmetrised": ("Symmetrised",),
    "intertwine.models.sectors": (
        "sector",
        "sectors",
    ),
    "intertwine.quantum.excited": ("lowest_in_sector",),
    "intertwine.experiments.load": ("load",),
}
_HOME = {name: module for module, names in _NAMES.items() for name in names}

__all__ = [
    "AIS",
    "CD",
    "DBM",
    "DBN",
    "GCNN",
    "PCD",
    "PT",
    "RBM",
    "Annealed",
    "Batches",
    "BoltzmannMachine",
    "Chain",
    "Clock",
    "Conv",
    "Cubic",
    "DeepBeliefNetwork",
    "DeepBoltzmannMachine",
    "Diverged",
    "Enumeration",
    "Estimate",
    "Exact",
    "ExactKL",
    "Exchange",
    "FunctionAmplitude",
    "Gibbs",
    "GlobalFlip",
    "Grid",
    "HeatBath",
    "HomogeneousSpace",
    "Honeycomb",
    "InputError",
    "Ising",
    "Jastrow",
    "Kagome",
    "LabelScores",
    "Lattice",
    "LogPartition",
    "MeanField",
    "Metropolis",
    "Mixture",
    "ModeJumps",
    "MultiHistogram",
    "NaturalGradient",
    "NotMixed",
    "Operator",
    "OptaxGradient",
    "OutsideData",
    "ParallelTempering",
    "PermutationGroup",
    "Potts",
    "Sequential",
    "SingleFlip",
    "Square",
    "Supervised",
    "SwendsenWang",
    "SymmetricRBM",
    "Symmetrised",
    "TemperedGibbs",
    "TemperedHeatBath",
    "TrajectoryGibbs",
    "TrajectoryLogZ",
    "TrajectoryTempering",
    "Triangular",
    "Wolff",
    "__version__",
    "accuracy",
    "add_hidden_unit",
    "assert_detailed_balance",
    "assert_equivariant",
    "assert_factors_consistent",
    "assert_holomorphic",
    "assert_incremental_consistent",
    "assert_invariant",
    "assert_spin_form_consistent",
    "at_temperature",
    "belief_bound",
    "beside",
    "boltzmann",
    "class_probabilities",
    "class_scores",
    "complete",
    "confusion_matrix",
    "contacts",
    "count_parameters",
    "couplings",
    "data",
    "enumerate_distribution",
    "equivariance_errors",
    "estimate",
    "exact",
    "expect",
    "experiments",
    "fine_tune",
    "fit_supervised",
    "fitted_mixture",
    "free_energy_gap",
    "ground_state",
    "heisenberg",
    "importance_bound",
    "j1j2",
    "kl_divergence",
    "labelled_rbm",
    "layers",
    "learn",
    "learn_classifier",
    "learn_deep_belief",
    "learn_deep_boltzmann",
    "learn_up_down",
    "learning",
    "load",
    "log_likelihood",
    "log_partition",
    "lowest_in_sector",
    "mean_field_posterior",
    "models",
    "network_from_name",
    "predict",
    "pseudo_likelihood",
    "quantum",
    "reconstruction_error",
    "report",
    "represent",
    "reweight",
    "rg",
    "sample",
    "sample_given_label",
    "sampling",
    "sector",
    "sectors",
    "spaces",
    "structured_bound",
    "symmetry",
    "tfim",
    "upper_means",
    "variational_bound",
    "xxz",
]


def __getattr__(name: str) -> Any:
    if name in _HOME:
        value = getattr(import_module(_HOME[name]), name)
    elif name == "exact":
        value = import_module("intertwine.quantum.exact")
    elif name in _MODULES:
        value = import_module(f"intertwine.{name}")
    else:
        raise AttributeError(f"module 'intertwine' has no attribute {name!r}; see intertwine.__all__")
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
