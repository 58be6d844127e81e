"""Hamiltonians by name against dense matrices and known energies; disorder, twists, bad input."""

import numpy as np
import pytest
from dense_modes import close, count, lower, on_mode, spin, within

import intertwine as it
from intertwine._checks import InputError

RNG = np.random.default_rng(0)


def ground(operator, levels=1):
    found = np.linalg.eigvalsh(operator.to_dense())
    return found[0] if levels == 1 else found[:levels]


def dense_hops(space, modes, place, amplitudes):
    """−Σ (a c†_i c_j + h.c.)."""
    total = 0
    for (i, j), a in zip(place.bonds(), amplitudes, strict=True):
        hop = a * lower(space, modes[i]).conj().T @ lower(space, modes[j])
        total = total - hop - hop.conj().T
    return total


@pytest.mark.parametrize(
    "place", [it.Chain(3), it.Chain(3, pbc=False), it.Square(3, 2)], ids=lambda p: p.name
)
def test_fermions_are_the_dense_ones(place):
    L, B = place.size, len(place.bonds())
    t, V, mu = RNG.normal(size=B), RNG.normal(size=B), RNG.normal(size=L)
    space = it.Fermions(place)
    n = [count(space, i) for i in range(L)]
    want = dense_hops(space, range(L), place, t)
    want = want + sum(v * n[i] @ n[j] for v, (i, j) in zip(V, place.bonds(), strict=True))
    want = want - sum(m * n[i] for i, m in enumerate(mu))
    assert close(it.tv(space, t=t, V=V, mu=0.25, field=mu - 0.25), want)
    assert close(it.tv(it.Fermions(place, 2), t=t, V=V, mu=mu), want, it.Fermions(place, 2))
    if L == 3:
        space, U = it.Fermions(place, spin=True), RNG.normal(size=L)
        n = [count(space, i) for i in range(2 * L)]
        want = dense_hops(space, range(L), place, t) + dense_hops(space, range(L, 2 * L), place, t)
        want = want + sum(
            U[i] * n[i] @ n[i + L] - (mu[i] + 0.3) * n[i] - (mu[i] - 0.3) * n[i + L] for i in range(L)
        )
        for v, (i, j) in zip(V, place.bonds(), strict=True):
            want = want + v * (n[i] + n[i + L]) @ (n[j] + n[j + L])
        H = it.hubbard(space, t=t, U=U, mu=mu, field=0.3, V=V)
        assert close(H, want) and H.is_hermitian and not it.operators.leaves(H, it.Fermions(place, (2, 1)))
        N = it.operators.total(it.operators.density(space, i) for i in range(L))
        assert it.operators.commutator(H, N).n_strings == 0


def test_hubbard_energies():
    """Exact values on single bonds (shared references)."""
    four = it.Fermions(it.Square(2, 2), (2, 2))
    assert abs(ground(it.hubbard(four, U=4.0)) + 2.102748483462) < 1e-10
    assert abs(ground(it.hubbard(four, U=8.0)) + 1.320234958272) < 1e-10
    six = it.Fermions(it.Square(2, 3), (2, 2))
    assert abs(ground(it.hubbard(six, U=4.0)) + 6.332962199384) < 1e-9
    ring = ground(it.tv(it.Fermions(it.Chain(8), 4), V=2.0), 3)
    np.testing.assert_allclose(ring, [-2.94834315, -2.94834315, -0.68630684], rtol=0, atol=1e-8)


