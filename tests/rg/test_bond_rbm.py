import jax
import numpy as np
import pytest

from intertwine import InputError
from intertwine.models.machines.rbm import RBM
from intertwine.models.spins.ising import Ising
from intertwine.rg.networks.bond_rbm import bond_rbm
from intertwine.rg.networks.trace_condition import trace_condition
from intertwine.spaces.lattices import Square

CRITICAL = np.log(1 + np.sqrt(2)) / 2


def _signed():
    signs = np.random.default_rng(0).choice([-1.0, 1.0], len(Square(3, 4).bonds()))
    return Ising(Square(3, 4), 0.4 * signs, 0.1, further={"next": -0.2})


@pytest.mark.parametrize("ising", [Ising(Square(4, 4), CRITICAL), _signed()], ids=["critical", "signed"])
def test_the_bond_machine_is_the_ising_model(ising):
    found = trace_condition(bond_rbm(ising), ising)
    _, couplings = ising.pairs()
    assert found.spread < 1e-12 and abs(found.kl) < 1e-12
    assert found.mean == pytest.approx((np.abs(couplings) + np.log(2)).sum(), abs=1e-10)


def test_another_machine_has_a_spread_and_a_divergence():
    found = trace_condition(RBM(16, 4, key=jax.random.key(0)), Ising(Square(4, 4), CRITICAL))
    assert found.spread > 0.1 and found.kl > 0.1


def test_terms_of_four_spins_are_refused():
    with pytest.raises(InputError, match="three spins or more"):
        bond_rbm(Ising(Square(4, 4), 0.4, further={"plaquette": 0.1}))
