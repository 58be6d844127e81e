"""Densities, structure factors, density matrices and pairs: against dense matrices, sum rules, free limits,
and sampled against the exact sums of the same network."""

import jax
import numpy as np
import pytest

import intertwine as it
from intertwine._checks import InputError
from intertwine.quantum.operators import annihilate, create, number, spin_z

PAIRS = it.Fermions(it.Square(2, 2, pbc=False), (1, 2))


def electrons():
    return it.hubbard(it.Fermions(it.Chain(4), (2, 1)), U=3.0, twist=0.4)


def fermions():
    return it.tv(it.Fermions(it.Chain(5), 2), V=1.5)


def bosons():
    return it.bose_hubbard(it.Bosons(it.Chain(4), 3), U=2.0)


MODELS = {"electrons": electrons, "fermions": fermions, "bosons": bosons}


def _mean(psi, operator):
    return np.vdot(psi, operator.to_sparse() @ psi)


@pytest.mark.parametrize("name", MODELS)
def test_density_matrices_against_operators(name):
    H = MODELS[name]()
    space = H.hilbert
    _, psi = it.exact.ground_state(H)
    species = [n for n, _ in space.species]
    L = space.sites
    rho = np.zeros((L, L), complex)
    for s in species:
        own = np.array(
            [[_mean(psi, create(space, i, s) @ annihilate(space, j, s)) for j in range(L)] for i in range(L)]
        )
        found = it.observables.one_body_density_matrix(psi, space, s or None)
        np.testing.assert_allclose(found.mean, own, atol=1e-12)
        assert not np.any(found.error)
        rho += own
    total = it.observables.one_body_density_matrix(psi, space).mean
    np.testing.assert_allclose(total, rho, atol=1e-12)
    particles = sum(bound.low for bound in space.bounds)
    assert abs(np.trace(total) - particles) < 1e-12
    np.testing.assert_allclose(it.observables.densities(psi, space).mean, np.diag(rho).real, atol=1e-12)
    momenta = it.observables.momentum_distribution(psi, space)
    assert abs(momenta.mean.sum() - particles) < 1e-12
    waves = np.exp(1j * space.place.positions @ momenta.momentum.T)
    np.testing.assert_allclose(
        momenta.mean, np.einsum("iq,ij,jq->q", waves, rho, waves.conj()).real / L, atol=1e-12
    )


def test_structure_factors_and_their_sum_rules():
    space = it.Fermions(it.Square(2, 2, pbc=False), (1, 2))
    _, psi = it.exact.ground_state(it.hubbard(space, U=5.0, mu=np.array([0.0, 0.7, 0.0, -0.2])))
    L, lattice = 4, space.place
    n = [number(space, i, "up") + number(space, i, "down") for i in range(L)]
    m = [spin_z(space, i) for i in range(L)]
    means = np.array([_mean(psi, a).real for a in n])
    nn = np.array([[_mean(psi, a @ b).real for b in n] for a in n]) - np.outer(means, means)
    mm = np.array([[_mean(psi, a @ b).real for b in m] for a in m])
    charge = it.observables.density_structure_factor(psi, space)
    spin = it.observables.spin_structure_factor(psi, space)
    for found, table in ((charge, nn), (spin, mm)):
        phases = np.exp(-1j * lattice.positions @ found.momentum.T)
        own = np.einsum("iq,ij,jq->q", phases, table, phases.conj()).real / L
        np.testing.assert_allclose(found.structure_factor, own, atol=1e-12)
        by_class = [table[lattice.displacement_index == c].mean() for c in range(len(found.displacement))]
        np.testing.assert_allclose(found.correlation, by_class, atol=1e-12)
        assert abs(found.structure_factor.mean() - np.trace(table) / L) < 1e-12
    assert abs(charge.structure_factor[0]) < 1e-12  # the number of particles is fixed
    plain = it.observables.density_structure_factor(psi, space, connected=False)
    assert abs(plain.structure_factor[0] - 9 / 4) < 1e-12
    spins = it.Spins(it.Chain(6), magnetization=0)
    _, psi = it.exact.ground_state(it.heisenberg(spins.place, marshall=False))
    psi = psi[np.flatnonzero(np.bitwise_count(np.arange(64)) == 3)]
    found = it.observables.spin_structure_factor(psi, spins)
    assert np.argmax(found.structure_factor) == 3 and abs(found.structure_factor.mean() - 0.25) < 1e-12


