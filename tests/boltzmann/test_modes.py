"""Machines and data with modes far apart: ln Z, samples, likelihoods and learning, as a user calls them."""

from __future__ import annotations

import warnings

import jax
import numpy as np
import pytest

import intertwine as it
from intertwine._caveats import Caveat, code_of
from intertwine.boltzmann.objectives.exact import exact_log_partition
from intertwine.models.machines.base_rate import base_rate
from intertwine.models.machines.product_mixture import ProductMixture
from intertwine.models.machines.unit_layer import UnitLayer

pytestmark = pytest.mark.filterwarnings("ignore::intertwine._caveats.Caveat")
KEY = jax.random.key(0)


def two_patterns(odds: float = 1.0, bits: int = 100) -> tuple[it.RBM, np.ndarray, np.ndarray]:
    """The mixture of two random patterns of so many bits with 3 % noise, the first `odds` times as likely,
    and the patterns."""
    first, second = np.random.default_rng(0).integers(0, 2, (2, bits))
    fields = 3.5 * (2 * first - 1.0)
    weights = (3.5 * (2 * second - 1.0) - fields)[:, None]
    bias = np.logaddexp(0, fields).sum() - np.logaddexp(0, fields + weights[:, 0]).sum() - np.log(odds)
    machine = it.RBM.from_parameters(fields, [bias], weights, units="binary", hidden_units="binary")
    return machine, first, second


def mixture_of(machine: it.RBM, patterns: object, shares: list[float]) -> ProductMixture:
    layer = machine.visible_layer
    fields = np.stack([base_rate(layer, pattern.astype(float)) for pattern in patterns])
    return ProductMixture(jax.numpy.asarray(fields), jax.numpy.log(jax.numpy.asarray(shares)), layer)


def share_of(pattern: np.ndarray, rows: object) -> float:
    """Of the rows that are nearer to the pattern than a quarter of the bits."""
    return float(((np.asarray(rows) != pattern).sum(1) < 25).mean())


@pytest.mark.slow
@pytest.mark.parametrize("odds", [1.0, 3.0])
def test_ln_z_covers_both_modes_without_data(odds: float) -> None:
    machine, *_ = two_patterns(odds)
    exact = exact_log_partition(machine)
    found = it.log_partition(machine, it.AIS(temperatures=300, chains=50), key=KEY)
    assert found.trusted and found.warnings == ()
    assert found.lower <= exact <= found.upper
    assert abs(found.mean - exact) < 4 * found.error


@pytest.mark.slow
def test_a_base_that_leaves_out_a_mode_is_not_trusted() -> None:
    machine, *_ = two_patterns()
    exact = exact_log_partition(machine)
    for base in ("uniform", np.asarray(machine.visible_bias)):
        found = it.log_partition(machine, it.AIS(temperatures=300, chains=50, base=base), key=KEY)
        assert not found.trusted or found.lower <= exact <= found.upper
        assert found.trusted or code_of(found.warnings[0]) == "untrusted"


@pytest.mark.slow
def test_walks_one_way_judge_nothing() -> None:
    machine, *_ = two_patterns()
    found = it.log_partition(machine, it.AIS(temperatures=100, chains=20, reverse=False), key=KEY)
    assert found.trusted is None and code_of(found.warnings[0]) == "unjudged"
    likelihood = it.log_likelihood(machine, [[0, 1] * 50, [1, 0] * 50], found)
    assert "unjudged" in [code_of(line) for line in likelihood.warnings]


@pytest.mark.parametrize(
    "sampler", [pytest.param(it.TemperedGibbs(steps=50), marks=pytest.mark.slow), it.Annealed(200)]
)
def test_samples_lie_in_both_modes(sampler: object) -> None:
    machine, _, second = two_patterns(3.0)
    drawn = it.sample(machine, 400, sampler=sampler, key=KEY)
    assert abs(share_of(second, drawn) - 0.25) < 4 * np.sqrt(0.25 * 0.75 / 400) + 0.02
    assert drawn.mixed and drawn.warnings == ()


