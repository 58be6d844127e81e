"""Flows and fixed points: closed forms, exact enumeration, and sampled steps."""

import math

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from intertwine._checks import InputError
from intertwine.models.spins.ising import CRITICAL_SQUARE, Ising
from intertwine.rg.blocks.blocking import Decimation, Majority
from intertwine.rg.montecarlo.moment_matching import match_moments
from intertwine.rg.steps.exact_step import ExactStep
from intertwine.rg.steps.flow import critical_coupling, fixed_point, flow
from intertwine.rg.steps.matched_flow import matched_flow
from intertwine.rg.steps.sampled_step import MatchedStep, Measured, VariationalStep
from intertwine.rg.steps.step import FunctionStep, Step, linearise
from intertwine.sampling.draw import sample
from intertwine.sampling.spins.cluster import SwendsenWang
from intertwine.spaces.lattices import Chain, Square

NAMES = ("nearest", "next", "plaquette")
MIGDAL = FunctionStep(lambda K: jnp.log(jnp.cosh(4 * K)) / 2, block=2, names=("nearest",))
SQUARE = ExactStep(Majority(2), Square(4, 4), NAMES)


def test_migdal_kadanoff_fixed_point():
    """Computed for this project: K* = 0.304689, λ = 1.678574, y = 0.747236."""
    found = fixed_point(MIGDAL, [0.3])
    assert abs(found.couplings[0] - 0.304689) < 1e-6
    assert abs(found.eigenvalues[0] - 1.678574) < 1e-6
    assert abs(found.y[0] - 0.747236) < 1e-6
    assert found.relevant.tolist() == [True]
    assert abs(critical_coupling(MIGDAL, [0.1], [1.0])[0] - found.couplings[0]) < 1e-8


def test_functions_of_the_host_are_differentiated_too():
    host = FunctionStep(lambda K: np.log(np.cosh(4 * np.asarray(K))) / 2, block=2, names=("nearest",))
    first, second = fixed_point(MIGDAL, [0.3]), fixed_point(host, [0.3])
    assert abs(first.couplings[0] - second.couplings[0]) < 1e-12
    assert abs(first.y[0] - second.y[0]) < 1e-9


def test_eigenvalues_of_a_known_map():
    """A linear map about K* = (1, 2) with eigenvalues 3 and 1/2 in coordinates that are not orthogonal."""
    vectors = np.array([[1.0, 1.0], [0.5, -1.0]])
    matrix = vectors @ np.diag([0.5, 3.0]) @ np.linalg.inv(vectors)
    K = np.array([1.0, 2.0])
    step = FunctionStep(lambda x: K + matrix @ (x - K), block=3, names=("a", "b"))
    found = fixed_point(step, [0.3, 0.4])
    assert np.abs(found.couplings - K).max() < 1e-12
    assert np.abs(found.matrix - matrix).max() < 1e-9
    assert np.abs(found.y - np.log([3.0, 0.5]) / math.log(3)).max() < 1e-9
    assert found.relevant.tolist() == [True, False]


def test_flow_of_the_chain():
    """Decimation: tanh K^{(n)} = (tanh K)^{2^n}, by enumeration and by the formula; dK/dl < 0."""
    step = ExactStep(Decimation(2), Chain(8), ("nearest",))
    found = flow({"nearest": 1.2}, step, levels=4)
    exact = np.arctanh(np.tanh(1.2) ** 2.0 ** np.arange(5))
    assert np.abs(found.couplings[:, 0] - exact).max() < 1e-12
    assert (found.beta < 0).all() and found.beta.shape == (4, 1)
    assert np.allclose(found.log_scale, np.arange(5) * math.log(2))
    assert (found.errors == 0).all()


def test_square_ising_flows_to_both_phases():
    """From both sides of the critical coupling: to 0, and to strong coupling."""
    critical = critical_coupling(SQUARE, [0.3, 0, 0], [0.6, 0, 0])[0]
    assert abs(critical - CRITICAL_SQUARE) < 0.03  # a torus of 4 × 4 stands for the plane
    below, above = (flow({"nearest": critical + d}, SQUARE, levels=12) for d in (-0.02, 0.02))
    assert np.abs(below.couplings[-1]).max() < 1e-3
    assert np.abs(above.couplings).max() > 3
    late = above.couplings[-1] / above.couplings[-2]
    assert (late[:1] > 1.5).all()  # the discontinuity fixed point


def test_fixed_point_of_the_square_lattice():
    """The cell cluster of 16 spins: one relevant even direction, y_T near 1, y_H near 15/8."""
    even = fixed_point(SQUARE, [0.3, 0.1, 0.0])
    assert np.abs(SQUARE.step(even.couplings) - even.couplings).max() < 1e-12
    assert even.relevant.tolist() == [True, False, False]
    assert abs(even.y[0] - 1) < 0.1
    host = FunctionStep(SQUARE.step, block=2, names=NAMES)
    assert np.abs(linearise(host, even.couplings) - even.matrix).max() < 1e-7
    both = ExactStep(Majority(2), Square(4, 4), (*NAMES, "field", "corner"))
    found = fixed_point(both, [*even.couplings, 0.0, 0.0])
    assert abs(found.y[0] - 1.875) < 0.1
    assert abs(found.y[1] - even.y[0]) < 1e-9


