import numpy as np

from intertwine.rg.blocks.block_rbm import block_rbm
from intertwine.rg.blocks.blocking import BlockRule
from intertwine.spaces.lattices import Square


def test_hidden_units_follow_their_blocks():
    lattice, w = Square(4, 6), 0.7
    v = np.random.default_rng(0).choice([-1, 1], (20, lattice.size)).astype(np.int8)
    rule = BlockRule(2, lambda block: 1 / (1 + np.exp(-2 * w * block.sum(-1))))
    up = rule.probability_up(v[:, rule.sites(lattice)])
    assert np.allclose(block_rbm(lattice, 2, w).hidden_given_visible(v), 2 * up - 1, atol=1e-12)
