"""Learned filters against the exact best ones, on systems where they are and are not uniform."""

import jax
import numpy as np
import pytest

from intertwine._checks import InputError
from intertwine.models.spins.ising import CRITICAL_SQUARE, Ising
from intertwine.rg.blocks.chains import chains_of
from intertwine.rg.information.information_bound import Training
from intertwine.rg.information.learned_blocks import LearnedBlocks, learn_blocks
from intertwine.rg.information.mutual_information import mutual_information, optimal_filter
from intertwine.rg.montecarlo.mcrg import mcrg
from intertwine.spaces.lattice import Lattice
from intertwine.spaces.lattices import Chain, Square

KEY = jax.random.key(17)


QUICK = Training(steps=800)


def _within(found: LearnedBlocks, truth: float) -> None:
    """The bound is below the information of the filter that was found, and within 5 % of it."""
    assert found.information.mean <= truth + 3 * found.information.error
    assert abs(found.information.mean / truth - 1) < 0.05


@pytest.mark.parametrize("buffer", [pytest.param(0, marks=pytest.mark.slow), 1])
def test_critical_point_is_uniform(buffer: int) -> None:
    """6×6 torus at K_c: all four weights equal to 10 %, and the information is that of the filter."""
    model = Ising(Square(6, 6), CRITICAL_SQUARE)
    seen = []
    found = learn_blocks(model, buffer=buffer, samples=20_000, training=QUICK, key=KEY, progress=seen.append)
    assert np.abs(found.filters - 1).max() < 0.1
    _within(found, mutual_information(model, found.filters, buffer=buffer))
    assert len(seen) == len(found.bound.history) > 1
    assert {"step", "information"} <= set(seen[0]) and seen[-1]["information"] > 0.3


def test_antiferromagnet_is_staggered() -> None:
    found = learn_blocks(Ising(Square(6, 6), -CRITICAL_SQUARE), samples=20_000, training=QUICK, key=KEY)
    assert np.abs(found.filters[0] * np.sign(found.filters[0, 0]) - [1, -1, -1, 1]).max() < 0.1


@pytest.mark.slow
def test_spins_that_are_noise_get_no_weight() -> None:
    """Two spins a cell: an Ising model and coins."""
    ising, lattice, _ = chains_of(Ising(Square(6, 6), CRITICAL_SQUARE), None, 20_000, key=KEY)
    coins = np.random.default_rng(0).choice(np.array([-1, 1], np.int8), ising.shape)
    both = np.stack([ising, coins], -1).reshape(*ising.shape[:2], -1)
    cells = Lattice(lattice.basis_vectors, np.array([[0.0, 0.0], [0.3, 0.3]]), lattice.extent)
    found = learn_blocks(both, cells, key=KEY)
    weights = found.filters.reshape(4, 2)
    assert np.abs(weights[:, 0] / np.sqrt(2) - 1).max() < 0.15 and np.abs(weights[:, 1]).max() < 0.2
    with pytest.raises(InputError, match="one site per cell"):
        _ = found.rule


@pytest.mark.slow
def test_chain_is_decimated() -> None:
    """Blocks of 4: one spin at an end of the block carries the weight, as in the exact optimum."""
    model = Ising(Chain(24), 0.7)
    found = learn_blocks(model, block=4, samples=20_000, training=QUICK, key=KEY)
    weights = np.abs(found.filters[0])
    assert weights.argmax() in (0, 3) and weights.max() > 1.9 and np.sort(weights)[-2] < 0.45
    best = optimal_filter(model, block=4, key=KEY)
    assert found.information.mean <= best.information + 3 * found.information.error
    assert found.information.mean > 0.9 * best.information


@pytest.mark.slow
def test_two_coarse_spins_keep_more() -> None:
    model = Ising(Square(4, 6), CRITICAL_SQUARE)
    spins, *_ = chains_of(model, None, 30_000, key=KEY)
    kept = []
    for hidden in (1, 2):
        found = learn_blocks(spins, model.lattice, environment=None, hidden=hidden, key=KEY)
        _within(found, mutual_information(model, found.filters))
        kept.append(mutual_information(model, found.filters))
    best = optimal_filter(model, hidden=2, key=KEY).information
    assert kept[0] + 0.02 < kept[1] <= best + 1e-9 and kept[1] > best - 0.005
    with pytest.raises(InputError, match="one coarse spin"):
        _ = found.rule


def test_the_rule_blocks() -> None:
    """p(h|v) of the filter; a block of equal spins keeps its sign almost surely."""
    found = learn_blocks(Ising(Square(6, 6), 0.5), training=QUICK, samples=4000, key=KEY)
    rule, lattice = found.rule, Square(4, 4)
    spins = np.ones((50, 16), np.int8)
    assert rule.block == 2 and (rule(spins, lattice, key=KEY) == 1).mean() > 0.99
    v = np.random.default_rng(1).choice(np.array([-1, 1], np.int8), (5, 16))
    h = np.array([[1, -1, 1, 1]], np.int8)
    angles = v.reshape(5, 2, 2, 2, 2).transpose(0, 1, 3, 2, 4).reshape(5, 4, 4) @ found.filters[0]
    exact = -np.log1p(np.exp(-2 * h * angles)).sum(-1)
    assert np.allclose(rule.log_weight(h, v, lattice), exact)
    assert "filters" in str(found) and "nats" in str(found)


@pytest.mark.slow
def test_a_run_is_a_function_of_its_key() -> None:
    quick = {"training": QUICK, "samples": 4000}
    first, again = (learn_blocks(Ising(Square(6, 6), 0.4), key=KEY, **quick) for _ in range(2))
    assert np.array_equal(first.filters, again.filters) and first.information == again.information


@pytest.mark.slow
@pytest.mark.parametrize("side", [32, 64])
def test_large_lattices_at_the_critical_point(side: int) -> None:
    """Uniform to 10 %, with more information than the torus of 6×6 would hold without its images."""
    found = learn_blocks(Ising(Square(side), CRITICAL_SQUARE), samples=4000, key=KEY)
    assert np.abs(found.filters - 1).max() < 0.1
    assert 0.37 < found.information.mean < 0.42


@pytest.mark.slow
def test_the_learned_rule_renormalizes() -> None:
    """L = 32 at K_c, 4 couplings: from the second step on y_T = 1 and y_H = 15/8, as of the majority rule."""
    spins, lattice, _ = chains_of(Ising(Square(32), CRITICAL_SQUARE), None, 20_000, key=KEY)
    found = learn_blocks(spins[:, :60], lattice, key=KEY)
    flow = mcrg(spins.reshape(-1, lattice.size), found.rule, 3, lattice=lattice, key=KEY)
    assert (np.abs(flow.y_T[1:, 3] - 1) < 0.01 + 3 * flow.y_T_error[1:, 3]).all()
    assert (np.abs(flow.y_H[1:, 3] - 1.875) < 0.005 + 3 * flow.y_H_error[1:, 3]).all()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"hidden": 5}, "at most 4"),
        ({"hidden": 0}, "hidden"),
        ({"sharpness": 0.0}, "sharpness"),
        ({"sharpness": 30.0}, "up to 20"),
        ({"block": 5}, "16 spins"),
        ({"buffer": 2}, "beyond a block"),
        ({"lattice": Square(4, 8)}, "square:4x8"),
    ],
)
def test_errors(change: dict, message: str) -> None:
    arguments = {"lattice": Square(6, 6)} | change
    with pytest.raises(InputError, match=message):
        learn_blocks(np.ones((20, 36), np.int8), key=KEY, **arguments)
