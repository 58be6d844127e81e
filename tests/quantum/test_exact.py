"""Exact diagonalization against full dense spectra, sector by sector; degenerate levels; what is refused."""

import jax.numpy as jnp
import numpy as np
import pytest
from dense_oracle import dense_sum, random_strings

from intertwine._checks import InputError
from intertwine.quantum import exact
from intertwine.quantum.exact import basis as sector_basis, lanczos
from intertwine.quantum.exact.sector import complete_sectors, symmetry_of
from intertwine.quantum.operators.hamiltonians import heisenberg, j1j2, tfim, xxz
from intertwine.quantum.operators.operator import Operator
from intertwine.quantum.operators.sign_structure import is_rotation_invariant, rotated, stoquastic_rotation
from intertwine.spaces.lattices import Chain, Kagome, Square, Triangular
from thinned import thinned


def _staggered_field(lattice):
    return Operator.from_strings(lattice.size, [(0.7 * (-1) ** i, {i: "Z"}) for i in range(lattice.size)])


def _chiral(lattice):
    N = lattice.size
    pairs = [(i, (i + 1) % N) for i in range(N)]
    strings = [(0.4, {i: "X", j: "Y"}) for i, j in pairs] + [(-0.4, {i: "Y", j: "X"}) for i, j in pairs]
    return Operator.from_strings(N, strings, lattice=lattice)


SYMMETRIC = {
    "heisenberg ring 8": lambda: heisenberg(Chain(8)),
    "heisenberg ring 9": lambda: heisenberg(Chain(9)),
    "heisenberg ring 10": lambda: heisenberg(Chain(10), marshall=False),
    "ferromagnet": lambda: heisenberg(Chain(6), J=-1.0),
    "open chain": lambda: heisenberg(Chain(8, pbc=False)),
    "xxz": lambda: xxz(Chain(8), delta=1.7),
    "easy-axis ferromagnet": lambda: xxz(Chain(8), delta=-2.0),
    "ising ring": lambda: tfim(Chain(8), h=0.7),
    "ising, field reversed": lambda: tfim(Chain(7), J=-1.0, h=-0.7),
    "ising plane": lambda: tfim(Square(3), h=3.0),
    "j1j2 ring": lambda: j1j2(Chain(8), J2=0.4),
    "j1j2 plane": lambda: j1j2(Square(2, 4), J2=0.5),
    "triangular": lambda: heisenberg(Triangular(3)),
    "kagome": lambda: heisenberg(Kagome(1, 3)),
    "ladder": lambda: heisenberg(Square(4, 2, pbc=(True, False))),
    "two-site cells left by a field": lambda: heisenberg(Chain(8)) + _staggered_field(Chain(8)),
    "chiral": lambda: heisenberg(Chain(8)) + _chiral(Chain(8)),
    "field along z": lambda: (
        heisenberg(Chain(6)) + Operator.from_strings(6, [(0.9, {i: "Z"}) for i in range(6)])
    ),
    "random real": lambda: Operator.from_strings(8, random_strings(8, 3, real=True)),
    "random complex": lambda: Operator.from_strings(8, random_strings(8, 3)),
    "diagonal": lambda: Operator.from_strings(4, [(1.0, {0: "Z", 1: "Z"}), (0.5, {2: "Z"})]),
    "zero": lambda: Operator.from_strings(3, []),
}


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("real", [False, True])
def test_random_sparse_hamiltonians(seed, real):
    strings = random_strings(8, seed, real=real)
    expected = np.linalg.eigvalsh(dense_sum(8, strings))
    H = Operator.from_strings(8, strings)
    assert exact.ground_energy(H) == pytest.approx(expected[0], rel=1e-10)
    np.testing.assert_allclose(exact.spectrum(H, 10), expected[:10], rtol=0, atol=1e-10 * abs(expected[0]))


@pytest.mark.parametrize("name", thinned(SYMMETRIC))
def test_sectors_together_are_the_spectrum(name):
    H = SYMMETRIC[name]()
    expected = np.linalg.eigvalsh(H.to_dense())
    sectors = complete_sectors(H)
    dimensions = [symmetry_of(H, sector).dimension() for sector, _ in sectors]
    copies = [c for _, c in sectors]
    assert np.dot(dimensions, copies) == 2**H.size
    levels = []
    for (sector, count), dimension in zip(sectors, dimensions, strict=True):
        if dimension:
            built = sector_basis.build_basis(H.size, symmetry_of(H, sector))
            matrix = sector_basis.sector_matrix(H, built).toarray()
            np.testing.assert_allclose(matrix, matrix.conj().T, rtol=0, atol=1e-12)
            levels.append(np.repeat(np.linalg.eigvalsh(matrix), count))
    scale = max(1.0, abs(expected[0]))
    np.testing.assert_allclose(np.sort(np.concatenate(levels)), expected, rtol=0, atol=1e-10 * scale)


