"""Closed forms against diagonalization and the published numbers; Hamiltonians recognised by content."""

from itertools import pairwise

import numpy as np
import pytest
from dense_oracle import random_strings

from intertwine._checks import InputError
from intertwine.quantum import exact
from intertwine.quantum.exact.closed_forms import heisenberg_ring_energy, ising_ring_energy
from intertwine.quantum.operators.hamiltonians import heisenberg, j1j2, tfim, xxz
from intertwine.quantum.operators.operator import Operator
from intertwine.spaces.lattices import Chain, Square

CROSS_CHECKED = [  # computed and cross-checked for this project
    (lambda: tfim(Chain(80), h=0.5), -85.0835527978692, 1e-11),
    (lambda: tfim(Chain(80), h=1.0), -101.86570885790, 1e-10),
    (lambda: tfim(Chain(80), h=2.0), -170.16710559574, 1e-10),
    (lambda: heisenberg(Chain(40)), -70.98609115333, 1e-9),
    (lambda: heisenberg(Chain(80)), -141.84830459889, 1e-9),
]
PUBLISHED = [  # exact values listed in the variational benchmark of Wu et al., Science 386, 296 (2024)
    (lambda: heisenberg(Chain(20)), -35.61754611950579, 1e-11),
    (lambda: tfim(Chain(32)), -40.76003249419223, 1e-11),
    (lambda: tfim(Square(6), h=3.0), -115.232707303718485, 1e-12),
    (lambda: heisenberg(Square(6)), -97.7575895972357, 1e-12),
    (lambda: j1j2(Square(6), J2=0.5), -72.548590160286, 1e-12),
]


@pytest.mark.parametrize(("build", "value", "tolerance"), CROSS_CHECKED + PUBLISHED)
def test_reference_values(build, value, tolerance):
    known = exact.known_energy(build())
    assert known is not None
    assert known.value == pytest.approx(value, abs=tolerance)
    assert known.source


@pytest.mark.parametrize("N", range(3, 10))
@pytest.mark.parametrize(
    ("J", "h"), [(1, 1), (1, 0.4), (1, 2.5), (-1, 0.6), (-1, 1.7), (1, -0.8), (-0.5, -1), (0, 1), (1, 0)]
)
def test_ising_ring_equals_the_dense_spectrum(N, J, h):
    dense = np.linalg.eigvalsh(tfim(Chain(N), J=J, h=h).to_dense())[0]
    assert ising_ring_energy(N, J, h) == pytest.approx(dense, abs=1e-11)


@pytest.mark.parametrize("N", [4, 6, 8, 10, 12])
def test_bethe_ansatz_equals_lanczos(N):
    assert heisenberg_ring_energy(N) == pytest.approx(exact.ground_energy(heisenberg(Chain(N))), abs=1e-11)


def test_bethe_ansatz_converges_to_the_infinite_chain():
    """Hulthén 1938: 1 − 4 ln 2 a site, approached from below as 1/N² (up to logarithms)."""
    values = [heisenberg_ring_energy(N) / N - (1 - 4 * np.log(2)) for N in (100, 200, 400)]
    assert all(v < 0 for v in values)
    assert values[0] / values[1] == pytest.approx(4, rel=0.02)
    assert values[1] / values[2] == pytest.approx(4, rel=0.02)


@pytest.mark.parametrize("seed", range(3))
def test_open_ising_chains_with_any_couplings(seed):
    rng = np.random.default_rng(seed)
    order = rng.permutation(7)
    strings = [(rng.normal(), {int(i): "Z", int(j): "Z"}) for i, j in pairwise(order)]
    strings += [(rng.normal(), {i: "X"}) for i in range(7)] + [(0.3, {})]
    H = Operator.from_strings(7, strings)
    known = exact.known_energy(H)
    assert "open chain" in known.source
    assert known.value == pytest.approx(np.linalg.eigvalsh(H.to_dense())[0], abs=1e-11)


def test_recognition_is_by_content():
    shuffled = np.random.default_rng(0).permutation(40)
    plain = heisenberg(Chain(40), J=0.25, marshall=False).permuted(shuffled)
    nameless = Operator.from_strings(40, [*plain.strings(), (2.0, {})])
    known = exact.known_energy(nameless)
    assert "Bethe" in known.source
    assert known.value == pytest.approx(0.25 * heisenberg_ring_energy(40) + 2.0, abs=1e-11)
    ising = tfim(Chain(50), J=-1.3, h=-0.4).permuted(np.random.default_rng(1).permutation(50))
    assert exact.known_energy(ising).value == pytest.approx(ising_ring_energy(50, 1.3, 0.4), abs=1e-11)
    scaled = exact.known_energy(2.0 * heisenberg(Square(6), marshall=False))
    assert scaled.value == pytest.approx(-2 * 97.7575895972357, abs=1e-11)
    assert "Wu et al." in scaled.source


def test_quantum_monte_carlo_carries_its_error():
    known = exact.known_energy(heisenberg(Square(10)))
    assert known.value == pytest.approx(-268.6196, abs=1e-4)
    assert 0 < known.error < 0.01


@pytest.mark.parametrize(
    "build",
    [
        lambda: xxz(Chain(40), delta=1.01),
        lambda: heisenberg(Chain(40), J=-1.0) + tfim(Chain(40)),
        lambda: j1j2(Square(6), J2=0.51),
        lambda: tfim(Square(6), h=3.01),
        lambda: -1 * heisenberg(Square(6)),
        lambda: Operator.from_strings(40, random_strings(40, 0)),
        lambda: tfim(Chain(40)) + Operator.from_strings(40, [(0.01, {3: "X"})]),
    ],
)
def test_near_misses_are_not_recognised(build):
    assert exact.known_energy(build()) is None


def test_lanczos_is_the_last_resort():
    H = xxz(Chain(12), delta=0.5)
    known = exact.known_energy(H)
    assert "Lanczos" in known.source
    assert known.value == pytest.approx(exact.ground_energy(H), abs=1e-12)


def test_non_hermitian_is_refused():
    with pytest.raises(InputError):
        exact.known_energy(1j * tfim(Chain(4)))


@pytest.mark.parametrize(
    "build",
    [
        lambda: heisenberg(Chain(20)),
        lambda: heisenberg(Chain(20), marshall=False),
        lambda: tfim(Chain(20), h=1.0),
    ],
)
def test_lanczos_of_twenty_sites(build):
    H = build()
    assert exact.ground_energy(H) == pytest.approx(exact.known_energy(H).value, rel=1e-12)


@pytest.mark.slow
@pytest.mark.parametrize("build", [lambda: heisenberg(Chain(24)), lambda: tfim(Chain(24), h=1.0)])
def test_lanczos_of_twenty_four_sites(build):
    H = build()
    assert exact.ground_energy(H) == pytest.approx(exact.known_energy(H).value, rel=1e-12)
