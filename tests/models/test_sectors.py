"""Momentum and point-group sectors, and models projected onto them."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from intertwine._checks import InputError
from intertwine.models import laws
from intertwine.models.machines.rbm import RBM
from intertwine.models.symmetric.gcnn import GCNN
from intertwine.models.symmetric.sectors import sector, sectors
from intertwine.models.symmetric.symmetrised import Symmetrised
from intertwine.sampling.enumeration import all_configurations
from intertwine.spaces.lattices import Chain, Honeycomb, Kagome, Square, Triangular
from intertwine.symmetry.groups.permutation_group import PermutationGroup

LATTICES = [
    Chain(5),
    Chain(6),
    Square(3, 3),
    Square(4, 4),
    Square(4, 2),
    Triangular(3, 3),
    Honeycomb(2, 2),
    Kagome(2, 2),
    Square(3, 3, pbc=False),
    Square(4, 3, pbc=(True, False)),
]


def projector(lattice, coefficients, dimension):
    """(d/|G|) Σ_g c(g) U_g on all configurations, (U_g ψ)(s) = ψ(g⁻¹s)."""
    size, group = lattice.size, lattice.space_group
    places = all_configurations(size) @ (-(2 ** np.arange(size - 1, -1, -1)))
    where = np.argsort(places)
    total = np.zeros((2**size, 2**size), complex)
    for c, p in zip(coefficients, group.permutations, strict=True):
        inverse = all_configurations(size)[:, p] @ (-(2 ** np.arange(size - 1, -1, -1)))
        total[np.arange(2**size), where[np.searchsorted(places[where], inverse)]] += c
    return dimension / group.order * total


@pytest.mark.parametrize("lattice", LATTICES, ids=lambda lattice: lattice.name)
def test_all_irreps_of_the_space_group(lattice):
    found = sectors(lattice)
    order = lattice.space_group.order
    characters = np.array([s.character for s in found])
    np.testing.assert_allclose(characters @ characters.conj().T / order, np.eye(len(found)), atol=1e-12)
    assert sum(s.dimension**2 for s in found) == order
    assert len(found) == len(lattice.space_group.conjugacy_classes())
    assert len({s.name for s in found}) == len(found)
    np.testing.assert_allclose(found[0].character, 1)


def test_projections_and_their_rows_on_a_ring():
    ring = Chain(6)
    found = sectors(ring)
    projectors = [projector(ring, s.character, s.dimension) for s in found]
    np.testing.assert_allclose(sum(projectors), np.eye(64), atol=1e-12)
    for i, p in enumerate(projectors):
        np.testing.assert_allclose(p @ p, p, atol=1e-12)
        for q in projectors[:i]:
            np.testing.assert_allclose(p @ q, 0, atol=1e-12)
        row = projector(ring, found[i].row(), found[i].dimension)
        np.testing.assert_allclose(row @ row, row, atol=1e-12)
        np.testing.assert_allclose(row @ p, row, atol=1e-12)
        assert round(np.trace(row).real) * found[i].dimension == round(np.trace(p).real)


def test_a_row_has_one_momentum():
    lattice = Square(4, 4)
    s = sector(lattice, (np.pi / 2, 0.0), "A")
    step = lattice.space_group.permutations.tolist().index(
        np.roll(np.arange(16).reshape(4, 4), -1, axis=0).ravel().tolist()
    )
    # U_t|ψ⟩ = e^{−iq·R}|ψ⟩ and c = X*: the coefficient of one step along axis 0 is e^{+iq·R}
    np.testing.assert_allclose(s.momentum, (np.pi / 2, 0))
    np.testing.assert_allclose(s.row()[step], 1j, atol=1e-12)


def test_names():
    square = Square(4, 4)
    assert sector(square, (np.pi, np.pi), "B1").name == "(π, π) B1"
    assert sector(square, (0, -np.pi), 2).name == sector(square, (0, np.pi), 2).name == "(0, π) B1"
    assert [s.name for s in sectors(square)[:5]] == [f"(0, 0) {n}" for n in ("A1", "B1", "B2", "A2", "E")]
    gamma = sectors(square)[1]
    table = {row.tobytes(): i for i, row in enumerate(square.space_group.permutations)}
    x, y = np.divmod(np.arange(16), 4)
    quarter = table[((-y % 4) * 4 + x).astype(np.int32).tobytes()]
    axis, diagonal = (
        table[((-x % 4) * 4 + y).astype(np.int32).tobytes()],
        table[(y * 4 + x).astype(np.int32).tobytes()],
    )
    np.testing.assert_allclose(gamma.character[[quarter, axis, diagonal]], [-1, 1, -1], atol=1e-12)
    star = sector(square, (np.pi / 2, np.pi), 0)
    assert (star.star, star.dimension) == (4, 4) and "dimension=4" in repr(star)


@pytest.mark.parametrize(
    ("momentum", "irrep", "word"),
    [
        (0.3, 0, "momentum"),
        ((0.0, 0.0), 0, "momentum"),
        ("π", 0, "momentum"),
        (np.inf, 0, "momentum"),
        (np.pi, 2, "irrep"),
        (np.pi, -1, "irrep"),
        (np.pi, True, "irrep"),
        (np.pi, "E", "irrep"),
        (None, 0.5, "irrep"),
    ],
)
def test_momenta_and_irreps_that_are_none(momentum, irrep, word):
    with pytest.raises(InputError, match=f"^{word}"):
        sector(Chain(6), momentum, irrep)
    with pytest.raises(InputError, match=r"^component"):
        sector(Chain(6)).row(1)


@pytest.mark.slow
@pytest.mark.parametrize("dtype", [float, complex])
def test_symmetrised_and_gcnn_lie_in_the_sector(dtype, key):
    lattice = Chain(6)
    S = jnp.asarray(all_configurations(6))
    inner = RBM(6, 5, dtype=dtype, scale=0.5, key=key)
    plain = np.exp(np.asarray(jax.vmap(inner)(S)))
    for s in sectors(lattice):
        p = projector(lattice, s.character, s.dimension)
        psi = Symmetrised(inner, lattice, s.character)
        found = np.exp(np.asarray(jax.vmap(psi)(S))) * s.dimension / 12
        np.testing.assert_allclose(found, p @ plain, atol=1e-12 * np.abs(plain).max())
        network = GCNN(lattice, 2, 2, character=s.row(), dtype=dtype, scale=2.0, key=key)
        values = np.exp(np.asarray(jax.vmap(network)(S)))
        inside = projector(lattice, s.row(), s.dimension) @ values
        np.testing.assert_allclose(inside, values, atol=1e-11 * np.abs(values).max() + 1e-11)


@pytest.mark.slow
def test_symmetrised_models(key):
    ring = PermutationGroup.generate([[1, 2, 3, 4, 5, 0]])
    inner = RBM(6, 4, scale=0.5, key=key)
    assert Symmetrised(inner, ring).kind == "real"
    assert Symmetrised(inner, ring, spin_flip=-1).kind == "complex"
    assert Symmetrised(RBM(6, 4, dtype=complex, key=key), ring).kind == "holomorphic"
    laws.assert_invariant(Symmetrised(inner, ring), ring, key=key)
    odd = Symmetrised(inner, ring, spin_flip=-1)
    s = jnp.array([1, 1, -1, 1, -1, 1])
    np.testing.assert_allclose(jnp.exp(odd(-s) - odd(s)), -1, atol=1e-12)
    for wrong, word in (
        (lambda: Symmetrised(3, ring), "model"),
        (lambda: Symmetrised(inner, Chain(4)), "group"),
        (lambda: Symmetrised(inner, "space"), "lattice"),
        (lambda: Symmetrised(inner, ring, [1, 2]), "character"),
        (lambda: Symmetrised(inner, ring, spin_flip=0), "spin_flip"),
    ):
        with pytest.raises(InputError, match=f"^{word}"):
            wrong()
