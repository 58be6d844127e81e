"""Wave functions of loops and the toric code in fields: exact energies, Gauss' law, symmetries."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

import intertwine as it
from intertwine import InputError
from intertwine.models.gauge import LoopRBM, LoopTable, domain_walls, of_dual_spins, of_loops
from intertwine.models.jastrow import Jastrow
from intertwine.models.laws import (
    assert_derivatives,
    assert_factors_consistent,
    assert_incremental_consistent,
    assert_invariant,
)
from intertwine.models.names import model_from_name
from intertwine.models.protocols import Incremental
from intertwine.quantum.entanglement.stabilisers.stabilisers import toric_code_checks
from intertwine.quantum.vmc.local_energy import local_values
from intertwine.spaces.lattices import Chain, LinkSites, Square, lattice_from_name
from intertwine.spaces.link_sites import (
    link_sites,
    link_symmetries,
    links_at,
    plaquette_links,
    star_links,
    straight_lines,
)
from thinned import thinned

# all 2^n states by ARPACK, an independent code (tolerance 1e-12)
EXACT = {
    (3, 0.2, 0.0): -18.210495638230597,
    (3, 0.2, 0.2): -18.405219042253204,
    (3, 0.5, 0.5): -21.655557224589266,
    (2, 0.2, 0.2): -8.284041656739305,
}


@pytest.mark.parametrize(("L", "hx", "hz"), thinned(reversed(EXACT)))
def test_exact_energies(L, hx, hz):
    assert it.exact.ground_energy(it.toric(LinkSites(L, L), hx, hz)) == pytest.approx(
        EXACT[L, hx, hz], abs=1e-9
    )


def test_without_z_field_it_is_an_ising_model():
    """Gauss' law everywhere, and the plaquettes in a transverse field: E = −N + E_TFIM (Wegner 1971)."""
    ising = it.exact.ground_energy(it.tfim(Square(3, 3), J=0.3, h=1.0))
    assert it.exact.ground_energy(it.toric(LinkSites(3, 3), hx=0.3)) == pytest.approx(ising - 9, abs=1e-9)


def test_stars_and_plaquettes():
    links = links_at(link_sites(Square(3, 4)))
    stars, around = toric_code_checks(3, 4)
    assert {tuple(sorted(x)) for x in stars} == set(map(tuple, star_links(links).tolist()))
    assert {tuple(sorted(x)) for x in around} == set(map(tuple, plaquette_links(links).tolist()))
    lines = straight_lines(links)
    assert len(lines) == 7 and sorted(np.concatenate(lines).tolist()) == list(range(24))
    shared = [len({*a, *b}) for a in stars for b in around]
    assert set(shared) == {6, 8}  # 2 links or none in common: they commute
    assert lattice_from_name("links:3x4") == link_sites(Square(3, 4))


def test_symmetries_keep_the_hamiltonian():
    H = it.toric(LinkSites(3, 3), 0.3, 0.1)
    group = link_symmetries(links_at(H.lattice))
    assert group.order == 72 and all(H.is_invariant(group.permutations[g]) for g in group.generators)


MODELS = {
    "plaquettes": dict(scale=0.5),
    "all": dict(lines=True, strings=True, group="space", scale=0.3),
}


def test_convolutions_of_loops(key):
    """The network on loops: the lattice's symmetries, Gauss' law without strings, and its derivatives."""
    lattice = LinkSites(2, 2)
    psi = it.LoopGCNN(lattice, 2, 2, strings=True, key=key)
    assert_invariant(psi, lattice.space_group, key=key)
    assert_factors_consistent(psi, key=key)
    pure = it.LoopGCNN(lattice, 1, 2, lines=True, key=key)
    star = np.ones(8, np.int8)
    star[star_links(links_at(lattice))[1]] = -1
    assert abs(pure(jnp.asarray(star)) - pure(jnp.ones(8, jnp.int8))) < 1e-13


@pytest.mark.parametrize("name", thinned(reversed(MODELS)))
def test_laws(name, key):
    psi = LoopRBM(LinkSites(3, 3), 2, key=key, **MODELS[name])
    assert isinstance(psi, Incremental)
    assert_incremental_consistent(psi, key=key)
    assert_factors_consistent(psi, key=key)
    assert_derivatives(psi, key=key)
    group = link_symmetries(links_at(LinkSites(3, 3)), MODELS[name].get("group", "translations"))
    assert_invariant(psi, group, key=key)


