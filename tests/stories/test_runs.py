"""A newcomer's runs: folders that are whole, files that are one's own, terminals and pipes of every kind.

Each is a process of the command, as a user calls it; none is told more than the lattice and a small size.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

import jax
import numpy as np
import pytest

import intertwine as it

PROGRAM = [sys.executable, "-c", "import sys; from intertwine.cli import main; sys.exit(main())"]
SMALL = ["--lattice", "chain:6", "--model", "rbm:1", "--samples", "128", "--final-samples", "128"]


def start(*words, cwd, **environment):
    return subprocess.Popen(
        [*PROGRAM, *words], cwd=cwd, env={**os.environ, **environment}, text=True, encoding="utf-8",
        errors="replace", stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip


def whole(folder: Path, steps: int) -> bool:
    """Whether a run folder has all its files, and a line for each step, in their order."""
    lines = [json.loads(line)["step"] for line in (folder / "metrics.jsonl").read_text().splitlines()]
    files = ("config.toml", "result.json", "result.nc", "report.html")
    return lines in (list(range(steps)), list(range(1, steps + 1))) and all(
        (folder / f).exists() for f in files
    )


@pytest.mark.slow
def test_two_runs_in_one_new_folder(tmp_path):
    """One of them has it, whole; the other is told so in one line, and takes nothing."""
    both = [
        start("ground-state", *SMALL, "--steps", "20", "--seed", str(s), "--out", "r", cwd=tmp_path)
        for s in (1, 2)
    ]
    ends = [(*p.communicate(timeout=300), p.returncode) for p in both]
    codes = sorted(code for *_, code in ends)
    assert codes == [0, 2], ends
    refused = next(err for _, err, code in ends if code == 2)
    assert refused.startswith("error: ") and refused.count("\n") == 1
    assert whole(tmp_path / "r", 20)
    kept = (tmp_path / "r" / "config.toml").read_text()
    assert ("seed = 1" in kept) == (ends[0][2] == 0)


@pytest.mark.slow
def test_a_terminal_without_the_characters(tmp_path):
    words = ["ground-state", *SMALL, "--steps", "3", "--out", "r"]
    done = start(*words, cwd=tmp_path, PYTHONIOENCODING="cp1252")
    told, err = done.communicate(timeout=300)
    assert done.returncode == 0 and "Traceback" not in err and whole(tmp_path / "r", 3)
    assert "energy" in told.lower()


@pytest.mark.slow
def test_a_pipe_that_ends(tmp_path):
    """`| head -1` does not stop the run, and nothing is said of it."""
    done = start("ground-state", *SMALL, "--steps", "3", "--out", "r", cwd=tmp_path)
    assert done.stdout is not None
    done.stdout.readline()
    done.stdout.close()
    done.stdout = None
    _, err = done.communicate(timeout=300)
    assert "Traceback" not in (err or "") and whole(tmp_path / "r", 3)


def test_what_is_not_a_runs_is_not_deleted(tmp_path):
    mine = tmp_path / "mine"
    mine.mkdir()
    (mine / "config.toml").write_text("[package]\n")
    (mine / "data.json").write_text("1\n")
    done = start("ground-state", *SMALL, "--steps", "1", "--out", "mine", "--overwrite", cwd=tmp_path)
    _, err = done.communicate(timeout=300)
    assert done.returncode == 2 and err.startswith("error: out: ") and "mine" in err and err.count("\n") == 1
    assert sorted(p.name for p in mine.iterdir()) == ["config.toml", "data.json"]


def test_a_settings_file_that_is_no_settings_file(tmp_path):
    """Twenty lines are enough to see that it is another program's."""
    (tmp_path / "k.toml").write_text("".join(f"key{i} = 1\n" for i in range(20_000)))
    done = start("run", "k.toml", cwd=tmp_path)
    _, err = done.communicate(timeout=300)
    assert done.returncode == 2 and err.count("\n") == 21 and "19,9" in err.splitlines()[-1]


def test_more_memory_than_there_is(tmp_path):
    """Every command says what it needs before it asks for it."""
    deep = ["--data", "bars-and-stripes:3", "--model", "dbn:2-300000-300000", "--layer-epochs", "1"]
    done = start("learn", *deep, "--epochs", "1", "--out", "r", cwd=tmp_path)
    _, err = done.communicate(timeout=300)
    assert done.returncode == 2 and err.count("\n") == 1 and "GiB" in err
    assert not (tmp_path / "r").exists()
    model = it.RBM(6, hidden=2, key=jax.random.key(0))
    with pytest.raises(it.InputError, match=r"^n: expected what fits in"):
        it.sample(model, 10**13, key=jax.random.key(0))


def test_values_that_are_no_numbers_are_told():
    rows = np.random.default_rng(0).normal(size=(4, 50))
    rows[1, 3] = np.nan
    found = it.estimate(rows)
    assert np.isnan(found.mean) and [line.split(":")[0] for line in found.warnings] == ["untrusted"]
    assert "nan or infinite" in str(found)
    with pytest.raises(it.InputError, match=r"^values: expected values without a mask"):
        it.estimate(np.ma.masked_array(rows, mask=np.isnan(rows)))
