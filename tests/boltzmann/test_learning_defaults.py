"""Settings that nobody says are the same through each door: the function, the estimator, the command."""

from __future__ import annotations

from typing import Any, NamedTuple

import jax
import numpy as np
import pytest

import intertwine as it
from intertwine.boltzmann.objectives.methods import PCD, ModeJumps
from intertwine.boltzmann.training import learn as learning
from intertwine.experiments.learn.experiment import training_of
from intertwine.experiments.learn.settings import LearnConfiguration

RNG = np.random.default_rng(0)
KEY = jax.random.key(0)
HIDDEN = 8


def _clusters() -> np.ndarray:
    return RNG.integers(0, 2, (4, 96))[RNG.integers(0, 4, 700)] ^ (RNG.random((700, 96)) < 0.03)


DATA = {
    "clusters": (_clusters().astype(np.uint8), "binary", (ModeJumps, 0.05, 6000)),
    "two modes": ((np.where(RNG.random(500) < 0.5, -20, 30) + RNG.normal(size=500))[:, None], "gaussian",
                  (ModeJumps, 0.01, 2000)),
    "normal": (RNG.normal(size=(400, 3)) @ RNG.normal(size=(3, 3)), "gaussian", (ModeJumps, 0.01, 2000)),
    "rare": ((RNG.random((300, 160)) < 0.005).astype(np.uint8), "binary", (PCD, 0.1, 2000)),
    "grey": (RNG.random((30_000, 16)).astype(np.float32), "binary", (PCD, 0.1, 3000)),
}  # fmt: skip
"""Rows, units, and what is chosen for them: the method, the first learning rate, the updates."""


class Settings(NamedTuple):
    """What the loop is given."""

    objective: Any
    optimiser: Any
    batch: int
    updates: int


class Seen(Exception):  # noqa: N818
    """Carries the stages out of the call that would begin to learn."""


@pytest.fixture
def seen(monkeypatch: pytest.MonkeyPatch) -> None:
    def stop(study: Any, **_: Any) -> None:
        raise Seen(study.stages)

    monkeypatch.setattr(learning, "carry_out", stop)


def settings_of(stage: Any) -> Settings:
    batch = stage.batches((), 0, KEY).batch
    return Settings(stage.objective, stage.optimiser, batch, stage.epochs * stage.per_epoch)


def stages_of_call(call: Any) -> tuple[Any, ...]:
    with pytest.raises(Seen) as stopped:
        call()
    return stopped.value.args[0]


def of_call(call: Any) -> Settings:
    (stage,) = stages_of_call(call)
    return settings_of(stage)


def by_function(rows: np.ndarray, units: str) -> Settings:
    if units == "gaussian":
        rows = ((rows - rows.mean(0)) / rows.std(0)).astype(np.float32)
    rbm = it.RBM(rows.shape[1], HIDDEN, units=units, hidden_units="binary", key=KEY)
    grey = units == "binary" and rows.dtype.kind == "f"
    return of_call(lambda: it.learn(rbm, rows, binarise=grey, key=KEY))


def by_estimator(rows: np.ndarray, units: str) -> Settings:
    return of_call(lambda: it.BoltzmannMachine(HIDDEN, random_state=0).fit(rows))


def by_command(rows: np.ndarray, units: str, folder: Any) -> Settings:
    np.save(folder / "rows.npy", rows)
    c = LearnConfiguration.model_validate(
        {"data": {"name": str(folder / "rows.npy"), "test_share": 0.0}, "model": f"rbm:{HIDDEN}"}
    )
    data = it.data.load(folder / "rows.npy", test_share=0.0)
    assert data.units == units and len(data.train) == len(rows)
    (stage,) = training_of(c, data, KEY).stages
    return settings_of(stage)


@pytest.mark.parametrize("name", DATA)
@pytest.mark.usefixtures("seen")
def test_three_doors_choose_the_same(name: str, tmp_path: Any) -> None:
    pytest.importorskip("sklearn")
    rows, units, (method, rate, updates) = DATA[name]
    found = [by_function(rows, units), by_estimator(rows, units), by_command(rows, units, tmp_path)]
    for settings in found:
        assert isinstance(settings.objective.method, method)
        assert settings.batch == 100
        assert updates <= settings.updates < updates + len(rows) // 100
        assert settings.optimiser.optimiser.learning_rate.start == rate
    assert found[0] == found[1] == found[2]


SIZES = (6, 4)
BITS = RNG.integers(0, 2, (300, 12)).astype(np.uint8)


def shown(stages: Any) -> list[tuple[str, int, float]]:
    """(name, updates, first rate) of each stage."""
    return [(s.name, s.epochs * s.per_epoch, s.optimiser.optimiser.learning_rate.start) for s in stages]


def stages_of_command(name: str, folder: Any) -> list[tuple[str, int, float]]:
    np.save(folder / "rows.npy", BITS)
    c = LearnConfiguration.model_validate(
        {"data": {"name": str(folder / "rows.npy"), "test_share": 0.0}, "model": f"{name}:6-4"}
    )
    return shown(training_of(c, it.data.load(folder / "rows.npy", test_share=0.0), KEY).stages)


@pytest.mark.usefixtures("seen")
def test_deep_boltzmann_machines_learn_the_same_stages(tmp_path: Any) -> None:
    pytest.importorskip("sklearn")
    expected = [("layer 1", 2001, 0.05), ("layer 2", 2001, 0.05), ("joint", 2001, 0.05)]
    machine = it.DBM((12, *SIZES), key=KEY)
    calls = (
        lambda: it.learn("dbm:6-4", BITS, key=KEY),
        lambda: it.learn(machine, BITS, key=KEY),
        lambda: it.learn_deep_boltzmann(machine, BITS, key=KEY),
        lambda: it.DeepBoltzmannMachine(SIZES, random_state=0).fit(BITS),
    )
    for call in calls:
        assert shown(stages_of_call(call)) == expected
    assert stages_of_command("dbm", tmp_path) == expected


@pytest.mark.usefixtures("seen")
def test_deep_belief_networks_learn_the_same_layers(tmp_path: Any) -> None:
    pytest.importorskip("sklearn")
    expected = [("layer 1", 2001, 0.1), ("layer 2", 2001, 0.1), ("up-down", 2001, 0.01)]
    network = it.DBN((12, *SIZES), key=KEY)
    calls = (
        lambda: it.learn("dbn:6-4", BITS, key=KEY),
        lambda: it.learn(network, BITS, key=KEY),
        lambda: it.learn_deep_belief(network, BITS, key=KEY),
        lambda: it.DeepBeliefNetwork(SIZES, random_state=0).fit(BITS),
    )
    for call in calls:
        assert shown(stages_of_call(call)) == expected
    assert stages_of_command("dbn", tmp_path) == expected
