"""Every rule, sampler and model that the laws of sampling run on. A new one is one row here."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

from intertwine.models.jastrow import Jastrow
from intertwine.models.machines.rbm import RBM
from intertwine.models.mean_field import MeanField
from intertwine.models.symmetric.symmetric_rbm import SymmetricRBM
from intertwine.sampling.metropolis.metropolis import Metropolis
from intertwine.sampling.metropolis.rules import Exchange, FlipSets, GlobalFlip, Mixture, SingleFlip
from intertwine.sampling.metropolis.tempering import ParallelTempering
from intertwine.spaces.lattices import Chain


class Generic(eqx.Module):
    """A complex log ψ with no capability but the call, and no symmetry."""

    weights: jax.Array

    @property
    def size(self):
        return self.weights.shape[0]

    @property
    def kind(self):
        return "complex"

    def __call__(self, s):
        field = self.weights @ s
        return jnp.sum(jnp.tanh(field) * field) * 0.5 + 1j * jnp.sum(jnp.sin(field))


def ring(size):
    return [(i, (i + 1) % size) for i in range(size)]


RULES = {
    "single": lambda n: SingleFlip(),
    "exchange ring": lambda n: Exchange(ring(n)),
    "exchange all": lambda n: Exchange(),
    "single and global": lambda n: Mixture([(SingleFlip(), 0.8), (GlobalFlip(), 0.2)]),
    "parts with sets": lambda n: Mixture([(SingleFlip(), 0.6), (FlipSets([range(3), range(2, n)]), 0.4)]),
    "exchange and global": lambda n: Mixture([(Exchange(ring(n)), 0.7), (GlobalFlip(), 0.3)]),
    "three parts": lambda n: Mixture([(SingleFlip(), 2), (Exchange(), 1), (GlobalFlip(), 1)]),
}

KEY = jax.random.key(7)
MODELS = {
    "rbm": lambda n: RBM(n, hidden=n, scale=0.2, key=KEY),
    "complex rbm": lambda n: RBM(n, hidden=n + 1, dtype=complex, scale=0.3, key=KEY),
    "binary rbm": lambda n: RBM(n, hidden=4, units="binary", hidden_units="binary", scale=0.4, key=KEY),
    "symmetric rbm": lambda n: SymmetricRBM(Chain(n), features=2, scale=0.12, key=KEY),
    "jastrow": lambda n: Jastrow(n, scale=0.1, key=KEY),
    "mean field": lambda n: MeanField(n, dtype=complex, scale=0.5, key=KEY),
    "generic": lambda n: Generic(jnp.asarray(np.random.default_rng(1).normal(size=(n, n)) / np.sqrt(n))),
}


def metropolis(rule, backend):
    return lambda n, chains, sweep=None: Metropolis(RULES[rule](n), chains, sweep=sweep, backend=backend)


SAMPLERS = {
    **{f"{rule}, jax": metropolis(rule, "jax") for rule in RULES},
    **{f"{rule}, host": metropolis(rule, "host") for rule in RULES},
    "tempering": lambda n, chains, sweep=None: ParallelTempering(SingleFlip(), chains, betas=3, sweep=sweep),
    "tempered exchanges": lambda n, chains, sweep=None: ParallelTempering(
        Exchange(ring(n)), chains, betas=(0.3, 1.0), sweep=sweep
    ),
}


def sector(sampler, size):
    """The magnetization that a sampler of this table keeps, or None."""
    return None if sampler.rule.magnetization == "free" else 0  # sizes here are even
