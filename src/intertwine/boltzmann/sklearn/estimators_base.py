r"""What the scikit-learn estimators of Boltzmann machines share: data in, features, scores and samples out.

A fitted estimator holds NumPy arrays only (`parameters_`), so that it is cloned, pickled and inspected as any
other; `model_` is the machine of this library that they make. Learning is done in float32; features and
scores are computed in float64, and returned in float32 where X is, so that they do not depend on which rows
come together.
"""

from __future__ import annotations

import zlib
from abc import abstractmethod
from collections.abc import Callable, Mapping
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from jaxtyping import PyTree
from numpy.typing import ArrayLike

from intertwine._caveats import tell
from intertwine._checks import fail, positive_int
from intertwine.boltzmann.baseline import Moments, below_independent, complete_rows, independent_columns
from intertwine.boltzmann.beyond_columns import beyond_columns
from intertwine.boltzmann.known_entries import log_known
from intertwine.boltzmann.objectives.exact import exact_log_partition, is_enumerable
from intertwine.boltzmann.partition.log_partition import AIS, log_partition
from intertwine.boltzmann.sklearn.estimators_units import (
    Columns,
    added_log_partition,
    check_units,
    filled,
    repeated,
    resized,
)
from intertwine.boltzmann.training.descent import Falling
from intertwine.boltzmann.training.families import training
from intertwine.boltzmann.training.learn import taught
from intertwine.boltzmann.training.teaching import Teaching
from intertwine.learning.batches import Batches
from intertwine.models.machines.unit_layer import UnitLayer
from intertwine.sampling.draw import sample
from intertwine.sampling.gibbs.gibbs import Gibbs
from intertwine.sampling.missing import complete

try:
    from sklearn.base import BaseEstimator, ClassNamePrefixFeaturesOutMixin, TransformerMixin
    from sklearn.utils import check_random_state
    from sklearn.utils.validation import check_is_fitted, validate_data
except ImportError as error:
    raise ImportError(
        "the estimators need scikit-learn 1.6 or later: pip install 'intertwine[sklearn]'"
    ) from error

_MOST_FOR_EXACT = 2**18
_CHUNK = 4096
_TOLD = ("layer", "epoch", "reconstruction_error", "free_energy", "seconds")
_KNOWN_ROWS = 256
GREY_DRAWS = 8
"""Binary draws of a row of probabilities, of which `score_samples` is the mean."""


