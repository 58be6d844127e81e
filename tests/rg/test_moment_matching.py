"""Couplings from samples: exact where nothing is sampled, unbiased with honest errors where something is."""

from dataclasses import replace

import jax
import numpy as np
import pytest

import intertwine as it
from intertwine._checks import InputError
from intertwine.models.spins.ising import CRITICAL_SQUARE, Ising
from intertwine.models.spins.spin_enumeration import enumerate_distribution
from intertwine.models.spins.spin_terms import spin_terms
from intertwine.rg.blocks.block_hamiltonian import block_hamiltonian
from intertwine.rg.blocks.blocking import Majority
from intertwine.rg.montecarlo.callen import LocalFields, callen_couplings, local_fields
from intertwine.rg.montecarlo.moment_matching import match_moments
from intertwine.spaces.lattices import Square, Triangular

NAMES = ("nearest", "next", "plaquette")


def drawn(model, samples, seed):
    """Independent samples from the exact distribution."""
    exact = enumerate_distribution(model)
    choice = np.random.default_rng(seed).choice(len(exact.probabilities), samples, p=exact.probabilities)
    return exact.configurations[choice]


@pytest.mark.parametrize("lattice", [Square(3, 4), Triangular(3, 4)], ids=["square", "triangular"])
def test_callen_identity_is_exact(lattice):
    """With exact probabilities in place of counts, the couplings of the model come out."""
    couplings = {"nearest": 0.3, "next": -0.1, "corner": 0.05, "field": 0.1}
    exact = enumerate_distribution(Ising.of(lattice, couplings))
    table = local_fields(exact.configurations, lattice, tuple(couplings), bins=len(exact.configurations))
    share = exact.probabilities[:, None]
    found, *_ = callen_couplings(LocalFields(table.fields, share * table.up, share * table.down))
    assert np.abs(found - list(couplings.values())).max() < 1e-10


@pytest.mark.parametrize("method", ["likelihood", "callen", "sampling"])
def test_the_couplings_of_samples(method, key):
    truth = {"nearest": 0.35, "next": 0.05, "plaquette": -0.05}
    spins = drawn(Ising.of(Square(4, 4), truth), 6000, 1)
    found = match_moments(spins, NAMES, lattice=Square(4), method=method, key=key)
    assert found.names == NAMES
    assert (np.abs(found.couplings - list(truth.values())) < 3 * found.errors).all()
    assert (found.errors < 0.03).all()


@pytest.mark.parametrize("method", ["likelihood", "callen"])
def test_errors_are_honest(method):
    truth = {"nearest": 0.35, "next": 0.05, "plaquette": -0.05}
    spins = drawn(Ising.of(Square(4, 4), truth), 40 * 1000, 2).reshape(40, 1000, 16)
    found = [match_moments(part, NAMES, lattice=Square(4), method=method) for part in spins]
    pulls = np.stack([(f.couplings - list(truth.values())) / f.errors for f in found])
    assert 0.75 < np.sqrt((pulls**2).mean()) < 1.3  # 120 pulls, the errors from 32 bins
    assert (np.abs(pulls.mean(0)) < 4 / np.sqrt(40)).all()


def test_likelihood_matches_the_moments():
    spins = drawn(Ising(Square(4, 4), K=0.3), 500, 3)
    found = match_moments(spins, ("nearest", "third"), lattice=Square(4), method="likelihood")
    couplings = dict(zip(found.names, found.couplings, strict=True))
    exact = enumerate_distribution(Ising.of(Square(4, 4), couplings))
    for name in found.names:
        terms = spin_terms(Square(4, 4), name)
        model = exact.probabilities @ terms.sum(exact.configurations)
        assert abs(model - terms.sum(spins).mean()) < 1e-10


def test_block_spins_against_the_exact_hamiltonian(key):
    """4 × 4 → 2 × 2 by majority at K_c: three couplings within 3σ."""
    model = Ising(Square(4, 4), K=CRITICAL_SQUARE)
    spins = drawn(model, 20_000, 4)
    blocks = Majority(2)(spins, model.lattice, key=key)
    exact = block_hamiltonian(model, Majority(2)).project(NAMES).couplings
    for method in ("likelihood", "callen"):
        found = match_moments(blocks, NAMES, lattice=Square(2, 2), method=method)
        assert (np.abs(found.couplings - exact) < 3 * found.errors).all()


def test_what_is_refused(key):
    spins = drawn(Ising(Square(4, 4), K=0.3), 200, 5)
    for bad, message in (
        ((spins + 1) // 2, "values"),
        (spins[0], "shape"),
        (spins[:, :15], "square:4x4"),
        (np.where(spins > 0, 1, 2), "values"),
    ):
        with pytest.raises(InputError, match=message):
            match_moments(bad, NAMES, lattice=Square(4))
    with pytest.raises(InputError, match="square:4x5"):
        match_moments(spins, NAMES, lattice=Square(4, 5))
    with pytest.raises(InputError, match="method"):
        match_moments(spins, NAMES, lattice=Square(4), method="guess")
    with pytest.raises(InputError, match="key"):
        match_moments(spins, NAMES, lattice=Square(4), method="sampling")
    with pytest.raises(InputError, match="bins"):
        match_moments(spins, NAMES, lattice=Square(4), bins=500)
    ordered = np.ones((200, 16), np.int8)
    for method in ("likelihood", "callen"):
        with pytest.raises(InputError):
            match_moments(ordered, ("nearest",), lattice=Square(4), method=method)
    with pytest.raises(InputError):
        match_moments(spins, ("nearest", ((0, 0), (0, 3))), lattice=Square(4), method="callen")


def test_errors_are_of_bins_longer_than_the_autocorrelation():
    """Samples of which every 128 are one and the same: bins of 64 are joined to bins of 128."""
    slow = np.repeat(drawn(Ising(Square(4), K=0.2), 16, seed=3), 128, axis=0)
    for method in ("callen", "likelihood"):
        found, expected = (
            it.rg.match_moments(slow, ("nearest", "next"), lattice=Square(4), method=method, bins=bins)
            for bins in (32, 16)
        )
        np.testing.assert_allclose(found.errors, expected.errors)


def test_samples_that_do_not_fill_their_bins_are_said(key):
    slow = np.repeat(drawn(Ising(Square(4), K=0.2), 4, seed=3), 512, axis=0)
    with pytest.warns(UserWarning, match="too small"):
        found = it.rg.match_moments(slow, ("nearest",), lattice=Square(4))
    assert "too small" in found.warnings[0] and "warning: untrusted" in str(found)
    with pytest.warns(UserWarning, match="too small"):
        flow = it.rg.matched_flow(slow, Majority(2), 1, ("nearest",), lattice=Square(4), key=key)
    assert flow.warnings and "warning: untrusted" in str(flow)


def test_what_qualifies_the_samples_qualifies_the_couplings():
    rows = drawn(Ising(Square(4), K=0.2), 256, seed=3)
    good = it.sample(Ising(Square(4), K=0.2), 256, key=jax.random.key(0))
    said = "data: they are from elsewhere"
    for warnings, match in (((said,), "elsewhere"), ((), "not mixed")):
        spins = replace(good, configurations=rows, mixed=False, warnings=warnings)
        with pytest.warns(UserWarning, match=match):
            found = it.rg.match_moments(spins, ("nearest",))
        assert len(found.warnings) == 1 and match in found.warnings[0]
