"""Every law on every model of the table, in float64 and (rounding laws) in float32."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from intertwine.models import laws
from intertwine.models.numerics import real_dtype
from intertwine.models.parameters import count_parameters, parameters
from intertwine.models.protocols import Factored, Incremental, LogAmplitude, SpinFormed
from thinned import thinned

from .table import MODELS

rows = pytest.mark.parametrize("name", MODELS)
some_rows = pytest.mark.parametrize("name", thinned(MODELS))


value_of = jax.jit(lambda model, s: model(s))


def in_float32(model):
    """The same model with parameters of half the precision."""

    def narrow(leaf):
        return jnp.asarray(np.asarray(leaf, np.complex64 if jnp.iscomplexobj(leaf) else np.float32))

    return jax.tree.map(lambda x: narrow(x) if eqx.is_inexact_array(x) else x, model)


@rows
def test_protocol_and_types(name, key):
    model = MODELS[name](key)
    assert isinstance(model, LogAmplitude)
    s = laws.random_configurations(model, 1, key=key)[0]
    for narrow in (False, True):
        m = in_float32(model) if narrow else model
        value = value_of(m, s)
        leaf_dtypes = {real_dtype(leaf.dtype) for leaf in jax.tree.leaves(parameters(m))}
        assert value.shape == () and {real_dtype(value.dtype)} == leaf_dtypes
        assert jnp.iscomplexobj(value) == (model.kind != "real")
        assert np.isfinite(value)
    all_complex = all(jnp.iscomplexobj(leaf) for leaf in jax.tree.leaves(parameters(model)))
    assert all_complex == (model.kind == "holomorphic")
    assert count_parameters(model) == sum(leaf.size for leaf in jax.tree.leaves(parameters(model)))


@some_rows
def test_incremental(name, key):
    model = MODELS[name](key)
    if not isinstance(model, Incremental):
        pytest.skip("no incremental path")
    laws.assert_incremental_consistent(model, key=key)
    laws.assert_incremental_consistent(in_float32(model), key=key, tol=1e-3)


@some_rows
def test_factors(name, key):
    model = MODELS[name](key)
    if not isinstance(model, Factored):
        pytest.skip("no factors")
    laws.assert_factors_consistent(model, key=key)
    laws.assert_factors_consistent(in_float32(model), key=key, tol=1e-3)


@some_rows
def test_spin_form(name, key):
    model = MODELS[name](key)
    if not isinstance(model, SpinFormed):
        pytest.skip("no spin form")
    laws.assert_spin_form_consistent(model, key=key)
    laws.assert_spin_form_consistent(in_float32(model), key=key, tol=1e-3)


@some_rows
def test_derivatives_against_finite_differences(name, key):
    assert laws.assert_derivatives(MODELS[name](key), key=key, tol=1e-6) < 1e-6


@some_rows
def test_holomorphic_exactly_where_declared(name, key):
    model = MODELS[name](key)
    if model.kind == "holomorphic":
        laws.assert_holomorphic(model, key=key, tol=1e-6)
    else:
        with pytest.raises(AssertionError, match="holomorphic"):
            laws.assert_holomorphic(model, key=key)


@some_rows
def test_compiles_once_and_vmaps(name, key):
    model = MODELS[name](key)
    traces = 0

    @jax.jit
    def evaluate(m, s):
        nonlocal traces
        traces += 1
        return jax.vmap(m)(s)

    samples = laws.random_configurations(model, 5, key=key)
    first = evaluate(model, samples)
    moved = jax.tree.map(lambda x: 1.5 * np.asarray(x) if eqx.is_inexact_array(x) else x, model)
    second = evaluate(moved, samples)
    assert traces == 1
    assert not np.allclose(first, second)
    np.testing.assert_allclose(np.exp(first[2]), np.exp(value_of(model, samples[2])), rtol=1e-12)


def test_the_checkers_catch_a_wrong_model(key):
    class Wrong(type(MODELS["jastrow-float"](key))):
        def log_ratio(self, cache, s, sites):
            return super().log_ratio(cache, s, sites) * 1.0001

    model = MODELS["jastrow-float"](key)
    wrong = object.__new__(Wrong)
    for field in ("couplings", "field", "pair_orbits", "orbits", "tied"):
        object.__setattr__(wrong, field, getattr(model, field))
    with pytest.raises(AssertionError, match="log_ratio"):
        laws.assert_incremental_consistent(wrong, key=key)
