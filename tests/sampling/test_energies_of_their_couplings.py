"""Histogram reweighting finds out energies of which the couplings cannot be the couplings."""

import jax
import numpy as np
import pytest

import intertwine as it
from intertwine._checks import InputError

COUPLINGS = (0.38, 0.41, 0.44)


@pytest.fixture(scope="module")
def energies() -> list[np.ndarray]:
    """Of 8 × 8 tori, (chains, draws) at each coupling."""
    found = []
    for k, K in enumerate(COUPLINGS):
        model, sampler = it.Ising(it.Square(8, 8), K=K), it.SwendsenWang(chains=8)
        start, key = jax.random.split(jax.random.key(k))
        samples, _ = sampler.sample(model, sampler.init(model, key=start), 500, key=key)
        found.append(np.asarray(model.energy(samples.configurations), float))
    return found


def test_total_energies_agree(energies) -> None:
    data = it.MultiHistogram(energies, COUPLINGS)
    assert data.warnings == () and data.at(0.4).warnings == ()


def test_energies_a_site_are_refused(energies) -> None:
    with pytest.raises(InputError, match=r"energies: expected total energies .* not a site"):
        it.MultiHistogram([e / 64 for e in energies], COUPLINGS)


def test_energies_of_the_other_sign_are_refused(energies) -> None:
    with pytest.raises(InputError, match=r"energies: expected energies E .* grow with K.*sign"):
        it.MultiHistogram([-e for e in energies], COUPLINGS)


def test_a_set_that_does_not_fit_the_others_is_told(energies) -> None:
    """A shift of one set's energies by 9 (of 25 between the first and the last): a caveat, as data."""
    data = it.MultiHistogram([energies[0], energies[1] + 9, energies[2]], COUPLINGS)
    assert [line.partition(":")[0] for line in data.warnings] == ["untrusted"]
    assert data.at(0.4).warnings == data.warnings and "warning: untrusted" in str(data.at(0.4))
