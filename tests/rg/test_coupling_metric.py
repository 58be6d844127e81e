"""What block spins know of the couplings: exact values, inequalities, and the bound from samples."""

import jax
import numpy as np
import pytest

from intertwine._checks import InputError
from intertwine.models.spins.ising import CRITICAL_SQUARE, Ising
from intertwine.models.spins.spin_enumeration import enumerate_distribution
from intertwine.models.spins.spin_terms import spin_terms
from intertwine.rg.blocks.blocking import Decimation, Majority
from intertwine.rg.blocks.chains import chains_of
from intertwine.rg.blocks.push_forward import push_forward
from intertwine.rg.information.coupling_metric import coupling_metrics
from intertwine.spaces.lattices import Chain, Square

KEY = jax.random.key(3)
NAMES = ("nearest", "next", "plaquette")


def _blocked_probabilities(couplings: np.ndarray, rule) -> np.ndarray:
    model = Ising.of(Square(4, 4), dict(zip(NAMES, couplings.tolist(), strict=True)))
    p = enumerate_distribution(model).probabilities
    return push_forward(rule, model.lattice, p[:, None])[:, 0]


@pytest.mark.parametrize("rule", [Majority(2), Decimation(2)], ids=lambda r: r.name)
def test_blocked_metric_is_the_curvature_of_kl(rule) -> None:
    """KL(p'_K ‖ p'_{K+δ}) = ½ δᵀG'δ of the distributions of the block spins, by central differences."""
    K = np.array([0.3, 0.05, 0.02])
    model = Ising.of(Square(4, 4), dict(zip(NAMES, K.tolist(), strict=True)))
    metric = coupling_metrics(model, rule, names=NAMES).metrics[1]
    p = _blocked_probabilities(K, rule)
    for direction in np.random.default_rng(0).normal(size=(4, 3)):
        h = 1e-3 / np.sqrt(direction @ metric @ direction)
        moved = (_blocked_probabilities(K + s * h * direction, rule) for s in (1, -1))
        both = sum(p @ np.log(p / q) for q in moved)
        assert abs(both / h**2 / (direction @ metric @ direction) - 1) < 1e-4


@pytest.mark.parametrize("K", [0.2, CRITICAL_SQUARE, 0.7])
@pytest.mark.parametrize("rule", [Majority(2), Majority(2, ties="first"), Decimation(2)])
def test_blocking_loses_information(K: float, rule) -> None:
    """G ≥ G' as matrices (data processing); the metric before blocking is the covariance of the sums."""
    model = Ising(Square(4, 4), K)
    found = coupling_metrics(model, rule, names=NAMES)
    exact = enumerate_distribution(model)
    sums = np.stack([spin_terms(model.lattice, n).sum(exact.configurations) for n in NAMES], 1)
    covariance = np.cov(sums.T, aweights=exact.probabilities, bias=True)
    assert np.allclose(found.metrics[0], covariance, rtol=1e-10, atol=1e-10)
    assert np.linalg.eigvalsh(found.metrics[0] - found.metrics[1])[0] > -1e-10
    assert np.allclose(found.kept[0], 1) and (found.kept[1] > 0).all() and (found.kept[1] < 1).all()
    assert found.exact and not found.kept_error.any()


def test_relevant_survives_irrelevant_contracts() -> None:
    """4×4 → 2×2 at K_c: over half of one direction, under 2 % of the others."""
    kept = coupling_metrics(Ising(Square(4, 4), CRITICAL_SQUARE), Majority(2), names=NAMES).kept[1]
    assert kept[0] > 0.5 and kept[1] < 0.02 and kept[2] < 0.01


def test_decimated_chain() -> None:
    """A ring of 12 → 6: p' is the ring at tanh K' = tanh² K, so that G' = (dK'/dK)² G_6(K')."""
    K = 0.8
    blocked = np.arctanh(np.tanh(K) ** 2)
    slope = 2 * np.tanh(K) / np.cosh(K) ** 2 / (1 - np.tanh(K) ** 4)
    found = coupling_metrics(Ising(Chain(12), K), Decimation(2), names=("nearest",))
    ring = coupling_metrics(Ising(Chain(6), blocked), Decimation(2), names=("nearest",))
    assert abs(found.metrics[1, 0, 0] / (slope**2 * ring.metrics[0, 0, 0]) - 1) < 1e-10


def test_bound_from_samples_is_below_the_exact() -> None:
    """4×4 → 2×2: block spins of 2×2 are described by the three sums, so that the bound is nearly reached."""
    model = Ising(Square(4, 4), CRITICAL_SQUARE)
    exact = coupling_metrics(model, Majority(2), names=NAMES)
    spins, *_ = chains_of(model, None, 20_000, key=KEY)
    found = coupling_metrics(spins, Majority(2), lattice=model.lattice, names=("nearest", "next"), key=KEY)
    pair = coupling_metrics(model, Majority(2), names=("nearest", "next"))
    assert (found.kept[1] <= pair.kept[1] + 4 * found.kept_error[1]).all()
    assert abs(found.kept[1, 0] / pair.kept[1, 0] - 1) < 0.05
    assert exact.kept[1, 0] >= pair.kept[1, 0] - 1e-12  # more couplings: the best direction keeps no less


def test_two_levels_at_the_critical_point() -> None:
    """L = 32: the thermal direction keeps its information, the others lose theirs at every step."""
    spins, lattice, _ = chains_of(Ising(Square(32), CRITICAL_SQUARE), None, 2000, key=KEY)
    found = coupling_metrics(spins, Majority(2), levels=2, lattice=lattice, key=KEY)
    assert (found.kept[1:, 0] > 0.5).all()
    assert (np.abs(found.kept[1:, 1:]) < 0.05).all()
    assert (found.kept[2, 1:] < 0.005).all()
    odd = coupling_metrics(spins, Majority(2), levels=2, names=("field", "corner"), lattice=lattice, key=KEY)
    assert (odd.kept[1:, 0] > 0.98).all()  # y_H = 15/8: nothing is lost
    assert "bound" in str(found)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda s: coupling_metrics(s, Majority(2), lattice=Square(8), levels=4, key=KEY), "square:1x1|tile"),
        (lambda s: coupling_metrics(s, Majority(3), lattice=Square(8), key=KEY), "tile"),
        (lambda s: coupling_metrics(s, Majority(2), lattice=Square(8)), "key"),
        (lambda s: coupling_metrics(s, Majority(2), lattice=Square(8), names=(), key=KEY), "names"),
        (
            lambda s: coupling_metrics(s, Majority(2), lattice=Square(8), names=("next", "shell:2"), key=KEY),
            "independent",
        ),
        (lambda s: coupling_metrics(0 * s, Majority(2), lattice=Square(8), key=KEY), "±1"),
        (lambda s: coupling_metrics(Ising(Square(6, 6), 0.4), Majority(2)), "2\\^22"),
    ],
)
def test_errors(call, message: str) -> None:
    spins = np.random.default_rng(0).choice(np.array([-1, 1], np.int8), (50, 64))
    with pytest.raises(InputError, match=message):
        call(spins)
