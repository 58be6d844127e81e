"""A small run, in this process or another, and what of its folder must be the same after an interruption."""

import json
import os
import signal
import subprocess
import sys
import time

import numpy as np
import xarray

SMALL = [
    "--lattice",
    "chain:6",
    "--model",
    "rbm:1",
    "--samples",
    "64",
    "--chains",
    "16",
    "--final-samples",
    "128",
]


def command(folder, steps, *flags):
    return [
        "ground-state",
        *SMALL,
        "--steps",
        str(steps),
        "--checkpoint-every",
        "7",
        "--out",
        str(folder),
        *flags,
    ]


def begin(arguments):
    """The command in a process of its own."""
    program = "import sys; from intertwine.cli import main; sys.exit(main())"
    return subprocess.Popen(
        [sys.executable, "-c", program, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def lines(folder):
    path = folder / "metrics.jsonl"
    return path.read_bytes().count(b"\n") if path.exists() else 0


def stop_at(process, folder, step, number=signal.SIGKILL, patience=120):
    """Send a signal once `step` steps are written; the exit code and what was printed."""
    until = time.monotonic() + patience
    while lines(folder) < step and process.poll() is None:
        assert time.monotonic() < until, "the run does not get on"
        time.sleep(0.002)
    os.kill(process.pid, number)
    out, err = process.communicate(timeout=patience)
    return process.returncode, out, err


def without_seconds(record):
    return {key: value for key, value in record.items() if key != "seconds"}


def final_numbers(folder):
    """Everything that the run computed: result.json, metrics.jsonl and result.nc, without the seconds."""
    result = without_seconds(json.loads((folder / "result.json").read_text()))
    metrics = [
        without_seconds(json.loads(line)) for line in (folder / "metrics.jsonl").read_text().splitlines()
    ]
    with xarray.open_dataset(folder / "result.nc", engine="h5netcdf") as data:
        fields = {str(name): np.asarray(data[name]) for name in data.variables if name != "seconds"}
    return result, metrics, fields


def assert_same(folder, reference):
    """Identical, to the last bit."""
    (result, metrics, fields), (result_0, metrics_0, fields_0) = (
        final_numbers(folder),
        final_numbers(reference),
    )
    assert result == result_0
    assert metrics == metrics_0
    assert fields.keys() == fields_0.keys() and fields
    for name, values in fields.items():
        np.testing.assert_array_equal(values, fields_0[name], err_msg=name)
