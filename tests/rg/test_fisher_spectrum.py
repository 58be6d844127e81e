"""The Fisher metric against closed forms and finite differences of KL; training as a flow."""

import itertools

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from intertwine._checks import InputError
from intertwine.boltzmann.objectives.methods import ExactKL
from intertwine.boltzmann.training.learn import learn
from intertwine.geometry.spectrum import FisherSpectrum, exact_distribution, fisher_spectrum, spin_view
from intertwine.geometry.trained_flow import training_flow
from intertwine.learning.log_derivatives import unravel
from intertwine.models.machines.rbm import RBM
from intertwine.models.mean_field import MeanField
from intertwine.models.parameters import parameters
from intertwine.models.spins.ising import CRITICAL_SQUARE, Ising
from intertwine.models.spins.spin_enumeration import enumerate_distribution
from intertwine.sampling.gibbs.gibbs import Gibbs
from intertwine.spaces.lattices import Chain, Square

KEY = jax.random.key(5)


def _rbm(scale: float = 0.4, units: str = "spin", size: int = 6, hidden: int = 4, seed: int = 0) -> RBM:
    return RBM(size, hidden, units=units, hidden_units=units, scale=scale, key=jax.random.key(seed))


MODELS = {
    "spin": _rbm(),
    "binary": _rbm(units="binary"),
    "wide": _rbm(size=4, hidden=8),  # more parameters than configurations
    "ising": Ising(Square(3, 3), 0.3, 0.1, further={"next": 0.05, "plaquette": 0.1}),
}


def _probabilities(model) -> np.ndarray:
    return exact_distribution(spin_view(model))[1]


def _moved(model, change: np.ndarray):
    return eqx.apply_updates(model, unravel(model, jnp.asarray(change)))


def _kl(p: np.ndarray, q: np.ndarray) -> float:
    return float(p @ np.log(p / q))


def _metric(found: FisherSpectrum) -> np.ndarray:
    return found.directions.T * found.eigenvalues @ found.directions


# ---------------------------------------------------------------------------------------------- the spectrum


@pytest.mark.parametrize(
    "name", ["spin", "ising", *(pytest.param(n, marks=pytest.mark.slow) for n in ("binary", "wide"))]
)
def test_metric_is_the_curvature_of_kl(name: str) -> None:
    """KL(p_λ‖p_{λ+δ}) = ½ δᵀGδ: central differences, which cancel the third order."""
    model = MODELS[name]
    found = fisher_spectrum(model)
    metric, p = _metric(found), _probabilities(model)
    rng = np.random.default_rng(0)
    for _ in range(5):
        direction = rng.normal(size=found.parameters)
        h = 1e-3 / np.sqrt(direction @ metric @ direction)
        both = sum(_kl(p, _probabilities(_moved(model, s * h * direction))) for s in (1, -1))
        assert abs(both / h**2 / (direction @ metric @ direction) - 1) < 1e-5


def test_independent_spins() -> None:
    """ln Ψ = Σ a_i s_i: G is diagonal, 1 − tanh² a_i."""
    model = MeanField(5, scale=1.0, key=KEY)
    found = fisher_spectrum(model)
    exact = np.sort(1 - np.tanh(np.asarray(model.field)) ** 2)[::-1]
    assert np.allclose(found.eigenvalues, exact, atol=1e-12)
    assert abs(found.participation - exact.sum() ** 2 / (exact**2).sum()) < 1e-12


def test_ising_ring() -> None:
    """One coupling on a ring: G_KK = ∂² ln Z/∂K², Z = (2 cosh K)^N + (2 sinh K)^N, by Var = ⟨E²⟩ − ⟨E⟩²."""
    K, size = 0.6, 8
    t, c = np.tanh(K), np.cosh(K)
    weight = t**size / (1 + t**size)  # the share of the second term; its slope in K is size·w(1 − w)/(s c)
    slope = size * weight * (1 - weight) / (np.sinh(K) * c)
    exact = size * (1 / c**2 * (1 - weight) - weight / np.sinh(K) ** 2 + slope * (1 / t - t))
    metric = _metric(fisher_spectrum(Ising(Chain(size), K)))
    assert abs(metric[0, 0] - exact) < 1e-10


def test_more_parameters_than_configurations() -> None:
    found = fisher_spectrum(MODELS["wide"])
    assert found.eigenvalues.shape == (16,) and found.parameters == 44
    assert np.allclose(found.directions @ found.directions.T, np.eye(16), atol=1e-12)
    assert found.eigenvalues[-1] < 1e-14  # probabilities sum to one


def test_rbm_is_sloppy() -> None:
    """Decades of eigenvalues, few of them relevant."""
    found = fisher_spectrum(_rbm(0.5))
    assert found.decades > 3
    assert found.relevant(1e-2) < 0.6 * found.parameters
    assert 1 < found.participation < found.relevant(1e-2)
    assert "decades" in str(found)


def test_samples_agree_with_enumeration() -> None:
    model = MODELS["spin"]
    exact = fisher_spectrum(model)
    spins, p = exact_distribution(spin_view(model))
    drawn = spins[np.random.default_rng(0).choice(len(p), 8000, p=p)]
    found = fisher_spectrum(model, drawn)
    assert found.configurations == 8000
    assert np.abs(found.eigenvalues[:5] / exact.eigenvalues[:5] - 1).max() < 0.06
    assert abs(found.participation / exact.participation - 1) < 0.05
    fewer = fisher_spectrum(model, drawn[:20])
    assert fewer.eigenvalues.shape == (20,) and abs(fewer.eigenvalues[0] / exact.eigenvalues[0] - 1) < 0.6


