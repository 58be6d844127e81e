"""Critical slowing down: the machinery on small systems; the exponents in the slow test."""

import numpy as np
import pytest

from intertwine._checks import InputError
from intertwine.models.spins.ising import CRITICAL_SQUARE, Ising
from intertwine.models.spins.ising_exact import magnetization_distribution
from intertwine.rg.scaling.critical_slowing import critical_slowing
from intertwine.sampling.spins.cluster import SwendsenWang
from intertwine.sampling.spins.heat_bath import HeatBath
from intertwine.sampling.spins.wolff import Wolff
from intertwine.sampling.statistics.estimate import autocorrelation_time
from intertwine.spaces.lattices import Square


@pytest.mark.slow
def test_heat_bath_slows_down_and_clusters_hardly(key):
    local = critical_slowing(HeatBath(chains=64, burn_in=50), (4, 8, 16), draws=1024, key=key)
    clusters = critical_slowing(SwendsenWang(chains=32, burn_in=20), (4, 8, 16), draws=512, key=key)
    assert 1.6 < local.exponents["m2"][0] < 2.4
    assert -0.2 < clusters.z < 0.8
    assert local.tau["m2"][-1] > 4 * clusters.tau["m2"][-1]
    assert local.slowest == "m2" and local.z_error > 0
    assert [row["L"] for row in local.table] == [4, 8, 16] and "z" in str(local)


def test_single_clusters_count_as_the_share_of_sites_that_they_turn(key):
    """τ in clusters times ⟨m²⟩, exact."""
    found = critical_slowing(Wolff(chains=32, burn_in=20), (4, 8), draws=1024, key=key)
    model = Ising(Square(8, 8), CRITICAL_SQUARE)
    single = Wolff(chains=32, burn_in=200, clusters=1)
    samples, _ = single.sample(model, single.init(model, key=key), 2000, key=key)
    m, p = magnetization_distribution(8, 8, CRITICAL_SQUARE)
    tau = autocorrelation_time(np.asarray(model.energy(samples.configurations))) * (p @ m**2)
    assert abs(found.tau["energy"][1] / tau - 1) < 0.15


@pytest.mark.slow
def test_dynamic_exponents(key):
    """z = 2.167 of local dynamics (Nightingale & Blöte 1996); below 0.5 for clusters."""
    local = critical_slowing(HeatBath(chains=256, burn_in=50), (8, 16, 32, 64), draws=4096, key=key)
    assert abs(local.exponents["m2"][0] - 2.167) < 0.1
    clusters = critical_slowing(SwendsenWang(chains=64, burn_in=50), (16, 32, 64), draws=2048, key=key)
    single = critical_slowing(Wolff(chains=64, burn_in=50), (16, 32, 64), draws=2048, key=key)
    assert 0.0 < single.exponents["energy"][0] < 0.5
    assert 0.1 < clusters.exponents["energy"][0] < 0.5


def test_bad_input_is_one_line(key):
    with pytest.raises(InputError, match="lengths: expected at least two different sizes"):
        critical_slowing(HeatBath(), (8, 8), key=key)
    with pytest.raises(InputError, match="sampler: expected a sampler with at least 8 chains"):
        critical_slowing(HeatBath(chains=4), (8, 16), key=key)
    with pytest.raises(InputError, match="draws: expected at least 256"):
        critical_slowing(HeatBath(), (8, 16), draws=10, key=key)
