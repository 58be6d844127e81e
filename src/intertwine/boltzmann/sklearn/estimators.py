r"""Boltzmann machines as scikit-learn estimators: transformers, densities and samplers of rows of data.

    features = BoltzmannMachine(n_components=64, random_state=0).fit_transform(X)
    make_pipeline(BoltzmannMachine(n_components=256), LogisticRegression()).fit(X, y).score(X, y)

fit(X) learns the distribution of the rows without labels; `transform` gives hidden units, `score_samples`
ln p(x) in nats, `sample` new rows. Columns of numbers from 0 to 1 are binary units or probabilities of them
(then ln p(x) is the mean over binary draws, which is what learning raises); any other columns are
standardised and Gaussian (ln p(x) is then a density in the units of X). `units` says otherwise. Labels are
learned by what stands behind the transformer in a pipeline, or by
`intertwine.boltzmann.training.classifier` and `fine_tune`.
"""

from __future__ import annotations

import numbers
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from jaxtyping import PyTree
from numpy.typing import ArrayLike

from intertwine._checks import fail, positive_int
from intertwine.boltzmann.baseline import Moments
from intertwine.boltzmann.beginning import begun
from intertwine.boltzmann.defaults import AVERAGE, BATCH, CHAINS, SCALE, STEPS, first_rate
from intertwine.boltzmann.objectives.kl import KL
from intertwine.boltzmann.objectives.methods import CD, PCD
from intertwine.boltzmann.sklearn.estimators_base import (
    MachineEstimator,
    check_random_state,
    few,
    validate_data,
)
from intertwine.boltzmann.sklearn.estimators_deep import DeepBeliefNetwork, DeepBoltzmannMachine
from intertwine.boltzmann.sklearn.estimators_units import Columns
from intertwine.boltzmann.training.descent import descent
from intertwine.learning.batches import Batches
from intertwine.learning.epochs import epoch_scalars, learned
from intertwine.learning.loop import start, train
from intertwine.learning.stream import OverBatches, StreamState
from intertwine.models.machines.rbm import RBM
from intertwine.sampling.missing import SWEEPS

__all__ = ["BoltzmannMachine", "DeepBeliefNetwork", "DeepBoltzmannMachine"]

HIDDEN = ("binary", "spin", "rectified", "gaussian")