def test_errors_are_carried_along():
    """A step K' = 2 K measured with variance 0.01: variances 0.01, 0.05, 0.21."""

    class Doubling:
        block, names = 2.0, ("nearest",)

        def step(self, couplings):
            return 2 * couplings

        def measured(self, couplings):
            return Measured(2 * couplings, np.array([[0.01]]), np.array([[2.0]]))

    assert isinstance(Doubling(), Step)
    found = flow([0.1], Doubling(), levels=3)
    assert np.allclose(found.covariance[:, 0, 0], [0, 0.01, 0.05, 0.21])
    assert "±" in str(found)


@pytest.mark.slow
def test_measured_steps_agree_with_the_exact_one(key):
    K = np.array([0.4, 0.03, -0.02])
    exact = SQUARE.step(K)
    for step in (
        VariationalStep(Majority(2), Square(4, 4), NAMES, key=key),
        MatchedStep(Majority(2), Square(4, 4), NAMES, key=key),
    ):
        found = step.measured(K)
        assert (np.abs(found.couplings - exact) < 3.5 * np.sqrt(np.diagonal(found.covariance))).all()
        assert np.abs(found.jacobian - SQUARE.jacobian(K)).max() < 0.15
        assert (step.step(K) == found.couplings).all()  # a function of its couplings


def test_samples_blocked_twice(key):
    """8 × 8 → 4 × 4 → 2 × 2: level 0 gives the couplings back, level 1 and 2 those of two rules in a row."""
    model = Ising(Square(8, 8), K=0.3)
    spins = sample(model, 6000, sampler=SwendsenWang(chains=64, steps=3), key=key)
    found = matched_flow(spins, Majority(2), 2, ("nearest", "next"), key=key)
    assert found.couplings.shape == (3, 2)
    assert (np.abs(found.couplings[0] - [0.3, 0.0]) < 4 * found.errors[0]).all()
    once = Majority(2)(np.asarray(spins), model.lattice, key=jax.random.key(9))
    twice = Majority(2)(once, Square(4, 4), key=jax.random.key(10))
    exact = match_moments(twice, ("nearest", "next"), lattice=Square(2, 2))
    assert (np.abs(found.couplings[2] - exact.couplings) < 4 * np.hypot(found.errors[2], exact.errors)).all()
    assert (np.diff(found.couplings[:, 0]) < 0).all()
    with_room = matched_flow(spins, Majority(2), 3, ("nearest", "plaquette"), key=key)
    assert len(with_room.couplings) == 3 and "level 3" in with_room.stopped


def test_what_is_refused():
    with pytest.raises(InputError, match="couplings"):
        flow([0.3, 0.1], MIGDAL, levels=2)
    with pytest.raises(InputError, match="nearest"):
        flow({"next": 0.3}, MIGDAL, levels=2)
    with pytest.raises(InputError, match="levels"):
        flow([0.3], MIGDAL, levels=0)
    with pytest.raises(InputError, match="finite"):
        flow([math.nan], MIGDAL, levels=1)
    with pytest.raises(InputError, match="guess"):
        fixed_point(FunctionStep(lambda K: K + 1, block=2, names=("nearest",)), [0.3])
    with pytest.raises(InputError, match="phase"):
        critical_coupling(MIGDAL, [0.4], [0.5])
    with pytest.raises(InputError, match="block"):
        flow([0.3], FunctionStep(lambda K: K, block=1, names=("nearest",)), levels=1)
    with pytest.raises(InputError, match="sites"):
        ExactStep(Majority(2), Square(6, 6), NAMES)
    with pytest.raises(InputError):
        ExactStep(Majority(2), Square(4, 4), ("nearest", "third"))


def test_a_flow_ends_where_it_is_ordered():
    found = flow([0.5], MIGDAL, levels=50, limit=5.0)
    assert len(found.couplings) < 50 and "exceeds 5" in found.stopped and found.stopped in str(found)


@pytest.mark.slow
def test_sampled_flow_of_the_square_lattice():
    """The same picture on 16 × 16 with four couplings, by variational steps: from 0.97 K_c to 0, from
    1.06 K_c to strong coupling."""
    step = VariationalStep(Majority(2), Square(16, 16), (*NAMES, "third"), key=jax.random.key(3), draws=400)
    below = flow({"nearest": 0.97 * CRITICAL_SQUARE}, step, levels=6)
    above = flow({"nearest": 1.06 * CRITICAL_SQUARE}, step, levels=6)
    assert below.couplings[-1, 0] < 0.1
    assert above.couplings[-1, 0] > 0.5
    assert (np.diff(below.couplings[:, 0]) < 0).all() and (np.diff(above.couplings[2:, 0]) > 0).all()


@pytest.mark.slow
def test_the_flow_of_samples_stands_still_at_criticality():
    """64 × 64 blocked four times: the nearest-neighbour coupling falls below T_c's, stays at it, or grows."""
    found = []
    for scale in (0.97, 1.0, 1.03):
        model = Ising(Square(64, 64), K=scale * CRITICAL_SQUARE)
        spins = sample(model, 4000, sampler=SwendsenWang(chains=32, steps=3), key=jax.random.key(0))
        found.append(matched_flow(spins, Majority(2), 4, (*NAMES, "third"), key=jax.random.key(1)))
    below, at, above = (x.couplings[:, 0] for x in found)
    assert (np.diff(below) < 0).all() and below[4] < 0.25
    assert (np.abs(at[2:] - at[1:-1]) < 4 * np.hypot(found[1].errors[2:, 0], found[1].errors[1:-1, 0])).all()
    assert above[3] > above[2] + 0.02
    assert (np.abs(found[1].couplings[0] - [CRITICAL_SQUARE, 0, 0, 0]) < 4 * found[1].errors[0]).all()
