"""The law of equivariance on clouds of points: what passes, what is found, what is handed on."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

import intertwine as it
from intertwine.layers.fields import field_type
from intertwine.layers.kernel import EquivariantKernel
from intertwine.layers.linear import Linear
from intertwine.layers.networks.residual import Residual
from intertwine.layers.nonlinear.gated import Gated
from intertwine.spaces import Motion
from intertwine.spaces.points.gather import gathered
from intertwine.spaces.points.harmonics import harmonics
from intertwine.symmetry import icosahedral, icosahedral_rotations

KEY = jax.random.key(3)
SPACE = it.Points(2.0)
TYPES = {"space": SPACE, "rep_in": "scalar + vector", "rep_out": "scalar + vector"}


class Plain(eqx.Module):
    """The convolution by its kernel basis, written out: Σ_j Σ κ_{lm,n} φ_n Y_lm f(j)."""

    kernel: EquivariantKernel
    space: it.Points = eqx.field(static=True)

    def __init__(self, space, rep_in, rep_out):
        into, out = field_type(space, rep_in), field_type(space, rep_out)
        self.space = space
        self.kernel = EquivariantKernel(space, into, out, it.Radial(2, 2), dtype=float, key=KEY)

    rep_in = property(lambda self: self.kernel.rep_in)
    rep_out = property(lambda self: self.kernel.rep_out)

    def __call__(self, x, *, at, key=None):
        v = at.vectors()
        r = jnp.linalg.norm(v, axis=-1)
        window = jnp.where(at.near, (1 - r / at.reach) ** 2 if self.space.cutoff else jnp.exp(-r), 0.0)
        radial = jnp.stack([window, window * r], -1)
        both = harmonics(v, 2)[..., :, None] * radial[..., None, :]
        edges = both.reshape(*r.shape, -1)
        return jnp.einsum("nkq,nki,qio->no", edges, gathered(x, at), self.kernel())


CASES = {
    "O(3)": (SPACE, "scalar + 2 vector + degree 2", "scalar + vector + pseudovector + pseudo degree 2"),
    "O(2)": (
        it.Points(2.0, group="O(2)"),
        "scalar + pseudoscalar + spin 2",
        "pseudoscalar + vector + spin 3",
    ),
    "nearest": (it.Points(nearest=3, group="SO(3)"), "scalar + vector", "scalar + 1x2"),
    "octahedral": (it.Points(2.0, group="cubic:oh"), "vector", "regular + tensor"),
    "hexagonal": (it.Points(2.0, group="c6"), "regular", "regular + irrep 2"),
    "SO(3)": (it.Points(2.0, group="SO(3)"), "scalar + vector", "scalar + vector + 1x3"),
    "SO(2)": (it.Points(2.0, nearest=4, group="SO(2)"), "scalar + vector", "scalar + spin 3"),
    "icosahedral": (
        it.Points(2.0, group=icosahedral(), matrices=icosahedral_rotations()),
        "vector + irrep 4",
        "scalar + irrep 2",
    ),
}
QUICK = ("O(3)", "O(2)", "octahedral")


@pytest.mark.parametrize(
    "name", [n if n in QUICK else pytest.param(n, marks=pytest.mark.slow) for n in CASES]
)
def test_kernels_commute(name):
    space, rep_in, rep_out = CASES[name]
    rows = it.assert_equivariant(Plain(space, rep_in, rep_out), key=KEY, tol=1e-12)
    assert len(rows) >= 5


@pytest.mark.parametrize("group", ["O(3)", "SO(3)", "O(2)", "SO(2)"])
def test_kernels_are_all_there(group):
    """dim Hom by characters, for each degree of harmonics."""
    points = it.Points(1.0, group=group)
    names = {"O(3)": ("0e", "0o", "1o", "2e", "2o"), "SO(3)": ("0", "1", "2")}.get(
        group, ("scalar", "spin 1", "spin 3")
    )
    irreps = [points.named_type(name) for name in names]
    for into in irreps:
        for out in irreps:
            degrees = [points.turns.harmonic(k) for k in range(3)]
            expected = sum(into.tensor(h).hom_dim(out) for h in degrees)
            basis = points.kernel_basis(into, out, it.Radial(2, 2))
            assert len(basis) == 2 * expected
            flat = basis.reshape(len(basis), int(np.prod(basis.shape[1:])))
            np.testing.assert_allclose(flat @ flat.T, np.eye(len(basis)), atol=1e-12)


def test_vectors_are_cartesian():
    g = np.asarray(SPACE.group.random_elements(2, key=KEY))
    np.testing.assert_allclose(SPACE.matrix(g, SPACE.named_type("vector")), g, atol=1e-12)
    v = np.random.default_rng(0).normal(size=3)
    for sign, turn in ((1, g[0]), (-1, g[1])):
        assert np.sign(np.linalg.det(turn)) == sign
        for degree in range(4):
            rho = SPACE.matrix(turn, SPACE.named_type(f"degree {degree}"))
            before, after = (np.asarray(harmonics(jnp.asarray(w), degree)) for w in (v, turn @ v))
            np.testing.assert_allclose(after[degree**2 :], rho @ before[degree**2 :], atol=1e-12)


@eqx.filter_jit
def convolved(x, at):
    """Scalars times vectors to the neighbours: a function of one's own, scalar + vector to the same."""
    v = at.vectors()
    weight = jnp.where(at.near, (1 - jnp.linalg.norm(v, axis=-1) / 2) ** 3, 0.0)
    seen = gathered(x, at)
    vectors = (weight[..., None] * (v * seen[..., :1] + seen[..., 1:])).sum(1)
    return jnp.concatenate([(weight * seen[..., 0]).sum(1, keepdims=True), vectors], -1)