def test_gauss_law(key):
    """ψ is the same after the flip of all links at a site, for plaquettes and lines; not with strings."""
    lattice = LinkSites(3, 3)
    stars = star_links(links_at(lattice))
    s = np.where(np.asarray(jax.random.bernoulli(key, shape=(18,))), 1, -1).astype(np.int8)
    flipped = np.stack([s, *np.where((np.arange(18) == stars[:, :, None]).any(1), -s, s)])
    for strings, same in ((False, True), (True, False)):
        psi = LoopRBM(lattice, 2, lines=not strings, strings=strings, scale=0.5, key=key)
        values = np.asarray(jax.jit(jax.vmap(psi))(jnp.asarray(flipped.astype(np.int8))))
        assert (np.ptp(values) < 1e-13) == same


def test_flips_of_many_sites_cancel(key):
    """Two flips of one loop are none: by counts where there are many sites, by pairs where there are few."""
    psi = of_loops(Jastrow(3, scale=0.4, key=key), [[0, 1], [1, 2, 3], [4]], size=5)
    table = LoopTable(((0, 1), (1, 2, 3), (4,)), 5)
    assert table.through.tolist() == [[0, 3], [0, 1], [1, 3], [1, 3], [2, 3], [3, 3]]
    s = jnp.array([1, -1, 1, 1, -1])
    assert not isinstance(psi, Incremental) and float(psi(s)) == float(
        psi(s.at[:2].multiply(-1).at[2].multiply(-1))
    )
    wide = LoopRBM(LinkSites(3, 3), 2, scale=0.5, key=key)
    sites = jnp.arange(18, dtype=jnp.int32)
    ratio = eqx.filter_jit(lambda psi, s: psi.log_ratio(psi.start(s), s, sites))
    everything = ratio(wide, jnp.ones(18, jnp.int8))
    assert float(everything) == 0.0  # four flips in every plaquette


def test_energy_of_exact_sums(key):
    """Two filters hold the ground state of 2 × 2 to rounding."""
    lattice = LinkSites(2, 2)
    H = it.toric(lattice, hx=0.2)
    run = it.ground_state(
        H, LoopRBM(lattice, 2, key=key), 80, sampler=it.Enumeration(), learning_rate=0.2, shift=1e-4, key=key
    )
    exact = it.exact.ground_energy(H)
    assert abs(run.energy.mean - exact) < 1e-9


def test_dual_spins(key):
    """Local energies of 32 links in the basis X are those of the Ising model of the 16 faces, less one a
    site, at every configuration; a face moves one spin."""
    lattice, h = LinkSites(4, 4), 0.4
    inner = it.SymmetricRBM(Square(4, 4), 2, spin_flip=1, scale=0.3, key=key)
    psi, H = of_dual_spins(inner, lattice), it.toric(lattice, hx=h, basis="x")
    spins = jnp.where(jax.random.bernoulli(key, shape=(8, 16)), 1, -1).astype(jnp.int8)
    walls = domain_walls(lattice, spins)
    assert np.abs(np.asarray(psi.loops(walls)) * np.asarray(spins[:, :1]) - np.asarray(spins)).max() == 0
    found = np.asarray(local_values(H, psi, walls))
    dual = np.asarray(local_values(it.tfim(Square(4, 4), J=h, h=1.0), inner, spins))
    assert np.abs(found - (dual - 16)).max() < 1e-10
    moved = domain_walls(lattice, spins.at[:, 5].multiply(-1))
    faces = plaquette_links(links_at(lattice))
    assert (np.flatnonzero((moved != walls)[0]) == faces[5]).all()


def test_names(key):
    lattice = lattice_from_name("links:2x3")
    one = model_from_name("loop-rbm:3:lines:strings", lattice, key=key)
    assert len(one.table.loops) == 6 + 5 + 6 + 12 and one.inner.features == 3
    with pytest.raises(InputError, match="loop-rbm:FEATURES"):
        model_from_name("loop-rbm:3:even", lattice, key=key)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (lambda: it.toric(Square(3, 3)), "links of a periodic hypercubic lattice"),
        (lambda: it.toric(LinkSites(3, 3), hx=float("nan")), "hx: expected a finite real number"),
        (lambda: it.toric(LinkSites(3, 3, pbc=False)), "links of a periodic hypercubic lattice"),
        (lambda: LoopRBM(Chain(4), 2, key=jax.random.key(0)), "links of a periodic"),
        (
            lambda: of_loops(Jastrow(2, key=jax.random.key(0)), [[0]], size=3),
            "inner: expected a model of 1 spins",
        ),
        (lambda: LoopTable(((0, 0),), 3), "different sites, 0 to 2"),
    ],
)
def test_one_clear_error(wrong, said):
    with pytest.raises(InputError) as error:
        wrong()
    assert said in str(error.value) and "\n" not in str(error.value)
