"""Samplers of links against exact values: one link by quadrature, small tori by enumeration, the plane."""

import itertools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from gauge_table import GROUPS, hot, links_of

import intertwine as it
from intertwine import InputError, _threads
from intertwine.models.gauge import (
    plane_loop,
    plane_plaquette,
    plane_topological_susceptibility,
    plaquette,
    polyakov_loop,
    topological_charge,
    wilson_loops,
)
from intertwine.sampling.gauge.heat_bath import GaugeHeatBath, _plan
from thinned import thinned

# Wilson action, infinite plane: I1/I0, tanh, I2/I1, Weyl integration (Gross & Witten 1980)
PLANE = {
    ("U(1)", 1.0): 0.4463899658965345,
    ("Z2", 0.5): 0.46211715726000974,
    ("Z3", 1.0): 0.5371576810543414,
    ("SU(2)", 2.0): 0.43312742672231175,
    ("SU(2)", 4.0): 0.6580472673593596,
    ("SU(3)", 6.0): 0.4225317396499835,
}


@pytest.mark.parametrize(("group", "beta"), PLANE)
def test_exact_values_of_the_plane(group, beta):
    assert plane_plaquette(group, beta) == pytest.approx(PLANE[group, beta], abs=1e-14)
    assert plane_plaquette(group, -1e-9) == pytest.approx(0, abs=1e-8)


def test_large_couplings_of_either_sign():
    """All links at the best element, less (n² − 1)/2β: the harmonic fluctuations, |β| u''/2 of each."""
    edges = {
        "Z2": (1.0, -1.0),
        "Z3": (1.0, -0.5),
        "U(1)": (1.0, -1.0),
        "SU(2)": (1.0, -1.0),
        "SU(3)": (1.0, -0.5),
    }
    for group, best in edges.items():
        freedom = {"U(1)": 1, "SU(2)": 3, "SU(3)": 8}.get(group, 0)
        for beta in (1e3, 1999.0, 2001.0, 1e6, 1e12):
            for sign, edge in zip((1, -1), best, strict=True):
                expected = edge - sign * freedom / (2 * beta)
                assert abs(plane_plaquette(group, sign * beta) - expected) < 30 / beta**2 + 1e-14, (
                    group,
                    beta,
                )
        with pytest.raises(InputError, match="beta"):
            plane_plaquette(group, float("nan"))


def test_topological_susceptibility():
    """Three plaquettes by a sum over two angles; weak coupling by the Gaussian weights of whole charges."""
    angles = (np.arange(1500) + 0.5) * 2 * np.pi / 1500 - np.pi
    first, second = angles[:, None], angles[None]
    third = -np.angle(np.exp(1j * (first + second)))
    charge = np.round((first + second + third) / (2 * np.pi))
    for beta in (0.3, 2.0):
        weights = np.exp(beta * (np.cos(first) + np.cos(second) + np.cos(third)))
        expected = (weights * charge**2).sum() / weights.sum() / 3
        assert plane_topological_susceptibility(beta, 3) == pytest.approx(expected, rel=3e-3)
    Q = np.arange(-60, 61)
    for beta, V in ((300.0, 3000), (1e4, 20000), (1e4, 4)):
        weights = np.exp(-2 * np.pi**2 * beta * Q**2 / V)
        expected = (weights * Q**2).sum() / weights.sum() / V
        assert plane_topological_susceptibility(beta, V) == pytest.approx(expected, rel=0.02, abs=1e-12)


def averaged(links, beta, observables, draws, seed=0, **settings):
    return it.averages(
        it.Gauge(links, beta), observables, draws, sampler=GaugeHeatBath(**settings), key=jax.random.key(seed)
    )


ROWS = [(*row, k) for row in PLANE for k in (1, 0) if not (row[0][0] == "Z" and k)]


