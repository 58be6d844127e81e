"""Ground states of the smallest and the plainest systems, by function and command, against dense matrices."""

import json

import jax
import numpy as np
import pytest

import intertwine as it
from intertwine.cli import main
from intertwine.quantum.defaults import choose
from intertwine.spaces.lattices import lattice_from_name
from thinned import thinned

PAULI = {"X": np.array([[0, 1], [1, 0]]), "Y": np.array([[0, -1j], [1j, 0]]), "Z": np.diag([1, -1])}


def string(size, letters):
    matrix = np.eye(1)
    for i in range(size):
        matrix = np.kron(matrix, PAULI[letters[i]] if i in letters else np.eye(2))
    return matrix


def bonds(pairs, coupling=1.0, letters="XYZ"):
    return [(coupling, {a: x, b: x}) for a, b in pairs for x in letters]


def ring(size):
    return [(i, (i + 1) % size) for i in range(size)]


SYSTEMS = {
    "a field on one site": (1, [(0.3, {0: "X"}), (0.5, {0: "Y"}), (-0.2, {0: "Z"})]),
    "one site, a constant": (1, [(2.5, {})]),
    "a constant": (3, [(-3.0, {})]),
    "nothing": (3, [(0.0, {0: "X"})]),
    "diagonal": (4, [(0.3 * (i + 1), {i: "Z", (i + 1) % 4: "Z"}) for i in range(4)] + [(0.1, {0: "Z"})]),
    "a singlet": (2, bonds([(0, 1)])),
    "two sites without a real form": (2, [(1.0, {0: "X", 1: "Y"}), (-1.0, {0: "Y", 1: "X"})]),
    "a field along Y": (4, [(1.0, {i: "Y"}) for i in range(4)] + bonds(ring(4), -1.0, "Z")),
    "a frustrated ring": (5, bonds(ring(5))),
    "uncoupled pairs of either sign, a free site": (5, bonds([(0, 1)]) + bonds([(2, 3)], -1.0)),
}


@pytest.mark.parametrize("name", thinned(SYSTEMS, 4))
def test_the_function_finds_it(name):
    size, terms = SYSTEMS[name]
    exact = np.linalg.eigvalsh(sum(c * string(size, letters) for c, letters in terms))[0]
    run = it.ground_state(it.Operator.from_strings(size, terms), key=jax.random.key(0))
    assert float(run.energy.mean) == pytest.approx(exact, rel=1e-6, abs=1e-12)
    assert run.v_score < 1e-6 and run.warnings == ()


def hamiltonian(lattice, J=1.0, delta=1.0, h=None):
    pairs = np.asarray(lattice.bonds()).tolist()
    terms = bonds(pairs, -J, "Z") if h is not None else bonds(pairs, J, "XY") + bonds(pairs, J * delta, "Z")
    terms += [(-h, {i: "X"}) for i in range(lattice.size)] if h is not None else []
    return sum(c * string(lattice.size, letters) for c, letters in terms)


@pytest.mark.parametrize(
    ("flags", "couplings"),
    [
        pytest.param("chain:2", {}, marks=pytest.mark.slow),
        ("chain:5 --hamiltonian tfim --J -1 --h 0", {"J": -1.0, "h": 0.0}),
        pytest.param("chain:5:open", {}, marks=pytest.mark.slow),
        pytest.param("chain:6 --marshall false", {}, marks=pytest.mark.slow),
        ("chain:4 --hamiltonian xxz --J -1 --delta 2", {"J": -1.0, "delta": 2.0}),
    ],
)
def test_the_command_finds_it(flags, couplings, tmp_path):
    exact = np.linalg.eigvalsh(hamiltonian(lattice_from_name(flags.split()[0]), **couplings))[0]
    assert main(["ground-state", "--lattice", *flags.split(), "--out", str(tmp_path / "run")]) == 0
    found = json.loads((tmp_path / "run" / "result.json").read_text())
    assert found["energy"]["mean"] == pytest.approx(exact, rel=1e-6)
    assert found["warnings"] == [] and found["exact"]["energy"] == pytest.approx(exact, rel=1e-9)


def test_a_frame_with_signs_is_given_amplitudes_with_signs():
    """Where the user keeps the Hamiltonian as written (--marshall false)."""
    assert choose(it.heisenberg(it.Chain(6), marshall=False)).sector != "trivial"
    assert choose(it.heisenberg(it.Square(6, 6), marshall=False)).dtype == "complex"


@pytest.mark.parametrize("flags", ["chain:1", "chain:4 --J 0", "chain:4 --hamiltonian tfim --J 0 --h 0"])
def test_the_command_refuses_what_has_no_coupling_in_one_line(flags, tmp_path, capsys):
    assert main(["ground-state", "--lattice", *flags.split(), "--out", str(tmp_path / "run")]) == 2
    assert len(capsys.readouterr().err.strip().splitlines()) == 1
