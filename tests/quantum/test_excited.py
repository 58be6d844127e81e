"""Lowest states by sector: exact ones against the whole spectrum, variational ones against exact ones."""

import jax
import numpy as np
import pytest

from intertwine._checks import InputError
from intertwine.models.symmetric.sectors import sector, sectors
from intertwine.models.symmetric.symmetrised import Symmetrised
from intertwine.quantum import exact
from intertwine.quantum.operators.hamiltonians import heisenberg, j1j2, tfim
from intertwine.quantum.operators.operator import Operator
from intertwine.quantum.vmc.excited import exact_levels, lowest_in_sector
from intertwine.spaces.lattices import Chain, Honeycomb, Square


@pytest.mark.parametrize(
    ("make", "lattice"),
    [(heisenberg, Chain(6)), (tfim, Square(3, 2)), (j1j2, Square(3, 3)), (heisenberg, Honeycomb(2, 1))],
    ids=["chain", "rectangle", "frustrated", "honeycomb"],
)
def test_the_sectors_together_have_the_whole_spectrum(make, lattice):
    operator = make(lattice)
    levels = [np.repeat(exact_levels(operator, s, 1000), s.dimension) for s in sectors(lattice)]
    whole = np.linalg.eigvalsh(operator.to_dense())
    np.testing.assert_allclose(np.sort(np.concatenate(levels)), whole, rtol=0, atol=1e-10)


def test_momenta_and_flips_against_lanczos():
    ring = Chain(8)
    operator = heisenberg(ring)
    for m in range(5):
        q = 2 * np.pi * m / 8
        for flip in (1, -1):
            found = [
                exact_levels(operator, s, 1, magnetization=0, spin_flip=flip)
                for s in sectors(ring)
                if np.isclose(s.momentum[0], q)
            ]
            lowest = min(e[0] for e in found if len(e))
            conserved = exact.Sector(magnetization=0, spin_flip=flip, momentum=m)
            assert abs(lowest - exact.ground_energy(operator, sector=conserved)) < 1e-9


def test_variational_lowest_state(key):
    ring = Chain(6)
    operator, s = heisenberg(ring), sector(ring, np.pi, "B")
    levels = exact_levels(operator, s, 1, magnetization=0)
    run = lowest_in_sector(operator, s, steps=40, samples=256, exact_sums=True, key=key)
    assert abs(run.energy.mean.real - levels[0]) < 3 * run.energy.error + 1e-4


def test_what_does_not_fit_is_refused(key):
    ring = Chain(6)
    s = sector(ring)
    field = Operator.from_strings(6, [(1.0, {i: "Z"}) for i in range(6)])
    for wrong, word in (
        (lambda: exact_levels(3, s), "operator"),
        (lambda: exact_levels(heisenberg(ring), "A"), "sector"),
        (lambda: exact_levels(heisenberg(Chain(8)), s), "sector"),
        (lambda: exact_levels(heisenberg(Chain(6, pbc=False)), s), "operator"),
        (lambda: exact_levels(heisenberg(ring), s, 0), "k"),
        (lambda: exact_levels(heisenberg(ring), s, spin_flip=0), "spin_flip"),
        (lambda: exact_levels(field, s, spin_flip=1), "spin_flip"),
        (lambda: lowest_in_sector(field, s, spin_flip=1, key=key), "spin_flip"),
        (lambda: exact_levels(heisenberg(Chain(22)), sector(Chain(22))), "operator"),
        (lambda: lowest_in_sector(heisenberg(Chain(8)), s, key=key), "sector"),
    ):
        with pytest.raises(InputError, match=f"^{word}"):
            wrong()


@pytest.mark.slow
@pytest.mark.parametrize("lattice", [Chain(12), Square(4, 4)], ids=["chain-12", "square-4x4"])
def test_every_sector_within_three_sigma(lattice):
    operator = heisenberg(lattice)
    for number, s in enumerate(sectors(lattice)):
        levels = {flip: exact_levels(operator, s, 1, magnetization=0, spin_flip=flip) for flip in (1, -1)}
        flip = min((f for f in levels if len(levels[f])), key=lambda f: levels[f][0])
        key = jax.random.key(2 * number + (flip < 0))
        options = {"steps": 400, "exact_sums": True, "final_samples": 8192}
        run = lowest_in_sector(operator, s, spin_flip=flip, key=key, **options)
        rounding = 1e-12
        assert abs(run.energy.mean.real - levels[flip][0]) < 3 * run.energy.error + rounding, s.name


def test_another_model_by_sector(key):
    from intertwine.models.machines.rbm import RBM

    ring = Chain(4)

    def model(character, key):
        return Symmetrised(RBM(4, 4, dtype=complex, scale=0.3, key=key), ring, character)

    run = lowest_in_sector(
        heisenberg(ring), sector(ring, np.pi), model, steps=40, samples=64, exact_sums=True, key=key
    )
    assert abs(run.energy.mean.real + 4) < 1e-2