@pytest.mark.parametrize("name", thinned(SYMMETRIC))
def test_ground_energy_state_and_lowest_levels(name):
    H = SYMMETRIC[name]()
    matrix = H.to_dense()
    expected = np.linalg.eigvalsh(matrix)
    scale = max(1.0, abs(expected[0]))
    assert abs(exact.ground_energy(H) - expected[0]) <= 1e-10 * scale
    np.testing.assert_allclose(exact.spectrum(H, 8), expected[:8], rtol=0, atol=1e-10 * scale)
    energy, psi = exact.ground_state(H)
    assert psi.shape == (2**H.size,)
    assert np.linalg.norm(psi) == pytest.approx(1.0, abs=1e-12)
    assert np.linalg.norm(matrix @ psi - energy * psi) <= 1e-9 * scale


@pytest.mark.parametrize("name", ["j1j2 ring", "chiral", "ising ring", "field along z"])
def test_one_sector_at_a_time(name):
    """Each sector's lowest level is that of the projected dense matrix."""
    H = SYMMETRIC[name]()
    matrix = H.to_dense()
    spins = _spins(H.size)
    if H.conserves_magnetization:
        for M in range(-H.size, H.size + 1, 2):
            rows = np.flatnonzero(spins.sum(axis=1) == M)
            expected = np.linalg.eigvalsh(matrix[np.ix_(rows, rows)])[0]
            found = exact.ground_energy(H, sector=exact.Sector(magnetization=M))
            assert found == pytest.approx(expected, abs=1e-9)
    if H.commutes_with_spin_flip:
        for p in (1, -1):
            projector = (np.eye(len(matrix)) + p * np.eye(len(matrix))[::-1]) / 2
            expected = _lowest_in(matrix, projector)
            assert exact.ground_energy(H, sector=exact.Sector(spin_flip=p)) == pytest.approx(
                expected, abs=1e-9
            )
    N = H.size
    moved = [_index(spins[:, np.roll(np.arange(N), r)]) for r in range(N)]
    for m in range(N):
        projector = np.zeros(matrix.shape, complex)
        for r in range(N):  # T_r takes state s to the state with (T_r s)[i + r] = s[i]
            projector[moved[(N - r) % N], np.arange(2**N)] += np.exp(2j * np.pi * m * r / N) / N
        expected = _lowest_in(matrix, projector)
        assert exact.ground_energy(H, sector=exact.Sector(momentum=m)) == pytest.approx(expected, abs=1e-9)


def _spins(size):
    return 1 - 2 * ((np.arange(2**size)[:, None] >> np.arange(size - 1, -1, -1)) & 1)


