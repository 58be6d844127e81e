"""Exact mutual information against enumeration and closed forms; bounds from samples against the exact."""

import math
from functools import cache

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from intertwine._checks import InputError
from intertwine.learning.traces import count_traces
from intertwine.models.spins.ising import CRITICAL_SQUARE, Ising
from intertwine.models.spins.spin_enumeration import enumerate_distribution
from intertwine.rg.blocks.blocking import Decimation, Majority
from intertwine.rg.blocks.blocks import block_sites
from intertwine.rg.blocks.chains import chains_of
from intertwine.rg.information.block_critic import FilterRule, TableRule
from intertwine.rg.information.block_window import BlockWindow
from intertwine.rg.information.information_bound import Training, mutual_information_bound
from intertwine.rg.information.mutual_information import (
    mutual_information,
    optimal_filter,
    rule_table,
    table_information,
)
from intertwine.sampling.draw import sample
from intertwine.sampling.enumeration import all_configurations
from intertwine.sampling.spins.cluster import SwendsenWang
from intertwine.spaces.lattices import Chain, Honeycomb, Square, Triangular

KEY = jax.random.key(11)
MAJORITY = Majority(2)
FILTERS = {
    "uniform": np.ones(4),
    "one-spin": np.array([2.0, 0, 0, 0]),
    "tilted": np.array([0.9, 0.3, -0.2, 0.6]),
}


def _enumerated(model: Ising, window: BlockWindow, rule: np.ndarray) -> float:
    """I(H; E) with all spins of the environment, nothing left out."""
    found = enumerate_distribution(model)
    spins = found.configurations
    numbers = [
        (spins[:, sites] < 0) @ (1 << np.arange(len(sites))[::-1])
        for sites in (window.inside[0], window.outside[0])
    ]
    joint = np.zeros((2 ** len(window.inside[0]), 2 ** len(window.outside[0])))
    np.add.at(joint, tuple(numbers), found.probabilities)
    return table_information(rule @ joint)


@pytest.mark.parametrize("K", [-0.5, 0.2, CRITICAL_SQUARE, 0.7])
@pytest.mark.parametrize("name", FILTERS)
def test_exact_is_enumeration(K: float, name: str) -> None:
    """4×4 torus, block 2×2, no buffer: the spins that the shortcut leaves out know nothing more."""
    model = Ising(Square(4, 4), K)
    window = BlockWindow(model.lattice, 2, 0, None)
    truth = _enumerated(model, window, rule_table(FILTERS[name], 4))
    assert abs(mutual_information(model, FILTERS[name], buffer=0) - truth) < 1e-13


@pytest.mark.parametrize(
    ("model", "block", "buffer", "environment"),
    [
        (Ising(Square(4, 5), 0.44), 2, 1, None),
        (Ising(Square(4, 4), 0.3, 0.1, further={"next": 0.1, "plaquette": 0.1}), 2, 0, None),
        (Ising(Triangular(4, 4), 0.25), 2, 0, 1),
        (Ising(Chain(14), 0.8), 3, 2, 2),
        (Ising(Honeycomb(3, 3), 0.6), 1, 0, None),
    ],
)
def test_exact_on_other_windows(model: Ising, block: int, buffer: int, environment: int | None) -> None:
    window = BlockWindow(model.lattice, block, buffer, environment)
    spins = window.inside.shape[1]
    rule = np.random.default_rng(0).dirichlet(np.ones(3), 2**spins).T  # a table of three states
    truth = _enumerated(model, window, rule)
    sizes = {"block": block, "buffer": buffer, "environment": environment}
    assert abs(table_information(rule @ _joint(model, window)) - truth) < 1e-13
    whole = np.eye(2**spins)
    assert abs(mutual_information(model, whole, **sizes) - _enumerated(model, window, whole)) < 1e-13


def _joint(model: Ising, window: BlockWindow) -> np.ndarray:
    from intertwine.rg.information.mutual_information import block_environment

    return block_environment(model, window)


