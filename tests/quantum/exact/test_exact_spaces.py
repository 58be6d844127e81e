"""Exact diagonalization of electrons, fermions, atoms and products against dense matrices over the space."""

import numpy as np
import pytest
from space_models import hubbard, in_space, pair_hopping

from intertwine._checks import InputError
from intertwine.models.symmetric.sectors import sectors
from intertwine.quantum import exact
from intertwine.quantum.exact.hilbert import search
from intertwine.quantum.exact.hilbert.basis import space_basis, space_matrix
from intertwine.quantum.exact.hilbert.chosen import chosen, of_irrep
from intertwine.quantum.exact.hilbert.halves import halves_of, product_matrix
from intertwine.quantum.exact.hilbert.moves import moves_of
from intertwine.quantum.exact.hilbert.packing import packing_of, patterns
from intertwine.quantum.exact.hilbert.recurrence import lowest_pair
from intertwine.quantum.exact.hilbert.signed_group import SignedGroup
from intertwine.quantum.exact.hilbert.symmetries import Symmetries, moved
from intertwine.quantum.operators import annihilate, create, exchange, number, total
from intertwine.quantum.operators.hamiltonians import bose_hubbard, heisenberg, rydberg, tv
from intertwine.quantum.operators.operator import Operator
from intertwine.spaces.hilbert.kinds import Bosons, Dimers, Fermions, Qudits, Rydberg, Spins
from intertwine.spaces.lattices import Chain, Square, Triangular

SPINS = Spins(Chain(6), magnetization=2)
MODELS = {
    "electrons on a ring": lambda: hubbard(Fermions(Chain(4), (2, 1))),
    "electrons, twisted": lambda: hubbard(Fermions(Chain(4), (2, 2)), amplitude=-np.exp(0.3j)),
    "electrons, pairs hop": lambda: pair_hopping(Fermions(Chain(3), spin=True, particles=3)),
    "electrons on 2×2": lambda: hubbard(Fermions(Square(2, 2, pbc=False), (2, 2))),
    "fermions": lambda: tv(Fermions(Chain(6), 3), 2.0),
    "fermions of one parity": lambda: tv(Fermions(Square(2, 3), parity=1), 1.5),
    "fermions, frustrated": lambda: tv(Fermions(Triangular(3), 4), 1.0),
    "atoms on a ring": lambda: rydberg(Rydberg(Chain(8)), 1.0, 1.3),
    "atoms on a plane": lambda: rydberg(Rydberg(Square(3, 3, pbc=False)), 2.0, 0.4),
    "spins": lambda: total(exchange(SPINS, i, (i + 1) % 6) for i in range(6)),
    "spins and fermions": lambda: _kondo(),
    "bosons": lambda: bose_hubbard(Bosons(Chain(5), 4), U=3.0),
    "bosons on a plane, open": lambda: bose_hubbard(Bosons(Square(2, 2, pbc=False), 5, most=3), U=3.0),
    "spins 1": lambda: heisenberg(Spins(Chain(5), 1.0, magnetization=0)),
    "electrons and phonons": lambda: _holstein(),
}


def _holstein():
    space = Fermions(Chain(3), (1, 1)) * Bosons(Chain(3), most=2)
    rows = [_hop(space, i, (i + 1) % 3, s) for i in range(3) for s in ("up", "down")]
    for i in range(3):
        moved = create(space, i, "bosons") + annihilate(space, i, "bosons")
        rows += [1.1 * number(space, i, "bosons"), 0.6 * (number(space, i, "up") @ moved)]
        rows.append(0.6 * (number(space, i, "down") @ moved))
    return total(rows)


def _kondo():
    space = Fermions(Chain(3), (1, 2)) * Spins(Chain(3))
    rows = [-1.0 * _hop(space, i, (i + 1) % 3, s) for i in range(3) for s in ("up", "down")]
    along = [Operator.from_strings(space.size, [(0.8, {9 - 3 + i: "Z", 9 - 2 + i: "Z"})]) for i in range(2)]
    turned = [Operator.from_strings(space.size, [(0.5, {6 + i: "X"})]) for i in range(3)]
    local = [number(space, i, "up") @ along[0] for i in range(2)]
    return total(rows + along + turned + local)


def _hop(space, i, j, species):
    one = create(space, i, species) @ annihilate(space, j, species)
    return one + one.adjoint


@pytest.mark.parametrize("name", MODELS)
def test_matrices_and_lowest_levels(name):
    H = MODELS[name]()
    space = H.hilbert
    dense = in_space(H, space)
    basis = space_basis(space)
    np.testing.assert_array_equal(
        basis.packing.unpacked(basis.states), space.levels_of(space.configurations())
    )
    stored, by_row = space_matrix(H, basis), space_matrix(H, basis, stored=0)
    np.testing.assert_allclose(stored.toarray(), dense, atol=1e-13)
    x = np.random.default_rng(1).normal(size=len(dense))
    np.testing.assert_allclose(by_row @ x, dense @ x, atol=1e-12)
    expected = np.linalg.eigvalsh(dense)
    scale = max(1.0, abs(expected[0]))
    assert abs(exact.ground_energy(H) - expected[0]) < 1e-10 * scale
    np.testing.assert_allclose(exact.spectrum(H, 6), expected[:6], atol=1e-10 * scale)
    energy, psi = exact.ground_state(H)
    assert psi.shape == (space.dimension,) and abs(np.linalg.norm(psi) - 1) < 1e-12
    assert np.linalg.norm(dense @ psi - energy * psi) < 1e-8 * scale


