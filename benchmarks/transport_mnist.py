"""Machines of equal size that learned by likelihood and by transport: completion and denoising of digits.

    python benchmarks/transport_mnist.py [--hidden 64] [--epochs 30] [--images 500] [--folder DIR]

MNIST, binarised at one half: 10,000 digits to learn from, `images` others to judge by. The machines have the
same hidden units, the same number of updates and the same rates:

    likelihood          PCD
    transport           from half as many epochs of PCD on by it.Wasserstein(kl=0): Montavon et al. (2016)
    began so transport + 0.1 KL  the same with kl=0.1

Of each: completion (the lower half of an image drawn given the upper half) and denoising (an image drawn
given one of which a tenth of the pixels is flipped), the share of pixels that are wrong among those that were
hidden or of all, of one draw and of the more probable value by 20 draws, with standard errors over the
images; the distance W1 (Hamming) of 1000 samples from 1000 other digits beside its floor; the log-likelihood.
"""

from __future__ import annotations

import argparse
import os
import time
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np

import intertwine as it

FLIPPED, SWEEPS, DRAWS, BETWEEN = 0.1, 300, 20, 10


def digits(folder: str, images: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Rows to learn from, images to complete, and 1000 rows for distances."""
    data = it.data.load("mnist", folder=folder)
    rows = [(np.asarray(x) >= 128).astype(np.uint8) for x in (data.train[:10_000], data.test)]
    return rows[0], rows[1][:images], rows[1][-1000:]


@jax.jit
def posterior_draws(model, start, shift, key):
    """DRAWS draws (D, B, N) of v given fields (B, N) on the visible units besides those of the machine."""

    def sweep(v, key):
        first, second = jax.random.split(key)
        h = model.sample_hidden(v, key=first)
        theta = model.visible_bias + h @ model.weights.T + shift
        return model.visible_layer.sample(theta, key=second), None

    def draw(v, key):
        v, _ = jax.lax.scan(sweep, v, jax.random.split(key, BETWEEN))
        return v, v

    first, rest = jax.random.split(key)
    v, _ = jax.lax.scan(sweep, start, jax.random.split(first, SWEEPS))
    return jax.lax.scan(draw, v, jax.random.split(rest, DRAWS))[1]


def judged(model, images: np.ndarray, key) -> dict[str, tuple[float, float]]:
    """Shares of wrong pixels, with standard errors over the images."""
    rng = np.random.default_rng(0)
    true = images.astype(np.float32)
    upper = np.arange(784) < 392
    held = np.where(true > 0, 30.0, -30.0) * upper
    flipped = np.where(rng.random(true.shape) < FLIPPED, 1 - true, true)
    channel = np.where(flipped > 0, 1, -1) * np.log((1 - FLIPPED) / FLIPPED)
    found = {}
    for name, shift, start, where in (
        ("completion", held, true * upper, ~upper),
        ("denoising", channel, flipped, np.ones(784, bool)),
    ):
        drawn = np.asarray(posterior_draws(model, jnp.asarray(start), jnp.asarray(shift, jnp.float32), key))
        for how, values in (("a draw", drawn), ("by majority", (drawn.mean(0) > 0.5)[None])):
            wrong = np.abs(values - true)[:, :, where].mean((0, 2))
            found[f"{name}, {how}"] = (float(wrong.mean()), float(wrong.std(ddof=1) / np.sqrt(len(wrong))))
    return found


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--hidden", type=int, default=64)
    parser.add_argument("--epochs", type=int, default=30)
    parser.add_argument("--images", type=int, default=500)
    parser.add_argument("--folder", default=os.environ.get("INTERTWINE_DATA", "data/mnist"))
    given = parser.parse_args()
    if not Path(given.folder).is_dir():
        raise SystemExit(f"no MNIST in {given.folder}: give its folder with --folder")
    train, images, others = digits(given.folder, given.images)
    key, half = jax.random.key(0), given.epochs // 2
    machine = it.RBM(784, hidden=given.hidden, units="binary", hidden_units="binary", scale=0.01, key=key)
    begun = time.process_time()
    settings = {"learning_rate": 0.05, "key": key}
    begin = it.learn(machine, train, method=it.PCD(), epochs=half, **settings)
    rest = given.epochs - half
    more = {"epochs": rest, "begin": "model", **settings}
    kl = it.learn(begin, train, method=it.PCD(warm_up=1000), **more)
    print(f"likelihood, {given.epochs} epochs: {time.process_time() - begun:.0f} CPU s", flush=True)
    fits = {"likelihood": kl}
    for name, share in (("transport", 0.0), ("transport + 0.1 KL", 0.1)):
        begun = time.process_time()
        fits[name] = it.learn(begin, train, method=it.Wasserstein(kl=share, warm_up=1000), **more)
        print(f"{name}, {rest} epochs: {time.process_time() - begun:.0f} CPU s", flush=True)
    for name, fit in fits.items():
        begun = time.process_time()
        print(name)
        for what, (value, error) in judged(fit.model, images, key).items():
            print(f"    {what:28s} {value:.4f} ± {error:.4f}", flush=True)
        drawn = it.sample(fit.model, 1000, sampler=it.Gibbs(steps=1000), key=key)
        print(f"    {it.geometry.wasserstein(np.asarray(drawn), others)}", flush=True)
        log_z = it.log_partition(fit.model, method=it.AIS(temperatures=1000, chains=100), key=key)
        likelihood = it.log_likelihood(fit.model, others, log_z)
        print(f"    log-likelihood {likelihood.mean:.2f} ± {likelihood.error:.2f} nats")
        print(f"    {time.process_time() - begun:.0f} CPU s", flush=True)


if __name__ == "__main__":
    main()
