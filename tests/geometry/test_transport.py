"""Optimal transport against the reference values of a ring of 6, closed forms and linear programmes."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import intertwine as it
from intertwine.geometry.transport.exact import least_cost
from intertwine.models.spins.spin_enumeration import enumerate_distribution

CRITICAL = float(np.log(1 + np.sqrt(2)) / 2)
VALUES = {
    (0.2, 0.6): 0.7057869612840088,
    (0.0, CRITICAL): 0.7113961030510924,
}
"""W1 (Hamming) of two Ising rings of 6 sites, by a linear programme over 64 × 64 states."""


def law(coupling: float) -> tuple[np.ndarray, np.ndarray]:
    """All configurations of the ring and their probabilities, in numpy."""
    states = np.array([[1 - 2 * ((k >> (5 - i)) & 1) for i in range(6)] for k in range(64)])
    bonds = (states * np.roll(states, 1, 1)).sum(1)
    p = np.exp(coupling * bonds - 6 * abs(coupling))
    return states, p / p.sum()


def dual(cost: np.ndarray, a: np.ndarray, b: np.ndarray, epsilon: float) -> float:
    """OT_ε by Sinkhorn's iteration with averaged steps, which converge also from a to itself."""
    kernel, u, v = np.exp(-np.asarray(cost) / epsilon), np.ones(len(a)), np.ones(len(b))
    for _ in range(2000):
        u, v = np.sqrt(u / (kernel @ (b * v))), np.sqrt(v / (kernel.T @ (a * u)))
    return epsilon * float(a @ np.log(u) + b @ np.log(v))


@pytest.fixture(scope="module")
def double():
    with jax.enable_x64(True):
        yield


@pytest.mark.parametrize(("couplings", "expected"), VALUES.items())
def test_the_programme_gives_the_references(couplings, expected):
    first, second = (law(k) for k in couplings)
    found = it.geometry.wasserstein(first, second)
    assert abs(found.value - expected) < 1e-9
    assert found.exact
    assert found.error == 0


def test_models_are_their_exact_laws(double):
    rings = [it.Ising(it.Chain(6), K=k) for k in (0.2, 0.6)]
    assert abs(it.geometry.wasserstein(*rings).value - VALUES[0.2, 0.6]) < 1e-9
    states, p = law(0.2)
    exact = enumerate_distribution(rings[0])
    assert {tuple(r): q for r, q in zip(exact.configurations.tolist(), exact.probabilities, strict=True)} == (
        pytest.approx({tuple(r): q for r, q in zip(states.tolist(), p, strict=True)})
    )


def test_sinkhorn_gives_the_references():
    (states, a), (_, b) = law(0.2), law(0.6)
    cost = (6 - states @ states.T) / 2
    found = it.geometry.sinkhorn(cost, a, b, epsilon=0.1, tolerance=1e-12)
    assert abs(found.value - 0.9246013046) < 1e-9
    assert abs(found.plan_cost - 0.7057870881) < 1e-9
    bonds = (states * np.roll(states, 1, 1)).sum(1)
    slope = (a * found.f * (bonds - a @ bonds)).sum()  # ∂/∂K of the first law
    assert abs(slope + 1.3456772616851544) < 1e-9
    assert not found.warnings
    assert np.allclose(found.plan.sum(0), b, atol=1e-12)


def test_divergence_and_its_derivatives(double):
    (states, a), (_, b) = law(0.2), law(0.6)
    cost = jnp.asarray((6 - states @ states.T) / 2)

    @jax.jit
    def value(a, cost):
        return it.geometry.sinkhorn_divergence(
            cost, (cost + cost.T) / 2, (cost + cost.T) / 2, a, jnp.asarray(b), epsilon=0.1, tolerance=1e-13
        )

    plain = (dual(cost, *pair, 0.1) for pair in ((a, b), (a, a), (b, b)))
    expected = next(plain) - sum(plain) / 2
    assert abs(expected - 0.5646629838) < 1e-8  # the reference; its last digits are those of its iteration
    assert abs(float(value(a, cost)) - expected) < 1e-10
    assert abs(it.geometry.wasserstein((states, a), (states, b), epsilon=0.1).value - expected) < 1e-8
    of_a, of_cost = jax.jit(jax.grad(value, (0, 1)))(jnp.asarray(a), cost)
    rng = np.random.default_rng(0)
    r = rng.standard_normal(64)
    for slope, change, at in (
        (of_a, a * (r - a @ r), lambda h, d: (a + h * d, cost)),
        (of_cost, rng.random((64, 64)), lambda h, d: (a, cost + h * d)),
    ):
        h = 1e-3
        values = [float(value(*at(s * h, change))) for s in (1, -1, 2, -2)]
        expected = (8 * (values[0] - values[1]) - (values[2] - values[3])) / (12 * h)
        assert abs(float((slope * change).sum()) - expected) < 1e-8


