"""An RBM that learns the Ising model at T_c from 1,000 samples: its own samples against exact values.

    python benchmarks/ising_rbm.py [--seeds 5]

For every seed, 1,000 independent exact samples of the 8 × 8 torus at T_c (`data.ising`, transfer matrix)
train an RBM with 128 hidden spins by `learn` with parallel tempering (200 ladders of 8 replicas, 1,000
epochs, no weight decay); 4,000 samples of it, by tempered Gibbs sampling, give energy and specific heat per
site, |m| and m². Settings are the same for all seeds. They were compared on seeds 0 and 1, by how far the
model's samples lie from the training samples, while the deviations from the exact values (Kaufman 1949;
transfer matrix) were printed too: only seeds from 2 on had no part in the choice.

A model can be no better than its data: σ = √(σ_data² + σ_model²) has the error of the 1,000 training samples
and that of the model's samples. The deviation in units of the latter alone is printed beside it.
"""

from __future__ import annotations

import argparse
import warnings
from time import perf_counter

import jax
import numpy as np

from intertwine.boltzmann.objectives.tempering import PT
from intertwine.boltzmann.training.learn import learn
from intertwine.data.sets.ising import energy, ising
from intertwine.learning.schedules import Linear
from intertwine.models.machines.rbm import RBM
from intertwine.models.spins.ising import CRITICAL_SQUARE
from intertwine.models.spins.ising_exact import ising_torus, magnetization_distribution
from intertwine.sampling.draw import NotMixed, sample
from intertwine.sampling.gibbs.tempered_gibbs import TemperedGibbs

SIDE, ROWS, HIDDEN, EPOCHS, BATCH, RATE = 8, 1000, 128, 1000, 100, 0.02
NAMES = ("energy", "|m|", "m²", "specific heat")


def exact() -> np.ndarray:
    """Energy per site, ⟨|m|⟩, ⟨m²⟩, specific heat per site."""
    values = ising_torus(SIDE, SIDE, CRITICAL_SQUARE)
    m, p = magnetization_distribution(SIDE, SIDE, CRITICAL_SQUARE)
    return np.array([values.energy, p @ abs(m), p @ m**2, values.specific_heat])


def observed(spins: np.ndarray, worth: float) -> tuple[np.ndarray, np.ndarray]:
    """The same of samples, with standard errors; `worth` of them are independent."""
    sites, n = SIDE * SIDE, len(spins)
    e = energy(spins.astype(int), SIDE, SIDE) / sites
    m = spins.mean(1, dtype=float)
    heat = CRITICAL_SQUARE**2 * sites * (e - e.mean()) ** 2 * n / (n - 1)
    columns = np.stack([e, abs(m), m**2, heat])
    return columns.mean(1), columns.std(1, ddof=1) / np.sqrt(worth)


def trained(seed: int) -> tuple[RBM, np.ndarray, float]:
    """(the machine, its training samples, seconds)."""
    data = ising(SIDE, SIDE, rows=ROWS, seed=seed).train
    rbm = RBM(SIDE * SIDE, hidden=HIDDEN, scale=0.01, key=jax.random.key(seed))
    updates = EPOCHS * (ROWS // BATCH)
    begun = perf_counter()
    fit = learn(
        rbm,
        data,
        method=PT(chains=200, replicas=8),
        epochs=EPOCHS,
        batch=BATCH,
        learning_rate=Linear(RATE, 1e-3 * RATE, updates),
        key=jax.random.key(seed + 100),
    )
    return fit.model, data, perf_counter() - begun


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--seeds", type=int, default=5)
    seeds = parser.parse_args().seeds
    truth = exact()
    print("exact      " + "  ".join(f"{n} {x:.4f}" for n, x in zip(NAMES, truth, strict=True)))
    within = 0
    for seed in range(seeds):
        model, data, seconds = trained(seed)
        begun = perf_counter()
        with warnings.catch_warnings():
            warnings.simplefilter("always", NotMixed)
            sampler = TemperedGibbs(replicas=8, steps=200, chains=200, burn_in=1000)
            drawn = sample(model, 4000, sampler=sampler, key=jax.random.key(7))
        theirs, data_error = observed(data, ROWS)
        ours, own_error = observed(np.asarray(drawn), drawn.ess)
        sigma = np.hypot(data_error, own_error)
        within += bool((abs(ours - truth) <= 3 * sigma).all())
        print(
            f"\nseed {seed}: trained in {seconds:.0f} s, sampled in {perf_counter() - begun:.0f} s; {drawn}"
        )
        for k, name in enumerate(NAMES):
            print(
                f"  {name:14} model {ours[k]:8.4f}  training data {theirs[k]:8.4f}  exact {truth[k]:8.4f}  "
                f"deviation {ours[k] - truth[k]:+.4f} = {(ours[k] - truth[k]) / sigma[k]:+.2f} σ "
                f"({(ours[k] - truth[k]) / own_error[k]:+.1f} of the model's samples alone)"
            )
    print(f"\n{within} of {seeds} seeds within 3 σ in all four")


if __name__ == "__main__":
    main()
