"""Stabiliser states: entropies over GF(2) against vectors, machines that are such states exactly, topological
cuts."""

import math

import jax
import numpy as np
import pytest

import intertwine as it
from intertwine.quantum.entanglement.stabilisers.binary_rank import binary_rank, binary_solution
from intertwine.quantum.entanglement.vectors import StateVector, state_vector

LN2 = math.log(2)
ent = it.entanglement


def applied(vector, size, xs=(), zs=()):
    """Π X over `xs` Π Z over `zs` on a vector."""
    cube = vector.reshape((2,) * size)
    for site in zs:
        sign = np.array([1.0, -1.0]).reshape([2 if i == site else 1 for i in range(size)])
        cube = cube * sign
    return np.flip(cube, tuple(xs)).reshape(-1) if len(xs) else cube.reshape(-1)


def value(vector, size, xs=(), zs=()):
    return complex(vector.conj() @ applied(vector, size, xs, zs))


def dense(model):
    return state_vector(model).amplitudes


def projected(generators, size, rng):
    """A random vector through all (1 + g)/2, and which of the signs it took."""
    vector = rng.normal(size=2**size) + 1j * rng.normal(size=2**size)
    for x, z in zip(generators.x, generators.z, strict=True):
        moved = applied(vector, size, np.flatnonzero(x), np.flatnonzero(z)) * 1j ** int(np.sum(x * z))
        kept = vector + moved
        vector = kept if np.linalg.norm(kept) > 1e-6 else vector - moved
    return vector / np.linalg.norm(vector)


def region_entropy(vector, size, region):
    return ent.von_neumann(StateVector(vector, size, None, 0), region)


def test_ranks_of_random_matrices():
    rng = np.random.default_rng(0)
    for _ in range(30):
        rows = rng.integers(0, 2, (5, 7)).astype(np.uint8)
        combinations = (np.arange(32)[:, None] >> np.arange(5)) & 1
        images = {tuple(v) for v in (combinations @ rows) % 2}
        assert 2 ** binary_rank(rows) == len(images)
        values = rng.integers(0, 2, 5).astype(np.uint8)
        x, everything = binary_solution(rows, values), (np.arange(128)[:, None] >> np.arange(7)) & 1
        there = ((everything @ rows.T) % 2 == values).all(axis=1).any()
        assert (x is not None) == there and (x is None or ((rows @ x) % 2 == values).all())
    wide = np.zeros((3, 130), np.uint8)
    wide[[0, 1, 2], [3, 129, 129]] = 1
    assert binary_rank(wide) == 2


def test_entropies_of_random_stabiliser_states():
    """Graph states with single-site rotations, written as strings, against the vectors they project on."""
    rng, size = np.random.default_rng(1), 7
    for _ in range(8):
        edges = [(i, j) for i in range(size) for j in range(i) if rng.random() < 0.4]
        graph = ent.graph_stabilisers(edges, size)
        turned = rng.integers(0, 3, size)  # I, Hadamard, or a phase: X → Y
        x = np.where(turned == 1, graph.z, graph.x)
        z = np.where(turned == 1, graph.x, np.where(turned == 2, graph.z ^ graph.x, graph.z))
        letters = np.array(["I", "X", "Z", "Y"])[x + 2 * z]
        strings = ["".join(row) for row in letters]
        vector = projected(ent.Stabilisers(x, z), size, rng)
        for region in ([0], [1, 4, 2], [0, 2, 4, 6], [3, 5]):
            exact = region_entropy(vector, size, region)
            assert ent.stabiliser_entropy(strings, region) == pytest.approx(exact, abs=1e-10)


def test_mixed_states_and_strings_in_words():
    assert ent.stabiliser_entropy([{0: "X", 1: "X"}], [0, 1], 2) == pytest.approx(LN2)  # an even mixture
    assert ent.stabiliser_entropy([{0: "X", 1: "X"}], [0], 2) == pytest.approx(LN2)
    assert ent.stabiliser_entropy(["XX", "ZZ", "YY"], [0, 1]) == 0.0  # one generator more than needed


