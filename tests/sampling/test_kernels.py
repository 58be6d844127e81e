"""Detailed balance of every rule exactly, and samplers that follow the kernels."""

import jax
import numpy as np
import pytest
from sampling_rows import MODELS, RULES, SAMPLERS, Generic, sector

from intertwine._checks import InputError
from intertwine.models.units import as_spins
from intertwine.sampling.enumeration import (
    all_configurations,
    configuration_numbers,
    log_density,
    probabilities,
)
from intertwine.sampling.laws import (
    assert_detailed_balance,
    assert_follows_kernel,
    is_ergodic,
    transition_counts,
    transition_matrix,
)
from intertwine.sampling.metropolis.rules import Exchange, GlobalFlip, Rule, SingleFlip
from intertwine.sampling.metropolis.tempering import ParallelTempering
from thinned import thinned


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("rule", RULES)
def test_detailed_balance(rule, model):
    psi = MODELS[model](7)
    assert_detailed_balance(RULES[rule](7), psi, tol=1e-12)
    assert_detailed_balance(RULES[rule](7), psi, tol=1e-12, beta=0.4)


@pytest.mark.parametrize("magnetization", [-2, 0, 4])
@pytest.mark.parametrize("rule", ["exchange ring", "exchange all", "exchange and global"])
def test_detailed_balance_within_a_magnetization(rule, magnetization):
    if magnetization != 0 and "global" in rule:
        pytest.skip("a global flip changes the sign of the magnetization")
    model = MODELS["generic"](8)
    assert_detailed_balance(RULES[rule](8), model, magnetization=magnetization)
    assert is_ergodic(transition_matrix(RULES[rule](8), model, magnetization=magnetization))


def test_ergodicity():
    model = MODELS["rbm"](5)
    assert is_ergodic(transition_matrix(SingleFlip(), model))
    assert not is_ergodic(transition_matrix(GlobalFlip(), model))
    assert not is_ergodic(transition_matrix(Exchange([(0, 1), (2, 3)]), model, magnetization=1))


def test_a_wrong_rule_is_caught():
    class Lazy(Rule):
        """Weights that do not sum to 1."""

        magnetization = "free"

        def components(self, size):
            table = SingleFlip().table(size)
            return ((table._replace(weights=table.weights * 1.5), 1.0),)

    with pytest.raises(AssertionError):
        assert_detailed_balance(Lazy(), MODELS["rbm"](5))


def test_the_kernel_is_the_definition():
    """Two spins by hand: flips of one of two sites."""
    model = Generic(np.diag([0.3, 0.9]))
    p = probabilities(model)
    kernel = transition_matrix(SingleFlip(), model)
    for a, s in enumerate(all_configurations(2)):
        for b, t in enumerate(all_configurations(2)):
            expected = 0.5 * min(1, p[b] / p[a]) if (s != t).sum() == 1 else 0.0
            if a != b:
                assert kernel[a, b] == pytest.approx(expected, abs=1e-15)


STEPS = [
    (name, model)
    for name in SAMPLERS
    if "temper" not in name
    for model in (("complex rbm", "jastrow") if name.endswith("host") else ("complex rbm", "generic"))
]


@pytest.mark.parametrize("name, model", thinned(STEPS, 3))
def test_the_sampler_follows_the_kernel(name, model, key):
    """130,000 single steps on 4 spins, row by row, against the exact kernel. Chains of the JAX path share the
    parts of a mixture, which counts over many chains would show, so that a mixture is watched in two long
    chains."""
    psi = MODELS[model](4)
    chains = 2 if "global" in name or "parts" in name else 1024
    sampler = SAMPLERS[name](4, chains, 1)
    sites = sector(sampler, 4)
    kernel = transition_matrix(sampler.rule, psi, magnetization=sites)
    counts = transition_counts(sampler, psi, 131072 // chains + 1, key=key, magnetization=sites)
    assert counts.sum() == 131072
    assert_follows_kernel(counts, kernel)


@pytest.mark.parametrize("backend", ["jax", "host"])
def test_a_sweep_is_a_power_of_the_kernel(backend, key):
    psi, sampler = MODELS["complex rbm"](4), SAMPLERS[f"single, {backend}"](4, 1024, 3)
    counts = transition_counts(sampler, psi, 65, key=key)
    assert_follows_kernel(counts, np.linalg.matrix_power(transition_matrix(sampler.rule, psi), 3))


def test_a_wrong_sampler_is_caught(key):
    psi, other = MODELS["complex rbm"](4), MODELS["jastrow"](4)
    counts = transition_counts(SAMPLERS["single, jax"](4, 2048, 1), other, 65, key=key)
    with pytest.raises(AssertionError):
        assert_follows_kernel(counts, transition_matrix(SingleFlip(), psi))


def test_tempering_follows_its_joint_kernel(key):
    """Two replicas of 3 spins: one proposal each, then a swap; 64 joint states."""
    psi, betas = MODELS["generic"](3), (0.25, 1.0)
    sampler = ParallelTempering(SingleFlip(), 4096, betas=betas, sweep=1)
    log_p = np.asarray(log_density(as_spins(psi), all_configurations(3)))
    step = np.kron(*(transition_matrix(SingleFlip(), psi, beta=b) for b in betas))
    swap = np.zeros((64, 64))
    for low in range(8):
        for high in range(8):
            accept = min(1.0, np.exp((betas[0] - betas[1]) * (log_p[high] - log_p[low])))
            swap[8 * low + high, 8 * high + low] += accept
            swap[8 * low + high, 8 * low + high] += 1 - accept
    joint = np.kron(*(np.exp(b * log_p) / np.exp(b * log_p).sum() for b in betas))
    np.testing.assert_allclose(joint @ swap, joint, atol=1e-14)
    np.testing.assert_allclose(joint @ step, joint, atol=1e-14)
    start, run = jax.random.split(key)
    state, counts = sampler.init(psi, key=start), np.zeros((64, 64), np.int64)
    before = None
    for t in range(40):
        numbers = ((1 - np.asarray(state.configurations, int)) // 2) @ [4, 2, 1]
        index = 8 * numbers[:, 0] + numbers[:, 1]
        if before is not None:
            np.add.at(counts, (before, index), 1)
        before = index
        samples, state = sampler.sample(psi, state, 1, key=jax.random.fold_in(run, t))
        assert (samples.configurations[:, 0] == state.configurations[:, -1]).all()
    assert_follows_kernel(counts, step @ swap)


@pytest.mark.parametrize("magnetization", [None, -3, 1])
def test_configurations_are_numbered_as_operators_count(magnetization):
    spins = all_configurations(5, magnetization)
    numbers = ((1 - spins.astype(int)) // 2) @ [16, 8, 4, 2, 1]
    assert (numbers == configuration_numbers(5, magnetization)).all() and (np.diff(numbers) > 0).all()
    assert magnetization is None or (spins.sum(axis=1) == magnetization).all()


def test_bad_input():
    with pytest.raises(InputError, match="12 sites"):
        transition_matrix(SingleFlip(), MODELS["rbm"](13))
    with pytest.raises(InputError, match="magnetization"):
        transition_matrix(SingleFlip(), MODELS["rbm"](4), magnetization=0)
