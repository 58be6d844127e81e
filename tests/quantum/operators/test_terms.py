"""Operators from text: every letter against a dense matrix, bad lines named, and back to text again."""

import numpy as np
import pytest
from dense_modes import count, electron_spin, lower, on_mode, spin

import intertwine as it
from intertwine._checks import InputError
from intertwine.quantum.operators import local, read_terms, write_terms

X, Y, Z = np.array([[0, 1], [1, 0]]), np.array([[0, -1j], [1j, 0]]), np.diag([1, -1])


def free(operator):
    """The matrix over the whole space without its numbers."""
    space = operator.hilbert
    return operator.to_sparse(None if space is None else space.free).toarray()


def dagger(matrix):
    return matrix.conj().T


def test_pauli_strings_of_spins():
    text = """
    # four spins
    0.5 * X0 Z3        # a comment
    -1e-3*Y1*Y_2
    (0.5 + 0.25j) X1 X0
    -(1-2j) * Z0
    2j X3
    - Z1
    + Z2
    Z0 Z0 Y1
    -3.5
    """
    found = read_terms(text, it.Chain(4))
    space = it.Spins(4)
    at = lambda i, m: on_mode(space, i, m)  # noqa: E731
    wanted = (
        0.5 * at(0, X) @ at(3, Z) - 1e-3 * at(1, Y) @ at(2, Y) + (0.5 + 0.25j) * at(1, X) @ at(0, X)
        - (1 - 2j) * at(0, Z) + 2j * at(3, X) - at(1, Z) + at(2, Z) + at(1, Y) - 3.5 * np.eye(16)
    )  # fmt: skip
    assert np.abs(found.to_dense() - wanted).max() < 1e-15
    assert found.lattice == it.Chain(4) and found.hilbert is None and found.n_strings == 9
    assert read_terms(text, it.Spins(it.Chain(4))).hilbert == it.Spins(it.Chain(4))
    assert read_terms("X0", 3).size == 3


def test_letters_of_electrons():
    space = it.Fermions(3, (1, 2))
    up, down = ([lower(space, k * 3 + i) for i in range(3)] for k in range(2))
    S = [electron_spin(u, d) for u, d in zip(up, down, strict=True)]
    cases = {
        "c^0_up c2_up": dagger(up[0]) @ up[2],
        "+_0_down -_2_down": dagger(down[0]) @ down[2],
        "c†_1_0 f_1_1": dagger(up[1]) @ down[1],
        "n1_down n_2_up": count(space, 4) @ count(space, 2),
        "[0^ 5^ 4 1]": dagger(up[0]) @ dagger(down[2]) @ down[1] @ up[1],
        "5 4^ 4 2^ 2": 5 * dagger(down[1]) @ down[1] @ dagger(up[2]) @ up[2],
        "0^": dagger(up[0]),
        "Sx0": S[0][0],
        "Sy1": S[1][1],
        "Sz2 Sz0": S[2][2] @ S[0][2],
        "Sp0 S-1": (S[0][0] + 1j * S[0][1]) @ (S[1][0] - 1j * S[1][1]),
        "c0_up c^0_up": up[0] @ dagger(up[0]),
        "|1><0|_0_up c0_up": dagger(up[0]) @ up[0],
    }
    for text, wanted in cases.items():
        assert np.abs(free(read_terms(text, space)) - wanted).max() < 1e-15, text
        both = free(read_terms(f"(0.5+2j) * {text} + h.c." if text[0] not in "[5" else text, space))
        if text[0] not in "[5":
            assert np.abs(both - (0.5 + 2j) * wanted - dagger((0.5 + 2j) * wanted)).max() < 1e-15, text


