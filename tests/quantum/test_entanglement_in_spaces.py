"""Entropies of bosons, atoms, fermions and electrons: exact ones against dense decompositions and free
fermions, sampled ones against these."""

import jax
import numpy as np
import pytest

import intertwine as it
from intertwine._checks import InputError
from intertwine.quantum.dynamics.evolve import evolve
from thinned import thinned

ent = it.entanglement
SPACES = {
    "bosons": lambda: (s := it.Bosons(it.Chain(4), 4), it.bose_hubbard(s, U=2.0)),
    "spin 1": lambda: (s := it.Spins(it.Chain(4), s=1, magnetization=0), it.heisenberg(s)),
    "atoms": lambda: (s := it.Rydberg(it.Chain(6)), it.rydberg(s)),
    "fermions": lambda: (s := it.Fermions(it.Chain(6), 3), it.tv(s, V=1.0)),
}
REGIONS = [(0, 1), (0, 2), (3,)]


def dense_entropy(space, psi, region):
    """S and S₂ of modes that commute, by the matrix over all levels."""
    levels = space.levels_of(space.configurations())
    cube = np.zeros(space.levels, psi.dtype)
    cube[tuple(levels.T)] = psi
    order = [*region, *(i for i in range(space.size) if i not in region)]
    rows = np.prod([space.levels[i] for i in region])
    p = np.linalg.svd(cube.transpose(order).reshape(rows, -1), compute_uv=False) ** 2
    p = p[p > 1e-14]
    return -np.sum(p * np.log(p)), -np.log(np.sum(p**2))


@pytest.mark.parametrize("name", thinned(["spin 1", "atoms", "bosons"], 2))
def test_exact_entropies_of_vectors_and_networks(name):
    space, H = SPACES[name]()
    psi = it.exact.ground_state(H)[1]
    psi = psi if len(psi) == space.dimension else psi[np.flatnonzero(psi)]
    network = it.models.AmplitudeTable(space, psi)
    for region in REGIONS:
        one, two = dense_entropy(space, psi, region)
        assert abs(ent.von_neumann(psi, region, space=space) - one) < 1e-12
        assert abs(ent.renyi(network, region, 2, space=space) - two) < 1e-12
        rho = ent.reduced_density_matrix(psi, region, space=space)
        p = np.linalg.eigvalsh(rho)
        assert abs(np.trace(rho) - 1) < 1e-12 and abs(-np.log(np.sum(p**2)) - two) < 1e-12


@pytest.mark.parametrize("region", [(0, 1), (0, 2), (1, 4), (0, 2, 4)])
def test_free_fermions_by_their_correlations(region):
    """S = −Σ ν ln ν + (1 − ν) ln(1 − ν), ν the eigenvalues of ⟨c†_i c_j⟩ in A (Peschel 2003): the signs of
    fermions between the sites of a region count."""
    space = it.Fermions(it.Chain(6), 3)
    hops = -np.array([[float((i - j) % 6 in (1, 5)) for j in range(6)] for i in range(6)])
    orbitals = np.linalg.eigh(hops)[1][:, :3]
    nu = np.linalg.eigvalsh((orbitals @ orbitals.T)[np.ix_(region, region)])
    nu = nu[(nu > 1e-12) & (nu < 1 - 1e-12)]
    exact = -np.sum(nu * np.log(nu) + (1 - nu) * np.log(1 - nu))
    psi = it.exact.ground_state(it.tv(space, V=0.0))[1]
    assert abs(ent.von_neumann(psi, region, space=space) - exact) < 1e-10


def test_electrons_have_both_spins_of_a_site():
    """Without U the two species are independent: their entropies add up."""
    both, one = it.Fermions(it.Chain(4), (1, 1)), it.Fermions(it.Chain(4), 1)
    psi = it.exact.ground_state(it.hubbard(both, U=0.0))[1]
    alone = it.exact.ground_state(it.tv(one, V=0.0))[1]
    for region in [(0, 1), (0, 2)]:
        found = ent.von_neumann(psi, region, space=both)
        assert abs(found - 2 * ent.von_neumann(alone, region, space=one)) < 1e-10
    assert ent.mutual_information(psi, [0], [2], space=both) > 0


