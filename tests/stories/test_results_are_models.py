"""Whatever takes a model takes a fit and a loaded run as well, with the same numbers: one table of all public
functions that take one."""

import dataclasses
import importlib
import inspect
import re
import tempfile
from pathlib import Path

import jax
import numpy as np
import pytest

import intertwine as it
from intertwine.cli import main
from intertwine.learning.stages import Fit

QUANTUM = ("quantum", "quantum.entanglement", "quantum.observables")
FACES = ("boltzmann", "sampling", "models", *QUANTUM, "geometry", "rg", "layers", "learning", "")
NAMES = {"model", "models", "machine", "network", "rbm", "psi", "dbm", "dbn", "subject", "ising", "system"}
TYPES = re.compile(r"\b(RBM|DBM|DBN|Machine|LogAmplitude|Ising|Potts|Clock|Model|Layers)\b")
KEY = jax.random.key(0)
FEW = "--rows 100 --epochs 2 --batch 50 --samples 400 --sample-steps 5"
COMMANDS = {
    "rbm": f"learn --data ising:3 --model rbm:4 {FEW} --ais-temperatures 20",
    "network": "classify --data SHAPES --network cnn:1 --group p1 --epochs 1",
    "state": "ground-state --lattice chain:6 --hamiltonian tfim --model rbm:1 --samples 64 --chains 8 "
    "--steps 2 --final-samples 64",
    "spins": "renormalize --system ising:4 --levels 1 --couplings 2 --starts 0 --samples 480 --bins 4",
}  # fmt: skip
ROWS = np.sign(np.random.default_rng(0).normal(size=(40, 9)) + 0.3).astype(np.int8)
BITS = (ROWS[:, :6] > 0).astype(np.uint8)
IMAGES = np.random.default_rng(1).integers(0, 256, (40, 9, 9, 1), dtype=np.uint8)
LABELS = np.arange(40) % 3
TORUS = it.Square(3, 3)
CHAIN = it.Chain(6)
H = it.tfim(CHAIN)
X0, X3 = (it.Operator.from_strings(6, [(1.0, {site: "X"})]) for site in (0, 3))
ENTANGLED, SEEN, HALF = it.quantum.entanglement, it.quantum.observables, [0, 1, 2]
MAJORITY = it.rg.Majority(2)


def saved(network):
    with tempfile.TemporaryDirectory() as place:
        it.layers.save_network(f"{place}/network.bin", network)
        return np.frombuffer(Path(place, "network.bin").read_bytes(), np.uint8)


def fit_of(model):
    return Fit(model, [], None)


def built():
    """Models that no small run has, in fits."""
    return {
        "block": it.rg.block_rbm(it.Square(6, 6), b=2, w=1.0),
        "labelled": it.boltzmann.labelled_rbm(6, 3, hidden=4, key=KEY),
        "dbm": it.DBM((6, 4, 3), key=KEY),
        "dbn": it.DBN((6, 4, 3), key=KEY),
        "complex": it.RBM(6, hidden=6, dtype=complex, key=KEY),
        "symmetric": it.SymmetricRBM(CHAIN, features=1, group="space", key=KEY),
        "binary": it.RBM(6, hidden=4, units="binary", hidden_units="binary", key=KEY),
    }