# ------------------------------------------------------------------------------------------ training as flow


@pytest.mark.parametrize("units", ["spin", "binary"])
def test_small_steps_agree(units: str) -> None:
    """Length, Fisher-Rao distance and √(2 KL) of small steps are one; KL is that of the tables."""
    models = [_rbm(s, units) for s in (0.40, 0.41, 0.42, 0.43)]
    flow = training_flow(models)
    tables = [_probabilities(model) for model in models]
    exact = [_kl(p, q) for p, q in itertools.pairwise(tables)]
    assert np.allclose(flow.divergence, exact, rtol=1e-9)
    assert np.allclose(flow.length, flow.distance, rtol=1e-3)
    assert np.allclose(flow.length**2 / 2, flow.divergence, rtol=0.02)
    assert 0.5 < flow.straightness <= 1 + 1e-9
    assert flow.relevant.shape == flow.participation.shape == (4,) and not flow.divergence_error.any()
    assert "length of the way" in str(flow)


def test_a_circle_is_longer_than_its_chord() -> None:
    """There and back: the way adds up, the direct distance is 0."""
    models = [_rbm(s) for s in (0.40, 0.42, 0.44, 0.42, 0.40)]
    flow = training_flow(models)
    assert flow.direct < 1e-7 < flow.total
    assert np.allclose(flow.length, flow.length[::-1])


def test_share_of_stiff_steps() -> None:
    """A step along the stiffest direction is all share; one along the sloppiest has none."""
    model = MODELS["spin"]
    found = fisher_spectrum(model)
    ends = [_moved(model, 1e-3 * found.directions[k]) for k in (0, -1)]
    stiff, sloppy = (training_flow([model, end]) for end in ends)
    assert abs(stiff.share[0] - 1) < 1e-9 and sloppy.share[0] < 1e-9
    assert stiff.length[0] > 100 * sloppy.length[0]
    assert abs(stiff.length[0] - 1e-3 * np.sqrt(found.eigenvalues[0])) < 1e-6


@pytest.mark.slow
def test_sampled_flow() -> None:
    models = [_rbm(s) for s in (0.4, 0.45)]
    exact = training_flow(models)
    seen = []
    flow = training_flow(
        models,
        samples=4000,
        sampler=Gibbs(steps=400),
        key=KEY,
        progress=lambda done, whole: seen.append((done, whole)),
    )
    assert seen == [(1, 2), (2, 2)]
    assert (np.abs(flow.divergence - exact.divergence) < 4 * flow.divergence_error).all()
    assert np.allclose(flow.length, exact.length, rtol=0.05)
    assert np.isnan(flow.direct)


@pytest.mark.slow
def test_training_walks_along_stiff_directions_first() -> None:
    """An RBM learns the 3×3 Ising model at K_c: most of the way in the first epoch, along stiff directions;
    then small steps with most of δ along sloppy ones."""
    exact = enumerate_distribution(Ising(Square(3), CRITICAL_SQUARE))
    rows = np.random.default_rng(0).choice(512, 20_000, p=exact.probabilities)
    first = RBM(9, 9, key=jax.random.key(0))
    models = [first]
    learn(
        first,
        exact.configurations[rows],
        method=ExactKL(),
        epochs=12,
        batch=500,
        learning_rate=0.02,
        average=None,
        key=KEY,
        progress=lambda state, _: models.append(state.model),
    )
    flow = training_flow(models)
    assert flow.distance[0] > 0.5 * flow.total and flow.share[0] > 0.9
    assert flow.distance[3:].max() < 0.1 and flow.share[3:].mean() < 0.5
    assert np.allclose(flow.length[3:], flow.distance[3:], rtol=1e-2)
    assert 0.6 < flow.straightness < 1


def test_a_step_that_stands_still() -> None:
    flow = training_flow([MODELS["spin"], MODELS["spin"]])
    assert flow.length[0] == 0 and flow.distance[0] < 1e-7 and abs(flow.divergence[0]) < 1e-12
    assert np.isnan(flow.share[0])


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: fisher_spectrum(MeanField(4, dtype=complex, key=KEY)), "real parameters"),
        (lambda: fisher_spectrum(RBM(4, 2, units="gaussian", key=KEY)), "two states"),
        (lambda: fisher_spectrum(_rbm(), np.zeros((5, 6))), "values ±1"),
        (lambda: fisher_spectrum(_rbm(), np.ones((5, 7))), r"configurations \(S, 6\)"),
        (lambda: fisher_spectrum(_rbm(size=24)), "sample the model"),
        (lambda: fisher_spectrum("rbm"), "real parameters"),
        (lambda: training_flow([_rbm()]), "at least two models"),
        (lambda: training_flow([_rbm(), _rbm(hidden=5)]), "same shapes"),
        (lambda: training_flow([_rbm(), _rbm()], threshold=2.0), "threshold"),
        (lambda: training_flow([_rbm(), _rbm()], samples=10), "random key"),
    ],
)
def test_errors(call, message: str) -> None:
    with pytest.raises(InputError, match=message):
        call()


def test_columns_are_those_of_the_parameters() -> None:
    model = MODELS["spin"]
    flat = np.concatenate([np.asarray(x).ravel() for x in jax.tree.leaves(parameters(model))])
    back = unravel(model, jnp.asarray(flat))
    assert all(map(np.array_equal, jax.tree.leaves(back), jax.tree.leaves(parameters(model))))
