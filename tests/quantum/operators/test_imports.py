"""Operators of qiskit, OpenFermion, NetKet and QuSpin against matrices of theirs; without these packages, as
much of their objects as is asked for."""

import itertools
from types import SimpleNamespace as Fake

import numpy as np
import pytest
from dense_modes import count, lower, on_mode

import intertwine as it
from intertwine._checks import InputError
from intertwine.quantum.operators import from_netket, from_openfermion, from_qiskit, from_quspin

X, Y, Z = np.array([[0, 1], [1, 0]]), np.array([[0, -1j], [1j, 0]]), np.diag([1, -1])
CLOSE = 1e-12


def free(operator):
    space = operator.hilbert
    return operator.to_sparse(None if space is None else space.free).toarray()


def dagger(matrix):
    return matrix.conj().T


def reordered(matrix, order):
    """A matrix over N fermionic modes (mode 0 most significant, signs by their order) with mode m moved to
    order[m]: creation operators of the occupied modes sorted anew."""
    n = len(order)
    target, sign = np.empty(2**n, int), np.empty(2**n)
    for b, levels in enumerate(itertools.product((0, 1), repeat=n)):
        places = [order[m] for m in range(n) if levels[m]]
        sign[b] = (-1) ** sum(x > y for x, y in itertools.combinations(places, 2))
        target[b] = sum(1 << (n - 1 - p) for p in places)
    moved = np.zeros_like(matrix)
    moved[np.ix_(target, target)] = sign[:, None] * matrix * sign[None, :]
    return moved


def random_products(rng, modes, count_, most=4):
    """[(((mode, dagger), …), coefficient)], also odd ones and repeated modes."""
    return [
        (
            tuple((int(rng.integers(modes)), int(rng.integers(2))) for _ in range(rng.integers(0, most + 1))),
            complex(rng.normal(), rng.normal()),
        )
        for _ in range(count_)
    ]


def dense_products(products, space, place):
    c = [lower(space, m) for m in range(space.size)]
    total = np.zeros_like(c[0], dtype=complex)
    for product, coefficient in products:
        term = coefficient * np.eye(len(total), dtype=complex)
        for mode, up in product:
            term = term @ (dagger(c[place[mode]]) if up else c[place[mode]])
        total = total + term
    return total


# ------------------------------------------------------------------------------------------------ OpenFermion


class _FermionOperator:
    def __init__(self, products):
        self.terms = dict(products)


class _QubitOperator(_FermionOperator):
    pass


class _BosonOperator(_FermionOperator):
    pass


@pytest.mark.parametrize("order", ["interleaved", "blocked"])
def test_spin_orbitals_in_both_orders(order):
    rng = np.random.default_rng(0)
    space = it.Fermions(3, spin=True)
    place = [0, 3, 1, 4, 2, 5] if order == "interleaved" else range(6)
    products = dict(random_products(rng, 6, 12)) | {(): 0.5}
    found = from_openfermion(_FermionOperator(products), space, order=order)
    assert np.abs(free(found) - dense_products(products.items(), space, place)).max() < CLOSE
    with pytest.raises(InputError, match="'interleaved', 'blocked'"):
        from_openfermion(_FermionOperator(products), space, order="mixed")


