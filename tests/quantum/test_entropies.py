"""Exact entropies, spectra and negativities: dense density matrices, closed forms, and published vectors."""

import math
from types import SimpleNamespace

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from dense_oracle import all_spins

import intertwine as it
from intertwine.models.units import as_spins
from intertwine.quantum.entanglement.vectors import state_vector
from intertwine.quantum.vmc.local_energy import log_amplitudes
from intertwine.sampling.metropolis.metropolis import Metropolis
from intertwine.sampling.metropolis.rules import Exchange
from intertwine.sampling.space import Space, placed
from models.table import MODELS
from thinned import thinned

ORDERS = (0.5, 1.0, 1.5, 2.0, 3.0, math.inf)
KEY = jax.random.key(3)
MADE = {name: make for name, make in MODELS.items() if "square" not in name and "character-even" not in name}


def dense_rho(vector, region):
    """ρ of the sites `region`, by tracing over the others one index at a time."""
    size = len(vector).bit_length() - 1
    rest = [i for i in range(size) if i not in region]
    cube = (vector / np.linalg.norm(vector)).reshape((2,) * size)
    rho = np.tensordot(cube, cube.conj(), axes=(rest, rest))
    kept = sorted(region)
    order = [kept.index(i) for i in region]
    order += [len(kept) + i for i in order]
    return rho.transpose(order).reshape(2 ** len(region), -1)


def dense_entropies(rho):
    """All `ORDERS` from matrix functions of ρ; the square root from singular values of a Cholesky-like
    factor, as eigenvalues below 1e-16 have none of their own."""
    values = np.linalg.eigvalsh(rho)
    kept = values[values > 1e-17]
    found = {q: np.log(np.sum(kept**q)) / (1 - q) for q in ORDERS if q not in (1.0, math.inf)}
    return found | {1.0: -np.sum(kept * np.log(kept)), math.inf: -np.log(values[-1])}


def dense_vector(model, spins):
    logs = np.asarray(log_amplitudes(as_spins(model), jnp.asarray(spins))).astype(complex)
    return np.exp(logs - logs.real.max())


@pytest.mark.parametrize("name", thinned(MADE))
def test_every_model_against_dense_matrices(name):
    model = MADE[name](KEY)
    vector = dense_vector(model, all_spins(model.size))
    for region in ([0, 1, 2], [5, 1, 6, 2], [7]):
        expected = dense_entropies(dense_rho(vector, region))
        singular = np.linalg.svd(dense_matrix(vector, region), compute_uv=False)
        expected[0.5] = 2 * np.log(np.sum(singular))
        for q in ORDERS:
            assert it.entanglement.renyi(model, region, q) == pytest.approx(expected[q], abs=1e-12), q
        rho = it.entanglement.reduced_density_matrix(model, region)
        np.testing.assert_allclose(rho, dense_rho(vector, region), rtol=0, atol=1e-13)


def dense_matrix(vector, region):
    size = len(vector).bit_length() - 1
    rest = [i for i in range(size) if i not in region]
    cube = (vector / np.linalg.norm(vector)).reshape((2,) * size)
    return cube.transpose(*region, *rest).reshape(2 ** len(region), -1)


def random_state(size, seed, *, magnetization=None, flip=0, real=False):
    """A vector with chosen sectors."""
    rng = np.random.default_rng(seed)
    vector = rng.normal(size=2**size) + (0 if real else 1j * rng.normal(size=2**size))
    if flip:
        vector = vector + flip * vector[::-1]
    if magnetization is not None:
        vector = vector * (all_spins(size).sum(axis=1) == magnetization)
    return vector


