"""A random walk, step by step."""

from pathlib import Path

import jax
import numpy as np
import xarray

from intertwine.learning.study import Study, carry_out
from intertwine.records.writing import from_json
from intertwine.runs.experiment import Experiment, Finished


class Walk(Study):
    """The state is the place of the walker."""

    def __init__(self, steps, drift, key):
        self.lines, self.drift, self.key = steps, drift, key

    def start(self):
        return np.zeros(())

    def template(self, done):
        return self.start()

    def iterate(self, state, done):
        for line in range(done, self.lines):
            state = state + self.drift + float(jax.random.normal(jax.random.fold_in(self.key, line)))
            yield state, {"place": float(state)}

    def finish(self, state, history):
        return float(state)


def walk(steps=20, drift=0.5, *, key):
    """The function of the command's name."""
    return carry_out(Walk(steps, drift, key))


class Toy(Experiment):
    def __init__(self, settings):
        self.study = Walk(settings.walk.steps, settings.walk.drift, jax.random.key(settings.seed))
        self.every, self.kind = settings.checkpoint_every, settings.kind

    def finish(self, state, history, seconds):
        place = self.study.finish(state, history)
        record = {"kind": self.kind, "place": place, "seconds": seconds(), "warnings": []}
        places = np.array([line["place"] for line in history])
        return Finished(record, lambda: xarray.Dataset({"place": ("step", places)}), [f"at {place:.3f} m"])


def load_walk(folder: Path):
    return from_json((folder / "result.json").read_bytes())["place"]
