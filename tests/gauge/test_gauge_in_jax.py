"""The heat bath of links in JAX: densities of one link, staples, reflections, planes and small tori."""

import itertools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from gauge_table import GROUPS, hot, links_of
from scipy.special import ive

import intertwine as it
from intertwine.models.gauge import plane_plaquette, plaquette, staples
from intertwine.sampling.gauge.heat_bath import GaugeHeatBath, _table
from intertwine.sampling.gauge.jax_links import _open, continued, von_mises, weighted_cosines
from thinned import thinned

STRENGTHS = np.array([0.0, 1e-3, 0.7, 1.9, 2.1, 9.0, 300.0])


@pytest.mark.parametrize("dtype", thinned(["float32", "float64"]))
def test_densities_of_one_link(dtype, key):
    """⟨x_0⟩ = I_2(a)/I_1(a) of SU(2) and ⟨cos θ⟩ = I_1(κ)/I_0(κ) of U(1), and their second moments."""
    count = 40000
    a = jnp.asarray(np.tile(STRENGTHS[:, None], (1, count)), dtype)
    x, c = jax.jit(lambda k: (weighted_cosines(a, k), jnp.cos(von_mises(a, k))))(key)
    s = np.maximum(STRENGTHS, 1e-9)
    first = {"SU(2)": ive(2, s) / ive(1, s), "U(1)": ive(1, s) / ive(0, s)}
    second = {"SU(2)": 1 - 3 * first["SU(2)"] / s, "U(1)": 1 - first["U(1)"] / s}
    for name, drawn in (("SU(2)", x), ("U(1)", c)):
        assert drawn.dtype == dtype
        for power, truth in ((1, first[name]), (2, second[name])):
            values = np.asarray(drawn, np.float64) ** power
            assert (abs(values.mean(1) - truth) < 4.5 * values.std(1) / count**0.5).all(), (name, power)


@pytest.mark.parametrize("group", thinned(reversed(GROUPS), 5))
def test_what_is_around_a_link(group):
    """Every group of links, on unequal and odd extents, against the staples of the whole field."""
    links = links_of(group, 3)
    U, table = hot(links), _table(links)
    flat = U.reshape(1, links.size, *links.group.element)

    @jax.jit
    def both():
        mine = [links.group.matrix(_open(links, flat, around)).sum(0)[0] for around in table.around]
        return mine, [staples(links, U, mu).reshape(links.lattice.size, -1) for mu in range(3)]

    mine, theirs = jax.tree.map(np.asarray, both())
    seen = []
    for row, found in zip(table.link, mine, strict=True):
        real = row < links.size
        x, mu = row[real] // 3, row[real][0] % 3
        assert np.abs(found[real].reshape(len(x), -1) - theirs[mu][x]).max() < 1e-12
        seen += row[real].tolist()
    assert sorted(seen) == list(range(links.size))


@pytest.mark.parametrize("group", thinned(["U(1)", "SU(3)", "SU(2)"], 3))
def test_reflections_keep_the_action(group):
    links = links_of(group, 3)
    gauge = it.Gauge(links, -1.3)
    U = hot(links)
    flat = U.reshape(1, links.size, *links.group.element)
    drawn, _ = continued(links, _table(links), gauge.beta, flat, jax.random.key(0), 2, 1, 20)
    before = [float(gauge(each.reshape(U.shape))) for each in drawn[:, 0]]
    # a draw is one heat bath (which changes the action) and twenty reflections (which do not)
    other, _ = continued(links, _table(links), gauge.beta, flat, jax.random.key(0), 1, 1, 0)
    assert before[0] == pytest.approx(float(gauge(other[0, 0].reshape(U.shape))), abs=1e-9)
    assert np.abs(np.asarray(drawn[0] - other[0])).max() > 0.1 and abs(before[1] - before[0]) > 1e-3
    assert links.group.deviation(np.asarray(drawn)) < 1e-13


ROWS = [
    ("SU(2)", 2.0),
    ("U(1)", 1.0),
    ("SU(3)", 6.0),
    ("Z2", 0.5),
    ("SU(2)", -2.0),
    ("Z3", 1.0),
    ("U(1)", 40.0),
]


def averaged(links, beta, observables, draws, dtype=float, **settings):
    sampler = GaugeHeatBath(backend="jax", **settings)
    return it.averages(
        it.Gauge(links, beta, dtype=dtype), observables, draws, sampler=sampler, key=jax.random.key(1)
    )


@pytest.mark.parametrize(("group", "beta"), thinned(ROWS, 7))
def test_plaquettes_of_the_plane(group, beta):
    links = it.Links(it.Square(12, 12), group)
    p = averaged(links, beta, {"p": lambda U: plaquette(links, U)}, 100, dtype="float32", burn_in=50)["p"]
    assert abs(p.mean - plane_plaquette(group, beta)) < 3.5 * p.error < 0.02


@pytest.mark.slow
@pytest.mark.parametrize(("group", "beta"), [("Z2", 0.4), ("Z3", -0.7)])
def test_every_configuration_of_a_small_torus(group, beta):
    """2 × 2, where a link stands twice in a plaquette's row of neighbours: the action by enumeration."""
    links = it.Links(it.Square(2, 2), group)
    gauge = it.Gauge(links, beta)
    every = np.array([*itertools.product(range(links.group.order), repeat=8)], np.int8)
    actions = np.asarray(jax.jit(jax.vmap(gauge.energy))(jnp.asarray(every.reshape(-1, 2, 2, 2))))
    weights = np.exp(-beta * actions)
    found = averaged(links, beta, {"e": gauge.energy}, 4000, burn_in=20)["e"]
    assert abs(found.mean - weights @ actions / weights.sum()) < 4 * found.error < 0.2


def test_the_same_key_and_a_run_that_goes_on(key):
    """The same numbers from the same key; chains are continued from their state."""
    links = it.Links(it.Square(3, 4), "Z5")
    gauge, sampler = it.Gauge(links, 0.8), GaugeHeatBath(chains=3, burn_in=2, backend="jax")
    state = sampler.init(gauge, key=key)
    one, after = sampler.sample(gauge, state, 3, key=key)
    two, _ = sampler.sample(gauge, state, 3, key=key)
    assert np.array_equal(one.configurations, two.configurations)
    assert one.configurations.shape == (3, 3, 3, 4, 2) and one.configurations.dtype == np.int8
    assert np.array_equal(after.configurations, one.configurations[:, -1])
    assert not np.array_equal(one.configurations[:, 0], one.configurations[:, 1])
    with pytest.raises(it.InputError, match="backend: expected one of 'auto', 'host', 'jax'"):
        GaugeHeatBath(backend="gpu")
