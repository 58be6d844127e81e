"""Groups against textbook orders, brute-force products and known character counts."""

import itertools

import jax
import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from intertwine._checks import InputError
from intertwine.symmetry import PermutationGroup


def _regular(table):
    return PermutationGroup(np.asarray(table))


def _quaternions():
    units = [(s, u) for s in (1, -1) for u in "1ijk"]
    signs = {"ij": "k", "jk": "i", "ki": "j"}

    def times(a, b):
        (s, u), (t, v) = a, b
        if u == "1" or v == "1":
            return s * t, v if u == "1" else u
        if u == v:
            return -s * t, "1"
        return (s * t, signs[u + v]) if u + v in signs else (-s * t, signs[v + u])

    return _regular([[units.index(times(a, b)) for b in units] for a in units])


# name: group, order, conjugacy classes, order of the commutator subgroup
GROUPS = {
    "trivial": (lambda: PermutationGroup.trivial(3), 1, 1, 1),
    "C12": (lambda: PermutationGroup.generate([[(i + 1) % 12 for i in range(12)]]), 12, 12, 1),
    "V4": (lambda: PermutationGroup.generate([[1, 0, 2, 3], [0, 1, 3, 2]]), 4, 4, 1),
    "C4xC6": (lambda: PermutationGroup.generate([[1, 2, 3, 0, *range(4, 10)],
                                                 [0, 1, 2, 3, 5, 6, 7, 8, 9, 4]]), 24, 24, 1),
    "D4": (lambda: PermutationGroup.generate([[1, 2, 3, 0], [0, 3, 2, 1]]), 8, 5, 2),
    "D5": (lambda: PermutationGroup.generate([[1, 2, 3, 4, 0], [0, 4, 3, 2, 1]]), 10, 4, 5),
    "A4": (lambda: PermutationGroup.generate([[1, 2, 0, 3], [1, 0, 3, 2]]), 12, 4, 4),
    "S4": (lambda: PermutationGroup.generate([[1, 2, 3, 0], [1, 0, 2, 3]]), 24, 5, 12),
    "A5": (lambda: PermutationGroup.generate([[1, 2, 3, 4, 0], [1, 2, 0, 3, 4]]), 60, 5, 60),
    "Q8": (_quaternions, 8, 5, 2),
    "S5": (lambda: PermutationGroup(np.array(list(itertools.permutations(range(5))))), 120, 7, 60),
}  # fmt: skip


@pytest.fixture(params=GROUPS, scope="module")
def row(request):
    build, *numbers = GROUPS[request.param]
    return build(), *numbers


def test_orders_classes_and_commutators_are_the_textbook_ones(row):
    group, order, classes, derived = row
    assert group.order == order
    assert len(group.conjugacy_classes()) == classes
    assert sorted(np.concatenate(group.conjugacy_classes())) == list(range(order))
    assert group.commutator_subgroup().order == derived
    assert group.is_abelian == (classes == order)


def test_product_table_and_inverses_equal_brute_force(row):
    group = row[0]
    rows = {tuple(p): k for k, p in enumerate(group.permutations.tolist())}
    for g, h in itertools.product(range(group.order), repeat=2):
        composed = tuple(group.permutations[g][group.permutations[h]].tolist())
        assert group.product_table[g, h] == rows[composed]
    everything = np.arange(group.order)
    assert (group.multiply(everything, group.inverse) == group.identity).all()
    assert np.array_equal(group.multiply(everything[:, None], everything), group.product_table)


