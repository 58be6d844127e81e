"""RBM: the sum over hidden units, the conditionals, the units and the errors, against enumeration."""

import itertools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from intertwine._checks import InputError
from intertwine.models.machines.rbm import RBM
from intertwine.models.protocols import Bipartite, Factored, Incremental, SpinFormed
from intertwine.models.units import as_spins

STATES = {"spin": (-1, 1), "binary": (0, 1)}
every_units = pytest.mark.parametrize("units", STATES)
every_hidden = pytest.mark.parametrize("hidden_units", STATES)


def joint(rbm):
    """v (V, N), h (H, M) and exp(vᵀWh + a·v + b·h), (V, H), for all states."""
    v = np.array(list(itertools.product(STATES[rbm.units], repeat=rbm.size)))
    h = np.array(list(itertools.product(STATES[rbm.hidden_units], repeat=rbm.hidden)))
    a, b, w = (np.asarray(x) for x in (rbm.visible_bias, rbm.hidden_bias, rbm.weights))
    return v, h, np.exp(v @ w @ h.T + (v @ a)[:, None] + h @ b)


@every_units
@every_hidden
@pytest.mark.parametrize("dtype", [float, complex])
def test_amplitude_is_the_sum_over_hidden_units(units, hidden_units, dtype, key):
    rbm = RBM(4, 3, dtype=dtype, units=units, hidden_units=hidden_units, scale=0.8, key=key)
    v, _, weights = joint(rbm)
    found = np.exp(jax.vmap(rbm)(jnp.asarray(v)))
    np.testing.assert_allclose(found, weights.sum(1), rtol=1e-12)


@every_units
@every_hidden
def test_conditionals(units, hidden_units, key):
    rbm = RBM(4, 3, units=units, hidden_units=hidden_units, scale=0.8, key=key)
    assert isinstance(rbm, Bipartite)
    v, h, weights = joint(rbm)
    mean_h = weights @ h / weights.sum(1)[:, None]
    mean_v = weights.T @ v / weights.sum(0)[:, None]
    np.testing.assert_allclose(jax.vmap(rbm.hidden_given_visible)(jnp.asarray(v)), mean_h, atol=1e-13)
    np.testing.assert_allclose(jax.vmap(rbm.visible_given_hidden)(jnp.asarray(h)), mean_v, atol=1e-13)


def test_conditionals_need_real_parameters(key):
    rbm = RBM(4, 3, dtype=complex, key=key)
    for conditional in (rbm.hidden_given_visible, rbm.visible_given_hidden):
        with pytest.raises(InputError, match="real parameters"):
            conditional(jnp.ones(4))


def test_binary_units_as_spins(key):
    rbm = RBM(5, 4, units="binary", hidden_units="binary", scale=0.5, key=key)
    psi = as_spins(rbm)
    s = jnp.array([1, -1, -1, 1, 1], jnp.int8)
    assert float(psi(s)) == float(rbm(jnp.array([1, 0, 0, 1, 1])))
    assert all(isinstance(psi, p) for p in (Incremental, SpinFormed, Factored))
    assert as_spins(psi) is psi
    spins = RBM(5, 4, key=key)
    assert as_spins(spins) is spins


def test_large_weights_stay_finite_and_exact(key):
    """ψ'/ψ where cosh overflows: the incremental path equals the generic one."""
    rbm = RBM(6, 40, scale=300.0, key=key)
    s, sites = jnp.array([1, -1, 1, 1, -1, -1]), jnp.array([2, 6], jnp.int32)
    change = rbm(s.at[2].multiply(-1)) - rbm(s)
    assert np.isfinite(change)
    np.testing.assert_allclose(rbm.log_ratio(rbm.start(s), s, sites), change, rtol=1e-12)


def test_from_parameters_and_its_errors():
    rbm = RBM.from_parameters(jnp.zeros(3), jnp.zeros(2, complex), jnp.ones((3, 2)))
    assert rbm.kind == "holomorphic" and rbm.size == 3 and rbm.hidden == 2
    with pytest.raises(InputError, match="hidden_bias"):
        RBM.from_parameters(jnp.zeros(3), jnp.zeros(3), jnp.ones((3, 2)))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"size": 0}, "size: expected a positive integer"),
        ({"hidden": -3}, "hidden: expected a positive integer, got -3; give the number of hidden units"),
        ({"hidden": 2.5}, "hidden"),
        ({"units": "ising"}, "units: expected one of binary, spin, gaussian, rectified, potts:q, got ising"),
        ({"hidden_units": None}, "hidden_units"),
        ({"dtype": "int32"}, "dtype"),
        ({"dtype": "nonsense"}, "dtype"),
        ({"dtype": "float16"}, "dtype"),
        ({"scale": -1.0}, "scale"),
        ({"scale": float("nan")}, "scale"),
        ({"scale": "large"}, "scale"),
        ({"key": 3}, "key: expected a JAX random key"),
    ],
)
def test_bad_arguments(options, message, key):
    arguments = {"size": 4, "hidden": 3, "key": key, **options}
    with pytest.raises(InputError, match=message):
        RBM(arguments.pop("size"), arguments.pop("hidden"), **arguments)


def test_a_batch_in_place_of_a_configuration(key):
    rbm = RBM(4, 3, key=key)
    for call in (rbm, rbm.start):
        with pytest.raises(InputError, match=r"shape \(4,\), got \(2, 4\).*vmap"):
            call(jnp.ones((2, 4)))


def test_precision_follows_jax_and_is_never_rounded_silently(key):
    with jax.enable_x64(False):
        narrow = jax.random.key(0)
        assert RBM(4, 3, key=narrow).weights.dtype == jnp.float32
        assert RBM(4, 3, dtype=complex, key=narrow).weights.dtype == jnp.complex64
        for wide in ("float64", jnp.complex128, np.dtype("complex128")):
            with pytest.raises(InputError, match="jax_enable_x64"):
                RBM(4, 3, dtype=wide, key=narrow)
    assert RBM(4, 3, key=key).weights.dtype == jnp.float64
    assert RBM(4, 3, dtype="float32", key=key)(jnp.ones(4)).dtype == jnp.float32
