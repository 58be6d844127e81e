"""Jastrow and mean field against their formulas; functions as models; models by name."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from intertwine._checks import InputError
from intertwine.models import laws
from intertwine.models.jastrow import Jastrow
from intertwine.models.mean_field import MeanField
from intertwine.models.names import MODEL_NAMES, model_from_name
from intertwine.models.parameters import count_parameters
from intertwine.models.wrapped import FunctionAmplitude

from .table import dihedral_ring, ring, square_point_group


def test_jastrow_formula(key):
    psi = Jastrow(5, dtype=complex, scale=0.5, key=key)
    s = np.array([1, -1, -1, 1, 1])
    pairs = [(i, j) for i in range(5) for j in range(i + 1, 5)]
    expected = sum(psi.couplings[k] * s[i] * s[j] for k, (i, j) in enumerate(pairs)) + psi.field @ s
    np.testing.assert_allclose(psi(jnp.asarray(s)), expected, rtol=1e-13)


def test_jastrow_tied_has_a_coupling_a_distance(key):
    ring_psi = Jastrow(dihedral_ring(8), key=key)
    assert ring_psi.couplings.shape == (4,) and ring_psi.field.shape == (1,)
    laws.assert_invariant(ring_psi, dihedral_ring(8), key=key)
    laws.assert_invariant(Jastrow(square_point_group(), key=key), square_point_group(), key=key)
    matrix = ring_psi.coupling_matrix()
    np.testing.assert_array_equal(matrix, matrix.T)
    np.testing.assert_array_equal(np.diag(matrix), 0)


def test_mean_field_formula(key):
    psi = MeanField(4, scale=1.0, key=key)
    s = jnp.array([1, -1, 1, 1])
    np.testing.assert_allclose(psi(s), psi.field @ s, rtol=1e-14)


@pytest.mark.parametrize("model", [Jastrow, MeanField])
def test_bad_sizes(model, key):
    with pytest.raises(InputError, match=r"size|lattice"):
        model(0, key=key)
    with pytest.raises(InputError, match=r"size|lattice"):
        model("eight", key=key)


def linear(p, s):
    return s @ p


@pytest.mark.parametrize(
    ("function", "parameters", "kind", "message"),
    [
        (3, jnp.ones(4), None, "function: expected a function"),
        (lambda p, s: s @ p["w"], jnp.ones(4), None, "that accepts s of shape"),
        (lambda p, s: p * s, jnp.ones(4), None, "one real or complex number"),
        (lambda p, s: (s @ p, 1), jnp.ones(4), None, "one real or complex number"),
        (lambda p, s: s @ p > 0, jnp.ones(4), None, "one real or complex number"),
        (linear, {"n": 3}, None, "parameters: expected a pytree"),
        (linear, jnp.ones(4, complex), None, "kind='holomorphic'"),
        (linear, jnp.ones(4, complex), "real", "kind"),
        (linear, jnp.ones(4), "holomorphic", "kind"),
        (linear, jnp.ones(4), "complex", "kind"),
        (linear, jnp.ones(4), "analytic", "kind: expected one of"),
    ],
)
def test_functions_that_are_no_model(function, parameters, kind, message):
    with pytest.raises(InputError, match=message):
        FunctionAmplitude(function, parameters, size=4, kind=kind)


def test_unhashable_function():
    class Table(dict):
        def __call__(self, p, s):
            return s @ p

    with pytest.raises(InputError, match="hashable"):
        FunctionAmplitude(Table(), jnp.ones(4), size=4)


def test_a_false_claim_to_be_holomorphic_is_caught(key):
    model = FunctionAmplitude(
        lambda p, s: (jnp.conj(p) @ s) ** 2,
        0.3 * jax.random.normal(key, 4, complex),
        size=4,
        kind="holomorphic",
    )
    with pytest.raises(AssertionError, match="declare kind='complex'"):
        laws.assert_holomorphic(model, key=key)


def test_numpy_and_integer_inputs():
    model = FunctionAmplitude(linear, np.arange(4.0), size=4)
    assert count_parameters(model) == 4
    assert float(model(jnp.array([1, 1, -1, 1], jnp.int8))) == 2.0


@pytest.mark.parametrize(
    ("name", "count"),
    [
        ("rbm:2", 8 + 16 + 128),
        ("rbm:0.5", 8 + 4 + 32),
        ("jastrow", 28 + 8),
        ("mean-field", 8),
        (" rbm:1 ", 80),
    ],
)
def test_models_by_name(name, count, key):
    assert count_parameters(model_from_name(name, ring(8), key=key)) == count


def test_symmetric_models_by_name(key):
    from intertwine.spaces.lattices import Chain

    for name, hidden in (
        ("symmetric-rbm:3", 3 * 8),
        ("symmetric-rbm:3:translations", 3 * 8),
        ("symmetric-rbm:3:space:even", 3 * 16),
    ):
        model = model_from_name(name, Chain(8), dtype=complex, key=key)
        assert model.hidden == hidden and model.kind == "holomorphic"
        assert (model.hidden_bias is None) == name.endswith("even")
    assert model_from_name("symmetric-rbm:3", Chain(8, pbc=False), key=key).hidden == 3 * 2


@pytest.mark.parametrize(
    "name",
    [
        "_",
        "rbm",
        "rbm:",
        "rbm:x",
        "rbm:-1",
        "rbm:nan",
        "rbm:inf",
        "rbm:1e9",
        "rbm:1:2",
        "symmetric-rbm:1.5",
        "symmetric-rbm:2:point",
        "symmetric-rbm:2:even:even",
        "symmetric-rbm:2:space:translations",
        "jastrow:2",
        "net",
    ],
)
def test_unknown_names_list_the_known_ones(name, key):
    with pytest.raises(InputError) as error:
        model_from_name(name, ring(8), key=key)
    assert all(known in str(error.value) for known in MODEL_NAMES)


def test_only_the_params_of_a_network_with_statistics_are_trained():
    """Flax keeps the statistics of a batch norm beside "params"; they are no parameters."""
    variables = {"params": {"w": jnp.ones(3)}, "batch_stats": {"mean": jnp.full(3, 0.5)}}
    psi = FunctionAmplitude(lambda v, s: (s - v["batch_stats"]["mean"]) @ v["params"]["w"], variables, size=3)
    assert count_parameters(psi) == 3 and float(psi(jnp.array([1, 1, -1]))) == -0.5
    assert (
        count_parameters(FunctionAmplitude(lambda v, s: s @ v["params"], {"params": jnp.ones(3)}, size=3))
        == 3
    )