def test_a_twist_is_a_gauge():
    """Phases on the bonds that wrap have the spectrum of phases spread over all bonds; π is antiperiodic."""
    place, theta = it.Chain(5), 0.7
    space = it.Fermions(place, 2)
    spread = dense_hops(
        space.free,
        range(5),
        place,
        [np.exp(-1j * theta / 5) if j - i == 1 else np.exp(1j * theta / 5) for i, j in place.bonds()],
    )
    found = np.linalg.eigvalsh(it.tv(space, V=0.0, twist=theta).to_dense())
    np.testing.assert_allclose(found, np.linalg.eigvalsh(within(space, spread)), rtol=0, atol=1e-12)
    one = np.linalg.eigvalsh(it.tv(it.Fermions(place, 1), V=0.0, twist=theta).to_dense())
    free = np.sort(-2 * np.cos((2 * np.pi * np.arange(5) + theta) / 5))
    np.testing.assert_allclose(one, free, rtol=0, atol=1e-12)
    cell = it.Square(3, 3)
    one = np.linalg.eigvalsh(it.tv(it.Fermions(cell, 1), V=0.0, twist=(0.4, np.pi)).to_dense())
    k = 2 * np.pi * np.arange(3) / 3
    free = np.sort((-2 * np.cos(k + 0.4 / 3)[:, None] - 2 * np.cos(k + np.pi / 3)[None]).ravel())
    np.testing.assert_allclose(one, free, rtol=0, atol=1e-12)
    up = np.linalg.eigvalsh(it.xxz(it.Chain(5), 0.3, twist=theta).to_dense())
    full = np.linalg.eigvalsh(it.xxz(it.Chain(5), 0.3, twist=theta + 2 * np.pi).to_dense())
    np.testing.assert_allclose(up, full, rtol=0, atol=1e-12)
    bosons = it.bose_hubbard(it.Bosons(it.Chain(5), 1, most=1), twist=theta)
    np.testing.assert_allclose(
        np.linalg.eigvalsh(bosons.to_dense()),
        np.sort(-2 * np.cos((2 * np.pi * np.arange(5) + theta) / 5)),
        rtol=0,
        atol=1e-12,
    )


def test_atoms_stay_in_the_blockade():
    for place, energy in (
        (it.Chain(8, pbc=False), None),
        (it.Chain(12, pbc=False), -7.58964904),
        (it.Chain(12), -7.27389842),
    ):
        space = it.Rydberg(place)
        H = it.rydberg(space)
        assert H.is_hermitian and H.is_stoquastic and not it.operators.leaves(H, space)
        if energy is not None:
            assert abs(ground(H) - energy) < 1e-8
    space, free = it.Rydberg(it.Square(2, 3)), it.Rydberg(it.Square(2, 3), blockade=None)
    Omega, Delta = RNG.normal(size=6), RNG.normal(size=6)
    V = np.add.outer(np.arange(6.0), np.arange(6.0))
    dense = sum(
        -Omega[i] / 2 * on_mode(free, i, [[0, 1], [1, 0]]) - Delta[i] * count(free, i) for i in range(6)
    ) + sum(V[i, j] * count(free, i) @ count(free, j) for i in range(6) for j in range(i))
    H = it.rydberg(space, Omega, Delta, V)
    assert close(H, dense, space) and close(it.rydberg(free, Omega, Delta, V), dense)
    s = space.configurations()
    for elements, others in H.host_rows(s):
        assert others is None or space.allows(others[elements != 0]).all()
    assert it.operators.leaves(it.rydberg(free), space)


def test_projection_onto_numbers_and_dimers():
    op = it.operators
    free = it.Fermions(4)
    A = op.total(op.create(free, i) for i in range(4)) + op.create(free, 0) @ op.annihilate(free, 2)
    for space in (it.Fermions(4, 2), it.Fermions(4, parity=1)):
        P = op.projected(A, space)
        assert close(P, A.to_dense(), space) and op.leaves(A, space) and not op.leaves(P, space)
    ring = it.Dimers(4, [(0, 1), (1, 2), (2, 3), (3, 0)])
    turn = np.zeros((16, 16))
    turn[5, 10] = turn[10, 5] = -1.0
    kinetic = op.local(ring, turn, (0, 1, 2, 3))
    assert not op.leaves(kinetic, ring)
    np.testing.assert_allclose(kinetic.to_dense(), [[0, -1], [-1, 0]])
    assert op.leaves(op.local(ring, [[0, 1], [1, 0]], (0,)), ring)