QUICK = {
    # a machine of spins
    "boltzmann.add_hidden_unit": ("rbm", lambda m: it.add_hidden_unit(m, ROWS)),
    "boltzmann.log_likelihood": ("rbm", lambda m: it.log_likelihood(m, ROWS, 3.0)),
    "boltzmann.log_partition": ("rbm", lambda m: it.log_partition(m, it.Exact())),
    "boltzmann.free_energy_gap": ("rbm", lambda m: it.free_energy_gap(m, ROWS, ROWS[:20])),
    "boltzmann.kl_divergence": ("rbm", lambda m: it.kl_divergence(np.full(512, 1 / 512), m)),
    "boltzmann.pseudo_likelihood": ("rbm", lambda m: it.pseudo_likelihood(m, ROWS)),
    "boltzmann.reconstruction_error": ("rbm", lambda m: it.reconstruction_error(m, ROWS, key=KEY)),
    "boltzmann.at_temperature": ("rbm", lambda m: it.at_temperature(m, 2.0)),
    "boltzmann.contacts": ("rbm", lambda m: it.contacts(m, ROWS)),
    "boltzmann.couplings": ("rbm", lambda m: it.couplings(m, ROWS)),
    "sampling.sample": ("rbm", lambda m: it.sample(m, 20, sampler=it.Gibbs(steps=5), key=KEY).configurations),
    "sampling.complete": (
        "rbm", lambda m: it.complete(m, np.where(ROWS[:5] > 0, 1.0, np.nan), steps=5, burn_in=5, key=KEY)
    ),
    "sampling.TrajectoryGibbs": ("rbm", lambda m: it.TrajectoryGibbs([m], steps=5).models),
    "models.count_parameters": ("rbm", it.count_parameters),
    "geometry.fisher_spectrum": ("rbm", lambda m: it.geometry.fisher_spectrum(m)),
    "geometry.transport_metric": ("rbm", lambda m: it.geometry.transport_metric(m)),
    "geometry.curvature": ("spins", lambda m: it.geometry.curvature(m)),
    "geometry.training_flow": ("rbm", lambda m: it.geometry.training_flow([m, m])),
    "rg.trace_condition": ("rbm", lambda m: it.rg.trace_condition(m)),
    "rg.couplings_of_rbm": ("rbm", lambda m: it.rg.couplings_of_rbm(m, TORUS, shells=2)),
    "rg.receptive_fields": ("rbm", lambda m: it.rg.receptive_fields(m, TORUS)),
    "rg.network_flow": ("rbm", lambda m: it.rg.network_flow(m, ROWS, 2, lattice=TORUS, key=KEY)),
    "rg.as_rg_map": ("block", lambda m: it.rg.as_rg_map(m).rbm),
    "rg.placed_rule": ("block", lambda m: it.rg.placed_rule(m, it.Square(6, 6)).rbm),
    "boltzmann.LabelScores": ("labelled", lambda m: it.LabelScores(m)),
    # deep machines
    "boltzmann.mean_field_posterior": ("dbm", lambda m: it.mean_field_posterior(m, BITS)),
    "boltzmann.upper_means": ("dbm", lambda m: it.upper_means(m, BITS)),
    "boltzmann.variational_bound": ("dbm", lambda m: it.variational_bound(m, BITS, 3.0)),
    "boltzmann.structured_bound": ("dbm", lambda m: it.structured_bound(m, BITS, 3.0, key=KEY)),
    "boltzmann.importance_bound": ("dbm", lambda m: it.importance_bound(m, BITS, 3.0, key=KEY)),
    "boltzmann.belief_bound": ("dbn", lambda m: it.belief_bound(m, BITS, 3.0, draws=5, key=KEY)),
    # wave functions
    "quantum.expect": ("state", lambda m: it.expect(H, m, 64, key=KEY)),
    "quantum.entanglement.state_vector": ("state", lambda m: ENTANGLED.state_vector(m)),
    "quantum.entanglement.von_neumann": ("state", lambda m: ENTANGLED.von_neumann(m, HALF)),
    "quantum.entanglement.renyi": ("state", lambda m: ENTANGLED.renyi(m, HALF, 3.0)),
    "quantum.entanglement.bound": ("state", lambda m: ENTANGLED.bound(m, HALF)),
    "quantum.entanglement.renyi2": ("state", lambda m: ENTANGLED.renyi2(m, HALF)),
    "quantum.entanglement.spectrum": ("state", lambda m: ENTANGLED.spectrum(m, HALF)),
    "quantum.entanglement.reduced_density_matrix": (
        "state", lambda m: ENTANGLED.reduced_density_matrix(m, HALF)
    ),
    "quantum.entanglement.mutual_information": ("state", lambda m: ENTANGLED.mutual_information(m, [0], [3])),
    "quantum.entanglement.scan": ("state", lambda m: ENTANGLED.scan(m).renyi2),
    "quantum.entanglement.negativity": ("state", lambda m: ENTANGLED.negativity(m, [0], [3])),
    "quantum.observables.overlap": ("state", lambda m: SEEN.overlap(m, built()["complex"])),
    "quantum.observables.fidelity": ("state", lambda m: SEEN.fidelity(built()["complex"], m)),
    "quantum.product_infidelity": ("state", lambda m: it.quantum.product_infidelity(m, "+x")),
    "quantum.locally_turned": ("complex", lambda m: it.quantum.locally_turned(m, {0: "X"}).weights),
    "quantum.product_state": ("complex", lambda m: it.quantum.product_state(m, "+x", key=KEY)),
    "models.Symmetrised": ("state", lambda m: it.Symmetrised(m, CHAIN)),
    "sampling.assert_detailed_balance": (
        "state", lambda m: it.assert_detailed_balance(it.SingleFlip(), m, 1e-6)
    ),
    "models.assert_incremental_consistent": ("state", lambda m: it.assert_incremental_consistent(m, key=KEY)),
    "models.assert_factors_consistent": ("state", lambda m: it.assert_factors_consistent(m, key=KEY)),
    "models.assert_spin_form_consistent": ("state", lambda m: it.assert_spin_form_consistent(m, key=KEY)),
    "models.assert_holomorphic": ("complex", lambda m: it.assert_holomorphic(m, key=KEY)),
    "models.assert_invariant": (
        "symmetric", lambda m: it.assert_invariant(m, CHAIN.space_group, key=KEY)
    ),
    # spin models
    "models.enumerate_distribution": ("spins", lambda m: it.enumerate_distribution(m)),
    "sampling.averages": (
        "spins",
        lambda m: it.averages(m, {"bond": lambda s: s[0] * s[1]}, 20, sampler=it.SwendsenWang(), key=KEY),
    ),
    "rg.block_distribution": ("spins", lambda m: it.rg.block_distribution(m, MAJORITY)),
    "rg.block_hamiltonian": ("spins", lambda m: it.rg.block_hamiltonian(m, MAJORITY)),
    "rg.bond_rbm": ("spins", lambda m: it.rg.bond_rbm(m)),
    "rg.mcrg": ("spins", lambda m: it.rg.mcrg(m, levels=1, couplings=2, samples=480, bins=4).y_T),
    "rg.coupling_metrics": ("spins", lambda m: it.rg.coupling_metrics(m, MAJORITY)),
    "rg.mutual_information": ("spins", lambda m: it.rg.mutual_information(m, buffer=0)),
    # networks
    "learning.class_scores": ("network", lambda m: it.class_scores(m, IMAGES)),
    "learning.class_probabilities": ("network", lambda m: it.class_probabilities(m, IMAGES)),
    "learning.predict": ("network", lambda m: it.predict(m, IMAGES) == "1"),
    "learning.accuracy": ("network", lambda m: it.accuracy(m, IMAGES, LABELS)),
    "learning.confusion_matrix": ("network", lambda m: it.confusion_matrix(m, IMAGES, LABELS)),
    "layers.parameter_count": ("network", it.layers.parameter_count),
    "layers.calibrated": ("network", lambda m: it.layers.calibrated(m, IMAGES)),
    "layers.save_network": ("network", lambda m: saved(m)),
    "layers.equivariance_errors": ("network", lambda m: it.equivariance_errors(m, key=KEY)),
}  # fmt: skip
SLOW = {
    "boltzmann.gradient_flow": ("rbm", lambda m: it.boltzmann.gradient_flow(m, ROWS, [0.0, 0.1])[-1].weights),
    "geometry.geodesic": ("spins", lambda m: it.geometry.geodesic(m, [0.1], [0.3], ["nearest"])),
    "geometry.training_distances": (
        "rbm", lambda m: it.geometry.training_distances([m], ROWS, samples=40, key=KEY)
    ),
    "geometry.conserved": (
        "network", lambda m: it.conserved(m, inputs=IMAGES[:4] / 255.0, count=False)
    ),
    "rg.critical_start": (
        "network", lambda m: jax.tree.leaves(it.rg.critical_start(m, IMAGES[:8] / 255.0, key=KEY).model)
    ),
    "boltzmann.sample_given_label": (
        "labelled", lambda m: it.sample_given_label(m, [0, 1], steps=5, key=KEY)
    ),
    "layers.export": ("network", lambda m: it.layers.export(m)),
    "layers.train_outputs": (
        "network", lambda m: it.layers.train_outputs(m, jax.numpy.asarray(IMAGES), key=KEY)[0]
    ),
    "layers.assert_equivariant": ("network", lambda m: it.assert_equivariant(m, key=KEY, tol=1e-2)),
    "rg.hidden_hamiltonian": ("rbm", lambda m: it.rg.hidden_hamiltonian(m)),
    "boltzmann.learn": ("rbm", lambda m: it.learn(m, ROWS, epochs=1, key=KEY).model),
    "boltzmann.fine_tune": ("binary", lambda m: it.fine_tune(m, BITS, LABELS, epochs=1, key=KEY).model),
    "boltzmann.learn_classifier": (
        "labelled", lambda m: it.learn_classifier(m, BITS, LABELS, epochs=1, key=KEY).model
    ),
    "boltzmann.learn_deep_boltzmann": (
        "dbm", lambda m: it.learn_deep_boltzmann(m, BITS, epochs=1, pretrain=1, key=KEY).model
    ),
    "boltzmann.learn_deep_belief": (
        "dbn", lambda m: it.learn_deep_belief(m, BITS, epochs=1, up_down=0, key=KEY).model
    ),
    "boltzmann.learn_up_down": ("dbn", lambda m: it.learn_up_down(m, BITS, epochs=1, key=KEY).model),
    "learning.fit_supervised": (
        "network", lambda m: it.fit_supervised(m, IMAGES, LABELS, epochs=1, key=KEY).model
    ),
    "quantum.entanglement.sampled_spectrum": (
        "state", lambda m: ENTANGLED.sampled_spectrum(m, HALF, samples=256, key=KEY)
    ),
    "quantum.entanglement.topological": (
        "rbm", lambda m: ENTANGLED.topological(m, TORUS)
    ),
    "quantum.observables.connected": ("state", lambda m: SEEN.connected(X0, X3, m, 64, key=KEY)),
    "quantum.observables.structure_factor": (
        "state", lambda m: SEEN.structure_factor(m, CHAIN, samples=64, key=KEY)
    ),
    "quantum.evolve": (
        "complex", lambda m: it.evolve(H, m, [0.0, 0.05], key=KEY).energy
    ),
    "quantum.two_time_correlations": (
        "complex", lambda m: it.quantum.two_time_correlations(H, m, [0.0, 0.02], key=KEY).values
    ),
    "quantum.ground_state": ("state", lambda m: it.ground_state(H, m, 2, 64, key=KEY).energy),
    "rg.flow_fixed_point": (
        "rbm", lambda m: it.rg.flow_fixed_point(m, steps=20, most_steps=40, lattice=TORUS, key=KEY)
    ),
    "rg.network_study": ("rbm", lambda m: it.rg.network_study(m, ROWS, lattice=TORUS, key=KEY).couplings),
    "rg.layer_flow": (
        "block", lambda m: it.rg.layer_flow(m, WIDE, [it.Square(6, 6), it.Square(3, 3)], key=KEY)
    ),
    "rg.coupling_flow": (
        "spins",
        lambda m: it.rg.coupling_flow(m, levels=1, couplings=2, starts=0, samples=480, bins=4).couplings,
    ),
    "rg.optimal_filter": ("spins", lambda m: it.rg.optimal_filter(m, buffer=0, starts=1, key=KEY)),
    "rg.variational_couplings": (
        "spins",
        lambda m: it.rg.variational_couplings(m, MAJORITY, ("nearest",), chains=8, draws=500, key=KEY),
    ),
}  # fmt: skip
"""Long enough to be slow."""
WIDE = np.sign(np.random.default_rng(2).normal(size=(200, 36))).astype(np.int8)
TABLE = QUICK | SLOW
EXCEPTIONS = {
    "geometry.curvature_scan": "model is a function of a coupling",
    "learning.TableFit": "a result",
    "learning.fit_group_table": "network is a name, or one of the table's pairs",
    "rg.CriticalStart": "a result",
    "models.SymmetrisedDensity": "model is a network, which it averages",
    "models.correlated": "reference is a wave function of fermions, which it multiplies",
    "ase_calculator": "takes models of structures, and their runs: tests/learning/test_structure_dynamics.py",
    "fit_fields": "network is a name",
    "fit_structures": "network is a name, or a network on points",
    "layers.Dipole": "network is one on points, which it reads out",
    "layers.EnergyForces": "network is one on points, which it reads out",
    "layers.Polarisability": "network is one on points, which it reads out",
    "boltzmann.stored_models": "the model belongs to the state beside it, of one training",
    "quantum.entanglement.EntropyScan": "the study that scan carries out",
    "quantum.Evolution": "the study that evolve carries out",
    "quantum.evolution": "the study that evolve carries out",
    "quantum.Trajectory": "a result",
    "quantum.GroundStateRun": "a result",
    "quantum.GroundStateSearch": "the study that ground_state carries out",
    "quantum.lowest_in_sector": "model is a function that makes one",
    "rg.HiddenHamiltonian": "a result",
    "rg.NetworkReading": "a result",
    "rg.NetworkRule": "a result, of as_rg_map",
    "rg.trg_critical": "model is a function of a coupling",
    "rg.trg_derivatives": "model is a function of a coupling",
}
"""Public names with a parameter of such a name or type that take no model of a result, and why."""


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    """kind → a loaded run, or a fit; and where the runs are."""
    place, found = tmp_path_factory.mktemp("results"), {}
    np.savez(place / "shapes.npz", images=IMAGES[..., 0], labels=LABELS)
    before = jax.config.jax_enable_x64
    for kind, words in COMMANDS.items():
        words = words.replace("SHAPES", f"{place / 'shapes.npz'} --variable images")
        assert main([*words.split(), "--out", str(place / kind)]) == 0
        found[kind] = it.load(place / kind)
        jax.config.update("jax_enable_x64", before)
    return found | {kind: fit_of(model) for kind, model in built().items()} | {"place": place}


