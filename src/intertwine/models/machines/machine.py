"""The Boltzmann machines of this library as one type."""

from __future__ import annotations

from intertwine.models.machines.deep_belief import DBN
from intertwine.models.machines.deep_boltzmann import DBM
from intertwine.models.machines.rbm import RBM

Machine = RBM | DBM | DBN
"""A distribution over visible units with one hidden layer or more."""
