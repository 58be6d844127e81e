"""Runs that go wrong are stopped before the step, with advice that fits; product states are no failure."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import intertwine as it
from intertwine.cli import main
from intertwine.learning.loop import TrainState, iterate
from intertwine.learning.objective import Evaluation
from intertwine.quantum.vmc.energy import is_settled
from thinned import thinned

SIZE = 6
SMALL = {"steps": 60, "samples": 64, "final_samples": 128}
PRODUCTS = {
    "no field": (it.tfim(it.Chain(SIZE), h=0.0), -6.0, {}),
    "weak field": (it.tfim(it.Chain(SIZE), h=0.03), None, {}),
    "easy axis": (it.xxz(it.Chain(SIZE), delta=-2.0), -12.0, {}),
    "one state": (
        it.heisenberg(it.Chain(SIZE)),
        6.0,
        {"sampler": it.Metropolis(it.Exchange(), chains=16, magnetization=SIZE)},
    ),
}


@pytest.mark.parametrize("name", thinned(list(PRODUCTS)))
def test_product_ground_states_are_found(name, key):
    operator, exact, options = PRODUCTS[name]
    run = it.ground_state(operator, it.RBM(SIZE, hidden=SIZE, key=key), key=key, **SMALL, **options)
    exact = it.exact.ground_energy(operator) if exact is None else exact
    assert abs(run.energy.mean - exact) < max(1e-6, 4 * run.energy.error) + 1e-3 * abs(exact)
    assert len(run.history["energy"]) == 60


def test_a_spike_in_the_wrong_place_is_not_settled(key):
    neel = jnp.array([1, -1] * (SIZE // 2), jnp.int8)
    spike = it.FunctionAmplitude(lambda p, s: p * (s @ neel), jnp.array(8.0), size=SIZE)
    H = it.heisenberg(it.Chain(SIZE))
    assert not is_settled(H, spike, neel[None], -6.0)
    assert is_settled(it.xxz(it.Chain(SIZE), delta=1.0, J=1.0), spike, jnp.ones((1, SIZE), jnp.int8), 6.0)


class Mad:
    """An objective that measures what cannot be, until it does not."""

    value_name, bound = "energy", 10.0

    def __init__(self, values):
        self.values, self.steps = list(values), []

    def evaluate(self, model, state, *, key):
        value = self.values.pop(0)
        row = np.full((2, 4), value)
        return Evaluation(jnp.ones((8, SIZE)), jnp.full(8, value), None, it.estimate(row), {}), state


class Counting:
    def __init__(self):
        self.made = 0

    def init(self, model):
        return ()

    def step(self, model, evaluation, state, *, step):
        self.made += 1
        return model, state, {"update_norm": 0.0}


def test_no_step_is_made_from_what_no_state_can_have(key):
    mover = Counting()
    begin = TrainState(0, jnp.zeros(2), (), (), key)
    mad = Mad([-1.0, -1e115, 16.0, -10.0])
    scalars = [row for _, row in iterate(begin, mad, mover, steps=4)]
    assert mover.made == 2 and [row.get("refused", 0) for row in scalars] == [0, 1, 1, 0]
    with pytest.raises(it.Diverged, match="beyond what any state can have"):
        list(iterate(begin, Mad([-1.0] + [-1e115] * 40), mover, steps=41))


def test_long_steps_are_shortened_with_their_momentum(key):
    objective = it.quantum.vmc.energy.EnergyObjective(1e8 * it.tfim(it.Chain(SIZE)), it.Enumeration())
    model = it.RBM(SIZE, hidden=2, key=key)
    evaluation, _ = objective.evaluate(model, objective.init(model, key=key), key=key)
    mover = it.NaturalGradient(learning_rate=1.0, shift=1e-3, momentum=0.9)
    moved, state, scalars = mover.step(model, evaluation, mover.init(model), step=0)
    assert scalars["step_length"] > 1e3
    change = jnp.concatenate(
        [jnp.ravel(a - b) for a, b in zip(jax.tree.leaves(moved), jax.tree.leaves(model), strict=True)]
    )
    assert (
        float(jnp.linalg.norm(change)) == pytest.approx(scalars["update_norm"])
        and scalars["update_norm"] < 50
    )
    assert float(jnp.linalg.norm(state.previous)) == pytest.approx(scalars["update_norm"])


def test_amplitudes_that_are_not_numbers_are_not_blamed_on_the_learning_rate(key):
    lost = it.FunctionAmplitude(lambda p, s: jnp.log(-jnp.abs(p) - 1) * s[0], jnp.array(1.0), size=SIZE)
    sampler = it.Metropolis(it.SingleFlip(), chains=4)
    with pytest.raises(it.Diverged) as raised:
        it.ground_state(it.tfim(it.Chain(SIZE)), lost, 3, 16, sampler=sampler, key=key)
    assert "log ψ is not finite at 16" in str(raised.value) and "learning_rate" not in str(raised.value)


def test_a_positive_model_of_an_operator_with_signs_that_diverges_tells_the_cause_first():
    H, psi = it.heisenberg(it.Chain(6), marshall=False), it.RBM(6, hidden=6, key=jax.random.key(1))
    with pytest.raises(it.Diverged, match=r"^assumption: the wave function is positive") as told:
        it.ground_state(H, psi, steps=100, samples=128, key=jax.random.key(1))
    (cause,) = told.value.causes
    assert "take complex amplitudes" in cause
    assert str(told.value).index("take complex amplitudes") < str(told.value).index("larger shift")
    stoquastic = it.heisenberg(it.Chain(6))
    with pytest.raises(it.Diverged, match=r"^diverged") as told:  # the model is not to blame
        it.ground_state(stoquastic, psi, learning_rate=lambda step: np.nan, key=jax.random.key(1), **SMALL)
    assert told.value.causes == ()


def test_the_command_tells_the_cause_first_too(tmp_path, capsys):
    given = "--lattice chain:6 --marshall false --model rbm:1 --steps 200 --samples 128 --learning-rate 0.05"
    rest = "--learning-rate-end 0.05 --shift 0.001 --out"
    assert main(["ground-state", *given.split(), *rest.split(), str(tmp_path / "run")]) == 1
    told = capsys.readouterr().err
    assert told.startswith("error: assumption: the wave function is positive") and "diverged at step" in told
