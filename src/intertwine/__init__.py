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
    from intertwine.boltzmann.constructions.added_unit import add_hidden_unit
    from intertwine.boltzmann.constructions.representability import represent
    from intertwine.boltzmann.contact_scores import contacts, couplings
    from intertwine.boltzmann.likelihood.belief_bound import belief_bound
    from intertwine.boltzmann.likelihood.bound import importance_bound, structured_bound, variational_bound
    from intertwine.boltzmann.likelihood.likelihood import (
        free_energy_gap,
        kl_divergence,
        log_likelihood,
        reconstruction_error,
    )
    from intertwine.boltzmann.likelihood.pseudo_likelihood import pseudo_likelihood
    from intertwine.boltzmann.objectives.mean_field import mean_field_posterior
    from intertwine.boltzmann.objectives.methods import CD, PCD, ExactKL, ModeJumps
    from intertwine.boltzmann.objectives.tempering import PT, TrajectoryTempering
    from intertwine.boltzmann.partition.log_partition import AIS, Exact, LogPartition, log_partition
    from intertwine.boltzmann.partition.trajectory_log_z import TrajectoryLogZ
    from intertwine.boltzmann.sklearn.estimators import BoltzmannMachine
    from intertwine.boltzmann.sklearn.estimators_deep import DeepBeliefNetwork, DeepBoltzmannMachine
    from intertwine.boltzmann.temperature import at_temperature
    from intertwine.boltzmann.training.classifier import (
        LabelScores,
        labelled_rbm,
        learn_classifier,
        sample_given_label,
    )
    from intertwine.boltzmann.training.deep_belief import learn_deep_belief, learn_up_down
    from intertwine.boltzmann.training.deep_boltzmann import learn_deep_boltzmann
    from intertwine.boltzmann.training.deep_network import upper_means
    from intertwine.boltzmann.training.fine_tune import beside, fine_tune
    from intertwine.boltzmann.training.learn import learn
    from intertwine.experiments.load import load
    from intertwine.layers.conv import Conv
    from intertwine.layers.equivariance.check import assert_equivariant, equivariance_errors
    from intertwine.layers.networks.network_names import network_from_name
    from intertwine.layers.networks.sequential import Sequential
    from intertwine.learning.batches import Batches
    from intertwine.learning.gradient import OptaxGradient
    from intertwine.learning.guard import Diverged
    from intertwine.learning.labels.class_scores import (
        accuracy,
        class_probabilities,
        class_scores,
        confusion_matrix,
        predict,
    )
    from intertwine.learning.metric import NaturalGradient
    from intertwine.learning.supervised import Supervised
    from intertwine.learning.supervised_fit import fit_supervised
    from intertwine.models.jastrow import Jastrow
    from intertwine.models.laws import (
        assert_factors_consistent,
        assert_holomorphic,
        assert_incremental_consistent,
        assert_invariant,
        assert_spin_form_consistent,
    )
    from intertwine.models.machines.deep_belief import DBN
    from intertwine.models.machines.deep_boltzmann import DBM
    from intertwine.models.machines.product_mixture import fitted_mixture
    from intertwine.models.machines.rbm import RBM
    from intertwine.models.mean_field import MeanField
    from intertwine.models.parameters import count_parameters
    from intertwine.models.spins.ising import Ising
    from intertwine.models.spins.potts import Clock, Potts
    from intertwine.models.spins.spin_enumeration import enumerate_distribution
    from intertwine.models.symmetric.gcnn import GCNN
    from intertwine.models.symmetric.sectors import sector, sectors
    from intertwine.models.symmetric.symmetric_rbm import SymmetricRBM
    from intertwine.models.symmetric.symmetrised import Symmetrised
    from intertwine.models.wrapped import FunctionAmplitude
    from intertwine.quantum import exact
    from intertwine.quantum.operators.hamiltonians import heisenberg, j1j2, tfim, xxz
    from intertwine.quantum.operators.operator import Operator
    from intertwine.quantum.vmc.excited import lowest_in_sector
    from intertwine.quantum.vmc.expect import expect
    from intertwine.quantum.vmc.ground_state import ground_state
    from intertwine.sampling.draw import NotMixed, sample
    from intertwine.sampling.enumeration import Enumeration
    from intertwine.sampling.gibbs.annealed import Annealed
    from intertwine.sampling.gibbs.gibbs import Gibbs
    from intertwine.sampling.gibbs.tempered_gibbs import TemperedGibbs
    from intertwine.sampling.gibbs.trajectory import TrajectoryGibbs
    from intertwine.sampling.laws import assert_detailed_balance
    from intertwine.sampling.metropolis.metropolis import Metropolis
    from intertwine.sampling.metropolis.rules import Exchange, GlobalFlip, Mixture, SingleFlip
    from intertwine.sampling.metropolis.tempering import ParallelTempering
    from intertwine.sampling.missing import complete
    from intertwine.sampling.spins.cluster import SwendsenWang
    from intertwine.sampling.spins.heat_bath import HeatBath
    from intertwine.sampling.spins.tempered_heat_bath import TemperedHeatBath
    from intertwine.sampling.spins.wolff import Wolff
    from intertwine.sampling.statistics.estimate import Estimate, estimate
    from intertwine.sampling.statistics.reweighting import MultiHistogram, OutsideData, reweight
    from intertwine.spaces.grid import Grid
    from intertwine.spaces.homogeneous import HomogeneousSpace
    from intertwine.spaces.lattice import Lattice
    from intertwine.spaces.lattices import Chain, Cubic, Honeycomb, Kagome, Square, Triangular
    from intertwine.symmetry.groups.permutation_group import PermutationGroup

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
    "intertwine.symmetry.groups.permutation_group": ("PermutationGroup",),
    "intertwine.models.machines.rbm": ("RBM",),
    "intertwine.models.symmetric.symmetric_rbm": ("SymmetricRBM",),
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
    "intertwine.sampling.statistics.estimate": ("Estimate", "estimate"),
    "intertwine.sampling.metropolis.metropolis": ("Metropolis",),
    "intertwine.sampling.metropolis.rules": ("Exchange", "GlobalFlip", "Mixture", "SingleFlip"),
    "intertwine.sampling.metropolis.tempering": ("ParallelTempering",),
    "intertwine.sampling.enumeration": ("Enumeration",),
    "intertwine.sampling.laws": ("assert_detailed_balance",),
    "intertwine.models.machines.deep_belief": ("DBN",),
    "intertwine.models.machines.deep_boltzmann": ("DBM",),
    "intertwine.models.spins.ising": ("Ising",),
    "intertwine.models.spins.potts": ("Clock", "Potts"),
    "intertwine.models.spins.spin_enumeration": ("enumerate_distribution",),
    "intertwine.sampling.spins.heat_bath": ("HeatBath",),
    "intertwine.sampling.spins.tempered_heat_bath": ("TemperedHeatBath",),
    "intertwine.sampling.statistics.reweighting": ("MultiHistogram", "OutsideData", "reweight"),
    "intertwine.sampling.spins.wolff": ("Wolff",),
    "intertwine.learning.supervised": ("Supervised",),
    "intertwine.learning.supervised_fit": ("fit_supervised",),
    "intertwine.learning.labels.class_scores": (
        "class_scores",
        "class_probabilities",
        "predict",
        "accuracy",
        "confusion_matrix",
    ),
    "intertwine.learning.batches": ("Batches",),
    "intertwine.sampling.gibbs.gibbs": ("Gibbs",),
    "intertwine.sampling.gibbs.tempered_gibbs": ("TemperedGibbs",),
    "intertwine.sampling.gibbs.annealed": ("Annealed",),
    "intertwine.sampling.gibbs.trajectory": ("TrajectoryGibbs",),
    "intertwine.sampling.spins.cluster": ("SwendsenWang",),
    "intertwine.sampling.missing": ("complete",),
    "intertwine.sampling.draw": (
        "sample",
        "NotMixed",
    ),
    "intertwine.models.machines.product_mixture": ("fitted_mixture",),
    "intertwine.boltzmann.objectives.methods": (
        "CD",
        "PCD",
        "ExactKL",
        "ModeJumps",
    ),
    "intertwine.boltzmann.objectives.tempering": (
        "PT",
        "TrajectoryTempering",
    ),
    "intertwine.boltzmann.contact_scores": (
        "contacts",
        "couplings",
    ),
    "intertwine.boltzmann.temperature": ("at_temperature",),
    "intertwine.boltzmann.training.learn": ("learn",),
    "intertwine.boltzmann.partition.log_partition": (
        "AIS",
        "Exact",
        "LogPartition",
        "log_partition",
    ),
    "intertwine.boltzmann.partition.trajectory_log_z": ("TrajectoryLogZ",),
    "intertwine.boltzmann.likelihood.likelihood": (
        "log_likelihood",
        "free_energy_gap",
        "kl_divergence",
        "reconstruction_error",
    ),
    "intertwine.boltzmann.likelihood.pseudo_likelihood": ("pseudo_likelihood",),
    "intertwine.boltzmann.constructions.representability": ("represent",),
    "intertwine.boltzmann.constructions.added_unit": ("add_hidden_unit",),
    "intertwine.boltzmann.training.deep_boltzmann": ("learn_deep_boltzmann",),
    "intertwine.boltzmann.training.deep_belief": (
        "learn_deep_belief",
        "learn_up_down",
    ),
    "intertwine.boltzmann.likelihood.bound": (
        "variational_bound",
        "structured_bound",
        "importance_bound",
    ),
    "intertwine.boltzmann.likelihood.belief_bound": ("belief_bound",),
    "intertwine.boltzmann.objectives.mean_field": ("mean_field_posterior",),
    "intertwine.boltzmann.training.fine_tune": (
        "fine_tune",
        "beside",
    ),
    "intertwine.boltzmann.training.classifier": (
        "labelled_rbm",
        "LabelScores",
        "learn_classifier",
        "sample_given_label",
    ),
    "intertwine.boltzmann.sklearn.estimators": ("BoltzmannMachine",),
    "intertwine.boltzmann.sklearn.estimators_deep": (
        "DeepBeliefNetwork",
        "DeepBoltzmannMachine",
    ),
    "intertwine.boltzmann.training.deep_network": ("upper_means",),
    "intertwine.learning.metric": ("NaturalGradient",),
    "intertwine.learning.gradient": ("OptaxGradient",),
    "intertwine.learning.guard": ("Diverged",),
    "intertwine.quantum.operators.operator": ("Operator",),
    "intertwine.quantum.operators.hamiltonians": ("heisenberg", "j1j2", "tfim", "xxz"),
    "intertwine.quantum.vmc.expect": ("expect",),
    "intertwine.quantum.vmc.ground_state": ("ground_state",),
    "intertwine.spaces.grid": ("Grid",),
    "intertwine.spaces.homogeneous": ("HomogeneousSpace",),
    "intertwine.layers.conv": ("Conv",),
    "intertwine.layers.equivariance.check": (
        "assert_equivariant",
        "equivariance_errors",
    ),
    "intertwine.layers.networks.network_names": ("network_from_name",),
    "intertwine.layers.networks.sequential": ("Sequential",),
    "intertwine.models.symmetric.gcnn": ("GCNN",),
    "intertwine.models.symmetric.symmetrised": ("Symmetrised",),
    "intertwine.models.symmetric.sectors": (
        "sector",
        "sectors",
    ),
    "intertwine.quantum.vmc.excited": ("lowest_in_sector",),
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
