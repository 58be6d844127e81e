"""Pictures of a run for the README and the documentation.

    python docs/make_picture.py RUN_FOLDER --svg docs/images/ground-state.svg
    python docs/make_picture.py RUN_FOLDER --page docs/images/report.png

The SVG (energy, relative error, structure factor) is drawn with matplotlib, which the `test` extra brings;
the same run gives the same file. The PNG is the top of the run's report in headless Chromium.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import tempfile
from pathlib import Path

import numpy as np

from intertwine.report import write_report
from intertwine.report.ground_state.read import Run, read_run
from intertwine.report.ground_state.summary import title
from intertwine.report.numbers import plain, with_error
from intertwine.report.theme import BLUE, GREY, ORANGE, PURPLE

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
        draw(read_run(given.folder), given.svg)
    if given.page:
        photograph(write_report(given.folder), given.page, given.size)


def draw(run: Run, path: Path) -> None:
    """Energy, relative error and structure factor side by side."""
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
        _energy(run, panels[0])
        _distance(run, panels[1])
        _structure_factor(run, panels[2])
        energy = run.result["energy"]
        words = f"{title(run)}, {run.result.get('model')}: E = {with_error(energy['mean'], energy['error'])}"
        figure.suptitle(words + (f", exact {plain(run.exact, 10)}" if run.exact else ""), fontsize=10)
        path.parent.mkdir(parents=True, exist_ok=True)
        figure.savefig(path, metadata={"Date": None, "Creator": None})


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
