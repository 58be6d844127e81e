"""Local energies, the energy objective, expect and ground_state against dense matrices on 8 spins."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from dense_oracle import dense_sum, random_strings

import intertwine as it
from intertwine._checks import InputError
from intertwine.learning.loop import train
from intertwine.learning.metric import NaturalGradient
from intertwine.learning.schedules import Exponential
from intertwine.models.protocols import Incremental, SpinFormed
from intertwine.models.units import as_spins
from intertwine.quantum.defaults import FINAL_FACTOR
from intertwine.quantum.operators.operator import Operator
from intertwine.quantum.space_choice import default_sampler
from intertwine.quantum.vmc import local_energy
from intertwine.quantum.vmc.energy import EnergyObjective, infinite_temperature_energy, v_score
from intertwine.quantum.vmc.local_energy import local_values
from intertwine.quantum.vmc.search import GroundStateRun
from intertwine.sampling.enumeration import all_configurations
from models.table import MODELS
from thinned import thinned

SIZE = 8
ROWS = ["rbm-float-spin-spin", "rbm-complex-binary-as-spins", "symmetric-complex", "jastrow-complex"]
ROWS += ["mean-field-float", "function-with-phase"]


def _state(model):
    log = np.asarray(jax.jit(jax.vmap(model))(jnp.asarray(all_configurations(model.size)))).astype(complex)
    psi = np.exp(log - log.real.max())
    return psi / np.linalg.norm(psi)


def _backends(model):
    able = {"host": SpinFormed, "incremental": Incremental}
    return ["auto", "generic"] + [name for name, protocol in able.items() if isinstance(model, protocol)]


@pytest.mark.parametrize("real", [True, False])
@pytest.mark.parametrize("name", thinned(ROWS))
def test_every_backend_gives_the_rows_of_the_matrix(name, real, key):
    model = as_spins(MODELS[name](key))
    strings = random_strings(SIZE, seed=5, real=real)
    operator, psi = Operator.from_strings(SIZE, strings), _state(model)
    expected = (dense_sum(SIZE, strings) @ psi) / psi
    for backend in _backends(model):
        found = local_values(operator, model, jnp.asarray(all_configurations(SIZE)), backend=backend)
        np.testing.assert_allclose(
            found, expected, rtol=1e-9, atol=1e-9 * np.abs(expected).max(), err_msg=backend
        )


@pytest.mark.parametrize("seed", thinned(range(3), 3))
@pytest.mark.parametrize("name", ROWS)
def test_enumerated_energy_is_the_exact_expectation(name, seed, key):
    model = as_spins(MODELS[name](key))
    strings = random_strings(SIZE, seed=seed)
    operator, psi, matrix = Operator.from_strings(SIZE, strings), _state(model), dense_sum(SIZE, strings)
    exact = (psi.conj() @ matrix @ psi).real
    objective = EnergyObjective(operator, it.Enumeration())
    evaluation, _ = objective.evaluate(model, objective.init(model, key=key), key=key)
    assert evaluation.estimate.mean == pytest.approx(exact, rel=1e-10)
    variance = np.linalg.norm(matrix @ psi) ** 2 - exact**2
    assert evaluation.estimate.variance == pytest.approx(variance, rel=1e-9)
    assert evaluation.estimate.error == 0
    assert it.expect(operator, model, key=key, sampler=it.Enumeration()).mean == pytest.approx(
        exact, rel=1e-10
    )


def test_chunks_give_the_same_local_values(key, monkeypatch):
    model, spins = MODELS["rbm-complex-spin-spin"](key), jnp.asarray(all_configurations(SIZE))
    operator = Operator.from_strings(SIZE, random_strings(SIZE, seed=1))
    whole = local_values(operator, model, spins, backend="generic")
    monkeypatch.setattr(local_energy, "CHUNK_ELEMENTS", 1 << 13)
    jax.clear_caches()
    np.testing.assert_allclose(local_values(operator, model, spins, backend="generic"), whole, rtol=1e-12)


def test_infinite_temperature_energy_is_the_mean_of_the_spectrum():
    strings = random_strings(SIZE, seed=2)
    operator = Operator.from_strings(SIZE, strings)
    expected = np.trace(dense_sum(SIZE, strings)).real / 2**SIZE
    assert infinite_temperature_energy(operator) == pytest.approx(expected, abs=1e-12)


def test_v_score_does_not_depend_on_the_zero_of_energy(key):
    model = MODELS["rbm-float-spin-spin"](key)
    operator = it.tfim(it.Chain(SIZE))
    shifted = operator + Operator.from_strings(SIZE, [(7.5, {})])
    scores = [
        v_score(h, it.expect(h, model, key=key, sampler=it.Enumeration()))
        for h in (operator, shifted, 2.0 * operator)
    ]
    np.testing.assert_allclose(scores, scores[0], rtol=1e-9)


STOQUASTIC = {
    "tfim": (it.tfim(it.Chain(SIZE)), None),
    "heisenberg": (it.heisenberg(it.Chain(SIZE)), 0),
    "frustrated-tfim": (it.tfim(it.Triangular(2, 4), J=-1.0, h=2.0), None),
}
COOLING = NaturalGradient(0.04, Exponential(1e-1, 1e-7, 150))


@pytest.mark.parametrize("name", thinned(list(STOQUASTIC)))
def test_reconfiguration_over_all_states_finds_the_ground_state(name, key):
    operator, magnetization = STOQUASTIC[name]
    exact = np.linalg.eigvalsh(operator.to_dense())[0]
    objective = EnergyObjective(operator, it.Enumeration(magnetization))
    model = it.RBM(SIZE, hidden=2 * SIZE, scale=0.1, key=key)
    _, history = train(model, objective, COOLING, steps=200, key=key)
    assert history[-1]["energy"] == pytest.approx(exact, rel=2e-6)
    assert history[-1]["energy"] >= exact - 1e-12 * abs(exact)
    assert history[-1]["v_score"] < 1e-4


@pytest.mark.slow
def test_complex_amplitudes_find_a_ground_state_with_phases(key):
    """A ring in a magnetic flux: complex Hermitian, no sign choice makes the ground state positive."""
    strings = []
    for i in range(6):
        j = (i + 1) % 6
        strings += [(1.0, {i: "X", j: "X"}), (1.0, {i: "Y", j: "Y"}), (0.5, {i: "Z", j: "Z"})]
        strings += [(0.3, {i: "X", j: "Y"}), (-0.3, {i: "Y", j: "X"}), (0.2, {i: "X"})]
    operator = Operator.from_strings(6, strings)
    exact = np.linalg.eigvalsh(operator.to_dense())[0]
    model = it.RBM(6, hidden=18, dtype=complex, scale=0.2, key=key)
    objective = EnergyObjective(operator, it.Enumeration())
    _, history = train(model, objective, COOLING, steps=200, key=key)
    assert history[-1]["energy"] == pytest.approx(exact, rel=1e-8)


def test_ground_state_by_sampling(key):
    operator = it.tfim(it.Chain(SIZE))
    seen = []
    run = it.ground_state(
        operator,
        it.RBM(SIZE, hidden=SIZE, key=key),
        steps=120,
        samples=512,
        key=key,
        progress=lambda state, scalars: seen.append((state.step, scalars["energy"])),
    )
    exact = np.linalg.eigvalsh(operator.to_dense())[0]
    assert isinstance(run, GroundStateRun) and run.model.kind == "real"
    assert abs(run.energy.mean - exact) < 4 * run.energy.error + 1e-3
    assert run.energy.samples == FINAL_FACTOR * 512 and run.v_score < 1e-2
    assert [step for step, _ in seen] == list(range(1, 121))
    assert {name: column.shape for name, column in run.history.items()}["energy"] == (120,)
    assert "V-score" in str(run)


def test_a_model_in_binary_units_comes_back_in_binary_units(key):
    model = it.RBM(6, hidden=6, units="binary", key=key)
    run = it.ground_state(it.tfim(it.Chain(6)), model, steps=40, samples=128, key=key)
    assert run.model.units == "binary"
    again = it.expect(it.tfim(it.Chain(6)), run.model, key=key, sampler=it.Enumeration())
    assert abs(again.mean - run.energy.mean) < 5 * run.energy.error + 1e-9


def test_expect_is_within_its_error_bars(key):
    model = MODELS["rbm-float-spin-spin"](key)
    operator = Operator.from_strings(SIZE, random_strings(SIZE, seed=9))
    exact = it.expect(operator, model, key=key, sampler=it.Enumeration()).mean
    keys = jax.random.split(key, 20)
    estimates = [it.expect(operator, model, samples=1024, key=k) for k in keys]
    pulls = np.array([(e.mean - exact) / e.error for e in estimates])
    assert np.abs(pulls).max() < 4 and 0.5 < np.sqrt(np.mean(pulls**2)) < 1.6


def test_default_sampler_keeps_to_zero_magnetization_where_that_is_conserved():
    exchanging, flipping = (
        default_sampler(it.heisenberg(it.Chain(6)), 1024),
        default_sampler(it.tfim(it.Chain(6)), 1024),
    )
    assert exchanging.rule.conserves_magnetization and exchanging.chains == 64
    assert not flipping.rule.conserves_magnetization
    assert default_sampler(it.heisenberg(it.Chain(5)), 64).magnetization == 1
    assert not default_sampler(it.xxz(it.Chain(6), delta=-2.0), 64).rule.conserves_magnetization
    assert default_sampler(it.tfim(it.Chain(6)), 16).chains == 2


def _call(**changes):
    key = jax.random.key(0)
    arguments = {
        "operator": it.tfim(it.Chain(4)),
        "model": it.RBM(4, hidden=4, key=key),
        "steps": 2,
        "samples": 16,
    }
    arguments |= {"key": key} | changes
    return it.ground_state(arguments.pop("operator"), arguments.pop("model"), **arguments)


@pytest.mark.parametrize(
    ("changes", "argument"),
    [
        ({"steps": 0}, "steps"),
        ({"steps": 1.5}, "steps"),
        ({"samples": -4}, "samples"),
        ({"samples": 1}, "samples"),
        ({"final_samples": 0}, "final_samples"),
        ({"operator": "tfim"}, "operator"),
        ({"operator": it.tfim(it.Chain(6))}, "model"),
        ({"operator": Operator.from_strings(4, [(1j, {0: "X"})])}, "operator"),
        ({"model": jnp.ones(4)}, "model"),
        ({"key": 7}, "key"),
        ({"learning_rate": -0.1}, "learning_rate"),
        ({"shift": "small"}, "shift"),
        ({"optimiser": NaturalGradient(), "shift": 0.1}, "optimiser"),
    ],
)
def test_bad_input_is_one_clear_error(changes, argument):
    with pytest.raises(InputError, match=rf"^{argument}"):
        _call(**changes)


def test_local_values_of_wrong_shapes_and_backends_are_refused(key):
    operator, model = it.tfim(it.Chain(4)), it.FunctionAmplitude(lambda p, s: s @ p, jnp.ones(4), size=4)
    with pytest.raises(InputError, match="configurations"):
        local_values(operator, model, jnp.ones((2, 5), jnp.int8))
    for backend in ("host", "incremental", "quantum"):
        with pytest.raises(InputError, match="backend"):
            local_values(operator, model, jnp.ones((2, 4), jnp.int8), backend=backend)
