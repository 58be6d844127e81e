"""The table `data` of defaults.py: what a user gets who says nothing but the data, through each door.

Every row learns by `it.learn` (an RBM of 64 hidden units; the function needs one), by the scikit-learn
estimator and by the command, and measures the mean log-likelihood in nats of rows not learnt from (of the
rows themselves where there are few), in the units of the data; of `digits`, the accuracy of a logistic
regression on the features; of clusters also how far their shares in samples lie from those in the rows learnt
from, in standard errors (at most 3). What lies below independent columns must be said to.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

HIDDEN = 64


class Found(NamedTuple):
    """value: ln p, or the accuracy. codes: of the caveats. samples: where they are counted."""

    value: float
    codes: tuple[str, ...] = ()
    samples: np.ndarray | None = None


class DataRow(NamedTuple):
    """make: (rows to learn from, rows to measure). best: ln p of the source, None where it is not known.
    wanted: what should be reached; None for that of independent columns. middles: of clusters."""

    name: str
    make: Callable[[], tuple[np.ndarray, np.ndarray]]
    best: float | None
    wanted: float | None
    units: str = "auto"
    middles: Callable[[], np.ndarray] | None = None


def _split(rows: np.ndarray, share: float = 0.5) -> tuple[np.ndarray, np.ndarray]:
    cut = int(share * len(rows))
    return rows[:cut], rows[cut:]


def clusters(states: int = 2) -> tuple[np.ndarray, np.ndarray]:
    """6 clusters of 200 columns, 3 % of them redrawn."""
    rng = np.random.default_rng(0)
    middles = rng.integers(0, states, (6, 200))  # `middles_of` draws the same
    rows = middles[rng.integers(0, 6, 4000)]
    noise = rng.random(rows.shape) < 0.03
    rows = np.where(noise, (rows + rng.integers(1, states, rows.shape)) % states, rows)
    return rows[:3000].astype(np.uint8), rows[3000:].astype(np.uint8)


def middles_of(states: int) -> np.ndarray:
    return np.random.default_rng(0).integers(0, states, (6, 200))


def two_modes() -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    return _split((np.where(rng.random(4000) < 0.5, -20, 30) + 3 * rng.normal(size=4000))[:, None])


def correlated() -> tuple[np.ndarray, np.ndarray]:
    covariance = np.full((6, 6), 0.8) + 0.2 * np.eye(6)
    return _split(np.random.default_rng(0).normal(size=(4000, 6)) @ np.linalg.cholesky(covariance).T)


def rare() -> tuple[np.ndarray, np.ndarray]:
    rows = (np.random.default_rng(0).random((300, 3000)) < 0.002).astype(np.uint8)
    return rows, rows


def grey() -> tuple[np.ndarray, np.ndarray]:
    """Digits as probabilities of binary pixels."""
    from sklearn.datasets import load_digits

    return _split(load_digits().data / 16, 0.7)


def few() -> tuple[np.ndarray, np.ndarray]:
    """40 rows of 12 bits, four pairs of which agree."""
    bits = np.random.default_rng(0).integers(0, 2, (1040, 8))
    rows = np.concatenate([bits, bits[:, :4]], axis=1).astype(np.uint8)
    return rows[:40], rows[40:]


def skewed() -> tuple[np.ndarray, np.ndarray]:
    """Two columns of waiting times, the second mostly that of the first."""
    rng = np.random.default_rng(0)
    first = rng.exponential(2.0, 4000)
    return _split(np.stack([first, first + rng.exponential(0.5, 4000)], axis=1))


def counts() -> tuple[np.ndarray, np.ndarray]:
    """Heavy-tailed counts: a Poisson number whose mean is log-normal, in four columns of one mean."""
    rng = np.random.default_rng(0)
    mean = np.exp(rng.normal(2.0, 1.0, (4000, 1)))
    return _split(rng.poisson(mean * np.ones((1, 4))).astype(float))


def scales() -> tuple[np.ndarray, np.ndarray]:
    """The correlated normal distribution in units that differ by a million."""
    unit = np.array([1e-3, 1e-2, 1.0, 10.0, 100.0, 1000.0])
    train, test = correlated()
    return train * unit + 5 * unit, test * unit + 5 * unit


_DISCRETE = 200 * (0.97 * np.log(0.97) + 0.03 * np.log(0.03))
ROWS = [
    DataRow("6 clusters of 200 bits", clusters, _DISCRETE - np.log(6), -32.0, middles=lambda: middles_of(2)),
    DataRow("two modes in one dimension", two_modes, -3.211, -3.3),
    DataRow("a normal distribution in 6 dimensions", correlated, -5.295, -5.4),
    DataRow("300 x 3000 bits, 0.2 % ones", rare, None, -40.3),
    DataRow("digits, 600 rows: accuracy of a classifier", grey, None, 0.8),
    DataRow(
        "6 clusters of sequences of 200 letters", lambda: clusters(4),
        _DISCRETE - 200 * 0.03 * np.log(3) - np.log(6), -60.0, "potts:4",
    ),
    DataRow("grey digits", grey, None, None),
    DataRow("40 rows of 12 bits", few, -8 * np.log(2), None),
    DataRow("skewed: waiting times", skewed, -2 - np.log(2.0) - np.log(0.5), None),
    DataRow("heavy-tailed counts", counts, None, None),
    DataRow("the normal distribution in other units", scales, -5.295 - np.log(10), -5.4 - np.log(10)),
]  # fmt: skip
"""The first five are the ones asked for, the others have no part in choosing the defaults."""


def independent(train: np.ndarray, test: np.ndarray, units: str) -> float:
    """Mean ln p of independent columns, fitted to `train`."""
    if units.startswith("potts"):
        states = int(units.partition(":")[2])
        shares = np.stack([(train == k).mean(0) for k in range(states)]) + 1e-3
        shares /= shares.sum(0)
        return float(np.log(np.take_along_axis(shares, test.astype(int), 0)).sum(1).mean())
    if train.min() >= 0 and train.max() <= 1:
        p = np.clip(train.mean(0), 1 / (3 * len(train)), 1 - 1 / (3 * len(train)))
        return float((test * np.log(p) + (1 - test) * np.log1p(-p)).sum(1).mean())
    mean, deviation = train.mean(0), train.std(0)
    return float(
        (-0.5 * ((test - mean) / deviation) ** 2 - np.log(deviation * np.sqrt(2 * np.pi))).sum(1).mean()
    )


def _one_hot(rows: np.ndarray, units: str) -> np.ndarray:
    states = int(units.partition(":")[2])
    return np.eye(states, dtype=np.uint8)[rows.astype(int)].reshape(len(rows), -1)


def by_function(row: DataRow, train: np.ndarray, test: np.ndarray) -> Found:
    import jax

    import intertwine as it

    key = jax.random.key(0)
    units, grey_values = row.units, False
    if units.startswith("potts"):
        train, test = _one_hot(train, units), _one_hot(test, units)
    elif train.min() >= 0 and train.max() <= 1:
        units, grey_values = "binary", not np.isin(train, (0, 1)).all()
    else:
        units, train, test = "gaussian", train.astype(np.float32), test.astype(np.float32)
    machine = it.RBM(train.shape[1], hidden=HIDDEN, units=units, hidden_units="binary", key=key)
    model = it.learn(machine, train, binarise=grey_values, key=key).model
    if row.wanted is not None and row.wanted > 0:
        features = [np.asarray(model.hidden_given_visible(rows)) for rows in (train, test)]
        return Found(_accuracy(*features))
    if grey_values:
        test = (np.random.default_rng(0).random(test.shape) < test).astype(np.uint8)
    found = it.log_likelihood(model, test, it.log_partition(model, it.AIS(known=test), key=key))
    samples = None if row.middles is None else np.asarray(it.sample(model, SAMPLES, key=key))
    return Found(float(found.mean), _codes(found.warnings), samples)


def by_estimator(row: DataRow, train: np.ndarray, test: np.ndarray) -> Found | None:
    from intertwine.boltzmann.sklearn.estimators import BoltzmannMachine

    if row.units.startswith("potts"):
        return None
    machine = BoltzmannMachine(random_state=0).fit(train)
    if row.wanted is not None and row.wanted > 0:
        return Found(_accuracy(machine.transform(train), machine.transform(test)))
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        value = machine.score(test)
    lines = [line for one in told for line in str(one.message).split("; ")]
    samples = None if row.middles is None else machine.sample(SAMPLES)
    return Found(value, _codes(lines), samples)


def by_command(row: DataRow, train: np.ndarray, test: np.ndarray) -> Found | None:
    if row.wanted is not None and row.wanted > 0:
        return None
    with tempfile.TemporaryDirectory() as folder:
        np.savez(Path(folder) / "rows.npz", train=train, test=test)
        command = [sys.executable, "-m", "intertwine.cli", "learn", "--data", f"{folder}/rows.npz"]
        command += [] if row.units == "auto" else ["--units", row.units]
        subprocess.run([*command, "--out", f"{folder}/run"], check=True, stdout=subprocess.DEVNULL)
        result = json.loads((Path(folder) / "run/result.json").read_text())
        samples = None
        if row.middles is not None:
            import xarray

            with xarray.open_dataset(f"{folder}/run/result.nc") as found:
                samples = found["sample"].values[:SAMPLES]
        return Found(result["log_likelihood"]["test"]["mean"], _codes(result["warnings"]), samples)


SAMPLES = 1000


def _codes(lines: Iterable[str]) -> tuple[str, ...]:
    from intertwine._caveats import CODES, code_of

    return tuple(dict.fromkeys(code_of(line) for line in lines if code_of(line) in CODES))


def off_shares(samples: np.ndarray, rows: np.ndarray, middles: np.ndarray) -> float:
    """How far the shares of the clusters in samples lie from those in rows: standard errors, the largest."""
    nearest = [
        np.bincount((x[:, None, :] != middles).sum(-1).argmin(1), minlength=len(middles))
        for x in (samples, rows)
    ]
    ours, theirs = (count / count.sum() for count in nearest)
    errors = np.sqrt(theirs * (1 - theirs) * (1 / len(samples) + 1 / len(rows)))
    return float(np.abs((ours - theirs) / errors).max())


def _accuracy(train: np.ndarray, test: np.ndarray) -> float:
    """Of a logistic regression on features of the digits of `grey`."""
    from sklearn.datasets import load_digits
    from sklearn.linear_model import LogisticRegression

    labels = load_digits().target
    classifier = LogisticRegression(max_iter=1000).fit(train[:600], labels[:600])
    return float(classifier.score(test, labels[-len(test) :]))


DOORS: dict[str, Callable[[DataRow, np.ndarray, np.ndarray], Any]] = {
    "function": by_function,
    "estimator": by_estimator,
    "command": by_command,
}


def print_data(rows: Iterable[DataRow]) -> int:
    """One line a row and door; how many miss what is wanted."""
    missed = 0
    print(
        f"{'data':42s} {'door':9s} {'best':>9s} {'columns':>9s} {'found':>9s} {'wanted':>8s}  met"
        f"  {'s':>4s}  caveats"
    )
    for row in rows:
        train, test = row.make()
        is_accuracy = row.wanted is not None and row.wanted > 0
        if is_accuracy:
            train = train[:600]
        columns = float("nan") if is_accuracy else independent(train, test, row.units)
        wanted = columns if row.wanted is None else row.wanted
        for door, learn in DOORS.items():
            begun = time.perf_counter()
            try:
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore")
                    found = learn(row, train, test)
            except subprocess.CalledProcessError as error:
                print(f"{row.name:42s} {door:9s} ended with exit code {error.returncode}", flush=True)
                missed += 1
                continue
            if found is None:
                continue
            met = found.value >= wanted or (row.wanted is None and "below-baseline" in found.codes)
            said = list(found.codes)
            if row.middles is not None and found.samples is not None:
                off = off_shares(found.samples, train, row.middles())
                met = met and off <= 3
                said.append(f"shares {off:.1f} errors off")
            missed += not met
            best = f"{row.best:9.3f}" if row.best is not None else " " * 9
            print(
                f"{row.name:42s} {door:9s} {best} {columns:9.3f} {found.value:9.3f} {wanted:8.3f}  "
                f"{'yes' if met else 'NO ':3s}  {time.perf_counter() - begun:4.0f}  {', '.join(said)}",
                flush=True,
            )
    return missed
