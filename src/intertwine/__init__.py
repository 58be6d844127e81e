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
    from intertwine import experiments, learning, models, quantum, report, sampling, spaces, symmetry
    from intertwine.learning.gradient import OptaxGradient
    from intertwine.learning.guard import Diverged
    from intertwine.learning.metric import NaturalGradient
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
    from intertwine.models.rbm import RBM
    from intertwine.models.symmetric_rbm import SymmetricRBM
    from intertwine.models.wrapped import FunctionAmplitude
    from intertwine.quantum import exact
    from intertwine.quantum.expect import expect
    from intertwine.quantum.ground_state import ground_state
    from intertwine.quantum.hamiltonians import heisenberg, j1j2, tfim, xxz
    from intertwine.quantum.operator import Operator
    from intertwine.sampling.enumeration import Enumeration
    from intertwine.sampling.estimate import Estimate, estimate
    from intertwine.sampling.laws import assert_detailed_balance
    from intertwine.sampling.metropolis import Metropolis
    from intertwine.sampling.rules import Exchange, GlobalFlip, Mixture, SingleFlip
    from intertwine.sampling.tempering import ParallelTempering
    from intertwine.spaces.lattice import Lattice
    from intertwine.spaces.lattices import Chain, Cubic, Honeycomb, Kagome, Square, Triangular
    from intertwine.symmetry.permutation_group import PermutationGroup

_MODULES = ("experiments", "learning", "models", "quantum", "report", "sampling", "spaces", "symmetry")

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
    "intertwine.learning.metric": ("NaturalGradient",),
    "intertwine.learning.gradient": ("OptaxGradient",),
    "intertwine.learning.guard": ("Diverged",),
    "intertwine.quantum.operator": ("Operator",),
    "intertwine.quantum.hamiltonians": ("heisenberg", "j1j2", "tfim", "xxz"),
    "intertwine.quantum.expect": ("expect",),
    "intertwine.quantum.ground_state": ("ground_state",),
}
_HOME = {name: module for module, names in _NAMES.items() for name in names}

__all__ = [
    "RBM",
    "Chain",
    "Cubic",
    "Diverged",
    "Enumeration",
    "Estimate",
    "Exchange",
    "FunctionAmplitude",
    "GlobalFlip",
    "Honeycomb",
    "InputError",
    "Jastrow",
    "Kagome",
    "Lattice",
    "MeanField",
    "Metropolis",
    "Mixture",
    "NaturalGradient",
    "Operator",
    "OptaxGradient",
    "ParallelTempering",
    "PermutationGroup",
    "SingleFlip",
    "Square",
    "SymmetricRBM",
    "Triangular",
    "__version__",
    "assert_detailed_balance",
    "assert_factors_consistent",
    "assert_holomorphic",
    "assert_incremental_consistent",
    "assert_invariant",
    "assert_spin_form_consistent",
    "count_parameters",
    "estimate",
    "exact",
    "expect",
    "experiments",
    "ground_state",
    "heisenberg",
    "j1j2",
    "learning",
    "models",
    "quantum",
    "report",
    "sampling",
    "spaces",
    "symmetry",
    "tfim",
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