@pytest.mark.parametrize("form", ["s", "extended-s", "d"])
def test_pairs_against_operators(form):
    space = PAIRS
    _, psi = it.exact.ground_state(it.hubbard(space, U=2.0, V=-0.3))
    lattice, L = space.place, 4
    up = [annihilate(space, i, "up") for i in range(L)]
    down = [annihilate(space, i, "down") for i in range(L)]
    pairs = [d @ u for u, d in zip(up, down, strict=True)]
    if form != "s":
        sign = {
            tuple(b): 1.0 if form != "d" or b in ([0, 2], [1, 3]) else -1.0 for b in lattice.bonds().tolist()
        }
        sign |= {(j, i): f for (i, j), f in sign.items()}
        pairs = [
            sum(
                f * 0.5 / np.sqrt(2) * (down[i] @ up[j] - up[i] @ down[j])
                for (a, j), f in sign.items()
                if a == i
            )
            for i in range(L)
        ]
    table = np.array([[_mean(psi, a.adjoint @ b).real for b in pairs] for a in pairs])
    found = it.observables.pairing_correlations(psi, space, form)
    index = lattice.displacement_index
    np.testing.assert_allclose(
        found.mean, [table[index == c].mean() for c in range(len(found.mean))], atol=1e-12
    )
    if form == "s":
        doubly = np.mean(
            [_mean(psi, number(space, i, "up") @ number(space, i, "down")).real for i in range(L)]
        )
        at_zero = index[0, 0]
        assert abs(found.mean[at_zero] - doubly) < 1e-12


def test_free_fermions_have_a_fermi_surface_and_free_bosons_one_orbital():
    space = it.Fermions(it.Square(3, 3), 5)
    _, psi = it.exact.ground_state(it.tv(space, V=0.0))
    found = np.sort(it.observables.momentum_distribution(psi, space).mean)
    np.testing.assert_allclose(found, [0, 0, 0, 0, 1, 1, 1, 1, 1], atol=1e-7)
    space = it.Bosons(it.Chain(5), 4)
    _, psi = it.exact.ground_state(it.bose_hubbard(space, U=0.0))
    np.testing.assert_allclose(it.observables.momentum_distribution(psi, space).mean[0], 4.0, atol=1e-7)


def _sampled_is_exact(network, space, measure, vector, sampler):
    exact = measure(vector, space)
    found = measure(network, space, samples=4096, key=jax.random.key(3), sampler=sampler)
    (mean, error), expected = found[-2:], exact[-2]
    off = np.abs(mean - expected)
    assert np.all(off <= 5 * error + 1e-9), (off / np.maximum(error, 1e-12)).max()
    assert np.max(error) < 0.2 and np.max(error) > 0


@pytest.mark.parametrize(
    "measure",
    [
        "densities",
        "one_body_density_matrix",
        "momentum_distribution",
        "density_structure_factor",
        "spin_structure_factor",
        "pairing_correlations",
    ],
)
def test_sampled_values_are_those_of_the_exact_sums(measure, electron_state):
    network, space, vector, sampler = electron_state
    _sampled_is_exact(network, space, getattr(it.observables, measure), vector, sampler)


@pytest.fixture(scope="module")
def electron_state():
    space = it.Fermions(it.Chain(4), (2, 1))
    network = it.RBM(8, hidden=6, dtype=complex, scale=0.3, key=jax.random.key(1))
    rows = space.configurations()
    logs = np.asarray(jax.vmap(network)(rows))
    pairs = [(i, j) for first in (0, 4) for i in range(first, first + 4) for j in range(i + 1, first + 4)]
    sampler = it.Metropolis(it.Exchange(pairs), chains=32, hilbert=space)
    return network, space, np.exp(logs - logs.real.max()), sampler


def test_what_cannot_be_measured():
    space = it.Fermions(it.Chain(4), (2, 1))
    vector = np.ones(space.dimension)
    for call, words in (
        (lambda: it.observables.densities(vector), "Hilbert space of a vector"),
        (lambda: it.observables.densities(vector[:5], space), "24 configurations"),
        (lambda: it.observables.densities(0 * vector, space), "not all 0"),
        (lambda: it.observables.densities(vector, space, "sideways"), "one of up, down"),
        (lambda: it.observables.densities(vector, "ring"), "a Hilbert space or None"),
        (lambda: it.observables.densities(it.RBM(8, 4, key=jax.random.key(0)), space), "jax.random.key"),
        (lambda: it.observables.pairing_correlations(vector, space, "p"), "form"),
        (lambda: it.observables.pairing_correlations(vector, space, "d"), "plane"),
        (lambda: it.observables.momentum_distribution(np.ones(3), it.Fermions(3, 1)), "with a lattice"),
        (lambda: it.observables.pairing_correlations(np.ones(3), it.Fermions(it.Chain(3), 1)), "electrons"),
        (lambda: it.observables.one_body_density_matrix(np.ones(4), it.Spins(2)), "particles"),
        (
            lambda: it.observables.spin_structure_factor(np.ones(3), it.Fermions(it.Chain(3), 1)),
            "spins or of",
        ),
    ):
        with pytest.raises(InputError, match=words):
            call()
