"""The laws of every layer in the table: equivariance, precision, batch axes, one trace, wrong fields."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from layer_table import ROWS, field

from intertwine._checks import InputError
from intertwine.layers.equivariance.check import assert_equivariant
from thinned import thinned

STEEP = ("norm", "invariants", "norm pool", "layer norm", "batch norm", "tensor square")


@pytest.mark.parametrize("name", thinned(ROWS))
def test_equivariant_under_every_element_and_the_same_in_single_precision(name):
    row = ROWS[name]
    double = row.build(jnp.float64)
    rows = assert_equivariant(double, space=row.space, shape=row.shape or None, key=jax.random.key(1))
    order = row.space.group.order if row.space is not None else 8
    assert {r.element for r in rows} - {-1} == set(range(order))
    assert all(r.exact for r in rows)
    assert max(r.error for r in rows) < 1e-12

    # in float32, with two batch axes, traced once: the same numbers
    single = jax.tree.map(lambda a: a.astype(jnp.float32) if eqx.is_inexact_array(a) else a, double)
    lead = (2,) if hasattr(double, "outputs") else (1, 2)
    x = field(row, double, jnp.float32, lead)
    traces = []

    @eqx.filter_jit
    def run(layer, x):
        traces.append(1)
        return (layer.outputs if hasattr(layer, "outputs") else layer)(x)

    found = run(single, x)
    run(single, 2 * x)
    assert len(traces) == 1
    assert found.dtype == jnp.float32
    assert found.shape[-1] == double.rep_out.dimension
    exact = run(double, x.reshape(2, *x.shape[len(lead) :]).astype(jnp.float64))
    assert exact.dtype == jnp.float64
    assert found.shape == (*lead, *exact.shape[1:])
    gap = np.abs(np.asarray(found, np.float64).reshape(exact.shape) - np.asarray(exact)).max()
    assert gap < 5e-6 * np.abs(exact).max()


@pytest.mark.parametrize("name", ROWS)
def test_wrong_fields_are_refused_in_one_line(name):
    row = ROWS[name]
    layer = row.build(jnp.float64)
    call = layer.outputs if hasattr(layer, "outputs") else layer
    x = np.asarray(field(row, layer, jnp.float64))
    with pytest.raises(InputError, match="expected"):
        call(np.concatenate([x, x[..., :1]], axis=-1))
    with pytest.raises(InputError, match="expected"):
        call(np.float64(1.0))
    if name != "sequential":  # a convolution takes images of bytes
        with pytest.raises(InputError, match="floats"):
            call(x.astype(int))


@pytest.mark.parametrize("name", STEEP)
def test_gradients_are_finite_at_zero(name):
    row = ROWS[name]
    layer = row.build(jnp.float64)
    x = jnp.zeros_like(field(row, layer, jnp.float64))
    gradient = jax.jit(jax.grad(lambda x: layer(x).sum()))(x)
    assert np.isfinite(np.asarray(gradient)).all()