def test_fermions_without_spin_qubits_and_bosons():
    rng = np.random.default_rng(1)
    products = dict(random_products(rng, 4, 10)) | {((3, 1),): 1.0}
    found = from_openfermion(_FermionOperator(products))
    assert found.hilbert == it.Fermions(4)
    assert np.abs(free(found) - dense_products(products.items(), found.hilbert, range(4))).max() < CLOSE
    qubits = from_openfermion(_QubitOperator({((0, "X"), (2, "Z")): 0.5, ((1, "Y"),): 2.0, (): 1.0}))
    assert qubits.hilbert is None and qubits.strings() == [
        (0.5, {0: "X", 2: "Z"}), (2, {1: "Y"}), (1, {})]  # fmt: skip
    bosons = it.Bosons(2, most=2)
    found = from_openfermion(_BosonOperator({((0, 1), (1, 0)): 0.5, ((0, 1), (0, 0)): 2.0}), bosons)
    wanted = 0.5 * dagger(lower(bosons, 0)) @ lower(bosons, 1) + 2 * count(bosons, 0)
    assert np.abs(free(found) - wanted).max() < CLOSE
    for wrong, message in [
        (lambda: from_openfermion(3), "openfermion"),
        (lambda: from_openfermion(_BosonOperator({})), "space of the bosons"),
        (lambda: from_openfermion(_FermionOperator({((7, 1),): 1}), it.Fermions(2)), "at least 8 modes"),
        (lambda: from_openfermion(_FermionOperator({((0, 1),): "t"})), "numbers as coefficients"),
    ]:
        with pytest.raises(InputError, match=message):
            wrong()


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("order", ["interleaved", "blocked"])
def test_openfermion_itself(order):
    of = pytest.importorskip("openfermion", reason="OpenFermion is not installed")
    hubbard = of.fermi_hubbard(2, 2, tunneling=1.0, coulomb=4.0, chemical_potential=0.3, periodic=False)
    rng = np.random.default_rng(2)
    extra = of.FermionOperator()
    for product, c in random_products(rng, 8, 6):
        extra += of.FermionOperator(product, c)
    A = hubbard + extra
    dense = of.get_sparse_operator(A, 8).toarray()  # mode 0 most significant, signs in the order of the modes
    space = it.Fermions(4, spin=True)
    found = free(from_openfermion(A, space, order=order))
    place = [0, 4, 1, 5, 2, 6, 3, 7] if order == "interleaved" else list(range(8))
    assert np.abs(found - reordered(dense, place)).max() < CLOSE
    q = of.jordan_wigner(A)
    assert np.abs(free(from_openfermion(q)) - dense).max() < CLOSE
    # printed text is read as it is
    again = it.operators.read_terms(str(A), it.Fermions(8))
    assert np.abs(free(again) - dense).max() < CLOSE
    small = of.BosonOperator("0^ 1", 0.5) + of.BosonOperator("1^ 0", 0.5)
    bosons = it.Bosons(2, most=2)
    assert (
        np.abs(free(from_openfermion(small, bosons)) - of.boson_operator_sparse(small, 3).toarray()).max()
        < CLOSE
    )


# ----------------------------------------------------------------------------------------------------- qiskit


def test_labels_of_qubits_run_from_the_right():
    x = np.array([[0, 1, 1], [0, 0, 0]], bool)
    z = np.array([[1, 1, 0], [0, 0, 1]], bool)  # Z0 Y1 X2, Z2
    paulis = Fake(x=x, z=z, phase=np.array([0, 1]))
    found = from_qiskit(Fake(paulis=paulis, coeffs=np.array([0.5, 1j]), num_qubits=3), it.Chain(3))
    assert sorted(found.strings(), key=str) == [(0.5, {0: "Z", 1: "Y", 2: "X"}), (1, {2: "Z"})]
    assert found.lattice == it.Chain(3)
    for wrong, message in [
        (lambda: from_qiskit("XYZ"), "pip install qiskit"),
        (lambda: from_qiskit(Fake(paulis=paulis, coeffs=np.array(["a", 1], object), num_qubits=3)), "assign"),
        (lambda: from_qiskit(Fake(paulis=paulis, coeffs=np.array([np.nan, 1]), num_qubits=3)), "finite"),
    ]:
        with pytest.raises(InputError, match=message):
            wrong()


@pytest.mark.filterwarnings("ignore")
def test_qiskit_itself():
    qi = pytest.importorskip("qiskit.quantum_info", reason="qiskit is not installed")
    rng = np.random.default_rng(3)
    labels = ["".join(rng.choice(list("IXYZ"), 5)) for _ in range(12)]
    op = qi.SparsePauliOp(labels, rng.normal(size=12) + 1j * rng.normal(size=12))
    found = from_qiskit(op)
    assert np.abs(found.to_dense() - op.to_operator().reverse_qargs().data).max() < CLOSE
    phased = qi.SparsePauliOp(qi.PauliList(["-iXYI", "iZZX"]), [1.0, 2.0])
    assert np.abs(from_qiskit(phased).to_dense() - phased.to_operator().reverse_qargs().data).max() < CLOSE


# ----------------------------------------------------------------------------------------------------- QuSpin


