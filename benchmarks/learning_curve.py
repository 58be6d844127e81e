"""Learning curve of rotated digits: test error against the number of labels, equivariant and plain.

    python benchmarks/learning_curve.py --data-folder DATA --save docs/images/learning-curve.svg

100 to 60,000 digits of MNIST, each turned by a random angle, and the 10,000 test digits turned likewise.
The group CNN on p4 and the plain CNN have about equal numbers of parameters, the same architecture,
updates (1,200, or four passes where that is more), learning rates and seeds. A line a size: both errors
with one standard error of the test set.
"""

from __future__ import annotations

import argparse
import time

import jax
import numpy as np

from intertwine.data.sets.mnist import mnist
from intertwine.data.sets.rotated import rotated
from intertwine.layers.networks.network_names import network_from_name
from intertwine.layers.networks.parameter_count import parameter_count
from intertwine.learning.labels.class_scores import accuracy
from rotmnist import trained

SIZES = (100, 300, 1000, 3000, 10_000, 60_000)
BATCH, PASSES = 64, 4
NETWORKS = {"p4 (equivariant)": ("cnn:6", "p4"), "plain": ("cnn:12", "p1")}


def turned(rows: np.ndarray, seed: int) -> np.ndarray:
    """Images (n, 28, 28, 1) of [0, 1], each turned by an angle drawn with the seed."""
    angles = np.random.default_rng(seed).uniform(0, 2 * np.pi, len(rows))
    return rotated(rows.reshape(-1, 28, 28), angles)[..., None].astype(np.float32) / 255


def error_of(name: str, group: str, x: np.ndarray, y: np.ndarray, test: tuple, updates: int) -> float:
    """The test error (a share) after `updates` updates on (x, y)."""
    network = network_from_name(name, group, dropout=0.1, key=jax.random.key(0))
    return 1 - accuracy(trained(network, x, y, updates, BATCH, 4e-3, 1e-3), *test)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--updates", type=int, default=1200, help="at least")
    parser.add_argument("--data-folder", default=None)
    parser.add_argument("--save", default=None)
    options = parser.parse_args()
    data = mnist(options.data_folder)
    assert data.test is not None and data.train_labels is not None
    order = np.random.default_rng(0).permutation(len(data.train))
    x, y = turned(np.asarray(data.train)[order], 1), data.train_labels[order]
    test = turned(np.asarray(data.test), 2), data.test_labels
    for label, (name, group) in NETWORKS.items():
        count = parameter_count(network_from_name(name, group, key=jax.random.key(0)))
        print(f"{label}: {name} on {group}, {count} parameters", flush=True)
    errors: dict[str, list[float]] = {label: [] for label in NETWORKS}
    for n in SIZES:
        begun, words = time.perf_counter(), [f"{n:6d} labels"]
        for label, (name, group) in NETWORKS.items():
            updates = max(options.updates, PASSES * n // BATCH)
            found = error_of(name, group, x[:n], y[:n], test, updates)
            errors[label].append(found)
            spread = (found * (1 - found) / len(test[1])) ** 0.5
            words.append(f"{label} {100 * found:.2f} ± {100 * spread:.2f} %")
        print("   ".join(words), f"  {time.perf_counter() - begun:.0f} s", flush=True)
    if options.save:
        draw(errors, options.save)


def draw(errors: dict[str, list[float]], path: str) -> None:
    """Test error against labels, both axes logarithmic."""
    import matplotlib

    matplotlib.use("svg")
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(figsize=(6, 3.6), layout="constrained")
    for (label, values), colour in zip(errors.items(), ("#3949ab", "#9e9e9e"), strict=True):
        axes.loglog(SIZES, 100 * np.array(values), "o-", color=colour, label=label)
    axes.set(xlabel="labels", ylabel="test error (%)", title="rotated MNIST, 10,000 test digits")
    axes.legend(frameon=False)
    axes.grid(True, which="both", alpha=0.2)
    figure.savefig(path, metadata={"Date": None})


if __name__ == "__main__":
    main()