def test_letters_of_bosons_and_large_spins():
    bosons = it.Bosons(3, most=3)
    b = [lower(bosons, i) for i in range(3)]
    text = "-1 * b^0 b1 + h.c.\n0.5 * a^_2 b^2 b2 b2\n2 n0 n1\n+_1\n0.25 |3><1|_2 + HC"
    unit = np.zeros((4, 4))
    unit[3, 1] = 1
    wanted = (
        -dagger(b[0]) @ b[1] - dagger(b[1]) @ b[0] + 0.5 * dagger(b[2]) @ dagger(b[2]) @ b[2] @ b[2]
        + 2 * count(bosons, 0) @ count(bosons, 1) + dagger(b[1]) + 0.25 * on_mode(bosons, 2, unit + unit.T)
    )  # fmt: skip
    assert np.abs(free(read_terms(text, bosons)) - wanted).max() < 1e-14
    spins = it.Spins(2, s=1.5)
    (x, y, z), (x1, y1, z1) = spin(spins, 0), spin(spins, 1)
    text = "0.5 Sp0 Sm1 + h.c.\nSz0 Sz1\n0.1 S^x0 Sx0\nSy1"
    assert np.abs(free(read_terms(text, spins)) - (x @ x1 + y @ y1 + z @ z1 + 0.1 * x @ x + y1)).max() < 1e-14
    halves = it.Spins(2)
    assert np.abs(free(read_terms("Sz0", halves)) - spin(halves, 0)[2]).max() < 1e-15


def test_strings_of_any_length():
    space = it.Fermions(12)
    text = "0.5 * " + " ".join(f"n{i}" for i in range(12))
    found = read_terms(text, space)
    assert found.to_sparse().diagonal().tolist() == [0.0] * (2**12 - 1) + [0.5]
    letters = " ".join(f"Z{i}" for i in range(40))
    assert read_terms(letters, 40).strings() == [(1, {i: "Z" for i in range(40)})]


@pytest.mark.parametrize(
    ("text", "space", "message"),
    [
        ("X0\nX0 Q1", 4, "line 2: expected factors such as X0.*not 'Q1', got X0 Q1"),
        ("X9", 4, "line 1: .*from 0 to 3"),
        ("(1+) X0", 4, "line 1: expected a coefficient"),
        ("1e999 X0", 4, "line 1: expected a finite coefficient"),
        ("[X0", 4, "line 1: expected brackets"),
        ("c0", 4, "line 1: expected b for"),
        ("0.5 c^0 c1", "electrons", "line 1: .*species: expected one of up, down"),
        ("c^0_left c1_up", "electrons", "line 1: .*species"),
        ("X0_up", "electrons", "line 1: expected letters that a fermionic mode has, not X0_up"),
        ("6^ 0", "electrons", "line 1: expected modes from 0 to 5"),
        ("X0", "bosons", "line 1: expected letters that a mode of 3 levels has"),
        ("|3><0|_0", "bosons", "line 1: expected letters that a mode of 3 levels"),
        ("c^0", "bosons", "line 1: expected b for"),
        ("b0", "electrons", "line 1: .*species|expected c for"),
        ("# nothing\n", 4, "one term a line"),
        ("c^0_up c1_up", "alone", "line 1: .*expected None, as these fermions are of one species"),
        ("n0 * 2", "alone", "line 1: expected the coefficient in front"),
        ("1/0 * n0", "alone", "line 1: expected a finite coefficient"),
        ("Sz0", "mixed", "line 1: .*expected one of up, down, spins"),
        ("runs/missing", 4, "a text file that can be read"),
        ("missing.txt", 4, "missing.txt .No such file"),
        (3, 4, "a path, or a text"),
    ],
)
def test_a_line_that_does_not_fit_is_named(text, space, message):
    spaces = {"electrons": it.Fermions(3, (1, 1)), "bosons": it.Bosons(2, most=2), "alone": it.Fermions(4)}
    spaces["mixed"] = spaces["electrons"] * it.Spins(1, s=1)
    with pytest.raises(InputError, match=message):
        read_terms(text, spaces.get(space, space))


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("1/4 * n0", "0.25 n0"),
        ("(1+2j)/4 n0 n1", "(0.25+0.5j) * n0 n1"),
        ("\N{MINUS SIGN}1.5 * n0", "-1.5 n0"),
        ("- 3/2 * c^0 c1 + h.c.", "-1.5 c^0 c1 + h.c."),
    ],
)
def test_numbers_as_people_write_them(text, plain):
    space = it.Fermions(4)
    found, want = (read_terms(t, space).to_dense() for t in (text, plain))
    assert np.array_equal(found, want)


def test_spins_of_electrons_beside_others():
    space = it.Fermions(2, (1, 1)) * it.Spins(1, s=1)
    found = read_terms("Sz1_electrons", space).to_dense()
    assert np.allclose(found, read_terms("0.5 n1_up\n-0.5 n1_down", space).to_dense())