def test_static_lists():
    space = it.Spins(3)
    at = lambda i, m: on_mode(space, i, m)  # noqa: E731
    plus = np.array([[0, 1], [0, 0]])
    static = [["zz", [[0.5, 0, 1]]], ["+-", [[0.25, 0, 2]]], ["y", [[2.0, 1]]], ["xI", [[1.0, 0, 1]]]]
    for pauli, units, ladder in ((True, 1, 4), (-1, 1, 1), (False, 0.5, 1)):
        wanted = (
            0.5 * units**2 * at(0, Z) @ at(1, Z) + 0.25 * ladder * at(0, plus) @ at(2, plus.T)
            + 2 * units * at(1, Y) + units * at(0, X)
        )  # fmt: skip
        assert np.abs(free(from_quspin(static, it.Chain(3), pauli=pauli)) - wanted).max() < CLOSE
    electrons = it.Fermions(2, (1, 1))
    c = [lower(electrons, m) for m in range(4)]
    static = [["+-|+-", [[1.5, 0, 1, 1, 0]]], ["z|n", [[4.0, 0, 0]]], ["|x", [[1.0, 1]]], ["|y", [[1.0, 1]]]]
    n = [dagger(a) @ a for a in c]
    wanted = (
        1.5 * dagger(c[0]) @ c[1] @ dagger(c[3]) @ c[2] + 4 * (n[0] - np.eye(16) / 2) @ n[2]
        + dagger(c[3]) + c[3] + 1j * (dagger(c[3]) - c[3])
    )  # fmt: skip
    assert np.abs(free(from_quspin(static, electrons)) - wanted).max() < CLOSE
    for wrong, message in [
        (lambda: from_quspin(static), "space that the list acts on"),
        (lambda: from_quspin([["q", [[1, 0]]]], it.Spins(2)), "letters"),
        (lambda: from_quspin([["z", [[1, 0]]]], it.Bosons(2, most=2)), "letters"),
        (lambda: from_quspin([["+-", [[1, 0, 1]]]], electrons), "between up and down"),
        (lambda: from_quspin([["zz", [[1, 0]]]], it.Spins(2)), "2 sites for 'zz'"),
        (lambda: from_quspin([["z", [[1, 5]]]], it.Spins(2)), "site"),
        (lambda: from_quspin([3], it.Spins(2)), "static list"),
        (lambda: from_quspin(static, it.Spins(2), pauli=2), "pauli"),
    ]:
        with pytest.raises(InputError, match=message):
            wrong()


