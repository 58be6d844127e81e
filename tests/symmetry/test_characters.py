"""Laws of character tables, exact in cyclotomic integers, on every group of the table; textbook values."""

import numpy as np
import pytest
from group_table import GROUPS, group, heisenberg

from intertwine._checks import InputError
from intertwine.symmetry import (
    FiniteGroup,
    PermutationGroup,
    character_table,
    commutator_subgroup,
    cyclic,
    dihedral,
    direct_product,
    linear_characters,
    quaternion,
    regular,
    symmetric,
)
from intertwine.symmetry._cyclotomic import cyclotomic_polynomial, power_basis, splitting_prime


def in_powers(table):
    """(r, r, e): the whole coefficients of every value in powers of exp(2πi/e), e the exponent."""
    e = int(np.lcm.reduce(table.orders))
    out = np.zeros((len(table), len(table), e), np.int64)
    for column in range(len(table)):
        n = int(table.orders[column])
        out[:, column, :: e // n] = table.eigenvalues(column)
    return out


@pytest.mark.parametrize("name", GROUPS)
def test_textbook(name):
    table, row = character_table(group(name)), GROUPS[name]
    assert table.degrees.tolist() == row.degrees
    assert tuple(table.types.count(t) for t in ("real", "complex", "quaternionic")) == row.types
    assert np.array_equal(table.values[0], np.ones(len(table)))


@pytest.mark.parametrize("name", GROUPS)
def test_rows_are_orthogonal_exactly(name):
    """Σ_l |C_l| χ_i(l) χ_j(l)* = |G| δ_ij in Z[ζ], without a rounding."""
    table = character_table(group(name))
    m = in_powers(table)
    r, _, e = m.shape
    weighted = (m * table.sizes[None, :, None]).reshape(r, -1)
    sums = np.stack([weighted @ np.roll(m, s, axis=2).reshape(r, -1).T for s in range(e)], axis=2)
    reduced = sums @ power_basis(e)
    assert np.array_equal(reduced[:, :, 0], table.group.order * np.eye(r, dtype=int))
    assert not reduced[:, :, 1:].any()


@pytest.mark.parametrize("name", GROUPS)
def test_laws(name):
    """Columns, degrees, linear characters, and the count of involutions Σ ν(χ) χ(1) = #{x: x² = e}."""
    G = group(name)
    table = character_table(G)
    columns = table.values.conj().T @ table.values
    assert np.abs(columns - np.diag(G.order / table.sizes)).max() < 1e-12 * G.order
    assert (table.degrees**2).sum() == G.order
    assert all(G.order % d == 0 for d in table.degrees)
    assert (table.indicators * table.degrees).sum() == (G.element_orders <= 2).sum()
    assert (table.degrees == 1).sum() * commutator_subgroup(G).order == G.order
    assert np.array_equal(table.values[table.conjugates].conj(), table.values)
    assert np.array_equal(table.conjugates[table.conjugates], np.arange(len(table)))
    assert np.array_equal(table.conjugates == np.arange(len(table)), table.indicators != 0)


@pytest.mark.parametrize("name", GROUPS)
def test_values_are_the_whole_numbers(name):
    """Values, coefficients and residues are three readings of the same eigenvalues."""
    table = character_table(group(name))
    e, p = int(np.lcm.reduce(table.orders)), table.prime
    for column in range(len(table)):
        n, counts = int(table.orders[column]), table.eigenvalues(column)
        assert (counts.sum(axis=1) == table.degrees).all() and counts.min() >= 0
        roots = np.exp(2j * np.pi * np.arange(n) / n)
        assert np.abs(counts @ roots - table.values[:, column]).max() < 1e-12
        reduced = table.coefficients(column)
        assert np.abs(reduced @ roots[: reduced.shape[1]] - table.values[:, column]).max() < 1e-12
        powers = np.array([pow(table.root, e // n * k, p) for k in range(n)])
        assert np.array_equal(counts @ powers % p, table.residues[:, column])


@pytest.mark.parametrize("name", ["A4", "A5", "S4", "SL(2,3)", "F21", "PSL(2,7)", "kagome 3×3"])
def test_products_of_characters_are_characters(name):
    table = character_table(group(name))
    values = table.values[:, table.group.class_of]
    for a in values:
        for b in values:
            counts = table.multiplicities(a * b)
            assert np.abs(counts @ values - a * b).max() < 1e-9


@pytest.mark.parametrize("name", GROUPS)
def test_regular_contains_each_as_often_as_its_degree(name):
    table = character_table(group(name))
    assert np.array_equal(table.multiplicities(regular(table.group)), table.degrees)


def test_golden_ratio_and_quadratic_irrationals():
    """A5 has (1 ± √5)/2, PSL(2,7) has (−1 ± i√7)/2."""
    golden = (1 + 5**0.5) / 2
    a5 = character_table(group("A5"))
    assert sorted(a5.values[1:3, a5.orders == 5].ravel().real.round(12)) == sorted(
        np.round([golden, golden, 1 - golden, 1 - golden], 12)
    )
    psl = character_table(group("PSL(2,7)"))
    seven = psl.values[1:3, psl.orders == 7].ravel()
    assert np.allclose(seven.real, -0.5, atol=1e-13) and np.allclose(seven.imag**2, 7 / 4, atol=1e-12)


@pytest.mark.parametrize(
    ("make", "classes"),
    [
        (lambda: cyclic(1000), 1000),
        (lambda: dihedral(500), 253),
        (lambda: direct_product(heisenberg(5), quaternion()), 145),
        (lambda: direct_product(quaternion(), cyclic(125)), 625),
        (lambda: heisenberg(7), 55),
    ],
)
def test_groups_of_order_one_thousand(make, classes):
    G = make()
    table = character_table(G)
    assert len(table) == classes and (table.degrees**2).sum() == G.order
    gram = (table.values * table.sizes) @ table.values.conj().T / G.order
    assert np.abs(gram - np.eye(classes)).max() < 1e-12
    assert (table.indicators * table.degrees).sum() == (G.element_orders <= 2).sum()


@pytest.mark.slow
def test_sporadic_and_symmetric():
    """M_11 (order 7,920) and S_7 as in the ATLAS."""
    cycle = [*range(1, 11), 0]
    other = list(range(11))
    for orbit in ((2, 6, 10, 7), (3, 9, 4, 5)):
        for a, b in zip(orbit, orbit[1:] + orbit[:1], strict=True):
            other[a] = b
    mathieu = character_table(FiniteGroup.from_permutations([cycle, other], "M11"))
    assert mathieu.degrees.tolist() == [1, 10, 10, 10, 11, 16, 16, 44, 45, 55]
    assert mathieu.indicators.tolist() == [1, 1, 0, 0, 1, 0, 0, 1, 1, 1]
    imaginary = mathieu.values[2, mathieu.orders == 8].imag
    assert np.allclose(np.abs(imaginary), 2**0.5, atol=1e-13)  # i√2
    assert character_table(symmetric(7)).degrees.tolist() == [
        1, 1, 6, 6, 14, 14, 14, 14, 15, 15, 20, 21, 21, 35, 35,
    ]  # fmt: skip


def test_permutation_groups_and_linear_characters():
    """A PermutationGroup is taken as it is, and its own linear characters are those of its table."""
    square = PermutationGroup.generate([[1, 2, 3, 0], [0, 3, 2, 1]])
    table = character_table(square)
    assert table.degrees.tolist() == [1, 1, 1, 1, 2]
    found = {row.tobytes() for row in linear_characters(square).round(9) + 0.0}
    assert found == {row.tobytes() for row in square.characters_1d().round(9) + 0.0}
    assert found == {row.tobytes() for row in table.values[:4, table.group.class_of].round(9) + 0.0}


def test_cyclotomic_polynomials():
    """Φ_105 is the first with a coefficient of −2; power bases agree with numbers."""
    assert cyclotomic_polynomial(1) == (-1, 1) and cyclotomic_polynomial(12) == (1, 0, -1, 0, 1)
    assert min(cyclotomic_polynomial(105)) == -2 and len(cyclotomic_polynomial(105)) == 49
    for n in (1, 2, 5, 12, 30):
        roots = np.exp(2j * np.pi * np.arange(n) / n)
        basis = power_basis(n)
        assert np.abs(basis @ roots[: basis.shape[1]] - roots).max() < 1e-13
    p, root = splitting_prime(12, 100)
    assert p == 109 and pow(root, 12, p) == 1 and pow(root, 6, p) != 1 and pow(root, 4, p) != 1


def test_bad_input():
    table = character_table(dihedral(3))
    for character, word in [
        (np.ones(5), "each of 6"),
        (np.array([1.0, 0, 0, 0, 0, 0]), "representation"),
        (-np.ones(6), "representation"),
        (regular(cyclic(6)), "representation of"),
    ]:
        with pytest.raises(InputError, match=word):
            table.multiplicities(character)
    with pytest.raises(InputError, match="column"):
        table.eigenvalues(3)
    with pytest.raises(InputError, match="FiniteGroup"):
        character_table("D4")
