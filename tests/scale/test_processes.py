"""A run in two local processes that JAX's runtime joins: its numbers, its end when a worker is killed, and
how it goes on."""

import signal
import socket
import time

import numpy as np
import pytest

from experiments.runs import assert_same
from intertwine._checks import InputError
from intertwine.cli import main
from intertwine.runs import checkpoints
from intertwine.runs.shared import workers

from . import runs


@pytest.fixture(scope="module")
def reference(tmp_path_factory):
    """The uninterrupted run of two processes."""
    folder = tmp_path_factory.mktemp("reference") / "run"
    runs.complete(folder, "--processes", 2, steps=40)
    return folder


def begin(folder, *arguments):
    return runs.begin(
        "ground-state", *runs.FLAGS, "--steps", 40, "--processes", 2, "--out", folder, *arguments
    )


def gone(ids):
    until = time.monotonic() + 10
    while any(runs.alive(pid) for pid in ids) and time.monotonic() < until:
        time.sleep(0.05)
    return not any(runs.alive(pid) for pid in ids)


@pytest.mark.slow
@pytest.mark.parametrize("worker", [0, 1])
def test_a_killed_worker_ends_the_run_cleanly_and_two_processes_resume_it(worker, reference, tmp_path):
    folder = tmp_path / "run"
    process = begin(folder)
    ids = runs.kill_worker(process, folder, worker, 12)
    killed = time.monotonic()
    code, _, err = runs.finish(process)
    assert code == 3 and time.monotonic() - killed < 60
    told = err.splitlines()
    assert len(told) == 1 and f"process {worker} (killed by SIGKILL)" in told[0], err
    saved = checkpoints.steps(folder / "checkpoints")[-1]
    assert f"step {saved} is saved" in told[0] and f"intertwine resume {folder}" in told[0]
    assert gone(ids)

    code, out, err = runs.finish(runs.begin("resume", folder, "--processes", 2))
    assert code == 0 and err == "" and f"resumed from step {saved}" in out
    assert_same(folder, reference)


@pytest.mark.slow
def test_one_process_resumes_the_run_of_two(reference, tmp_path):
    folder = tmp_path / "run"
    process = begin(folder)
    runs.kill_worker(process, folder, 1, 12)
    assert runs.finish(process)[0] == 3
    code, out, err = runs.finish(runs.begin("resume", folder))
    assert code == 0 and err == "" and "resumed from step" in out
    (mean, error), (mean_0, error_0) = runs.energy(folder), runs.energy(reference)
    # the last steps have other random numbers: the parameters, not only the estimate, differ by noise
    assert abs(mean - mean_0) < 4 * np.hypot(error, error_0)


@pytest.mark.slow
def test_a_signal_to_the_command_stops_all_workers_after_a_step(reference, tmp_path):
    folder = tmp_path / "run"
    process = begin(folder)
    runs.wait_for(lambda: runs.lines(folder) >= 8, process)
    ids = runs.children(process.pid)
    process.send_signal(signal.SIGTERM)
    code, _, err = runs.finish(process)
    assert code == 130 and len(err.splitlines()) == 1 and f"intertwine resume {folder}" in err
    assert checkpoints.steps(folder / "checkpoints")[-1] == runs.lines(folder) and gone(ids)
    assert runs.finish(runs.begin("resume", folder, "--processes", 2))[0] == 0
    assert_same(folder, reference)


@pytest.mark.slow
def test_a_worker_that_stands_still_is_given_up(tmp_path):
    folder = tmp_path / "run"
    process = begin(folder)
    ids = runs.kill_worker(process, folder, 1, 6, signal.SIGSTOP)
    code, _, err = runs.finish(process)
    assert code == 3 and len(err.splitlines()) == 1, err
    assert "process 1 (it did not answer)" in err and f"intertwine resume {folder}" in err and gone(ids)


@pytest.mark.slow
def test_no_worker_outlives_the_command(tmp_path):
    folder = tmp_path / "run"
    process = begin(folder)
    runs.wait_for(lambda: runs.lines(folder) >= 3, process)
    ids = runs.children(process.pid)
    process.kill()
    process.wait(timeout=30)
    assert len(ids) == 2 and gone(ids)
    process.communicate(timeout=30)


@pytest.mark.slow
def test_processes_started_apart_meet(reference, tmp_path):
    folder = tmp_path / "run"
    port = workers._free_port()
    flags = ("--coordinator", f"localhost:{port}")
    second = begin(folder, "--process-id", 1, *flags)
    first = begin(folder, "--process-id", 0, *flags)
    code, out, err = runs.finish(first)
    assert code == 0 and err == "" and "relative error" in out
    assert runs.finish(second) == (0, "", "")
    assert_same(folder, reference)


@pytest.mark.parametrize(
    "given, named",
    [
        (("0", None, None), "processes"),
        (("two", None, None), "processes"),
        (("99999", None, None), "processes"),
        ((None, "1", None), "processes"),
        ((None, None, "localhost:1"), "processes"),
        (("2", "2", "localhost:4000"), "process-id"),
        (("2", "-1", "localhost:4000"), "process-id"),
        (("2", None, "localhost:4000"), "process-id"),
        (("2", "1", None), "coordinator"),
        (("2", "1", "localhost"), "coordinator"),
        (("2", "1", "localhost:0"), "coordinator"),
        (("2", "1", "localhost:99999"), "coordinator"),
    ],
)
def test_flags_that_do_not_fit_are_refused_in_one_line(given, named, tmp_path, capsys):
    with pytest.raises(InputError) as caught:
        workers.asked(*given)
    assert str(caught.value).startswith(f"{named}:") and "\n" not in str(caught.value)
    flags = [
        word
        for flag, value in zip(("--processes", "--process-id", "--coordinator"), given, strict=True)
        if value is not None
        for word in (flag, value)
    ]
    assert main(["ground-state", "--out", str(tmp_path / "run"), *flags]) == 2
    assert len(capsys.readouterr().err.splitlines()) == 1 and not (tmp_path / "run").exists()


def test_one_process_needs_no_worker():
    assert workers.asked("1", None, None) is None


def test_a_coordinator_that_cannot_be_is_refused_at_once(tmp_path, capsys):
    """A port that another program has, a host that nobody knows: one line, nothing started or written."""
    with socket.create_server(("localhost", 0)) as taken:
        port = taken.getsockname()[1]
        cases = {f"localhost:{port}": "in use", "no-such-host.invalid:4000": "host that is known"}
        for address, told in cases.items():
            flags = ("--processes", "2", "--process-id", "0", "--coordinator", address)
            begun = time.monotonic()
            assert main(["ground-state", "--out", str(tmp_path / "run"), *flags]) == 2
            error = capsys.readouterr().err
            assert len(error.splitlines()) == 1 and told in error and address in error
            assert time.monotonic() - begun < 30 and not (tmp_path / "run").exists()


@pytest.mark.slow
def test_processes_with_different_settings_all_say_so(tmp_path):
    flags = ("--coordinator", f"localhost:{workers._free_port()}")
    second = begin(tmp_path / "run", "--process-id", 1, *flags, "--seed", 1)
    first = begin(tmp_path / "run", "--process-id", 0, *flags)
    for process in (first, second):
        code, out, err = runs.finish(process)
        assert code == 2 and out == "" and len(err.splitlines()) == 1, err
        assert "same command, settings and versions" in err
    assert not (tmp_path / "run").exists()