def test_chain_closed_form() -> None:
    """A decimated spin of a long chain, buffers of B: p(e₁, h, e₂) = (1 + t₁ e₁h)(1 + t₂ h e₂)/8."""
    K, block, buffer = 0.9, 2, 1
    found = mutual_information(Ising(Chain(400), K), [20.0, 0.0], block=block, buffer=buffer)
    t = math.tanh(K)
    near, far = t ** (buffer + 1), t ** (buffer + block)
    signs = all_configurations(3).astype(float)
    p = (1 + near * signs[:, 0] * signs[:, 1]) * (1 + far * signs[:, 1] * signs[:, 2]) / 8
    joint = p.reshape(2, 2, 2).transpose(1, 0, 2).reshape(2, 4)
    assert abs(found - table_information(joint)) < 1e-12


def test_information_grows_with_what_is_kept() -> None:
    """Data processing: a rule keeps at most I(V; E); a wider buffer leaves less; ln 2 bounds one spin."""
    model = Ising(Square(4, 8), CRITICAL_SQUARE)
    whole = [mutual_information(model, buffer=b) for b in (0, 1, 2)]
    kept = [mutual_information(model, MAJORITY, buffer=b) for b in (0, 1, 2)]
    assert whole[0] > whole[1] > whole[2] > 0
    assert all(0 < k < min(w, math.log(2)) for k, w in zip(kept, whole, strict=True))
    assert abs(mutual_information(Ising(Square(4, 8), 0.0), MAJORITY)) < 1e-14


# ------------------------------------------------------------------------------------------ the best filter


@pytest.mark.parametrize(
    ("extent", "buffer", "K"),
    [((4, 4), 0, CRITICAL_SQUARE), ((4, 5), 1, CRITICAL_SQUARE), ((6, 6), 1, 0.4), ((4, 6), 1, 0.5)],
)
def test_best_filter_is_uniform(extent: tuple[int, int], buffer: int, K: float) -> None:
    """All starts that end at the maximum end at the uniform filter; tolerance 1e-3 of the weights."""
    model = Ising(Square(*extent), K)
    best = optimal_filter(model, buffer=buffer, key=KEY)
    assert np.abs(best.weights - 1).max() < 1e-3
    assert abs(best.information - mutual_information(model, np.ones(4), buffer=buffer)) < 1e-10


def test_best_filters_that_are_not_uniform() -> None:
    """Antiferromagnet: staggered. Chain: one spin at an end of the block. Block of 3×3: the middle less."""
    staggered = optimal_filter(Ising(Square(4, 6), -CRITICAL_SQUARE), key=KEY).weights[0]
    assert np.abs(staggered * [1, -1, -1, 1] * np.sign(staggered[0]) - 1).max() < 1e-3
    chain = np.sort(np.abs(optimal_filter(Ising(Chain(24), 0.7), block=4, key=KEY).weights[0]))
    assert chain[-1] > 1.9 and chain[-2] < 0.3
    middle = optimal_filter(Ising(Square(4, 5), 0.44), block=3, buffer=0, starts=3, key=KEY).weights[0]
    assert middle[4] < 0.5 * np.delete(middle, 4).min()


def test_sharp_filters_break_ties() -> None:
    """I is convex in p(h|v): a majority that breaks ties by one spin keeps more than one with random ties."""
    model = Ising(Square(4, 5), CRITICAL_SQUARE)
    gain = mutual_information(model, Majority(2, ties="first")) - mutual_information(model, MAJORITY)
    assert 1e-5 < gain < 1e-4
    sharp = optimal_filter(model, sharpness=3.0, key=KEY)
    assert sharp.information > mutual_information(model, 3 * np.ones(4)) + 1e-5