class MachineEstimator(ClassNamePrefixFeaturesOutMixin, TransformerMixin, BaseEstimator):
    """The parts that do not depend on the machine; concrete estimators say how it learns and is read."""

    units: Any
    learning_rate: Any
    n_iter: Any
    batch_size: Any
    n_chains: Any
    weight_decay: Any
    verbose: Any
    random_state: Any
    n_features_in_: int
    _finite: Any = True
    """"allow-nan" where an estimator learns from rows with missing entries."""

    # What a concrete estimator gives

    @abstractmethod
    def _check_parameters(self) -> None:
        """Raise InputError for parameters out of range."""

    @abstractmethod
    def _hidden(self) -> tuple[tuple[int, ...], str]:
        """The hidden layers' sizes and kind that the parameters ask for."""

    @abstractmethod
    def _blank(self, units: str, width: int, hidden: tuple[tuple[int, ...], str], key: Array) -> Any:
        """The machine before learning."""

    @abstractmethod
    def _settings(self) -> tuple[dict[str, Any], dict[str, Any]]:
        """What the parameters say of `Teaching`, and of the settings that the machine has besides."""

    @abstractmethod
    def _features(self) -> Callable[..., Any]:
        """The compiled function (model, v) → features."""

    @abstractmethod
    def _scores(self) -> Callable[..., Any]:
        """The compiled function (model, v) → ln p(v) + ln Z, or a bound."""

    @abstractmethod
    def _downwards(self) -> Callable[..., Any]:
        """The compiled function (model, features) → visible means."""

    @property
    def _passes(self) -> int | None:
        return None if self.n_iter == "auto" else self.n_iter

    @property
    def _rate(self) -> Falling | None:
        return None if self.learning_rate == "auto" else Falling(float(self.learning_rate))

    # scikit-learn's methods

    def fit(self, X: PyTree, y: ArrayLike | None = None) -> Any:
        """Learn the distribution of the rows of X (rows, columns); y is not used.

        Raises ValueError (`InputError`) for data and parameters that are not what they should be.
        """
        self._check_common()
        X = validate_data(self, X, dtype="numeric", ensure_all_finite=self._finite)
        key = self._key(self.random_state)
        begin, learning = jax.random.split(key)
        columns = Columns.of(self.units, X)
        rows = self._rows(columns, X)
        model = self._blank(columns.units, rows.shape[1], self._hidden(), begin)
        batches = Batches(rows, self.batch_size, binarise=columns.units == "binary")
        settings, own = self._settings()
        teaching = Teaching(chains=self.n_chains, weight_decay=self.weight_decay, begin="data", **settings)
        study = training(model, batches, teaching, key=learning, most=None, **own)
        fit = taught(study, self._told if self.verbose else None)
        self.__dict__.pop("_leaves", None)
        self._keep(columns, fit.model, fit.history)
        self._near = few(rows)
        self._moments = Moments.of(columns.values(X))
        return self

    def transform(self, X: PyTree) -> np.ndarray:
        """The features of the rows of X: (rows, features), float32 for X in float32 and else float64."""
        X = self._checked(X)
        values = self._known(self._values(X))
        return self._by_chunks(self._features(), values).astype(_float(X), copy=False)

    def inverse_transform(self, X: PyTree) -> np.ndarray:
        """The means of the columns given features (rows, features)."""
        check_is_fitted(self)
        from sklearn.utils import check_array

        X = np.asarray(check_array(X, dtype=[np.float64, np.float32]))  # type: ignore[arg-type]
        if X.shape[1] != self._n_features_out:
            raise fail("X", f"{self._n_features_out} features", f"shape {X.shape}")
        means = self._by_chunks(self._downwards(), X)[:, : self._size]
        return self._columns().data(means).astype(_float(X), copy=False)

    def score_samples(self, X: PyTree) -> np.ndarray:
        """ln p(x) of each row in nats; which bound or estimate it is, the class says. ln Z is found once and
        kept. Of rows with values between those of binary units: the mean of ln p over GREY_DRAWS binary draws
        from these probabilities, which are a function of the row alone."""
        X = self._checked(X)
        columns = self._columns()
        model = self._wide()
        if not hasattr(self, "_log_z"):
            self._log_z = self._log_partition(model) - added_log_partition(
                columns.units, model.size - self._size
            )
        values, of_row = self._values(X), None
        if np.isnan(values).any():
            own = log_known(model, np.asarray(values, np.float32))
            return own - self._log_z - columns.log_volume_of(np.isnan(X))
        if columns.units == "binary":
            values, of_row = binary_draws(np.asarray(values, np.float64))
        found = self._by_chunks(self._scores(), values)
        if of_row is not None:
            found = np.bincount(of_row, found) / np.bincount(of_row)
        return found - self._log_z - columns.log_volume

    def score(self, X: ArrayLike, y: ArrayLike | None = None) -> float:
        """The mean of `score_samples`, nats a row; y is not used.

        Warns (`Caveat`) where it lies below that of independent columns, with the frequencies or moments of
        the rows learned from, by more than chance, or equals it while a mixture of products does better.
        """
        found = self.score_samples(X)
        if hasattr(self.model_, "visible_bias"):  # bounds may lie below
            columns = self._columns()
            rows = self._checked(X)
            values = columns.values(rows)
            volume = columns.log_volume_of(np.isnan(rows)) if np.isnan(values).any() else columns.log_volume
            layer = UnitLayer.of(columns.units, values.shape[1])
            alone = independent_columns(layer, values, self._moments)
            said = below_independent(found, alone - volume, learned=False)
            if said and self._beats_columns(layer):
                said = below_independent(found, alone - volume, learned=True)
            tell(beyond_columns(layer, values, found, alone - volume) or said)
        return float(found.mean())

    def sample(
        self,
        n_samples: int = 1,
        *,
        n_steps: int | None = None,
        random_state: int | np.random.RandomState | None = None,
    ) -> np.ndarray:
        """New rows (n_samples, columns): one chain of `n_steps` sweeps of block Gibbs sampling each; by
        default 1000, with tempering where the machine has modes far apart (`it.sample`).

        Warns (`NotMixed`) where that is too few.
        """
        check_is_fitted(self)
        key = self._key(self.random_state if random_state is None else random_state)
        sampler = None if n_steps is None else Gibbs(steps=positive_int("n_steps", n_steps))
        drawn = sample(self.model_, positive_int("n_samples", n_samples), sampler=sampler, key=key)
        return self._columns().data(np.asarray(drawn, np.float64))

    @property
    def model_(self) -> Any:
        """The machine: an RBM, DBN or DBM in float32."""
        check_is_fitted(self)
        hidden = (self.hidden_sizes_, self._hidden_kind)
        blank = self._blank(self.units_, self._size, hidden, jax.random.key(0))
        leaves = [jnp.asarray(x) for x in self.parameters_]
        return jax.tree.unflatten(jax.tree.structure(blank), leaves)

    @property
    def _n_features_out(self) -> int:
        return self.hidden_sizes_[-1]

    # Between them

    def _check_common(self) -> None:
        check_units(self.units)
        if not (isinstance(self.n_iter, str) and self.n_iter == "auto"):
            positive_int("n_iter", self.n_iter, "give the passes over the data")
        positive_int("batch_size", self.batch_size, "give the rows of a mini-batch")
        rate = self.learning_rate
        number = isinstance(rate, int | float | np.number) and not isinstance(rate, bool)
        if not (rate == "auto" or (number and 0 < rate < np.inf)):
            raise fail("learning_rate", "a positive number or 'auto'", rate)
        self._check_parameters()

    def _told(self, state: Mapping[str, object], scalars: dict[str, float]) -> None:
        words = ", ".join(
            f"{name.replace('_', ' ')} {scalars[name]:.4g}" for name in _TOLD if name in scalars
        )
        print(f"{type(self).__name__}: {words}", flush=True)

    def _key(self, random_state: int | np.random.RandomState | None) -> Any:
        return jax.random.key(check_random_state(random_state).randint(np.iinfo(np.int32).max))

    def _checked(self, X: PyTree) -> np.ndarray:
        check_is_fitted(self)
        return np.asarray(
            validate_data(self, X, reset=False, dtype="numeric", ensure_all_finite=self._finite)
        )

    @property
    def _size(self) -> int:
        """Columns of the machine."""
        return self._columns().count(self.n_features_in_)

    def _columns(self) -> Columns:
        return Columns(self.units_, self.mean_, self.scale_)

    def _known(self, values: np.ndarray) -> np.ndarray:
        """Values with the missing ones at their means given the rest of their row."""
        if not np.isnan(values).any():
            return values
        return complete(self._wide(), np.asarray(values, np.float32), key=jax.random.key(0)).mean

    def _rows(self, columns: Columns, X: np.ndarray) -> np.ndarray:
        """The rows to learn from: values of the units, float32, in the columns and rows that are compiled."""
        values = columns.values(X).astype(np.float32)
        values = filled(values, columns.width(values.shape[1]))
        return repeated(values, self.batch_size)

    def _values(self, X: np.ndarray) -> np.ndarray:
        return filled(self._columns().values(X), self._columns().width(self._size))

    def _keep(self, columns: Columns, model: PyTree, history: list[dict[str, float]]) -> None:
        self.units_, self.mean_, self.scale_ = columns
        self.hidden_sizes_, self._hidden_kind = self._hidden()
        self.parameters_ = [np.asarray(x) for x in jax.tree.leaves(resized(model, self._size))]
        self.history_ = history
        self._sequences: dict[int, Any] = {}
        self.n_iter_ = len(history)
        self.__dict__.pop("_log_z", None)

    def _wide(self) -> Any:
        """The machine in the width that is compiled."""
        return resized(self.model_, self._columns().width(self._size))

    def _by_chunks(self, function: Callable[..., Any], values: np.ndarray) -> np.ndarray:
        """The function of the machine and of many rows in float64, a compiled number of rows at a time."""
        found, model = [], self._wide()
        size = min(_CHUNK, max(16, 1 << (len(values) - 1).bit_length()))
        with jax.enable_x64(True):
            model = jax.tree.map(lambda x: jnp.asarray(np.asarray(x), jnp.float64), model)
            for begin in range(0, len(values), size):
                part = np.asarray(values[begin : begin + size], np.float64)
                whole = np.pad(part, ((0, size - len(part)), (0, 0)), mode="edge")
                found.append(np.asarray(function(model, jnp.asarray(whole)))[: len(part)])
        return np.concatenate(found)

    def _beats_columns(self, layer: UnitLayer) -> bool:
        """Whether some of the rows learned from are likelier by the machine than by independent columns."""
        if self._near is None:
            return False
        near = np.asarray(self._near, np.float64)
        own = self._by_chunks(self._scores(), near) - self._log_z
        return bool(own.mean() > independent_columns(layer, near[:, : self._size], self._moments).mean())

    def _log_partition(self, model: PyTree) -> float:
        """ln Z of the machine: exact where it can be enumerated, else by annealed importance sampling."""
        known = None if hasattr(model, "top") else self._near
        model = getattr(model, "top", model)
        if is_enumerable(model, _MOST_FOR_EXACT):
            return exact_log_partition(model)
        return float(log_partition(model, AIS(temperatures=1000, known=known), key=jax.random.key(0)).mean)


