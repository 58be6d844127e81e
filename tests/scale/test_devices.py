"""The same run on one, two and four devices: the same numbers where the random numbers are the same, energies
within the error bars where they are not, and nothing is compiled twice."""

import itertools
import json
import subprocess
import sys

import jax
import numpy as np
import pytest

import intertwine as it
from intertwine._checks import InputError
from intertwine.sampling import sharding

from . import runs

LIBRARY = """
import json, sys
import jax
jax.config.update("jax_enable_x64", True)
import intertwine as it
from intertwine.learning.traces import count_traces
from intertwine.sampling.metropolis.metropolis import Metropolis
from intertwine.sampling.metropolis.rules import Exchange

dtype, chosen, counts = sys.argv[1], sys.argv[2], json.loads(sys.argv[3])
key, lattice = jax.random.key(0), it.Chain(10)
H = it.heisenberg(lattice)
sampler = Metropolis(Exchange(lattice), chains=32, backend="jax")
optimiser = None
if chosen != "auto":
    import optax
    from intertwine.learning.gradient import OptaxGradient
    from intertwine.learning.metric import NaturalGradient
    if chosen == "adam":
        optimiser = OptaxGradient(optax.adam(1e-2))
    else:
        momentum = 0.5 if chosen == "minsr" else 0.0
        optimiser = NaturalGradient(solver=chosen, momentum=momentum, tolerance=1e-12)
found = []
for devices in counts:
    psi = it.RBM(10, hidden=5, dtype={"real": float, "complex": complex}[dtype], key=key)
    compiled = []
    with count_traces() as traces:
        run = it.ground_state(H, psi, steps=6, samples=256, key=key, sampler=sampler, optimiser=optimiser,
                              devices=devices, progress=lambda *_: compiled.append(traces.compiled))
    assert len(set(compiled)) == 1, (devices, compiled, traces.compiled_names[-8:])
    for leaf in jax.tree.leaves(run.state.model):
        assert leaf.sharding.is_fully_replicated and len(leaf.sharding.device_set) == devices
    chains = run.state.objective_state.chains.configurations
    assert len(chains.sharding.device_set) == devices
    assert devices == 1 or not chains.sharding.is_fully_replicated
    found.append([run.energy.mean, run.energy.error, *run.history["energy"]])
print(json.dumps(found))
"""


def library(dtype, solver, counts):
    done = subprocess.run(
        [sys.executable, "-c", LIBRARY, dtype, solver, json.dumps(counts)],
        env=runs.environment(max(counts)), capture_output=True, text=True, timeout=runs.PATIENCE,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]
    return np.array(json.loads(done.stdout.splitlines()[-1]))


def test_two_devices_give_the_numbers_of_one():
    one, two = library("real", "auto", [1, 2])
    np.testing.assert_allclose(two, one, rtol=1e-9)


@pytest.mark.slow
@pytest.mark.parametrize(
    "dtype, solver",
    [("complex", "auto"), ("real", "minsr"), ("real", "dense"), ("real", "iterative"), ("real", "adam")],
)
def test_four_devices_give_the_numbers_of_one(dtype, solver):
    one, two, four = library(dtype, solver, [1, 2, 4])
    np.testing.assert_allclose(two, one, rtol=1e-8)
    np.testing.assert_allclose(four, one, rtol=1e-8)


@pytest.mark.slow
def test_energies_of_a_run_on_one_two_and_four_devices_and_two_processes(tmp_path):
    """One device uses the compiled host kernels, that is, other random numbers; the others JAX."""
    exact = float(it.exact.ground_energy(it.heisenberg(it.Chain(10))))
    energies = {n: runs.complete(tmp_path / f"{n}", steps=100, devices=n) for n in (1, 2, 4)}
    energies["processes"] = runs.complete(tmp_path / "processes", "--processes", 2, steps=100)
    mean, error = energies[1]
    for name, (other, other_error) in energies.items():
        assert abs(other - mean) < 4 * np.hypot(error, other_error), (name, energies)
        assert -3 * other_error < other - exact < 5e-3 * abs(exact), (name, energies, exact)
    assert energies[2] == energies["processes"]
    np.testing.assert_allclose(energies[4], energies[2], rtol=1e-6)


@pytest.mark.slow
def test_a_run_is_resumed_on_another_number_of_devices(tmp_path):
    """Interrupted on two devices, resumed on one: the state is whole in the checkpoint."""
    folder = tmp_path / "run"
    process = runs.begin("ground-state", *runs.FLAGS, "--steps", 2000, "--out", folder, devices=2)
    runs.wait_for(lambda: runs.lines(folder) >= 6, process)
    process.kill()
    runs.finish(process)
    text = (folder / "config.toml").read_text()
    assert 'devices = "auto"' in text
    from intertwine.experiments.ground_state import build
    from intertwine.runs import checkpoints, settings
    from intertwine.runs.kinds import configuration_of

    problem = build.build(configuration_of(settings.read_toml(folder / "config.toml")))
    search = problem.search
    loaded = checkpoints.load_latest(
        folder / "checkpoints", search.template, config=text, last_step=runs.lines(folder)
    )
    assert loaded is not None and loaded.step >= 5 and not loaded.refused
    states = itertools.islice(search.iterate(loaded.state, loaded.step), 2)
    assert [int(state.train.step) for state, _ in states] == [loaded.step + 1, loaded.step + 2]


@pytest.mark.parametrize(
    "devices, chains, named",
    [(2, 64, "devices"), (0, 64, "devices"), ("many", 64, "devices"), (1.5, 64, "devices")],
)
def test_devices_that_are_not_there_are_refused_in_one_line(devices, chains, named):
    with pytest.raises(InputError) as caught:
        sharding.chain_mesh(devices + jax.device_count() if devices == 2 else devices, chains)
    assert str(caught.value).startswith(f"{named}:") and "\n" not in str(caught.value)


def test_one_device_has_no_mesh():
    assert sharding.chain_mesh(None, 64) is None and sharding.chain_mesh(1, None) is None
    model = {"a": jax.numpy.ones(3), "b": "name"}
    assert sharding.replicate(model, None) is model
    assert sharding.shard_chains(model, None, 3) is model
