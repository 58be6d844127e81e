"""Harmonics of directions in JAX, and the Clebsch-Gordan coefficients that belong to them.

Truth: the values of references/points.json (scipy's harmonics and sympy's exact coefficients, in e3nn's
conventions), scipy's harmonics to degree 11, Wigner matrices, finite differences.
"""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.special import sph_harm_y

from intertwine._checks import InputError
from intertwine.spaces.points.harmonics import harmonics, solid_harmonics
from intertwine.symmetry.groups.rotations import random_rotations
from intertwine.symmetry.wigner import clebsch_gordan_so3, wigner_d

AT_ONE_TWO_THREE = {
    1: [0.4629100498862757, 0.9258200997725514, 1.3887301496588274],
    2: [0.8299250027587322, 0.5532833351724882, -0.15971914124998482, 1.6598500055174648, 1.1065666703449761],
    3: [
        1.0381744181249026,
        1.1736911946539272,
        0.1855768722395227,
        -1.1111677990074316,
        0.5567306167185682,
        1.5649215928719031,
        0.7187361356249324,
    ],
    5: [
        1.0026021368803955,
        1.92638359867987,
        1.3526994689472962,
        -0.27804952231507546,
        -0.5517374161544962,
        0.03165733072956812,
        -1.6552122484634888,
        -0.37073269642010065,
        0.9364842477327433,
        0.5618618829482955,
        -0.03807349886887568,
    ],
}
COUPLINGS = {
    (1, 1, 0): [
        [-1, -1, 0, 0.5773502691896256],
        [0, 0, 0, 0.5773502691896257],
        [1, 1, 0, 0.5773502691896256],
    ],
    (1, 1, 1): [
        [-1, 0, 1, 0.408248290463863],
        [-1, 1, 0, -0.408248290463863],
        [0, -1, 1, -0.408248290463863],
        [0, 1, -1, 0.408248290463863],
        [1, -1, 0, 0.408248290463863],
        [1, 0, -1, -0.408248290463863],
    ],
    (1, 1, 2): [
        [-1, -1, 0, -0.1825741858350553],
        [-1, -1, 2, -0.31622776601683783],
        [-1, 0, -1, 0.3162277660168379],
        [-1, 1, -2, 0.31622776601683783],
        [0, -1, -1, 0.3162277660168379],
        [0, 0, 0, 0.3651483716701107],
        [0, 1, 1, 0.3162277660168379],
        [1, -1, -2, 0.31622776601683783],
        [1, 0, 1, 0.3162277660168379],
        [1, 1, 0, -0.1825741858350553],
        [1, 1, 2, 0.31622776601683783],
    ],
    (2, 2, 2): [
        [-2, -2, 0, -0.23904572186687867],
        [-1, -2, 1, 0.2070196678027062],
        [-1, 1, -2, 0.2070196678027062],
        [0, 0, 0, 0.23904572186687872],
        [1, -1, -2, 0.2070196678027062],
        [1, 2, 1, 0.2070196678027062],
        [2, 2, 0, -0.23904572186687867],
    ],
    (1, 2, 3): [
        [-1, -2, 1, -0.0690065559342354],
        [-1, -1, 2, -0.2182178902359923],
        [-1, 2, -3, 0.2672612419124243],
        [0, -1, -1, 0.27602622373694163],
        [0, 2, 2, 0.2182178902359923],
        [1, -1, -2, 0.2182178902359923],
        [1, 1, 2, 0.2182178902359923],
    ],
}
TOP = 11
VECTORS = np.random.default_rng(3).normal(size=(40, 3))
POLES = np.array([[0.0, 1.0, 0.0], [0.0, -2.0, 0.0], [1e-9, 1.0, -1e-9]])


def test_values_of_the_references():
    found = np.asarray(harmonics(np.array([1.0, 2.0, 3.0]), TOP))
    for degree, expected in AT_ONE_TWO_THREE.items():
        assert np.abs(found[degree**2 : (degree + 1) ** 2] - expected).max() < 1e-14


def test_scipy_to_degree_11_also_at_the_poles():
    """√(4π) Y with the polar axis y, the azimuth from z towards x, no phase of Condon and Shortley."""
    vectors = np.concatenate([VECTORS, POLES])
    x, y, z = vectors.T
    polar, azimuth = np.arctan2(np.hypot(x, z), y), np.arctan2(x, z)
    columns = []
    for degree in range(TOP + 1):
        for m in range(-degree, degree + 1):
            value = (4 * np.pi) ** 0.5 * (-1) ** m * sph_harm_y(degree, abs(m), polar, azimuth)
            columns.append(value.real if m == 0 else 2**0.5 * (value.real if m > 0 else value.imag))
    assert np.abs(np.asarray(harmonics(vectors, TOP)) - np.stack(columns, -1)).max() < 1e-12


