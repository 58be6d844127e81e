"""Groups against matrices; loops, action and charge against plain sums over sites; the gauge law."""

import functools
import itertools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from gauge_table import CONTINUOUS, GROUPS, hot, links_of, matrices

from intertwine import InputError
from intertwine.models.gauge import (
    plaquette,
    polyakov_loops,
    staples,
    topological_charge,
    wilson_loop,
    wilson_loops,
)
from intertwine.models.gauge.wilson_action import Gauge
from intertwine.spaces.lattices import Chain, Cubic, Hypercubic, Square, Triangular, lattice_from_name
from intertwine.spaces.links import Links
from intertwine.symmetry.groups.gauge_group import gauge_group


@pytest.mark.parametrize("name", GROUPS)
def test_stored_elements_are_matrices(name):
    group = gauge_group(name)
    a, b = (group.random(jax.random.key(k), (6,)) for k in (1, 2))
    A, B = (np.asarray(group.matrix(x)) for x in (a, b))
    n = group.dimension
    assert np.abs(np.asarray(group.matrix(group.product(a, b))) - A @ B).max() < 1e-14
    assert np.abs(np.asarray(group.matrix(group.inverse(a))) - A.conj().swapaxes(-1, -2)).max() < 1e-14
    assert np.abs(A @ A.conj().swapaxes(-1, -2) - np.eye(n)).max() < 1e-14
    if n > 1:
        assert np.abs(np.linalg.det(A) - 1).max() < 1e-13
    assert np.abs(np.asarray(group.trace(a)) - np.trace(A, axis1=-2, axis2=-1) / n).max() < 1e-14
    assert np.abs(np.asarray(group.real_trace(a)) - np.trace(A, axis1=-2, axis2=-1).real / n).max() < 1e-14
    assert np.abs(np.asarray(group.matrix(group.identity((2,)))) - np.eye(n)).max() == 0
    assert a.dtype == group.stored(float) and group.random(jax.random.key(0), (2,), "float32").dtype == (
        group.stored("float32")
    )


@pytest.mark.parametrize("name", ["SU(2)", "SU(3)"])
def test_random_elements_are_uniform(name):
    """∫ |tr U|² = 1 and ∫ |tr U|⁴ = 2 (SU(2) and SU(3): 2; Diaconis & Evans 2001), by 4σ."""
    group = gauge_group(name)
    trace = np.asarray(group.trace(group.random(jax.random.key(3), (20_000,)))) * group.dimension
    for power, truth in ((2, 1.0), (4, 2.0)):
        values = np.abs(trace) ** power
        assert abs(values.mean() - truth) < 4 * values.std() / np.sqrt(len(values))


def by_sites(links, U, mu, nu, R, T):
    """Re tr/n of every R × T rectangle, one after another."""
    found = []
    for x in itertools.product(*map(range, links.extent)):
        at, product = list(x), np.eye(U.shape[-1], dtype=complex)
        for axis, steps, sign in ((mu, R, 1), (nu, T, 1), (mu, R, -1), (nu, T, -1)):
            for _ in range(steps):
                if sign < 0:
                    at[axis] = (at[axis] - 1) % links.extent[axis]
                link = U[(*at, axis)]
                product = product @ (link if sign > 0 else link.conj().T)
                if sign > 0:
                    at[axis] = (at[axis] + 1) % links.extent[axis]
        found.append(np.trace(product).real / len(product))
    return np.array(found)


