"""The plates of a renormalization run's page: pictures and figures with captions, words and numbers."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from intertwine.report.numbers import plain, with_error
from intertwine.report.pictures import signed_pictures, unit_pictures
from intertwine.report.plate import Plate, Tiles
from intertwine.report.renormalize import equation, figures
from intertwine.report.renormalize.read import RenormalizeRun
from intertwine.report.series import stride

MOST_LEVELS, MOST_FILTERS, MOST_COLUMNS = 6, 40, 3


def plates(run: RenormalizeRun) -> list[Plate]:
    """Every picture and figure that the run has numbers for, in the order of the page."""
    drawn = [_pictures(run), _exponents(run), _flow(run), _couplings(run), _transformation(run)]
    drawn += [
        *equation.plates(run),
        _filters(run),
        _trace(run),
        _network_flow(run),
        _shells(run),
        *_columns(run),
        _running(run),
    ]
    there = [plate for plate in drawn if plate is not None]
    if sum(not plate.wide for plate in there) % 2:  # none stands alone in its row
        narrow = next(k for k in range(len(there) - 1, -1, -1) if not there[k].wide)
        there[narrow] = replace(there[narrow], wide=True)
    return there


def _pictures(run: RenormalizeRun) -> Plate | None:
    if not run.pictures:
        return None
    groups, states = [], run.attributes.get("states", 2)
    states = states if isinstance(states, int) and states > 2 else 2
    for level, spins in enumerate(run.pictures[:MOST_LEVELS]):
        shown = _upright(spins) if run.attributes.get("sheared") else spins
        height, width = spins.shape
        heading = f"Level {level}: {height} × {width}" if height > 1 else f"Level {level}: {width}"
        up = float((spins > 0).mean())
        words = f"{heading} states." if states > 2 else f"{heading} spins, {up:.0%} of them up."
        scaled = 2 * shown / (states - 1) - 1 if states > 2 else shown
        picture = unit_pictures(scaled.reshape(1, -1), (shown.shape[0], shown.shape[1]), "spin")
        groups.append(Tiles(heading, words, tuple(picture), columns=1))
    caption = (
        "One configuration (a quarter of those kept are less magnetized) and what the rule makes of it, step"
        " by step, all drawn at one size: up light, down dark (of Potts states, a grey each). At the fixed"
        " point the levels cannot be told apart but for their grain; above T_c blocking leads to noise, below"
        " it to one colour."
    )
    words = f"One configuration at {len(groups)} levels."
    return Plate("levels", "Blocked configurations", caption, words, None, 0, wide=True, tiles=tuple(groups))


def _upright(spins: np.ndarray) -> np.ndarray:
    """A periodic triangular patch with every row moved by half per site, two pixels a site."""
    wide = np.repeat(spins, 2, axis=1)
    rows = [np.roll(row, number) for number, row in enumerate(wide)]
    return np.repeat(np.stack(rows), 2, axis=0)


def _exponents(run: RenormalizeRun) -> Plate | None:
    exact = {name: run.value("exponents", name)["exact"] for name in ("y_T", "y_H")}
    figure = figures.exponents(run.arrays, exact)
    if figure is None:
        return None
    names = [name for name in ("y_T", "y_H") if name in run.arrays]
    number = run.arrays[names[0]].shape[1]
    caption = (
        "Exponents of the linearised transformation at each step, y = ln|λ|/ln b, by how many couplings are"
        " kept; bars: one standard error, by the jackknife. Later steps are nearer the fixed point, on"
        " smaller lattices."
    )
    if any(exact[name] is not None for name in names):
        caption += " Dashed: exact."
    rows = []
    for level in range(len(run.arrays[names[0]])):
        for m in range(number):
            cells = [
                with_error(float(run.arrays[name][level, m]), _error(run, name, level, m)) for name in names
            ]
            rows.append((str(level + 1), str(m + 1), *cells))
    words = f"Exponents at {len(run.arrays[names[0]])} steps; the numbers are in the table below the figure."
    columns = ("step", "couplings", *names)
    caption = _caption(run, "exponents", caption)
    return Plate(
        "exponents", "Exponents by level", caption, words, figure, 180 + 200 * len(names), True, columns,
        tuple(rows),
    )  # fmt: skip


def _error(run: RenormalizeRun, name: str, level: int, m: int) -> float | None:
    errors = run.arrays.get(f"{name}_error")
    return None if errors is None else float(errors[level, m])


def _flow(run: RenormalizeRun) -> Plate | None:
    paths = run.arrays.get("flow")
    if paths is None or "map_from" in run.arrays:
        return None
    main = run.attributes.get("main_start")
    K = run.arrays.get("start_coupling", paths[:, 0, 0])
    labels = [f"K = {value:.4g}" for value in K] if len(K) == len(paths) else [""] * len(paths)
    figure = figures.flow(
        paths,
        run.families,
        labels,
        int(main) if isinstance(main, int) else None,
        run.arrays.get("flow_error"),
    )
    if figure is None:
        return None
    caption = (
        f"The couplings of the blocked spins, step by step, from {paths.shape[0]} systems around the critical"
        " point: the projection on the first two families. Each begins at the dot; the arrows point to the"
        " next level. The system of this run in orange."
    )
    if "flow_error" in run.arrays:
        caption += " Bars: one standard error; a ring instead of an arrow: no move beyond two errors of it."
    words = f"Flows from {paths.shape[0]} starts."
    heading = "Flow in coupling space" if paths.shape[2] > 1 else "Flow"
    return Plate("flow", heading, _caption(run, "flow", caption), words, figure, 460)


def _couplings(run: RenormalizeRun) -> Plate | None:
    values, errors = run.arrays.get("coupling"), run.arrays.get("coupling_error")
    if values is None:
        return None
    names = run.families
    caption = (
        "The couplings of the run's system and of its block spins, {K} → {K'} → {K''}: those whose moments"
        " are the sampled ones; bars: one standard error."
    )
    rows = tuple(
        (str(scale), names[k] if k < len(names) else str(k + 1),
         with_error(float(values[scale, k]), None if errors is None else float(errors[scale, k])))
        for scale in range(len(values)) for k in range(values.shape[1]) if np.isfinite(values[scale, k])
    )  # fmt: skip
    words = f"Couplings at {len(values)} scales; the numbers are in the table below the figure."
    figure = figures.couplings(values, errors, names)
    return Plate("couplings", "Couplings by level", caption, words, figure, 460, False,
                 ("scale", "family", "K"), rows)  # fmt: skip


def _transformation(run: RenormalizeRun) -> Plate | None:
    x, y = run.arrays.get("map_from"), run.arrays.get("map_to")
    if x is None or y is None or len(x) != len(y):
        return None
    paths = run.arrays.get("flow", np.zeros((0, 1, 1)))[..., 0]
    fixed = run.attributes.get("fixed_coupling")
    fixed = float(fixed) if isinstance(fixed, int | float) and np.isfinite(fixed) else None
    caption = (
        "The transformation of the coupling, and flows from both sides of its fixed point as steps between"
        " the curve and the diagonal: to K = 0 in green, to K = ∞ in orange. Its slope at the fixed point is"
        " the eigenvalue λ = b^y."
    )
    words = f"K' against K; fixed point at {plain(fixed, 6)}."
    figure = figures.transformation(x, y, fixed, paths)
    return Plate("transformation", "The transformation", caption, words, figure, 520, wide=True)


def _filters(run: RenormalizeRun) -> Plate | None:
    rows = run.arrays.get("filter")
    height, width = (run.attributes.get(f"image_{name}") for name in ("height", "width"))
    whole = all(isinstance(n, int) and 1 <= n <= 256 for n in (height, width))
    if rows is None or not whole or rows.shape[1] != height * width:  # type: ignore[operator]
        return None
    pictures = signed_pictures(rows[:MOST_FILTERS], (int(height), int(width)))  # type: ignore[arg-type]
    words = f"The receptive fields of {len(pictures)} hidden units as pictures."
    caption = (
        f"Receptive fields: the weights of the {len(pictures)} strongest hidden units on the sites, blue for"
        " positive, orange for negative, on one scale. A unit that coarse-grains looks at one block."
    )
    return Plate("filters", "Receptive fields", caption, words, None, 0, wide=True,
                 tiles=(Tiles("", words, tuple(pictures), columns=10),))  # fmt: skip


def _trace(run: RenormalizeRun) -> Plate | None:
    values = run.arrays.get("trace")
    figure = None if values is None else figures.histogram(values, "ln Σ<sub>h</sub> e<sup>T(v,h)</sup>")
    if figure is None or values is None:
        return None
    caption = (
        "The trace condition, with T = H − E: ln Σ_h e^T over states of the system. It is one number for all"
        " states exactly where the machine has learnt the distribution (Mehta & Schwab 2014); its spread is"
        " how far the machine is from an exact renormalization step."
    )
    words = f"Histogram over {len(values)} states; standard deviation {plain(float(values.std()), 3)}."
    return Plate("trace", "Trace condition", caption, words, figure, 380)


def _network_flow(run: RenormalizeRun) -> Plate | None:
    figure = figures.network_flow(run.arrays)
    if figure is None:
        return None
    caption = (
        "Energy a site of configurations that go through the machine again and again, v → h → v, from all"
        " spins alike and from random spins. Where both meet is the machine's own distribution; its"
        " temperature is a property of the training."
    )
    ends = [plain(float(run.arrays[name][-1]), 4) for name in ("cold", "hot")]
    words = f"Energies from both starts; at the end {ends[0]} and {ends[1]}."
    return Plate("network-flow", "Flow of the network", caption, words, figure, 380)


def _shells(run: RenormalizeRun) -> Plate | None:
    distance, values = run.arrays.get("shell_distance"), run.arrays.get("shell_coupling")
    if distance is None or values is None or len(distance) != len(values):
        return None
    errors = run.arrays.get("shell_error")
    caption = (
        "Couplings of pairs of visible spins read out of the machine, averaged over pairs of one distance;"
        " bars: their spread. The Ising model has only the first."
    )
    rows = tuple((plain(float(d), 4), plain(float(v), 5)) for d, v in zip(distance, values, strict=True))
    words = f"Couplings at {len(rows)} distances; the numbers are in the table below the figure."
    figure = figures.shells(distance, values, errors)
    return Plate("shells", "Couplings read out of the machine", caption, words, figure, 380, False,
                 ("distance", "coupling"), rows)  # fmt: skip


def _columns(run: RenormalizeRun) -> list[Plate]:
    """The tables of the study: each column against `column_<row_of>`."""
    of = str(run.attributes.get("row_of", ""))
    x = run.arrays.get(f"column_{of}")
    if x is None:
        return []
    found = []
    for name in list(run.arrays):
        label = name.removeprefix("column_")
        y = run.arrays[name]
        if label in (name, of) or len(y) != len(x) or len(found) == MOST_COLUMNS:
            continue
        title = str(run.attributes.get(f"title_{label}") or label.replace("_", " "))
        caption = _caption(run, label, f"{title} against {of}.")
        x_title = str(run.attributes.get(f"title_{of}") or of)
        error, fit = (run.arrays.get(f"{part}_{label}") for part in ("error", "fit"))
        log = run.attributes.get(f"log_{label}", 0)
        mark = run.attributes.get(f"mark_{label}")
        figure = figures.columns(
            x, y, (x_title, title), error=error, fit=fit, log=log if isinstance(log, int) else 0,
            fitted=str(run.attributes.get(f"fitted_{label}") or "fitted line"),
            mark=float(mark) if isinstance(mark, int | float) else None,
        )  # fmt: skip
        errors = [None] * len(y) if error is None else error.tolist()
        rows = tuple(
            (plain(float(a), 8), with_error(float(b), e)) for a, b, e in zip(x, y, errors, strict=True)
        )
        words = f"{title} at {len(rows)} points; the numbers are in the table below the figure."
        number = f"column-{len(found)}"
        found.append(Plate(number, title, caption, words, figure, 380, False, (x_title, title), rows))
    return found


def _running(run: RenormalizeRun) -> Plate | None:
    exact = {name: run.value("exponents", name)["exact"] for name in ("y_T", "y_H")}
    exact["energy"] = run.value("observables", "energy")["exact"]
    figure = figures.running(run.metrics, exact)
    if figure is None:
        return None
    every = stride(run.steps)
    caption = (
        "How the numbers came about, batch by batch: the exponents of the last step from all samples so far,"
        " and the energy of each batch; bars: one standard error."
    )
    caption += "" if every == 1 else f" One line in {every} of the {run.steps} is drawn."
    caption = _caption(run, "running", caption)
    last = ", ".join(f"{name} {plain(run.last(name), 5)}" for name in ("y_T", "y_H", "energy")
                     if run.last(name) is not None)  # fmt: skip
    panels = sum(axis.startswith("yaxis") for axis in figure.to_plotly_json()["layout"])
    return Plate("running", "On the way", caption, f"Against the batch; at the last: {last}.", figure,
                 110 + 140 * panels, wide=True)  # fmt: skip


def _caption(run: RenormalizeRun, name: str, otherwise: str) -> str:
    """The caption that the study gives a figure, else the usual one."""
    return str(run.attributes.get(f"caption_{name}") or otherwise)
