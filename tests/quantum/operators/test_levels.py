"""Operators of bosons, larger spins and mixed systems against dense matrices."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from dense_modes import close, count, lower, on_mode, spin, within
from scipy.sparse.linalg import eigsh

import intertwine as it
from intertwine._checks import InputError

op = it.operators
SPACES = {
    "bosons": it.Bosons(3, most=3),
    "spins 1": it.Spins(3, s=1),
    "electrons and phonons": it.Fermions(2, spin=True) * it.Bosons(2, most=2),
    "phonons and fermions": it.Bosons(2, most=2) * it.Fermions(3),
    "fermions, spins 1, fermions": it.Fermions(2) * it.Spins(1, s=1) * it.Fermions(2),
    "spins 3/2": it.Spins(2, s=1.5),
}


def modes_of(space):
    return [(site, s) for s, (_, group) in enumerate(space.species) for site in range(len(group))]


def drawn(space, seed, terms=6):
    """A random sum of products of three operators, and its dense matrix."""
    rng, modes = np.random.default_rng(seed), modes_of(space)
    total, dense = [], 0
    for _ in range(terms):
        factor, product, matrix = (
            complex(*rng.normal(size=2)),
            op.identity(space),
            on_mode(space, 0, np.eye(space.levels[0])),
        )
        for k in rng.integers(0, len(modes), 3):
            a, b = op.annihilate(space, *modes[k]), lower(space, space.mode(*modes[k]))
            if rng.random() < 0.5:
                a, b = a.adjoint, b.conj().T
            product, matrix = product @ a, matrix @ b
        total.append(factor * product)
        dense = dense + factor * matrix
    return op.total(total), dense


@pytest.mark.parametrize("name", SPACES)
def test_modes_are_the_dense_ones(name):
    space = SPACES[name]
    modes = modes_of(space)
    for m in modes:
        a, number, dense = op.annihilate(space, *m), op.number(space, *m), lower(space, space.mode(*m))
        assert close(a, dense) and close(op.create(space, *m), dense.conj().T)
        assert close(number, count(space, space.mode(*m))) and number.is_hermitian and not a.is_hermitian
        for other in modes:
            b = op.annihilate(space, *other)
            both = (
                op.anticommutator
                if space.fermionic[space.mode(*m)] and space.fermionic[space.mode(*other)]
                else op.commutator
            )
            if m != other:
                assert both(a, b).n_terms == 0 and both(a, b.adjoint).n_terms == 0


@pytest.mark.parametrize("name", SPACES)
def test_algebra_is_that_of_matrices(name):
    space = SPACES[name]
    (A, a), (B, b) = drawn(space, 1), drawn(space, 2)
    for found, want in (
        (A, a),
        (A @ B, a @ b),
        (A.adjoint, a.conj().T),
        (2j * A - B / 3 + 0.5, 2j * a - b / 3 + 0.5 * np.eye(len(a))),
        (A**3, a @ a @ a),
        (A**0, np.eye(len(a))),
        (sum([A, B]), a + b),
        (op.commutator(A, B), a @ b - b @ a),
    ):
        assert close(found, want)
    assert (A @ B - A @ B).n_terms == 0 and (A + A.adjoint).is_hermitian and not A.is_hermitian
    assert (A @ A.adjoint).bound >= np.abs(np.linalg.eigvalsh(a @ a.conj().T)).max()
    np.testing.assert_allclose((A @ B).constant, np.trace(a @ b) / len(a), rtol=0, atol=1e-12)


@pytest.mark.parametrize("name", SPACES)
def test_elements_in_jax_and_on_the_host(name):
    space = SPACES[name]
    A, dense = drawn(space, 3)
    s = np.asarray(space.random(9, key=jax.random.key(0)))
    configurations, elements = jax.jit(jax.vmap(A.connected))(jnp.asarray(s))
    found = np.zeros((9, len(dense)), complex)
    for r in range(9):
        np.add.at(found[r], space.numbers_of(np.asarray(configurations[r])), np.asarray(elements[r]))
    rows = space.numbers_of(s)
    np.testing.assert_allclose(
        found, dense[rows], rtol=0, atol=1e-5 if elements.dtype == np.complex64 else 1e-12
    )
    found = np.zeros((9, len(dense)), complex)
    for values, others in A.host_rows(s):
        there = np.flatnonzero(values)
        found[there, rows[there] if others is None else space.numbers_of(others[there])] += values[there]
    np.testing.assert_allclose(found, dense[rows], rtol=0, atol=1e-12)


@pytest.mark.parametrize("name", ["bosons", "electrons and phonons", "fermions, spins 1, fermions"])
def test_matrices_on_modes_in_any_order(name):
    """A matrix on modes in an odd order is the sum of products of its matrix units."""
    space = SPACES[name]
    modes = (2, 0) if name == "bosons" else (3, 0) if space.size == 5 else (1, 4, 0)
    rng = np.random.default_rng(4)
    shape = [space.levels[m] for m in modes]
    matrix = rng.normal(size=(np.prod(shape),) * 2)
    empty, raised = np.eye(int(np.prod(space.levels))), []
    for m in modes:
        empty = empty @ on_mode(space, m, np.diag(np.arange(space.levels[m]) == 0))
    for levels in np.ndindex(*shape):
        state = np.eye(len(empty))
        for m, n in zip(modes, levels, strict=True):
            up = lower(space, m).conj().T
            state = state @ np.linalg.matrix_power(up, n) / np.sqrt(float(np.prod(np.arange(1, n + 1))))
        raised.append(state)
    want = sum(
        matrix[i, j] * a @ empty @ b.conj().T for i, a in enumerate(raised) for j, b in enumerate(raised)
    )
    assert close(op.local(space, matrix, modes), want)


def test_permutations_carry_fermions_with_their_signs():
    for space, p in (
        (SPACES["electrons and phonons"], [1, 0, 3, 2, 5, 4]),
        (SPACES["fermions, spins 1, fermions"], [4, 0, 2, 1, 3]),
        (it.Fermions(3, spin=True), [2, 0, 1, 5, 3, 4]),
        (it.Fermions(2) * it.Spins(1) * it.Fermions(2), [4, 0, 2, 1, 3]),
        (it.Fermions(3, spin=True), [3, 4, 5, 0, 1, 2]),
    ):
        place = {space.mode(*m): m for m in modes_of(space)}
        A = op.annihilate(space, *place[0]) @ op.create(space, *place[3]) @ op.number(space, *place[1])
        B = op.create(space, *place[4])
        for X in (A, B):
            assert X.permuted(p).permuted(np.argsort(p)).is_close(X)
        moved = (
            op.annihilate(space, *place[p[0]])
            @ op.create(space, *place[p[3]])
            @ op.number(space, *place[p[1]])
        )
        assert A.permuted(p).is_close(moved)
        assert B.permuted(p).is_close(op.create(space, *place[p[4]]))
        assert (A @ B).permuted(p).is_close(A.permuted(p) @ B.permuted(p))
        assert (B @ A).permuted(p).is_close(B.permuted(p) @ A.permuted(p))


def test_bose_hubbard():
    place, rng = it.Chain(3), np.random.default_rng(5)
    space = it.Bosons(place, most=2)
    J, U, mu, V = (rng.normal(size=3) for _ in range(4))
    n = [count(space, i) for i in range(3)]
    want = sum(U[i] / 2 * n[i] @ (n[i] - np.eye(27)) - (mu[i] + 0.2) * n[i] for i in range(3))
    for a, v, (i, j) in zip(J, V, place.bonds(), strict=True):
        hop = lower(space, i).conj().T @ lower(space, j)
        want = want - a * (hop + hop.T) + v * n[i] @ n[j]
    H = it.bose_hubbard(space, J, U, mu, V, field=0.2)
    assert close(H, want) and H.is_hermitian
    kept = it.Bosons(place, 3, most=2)
    assert close(it.bose_hubbard(kept, J, U, mu, V, field=0.2), want, kept)
    assert not op.leaves(H, kept) and op.leaves(op.create(space, 0), kept)
    ring = it.bose_hubbard(it.Bosons(it.Chain(8), 8), U=4.0)
    assert ring.is_stoquastic and ring.n_connected == 16
    matrix = ring.to_sparse()
    assert matrix.shape == (6435, 6435)
    assert abs(eigsh(matrix, 1, which="SA", tol=1e-11)[0][0] + 7.459790626) < 1e-8
    phase = it.bose_hubbard(it.Bosons(it.Chain(4), 1), twist=0.3)
    free = np.sort(-2 * np.cos((2 * np.pi * np.arange(4) + 0.3) / 4))
    np.testing.assert_allclose(np.linalg.eigvalsh(phase.to_dense()), free, rtol=0, atol=1e-12)


def test_larger_spins():
    place = it.Chain(3, pbc=False)
    space = it.Spins(place, s=1)
    s = [spin(space, i) for i in range(3)]
    pairs = [s[0][k] @ s[1][k] + s[1][k] @ s[2][k] for k in range(3)]
    field = [0.3, -0.1, 0.2]
    along = -sum(h * s[i][2] for i, h in enumerate(field))
    cases = [
        (it.heisenberg(space, marshall=False, field=field), sum(pairs) + along),
        (it.xxz(space, 0.5, marshall=False), pairs[0] + pairs[1] + 0.5 * pairs[2]),
        (it.xyz(space, 1.0, -0.5, 1.5, marshall=False), pairs[0] - 0.5 * pairs[1] + 1.5 * pairs[2]),
        (it.tfim(space, h=0.7), -pairs[2] - 0.7 * sum(s[i][0] for i in range(3))),
        (it.j1j2(space, marshall=False), sum(pairs) + 0.5 * sum(s[0][k] @ s[2][k] for k in range(3))),
    ]
    for operator, dense in cases:
        assert close(operator, dense) and operator.is_hermitian
    turned = it.heisenberg(space)
    assert turned.turned == (1,) and turned.is_stoquastic
    assert turned.in_frame(()).is_close(it.heisenberg(space, marshall=False))
    assert (turned - it.heisenberg(space, marshall=False)).n_terms == 0  # of one frame
    kept = it.Spins(place, s=1, magnetization=0)
    assert close(it.heisenberg(kept, marshall=False), sum(pairs), kept) and kept.dimension == 7
    x, y, z = (f(space, 1) for f in (op.spin_x, op.spin_y, op.spin_z))
    assert op.commutator(x, y).is_close(1j * z) and close(
        op.exchange(space, 0, 2), sum(a @ b for a, b in zip(s[0], s[2], strict=True))
    )


def test_kondo_and_holstein():
    """Mixed systems by algebra: electrons with local spins, and with phonons."""
    place = it.Chain(2)
    kondo = it.Fermions(place, 2, spin=True) * it.Spins(place)
    H = it.hubbard(kondo, U=0.0)
    for i in range(2):
        H = H + 0.7 * op.exchange(kondo, i, i, other="spins")
    free = kondo.free
    c = {(i, a): lower(free, free.mode(i, a)) for i in range(2) for a in ("up", "down")}
    dense = -sum(c[0, a].conj().T @ c[1, a] + c[1, a].conj().T @ c[0, a] for a in ("up", "down"))
    for i in range(2):
        plus = c[i, "up"].conj().T @ c[i, "down"]
        electron = (
            (plus + plus.conj().T) / 2,
            (plus - plus.conj().T) / 2j,
            (count(free, free.mode(i, "up")) - count(free, free.mode(i, "down"))) / 2,
        )
        dense = dense + 0.7 * sum(
            a @ b for a, b in zip(electron, spin(free, free.mode(i, "spins")), strict=True)
        )
    assert close(H, dense, kondo) and H.is_hermitian and not op.leaves(H, kondo)
    assert op.leaves(H, it.Fermions(place, (1, 1)) * it.Spins(place))  # S^+ S^− flips an electron
    holstein = it.Fermions(place, 1) * it.Bosons(place, most=3)
    fermion, phonon = 0, 1
    H = op.total(
        [-1.0 * op.create(holstein, i, fermion) @ op.annihilate(holstein, 1 - i, fermion) for i in range(2)]
        + [0.5 * op.number(holstein, i, phonon) for i in range(2)]
        + [
            0.3
            * op.number(holstein, i, fermion)
            @ (op.annihilate(holstein, i, phonon) + op.create(holstein, i, phonon))
            for i in range(2)
        ]
    )
    free = holstein.free
    c, b = [lower(free, i) for i in range(2)], [lower(free, 2 + i) for i in range(2)]
    dense = sum(
        -c[i].conj().T @ c[1 - i]
        + 0.5 * b[i].conj().T @ b[i]
        + 0.3 * c[i].conj().T @ c[i] @ (b[i] + b[i].conj().T)
        for i in range(2)
    )
    assert close(H, dense, holstein) and H.is_hermitian


def test_constraints_on_levels():
    space = it.Bosons(3, most=2).within(it.Bound((0, 1), (1, 1), 0, 2, name="pair"))
    hop = op.create(space, 0) @ op.annihilate(space, 2) + op.create(space, 0)
    dense = (hop.to_sparse(space.free)).toarray()
    inside = op.projected(hop)
    assert op.leaves(hop, space) and not op.leaves(inside, space)
    np.testing.assert_allclose(inside.to_dense(), within(space, dense), rtol=0, atol=1e-12)


NINE = it.Bosons(9, most=7)
HOSTILE = {
    "another space": lambda: op.number(it.Bosons(2, most=2), 0) + op.number(it.Bosons(2, most=3), 0),
    "spins and bosons": lambda: op.number(it.Bosons(2, most=2), 0) @ op.spin_z(it.Spins(2), 0),
    "times": lambda: op.number(it.Bosons(2, most=2), 0) * op.number(it.Bosons(2, most=2), 0),
    "exponent": lambda: op.number(it.Bosons(2, most=2), 0) ** -1,
    "divisor": lambda: op.number(it.Bosons(2, most=2), 0) / 0,
    "permutation": lambda: op.number(SPACES["electrons and phonons"], 0, "up").permuted([4, 1, 2, 3, 0, 5]),
    "wide": lambda: functools.reduce(lambda a, b: a @ b, (op.number(NINE, i) for i in range(9))),
    "matrix too large": lambda: op.local(it.Bosons(4, most=7), np.eye(4096), (0, 1, 2, 3)),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_wrong_level_operators_are_one_line(name):
    with pytest.raises(InputError) as caught:
        HOSTILE[name]()
    assert "\n" not in str(caught.value)
