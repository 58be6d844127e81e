"""The pictures of runs for the README and the gallery: the same run gives the same, small file."""

from __future__ import annotations

import runpy
from pathlib import Path

import pytest

from .make_classify_run import make_classify_run
from .make_learn_run import make_learn_run
from .make_renormalize_run import make_renormalize_run
from .make_run import make_run

pytest.importorskip("matplotlib")
SCRIPT = Path(__file__).parents[2] / "docs" / "make_picture.py"
RUNS = {
    "chain": lambda folder: make_run(folder, "chain:20", exact=-35.617546),
    "square": lambda folder: make_run(folder, "square:6x6", exact=None),
    "learn": make_learn_run,
    "renormalize": make_renormalize_run,
    "network": lambda folder: make_renormalize_run(folder, "network"),
    "classify": make_classify_run,
}


@pytest.mark.parametrize("name", RUNS)
def test_picture(tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    script = runpy.run_path(str(SCRIPT))
    folder = RUNS[name](tmp_path / "run")
    for picture in ("one.svg", "two.svg"):
        monkeypatch.setattr("sys.argv", ["make_picture.py", str(folder), "--svg", str(tmp_path / picture)])
        script["main"]()
    content = (tmp_path / "one.svg").read_bytes()
    assert content == (tmp_path / "two.svg").read_bytes()
    assert content.startswith(b"<?xml")
    assert len(content) < 150_000
