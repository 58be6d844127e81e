"""Conserved charges of vector fields and trajectories, against systems whose charges are known."""

import jax.numpy as jnp
import numpy as np
import pytest

import intertwine as it

PLANE = ("x", "y", "px", "py")
STATES = np.random.default_rng(0).normal(size=(400, 4))


def oscillator(ratio):
    return lambda s: jnp.stack([s[2], s[3], -s[0], -(ratio**2) * s[1]])


def henon_heiles(e):
    """H = (p² + q²)/2 + x²y + e y³/3; separable in x ± y at e = 1, A = B."""
    return lambda s: jnp.stack([s[2], s[3], -s[0] - 2 * s[0] * s[1], -s[1] - s[0] ** 2 - e * s[1] ** 2])


def kepler(s):
    r = jnp.hypot(s[0], s[1])
    return jnp.stack([s[2], s[3], -s[0] / r**3, -s[1] / r**3])


def damped(s):
    return jnp.stack([s[1], -s[0] - 0.003 * s[1]])


OVER_R = {"1/r": lambda s: 1 / jnp.hypot(s[0], s[1])}


@pytest.mark.parametrize(
    ("field", "degree", "functions", "count", "independent"),
    [
        pytest.param(oscillator(1), 2, None, 4, 3, id="isotropic oscillator"),
        pytest.param(oscillator(2), 3, None, 4, 3, id="1:2 resonance"),
        pytest.param(henon_heiles(-1), 4, None, 1, 1, id="Henon-Heiles"),
        pytest.param(henon_heiles(1), 3, None, 2, 2, id="integrable Henon-Heiles"),
        pytest.param(kepler, 3, OVER_R, 4, 3, id="Kepler"),
    ],
)
def test_numbers_of_charges(field, degree, functions, count, independent):
    found = it.conserved(field, STATES, degree=degree, functions=functions, names=PLANE)
    assert (found.count, found.independent, found.judged, found.warnings) == (count, independent, True, ())
    assert found.null.gap > 1e6


def test_charges_are_constant_along_the_motion():
    """Kepler, against leapfrog of one's own with small steps."""
    found = it.conserved(kepler, STATES, degree=3, functions=OVER_R, names=PLANE)
    assert "x py − y px" in found.formulas
    q, p = np.array([1.0, 0.2]), np.array([0.1, 0.9])
    path = []
    for _ in range(4000):
        p = p - 5e-4 * q / np.linalg.norm(q) ** 3
        q = q + 1e-3 * p
        p = p - 5e-4 * q / np.linalg.norm(q) ** 3
        path.append([*q, *p])
    values = found(np.array(path))
    assert np.ptp(values, axis=0).max() < 3e-6
    assert np.ptp(np.array(path), axis=0).min() > 0.5


def test_formulas_are_those_of_the_books():
    names = ("x", "p")
    found = it.conserved(lambda s: np.array([s[1], -4 * s[0]]), STATES[:, :2], names=names)  # of NumPy
    assert found.formulas == ("4 x² + p²",)
    volterra = lambda s: jnp.stack([s[0] * (1 - s[1]), s[1] * (2 * s[0] - 1)])  # noqa: E731
    logs = {"ln x": lambda s: jnp.log(s[0]), "ln y": lambda s: jnp.log(s[1])}
    found = it.conserved(volterra, np.exp(STATES[:, :2] / 2), degree=1, functions=logs, names=("x", "y"))
    assert found.formulas == ("2 x + y − ln x − ln y",)


def test_what_is_not_conserved_is_not_said_to_be():
    with pytest.warns(UserWarning, match="further combination changes"):
        found = it.conserved(damped, STATES[:, :2])
    assert found.count == 0 and found.judged and found.formulas == ()
    with pytest.warns(UserWarning, match="0 at every state"):
        still = it.conserved(lambda s: 0 * s, STATES[:, :2], degree=1)
    assert still.count == 2


def test_identities_between_functions_are_no_charges():
    """x² + y² − r² is constant along everything."""
    radius = {"r": lambda s: jnp.hypot(s[0], s[1])}
    free = lambda s: jnp.stack([s[1] * s[0], s[0] + s[1] ** 2])  # noqa: E731
    assert it.conserved(free, STATES[:, :2], functions=radius).count == 0


