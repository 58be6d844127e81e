"""Below independent columns: whose columns they are, and what follows, as a user reads it."""

from __future__ import annotations

import warnings

import jax
import numpy as np
import pytest

import intertwine as it
from intertwine._caveats import Caveat, code_of
from intertwine.boltzmann.baseline import Moments, independent_columns
from intertwine.models.machines.unit_layer import UnitLayer
from intertwine.records.caveats import _below_independent

PATTERNS = np.array([[1] * 6 + [0] * 6, [0] * 6 + [1] * 6])


def two_modes() -> tuple[it.RBM, np.ndarray, np.ndarray]:
    """The mixture of two patterns of 12 bits with 5 % noise, 400 rows of it, and the pattern of each."""
    rng = np.random.default_rng(1)
    first, second = 3.0 * (2 * PATTERNS - 1.0)
    machine = it.RBM.from_parameters(
        first.astype("f4"), np.zeros(1, "f4"), (second - first)[:, None].astype("f4"),
        units="binary", hidden_units="binary",
    )  # fmt: skip
    which = rng.integers(0, 2, 400)
    noise = rng.random((400, 12)) < 1 / (1 + np.exp(3.0))
    return machine, (PATTERNS[which] ^ noise).astype(np.uint8), which


def learned(machine: it.RBM, rows: np.ndarray) -> it.BoltzmannMachine:
    """An estimator that has learned the rows perfectly: the parameters are those of `machine`."""
    found = it.BoltzmannMachine(1, method="pcd", n_iter=1, random_state=0).fit(rows)
    found.parameters_ = [np.asarray(x) for x in jax.tree.leaves(machine)]
    return found


def test_the_function_says_only_that_the_columns_are_of_these_rows() -> None:
    machine, rows, which = two_modes()
    said = it.log_likelihood(machine, rows[which == 0], it.log_partition(machine, it.Exact())).warnings
    assert [code_of(line) for line in said] == ["below-baseline"]
    assert "fitted to these very rows" in said[0]
    assert "learned" not in said[0] and "train" not in said[0]


@pytest.mark.slow
def test_the_estimator_judges_by_the_columns_it_learned_from() -> None:
    pytest.importorskip("sklearn")
    machine, rows, which = two_modes()
    found = learned(machine, rows)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert found.score(rows[which == 0]) > -6  # −4.5; columns of all rows: −8.3
    with pytest.warns(Caveat, match="overfitting"):
        found.score(np.zeros((50, 12), np.uint8))


def test_a_constant_real_column_judges_nothing() -> None:
    pytest.importorskip("sklearn")
    rows = np.c_[np.full(200, 3.0), np.random.default_rng(0).normal(size=200)]
    machine = it.RBM.from_parameters(
        np.zeros(2, "f4"), np.zeros(1, "f4"), np.zeros((2, 1), "f4"), units="gaussian", hidden_units="binary"
    )
    said = it.log_likelihood(machine, rows, it.log_partition(machine, it.Exact())).warnings
    assert [code_of(line) for line in said] == ["unjudged"]
    with pytest.warns(Caveat, match="constant") as told:
        it.BoltzmannMachine(1, method="pcd", n_iter=1, random_state=0).fit(rows).score(rows)
    assert not any("learned" in str(line.message) for line in told)


def test_the_command_says_overfitting_where_the_rows_learned_from_beat_columns() -> None:
    record = {
        "log_likelihood": {"train": {"mean": -5.0}, "test": {"mean": -12.0, "error": 0.1}},
        "independent_columns": {"train": {"mean": -8.0}, "test": {"mean": -9.0}},
    }
    assert "overfitting" in _below_independent(record)[0]
    record["log_likelihood"]["train"]["mean"] = -11.0
    assert "has not learned" in _below_independent(record)[0]


def test_moments_of_parts_are_those_of_the_whole() -> None:
    rows = np.random.default_rng(0).normal(size=(30, 4))
    rows[::3, 1], rows[:10, 2] = np.nan, np.nan
    whole, joined = Moments.of(rows), Moments.of(rows[:10]).joined(Moments.of(rows[10:]))
    assert all(np.allclose(x, y, rtol=1e-12) for x, y in zip(whole, joined, strict=True))
    layer = UnitLayer.of("gaussian", 4)
    assert np.allclose(independent_columns(layer, rows, whole), independent_columns(layer, rows, rows))


def collapsed() -> tuple[it.RBM, np.ndarray]:
    """One column with two modes, and the machine that is one normal distribution of its mean and variance."""
    rng = np.random.default_rng(3)
    rows = np.where(rng.random((600, 1)) < 0.5, -20.0, 30.0) + 3 * rng.normal(size=(600, 1))
    variance = rows.var()
    machine = it.RBM.from_parameters(
        rows.mean(0) / variance, np.zeros(2), np.zeros((1, 2)), units="gaussian", hidden_units="binary",
        log_variance=[np.log(variance)],
    )  # fmt: skip
    return machine, rows


@pytest.mark.slow
def test_a_machine_that_is_one_normal_where_there_are_two_says_that_nothing_is_learned() -> None:
    machine, rows = collapsed()
    said = it.log_likelihood(machine, rows, it.log_partition(machine, it.Exact())).warnings
    assert [code_of(line) for line in said] == ["below-baseline"]
    assert "nothing is learned beyond the columns" in said[0]
    normal = np.random.default_rng(4).normal(rows.mean(), rows.std(), (600, 1))  # here there is nothing more
    assert it.log_likelihood(machine, normal, it.log_partition(machine, it.Exact())).warnings == ()


@pytest.mark.slow
def test_the_estimator_says_it_too() -> None:
    pytest.importorskip("sklearn")
    _, rows = collapsed()
    found = it.BoltzmannMachine(2, random_state=0).fit(rows)  # too few units: still one normal
    with pytest.warns(Caveat, match="nothing is learned beyond the columns"):
        found.score(rows)


def test_a_machine_short_of_a_mixture_of_products_says_so() -> None:
    """Three clusters, and a machine of one unit that has one alone and two as one; ln p by hand."""
    rng = np.random.default_rng(5)
    middles, noise = np.repeat(np.eye(3, dtype=int), 10, axis=1), 0.05
    rows = middles[rng.integers(0, 3, 900)] ^ (rng.random((900, 30)) < noise)
    means = np.stack([rows[rows[:, :10].mean(1) > 0.5].mean(0), rows[rows[:, :10].mean(1) < 0.5].mean(0)])
    fields = np.log(means / (1 - means))
    level = np.log1p(np.exp(fields)).sum(1)
    bias = np.log(0.5) + level[1] - level[0]
    machine = it.RBM.from_parameters(
        fields[1], [bias], (fields[0] - fields[1])[:, None], units="binary", hidden_units="binary"
    )
    found = it.log_likelihood(machine, rows, it.log_partition(machine, it.Exact()))
    by_hand = np.logaddexp.reduce(rows @ fields.T - level + np.log([[1 / 3, 2 / 3]]), axis=1).mean()
    np.testing.assert_allclose(found.mean, by_hand, atol=1e-4)
    assert [code_of(line) for line in found.warnings] == ["below-mixture"]
