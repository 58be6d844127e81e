"""Pictures of a run for the README and the documentation.

    python docs/make_picture.py RUN_FOLDER --svg docs/images/ground-state.svg
    python docs/make_picture.py RUN_FOLDER --page docs/images/report.png

The SVG has three figures of the run's report side by side, drawn with matplotlib, which the `test` extra
brings; the same run gives the same file. The PNG is the top of the report in headless Chromium.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import tempfile
from pathlib import Path

import numpy as np

from intertwine.report import write_report
from intertwine.report.classify.read import ClassifyRun
from intertwine.report.ground_state.read import Run
from intertwine.report.ground_state.summary import title
from intertwine.report.learn.read import LearnRun
from intertwine.report.numbers import plain, with_error
from intertwine.report.renormalize.read import RenormalizeRun
from intertwine.report.theme import BLUE, GREY, ORANGE, PURPLE, TEAL
from intertwine.report.views import view_of

SAMPLES, FILTERS = 40, 40
"""Pictures of rows, and of hidden units, that are drawn."""

CHROMIUM = (
    "--headless=new --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking"
    " --disable-component-update --disable-sync --hide-scrollbars --virtual-time-budget=20000"
    " --proxy-server=127.0.0.1:9"
)


def main() -> None:
    parser = argparse.ArgumentParser(description="Pictures of a run.")
    parser.add_argument("folder", type=Path, help="a finished run folder")
    parser.add_argument("--svg", type=Path, help="where to write the figures")
    parser.add_argument("--page", type=Path, help="where to write a picture of the report (PNG)")
    parser.add_argument("--size", default="1280,1180", help="width,height of the page's window")
    given = parser.parse_args()
    if given.svg:
        draw(view_of(given.folder).read(given.folder), given.svg)
    if given.page:
        photograph(write_report(given.folder), given.page, given.size)


def draw(run: Run | LearnRun | RenormalizeRun | ClassifyRun, path: Path) -> None:
    """Three figures of a run side by side."""
    import matplotlib

    matplotlib.use("svg")
    import matplotlib.pyplot as plt

    style = {
        "svg.hashsalt": "intertwine",
        "font.size": 9,
        "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.edgecolor": GREY,
    }
    with plt.rc_context(style):
        figure, panels = plt.subplots(1, 3, figsize=(10, 2.9), layout="constrained", facecolor="white")
        if isinstance(run, LearnRun):
            heading = _learn(run, panels)
        elif isinstance(run, ClassifyRun):
            heading = _classify(run, panels)
        elif isinstance(run, RenormalizeRun):
            heading = _network(run, panels) if run.study == "network" else _renormalize(run, panels)
        else:
            heading = _ground_state(run, panels)
        for panel in panels:
            if panel.images and not panel.get_xlabel():  # pictures side by side, on grey
                panel.set_facecolor(GREY)
        figure.suptitle(heading, fontsize=10)
        path.parent.mkdir(parents=True, exist_ok=True)
        figure.savefig(path, metadata={"Date": None, "Creator": None})
        plt.close(figure)


def _ground_state(run: Run, panels) -> str:
    """Energy, relative error and structure factor."""
    _energy(run, panels[0])
    _distance(run, panels[1])
    _structure_factor(run, panels[2])
    energy = run.result["energy"]
    words = f"{title(run)}, {run.result.get('model')}: E = {with_error(energy['mean'], energy['error'])}"
    return words + (f", exact {plain(run.exact, 10)}" if run.exact else "")


def _learn(run: LearnRun, panels) -> str:
    """Samples beside examples, likelihood, and free energies."""
    examples, samples = (run.pictures(name) for name in ("example", "sample"))
    assert examples is not None and samples is not None and run.shape is not None
    rows = np.concatenate([examples[: SAMPLES // 2], samples[: SAMPLES // 2]])
    panels[0].imshow(_tiled(rows.reshape(-1, *run.shape), columns=8), cmap="gray")
    panels[0].axhline(_tiled(rows[: SAMPLES // 2].reshape(-1, *run.shape), 8).shape[0], color=ORANGE)
    panels[0].set(title="data above, samples below", xticks=[], yticks=[])
    epoch, likelihood = run.metrics["epoch"], run.metrics["log_likelihood"]
    known = np.isfinite(likelihood)
    lower, upper = (run.metrics[f"log_likelihood_{end}"][known] for end in ("lower", "upper"))
    panels[1].fill_between(epoch[known], lower, upper, color=BLUE, alpha=0.25, linewidth=0)
    panels[1].plot(epoch[known], likelihood[known], color=BLUE, marker="o", markersize=3, label="held out")
    if run.best is not None:
        panels[1].axhline(run.best, color=ORANGE, linestyle="--", label="best possible")
    panels[1].legend(frameon=False)
    panels[1].set(xlabel="epoch", ylabel="log-likelihood, nats")
    names = (("free_energy_train", GREY), ("free_energy_test", BLUE), ("free_energy_samples", ORANGE))
    for name, colour in names:
        label = {"train": "learnt from", "test": "held out", "samples": "samples"}[name.split("_")[-1]]
        panels[2].hist(run.arrays[name], 40, density=True, histtype="step", color=colour, label=label)
    panels[2].legend(frameon=False)
    panels[2].set(xlabel="free energy", ylabel="density")
    final = run.result["log_likelihood"]["test"]
    return f"{run.name}: log-likelihood {with_error(final['mean'], final['error'])} nats"


def _renormalize(run: RenormalizeRun, panels) -> str:
    """A configuration level by level, the flow of couplings, and exponents by step."""
    largest = len(run.pictures[0])
    levels = [np.kron(p, np.ones((largest // len(p),) * 2)) for p in run.pictures[:4]]
    panels[0].imshow(_tiled(np.stack(levels), columns=2), cmap="gray")
    panels[0].set(title="levels 0 to 3, at one size", xticks=[], yticks=[])
    main = run.attributes.get("main_start")
    for start, path in enumerate(run.arrays["flow"]):
        colour = ORANGE if start == main else BLUE
        panels[1].plot(path[:, 0], path[:, 1], color=colour, marker=".", linewidth=1.2)
        panels[1].plot(*path[0, :2], color=colour, marker="o", markersize=6)
    panels[1].set(xlabel=f"K of {run.families[0]}", ylabel=f"K of {run.families[1]}")
    steps = np.arange(1, len(run.arrays["y_T"]) + 1)
    for name, colour in (("y_T", BLUE), ("y_H", PURPLE)):
        values, errors = run.arrays[name][:, -1], run.arrays[f"{name}_error"][:, -1]
        panels[2].errorbar(steps, values, yerr=errors, color=colour, marker="o", markersize=4, label=name)
        exact = run.value("exponents", name)["exact"]
        if exact is not None:
            panels[2].axhline(exact, color=ORANGE, linestyle="--", linewidth=1)
    panels[2].legend(frameon=False)
    panels[2].set(xlabel="step", ylabel="exponent", xticks=steps)
    found = [f"{name} = {with_error(*(run.value('exponents', name)[e] for e in ('mean', 'error')))}"
             for name in ("nu", "eta")]  # fmt: skip
    return f"{run.name}: {', '.join(found)}"


def _network(run: RenormalizeRun, panels) -> str:
    """Receptive fields, couplings by distance, and the flow v → h → v from both ends."""
    shape = tuple(int(run.attributes[f"image_{name}"]) for name in ("height", "width"))
    fields = run.arrays["filter"][:FILTERS].reshape(-1, *shape)
    scale = np.abs(fields).max()
    panels[0].imshow(_tiled(fields, columns=8), cmap="RdBu", vmin=-scale, vmax=scale)
    panels[0].set(title="receptive fields", xticks=[], yticks=[])
    distance, coupling = run.arrays["shell_distance"], run.arrays["shell_coupling"]
    panels[1].errorbar(distance, coupling, yerr=run.arrays.get("shell_error"), color=BLUE, marker="o",
                       markersize=4, linestyle="none")  # fmt: skip
    panels[1].axhline(0, color=GREY, linewidth=0.8)
    panels[1].axhline(np.log(1 + np.sqrt(2)) / 2, color=ORANGE, linestyle="--", label="K_c, at distance 1")
    panels[1].legend(frameon=False)
    panels[1].set(xlabel="distance", ylabel="coupling of pairs")
    for name, colour, label in (("cold", BLUE, "from T = 0"), ("hot", ORANGE, "from T = ∞")):
        energy, error = run.arrays[name][1:], run.arrays.get(f"{name}_error")
        step = np.unique(np.geomspace(1, len(energy), 60).astype(int))
        if error is not None:
            low, high = energy[step - 1] - error[step], energy[step - 1] + error[step]
            panels[2].fill_between(step, low, high, color=colour, alpha=0.25, linewidth=0)
        panels[2].plot(step, energy[step - 1], color=colour, label=label)
    panels[2].legend(frameon=False)
    panels[2].set(xlabel="step v → h → v", ylabel="energy per site", xscale="log")
    return run.name


def _classify(run: ClassifyRun, panels) -> str:
    """Kernels and their orbits, confusion, and accuracy of turned images."""
    kernels = run.arrays["filters"]
    scale = np.abs(kernels).max()
    tiled = _tiled(kernels.reshape(-1, *kernels.shape[2:]), columns=kernels.shape[1])
    panels[0].imshow(tiled, cmap="RdBu", vmin=-scale, vmax=scale)
    panels[0].set(title="first kernels, moved by the group", xticks=[], yticks=[])
    counts = run.confusion
    assert counts is not None and run.angles is not None
    panels[1].imshow(counts / counts.sum(1, keepdims=True), cmap="viridis", vmin=0)
    panels[1].set(xlabel="taken for", ylabel="class", xticks=range(len(counts)), yticks=range(len(counts)))
    degrees, accuracy, error = (run.angles[name] for name in ("degrees", "accuracy", "error"))
    panels[2].fill_between(degrees, accuracy - error, accuracy + error, color=TEAL, alpha=0.25, linewidth=0)
    panels[2].plot(degrees, accuracy, color=TEAL)
    panels[2].set(xlabel="angle of the image", ylabel="accuracy", ylim=(0, 1), xticks=range(0, 361, 90))
    test = run.result["test"]
    percent = with_error(100 * test["accuracy"], 100 * test["error"])
    return f"{run.name}: test accuracy {percent} % of {plain(test['count'])} images"


def _tiled(pictures: np.ndarray, columns: int) -> np.ndarray:
    """Pictures (n, X, Y) in rows of `columns`, with lines that are not a number between them."""
    padded = np.pad(pictures.astype(float), ((0, 0), (0, 1), (0, 1)), constant_values=np.nan)
    padded = np.concatenate([padded, np.full((-len(padded) % columns, *padded.shape[1:]), np.nan)])
    rows = [np.concatenate(list(padded[i : i + columns]), axis=1) for i in range(0, len(padded), columns)]
    return np.concatenate(rows, axis=0)


def _energy(run: Run, axes) -> None:
    step, energy, error = (run.metrics[name] for name in ("step", "energy", "error"))
    axes.fill_between(step, energy - error, energy + error, color=BLUE, alpha=0.25, linewidth=0)
    axes.plot(step, energy, color=BLUE, linewidth=1.3, label="energy")
    if run.exact:
        axes.axhline(run.exact, color=ORANGE, linestyle="--", linewidth=1.2, label="exact")
        axes.legend(frameon=False)
    axes.set(xlabel="step", ylabel="energy")


def _distance(run: Run, axes) -> None:
    step = run.metrics["step"]
    if run.exact:
        scale = abs(run.exact)
        axes.semilogy(step, np.abs(run.metrics["energy"] - run.exact) / scale, color=PURPLE, linewidth=1.2)
        axes.semilogy(step, run.metrics["error"] / scale, color=GREY, linestyle=":", label="standard error")
        axes.legend(frameon=False)
        axes.set(xlabel="step", ylabel="relative error")
    else:
        axes.semilogy(step, run.metrics["v_score"], color=PURPLE, linewidth=1.2)
        axes.set(xlabel="step", ylabel="V-score")


def _structure_factor(run: Run, axes) -> None:
    field = run.structure_factor
    if field is None:
        axes.set_axis_off()
        return
    momenta = field.vectors / np.pi
    if momenta.shape[1] == 2:
        marks = axes.scatter(*momenta.T, c=field.values, s=70, marker="s", cmap="viridis")
        axes.figure.colorbar(marks, ax=axes, label="S(k)")
        axes.set(xlabel="$k_x/\\pi$", ylabel="$k_y/\\pi$", aspect="equal")
        return
    length = np.linalg.norm(momenta, axis=1)
    order = np.argsort(length, kind="stable")
    errors = None if field.errors is None else field.errors[order]
    axes.errorbar(
        length[order], field.values[order], yerr=errors, color=BLUE, marker="o", markersize=3, linewidth=1.2
    )
    axes.set(xlabel="$k/\\pi$", ylabel="structure factor S(k)")


def photograph(page: Path, picture: Path, size: str) -> None:
    """The top of `page` in a window of `size`, with no network."""
    browser = shutil.which("chromium") or shutil.which("google-chrome")
    if browser is None:
        raise SystemExit("Chromium is not installed; on Debian: apt-get install chromium")
    picture.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as profile:
        command = [browser, *CHROMIUM.split(), f"--user-data-dir={profile}", f"--window-size={size}"]
        command += [f"--screenshot={picture.resolve()}", page.resolve().as_uri()]
        subprocess.run(command, check=True, capture_output=True, timeout=120)


if __name__ == "__main__":
    main()
