"""Secondary structure of proteins: 50 chains, 6,860 residues, labelled by DSSP (H, E, -).

    pip download --no-deps MDAnalysisTests && tar xzf mdanalysistests-*.tar.gz
    python benchmarks/proteins.py data --source mdanalysistests-*/MDAnalysisTests/data/dssp --out proteins.npz
    python benchmarks/proteins.py folds --data proteins.npz [--who equivariant invariant plain] [--minutes 3]

The files are those of the tests of MDAnalysis.analysis.dssp: ?????.pdb.gz, and beside each ?????.pdb.dssp
with a letter for each residue. Without --source they are those of an installed MDAnalysisTests. The archive
has a structure for each chain with a point at each Cα, and the values that `load_structures` finds in PDB
files: species (amino acids), chain, residue-number, segment, frame, side-chain; file; secondary-structure.

`folds` learns the labels from the positions of Cα alone, five-fold by protein: accuracies over all residues,
each said by the fit that has not seen its chain, as the files lie and with each chain turned at random.
equivariant: `residues:W` with vectors and higher degrees; invariant: the same with degree 0; plain: a
perceptron on the coordinates x_j − x_i of 8 neighbours along the chain on either side, as they lie in the
file, and the same learnt from turned chains (plain-turned). With OMP_NUM_THREADS=1 and
XLA_FLAGS=--xla_cpu_multi_thread_eigen=false; a fold has these minutes of a core, with the compilation.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import optax

import intertwine as it

CHAINS, RESIDUES = 50, 6860
LABEL = "secondary-structure"
WIDTH, REACH = 8, 8
Said = Callable[[it.data.Structures], np.ndarray]


def installed() -> Path:
    """The folder in an installed MDAnalysisTests, which is not imported."""
    found = importlib.util.find_spec("MDAnalysisTests")
    if found is None or found.origin is None:
        raise SystemExit("MDAnalysisTests is not installed: give --source")
    return Path(found.origin).parent / "data" / "dssp"


def labelled_chains(source: Path) -> it.data.Structures:
    """The chains with their labels "secondary-structure", a letter for each residue."""
    files = sorted(source.glob("?????.pdb.gz"))
    labels = {file.name: file.with_suffix(".dssp").read_text().split()[0] for file in files}
    if not files:
        raise SystemExit(f"no files ?????.pdb.gz in {source}")
    return it.data.load_structures(files, points="residues", labels={"secondary-structure": labels})


def make(source: Path | None, out: Path) -> None:
    """Write the archive."""
    chains = labelled_chains(source or installed())
    chains.to_file(out)
    letters = Counter(chains.words("secondary-structure").tolist())
    print(chains)
    print(f"{len(chains)} chains, {chains.total} residues: {dict(sorted(letters.items()))}, into {out}")
    assert (len(chains), chains.total) == (CHAINS, RESIDUES)


def turned(chains: it.data.Structures, rng: np.random.Generator) -> it.data.Structures:
    """Each chain by a rotation of its own."""
    positions = chains.positions.copy()
    for start, end in zip(chains.offsets[:-1], chains.offsets[1:], strict=True):
        rotation, _ = np.linalg.qr(rng.normal(size=(3, 3)))
        rotation[:, 0] *= np.sign(np.linalg.det(rotation))
        positions[start:end] = positions[start:end] @ rotation.T
    return replace(chains, positions=positions)


def residue_network(chains: it.data.Structures, degree: int | None, seed: int, minutes: float) -> Said:
    fit = it.fit_structures(
        f"residues:{WIDTH}",
        chains,
        targets=LABEL,
        inputs="none",
        space="points:12.0:16",
        degree=degree,
        by="file",
        epochs=10_000,
        minutes=minutes,
        key=jax.random.key(seed),
    )
    print(f"  {len(fit.history)} epochs, best {fit.best}", fit.history[-1], flush=True)
    return lambda new: fit.model.predict(new).values[f"p({LABEL})"]


def windows(chains: it.data.Structures) -> np.ndarray:
    """x_j − x_i of residues along the chain, 0 where there are none, and whether there are: (total, F)."""
    total, segment, structure = chains.total, chains.values["segment"], chains.structure
    found = []
    for step in [*range(-REACH, 0), *range(1, REACH + 1)]:
        j = np.arange(total) + step
        inside = np.clip(j, 0, total - 1)
        there = (j == inside) & (segment[inside] == segment) & (structure[inside] == structure)
        apart = (chains.positions[inside] - chains.positions) * there[:, None] / 10.0
        found.append(np.concatenate([apart, there[:, None]], 1))
    return np.concatenate(found, 1).astype(np.float32)


def plain_network(chains: it.data.Structures, seed: int, minutes: float, *, turn: bool) -> Said:
    """A perceptron on `windows`, not equivariant; with `turn`, on chains turned anew in each epoch."""
    rng, began = np.random.default_rng(seed), time.perf_counter()
    labels = chains.values[LABEL]
    network = eqx.nn.MLP(8 * REACH, 3, 256, 3, jax.nn.silu, key=jax.random.key(seed))
    count, epochs = len(labels) // 64, 100
    optimiser = optax.adamw(optax.cosine_decay_schedule(1e-3, epochs * count), weight_decay=1e-2)
    parameters, rest = eqx.partition(network, eqx.is_inexact_array)

    @jax.jit
    def step(parameters, state, x, y):
        def loss(p):
            scores = jax.vmap(eqx.combine(p, rest))(x)
            return optax.softmax_cross_entropy_with_integer_labels(scores, y).mean()

        updates, state = optimiser.update(jax.grad(loss)(parameters), state, parameters)
        return optax.apply_updates(parameters, updates), state

    state, inputs = optimiser.init(parameters), windows(chains)
    for _ in range(epochs):
        if time.perf_counter() - began > 60 * minutes:
            raise SystemExit("minutes: too few for the plain network")
        if turn:
            inputs = windows(turned(chains, rng))
        for rows in rng.permutation(len(labels))[: 64 * count].reshape(count, 64):
            parameters, state = step(parameters, state, inputs[rows], labels[rows])
    learnt = jax.jit(jax.vmap(eqx.combine(parameters, rest)))
    return lambda new: np.asarray(jax.nn.softmax(learnt(jnp.asarray(windows(new)))))


FITS: dict[str, Callable[[it.data.Structures, int, float], Said]] = {
    "equivariant": lambda chains, seed, minutes: residue_network(chains, None, seed, minutes),
    "invariant": lambda chains, seed, minutes: residue_network(chains, 0, seed, minutes),
    "plain": lambda chains, seed, minutes: plain_network(chains, seed, minutes, turn=False),
    "plain-turned": lambda chains, seed, minutes: plain_network(chains, seed, minutes, turn=True),
}


def folds(data: Path, who: str, minutes: float, seed: int, first: int) -> dict[str, object]:
    """The accuracies of one kind of network."""
    chains, began = it.data.load_structures(data), time.perf_counter()
    rng = np.random.default_rng(seed)
    parts = np.array_split(rng.permutation(len(chains)), 5)
    right, right_turned, apart, counts = 0, 0, 0.0, np.zeros((3, 3), int)
    for number, part in enumerate(parts[:first]):
        rest, test = chains.take(np.setdiff1d(np.arange(len(chains)), part)), chains.take(part)
        said = FITS[who](rest, seed + number, minutes)
        labels, here = test.values[LABEL], said(test)
        there = said(turned(test, rng))
        right += int((here.argmax(1) == labels).sum())
        right_turned += int((there.argmax(1) == labels).sum())
        apart = max(apart, float(np.abs(here - there).max()))
        np.add.at(counts, (labels, here.argmax(1)), 1)
        print(f"  {who}, fold {number}: {np.mean(here.argmax(1) == labels):.4f}", flush=True)
    names = chains.names[LABEL]
    recall = {name: round(counts[k, k] / counts[k].sum(), 4) for k, name in enumerate(names)}
    return {
        "who": who,
        "folds": first,
        "accuracy": round(right / counts.sum(), 4),
        "turned": round(right_turned / counts.sum(), 4),
        "probabilities apart": f"{apart:.1e}",
        "recall": recall,
        "seconds": round(time.perf_counter() - began),
    }


def main() -> None:
    parser = argparse.ArgumentParser()
    commands = parser.add_subparsers(dest="command", required=True)
    data = commands.add_parser("data")
    data.add_argument("--source", type=Path)
    data.add_argument("--out", type=Path, default=Path("proteins.npz"))
    cross = commands.add_parser("folds")
    cross.add_argument("--data", type=Path, default=Path("proteins.npz"))
    cross.add_argument("--who", nargs="+", choices=FITS, default=list(FITS))
    cross.add_argument("--minutes", type=float, default=3.0)
    cross.add_argument("--folds", type=int, default=5, help="of the five, the first so many")
    cross.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    if options.command == "data":
        make(options.source, options.out)
        return
    time.perf_counter = time.process_time  # minutes of a core, in the loop of the library too
    for who in options.who:
        print(json.dumps(folds(options.data, who, options.minutes, options.seed, options.folds)), flush=True)


if __name__ == "__main__":
    main()
