"""Ground states on the square 6 × 6 by group-convolutional wave functions, against the exact energies.

    python benchmarks/gcnn_ground_states.py heisenberg --features 6 --steps 2000 --save heisenberg.eqx
    python benchmarks/gcnn_ground_states.py j1j2 --features 6 --steps 2000 --save j1j2.eqx

The full space group (288 elements) and the spin flip are built in. Heisenberg: real positive amplitudes in
the Marshall basis. J1-J2 at J2 = 0.5: complex amplitudes, in the same basis. Stochastic reconfiguration with
momentum (SPRING) in float32, and the last estimate in float64 over fresh, longer chains. Energies are totals
in Pauli units; the exact ones are −97.7575895972357 and −72.5486 (Lanczos).

`--save FILE` keeps the parameters every 50 steps; `--start FILE` goes on from them.
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

import equinox as eqx
import jax
import jax.numpy as jnp

jax.config.update("jax_enable_x64", True)

import intertwine as it  # noqa: E402
from intertwine.learning.metric import NaturalGradient  # noqa: E402
from intertwine.learning.schedules import Cosine, Exponential  # noqa: E402
from intertwine.models.parameters import count_parameters  # noqa: E402
from intertwine.models.symmetric.gcnn import GCNN  # noqa: E402
from intertwine.quantum.vmc.expect import expect  # noqa: E402
from intertwine.quantum.vmc.ground_state import ground_state  # noqa: E402
from intertwine.sampling.metropolis.metropolis import Metropolis  # noqa: E402
from intertwine.sampling.metropolis.rules import Exchange  # noqa: E402

EXACT = {"heisenberg": -97.7575895972357, "j1j2": -72.5486}


def cast(model: GCNN, dtype: str) -> GCNN:
    """The same wave function with parameters of another precision."""
    return jax.tree.map(lambda x: x.astype(dtype) if eqx.is_inexact_array(x) else x, model)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("problem", choices=sorted(EXACT))
    parser.add_argument("--layers", type=int, default=4)
    parser.add_argument("--features", type=int, default=6)
    parser.add_argument("--steps", type=int, default=2000)
    parser.add_argument("--samples", type=int, default=1024)
    parser.add_argument("--chains", type=int, default=256)
    parser.add_argument("--sweep", type=int, default=18)
    parser.add_argument("--learning-rate", type=float, nargs=2, default=(0.05, 0.005))
    parser.add_argument("--shift", type=float, nargs=2, default=(1e-2, 1e-3))
    parser.add_argument("--momentum", type=float, default=0.8)
    parser.add_argument("--longest", type=float, default=0.2, help="Fubini-Study length of a step")
    parser.add_argument("--spin-flip", type=int, default=1, choices=(-1, 0, 1))
    parser.add_argument("--final", type=int, default=32768, help="samples of the last estimate")
    parser.add_argument("--seconds", type=float, default=float("inf"), help="stop after so many")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--save", type=Path)
    parser.add_argument("--start", type=Path)
    arguments = parser.parse_args()
    print("command: python", " ".join(sys.argv), flush=True)

    key = jax.random.key(arguments.seed)
    lattice, exact = it.Square(6, 6), EXACT[arguments.problem]
    operator = it.heisenberg(lattice) if arguments.problem == "heisenberg" else it.j1j2(lattice, J2=0.5)
    dtype = "float32" if arguments.problem == "heisenberg" else "complex64"
    psi = GCNN(
        lattice,
        arguments.layers,
        arguments.features,
        spin_flip=arguments.spin_flip or None,
        dtype=dtype,
        key=key,
    )
    if arguments.start:
        psi = eqx.tree_deserialise_leaves(arguments.start, psi)
    print(f"{count_parameters(psi)} parameters", flush=True)
    sampler = Metropolis(Exchange(lattice.bonds()), chains=arguments.chains, sweep=arguments.sweep)
    optimiser = NaturalGradient(
        learning_rate=Cosine(*arguments.learning_rate, arguments.steps, warmup=10),
        shift=Exponential(*arguments.shift, arguments.steps),
        momentum=arguments.momentum,
        max_norm=arguments.longest,
    )
    begin, energies = time.perf_counter(), []

    def progress(state, scalars) -> bool | None:
        energies.append(scalars["energy"])
        step = len(energies)
        seconds = time.perf_counter() - begin
        if step % 10 == 0:
            mean = sum(energies[-10:]) / 10
            print(
                f"{step:5d}  {seconds:7.0f} s  energy {mean:.5f}  relative {mean / exact - 1:.2e}  "
                f"variance {scalars.get('energy_variance', float('nan')):.4g}  V {scalars['v_score']:.2e}  "
                f"acceptance {scalars['acceptance']:.2f}",
                flush=True,
            )
        if arguments.save and step % 50 == 0:
            keep(state.model)
        if seconds > arguments.seconds:
            raise TimeUpError(state.model)

    def keep(model) -> None:
        aside = arguments.save.with_suffix(".new")
        eqx.tree_serialise_leaves(aside, model)
        aside.rename(arguments.save)

    try:
        run = ground_state(
            operator,
            psi,
            arguments.steps,
            arguments.samples,
            key=key,
            sampler=sampler,
            optimiser=optimiser,
            final_samples=arguments.chains,
            progress=progress,
        )
        trained = run.model
    except TimeUpError as stopped:
        trained = stopped.args[0]
    trained_seconds = time.perf_counter() - begin
    if arguments.save:
        keep(trained)
    last = Metropolis(Exchange(lattice.bonds()), chains=arguments.chains)
    energy = expect(
        operator, cast(trained, "float64"), arguments.final, key=jax.random.fold_in(key, 1), sampler=last
    )
    print(
        f"result: {arguments.problem} energy {energy} (exact {exact}), "
        f"relative error {abs(float(jnp.real(energy.mean)) / exact - 1):.2e}, "
        f"{len(energies)} steps in {trained_seconds:.0f} s of training",
        flush=True,
    )


class TimeUpError(Exception):
    """The time for training is over; carries the model."""


if __name__ == "__main__":
    main()
