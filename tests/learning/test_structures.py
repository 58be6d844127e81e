"""Learning on structures: energies with exact forces and stresses, values, classes, batches of all sizes."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from pair_network import CUTOFF, PairNetwork, clusters, morse

import intertwine as it
from intertwine._caveats import Caveat
from intertwine._checks import InputError
from intertwine.data.structures.structures import Structures
from intertwine.learning.structures.blank import blank_model
from intertwine.learning.structures.calculator import Mover
from intertwine.learning.structures.fit_structures import of_elements, of_neighbours, structure_task
from intertwine.learning.structures.inputs import inputs_of
from intertwine.learning.structures.packing import StructureBatches, all_batches, ladder
from intertwine.learning.structures.references import reference_energies
from intertwine.learning.structures.targets import targets_of

KEY = jax.random.key(0)
QUIET = pytest.mark.filterwarnings("ignore::intertwine._caveats.Caveat")


def blank(data, targets="energy,forces", inputs="species", outputs="scalar"):
    told, wanted = inputs_of(inputs, data), targets_of(targets, data)
    network = PairNetwork(sum(one.width for one in told), outputs, key=KEY)
    return blank_model(network, data, told, wanted)


@pytest.fixture(scope="module")
def two_kinds():
    return clusters(6, sizes=(4, 6), species=(1, 8))


@pytest.fixture(scope="module")
def fit():
    data = clusters(48, sizes=(5, 6, 7, 8))
    with pytest.warns(Caveat, match="5 structures were held out"):
        return it.fit_structures(
            PairNetwork(functions=10, key=KEY), data, targets="energy,forces", epochs=40, batch=4, key=KEY
        )


def test_forces_are_those_of_the_energy(two_kinds):
    model, one = blank(two_kinds), two_kinds.take([1])
    forces, h = model.forces(one), 1e-5
    moved = []
    for i, a in ((0, 0), (3, 2)):
        for sign in (1, -1):
            x = one.positions.copy()
            x[i, a] += sign * h
            moved.append(x)
    energies = model.energy(Structures.of(moved, [one.species] * 4))
    slopes = -(energies[::2] - energies[1::2]) / (2 * h)
    np.testing.assert_allclose([forces[0, 0], forces[3, 2]], slopes, rtol=1e-7, atol=1e-8)
    function = model.energy_function(one, skin=0.5)
    np.testing.assert_allclose(function(one.positions), model.energy(one)[0], rtol=1e-12)
    np.testing.assert_allclose(-jax.grad(function)(jnp.asarray(one.positions)), forces, atol=1e-12)


def test_stress_is_the_slope_of_the_energy_by_strain():
    cell = np.array([[2.0, 0.1, 0.0], [0.0, 2.2, 0.3], [0.2, 0.0, 1.9]])
    x = np.array([[0.1, 0.2, 0.3], [1.1, 1.0, 1.2]])
    values = {"energy": np.zeros(5), "forces": np.zeros((10, 3))}
    strain, h = np.array([[0.3, 0.1, 0.0], [0.1, -0.2, 0.4], [0.0, 0.4, 0.5]]), 1e-5
    ways = [np.eye(3) + s * h * strain for s in (0, 1, -1)] + [np.eye(3)] * 2
    data = Structures.of([x @ w for w in ways], [[1, 8]] * 5, cells=[cell @ w for w in ways], values=values)
    model = blank(data)
    energies, stress = model.energy(data), model.stress(data)[0]
    slope = (energies[1] - energies[2]) / (2 * h)
    np.testing.assert_allclose((stress * strain).sum() * np.linalg.det(cell), slope, rtol=1e-6)
    np.testing.assert_allclose(stress, stress.T, atol=1e-12)
    with pytest.raises(InputError, match="periodic in all directions"):
        model.stress(Structures.of([x], [[1, 8]]))


def test_padding_and_company_change_nothing(two_kinds):
    """Structures alone, in batches, among larger ones and periodic ones: the same, to rounding."""
    model = blank(two_kinds)
    together = model.forces(two_kinds)
    apart = [model.forces(two_kinds.take([k])) for k in range(len(two_kinds))]
    np.testing.assert_allclose(together, np.concatenate(apart), atol=1e-12)
    cells = np.zeros((6, 3, 3))
    cells[0] = 2 * CUTOFF * np.eye(3)
    wide = Structures.of(
        [one.positions for one in two_kinds], [one.species for one in two_kinds],
        cells=cells, periodic=[[k == 0] * 3 for k in range(6)],
    )  # fmt: skip
    np.testing.assert_allclose(model.forces(wide), together, atol=1e-12)


def test_every_structure_is_visited_once_an_epoch():
    data = clusters(23, sizes=(4, 9, 9, 9, 20))
    rows = blank(data).rows(data, values=True)
    rungs = ladder([rows], 4)
    assert [(r.largest, r.structures) for r in rungs] == [(4, 4), (9, 4), (20, 4)]
    batches = StructureBatches(rows, rungs, seed=3)
    plans = [batches.plan(epoch) for epoch in (0, 0, 1)]
    seen = np.concatenate([chosen for _, chosen in plans[0]])
    assert len(np.unique(seen)) == len(seen) == 20  # 5, 14 and 4 structures in batches of 4
    assert [c.tolist() for _, c in plans[0]] == [c.tolist() for _, c in plans[1]]
    assert [c.tolist() for _, c in plans[0]] != [c.tolist() for _, c in plans[2]]
    sizes = {
        tuple(np.shape(leaf) for leaf in jax.tree.leaves(batch)) for _, batch in all_batches(rows, rungs)
    }
    assert len(sizes) == len(rungs)
    counted = sum(int(batch.counted.sum()) for _, batch in all_batches(rows, rungs))
    assert counted == len(data)


def test_reference_energies_are_least_squares():
    rng = np.random.default_rng(0)
    kinds = [rng.choice([1, 6, 8], size=n) for n in (3, 4, 5, 6, 7, 8)]
    own = {1: -13.6, 6: -1030.0, 8: -2040.0}
    energies = [sum(own[int(z)] for z in kind) for kind in kinds]
    places = [3 * np.arange(3.0 * len(kind)).reshape(-1, 3) for kind in kinds]
    data = Structures.of(places, kinds, values={"energy": energies})
    np.testing.assert_allclose(reference_energies(data, (1, 6, 8)), list(own.values()), rtol=1e-10)


def test_a_potential_is_learned(fit):
    test = clusters(12, sizes=(6, 8), seed=9)
    said = fit.model.predict(test)
    error = np.sqrt(((said.values["forces"] - test.values["forces"]) ** 2).mean())
    assert error < 0.35 * np.sqrt((test.values["forces"] ** 2).mean())
    assert set(said.units) >= {"energy", "forces"} and said.units["forces"] == "eV/Å"
    last = fit.history[-1]
    assert last["loss"] < 0.1 * fit.history[0]["loss"] and last["validation_forces_error"] > 0
    assert fit.best == min(fit.history, key=lambda row: row["validation_loss"])["epoch"]


def test_nothing_is_traced_again(two_kinds):
    traces = []

    class Counted(PairNetwork):
        def __call__(self, x, *, at, key=None):
            traces.append(x.shape)
            return super().__call__(x, at=at, key=key)

    data = clusters(20, sizes=(3, 7))
    task = structure_task(Counted(key=KEY), data, targets="forces", epochs=3, batch=2, key=KEY)
    lines = task.study.iterate(task.study.start(), 0)
    next(lines)
    first = len(traces)
    assert len(list(lines)) == 2 and len(traces) == first
    assert {rung.points for rung in task.rungs} == {shape[0] for shape in traces}


@QUIET
def test_vectors_and_numbers_of_structures_and_points():
    data = clusters(24, sizes=(5, 8), species=(1, 8))
    charge = np.where(data.species == 1, 0.5, -0.25)
    dipole = np.array([(charge[s, None] * data.positions[s]).sum(0) for s in parts(data)])
    field = data.values["forces"]
    data = data.with_values({"dipole": dipole, "field": field, "size": data.sizes * 2.0}, per_point=["field"])
    fit = it.fit_structures(
        PairNetwork(2, "scalar + vector", key=KEY), data, targets="size,field", epochs=8, batch=4, key=KEY
    )
    said = fit.model.predict(data)
    assert said.values["field"].shape == field.shape and said.values["size"].shape == (24,)
    turn = np.linalg.qr(np.random.default_rng(0).normal(size=(3, 3)))[0]
    turned = Structures.of([one.positions @ turn.T for one in data], [one.species for one in data])
    there = fit.model.said(turned)
    np.testing.assert_allclose(there["field"], said.values["field"] @ turn.T, atol=1e-10)
    np.testing.assert_allclose(there["size"], said.values["size"], atol=1e-10)
    model = blank(data, "dipole,energy", outputs="vector + scalar")
    assert model.predict(data).values["dipole"].shape == (24, 3)


def parts(data):
    return [slice(*data.offsets[k : k + 2]) for k in range(len(data))]


@QUIET
def test_classes_of_points_and_of_structures():
    data = clusters(24, sizes=(5, 8), species=(1, 8))
    inner = np.array(["in", "out"])[(np.linalg.norm(data.positions - 1.2, axis=1) > 1.3).astype(int)]
    whole = np.array(["small", "large"])[(data.sizes > 5).astype(int)]
    data = data.with_values({"place": inner, "kind": whole})
    for target, length in (("place", data.total), ("kind", 24)):
        network = PairNetwork(1, "2 scalar", key=KEY)
        fit = it.fit_structures(
            network, data, targets=target, inputs="none", epochs=25, batch=4, learning_rate=0.05, key=KEY
        )
        said = fit.model.predict(data)
        assert said.words(target).shape == (length,)
        np.testing.assert_allclose(said.values[f"p({target})"].sum(-1), 1, atol=1e-12)
        assert fit.history[-1]["accuracy"] > 0.7 and "validation_accuracy" in fit.history[-1]
    assert (said.words("kind") == whole).mean() > 0.8


@QUIET
def test_groups_are_held_out_whole():
    data = clusters(20)
    data = data.with_values({"trajectory": np.arange(20) // 5})
    task = structure_task(PairNetwork(key=KEY), data, targets="energy", epochs=1, validation=0.3, key=KEY)
    held = set(task.held.values["trajectory"].tolist())
    assert task.grouped == "trajectory" and not held & set(task.kept.values["trajectory"].tolist())
    task = structure_task(PairNetwork(key=KEY), data, epochs=1, by=None, key=KEY)
    assert task.grouped is None and len(task.held) == 2


def test_elements_of_few_structures_are_told():
    data = clusters(8, sizes=(4,), species=(1, 8))
    species = data.species.copy()
    species[0] = 9
    data = Structures.of([one.positions for one in data], species.reshape(8, 4), values={"a": np.ones(8)})
    (line,) = of_elements(data)
    assert line.startswith(
        "data: of 8 structures that are learnt from F in 1: what is said of so few is a guess"
    )
    assert of_elements(clusters(8)) == []


def test_points_without_neighbours_are_told():
    data = clusters(4)
    edges = blank(data).rows(data)
    assert of_neighbours(edges, it.Points(CUTOFF)) == []
    wide = Structures.of([10 * one.positions for one in data], [one.species for one in data])
    (line,) = of_neighbours(blank(data).rows(wide), it.Points(CUTOFF))
    assert line.startswith("data: no point has a neighbour within 3 Å")


def test_missing_values_do_not_count():
    data = clusters(8)
    forces, energy = data.values["forces"].copy(), data.values["energy"].copy()
    forces[:5], energy[3] = np.nan, np.nan
    data = data.with_values({"forces": forces, "energy": energy})
    task = structure_task(PairNetwork(key=KEY), data, epochs=1, batch=3, key=KEY)
    _, line = next(iter(task.study.iterate(task.study.start(), 0)))
    assert np.isfinite(line["loss"]) and np.isfinite(line["forces_error"])
    assert np.isfinite(task.study.blank.scale) and np.isfinite(task.study.blank.references).all()


def test_moving_atoms_keep_their_neighbours_for_a_while(two_kinds):
    """The list is made again when an atom has moved half a skin; the numbers are those of a new list."""
    model, one = blank(two_kinds), two_kinds.take([1])
    mover, x = Mover(model, skin=0.4), one.positions.copy()
    cell, periodic = np.zeros((3, 3)), np.zeros(3, bool)
    for _ in range(12):
        found = mover(x, one.species, cell, periodic)
        now = Structures.of([x], [one.species])
        np.testing.assert_allclose(found["energy"], model.energy(now)[0], rtol=1e-11)
        np.testing.assert_allclose(found["forces"], model.forces(now), atol=1e-11)
        x = x + 0.05 * np.sin(np.arange(x.size)).reshape(x.shape)
    assert 1 < mover.lists < 12


def test_a_budget_of_minutes_ends_the_fit():
    task = structure_task(
        PairNetwork(key=KEY), clusters(8), targets="energy", epochs=10**6, minutes=2e-3, key=KEY
    )
    lines = list(task.study.iterate(task.study.start(), 0))
    state, row = lines[-1]
    assert 1 <= len(lines) < 10**6 and float(state.spent) >= 0.1 and row["learning_rate"] < 1e-2
    assert list(task.study.iterate(state, len(lines))) == []  # a run that goes on knows what was spent
    assert max(row["learning_rate"] for _, row in lines) > 2e-3  # whatever the epochs are


def test_what_cannot_be_learned_from_is_told_in_a_line():
    data, network = clusters(8), PairNetwork(key=KEY)
    other = clusters(2, species=(6,))
    with pytest.raises(InputError, match="elements among Ar, got C"):
        blank(data).predict(other)
    for words, match in (
        ({"targets": "charges"}, "targets: expected values of the data"),
        ({"targets": "energy,energy"}, "each once"),
        ({"inputs": "charges"}, "inputs: expected one of species, none"),
        ({"weights": {"dipole": 1.0}}, "weights: expected weights of energy, forces"),
        ({"weights": {"energy": 0.0, "forces": 0.0}}, "one above 0"),
        ({"by": "run"}, "by: expected a value of each structure"),
        ({"validation": 1.5}, "validation"),
        ({"minutes": -1.0}, "minutes"),
        ({"learning_rate": 0.0}, "learning_rate"),
        ({"key": None}, "a JAX random key"),
    ):
        with pytest.raises(InputError, match=match):
            structure_task(network, data, **({"key": KEY, "epochs": 1} | words))
    with pytest.raises(InputError, match="network: expected a network on points"):
        structure_task(jnp.ones, data, key=KEY)
    with pytest.raises(InputError, match=r"network.rep_out: expected"):
        structure_task(PairNetwork(1, "2 scalar", key=KEY), data, key=KEY)
    with pytest.raises(InputError, match="one that has learned energies"):
        blank(data.with_values({"a": np.arange(8.0)}), "a").forces(data)
    assert abs(morse(data[0].positions)[0] - data.values["energy"][0]) < 1e-12


def test_networks_of_residues_are_told_the_places_along_the_chain():
    """As the first input, without being asked for; whatever else they are told comes after."""
    from intertwine.learning.structures.inputs import features

    data = clusters(5, sizes=(4, 6))
    data = data.with_values({"segment": (np.arange(data.total) % 4 > 1) * 1, "kind": np.arange(5) % 2})
    task = structure_task("residues:2", data, targets="kind", inputs="none", layers=1, epochs=1, key=KEY)
    blank = task.study.blank
    assert [one.name for one in blank.inputs] == ["sequence", "none"] and blank.network.rep_in.dimension == 2
    table = features(blank.inputs, data)
    np.testing.assert_array_equal(table[:6, 0], [0, 1, 1002, 1003, 0, 1])
    np.testing.assert_array_equal(table[:, 1], 1)


@pytest.mark.slow
@QUIET
def test_ten_to_five_thousand_points_in_one_run():
    """Molecules and crystals together: as many programs as rungs, and every structure in one of them."""
    rng, traces = np.random.default_rng(0), []

    class Counted(PairNetwork):
        def __call__(self, x, *, at, key=None):
            traces.append(x.shape[0])
            return super().__call__(x, at=at, key=key)

    positions, cells = [], []
    for steps in (2, 2, 2, 5, 5, 17):  # 8, 125 and 4,913 points of a crystal, the first without a period
        grid = np.stack(np.meshgrid(*[np.arange(float(steps))] * 3), -1).reshape(-1, 3)
        positions.append(1.6 * grid + 0.05 * rng.normal(size=grid.shape))
        cells.append(1.6 * steps * np.eye(3) * (steps > 2))
    kinds = [np.resize([1, 8], len(x)) for x in positions]
    sizes = np.array([len(x) for x in positions])
    values = {"energy": rng.normal(size=6) * sizes, "forces": rng.normal(size=(sizes.sum(), 3))}
    data = Structures.of(positions, kinds, cells=cells, periodic=[[n > 8] * 3 for n in sizes], values=values)
    network = Counted(2, functions=3, key=KEY)
    task = structure_task(network, data, epochs=3, batch=2, validation=0, key=KEY)
    lines = list(task.study.iterate(task.study.start(), 0))
    assert [(r.largest, r.structures) for r in task.rungs] == [(8, 2), (125, 2), (4913, 1)]
    assert len(lines) == 3 and set(traces) == {rung.points for rung in task.rungs}
    before = len(traces)
    said = task.study.finish(lines[-1][0], []).model.forces(data)
    assert said.shape == (sizes.sum(), 3) and np.isfinite(said).all()
    assert len(set(traces[before:])) <= 3


@QUIET
def test_points_in_the_plane():
    """The group of the plane is taken by itself; vectors have two components."""
    rng = np.random.default_rng(0)
    clouds = [2 * rng.normal(size=(6, 2)) for _ in range(8)]
    values = {"flow": np.concatenate([x - x.mean(0) for x in clouds])}
    data = Structures.of(clouds, values=values)
    options = dict(inputs="none", space="points:6.0", layers=1, epochs=2, key=KEY)
    fit = it.fit_structures("painn:2", data, targets="flow", **options)
    said = fit.model.said(data)["flow"]
    turn = np.array([[0.6, -0.8], [0.8, 0.6]])
    turned = fit.model.said(Structures.of([x @ turn.T for x in clouds]))["flow"]
    np.testing.assert_allclose(turned, said @ turn.T, atol=1e-10)
    with pytest.raises(InputError, match="positions in 3 dimensions"):
        it.fit_structures("painn:2", data, targets="flow", **(options | {"space": it.Points(6.0)}))
