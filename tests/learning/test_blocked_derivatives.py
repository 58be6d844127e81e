"""Derivatives by blocks of samples equal those of all samples at once, for every kind of model."""

import subprocess
import sys

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import intertwine as it
from intertwine import InputError
from intertwine.learning.log_derivatives import LogDerivatives, log_derivatives
from intertwine.learning.objective import Evaluation
from intertwine.learning.solvers.blocked_derivatives import BlockedDerivatives, blocked_derivatives
from intertwine.models import laws
from intertwine.sampling.statistics.estimate import estimate
from models.table import MODELS

SAMPLES = 10
NAMES = (
    "vit-complex",
    "gcnn-complex-odd",
    "function-analytic",
    "function-with-phase",
    "resnet-float-product",
)


@pytest.mark.parametrize("chunk", [4, 5])
@pytest.mark.parametrize("name", NAMES)
def test_the_operator(name, chunk, key):
    model = MODELS[name](key)
    samples = laws.random_configurations(model, SAMPLES, key=key)
    weights = jnp.asarray(np.random.default_rng(0).dirichlet(np.ones(SAMPLES)))
    local = jnp.arange(SAMPLES) * (1 + 0.5j)

    @jax.jit
    def both(model, samples):
        blocked = BlockedDerivatives(model, samples, weights, chunk)
        whole = log_derivatives(model, samples, weights)
        v, u = (jnp.cos(jnp.arange(n)) for n in (whole.columns, whole.rows))
        if model.kind == "holomorphic":
            v, u = v * (1 + 2j), u * (1 - 0.3j)
        names = ("gram", "metric", "diagonal")
        return [
            (*(getattr(op, n)() for n in names), op.matvec(v), op.rmatvec(u), op.residual(local), op.rows)
            for op in (blocked, whole)
        ]

    for got, expected in zip(*both(model, samples), strict=True):
        np.testing.assert_allclose(got, expected, atol=1e-12 * max(1.0, float(jnp.abs(expected).max())))


@pytest.mark.parametrize("solver", ["dense", "minsr", "iterative"])
def test_the_same_direction(solver, key):
    model = MODELS["vit-complex"](key)
    samples = laws.random_configurations(model, SAMPLES, key=key)
    local = jnp.arange(SAMPLES) * (1 + 0.5j)
    evaluation = Evaluation(samples, local, None, estimate(np.zeros((1, 2))), {})
    previous = jnp.ones(it.NaturalGradient(momentum=0.5).init(model).previous.shape)
    found = [
        it.NaturalGradient(solver=solver, momentum=0.5, chunk=chunk, tolerance=1e-12).direction(
            model, evaluation, shift=1e-2, previous=previous
        )[0]
        for chunk in (None, 3)
    ]
    np.testing.assert_allclose(found[1], found[0], rtol=1e-7, atol=1e-9)


def test_outer_products_stay_as_they_are(key):
    samples = jnp.ones((6, 8), jnp.int8)
    assert isinstance(
        blocked_derivatives(MODELS["rbm-float-spin-spin"](key), samples, chunk=4), LogDerivatives
    )
    assert isinstance(blocked_derivatives(MODELS["vit-float"](key), samples, chunk=6), LogDerivatives)


def test_a_search_gives_the_same_numbers(key):
    H = it.heisenberg(it.Chain(8))
    psi = it.ResNet(it.Chain(8), 1, 2, dtype=float, key=key)
    runs = [
        it.ground_state(H, psi, 3, 64, key=key, chunk=chunk, final_samples=64, compare=False)
        for chunk in (None, 24)
    ]
    np.testing.assert_allclose(runs[1].history["energy"], runs[0].history["energy"], rtol=1e-8)


def test_wrong_chunks(key):
    with pytest.raises(InputError, match="chunk: expected"):
        it.NaturalGradient(chunk=0)
    with pytest.raises(InputError, match="optimiser: expected None where"):
        it.ground_state(
            it.tfim(it.Chain(4)), it.Jastrow(4, key=key), optimiser=it.NaturalGradient(), chunk=8, key=key
        )


STEP = """
import resource, time, jax, jax.numpy as jnp, numpy as np
jax.config.update("jax_enable_x64", True)
import intertwine as it
from intertwine.learning.objective import Evaluation
from intertwine.sampling.statistics.estimate import estimate
key = jax.random.key(0)
psi = it.ViT(it.Square(6, 6), 3, 64, patch=2, translations=True, dtype=float, expansion=3, key=key)
rng = np.random.default_rng(0)
samples = jnp.asarray(rng.choice([-1, 1], (4096, 36)).astype(np.int8))
found = Evaluation(samples, jnp.asarray(rng.normal(size=4096)), None, estimate(np.zeros((1, 2))), {})
optimiser = it.NaturalGradient(chunk=256)
model, _, scalars = optimiser.step(psi, found, optimiser.init(psi), step=0)
assert np.isfinite(scalars["update_norm"])
used = resource.getrusage(resource.RUSAGE_SELF)
print(it.count_parameters(psi), used.ru_maxrss / 1024, used.ru_utime)
"""


@pytest.mark.slow
def test_memory_of_a_step_is_bounded():
    """10⁵ parameters and 4,096 samples, of which the derivatives would take 3.3 GB."""
    out = subprocess.run([sys.executable, "-c", STEP], capture_output=True, text=True, check=True).stdout
    parameters, megabytes, _ = (float(word) for word in out.split())
    assert parameters >= 1e5 and megabytes < 2000
