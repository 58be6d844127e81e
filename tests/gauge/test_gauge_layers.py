"""Layers on links: the law under random frames, kernels by dimension counts, loops of known size, and what is
done wrong."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from gauge_table import GROUPS, hot, links_of

import intertwine as it
from intertwine import InputError
from intertwine.layers import (
    ClosedLines,
    GaugeActivation,
    GaugeBilinear,
    GlobalPool,
    Plaquettes,
    Traces,
    field_type,
    parameter_count,
)
from intertwine.layers.executors.on_links import straight
from intertwine.layers.gauge import wilson_network
from intertwine.models.gauge import plaquettes
from intertwine.models.gauge.loops import rectangle
from intertwine.spaces.link_fields import dagger, numbers, parts
from intertwine.symmetry import GaugeRep, gauge_invariants, gauge_maps
from thinned import thinned

KEY = jax.random.key(0)


def network(links):
    """Every layer, with matter."""
    count = len(links.planes) + links.dimension + 1
    psi = "2 fundamental + scalar"
    return it.Sequential(
        [
            ClosedLines(links, "links + adjoint + fundamental + scalar"),
            Plaquettes(links, f"links + {links.dimension + 1} adjoint + fundamental + scalar"),
            it.Conv(
                links,
                f"links + {count} adjoint + fundamental + scalar",
                f"links + 2 adjoint + {psi}",
                key=KEY,
            ),
            GaugeActivation(links, f"links + 2 adjoint + {psi}"),
            GaugeBilinear(links, f"links + 2 adjoint + {psi}", "links + 3 adjoint + fundamental", key=KEY),
            it.Conv(links, "links + 3 adjoint + fundamental", "links + 2 adjoint + fundamental", 2, key=KEY),
            Traces(links, "links + 2 adjoint + fundamental"),
            GlobalPool(links, "6 scalar", how="mean"),
        ]
    )


LAW = [("SU(2)", 2), ("U(1)", 2), ("SU(3)", 3), ("Z2", 3), ("Z5", 3), ("SU(3)", 2)]


@pytest.mark.parametrize(("name", "dimension"), thinned(LAW, 6))
def test_the_law(name, dimension):
    """f of other frames is f in other frames, of every layer and the whole."""
    links = it.Links({2: it.Square(3, 4), 3: it.Cubic(3, 3, 4)}[dimension], name)
    rows = it.assert_equivariant(network(links), key=KEY, tol=1e-12, batch=1)
    assert len(rows) == 9 * 6 and max(row.error for row in rows) < 1e-12
    assert rows[0].name == f"a random gauge transformation of {links.group.name}"


def test_single_precision():
    links = it.Links(it.Square(3, 4), "SU(3)")
    x = links.field(links.hot(key=KEY, dtype="float32"))
    net = it.Sequential([Plaquettes(links), it.Conv(links, "links + adjoint", "2 adjoint", key=KEY)])
    net = jax.tree.map(lambda a: a.astype(jnp.float32), net)
    assert jax.eval_shape(net, x).dtype == jnp.float32


@pytest.mark.parametrize("name", thinned(GROUPS))
def test_kernels_are_all(name):
    """Hom_G by the null space of ρ'(g) A = A ρ(g) for random g, against the maps that are given."""
    links = links_of(name)
    group = links.group
    kinds = ("adjoint", "fundamental", "scalar")
    blocks = [GaugeRep(group, ((kind, 1),)) for kind in kinds]
    gauges = group.random(jax.random.key(4), (5,))
    if name in ("Z2", "Z5"):
        gauges = jnp.arange(group.order, dtype=jnp.int8)

    def matrix(block, omega):  # of real numbers, by its action on the unit vectors
        field = jnp.broadcast_to(
            jnp.eye(block.dimension)[:, None, None], (block.dimension, 3, 4, block.dimension)
        )
        frames = jnp.broadcast_to(omega, (*links.extent, *group.element))
        return np.asarray(links.act(frames, field, block))[:, 0, 0].T

    for into in blocks:
        for out in blocks:
            found = gauge_maps(into, out)
            rows = []
            for omega in gauges:
                a, b = matrix(into, omega), matrix(out, omega)
                rows.append(np.kron(b, np.eye(len(a))) - np.kron(np.eye(len(b)), a.T))
                assert np.abs(b @ found - found @ a).max(initial=0) < 1e-13
            null = into.dimension * out.dimension - np.linalg.matrix_rank(np.concatenate(rows), tol=1e-8)
            assert (
                len(found)
                == null
                == np.linalg.matrix_rank(found.reshape(len(found), into.dimension * out.dimension))
            )
        fixed = gauge_invariants(into)
        gaps = [np.eye(into.dimension) - matrix(into, omega) for omega in gauges]
        assert len(fixed) == into.dimension - np.linalg.matrix_rank(np.concatenate(gaps), tol=1e-8)
    layer = it.Conv(links, "links + 2 adjoint", "links + 3 adjoint", 2, key=KEY)
    assert parameter_count(layer) == (1 + 2 * 2 * 2) * 2 * 3 * len(gauge_maps(blocks[0], blocks[0])) + 2 * 3


