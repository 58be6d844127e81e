"""The flow of Gaussians: reference values, finite differences, the equation of motion integrated plainly."""

import numpy as np
import pytest
from scipy.integrate import solve_ivp

import intertwine as it

Q = np.array([0.5, 1.0, 2.0])
START = np.array([[1.0, 0.3, 0.0], [0.3, 2.0, 0.1], [0.0, 0.1, 0.7]])


def test_references():
    flow = it.rg.gaussian_flow(START, Q, [0.0, 1.0])
    assert np.allclose(flow.divergence, [0.5335396223249647, 0.021703718095936728], atol=1e-12)
    assert np.allclose(flow.fisher, [2.189318010550113, 0.05590776239928198], atol=1e-12)


def slope(values: np.ndarray, h: float) -> float:
    """Of fourth order, of values at −2h … 2h."""
    return float((values[0] - 8 * values[1] + 8 * values[3] - values[4]) / (12 * h))


@pytest.mark.parametrize("t", [0.05, 0.4, 1.5])
def test_entropy_is_lost_to_transport(t):
    rng = np.random.default_rng(0)
    target = (x := rng.standard_normal((3, 3))) @ x.T + np.eye(3)
    mean, h = np.array([0.5, -1.0, 0.3]), 1e-3
    flow = it.rg.gaussian_flow(START, target, t + h * np.arange(-2, 3), mean=mean)
    assert abs(slope(flow.divergence, h) + flow.fisher[2]) < 1e-8
    near = [
        it.geometry.bures((flow.mean[0], flow.covariance[0]), (flow.mean[k], flow.covariance[k]))
        for k in (1, 4)
    ]
    assert near[0] / h == pytest.approx(np.sqrt(flow.fisher[0]), rel=0.02)  # the speed
    assert flow.length[4] == pytest.approx(near[1], rel=1e-4)


def test_covariances_obey_the_equation_of_motion():
    target = np.diag(Q)
    inverse = np.diag(1 / Q)
    found = it.rg.gaussian_flow(START, target, [0.0, 0.7])

    def motion(_, s):
        s = s.reshape(3, 3)
        return (2 * np.eye(3) - inverse @ s - s @ inverse).ravel()

    plain = solve_ivp(motion, (0, 0.7), START.ravel(), rtol=1e-11, atol=1e-12).y[:, -1].reshape(3, 3)
    assert np.allclose(found.covariance[1], plain, atol=1e-9)
    assert found.length[1] >= found.distance[1] > 0


def test_a_field_with_a_cutoff():
    """Momenta of the torus, dissipation by finite differences, the equation of motion of every mode."""
    lattice, mass, cutoff, h = it.Square(4, 4), 0.5, 3.0, 1e-3
    momenta = 2 * np.pi * np.arange(4) / 4
    k2 = np.sort((4 * np.sin(momenta / 2) ** 2)[:, None] + 4 * np.sin(momenta / 2) ** 2, axis=None)
    for t in (0.1, 1.0, 2.5):
        flow = it.rg.cutoff_flow(lattice, t + h * np.arange(-2, 3), mass=mass, cutoff=cutoff)
        assert np.allclose(flow.momenta2, k2, atol=1e-12)
        assert abs(slope(flow.divergence, h) - flow.rate[2]) < 1e-8
        assert (flow.transport >= 0).all()

    def free(t):
        return np.exp(-k2 * np.exp(2 * t) / cutoff**2) / (k2 + mass**2)

    def motion(t, g):
        loss = 2 * k2 * np.exp(2 * t) / cutoff**2
        return loss * (free(t) - 2 * g)

    start = np.exp(-k2 / cutoff**2) / (k2 + 4 * mass**2)
    plain = solve_ivp(motion, (0, 1.0), start, rtol=1e-11, atol=1e-14).y[:, -1]
    found = it.rg.cutoff_flow(lattice, [0.0, 1.0], mass=mass, cutoff=cutoff)
    assert np.allclose(found.variance[1], plain, atol=1e-9)
    assert np.allclose(found.free[1], free(1.0))
    amputated = (found.variance - found.free) / found.free**2
    assert np.allclose(amputated[0], amputated[1])
    assert found.length[1] > 0


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: it.rg.gaussian_flow([1.0, -1.0], [1.0, 1.0], [0.0]), "eigenvalue of -1"),
        (lambda: it.rg.gaussian_flow([1.0], [1.0, 1.0], [0.0]), "a covariance of 1 columns"),
        (lambda: it.rg.gaussian_flow([1.0], [1.0], [1.0, 0.5]), "rising numbers"),
        (lambda: it.rg.gaussian_flow([[1.0, 0.5], [0.0, 1.0]], [1.0, 1.0], [0.0]), "symmetric"),
        (lambda: it.rg.cutoff_flow(it.Chain(4), [0.0], mass=0.0), "a positive number"),
        (lambda: it.rg.cutoff_flow(it.Chain(4), [0.0], variance=[1.0]), "4 positive numbers"),
    ],
)
def test_bad_input_is_one_line(call, words):
    with pytest.raises(it.InputError, match=words):
        call()


@pytest.mark.parametrize("end", [100.0, 1000.0, 1e4])
def test_the_length_does_not_depend_on_the_times(end):
    exact = 1 - np.sqrt(0.1)  # one mode goes straight
    for times in ([0.0, end], [0.0, 0.3, 7.0, end]):
        assert abs(it.rg.gaussian_flow([0.1], [1.0], times).length[-1] - exact) < 1e-8
    wide = it.rg.gaussian_flow([1e-3, 50.0], [1e-2, 30.0], [0.0, end])
    assert (wide.length >= wide.distance - 1e-12).all()
    fine = it.rg.cutoff_flow(it.Chain(8), np.linspace(0, 5, 101)).length[-1]
    assert np.isclose(it.rg.cutoff_flow(it.Chain(8), [0.0, 5.0]).length[-1], fine, rtol=1e-9)
