"""Lie algebras of functions and data, against groups that are known."""

import jax.numpy as jnp
import numpy as np
import pytest
from scipy.linalg import expm

import intertwine as it

METRIC = jnp.array([1.0, -1.0, -1.0, -1.0])


def two_circles(x):
    return jnp.stack([x[0] ** 2 + x[1] ** 2, x[2] ** 2 + x[3] ** 2])


def complex_norm(x):
    return jnp.sum(x**2)


FUNCTIONS = {
    "Lorentz": (lambda x: jnp.sum(METRIC * x * x), 4, "so(1, 3)", 6, (3, 3)),
    "sphere": (lambda x: jnp.sum(x * x), 3, "so(3)", 3, (0, 3)),
    "four dimensions": (lambda x: jnp.sum(x * x), 4, "so(4) = so(3) ⊕ so(3)", 6, (0, 6)),
    "plane": (lambda x: jnp.sum(x * x), 2, "u(1)", 1, (0, 0)),
    "hyperbola": (lambda x: x[0] * x[1], 2, "R (scaling or boost)", 1, (0, 0)),
    "determinant": (jnp.linalg.det, (2, 2), "sl(2, R) ⊕ sl(2, R)", 6, (4, 2)),
    "two circles": (two_circles, 4, "u(1)^2, abelian", 2, (0, 0)),
    "quartic": (lambda x: x[0] ** 4 + x[1] ** 4, 2, "0", 0, (0, 0)),
}  # fmt: skip


@pytest.mark.parametrize("case", FUNCTIONS)
def test_algebras_of_functions(case):
    function, states, name, dimension, signature = FUNCTIONS[case]
    found = it.symmetries(function, states)
    assert (found.name, found.dimension, found.signature) == (name, dimension, signature)
    assert found.judged and found.algebra.closes
    x = np.random.default_rng(5).normal(size=np.prod(states))
    shape = (states,) if isinstance(states, int) else states
    for generator in found.generators:
        moved = expm(0.3 * generator) @ x
        assert np.allclose(function(moved.reshape(shape)), function(x.reshape(shape)), atol=1e-4)


def test_brackets_are_the_structure_constants():
    algebra = it.symmetries(lambda x: jnp.sum(METRIC * x * x), 4).algebra
    a = algebra.generators
    for i in range(6):
        for j in range(6):
            assert np.allclose(
                a[i] @ a[j] - a[j] @ a[i], np.tensordot(algebra.structure[i, j], a, 1), atol=1e-9
            )
    ad = algebra.structure.transpose(0, 2, 1)
    assert np.allclose(algebra.killing, np.einsum("iab,jba->ij", ad, ad), atol=1e-9)


def test_discrete_elements_are_those_of_other_components():
    """O(1, 3) has four components; −1 is a turn of the plane; the square has its own eight."""
    assert len(it.symmetries(lambda x: jnp.sum(METRIC * x * x), 4).discrete) == 2
    assert it.symmetries(complex_norm, 2).discrete_names == ("x1 → −x1",)
    square = it.symmetries(lambda x: x[0] ** 4 + x[1] ** 4, 2)
    assert set(square.discrete_names) >= {"−1", "x1 → −x1", "x1 ↔ x2"}
    turned = it.symmetries(lambda x: x[0] + 2 * x[1] + x[2] * 3, 3, candidates={"swap": [1, 0, 2]})
    assert turned.discrete_names == ()


def test_translations_are_found_where_asked_for():
    found = it.symmetries(lambda x: (x[0] - 1) ** 2 + (x[1] + 2) ** 2, 2, affine=True)
    assert found.dimension == 1 and found.affine
    assert np.allclose(found.generators[0] @ [1, -2, 1], 0, atol=1e-9)
    assert it.symmetries(lambda x: (x[0] - 1) ** 2 + (x[1] + 2) ** 2, 2).dimension == 0
    assert it.symmetries(lambda x: x[0] - x[1], 2, affine=True).dimension == 3


def test_a_function_that_is_nearly_symmetric_is_not_said_to_be():
    nearly = lambda x: jnp.tanh(x[0] ** 2 + x[1] ** 2 + 0.01 * x[0])  # noqa: E731
    with pytest.warns(UserWarning, match="tolerance="):
        assert it.symmetries(nearly, 2).dimension == 0
    found = it.symmetries(nearly, 2, tolerance=0.05)
    assert found.dimension == 1 and found.name == "u(1)" and found.judged