@pytest.mark.parametrize(("name", "dimension"), [(name, 2 + k % 2) for k, name in enumerate(GROUPS)])
def test_loops_are_products_of_links(name, dimension):
    links = links_of(name, dimension)
    U = hot(links)
    M, n = matrices(links, U), links.group.dimension

    @jax.jit
    def measured(U):
        gauge = Gauge(links, 0.7)
        return gauge(U), plaquette(links, U), wilson_loop(links, U, 2, 3), polyakov_loops(links, U)

    weight, mean, loop, lines = measured(U)
    action = sum(by_sites(links, M, mu, nu, 1, 1).sum() for mu, nu in links.planes)
    assert float(weight) == pytest.approx(0.7 * action, abs=1e-12)
    assert float(mean) == pytest.approx(action / (len(links.planes) * links.lattice.size), abs=1e-13)
    both = [by_sites(links, M, *side, 2, 3).mean() for a, b in links.planes for side in ((a, b), (b, a))]
    assert float(loop) == pytest.approx(np.mean(both), abs=1e-13)
    line = functools.reduce(np.matmul, [np.take(M[..., -1, :, :], t, dimension - 1) for t in range(4)])
    around = np.trace(line, axis1=-2, axis2=-1) / n
    assert np.abs(np.asarray(lines) - around).max() < 1e-13


@pytest.mark.parametrize("name", CONTINUOUS)
def test_staples_are_what_a_link_sees(name):
    """Σ over μ and x of Re tr U A counts every plaquette four times."""
    links = links_of(name, 3)
    U = hot(links)
    M = matrices(links, U)
    seen = sum(
        np.trace(M[..., mu, :, :] @ np.asarray(around), axis1=-2, axis2=-1).real.sum()
        for mu, around in enumerate(jax.jit(lambda U: [staples(links, U, mu) for mu in range(3)])(U))
    )
    n = links.group.dimension
    assert seen / n == pytest.approx(-4 * float(Gauge(links, 1.0).energy(U)), abs=1e-11)


@pytest.mark.parametrize(
    ("name", "dimension"), [("Z5", 3), ("U(1)", 2), *[(name, 4) for name in ("SU(2)", "SU(3)")]]
)
def test_nothing_depends_on_frames(name, dimension):
    links = links_of(name, dimension)
    U, gauge = hot(links), links.random_gauge(key=jax.random.key(5))
    V = jax.jit(links.transformed)(U, gauge)
    links.check(V)
    assert np.abs(matrices(links, V) - matrices(links, U)).max() > 0.1

    @jax.jit
    def measured(U):
        found = [wilson_loops(links, U, 2).ravel(), jnp.abs(polyakov_loops(links, U, 0)).ravel()]
        if dimension == 4 and links.group.dimension > 1:
            found += [topological_charge(links, U, kind)[None] for kind in ("clover", "plaquette")]
        if dimension == 2 and name == "U(1)":
            found += [topological_charge(links, U)[None]]
        return jnp.concatenate(found)

    assert np.abs(np.asarray(measured(U) - measured(V))).max() < 1e-12


@pytest.mark.parametrize("name", CONTINUOUS)
def test_the_action_has_a_gradient(name):
    links = links_of(name)
    gauge, U = Gauge(links, 1.3), hot(links)
    direction = hot(links, 7)

    @jax.jit
    def along(t):  # off the group: the polynomial of the action
        return jax.jvp(gauge, (U + t * direction,), (direction,))

    step = 1e-4
    apart = (along(step)[0] - along(-step)[0]) / (2 * step)
    assert float(along(0.0)[1]) == pytest.approx(float(apart), rel=1e-6)


def test_a_constant_field_has_its_charge():
    """Fluxes 2π n/L² of σ_3 in two planes, of which loops see the sine: Q = 2V sin φ_12 sin φ_34/(4π²)."""
    L, n = 4, (1, -1)
    angles = np.zeros((L,) * 4 + (4,))
    x = np.indices((L,) * 4)
    for plane, quanta in zip(((0, 1), (2, 3)), n, strict=True):
        mu, nu = plane
        angles[..., nu] = 2 * np.pi * quanta / L**2 * x[mu]
        angles[..., mu] = np.where(x[mu] == L - 1, -2 * np.pi * quanta / L * x[nu], 0.0)
    zero = np.zeros_like(angles)
    U = jnp.asarray(np.stack([np.cos(angles), zero, zero, np.sin(angles)], -1))
    links = Links(Hypercubic(L, L, L, L), "SU(2)")
    phi = 2 * np.pi / L**2
    expected = 2 * L**4 * np.sin(phi) * np.sin(-phi) / (4 * np.pi**2)
    for definition in ("clover", "plaquette"):
        charge = jax.jit(lambda U, kind=definition: topological_charge(links, U, kind))(U)
        assert float(charge) == pytest.approx(expected, abs=1e-12)
    assert expected == pytest.approx(-2, abs=0.11)


