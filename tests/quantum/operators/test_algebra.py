"""Operators of fermions, spins and hard-core bosons against dense matrices; canonical relations."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from dense_modes import close, count, electron_spin, lower, on_mode, rows_of, spin, within

import intertwine as it
from intertwine._checks import InputError

op = it.operators
FERMIONS = [it.Fermions(4), it.Fermions(3, spin=True), it.Fermions(2, spin=True) * it.Spins(2)]


@pytest.mark.parametrize("space", FERMIONS, ids=lambda space: space.kind)
def test_fermions_anticommute(space):
    modes = [(site, name) for name, group in space.species for site in range(len(group))]
    fermionic = [m for m in modes if space.fermionic[space.mode(*m)]]
    found = [op.annihilate(space, *m) for m in fermionic]
    for i, (m, a) in enumerate(zip(fermionic, found, strict=True)):
        assert close(a, lower(space, space.mode(*m)))
        assert close(a.adjoint, lower(space, space.mode(*m)).conj().T)
        assert close(op.number(space, *m), count(space, space.mode(*m)))
        for j, b in enumerate(found):
            assert op.anticommutator(a, b).n_strings == 0
            both = op.anticommutator(a, b.adjoint)
            assert both.is_close(op.identity(space)) if i == j else both.n_strings == 0


def test_spins_commute_and_electrons_have_spin():
    spins, electrons = it.Spins(3), it.Fermions(2, spin=True)
    for space in (spins, electrons):
        x, y, z = (f(space, 1) for f in (op.spin_x, op.spin_y, op.spin_z))
        assert op.commutator(x, y).is_close(1j * z)
        assert op.commutator(x, op.spin_y(space, 0)).n_strings == 0
        assert (x + 1j * y).is_close(op.spin_plus(space, 1)) and (x - 1j * y).is_close(
            op.spin_minus(space, 1)
        )
        assert op.spin_plus(space, 1).adjoint.is_close(op.spin_minus(space, 1))
        dot = sum(f(space, 0) @ f(space, 1) for f in (op.spin_x, op.spin_y, op.spin_z))
        assert dot.is_close(op.exchange(space, 0, 1))
    up, down = lower(electrons, electrons.mode(1, "up")), lower(electrons, electrons.mode(1, "down"))
    for f, dense in zip((op.spin_x, op.spin_y, op.spin_z), electron_spin(up, down), strict=True):
        assert close(f(electrons, 1), dense)
    for f, dense in zip((op.spin_x, op.spin_y, op.spin_z), spin(spins, 2), strict=True):
        assert close(f(spins, 2), dense)


def test_products_of_fermions_in_any_order():
    space = it.Fermions(5)
    rng = np.random.default_rng(0)
    identity = on_mode(space, 0, np.eye(2))
    for _ in range(8):
        product, dense = op.identity(space), identity
        for mode in rng.integers(0, 5, 4):
            dagger = rng.random() < 0.5
            product = product @ (op.create(space, mode) if dagger else op.annihilate(space, mode))
            dense = dense @ (lower(space, mode).conj().T if dagger else lower(space, mode))
        assert close(product, dense)


def test_matrices_on_fermionic_modes_in_any_order():
    space, rng = it.Fermions(4), np.random.default_rng(1)
    matrix = rng.normal(size=(8, 8)) + 1j * rng.normal(size=(8, 8))
    modes = (2, 0, 3)
    c = [lower(space, m) for m in modes]
    empty = np.linalg.multi_dot([np.eye(16) - a.conj().T @ a for a in c])
    states = []
    for n in range(8):
        made = np.eye(16)
        for a, bit in zip(c, (n >> 2, n >> 1, n), strict=True):
            made = made @ a.conj().T if bit & 1 else made
        states.append(made)
    dense = sum(matrix[n, m] * states[n] @ empty @ states[m].conj().T for n in range(8) for m in range(8))
    assert close(op.local(space, matrix, modes), dense)


def test_sums_powers_and_adjoints():
    space = it.Fermions(3, spin=True)
    rng = np.random.default_rng(2)
    terms = [
        complex(*rng.normal(size=2)) * op.create(space, i, a) @ op.annihilate(space, j, b)
        for i in range(3)
        for j in range(3)
        for a in ("up", "down")
        for b in ("up", "down")
    ]
    A = op.total(terms)
    assert A.is_close(sum(terms)) and A.hilbert == space
    dense = A.to_dense()
    np.testing.assert_allclose((A**3).to_dense(), dense @ dense @ dense, rtol=0, atol=1e-11)
    np.testing.assert_allclose(A.adjoint.to_dense(), dense.conj().T, rtol=0, atol=1e-13)
    assert (A**0).is_close(op.identity(space)) and (A**1).is_close(A)
    assert not A.is_hermitian and (A + A.adjoint).is_hermitian


@pytest.mark.parametrize(
    "space", [it.Fermions(3, (2, 1)), it.Fermions(4, 2), it.Rydberg(it.Chain(5))], ids=str
)
def test_matrices_in_a_space_with_bounds(space):
    rng = np.random.default_rng(3)
    free = space.free
    A = op.total(
        rng.normal() * op.create(free, i, s) @ op.annihilate(free, j, t)
        for s in range(len(space.species))
        for t in range(len(space.species))
        for i in range(space.sites)
        for j in range(space.sites)
    ) + op.total(op.annihilate(free, i, 0) for i in range(space.sites))
    dense = A.to_dense()
    assert close(A, dense, space)
    whole = op.total([A, 0 * op.number(space, 0, 0)])  # the space with bounds is taken
    np.testing.assert_allclose(whole.to_dense(), within(space, dense), rtol=0, atol=1e-12)
    numbers = space.numbers_of(space.configurations())
    assert numbers.tolist() == list(range(space.dimension)) and len(rows_of(space)) == space.dimension


def test_local_values_of_long_strings():
    """Strings of fermions are kept apart from the tables: JAX, host rows and the dense matrix agree."""
    space = it.Fermions(6, spin=True)
    A = op.total(
        np.exp(0.3j * (i - j)) * op.create(space, i, s) @ op.annihilate(space, j, s) @ op.number(space, 2, t)
        for i in range(6)
        for j in range(6)
        for s, t in (("up", "down"), ("down", "up"))
    )
    A = A + A.adjoint
    assert A.common.shape[1] > 0 and A.signs.shape[2] < 8
    s = np.asarray(space.random(7, key=jax.random.key(0)))
    configurations, elements = jax.vmap(A.connected)(jnp.asarray(s))
    matrix = A.to_sparse()
    for row, others, values in zip(
        space.numbers_of(s), np.asarray(configurations), np.asarray(elements), strict=True
    ):
        found = np.zeros(4096, complex)
        np.add.at(found, space.numbers_of(others), values)
        np.testing.assert_allclose(found, matrix[[row]].toarray()[0], rtol=0, atol=1e-6)
    assert A.permuted(np.arange(12)).is_close(A)


HOSTILE = {
    "space": lambda: op.annihilate(it.Chain(3), 0),
    "species": lambda: op.annihilate(it.Fermions(3, (1, 1)), 0),
    "no species": lambda: op.number(it.Fermions(3, (1, 1)), 0, "left"),
    "site": lambda: op.create(it.Fermions(3), 3),
    "density site": lambda: op.density(it.Fermions(3), "a"),
    "shape": lambda: op.local(it.Fermions(3), np.eye(2), (0, 1)),
    "twice": lambda: op.local(it.Fermions(3), np.eye(4), (0, 0)),
    "finite": lambda: op.local(it.Fermions(3), np.full((2, 2), np.nan), (0,)),
    "no spin": lambda: op.spin_z(it.Fermions(3), 0),
    "itself": lambda: op.exchange(it.Spins(3), 1, 1),
    "nothing": lambda: op.total([]),
    "no operator": lambda: op.total([op.identity(it.Spins(2)), 1.0]),
    "sizes": lambda: op.total([op.identity(it.Spins(2)), op.identity(it.Spins(3))]),
    "modes": lambda: op.identity(it.Spins(4)) + op.identity(it.Fermions(4)),
    "bounds": lambda: op.identity(it.Fermions(4, 2)) @ op.identity(it.Fermions(4, 1)),
    "exponent": lambda: op.identity(it.Spins(2)) ** -1,
    "half": lambda: op.identity(it.Spins(2)) ** 0.5,
}


@pytest.mark.parametrize("name", HOSTILE)
def test_bad_input_is_one_line(name):
    with pytest.raises(InputError) as caught:
        HOSTILE[name]()
    assert "\n" not in str(caught.value)
