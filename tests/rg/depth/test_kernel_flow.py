"""The kernel recursion, critical initialisations, edge of chaos: against closed forms and plain sums."""

import math
import re

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import intertwine as it
from intertwine.layers.depth.activation import NAMED, Activation
from intertwine.layers.depth.gaussian_means import moments, pair_mean, pair_slope

U = np.linspace(-12, 12, 24_001)
WEIGHT = np.exp(-(U**2) / 2) / math.sqrt(2 * math.pi) * (U[1] - U[0])


def plain(function, K: float) -> float:
    """⟨F(z)⟩ of smooth F by the trapezoidal rule, which is exact to rounding."""
    return float(WEIGHT @ function(math.sqrt(K) * U))


class ByQuadrature(Activation):
    """The same activation without its closed forms."""

    scale_invariant = False
    is_erf = False


@pytest.mark.parametrize(
    ("name", "C_b", "C_W", "tolerance"),
    [
        ("relu", 0, 2, 1e-12),
        ("tanh", 0, 1, 1e-12),
        ("linear", 0, 1, 1e-12),
        ("erf", 0, math.pi / 4, 1e-12),
        ("sin", 0, 1, 1e-12),
        ("leaky_relu", 0, 2 / 1.0001, 1e-12),
        ("gelu", 0.17292239075606775, 1.983058257437237, 1e-10),
        ("swish", 0.55514317, 1.98800468, 1e-8),  # Roberts, Yaida & Hanin 2022, § 5.3.4
    ],
)
def test_critical_initialisations(name, C_b, C_W, tolerance):
    found = it.rg.critical_initialisation(name)
    assert abs(found.C_b - C_b) < tolerance and abs(found.C_W - C_W) < tolerance
    if found.universality == "half-stable":
        m = moments(Activation.of(name), found.kernel)
        assert abs(C_W * m.growth - 1) < 1e-8 and abs(C_W * m.slope - 1) < 1e-8
        assert abs(C_b + C_W * m.square - found.kernel) < 1e-7


def test_gelu_fixed_point_in_closed_form():
    found = it.rg.critical_initialisation("gelu")
    assert abs(found.kernel - (3 + math.sqrt(17)) / 2) < 1e-9
    approximate = it.rg.critical_initialisation(jax.nn.gelu)  # JAX's default, by tanh
    assert 1e-5 < abs(approximate.C_W - found.C_W) < 1e-3


@pytest.mark.parametrize(
    ("function", "words"),
    [
        (jax.nn.sigmoid, "σ\\(0\\) = 0.5"),
        (jax.nn.softplus, "C_b < 0"),
        (lambda z: z**3, "slope at 0 is 0"),
        (lambda z: jnp.where(z > 0, 1.0, 0.0), "jumps at z = 0"),
        (jnp.sinh, "K = 0 repels"),
        (jnp.cos, "σ\\(0\\) = 1"),
    ],
)
def test_where_there_is_no_critical_point_it_is_said(function, words):
    found = it.rg.critical_initialisation(function)
    assert not found.exists and math.isnan(found.C_W)
    assert len(found.warnings) == 1 and re.search(words, found.warnings[0])


@pytest.mark.parametrize(
    ("function", "power", "rate"),
    [
        ("tanh", 1, 2),  # 1 − ⟨tanh²⟩/K = 2K
        ("sin", 1, 1),
        (lambda z: z * jnp.exp(-(z**2) / 2), 1, 3),
        ("elu", 0.5, math.sqrt(2 / math.pi)),  # ⟨z³⟩ over z < 0
        ("soft_sign", 0.5, 4 * math.sqrt(2 / math.pi)),  # σ² = z² − 2|z|³
    ],
)
def test_how_the_kernel_falls(function, power, rate):
    found = it.rg.critical_initialisation(function)
    assert found.universality == "K* = 0" and found.power == power
    assert abs(found.rate / rate - 1) < 2e-3


def test_tanh_at_depth():
    flow = it.rg.depth_flow("tanh", depth=1000)
    known = {10: 0.05801184784027032, 100: 0.005120715666032884, 1000: 0.0005016665349857395}
    for depth, kernel in known.items():
        assert abs(flow.kernel[depth - 1] - kernel) < 1e-9
    K = 1.0
    for depth in range(2, 12):
        K = plain(lambda z: np.tanh(z) ** 2, K)
        assert abs(flow.kernel[depth - 1] - K) < 1e-12
    assert flow.is_critical and flow.end.kernel == 0 and flow.phase == "edge of chaos"


def test_ordered_phase_against_plain_sums():
    flow = it.rg.depth_flow("tanh", C_W=1.3, C_b=0.01, depth=3)
    q = 1.0
    for _ in range(400):
        q = 0.01 + 1.3 * plain(lambda z: np.tanh(z) ** 2, q)
    chi = 1.3 * plain(lambda z: np.cosh(z) ** -4, q)
    curved = plain(lambda z: np.tanh(z) * -2 * np.tanh(z) / np.cosh(z) ** 2, q)
    assert abs(flow.end.kernel - q) < 1e-10 and abs(flow.end.perpendicular - chi) < 1e-10
    assert abs(flow.end.xi_q + 1 / math.log(chi + 1.3 * curved)) < 1e-8  # Schoenholz et al. 2017, eq. 9
    assert abs(flow.end.xi_c + 1 / math.log(chi)) < 1e-6 and flow.phase == "ordered"


