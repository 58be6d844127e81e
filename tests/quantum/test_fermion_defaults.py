"""Ground states of fermions where nothing is given."""

import numpy as np
import pytest

import intertwine as it
from intertwine._caveats import code_of
from intertwine.quantum.defaults import build_model, cannot_represent, choose


@pytest.mark.parametrize(
    ("operator", "name"),
    [
        (it.hubbard(it.Fermions(it.Chain(6), (3, 3))), "pairing-jastrow:space"),
        (it.hubbard(it.Fermions(it.Chain(6), (3, 1))), "pairing-jastrow:space"),
        (it.hubbard(it.Fermions(it.Chain(6), (2, 2))), "pairing-jastrow"),  # an open shell
        (it.hubbard(it.Fermions(it.Chain(4), (1, 1)), field=[0.3, 0, 0, 0]), "pairing-jastrow"),
        (it.tv(it.Fermions(it.Square(4, 4), 5)), "slater-jastrow:space"),
    ],
)
def test_the_wave_function_fits_the_fermions(operator, name):
    assert choose(operator, sums=False).model == name


@pytest.mark.slow
def test_the_ground_state_of_electrons_on_a_square(key):
    H = it.hubbard(it.Fermions(it.Square(3, 3), (5, 1)), U=4.0)
    run = it.ground_state(H, steps=25, samples=256, key=key)
    exact = np.linalg.eigvalsh(H.to_sparse(H.hilbert).toarray())[0]
    assert run.model.kind == "signed"
    assert exact - 0.02 < run.energy.mean < exact + 0.005 * abs(exact)


def test_the_command_and_the_function_choose_the_projected_state():
    """What failed: projected onto its space, H had strings that hid its symmetries."""
    from intertwine.quantum.confined import in_own_space

    H = in_own_space(it.hubbard(it.Fermions(it.Square(4, 4), (5, 5)), U=8.0))
    assert choose(H).model == "pairing-jastrow:space"


@pytest.mark.parametrize(("particles", "told"), [((3, 3), ["assumption"]), ((2, 2), [])])
def test_a_projected_state_says_so(particles, told, key):
    """A V-score says nothing of another sector, in which the ground state may be."""
    H = it.hubbard(it.Fermions(it.Chain(6), particles))
    model = build_model(choose(H, sums=False), H, key)
    assert [code_of(line) for line in cannot_represent(H, model)] == told
