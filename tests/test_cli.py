"""The command line from outside: how fast it answers, what it prints, in which precision it runs."""

import json
import os
import subprocess
import sys
import time

import jax
import pytest

from intertwine import __version__
from intertwine.cli import main
from intertwine.records.kinds import KINDS
from intertwine.runs.flags import options, sections
from intertwine.runs.kinds import settings_class

PROGRAM = [sys.executable, "-c", "import sys; from intertwine.cli import main; sys.exit(main())"]
SMALL = [
    "--lattice",
    "chain:4",
    "--model",
    "jastrow",
    "--samples",
    "64",
    "--chains",
    "16",
    "--final-samples",
    "64",
]


def command(*arguments, **options):
    return subprocess.run([*PROGRAM, *arguments], capture_output=True, text=True, timeout=300, **options)


def test_help_answers_at_once():
    """Under a second of processor time (the wall clock of a busy machine says nothing), and without JAX."""
    before = os.times()
    done = command("--help")
    after = os.times()
    used = after.children_user + after.children_system - before.children_user - before.children_system
    assert done.returncode == 0 and done.stderr == ""
    for name in ("ground-state", "learn", "run", "resume", "report", "--version"):
        assert name in done.stdout
    assert used < 1.0


def test_help_imports_nothing_heavy():
    program = (
        "import sys; from intertwine.cli import main; main(['--help']);"
        "print([m for m in ('jax', 'numpy', 'pydantic', 'scipy', 'numba') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60)
    assert done.stdout.splitlines()[-1] == "[]"


def flags_of(option):
    return option.flag + (f",{option.also}" if option.also else "")


@pytest.mark.parametrize("name", KINDS)
def test_every_setting_has_a_flag_in_the_help_with_its_default_and_group(name, capsys, monkeypatch):
    """Every field of the tables, but for the kind and what a file alone can say."""
    settings = settings_class(KINDS[name])
    found = {option.field: option for option in options(settings)}
    for section, field in settings.model_fields.items():
        members = sections(field)
        entries = {
            f"{section}.{entry}"
            for member in members
            for entry, inner in member.model_fields.items()
            if "help" in (inner.json_schema_extra or {}) or entry == "name"
        }
        assert (entries or {section} - {"kind", "graph"}) <= found.keys()
    monkeypatch.setenv("COLUMNS", "250")
    assert main([name, "--help"]) == 0
    shown = capsys.readouterr().out
    for option in found.values():
        line = next(line for line in shown.splitlines() if f" {flags_of(option)} " in line)
        assert option.help in line and option.group in shown
        assert option.is_switch or f"; default {option.default}" in line


def test_version(capsys):
    assert main(["--version"]) == 0
    assert capsys.readouterr().out == f"intertwine {__version__}\n"


def test_no_command_is_help(capsys, monkeypatch):
    monkeypatch.setattr(sys, "argv", ["intertwine"])
    assert main() == 0
    assert "ground-state" in capsys.readouterr().out


@pytest.mark.slow
def test_a_run_from_outside(tmp_path):
    """Exact energy, how far it is, where the report is; numbered folders; plain lines off a terminal."""
    done = command("ground-state", *SMALL, "--steps", "3", cwd=tmp_path)
    assert done.returncode == 0 and done.stderr == "", done.stderr
    assert "exact energy -8.0000" in done.stdout
    assert "relative error" in done.stdout and "step 3/3" in done.stdout
    assert "report: runs/heisenberg-chain-4/report.html" in done.stdout
    assert "\x1b" not in done.stdout
    again = command("run", "runs/heisenberg-chain-4/config.toml", cwd=tmp_path)
    assert again.returncode == 0 and "runs/heisenberg-chain-4-2/report.html" in again.stdout
    results = [json.loads(path.read_text()) for path in tmp_path.glob("runs/*/result.json")]
    assert len(results) == 2 and results[0]["energy"] == results[1]["energy"]
    page = command("report", "runs/heisenberg-chain-4", cwd=tmp_path)
    assert page.returncode == 0 and "report.html" in page.stdout


@pytest.mark.slow
def test_float32_from_the_configuration(tmp_path):
    done = command(
        "ground-state", *SMALL, "--steps", "3", "--precision", "float32", "--out", "run", cwd=tmp_path
    )
    assert done.returncode == 0 and done.stderr == "", done.stderr
    import xarray

    with xarray.open_dataset(tmp_path / "run" / "result.nc", engine="h5netcdf") as data:
        dtypes = {str(data[name].dtype) for name in data.data_vars if str(name).startswith("parameter_")}
    assert dtypes == {"float32"}


@pytest.mark.parametrize("flags", [
    "--hamiltonian tfim --h 0.5 --model symmetric-rbm:2 --solver iterative --backend jax",
    "--hamiltonian xxz --delta 0.5 --rule mixture --method sgd --schedule cosine",
    "--hamiltonian j1j2 --J2 0.2 --marshall true --model rbm:2 --dtype complex --schedule constant",
    "--solver minsr",
    "--lattice square:2x2:open --sweep 3 --model mean-field --method adam",
])  # fmt: skip
def test_every_choice_runs(flags, tmp_path, capsys):
    """One small run through every word that a field offers."""
    words = flags.split()
    given = dict(zip(SMALL[::2], SMALL[1::2], strict=True)) | dict(zip(words[::2], words[1::2], strict=True))
    arguments = [word for pair in given.items() for word in pair]
    assert main(["ground-state", *arguments, "--steps", "2", "--out", str(tmp_path / "run")]) == 0
    told = capsys.readouterr()
    assert told.err == "" and "report: " in told.out


@pytest.mark.slow
def test_a_live_line_on_a_terminal(tmp_path):
    """Behind a pseudo-terminal the live line is drawn."""
    pty = pytest.importorskip("pty")
    leader, follower = pty.openpty()
    arguments = ["ground-state", *SMALL, "--steps", "30", "--out", str(tmp_path / "run")]
    terminal = {**os.environ, "TERM": "xterm-256color", "COLUMNS": "140"}
    process = subprocess.Popen(
        [*PROGRAM, *arguments], stdout=follower, stderr=subprocess.PIPE, stdin=follower, env=terminal
    )
    os.close(follower)
    shown, until = b"", time.monotonic() + 200
    while time.monotonic() < until:
        try:
            part = os.read(leader, 4096)
        except OSError:
            break
        if not part:
            break
        shown += part
    assert process.wait(timeout=60) == 0
    assert process.stderr is not None and process.stderr.read() == b""
    process.stderr.close()
    os.close(leader)
    assert b"\x1b[" in shown and b"30/30" in shown and b"V-score" in shown


def test_a_platform_that_jax_has_not_is_one_line(monkeypatch, capsys, tmp_path):
    def none():
        raise RuntimeError("Unable to initialize backend 'cuda': no devices")

    monkeypatch.setenv("JAX_PLATFORMS", "cuda")
    monkeypatch.setattr(jax, "devices", none)
    assert main(["ground-state", "--steps", "2", "--out", str(tmp_path / "run")]) == 2
    told = capsys.readouterr().err
    assert told.startswith("error: JAX_PLATFORMS: expected") and told.count("\n") == 1
    assert not (tmp_path / "run").exists()
