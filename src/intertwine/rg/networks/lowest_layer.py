"""The lowest pair of layers of a machine as an RBM, and where its hidden units lie as block spins."""

from __future__ import annotations

import jax.numpy as jnp
import numpy as np

from intertwine._caveats import caveat
from intertwine._checks import fail
from intertwine.models.machines.deep_belief import DBN
from intertwine.models.machines.deep_boltzmann import DBM
from intertwine.models.machines.rbm import RBM
from intertwine.models.results import as_model
from intertwine.rg.blocks.blocks import block_sites
from intertwine.rg.networks.network_map import NetworkRule, as_rg_map, layer_pair
from intertwine.spaces.lattice import Lattice


def lowest_layer(machine: RBM | DBM | DBN) -> tuple[RBM, tuple[str, ...]]:
    """(the machine, of a deep one its lowest pair of layers as an RBM; the caveat of the latter).

    Raises InputError for layers that are no units of two states.
    """
    if not isinstance(machine, DBM | DBN):
        return machine, ()
    rbm = layer_pair(machine, 0)
    words = (
        f"of the {type(machine).__name__} of {len(machine.sizes)} layers the lowest two are read as an RBM"
    )
    return rbm, (caveat("assumption", f"{words}, without what the layers above do to them"),)


def placed_rule(rbm: RBM, lattice: Lattice) -> NetworkRule:
    """A trained RBM as a blocking rule: each hidden unit at the block that holds most of its weight.

    lattice: of the visible units. Hidden units come in no order and with either sign; they lie on the lattice
    of b × b blocks where every block holds most of the weight (Σ_i W_ik²) of one of them, and are turned to
    Σ_i W_ik > 0. Raises InputError, which says so, where they do not lie there.

    >>> from intertwine.rg.blocks.block_rbm import block_rbm
    >>> from intertwine.spaces.lattices import Square
    >>> soft = block_rbm(Square(4, 4), b=2, w=1.0)
    >>> mixed = RBM.from_parameters(
    ...     soft.visible_bias, soft.hidden_bias[::-1], soft.weights[:, ::-1],
    ...     units=soft.units, hidden_units=soft.hidden_units,
    ... )
    >>> bool((placed_rule(mixed, Square(4, 4)).rbm.weights == soft.weights).all())
    True
    """
    rbm = as_model(rbm)
    if rbm.size != lattice.size:
        raise fail("rule", f"a network of {lattice.size} visible units", f"one of {rbm.size}")
    share = rbm.size / rbm.hidden
    b = round(share ** (1 / lattice.dimension))
    if b < 2 or b**lattice.dimension != share:
        expected = f"a network with b^{lattice.dimension} times fewer hidden than visible units, b > 1"
        raise fail("rule", expected, f"{rbm.size} visible and {rbm.hidden} hidden units")
    sites = block_sites(lattice, b)
    power = np.asarray(rbm.weights, np.float64)[sites] ** 2
    places = power.sum(1).argmax(0)
    order = np.argsort(places, kind="stable")
    alone = len(np.unique(places))
    if alone < rbm.hidden:
        got = f"one whose {rbm.hidden} hidden units look at {alone} of the blocks"
        remedy = "it is looked at as it is by: intertwine renormalize FOLDER, or it.rg.network_study"
        expected = f"a network whose hidden units lie on a torus, one on every block of {b} × {b} sites"
        raise fail("rule", expected, got, remedy)
    return as_rg_map(_turned(rbm, order), lattice=lattice, block=b)


def _turned(rbm: RBM, order: np.ndarray) -> RBM:
    """The same distribution with its hidden units in `order`, each h or, where its weights add up to less
    than 0, the other state."""
    weights, bias = jnp.asarray(rbm.weights)[:, order], jnp.asarray(rbm.hidden_bias)[order]
    down = weights.sum(0) < 0
    sign, visible = jnp.where(down, -1, 1), rbm.visible_bias
    if rbm.hidden_units == "binary":  # h → 1 − h
        visible = visible + jnp.where(down, weights, 0).sum(1)
    return RBM.from_parameters(
        visible, sign * bias, sign * weights, units=rbm.units, hidden_units=rbm.hidden_units
    )
