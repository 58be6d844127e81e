"""An RBM for any distribution, and a unit that never lowers the likelihood: against sums over all states."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from intertwine._checks import InputError
from intertwine.boltzmann.constructions.added_unit import add_hidden_unit
from intertwine.boltzmann.constructions.cube_faces import covering_faces
from intertwine.boltzmann.constructions.representability import represent
from intertwine.models.machines.rbm import RBM
from intertwine.models.machines.unit_kinds import unit_kind
from thinned import thinned


def _corners(n):
    return (np.arange(2**n)[:, None] >> np.arange(n - 1, -1, -1)) & 1


def _sparse(n, rng):
    p = np.zeros(2**n)
    chosen = rng.choice(2**n, max(1, 2 ** (n - 2)), replace=False)
    p[chosen] = rng.dirichlet(np.ones(len(chosen)))
    return p


def _product(n, rng):
    q = rng.uniform(size=n)
    return np.where(_corners(n), q, 1 - q).prod(1)


def _near_degenerate(n, rng):
    p = np.full(2**n, 1e-300)
    p[0], p[-1] = 1.0, 1e-9
    return p


DISTRIBUTIONS = {
    "dense": lambda n, rng: rng.dirichlet(np.ones(2**n)),
    "peaked": lambda n, rng: rng.dirichlet(np.full(2**n, 0.05)),
    "sparse": _sparse,
    "uniform": lambda n, rng: np.ones(2**n),
    "point mass": lambda n, rng: np.eye(2**n)[2 ** (n - 1)],
    "parity": lambda n, rng: 1.0 - _corners(n).sum(1) % 2,
    "near degenerate": _near_degenerate,
    "thirty decades": lambda n, rng: 10.0 ** rng.uniform(-30, 0, 2**n),
    "product": _product,
    "one half of the cube, not uniform": lambda n, rng: rng.dirichlet(np.ones(2**n)) * _corners(n)[:, 0],
}


def _enumerated(model):
    """ln p of all configurations in float64, straight from the energy."""
    v = model.visible_layer.states().astype(float)
    theta = v @ np.asarray(model.weights, float) + np.asarray(model.hidden_bias, float)
    low = -theta if model.hidden_units == "spin" else 0.0
    log_p = v @ np.asarray(model.visible_bias, float) + np.logaddexp(low, theta).sum(1)
    return log_p - np.logaddexp.reduce(log_p)


def _divergence(p, log_q):
    inside = p > 0
    return float((p[inside] * (np.log(p[inside]) - log_q[inside])).sum())


@pytest.mark.parametrize("n", thinned(range(1, 9)))
@pytest.mark.parametrize("name", DISTRIBUTIONS)
def test_any_distribution_to_the_divergence_that_is_asked(name, n):
    p = DISTRIBUTIONS[name](n, np.random.default_rng(n))
    p = p / p.sum()
    found = represent(p)
    divergence = _divergence(p, _enumerated(found.model))
    assert divergence < 1e-6 and found.kl == pytest.approx(divergence, abs=1e-11)
    support = int((p > 0).sum())
    assert found.hidden <= min(max(support - 1, 0), 2 ** (n - 1))
    assert found.model.hidden == max(found.hidden, 1)


@pytest.mark.parametrize("name", ["product", "uniform", "point mass"])
def test_a_product_needs_no_hidden_unit(name):
    p = DISTRIBUTIONS[name](6, np.random.default_rng(0))
    assert represent(p / p.sum()).hidden == 0


def test_a_face_takes_one_unit():
    """v_0 ≠ v_1, the rest independent: two faces, one of them in the linear function."""
    v = _corners(8)
    rest = np.where(v[:, 2:], [0.2, 0.5, 0.9, 0.4, 0.7, 0.6], [0.8, 0.5, 0.1, 0.6, 0.3, 0.4]).prod(1)
    p = np.where(v[:, 0] != v[:, 1], rest, 0)
    assert represent(p / p.sum()).hidden == 1


def test_faces_cover_what_is_needed_once():
    rng = np.random.default_rng(0)
    lift = rng.uniform(0.1, 3, 64)
    needed = rng.uniform(size=64) < 0.7
    faces = covering_faces(lift, needed, 1e-6)
    v, covered, total = _corners(6), np.zeros(64, int), np.zeros(64)
    for face in faces:
        on = ((v == face.corner) | face.free).all(1)
        covered += on
        total += np.where(on, np.logaddexp(0, face.level + (v - 0.5) @ face.slope), 0)
    np.testing.assert_array_equal(covered, needed)
    np.testing.assert_allclose(total, np.where(needed, lift, 0), atol=1e-6)


@pytest.mark.parametrize("hidden_units", ["binary", "spin"])
@pytest.mark.parametrize("units", ["binary", "spin"])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_units_and_types(units, hidden_units, dtype):
    p = np.random.default_rng(3).dirichlet(np.full(32, 0.3))
    found = represent(p, units=units, hidden_units=hidden_units, dtype=dtype)
    assert _divergence(p, _enumerated(found.model)) < 1e-6
    model = found.model
    states = jnp.asarray(model.visible_layer.states(), dtype)
    log_psi = np.asarray(jax.vmap(model)(states), float)  # as the model itself computes it
    assert _divergence(p, log_psi - np.logaddexp.reduce(log_psi)) < 1e-6
    assert model.weights.dtype == dtype and model.units == units and model.hidden_units == hidden_units


@pytest.mark.parametrize("kl", [1e-2, 1e-9, 1e-12])
def test_the_divergence_that_the_caller_names(kl):
    p = np.random.default_rng(5).dirichlet(np.full(64, 0.3))
    assert represent(p, kl).kl < kl


BAD = {
    "no power of two": ([0.5, 0.25, 0.25], {}, "probabilities: expected 2"),
    "one number": ([1.0], {}, "probabilities: expected 2"),
    "too many bits": (np.full(2**13, 2.0**-13), {}, "probabilities: expected 2"),
    "a matrix": (np.eye(2), {}, "probabilities: expected 2"),
    "words": (["a", "b"], {}, "probabilities: expected 2"),
    "negative": ([-0.5, 1.5], {}, "numbers ≥ 0, got -0.5 at 0"),
    "nan": ([np.nan, 1.0], {}, "numbers ≥ 0, got nan at 0"),
    "sum": ([0.5, 0.4], {}, "add up to 1, got .*0.9"),
    "kl": ([0.5, 0.5], {"kl": 0.0}, "kl: expected a positive number"),
    "kl out of reach": (
        np.random.default_rng(0).dirichlet(np.ones(8)),
        {"kl": 1e-30},
        "kl: expected at least",
    ),
    "units": ([0.5, 0.5], {"units": "gaussian"}, "units: expected one of"),
    "hidden units": ([0.5, 0.5], {"hidden_units": "potts:3"}, "hidden_units: expected one of"),
    "type": ([0.5, 0.5], {"dtype": complex}, "dtype: expected a real type"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_input_is_one_clear_line(case):
    p, options, message = BAD[case]
    with pytest.raises(InputError, match=message) as caught:
        represent(p, **options)
    assert "\n" not in str(caught.value)


# ------------------------------------------------------------------------------- one unit after another

MACHINES = {
    "binary": ("binary", "binary", 4),
    "spins": ("spin", "spin", 4),
    "spins over binary": ("binary", "spin", 4),
    "binary over spins": ("spin", "binary", 4),
    "potts": ("potts:3", "binary", 6),
    "pixels and a label": ((("binary", 2), ("potts:3", 3)), "spin", 5),
    "gaussian hidden": ("binary", "gaussian", 4),
    "mixed hidden": ("spin", (("binary", 2), ("rectified", 1)), 4),
}


def _machine(name, key, dtype="float64"):
    units, hidden_units, size = MACHINES[name]
    scale = 0.3 if "gaussian" in str(hidden_units) else 1.0
    return RBM(size, 3, units=units, hidden_units=hidden_units, scale=scale, dtype=dtype, key=key)


def _log_p(model):
    """In float64; idle units keep the shapes, so that a growing machine is compiled once."""
    v = model.visible_layer.states().astype(float)
    theta = v @ np.asarray(model.weights, float) + np.asarray(model.hidden_bias, float)
    log_psi = v @ np.asarray(model.visible_bias, float)
    begin = 0
    for kind, columns in model.hidden_layer.parts:
        part = jnp.asarray(np.pad(theta[:, begin : begin + columns], ((0, 0), (0, 16 - columns))))
        log_psi = log_psi + np.asarray(unit_kind(kind).log_partition(part))
        begin += columns
    return log_psi - np.logaddexp.reduce(log_psi)


@pytest.mark.parametrize(
    ("name", "dtype"),
    thinned([*((name, "float64") for name in MACHINES), ("binary", "float32"), ("spins", "float32")]),
)
def test_a_unit_never_lowers_the_likelihood(name, dtype, key):
    model = _machine(name, key, dtype)
    rng = np.random.default_rng(0)
    p = rng.dirichlet(np.full(len(model.visible_layer.states()), 0.3))
    likelihoods = [p @ _log_p(model)]
    for _ in range(3):
        added = add_hidden_unit(model, probabilities=p)
        likelihoods.append(p @ _log_p(added.model))
        assert added.exact and added.gain > 0 and added.model.hidden == model.hidden + 1
        noise = 1e-10 if dtype == "float64" else 1e-4
        assert likelihoods[-1] - likelihoods[-2] == pytest.approx(added.gain, abs=noise)
        model = added.model
    assert (np.diff(likelihoods) > 0).all()


@pytest.mark.parametrize("name", thinned(["binary", "spins", "pixels and a label"]))
def test_units_reach_the_distribution(name, key):
    model = _machine(name, key)
    states = model.visible_layer.states()
    p = np.zeros(len(states))
    p[[1, 4, 5, -1]] = [0.1, 0.2, 0.3, 0.4]
    divergences = [_divergence(p, _log_p(model))]
    for _ in range(8):
        model = add_hidden_unit(model, states[[1, 4, 4, 5, 5, 5, -1, -1, -1, -1]]).model
        divergences.append(_divergence(p, _log_p(model)))
    assert (np.diff(divergences) < 1e-9).all() and divergences[-1] < 0.1 * divergences[0]


@pytest.mark.slow
def test_a_large_machine_gains_without_its_partition_function(key, monkeypatch):
    """The same lower bound where Z is not enumerated, checked where it can be."""
    from intertwine.boltzmann.constructions import added_unit

    data = np.random.default_rng(1).integers(0, 2, (40, 10))
    for units in ("binary", "spin"):
        model = RBM(10, 6, units=units, hidden_units=units, scale=0.5, key=key)
        rows = 2 * data - 1 if units == "spin" else data
        best = add_hidden_unit(model, rows).gain
        monkeypatch.setattr(added_unit, "_MOST_FOR_EXACT", 2)
        for _ in range(3):
            added = add_hidden_unit(model, rows)
            index = (data * 2 ** np.arange(9, -1, -1)).sum(1)
            true = float((_log_p(added.model) - _log_p(model))[index].mean())
            assert not added.exact and 0 < added.gain <= true + 1e-12 and added.gain <= best + 1e-12
            model = added.model
        monkeypatch.undo()
    wide = RBM(200, 100, units="binary", hidden_units="binary", key=key)
    assert add_hidden_unit(wide, np.random.default_rng(2).integers(0, 2, (30, 200))).gain > 0


def test_where_the_distribution_is_reached_nothing_is_lost(key):
    model = _machine("binary", key)
    added = add_hidden_unit(model, probabilities=np.exp(_log_p(model)))
    assert 0 <= added.gain < 1e-9
    assert np.abs(_log_p(added.model) - _log_p(model)).max() < 1e-4


def test_one_example_alone(key):
    added = add_hidden_unit(_machine("binary", key), np.array([[1, 0, 0, 1]]))
    assert _log_p(added.model)[9] > np.log(0.999)


def test_bad_input_to_one_more_unit(key):
    model = _machine("binary", key)
    cases = [
        (
            (RBM(3, 2, units="gaussian", hidden_units="binary", key=key), np.zeros((1, 3))),
            {},
            "rbm: expected",
        ),
        ((RBM(3, 2, dtype=complex, key=key), np.ones((1, 3))), {}, "rbm: expected"),
        ((3.0, np.ones((1, 3))), {}, "rbm: expected"),
        ((model,), {}, "data: expected either"),
        ((model, np.zeros((1, 4))), {"probabilities": np.ones(16) / 16}, "data: expected either"),
        ((model, np.zeros((1, 3))), {}, "data: expected rows of 4"),
        ((model, np.full((1, 4), 0.5)), {}, "data: expected values of binary"),
        ((model, np.zeros((0, 4))), {}, "data: expected at least one row"),
        ((model,), {"probabilities": np.ones(16)}, "probabilities: expected 16 numbers"),
    ]
    for arguments, options, message in cases:
        with pytest.raises(InputError, match=message):
            add_hidden_unit(*arguments, **options)