def numbers(found):
    """All numbers of a result, in order, without seconds."""
    if isinstance(found, dict):
        return [x for name, value in found.items() if name != "seconds" for x in numbers(value)]
    if isinstance(found, tuple | list):
        return [x for value in found for x in numbers(value)]
    if dataclasses.is_dataclass(found):
        return [x for field in dataclasses.fields(found) for x in numbers(getattr(found, field.name))]
    if isinstance(found, float | int | complex | np.ndarray | np.generic | jax.Array):
        return [np.asarray(found)]
    return []


@pytest.mark.parametrize("name", [*QUICK, *(pytest.param(x, marks=pytest.mark.slow) for x in SLOW)])
def test_a_result_stands_for_its_model(name, results):
    kind, call = TABLE[name]
    result = results[kind]
    expected = numbers(call(result.model))
    assert expected or name.startswith(("sampling.assert", "layers.assert"))
    for given in (result, fit_of(result.model)):
        for ours, theirs in zip(numbers(call(given)), expected, strict=True):
            np.testing.assert_array_equal(ours, theirs)


def public():
    """name → what stands in the faces, under the first face that has it."""
    found = {}
    for face in FACES:
        module = importlib.import_module("intertwine" + (f".{face}" if face else ""))
        for name in dir(module):
            thing = getattr(module, name)
            if not name.startswith("_") and callable(thing) and not any(thing is x for x in found.values()):
                found[f"{face}.{name}" if face else name] = thing
    return found


