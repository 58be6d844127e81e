"""Sums over one configuration of each orbit against sums over all configurations."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import intertwine as it
from intertwine._checks import InputError
from intertwine.models.machines.rbm import RBM
from intertwine.models.symmetric.gcnn import GCNN
from intertwine.models.symmetric.sectors import sector
from intertwine.models.symmetric.symmetrised import Symmetrised
from intertwine.quantum.defaults import orbit_sums
from intertwine.quantum.operators.hamiltonians import heisenberg, tfim
from intertwine.quantum.vmc.energy import EnergyObjective
from intertwine.quantum.vmc.expect import expect
from intertwine.quantum.vmc.ground_state import ground_state
from intertwine.quantum.vmc.local_energy import local_values
from intertwine.sampling.draw import sample
from intertwine.sampling.enumeration import Enumeration, all_configurations
from intertwine.sampling.orbits import OrbitEnumeration
from intertwine.spaces.lattices import Chain, Square


@pytest.mark.parametrize(
    ("lattice", "magnetization", "flip"),
    [(Chain(8), 0, True), (Chain(7), 1, False), (Chain(6), None, True), (Square(3, 3), None, False)],
    ids=["ring", "odd", "flips", "square"],
)
def test_orbits_are_those_of_the_group(lattice, magnetization, flip):
    """Burnside: the number of orbits is the mean number of configurations that an element leaves."""
    rows = lattice.space_group.permutations
    orbits = OrbitEnumeration(rows, magnetization=magnetization, spin_flip=flip)
    every = all_configurations(lattice.size, magnetization)
    fixed = [(every[:, row] == every).all(axis=1).sum() for row in rows]
    if flip:
        fixed += [(every[:, row] == -every).all(axis=1).sum() for row in rows]
    assert len(orbits.configurations) * len(fixed) == sum(fixed)
    assert orbits.sizes.sum() == len(every)
    for s, size in zip(orbits.configurations[:12], orbits.sizes, strict=False):
        images = [s[row] for row in rows] + ([-s[row] for row in rows] if flip else [])
        assert len(np.unique(images, axis=0)) == size


@pytest.mark.parametrize(
    ("momentum", "flip"),
    [(np.pi / 2, None), pytest.param(np.pi, -1, marks=pytest.mark.slow)],
    ids=["half", "pi"],
)
def test_a_step_of_training_is_that_of_all_configurations(momentum, flip, key):
    """Energy, its variance and the parameters after three steps of natural gradient."""
    ring = Chain(8)
    operator, q = heisenberg(ring), sector(ring, momentum)
    psi = GCNN(ring, 2, 2, character=q.row(), spin_flip=flip, dtype=complex, key=key)
    alike = np.isclose(np.abs(q.row()), 1)
    moves = ring.space_group.permutations[alike]
    orbits = OrbitEnumeration(moves, magnetization=0, spin_flip=flip is not None)
    runs = [
        ground_state(operator, psi, 3, 2, shift=0.01, sampler=sums, final_samples=1, key=key)
        for sums in (Enumeration(0), orbits)
    ]
    assert len(orbits.configurations) < 70
    for name in ("mean", "variance"):
        a, b = (getattr(run.energy, name) for run in runs)
        np.testing.assert_allclose(a, b, rtol=1e-8, atol=1e-10)
    parameters = [jax.tree.leaves(run.model) for run in runs]
    for a, b in zip(*parameters, strict=True):
        if jnp.issubdtype(a.dtype, jnp.inexact):
            np.testing.assert_allclose(a, b, rtol=0, atol=1e-7)


def test_any_operator_and_model_with_the_symmetry(key):
    square = Square(3, 2)
    psi = Symmetrised(RBM(6, 6, scale=0.4, key=key), square)
    energies = [
        expect(tfim(square, h=0.7), psi, 1, sampler=sums, key=key).mean
        for sums in (Enumeration(), OrbitEnumeration(square.space_group.permutations))
    ]
    np.testing.assert_allclose(*energies, rtol=1e-12)


def test_what_is_no_group_or_does_not_fit_is_refused(key):
    rows = Chain(6).space_group.permutations
    psi = RBM(4, 4, key=key)
    for wrong, word in (
        (lambda: OrbitEnumeration(3), "permutations"),
        (lambda: OrbitEnumeration(rows[0]), "permutations"),
        (lambda: OrbitEnumeration(rows[:, :5]), "permutations"),
        (lambda: OrbitEnumeration(rows + 0.5), "permutations"),
        (lambda: OrbitEnumeration(rows[:2]), "permutations: expected the elements of a group"),
        (lambda: OrbitEnumeration(rows, magnetization=1), "magnetization"),
        (lambda: OrbitEnumeration(rows, magnetization=2, spin_flip=True), "spin_flip"),
        (lambda: OrbitEnumeration(rows, spin_flip=1), "spin_flip"),
        (lambda: OrbitEnumeration(Chain(24).space_group.permutations), "size"),
        (lambda: OrbitEnumeration(rows).init(psi, key=key), "model"),
        (lambda: sample(RBM(6, 6, key=key), 5, sampler=OrbitEnumeration(rows), key=key), "sampler"),
    ):
        with pytest.raises(InputError, match=f"^{word}"):
            wrong()


def test_says_what_it_is():
    orbits = OrbitEnumeration(Chain(8).space_group.permutations, magnetization=0, spin_flip=True)
    assert repr(orbits) == "OrbitEnumeration(7 orbits of 70 configurations of 8 sites)"


@pytest.mark.parametrize(("name", "magnetization"), [("symmetric-rbm:2:even", 0), ("gcnn:1x2", None)])
def test_local_values_by_orbits(name, magnetization, key):
    """Where each configuration leads is looked up: as by ψ at the configurations themselves."""
    H = it.xxz(it.Chain(6), 0.5) if magnetization == 0 else it.tfim(it.Chain(6), h=0.7)
    psi = it.models.model_from_name(name, H.lattice, key=key)
    objective = EnergyObjective(H, orbit_sums(H, psi, magnetization))
    found, _ = objective.evaluate(psi, objective.init(psi, key=key), key=key)
    straight = local_values(objective.varying, psi, found.samples, backend="generic")
    assert np.abs(found.local - straight).max() < 1e-12
    table = objective.sampler.connected(np.asarray(H.flips))
    assert table.shape == (len(found.samples), len(H.flips)) and table.max() == len(table) - 1
