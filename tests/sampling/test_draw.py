"""it.sample: every sampler gives p = Ψ/Z for a Boltzmann machine, says what it is worth, and warns."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from test_gibbs import SLOW, assert_distributed, exact, rbm

from intertwine._checks import InputError
from intertwine.models.machines.deep_belief import DBN
from intertwine.models.machines.rbm import RBM
from intertwine.models.mean_field import MeanField
from intertwine.models.spins.ising import Ising
from intertwine.models.square_root import square_root
from intertwine.quantum.operators.hamiltonians import tfim
from intertwine.quantum.vmc.expect import expect
from intertwine.sampling.draw import NotMixed, sample
from intertwine.sampling.enumeration import Enumeration, probabilities
from intertwine.sampling.gibbs.annealed import Annealed
from intertwine.sampling.gibbs.gibbs import Gibbs
from intertwine.sampling.gibbs.tempered_gibbs import TemperedGibbs
from intertwine.sampling.metropolis.metropolis import Metropolis
from intertwine.sampling.metropolis.rules import SingleFlip
from intertwine.spaces.lattices import Chain, Square

KEY = jax.random.key(11)
MODEL = rbm("binary", "binary", scale=1.0)
SAMPLERS = {
    "gibbs": (Gibbs(steps=100), 1000),
    "few chains": (Gibbs(steps=20, chains=100, burn_in=100), 1000),
    "tempered": (TemperedGibbs(replicas=3, steps=30, adapt=1), 1000),
    "annealed": (Annealed(steps=100), 1000),
    "metropolis": (Metropolis(SingleFlip(), chains=1000, sweep=40), 1000),
    "enumeration": (Enumeration(), 1000),
}


@pytest.mark.parametrize(
    "name", ["gibbs", "annealed", "enumeration", *map(SLOW, ("few chains", "tempered", "metropolis"))]
)
def test_boltzmann_machines_are_sampled_by_their_weight(name):
    """χ² against enumerated Ψ/Z; Ψ²/Z, the other reading, fails it."""
    sampler, n = SAMPLERS[name]
    drawn = sample(MODEL, n, sampler=sampler, key=KEY)
    assert drawn.mixed and drawn.shape == (n, 4) and len(drawn) == n and drawn.dtype == np.int8
    assert jnp.asarray(np.asarray(drawn)).shape == (n, 4) and drawn[0].shape == (4,)
    states, p = exact(MODEL)
    assert_distributed(drawn, states, p)
    with pytest.raises(AssertionError, match="χ²"):
        assert_distributed(drawn, states, p**2 / (p**2).sum())
    assert 1 <= drawn.tau < 10 and drawn.r_hat < 1.05 and drawn.ess > n / 4
    log_weight = np.asarray(jax.vmap(MODEL)(jnp.asarray(states, float)))
    assert abs(drawn.energy.mean + p @ log_weight) < 5 * drawn.energy.error
    assert "τ" in str(drawn)


@pytest.mark.slow
def test_the_warning_where_chains_do_not_mix():
    """Two modes that block Gibbs cannot join, and a run that is too short; tempering joins the modes."""
    ferromagnet = RBM.from_parameters(jnp.zeros(8), jnp.zeros(2), jnp.full((8, 2), 1.5))
    with pytest.warns(NotMixed, match="NOT mixed"):
        drawn = sample(ferromagnet, 20, sampler=Gibbs(steps=200, chains=4), key=KEY)
    assert not drawn.mixed
    with pytest.warns(NotMixed):
        sample(MODEL, 20, sampler=Gibbs(steps=1), key=KEY)
    tempered = sample(
        ferromagnet, 100, sampler=TemperedGibbs(replicas=8, steps=200, chains=20, adapt=2), key=KEY
    )
    assert tempered.mixed and abs(np.asarray(tempered, float).mean()) < 0.4


@pytest.mark.slow
def test_deep_belief_networks_are_sampled_from_the_top():
    dbn = DBN((4, 3, 2), scale=0.7, key=KEY)
    drawn = sample(dbn, 1500, sampler=Gibbs(steps=30), key=KEY)
    states = dbn.visible_layer.states()
    assert_distributed(drawn, states, np.exp(np.asarray(dbn.log_probability(jnp.asarray(states, float)))))


def test_the_two_readings_are_not_mixed_up():
    """A real model with two meanings needs it said; each gives its own law; probabilities refuse |Ψ|²."""
    psi = MeanField(3, scale=1.0, key=KEY)
    with pytest.raises(InputError, match="either"):
        sample(psi, 10, sampler=Enumeration(), key=KEY)
    spins = 1 - 2 * ((np.arange(8)[:, None] >> np.arange(2, -1, -1)) & 1)
    weight = np.exp(spins @ np.asarray(psi.field))
    for distribution, p in (("boltzmann", weight), ("born", weight**2)):
        drawn = sample(psi, 4000, sampler=Enumeration(), distribution=distribution, key=KEY)
        assert_distributed(drawn, spins, p / p.sum())
    ising, metropolis = Ising(Chain(6), K=0.5), Metropolis(SingleFlip(), chains=4)
    with pytest.raises(InputError, match="square_root"):
        metropolis.sample(ising, metropolis.init(ising, key=KEY), 2, key=KEY)
    with pytest.raises(InputError, match="samples p = Ψ/Z"):
        expect(tfim(Chain(4), h=1.0), RBM(4, hidden=2, key=KEY), 16, sampler=Gibbs(chains=4), key=KEY)
    with pytest.raises(InputError, match="Ψ"):
        sample(MODEL, 4, sampler=Gibbs(), distribution="born", key=KEY)
    with pytest.raises(InputError, match="complex"):
        sample(RBM(4, hidden=2, dtype=complex, key=KEY), 4, distribution="boltzmann", key=KEY)
    with pytest.raises(InputError, match="positive integer"):
        sample(MODEL, 0, key=KEY)
    with pytest.raises(InputError, match="a sampler"):
        sample(MODEL, 1, sampler="gibbs", key=KEY)


@pytest.mark.parametrize("model", [MODEL, Ising(Square(2, 2), K=0.3, h=0.2)], ids=["rbm", "ising"])
def test_the_square_root_squares_to_the_weight(model):
    """|√Ψ|² = Ψ over all configurations, and flips cost what they cost the model (1e-12)."""
    view = square_root(model)
    p = probabilities(view)
    spins = 1 - 2 * ((np.arange(16)[:, None] >> np.arange(3, -1, -1)) & 1)
    units = (spins + 1) // 2 if isinstance(model, RBM) else spins
    weight = np.exp(np.asarray(jax.vmap(model)(jnp.asarray(units))))
    assert abs(p - weight / weight.sum()).max() < 1e-12
    with pytest.raises(InputError, match="real model"):
        square_root(RBM(4, hidden=2, dtype=complex, key=KEY))