@pytest.mark.slow
def test_tempered_samples_forget_the_shares_of_their_base() -> None:
    machine, *patterns = two_patterns(bits=40)
    base = mixture_of(machine, patterns, [0.1, 0.9])
    sampler = it.TemperedGibbs(steps=40, base=base)
    off = []
    for seed in range(6):
        drawn = it.sample(machine, 400, sampler=sampler, key=jax.random.key(seed))
        far = [(np.asarray(drawn) != pattern).sum(1) for pattern in patterns]
        off.append(((far[1] < far[0]).mean() - 0.5) / np.sqrt(0.25 / drawn.ess))
    assert max(np.abs(off)) < 4  # errors, of the stated worth
    assert sum(np.square(off)) < 6 + 4 * np.sqrt(12)


@pytest.mark.slow
def test_a_held_bit_says_the_mode_that_a_tempered_sampler_draws() -> None:
    machine, first, second = two_patterns(bits=40)
    place = int(np.flatnonzero(first != second)[0])
    base = mixture_of(machine, (first, second), [0.5, 0.5])
    sampler = it.TemperedGibbs(steps=40, base=base, clamped=([place], [float(first[place])]))
    drawn = np.asarray(it.sample(machine, 400, sampler=sampler, key=KEY))
    share = ((drawn != second).sum(1) < (drawn != first).sum(1)).mean()
    expected = 1 / (1 + np.exp(3.5))  # P(second | bit): its noise is 1/(1 + e^3.5)
    assert abs(share - expected) < 4 * np.sqrt(expected / 100)


def test_samples_from_one_mode_are_not_mixed() -> None:
    machine, first, _ = two_patterns()
    sampler = it.Gibbs(steps=50, start=first[None])
    with pytest.warns(Caveat, match="modes"):
        drawn = it.sample(machine, 100, sampler=sampler, key=KEY)
    assert share_of(first, drawn) == 1.0
    assert drawn.mixed is False and code_of(drawn.warnings[-1]) == "chains-disagree"


def test_a_mixture_is_a_base_of_known_weight() -> None:
    machine, first, second = two_patterns()
    layer = UnitLayer.of("binary", 100)
    fields = np.stack([base_rate(layer, m) for m in (first, second, 0.5 * (first + second))])
    mixture = ProductMixture(*map(jax.numpy.asarray, (fields, np.log([0.2, 0.5, 0.3]))), layer)
    found = it.log_partition(machine, it.AIS(temperatures=300, chains=50, base=mixture), key=KEY)
    assert abs(found.mean - exact_log_partition(machine)) < 4 * found.error


def test_likelihoods_of_a_doubtful_ln_z_and_below_independent_columns_say_so() -> None:
    rng = np.random.default_rng(0)
    rows = (rng.random((500, 20)) < 0.1).astype(np.uint8)
    fresh = it.RBM(20, hidden=4, units="binary", hidden_units="binary", key=KEY)
    said = it.log_likelihood(fresh, rows, it.log_partition(fresh, it.Exact())).warnings
    assert [code_of(line) for line in said] == ["below-baseline"]
    base = base_rate(fresh.visible_layer, rows.mean(0)).astype(np.float32)
    right = it.RBM.from_parameters(
        base, np.zeros(4, np.float32), np.zeros((20, 4), np.float32), units="binary", hidden_units="binary"
    )
    assert it.log_likelihood(right, rows, it.log_partition(right, it.Exact())).warnings == ()


@pytest.mark.slow
def test_an_estimator_below_independent_columns_warns() -> None:
    pytest.importorskip("sklearn")
    rng = np.random.default_rng(0)
    data = rng.integers(0, 2, (6, 100))[rng.integers(0, 6, 600)] ^ (rng.random((600, 100)) < 0.03)
    machine = it.BoltzmannMachine(6, method="pcd", n_iter=2, random_state=0).fit(data)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(Caveat, match="independent columns"):
            machine.score(1 - data)  # rows of which it has learned the opposite
