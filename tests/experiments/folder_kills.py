"""Run by `test_run_folder` in a process of its own, without JAX, so that it may fork.

    python folder_kills.py claims FOLDER         many processes claim one new folder at the same time
    python folder_kills.py kills FOLDER N        processes that overwrite a run are killed at every N-th line
    python folder_kills.py fallback FOLDER N     the same where the system cannot exchange two folders

Prints one line for each fault; nothing where all is well.
"""

import os
import sys
from pathlib import Path

from intertwine._checks import InputError
from intertwine.runs import exchange
from intertwine.runs.run_folder import RunFolder, check_is_run, write_aside

os.fsync = lambda descriptor: None  # a kill of the process loses nothing that was written


def child(work):
    """Fork; the child does `work` and ends with its exit code."""
    number = os.fork()
    if number:
        return number
    code = 9
    try:
        code = work()
    finally:
        os._exit(code)


def codes(children):
    return [os.waitstatus_to_exitcode(os.waitpid(number, 0)[1]) for number in children]


def claims(place, rounds=30, rivals=7):
    for k in range(rounds):
        path = place / f"run-{k}"
        if k % 3 == 1:
            path.mkdir()
        overwrite = k % 3 == 2
        if overwrite:
            RunFolder.create(path, "old").close()
        (gate, opened), (end, ended) = os.pipe(), os.pipe()

        def claim(path=path, overwrite=overwrite, gate=gate, end=end, writing=(opened, ended)):
            for descriptor in writing:
                os.close(descriptor)
            os.read(gate, 1)
            try:
                folder = RunFolder.create(path, f"process = {os.getpid()}", overwrite=overwrite)
            except InputError as error:
                return 2 if "\n" not in str(error) else 3
            os.read(end, 1)
            return 0 if (folder.path / "config.toml").read_text() == f"process = {os.getpid()}" else 4

        for _ in range(rivals):
            child(claim)
        os.close(opened)  # all go
        found = [os.waitstatus_to_exitcode(os.wait()[1]) for _ in range(rivals - 1)]
        os.close(ended)  # the winner holds the folder until all others have tried
        found.append(os.waitstatus_to_exitcode(os.wait()[1]))
        os.close(gate)
        os.close(end)
        if sorted(found) != [0] + [2] * (rivals - 1):
            print(f"round {k}: exit codes {found}")


def killed_at(line, path):
    """Overwrite the run at `path` in a process that is killed at the given line of the code; its exit."""

    def work():
        seen = 0

        def trace(frame, event, argument):
            nonlocal seen
            if "intertwine" not in frame.f_code.co_filename and "shutil" not in frame.f_code.co_filename:
                return None
            seen += 1
            if seen >= line:
                os.kill(os.getpid(), 9)
            return trace

        sys.settrace(trace)
        RunFolder.create(path, "new", overwrite=True)
        sys.settrace(None)
        return 0

    return codes([child(work)])[0]


def kills(place, stride, whole=True):
    line = 0
    for line in range(1, 100_000, stride):
        path = place / f"run-{line}"
        with RunFolder.create(path, "old") as folder:
            folder.append_metrics({"step": 0})
            write_aside(folder.result, "{}")
        code = killed_at(line, path)
        if code == 0:
            break
        if whole and not path.is_dir():
            print(f"killed at {line}: nothing at the path")
        try:
            check_is_run(path)
        except InputError as error:
            print(f"killed at {line}: {error}")
            continue
        config = (path / "config.toml").read_text()
        old = sorted(p.name for p in path.iterdir() if not p.name.startswith("."))
        if config not in ("old", "new") or (config == "old") != ("metrics.jsonl" in old):
            print(f"killed at {line}: {config!r} with {old}")
        RunFolder.create(path, "last", overwrite=True).close()
        left = [p.name for p in place.iterdir() if f"run-{line}" in p.name and p.name != path.name]
        left += [p.name for p in path.iterdir() if p.name.endswith(".tmp")]
        if left or (path / "config.toml").read_text() != "last":
            print(f"killed at {line}: left {left}")
    if line < 100:
        print("the trace saw nothing")


if __name__ == "__main__":
    task, where = sys.argv[1], Path(sys.argv[2])
    if task == "fallback":
        exchange._exchange = lambda one, other: False
    if task == "claims":
        claims(where)
    else:
        kills(where, int(sys.argv[3]), whole=task == "kills")
    if "jax" in sys.modules:
        print("jax was imported")
