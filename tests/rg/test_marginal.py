"""Marginals by elimination against enumeration, Kaufman's torus and the chain's closed form."""

import numpy as np
import pytest

from intertwine._checks import InputError
from intertwine.models.spins.ising import CRITICAL_SQUARE, Ising
from intertwine.models.spins.ising_exact import ising_torus
from intertwine.models.spins.spin_enumeration import enumerate_distribution
from intertwine.rg.blocks.marginal import marginal
from intertwine.spaces.lattices import Chain, Kagome, Square, Triangular


def _glass() -> Ising:
    rng = np.random.default_rng(0)
    lattice = Square(3, 4)
    return Ising(lattice, rng.normal(size=len(lattice.bonds())), rng.normal(size=lattice.size))


MODELS = {
    "square": Ising(Square(3, 4), 0.4),
    "all-couplings": Ising(Square(3, 4), 0.3, 0.1, further={"next": 0.1, "plaquette": -0.2, "corner": 0.05}),
    "glass": _glass(),
    "triangular": Ising(Triangular(3, 3), -0.5, 0.2),
    "kagome": Ising(Kagome(2, 2), 0.5),
    "free": Ising(Chain(5), 0.0),
}


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize("sites", [[3], [4, 0, 2], []])
def test_enumeration(name: str, sites: list[int]) -> None:
    model = MODELS[name]
    exact = enumerate_distribution(model)
    found = marginal(model, sites)
    rest = tuple(i for i in range(model.size) if i not in sites)
    table = exact.probabilities.reshape((2,) * model.size).sum(rest)
    order = [sorted(sites).index(i) for i in sites]
    assert np.allclose(found.table, table.transpose(order), rtol=0, atol=1e-14)
    assert abs(found.log_z - exact.log_z) < 1e-12 * max(1, abs(exact.log_z))


@pytest.mark.parametrize("extent", [(4, 4), (6, 6), (4, 64)])
def test_log_z_of_strips(extent: tuple[int, int]) -> None:
    found = marginal(Ising(Square(*extent), CRITICAL_SQUARE), [0])
    exact = ising_torus(*extent, CRITICAL_SQUARE).log_partition
    assert abs(found.log_z / np.prod(extent) - exact) < 1e-13
    assert np.allclose(found.table, 0.5, atol=1e-13)


def test_frozen_spins() -> None:
    """Couplings far beyond the range of e^K: all up or all down."""
    found = marginal(Ising(Square(4), 2000.0), [0, 5])
    assert np.allclose(found.table, [[0.5, 0], [0, 0.5]]) and abs(found.log_z - 64_000 - np.log(2)) < 1e-9


def test_errors() -> None:
    with pytest.raises(InputError, match="different sites"):
        marginal(MODELS["square"], [1, 1])
    with pytest.raises(InputError, match="different sites"):
        marginal(MODELS["square"], [12])
    with pytest.raises(InputError, match="Ising"):
        marginal(Square(3, 4), [0])  # type: ignore[arg-type]
    with pytest.raises(InputError, match="narrower"):
        marginal(Ising(Square(40, 40), 0.4), [0])