class BoltzmannMachine(MachineEstimator):
    r"""A restricted Boltzmann machine.

    n_components: hidden units. units: "auto", "binary", "spin" or "gaussian" columns, or "potts"
    ("potts:q") for whole numbers that name states. hidden_units: "binary", "spin", "rectified" or "gaussian".
    method: "pcd" (persistent chains, n_chains of them), "cd" (chains from the data) or "auto" ("pcd", with
    jumps between the modes of Gaussian columns and of other data of several). n_steps: sweeps an update.
    learning_rate: where it begins, falling along a straight line; "auto": 0.1, 0.05 of data of several
    modes, or 0.01 with Gaussian columns. n_iter: passes over the data; "auto": 10, and enough for 2000
    updates, 6000 of data of several modes. batch_size: rows an update. weight_decay: L2. verbose: a line
    printed after each pass. random_state: an int, a RandomState or None.

    transform: E[h|x] (rows, n_components). score_samples: ln p(x) = ln Ψ(x) − ln Z; ln Z is exact for up to
    18 columns or hidden units (binary ones), else estimated by annealed importance sampling.

    Entries of X that are nan are missing: the likelihood of what is known of each row is learnt and scored,
    and `transform` takes the missing ones at their means given the rest.

    After fit: components_ (n_components, columns), intercept_hidden_, intercept_visible_, units_, mean_ and
    scale_ (of standardised columns, else None), history_, n_iter_, model_ (the `RBM`).

    >>> import numpy as np
    >>> X = np.repeat([[0, 0, 1], [1, 1, 0]], 50, axis=0)
    >>> machine = BoltzmannMachine(4, n_iter=100, random_state=0).fit(X)
    >>> machine.transform(X).shape, machine.score([[0, 0, 1]]) > machine.score([[1, 0, 1]])
    ((100, 4), True)
    """

    def __init__(
        self,
        n_components: int = 16,
        *,
        units: str = "auto",
        hidden_units: str = "binary",
        method: str = "auto",
        n_chains: int = CHAINS,
        n_steps: int = STEPS,
        learning_rate: object = "auto",
        n_iter: object = "auto",
        batch_size: int = BATCH,
        weight_decay: float = 0.0,
        verbose: bool = False,
        random_state: int | np.random.RandomState | None = None,
    ):
        self.n_components = n_components
        self.units = units
        self.hidden_units = hidden_units
        self.method = method
        self.n_chains = n_chains
        self.n_steps = n_steps
        self.learning_rate = learning_rate
        self.n_iter = n_iter
        self.batch_size = batch_size
        self.weight_decay = weight_decay
        self.verbose = verbose
        self.random_state = random_state

    _finite = "allow-nan"

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        return tags

    def partial_fit(self, X: PyTree, y: ArrayLike | None = None) -> BoltzmannMachine:
        """One pass over X, from where the last call, or `fit`, left the parameters, with a constant learning
        rate; what columns are, and their mean and scale, is what the first call saw."""
        self._check_common()
        first = not hasattr(self, "parameters_")
        X = validate_data(self, X, dtype="numeric", reset=first, ensure_all_finite=self._finite)
        columns = Columns.of(self.units, X) if first else self._columns()
        rows = self._rows(columns, X)
        key = self._key(self.random_state)
        begin, going = jax.random.split(key)
        model = self._blank(columns.units, rows.shape[1], self._hidden(), begin) if first else self._wide()
        rate = self.learning_rate
        if rate == "auto":
            rate = first_rate(model)
        seed = 0 if first else len(self.history_)
        batches = Batches(rows, self.batch_size, seed=seed, binarise=columns.units == "binary")
        objective = replace(self._objective(), missing=SWEEPS if batches.missing else 0)
        stream, mover = OverBatches(objective, batches), descent(None, float(rate), AVERAGE, 0, float(rate))
        if first:
            model = begun(model, batches, "data")
        state = start(model, stream, mover, key=going)
        leaves: list[np.ndarray] | None = getattr(self, "_leaves", None)
        if leaves is not None:
            state = _thawed(state, leaves)
        state, pieces = train(model, stream, mover, steps=batches.per_epoch, key=going, state=state)
        history = [] if first else self.history_
        self._keep(columns, learned(state, mover), [*history, epoch_scalars(pieces)])
        self._near = few(rows)
        seen = Moments.of(columns.values(X))
        self._moments = seen if first or not hasattr(self, "_moments") else self._moments.joined(seen)
        self._leaves = _frozen(state)
        return self

    def gibbs(
        self, X: ArrayLike, *, n_steps: int = 1, random_state: int | np.random.RandomState | None = None
    ) -> np.ndarray:
        """`n_steps` sweeps of block Gibbs sampling x → h → x from each row.

        Repeated calls make a chain: an integer `random_state`, here or of the estimator, begins a sequence of
        random numbers after `fit`, and each further call with it goes on in that sequence.

        >>> rows = np.repeat([[0, 0, 1], [1, 1, 0]], 50, axis=0)
        >>> machine = BoltzmannMachine(4, random_state=0).fit(rows)
        >>> one, two = machine.gibbs(rows), machine.gibbs(rows)
        >>> bool((one == two).all())
        False
        """
        X = self._checked(X)
        key = self._next_key(self.random_state if random_state is None else random_state)
        v = jnp.asarray(self._known(self._values(X))[:, : self._size], jnp.float32)
        found = _sweeps(self.model_, v, key, positive_int("n_steps", n_steps))
        return self._columns().data(np.asarray(found, np.float64))

    def _next_key(self, random_state: int | np.random.RandomState | None) -> Any:
        """A key from the sequence that an integer began when it was first given after `fit`; from any other
        `random_state`, as it says."""
        if isinstance(random_state, numbers.Integral):
            random_state = self._sequences.setdefault(int(random_state), check_random_state(random_state))
        return self._key(random_state)

    @property
    def components_(self) -> np.ndarray:
        return self.parameters_[2].T

    @property
    def intercept_visible_(self) -> np.ndarray:
        return self.parameters_[0]

    @property
    def intercept_hidden_(self) -> np.ndarray:
        return self.parameters_[1]

    def _check_parameters(self) -> None:
        positive_int("n_components", self.n_components, "give the number of hidden units")
        positive_int("n_chains", self.n_chains)
        positive_int("n_steps", self.n_steps)
        if self.method not in ("auto", "pcd", "cd"):
            raise fail("method", "'auto', 'pcd' or 'cd'", self.method)
        _check_hidden(self.hidden_units)
        self._objective()

    def _objective(self) -> KL:
        method = CD(self.n_steps) if self.method == "cd" else PCD(self.n_chains, self.n_steps)
        return KL(method, weight_decay=self.weight_decay)

    def _hidden(self) -> tuple[tuple[int, ...], str]:
        return (int(self.n_components),), self.hidden_units

    def _blank(self, units: str, width: int, hidden: tuple[tuple[int, ...], str], key: Array) -> RBM:
        (count,), kind = hidden
        return RBM(width, count, units=units, hidden_units=kind, scale=SCALE, dtype="float32", key=key)

    def _settings(self) -> tuple[dict[str, Any], dict[str, Any]]:
        method = None if self.method == "auto" else self._objective().method
        common = {
            "method": method,
            "steps": self.n_steps,
            "epochs": self._passes,
            "learning_rate": self._rate,
        }
        return common, {}

    def _features(self) -> Callable[..., Any]:
        return _hidden_means

    def _scores(self) -> Callable[..., Any]:
        return _log_psi

    def _downwards(self) -> Callable[..., Any]:
        return _visible_means


