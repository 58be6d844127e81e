"""Symmetry that a network learns: networks written down, errors by brute force, trainings."""

import math

import jax
import numpy as np
import pytest

import intertwine as it
from intertwine.layers.emergence.table_symmetry import (
    energies_by_irrep,
    irrep_frame,
    table_scores,
    table_symmetry,
)

NAMES = ("Z7", "S3", "D4", "Q8", "Dic3", "C2xC4")


@pytest.mark.parametrize("name", NAMES)
def test_the_characters_multiply(name):
    group = it.symmetry.group_from_name(name)
    network = it.layers.character_network(group)
    scores = table_scores(network, group)
    assert np.abs(scores - np.eye(group.order)[group.product_table]).max() < 1e-5
    found = table_symmetry(scores, group)
    assert found.right.all() and found.error < 1e-6 and found.class_error < 1e-6
    dimensions = [r.dimension for r in it.symmetry.irreps(group, field="real")]
    assert network.width == 2 * sum(d**3 for d in dimensions)


def test_random_phases_multiply_in_z23():
    """Gromov (2023): 500 quadratic units with random phases have every product of Z_23 right."""
    group = it.symmetry.cyclic(23)
    found = it.layers.emergent_symmetry(it.layers.character_network(group, 500), group)
    scores = table_scores(it.layers.character_network(group, 500), group)
    assert (scores.argmax(2) == group.product_table).all()
    assert 0.1 < found.error[0] < 0.6  # right, but not exactly symmetric


@pytest.mark.parametrize("name", ["Z7", "D4"])
def test_the_error_is_that_of_all_elements(name):
    group = it.symmetry.group_from_name(name)
    T, inverse, n = group.product_table, group.inverse, group.order
    scores = np.random.default_rng(0).normal(size=(n, n, n)) + 2 * np.eye(n)[T]
    found = table_symmetry(scores, group)
    F = scores - scores.mean(2, keepdims=True)
    total = 0.0
    for g in range(n):
        for k in range(n):
            back = T[:, inverse[k]]
            moved = F[np.ix_(T[g], back, T[T[g], inverse[k]])]
            total += ((F - moved) ** 2).sum()
    assert found.error == pytest.approx(math.sqrt(total / n**2 / (F**2).sum() / 2), abs=1e-12)


@pytest.mark.parametrize("name", NAMES)
def test_energies_add_up_and_the_unit_function_has_its_own(name):
    group = it.symmetry.group_from_name(name)
    functions = np.random.default_rng(1).normal(size=(group.order, 5))
    energies = energies_by_irrep(functions, group)
    assert energies.sum() == pytest.approx((functions**2).sum(), rel=1e-12)
    unit = np.eye(group.order)[group.identity]
    assert energies_by_irrep(unit, group) == pytest.approx(irrep_frame(group).unit, abs=1e-12)
    # a function that lies in one irrep has all of its energy there
    rep = it.symmetry.irreps(group, field="real")[-1]
    assert energies_by_irrep(rep.matrices[:, 0, 0], group)[:-1] == pytest.approx(0, abs=1e-12)


def test_group_names():
    orders = {"S4": 24, "cyclic:97": 97, "Z_5": 5, "d5": 10, "Q8": 8, "A5": 60, "S3xC2": 12, "I": 60}
    assert {name: it.symmetry.group_from_name(name).order for name in orders} == orders
    for wrong in ("", "S", "xx", "S9", "C0", "foo:3", 4):
        with pytest.raises(it.InputError) as caught:
            it.symmetry.group_from_name(wrong)
        assert "\n" not in str(caught.value)


def test_the_table_as_data():
    data = it.data.group_table("S3", share=0.5, seed=1)
    group = it.symmetry.symmetric(3)
    rows, labels = (
        np.concatenate([data.train, data.test]),
        np.concatenate([data.train_labels, data.test_labels]),
    )
    a, b = rows[:, :6].argmax(1), rows[:, 6:].argmax(1)
    assert (rows.sum(1) == 2).all() and (labels == group.product_table[a, b]).all()
    assert len({(x, y) for x, y in zip(a.tolist(), b.tolist(), strict=True)}) == 36
    again = it.data.load("group:S3", test_share=0.5, seed=1)
    assert (again.train == data.train).all() and again.name == "group:S3"
    for wrong in ({"share": 0}, {"share": 1}, {"share": 0.001}):
        with pytest.raises(it.InputError, match="share"):
            it.data.group_table("S3", **wrong)
    with pytest.raises(it.InputError, match="256"):
        it.data.group_table("S6")


@pytest.fixture(scope="module")
def z13():
    return it.fit_group_table("Z13", "quadratic:64", share=0.8, epochs=1000, key=jax.random.key(0))


def test_a_network_learns_the_group(z13):
    found = it.layers.emergent_symmetry(z13)
    assert found.train[-1] == found.held_out[-1] == 1.0
    assert found.memorised < found.generalised < 1000
    assert found.fall > 10 and not found.warnings
    assert np.abs(found.energy.sum(1) - 1).max() < 1e-6 and np.abs(found.weights.sum(1) - 1).max() < 1e-6
    # the same from the network itself, given as a list, with one-hot pairs
    last = it.layers.emergent_symmetry([lambda x: z13.model(x)], "Z13", pairs=z13.pairs)
    assert last.error[0] == pytest.approx(found.error[-1], rel=1e-4)
    assert last.held_out[0] == 1.0 and "generalised at update" in str(found)


def test_too_few_pairs_are_memorised_alone():
    with pytest.warns(UserWarning, match="memorised"):
        fit = it.fit_group_table("Z7", "quadratic:64", share=0.3, epochs=300, key=jax.random.key(0))
    found = it.layers.emergent_symmetry(fit)
    assert found.train[-1] == 1 and found.held_out[-1] < 0.5 and math.isnan(found.generalised)
    assert found.warnings[0].startswith("overfitting") and "never" in str(found)


def test_bad_input(z13):
    for wrong, words in (
        ("runs/x", "it.load"), ([], "networks along"), (it.data.group_table("S3"), "networks along"),
        ([z13.model], "group"),
    ):  # fmt: skip
        with pytest.raises(it.InputError, match=words):
            it.layers.emergent_symmetry(wrong)
    with pytest.raises(it.InputError, match="networks of one-hot pairs"):
        it.layers.emergent_symmetry([z13.model], "Z5")
    for settings in ({"learning_rate": -1}, {"epochs": 0}, {"share": 2}, {"weight_decay": math.nan}):
        with pytest.raises(it.InputError):
            it.fit_group_table("Z5", **settings, key=jax.random.key(0))
    with pytest.raises(it.InputError, match="quadratic:W"):
        it.fit_group_table("Z5", "cnn:4", key=jax.random.key(0))
