"""Deep perceptrons on scikit-learn's digits, from equinox's start and from criticality.

    python benchmarks/critical_start.py [SEEDS]

30 hidden layers of width 64, Adam at 0.001, 10 epochs, a fifth of the images held out. A line each:
activation, start, the accuracy on images held out after each epoch, processor seconds.
"""

import sys
import time

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import optax

import intertwine as it


def main(seeds: int = 3) -> None:
    data = it.data.load("digits")
    x = np.asarray(data.train, np.float32).reshape(len(data.train), -1)
    x = (x - x.mean(0)) / x.std()
    for activation in (jnp.tanh, jax.nn.relu, jax.nn.gelu):
        for start in ("given", "critical"):
            for seed in range(seeds):
                begun, key = time.process_time(), jax.random.key(seed)
                network = eqx.nn.MLP(64, 10, 64, 30, activation=activation, key=key)
                fit = it.fit_supervised(
                    network, x, data.train_labels, epochs=10, validation=0.2, start=start,
                    optimiser=it.OptaxGradient(optax.adam(1e-3)), key=key,
                )  # fmt: skip
                reached = " ".join(f"{row['validation_accuracy']:.3f}" for row in fit.history)
                print(
                    f"{activation.__name__} {start:<9} {reached}  {time.process_time() - begun:.0f} s",
                    flush=True,
                )


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
