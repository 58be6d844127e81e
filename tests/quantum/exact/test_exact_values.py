"""Energies of electrons, fermions, atoms and spins that others have found, by exact diagonalization here.

Sources: VarBench (Wu et al., Science 386, 296 (2024)) for Hubbard 4×4, the ring of 14 and t-V 4×4; other
values by independent diagonalization (QuSpin, dense matrices); Bethe's ansatz for the ring of 32.
"""

import numpy as np
import pytest

import intertwine as it
from intertwine.quantum import exact

TABLE = {
    "Hubbard 2×2, U = 4": (lambda: it.hubbard(electrons(2, 2, (2, 2)), U=4.0), [-2.102748483462]),
    "Hubbard 2×2, U = 8": (lambda: it.hubbard(electrons(2, 2, (2, 2)), U=8.0), [-1.320234958272]),
    "Hubbard 2×3": (
        lambda: it.hubbard(electrons(2, 3, (3, 3)), U=4.0),
        [-3.78982307, -3.72657394, -3.6495985, -3.6495985],
    ),
    "Hubbard 2×3, 2 + 2": (lambda: it.hubbard(electrons(2, 3, (2, 2)), U=4.0), [-6.332962199384]),
    "Hubbard 2×3, U = 8": (lambda: it.hubbard(electrons(2, 3, (3, 3)), U=8.0), [-2.310828544699]),
    "Hubbard 4×2": (lambda: it.hubbard(electrons(4, 2, (4, 4)), U=4.0), [-5.954236681054]),
    "Hubbard 4×2, U = 8": (lambda: it.hubbard(electrons(4, 2, (3, 3)), U=8.0), [-6.369667857897]),
    "t-V 4×4, V = 1": (lambda: it.tv(it.Fermions(it.Square(4, 4), 5), V=1.0), [-10.240650492312]),
    "t-V 4×4, V = 4": (lambda: it.tv(it.Fermions(it.Square(4, 4), 5), V=4.0), [-6.85901355431958]),
    "t-V 4×4, V = 10": (lambda: it.tv(it.Fermions(it.Square(4, 4), 5), V=10.0), [-4.05205527441]),
    "t-V ring of 8": (
        lambda: it.tv(it.Fermions(it.Chain(8), 4), V=2.0),
        [-2.94834315, -2.94834315, -0.68630684],
    ),
    "atoms, open 12": (lambda: it.rydberg(it.Rydberg(it.Chain(12, pbc=False))), [-7.58964904]),
    "atoms, ring of 12": (lambda: it.rydberg(it.Rydberg(it.Chain(12))), [-7.27389842]),
    "atoms, PXP 20": (lambda: it.rydberg(it.Rydberg(it.Chain(20)), 2.0, 0.0), [-12.07121376]),
    "atoms, open PXP 12": (
        lambda: it.rydberg(it.Rydberg(it.Chain(12, pbc=False)), 2.0, 0.0),
        [-7.52896287],
    ),
    "atoms, open 4×4": (lambda: it.rydberg(it.Rydberg(it.Square(4, 4, pbc=False))), [-9.66655854]),
    "atoms, PXP 4×4": (lambda: it.rydberg(it.Rydberg(it.Square(4, 4)), 2.0, 0.0), [-8.30198307]),
    "bosons, U = 4": (lambda: ring_of_bosons(4.0), [-7.459790626]),
    "bosons, U = 10": (lambda: ring_of_bosons(10.0), [-3.173536044]),
    "bosons, cut-off 4": (lambda: ring_of_bosons(4.0, 4), [-7.4597647]),
    "bosons, cut-off 3": (lambda: ring_of_bosons(4.0, 3), [-7.4500453]),
    "XYZ ring of 8": (
        lambda: it.xyz(it.Chain(8), 1.0, 0.5, 1.5),
        [-15.16981059, -14.35684031],
    ),
    "Kitaev 2×2": (lambda: it.kitaev(it.Honeycomb(2, 2)), [-6.92820323]),
    "Kitaev 2×3": (lambda: it.kitaev(it.Honeycomb(2, 3)), [-9.8002827, -9.8002827]),
    "toric code 2×2": (lambda: it.toric(it.LinkSites(2, 2)), [-8.0] * 4),
}
SLOW = {
    "Hubbard 4×4, U = 4": (lambda: it.hubbard(electrons(4, 4, (5, 5)), U=4.0), -19.5809375254191),
    "Hubbard 4×4, U = 8": (lambda: it.hubbard(electrons(4, 4, (5, 5)), U=8.0), -17.51036669487866),
    "Hubbard ring of 14": (
        lambda: it.hubbard(it.Fermions(it.Chain(14), (4, 4)), U=4.64158882),
        -10.896957987849,
    ),
    "XYZ ring of 12": (lambda: it.xyz(it.Chain(12), 1.0, 0.5, 1.5), -22.45036977),
}


def ring_of_bosons(U, most=None):
    return it.bose_hubbard(it.Bosons(it.Chain(8), 8, most), U=U)


def electrons(a, b, particles):
    return it.Fermions(it.Square(a, b), particles)


def _close(found, expected):
    """To 1e-9, or to the digits that the source has."""
    for value, known in zip(np.atleast_1d(found), np.atleast_1d(expected), strict=True):
        assert abs(value - known) < max(1e-9, 0.6 * 10.0 ** -len(str(known).partition(".")[2]))