def _index(spins):
    return ((1 - spins) // 2) @ (1 << np.arange(spins.shape[1] - 1, -1, -1))


def _lowest_in(matrix, projector):
    np.testing.assert_allclose(projector, projector.conj().T, rtol=0, atol=1e-12)
    return np.linalg.eigvalsh(projector @ matrix @ projector + 1e3 * (np.eye(len(matrix)) - projector))[0]


def test_lanczos_finds_every_copy_of_a_level():
    """No symmetry is told: the multiplets of a ring stay degenerate inside one sector of dimension 1024."""
    ring = heisenberg(Chain(10), marshall=False)
    plain = Operator.from_strings(10, ring.strings()) + Operator.from_strings(10, [])
    built = sector_basis.build_basis(10, sector_basis.Symmetry.none(10))
    matrix = sector_basis.sector_matrix(plain, built)
    found = lanczos.lowest(matrix, 12, 30.0)
    expected = np.linalg.eigvalsh(ring.to_dense())[:12]
    np.testing.assert_allclose(found.energies, expected, rtol=0, atol=1e-9)
    assert np.max(found.residuals) < 1e-8


def test_rows_without_storage_equal_the_stored_matrix(monkeypatch):
    H = j1j2(Chain(12), J2=0.3) + _chiral(Chain(12))
    for sector, _ in complete_sectors(H)[:6]:
        built = sector_basis.build_basis(H.size, symmetry_of(H, sector))
        stored = sector_basis.sector_matrix(H, built)
        with monkeypatch.context() as patch:
            patch.setattr(sector_basis, "_STORED_LIMIT", 0)
            free = sector_basis.sector_matrix(H, built)
        x = np.random.default_rng(1).normal(size=built.dimension) + 0j
        np.testing.assert_allclose(free @ x, stored @ x, rtol=0, atol=1e-12)


def test_results_repeat_to_the_bit():
    H = j1j2(Chain(12), J2=0.3)
    assert exact.ground_energy(H) == exact.ground_energy(H)


def test_ground_state_reproduces_local_energies():
    """H ψ = E ψ read through the connected elements."""
    H = heisenberg(Chain(10), marshall=False)
    energy, psi = exact.ground_state(H)
    spins = _spins(10)
    for index in np.flatnonzero(np.abs(psi) > 1e-3)[::17]:
        configurations, elements = H.connected(jnp.asarray(spins[index], jnp.int8))
        local = np.sum(np.asarray(elements) * psi[_index(np.asarray(configurations, int))]) / psi[index]
        assert local == pytest.approx(energy, abs=1e-9)


@pytest.mark.parametrize("name", SYMMETRIC)
def test_rotations_make_stoquastic(name):
    H = SYMMETRIC[name]()
    sites = stoquastic_rotation(H)
    if sites is not None:
        assert rotated(H, sites).is_stoquastic
        assert np.allclose(np.linalg.eigvalsh(rotated(H, sites).to_dense()), np.linalg.eigvalsh(H.to_dense()))
    expected = {
        "heisenberg ring 8": True,
        "ising, field reversed": True,
        "triangular": False,
        "chiral": False,
    }
    assert expected.get(name, sites is not None) == (sites is not None)


def test_rotation_invariance_is_recognised():
    invariant = {name: is_rotation_invariant(build()) for name, build in SYMMETRIC.items()}
    for name in ("heisenberg ring 8", "heisenberg ring 10", "ferromagnet", "j1j2 plane", "triangular"):
        assert invariant[name]
    for name in ("xxz", "ising ring", "field along z", "chiral", "random complex"):
        assert not invariant[name]


RING = heisenberg(Chain(6))
HOSTILE = {
    "not hermitian": lambda: exact.ground_energy(1j * RING),
    "not an operator": lambda: exact.ground_energy(np.eye(4)),
    "too large": lambda: exact.ground_energy(tfim(Chain(40))),
    "too large, no symmetry": lambda: exact.ground_energy(Operator.from_strings(30, random_strings(30, 0))),
    "beyond integers": lambda: exact.ground_energy(tfim(Square(10))),
    "state too large": lambda: exact.ground_state(heisenberg(Chain(26))),
    "k": lambda: exact.spectrum(RING, 0),
    "magnetization parity": lambda: exact.ground_energy(RING, sector=exact.Sector(magnetization=1)),
    "magnetization range": lambda: exact.ground_energy(RING, sector=exact.Sector(magnetization=8)),
    "magnetization type": lambda: exact.Sector(magnetization=0.5),
    "magnetization not conserved": lambda: exact.ground_energy(
        tfim(Chain(6)), sector=exact.Sector(magnetization=0)
    ),
    "flip value": lambda: exact.Sector(spin_flip=2),
    "flip with magnetization": lambda: exact.ground_energy(
        RING, sector=exact.Sector(magnetization=2, spin_flip=1)
    ),
    "flip broken": lambda: exact.ground_energy(
        RING + _staggered_field(Chain(6)), sector=exact.Sector(spin_flip=1)
    ),
    "momentum type": lambda: exact.Sector(momentum=0.5),
    "momentum length": lambda: exact.ground_energy(RING, sector=exact.Sector(momentum=(1, 0))),
    "momentum broken": lambda: exact.ground_energy(
        RING + Operator.from_strings(6, [(1.0, {0: "Z"})]), sector=exact.Sector(momentum=0)
    ),
    "momentum open": lambda: exact.ground_energy(
        heisenberg(Chain(6, pbc=False)), sector=exact.Sector(momentum=1)
    ),
    "momentum without lattice": lambda: exact.ground_energy(
        Operator.from_strings(2, [(1.0, {0: "X"})]), sector=exact.Sector(momentum=0)
    ),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_input_is_one_clear_error(name):
    with pytest.raises(InputError) as caught:
        HOSTILE[name]()
    assert "\n" not in str(caught.value)
    assert "expected" in str(caught.value)


def test_too_large_says_dimension_and_memory():
    with pytest.raises(InputError, match=r"dimension .* GB"):
        exact.ground_energy(heisenberg(Chain(36)))