def test_spin_models():
    ring = it.Chain(8)
    found = ground(it.xyz(ring, 1.0, 0.5, 1.5), 2)
    np.testing.assert_allclose(found, [-15.16981059, -14.35684031], rtol=0, atol=1e-8)
    assert abs(ground(it.kitaev(it.Honeycomb(2, 2))) + 6.92820323) < 1e-8
    levels = ground(it.toric_code(it.LinkSites(2, 2)), 5)
    np.testing.assert_allclose(levels[:4], -8, rtol=0, atol=1e-12)
    assert levels[4] > -7
    place = it.Chain(4)
    J, h = RNG.normal(size=4), RNG.normal(size=4)
    space = it.Spins(place)
    s = [[2 * a for a in spin(space, i)] for i in range(4)]
    along = -sum(h[i] * s[i][2] for i in range(4))
    pairs = [sum(j * s[a][k] @ s[b][k] for j, (a, b) in zip(J, place.bonds(), strict=True)) for k in range(3)]
    cases = [
        (it.heisenberg(place, J, marshall=False, field=h), sum(pairs) + along),
        (it.xxz(place, 0.4, J, marshall=False, field=h), pairs[0] + pairs[1] + 0.4 * pairs[2] + along),
        (it.xyz(place, 2 * J, J, -J, marshall=False, field=h), 2 * pairs[0] + pairs[1] - pairs[2] + along),
        (it.tfim(place, J, h, field=h), -pairs[2] - sum(h[i] * s[i][0] for i in range(4)) + along),
    ]
    for operator, dense in cases:
        assert close(operator, dense) and operator.hilbert is None and operator.lattice == place
    half = it.heisenberg(it.Spins(place, magnetization=0), J, marshall=False)
    assert close(half, sum(pairs), it.Spins(place, magnetization=0)) and half.hilbert.dimension == 6
    turned = it.xyz(it.Chain(4), 1.0, 0.5, 1.5)
    assert turned.turned == (1, 3) and turned.is_stoquastic
    field = RNG.normal(size=(8, 3))
    honeycomb = it.Honeycomb(2, 2)
    K = it.kitaev(honeycomb, (1.0, 2.0, 3.0), field)
    sites = it.Spins(honeycomb)
    extra = K.to_dense() - it.kitaev(honeycomb, (1.0, 2.0, 3.0)).to_dense()
    want = -sum(2 * field[i, a] * spin(sites, i)[a] for i in range(8) for a in range(3))
    np.testing.assert_allclose(extra, want, rtol=0, atol=1e-12)


def test_kitaev_bonds_have_one_of_each_kind_at_every_site():
    strings = it.kitaev(it.Honeycomb(3, 3)).strings()
    letters = [[] for _ in range(18)]
    for _, pair in strings:
        for site, letter in pair.items():
            letters[site].append(letter)
    assert all(sorted(at) == ["X", "Y", "Z"] for at in letters)


