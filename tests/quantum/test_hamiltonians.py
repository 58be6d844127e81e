"""The standard Hamiltonians against bond sums built with np.kron; the Marshall rotation; what is refused."""

import numpy as np
import pytest
from dense_oracle import dense_sum

from intertwine._checks import InputError
from intertwine.quantum.operators.hamiltonians import heisenberg, j1j2, tfim, xxz
from intertwine.spaces.lattices import Chain, Honeycomb, Kagome, Square, Triangular

LATTICES = [
    Chain(6),
    Chain(5),
    Chain(6, pbc=False),
    Square(2, 3),
    Triangular(2, 3),
    Honeycomb(2, 2),
    Kagome(1, 2),
]


def _bonds(lattice, shell, terms):
    return [(c, {int(i): p, int(j): p}) for i, j in lattice.bonds(shell) for p, c in terms.items()]


@pytest.mark.parametrize("lattice", LATTICES, ids=lambda lattice: lattice.name)
def test_bond_sums(lattice):
    N = lattice.size
    exchange = {"X": 0.7, "Y": 0.7, "Z": 0.7}
    rows = [
        (
            tfim(lattice, J=0.8, h=1.3),
            [*_bonds(lattice, 1, {"Z": -0.8}), *[(-1.3, {i: "X"}) for i in range(N)]],
        ),
        (heisenberg(lattice, J=0.7, marshall=False), _bonds(lattice, 1, exchange)),
        (xxz(lattice, 1.5, J=2.0, marshall=False), _bonds(lattice, 1, {"X": 2.0, "Y": 2.0, "Z": 3.0})),
    ]
    if lattice.shells > 1:
        second = _bonds(lattice, 2, {"X": 0.3, "Y": 0.3, "Z": 0.3})
        rows.append((j1j2(lattice, 0.7, 0.3, marshall=False), _bonds(lattice, 1, exchange) + second))
    for built, strings in rows:
        np.testing.assert_allclose(built.to_dense(), dense_sum(N, strings).real, rtol=0, atol=1e-12)
        assert built.is_real
        assert built.is_hermitian
        assert built.lattice == lattice
        assert built.name


@pytest.mark.parametrize(
    "lattice", [Chain(6), Square(2, 4), Chain(5, pbc=False)], ids=lambda lattice: lattice.name
)
@pytest.mark.parametrize(
    "model", [heisenberg, lambda lat, **k: xxz(lat, 0.5, **k), lambda lat, **k: j1j2(lat, **k)]
)
def test_marshall_rotation_keeps_the_spectrum(lattice, model):
    plain, turned, default = (model(lattice, marshall=m).to_dense() for m in (False, True, None))
    np.testing.assert_array_equal(turned, default)
    assert not np.array_equal(plain, turned)
    sign = np.where((np.asarray(lattice.sublattices()) > 0), 1.0, 0.0)
    bits = (np.arange(len(plain))[:, None] >> np.arange(lattice.size - 1, -1, -1)) & 1
    rotation = np.diag(1.0 - 2.0 * ((bits @ sign) % 2))
    np.testing.assert_allclose(rotation @ plain @ rotation, turned, rtol=0, atol=1e-12)


def test_rotated_bipartite_models_are_stoquastic():
    assert heisenberg(Square(4)).is_stoquastic
    assert not heisenberg(Square(4), marshall=False).is_stoquastic
    assert not j1j2(Square(4)).is_stoquastic
    assert tfim(Triangular(3)).is_stoquastic


def test_frustrated_lattices_are_left_as_written():
    np.testing.assert_array_equal(
        heisenberg(Triangular(2, 3)).to_dense(), heisenberg(Triangular(2, 3), marshall=False).to_dense()
    )
    with pytest.raises(InputError):
        heisenberg(Triangular(3), marshall=True)


HOSTILE = {
    "lattice": lambda: tfim(6),
    "J": lambda: tfim(Chain(4), J="a"),
    "h": lambda: tfim(Chain(4), h=float("nan")),
    "delta": lambda: xxz(Chain(4), delta=None),
    "J2": lambda: j1j2(Chain(6), J2=1j),
    "marshall": lambda: heisenberg(Chain(4), marshall="yes"),
    "second shell": lambda: j1j2(Chain(2)),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_input_is_one_clear_error(name):
    with pytest.raises(InputError) as caught:
        HOSTILE[name]()
    assert "\n" not in str(caught.value)


def test_a_lattice_without_second_neighbours_is_named():
    with pytest.raises(InputError, match=r"^lattice: .*second neighbours.*chain:3"):
        j1j2(Chain(3))
    with pytest.raises(InputError, match=r"^lattice: .*nearest neighbours.*chain:1"):
        heisenberg(Chain(1))


def test_a_lattice_of_an_unknown_family_is_told_whole():
    from intertwine.experiments.ground_state.places import build_lattice

    with pytest.raises(InputError, match=r"got hexagonal:2x4; there is no family 'hexagonal'\.$"):
        build_lattice("hexagonal:2x4")