def test_product_laws():
    """W1 (Hamming) of independent bits is Σ |p − q|."""
    rng = np.random.default_rng(3)
    states = np.array([[k >> i & 1 for i in range(6)] for k in range(64)])
    p, q = rng.random((2, 6))
    laws = [(states, np.prod(np.where(states, x, 1 - x), 1)) for x in (p, q)]
    assert abs(it.geometry.wasserstein(*laws).value - np.abs(p - q).sum()) < 1e-9


def test_order_two_of_a_line():
    """In one dimension sorted values are joined."""
    rng = np.random.default_rng(1)
    x, y = rng.standard_normal((200, 1)), 2 * rng.standard_normal((200, 1)) + 1
    gaps = np.abs(np.sort(x, 0) - np.sort(y, 0))
    for order in (1, 2):
        found = it.geometry.wasserstein(x, y, order=order)
        assert abs(found.value - (gaps**order).mean() ** (1 / order)) < 1e-9
        assert found.metric == "euclidean"


@pytest.mark.parametrize(("n", "m"), [(30, 30), (20, 30), (13, 31)])
def test_assignments_are_programmes(n, m):
    cost = np.random.default_rng(n).random((n, m))
    uniform = np.full(n, 1 / n), np.full(m, 1 / m)
    assert abs(least_cost(cost) - least_cost(cost, *uniform)) < 1e-9


def test_rows_and_weights_are_one_law():
    """Repeated rows, and the same rows once with weights."""
    rows, counts = np.array([[0, 0, 1], [1, 1, 0], [1, 1, 1]]), [5, 2, 3]
    other = np.eye(3, dtype=int)[[0, 1, 2, 2, 2, 0, 1, 1, 0, 2]]
    repeated = it.geometry.wasserstein(np.repeat(rows, counts, 0), other)
    weighed = it.geometry.wasserstein((rows, np.array(counts)), (other, np.ones(10)))
    assert repeated.value == pytest.approx(weighed.value, abs=1e-12)
    assert weighed.exact
    assert not repeated.exact


def test_up_to_translations():
    lattice = it.Chain(6)
    row = np.array([[1, 1, -1, -1, -1, 1]])
    assert it.geometry.wasserstein(row, np.roll(row, 2, 1), up_to=lattice).value == 0
    assert it.geometry.wasserstein(row, np.roll(row, 2, 1)).value == 4
    other = np.array([[1, -1, 1, -1, 1, -1]])
    least = min((row != np.roll(other, k, 1)).sum() for k in range(6))
    assert it.geometry.wasserstein(row, other, up_to=lattice).value == least


def test_errors_and_floor():
    """Over 20 pairs of samples the mean distance is where one says, within its error."""
    rng = np.random.default_rng(0)

    def draw() -> list[np.ndarray]:
        return [(rng.random((128, 4)) < p).astype(int) for p in (0.2, 0.5)]

    found = [it.geometry.wasserstein(*draw()) for _ in range(20)]
    values = np.array([d.value for d in found])
    errors = np.array([d.error for d in found])
    assert 0.5 < values.std(ddof=1) / errors.mean() < 2
    assert abs(values.mean() - 1.2) < 4.5 * values.std() / np.sqrt(20) + 0.05  # the bias of 128 rows
    assert all(d.at_floor > d.floor and not d.warnings for d in found)
    same = it.geometry.wasserstein(draw()[0], draw()[0])
    assert same.warnings[0].startswith("unjudged")


def test_bures():
    rng = np.random.default_rng(0)
    first, second = (x @ x.T for x in rng.standard_normal((2, 3, 3)))
    a, b = np.array([1.0, 2.0, 0.5]), np.array([0.3, 2.0, 1.5])
    assert it.geometry.bures(np.diag(a), np.diag(b)) == pytest.approx(np.linalg.norm(np.sqrt(a) - np.sqrt(b)))
    assert it.geometry.bures(first, second) == pytest.approx(it.geometry.bures(second, first))
    root = np.linalg.cholesky(second)  # |A − B U| over rotations U is least at the polar factor
    inner = np.linalg.svd(np.linalg.cholesky(first).T @ root)[1].sum()
    assert it.geometry.bures(first, second) ** 2 == pytest.approx(
        np.trace(first) + np.trace(second) - 2 * inner
    )


