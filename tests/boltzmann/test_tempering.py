"""PT and tempering along the trajectory as methods: unbiased averages, and what is stored on the way."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from intertwine._checks import InputError
from intertwine.boltzmann.objectives.exact import log_z
from intertwine.boltzmann.objectives.methods import ExactKL
from intertwine.boltzmann.objectives.tempering import PT, TrajectoryTempering, stored_models
from intertwine.boltzmann.training.learn import learn
from intertwine.models.machines.rbm import RBM
from intertwine.sampling.draw import sample
from intertwine.sampling.gibbs.trajectory import TrajectoryGibbs

KEY = jax.random.key(4)
METHODS = {
    "pt": PT(chains=200, replicas=4),
    "pt fixed": PT(chains=200, betas=(0, 0.3, 1)),
    "trajectory": TrajectoryTempering(chains=200, replicas=4, acceptance=0.9),
}


@pytest.mark.parametrize("name", ["pt", pytest.param("pt fixed", marks=pytest.mark.slow), "trajectory"])
def test_gradients_are_unbiased(name):
    """E[v], E[h], E[v hᵀ] of a machine with well separated modes against enumeration: each within 4σ, with
    errors from 20 blocks of 50 sweeps."""
    method = METHODS[name]
    rbm = RBM(6, hidden=5, units="binary", hidden_units="binary", scale=1.5, key=KEY)
    exact = ExactKL().negative(rbm, (), jnp.zeros((1, 6)), key=KEY)[0]

    @jax.jit
    def run(state, keys):
        def step(state, key):
            samples, state, _ = method.negative(rbm, state, jnp.zeros((1, 6)), key=key)
            moments = samples.v.mean(0), samples.h.mean(0), samples.v.T @ samples.h / len(samples.v)
            return state, jnp.concatenate([x.ravel() for x in moments])

        return jax.lax.scan(step, state, keys)

    state, seen = run(method.init(rbm, key=KEY), jax.random.split(KEY, 1100))
    blocks = np.asarray(seen)[100:].reshape(20, 50, -1).mean(1)
    wanted = np.concatenate([np.asarray(x).ravel() for x in exact[:3]])
    error = blocks.std(0, ddof=1) / np.sqrt(20)
    assert (abs(blocks.mean(0) - wanted) < 4 * error).all()
    if name == "trajectory":
        assert int(state.used) >= 3


@pytest.mark.slow
def test_the_trajectory_is_stored_thinned_and_samples_the_model():
    """Training stores models in order, never more than there is room for; with them the trained machine is
    sampled, its replicas making round trips."""
    rng = np.random.default_rng(0)
    prototypes = rng.integers(0, 2, (4, 12))
    rows = prototypes[rng.integers(0, 4, 400)] ^ (rng.random((400, 12)) < 0.05)
    rbm = RBM(12, hidden=8, units="binary", hidden_units="binary", key=KEY)
    method = TrajectoryTempering(chains=50, replicas=4, acceptance=0.7)
    fit = learn(rbm, rows, method=method, epochs=150, batch=100, key=KEY)
    state = fit.state.objective_state.inner.chains
    models = stored_models(state, rbm)
    assert int(state.used) == 4 and len(models) == 2
    sizes = [float(jnp.linalg.norm(m.weights)) for m in [*models, fit.model]]
    assert sizes == sorted(sizes)
    assert all(np.isfinite(x["swap_acceptance"]) and 2 <= x["rungs"] <= 4 for x in fit.history)
    drawn = sample(fit.model, 400, sampler=TrajectoryGibbs(models, steps=50), key=KEY)
    near = (np.asarray(drawn)[:, None] != prototypes).sum(-1)
    found = np.bincount(near.argmin(1), minlength=4) / 400
    assert drawn.mixed and (near.min(1) <= 3).mean() > 0.9
    wanted = np.bincount((rows[:, None] != prototypes).sum(-1).argmin(1), minlength=4) / 400
    assert abs(found - wanted).max() < 0.15


@pytest.mark.slow
@pytest.mark.parametrize("method", [PT(chains=50, replicas=3), TrajectoryTempering(chains=50, replicas=3)])
def test_learning_with_tempered_chains_comes_near_learning_with_exact_averages(method):
    """Three patterns of 4 columns: the KL divergence ends within 0.05 nat of that with exact averages."""
    rows = np.repeat(np.array([[0, 0, 1, 1], [1, 1, 0, 0], [1, 1, 1, 1]], np.uint8), 40, axis=0)
    rbm = RBM(4, hidden=4, units="binary", hidden_units="binary", key=KEY)

    def divergence(method):
        model = learn(rbm, rows, method=method, epochs=400, batch=40, key=KEY).model
        return float(model.free_energy(jnp.asarray(rows, float)).mean() + log_z(model)) - np.log(3)

    assert abs(divergence(method) - divergence(ExactKL())) < 0.05


def test_bad_input():
    for make, word in (
        (lambda: PT(replicas=1), "at least 2"),
        (lambda: PT(betas=(0.5, 1.0)), "from 0 to 1"),
        (lambda: PT(chains=0), "chains"),
        (lambda: TrajectoryTempering(replicas=2), "at least 3"),
        (lambda: TrajectoryTempering(acceptance=1.5), "between 0 and 1"),
    ):
        with pytest.raises(InputError, match=word):
            make()
