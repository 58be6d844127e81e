"""A state that has died out on configurations that no sample meets is told: the whole variance against dense
matrices, and the caveat of the function and of the command."""

import itertools
import json
import warnings

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import intertwine as it
from intertwine._caveats import Caveat, code_of
from intertwine.cli import main
from intertwine.quantum.vmc.full_variance import full_variance


def listed(size):
    return np.array(list(itertools.product([1, -1], repeat=size)), np.int8)


def random_operator(rng, size, real):
    pairs = [(a, b) for a in "XYZ" for b in "XYZ" if not real or (a == "Y") == (b == "Y")]
    terms = [(rng.normal(), {i: a, (i + 1) % size: b}) for i in range(size) for a, b in pairs]
    return it.Operator.from_strings(size, [*terms, (0.7, {})])


def state_of(vector):
    places = 1 << np.arange(int(np.log2(len(vector))) - 1, -1, -1)
    table = jnp.log(jnp.asarray(vector))
    return it.FunctionAmplitude(
        lambda t, s: t[jnp.sum((s < 0) * places)], table, size=len(places), kind="complex"
    )


@pytest.mark.parametrize("real", [True, False])
@pytest.mark.parametrize("batch", [7, 1024])
def test_the_mean_over_all_configurations_is_the_whole_variance_of_states_with_zeros(real, batch):
    rng = np.random.default_rng(0)
    H = random_operator(rng, 5, real)
    vector = rng.normal(size=32) + 1j * rng.normal(size=32) * (not real)
    vector[rng.permutation(32)[:12]] = 0
    vector[[3, 8]] = 1e-200, -1e-310  # with no weight either
    psi = state_of(vector + 0j)
    vector = vector / np.linalg.norm(vector)
    weights, dense = np.abs(vector) ** 2, H.to_dense()
    energy = np.real(vector.conj() @ dense @ vector)
    exact = np.linalg.norm(dense @ vector - energy * vector) ** 2
    found = full_variance(H, psi, listed(5), energy, weights, batch=batch)
    assert found.mean == pytest.approx(exact, rel=1e-12) and found.error == 0
    drawn = listed(5)[rng.choice(32, 3000, p=weights / weights.sum())]
    sampled = full_variance(H, psi, drawn, energy, most=3000)
    assert 0 < sampled.error < 0.1 * exact and abs(sampled.mean - exact) < 4 * sampled.error
    few = full_variance(H, psi, listed(5), energy, weights, most=8)  # chosen by weight, with an error
    assert few.error > 0


def pairs(count):
    terms = [(1.0, {2 * i: a, 2 * i + 1: a}) for i in range(count) for a in "XYZ"]
    return it.Operator.from_strings(2 * count, terms)


@pytest.mark.slow
def test_a_state_that_has_died_out_on_configurations_says_so():
    """Three pairs with the energy −9: the search ends at −7.80, with a V-score of 0.01 over the samples."""
    H, psi = pairs(3), it.RBM(6, hidden=12, dtype=complex, key=jax.random.key(1))
    with pytest.warns(Caveat, match="amplitudes there have died out"):
        run = it.ground_state(H, psi, steps=60, samples=512, key=jax.random.key(0))
    assert run.energy.mean > -8 and run.v_score < 0.05
    (line,) = [line for line in run.warnings if "died out" in line]
    assert [code_of(line) for line in run.warnings] == ["not-converged", "far-from-exact"]
    inside = listed(6)[listed(6).sum(axis=1) == 0]
    vector = np.exp(np.asarray(jax.vmap(run.model)(inside)))
    dense = H.to_dense()[np.ix_(*[np.flatnonzero(listed(6).sum(axis=1) == 0)] * 2)]
    vector /= np.linalg.norm(vector)
    energy = np.real(vector.conj() @ dense @ vector)
    score = 6 * np.linalg.norm(dense @ vector - energy * vector) ** 2 / energy**2
    told = float(line.partition("V-score is ")[2].partition(",")[0])
    assert score > 10 * run.v_score and told == pytest.approx(score, rel=0.3)


def test_a_basis_state_that_the_operator_does_not_leave_has_no_variance():
    H = it.xxz(it.Chain(4), delta=-2.0)
    up = it.RBM(4, hidden=4, key=jax.random.key(0))
    found = full_variance(H, up, np.ones((20, 4), np.int8), -8.0)
    assert found == (0.0, 0.0)


@pytest.mark.parametrize(
    ("H", "exact"),
    [(pairs(3).in_frame({0, 2, 4}), -9), (it.heisenberg(it.Chain(8)), -14.604373636)],
    ids=["pairs", "ring"],
)
def test_a_search_that_has_arrived_has_no_caveat(H, exact):
    with warnings.catch_warnings():
        warnings.simplefilter("error", Caveat)
        psi = it.RBM(H.size, hidden=2 * H.size, key=jax.random.key(1))
        run = it.ground_state(H, psi, steps=150, samples=512, key=jax.random.key(0))
    assert run.energy.mean == pytest.approx(exact, rel=1e-3) and run.warnings == ()


@pytest.mark.slow
def test_the_command_says_it_too(tmp_path, capsys):
    given = "--lattice chain:6 --marshall false --model rbm:2 --dtype complex --steps 60 --samples 512"
    rest = "--learning-rate 0.05 --shift 0.001 --seed 7 --final-samples 8192 --out"
    assert main(["ground-state", *given.split(), *rest.split(), str(tmp_path / "run")]) == 0
    record = json.loads((tmp_path / "run" / "result.json").read_text())
    assert record["v_score"] < 0.1 and "died out" in capsys.readouterr().out
    (line,) = [line for line in record["warnings"] if "died out" in line]
    assert (
        code_of(line) == "not-converged" and float(line.partition("V-score is ")[2].partition(",")[0]) > 0.2
    )
