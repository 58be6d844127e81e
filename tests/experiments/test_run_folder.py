"""The run folder: whole files only, one writer, nothing destroyed before its successor is there."""

import json
import math
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from intertwine._checks import InputError
from intertwine.records.schema import NUMBERS, WORD, Entry, Schema
from intertwine.runs import exchange
from intertwine.runs.run_folder import (
    RunFolder,
    check_can_create,
    check_is_run,
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
        "import sys, time; from intertwine.runs.run_folder import RunFolder\n"
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
    assert names(path) == [".intertwine", ".lock", "config.toml"] and names(tmp_path) == ["run"]
    assert (path / "config.toml").read_text() == "seed = 1\n"


def test_an_overwrite_that_fails_leaves_the_old_run(tmp_path, monkeypatch):
    path = tmp_path / "run"
    RunFolder.create(path, "seed = 0\n").close()
    replace = os.replace

    def fails(source, target):
        if str(target) == str(path):
            raise OSError("the disk is gone") if ".new" in str(source) else AssertionError(source)
        return replace(source, target)

    monkeypatch.setattr(exchange, "_exchange", lambda one, other: False)
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


KILLS = Path(__file__).with_name("folder_kills.py")


@pytest.mark.parametrize(
    "task",
    [
        ["claims"], ["kills", "13"], ["fallback", "23"],
        pytest.param(["kills", "1"], marks=pytest.mark.slow),
        pytest.param(["fallback", "1"], marks=pytest.mark.slow),
    ],
    ids=" ".join,
)  # fmt: skip
def test_simultaneous_claims_and_kills_inside_an_overwrite(task, tmp_path):
    """Of many claims of one folder exactly one succeeds; a kill leaves the old run or the new one."""
    program = [sys.executable, str(KILLS), task[0], str(tmp_path), *task[1:]]
    done = subprocess.run(program, capture_output=True, text=True, timeout=600)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_a_claim_that_comes_to_nothing_leaves_nothing(tmp_path):
    for path in (tmp_path / "a" / "b" / "run", tmp_path / "empty"):
        (tmp_path / "empty").mkdir(exist_ok=True)
        with RunFolder.claim(path, "seed = 0\n") as folder:
            assert (folder.path / "config.toml").read_text() == "seed = 0\n"
            with pytest.raises(InputError, match=f"being written by process {os.getpid()}"):
                RunFolder.claim(path, "seed = 1\n")
        assert names(tmp_path) == ["empty"] and names(tmp_path / "empty") == []
    RunFolder.create(tmp_path / "run", "seed = 0\n").close()
    with RunFolder.claim(tmp_path / "run", "seed = 1\n", overwrite=True):
        assert (tmp_path / "run" / "config.toml").read_text() == "seed = 0\n"
    assert names(tmp_path) == ["empty", "run"]
    assert (tmp_path / "run" / "config.toml").read_text() == "seed = 0\n"


HEAD = "# intertwine 0.1: the complete configuration of this run, defaults written out\n"
FOREIGN = {
    "a project": {"config.toml": "[package]\n", "data.json": "1"},
    "a project of the same name": {"config.toml": "[tool.intertwine]\n"},
    "results without settings": {"result.json": "{}", "report.html": ""},
    "a mark of another program": {"config.toml": "", ".intertwine": "{}"},
    "a mark that is a word": {"config.toml": "", ".intertwine": "intertwine"},
    "temporary files of the user": {"config.toml": HEAD, "notes.tmp": "kept", ".data.csv.12.tmp": "kept"},
    "something among the checkpoints": {"config.toml": HEAD, "checkpoints/best.npz": "kept"},
    "a copy of a checkpoint": {"config.toml": HEAD, "checkpoints/step-00000007-best/state/d": "kept"},
    "something in a checkpoint": {"config.toml": HEAD, "checkpoints/step-00000007/why.txt": "kept"},
    "something in a state": {"config.toml": HEAD, "checkpoints/step-00000007/state/why.txt": "kept"},
    "a folder where a file belongs": {"config.toml": HEAD, "metrics.jsonl/notes": "kept"},
    "a folder of the user": {"config.toml": HEAD, "figures/energy.png": "kept"},
}


@pytest.mark.parametrize("case", FOREIGN)
def test_overwrite_leaves_alone_what_is_not_a_runs(case, tmp_path):
    for name, content in FOREIGN[case].items():
        (tmp_path / "p" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "p" / name).write_text(content)
    before = {p: p.read_text() for p in (tmp_path / "p").rglob("*") if p.is_file()}
    with pytest.raises(InputError, match="other things than a run"):
        RunFolder.create(tmp_path / "p", "", overwrite=True)
    assert {p: p.read_text() for p in (tmp_path / "p").rglob("*") if p.is_file()} == before
    assert names(tmp_path) == ["p"]


@pytest.mark.parametrize("name", ["metrics.jsonl", "checkpoints", "config.toml", "checkpoints/step-00000001"])
def test_overwrite_follows_no_links(name, tmp_path):
    (tmp_path / "precious").mkdir()
    (tmp_path / "precious" / "step-00000003").mkdir()
    RunFolder.create(tmp_path / "run", "").close()
    link = tmp_path / "run" / name
    link.parent.mkdir(exist_ok=True)
    link.unlink(missing_ok=True)
    link.symlink_to(tmp_path / "precious")
    with pytest.raises(InputError, match="other things than a run"):
        RunFolder.create(tmp_path / "run", "", overwrite=True)
    assert names(tmp_path / "precious") == ["step-00000003"] and link.is_symlink()


def test_a_folder_of_an_older_version_is_known_by_its_configuration_and_gets_the_mark(tmp_path):
    for name in (
        "config.toml",
        "metrics.jsonl",
        "result.json",
        "network.bin",
        ".lock",
        ".result.nc.99999999.tmp",
    ):
        (tmp_path / "run").mkdir(exist_ok=True)
        (tmp_path / "run" / name).write_text(HEAD if name == "config.toml" else "")
    RunFolder.open(tmp_path / "run").close()
    assert ".intertwine" in names(tmp_path / "run") and ".result.nc.99999999.tmp" not in names(
        tmp_path / "run"
    )
    RunFolder.create(tmp_path / "run", "new", overwrite=True).close()
    assert names(tmp_path / "run") == [".intertwine", ".lock", "config.toml"]


def test_a_folder_of_a_later_version_is_refused_in_one_line(tmp_path):
    RunFolder.create(tmp_path / "run", "").close()
    path = tmp_path / "run" / ".intertwine"
    path.write_text(path.read_text().replace('"format": 2', '"format": 3'))
    with pytest.raises(InputError, match="format 2, got one of format 3; use the version"):
        RunFolder.open(tmp_path / "run")


def test_what_killed_writers_left_aside_is_swept(tmp_path):
    path = tmp_path / "run"
    RunFolder.create(path, "").close()
    dead = 99_999_999
    for name in (f".metrics.jsonl.{dead}.tmp", f".result.json.{dead}.0123abcd.tmp", ".data.json.1.tmp"):
        (path / name).write_text("")
    (path / "checkpoints" / f".step-00000005.{dead}.tmp" / "state").mkdir(parents=True)
    (tmp_path / f".run.{dead}.new").mkdir()
    (tmp_path / f".run.{dead}.01234567.old").mkdir()
    (tmp_path / f".other.{dead}.old").mkdir()
    RunFolder.open(path).close()
    assert names(path) == [".data.json.1.tmp", ".intertwine", ".lock", "checkpoints", "config.toml"]
    assert names(path / "checkpoints") == [] and names(tmp_path) == [f".other.{dead}.old", "run"]
    shutil.move(path, tmp_path / f".run.{dead}.old")  # as the overwrite of an older version was killed
    assert read_metrics(check_is_run(path)) == [] and names(tmp_path) == [f".other.{dead}.old", "run"]


GONE = {
    "removed": lambda path: shutil.rmtree(path),
    "renamed": lambda path: path.rename(path.with_name("elsewhere")),
    "replaced": lambda path: (path.rename(path.with_name("elsewhere")), path.mkdir()),
    "without its metrics": lambda path: (path / "metrics.jsonl").unlink(),
}


@pytest.mark.parametrize("case", GONE)
def test_a_folder_that_is_gone_is_noticed_at_the_next_line(case, tmp_path):
    with RunFolder.create(tmp_path / "run", "") as folder:
        folder.append_metrics({"step": 0})
        GONE[case](folder.path)
        before = sorted(tmp_path.rglob("*"))
        with pytest.raises(InputError, match="removed, renamed or replaced while the run went on"):
            folder.append_metrics({"step": 1})
        assert sorted(tmp_path.rglob("*")) == before


def test_names_of_every_length_and_places_that_are_none(tmp_path):
    for name in ("x" * 250, "é" * 125, "x" * 255):
        RunFolder.create(tmp_path / name, "").close()
        RunFolder.create(tmp_path / name, "", overwrite=True).close()
        assert names(tmp_path) == [name]
        shutil.rmtree(tmp_path / name)
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    (tmp_path / "one").symlink_to(tmp_path / "other")
    (tmp_path / "other").symlink_to(tmp_path / "one")
    deep = tmp_path / "/".join(["d" * 200] * 20)
    for path in (tmp_path / "loop", tmp_path / "one" / "run", Path("/proc/x"), tmp_path / "\udcff", deep):
        for task in (RunFolder.claim, RunFolder.open):
            with pytest.raises(InputError) as error:
                task(path, "") if task == RunFolder.claim else task(path)
            assert "\n" not in str(error.value) and len(str(error.value)) < 400
    (tmp_path / "dangling").symlink_to(tmp_path / "target")
    RunFolder.create(tmp_path / "dangling", "").close()
    assert (tmp_path / "target" / "config.toml").exists()


WORDS_OF_METRICS = {
    "a word for seconds": '{"step": 2, "seconds": "long"}',
    "a list for an energy": '{"step": 2, "energy": [1, 2]}',
    "a table for an energy": '{"step": 2, "energy": {"mean": 1}}',
    "deep lists": '{"step": 2, "singular_values": ' + "[" * 5000 + "]" * 5000 + "}",
    "nested lists": '{"step": 2, "singular_values": [[1]]}',
    "an integer of 400 digits": '{"step": 2, "energy": 1' + "0" * 400 + "}",
    "an integer of 5000 digits": '{"step": 2, "energy": 1' + "0" * 5000 + "}",
    "a number beyond all doubles": '{"step": 2, "energy": 1e999}',
    "NaN": '{"step": 2, "energy": NaN}',
    "a step that is a word": '{"step": "2"}',
}


@pytest.mark.parametrize("case", WORDS_OF_METRICS)
def test_metrics_stop_at_a_line_that_no_run_writes(case, tmp_path):
    good = '{"step": 0, "energy": null, "stage": "layer 1", "singular_values": [1.0, 2]}\n{"step": 1}\n'
    (tmp_path / "metrics.jsonl").write_text(good + WORDS_OF_METRICS[case] + '\n{"step": 3}\n')
    columns = Entry("stage", "", form=WORD), Entry("singular_values", "", form=NUMBERS)
    assert [line["step"] for line in read_metrics(tmp_path, Schema(1, columns, ()))] == [0, 1]
