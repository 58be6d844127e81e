"""The trace condition: against sums over hidden states, its theorem, and samples against enumeration."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from intertwine._checks import InputError
from intertwine.models.machines.deep_boltzmann import DBM
from intertwine.models.machines.rbm import RBM
from intertwine.models.spins.ising import CRITICAL_SQUARE, Ising
from intertwine.models.spins.spin_enumeration import enumerate_distribution
from intertwine.rg.networks.bond_rbm import bond_rbm
from intertwine.rg.networks.trace_condition import trace_condition
from intertwine.sampling.enumeration import all_configurations
from intertwine.spaces.lattices import Square

KEY = jax.random.key(14)


@pytest.mark.parametrize("units", ["spin", "binary"])
def test_against_sums_over_hidden_states(units):
    """x(v) = H(v) + ln Σ_h e^{−E(v,h)} summed out here; mean, spreads and KL of it under P and p: 1e-10."""
    rbm = RBM(9, 4, units=units, hidden_units="spin", scale=0.5, key=KEY)
    ising = Ising(Square(3), 0.3, 0.1)
    p = enumerate_distribution(ising)
    v = p.configurations
    shown = (1 + v) // 2 if units == "binary" else v
    energy = np.asarray(rbm.energy(jnp.asarray(shown)[:, None], jnp.asarray(all_configurations(4))[None]))
    log_q = np.logaddexp.reduce(-energy, axis=1)
    x = log_q - np.asarray(jax.vmap(ising)(jnp.asarray(v)))
    q = np.exp(log_q - np.logaddexp.reduce(log_q))
    found = trace_condition(rbm, ising)
    mean, model_mean = p.probabilities @ x, q @ x
    expected = {
        "mean": mean,
        "spread": np.sqrt(p.probabilities @ (x - mean) ** 2),
        "model_spread": np.sqrt(q @ (x - model_mean) ** 2),
        "smallest": x.min(),
        "largest": x.max(),
        "kl": p.probabilities @ np.log(p.probabilities / q),
    }
    for name, value in expected.items():
        np.testing.assert_allclose(getattr(found, name), value, rtol=1e-10, err_msg=name)
    assert found.exact and found.configurations == 512 and "fails" in str(found) and not found.holds()


def test_zero_spread_is_zero_divergence():
    """The bond RBM of 4 × 4 at K_c: spread and KL below 1e-12; moved, both leave zero, KL ≈ spread²/2."""
    ising = Ising(Square(4), CRITICAL_SQUARE)
    exact = bond_rbm(ising)
    found = trace_condition(exact, ising)
    assert found.spread < 1e-12 and abs(found.kl) < 1e-12 and found.holds(1e-12) and "holds" in str(found)
    moved = eqx.tree_at(lambda m: m.weights, exact, exact.weights * (1 + 1e-4))
    near = trace_condition(moved, ising)
    assert near.spread > 1e-5 and abs(near.kl / (near.spread**2 / 2) - 1) < 0.02


@pytest.mark.parametrize("model", [RBM(12, 5, scale=0.4, key=KEY), DBM((9, 4, 3), units="spin", key=KEY)])
def test_against_its_own_free_energy_every_network_holds(model):
    found = trace_condition(model)
    assert found.spread == 0.0 and found.kl == 0.0 and found.holds(0.0)


def test_samples_agree_with_enumeration():
    """40,000 independent samples of 4 × 4, two machines: the mean within 4σ, KL within 4 of its errors."""
    ising = Ising(Square(4), 0.3)
    exact_rbm = bond_rbm(ising)
    near = eqx.tree_at(lambda m: m.weights, exact_rbm, exact_rbm.weights * 1.1)
    p = enumerate_distribution(ising)
    rows = np.random.default_rng(0).choice(len(p.probabilities), 40_000, p=p.probabilities)
    for rbm, largest in ((RBM(16, 6, scale=0.25, key=KEY), 0.2), (near, 0.003)):
        exact = trace_condition(rbm, ising)
        found = trace_condition(rbm, ising, samples=p.configurations[rows])
        assert not found.exact and abs(found.mean - exact.mean) < 4 * exact.spread / 200
        assert abs(found.kl - exact.kl) < 4 * found.kl_error and 0 < found.kl_error < largest
        assert abs(found.spread / exact.spread - 1) < 0.05


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: trace_condition(3), "model: expected a model with real parameters"),
        (lambda: trace_condition(RBM(9, 4, dtype=complex, key=KEY)), "real parameters"),
        (lambda: trace_condition(RBM(9, 4, key=KEY), Ising(Square(4), 0.4)), "hamiltonian: expected"),
        (lambda: trace_condition(RBM(25, 4, key=KEY)), "spins .n, 25. for more than 20"),
        (lambda: trace_condition(RBM(9, 4, key=KEY), samples=np.zeros((5, 9))), "samples: expected spins ±1"),
        (lambda: trace_condition(RBM(9, 4, key=KEY), samples=np.ones((5, 8))), "spins .n ≥ 2, 9."),
    ],
)  # fmt: skip
def test_bad_input_is_one_clear_line(call, words):
    with pytest.raises(InputError, match=words):
        call()