def test_files(tmp_path):
    file = tmp_path / "two.txt"
    file.write_text("\ufeff# two spins\r\n1.0 [Z0 Z1] +\r\n0.5 [X0]\r\n", encoding="utf-8")
    for source in (file, str(file)):
        found = read_terms(source, it.Chain(2))
        assert found.name == "two" and found.strings() == [(0.5, {0: "X"}), (1, {0: "Z", 1: "Z"})]
    file.write_text("X0\nX0 X7\n")
    with pytest.raises(InputError, match=r"two\.txt, line 2: .*X0 X7"):
        read_terms(file, it.Chain(2))
    file.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(InputError, match="UTF-8"):
        read_terms(file, it.Chain(2))


SPACES = {
    "spins": lambda: it.Spins(4),
    "fermions": lambda: it.Fermions(4),
    "electrons": lambda: it.Fermions(2, spin=True),
    "fermions, spins": lambda: it.Fermions(2) * it.Spins(2),
    "spins, electrons": lambda: it.Spins(1) * it.Fermions(1, spin=True) * it.Spins(1),
    "atoms": lambda: it.Rydberg(it.Chain(4)),
    "bosons": lambda: it.Bosons(2, most=3),
    "large spins": lambda: it.Spins(2, s=1.5),
    "fermions, phonons": lambda: it.Fermions(2) * it.Bosons(1, most=3),
    "fermions apart": lambda: it.Fermions(1) * it.Bosons(1, most=2) * it.Fermions(1) * it.Spins(1),
}


@pytest.mark.parametrize("name", SPACES)
def test_what_is_written_is_read_again(name):
    space = SPACES[name]()
    rng = np.random.default_rng(7)
    states = int(np.prod(space.levels))
    dense = rng.normal(size=(states, states)) * (rng.random((states, states)) < 0.3)
    modes = rng.permutation(space.size).tolist()
    operator = local(space, dense[:states, :states], modes)
    again = read_terms(write_terms(operator), space)
    assert np.abs(free(again) - free(operator)).max() < 1e-13
    if space.binary and not space.has_fermions:
        assert again.strings() == operator.strings()  # to the last digit


def test_hamiltonians_are_written_as_people_write_them(tmp_path):
    H = it.hubbard(it.Fermions(it.Chain(3, pbc=False), (1, 1)), U=4.0)
    lines = write_terms(H, tmp_path / "hubbard.txt").splitlines()
    assert lines[0].startswith("# HilbertSpace(electrons, 3 sites")
    assert "-1.0 * c^0_up c1_up" in lines or "1.0 * c0_up c^1_up" in lines
    assert "4.0 * n0_up n0_down" in lines and len(lines) == 1 + 8 + 3
    assert read_terms(tmp_path / "hubbard.txt", H.hilbert).is_close(H, 1e-15)
    rotated = it.heisenberg(it.Chain(4))
    plain = it.heisenberg(it.Chain(4), marshall=False)
    assert rotated.turned and read_terms(write_terms(rotated), it.Chain(4)).strings() == plain.strings()
    boson = it.bose_hubbard(it.Bosons(it.Chain(3), 3), U=2.0)
    assert np.abs(free(read_terms(write_terms(boson), boson.hilbert)) - free(boson)).max() < 1e-13
    assert write_terms(0 * plain).splitlines() == ["# 4 spins", "0.0"]


def test_signs_of_too_many_modes_are_refused():
    space = it.Fermions(20)
    everything = it.Operator.from_strings(20, [(1.0, "Z" * 20)])
    from dataclasses import replace

    with pytest.raises(InputError, match="at most 16 modes"):
        write_terms(replace(everything, hilbert=space))


def test_ground_states_of_terms():
    H = read_terms("-1 * c^0 c1 + h.c.\n-1 * c^1 c2 + h.c.\n3 * n0 n1\n3 * n1 n2", it.Fermions(3, 2))
    wanted = np.linalg.eigvalsh(H.to_dense())[0]
    assert H.to_dense().shape == (3, 3) and it.exact.ground_energy(H) == pytest.approx(wanted, abs=1e-10)