@pytest.mark.parametrize("name", thinned(SPACES, 1))
def test_sampled_entropies_of_runs(name):
    """What a trained state says, in its own space, from samples and exactly."""
    space, H = SPACES[name]()
    psi = it.exact.ground_state(H)[1]
    psi = psi if len(psi) == space.dimension else psi[np.flatnonzero(psi)]
    run = it.ground_state(H, it.models.AmplitudeTable(space, psi), 1, key=jax.random.key(0), compare=False)
    for region in [(0, 2)]:
        exact = ent.renyi(psi, region, 2, space=space)
        assert abs(ent.renyi(run, region, 2) - exact) < 1e-3
        assert abs(ent.renyi(run.model, region, 2) - exact) < 1e-3
        found = ent.renyi2(run, region, samples=2000, key=jax.random.key(1))
        assert abs(found.mean - exact) < 4.5 * found.error + 1e-3 and found.error < 0.1
        spectrum = ent.sampled_spectrum(psi, region, samples=1000, key=jax.random.key(2), space=space)
        exact = ent.von_neumann(psi, region, space=space)
        assert abs(spectrum.von_neumann.mean - exact) < 4.5 * spectrum.von_neumann.error + 0.02


@pytest.mark.slow
def test_errors_of_the_swap_estimator_in_spaces():
    """Twenty seeds of bosons and fermions: the z-scores are those of a normal law."""
    scores = []
    for name in ("bosons", "fermions"):
        space, H = SPACES[name]()
        psi = it.exact.ground_state(H)[1]
        exact = ent.renyi(psi, (0, 2), 2, space=space)
        for seed in range(20):
            found = ent.renyi2(psi, (0, 2), samples=1000, key=jax.random.key(seed), space=space)
            scores.append((found.mean - exact) / found.error)
    assert np.max(np.abs(scores)) < 4.5 and 0.4 < np.mean(np.square(scores)) < 2.0


def test_overlaps_and_curves_in_spaces():
    space, H = SPACES["bosons"]()
    psi = it.exact.ground_state(H)[1]
    run = it.ground_state(H, it.models.AmplitudeTable(space, psi), 1, key=jax.random.key(0), compare=False)
    assert abs(float(it.observables.fidelity(run, psi)) - 1) < 1e-6
    curve = ent.scan(run)
    assert np.allclose(curve.von_neumann, [dense_entropy(space, psi, range(n))[0] for n in (1, 2)], atol=1e-4)


def test_in_time():
    """The entropy of a quench, as an observable of the model."""
    space, H = SPACES["bosons"]()
    psi = it.exact.ground_state(H)[1]
    after = it.bose_hubbard(space, U=6.0)
    network = it.models.AmplitudeTable(space, psi.astype(complex))
    seen = {"S": lambda model: ent.von_neumann(model, range(2), space=space)}
    run = evolve(after, network, [0.0, 0.3], observables=seen, key=jax.random.key(0))
    later = it.exact.evolve(after, psi, [0.3])[0]
    assert abs(run["S"][-1] - dense_entropy(space, later, range(2))[0]) < 1e-3


def test_what_does_not_fit_is_said():
    space, H = SPACES["bosons"]()
    psi = it.exact.ground_state(H)[1]
    run = it.ground_state(H, it.models.AmplitudeTable(space, psi), 1, key=jax.random.key(0), compare=False)
    with pytest.raises(InputError, match="space="):
        ent.von_neumann(psi, [0])
    with pytest.raises(InputError, match="35 amplitudes"):
        ent.von_neumann(np.ones(7), [0], space=space)
    with pytest.raises(InputError, match="spins ½"):
        ent.negativity(run, [0], [1])
    with pytest.raises(InputError, match="numbers and constraints"):
        ent.bound(run, [0])
    with pytest.raises(InputError, match="steps"):
        ent.renyi2(run, [0, 1], samples=100, steps=2, key=jax.random.key(0))