def _check_hidden(hidden_units: object) -> None:
    if hidden_units not in HIDDEN:
        raise fail("hidden_units", "one of " + ", ".join(map(repr, HIDDEN)), hidden_units)


def _frozen(state: PyTree) -> list[np.ndarray]:
    """The numbers of a `TrainState`, its key as integers."""
    bare = state._replace(key=jax.random.key_data(state.key))
    return [np.asarray(leaf) for leaf in jax.tree.leaves(bare)]


def _thawed(blank: PyTree, leaves: list[np.ndarray]) -> Any:
    """The state of `_frozen`, at the beginning of new data; `blank` has its structure."""
    structure = jax.tree.structure(blank._replace(key=jax.random.key_data(blank.key)))
    state = jax.tree.unflatten(structure, leaves)
    objective_state = StreamState(np.int64(0), state.objective_state.inner)
    key = jax.random.wrap_key_data(jnp.asarray(state.key))
    return state._replace(step=int(state.step), objective_state=objective_state, key=key)


# ------------------------------------------------------------------------------- compiled functions


@jax.jit
def _hidden_means(model: RBM, v: Array) -> Array:
    return model.hidden_given_visible(v)


@jax.jit
def _log_psi(model: RBM, v: Array) -> Array:
    return -model.free_energy(v)


@jax.jit
def _visible_means(model: RBM, h: Array) -> Array:
    return model.visible_given_hidden(h)


@jax.jit
def _sweeps(model: RBM, v: Array, key: Array, count: object) -> Array:
    def sweep(i: Array, v: Array) -> Array:
        up, down = jax.random.split(jax.random.fold_in(key, i))
        return model.sample_visible(model.sample_hidden(v, key=up), key=down)

    return jax.lax.fori_loop(0, count, sweep, v)