def test_functions_of_ones_own():
    it.assert_equivariant(convolved, **TYPES, key=KEY, tol=1e-12)
    it.assert_equivariant(lambda x, at: at.means(convolved(x, at)), **TYPES, key=KEY, tol=1e-12, shape=(4,))
    turn = np.array([[0.0, -1.0, 0.0], [1.0, 0.0, 0.0], [0.0, 0.0, 1.0]])
    rows = it.equivariance_errors(convolved, **TYPES, key=KEY, elements=[turn, Motion(-turn, np.ones(3))])
    assert [row.name for row in rows] == ["a turn by 90°", "a turn by 90°, with the inversion, a shift"]


def crossed(x, at):
    y = convolved(x, at)
    return y.at[:, 1:].set(jnp.cross(y[:, 1:], x[:, 1:]))


WRONG = {
    "positions": (lambda x, at: convolved(x, at) + at.positions[:, :1], "it changes under translations"),
    "order": (lambda x, at: convolved(x, at) * jnp.arange(len(x))[:, None], "another order of the points"),
    "bias": (lambda x, at: convolved(x, at) + jnp.array([0, 1.0, 0, 0]), "a bias on (1, -)"),
    "relu": (lambda x, at: jnp.maximum(convolved(x, at), 0), "never negative"),
    "parity": (crossed, "with rotations and not with reflections"),
    "axes": (lambda x, at: convolved(x, at)[:, jnp.array([0, 2, 3, 1])], "polar axis z"),
}


@pytest.mark.parametrize("name", WRONG)
def test_the_reason_is_found(name):
    function, words = WRONG[name]
    with pytest.raises(AssertionError) as found:
        it.assert_equivariant(function, **TYPES, key=KEY)
    assert words in str(found.value)


def test_one_array_is_judged():
    with pytest.raises(it.InputError, match="lambda x, at: network"):
        it.assert_equivariant(lambda x, at: (x, x), **TYPES, key=KEY)


def test_networks_hand_the_cloud_on():
    gate = Gated(SPACE.named_type("3 scalar + 3 vector"))
    first, rep = Plain(SPACE, "scalar + vector", gate.rep_in), gate.rep_out
    rest = [("mix", Linear(rep, rep, key=KEY)), ("edges", Plain(SPACE, rep, rep))]
    net = it.Sequential([("first", first), ("gate", gate), ("block", Residual(rest))])
    rows = it.assert_equivariant(net, key=KEY, tol=1e-12)
    assert {row.layer for row in rows} == {"first", "gate", "block", "whole"}
    x = np.random.default_rng(4).uniform(0, 3, (8, 3))
    cloud = SPACE.cloud(x)
    found = eqx.filter_jit(net)(jnp.ones((8, 4)), at=cloud)
    half = gate(first(jnp.ones((8, 4)), at=cloud))
    by_hand = half + rest[1][1](rest[0][1](half), at=cloud)
    np.testing.assert_allclose(found, by_hand, rtol=1e-12)


def test_other_spaces_take_no_cloud():
    grid = it.Grid("p4")
    layer = it.Conv(grid, "scalar", "scalar", 3, key=KEY)
    with pytest.raises(it.InputError, match="at: expected nothing on Grid"):
        layer(jnp.ones((5, 5, 1)), at=SPACE.cloud(np.eye(3)))


def test_crystals_turn_and_double():
    """Positions and cell turned together, and two cells for one, shorter than the cut-off."""
    layer = Plain(SPACE, "scalar", "scalar + vector + degree 2")
    run = eqx.filter_jit(lambda f, cloud: layer(f, at=cloud))
    draw = np.random.default_rng(9)
    cell = np.array([[1.7, 0.2, 0.0], [0.5, 1.6, 0.3], [0.0, -0.4, 1.9]])
    x, f = draw.uniform(0, 1, (2, 3)) @ cell, draw.normal(size=(2, 1))
    turn = np.asarray(SPACE.group.random_elements(2, key=KEY))[1]
    plain = np.asarray(run(f, SPACE.cloud(x, cell=cell, neighbours=64)))
    turned = np.asarray(run(f, SPACE.cloud(x @ turn.T, cell=cell @ turn.T, neighbours=64)))
    np.testing.assert_allclose(turned, SPACE.act(turn, plain, layer.rep_out), atol=1e-12)
    double = SPACE.cloud(np.concatenate([x, x + cell[1]]), cell=cell * [[1], [2], [1]], neighbours=64)
    np.testing.assert_allclose(run(np.tile(f, (2, 1)), double), np.tile(plain, (2, 1)), atol=1e-12)