def test_gaussian_machines_are_gaussians():
    key = jax.random.key(0)
    machine = it.RBM(4, hidden=3, units="gaussian", hidden_units="gaussian", scale=0.2, key=key)
    law = it.geometry.gaussian_law(machine)
    assert np.allclose(
        np.linalg.inv(law.covariance), np.eye(4) - machine.weights @ machine.weights.T, atol=1e-6
    )
    free = it.RBM(4, hidden=3, units="gaussian", hidden_units="gaussian", scale=0.0, key=key)
    found = it.geometry.wasserstein(machine, free, order=2)
    assert found.exact
    assert found.value == pytest.approx(it.geometry.bures(law, np.eye(4)), abs=1e-6)
    drawn = np.random.default_rng(0).multivariate_normal(law.mean, law.covariance, 400)
    sampled = it.geometry.wasserstein(drawn, np.random.default_rng(1).standard_normal((400, 4)), order=2)
    assert found.value < sampled.value


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: it.geometry.sinkhorn([[0.0, -1.0]], epsilon=1.0), "costs ≥ 0"),
        (lambda: it.geometry.sinkhorn([[0.0, np.inf]], epsilon=1.0), "finite costs"),
        (lambda: it.geometry.sinkhorn([[0.0, 1.0]], b=[0.5, 0.6], epsilon=1.0), "a sum of 1.1"),
        (lambda: it.geometry.sinkhorn([[0.0, 1.0]], b=[1.5, -0.5], epsilon=1.0), "weights ≥ 0"),
        (lambda: it.geometry.sinkhorn(np.eye(2, dtype=np.float32), epsilon=1e-6), "at least 0.00012"),
        (lambda: it.geometry.sinkhorn(np.eye(2), epsilon=0.0), "a positive number"),
        (lambda: it.geometry.wasserstein(np.eye(2), np.eye(3)), "the same number of columns"),
        (lambda: it.geometry.wasserstein(np.eye(2), 2 * np.eye(2) - 1), "the same values"),
        (lambda: it.geometry.wasserstein(np.eye(2) / 3, np.eye(2), metric="hamming"), "euclidean"),
        (lambda: it.geometry.wasserstein(np.eye(2), np.eye(2), metric="manhattan"), "'hamming'"),
        (lambda: it.geometry.wasserstein(np.eye(2), np.eye(2), metric=lambda x, y: x @ y - 9), "values ≥ 0"),
        (lambda: it.geometry.wasserstein(np.eye(2), np.eye(2), order=3), "1 or 2"),
        (lambda: it.geometry.wasserstein("runs/a", np.eye(2)), "it.load"),
        (lambda: it.geometry.wasserstein(np.eye(2), np.eye(2), up_to=it.Chain(3)), "a lattice of 2 sites"),
        (lambda: it.geometry.bures([[1.0]], [[-1.0]]), "negative eigenvalues"),
    ],
)
def test_bad_input_is_one_line(call, words):
    with pytest.raises(it.InputError, match=words) as error:
        call()
    assert "\n" not in str(error.value)


def test_the_epsilon_that_the_error_names_works():
    cost = np.array([[0.0, 6.0], [6.0, 0.0]], np.float32)
    with pytest.raises(it.InputError, match=r"at least 0\.00072"):
        it.geometry.sinkhorn(cost, epsilon=1e-4)
    assert it.geometry.sinkhorn(cost, epsilon=0.00073).error < 1e-3
    assert it.geometry.sinkhorn(cost.astype(np.float64), epsilon=1e-4).value == pytest.approx(0.0, abs=1e-3)


def test_against_pot():
    ot = pytest.importorskip("ot", reason="POT is an oracle, where it is installed")
    rng = np.random.default_rng(0)
    cost, a, b = rng.random((7, 9)), rng.dirichlet(np.ones(7)), rng.dirichlet(np.ones(9))
    assert least_cost(cost, a, b) == pytest.approx(ot.emd2(a, b, cost), abs=1e-12)
    plan = ot.sinkhorn(a, b, cost, 0.1, stopThr=1e-13)
    assert np.allclose(it.geometry.sinkhorn(cost, a, b, epsilon=0.1, tolerance=1e-12).plan, plan, atol=1e-10)


def test_fits_are_sides():
    """A fit is its model, on both sides and along a training."""
    d = np.random.default_rng(0).integers(0, 2, (200, 4))
    fit = it.learn("rbm:3", d, epochs=3, key=jax.random.key(0))
    found = it.geometry.wasserstein(fit, d)
    assert found.value == it.geometry.wasserstein(fit.model, d).value == it.geometry.wasserstein(d, fit).value
    assert it.geometry.training_distances([fit], d)[0].value == found.value


def test_distances_too_large_are_refused():
    a, b = np.random.default_rng(0).normal(size=(2, 20, 2)) * 1e200
    with pytest.raises(it.InputError, match="distances are finite"):
        it.geometry.wasserstein(a, b, order=2)
    with pytest.raises(it.InputError, match="distances are finite"):
        it.geometry.wasserstein(a, b)


def test_errors_of_discrete_rows_are_the_spread_of_samples():
    """W1 of independent binary columns, .2 against .5: errors beside the spread of 30 pairs of samples."""
    found = []
    for seed in range(30):
        u = np.random.default_rng(seed).random((2, 100, 4))
        found.append(it.geometry.wasserstein(*(u < [[[0.2]], [[0.5]]]).astype(int)))
    spread = np.std([x.value for x in found], ddof=1)
    assert 0.75 < np.sqrt(np.mean([x.error**2 for x in found])) / spread < 1.25
