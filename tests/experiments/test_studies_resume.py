"""A study that is interrupted after any line and goes on from a checkpoint ends as without it."""

import equinox as eqx
import jax
import numpy as np
import pytest

import intertwine as it
from intertwine.boltzmann.training.families import named_machine, training
from intertwine.boltzmann.training.teaching import Teaching
from intertwine.experiments.renormalize import experiment as renormalization
from intertwine.learning.batches import Batches
from intertwine.learning.fields.fit_fields import field_study
from intertwine.learning.group_tables.fit import table_study
from intertwine.learning.metric import NaturalGradient
from intertwine.learning.structures.fit_structures import structure_task
from intertwine.learning.supervised_fit import supervised_study
from intertwine.quantum.dynamics.evolve import evolution
from intertwine.quantum.dynamics.starts import product_state
from intertwine.quantum.vmc.stopping import Stopping
from intertwine.runs import checkpoints
from intertwine.runs.kinds import configuration_of
from learning.pair_network import PairNetwork, clusters


def supervised(**options):
    """A small network on few rows, learnt by heart: the held-out loss soon rises."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(40, 3)).astype(np.float32)
    y = (x[:, 0] + rng.normal(size=40) > 0).astype(int)
    key = jax.random.key(1)
    network = eqx.nn.MLP(3, 2, 16, 1, key=key)
    settings = dict(epochs=12, batch=6, validation=0.3, patience=3, key=key)
    return supervised_study(network, x, y, **(settings | options))


def steep(updates=0):
    import optax

    return it.OptaxGradient(optax.adam(0.03))


def images():
    """With batch norms, dropout and turned copies."""
    rng = np.random.default_rng(0)
    x = rng.integers(0, 255, (24, 5, 5, 1), dtype=np.uint8)
    net = it.network_from_name("cnn:1", "p4", image_size=5, classes=2, dropout=0.2, key=jax.random.key(0))
    settings = dict(epochs=3, batch=6, validation=0.25, watch="accuracy", augment="rotations")
    return supervised_study(net.reading_bytes(True), x, np.arange(24) % 2, **settings, key=jax.random.key(2))


def search(H, model, sampler, steps, **settings):
    optimiser = NaturalGradient(0.1, shift=1e-2, momentum=0.8)
    return it.quantum.GroundStateSearch(
        H, model, sampler, optimiser, steps=steps, samples=64, final=64, key=jax.random.key(2), **settings
    )


def sampled():
    H = it.heisenberg(it.Chain(6))
    psi = it.RBM(6, hidden=6, key=jax.random.key(1))
    return search(H, psi, it.Metropolis(it.Exchange(), chains=8), 9)


def summed():
    H = it.tfim(it.Chain(6), h=0.7)
    psi = it.RBM(6, hidden=6, dtype=complex, key=jax.random.key(1))
    return search(H, psi, it.Enumeration(), 6)


def particles(model, space, H, **settings):
    sampler = it.Metropolis(it.Exchange([(0, 1), (1, 2), (2, 3), (4, 5), (5, 6), (6, 7)]), 8, hilbert=space)
    return search(H, model, sampler, 8, **settings)


def electrons():
    """That end before their last step."""
    space = it.Fermions(it.Chain(4, pbc=False), (2, 2))
    psi = it.models.model_from_name("slater-jastrow", space.place, space=space, key=jax.random.key(1))
    return particles(psi, space, it.hubbard(space), stopping=Stopping(v_score=1e3))


def renormalize(**tables):
    few = {"samples": 320, "chains": 4, "bins": 8, "burn_in": 20}
    small = {"kind": "renormalize", "levels": 1, "couplings": 2, "starts": 2, "sampler": few}
    return renormalization.build(configuration_of(small | tables)).study


def learning(name, **own):
    rows = np.random.default_rng(0).integers(0, 2, (50, 6)).astype(np.uint8)
    machine, key = named_machine(name, 6, "binary", key=jax.random.key(0))
    teaching = Teaching(epochs=3, chains=8, begin="data")
    return training(machine, Batches(rows, 10, seed=1), teaching, key=key, most=2, **own)


def evolving(samples):
    psi = it.models.model_from_name("rbm:1", it.Chain(4), dtype=complex, key=jax.random.key(1))
    start = product_state(psi, "+x", key=jax.random.key(2))
    X = it.Operator.from_strings(4, [(1.0, {0: "X"})])
    H, times = it.tfim(it.Chain(4), h=0.7), np.linspace(0, 0.15, 4)
    return evolution(H, start, times, observables={"X": X}, key=jax.random.key(3), samples=samples)


def entropies(samples):
    psi = it.RBM(6, hidden=3, dtype=complex, scale=0.5, key=jax.random.key(1))
    return it.entanglement.EntropyScan(psi, samples=samples, key=jax.random.key(2))


def fields_of_arrays():
    """Some targets missing, some samples held out."""
    x = np.random.default_rng(0).normal(size=(8, 4, 4))
    y = np.where(x > 1.5, np.nan, x**2)
    fields = it.data.Fields({"a": x, "b": y}, {}, {}, (), None)
    named = dict(inputs="a", targets="b", space="plane:4:p4", epochs=4, batch=2, validation=0.25)
    return field_study("product:1", fields, **named, key=jax.random.key(0)).study


def structures():
    """Of several padded sizes, with an average of the weights and some held out."""
    data = clusters(20, sizes=(3, 5, 9))
    network = PairNetwork(key=jax.random.key(0))
    return structure_task(network, data, epochs=4, batch=2, validation=0.25, key=jax.random.key(1)).study


ROWS = {
    "entropies, exact": lambda: entropies(None),
    "entropies, samples": lambda: entropies(64),
    "evolution, sums": lambda: evolving(None),
    "evolution, samples": lambda: evolving(64),
    "learning, rbm": lambda: learning("rbm:3"),
    "learning, dbm": lambda: learning("dbm:4-3", layer_epochs=2),
    "learning, dbn": lambda: learning("dbn:4-6", layer_epochs=2, refresh=2),
    "ground state, samples": sampled,
    "ground state, sums": summed,
    "ground state, electrons": electrons,
    "supervised, stops early": lambda: supervised(optimiser=steep()),
    "supervised, nothing held out": lambda: supervised(validation=None, patience=None),
    "supervised, natural gradient": lambda: supervised(optimiser=NaturalGradient(0.1, shift=1e-2), epochs=4),
    "supervised, images": images,
    "fields": fields_of_arrays,
    "a group's table": lambda: table_study("S3", "quadratic:8", epochs=30, batch=10, key=jax.random.key(0)),
    "structures": structures,
    "renormalize, Ising": lambda: renormalize(system={"name": "ising:8"}),
    "renormalize, Potts": lambda: renormalize(system={"name": "potts:3:8"}),
    "renormalize, exponents": lambda: renormalize(
        study="exponents", system={"name": "ising"}, scaling={"sizes": "4-6-8", "samples": 320}
    ),
    "renormalize, Callan-Symanzik": lambda: renormalize(
        study="callan-symanzik",
        system={"name": "ising:12"},
        equation={"couplings": "0.3,0.6", "samples": 320},
    ),
    "renormalize, curvature": lambda: renormalize(
        study="curvature", system={"name": "ising:4"}, curvature={"points": 4, "samples": 1000}
    ),
    "renormalize, approximate": lambda: renormalize(rule={"name": "niemeijer-van-leeuwen"}),
    "renormalize, tensors": lambda: renormalize(rule={"name": "trg:4"}),
}
"""name → a small study."""


def without_seconds(line):
    return {key: value for key, value in line.items() if key != "seconds"}


ALIKE = ("learning, dbn", "supervised, natural gradient", "renormalize, Potts", "entropies, samples")
"""Studies like another one of the table."""


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=pytest.mark.slow if name in ALIKE else ()) for name in ROWS]
)
def test_interrupted_is_uninterrupted(name, tmp_path):
    study, lines, states = ROWS[name](), [], []
    for state, scalars in study.iterate(study.start(), 0):
        states.append(state)
        lines.append(without_seconds(scalars))
    for done in sorted({1, len(lines) // 2, len(lines)}):
        folder = tmp_path / str(done)
        checkpoints.save(folder, states[done - 1], done, config="x = 1")
        again = ROWS[name]()
        state = checkpoints.load(folder, again.template(done), done, config="x = 1")
        rest = list(again.iterate(state, done))
        assert [without_seconds(scalars) for _, scalars in rest] == lines[done:]
        state = rest[-1][0] if rest else state
        ends = [eqx.filter(end, eqx.is_array_like) for end in (state, states[-1])]
        for one, other in zip(*map(jax.tree.leaves, ends), strict=True):
            key = eqx.is_array(one) and jax.dtypes.issubdtype(one.dtype, jax.dtypes.prng_key)
            one, other = (jax.random.key_data(x) if key else x for x in (one, other))
            np.testing.assert_array_equal(one, other)


def test_the_rows_that_stop_early_do():
    study = ROWS["supervised, stops early"]()
    lines = list(study.iterate(study.start(), 0))
    assert len(lines) < study.lines and int(lines[-1][0].best.epoch) == len(lines) - study.patience
