"""H and H + c have the same states, error bars, V-scores and verdicts, and energies that differ by c."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import intertwine as it
from intertwine.quantum.vmc.energy import v_score

SIZE = 8


def ising(constant):
    terms = [(-1.0, {i: "Z", (i + 1) % SIZE: "Z"}) for i in range(SIZE)]
    terms += [(-1.0, {i: "X"}) for i in range(SIZE)]
    return it.Operator.from_strings(SIZE, [*terms, (constant, {})])


def search(constant, key, steps=30):
    model = it.RBM(SIZE, hidden=8, key=key)
    return it.ground_state(ising(constant), model, steps=steps, samples=256, final_samples=4096, key=key)


def codes(run):
    return [line.partition(":")[0] for line in run.warnings]


@pytest.mark.parametrize("steps", [12, 80])
def test_the_verdicts_do_not_depend_on_the_zero_of_energy(steps, key):
    """At c = −E₀ the ground state has the energy 0, as those of sums of projectors have."""
    lowest = np.linalg.eigvalsh(ising(0.0).to_dense())[0]
    plain = search(0.0, key, steps)
    assert ("far-from-exact" in codes(plain)) == (steps == 12)
    for constant in (-lowest, 1000.0, -1e5):
        moved = search(constant, key, steps)
        assert codes(moved) == codes(plain)
        assert moved.energy.mean - constant == pytest.approx(plain.energy.mean, abs=1e-6)
        assert moved.energy.error == pytest.approx(plain.energy.error, rel=1e-4)
        assert moved.v_score == pytest.approx(plain.v_score, rel=1e-4)


@pytest.mark.slow
def test_a_frustrated_sum_of_projectors_is_not_told_to_be_wrong(key):
    """Majumdar & Ghosh 1969: projectors of three neighbours onto spin 3/2; the lowest energy is 0."""
    terms = [(0.5 * SIZE, {})]
    for i in range(SIZE):
        j, k = (i + 1) % SIZE, (i + 2) % SIZE
        terms += [(1 / 6, {a: p, b: p}) for a, b in ((i, j), (j, k), (i, k)) for p in "XYZ"]
    H = it.Operator.from_strings(SIZE, terms)
    assert np.linalg.eigvalsh(H.to_dense())[0] == pytest.approx(0.0, abs=1e-12)
    run = it.ground_state(H, key=key)
    assert run.energy.mean == pytest.approx(0.0, abs=1e-6)
    assert run.warnings == ()


def test_a_large_constant_takes_no_digits_in_float32(key):
    constant = 1e6
    with jax.enable_x64(False):
        plain, moved = search(0.0, key), search(constant, key)
        drawn = [it.expect(ising(c), plain.model, samples=1024, key=key) for c in (0.0, constant)]
    for without, found in ((plain.energy, moved.energy), drawn):
        assert found.mean - constant == pytest.approx(without.mean, abs=1e-4)
        assert found.error == pytest.approx(without.error, rel=1e-3)
    assert moved.v_score == pytest.approx(plain.v_score, rel=1e-3)


def test_the_v_score_is_not_0_beside_a_huge_constant(key):
    plain, moved = search(0.0, key), search(1e10, key)
    assert moved.v_score == pytest.approx(plain.v_score, rel=1e-3)
    assert v_score(ising(0.0) * 0 + 1e10, moved.expect(ising(0.0) * 0 + 1e10)) == 0


@pytest.mark.parametrize("constant", [2.5, 2.5j])
def test_a_multiple_of_the_identity_is_known_without_sampling(constant, key):
    model = it.RBM(SIZE, hidden=2, key=key)
    found = it.expect(it.Operator.from_strings(SIZE, [(constant, {})]), model, samples=64, key=key)
    assert (found.mean, found.error) == (constant, 0)
    both = it.Operator.from_strings(SIZE, [(constant, {}), (1.0, {0: "Z"})])
    up = it.FunctionAmplitude(lambda p, s: jnp.where(s[0] > 0, p, -jnp.inf), 0.0, size=SIZE)
    assert it.expect(both, up, samples=64, key=jax.random.key(1)).mean == pytest.approx(constant + 1)
