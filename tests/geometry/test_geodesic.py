"""Fisher lengths against closed forms: hyperbolic planes, spheres, free bonds; and where there is none."""

import math

import jax.numpy as jnp
import numpy as np
import pytest

from intertwine._caveats import Caveat
from intertwine._checks import InputError
from intertwine.geometry import geodesic
from intertwine.geometry.couplings import geodesic as module
from intertwine.models.spins.ising import Ising
from intertwine.spaces.lattices import Chain, Square


def _normal(t):
    return -(t[0] ** 2) / (4 * t[1]) + 0.5 * jnp.log(-jnp.pi / t[1])


def _natural(mean: float, width: float) -> tuple[float, float]:
    return mean / width**2, -0.5 / width**2


def _gudermannian(K: float) -> float:
    return 2 * math.atan(math.tanh(K / 2))


def test_normal_distributions_are_a_hyperbolic_plane():
    (m, s), (n, t) = (0.0, 1.0), (1.5, 0.5)
    cosh = 1 + ((m - n) ** 2 / 2 + (s - t) ** 2) / (2 * s * t)
    found = geodesic(_normal, _natural(m, s), _natural(n, t))
    assert found.converged and abs(found.length - 2**0.5 * math.acosh(cosh)) < 1e-8
    assert found.length < min(found.e_length, found.m_length)
    assert found.unevenness < 1e-6


def test_multinomials_are_a_sphere():
    start, end = np.array([0.3, -0.5]), np.array([-1.0, 1.0])
    p, q = (np.append(np.exp(t), 1) / (1 + np.exp(t).sum()) for t in (start, end))
    found = geodesic(lambda t: jnp.log(1 + jnp.exp(t).sum()), start, end)
    assert abs(found.length - 2 * math.acos(np.sqrt(p * q).sum())) < 1e-8
    assert np.array_equal(found.path[0], start) and np.array_equal(found.path[-1], end)


def test_free_bonds_and_steps_of_equal_length():
    chain = Ising(Chain(9, pbc=False), 0.0)
    found = geodesic(chain, 0.2, 1.1, "nearest")
    whole = 8**0.5 * (_gudermannian(1.1) - _gudermannian(0.2))
    assert abs(found.length - whole) < 1e-9 and found.length == found.e_length
    rows = found.steps(3)
    parts = [geodesic(chain, rows[k], rows[k + 1], "nearest").length for k in range(3)]
    assert np.abs(np.array(parts) - whole / 3).max() < 1e-5
    assert found.dissipation(4) == found.length**2 / 8
    assert found.chord <= found.length


def test_spins_in_a_field():
    model = Ising(Square(3, 3), 0.0)
    found = geodesic(model, {"nearest": 0.2, "field": 0.3}, (0.5, 0.0), ("nearest", "field"))
    assert found.converged and found.chord < found.length < min(found.e_length, found.m_length)
    back = geodesic(model, (0.5, 0.0), (0.2, 0.3))
    assert abs(back.length - found.length) < 1e-8 and np.abs(back.path[::-1] - found.path).max() < 1e-5


def test_one_that_is_not_found_is_told(monkeypatch):
    monkeypatch.setattr(module, "_MOST_NODES", 3)
    with pytest.warns(Caveat, match="not solved"):
        found = geodesic(_normal, _natural(0, 1), _natural(30.0, 0.05))
    assert not found.converged and found.length <= found.e_length


def test_bad_input():
    chain = Ising(Chain(6), 0.3)
    for start, end, word in (
        ((0.3, 0.1), (0.3, 0.1), "other"),
        ((0.3,), (0.1, 0), "numbers"),
        ((0.3, np.inf), (0, 0), "finite"),
    ):
        with pytest.raises(InputError, match=word):
            geodesic(chain, start, end)
    with pytest.raises(InputError, match="model"):
        geodesic(np.ones(3), 0.1, 0.2)
