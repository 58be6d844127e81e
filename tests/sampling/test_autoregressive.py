"""Samples without chains: what measures them says τ = 1, and every door chooses them by itself."""

import jax
import numpy as np
import pytest

import intertwine as it
from intertwine.quantum.vmc.local_energy import local_values
from intertwine.sampling.protocols import DrawsIndependently, Sampler
from thinned import thinned


@pytest.fixture(scope="module")
def psi():
    return it.RecurrentNetwork(
        it.Spins(it.Chain(6), magnetization=0), 1, 4, dtype=complex, key=jax.random.key(1)
    )


def test_the_protocol(psi, key):
    sampler = it.Autoregressive()
    assert isinstance(sampler, Sampler) and isinstance(sampler, DrawsIndependently)
    state = sampler.init(psi, key=key)
    samples, after = sampler.sample(psi, state, 5000, key=key)
    assert samples.configurations.shape == (5000, 1, 6) and samples.configurations.dtype == np.int8
    assert samples.weights is None and float(samples.acceptance) == 1 and after.size == 6
    again, _ = sampler.sample(psi, state, 5000, key=key)
    assert (samples.configurations == again.configurations).all()
    assert len(np.unique(samples.configurations[:4], axis=0)) > 1
    assert it.Autoregressive.of(psi) == it.Autoregressive(magnetization=0)
    with pytest.raises(it.InputError, match="draws itself"):
        sampler.init(it.MeanField(6, key=key), key=key)


NETS = (it.MaskedDense, it.MaskedConvolution, it.RecurrentNetwork, it.CausalTransformer)
HAMILTONIANS = {"tfim": it.tfim, "xxz": it.xxz}
CASES = [(net, name, numbers) for net in NETS for name in HAMILTONIANS for numbers in (None, 0)]


@pytest.mark.parametrize("net, name, numbers", thinned(CASES, 5))
def test_local_values_by_prefixes(net, name, numbers, key):
    ring = it.Chain(6)
    model = net(it.Spins(ring, magnetization=numbers), 1, 4, dtype=complex, key=key)
    spins, operator = model.hilbert.random(40, key=key), HAMILTONIANS[name](ring)
    fast, plain = (local_values(operator, model, spins, backend=b) for b in ("prefixes", "generic"))
    np.testing.assert_allclose(fast, plain, rtol=1e-12)


def test_it_sample_and_it_expect_choose_it(psi, key):
    found = it.sample(psi, 300, key=key)
    assert found.tau == 1 and found.ess == 300 and found.mixed and not found.warnings
    assert (np.asarray(found).sum(1) == 0).all()
    H = it.heisenberg(it.Chain(6))
    every = psi.hilbert.configurations()
    amplitudes = np.exp(np.asarray(jax.vmap(psi)(every)))
    rows = ((1 - every.astype(int)) // 2) @ (1 << np.arange(5, -1, -1))
    matrix = H.to_dense()[np.ix_(rows, rows)]
    exact = (amplitudes.conj() @ matrix @ amplitudes).real
    energy = it.expect(H, psi, samples=4000, key=key)
    assert energy.tau == 1 and energy.r_hat == 1 and energy.ess == 4000 and not energy.warnings
    assert abs(energy.mean - exact) < 4.5 * energy.error


def test_ground_states_by_name(key):
    H = it.heisenberg(it.Chain(6))
    run = it.ground_state(H, "recurrent:1x6", steps=60, samples=256, key=key, final_samples=4096)
    exact = it.exact.ground_energy(H)
    assert run.energy.tau == 1 and str(run.space) == "Σ s = 0" and (run.history["acceptance"] == 1).all()
    assert (
        run.energy.mean == pytest.approx(exact, rel=3e-2) and run.energy.mean > exact - 5 * run.energy.error
    )
    assert run.expect(H, samples=512).tau == 1
    assert it.sample(run.model, 50, key=key).shape == (50, 6)


def test_entropies_take_it(psi, key):
    """Renyi-2 of half the ring from pairs of exact samples, against the sum over all configurations."""
    every = np.asarray(psi.hilbert.configurations())
    bits = ((1 - every.astype(int)) // 2) @ (1 << np.arange(5, -1, -1))
    state = np.zeros(64, complex)
    state[bits] = np.exp(np.asarray(jax.vmap(psi)(every)))
    purity = (np.linalg.svd(state.reshape(8, 8), compute_uv=False) ** 4).sum()
    found = it.entanglement.renyi2(psi, range(3), samples=4000, key=key)
    assert abs(found.mean + np.log(purity)) < 4.5 * found.error
