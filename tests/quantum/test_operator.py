"""Operators against matrices built with np.kron: elements, algebra, local matrices, queries, errors."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from dense_oracle import PAULI, all_spins, dense_string, dense_sum, random_strings
from hypothesis import given, settings, strategies as st

from intertwine._checks import InputError
from intertwine.quantum.operators.operator import Operator

ROWS = [(8, seed, real) for seed in range(4) for real in (False, True)]


@functools.partial(jax.jit)
def _connected(operator, configurations):
    return jax.vmap(operator.connected)(configurations)


def _index(configurations):
    size = configurations.shape[-1]
    return ((1 - configurations.astype(int)) // 2) @ (1 << np.arange(size - 1, -1, -1))


def _from_connected(operator):
    """The dense matrix assembled from `connected` alone."""
    spins = all_spins(operator.size)
    configurations, values = (np.asarray(a) for a in _connected(operator, jnp.asarray(spins)))
    matrix = np.zeros((2**operator.size,) * 2, values.dtype)
    np.add.at(matrix, (np.arange(len(spins))[:, None], _index(configurations)), values)
    return matrix


@pytest.mark.parametrize(("size", "seed", "real"), ROWS)
def test_connected_elements_equal_kron(size, seed, real):
    strings = random_strings(size, seed, real=real)
    operator = Operator.from_strings(size, strings)
    expected = dense_sum(size, strings)
    assert operator.is_real == real
    assert operator.is_hermitian
    np.testing.assert_allclose(_from_connected(operator), expected, rtol=0, atol=1e-12)
    np.testing.assert_allclose(operator.to_dense(), expected, rtol=0, atol=1e-12)
    np.testing.assert_allclose(dense_sum(size, operator.strings()), expected, rtol=0, atol=1e-12)


def test_stored_arrays_are_padded_and_distinct():
    operator = Operator.from_strings(5, random_strings(5, 1))
    assert operator.flips.dtype == np.int32
    assert operator.signs.dtype == np.int32
    flips = [tuple(sorted(set(row) - {5})) for row in operator.flips.tolist()]
    assert len(set(flips)) == len(flips)
    assert () not in flips
    assert operator.signs.shape[:2] == operator.coefficients.shape


def test_heisenberg_bond_is_one_flip_set():
    bond = Operator.from_strings(3, [(2.0, {0: p, 2: p}) for p in "XYZ"])
    assert bond.flips.tolist() == [[0, 2]]
    for s, element in [((1, 1, 1), 0.0), ((1, 1, -1), 4.0), ((-1, -1, 1), 4.0), ((-1, 1, -1), 0.0)]:
        assert bond.elements(jnp.array(s, jnp.int8)).tolist() == [element]


def test_empty_and_constant_operators():
    zero = Operator.from_strings(3, [])
    assert zero.to_sparse().nnz == 0
    assert float(zero.diagonal(jnp.ones(3))) == 0.0
    configurations, values = zero.connected(jnp.ones(3, jnp.int8))
    assert configurations.shape == (1, 3)
    assert values.tolist() == [0.0]
    constant = Operator.from_strings(3, [(1.5, {})])
    np.testing.assert_array_equal(constant.to_dense(), 1.5 * np.eye(8))


def test_cancellation_leaves_no_terms():
    a = Operator.from_strings(4, random_strings(4, 5))
    assert (a - a).n_strings == 0
    assert (0.1 * a + 0.2 * a - 0.3 * a).n_strings == 0
    assert Operator.from_strings(2, [(1.0, {0: "X"}), (2.0, {0: "X"}), (-3.0, {0: "X"})]).n_strings == 0


LETTERS = st.dictionaries(st.integers(0, 3), st.sampled_from("XYZ"), max_size=4)
NUMBERS = st.complex_numbers(max_magnitude=10, allow_nan=False, allow_infinity=False, allow_subnormal=False)
STRINGS = st.lists(st.tuples(NUMBERS, LETTERS), max_size=6)


@settings(max_examples=60, deadline=None)
@given(STRINGS, STRINGS, NUMBERS)
def test_algebra_is_that_of_matrices(left, right, factor):
    a, b = Operator.from_strings(4, left), Operator.from_strings(4, right)
    A, B = dense_sum(4, left), dense_sum(4, right)
    for built, expected in [(a + b, A + B), (a - b, A - B), (factor * a, factor * A), (-a, -A)]:
        np.testing.assert_allclose(built.to_dense(), expected, rtol=0, atol=1e-11)
        np.testing.assert_array_equal(built.to_sparse().toarray(), built.to_dense())
        if np.array_equal(built.to_dense(), built.to_dense().conj().T):
            assert built.is_hermitian


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 2**32 - 1), st.permutations(range(4)), st.integers(0, 3))
def test_local_matrices_are_embedded(seed, order, k):
    rng = np.random.default_rng(seed)
    matrix = rng.normal(size=(2**k, 2**k)) + 1j * rng.normal(size=(2**k, 2**k))
    sites = list(order[:k])
    built = Operator.from_local(4, [(matrix, sites)])
    spins = (1 - all_spins(4)) // 2
    local = spins[:, sites].astype(int) @ (1 << np.arange(k - 1, -1, -1)) if k else np.zeros(16, int)
    rest = np.delete(spins, sites, axis=1)
    same = np.all(rest[:, None, :] == rest[None, :, :], axis=-1)
    expected = np.where(same, matrix[local[:, None], local[None, :]], 0)
    np.testing.assert_allclose(built.to_dense(), expected, rtol=0, atol=1e-12)


def test_large_local_matrix():
    rng = np.random.default_rng(0)
    matrix = rng.normal(size=(256, 256))
    built = Operator.from_local(8, [(matrix, range(8))])
    np.testing.assert_allclose(built.to_dense(), matrix, rtol=0, atol=1e-12)


def _brute_queries(matrix, size):
    flip = functools.reduce(np.kron, [PAULI["X"]] * size)
    magnetization = np.diag(all_spins(size).sum(axis=1))
    off = matrix - np.diag(np.diag(matrix))
    return {
        "is_hermitian": np.allclose(matrix, matrix.conj().T),
        "conserves_magnetization": np.allclose(matrix @ magnetization, magnetization @ matrix),
        "commutes_with_spin_flip": np.allclose(matrix @ flip, flip @ matrix),
        "is_stoquastic": bool(np.all(np.abs(off.imag) < 1e-12) and np.all(off.real < 1e-12)),
        "is_real": bool(np.all(matrix.imag == 0)),
    }


QUERIES = {
    "heisenberg": [(1.0, {0: p, 1: p}) for p in "XYZ"],
    "rotated": [(-1.0, {0: "X", 1: "X"}), (-1.0, {0: "Y", 1: "Y"}), (1.0, {0: "Z", 1: "Z"})],
    "dm": [(1.0, {0: "X", 1: "Y"}), (-1.0, {0: "Y", 1: "X"})],
    "ising": [(-1.0, {0: "Z", 2: "Z"}), (-0.5, {0: "X"}), (-0.5, {1: "X"})],
    "field": [(0.3, {0: "Z"}), (-1.0, {1: "X", 2: "X"})],
    "mixed sign": [(-1.0, {1: "X"}), (1.5, {1: "X", 0: "Z"})],
    "dominated": [(-1.0, {1: "X"}), (0.5, {1: "X", 0: "Z"}), (0.5, {1: "X", 2: "Z"})],
    "three hop": [(1.0, {0: "X", 1: "X", 2: "Z"}), (1.0, {0: "Y", 1: "Y", 2: "Z"})],
    "non-hermitian": [(1.0, {0: "X"}), (1j, {0: "Y"})],
    "empty": [],
}


@pytest.mark.parametrize("name", QUERIES)
def test_queries_equal_brute_force(name):
    operator = Operator.from_strings(3, QUERIES[name])
    expected = _brute_queries(dense_sum(3, QUERIES[name]), 3)
    assert {q: bool(getattr(operator, q)) for q in expected} == expected


def test_invariance_under_permutations():
    ring = Operator.from_strings(5, [(1.0, {i: "Z", (i + 1) % 5: "X"}) for i in range(5)])
    assert ring.is_invariant([1, 2, 3, 4, 0])
    assert not ring.is_invariant([4, 3, 2, 1, 0])
    moved = Operator.from_strings(3, [(1.0, {0: "X", 1: "Z"})]).permuted([2, 0, 1])
    np.testing.assert_array_equal(moved.to_dense(), dense_string(3, {2: "X", 0: "Z"}).real)


def test_float32_without_x64():
    with jax.enable_x64(False):
        y = Operator.from_strings(3, [(0.5, {1: "Y"})])
        x = Operator.from_strings(3, [(1.0, {0: "X"})])
        assert (x + y).connected(jnp.ones(3, jnp.int8))[1].dtype == jnp.complex64
        assert x.elements(jnp.ones(3)).dtype == jnp.float32


def test_sparse_of_eighteen_sites():
    ring = Operator.from_strings(18, [(1.0, {i: p, (i + 1) % 18: p}) for i in range(18) for p in "XYZ"])
    matrix = ring.to_sparse()
    assert matrix.shape == (2**18, 2**18)
    up, alternating = np.zeros(2**18), np.zeros(2**18)
    up[0], alternating[int("01" * 9, 2)] = 1.0, 1.0
    assert up @ matrix @ up == pytest.approx(18) and alternating @ matrix @ alternating == pytest.approx(-18)


GOOD = Operator.from_strings(3, [(1.0, {0: "X"})])
HOSTILE = {
    "size": lambda: Operator.from_strings(0, []),
    "site beyond": lambda: Operator.from_strings(3, [(1.0, {3: "X"})]),
    "site negative": lambda: Operator.from_strings(3, [(1.0, {-1: "X"})]),
    "site text": lambda: Operator.from_strings(3, [(1.0, {"a": "X"})]),
    "letter": lambda: Operator.from_strings(3, [(1.0, {0: "x"})]),
    "nan": lambda: Operator.from_strings(3, [(float("nan"), {0: "X"})]),
    "text": lambda: Operator.from_strings(3, [("1", {0: "X"})]),
    "pair": lambda: Operator.from_strings(3, [1.0]),
    "matrix shape": lambda: Operator.from_local(3, [(np.eye(3), (0, 1))]),
    "matrix nan": lambda: Operator.from_local(3, [(np.full((2, 2), np.nan), (0,))]),
    "matrix text": lambda: Operator.from_local(3, [("abc", (0,))]),
    "repeated": lambda: Operator.from_local(3, [(np.eye(4), (1, 1))]),
    "sites not a list": lambda: Operator.from_local(3, [(np.eye(2), 1)]),
    "local beyond": lambda: Operator.from_local(3, [(np.eye(2), (7,))]),
    "sizes": lambda: GOOD + Operator.from_strings(4, []),
    "not an operator": lambda: GOOD + "1",
    "scalar nan": lambda: GOOD * float("inf"),
    "product": lambda: GOOD * GOOD,
    "by zero": lambda: GOOD / 0,
    "dense too large": lambda: Operator.from_strings(15, []).to_dense(),
    "sparse too large": lambda: Operator.from_strings(40, [(1.0, {0: "X"})]).to_sparse(),
    "permutation": lambda: GOOD.is_invariant([0, 0, 1]),
    "configuration": lambda: GOOD.connected(jnp.ones((2, 3))),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_input_is_one_clear_error(name):
    with pytest.raises(InputError) as caught:
        HOSTILE[name]()
    assert "\n" not in str(caught.value)
    assert "expected" in str(caught.value)