def test_chaotic_phase_against_the_recursion():
    flow = it.rg.depth_flow("erf", C_W=4.0, C_b=0.3, depth=60, correlation=0.95)
    end = flow.end
    assert flow.phase == "chaotic" and abs(flow.correlation[-1] - end.correlation) < 1e-4
    apart = flow.correlation - end.correlation
    assert abs(-1 / math.log(apart[30] / apart[29]) / end.xi_c - 1) < 1e-2


def test_edge_of_chaos():
    assert abs(it.rg.edge_of_chaos("tanh", 0.05) - 1.7609546396064688) < 1e-9
    for slightly, phase in ((-1e-5, "ordered"), (1e-3, "chaotic"), (0, "edge of chaos")):
        flow = it.rg.depth_flow("tanh", C_W=it.rg.edge_of_chaos("tanh", 0.05) + slightly, C_b=0.05, depth=2)
        assert flow.phase == phase and not flow.is_critical
    with pytest.raises(it.InputError, match="C_b: expected biases for which relu"):
        it.rg.edge_of_chaos("relu", 0.1)


@pytest.mark.parametrize("name", ["relu", "leaky_relu", "erf", "linear"])
def test_quadrature_against_closed_forms(name):
    exact, numeric = Activation.of(name), ByQuadrature(name, NAMED[name])
    for K in (1e-3, 1.0, 40.0):
        assert np.allclose(moments(numeric, K), moments(exact, K), rtol=1e-11)
    for c in (-1.0, -0.7, 0.0, 0.5, 0.999, 1 - 1e-9, 1.0):
        C = c * math.sqrt(2)
        assert abs(pair_mean(numeric, 1.0, 2.0, C) - pair_mean(exact, 1.0, 2.0, C)) < 1e-10
        assert abs(pair_slope(numeric, 1.0, 2.0, C) - pair_slope(exact, 1.0, 2.0, C)) < 1e-10


def test_two_inputs_of_any_activation():
    """sin: ⟨sin z₁ sin z₂⟩ = e^{−(K₁+K₂)/2} sinh C; the correlation of equal inputs is 1."""
    sine = Activation.of(jnp.sin)
    for K1, K2, C in ((1.0, 1.0, 0.3), (0.5, 2.0, -0.8)):
        assert abs(pair_mean(sine, K1, K2, C) - math.exp(-(K1 + K2) / 2) * math.sinh(C)) < 1e-12
    clipped = Activation.of(jax.nn.hard_tanh)
    assert abs(pair_mean(clipped, 2.0, 2.0, 2.0) - moments(clipped, 2.0).square) < 1e-12


def test_a_small_activation_and_a_wide_one():
    """Averages where the activation is much narrower, or wider, than the pre-activations."""
    step = Activation.of(jnp.sign)
    assert abs(moments(step, 3.0).square - 1) < 1e-12 and math.isinf(moments(step, 3.0).slope)
    assert abs(pair_mean(step, 1.0, 1.0, 0.5) - 2 / math.pi * math.asin(0.5)) < 1e-10
    assert abs(moments(Activation.of("tanh"), 1e4).square - (1 - 2e-2 / math.sqrt(2 * math.pi))) < 1e-4
    waves = Activation.of(lambda z: jnp.sin(50 * z))
    assert abs(moments(waves, 1.0).square - 0.5) < 1e-10


def test_bad_input_is_one_line():
    with pytest.raises(it.InputError, match="activation: expected an activation that is finite everywhere"):
        it.rg.critical_initialisation(jnp.log)
    with pytest.raises(it.InputError, match="which mixes them"):
        it.rg.critical_initialisation(jax.nn.softmax)
    with pytest.raises(it.InputError, match="activation: expected a function or one of"):
        it.rg.critical_initialisation("rleu")
    with pytest.raises(it.InputError, match=r"C_W: expected .*no critical initialisation"):
        it.rg.depth_flow("sigmoid")
    with pytest.raises(it.InputError, match="C_W: expected a positive number"):
        it.rg.depth_flow("tanh", C_W=-1.0)
    with pytest.raises(it.InputError, match="correlation: expected a number from −1 to 1"):
        it.rg.depth_flow("tanh", correlation=2.0)
    with pytest.raises(it.InputError, match="depth: expected layers whose kernel stays finite"):
        it.rg.depth_flow("relu", C_W=1e9, depth=40)


def test_float32_sessions_have_the_same_numbers():
    with jax.enable_x64(False):
        assert abs(it.rg.critical_initialisation("gelu").C_W - 1.983058257437237) < 1e-9


def test_slightly_chaotic_and_slowly_falling():
    """tanh without biases: c* = 0 however near to criticality; hard tanh falls to 0, slowly."""
    for above in (1e-3, 0.1):
        end = it.rg.depth_flow("tanh", C_W=1 + above, depth=1).end
        assert end.phase == "chaotic" and abs(end.correlation) < 1e-6
    assert it.rg.depth_flow("hard_tanh", depth=2).end.kernel == 0
    assert it.rg.depth_flow("tanh", C_W=0.999, depth=1).phase == "ordered"