def orbits(noise, starts=24, times=60, seed=0, friction=0.0):
    """The exact pendulum of two frequencies 1 and √2, damped, with noise: (starts, times, 4)."""
    draws = np.random.default_rng(seed)
    t = np.linspace(0, 12, times)[None, :, None]
    w = np.array([1.0, np.sqrt(2)])
    a, phase = draws.uniform(0.5, 2, size=(starts, 1, 2)), draws.uniform(0, 6.28, size=(starts, 1, 2))
    fade = np.exp(-friction * t)
    states = np.concatenate([a * np.cos(w * t + phase) * fade, -w * a * np.sin(w * t + phase) * fade], axis=2)
    return states + noise * draws.normal(size=states.shape)


def test_trajectories_have_the_charges_of_their_field():
    found = it.conserved(orbits(0.0), names=PLANE)
    assert (found.count, found.independent, found.judged) == (2, 2, True)
    assert found.formulas == ("x² + px²", "2 y² + py²")


def test_noise_is_told_from_drift():
    with pytest.warns(UserWarning, match="without drift"):
        found = it.conserved(orbits(1e-3), names=PLANE)
    assert found.count == 2 and found.judged
    assert np.allclose(found.coefficients[0, [4, 11]], 1, atol=0.01)  # x², px²
    with pytest.warns(UserWarning, match="if what was given has errors"):
        fading = it.conserved(orbits(0.0, friction=2e-3), names=PLANE)
    assert fading.count == 0
    with pytest.warns(UserWarning, match="one trajectory"):
        alone = it.conserved(orbits(0.0, starts=1)[0], degree=1)
    assert not alone.judged


def test_a_learned_field_needs_a_tolerance():
    learned = lambda s: jnp.stack([s[1], -s[0] + 1e-3 * jnp.sin(3 * s[1])])  # noqa: E731
    found = it.conserved(learned, STATES[:, :2], tolerance=1e-2, names=("x", "p"))
    assert found.count == 1 and found.judged and 0 < found.null.failing[0] < 1e-2


@pytest.mark.parametrize(
    ("system", "options", "words"),
    [
        (oscillator(1), {"states": STATES[:20], "degree": 2}, "at least 28 states for the 14 functions"),
        (oscillator(1), {"states": STATES[:, :3]}, "a velocity"),
        (oscillator(1), {"states": np.full((40, 4), np.nan)}, "finite"),
        (lambda s: s / 0, {"states": STATES}, "finite velocities"),
        (lambda s: s.nothing, {"states": STATES}, "a function of one state"),
        (oscillator(1), {}, "states"),
        (oscillator(1), {"states": STATES, "degree": 30}, "at most 1500 functions"),
        (oscillator(1), {"states": STATES, "names": ("x",)}, "4 different names"),
        (oscillator(1), {"states": STATES, "functions": {"f": lambda s: s}}, "to a number"),
        (oscillator(1), {"states": STATES, "functions": {"f": lambda s: jnp.log(s[0])}}, "finite values"),
        (oscillator(1), {"states": STATES, "tolerance": -1}, "a positive number"),
        (orbits(0.0, starts=1, times=10), {}, "further times for the 14 functions"),
        (3.0, {"states": STATES}, "a vector field"),
    ],
)
def test_what_cannot_be_asked_is_told_in_a_line(system, options, words):
    with pytest.raises(it.InputError, match=words) as error:
        it.conserved(system, **options)
    assert "\n" not in str(error.value)


def test_the_precision_of_jax_stays_as_it_was():
    before = jnp.zeros(1).dtype
    it.conserved(oscillator(1), STATES, names=PLANE)
    assert jnp.zeros(1).dtype == before


def test_coefficients_of_other_units_are_kept():
    """x² + 1e-6 p² where p is a thousand times larger, of trajectories and of the field."""
    t, q = np.linspace(0, 10, 60), np.random.default_rng(1)
    paths = [
        np.stack([a * np.cos(t + p), -1000 * a * np.sin(t + p)], 1) for a, p in q.uniform(0.5, 3, (20, 2))
    ]
    field = lambda s: jnp.stack([s[1] / 1000, -1000 * s[0]])  # noqa: E731
    of_field = it.conserved(field, q.normal(size=(60, 2)) * [1, 1000])
    for found in (it.conserved(np.stack(paths)), of_field):
        assert found.formulas == ("x1² + 1e-6 x2²",)
        assert np.allclose(found.coefficients, [[0, 0, 1, 0, 1e-6]], rtol=1e-6, atol=0)


@pytest.mark.parametrize("system", [(damped, np.ones((60, 2))), (np.ones((3, 60, 2)),)])
def test_states_that_are_all_the_same_are_an_error(system):
    with pytest.raises(it.InputError, match="states that differ") as error:
        it.conserved(*system)
    assert "\n" not in str(error.value)
