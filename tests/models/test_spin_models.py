"""Ising models with any couplings, Potts and clock models: against sums over spins written out here."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from intertwine._checks import InputError
from intertwine.models.laws import assert_incremental_consistent
from intertwine.models.spins.ising import CRITICAL_SQUARE, CRITICAL_TRIANGULAR, Ising
from intertwine.models.spins.potts import Clock, Potts, potts_critical
from intertwine.models.spins.spin_enumeration import enumerate_distribution
from intertwine.models.spins.spin_terms import EVEN, ODD, spin_terms
from intertwine.spaces.lattices import Chain, Cubic, Honeycomb, Kagome, Square, Triangular

RNG = np.random.default_rng(5)
EVERYTHING = {"next": 0.11, "plaquette": -0.07, "third": 0.05, "corner": 0.09, "row": -0.03, "diamond": 0.02}


def spins(n, size):
    return RNG.choice(np.array([-1, 1], np.int8), (n, size))


def test_terms_of_the_square_lattice_are_sums_of_rolled_products():
    side = 6
    s = spins(3, side * side)
    grid = s.reshape(3, side, side).astype(int)

    def total(*shapes):
        return sum(
            np.prod([np.roll(grid, (-x, -y), (1, 2)) for x, y in shape], axis=0).sum((1, 2))
            for shape in shapes
        )

    expected = {
        "field": total([(0, 0)]),
        "nearest": total([(0, 0), (1, 0)], [(0, 0), (0, 1)]),
        "next": total([(0, 0), (1, 1)], [(0, 0), (1, -1)]),
        "third": total([(0, 0), (2, 0)], [(0, 0), (0, 2)]),
        "plaquette": total([(0, 0), (0, 1), (1, 0), (1, 1)]),
        "diamond": total([(1, 0), (-1, 0), (0, 1), (0, -1)]),
        "corner": total(*([(0, 0), (a, 0), (0, b)] for a in (1, -1) for b in (1, -1))),
        "row": total([(-1, 0), (0, 0), (1, 0)], [(0, -1), (0, 0), (0, 1)]),
        "shell:4": total(*([(0, 0), v] for v in ((1, 2), (2, 1), (1, -2), (2, -1)))),
    }
    for name, value in expected.items():
        assert np.array_equal(spin_terms(Square(side), name).sum(s), value), name


@pytest.mark.parametrize("lattice", [Chain(9), Square(5, 7), Triangular(6), Cubic(4)], ids=lambda x: x.name)
@pytest.mark.parametrize("name", [*EVEN, *ODD])
def test_terms_are_invariant_under_the_space_group(lattice, name):
    """Square lattices of unequal sides keep their half-turns and reflections."""
    if lattice.dimension == 1 and name in ("plaquette", "diamond", "corner", "vee"):
        with pytest.raises(InputError, match="coupling: expected one of field, row"):
            spin_terms(lattice, name)
        return
    terms = spin_terms(lattice, name)
    s = spins(4, lattice.size)
    for element in lattice.space_group.permutations[:: max(1, lattice.space_group.order // 24)]:
        assert np.array_equal(terms.sum(s[:, element]), terms.sum(s))
    assert np.array_equal(terms.sum(-s), terms.sum(s) * (-1) ** terms.order)


@pytest.mark.parametrize(
    "lattice", [Square(6), Triangular(6), Cubic(4), Honeycomb(4), Kagome(3)], ids=lambda x: x.name
)
def test_pairs_are_the_bonds_of_the_lattice(lattice):
    for shell in (1, 2):
        pairs = np.sort(spin_terms(lattice, f"shell:{shell}").sites, axis=1)
        assert np.array_equal(np.unique(pairs, axis=0), lattice.bonds(shell))


def test_multiplicity_on_a_tiny_torus():
    """Bonds that go around twice count twice; a shape that closes on itself is refused."""
    assert spin_terms(Square(2, 2), "nearest").sum(np.ones(4, np.int8)) == 8
    with pytest.raises(InputError, match="sites of its own"):
        spin_terms(Square(2, 2), "third")


@pytest.mark.parametrize("lattice", [Square(5, 4), Triangular(5)], ids=lambda x: x.name)
def test_log_psi_is_the_sum_of_its_terms_and_flips_are_consistent(lattice):
    K, h = RNG.normal(size=len(lattice.bonds())), RNG.normal(size=lattice.size)
    model = Ising(lattice, K, h, further=EVERYTHING)
    s = spins(3, lattice.size)
    near = lattice.bonds()
    expected = (K * s[:, near[:, 0]] * s[:, near[:, 1]]).sum(1) + s @ h
    expected = expected + sum(k * spin_terms(lattice, name).sum(s) for name, k in EVERYTHING.items())
    np.testing.assert_allclose(jax.vmap(model)(jnp.asarray(s)), expected, rtol=1e-12)
    assert_incremental_consistent(model, key=jax.random.key(0))


@jax.jit
def ratio(model, s, sites):
    return model.log_ratio((), s, sites), model(s)


def test_several_flips_at_once():
    """ln Ψ(s') − ln Ψ(s) of up to four flips; a site of N is padding."""
    model, s = Ising(Square(4), 0.3, 0.1, further=EVERYTHING), jnp.asarray(spins(1, 16)[0])
    for sites in ([3], [0, 1], [0, 1, 4, 5], [2, 6, 10]):
        padded = jnp.array(sites + [16] * (4 - len(sites)))
        turned = s.at[jnp.array(sites)].multiply(-1)
        change, before = ratio(model, s, padded)
        np.testing.assert_allclose(change, ratio(model, turned, padded)[1] - before, atol=1e-12)


def test_pairs_and_couplings():
    model = Ising.of(Square(4), {"nearest": 0.4, "next": 0.1, "plaquette": 0.2, "field": 0.05})
    bonds, values = model.pairs()
    assert bonds.shape == (64, 2) and np.allclose(values, np.repeat([0.4, 0.1], 32)) and model.multi_spin
    assert model.couplings == {"nearest": 0.4, "field": 0.05, "next": 0.1, "plaquette": 0.2}
    glass = Ising(Square(4), RNG.choice([-1.0, 1.0], 32))
    assert np.array_equal(glass.pairs()[1], glass.coupling) and not glass.multi_spin
    with pytest.raises(InputError, match="one coupling a family"):
        _ = glass.couplings


@pytest.mark.parametrize("lattice", [Square(3), Triangular(3, 4), Chain(5, pbc=False)], ids=lambda x: x.name)
def test_two_states_are_the_ising_model(lattice):
    """K_Potts = 2 K_Ising, K_clock = K_Ising: equal probabilities."""
    p = enumerate_distribution(Ising(lattice, 0.3))
    for model in (Potts(lattice, 2, 0.6), Clock(lattice, 2, 0.3)):
        q = enumerate_distribution(model)
        assert np.array_equal(1 - 2 * q.configurations, p.configurations)
        np.testing.assert_allclose(q.probabilities, p.probabilities, rtol=1e-12)
        np.testing.assert_allclose(
            model.order_squared(jnp.asarray(q.configurations)),
            Ising(lattice, 0.3).order_squared(jnp.asarray(p.configurations)),
            atol=1e-12,
        )


def test_potts_and_clock_against_their_definitions():
    """Three directions: cos(2π/3) = −1/2, so that the clock model is Potts with 3/2 of the coupling."""
    lattice = Square(2, 3)  # two sites along a direction: those bonds go around twice
    potts, clock = Potts(lattice, 3, 0.9, h=0.2), Clock(lattice, 3, 0.6)
    found = enumerate_distribution(potts)
    s, (i, j) = found.configurations, spin_terms(lattice, "nearest").sites.T
    weights = np.exp(0.9 * (s[:, i] == s[:, j]).sum(1) + 0.2 * (s == 0).sum(1))
    np.testing.assert_allclose(found.probabilities, weights / weights.sum(), rtol=1e-12)
    assert abs(found.log_z - np.log(weights.sum())) < 1e-12
    plain = enumerate_distribution(Potts(lattice, 3, 0.9)).probabilities
    np.testing.assert_allclose(enumerate_distribution(clock).probabilities, plain, rtol=1e-12)


def test_critical_couplings():
    """Two states at 2 K_c of Ising; square q = 3 at ln(1 + √3) (Potts 1952)."""
    assert abs(potts_critical(2) - 2 * CRITICAL_SQUARE) < 1e-14
    assert abs(potts_critical(2, "triangular") - 2 * CRITICAL_TRIANGULAR) < 1e-12
    assert abs(potts_critical(3) - 1.005052538742381) < 1e-12
    assert (
        abs(np.exp(3 * potts_critical(3, "triangular")) - 3 * np.exp(potts_critical(3, "triangular")) - 1)
        < 1e-12
    )


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: Ising(Square(4), float("nan")), "K: expected a finite number, or an array of 32"),
        (lambda: Ising(Square(4), np.ones(31)), "K: .* got shape"),
        (lambda: Ising(Square(4), 0.4, np.ones(15)), "h: .* one for each of its sites"),
        (lambda: Ising(Square(4), 0.4, further={"next": np.inf}), "further.next.: expected a finite number"),
        (lambda: Ising(Square(4), 0.4, further={"second": 0.1}), "coupling: expected one of field"),
        (lambda: Ising(Square(4), 0.4, further={"field": 0.1}), "use K and h"),
        (
            lambda: Ising(
                Square(4), 0.4, further={"next": 0.1, "shell:2": 0.1, "row": 1, ((0, 0), (1, 1)): 1}
            ),
            None,
        ),
        (lambda: Ising(Square(4), 0.4, further=[0.1]), "further: expected couplings by family"),
        (lambda: Ising(Kagome(3), 0.4, further={"plaquette": 0.1}), "a lattice with a basis"),
        (lambda: Ising("square", 0.4), "lattice: expected a lattice"),
        (lambda: Ising.of(Square(4), 0.4), "couplings: expected numbers by family"),
        (lambda: spin_terms(Square(4), ((0, 0), (0, 0))), "sites of its own"),
        (lambda: spin_terms(Square(4), ((0, 0, 0), (0, 0, 1))), "2 components"),
        (lambda: spin_terms(Square(4), ((0, 0.5),)), "cell vectors such as"),
        (lambda: spin_terms(Square(4), 7), "cell vectors such as"),
        (lambda: Potts(Square(4), 1, 0.4), "q: expected 2 to 127 states"),
        (lambda: Potts(Square(4), 3, None), "K: expected a finite number"),
        (lambda: Clock(None, 3, 0.4), "lattice: expected a lattice"),
        (lambda: potts_critical(3, "kagome"), "lattice: expected one of"),
        (lambda: enumerate_distribution(Ising(Square(5), 0.4)), "at most 2.22 configurations"),
        (lambda: enumerate_distribution(3), "model: expected an Ising"),
    ],
)
def test_bad_input_is_one_clear_line(make, words):
    if words is None:
        make()
        return
    with pytest.raises(InputError, match=words):
        make()