@pytest.mark.parametrize("name", TABLE)
def test_known_energies_of_spaces(name):
    build, expected = TABLE[name]
    H = build()
    _close(exact.ground_energy(H), expected[0])
    if len(expected) > 1:
        _close(exact.spectrum(H, len(expected)), expected)


@pytest.mark.slow
@pytest.mark.parametrize("name", SLOW)
def test_known_energies_of_large_spaces(name):
    build, expected = SLOW[name]
    assert abs(exact.ground_energy(build()) - expected) < (1e-8 if "XYZ" in name else 1e-9)


def test_dimensions_of_the_blockade():
    """Fibonacci and Lucas numbers, 1,234 and 743 coverings of the 4 × 4 square."""
    assert it.Rydberg(it.Chain(20, pbc=False)).dimension == 17711
    assert it.Rydberg(it.Chain(20)).dimension == 15127
    assert it.Rydberg(it.Square(4, 4, pbc=False)).dimension == 1234
    assert it.Rydberg(it.Square(4, 4)).dimension == 743


def test_excited_states_of_the_hubbard_cluster_by_sector():
    """2×3 with 3 + 3 electrons: the levels of the issue with their momenta and spins."""
    H = it.hubbard(electrons(2, 3, (3, 3)), U=4.0)
    found = exact.levels(H, 4)
    rows = [(level.sector, level.spin, level.degeneracy) for level in found]
    assert rows == [("(0, 0) B", 1.0, 1), ("(0, 0) A", 0.0, 1), ("(0, 2π/3) A", 0.0, 2)]
    _close([level.energy for level in found], [-3.78982307, -3.72657394, -3.6495985])
    for words in ("(0, 2π/3) A, flip -1", "k=(0, 2pi/3), A, flip=-1"):
        _close(exact.ground_energy(H, sector=words), -3.6495985)
    at = exact.Sector(momentum=(0, 1), spin_flip=-1)
    _close(exact.ground_energy(H, sector=at), -3.6495985)


def test_free_fermions_fill_the_lowest_orbitals():
    """U = V = 0: sums of −2 cos k, for electrons, fermions, and with a twist."""
    ring = 2 * np.cos(2 * np.pi * np.arange(6) / 6)
    filled = -np.sort(ring)[::-1]
    assert abs(exact.ground_energy(it.tv(it.Fermions(it.Chain(6), 3), V=0.0)) - filled[:3].sum()) < 1e-10
    H = it.hubbard(it.Fermions(it.Chain(6), (3, 2)), U=0.0)
    assert abs(exact.ground_energy(H) - filled[:3].sum() - filled[:2].sum()) < 1e-10
    turned = np.sort(-2 * np.cos((2 * np.pi * np.arange(6) + 0.7) / 6))
    H = it.tv(it.Fermions(it.Chain(6), 2), V=0.0, twist=0.7)
    assert abs(exact.ground_energy(H) - turned[:2].sum()) < 1e-10


@pytest.mark.parametrize(("L", "n", "V"), [(8, 3, 2.0), (8, 3, -1.5), (9, 3, 1.0), (12, 5, 10.0)])
def test_rings_of_fermions_by_the_bethe_ansatz(L, n, V):
    H = it.tv(it.Fermions(it.Chain(L), n), t=1.5, V=1.5 * V)
    known = exact.known_energy(H)
    assert "Bethe" in known.source and abs(known.value - exact.ground_energy(H)) < 1e-10


def test_known_energies_in_spaces():
    """Closed forms where there are some, else by diagonalization where that is quick."""
    ring = it.tv(it.Fermions(it.Chain(32), 15), V=2.0)
    assert abs(exact.known_energy(ring).value + 14.136659092525) < 1e-10
    assert exact.known_energy(it.tv(it.Fermions(it.Chain(32), 16), V=2.0)) is None
    for build, value in (
        (lambda: it.rydberg(it.Rydberg(it.Chain(12))), -7.27389842),
        (lambda: it.hubbard(electrons(2, 3, (3, 3)), U=4.0), -3.78982307),
        (lambda: it.tv(it.Fermions(it.Chain(8), 4), V=2.0), -2.94834315),
        (lambda: ring_of_bosons(4.0), -7.459790626),
        (lambda: it.heisenberg(it.Spins(it.Chain(8), magnetization=0)), -14.604373636),
        (lambda: it.heisenberg(it.Spins(it.Chain(8), magnetization=2)), -12.513676255),
    ):
        found = exact.known_energy(build())
        assert abs(found.value - value) < 2e-8
    disordered = it.tv(it.Fermions(it.Chain(8), 3), V=2.0, field=np.arange(8.0))
    assert "Lanczos" in exact.known_energy(disordered).source


def test_several_levels_of_a_product_of_halves():
    """States that take the way of halves (over 20,000): free electrons, level by level."""
    H = it.hubbard(it.Fermions(it.Chain(10), (3, 4)), U=0.0, field=np.linspace(0.0, 0.3, 10))
    orbitals = [np.linalg.eigvalsh(_one_body(sign)) for sign in (-1.0, 1.0)]
    ground = orbitals[0][:3].sum() + orbitals[1][:4].sum()
    first = min(orbitals[0][3] - orbitals[0][2], orbitals[1][4] - orbitals[1][3])
    np.testing.assert_allclose(exact.spectrum(H, 2), [ground, ground + first], atol=1e-9)


def _one_body(sign):
    one = np.diag(sign * np.linspace(0.0, 0.3, 10))
    for i in range(10):
        one[i, (i + 1) % 10] = one[(i + 1) % 10, i] = -1.0
    return one
