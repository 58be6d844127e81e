"""Monte Carlo renormalization: against enumeration, errors against scatter, and the known exponents."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from intertwine._checks import InputError
from intertwine.models.spins.ising import CRITICAL_SQUARE, Ising
from intertwine.models.spins.potts import Potts
from intertwine.models.spins.spin_enumeration import enumerate_distribution
from intertwine.models.spins.spin_terms import spin_terms
from intertwine.rg.blocks.blocking import BlockRule, Decimation, Majority
from intertwine.rg.montecarlo.mcrg import mcrg
from intertwine.rg.montecarlo.streaming import MCRGSums
from intertwine.rg.terms.operators import measure
from intertwine.sampling.draw import sample
from intertwine.sampling.spins.cluster import SwendsenWang
from intertwine.spaces.lattices import Chain, Honeycomb, Square, Triangular

KEY = jax.random.key(8)
EVEN, ODD = ("nearest", "next", "plaquette"), ("field", "corner")


def drawn(model, n, seed):
    """Independent samples by enumeration."""
    found = enumerate_distribution(model)
    numbers = np.random.default_rng(seed).choice(len(found.probabilities), n, p=found.probabilities)
    return found.configurations[numbers]


@pytest.fixture(scope="module")
def four():
    """Ising at K_c, 4 × 4 → 2 × 2 by the majority with ties to the first spin: the exact y by enumeration."""
    found = enumerate_distribution(Ising(Square(4), CRITICAL_SQUARE))
    p, v = found.probabilities, found.configurations
    h = Majority(2, ties="first")(v, Square(4))
    large, small = (
        [spin_terms(Square(side), n).sum(s) for n in (*EVEN, *ODD)] for side, s in ((4, v), (2, h))
    )

    def moment(a, b):
        return np.array([[p @ (x * y) - (p @ x) * (p @ y) for y in b] for x in a])

    y = []
    for sector in (slice(0, 3), slice(3, 5)):
        T = np.linalg.solve(moment(small[sector], small[sector]), moment(small[sector], large[sector]))
        y.append(np.log(np.linalg.eigvals(T).real.max()) / np.log(2))
    return y


def test_exponents_of_a_tiny_lattice_against_enumeration(four):
    """60,000 independent samples of 4 × 4: y_T and y_H within 4σ of the exact linearised transformation."""
    spins = drawn(Ising(Square(4), CRITICAL_SQUARE), 60_000, 1)
    found = mcrg(spins, Majority(2, ties="first"), levels=1, couplings=(*EVEN, *ODD), lattice=Square(4))
    assert found.even == EVEN and found.odd == ODD and found.samples == 60_000
    for y, error, exact in (
        (found.y_T[0, -1], found.y_T_error[0, -1], four[0]),
        (found.y_H[0, -1], found.y_H_error[0, -1], four[1]),
    ):
        assert abs(y - exact) < 4 * error and error < 0.02


@pytest.mark.slow
def test_jackknife_errors_are_the_scatter_of_repetitions():
    """40 repetitions of 2,000 samples: the mean error over the scatter within 35 % (3σ of 40)."""
    model = Ising(Square(4), CRITICAL_SQUARE)
    runs = [
        mcrg(drawn(model, 2000, s), Majority(2, ties="first"), 1, (*EVEN, *ODD), lattice=Square(4))
        for s in range(40)
    ]
    for name in ("y_T", "y_H"):
        scatter = np.std([getattr(r, name)[0, -1] for r in runs], ddof=1)
        error = np.mean([getattr(r, f"{name}_error")[0, -1] for r in runs])
        assert 0.65 < error / scatter < 1.35
    assert abs(runs[0].nu - 1 / runs[0].y_T[0, -1]) < 1e-12
    assert abs(runs[0].nu_error - runs[0].y_T_error[0, -1] * runs[0].nu ** 2) < 0.1 * runs[0].nu_error


def test_sums_do_not_depend_on_batches():
    spins = drawn(Ising(Square(4), 0.4), 400, 2)
    collected = MCRGSums(Majority(2, ties="first"), Square(4), levels=1, couplings=(*EVEN, *ODD))
    whole = collected.add(collected.zeros(2), 0, spins, key=KEY)
    parts = collected.zeros(2)
    for part in np.array_split(spins, 7):
        parts = collected.add(parts, 0, part, key=KEY)
    for a, b in zip(whole, parts, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-12)
    np.testing.assert_allclose(whole.even[0, 0, 1], spin_terms(Square(4), "next").sum(spins).sum())


def test_potts_of_two_states_is_the_ising_model():
    """The same pairs: y_T with the nearest neighbours, y_H with the field, to rounding."""
    spins = drawn(Ising(Square(4), CRITICAL_SQUARE), 5000, 3)
    a = mcrg(spins, Majority(2, ties="first"), levels=1, couplings=1, lattice=Square(4))
    b = mcrg(
        ((1 - spins) // 2).astype(np.int8),
        Majority(2, ties="first", states=2),
        levels=1,
        couplings=1,
        lattice=Square(4),
    )
    np.testing.assert_allclose(a.y_T, b.y_T, rtol=1e-9)
    np.testing.assert_allclose(a.y_H, b.y_H, rtol=1e-9)


def test_potts_operators_are_a_vector_of_the_permutations_of_states():
    """Even ones stay, odd ones are permuted; their squares summed over states stay."""
    states = drawn(Potts(Square(3), 3, 1.0), 50, 4)
    turned = np.array([2, 0, 1], np.int8)[states]
    even, odd = measure(states, Square(3), ("nearest", "plaquette"), ("field", "next"), 3)
    even2, odd2 = measure(turned, Square(3), ("nearest", "plaquette"), ("field", "next"), 3)
    assert np.array_equal(even, even2) and np.allclose(odd2[..., [2, 0, 1]], odd)
    assert np.abs(odd.sum(-1)).max() < 1e-12


def test_decimation_of_the_chain_has_its_exact_exponent():
    """K' = artanh tanh²K (one coupling is exact): ∂K'/∂K within 2 %, y_T within 4σ."""
    K, lattice = 0.6, Chain(12)
    spins = drawn(Ising(lattice, K), 100_000, 5)
    found = mcrg(spins, Decimation(2), levels=1, couplings=1, lattice=lattice)
    slope = float(jax.grad(lambda k: jnp.arctanh(jnp.tanh(k) ** 2))(K))
    assert abs(found.matrices[0, 0, 0] - slope) < 0.02 * slope
    assert abs(found.y_T[0, 0] - np.log(slope) / np.log(2)) < 4 * found.y_T_error[0, 0]


@pytest.mark.parametrize("lattice", [Square(16), Triangular(16)], ids=lambda x: x.name)
def test_critical_exponents_of_small_tori(lattice):
    """L = 16, two steps: |y_T − 1| < 0.02 + 4σ and |y_H − 15/8| < 0.01 + 4σ."""
    K = CRITICAL_SQUARE if lattice == Square(16) else np.log(3) / 4
    spins = sample(Ising(lattice, K), 6000, sampler=SwendsenWang(chains=20, steps=3), key=KEY)
    found = mcrg(spins, levels=2, couplings=4, lattice=lattice, key=KEY)
    assert abs(found.y_T[1, 3] - 1) < 0.02 + 4 * found.y_T_error[1, 3]
    assert abs(found.y_H[1, 3] - 1.875) < 0.01 + 4 * found.y_H_error[1, 3]
    assert found.fixed_point and "ν = " in str(found)


def test_a_noisy_rule_has_no_fixed_point():
    """Block spins that hardly follow their blocks: y_T drifts away, and the result says so."""
    soft = BlockRule(2, lambda v: 1 / (1 + np.exp(-2 * 0.3 * v.sum(-1))))
    spins = sample(
        Ising(Square(32), CRITICAL_SQUARE), 3000, sampler=SwendsenWang(chains=20, steps=3), key=KEY
    )
    found = mcrg(spins, soft, levels=3, couplings=4, key=KEY)
    assert not found.fixed_point and "NO fixed point" in str(found)


@pytest.mark.slow
def test_the_table_of_the_references():
    """L = 64, 40,000 samples: y_T and y_H with 4 couplings within 4σ of the references' own run; |y_T − 1| is
    below 0.02 + 2σ, |y_H − 1.875| below 0.003 + 2σ from step 2 with 3 couplings or more."""
    spins = sample(Ising(Square(64), CRITICAL_SQUARE), 40_000, sampler=SwendsenWang(chains=20), key=KEY)
    found = mcrg(spins, levels=4, couplings=4, key=KEY)
    thermal = ((0.969, 0.005), (1.005, 0.002), (0.995, 0.005), (0.997, 0.010))
    magnetic = ((1.8811, 0.0001), (1.8758, 0.0002), (1.8746, 0.0004), (1.8745, 0.0011))
    for n in range(4):
        for found_y, error, (value, sigma) in (
            (found.y_T[n, 3], found.y_T_error[n, 3], thermal[n]),
            (found.y_H[n, 3], found.y_H_error[n, 3], magnetic[n]),
        ):
            assert abs(found_y - value) < 4 * np.hypot(error, sigma)
        if n == 0:
            continue
        for m in (2, 3):
            assert abs(found.y_T[n, m] - 1) < 0.02 + 2 * found.y_T_error[n, m]
            assert abs(found.y_H[n, m] - 1.875) < 0.003 + 2 * found.y_H_error[n, m]


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: mcrg(np.ones((100, 256), np.int8), levels=5, lattice=Square(16)),
         "levels: expected at most"),
        (lambda: mcrg(np.ones((100, 256), np.int8), levels=3, lattice=Square(16)),
         "levels: expected at most 2 for these"),
        (lambda: mcrg(np.ones((100, 36), np.int8), levels=2, lattice=Square(6)),
         "levels: expected at most 1 for square:6x6"),
        (lambda: mcrg(np.ones((100, 256), np.int8)), "lattice: expected the lattice of the 256 sites"),
        (lambda: mcrg(np.zeros((100, 64)), levels=1, lattice=Square(8)), "spins: expected spins ±1"),
        (lambda: mcrg(np.ones(64), levels=1, lattice=Square(8)), "spins: expected configurations"),
        (lambda: mcrg(np.ones((30, 64), np.int8), levels=1, lattice=Square(8)), "bins: expected 2 to 15"),
        (lambda: mcrg(np.ones((100, 64), np.int8), levels=1, couplings=9, lattice=Square(8)),
         "couplings: expected at most 7"),
        (lambda: mcrg(np.ones((100, 64), np.int8), levels=1, couplings=("next",), lattice=Square(8)),
         "even and odd families"),
        (lambda: mcrg(np.ones((100, 64), np.int8), "majority", lattice=Square(8)),
         "rule: expected a blocking rule"),
        (lambda: mcrg(np.ones((100, 18), np.int8), lattice=Honeycomb(3)), "one site per cell"),
        (lambda: mcrg(np.ones((100, 64), np.int8), levels=0, lattice=Square(8)),
         "levels: expected a positive integer"),
    ],
)  # fmt: skip
def test_bad_input_is_one_clear_line(call, words):
    with pytest.raises(InputError, match=words):
        call()