def test_blocking_rules() -> None:
    """Rules are read over the block's spins in the order of `block_sites`; sharp filters approach them."""
    window = BlockWindow(Square(4, 6), 2, 1, None)
    blocks = block_sites(window.lattice, 2)
    assert all(row.tolist() in window.inside.tolist() for row in blocks)
    assert np.array_equal(window.inside[0], blocks[0])
    model = Ising(window.lattice, CRITICAL_SQUARE)
    for rule, weights in ((MAJORITY, 20 * np.ones(4)), (Decimation(2), np.array([20.0, 0, 0, 0]))):
        assert abs(mutual_information(model, rule) - mutual_information(model, weights)) < 1e-12


def test_rules_of_the_critic_are_those_of_the_tables() -> None:
    weights = np.random.default_rng(0).normal(size=(2, 4))
    weights /= np.sqrt((weights**2).mean(1, keepdims=True))
    blocks = jnp.asarray(all_configurations(4), float)
    table = rule_table(0.7 * weights, 4)
    assert np.allclose(FilterRule(jnp.asarray(3 * weights), 0.7)(blocks), table.T, atol=1e-12)
    assert np.allclose(FilterRule(jnp.asarray(weights), 1.4)(blocks, 2.0), table.T, atol=1e-12)
    assert np.array_equal(TableRule(jnp.asarray(table))(blocks), table.T)


def test_more_hidden_units_keep_more() -> None:
    model = Ising(Square(4, 6), CRITICAL_SQUARE)
    kept = [optimal_filter(model, hidden=h, sharpness=2.0, starts=4, key=KEY).information for h in (1, 2, 3)]
    assert kept[0] + 0.02 < kept[1] and kept[1] + 0.005 < kept[2] < mutual_information(model)


# --------------------------------------------------------------------------------------- bounds from samples


@cache
def _samples(extent: tuple[int, int], K: float) -> np.ndarray:
    chains, *_ = chains_of(Ising(Square(*extent), K), None, 40_000, key=jax.random.fold_in(KEY, 1))
    return chains


SYSTEMS = [((4, 4), 0, 0.3), ((4, 4), 0, CRITICAL_SQUARE), ((4, 6), 1, CRITICAL_SQUARE), ((4, 6), 1, 0.5)]
CRITICAL = SYSTEMS[1]
QUICK = [
    (SYSTEMS[1], "uniform", "infonce"),
    (SYSTEMS[1], "one-spin", "infonce"),
    (SYSTEMS[1], "tilted", "nwj"),
]
REST = [(s, n, m) for s in SYSTEMS for n in FILTERS for m in ("infonce", "nwj") if (s, n, m) not in QUICK]


@pytest.mark.parametrize(
    ("system", "name", "method"), [*QUICK, *(pytest.param(*case, marks=pytest.mark.slow) for case in REST)]
)
def test_bound_is_below_and_near(system: tuple, name: str, method: str) -> None:
    """At most the truth, within three error bars, and within 5 % of it."""
    extent, buffer, K = system
    model = Ising(Square(*extent), K)
    truth = mutual_information(model, FILTERS[name], buffer=buffer)
    bound = mutual_information_bound(
        _samples(extent, K),
        FILTERS[name],
        model.lattice,
        buffer=buffer,
        environment=None,
        training=Training(method=method, steps=600),  # type: ignore[arg-type]
        key=KEY,
    )
    found = bound.information
    assert found.mean <= truth + 3 * found.error
    assert abs(found.mean / truth - 1) < 0.05
    assert found.error < 0.02 * truth


@pytest.mark.slow
def test_bilinear_critic_is_a_lower_bound_too() -> None:
    """It loses some per cent: ln p(h|e) is not linear in e."""
    model = Ising(Square(4, 4), CRITICAL_SQUARE)
    truth = mutual_information(model, np.ones(4), buffer=0)
    found = mutual_information_bound(
        _samples((4, 4), CRITICAL_SQUARE),
        np.ones(4),
        Square(4, 4),
        buffer=0,
        environment=None,
        training=Training(critic="bilinear", steps=600),
        key=KEY,
    ).information
    assert 0.85 * truth < found.mean <= truth + 3 * found.error


