"""A small run with devices and processes of its own: real subprocesses, each with a time limit."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

FLAGS = [
    *("--lattice", "chain:10", "--model", "rbm:1", "--samples", "256", "--chains", "64"),
    *("--final-samples", "2048", "--checkpoint-every", "5"),
]
PATIENCE = 240


def environment(devices=1):
    """Of a process with `devices` virtual CPU devices."""
    flags = f"--xla_force_host_platform_device_count={devices}"
    return dict(os.environ, XLA_FLAGS=flags, JAX_PLATFORMS="cpu")


def begin(*arguments, devices=1):
    """The command in a process of its own."""
    return subprocess.Popen(
        [sys.executable, "-m", "intertwine.cli", *map(str, arguments)],
        env=environment(devices),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def finish(process):
    """(exit code, standard output, standard error); a process that hangs is killed and fails the test."""
    try:
        out, err = process.communicate(timeout=PATIENCE)
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()
        raise
    return process.returncode, out, err


def complete(folder, *arguments, steps=30, devices=1):
    """The whole run; the mean and error of its energy."""
    process = begin("ground-state", *FLAGS, "--steps", steps, "--out", folder, *arguments, devices=devices)
    code, _, err = finish(process)
    assert code == 0 and err == "", err
    return energy(folder)


def energy(folder):
    found = json.loads((Path(folder) / "result.json").read_text())["energy"]
    return found["mean"], found["error"]


def lines(folder):
    path = Path(folder) / "metrics.jsonl"
    return path.read_bytes().count(b"\n") if path.exists() else 0


def children(pid):
    """The processes that `pid` has started, in the order in which it did (Linux)."""
    return [int(word) for word in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def wait_for(condition, process):
    until = time.monotonic() + PATIENCE
    while not condition():
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < until, "the run does not get on"
        time.sleep(0.005)


def kill_worker(process, folder, worker, step, number=signal.SIGKILL):
    """Send a signal to a worker of the run once `step` steps are written: its id, and all workers."""
    wait_for(lambda: lines(folder) >= step, process)
    ids = children(process.pid)
    os.kill(ids[worker], number)
    return ids


def alive(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False
