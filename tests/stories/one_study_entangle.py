"""Entropies by function and by command."""

import intertwine as it

NAMES = ("von_neumann", "renyi2", "error")


def by_function():
    _, vector = it.exact.ground_state(it.tfim(it.Chain(8), h=1.0))
    found = it.entanglement.scan(vector)
    return {name: getattr(found, name) for name in NAMES}


def from_folder(folder):
    run = it.load(folder)
    return {name: run.metrics[name] for name in NAMES}


ROWS = {"entropies": (["entangle", "--lattice", "chain:8"], by_function, from_folder)}
