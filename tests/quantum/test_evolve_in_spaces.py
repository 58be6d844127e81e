"""Bosons, atoms and fermions in time: the network against the matrix exponential over the configurations."""

import jax
import numpy as np
import pytest
from scipy.linalg import expm

import intertwine as it
from intertwine._checks import InputError

TIMES = [0.0, 0.2, 0.4]
op = it.operators


def bosons():
    space = it.Bosons(it.Chain(3), 3)
    pairs = op.total([op.number(space, i) @ op.number(space, i) for i in range(3)])
    return space, it.bose_hubbard(space, U=2.0), it.bose_hubbard(space, U=8.0), pairs


def atoms():
    space = it.Rydberg(it.Chain(6))
    return space, it.rydberg(space, Delta=1.0), it.rydberg(space, Omega=2.0, Delta=0.0), op.number(space, 0)


def fermions():
    space = it.Fermions(it.Chain(5), 2)
    pair = op.number(space, 0) @ op.number(space, 1)
    return space, it.tv(space, V=0.5), it.tv(space, V=4.0), pair


QUENCHES = {"bosons": bosons, "atoms": atoms, "fermions": fermions}


def in_time(H, psi, A, times=TIMES):
    """⟨A⟩ by the exponential of the dense matrix."""
    H, A = H.to_dense(), A.to_dense()
    states = [expm(-1j * t * H) @ psi for t in times]
    return np.array([np.real(x.conj() @ A @ x) for x in states])


@pytest.mark.parametrize("name", QUENCHES)
def test_the_vector_in_time(name):
    _, before, after, A = QUENCHES[name]()
    psi = it.exact.ground_state(before)[1]
    states, matrix = it.exact.evolve(after, psi, TIMES[1:]), A.to_dense()
    found = [np.real(x.conj() @ matrix @ x) for x in states]
    np.testing.assert_allclose(found, in_time(after, psi, A)[1:], atol=1e-11)


def test_a_configuration_in_time():
    space, _, H, A = bosons()
    start = np.zeros(space.dimension)
    start[int(space.numbers_of(np.array([[1, 1, 1]]))[0])] = 1
    x = it.exact.evolve(H, [1, 1, 1], [0.3])[0]
    np.testing.assert_allclose(np.real(x.conj() @ A.to_dense() @ x), in_time(H, start, A, [0.3]), atol=1e-11)


def test_a_drive_of_atoms():
    """H(t) between its time-ordered halves of constant fields."""
    space = it.Rydberg(it.Chain(4))
    fields = [it.rydberg(space, Delta=d) for d in (0.0, 2.0)]
    start = np.zeros(space.dimension)
    start[0] = 1
    found = it.exact.evolve(lambda t: fields[int(t >= 0.25)], start, [0.5])[0]
    wanted = expm(-0.25j * fields[1].to_dense()) @ expm(-0.25j * fields[0].to_dense()) @ start
    assert np.linalg.norm(found - wanted) < 1e-5


def test_a_short_pulse_is_seen():
    """What failed: steps that had grown long went over a pulse, with an error of 0."""
    up, fields = np.eye(1, 4, dtype=complex)[0], [it.tfim(it.Chain(2), h=h) for h in (0.0, 1.0)]
    found = it.exact.trajectory(lambda t: fields[int(33.3 <= t <= 33.8)], "up", [100.0])
    still, pulse = (H.to_dense() for H in fields)
    wanted = expm(-66.2j * still) @ expm(-0.5j * pulse) @ expm(-33.3j * still) @ up
    assert np.linalg.norm(found.states[0] - wanted) < found.errors[0] < 1e-7


@pytest.mark.parametrize("name", QUENCHES)
def test_a_quench_of_a_network(name, key):
    """A network that is the vector follows it; its bound holds, and the state keeps its space."""
    space, before, after, A = QUENCHES[name]()
    psi = it.exact.ground_state(before)[1]
    network = it.models.AmplitudeTable(space, psi.astype(complex) + 1e-9)
    run = it.evolve(after, network, TIMES, observables={"A": A}, key=key)
    exact = in_time(after, psi, A)
    scale = np.abs(np.linalg.eigvalsh(A.to_dense())).max()
    assert np.all(np.abs(run["A"] - exact) <= 2 * scale * run.bound + 1e-6)
    assert run.bound[-1] < 1e-3 and run.method == "tdvp"
    later = it.expect(A, run.model, 64, key=key)
    assert abs(float(later.mean) - exact[-1]) < 1e-3


@pytest.mark.slow
def test_a_quench_of_bosons_from_chains(key):
    """From a trained network, by samples: within the errors and what the bound allows."""
    space = it.Bosons(it.Chain(4), 4)
    n2 = op.total([op.number(space, i) @ op.number(space, i) for i in range(4)])
    before, after = it.bose_hubbard(space, U=2.0), it.bose_hubbard(space, U=6.0)
    network = it.models.model_from_name("rbm:2:number", space.place, space=space, dtype=complex, key=key)
    ground = it.ground_state(before, network, 150, 512, key=key, compare=False)
    times = [0.0, 0.05, 0.1]
    run = it.evolve(after, ground, times, observables={"n2": n2}, samples=1000, observe=8000, key=key)
    psi = it.exact.ground_state(before)[1]
    exact = in_time(after, psi, n2, times)
    assert np.all(np.abs(run["n2"] - exact) <= 4.5 * run.errors["n2"] + 0.05 * exact)


def test_what_does_not_fit_is_said(key):
    space, _, H, _ = bosons()
    network = it.models.AmplitudeTable(space, dtype=complex, key=key)
    with pytest.raises(InputError, match="tdvp"):
        it.evolve(H, network, TIMES, method="projected", key=key)
    with pytest.raises(InputError, match="configuration"):
        it.exact.evolve(H, [3, 3, 3], [0.1])
    with pytest.raises(InputError, match="levels of 3 modes"):
        it.exact.evolve(H, "up", [0.1])
    real = it.models.AmplitudeTable(space, key=key)
    with pytest.raises(InputError, match="complex amplitudes"):
        it.evolve(H, real, TIMES, key=key)
    other = it.bose_hubbard(it.Bosons(it.Chain(3), 2), U=8.0)
    with pytest.raises(InputError, match="modes of"):
        it.evolve(H, network, TIMES, observables={"A": other}, key=key)
    assert jax.config.jax_enable_x64
