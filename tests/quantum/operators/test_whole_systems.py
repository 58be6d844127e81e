"""Numbers of a whole system and operators of a momentum, against sums of dense matrices."""

import numpy as np
import pytest
from dense_modes import close, count, electron_spin, lower, spin

import intertwine as it
from intertwine._checks import InputError

op = it.operators


def spins_of(space):
    if space.has_fermions:
        L = space.size // 2
        return [electron_spin(lower(space, i), lower(space, i + L)) for i in range(L)]
    return [spin(space, i) for i in range(space.size)]


@pytest.mark.parametrize(
    "space", [it.Spins(it.Chain(4)), it.Spins(it.Chain(4), s=1), it.Fermions(it.Chain(2), spin=True)], ids=str
)
def test_spins_of_a_whole_system(space):
    s = spins_of(space)
    total = [sum(one[a] for one in s) for a in range(3)]
    assert close(op.magnetization(space), total[2])
    squared = op.total_spin_squared(space)
    assert close(squared, sum(t @ t for t in total)) and squared.is_hermitian
    signs = space.place.sublattices()
    staggered = [sum(e * one[a] for e, one in zip(signs, s, strict=True)) for a in range(3)]
    want = sum(t @ t for t in staggered) / len(s) ** 2
    assert close(op.staggered_magnetization_squared(space), want)
    assert close(op.staggered_magnetization_squared(space, -signs), want)
    H = it.hubbard(space) if space.has_fermions else it.heisenberg(space, marshall=False)
    assert op.commutator(H, squared).n_terms == 0
    q = space.place.momenta[1]
    wave = sum(np.exp(-1j * q @ r) * one[2] for r, one in zip(space.place.positions, s, strict=True))
    assert close(op.spin_wave(space, q), wave / np.sqrt(len(s)))


@pytest.mark.parametrize("space", [it.Fermions(it.Square(2, 2)), it.Bosons(it.Chain(3), most=2)], ids=str)
def test_momentum_numbers(space):
    place = space.place
    r = place.positions
    found = []
    for q in place.momenta:
        c = sum(np.exp(-1j * q @ r[j]) * lower(space, j) for j in range(place.size)) / np.sqrt(place.size)
        found.append(op.momentum_number(space, q))
        assert close(found[-1], c.conj().T @ c) and found[-1].is_hermitian
        rho = sum(np.exp(-1j * q @ r[j]) * count(space, j) for j in range(place.size)) / np.sqrt(place.size)
        assert close(op.density_wave(space, q), rho)
    assert op.total(found).is_close(op.total_number(space))


def test_numbers_of_species():
    space = it.Fermions(2, spin=True) * it.Bosons(2, most=2)
    assert close(op.total_number(space), sum(count(space, i) for i in range(6)))
    assert close(op.total_number(space, "down"), count(space, 2) + count(space, 3))
    electrons = it.Fermions(it.Chain(3), spin=True)
    q = electrons.place.momenta[1]
    both = op.density_wave(electrons, q, "up") + op.density_wave(electrons, q, "down")
    assert both.is_close(op.density_wave(electrons, q))
    H = it.tv(it.Fermions(it.Chain(5)), V=0.0)
    energies = -2 * np.cos(2 * np.pi * np.arange(5) / 5)
    space = it.Fermions(it.Chain(5))
    waves = [e * op.momentum_number(space, q) for e, q in zip(energies, space.place.momenta, strict=True)]
    assert op.total(waves).is_close(H, 1e-12)


HOSTILE = {
    "no lattice": lambda: op.momentum_number(it.Fermions(3), [0.0]),
    "q": lambda: op.momentum_number(it.Fermions(it.Chain(3)), [0.0, 1.0]),
    "q of words": lambda: op.density_wave(it.Fermions(it.Chain(3)), ["a"]),
    "signs": lambda: op.staggered_magnetization_squared(it.Spins(it.Chain(4)), np.ones(3)),
    "no sublattices": lambda: op.staggered_magnetization_squared(it.Spins(4)),
    "odd": lambda: op.staggered_magnetization_squared(it.Spins(it.Chain(3))),
    "no spin": lambda: op.total_spin_squared(it.Fermions(3)),
    "species": lambda: op.total_number(it.Fermions(3, spin=True), "left"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_wrong_whole_systems_are_one_line(name):
    with pytest.raises(InputError) as caught:
        HOSTILE[name]()
    assert "\n" not in str(caught.value)
