"""Evolutions by function and by command."""

import jax
import numpy as np

import intertwine as it
from intertwine.quantum.dynamics.starts import product_state


def mean_x(n):
    return it.Operator.from_strings(n, [(1 / n, {i: "X"}) for i in range(n)], lattice=it.Chain(n))


def row(flags, n, name, **options):
    def by_function():
        start, key = jax.random.split(jax.random.key(0))
        model = it.models.model_from_name(name, it.Chain(n), dtype=complex, key=jax.random.key(1))
        found = it.evolve(
            it.tfim(it.Chain(n), h=0.5), product_state(model, "+x", key=start), np.linspace(0, 0.2, 3),
            observables={"X": mean_x(n)}, key=key, **options,
        )  # fmt: skip
        return {name: found.history[name] for name in ("time", "X", "X_error", "energy", "bound")}

    def from_folder(folder):
        run = it.load(folder)
        return {name: run.metrics[name] for name in ("time", "X", "X_error", "energy", "bound")}

    command = f"evolve --lattice chain:{n} --h 0.5 --time 0.2 --points 3 --distances 0 --entropy none {flags}"
    return command.split(), by_function, from_folder


ROWS = {
    "evolution, exact sums": row("--model symmetric-rbm:2", 5, "symmetric-rbm:2"),
    "evolution, samples": row("--model rbm:1 --samples 64", 5, "rbm:1", samples=64),
}
