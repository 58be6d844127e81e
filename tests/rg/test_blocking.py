"""Blocking rules: against brute force, and T = ln p(h|v) against the frequencies of what is drawn."""

import jax
import numpy as np
import pytest

from intertwine._checks import InputError
from intertwine.rg.blocks.blocking import BlockRule, Decimation, Majority, Rule
from intertwine.rg.blocks.blocks import block_sites, blocked_lattice
from intertwine.sampling.enumeration import all_configurations
from intertwine.spaces.lattices import Chain, Cubic, Honeycomb, Square, Triangular

KEY = jax.random.key(2)
RNG = np.random.default_rng(3)


def soft(v):
    return 1 / (1 + np.exp(-0.8 * v.sum(-1)))


RULES = {
    "majority": Majority(2),
    "majority, first": Majority(2, ties="first"),
    "decimation": Decimation(2),
    "function": BlockRule(2, soft),
    "table": BlockRule(2, RNG.random(16)),
}


def blocks_of(grid, b):
    """The b × b blocks of (..., L, L), written out."""
    side = grid.shape[-1] // b
    cut = [[grid[..., b * x : b * x + b, b * y : b * y + b] for y in range(side)] for x in range(side)]
    return np.array([[part.reshape(*grid.shape[:-2], -1) for part in row] for row in cut])


@pytest.mark.parametrize("b", [2, 3])
def test_majority_of_a_square_by_hand(b):
    side = 6
    spins = RNG.choice(np.array([-1, 1], np.int8), (20, side * side))
    total = blocks_of(spins.reshape(20, side, side), b).sum(-1)
    total = np.moveaxis(total, 2, 0).reshape(20, -1)
    found = Majority(b)(spins, Square(side), key=KEY)
    assert np.array_equal(found[total != 0], np.sign(total)[total != 0]) and set(np.unique(found)) == {-1, 1}
    first = Majority(b, ties="first")(spins, Square(side))
    assert np.array_equal(first[total == 0], spins[:, block_sites(Square(side), b)[:, 0]][total == 0])
    if b == 2:
        ties = found[total == 0]
        assert abs(ties.mean()) < 4 / np.sqrt(len(ties))


@pytest.mark.parametrize("name", RULES)
def test_probabilities_of_block_spins_sum_to_one(name):
    """Σ_h e^{T(v,h)} = 1 for every v on 4 × 4 → 2 × 2."""
    rule, lattice = RULES[name], Square(4)
    assert isinstance(rule, Rule)
    h = all_configurations(4)
    v = all_configurations(16)[::37]
    T = rule.log_weight(h, v[:, None], lattice)
    assert T.shape == (len(v), 16)
    np.testing.assert_allclose(np.exp(T).sum(1), 1, rtol=1e-12)


@pytest.mark.parametrize("name", RULES)
def test_what_is_drawn_has_the_probabilities_of_the_rule(name):
    """Frequencies of h given one v, 20,000 times, against e^T: within 4σ; the impossible never happens."""
    rule, lattice, n = RULES[name], Square(4), 20_000
    v = RNG.choice(np.array([-1, 1], np.int8), 16)
    drawn = rule(np.repeat(v[None], n, 0), lattice, key=KEY)
    number = ((drawn < 0) @ np.array([8, 4, 2, 1])).astype(int)
    p = np.exp(rule.log_weight(all_configurations(4), v, lattice))
    found = np.bincount(number, minlength=16) / n
    assert (abs(found - p) <= 4 * np.sqrt(p * (1 - p) / n)).all()
    assert np.isfinite(rule.log_weight(drawn, v, lattice)).all()