def _bits(states, length, base=2):
    return np.array([[s // base ** (length - 1 - i) % base for i in range(length)] for s in states])


@pytest.mark.filterwarnings("ignore")
def test_quspin_itself():
    quspin = pytest.importorskip("quspin.operators", reason="QuSpin is not installed")
    import quspin.basis as bases

    quiet = {"check_herm": False, "check_symm": False, "check_pcon": False, "dtype": np.complex128}

    def both(static, basis, space=None, **options):
        theirs = quspin.hamiltonian(static, [], basis=basis, **quiet)
        return theirs.toarray(), from_quspin(theirs, space, **options)

    # spins, whose levels count down from the top: QuSpin's state number has 1, or the largest digit, for up
    spins = [["zz", [[1.0, 0, 1]]], ["+-", [[0.5, 0, 2], [0.3j, 1, 2]]], ["x", [[0.7, 1]]], ["y", [[0.2, 0]]]]
    for pauli in (True, False, -1):
        theirs, ours = both(spins, bases.spin_basis_general(3, pauli=pauli))
        assert np.abs(theirs - free(ours)).max() < CLOSE  # states are numbered from all up in both
    theirs, ours = both([*spins[:2]], bases.spin_basis_general(3, S="1"))
    assert ours.hilbert == it.Spins(3, s=1) and np.abs(theirs - free(ours)).max() < CLOSE
    basis = bases.boson_basis_general(3, sps=3)
    theirs, ours = both([["+-", [[1.0, 0, 1], [1.0, 1, 0]]], ["nn", [[0.5, 0, 0], [0.2, 1, 2]]]], basis)
    assert np.abs(theirs[::-1, ::-1] - free(ours)).max() < CLOSE  # numbered down from the fullest
    # fermions: the operators are the same, states differ by signs (QuSpin counts occupied modes behind)
    fermions = [["+-", [[1.0, 0, 2], [1.0, 2, 0], [0.5j, 1, 3]]], ["nn", [[2.0, 0, 1]]], ["z", [[0.3, 3]]]]
    basis = bases.spinless_fermion_basis_general(4)
    theirs, ours = both(fermions, basis)
    # the reversed order of modes is theirs: mode m of ours at place 3 − m, and digits read from the other end
    reverse = [int(f"{b:04b}"[::-1], 2) for b in range(16)]
    place = reordered(free(ours), [3, 2, 1, 0])[np.ix_(reverse, reverse)]
    assert np.abs(theirs[::-1, ::-1] - place).max() < CLOSE
    electrons = [["+-|", [[-1.0, 0, 1], [-1.0, 1, 0]]], ["|+-", [[-1.0, 0, 1], [-1.0, 1, 0]]],
                 ["n|n", [[4.0, 0, 0], [4.0, 1, 1]]], ["+-|+-", [[0.3, 0, 1, 1, 0]]]]  # fmt: skip
    theirs, ours = both(electrons, bases.spinful_fermion_basis_general(2))
    place = reordered(free(ours), [3, 2, 1, 0])[np.ix_(reverse, reverse)]
    assert np.abs(theirs[::-1, ::-1] - place).max() < CLOSE
    few, restricted = both(
        electrons, bases.spinful_fermion_basis_general(2, Nf=(1, 1)), it.Fermions(2, (1, 1))
    )
    levels = [np.sort(np.linalg.eigvals(matrix).real) for matrix in (few, restricted.to_dense())]
    assert np.abs(levels[0] - levels[1]).max() < CLOSE


# ----------------------------------------------------------------------------------------------------- NetKet


class _Hilbert:
    """As much of a homogeneous Hilbert space of NetKet as is asked for."""

    def __init__(self, states, size, constrained=False, **more):
        self.states, self.size, self.constrained = states, size, constrained
        vars(self).update(more)

    def states_at_index(self, i):
        return self.states


def test_matrices_on_sites_whatever_the_order_of_their_states():
    rng = np.random.default_rng(4)
    matrix = rng.normal(size=(9, 9))
    space = it.Spins(3, s=1)
    swap = np.array([2, 1, 0])  # highest first here
    order = (3 * swap[:, None] + swap).ravel()
    for states, moved in (([2, 0, -2], matrix), ([-2, 0, 2], matrix[np.ix_(order, order)])):
        operator = Fake(hilbert=_Hilbert(states, 3), operators=[moved], acting_on=[(2, 0)], constant=0.5)
        found = from_netket(operator)
        wanted = it.operators.local(space, matrix, (2, 0)) + 0.5
        assert found.hilbert == space and np.abs(free(found) - free(wanted)).max() < CLOSE


def test_strings_sums_and_orbitals():
    hilbert = _Hilbert([1, -1], 3, constrained=True, _total_sz=0.5)
    strings = Fake(hilbert=hilbert, operators=["XIZ", "III"], weights=[0.5, 2.0])
    found = from_netket(strings)
    assert found.strings() == [(0.5, {0: "X", 2: "Z"}), (2, {})]
    assert found.hilbert == it.Spins(3, magnetization=1)
    both = Fake(hilbert=hilbert, operators=[strings, strings], coefficients=[1.0, 2.0])
    assert from_netket(both).is_close(3 * found)
    edges = Fake(hilbert=_Hilbert([0, 1], 3), edges=[(0, 1), (1, 2)], to_local_operator=lambda: strings)
    assert from_netket(edges).lattice == it.Graph([(0, 1), (1, 2)])
    orbitals = _Hilbert([0, 1], 4, n_orbitals=2, spin=0.5, n_fermions_per_spin=(1, 2), n_fermions=3)
    hop = Fake(hilbert=orbitals, operators={((0, 1), (1, 0)): 1.0}, weights=[1.0])
    found = from_netket(hop)  # orbitals with spin down come first there
    space = it.Fermions(2, (2, 1))
    wanted = dagger(lower(space, 2)) @ lower(space, 3)
    assert found.hilbert == space and np.abs(free(found) - wanted).max() < CLOSE
    unknown = _Hilbert([0, 1, 2], 2, constrained=True)
    for wrong, message in [
        (lambda: from_netket(7), "an operator of NetKet"),
        (lambda: from_netket(Fake(hilbert=unknown, operators=[], weights=[])), "constraint is known"),
        (lambda: from_netket(Fake(hilbert=hilbert)), "to_local_operator"),
        (lambda: from_netket(strings, it.Spins(5)), "3 modes, as the operator has"),
    ]:
        with pytest.raises(InputError, match=message):
            wrong()


@pytest.mark.filterwarnings("ignore")
def test_netket_itself():
    nk = pytest.importorskip("netket", reason="NetKet is not installed")
    graph, N = nk.graph.Chain(5), 5
    spin = nk.hilbert.Spin(0.5, N)
    rng = np.random.default_rng(5)
    random = nk.operator.LocalOperator(spin, rng.normal(size=(8, 8)), [4, 0, 2])
    mixed = nk.hilbert.Spin(0.5, 2) * nk.hilbert.Fock(2, 2)
    pair = nk.operator.LocalOperator(mixed, rng.normal(size=(6, 6)), [1, 3])
    flipped = nk.hilbert.Spin(1, 3, inverted_ordering=True)
    cases = [
        nk.operator.Ising(spin, graph, h=0.7),
        nk.operator.Heisenberg(spin, graph, sign_rule=False),
        nk.operator.PauliStrings(spin, ["XYZIX", "ZIIZI"], [0.5, 1j]),
        random + 2.0,
        nk.operator.SumOperator(random, nk.operator.Ising(spin, graph, h=1.0), coefficients=[0.5, 2.0]),
        nk.operator.BoseHubbard(nk.hilbert.Fock(3, 3), nk.graph.Chain(3), U=2.0, V=0.3, mu=0.1),
        pair,
        nk.operator.PauliStrings(["XYI", "IZZ"], [1.0, 2.0]),
    ]
    for theirs in cases:
        ours = from_netket(theirs)
        assert np.abs(free(ours) - theirs.to_dense()).max() < CLOSE, theirs
    turned = nk.operator.LocalOperator(flipped, rng.normal(size=(3, 3)), [1])
    states = [int("".join(str(int((2 - v) / 2)) for v in row), 3) for row in flipped.all_states()]
    assert np.abs(free(from_netket(turned))[np.ix_(states, states)] - turned.to_dense()).max() < CLOSE
    # numbers that are conserved
    bosons = nk.operator.BoseHubbard(nk.hilbert.Fock(3, 4, n_particles=3), nk.graph.Chain(4), U=2.0)
    ours = from_netket(bosons)
    assert ours.hilbert.dimension == 20
    assert np.allclose(np.linalg.eigvalsh(ours.to_dense()), np.linalg.eigvalsh(bosons.to_dense()))
    up = nk.operator.Heisenberg(nk.hilbert.Spin(0.5, 4, total_sz=0), nk.graph.Chain(4))
    assert from_netket(up).hilbert.dimension == 6
    # electrons: spin down first there
    orbitals = nk.hilbert.SpinOrbitalFermions(2, s=0.5)
    products = random_products(rng, 4, 8)
    theirs = nk.operator.FermionOperator2nd(
        orbitals, [p for p, _ in products], [c for _, c in products], dtype=complex
    )
    ours = from_netket(theirs)
    assert ours.hilbert == it.Fermions(2, spin=True)
    assert np.abs(free(ours) - reordered(np.asarray(theirs.to_dense()), [2, 3, 0, 1])).max() < CLOSE
    plain = nk.hilbert.SpinOrbitalFermions(4, n_fermions=2)
    theirs = nk.operator.FermionOperator2nd(plain, ["0^ 2", "2^ 0", "1^ 1 3^ 3"], [1.0, 1.0, 2.0])
    ours = from_netket(theirs)
    assert ours.hilbert == it.Fermions(4, 2)
    assert np.allclose(np.linalg.eigvalsh(ours.to_dense()), np.linalg.eigvalsh(theirs.to_dense()))
