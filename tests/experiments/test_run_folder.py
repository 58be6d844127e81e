"""The run folder: whole files only, one writer, nothing destroyed before its successor is there."""

import json
import math
import os
import subprocess
import sys

import pytest

from intertwine._checks import InputError
from intertwine.experiments.run_folder import (
    RunFolder,
    check_can_create,
    read_metrics,
    to_json,
    write_aside,
    write_aside_with,
)


def names(folder):
    return sorted(p.name for p in folder.iterdir())


def test_a_write_that_fails_leaves_the_old_file(tmp_path):
    path = tmp_path / "result.nc"
    write_aside(path, b"old")

    def fails(aside):
        aside.write_bytes(b"half of the n")
        raise OSError("no space left")

    with pytest.raises(OSError):
        write_aside_with(path, fails)
    assert path.read_bytes() == b"old" and names(tmp_path) == ["result.nc"]


def test_numbers_survive_json_exactly_and_the_others_are_null():
    values = [0.1, 1e-300, -35.61754611950579, 2**0.5]
    assert json.loads(to_json(values)) == values
    assert to_json({"a": [math.nan, math.inf], "b": (1, -math.inf)}) == '{"a": [null, null], "b": [1, null]}'


def test_metrics_stop_at_the_first_line_that_is_cut_or_out_of_order(tmp_path):
    with RunFolder.create(tmp_path / "run", "seed = 0\n") as folder:
        for step in range(5):
            folder.append_metrics({"step": step, "energy": -0.1 * step})
    path = tmp_path / "run" / "metrics.jsonl"
    content = path.read_bytes()
    assert [line["step"] for line in read_metrics(path.parent)] == [0, 1, 2, 3, 4]
    damages = [
        (content[:-1], 4),
        (content[:-9], 4),
        (content.replace(b'"step": 2', b'"step": 7'), 2),
        (b"\xff\n" + content, 0),
        (content.replace(b"\n", b"", 1), 0),
        (b"[]\n", 0),
        (b"", 0),
    ]
    for damage, left in damages:
        path.write_bytes(damage)
        assert len(read_metrics(path.parent)) == left


def test_metrics_are_cut_back(tmp_path):
    with RunFolder.create(tmp_path / "run", "") as folder:
        for step in range(5):
            folder.append_metrics({"step": step})
        folder.cut_metrics(3)
        folder.append_metrics({"step": 3, "again": True})
        assert [line["step"] for line in folder.read_metrics()] == [0, 1, 2, 3]


def test_a_lock_held_by_another_process_and_gone_with_it(tmp_path):
    RunFolder.create(tmp_path / "run", "seed = 0\n").close()
    program = (
        "import sys, time; from intertwine.experiments.run_folder import RunFolder\n"
        f"folder = RunFolder.open({str(tmp_path / 'run')!r}); print('held', flush=True); time.sleep(60)"
    )
    holder = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True)
    assert holder.stdout is not None and holder.stdout.readline() == "held\n"
    try:
        with pytest.raises(InputError, match=f"being written by process {holder.pid}"):
            RunFolder.open(tmp_path / "run")
        with pytest.raises(InputError, match="being written"):
            RunFolder.create(tmp_path / "run", "seed = 1\n", overwrite=True)
    finally:
        holder.kill()
        holder.communicate()
    assert (tmp_path / "run" / "config.toml").read_text() == "seed = 0\n"
    RunFolder.open(tmp_path / "run").close()


def test_overwrite_replaces_the_whole_folder(tmp_path):
    path = tmp_path / "run"
    with RunFolder.create(path, "seed = 0\n") as folder:
        folder.append_metrics({"step": 0})
        write_aside(folder.result, "{}")
    with pytest.raises(InputError, match="--overwrite"):
        RunFolder.create(path, "seed = 1\n")
    with RunFolder.create(path, "seed = 1\n", overwrite=True) as folder:
        with pytest.raises(InputError, match="being written"):
            RunFolder.open(path)
        assert folder.path == path
    assert names(path) == [".lock", "config.toml"] and names(tmp_path) == ["run"]
    assert (path / "config.toml").read_text() == "seed = 1\n"


def test_an_overwrite_that_fails_leaves_the_old_run(tmp_path, monkeypatch):
    path = tmp_path / "run"
    RunFolder.create(path, "seed = 0\n").close()
    replace = os.replace

    def fails(source, target):
        if str(target) == str(path):
            raise OSError("the disk is gone") if ".new" in str(source) else AssertionError(source)
        return replace(source, target)

    monkeypatch.setattr(os, "replace", lambda s, t: replace(s, t) if ".old" in str(s) else fails(s, t))
    with pytest.raises(OSError, match="the disk is gone"):
        RunFolder.create(path, "seed = 1\n", overwrite=True)
    monkeypatch.undo()
    assert (path / "config.toml").read_text() == "seed = 0\n" and names(tmp_path) == ["run"]
    RunFolder.open(path).close()


def test_empty_and_new_folders_are_taken_and_links_followed(tmp_path):
    (tmp_path / "empty").mkdir()
    RunFolder.create(tmp_path / "empty", "").close()
    RunFolder.create(tmp_path / "a" / "b" / "c", "").close()
    (tmp_path / "target").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "target")
    RunFolder.create(tmp_path / "link", "").close()
    assert (tmp_path / "link").is_symlink() and (tmp_path / "target" / "config.toml").exists()


def test_checking_touches_nothing(tmp_path):
    check_can_create(tmp_path / "a" / "b", overwrite=False)
    assert names(tmp_path) == []