@pytest.mark.parametrize("lattice", [it.Chain(8), it.Square(3, 3), it.Chain(6, pbc=False)])
def test_cluster_states_are_machines(lattice):
    size, edges = lattice.size, lattice.bonds()
    vector = dense(ent.graph_state(edges, size))
    bits = (np.arange(2**size)[:, None] >> np.arange(size - 1, -1, -1)) & 1
    phases = (-1.0) ** np.sum(bits[:, edges[:, 0]] * bits[:, edges[:, 1]], axis=1) / 2 ** (size / 2)
    assert abs(np.vdot(phases, vector)) == pytest.approx(1.0, abs=1e-12)
    strings = ent.graph_stabilisers(edges, size)
    for region in (range(size // 2), [0, 2, 5]):
        exact = ent.stabiliser_entropy(strings, region)
        assert region_entropy(vector, size, region) == pytest.approx(exact, abs=1e-10)
        assert ent.bound(ent.graph_state(edges, size), region).nats >= exact - 1e-12


def test_random_codes_are_machines():
    """Z checks at random with signs, X checks that commute with them with signs."""
    rng, size = np.random.default_rng(5), 8
    for _ in range(6):
        z = rng.integers(0, 2, (3, size)).astype(np.uint8)
        z[np.arange(3), np.arange(3)] = 1
        z[:, :3] = np.eye(3)  # independent: any signs
        free = rng.integers(0, 2, (2, size)).astype(np.uint8)
        free[:, 3:5] = np.eye(2)
        free[:, :3] = (free[:, 3:] @ z[:, 3:].T) % 2  # even overlap with every Z check
        signs = rng.choice([-1, 1], 3), rng.choice([-1, 1], 2)
        z_checks, x_checks = ([np.flatnonzero(row) for row in rows] for rows in (z, free))
        made = ent.css_state(z_checks, size, z_signs=signs[0], x_checks=x_checks, x_signs=signs[1])
        vector = dense(made)
        for check, sign in zip(z_checks, signs[0], strict=True):
            assert value(vector, size, zs=check) == pytest.approx(sign, abs=1e-12)
        for check, sign in zip(x_checks, signs[1], strict=True):
            assert value(vector, size, xs=check) == pytest.approx(sign, abs=1e-12)
        assert np.allclose(np.abs(vector[np.abs(vector) > 1e-9]), 2 ** (-(size - 3) / 2), atol=1e-12)


# The loops and the entropies of two plaquettes: entanglement.json, toric_code
TORI = {
    (2, 2): ((1, 1), [0, 1, 2, 3, 5, 7], 1),
    (3, 2): ((1, -1), [0, 1, 2, 3, 5, 7], 3),
    (3, 3): ((-1, -1), [0, 1, 2, 3, 4, 7, 9], 4),
    (4, 2): ((1, 1), [0, 1, 2, 3, 5, 7], 3),
}


@pytest.mark.parametrize("shape", TORI)
def test_toric_code_machine(shape):
    loops, region, entropy = TORI[shape]
    Lx, Ly = shape
    size = 2 * Lx * Ly
    vector = dense(ent.toric_code(Lx, Ly))
    stars, plaquettes = ent.toric_code_checks(Lx, Ly)
    found = [value(vector, size, xs=set(star)) for star in stars if len(set(star)) == 4]
    found += [value(vector, size, zs=plaquette) for plaquette in plaquettes]
    assert np.allclose(found, 1.0, atol=1e-10)
    around = [[2 * y for y in range(Ly)], [2 * (x * Ly) + 1 for x in range(Lx)]]
    assert np.allclose([value(vector, size, xs=loop) for loop in around], loops, atol=1e-10)
    assert region_entropy(vector, size, region) == pytest.approx(entropy * LN2, abs=1e-10)
    by_ranks = ent.stabiliser_entropy(ent.toric_code_stabilisers(Lx, Ly), region)
    assert by_ranks == pytest.approx(entropy * LN2, abs=1e-12)


# Regions of entanglement.json, toric_code
DISCS = {
    (3, 4): ([1], [16], [0, 7]),
    (3, 4, "big"): ([1, 2, 9, 18], [16, 17, 22, 23], [0, 6, 7, 15]),
    (6, 6): (
        [1, 2, 3, 4, 13, 14, 15, 25, 62, 63, 64],
        [48, 49, 50, 58, 59, 60, 61, 69, 70, 71],
        [0, 8, 9, 10, 11, 12, 21, 22, 23, 35, 68],
    ),
}


def kitaev_preskill(entropy, A, B, C):
    one = entropy(A) + entropy(B) + entropy(C)
    return one - entropy(A + B) - entropy(B + C) - entropy(C + A) + entropy(A + B + C)


@pytest.mark.parametrize("name", DISCS)
def test_topological_entropy_by_ranks(name):
    generators = ent.toric_code_stabilisers(*name[:2])
    found = kitaev_preskill(lambda region: ent.stabiliser_entropy(generators, region), *DISCS[name])
    assert found == pytest.approx(-LN2, abs=1e-10)


def edges_of_square(Lx, Ly):
    """The edges of the square lattice as sites of a lattice, numbered as those of the toric code."""
    return it.Lattice([[1.0, 0.0], [0.0, 1.0]], [[0.5, 0.0], [0.0, 0.5]], (Lx, Ly))


def test_cuts_chosen_by_the_library():
    """γ = ln 2 by both cuts on 8 × 8 vertices, 128 spins; pairs have none."""
    lattice = edges_of_square(8, 8)
    toric, plain = ent.toric_code_stabilisers(8, 8), ent.graph_stabilisers(np.arange(128).reshape(-1, 2), 128)
    for cut, combination in (("kitaev-preskill", -LN2), ("levin-wen", -2 * LN2)):
        found = ent.topological(None, lattice, cut=cut, entropy=lambda r: ent.stabiliser_entropy(toric, r))
        assert found.value == pytest.approx(combination, abs=1e-10)
        assert found.gamma == pytest.approx(LN2, abs=1e-10)
        found = ent.topological(None, lattice, cut=cut, entropy=lambda r: ent.stabiliser_entropy(plain, r))
        assert found.value == pytest.approx(0.0, abs=1e-10)


@pytest.mark.slow
def test_topological_entropy_from_amplitudes_of_24_spins():
    state = state_vector(ent.toric_code(3, 4))
    found = kitaev_preskill(lambda region: ent.von_neumann(state, region), *DISCS[3, 4])
    assert found == pytest.approx(-LN2, abs=1e-10)


def test_a_thousand_spins():
    """Area law of a chain and a strip, by counting."""
    chain = ent.graph_stabilisers(it.Chain(1000).bonds(), 1000)
    assert ent.stabiliser_entropy(chain, range(250, 750)) == pytest.approx(2 * LN2, abs=1e-12)
    assert ent.stabiliser_entropy(chain, range(0, 1000, 2)) == pytest.approx(499 * LN2, abs=1e-9)
    torus = ent.toric_code_stabilisers(20, 25)
    strip = range(2 * 25 * 10)  # columns 0 to 9: cut edges on both sides, minus one constraint a side
    assert ent.stabiliser_entropy(torus, strip) == pytest.approx((2 * 25 - 1) * LN2, abs=1e-9)


def test_volume_law():
    psi = ent.volume_law_state(12)
    assert int(np.sum(np.asarray(psi.weights) != 0)) == 12
    for length in range(1, 7):
        assert ent.von_neumann(psi, range(length)) == pytest.approx(length * LN2, abs=1e-10)
        assert ent.bound(psi, range(length)).nats == pytest.approx(length * LN2)
    assert ent.renyi(psi, range(3, 9), math.inf) == pytest.approx(6 * LN2, abs=1e-10)
    assert ent.bound(ent.volume_law_state(1000), range(500)).cut == 500


def test_machines_of_a_range():
    """Entropies stay below 2R ln 2 per end, for any weights; training keeps the mask."""
    psi = it.SparseRBM.of_range(it.Chain(10), 1, dtype=complex, scale=1.0, key=jax.random.key(2))
    found = ent.bound(psi, range(5))
    assert found.cut == 4 and found.by_range == pytest.approx(4 * LN2)
    assert ent.renyi(psi, range(5), 0) == pytest.approx(4 * LN2)  # reached by generic weights
    wide = it.SparseRBM.of_range(it.Square(4, 4), 1, per_site=2, key=jax.random.key(2))
    assert wide.hidden == 32 and wide.weights.shape == (2 * 16 * 5,)


@pytest.mark.parametrize(
    "call, words",
    [
        (lambda: ent.stabiliser_entropy(["XX", "ZI"], [0]), "commute"),
        (lambda: ent.stabiliser_entropy(["XX", "Z"], [0]), "one length"),
        (lambda: ent.stabiliser_entropy(["XA"], [0]), "letters I, X, Y, Z"),
        (lambda: ent.stabiliser_entropy([{3: "X"}], [0], 2), "sites 0 to 1"),
        (lambda: ent.stabiliser_entropy([{1: "X"}], [0]), "size="),
        (lambda: ent.stabiliser_entropy(["XX"], []), "at least one site"),
        (lambda: ent.graph_state([(0, 0)], 2), "every site once"),
        (lambda: ent.graph_state([(0, 1), (1, 0)], 2), "every edge once"),
        (lambda: ent.css_state([(0, 1)], 2, x_checks=[(0,)]), "commute"),
        (lambda: ent.css_state([(0, 1), (0, 1)], 2, z_signs=(1, -1)), "some configuration"),
        (lambda: ent.css_state([(0, 1)], 2, z_signs=(2,)), "signs ±1"),
        (lambda: ent.css_state([], 2, x_checks=[(0,), (0,)], x_signs=(1, -1)), "some state"),
        (lambda: ent.toric_code(1, 3), "at least 2"),
        (lambda: ent.volume_law_state(7), "even"),
        (lambda: it.SparseRBM(np.ones(3), key=jax.random.key(0)), "shape"),
        (lambda: it.SparseRBM(np.full((2, 2), 0.5), key=jax.random.key(0)), "booleans"),
        (lambda: it.SparseRBM.of_range(it.Chain(4), -1, key=jax.random.key(0)), "distance"),
    ],
)
def test_bad_input(call, words):
    with pytest.raises(it.InputError, match=words):
        call()