def test_the_table_has_every_function_that_takes_a_model():
    asked = set()
    for name, thing in public().items():
        try:
            parameters = inspect.signature(thing).parameters.values()
        except ValueError:
            continue
        if any(p.name in NAMES or TYPES.search(str(p.annotation)) for p in parameters):
            asked.add(name)
    assert asked - set(TABLE) - set(EXCEPTIONS) == set()
    assert not set(EXCEPTIONS) & set(TABLE) and set(EXCEPTIONS) <= asked


def test_one_row_is_scored_and_one_image_classified(results, tmp_path, capsys):
    place, row, image = results["place"], tmp_path / "row.npy", tmp_path / "image.npz"
    np.save(row, ROWS[:1])
    np.savez(image, images=IMAGES[:1, ..., 0], labels=LABELS[:1])
    before = jax.config.jax_enable_x64
    try:
        assert main(["score", str(place / "rbm"), "--data", str(row)]) == 0
        asked = ["--data", str(image), "--variable", "images", "--out", str(tmp_path / "said.csv")]
        assert main(["predict", str(place / "network"), *asked]) == 0
    finally:
        jax.config.update("jax_enable_x64", before)
    told = capsys.readouterr().out
    value = it.log_likelihood(results["rbm"], ROWS[:1], results["rbm"].log_z).mean
    assert f"log-likelihood of the row −{-value:.3f} nats" in told
    assert "one image: " in told and "of 1 labelled images" in told
    for command in ("learn", "classify"):
        assert main([command, "--data", str(row), "--out", str(tmp_path / "run")]) == 2