@pytest.mark.parametrize("size", [8, 11, 14])
@pytest.mark.parametrize(
    "sector",
    [{}, {"flip": 1}, {"flip": -1, "real": True}, {"magnetization": 2}, {"magnetization": -1, "real": True}],
)
def test_every_sector_against_dense_matrices(size, sector):
    if "magnetization" in sector and (sector["magnetization"] - size) % 2:
        sector = sector | {"magnetization": sector["magnetization"] + 1}
    vector = random_state(size, 5, **sector)
    state = state_vector(vector)
    assert state.flip == sector.get("flip", 0) and state.magnetization == sector.get("magnetization")
    region = list(np.random.default_rng(size).permutation(size)[: size // 2])
    expected = dense_entropies(dense_rho(vector, region))
    expected[0.5] = 2 * np.log(np.sum(np.linalg.svd(dense_matrix(vector, region), compute_uv=False)))
    for q in ORDERS:
        assert it.entanglement.renyi(vector, region, q) == pytest.approx(expected[q], abs=1e-12), q
    rank = np.linalg.matrix_rank(dense_matrix(vector, region))
    assert it.entanglement.renyi(vector, region, 0) == pytest.approx(np.log(rank), abs=1e-12)
    values = it.entanglement.spectrum(vector, region)
    assert len(values) == rank and values.sum() == pytest.approx(1, abs=1e-13)
    assert (np.diff(values) <= 0).all()


def test_gram_matrices_of_large_blocks(monkeypatch):
    """What is taken beyond 1,536 rows, made to happen on 11 spins."""
    vector = random_state(11, 2)
    exact = it.entanglement.von_neumann(vector, range(5))
    monkeypatch.setattr("intertwine.quantum.entanglement.schmidt._LARGEST_SVD", 2)
    assert it.entanglement.von_neumann(vector, range(5)) == pytest.approx(exact, abs=1e-12)


@pytest.mark.parametrize(
    ("size", "A", "B", "sector"),
    [
        (8, [0, 3, 5], [1, 7], {}),
        (9, [2, 1], [8, 0, 4], {"magnetization": 1}),
        (8, [0, 1, 2], [3, 4, 5, 6, 7], {"flip": 1}),
        (10, [9], [4, 5, 6], {"magnetization": 0, "flip": 1}),
    ],
)
def test_negativity_against_dense_partial_transposes(size, A, B, sector):
    vector = random_state(size, 7, **sector)
    a, b = 2 ** len(A), 2 ** len(B)
    rho = dense_rho(vector, [*A, *B]).reshape(a, b, a, b)
    values = np.linalg.eigvalsh(rho.transpose(0, 3, 2, 1).reshape(a * b, a * b))
    found = it.entanglement.negativity(vector, A, B)
    assert found == pytest.approx(np.log(np.abs(values).sum()), abs=1e-10)
    parts = [dense_entropies(dense_rho(vector, sites))[1.0] for sites in (A, B)]
    joint = dense_entropies(dense_rho(vector, [*A, *B]))[1.0]
    information = it.entanglement.mutual_information(vector, A, B)
    assert information == pytest.approx(sum(parts) - joint, abs=1e-11)


def w_state(n):
    vector = np.zeros(2**n)
    vector[2 ** np.arange(n)] = 1
    return vector


@pytest.mark.parametrize("n", [6, 10])
def test_ghz_and_w_states(n):
    ghz = np.zeros(2**n)
    ghz[[0, -1]] = 1
    for length in (1, 2, n // 2):
        share = length / n
        binary = -share * math.log(share) - (1 - share) * math.log(1 - share)
        assert it.entanglement.von_neumann(ghz, range(length)) == pytest.approx(math.log(2), abs=1e-12)
        assert it.entanglement.von_neumann(w_state(n), range(length)) == pytest.approx(binary, abs=1e-12)
    assert it.entanglement.negativity(ghz, range(2), range(2, n)) == pytest.approx(math.log(2), abs=1e-12)
    assert it.entanglement.negativity(ghz, [0, 1], [2, 3]) == 0


def test_negativity_inside_a_w_state():
    """Two pairs of W of 6: 0.2060113295833 (a 4×4 eigenvalue problem)."""
    found = it.entanglement.negativity(w_state(6), [0, 1], [2, 3])
    assert (math.exp(found) - 1) / 2 == pytest.approx(0.2060113295833, abs=1e-12)


def test_heisenberg_ring_of_12():
    """Half and quarter of the ring, even sites, two pairs: Lanczos values."""
    _, psi = it.exact.ground_state(it.heisenberg(it.Chain(12)))
    entropies = {
        tuple(range(6)): (1.184223741801, 0.8510804761469, 1.652513316536, 0.4782853048997),
        (0, 1, 2): (1.065556972369, 0.8740425532088, 1.414998869601, 0.7861291615488),
        tuple(range(0, 12, 2)): (3.246954503367, 2.966841604845, 3.510906108215, 2.567774349718),
        (0, 1, 6, 7): (1.782816976183, 1.194475479177, 2.275362196149, 0.651504190657),
    }
    for region, values in entropies.items():
        for order, value in zip((1, 2, 0.5, math.inf), values, strict=True):
            assert it.entanglement.renyi(psi, region, order) == pytest.approx(value, abs=1e-9)
    levels = -np.log(it.entanglement.spectrum(psi, range(6)))[:4]
    np.testing.assert_allclose(levels, [0.4782853048997] + [2.126710563303] * 3, rtol=0, atol=1e-9)


def test_critical_ising_ring_of_16():
    """Free fermions: half of the ring, and blocks of 1 to 6."""
    _, psi = it.exact.ground_state(it.tfim(it.Chain(16), h=1.0))
    assert it.entanglement.von_neumann(psi, range(8)) == pytest.approx(0.750055397274, abs=1e-7)
    assert it.entanglement.renyi(psi, range(8), 2) == pytest.approx(0.5733840775299, abs=1e-7)
    blocks = [it.entanglement.von_neumann(psi, range(3, 3 + n)) for n in (1, 2, 4, 6)]
    expected = [0.4731753700722, 0.5893610962431, 0.6922096068069, 0.736845784767]
    np.testing.assert_allclose(blocks, expected, rtol=0, atol=1e-7)


def test_a_run_is_measured_where_it_lives():
    """A state of one magnetization, found with the Marshall rotation: nothing outside, and laboratory
    signs."""
    ring = it.heisenberg(it.Chain(6))
    where = Space(Metropolis(Exchange(), chains=4), (0,), ring.turned)
    model = placed(it.RBM(6, hidden=6, key=KEY), where)
    run = SimpleNamespace(model=model, space=where)
    state = it.entanglement.state_vector(run)
    assert state.magnetization == 0
    signs = np.prod(np.where(np.isin(np.arange(6), ring.turned), all_spins(6), 1), axis=1)
    expected = dense_vector(model, all_spins(6)).real * (all_spins(6).sum(axis=1) == 0) * signs
    np.testing.assert_allclose(state.amplitudes, expected / np.linalg.norm(expected), rtol=0, atol=1e-13)
    assert it.entanglement.von_neumann(run, [0]) == it.entanglement.von_neumann(model, [0])


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda e, m: e.von_neumann(m, []), "region: expected at least one site"),
        (lambda e, m: e.von_neumann(m, [0, 4]), "region: expected sites 0 to 3, got site 4"),
        (lambda e, m: e.von_neumann(m, [0, -1]), "got site -1"),
        (lambda e, m: e.von_neumann(m, [1, 1]), "got site 1 twice"),
        (lambda e, m: e.von_neumann(m, [0.5]), "an iterable of site numbers"),
        (lambda e, m: e.von_neumann(m, 3), "an iterable of site numbers"),
        (lambda e, m: e.negativity(m, [0, 1], [1, 2]), "B: expected sites that are not in A, got site 1"),
        (lambda e, m: e.mutual_information(m, [0], []), "B: expected at least one site"),
        (lambda e, m: e.renyi(m, [0], -1), "order: expected a number"),
        (lambda e, m: e.von_neumann(np.ones(6), [0]), r"a vector of 2\^N amplitudes"),
        (lambda e, m: e.von_neumann(np.zeros(4), [0]), "got only zeros"),
        (lambda e, m: e.von_neumann([1.0, np.nan], [0]), "not finite"),
        (lambda e, m: e.von_neumann("rbm", [0]), "model: expected a wave function"),
    ],
)
def test_bad_input_is_one_error(call, words):
    with pytest.raises(it.InputError, match=words):
        call(it.entanglement, it.RBM(4, hidden=2, key=KEY))


def test_too_many_spins_say_the_memory():
    model = it.RBM(30, hidden=2, key=KEY)
    with pytest.raises(it.InputError, match=r"at most 24 spins.*30 spins.*64.0 GiB"):
        it.entanglement.von_neumann(model, range(4))


def test_orders_beyond_the_range_of_numbers():
    assert it.entanglement.renyi([0.6, 0.0, 0.0, 0.8], [0], 5000) == pytest.approx(-np.log(0.64), rel=1e-3)


def test_a_mask_is_a_region():
    psi, half = it.exact.product_vector(4, "+x") + np.eye(16)[3], [False, True, True, False]
    expected = it.entanglement.von_neumann(psi, [1, 2])
    assert (
        it.entanglement.von_neumann(psi, half) == it.entanglement.von_neumann(psi, np.array(half)) == expected
    )
    for mask, words in (
        (half[:3], "one True or False for each of 4"),
        ([True, 2], "some, with site numbers"),
    ):
        with pytest.raises(it.InputError, match=words):
            it.entanglement.von_neumann(psi, mask)