def test_a_convolution_makes_longer_loops():
    """U_01 carried from x + μ, against products of matrices; the links go through unchanged."""
    links = it.Links(it.Square(3, 4), "SU(2)")
    U = hot(links)
    layer = it.Conv(links, "links + adjoint", "links + adjoint", bias=False, key=KEY)
    x = jax.jit(lambda U: Plaquettes(links)(links.field(U)))(U)
    y = eqx.filter_jit(layer)(x)
    M = np.asarray(links.group.matrix(U))
    P = np.asarray(jax.jit(lambda U: links.group.matrix(plaquettes(links, U)[0]))(U))
    kernel, expected = np.asarray(layer.kernel()), 0
    for place, (mu, k) in enumerate(links.places(1)):
        line = M[..., mu, :, :] if k > 0 else np.roll(M[..., mu, :, :], 1, mu).conj().swapaxes(-1, -2)
        carried = line @ np.roll(P, -k, mu) @ line.conj().swapaxes(-1, -2) if k else P
        flat = np.stack([carried.real, carried.imag], -1).reshape(3, 4, 8)
        expected = expected + flat @ kernel[place, 16:, 16:]
    assert np.abs(np.asarray(y[..., 16:]) - expected).max() < 1e-13
    assert np.array_equal(y[..., :16], x[..., :16])


def test_products_make_wilson_loops():
    """U_01(x) and U_01(x + 0) carried to x, multiplied: the trace is W(2, 1)."""
    links = it.Links(it.Square(4, 4), "SU(3)")
    U = hot(links)
    x = Plaquettes(links)(links.field(U))
    found = parts(field_type(links, "links + adjoint"), x)
    link, P = found["link"][..., 0, :, :], found["adjoint"][..., 0, :, :]
    carried = link @ jnp.roll(P, -1, 0) @ dagger(link)
    trace = (jnp.trace(carried @ P, axis1=-2, axis2=-1).real / 3).mean()
    line = straight(found["link"], 0, 0, 2)
    across = jnp.roll(found["link"][..., 1, :, :], -2, 0)
    two = line @ across @ dagger(jnp.roll(line, -1, 1)) @ dagger(found["link"][..., 1, :, :])
    assert float((jnp.trace(two, axis1=-2, axis2=-1).real / 3).mean()) == pytest.approx(
        float(trace), abs=1e-13
    )
    both = links.group.real_trace(rectangle(links, U, 0, 1, 2, 1)).mean()
    assert float(both) == pytest.approx(float(trace), abs=1e-13)


@pytest.mark.parametrize(("name", "most"), [("SU(2)", 2), pytest.param("SU(3)", 4, marks=pytest.mark.slow)])
def test_a_constructed_network_gives_all_loops(name, most):
    """By weights alone, and on other lattices than it was built for."""
    net = wilson_network(it.Links(it.Square(5, 5), name), most)
    links = it.Links(it.Square(6, 7), name)
    U = hot(links)
    found = np.asarray(eqx.filter_jit(net)(links.field(U)))[::2].reshape(most, most)
    for R in range(1, most + 1):
        for T in range(1, most + 1):
            loop = jax.jit(
                lambda U, R=R, T=T: links.group.real_trace(rectangle(links, U, 0, 1, R, T)).mean()
            )(U)
            assert found[R - 1, T - 1] == pytest.approx(float(loop), abs=1e-12)


