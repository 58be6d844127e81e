"""Projected steps: orders of the schemes, exact diagonal factors, fits, and the choice between methods."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

import intertwine as it
from intertwine.quantum.dynamics.dressed import DressedForm, dressed
from intertwine.quantum.dynamics.ensemble import Source
from intertwine.quantum.dynamics.evolve import evolution
from intertwine.quantum.dynamics.flattened import Flattened
from intertwine.quantum.dynamics.schemes import scheme
from intertwine.quantum.vmc.local_energy import local_values
from intertwine.sampling.enumeration import all_configurations

KEY = jax.random.key(0)
ALL = [("taylor", p) for p in (1, 2, 3, 4)] + [("split", p) for p in (1, 2, 3)]


def vector(model):
    log_psi = np.asarray(jax.vmap(model)(jnp.asarray(all_configurations(model.size))), complex)
    psi = np.exp(log_psi - log_psi.real.max())
    return psi / np.linalg.norm(psi)


def distance(a, b):
    return np.sqrt(max(0.0, 2 - 2 * abs(np.vdot(a, b)) / np.linalg.norm(a) / np.linalg.norm(b)))


@pytest.fixture(scope="module")
def tilted():
    """A ring of 8 in a tilted field: the operator and its matrix."""
    strings = [(-1.0, {i: "Z", (i + 1) % 8: "Z"}) for i in range(8)]
    strings += [(-0.9, {i: "X"}) for i in range(8)] + [(-0.4, {i: "Z"}) for i in range(8)]
    H = it.Operator.from_strings(8, strings)
    return H, H.to_dense()


@pytest.mark.parametrize(("name", "order"), ALL)
def test_schemes_have_their_orders(name, order, tilted):
    _, matrix = tilted
    start = it.exact.product_vector(8, "+x")
    true = it.exact.evolve(tilted[0], "+x", [0.2], tolerance=1e-14)[0]
    diagonal, chosen, errors = np.diag(matrix), scheme(name, order), []
    for dt in (0.01, 0.005):
        psi = start
        for _ in range(round(0.2 / dt)):
            psi = chosen.applied(lambda v: matrix @ v, diagonal, psi, -1j * dt)
        errors.append(np.linalg.norm(psi - true))
    assert abs(np.log2(errors[0] / errors[1]) - order) < 0.05


def test_a_scheme_of_one_step_is_the_truncated_exponential(tilted):
    _, matrix = tilted
    psi, z = it.exact.product_vector(8, "neel"), -0.03j
    found = scheme("taylor", 4).applied(lambda v: matrix @ v, np.diag(matrix), psi, z)
    powers = [psi]
    for k in range(1, 5):
        powers.append(z * (matrix @ powers[-1]) / k)
    np.testing.assert_allclose(found, sum(powers), atol=1e-13)


def test_diagonal_factors_are_exact():
    ring = it.Chain(6)
    H = it.tfim(ring, J=1.0, h=0.5) + it.Operator.from_strings(6, [(0.3, {i: "Z"}) for i in range(6)])
    psi = it.SymmetricRBM(ring, features=2, dtype=complex, key=KEY)
    plain = dressed(psi, H)
    assert isinstance(plain, DressedForm) and plain.exponents.shape == (2,)
    z = 0.2 - 0.7j
    turned = plain.turned(H, z)
    wanted = np.exp(z * np.diag(H.to_dense())) * vector(psi)
    np.testing.assert_allclose(abs(np.vdot(wanted, vector(turned))), np.linalg.norm(wanted), rtol=1e-12)
    s = jnp.asarray(all_configurations(6))
    matrix, v = H.to_dense(), np.exp(np.asarray(jax.vmap(turned)(s)))
    np.testing.assert_allclose(local_values(H, turned, s), (matrix @ v) / v, rtol=1e-9)
    found = turned.factors(s).exponents.values
    for c in range(2):
        more = eqx.tree_at(lambda m: m.exponents, turned, turned.exponents.at[c].add(1.0))
        np.testing.assert_allclose(found[:, c], jax.vmap(more)(s) - jax.vmap(turned)(s), atol=1e-12)


def follows(name, order, **options):
    ring = it.Chain(6)
    H = it.tfim(ring, J=1.0, h=0.5)
    psi = it.SymmetricRBM(ring, features=4, dtype=complex, key=KEY)
    run = it.evolve(
        H, psi, [0.15], key=KEY, method="projected", scheme=name, order=order, step=0.05, **options
    )
    true = it.exact.evolve(H, vector(psi), [0.15], **options)[0]
    assert distance(true, vector(run.model)) <= run.bound[-1] < 0.2
    assert run.history["steps"][-1] == 3 and run.method == "projected"


def test_projected_steps_follow_the_exact_state():
    follows("split", 2)


@pytest.mark.slow
@pytest.mark.parametrize("imaginary", [False, True])
@pytest.mark.parametrize(("name", "order"), ALL)
def test_all_schemes_follow_it(name, order, imaginary):
    follows(name, order, imaginary=imaginary)


def test_the_method_is_chosen_and_says_why():
    H, ring = it.tfim(it.Chain(6), J=1.0, h=0.5), it.Chain(6)
    stuck = it.SymmetricRBM(ring, features=4, dtype=complex, scale=0.0, key=KEY)
    moving = it.product_state(stuck, "+x", key=KEY)
    first, second = (evolution(H, psi, [0.1], key=KEY) for psi in (stuck, moving))
    assert first.label == "projected" and "leaves out 1 of the motion" in first.because
    assert second.label == "tdvp" and "follows all but" in second.because


@pytest.mark.slow
def test_flattened_chains_meet_what_psi_hides():
    """Near |↑↑↑↑⟩ single flips carry all of Var(H); chains of |ψ|² never meet them."""
    psi = it.product_state(it.RBM(4, hidden=4, dtype=complex, key=KEY), "up", zeros=1e-5, key=KEY)
    X = it.Operator.from_strings(4, [(1.0, {i: "X"}) for i in range(4)])
    sampler = Flattened(it.Metropolis(it.SingleFlip(), chains=16), 0.2)
    source = Source(sampler, 512)
    chains = source.start(psi, KEY)
    found, _, _ = source.measure({"X": X}, psi, chains, 2048, KEY)
    v = vector(psi)
    matrix = X.to_dense()
    mean = np.vdot(v, matrix @ v).real
    variance = np.vdot(matrix @ v, matrix @ v).real - mean**2
    assert abs(found["X"].mean - mean) < 4 * found["X"].error
    np.testing.assert_allclose(found["X"].variance, variance, rtol=0.15)


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"scheme": "magic"}, "scheme"),
        ({"scheme": "split", "order": 4}, "order"),
        ({"scheme": "taylor", "order": 0}, "order"),
        ({"step": -0.1}, "step"),
        ({"flatten": 1.5, "samples": 64}, "flatten"),
    ],
)
def test_bad_input(change, word):
    psi = it.RBM(4, hidden=2, dtype=complex, key=KEY)
    with pytest.raises(it.InputError, match=word):
        it.evolve(it.tfim(it.Chain(4)), psi, [0.1], key=KEY, **({"method": "projected"} | change))


def test_split_needs_a_diagonal():
    psi = it.RBM(4, hidden=2, dtype=complex, key=KEY)
    H = it.Operator.from_strings(4, [(1.0, {i: "X"}) for i in range(4)])
    with pytest.raises(it.InputError, match="taylor"):
        it.evolve(H, psi, [0.1], key=KEY, method="projected", scheme="split")
