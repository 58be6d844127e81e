"""The plates of a learning run's page: pictures and figures with captions, words and numbers."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from intertwine._caveats import sentence_of
from intertwine.report.learn import figures
from intertwine.report.learn.read import LearnRun
from intertwine.report.numbers import plain, with_error
from intertwine.report.pictures import signed_pictures, unit_pictures
from intertwine.report.plate import Plate, Tiles
from intertwine.report.series import stride

MOST_PICTURES, MOST_FILTERS = 64, 40
MOST_LINES, MOST_COLUMNS = 60, 400
"""Rows and columns of a picture of rows that are no pictures."""


def plates(run: LearnRun) -> list[Plate]:
    """Every picture and figure that the run has numbers for, in the order of the page."""
    drawn = [
        _samples(run),
        _rows_drawn(run),
        _moments(run),
        _likelihood(run),
        _filters(run),
        _free_energies(run),
        _mixing(run),
    ]
    drawn += [_distance(run), _progress(run), _spectrum(run), _modes(run), _optimiser(run)]
    there = [plate for plate in drawn if plate is not None]
    if sum(not plate.wide for plate in there) % 2:  # none stands alone in its row
        key = next((plate for plate in there if plate.name == "likelihood"), there[-1])
        there[there.index(key)] = replace(key, wide=True)
    return there


def _samples(run: LearnRun) -> Plate | None:
    groups = []
    for name, heading in (("sample", "Samples of the machine"), ("example", "Rows that it learnt from")):
        rows = run.pictures(name)
        if rows is not None and run.shape is not None:
            pictures = unit_pictures(rows[:MOST_PICTURES], run.shape, _units(run))
            words = f"{len(pictures)} pictures of {run.shape[0]} by {run.shape[1]} pixels"
            groups.append(Tiles(heading, f"{heading}: {words}.", tuple(pictures)))
    if not groups:
        return None
    caption = (
        "Of the machine: one draw from each of its Markov chains, which are independent; beside them,"
        " examples. Dark is the lower value of a unit, light the higher."
    )
    return Plate(
        "samples", "Samples", caption, "Samples beside examples.", None, 0, wide=True, tiles=tuple(groups)
    )


def _rows_drawn(run: LearnRun) -> Plate | None:
    """Samples beside examples where rows are no pictures: one row per line, one column per unit."""
    if run.shape is not None:
        return None
    groups = []
    for name, heading in (("sample", "Samples of the machine"), ("example", "Rows that it learnt from")):
        rows = run.arrays.get(name)
        if rows is None or len(rows) == 0:
            continue
        shown = _levels(rows[:MOST_LINES], _units(run))[:, :MOST_COLUMNS]
        picture = unit_pictures(shown.reshape(1, -1), (shown.shape[0], shown.shape[1]), _units(run))
        words = f"{len(shown)} rows, one per line, of {shown.shape[1]} units, one per column"
        groups.append(Tiles(heading, f"{heading}: {words}.", tuple(picture)))
    if not groups:
        return None
    caption = "Rows as lines of a picture: one draw of each chain, and rows of the data; dark is low."
    words = "Samples beside examples, as lines."
    return Plate("rows", "Samples", caption, words, None, 0, wide=True, tiles=tuple(groups))


def _levels(rows: np.ndarray, units: str) -> np.ndarray:
    """One number per unit: which state, of Potts units."""
    head, _, count = units.partition(":")
    if head != "potts" or not count.isdigit() or rows.shape[1] % int(count):
        return rows
    return rows.reshape(len(rows), -1, int(count)).argmax(-1).astype(float)


def _moments(run: LearnRun) -> Plate | None:
    pairs = [
        (name, run.arrays[f"{short}_data"], run.arrays[f"{short}_samples"])
        for name, short in (("means of columns", "mean"), ("covariances of pairs of columns", "covariance"))
        if f"{short}_data" in run.arrays and f"{short}_samples" in run.arrays
    ]
    pairs = [(name, x, y) for name, x, y in pairs if len(x) == len(y) > 0]
    if not pairs:
        return None
    figure = figures.against(pairs)
    apart = [float(np.sqrt(np.mean((y - x) ** 2))) for _, x, y in pairs]
    words = ", ".join(
        f"{name} of the samples lie {d:.2g} (root mean square) from the data's"
        for (name, _, _), d in zip(pairs, apart, strict=True)
    )
    caption = (
        "Where the samples (up) have the statistics of the rows learnt from (across), the points lie on the"
        f" line: {words}."
    )
    return Plate("moments", "Means and correlations", caption, f"Scatter: {words}.", figure, 360)


def _filters(run: LearnRun) -> Plate | None:
    rows = run.pictures("filter")
    if rows is None or run.shape is None:
        return None
    pictures = signed_pictures(rows[:MOST_FILTERS], run.shape)
    words = f"The weights of {len(pictures)} hidden units as pictures."
    caption = (
        f"Columns of W of the {len(pictures)} hidden units with the largest norm, as pictures: blue weights"
        " draw a pixel up when the unit is on, orange ones down. All on one scale."
    )
    tiles = (Tiles("", words, tuple(pictures)),)
    return Plate("filters", "Learned filters", caption, words, None, 0, tiles=tiles)


def _likelihood(run: LearnRun) -> Plate | None:
    final = run.result.get("log_likelihood", {})
    final = final.get("test") or final.get("train")
    figure = figures.likelihood(run.metrics, final, run.best)
    if figure is None:
        return None
    caption = (
        "Mean log-likelihood of rows held out, in nats per row. The bar of each estimate is the bracket of"
        " ln Z by annealed importance sampling forwards and backwards; the last point is the longest one."
    )
    words = "Log-likelihood against epoch."
    if final and final["mean"] is not None:
        words = f"Log-likelihood against epoch, {with_error(final['mean'], final['error'])} nats at the end."
    return Plate("likelihood", "Likelihood", caption + _thinned(run), words, figure, 380)


def _progress(run: LearnRun) -> Plate | None:
    figure = figures.progress(run.metrics)
    if figure is None:
        return None
    caption = (
        "What needs no ln Z, at each epoch: pseudo-likelihood of rows held out (nats per row), mean square"
        " reconstruction error of a unit, and by how much the free energy of rows held out lies above that of"
        " rows learnt from: it grows with overfitting."
    )
    panels = sum(axis.startswith("yaxis") for axis in figure.to_plotly_json()["layout"])
    parts = [
        f"{label} {plain(run.last(name), 4)}"
        for name, label in (
            ("pseudo_likelihood", "pseudo-likelihood"), ("reconstruction_error", "reconstruction error"),
            ("free_energy_gap", "free-energy gap"),
        )
        if run.last(name) is not None
    ]  # fmt: skip
    words = "Against epoch; at the last: " + ", ".join(parts) + "."
    return Plate("progress", "Progress", caption + _thinned(run), words, figure, 90 + 140 * panels)


def _distance(run: LearnRun) -> Plate | None:
    figure = figures.distance(run.metrics)
    if figure is None:
        return None
    far = run.result.get("transport") or {}
    caption = (
        "Optimal transport (W1) between the chains of the training and as many rows of the data, at each"
        " epoch; the dashed line is the distance between two sets of rows of the data of that number, the"
        " floor of what can be told."
    )
    words = "W1 against epoch"
    if far.get("value") is not None:
        words += f"; of the samples at the end {with_error(far['value'], far['error'])} ({far['metric']})"
        caption += (
            f" Of {plain(far['rows'])} samples at the end {with_error(far['value'], far['error'])}, of half"
            f" as many {plain(far['at_floor'], 4)}, where rows alone have {plain(far['floor'], 4)}"
            f" ({far['metric']})."
        )
    return Plate("distance", "Distance from the data", caption + _thinned(run), words + ".", figure, 360)


def _free_energies(run: LearnRun) -> Plate | None:
    train = run.arrays.get("free_energy_train")
    if train is None:
        return None
    test, samples = run.arrays.get("free_energy_test"), run.arrays.get("free_energy_samples")
    figure = figures.free_energies(train, test, samples)
    if figure is None:
        return None
    caption = (
        "Distribution of the free energy F(v) = −ln Ψ(v), in nats. The three agree where the machine has"
        " learnt the distribution; rows held out to the right of those learnt from tell of overfitting,"
        " samples apart from both of chains that have not mixed, or of a machine that has more to learn."
    )
    means = [
        f"{label} {plain(float(np.nanmean(values)), 5)}"
        for label, values in (("rows learnt from", train), ("rows held out", test), ("samples", samples))
        if values is not None
    ]
    words = "Histograms of free energies; means: " + ", ".join(means) + " nats."
    return Plate("free-energies", "Free energies", caption, words, figure, 380)


def _mixing(run: LearnRun) -> Plate | None:
    observable = run.arrays.get("observable")
    if observable is None:
        return None
    thin = float(run.attributes.get("sweeps_between_draws", 1))
    figure = figures.mixing(observable, run.arrays.get("autocorrelation"), thin)
    s = run.result.get("sampling", {})
    tau = s.get("tau")
    numbers = (
        f"integrated autocorrelation time {plain(None if tau is None else tau * thin, 3)} sweeps,"
        f" R-hat {plain(s.get('r_hat'), 4)}, effective sample size {plain(s.get('ess'), 5)}"
    )
    caption = (
        "The chains that the samples come from: the free energy along some of them, and how fast it forgets."
        f" {numbers[0].upper()}{numbers[1:]}."
    )
    return Plate("mixing", "Chain mixing", caption, f"Chains and autocorrelation: {numbers}.", figure, 420)


def _spectrum(run: LearnRun) -> Plate | None:
    epochs = run.metrics.get("epoch")
    if run.spectrum is None or epochs is None:
        return None
    figure = figures.spectrum(epochs, run.spectrum)
    if figure is None:
        return None
    modes = run.spectrum.shape[1]
    caption = (
        f"The {modes} largest singular values of W at each epoch, logarithmic: the largest in orange. The"
        " modes of the data leave the noise one after another."
    )
    last = plain(float(run.spectrum[-1, 0]), 4)
    words = f"{modes} singular values of W against epoch, the largest {last} at the end."
    return Plate("spectrum", "Spectrum of W", caption + _thinned(run), words, figure, 380)


def _modes(run: LearnRun) -> Plate | None:
    epochs, facts = run.metrics.get("epoch"), run.result.get("principal_modes") or {}
    if run.modes is None or epochs is None or len(epochs) != len(run.modes):
        return None
    eigenvalues = facts.get("eigenvalues")
    names = [f"c = {plain(c, 4)}" for c in eigenvalues] if isinstance(eigenvalues, list) else []
    figure = figures.modes(epochs, run.modes, names)
    if figure is None:
        return None
    above = facts.get("above")
    told = "" if above is None else f" The data have {plain(above)} modes with c above 1."
    notes = [sentence_of(line) for line in facts.get("notes") or [] if isinstance(line, str)]
    said = "".join(f" {line[:1].upper()}{line[1:]}." for line in notes)
    caption = (
        "Strength of each principal mode of the data in W, in units in which the machine has a transition at"
        " 1 (dotted); c is the mode's variance, as a multiple of that of independent units. Modes are learned"
        f" one after another, the largest first.{told}{said}"
    )
    last = plain(float(run.modes[-1, 0]), 4)
    words = f"{run.modes.shape[1]} modes against epoch; that of the largest c has strength {last} at the end."
    return Plate("modes", "Modes of the data", caption + _thinned(run), words, figure, 380)


def _optimiser(run: LearnRun) -> Plate | None:
    figure = figures.optimiser(run.metrics)
    if figure is None:
        return None
    caption = "Norm of the way in parameter space and learning rate at each epoch, logarithmic."
    words = f"Against epoch; norm of the last update {plain(run.last('update_norm'), 3)}."
    return Plate("optimiser", "Optimisation", caption + _thinned(run), words, figure, 330)


def _units(run: LearnRun) -> str:
    return str(run.attributes.get("units", ""))


def _thinned(run: LearnRun) -> str:
    every = stride(run.steps)
    return "" if every == 1 else f" One line in {every} of the {run.steps} is drawn."
