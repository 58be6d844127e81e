"""A run that was killed, interrupted or damaged, and resumed, ends with the numbers it would have had."""

import random
import shutil
import signal
from pathlib import Path

import pytest

from intertwine.cli import main
from intertwine.runs import checkpoints

from .runs import assert_same, begin, command, final_numbers, lines, stop_at

STEPS = 150


@pytest.fixture(scope="module")
def reference(tmp_path_factory):
    """The uninterrupted run, in a process of its own."""
    folder = tmp_path_factory.mktemp("reference") / "run"
    process = begin(command(folder, STEPS))
    out, err = process.communicate(timeout=300)
    assert process.returncode == 0, err
    assert len(final_numbers(folder)[1]) == STEPS
    assert "relative error" in out and "report.html" in out
    return folder


def kill_and_resume(folder, kills, chance):
    """Start; kill -9 at `kills` random steps on the way; resume to the end."""
    arguments = command(folder, STEPS)
    for _ in range(kills):
        reached = lines(folder)
        target = chance.randint(max(1, reached - 10), STEPS - 20)
        code, _, err = stop_at(begin(arguments), folder, target)
        assert code == -signal.SIGKILL, err
        assert lines(folder) < STEPS
        arguments = ["resume", str(folder)]
    process = begin(arguments)
    _, err = process.communicate(timeout=300)
    assert process.returncode == 0 and "Traceback" not in err, err


@pytest.mark.slow
def test_killed_twice(reference, tmp_path):
    kill_and_resume(tmp_path / "run", 2, random.Random(1))
    assert_same(tmp_path / "run", reference)


@pytest.mark.slow
@pytest.mark.parametrize("number", range(10))
def test_killed_at_a_random_step_ten_times(number, reference, tmp_path):
    kill_and_resume(tmp_path / "run", 1, random.Random(100 + number))
    assert_same(tmp_path / "run", reference)


@pytest.mark.slow
def test_ctrl_c_leaves_a_resumable_run_and_says_how(reference, tmp_path, capsys):
    folder = tmp_path / "run"
    code, _, err = stop_at(begin(command(folder, STEPS)), folder, 10, signal.SIGINT)
    assert code == 130
    told = err.splitlines()
    assert len(told) == 1 and f"intertwine resume {folder}" in told[0]
    saved = checkpoints.steps(folder / "checkpoints")[-1]
    assert saved == lines(folder) and f"step {saved} is saved" in told[0]
    assert main(["resume", str(folder)]) == 0
    assert f"resumed from step {saved}" in capsys.readouterr().out
    assert_same(folder, reference)


@pytest.fixture(scope="module")
def killed(tmp_path_factory):
    """A run that was killed after its third checkpoint."""
    folder = tmp_path_factory.mktemp("killed") / "run"
    code, _, err = stop_at(begin(command(folder, STEPS)), folder, 30)
    assert code == -signal.SIGKILL, err
    return folder


@pytest.fixture
def half(killed, tmp_path):
    """A copy of it, to be damaged."""
    return Path(shutil.copytree(killed, tmp_path / "run"))


@pytest.mark.slow
def test_a_damaged_checkpoint_is_refused_and_the_previous_good_one_used(half, reference, capsys):
    *_, good, newest = checkpoints.steps(half / "checkpoints")
    damaged = max(
        (half / "checkpoints" / f"step-{newest:08d}").rglob("*"),
        key=lambda p: p.is_file() and p.stat().st_size,
    )
    damaged.write_bytes(damaged.read_bytes()[:-1])
    assert main(["resume", str(half)]) == 0
    told = capsys.readouterr()
    assert f"resumed from step {good} " in told.out
    assert len(told.err.splitlines()) == 1 and f"step-{newest:08d}" in told.err and "refused" in told.err
    assert_same(half, reference)


def test_without_a_good_checkpoint_the_run_starts_again(half, reference, capsys):
    for step in checkpoints.steps(half / "checkpoints"):
        (half / "checkpoints" / f"step-{step:08d}" / "manifest.json").unlink()
    assert main(["resume", str(half)]) == 0
    told = capsys.readouterr()
    assert "resumed from step 0 " in told.out and len(told.err.splitlines()) >= 1
    assert_same(half, reference)


def test_damaged_metrics_go_back_to_an_earlier_checkpoint(half, reference, capsys):
    first, *_ = checkpoints.steps(half / "checkpoints")
    path = half / "metrics.jsonl"
    content = path.read_text().splitlines(keepends=True)
    path.write_text("".join(content[: first + 1]) + "garbage\n" + "".join(content[first + 2 :]))
    assert main(["resume", str(half)]) == 0
    assert f"resumed from step {first} " in capsys.readouterr().out
    assert_same(half, reference)


def test_an_edited_configuration_is_refused(half, capsys):
    path = half / "config.toml"
    path.write_text(path.read_text().replace("seed = 0", "seed = 1"))
    assert main(["resume", str(half)]) == 2
    told = capsys.readouterr().err
    assert len(told.splitlines()) == 1 and "another configuration" in told


def test_a_complete_run_is_not_run_again(reference, capsys):
    before = (reference / "result.json").read_bytes()
    assert main(["resume", str(reference)]) == 0
    assert "complete" in capsys.readouterr().out
    assert (reference / "result.json").read_bytes() == before


def test_a_run_repeats_from_its_own_configuration(reference, tmp_path):
    assert main(["run", str(reference / "config.toml"), "--out", str(tmp_path / "again")]) == 0
    assert_same(tmp_path / "again", reference)


def test_divergence_is_told_and_the_last_good_state_kept(tmp_path, capsys):
    folder = tmp_path / "run"
    fast = "--method", "sgd", "--learning-rate", "30", "--learning-rate-end", "30"
    code = main(command(folder, 400, *fast))
    told = capsys.readouterr().err
    assert code == 1
    assert len(told.splitlines()) == 1 and "diverged at step" in told and "learning_rate" in told
    good = checkpoints.steps(folder / "checkpoints")[-1]
    assert f"that of step {good}" in told
