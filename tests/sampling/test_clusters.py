"""Cluster samplers of spin models: against enumeration, Kaufman's torus and the transfer matrix."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from intertwine import _threads
from intertwine._checks import InputError
from intertwine.models.machines.rbm import RBM
from intertwine.models.spins.ising import CRITICAL_SQUARE, Ising
from intertwine.models.spins.ising_exact import ising_torus, magnetization_distribution
from intertwine.models.spins.potts import Clock, Potts, potts_critical
from intertwine.models.spins.spin_enumeration import enumerate_distribution
from intertwine.sampling.draw import sample
from intertwine.sampling.spins.cluster import SwendsenWang
from intertwine.sampling.spins.wolff import Wolff
from intertwine.sampling.statistics.estimate import estimate
from intertwine.spaces.lattices import Chain, Honeycomb, Kagome, Square, Triangular
from thinned import thinned

KEY = jax.random.key(21)
RNG = np.random.default_rng(7)
SAMPLERS = {"swendsen-wang": SwendsenWang(chains=40, burn_in=60), "wolff": Wolff(chains=40, burn_in=60)}
MODELS = {
    "square": Ising(Square(4), CRITICAL_SQUARE),
    "triangular": Ising(Triangular(3, 4), 0.27),
    "honeycomb": Ising(Honeycomb(2), 0.6),
    "kagome, antiferromagnet": Ising(Kagome(2), -0.4),
    "glass": Ising(Square(4), RNG.choice([-0.6, 0.6], 32)),
    "glass in random fields": Ising(Square(3), RNG.normal(size=18) * 0.4, RNG.normal(size=9) * 0.3),
    "field": Ising(Square(4), 0.3, 0.1),
    "next neighbours": Ising(Square(4), 0.25, further={"next": 0.1, "third": -0.05}),
    "open chain": Ising(Chain(8, pbc=False), 0.7),
    "potts": Potts(Square(3), 3, potts_critical(3)),
    "potts of four": Potts(Triangular(2, 4), 4, 0.5),
    "potts in a field": Potts(Square(3), 3, 0.7, h=0.3),
    "clock of four": Clock(Square(3), 4, 0.9),
    "clock of five": Clock(Square(2, 4), 5, 0.8),
    "clock, antiferromagnet": Clock(Chain(5), 3, -0.6),
}


def drawn(sampler, model, draws, key=KEY):
    state = sampler.init(model, key=key)
    return np.asarray(sampler.sample(model, state, draws, key=key)[0].configurations)


SLOW = tuple(MODELS)[1::2]
"""Every other one."""


@pytest.mark.parametrize("sampler", SAMPLERS)
@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=pytest.mark.slow if name in SLOW else ()) for name in MODELS]
)
def test_any_model_against_enumeration(name, sampler):
    """ln Ψ, m² and the value of the first site: within 4σ, σ with autocorrelation."""
    model = MODELS[name]
    if sampler == "wolff" and name == "potts in a field":
        with pytest.raises(InputError, match="without a field"):
            SAMPLERS[sampler].init(model, key=KEY)
        return
    p = enumerate_distribution(model)
    rows = jnp.asarray(p.configurations)
    spins = drawn(SAMPLERS[sampler], model, 400)
    for of in (
        jax.vmap(model),
        model.order_squared,
        lambda s: s[..., 0] == s[..., 1],
        lambda s: s[..., 0] > 0,
    ):
        exact = float(p.probabilities @ np.asarray(of(rows)))
        values = np.asarray(of(jnp.asarray(spins.reshape(-1, model.size)))).reshape(spins.shape[:2])
        found = estimate(values)
        assert abs(found.mean - exact) < 4 * found.error


def exact_moments(side, K):
    """Energy a site, ⟨m²⟩ and the cumulant 1 − ⟨m⁴⟩/3⟨m²⟩² of a square torus of side ≤ 8."""
    m, p = magnetization_distribution(side, side, K)
    m2, m4 = p @ m**2, p @ m**4
    return ising_torus(side, side, K).energy, m2, 1 - m4 / (3 * m2**2)


@pytest.mark.parametrize("sampler", SAMPLERS)
@pytest.mark.parametrize("K", [0.40, CRITICAL_SQUARE, 0.48])
@pytest.mark.parametrize("side", thinned([4, 8, 16]))
def test_square_tori_against_exact_values(side, K, sampler):
    """Energy (Kaufman 1949), m² and the fourth-order cumulant (transfer matrix; L = 16: energy alone): 3σ."""
    model = Ising(Square(side), K)
    spins = drawn(SAMPLERS[sampler], model, 500)
    energy = estimate(np.asarray(model.energy(jnp.asarray(spins))) / side**2)
    assert abs(energy.mean - ising_torus(side, side, K).energy) < 3 * energy.error
    if side == 16:
        return
    m2 = spins.mean(-1, dtype=np.float64) ** 2
    _, exact_m2, exact_u = exact_moments(side, K)
    second = estimate(m2)
    ratio = estimate(m2**2 - 2 * exact_m2 * 3 * (1 - exact_u) * m2)  # linear part of m⁴/3m²² around exact
    cumulant = 1 - (m2**2).mean() / (3 * m2.mean() ** 2)
    assert abs(second.mean - exact_m2) < 3 * second.error
    assert abs(cumulant - exact_u) < 3 * ratio.error / (3 * exact_m2**2)


@pytest.mark.parametrize("sampler", SAMPLERS)
def test_samples_do_not_depend_on_threads_and_go_on(sampler):
    for name in ("glass", "potts", "clock of four"):
        model, chosen = MODELS[name], SAMPLERS[sampler]
        state = chosen.init(model, key=KEY)
        one, _ = chosen.sample(model, state, 3, key=KEY)
        with _threads.limit(1):
            two, _ = chosen.sample(model, state, 3, key=KEY)
        assert np.array_equal(one.configurations, two.configurations)


def test_a_wolff_step_turns_about_all_sites():
    """At T_c the clusters of a step hold between a half and twice the sites."""
    model, sampler = Ising(Square(16), CRITICAL_SQUARE), Wolff(chains=40)
    state = sampler.init(model, key=KEY)
    m2 = (drawn(sampler, model, 200).mean(-1, dtype=np.float64) ** 2).mean()
    assert 0.5 < int(state.clusters) * m2 < 2  # the mean size of a Wolff cluster is N ⟨m²⟩ up to O(1) factors


@pytest.mark.parametrize("model", [MODELS["potts"], MODELS["clock of four"]], ids=["potts", "clock"])
def test_it_sample_takes_potts_and_clock_models(model):
    found = sample(model, 200, key=KEY)
    assert found.mixed and found.shape == (200, 9) and np.asarray(found).max() == model.states - 1


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: SwendsenWang().init(Ising(Square(4), 0.4, further={"row": 1}), key=KEY), "pairs and fields"),
        (lambda: Wolff().init(RBM(4, 2, key=KEY), key=KEY), "model: expected an Ising, Potts or Clock"),
        (lambda: SwendsenWang().init(Potts(Square(4), 3, -0.4), key=KEY), "K ≥ 0"),
        (lambda: SwendsenWang(steps=0), "steps: expected a positive integer"),
        (lambda: SwendsenWang(burn_in=-1), "burn_in: expected a number"),
        (lambda: Wolff(burn_in=0), "burn_in: expected at least one"),
        (lambda: Wolff(clusters=0), "clusters: expected a positive integer"),
    ],
)  # fmt: skip
def test_bad_input_is_one_clear_line(call, words):
    with pytest.raises(InputError, match=words):
        call()
