"""U|ψ⟩ with U a product of unitaries of single sites, against Kronecker products."""

from functools import reduce

import jax
import numpy as np
import pytest

import intertwine as it
from intertwine.quantum.dynamics.local_unitary import PAULI, LocallyTurned
from intertwine.quantum.entanglement.vectors import state_vector
from intertwine.sampling.space import placed, space
from thinned import thinned

KEY = jax.random.key(0)


def turn(axis, angle):
    return np.cos(angle) * np.eye(2) - 1j * np.sin(angle) * PAULI[axis]


def whole(unitaries, size):
    """⊗_j u_j, dense."""
    parts = [unitaries.get(j, np.eye(2)) for j in range(size)]
    return reduce(np.kron, [PAULI[u] if isinstance(u, str) else u for u in parts])


MODELS = {
    "rbm": lambda: it.RBM(4, hidden=3, dtype=complex, scale=0.4, key=KEY),
    "real rbm": lambda: it.RBM(4, hidden=3, scale=0.4, key=KEY),
    "symmetric": lambda: it.SymmetricRBM(it.Chain(4), 2, dtype=complex, scale=0.4, key=KEY),
    "jastrow": lambda: it.Jastrow(4, dtype=complex, scale=0.4, key=KEY),
    "gcnn": lambda: it.GCNN(it.Chain(4), 2, 2, dtype=complex, key=KEY),
}
UNITARIES = [
    {0: "X", 2: "Y", 3: turn("Z", 0.7)},
    {1: "H", 2: turn("X", 0.3) @ turn("Z", 1.1), 0: "Y"},
]


@pytest.mark.parametrize("name", thinned(MODELS))
def test_against_kronecker_products(name):
    psi = MODELS[name]()
    before = state_vector(psi).amplitudes
    for k, unitaries in enumerate(UNITARIES):
        made = it.quantum.locally_turned(psi, unitaries)
        wanted = whole(unitaries, 4) @ before
        assert abs(np.vdot(wanted, state_vector(made).amplitudes)) == pytest.approx(1, abs=1e-9)
        wrapped = k == 1 or name in ("jastrow", "gcnn")
        assert isinstance(made, LocallyTurned if wrapped else it.RBM)


def test_turns_in_the_frame_of_a_run():
    """The observables are those of the sites, in Marshall's frame too."""
    psi = MODELS["rbm"]()
    framed = placed(psi, space(it.Enumeration(), 4, (1, 3)))
    for unitaries in ({1: "X", 2: "Y"}, {1: "H"}):
        wanted = whole(unitaries, 4) @ state_vector(framed).amplitudes
        found = state_vector(it.quantum.locally_turned(framed, unitaries)).amplitudes
        assert abs(np.vdot(wanted, found)) == pytest.approx(1, abs=1e-9)


def test_a_state_of_one_magnetization_is_turned_about_z_only():
    sampler = it.Metropolis(it.Exchange(), chains=4)
    confined = placed(MODELS["rbm"](), space(sampler, 4, ()))
    before = state_vector(confined).amplitudes
    found = state_vector(it.quantum.locally_turned(confined, {0: "Z"})).amplitudes
    assert abs(np.vdot(whole({0: "Z"}, 4) @ before, found)) == pytest.approx(1, abs=1e-9)
    with pytest.raises(it.InputError, match="keep Σ s"):
        it.quantum.locally_turned(confined, {0: "X"})


def test_it_evolves():
    """A kicked state of a run's model: exact sums against vectors, and its bound."""
    psi = MODELS["symmetric"]()
    start = it.quantum.locally_turned(psi, {0: "X"})
    H = it.tfim(it.Chain(4), h=0.8)
    run = it.evolve(H, start, [0.2], key=KEY)
    true = it.exact.evolve(H, state_vector(start).amplitudes, [0.2])[0]
    far = np.sqrt(max(0.0, 2 - 2 * abs(np.vdot(true, state_vector(run.model).amplitudes))))
    assert far <= run.bound[-1] + 1e-9


@pytest.mark.parametrize(
    "unitaries, words",
    [
        ({4: "X"}, "sites 0 to 3"),
        ({0: "Q"}, "2×2 unitary"),
        ({0: [[1, 1], [0, 1]]}, "2×2 unitary"),
        ({0: np.eye(3)}, "2×2 unitary"),
    ],
)
def test_bad_input(unitaries, words):
    with pytest.raises(it.InputError, match=words):
        it.quantum.locally_turned(MODELS["rbm"](), unitaries)
    with pytest.raises(it.InputError, match="at most 12 sites"):
        it.quantum.locally_turned(it.RBM(13, hidden=1, key=KEY), {i: "H" for i in range(13)})
