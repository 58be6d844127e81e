"""The picture of a run for the README: the same run gives the same, small file."""

from __future__ import annotations

import runpy
from pathlib import Path

import pytest

from intertwine.report.ground_state.read import read_run

from .make_run import make_run

pytest.importorskip("matplotlib")
SCRIPT = Path(__file__).parents[2] / "docs" / "make_picture.py"


@pytest.mark.parametrize(("lattice", "exact"), [("chain:20", -35.617546), ("square:6x6", None)])
def test_picture(tmp_path: Path, lattice: str, exact: float | None) -> None:
    draw = runpy.run_path(str(SCRIPT))["draw"]
    run = read_run(make_run(tmp_path / "run", lattice, exact=exact))
    for name in ("one.svg", "two.svg"):
        draw(run, tmp_path / name)
    content = (tmp_path / "one.svg").read_bytes()
    assert content == (tmp_path / "two.svg").read_bytes()
    assert content.startswith(b"<?xml")
    assert len(content) < 150_000