@pytest.mark.parametrize(
    "name",
    [n for n in MODELS if "electrons" in n and "hop" not in n and "phonons" not in n]
    + ["spins and fermions"],
)
def test_products_of_halves(name):
    H = MODELS[name]()
    dense = in_space(H, H.hilbert)
    matrix = product_matrix(H, halves_of(H.hilbert))
    np.testing.assert_allclose(matrix @ np.eye(len(dense)), dense, atol=1e-13)
    pair = lowest_pair(matrix)
    assert abs(pair.energy - np.linalg.eigvalsh(dense)[0]) < 1e-10
    assert np.linalg.norm(dense @ pair.vector - pair.energy * pair.vector) < 1e-7


def test_halves_with_terms_that_move_both_species():
    H = pair_hopping(Fermions(Chain(3), (2, 1)), J=0.7)
    matrix = product_matrix(H, halves_of(H.hilbert))
    assert matrix.products
    np.testing.assert_allclose(matrix @ np.eye(9), in_space(H, H.hilbert), atol=1e-13)


@pytest.mark.parametrize(
    "name",
    [
        "electrons on 2×2",
        "electrons on a ring",
        "fermions, frustrated",
        "atoms on a ring",
        "spins",
        "bosons",
        "spins 1",
        "electrons and phonons",
    ],
)
def test_irreps_together_are_the_spectrum(name):
    H = MODELS[name]()
    symmetries = Symmetries(H, H.hilbert)
    assert symmetries.is_whole_group
    flips = (None,) if symmetries.flip is None else (1, -1)
    found, rows = [], 0
    for irrep in sectors(H.hilbert.place):
        for flip in flips:
            sector = of_irrep(symmetries, irrep, flip)
            levels = search.in_sector(H, symmetries, sector, 400)
            rows += sector.rows is not None
            found.append(np.repeat(levels.energies, sector.copies))
    expected = np.linalg.eigvalsh(in_space(H, H.hilbert))
    np.testing.assert_allclose(np.sort(np.concatenate(found)), expected, atol=1e-10)
    assert rows > 0 or name != "fermions, frustrated"  # E irreps were met


@pytest.mark.parametrize(
    "name", ["electrons on a ring", "electrons, twisted", "fermions", "bosons", "spins 1"]
)
def test_momenta_and_vectors_of_sectors(name):
    """Translations multiply the vector of a sector by e^{−iq}, the operator by its energy."""
    H = MODELS[name]()
    space, size = H.hilbert, H.hilbert.sites
    dense, symmetries = in_space(H, space), Symmetries(H, space)
    found = []
    for m in range(size):
        sector = exact.Sector(momentum=m)
        found.append(exact.spectrum(H, 400, sector=sector))
        energy, psi = exact.ground_state(H, sector=sector)
        assert abs(energy - found[-1][0]) < 1e-10
        assert np.linalg.norm(dense @ psi - energy * psi) < 1e-9
        states = patterns(space)
        step = symmetries.group(symmetries.translations[1:2], np.ones(1))
        where = space.place.translations.permutations
        shift = int(symmetries.translations[1][0])
        assert where.shape[1] == size
        arguments = step.kernel_arguments(packing_of(space), space.levels, space.fermionic)
        there, signs = moved(states, 0, arguments)
        turned = np.zeros(len(psi), complex)
        turned[np.searchsorted(states, there)] = signs * psi
        np.testing.assert_allclose(turned, np.exp(-2j * np.pi * m * shift / size) * psi, atol=1e-8)
    np.testing.assert_allclose(np.sort(np.concatenate(found)), np.linalg.eigvalsh(dense), atol=1e-10)


def test_signs_of_permutations_are_those_of_creation_operators():
    """U c†_j U⁻¹ = c†_{p(j)} for random permutations of fermionic modes beside spins."""
    space = Fermions(3) * Spins(2) * Fermions(2)
    rng = np.random.default_rng(0)
    modes = [0, 1, 2, 5, 6]
    p = np.arange(7)
    p[modes] = rng.permutation(modes)
    p[[3, 4]] = [4, 3]
    group = SignedGroup(p[None], np.zeros(1, bool), np.ones(1))
    states = patterns(space)
    there, signs = moved(states, 0, group.kernel_arguments(packing_of(space), space.levels, space.fermionic))
    U = np.zeros((len(states), len(states)))
    U[there, states] = signs
    places = {j: (site, s) for s, (_, m) in enumerate(space.species) for site, j in enumerate(m)}
    made = {j: create(space, *place).to_dense() for j, place in places.items()}
    for j in modes:
        np.testing.assert_array_equal(U @ made[j] @ U.T, made[int(p[j])])