@pytest.mark.parametrize("ties", ["random", "first"])
def test_majority_of_potts_spins(ties):
    """Frequencies within 4σ of e^T, which sums to one over the 3⁴ block configurations."""
    rule, lattice, n = Majority(2, ties=ties, states=3), Square(4), 20_000
    v = np.array([0, 0, 1, 2, 1, 1, 2, 0, 2, 1, 1, 1, 0, 2, 1, 2], np.int8)
    h = np.array(np.meshgrid(*[np.arange(3)] * 4, indexing="ij")).reshape(4, -1).T.astype(np.int8)
    p = np.exp(rule.log_weight(h, v, lattice))
    np.testing.assert_allclose(p.sum(), 1, rtol=1e-12)
    drawn = rule(np.repeat(v[None], n, 0), lattice, key=KEY)
    found = np.bincount(drawn @ np.array([27, 9, 3, 1]), minlength=81) / n
    assert (abs(found - p) <= 4 * np.sqrt(p * (1 - p) / n)).all()
    if ties == "first":  # blocks 0011, 1220, 2102, 1112: the first site that has a commonest state
        assert drawn[0].tolist() == [0, 2, 2, 1]


def test_two_potts_states_are_spins():
    states = RNG.integers(0, 2, (50, 36)).astype(np.int8)
    for rule, potts in ((Majority(3), Majority(3, states=2)), (Decimation(2), Decimation(2))):
        found = 1 - 2 * potts(states, Square(6), key=KEY)
        assert np.array_equal(found, rule((1 - 2 * states).astype(np.int8), Square(6), key=KEY))


@pytest.mark.parametrize("lattice", [Chain(12), Square(6, 12), Triangular(6), Cubic(6)], ids=lambda x: x.name)
def test_blocks_tile(lattice):
    """Every site in one block; block corners lie on the smaller lattice; uniform spins stay uniform."""
    for b in (2, 3):
        sites, smaller = block_sites(lattice, b), blocked_lattice(lattice, b)
        assert (
            np.array_equal(np.sort(sites.reshape(-1)), np.arange(lattice.size)) and len(sites) == smaller.size
        )
        corners = lattice.positions[sites[:, 0]] / b
        np.testing.assert_allclose(corners, smaller.positions, atol=1e-12)
        assert (Majority(b)(np.ones(lattice.size, np.int8), lattice, key=KEY) == 1).all()


def test_the_same_key_gives_the_same_blocks():
    spins = RNG.choice(np.array([-1, 1], np.int8), (5, 7, 16))
    a, b = (Majority(2)(spins, Square(4), key=KEY) for _ in range(2))
    assert a.shape == (5, 7, 4) and np.array_equal(a, b)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: Majority(2)(np.ones(25, np.int8), Square(5)), "extents that blocks of 2 tile"),
        (lambda: Majority(3).blocked(Square(4)), "take multiples of 3"),
        (lambda: Majority(2).blocked(Honeycomb(4)), "one site per cell"),
        (lambda: Majority(2).blocked(Square(4, pbc=False)), "a periodic lattice"),
        (lambda: Majority(2).blocked("square"), "lattice: expected a lattice"),
        (lambda: Majority(1), "block: expected at least 2"),
        (lambda: Majority(2, ties="none"), "ties: expected one of"),
        (lambda: Majority(2, states=1), "states: expected 2 to 127"),
        (lambda: Majority(2)(np.zeros(16), Square(4), key=KEY), "spins: expected spins ±1"),
        (lambda: Majority(2)(np.full(16, 0.5), Square(4), key=KEY), "spins: expected whole numbers"),
        (lambda: Majority(2)(np.full(16, np.nan), Square(4), key=KEY), "spins: expected whole numbers"),
        (lambda: Majority(2)(np.ones(15), Square(4), key=KEY), "spins: expected configurations"),
        (lambda: Majority(2, states=3)(np.full(16, 3), Square(4), key=KEY), "spins: expected states 0 to 2"),
        (lambda: Majority(2)(np.resize([1, -1], 16), Square(4)), "key: expected a JAX key"),
        (lambda: BlockRule(2, np.ones(8))(np.ones(16), Square(4)), "table: expected 2.4 probabilities"),
        (lambda: BlockRule(2, np.ones(7)), "table: expected 2.n probabilities"),
        (lambda: BlockRule(2, np.full(16, 1.5)), "table: expected probabilities from 0 to 1"),
        (lambda: BlockRule(2, lambda v: v.sum(-1))(np.ones(16), Square(4)), "probabilities from 0 to 1"),
        (lambda: Decimation(0), "block: expected a positive integer"),
    ],
)  # fmt: skip
def test_bad_input_is_one_clear_line(call, words):
    with pytest.raises(InputError, match=words):
        call()