CHAIN = it.Chain(4)
HOSTILE = {
    "no space": lambda: it.hubbard(CHAIN),
    "no electrons": lambda: it.hubbard(it.Fermions(CHAIN, 2)),
    "no place": lambda: it.hubbard(it.Fermions(4, (2, 2))),
    "electrons": lambda: it.tv(it.Fermions(CHAIN, (2, 2))),
    "shape of t": lambda: it.tv(it.Fermions(CHAIN, 2), t=np.ones(3)),
    "nan": lambda: it.hubbard(it.Fermions(CHAIN, (2, 2)), U=float("nan")),
    "complex": lambda: it.hubbard(it.Fermions(CHAIN, (2, 2)), mu=1j),
    "word": lambda: it.xyz(CHAIN, Jx="a"),
    "open twist": lambda: it.tv(it.Fermions(it.Chain(4, pbc=False), 2), twist=0.1),
    "twist of one direction": lambda: it.tv(
        it.Fermions(it.Square(3, pbc=(True, False)), 2), twist=(0.0, 0.1)
    ),
    "number of twists": lambda: it.tv(it.Fermions(it.Square(3), 2), twist=(0.0, 0.1, 0.2)),
    "short twist": lambda: it.tv(it.Fermions(it.Square(3, 2), 2), twist=(0.0, 0.1)),
    "kitaev on a square": lambda: it.kitaev(it.Square(4)),
    "kitaev field": lambda: it.kitaev(it.Honeycomb(2), field=[1.0, 2.0]),
    "fermions as atoms": lambda: it.rydberg(it.Fermions(CHAIN)),
    "interaction": lambda: it.rydberg(it.Rydberg(CHAIN), interaction=np.triu(np.ones((4, 4)))),
    "bosons": lambda: it.bose_hubbard(it.Fermions(CHAIN)),
    "spins of fermions": lambda: it.heisenberg(it.Fermions(CHAIN)),
    "spins of bosons": lambda: it.heisenberg(it.Bosons(CHAIN, 2)),
    "spin of a boson": lambda: it.operators.spin_z(it.Bosons(CHAIN, 2), 0),
    "field": lambda: it.heisenberg(CHAIN, field=np.ones(5)),
    "modes": lambda: it.operators.projected(it.tfim(CHAIN), it.Fermions(3)),
    "second neighbours": lambda: it.hubbard(it.Fermions(it.Chain(3), (1, 1)), t2=1.0),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_wrong_models_are_one_line(name):
    with pytest.raises(InputError) as caught:
        HOSTILE[name]()
    assert "\n" not in str(caught.value)


WEIGHTED = [(0, 1), (1, 2), (2, 0), (2, 3), (3, 4)]
WEIGHTS = [1.0, -0.7, 1.3, 0.5, 1.1]


@pytest.mark.parametrize(
    ("make", "name", "value"),
    [
        (it.tfim, "J", 0.5),
        (it.heisenberg, "J", 2.0),
        (it.xxz, "J", 2.0),
        (it.xyz, "Jx", 0.4),
        (it.j1j2, "J1", 0.4),
        (lambda g, **k: it.hubbard(it.Fermions(g, (2, 1)), **k), "t", 2.0),
        (lambda g, **k: it.tv(it.Fermions(g, 2), V=0.0, **k), "t", -1.0),
        (lambda g, **k: it.bose_hubbard(it.Bosons(g, 2), **k), "J", -1.0),
    ],
)
def test_the_weights_of_a_graph_multiply_a_coupling_that_is_one_number(make, name, value):
    plain, weighted = it.Graph(WEIGHTED), it.Graph(WEIGHTED, weights=WEIGHTS)
    others = {"Jy": np.multiply(0.5, WEIGHTS), "Jz": np.multiply(1.5, WEIGHTS)} if name == "Jx" else {}
    array = np.multiply(value, WEIGHTS)
    wanted = make(plain, **{name: array}, **others).to_dense()
    np.testing.assert_allclose(make(weighted, **{name: value}).to_dense(), wanted, atol=1e-13)
    np.testing.assert_allclose(make(weighted, **{name: array}, **others).to_dense(), wanted, atol=1e-13)


def test_couplings_of_bonds_go_by_the_order_of_the_edges():
    by_hand = sum(
        w * it.tfim(it.Graph([e], size=5), h=0.0).to_dense() for w, e in zip(WEIGHTS, WEIGHTED, strict=True)
    )
    np.testing.assert_allclose(it.tfim(it.Graph(WEIGHTED), J=WEIGHTS, h=0.0).to_dense(), by_hand, atol=1e-13)
    layered = it.Graph(WEIGHTED, colours=[2, 1, 1, 2, 1], weights=WEIGHTS, shells_by_colour=True)
    twin = it.heisenberg(it.Graph(WEIGHTED), J=[1.5, -0.7, 1.3, 0.75, 1.1], marshall=False)
    np.testing.assert_allclose(
        it.j1j2(layered, 1.0, 1.5, marshall=False).to_dense(), twin.to_dense(), atol=1e-13
    )
    with pytest.raises(
        it.InputError, match="J: expected a number, or an array of 5, one for each bond, got 4"
    ):
        it.heisenberg(it.Graph(WEIGHTED), J=WEIGHTS[:4])
    ising = it.Ising(it.Graph(WEIGHTED, weights=WEIGHTS), K=2.0)
    np.testing.assert_allclose(ising.coupling, np.multiply(2.0, WEIGHTS), rtol=1e-6)


def test_an_interaction_of_atoms_that_is_not_symmetric_is_told():
    with pytest.raises(InputError, match="got 1 for the atoms 0, 1 and 0 for 1, 0"):
        it.rydberg(it.Rydberg(it.Chain(3)), interaction=np.eye(3, k=1))