def on(links, function, out="links + adjoint"):
    """A function of (link, adjoint) matrices as one of fields."""
    rep = field_type(links, "links + adjoint")

    def run(x):
        found = parts(rep, jnp.asarray(x))
        y = function(found["link"], found["adjoint"][..., 0, :, :])
        y = numbers(y[..., None, :, :], jnp.ndim(x) - 1) if out == "links + adjoint" else y
        n = links.dimension * 2 * links.group.dimension**2
        return jnp.concatenate([jnp.asarray(x)[..., :n], y], -1) if out == "links + adjoint" else y

    return dict(subject=run, space=links, rep_in="links + adjoint", rep_out=out, key=KEY, batch=1)


BUGS = {
    "without its dagger": lambda U, W: U[..., 0, :, :] @ jnp.roll(W, -1, 1) @ U[..., 0, :, :],
    "not carried by the links": lambda U, W: W + jnp.roll(W, -1, 1),
    "or with the dagger on the wrong side": lambda U, W: (
        dagger(U[..., 0, :, :]) @ jnp.roll(W, -1, 1) @ U[..., 0, :, :]
    ),
    "the conjugation is forgotten": lambda U, W: jnp.swapaxes(W, -1, -2),
}


@pytest.mark.parametrize("said", BUGS)
def test_planted_bugs_are_named(said):
    links = it.Links(it.Square(3, 3), "SU(3)")
    with pytest.raises(AssertionError, match="random gauge transformation of SU") as error:
        it.assert_equivariant(**on(links, BUGS[said]))
    assert said in str(error.value)


def test_right_functions_pass():
    links = it.Links(it.Square(3, 3), "SU(3)")
    good = lambda U, W: U[..., 0, :, :] @ jnp.roll(W, -1, 1) @ dagger(U[..., 0, :, :]) + W @ W  # noqa: E731
    it.assert_equivariant(**on(links, good), tol=1e-12)


def test_open_traces_are_named():
    links = it.Links(it.Square(3, 3), "SU(2)")
    with pytest.raises(AssertionError, match="no traces of closed paths"):
        it.assert_equivariant(
            lambda x: x[..., 16:17].mean((1, 2)),
            space=links,
            rep_in="links + adjoint",
            rep_out="scalar",
            key=KEY,
        )


LINKS = it.Links(it.Square(3, 4), "SU(2)")


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (lambda: it.Conv(LINKS, "adjoint", "adjoint", key=KEY), "begins with the 2 links"),
        (lambda: it.Conv(LINKS, "links + adjoint", "adjoint + links", key=KEY), "the 2 links first, or none"),
        (lambda: it.Conv(LINKS, "links", "links", key=KEY), "some equivariant kernel"),
        (lambda: it.Conv(LINKS, "links + adjoint", "links + adjoint", 3, key=KEY), "a reach of 0 to 2 links"),
        (lambda: it.Conv(LINKS, "links + adjoint", "links + adjoint", stride=2, key=KEY), "stride"),
        (lambda: field_type(LINKS, "links + vector"), 'a sum such as "links + 4 adjoint'),
        (lambda: Plaquettes(LINKS, "adjoint"), "the connection is carried along"),
        (lambda: GaugeBilinear(LINKS, "links", "links + adjoint", key=KEY), "put Plaquettes before it"),
        (lambda: GaugeBilinear(LINKS, "links + adjoint", "scalar", key=KEY), "Traces makes scalars"),
        (lambda: GaugeActivation(LINKS, "links + adjoint", "sine"), "function: expected one of"),
        (lambda: GlobalPool(LINKS, "adjoint", how="mean"), "local frames"),
        (lambda: Plaquettes(LINKS)(jnp.ones((3, 4, 8))), "16 channels"),
        (lambda: LINKS.field(LINKS.cold(), other=jnp.ones((3, 4, 1))), "adjoint, fundamental or scalar"),
        (lambda: LINKS.field(2 * LINKS.cold()), "elements of SU(2)"),
    ],
)
def test_one_clear_error(wrong, said):
    with pytest.raises(InputError) as error:
        wrong()
    assert said in str(error.value) and "\n" not in str(error.value)
