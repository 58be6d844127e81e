"""Receptive fields and the flow of layers: against blocks whose geometry is known."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from intertwine._checks import InputError
from intertwine.models.machines.deep_belief import DBN
from intertwine.models.machines.deep_boltzmann import DBM
from intertwine.models.machines.rbm import RBM
from intertwine.models.spins.ising import CRITICAL_SQUARE, Ising
from intertwine.models.spins.spin_terms import spin_terms
from intertwine.rg.blocks.block_rbm import block_rbm
from intertwine.rg.blocks.blocking import Majority
from intertwine.rg.networks.layer_flow import layer_flow
from intertwine.rg.networks.receptive_fields import receptive_fields
from intertwine.sampling.draw import sample
from intertwine.sampling.spins.cluster import SwendsenWang
from intertwine.spaces.lattices import Kagome, Square, Triangular

KEY = jax.random.key(6)


def blocks(side, w):
    """A DBM of two levels of 2 × 2 blocks."""
    first, second = (np.asarray(block_rbm(Square(n), b=2, w=w).weights) for n in (side, side // 2))
    biases = [np.zeros(n) for n in (side**2, side**2 // 4, side**2 // 16)]
    return DBM.from_parameters(biases, [first, second], units="spin", hidden_units="spin")


def test_blocks_of_blocks():
    """b × b blocks: b² sites, width √((b² − 1)/6), centres in the middle, also across the border."""
    found = receptive_fields(blocks(8, 0.7), Square(8))
    for k, b in enumerate((2, 4)):
        np.testing.assert_allclose(found.participations[k], b * b, rtol=1e-9)
        np.testing.assert_allclose(found.widths[k], np.sqrt((b * b - 1) / 6), rtol=1e-9)
        expected = np.indices((8 // b, 8 // b)).reshape(2, -1).T * b + (b - 1) / 2
        np.testing.assert_allclose(found.centres[k], expected, atol=1e-9)
    np.testing.assert_allclose(found.mean_widths, [np.sqrt(0.5), np.sqrt(2.5)], rtol=1e-9)
    weights = np.zeros((64, 1))
    weights[[0, 7, 56, 63], 0] = 1.0  # the four corners are one block on the torus
    corner = receptive_fields(
        RBM.from_parameters(jnp.zeros(64), jnp.zeros(1), jnp.asarray(weights)), Square(8)
    )
    np.testing.assert_allclose(corner.widths[0], np.sqrt(0.5), rtol=1e-9)
    np.testing.assert_allclose(corner.centres[0] % 8, 7.5, rtol=1e-9)


def test_correlations_over_samples_find_the_blocks():
    """At high temperature a block's mean correlates with its own sites above all."""
    spins = np.random.default_rng(0).choice([-1, 1], (4000, 64))
    found = receptive_fields(block_rbm(Square(8), b=2, w=0.3), Square(8), samples=spins)
    own = np.asarray(block_rbm(Square(8), b=2, w=1.0).weights).T > 0
    assert found.fields[0][own].min() > 0.4 and np.abs(found.fields[0][~own]).max() < 0.1


def test_belief_networks_are_read_by_their_recognition_weights():
    dbn = DBN((16, 9, 4), units="spin", hidden_units="spin", key=KEY)
    found = receptive_fields(dbn, Square(4))
    first = np.asarray(dbn.recognition[0].weights)
    np.testing.assert_allclose(found.fields[1], (first @ np.asarray(dbn.top.weights)).T, rtol=1e-12)
    assert "layer" in str(found) and [len(w) for w in found.widths] == [9, 4]


def test_the_flow_of_block_layers_is_the_majority_rule():
    """Strong blocks, at K_c: energies of the layers are those of majority blocks, ties at random, within 4σ;
    a shuffled and turned machine gives the same."""
    side, w = 16, 5.0
    spins = sample(Ising(Square(side), CRITICAL_SQUARE), 2000, sampler=SwendsenWang(chains=20), key=KEY)
    lattices = [Square(16), Square(8), Square(4)]
    found = layer_flow(blocks(side, w), spins, lattices, key=KEY)
    rows = np.asarray(spins)
    for k in range(3):
        energy = -spin_terms(lattices[k], "nearest").sum(rows).mean() / lattices[k].size
        assert abs(found.energies[k] - energy) < 4 * np.sqrt(2) * found.errors[k] + 1e-12
        if k < 2:
            rows = Majority(2)(rows, lattices[k], key=jax.random.fold_in(KEY, k))
    assert abs(found.temperatures[0].mean - 1 / CRITICAL_SQUARE) < 4 * found.temperatures[0].error
    order, sign = np.random.default_rng(1).permutation(64), np.random.default_rng(2).choice([-1, 1], 64)
    rbm = block_rbm(Square(16), b=2, w=w)
    mixed = RBM.from_parameters(rbm.visible_bias, rbm.hidden_bias, (rbm.weights * sign)[:, order])
    again = layer_flow(mixed, spins, lattices[:2], key=KEY)
    assert abs(again.energies[1] - found.energies[1]) < 4 * np.hypot(again.errors[1], found.errors[1])


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: receptive_fields(3, Square(4)), "model: expected an RBM"),
        (lambda: receptive_fields(RBM(9, 2, key=KEY), Square(4)), "lattice: expected the lattice of 9"),
        (lambda: receptive_fields(RBM(12, 2, key=KEY), Kagome(2)), "one site per cell"),
        (lambda: receptive_fields(RBM(16, 2, key=KEY), Square(4), samples=np.zeros((5, 16))), "spins ±1"),
        (lambda: receptive_fields(RBM(16, 2, key=KEY), Square(4), samples=np.ones((1, 16))), "spins .n ≥ 2"),
        (lambda: layer_flow(RBM(16, 4, key=KEY), np.ones((40, 16)), [Square(4)]), "lattices: expected 2"),
        (lambda: layer_flow(RBM(16, 4, key=KEY), np.ones((4, 16)), [Square(4)] * 2), "samples: expected"),
        (lambda: layer_flow(RBM(16, 4, key=KEY), np.ones((40, 16)), [Square(4)] * 2), "4 sites for layer 1"),
        (lambda: layer_flow(RBM(9, 9, key=KEY), np.ones((40, 9)), [Triangular(3)] * 2), "periodic square"),
    ],
)  # fmt: skip
def test_bad_input_is_one_clear_line(call, words):
    with pytest.raises(InputError, match=words):
        call()