def test_a_distribution_says_yes_and_no():
    draws = np.random.default_rng(3)
    cloud = draws.normal(size=(4000, 3))
    assert it.symmetries(cloud).name == "so(3)"
    assert it.symmetries(cloud * [1, 2, 3], within="rotations").dimension == 0
    one = it.symmetries(cloud * [1, 1, 3], within="rotations")
    assert one.dimension == 1 and np.allclose(np.abs(one.generators[0][:2, :2]), [[0, 1], [1, 0]])
    ellipsoid = it.symmetries(cloud * [1, 2, 3])
    assert ellipsoid.name == "so(3)"
    a, widths = ellipsoid.generators[0], np.diag([1.0, 4, 9])
    assert np.abs(a @ widths + widths @ a.T).max() < 0.3
    cube = it.symmetries(draws.uniform(-1, 1, size=(4000, 3)))
    assert cube.dimension == 0 and "x1 ↔ x2" in cube.discrete_names


def circle(draws):
    angle = draws.uniform(0, 2 * np.pi, 5000)
    return np.c_[np.cos(angle), np.sin(angle)]


def gauss(columns):
    return lambda draws: draws.normal(size=(5000, columns))


COLUMNS = {
    "±1": (gauss(2), lambda q: q.choice([-1.0, 1], 5000), 1),
    "a constant": (gauss(2), lambda q: np.ones(5000), 1),
    "three values": (gauss(2), lambda q: q.choice([-1.0, 0, 1], 5000), 1),
    "±1 beside three": (gauss(3), lambda q: q.choice([-1.0, 1], 5000), 3),
    "circle": (circle, lambda q: q.normal(size=5000), 1),
}  # fmt: skip


@pytest.mark.parametrize("case", COLUMNS)
def test_columns_of_few_values_do_not_hide_turns_of_the_others(case):
    plane, further, dimension = COLUMNS[case]
    draws = np.random.default_rng(0)
    rows = np.c_[plane(draws), further(draws)]
    found = it.symmetries(rows)
    assert found.dimension == dimension
    assert np.abs(found.generators[:, -1]).max() < 0.1 and np.abs(found.generators[:, :, -1]).max() < 0.1
    wide = rows * np.arange(1, rows.shape[1] + 1)
    assert it.symmetries(wide, within="rotations").dimension == 0


def test_few_rows_are_told_to_say_little():
    with pytest.warns(UserWarning, match="not seen"):
        found = it.symmetries(np.random.default_rng(0).normal(size=(150, 2)))
    assert not found.judged


@pytest.mark.parametrize(
    ("of", "options", "words"),
    [
        (lambda x: jnp.sum(x), {}, "states where"),
        (lambda x: jnp.sum(x), {"states": np.ones((3, 4))}, "at least"),
        (lambda x: 1.0, {"states": 3}, "depends on its state"),
        (lambda x: float(x[0]), {"states": 3}, "JAX differentiates"),
        (np.tanh, {"states": 3}, "write it with jax.numpy"),
        (lambda x: jnp.sum(x), {"states": 50}, "at most"),
        (lambda x: jnp.sum(x), {"states": 3, "candidates": [np.zeros((3, 3))]}, "invertible"),
        (lambda x: jnp.sum(x), {"states": 3, "within": "rotations"}, "'matrices'"),
        (np.ones((500, 2)), {}, "full rank"),
        (np.ones((5, 2)), {}, "at least 80 rows"),
        (np.ones((500, 2)), {"states": 2}, "none beside data"),
        (3, {}, "a function"),
    ],
)
def test_what_has_no_symmetries_to_look_for_is_told_in_a_line(of, options, words):
    with pytest.raises(it.InputError, match=words) as error:
        it.symmetries(of, **options)
    assert "\n" not in str(error.value)


def test_affine_or_empty_groups_are_refused():
    with pytest.raises(it.InputError, match="at least one generator"):
        it.symmetries(lambda x: x[0] ** 4 + x[1] ** 2 + x[0], 2, candidates=[]).group()
    with pytest.raises(it.InputError, match="linear ones"):
        it.symmetries(lambda x: (x[0] - 1) ** 2 + x[1] ** 2, 2, affine=True).group()


def test_a_group_that_was_found_is_handed_to_the_layers():
    """Invariants of V, V², V³, V⁴ under O(1, 3), found from its metric alone: 0, 1, 0, 3."""
    found = it.symmetries(lambda x: jnp.sum(METRIC * x * x), 4)
    group = found.group()
    assert [len(group.tensor(k).invariants) for k in (1, 2, 3, 4)] == [0, 1, 0, 3]
