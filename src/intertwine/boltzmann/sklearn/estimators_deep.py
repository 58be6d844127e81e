r"""Deep belief networks and deep Boltzmann machines as scikit-learn estimators; see `estimators`."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from intertwine._checks import fail, positive_int
from intertwine.boltzmann.defaults import BATCH
from intertwine.boltzmann.objectives.kl import KL
from intertwine.boltzmann.objectives.mean_field import _converged
from intertwine.boltzmann.sklearn.estimators_base import MachineEstimator
from intertwine.models.machines.deep_belief import DBN
from intertwine.models.machines.deep_boltzmann import DBM

_SWEEPS = 50
"""Of the mean field."""
_DRAWS = 20
"""Of the recognition pass, in the bound of a deep belief network."""


class _Deep(MachineEstimator):
    """What the two deep estimators share."""

    hidden_layer_sizes: Any
    n_chains: Any
    weight_decay: Any

    def _check_deep(self) -> None:
        sizes = self.hidden_layer_sizes
        if not isinstance(sizes, tuple | list | np.ndarray) or len(sizes) == 0:
            raise fail(
                "hidden_layer_sizes", "a tuple of sizes, from the lowest up", sizes, "such as (64, 64)"
            )
        for size in sizes:
            positive_int("hidden_layer_sizes", size, "give the units of each hidden layer")
        positive_int("n_chains", self.n_chains)
        KL(weight_decay=self.weight_decay)

    def _hidden(self) -> tuple[tuple[int, ...], str]:
        return tuple(int(size) for size in self.hidden_layer_sizes), "binary"


class DeepBeliefNetwork(_Deep):
    r"""A deep belief network of binary hidden layers, learned greedily, then by `up_down` epochs together.

    hidden_layer_sizes: from the lowest layer up. n_iter: passes over the data for each layer; "auto": 10, and
    enough for 2000 updates. up_down: epochs of the wake-sleep algorithm after that; "auto": as many, 0: none.
    units, n_chains, learning_rate (of the layers), batch_size, weight_decay, verbose, random_state: as for
    `BoltzmannMachine`.

    transform: the means of the topmost layer, a deterministic pass upwards. score_samples: a lower bound on
    ln p(x), E_q[ln p(x, h) − ln q(h|x)] as the mean of 20 draws of q, with the same random numbers in every
    row (their noise may lift it as much as it sinks it); ln Z of the topmost pair of layers is exact for up
    to 18 units on a side, else estimated.

    After fit: hidden_sizes_, parameters_, units_, mean_, scale_, history_, n_iter_, model_ (the `DBN`).

    >>> import numpy as np
    >>> X = np.repeat([[0, 0, 1], [1, 1, 0]], 50, axis=0)
    >>> DeepBeliefNetwork((4, 2), n_iter=5, random_state=0).fit_transform(X).shape
    (100, 2)
    """

    def __init__(
        self,
        hidden_layer_sizes: tuple[int, ...] = (16, 16),
        *,
        units: str = "auto",
        n_chains: int = 100,
        learning_rate: object = "auto",
        n_iter: object = "auto",
        up_down: Any = "auto",
        batch_size: int = BATCH,
        weight_decay: float = 0.0,
        verbose: bool = False,
        random_state: int | np.random.RandomState | None = None,
    ):
        self.hidden_layer_sizes = hidden_layer_sizes
        self.units = units
        self.n_chains = n_chains
        self.learning_rate = learning_rate
        self.n_iter = n_iter
        self.up_down = up_down
        self.batch_size = batch_size
        self.weight_decay = weight_decay
        self.verbose = verbose
        self.random_state = random_state

    def _check_parameters(self) -> None:
        self._check_deep()
        if self.up_down not in ("auto", 0):
            positive_int("up_down", self.up_down, "0 for none")

    def _blank(self, units: str, width: int, hidden: tuple[tuple[int, ...], str], key: Array) -> DBN:
        sizes, kind = hidden
        return DBN((width, *sizes), units=units, hidden_units=kind, scale=0.01, dtype="float32", key=key)

    def _settings(self) -> tuple[dict[str, Any], dict[str, Any]]:
        whole = self._passes if self.up_down == "auto" else self.up_down
        return {"epochs": whole}, {"layer_epochs": self._passes, "layer_rate": self._rate}

    def _features(self) -> Callable[..., Any]:
        return _topmost_means

    def _scores(self) -> Callable[..., Any]:
        return _belief_scores

    def _downwards(self) -> Callable[..., Any]:
        return _means_below


class DeepBoltzmannMachine(_Deep):
    r"""A deep Boltzmann machine of binary hidden layers, learned jointly, after `pretrain` passes for each
    layer by itself.

    hidden_layer_sizes: from the lowest layer up. pretrain: passes of the greedy start; "auto": n_iter; 0 for
    none. units, n_chains, learning_rate ("auto": 0.05, or 0.005 with Gaussian columns), n_iter, batch_size,
    weight_decay, verbose, random_state: as for `BoltzmannMachine`.

    transform: the mean-field means of the topmost layer. score_samples: the variational lower bound on
    ln p(x) (50 sweeps); ln Z is exact where the even or the odd layers together have up to 18 units, else
    estimated by annealed importance sampling.

    After fit: hidden_sizes_, parameters_, units_, mean_, scale_, history_, n_iter_, model_ (the `DBM`).

    >>> import numpy as np
    >>> X = np.repeat([[0, 0, 1], [1, 1, 0]], 50, axis=0)
    >>> DeepBoltzmannMachine((4, 2), n_iter=5, random_state=0).fit_transform(X).shape
    (100, 2)
    """

    def __init__(
        self,
        hidden_layer_sizes: tuple[int, ...] = (16, 16),
        *,
        units: str = "auto",
        n_chains: int = 100,
        pretrain: Any = "auto",
        learning_rate: object = "auto",
        n_iter: object = "auto",
        batch_size: int = BATCH,
        weight_decay: float = 0.0,
        verbose: bool = False,
        random_state: int | np.random.RandomState | None = None,
    ):
        self.hidden_layer_sizes = hidden_layer_sizes
        self.units = units
        self.n_chains = n_chains
        self.pretrain = pretrain
        self.learning_rate = learning_rate
        self.n_iter = n_iter
        self.batch_size = batch_size
        self.weight_decay = weight_decay
        self.verbose = verbose
        self.random_state = random_state

    def _check_parameters(self) -> None:
        self._check_deep()
        if self.pretrain not in ("auto", 0):
            positive_int("pretrain", self.pretrain, "0 for none")

    def _blank(self, units: str, width: int, hidden: tuple[tuple[int, ...], str], key: Array) -> DBM:
        sizes, kind = hidden
        return DBM((width, *sizes), units=units, hidden_units=kind, dtype="float32", key=key)

    def _settings(self) -> tuple[dict[str, Any], dict[str, Any]]:
        layers = None if self.pretrain == "auto" else self.pretrain
        return {"epochs": self._passes, "learning_rate": self._rate}, {"layer_epochs": layers}

    def _features(self) -> Callable[..., Any]:
        return _topmost_mean_field

    def _scores(self) -> Callable[..., Any]:
        return _variational

    def _downwards(self) -> Callable[..., Any]:
        return _visible_mean_field


# ------------------------------------------------------------------------------- compiled functions


@jax.jit
def _topmost_means(model: DBN, v: Array) -> Array:
    return model.recognition_means(v)[-1]


@jax.jit
def _means_below(model: DBN, h: Array) -> Array:
    return model.descend_means(model.top.visible_given_hidden(h))


@jax.jit
def _belief_scores(model: DBN, v: Array) -> Array:
    """The mean of ln w + ln Z over draws with the same random numbers in every row."""

    def one(_: None, key: Array) -> tuple[None, Array]:
        states = jax.vmap(partial(model.recognise, key=key))(v)
        return None, model.log_joint(states) - model.log_recognition(states)

    return jax.lax.scan(one, None, jax.random.split(jax.random.key(0), _DRAWS))[1].mean(0)


@jax.jit
def _topmost_mean_field(model: DBM, v: Array) -> Array:
    return _converged(model, v, None, _SWEEPS, 0.0).means[-1]


@jax.jit
def _variational(model: DBM, v: Array) -> Array:
    return _converged(model, v, None, _SWEEPS, 0.0).bound


@jax.jit
def _visible_mean_field(model: DBM, h: Array) -> Array:
    """The mean field of all layers below the topmost one, which is held at its means h."""
    states = [
        jnp.broadcast_to(layer.mean(b), (len(h), len(b)))
        for layer, b in zip(model.layers, model.biases, strict=True)
    ]
    states[-1] = h

    def sweep(_: Array, states: list[Array]) -> list[Array]:
        for level in reversed(range(model.depth)):
            states[level] = model.layers[level].mean(model.field(level, states))
        return states

    return jax.lax.fori_loop(0, _SWEEPS, sweep, states)[0]
