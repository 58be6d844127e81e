"""The quadratic form of a machine against its energy, over all states."""

import itertools

import equinox as eqx
import jax
import numpy as np
import pytest

import intertwine as it


@pytest.mark.parametrize(("units", "hidden_units"), list(itertools.product(["spin", "binary"], repeat=2)))
def test_energies_are_those_of_the_machine(units, hidden_units):
    rng, key = np.random.default_rng(0), jax.random.key(0)
    machine = it.RBM(3, hidden=2, units=units, hidden_units=hidden_units, scale=1.0, key=key)
    biases = rng.normal(size=3), rng.normal(size=2)
    machine = eqx.tree_at(lambda m: (m.visible_bias, m.hidden_bias), machine, biases)
    bits = np.array(list(itertools.product([0, 1], repeat=5)))
    v = bits[:, :3] if units == "binary" else 2 * bits[:, :3] - 1
    h = bits[:, 3:] if hidden_units == "binary" else 2 * bits[:, 3:] - 1
    W = np.asarray(machine.weights, np.float64)
    expected = -(np.einsum("sn,nm,sm->s", v, W, h) + v @ biases[0] + h @ biases[1])
    form = machine.to_qubo()
    np.testing.assert_allclose(form.energies(bits), expected, atol=1e-12)
    written = [sum(q * x[i] * x[j] for (i, j), q in form.Q.items()) + form.offset for x in bits]
    np.testing.assert_allclose(written, expected, atol=1e-12)
    ising, spins = form.to_ising(), 2 * bits - 1
    fields = np.array([ising.h[i] for i in range(5)])
    pairs = sum(J * spins[:, i] * spins[:, j] for (i, j), J in ising.J.items())
    np.testing.assert_allclose(spins @ fields + pairs + ising.offset, expected, atol=1e-12)


def test_other_units_and_phases_are_refused():
    key = jax.random.key(0)
    with pytest.raises(it.InputError, match="spin or binary"):
        it.RBM(3, hidden=2, units="gaussian", key=key).to_qubo()
    with pytest.raises(it.InputError, match="real parameters"):
        it.RBM(3, hidden=2, dtype=complex, key=key).to_qubo()