def test_turned_by_wigner_matrices():
    """Y_l(R x) = D^l(P R Pᵀ) Y_l(x) with P (x, y, z) = (z, x, y)."""
    rotation = random_rotations(1, key=jax.random.key(1))[0]
    turned = np.asarray(harmonics(VECTORS @ rotation.T, TOP))
    plain = np.asarray(harmonics(VECTORS, TOP))
    order = [2, 0, 1]
    for degree in range(TOP + 1):
        part = slice(degree**2, (degree + 1) ** 2)
        matrix = wigner_d(degree, rotation[np.ix_(order, order)])
        assert np.abs(turned[:, part] - plain[:, part] @ matrix.T).max() < 1e-12
        assert np.allclose((plain[:, part] ** 2).sum(-1), 2 * degree + 1, rtol=1e-13, atol=0)


def test_solid_harmonics_are_polynomials():
    """r^l Y_l, harmonic: their Laplacian is 0."""
    length = np.linalg.norm(VECTORS, axis=-1)
    solid, plain = np.asarray(solid_harmonics(VECTORS, 5)), np.asarray(harmonics(VECTORS, 5))
    degree = np.repeat(np.arange(6), 2 * np.arange(6) + 1)
    assert np.allclose(solid, plain * length[:, None] ** degree, rtol=1e-12, atol=1e-12)
    second = jax.jit(jax.jacfwd(jax.jacfwd(lambda v: solid_harmonics(v, 5))))(VECTORS[0])
    assert np.abs(np.trace(np.asarray(second), axis1=1, axis2=2)).max() < 1e-11


def test_derivatives_and_the_zero_vector():
    """Gradients are those of finite differences; at 0 nothing is NaN, in values and in both derivatives."""
    weights = jnp.asarray(np.random.default_rng(4).normal(size=16))

    def value(vectors):
        return (harmonics(vectors, 3) * weights).sum()

    slopes = np.asarray(jax.jit(jax.grad(value))(VECTORS[:5]))
    for axis in range(3):
        step = 1e-5 * np.eye(3)[axis]
        ahead, behind = harmonics(VECTORS[:5] + step, 3), harmonics(VECTORS[:5] - step, 3)
        expected = np.asarray((ahead - behind) @ weights) / 2e-5
        assert np.abs(slopes[:, axis] - expected).max() < 1e-8
    zero = np.zeros(3)
    assert harmonics(zero, 3).tolist() == [1.0] + 15 * [0.0]
    assert np.all(np.asarray(jax.jit(jax.grad(value))(zero)) == 0)
    assert np.all(np.asarray(jax.jit(jax.hessian(value))(zero)) == 0)


def test_circles():
    angle = np.linspace(0, 6, 7)
    vectors = 1.7 * np.stack([np.cos(angle), np.sin(angle)], -1)
    waves = [f(k * angle) * 2**0.5 for k in range(1, 5) for f in (np.cos, np.sin)]
    expected = np.stack([np.ones(7), *waves], -1)
    assert np.abs(np.asarray(harmonics(vectors, 4)) - expected).max() < 1e-14


@pytest.mark.parametrize("degrees", COUPLINGS)
def test_couplings_of_the_references(degrees):
    """Those of the references, e3nn's, are ours by √(2 l3 + 1)."""
    l1, l2, l3 = degrees
    found = clebsch_gordan_so3(l1, l2, l3) / (2 * l3 + 1) ** 0.5
    for m1, m2, m3, value in COUPLINGS[degrees]:
        assert abs(found[m1 + l1, m2 + l2, m3 + l3] - value) < 1e-14


def test_products_of_harmonics_couple():
    """Σ C Y_l1 Y_l2 is a multiple of Y_l3: the tables and the harmonics have one basis, to degree 11."""
    planes = np.asarray(harmonics(VECTORS, TOP))
    for l1, l2, l3 in ((1, 1, 2), (2, 3, 5), (4, 4, 2), (5, 6, 11), (11, 11, 10), (11, 7, 8)):
        y1, y2, y3 = (planes[:, k * k : (k + 1) ** 2] for k in (l1, l2, l3))
        product = np.einsum("na,nb,abc->nc", y1, y2, clebsch_gordan_so3(l1, l2, l3))
        ratio = (product * y3).sum() / (y3 * y3).sum()
        assert abs(ratio) > 1e-3
        assert np.abs(product - ratio * y3).max() < 1e-12


def test_wrong_input():
    with pytest.raises(InputError, match="vectors: expected"):
        harmonics(np.zeros((2, 4)), 1)
    with pytest.raises(InputError, match="degree: expected"):
        harmonics(np.zeros((2, 3)), -1)
