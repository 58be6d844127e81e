"""Ground states, expectation values and samples in Hilbert spaces, against matrices over them."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import intertwine as it
from intertwine._caveats import Caveat
from intertwine._checks import InputError
from intertwine.models.levels import encoding, on_levels
from intertwine.quantum.confined import confined
from intertwine.quantum.vmc.centre import infinite_temperature_energy
from intertwine.quantum.vmc.local_energy import local_values
from intertwine.sampling.space import space_of
from thinned import thinned

KEY = jax.random.key(2)


def hubbard_ring():
    return it.hubbard(it.Fermions(it.Chain(4), (2, 1)), U=3.0)


SYSTEMS = {
    "atoms": lambda: it.rydberg(it.Rydberg(it.Chain(6)), Delta=0.7),
    "atoms on a plane": lambda: it.rydberg(it.Rydberg(it.Square(3, 3, pbc=False)), Omega=2.0),
    "electrons": hubbard_ring,
    "electrons, one sum": lambda: it.hubbard(it.Fermions(it.Chain(3), 3, spin=True), U=2.0),
    "twisted fermions": lambda: it.tv(it.Fermions(it.Chain(5), 2), V=1.5, twist=0.4),
    "an odd ring": lambda: it.tv(it.Fermions(it.Chain(6), 3), V=2.0),
    "parity": lambda: it.tv(it.Fermions(it.Chain(4), parity=1), V=1.0),
    "spins at M": lambda: heisenberg_at(2),
}


def heisenberg_at(M):
    space = it.Spins(it.Chain(6), magnetization=M)
    return it.operators.total(
        [
            it.operators.exchange(space, i, (i + 1) % 6)
            + it.operators.spin_z(space, i) @ it.operators.spin_z(space, (i + 1) % 6)
            for i in range(6)
        ]
    )


LEVELS = {
    "bosons": lambda: it.bose_hubbard(it.Bosons(it.Chain(4), 3), U=3.0),
    "twisted bosons": lambda: it.bose_hubbard(it.Bosons(it.Chain(4), 3), U=3.0, twist=0.3),
    "spins 1": lambda: spin_one(it.Spins(it.Chain(3), s=1, magnetization=0)),
}
LEVEL_MODELS = {
    "rbm": lambda n: it.RBM(n, hidden=3, scale=0.4, key=KEY),
    "complex rbm": lambda n: it.RBM(n, hidden=3, scale=0.4, dtype=complex, key=KEY),
}


def spin_one(space):
    ops, pairs = it.operators, [(0, 1), (1, 2), (2, 0)]
    along = [ops.spin_z(space, i) @ ops.spin_z(space, j) for i, j in pairs]
    return ops.total([*along, *(ops.exchange(space, i, j) for i, j in pairs)])


def exact(H, space):
    """(configurations, H over them, its lowest energy)"""
    rows, matrix = space.configurations(), H.to_sparse(space).toarray()
    return rows, matrix, np.linalg.eigvalsh(matrix)[0]


@pytest.mark.parametrize("name", thinned(SYSTEMS, 2))
def test_local_values_are_rows_of_the_matrix(name):
    H = SYSTEMS[name]()
    space = H.hilbert
    rows, matrix, _ = exact(H, space)
    psi = it.RBM(space.size, hidden=3, dtype=complex, scale=0.3, key=KEY)
    vector = np.exp(np.asarray(jax.vmap(psi)(jnp.asarray(rows))))
    inside = confined(H, None, space)
    for backend in ("host", "generic"):
        found = np.asarray(local_values(inside, psi, jnp.asarray(rows), backend=backend))
        np.testing.assert_allclose(found, matrix @ vector / vector, rtol=1e-9, atol=1e-9)
    mean = (vector.conj() @ matrix @ vector).real / np.sum(np.abs(vector) ** 2)
    measured = it.expect(H, psi, sampler=it.Enumeration(hilbert=space), key=KEY)
    np.testing.assert_allclose(measured.mean, mean, rtol=1e-10)
    np.testing.assert_allclose(infinite_temperature_energy(H), np.trace(matrix).real / len(rows), atol=1e-12)


@pytest.mark.parametrize("model", thinned(LEVEL_MODELS))
@pytest.mark.parametrize("name", thinned(LEVELS))
def test_local_values_of_levels(name, model):
    """By compiled kernels, by the cache of the spins that stand for levels, and by evaluation."""
    H = LEVELS[name]()
    space = H.hilbert
    rows, matrix, _ = exact(H, space)
    psi = on_levels(LEVEL_MODELS[model](encoding(space).size), space)
    vector = np.exp(np.asarray(jax.vmap(psi)(jnp.asarray(rows))))
    for backend in ("auto", "incremental", "generic"):
        found = np.asarray(local_values(confined(H, None, space), psi, jnp.asarray(rows), backend=backend))
        np.testing.assert_allclose(found, matrix @ vector / vector, rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(infinite_temperature_energy(H), np.trace(matrix).real / len(rows), atol=1e-10)


def test_local_values_beyond_tables():
    """Weights too large for products: in logarithms."""
    H = LEVELS["bosons"]()
    psi = on_levels(it.RBM(encoding(H.hilbert).size, hidden=3, scale=40.0, key=KEY), H.hilbert)
    rows = jnp.asarray(H.hilbert.configurations())
    fast, slow = (np.asarray(local_values(H, psi, rows, backend=b)) for b in ("auto", "generic"))
    np.testing.assert_allclose(fast, slow, rtol=1e-9)


def test_bosons_by_default():
    H = it.bose_hubbard(it.Bosons(it.Chain(5), 4), U=4.0)
    run = it.ground_state(H, key=KEY)
    assert abs(run.energy.mean / exact(H, H.hilbert)[2] - 1) < 1e-5 and not run.warnings
    assert abs(run.expect(it.operators.number(H.hilbert, 2)).mean - 4 / 5) < 1e-4
    drawn = it.sample(run.model, 100, key=KEY)
    assert H.hilbert.allows(np.asarray(drawn)).all()


@pytest.mark.parametrize(
    "name", ["rbm:2", *(pytest.param(n, marks=pytest.mark.slow) for n in ("symmetric-rbm:2", "jastrow"))]
)
def test_bosons_sampled(name):
    H = it.bose_hubbard(it.Bosons(it.Chain(5), 4), U=4.0)
    _, _, lowest = exact(H, H.hilbert)
    run = it.ground_state(H, name, steps=150, samples=512, final_samples=4096, key=KEY)
    limit = 0.05 if name == "jastrow" else 5e-3
    assert -4 * run.energy.error < run.energy.mean - lowest < limit * abs(lowest)


@pytest.mark.parametrize(
    "make",
    [
        lambda: it.bose_hubbard(it.Bosons(it.Chain(4), 3), U=2.0),
        pytest.param(lambda: it.rydberg(it.Rydberg(it.Chain(6))), marks=pytest.mark.slow),
    ],
)
def test_the_lowest_state_of_a_momentum(make):
    """At π, against the matrix between the projectors."""
    H = make()
    space, ring = H.hilbert, H.hilbert.place
    rows, matrix, _ = exact(H, space)
    turn = np.zeros_like(matrix)
    turn[space.numbers_of(np.roll(rows, 1, axis=1)), np.arange(len(rows))] = 1
    powers = [np.linalg.matrix_power(turn, g) for g in range(ring.size)]
    project = sum((-1) ** g * power for g, power in enumerate(powers)) / ring.size
    lowest = np.linalg.eigvalsh(project @ matrix @ project - 1e3 * project)[0] + 1e3
    found = []
    for k in range(2):  # the two irreps at π: even and odd under mirrors
        sector = it.models.sector(ring, np.pi, k)
        run = it.lowest_in_sector(H, sector, steps=120, exact_sums=True, learning_rate=0.05, key=KEY)
        found.append(float(run.energy.mean))
    assert abs(min(found) - lowest) < 2e-3 * abs(lowest)


def test_atoms_by_default():
    H = it.rydberg(it.Rydberg(it.Chain(8)))
    space = H.hilbert
    rows, matrix, lowest = exact(H, space)
    run = it.ground_state(H, key=KEY)
    assert abs(run.energy.mean / lowest - 1) < 1e-6 and run.energy.error == 0 and not run.warnings
    assert space_of(run.model).hilbert == space and "blockade" in repr(run)
    _, vectors = np.linalg.eigh(matrix)
    excited = (1 - rows[:, 0]) // 2 @ np.abs(vectors[:, 0]) ** 2
    assert abs(run.expect(it.operators.number(space, 0)).mean - excited) < 1e-4
    drawn = it.sample(run.model, 300, key=KEY)
    assert drawn.mixed and space.allows(np.asarray(drawn)).all()


@pytest.mark.parametrize(
    "name", ["symmetric-rbm:2", *(pytest.param(n, marks=pytest.mark.slow) for n in ("rbm:2", "jastrow"))]
)
def test_atoms_sampled(name):
    """By chains that stay within the blockade, of host kernels."""
    H = it.rydberg(it.Rydberg(it.Chain(8)))
    _, _, lowest = exact(H, H.hilbert)
    run = it.ground_state(H, name, steps=120, samples=512, final_samples=4096, key=KEY)
    limit = 0.03 if name == "jastrow" else 3e-3
    assert -4 * run.energy.error < run.energy.mean - lowest < limit * abs(lowest)


def test_fermions_on_an_odd_ring_have_no_signs():
    H = it.tv(it.Fermions(it.Chain(8), 3), V=2.0)
    assert confined(H, None, H.hilbert).is_stoquastic and not H.is_stoquastic
    run = it.ground_state(H, key=KEY)
    assert abs(run.energy.mean / exact(H, H.hilbert)[2] - 1) < 1e-6


def test_electrons_by_a_complex_network():
    H = hubbard_ring()
    run = it.ground_state(H, steps=150, key=KEY)
    assert abs(run.energy.mean / exact(H, H.hilbert)[2] - 1) < 0.02
    numbers = [it.operators.number(H.hilbert, i, "up") for i in range(4)]
    assert abs(run.expect(sum(numbers)).mean - 2) < 1e-9


def test_a_positive_state_of_fermions_is_told():
    H = hubbard_ring()
    psi = it.RBM(8, hidden=4, key=KEY)
    with pytest.warns(Caveat, match="determinant") as seen:
        run = it.ground_state(H, psi, steps=2, samples=64, final_samples=64, key=KEY)
    assert seen and any("signs" in line for line in run.warnings)


def test_a_given_sampler_is_taken_to_the_space():
    H = hubbard_ring()
    bonds = [(0, 1), (1, 2), (2, 3), (4, 5), (5, 6), (6, 7)]
    psi = it.RBM(8, hidden=4, dtype=complex, key=KEY)
    sampler = it.Metropolis(it.Exchange(bonds), 16)
    run = it.ground_state(
        H, psi, steps=3, samples=64, sampler=sampler, final_samples=64, compare=False, key=KEY
    )
    assert run.space.hilbert == H.hilbert
    assert H.hilbert.allows(np.asarray(it.sample(run.model, 20, key=KEY))).all()


@pytest.mark.parametrize(
    "make, words",
    [
        (
            lambda: it.operators.create(it.Fermions(3, 1), 0) + it.operators.annihilate(it.Fermions(3, 1), 0),
            "leaves the space",
        ),
        (lambda: it.tfim(it.Chain(4)), "modes"),
    ],
)
def test_operators_that_do_not_fit_are_said(make, words):
    H = make()
    with pytest.raises(InputError, match=words) as error:
        if H.hilbert is None:
            psi = it.RBM(4, hidden=2, key=KEY)
            sampler = it.Metropolis(it.Hops(), 4, hilbert=it.Bosons(4, 2))
            it.ground_state(H, psi, sampler=sampler, key=KEY)
        else:
            it.ground_state(H, key=KEY)
    assert "\n" not in str(error.value)