@pytest.mark.parametrize(("group", "beta", "overrelaxation"), thinned(ROWS))
def test_plaquettes_of_the_plane(group, beta, overrelaxation):
    links = it.Links(it.Square(12, 12), group)
    found = averaged(
        links,
        beta,
        {"plaquette": lambda U: plaquette(links, U), "loops": lambda U: wilson_loops(links, U, 2)},
        100,
        overrelaxation=overrelaxation,
        burn_in=50,
    )
    assert abs(found["plaquette"].mean - PLANE[group, beta]) < 3.5 * found["plaquette"].error
    loop = found["loops"][1][1]
    assert abs(loop.mean - plane_loop(group, beta, 4)) < 3.5 * loop.error
    assert found["plaquette"].error < 4e-3


@pytest.mark.parametrize(("group", "beta"), thinned([("Z2", 0.4), ("Z3", 0.7)]))
def test_every_configuration_of_a_small_torus(group, beta):
    """Z2 and Z3 on 2 × 2: all 2^8 and 3^8 configurations, with the Polyakov loop that the plane lacks."""
    links = it.Links(it.Square(2, 2), group)
    gauge = it.Gauge(links, beta)
    every = np.array([*itertools.product(range(links.group.order), repeat=8)], np.int8)
    every = jnp.asarray(every.reshape(-1, *links.configuration_shape))
    weights = np.exp(np.asarray(jax.jit(jax.vmap(gauge))(every)))
    observables = {
        "action": gauge.energy,
        "loop": lambda U, links=links: jnp.abs(polyakov_loop(links, U)) ** 2,
    }
    found = averaged(links, beta, observables, 4000, chains=8, burn_in=20)
    for name, f in observables.items():
        truth = weights @ np.asarray(jax.jit(jax.vmap(f))(every)) / weights.sum()
        assert abs(found[name].mean - truth) < 4 * found[name].error < 0.2


def test_the_charge_of_the_torus():
    """⟨Q²⟩ of U(1) on 4 × 4 at β = 1 against the character expansion."""
    links = it.Links(it.Square(4, 4), "U(1)")
    found = averaged(links, 1.0, {"square": lambda U: topological_charge(links, U) ** 2}, 2000)["square"]
    assert abs(found.mean - 16 * plane_topological_susceptibility(1.0, 16)) < 4 * found.error < 0.1


@pytest.mark.parametrize("group", GROUPS)
def test_numbers_do_not_depend_on_threads(group):
    links = links_of(group, 3)
    gauge = it.Gauge(links, 0.8)
    drawn = []
    for chains, threads in ((2, 1), (2, 2), (2, 3)):  # chains by chains, or sites of a colour by sites
        sampler = GaugeHeatBath(chains=chains, burn_in=3)
        with _threads.limit(threads):
            state = sampler.init(gauge, key=jax.random.key(2))
            drawn.append(np.asarray(sampler.sample(gauge, state, 2, key=jax.random.key(3))[0].configurations))
    assert np.array_equal(drawn[0], drawn[1]) and np.array_equal(drawn[0], drawn[2])
    assert not np.array_equal(drawn[0][:, 0], drawn[0][:, 1])


@pytest.mark.parametrize("group", ["U(1)", "SU(2)", "SU(3)"])
def test_reflections_keep_the_action(group):
    """Two hundred passes by reflections alone, and the links are still unitary."""
    from intertwine.sampling.gauge.heat_bath import carry_on
    from intertwine.sampling.host_random import chain_states

    links = links_of(group, 4)
    gauge = it.Gauge(links, 1.0)
    U = np.array(hot(links))
    before = float(gauge(jnp.asarray(U)))
    start = U.copy()
    flat = U.reshape(1, links.lattice.size, 4, *links.group.element)
    carry_on(gauge, _plan(links), flat, chain_states(jax.random.key(0), 1), 1, 200, 10**9)
    assert float(gauge(jnp.asarray(U))) == pytest.approx(before, abs=1e-9)
    assert np.abs(U - start).max() > 0.1 and links.group.deviation(U) < 1e-14