def few(rows: np.ndarray) -> np.ndarray | None:
    """Rows learned from near which modes are looked for, binary ones as bits; None where all miss entries."""
    some = complete_rows(rows[:: -(-len(rows) // _KNOWN_ROWS)])
    if some is None:
        return None
    return (some > 0.5).astype(np.int8) if some.min() >= 0 and some.max() <= 1 else some


def binary_draws(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(rows of 0 and 1, the number of the row of `values` that each stands for).

    A row of zeros and ones stands for itself. Others are drawn GREY_DRAWS times, two and two with opposite
    random numbers, from a seed that is a function of the row.

    >>> rows, of_row = binary_draws(np.array([[0.0, 1.0], [0.5, 0.0]]))
    >>> of_row.tolist(), float(rows[1:, 0].mean())
    ([0, 1, 1, 1, 1, 1, 1, 1, 1], 0.5)
    """
    grey = ((values > 0) & (values < 1)).any(1)
    if not grey.any():
        return values, np.arange(len(values))
    counts = np.where(grey, GREY_DRAWS, 1)
    of_row = np.repeat(np.arange(len(values)), counts)
    rows = values[of_row]
    for first, row in zip((np.cumsum(counts) - counts)[grey], values[grey], strict=True):
        half = np.random.default_rng(zlib.crc32(row.tobytes())).random((GREY_DRAWS // 2, len(row)))
        rows[first : first + GREY_DRAWS] = np.concatenate([half, 1 - half]) < row
    return rows, of_row


def _float(X: np.ndarray) -> Any:
    return np.float32 if X.dtype == np.float32 else np.float64