def test_the_charge_of_the_plane_is_whole():
    links = Links(Square(6, 5), "U(1)")
    every = jax.vmap(lambda k: topological_charge(links, links.hot(key=k)))
    charges = jax.jit(every)(jax.random.split(jax.random.key(1), 20))
    assert np.abs(np.asarray(charges) - np.round(charges)).max() < 1e-12 and np.ptp(charges) > 0


def test_single_precision_stays():
    for name in GROUPS:
        links = links_of(name)
        U = hot(links, dtype="float32")
        assert jax.eval_shape(Gauge(links, 1.0, dtype="float32"), U).dtype == jnp.float32
        if name not in ("Z2", "Z5"):
            assert jax.eval_shape(lambda U, links=links: plaquette(links, U), U).dtype == jnp.float32


def test_names_of_lattices():
    assert lattice_from_name("hypercubic:2x3x4x5") == Hypercubic(2, 3, 4, 5)
    assert lattice_from_name(Hypercubic(3, 3).name) == Square(3, 3)
    assert lattice_from_name("hypercubic:2x2x2:open").name == "hypercubic:2x2x2:open"


SU2 = Links(Square(2, 2), "SU(2)")


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (lambda: Links(Triangular(4), "Z2"), "lattice: expected a periodic hypercubic lattice"),
        (lambda: Links(Chain(4), "Z2"), "two dimensions or more"),
        (lambda: Links(Square(4, pbc=False), "Z2"), "periodic"),
        (lambda: Links(Square(4, 1), "Z2"), "two sites or more"),
        (lambda: Links(Cubic(4), "SU(4)"), 'group: expected "Z2"'),
        (lambda: Links(Cubic(4), "Z1"), "group: expected Z2 to Z127"),
        (lambda: Gauge(Square(4, 4), 1.0), "links: expected links of a lattice"),
        (lambda: Gauge(SU2, float("nan")), "beta: expected a finite number"),
        (lambda: Gauge(SU2, 2.0)(jnp.ones((2, 2, 2, 4))), "quaternions of length 1, got a deviation of 1"),
        (lambda: Gauge(SU2, 2.0)(jnp.ones((2, 2, 4))), "links: expected one configuration of shape"),
        (lambda: plaquette(SU2, jnp.full((2, 2, 2, 4), jnp.nan)), "values that are not finite"),
        (
            lambda: plaquette(links_of("SU(3)"), 1.1 * links_of("SU(3)").cold()),
            "links: expected elements of SU(3)",
        ),
        (lambda: plaquette(links_of("SU(3)"), -links_of("SU(3)").cold()), "got a deviation of 2"),
        (lambda: plaquette(links_of("Z5"), jnp.full((3, 4, 2), 5)), "take them modulo N"),
        (lambda: plaquette(links_of("U(1)"), jnp.zeros((3, 4, 2), int)), "angles in radians"),
        (lambda: topological_charge(SU2, SU2.cold()), "U(1) in two dimensions"),
        (lambda: wilson_loop(SU2, SU2.cold(), 0, 1), "R: expected a positive integer"),
        (lambda: polyakov_loops(SU2, SU2.cold(), 2), "mu: expected a direction below 2"),
    ],
)
def test_one_clear_error(wrong, said):
    with pytest.raises(InputError) as error:
        wrong()
    assert said in str(error.value) and "\n" not in str(error.value)