def test_patterns_of_spaces():
    for space in (
        Fermions(6, (3, 2)),
        Rydberg(Chain(9)),
        Bosons(4, particles=5),
        Qudits(3, 3),
        Spins(5, 1.0, 2),
    ):
        states = patterns(space)
        assert np.all(np.diff(states) > 0)
        levels = packing_of(space).unpacked(states)
        np.testing.assert_array_equal(space.written(levels), space.configurations())
    ring = Dimers(6, [(i, (i + 1) % 6) for i in range(6)])
    assert len(patterns(ring)) == 2


def test_long_strings_become_tables():
    rng = np.random.default_rng(3)
    strings = [
        (float(rng.normal()), "".join(rng.choice(list("IXYZ"), 9, p=[0.4, 0.1, 0.1, 0.4]))) for _ in range(40)
    ]
    H = Operator.from_strings(9, strings)
    H = H + H.adjoint
    basis = space_basis(Spins(9))
    np.testing.assert_allclose(space_matrix(H, basis).toarray(), H.to_dense(), atol=1e-12)
    diagonal, moves = moves_of(H, basis.packing, basis.space.levels)
    assert diagonal.count + moves.count < 40


def test_spin_half_has_point_group_sectors_too():
    from intertwine.quantum.operators.hamiltonians import j1j2
    from intertwine.quantum.vmc.excited import exact_levels

    lattice = Square(3, 2)
    H = j1j2(lattice, J2=0.4, marshall=False)
    for irrep in sectors(lattice):
        np.testing.assert_allclose(exact.spectrum(H, 3, sector=irrep), exact_levels(H, irrep, 3), atol=1e-10)
        at_zero = exact.Sector(magnetization=0, momentum=_integers(irrep), irrep=irrep.irrep)
        own = exact_levels(H, irrep, 3, magnetization=0)
        np.testing.assert_allclose(exact.spectrum(H, 3, sector=at_zero), own, atol=1e-10)
    by_name = exact.spectrum(H, 1, sector=sectors(lattice)[0].name)
    np.testing.assert_allclose(by_name, exact_levels(H, sectors(lattice)[0]), atol=1e-10)


def _integers(irrep):
    turns = np.asarray(irrep.lattice.basis_vectors) @ irrep.momentum / (2 * np.pi)
    return tuple(round(float(t * L)) for t, L in zip(turns, irrep.lattice.extent, strict=True))


def test_levels_with_labels():
    """Hubbard's model on a ring of four: multiplets of spin and momentum account for every state."""
    H = MODELS["electrons, twisted"]()
    plain = hubbard(Fermions(Chain(4), (2, 2)))
    for operator, named in ((plain, "A"), (H, "momentum")):
        dense = np.linalg.eigvalsh(in_space(operator, operator.hilbert))
        found = exact.levels(operator, 12)
        energies = np.concatenate([[level.energy] * level.degeneracy for level in found])
        np.testing.assert_allclose(energies[:12], dense[:12], atol=1e-9)
        assert any(named in level.sector for level in found)
    first = exact.levels(plain, 1)[0]
    assert first.spin == 0 and first.spin_flip == 1 and "S = 0" in str(first)
    assert {0.0, 1.0} <= {level.spin for level in exact.levels(plain, 12)} <= {0.0, 1.0, 2.0}


def test_what_is_refused():
    space = Fermions(Chain(4), (2, 1))
    with pytest.raises(InputError, match="keeps particles up = 2, got one that leaves the space"):
        exact.ground_energy(create(space, 0, "up") + annihilate(space, 0, "up"))
    with pytest.raises(InputError, match="Hermitian"):
        exact.ground_energy(create(space, 0, "up") @ annihilate(space, 1, "up"))
    large = Fermions(Chain(24), (12, 12))
    with pytest.raises(InputError, match=r"fits in \d+ GB, got 7.31e\+12 states, about .* GB"):
        exact.ground_energy(total([_hop(large, 0, 1, "up"), _hop(large, 3, 4, "down")]))
    H = hubbard(space)
    for sector, words in (
        ("nowhere", "one of 0 A"),
        (exact.Sector(spin_flip=1), "spin_flip=1, which H or its space breaks"),
        (exact.Sector(momentum=(1, 2)), "1 integers"),
        (exact.Sector(irrep="Q"), "irrep"),
        (exact.Sector(magnetization=1), "give the numbers to the space"),
        (3, "a Sector"),
    ):
        with pytest.raises(InputError, match=words):
            exact.spectrum(H, 1, sector=sector)
    broken = H + 0.3 * number(space, 1, "up")
    for sector in ("0 A", exact.Sector(momentum=1)):
        with pytest.raises(InputError, match="quantity that H conserves"):
            exact.spectrum(broken, 1, sector=sector)
    assert chosen(Symmetries(broken, space), None).group.order == 1