def test_characters_are_all_the_homomorphisms(row):
    group, order, _, derived = row
    characters = group.characters_1d()
    assert characters.shape == (order // derived, order) and characters.dtype == np.complex128
    assert np.array_equal(characters[0], np.ones(order))
    products = characters[:, group.product_table]
    assert np.abs(products - characters[:, :, None] * characters[:, None, :]).max() < 1e-12
    gram = characters @ characters.conj().T / order
    assert np.abs(gram - np.eye(len(characters))).max() < 1e-12  # distinct, hence all of them
    exact = np.isin(characters, [1, -1, 1j, -1j])
    assert exact[np.abs(characters**4 - 1) < 1e-9].all()


def test_action_is_a_left_action_and_matches_the_convention(row, key):
    group = row[0]
    draws = jax.random.normal(key, (2, 3, group.size))
    s = np.asarray(draws)
    moved = group.apply(s)
    assert isinstance(moved, np.ndarray) and moved.shape == (2, 3, group.order, group.size)
    for g, p in enumerate(group.permutations):
        assert np.array_equal(moved[..., g, p], s)  # (g s)[p[i]] = s[i]
    twice = group.apply(moved)  # [..., h, g, :] = g (h s)
    for g, h in itertools.islice(itertools.product(range(group.order), repeat=2), 200):
        assert np.array_equal(twice[..., h, g, :], moved[..., group.multiply(g, h), :])
    assert np.array_equal(jax.jit(group.apply)(draws), moved)


def test_orbits_partition_the_sites(row):
    group = row[0]
    orbits = group.orbits()
    assert sorted(np.concatenate(orbits)) == list(range(group.size))
    for orbit in orbits:
        assert set(group.permutations[:, orbit[0]]) == set(orbit)


def test_equal_content_is_equal_and_immutable(row):
    group = row[0]
    twin = PermutationGroup(group.permutations.tolist())
    assert group == twin and hash(group) == hash(twin) and len({group, twin}) == 1
    assert group != PermutationGroup.trivial(group.size + 1) and group != 3
    with pytest.raises(ValueError, match="read-only"):
        group.permutations[0, 0] = 5
    with pytest.raises(AttributeError):
        group.permutations = twin.permutations  # type: ignore[misc]


@settings(max_examples=60, deadline=None)
@given(st.lists(st.permutations(range(6)), min_size=1, max_size=3), st.randoms(use_true_random=False))
def test_generated_groups_are_groups_in_any_row_order(generators, random):
    group = PermutationGroup.generate(generators)
    assert 720 % group.order == 0
    shuffled = group.permutations.tolist()
    random.shuffle(shuffled)
    again = PermutationGroup(shuffled)
    assert np.array_equal(again.permutations[again.identity], np.arange(6))
    assert len(again.characters_1d()) == len(group.characters_1d())
    assert len(again.conjugacy_classes()) == len(group.conjugacy_classes())
    if group.order > 2:  # without one element it is no group: Lagrange, or no identity or inverse
        with pytest.raises(InputError, match="not closed"):
            PermutationGroup(shuffled[:-1])


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([[0, 1], [0, 1]], "1 duplicate rows"),
        ([[0, 0]], r"permutations of 0..1, got row 0 = \[0, 0\]"),
        ([[0, 1], [1, 2]], r"row 1 = \[1, 2\]"),
        ([[0, -1]], "row 0"),
        ([[1, 0]], "not closed"),
        ([[0, 1, 2], [1, 2, 0]], "PermutationGroup.generate"),
        ([[0.0, 1.0]], "integer array"),
        ([0, 1], "shape"),
        ([], "shape"),
        ([[0, 1], [0]], "integer array"),
        ("ab", "integer array"),
        (None, "integer array"),
    ],
)
def test_bad_rows_get_one_clear_error(rows, message):
    with pytest.raises(InputError, match=message):
        PermutationGroup(rows)


def test_other_errors():
    group = PermutationGroup.generate([[1, 2, 3, 0]])
    with pytest.raises(InputError, match="not closed"):
        group.subgroup([0, 1])
    for indices in ([], [4], [-1], [[0]], [0.0]):
        with pytest.raises(InputError, match="indices"):
            group.subgroup(indices)
    with pytest.raises(InputError, match="order at most 3"):
        PermutationGroup.generate([[1, 2, 3, 0]], max_order=3)
    with pytest.raises(InputError, match=r"\(..., 4\)"):
        group.apply(np.zeros(3))