def test_independent_spins_have_none() -> None:
    """No information, and a critic that has learned noise is punished on held-out spins."""
    spins = np.random.default_rng(3).choice(np.array([-1, 1], np.int8), (64, 625, 16))
    quick = Training(steps=600)
    bound = mutual_information_bound(
        spins, np.ones(4), Square(4), buffer=0, environment=None, training=quick, key=KEY
    )
    assert -0.05 < bound.information.mean <= 3 * bound.information.error
    assert bound.limit == math.log(64 * 188)


def test_error_bars_of_what_sample_drew() -> None:
    """Rows of `it.sample` alternate between chains: its own autocorrelation time counts."""
    drawn = sample(Ising(Square(4), 0.44), 1000, sampler=SwendsenWang(chains=4), key=KEY)
    chains, lattice, tau = chains_of(drawn, None, 0, key=KEY)
    assert chains.shape == (1, 1000, 16) and lattice.size == 16
    assert tau is not None and tau >= 1000 / drawn.ess > 1
    assert chains_of(np.asarray(drawn), drawn.lattice, 0, key=KEY)[2] is None


def test_a_second_bound_compiles_nothing() -> None:
    spins = _samples((4, 4), CRITICAL_SQUARE)
    quick = {"buffer": 0, "environment": None, "training": Training(steps=600)}
    one, other = jax.random.split(KEY)
    mutual_information_bound(spins, np.ones(4), Square(4, 4), key=one, **quick)
    with count_traces() as traces:
        mutual_information_bound(spins, 2 * np.ones(4), Square(4, 4), key=other, **quick)
    assert traces.compiled == 0, traces.compiled_names


# ---------------------------------------------------------------------------------------------------- errors

ISING = Ising(Square(6, 6), 0.4)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: mutual_information(Square(6, 6), np.ones(4)), "model: expected an Ising model"),
        (lambda: mutual_information(ISING, np.ones(3)), r"rule: expected finite weights \(4,\)"),
        (lambda: mutual_information(ISING, Majority(3)), "block: expected 3"),
        (lambda: mutual_information(ISING, "majority"), "rule with separate blocks"),
        (lambda: mutual_information(ISING, np.ones((2, 16))), r"columns p\(h\|v\)"),
        (lambda: mutual_information(ISING, np.ones(4), buffer=3), "beyond a block of 2"),
        (lambda: mutual_information(ISING, np.ones(4), buffer=-1), "layers ≥ 0"),
        (lambda: mutual_information(ISING, block=5), "at most 16 spins"),
        (lambda: mutual_information(Ising(Square(6, 6, pbc=False), 0.4)), "periodic"),
        (lambda: optimal_filter(ISING, sharpness=0, key=KEY), "sharpness"),
        (lambda: optimal_filter(ISING, hidden=0, key=KEY), "hidden"),
        (lambda: mutual_information_bound(np.zeros((9, 36)), np.ones(4), Square(6), key=KEY), "spins ±1"),
        (lambda: mutual_information_bound(np.ones((9, 36)), np.ones(4), key=KEY), "lattice of the 36 sites"),
        (lambda: mutual_information_bound(np.ones((9, 36)), np.ones(4), Square(4), key=KEY), "of square:4x4"),
        (lambda: mutual_information_bound(np.ones((3, 36)), np.ones(4), Square(6), key=KEY), "at least 4"),
        (lambda: mutual_information_bound(ISING, np.ones(4), key=0), "random key"),
        (lambda: Training(method="dv"), "'infonce', 'nwj'"),  # type: ignore[arg-type]
        (lambda: Training(batch=1), "negative sample"),
        (lambda: Training(held_out=1.0), "between 0 and 1"),
    ],
)
def test_errors(call, message: str) -> None:
    with pytest.raises(InputError, match=message):
        call()
