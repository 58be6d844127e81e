"""Depth as scale: exact decimation says yes, layers that do not coarse-grain say no, or cannot tell."""

import math

import jax
import numpy as np
import pytest

import intertwine as it
from intertwine._checks import InputError
from intertwine.rg.networks.layer_flow import placed_layers


def open_chains(K, rows=4000, sites=96, seed=0):
    """Independent configurations of an open chain."""
    rng = np.random.default_rng(seed)
    flips = rng.random((rows, sites)) < (1 - math.tanh(K)) / 2
    flips[:, 0] = rng.random(rows) < 0.5
    return np.where(np.cumsum(flips, 1) % 2, -1, 1).astype(np.int8)


def chain(sites):
    return it.Chain(sites, pbc=False)


def test_decimation_says_yes():
    v = open_chains(1.5)
    layers = [v, v[:, ::2], v[:, ::4]]
    found = it.rg.layer_scaling(layers, lattices=[chain(96), chain(48), chain(24)])
    assert found.holds == (True, True) and found.expected == (2.0, 2.0) and not found.warnings
    for step in found.steps:
        assert (
            abs(step.scale - 2) < 4.5 * step.scale_error
            and abs(step.log_amplitude) < 4.5 * step.log_amplitude_error
        )
        assert step.residual < 3 * step.residual_error and step.p_value > 1e-3
    t = math.tanh(1.5)
    assert (abs(found.correlations[1] - t ** (2 * found.distances[1])) < 4.5 * found.errors[1])[:10].all()
    assert "yes" in str(found) and "NO" not in str(found)


def test_layers_that_mix_distant_sites_say_no():
    """Majorities of three sites each, two of them anywhere: correlated at all distances."""
    v = open_chains(2.2)
    rng = np.random.default_rng(1)
    own = 2 * np.arange(48)
    far = rng.integers(0, 96, (2, 48))
    h = np.sign(v[:, own].astype(int) + v[:, far[0]] + v[:, far[1]])
    with pytest.warns(UserWarning, match="no one rescaling explains"):
        found = it.rg.layer_scaling([v, h], lattices=[chain(96), chain(48)])
    assert found.holds == (False,) and found.residual[0] > 0.1 and found.steps[0].p_value < 1e-6


def test_layers_without_correlations_are_not_judged():
    v = open_chains(1.0)
    h = np.random.default_rng(2).choice([-1, 1], (len(v), 48))
    with pytest.warns(UserWarning, match="unjudged: layer 1: its correlations are seen"):
        found = it.rg.layer_scaling([v, h], lattices=[chain(96), chain(48)])
    assert found.holds == (None,) and np.isnan(found.residual[0]) and "not judged" in str(found)


def test_a_stack_of_block_machines_and_an_untrained_one():
    """A network of majorities coarse-grains; one of random weights does not, or cannot be judged."""
    lattices = [it.Square(32, 32), it.Square(16, 16)]
    drawn = it.sample(it.Ising(lattices[0], 0.4407), 400, sampler=it.SwendsenWang(), key=jax.random.key(0))
    blocks = it.DBN.from_rbms([it.rg.block_rbm(lattices[0], b=2, w=2.0)])
    found = it.rg.layer_scaling(blocks, drawn, lattices, key=jax.random.key(1))
    assert found.holds[0] is not False and found.residual[0] < 0.03
    spins, _ = placed_layers(blocks, drawn, lattices, key=jax.random.key(1))
    plain = it.rg.layer_scaling([x.astype(float) for x in spins], lattices=lattices)
    assert np.allclose(plain.correlations[1], found.correlations[1], atol=1e-6)
    untrained = it.DBN((1024, 256), units="spin", hidden_units="spin", scale=0.2, key=jax.random.key(2))
    with pytest.warns(UserWarning):
        other = it.rg.layer_scaling(untrained, drawn, lattices, key=jax.random.key(1))
    assert other.holds[0] is not True


def test_activations_with_channels():
    """Values of several channels, shifted and scaled, are those of their deviations."""
    v = open_chains(1.5, rows=1000).astype(np.float32)
    twice = np.stack([3 * v + 1, -3 * v], -1)
    first = it.rg.layer_scaling([v, v[:, ::2]], lattices=[chain(96), chain(48)])
    second = it.rg.layer_scaling([twice, v[:, ::2]], lattices=[chain(96), chain(48)])
    assert np.allclose(first.correlations[0], second.correlations[0], atol=2e-3)


@pytest.mark.parametrize(
    ("layers", "lattices", "words"),
    [
        ([np.ones((40, 8))], [chain(8)], "lattices: expected one a layer, for the 1 layers, two or more"),
        (
            [np.ones((40, 8)), np.ones((40, 4))],
            [chain(8)],
            "lattices: expected one a layer, for the 2 layers",
        ),
        (
            [np.ones((40, 8)), np.ones((40, 5))],
            [chain(8), chain(4)],
            "layers: expected values (40, N, …) of layer 1",
        ),
        (
            [np.ones((40, 8)), np.ones((30, 4))],
            [chain(8), chain(4)],
            "layers: expected values (40, N, …) of layer 1",
        ),
        (
            [np.ones((40, 8)), np.full((40, 4), np.nan)],
            [chain(8), chain(4)],
            "layers: expected finite values",
        ),
        ([np.ones((6, 8)), np.ones((6, 4))], [chain(8), chain(4)], "bins: expected 4 to 3 for 6 samples"),
        (np.ones((40, 8)), [chain(8)], "layers: expected a machine with its samples, or a list"),
    ],
)
def test_bad_input(layers, lattices, words):
    with pytest.raises(InputError) as error:
        it.rg.layer_scaling(layers, lattices=lattices)
    assert str(error.value).startswith(words)