def test_sample_asks_the_sampler():
    links = it.Links(it.Square(6, 6), "SU(2)")
    gauge = it.Gauge(links, 1.0, dtype="float32")
    both = [
        it.averages(gauge, {"e": gauge.energy}, 3, key=jax.random.key(0), **sampler)["e"].mean
        for sampler in ({}, {"sampler": GaugeHeatBath()})
    ]
    assert both[0] == both[1]
    drawn = it.sample(gauge, 20, key=jax.random.key(0))
    assert drawn.shape == (20, 6, 6, 2, 4) and drawn.dtype == np.float32 and drawn.mixed
    assert "20 configurations of 6×6×2×4 columns" in str(drawn)
    links.check(drawn[3])
    again = it.sample(gauge, 20, sampler=GaugeHeatBath(), key=jax.random.key(0))
    assert np.array_equal(again.configurations, drawn.configurations)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (lambda: GaugeHeatBath(chains=0), "chains: expected a positive integer"),
        (lambda: GaugeHeatBath(overrelaxation=-1), "overrelaxation: expected a whole number"),
        (lambda: GaugeHeatBath(start="warm"), "start: expected 'hot' or 'cold'"),
        (
            lambda: GaugeHeatBath().init(it.Ising(it.Square(4, 4), 0.4), key=jax.random.key(0)),
            "a Gauge model",
        ),
        (
            lambda: averaged(it.Links(it.Square(4, 4), "Z2"), 0.4, {"one": jnp.sum}, 2, overrelaxation=1),
            "overrelaxation: expected 0 for Z2",
        ),
        (
            lambda: averaged(it.Links(it.Square(4, 4), "Z2"), 0.4, {"one": 1}, 2),
            "observables: expected functions",
        ),
    ],
)
def test_one_clear_error(wrong, said):
    with pytest.raises(InputError, match=said):
        wrong()


def test_a_state_off_the_group_is_refused():
    links = it.Links(it.Square(4, 4), "SU(3)")
    gauge, sampler = it.Gauge(links, 1.0), GaugeHeatBath(chains=1, burn_in=0)
    state = sampler.init(gauge, key=jax.random.key(0))
    with pytest.raises(InputError, match=r"state: expected elements of SU\(3\)"):
        sampler.sample(
            gauge, state._replace(configurations=2 * state.configurations), 1, key=jax.random.key(1)
        )


@pytest.mark.slow
@pytest.mark.parametrize(
    ("group", "beta", "truth", "error"),
    [("SU(2)", 2.3, 0.6025015, 1.6e-4), ("SU(3)", 6.0, 0.5940287, 2.3e-4), ("U(1)", 0.5, 0.2460128, 2.3e-4)],
)
def test_four_dimensions(group, beta, truth, error):
    """8^4 against another code's values (benchmarks/gauge_heat_bath.py four)."""
    links = it.Links(it.Hypercubic(8, 8, 8, 8), group)
    found = averaged(links, beta, {"p": lambda U: plaquette(links, U)}, 600, chains=2)["p"]
    assert abs(found.mean - truth) < 3 * np.hypot(found.error, error) and found.error < 3e-4


@pytest.mark.slow
@pytest.mark.parametrize("beta", [0.7, 0.8])
def test_duality_in_three_dimensions(beta):
    """P(β) = coth 2β − e(β*)/sinh 2β (Wegner 1971), e by the library's Ising clusters. Surfaces around the
    torus, which the Ising model with periodic boundaries lacks, count for 0.003 at β = 0.8 on 8³, and for
    nothing that is seen on 12³."""
    lattice = it.Cubic(12)
    links = it.Links(lattice, "Z2")
    found = averaged(links, beta, {"p": lambda U: plaquette(links, U)}, 1000)["p"]
    ising = it.Ising(lattice, K=0.5 * np.arcsinh(1 / np.sinh(2 * beta)))
    bonds = len(lattice.bonds())
    bond = it.averages(
        ising,
        {"e": lambda s: -ising.energy(s) / bonds},
        2000,
        sampler=it.SwendsenWang(),
        key=jax.random.key(1),
    )["e"]
    truth = 1 / np.tanh(2 * beta) - bond.mean / np.sinh(2 * beta)
    assert abs(found.mean - truth) < 3.5 * np.hypot(found.error, bond.error / np.sinh(2 * beta))
