"""Whatever is given: one clear line, exit code 2, no traceback, nothing written, nothing damaged."""

import contextlib
import io
import os
import string
from typing import ClassVar

import pytest
import tomli_w
from hypothesis import HealthCheck, example, given, settings, strategies as st

from intertwine._checks import InputError
from intertwine.cli import main
from intertwine.runs import run_folder, running
from intertwine.runs.settings import to_toml
from thinned import thinned

from .hostile import ALL_FIELDS, CASES, refused_values, with_value


@pytest.fixture(autouse=True)
def nothing_may_run(monkeypatch):
    """A value that got through would start a run: that is a failure of its own."""

    def experiment_of(settings):
        raise AssertionError("the configuration was accepted")

    monkeypatch.setattr(running, "experiment_of", experiment_of)


def snapshot(folder):
    return {p: p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


def refused(arguments, folder, *, names=None, lines=1):
    """Run the command; check the law; give the line."""
    before, err, out = snapshot(folder), io.StringIO(), io.StringIO()
    with contextlib.redirect_stderr(err), contextlib.redirect_stdout(out):
        code = main([str(a) for a in arguments])
    told = err.getvalue()
    assert code == 2, (code, told)
    assert len(told.splitlines()) == lines and told.endswith("\n"), told
    assert told.startswith("error: ") and "Traceback" not in told
    assert len(told) < 700 and all(line.isprintable() for line in told.splitlines()), told
    assert names is None or names in told, (names, told)
    assert out.getvalue() == ""
    assert snapshot(folder) == before
    return told


def run_file(tmp_path, content, **law):
    path = tmp_path / "experiment.toml"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    told = refused(["run", path, "--out", tmp_path / "run"], tmp_path, **law)
    assert not (tmp_path / "run").exists()
    return told


def test_there_are_enough_cases():
    assert len(CASES) >= 700
    assert len({name for name, *_ in CASES}) >= 60


@pytest.mark.parametrize("name, of", thinned(sorted({(name, of) for name, of, *_ in CASES})))
def test_every_field_refuses_every_wrong_value(name, of, tmp_path):
    for tables in (case[3] for case in CASES if case[:2] == (name, of)):
        told = run_file(tmp_path, tomli_w.dumps(tables), names=name)
        assert "expected" in told and ", got " in told, tables


SECTIONS = sorted({(kind, path[:-1]) for kind, path, _, _ in ALL_FIELDS})


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_any_field_any_wrong_value(data, tmp_path):
    """Random fields and random values: text, numbers far out of range, lists and tables of anything."""
    kind, path, hamiltonian, field = data.draw(st.sampled_from(ALL_FIELDS))
    if field.annotation in (int, float):
        wrong = st.integers(10**12 if field.annotation is float else 2**63).map(lambda n: n * 10)
        wrong = wrong | st.integers(max_value=-(10**12)) | st.text(max_size=50) | st.booleans()
    else:
        wrong = st.sampled_from(list(refused_values(path, field).values()))
    toml_values = st.recursive(
        st.booleans() | st.integers(-(2**62), 2**62) | st.floats(allow_nan=False) | st.text(max_size=5),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
        max_leaves=6,
    )
    wrong = wrong | st.lists(toml_values, max_size=4)
    value = data.draw(wrong)
    run_file(tmp_path, tomli_w.dumps(with_value(path, hamiltonian, value, kind)), names=".".join(path))


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(section=st.sampled_from(SECTIONS), name=st.text(min_size=1, max_size=20))
def test_unknown_names_in_every_section(section, name, tmp_path):
    kind, section = section
    if any((*section, name) == path for _, path, _, _ in ALL_FIELDS):
        return
    if not section and name in {top for _, top in TABLES}:
        return
    hamiltonian = "tfim" if section == ("hamiltonian",) else None
    told = run_file(tmp_path, tomli_w.dumps(with_value((*section, name), hamiltonian, 1, kind)))
    assert "one of the settings of" in told


TABLES = sorted({(kind, section[0]) for kind, section in SECTIONS if section})


@pytest.mark.parametrize("kind, section", TABLES)
@pytest.mark.parametrize("value", [3, 1.5, True, [], [1], "", "nothing", "\x00"], ids=repr)
def test_a_section_that_is_no_table(kind, section, value, tmp_path):
    run_file(tmp_path, tomli_w.dumps({"kind": kind, section: value}), names=section)


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(garbage=st.binary(min_size=1, max_size=300))
def test_binary_garbage(garbage, tmp_path):
    run_file(tmp_path, b"= " + garbage)


MALFORMED = {
    "no value": "lattice =",
    "no quotes": "lattice = chain:20",
    "open quote": 'lattice = "chain:20',
    "twice": "seed = 1\nseed = 2",
    "table twice": "[model]\n[model]",
    "open table": "[optimiser\nsteps = 3",
    "a dot too many": "optimiser..steps = 3",
    "value and table": "model = 'rbm:1'\n[model]\ndtype = 'real'",
    "json": '{"lattice": "chain:20"}',
    "yaml": "lattice: chain:20",
    "python": "import os",
    "an integer of 5000 digits": "seed = " + "9" * 5000,
    "deep lists": "seed = " + "[" * 5000 + "]" * 5000,
    "deep tables": "seed = " + "{a=" * 2000 + "1" + "}" * 2000,
    "not UTF-8": b"lattice = '\xff\xfe'",
    "UTF-16": "lattice = 'chain:20'".encode("utf-16"),
    "zero bytes": b"\x00" * 1000,
    "two megabytes": "# " + "x" * 2_000_000,
    "control": "lattice = '\x07'",
}


@pytest.mark.parametrize("content", MALFORMED.values(), ids=MALFORMED)
def test_malformed_files(content, tmp_path):
    run_file(tmp_path, content, names="experiment.toml")


CONTRADICTIONS = {
    "host kernels on two devices": ("sampler.backend", {"devices": 2, "sampler": {"backend": "host"}}),
    "chains that devices do not divide": ("sampler.chains", {"devices": 3}),
    "exchange with a field": ("sampler.rule", {"hamiltonian": "tfim", "sampler": {"rule": "exchange"}}),
    "exchange with odd N": ("sampler.rule", {"lattice": "chain:7", "sampler": {"rule": "exchange"}}),
    "exchange on one site": ("sampler.rule", {"lattice": "chain:1", "sampler": {"rule": "exchange"}}),
    "Marshall on a triangular lattice": (
        "hamiltonian.marshall",
        {"lattice": "triangular:4x4", "hamiltonian": {"name": "heisenberg", "marshall": True}},
    ),
    "Marshall on an odd ring": (
        "hamiltonian.marshall",
        {"lattice": "chain:9", "hamiltonian": {"name": "xxz", "marshall": True}},
    ),
    "samples that chains do not divide": (
        "optimiser.samples",
        {"optimiser": {"samples": 1000}, "sampler": {"chains": 64}},
    ),
    "fewer samples than chains": (
        "optimiser.samples",
        {"optimiser": {"samples": 64}, "sampler": {"chains": 128}},
    ),
    "one draw a chain": ("optimiser.samples", {"optimiser": {"samples": 128}, "sampler": {"chains": 128}}),
    "final samples and chains": (
        "final.samples",
        {"final": {"samples": 100}, "sampler": {"chains": 64}},
    ),
    "solver without sr": ("optimiser.solver", {"optimiser": {"method": "adam", "solver": "minsr"}}),
    "shift that ends at zero exponentially": (
        "optimiser.shift_end",
        {"optimiser": {"shift_end": 0.0, "schedule": "exponential"}},
    ),
    "no coupling": ("hamiltonian", {"hamiltonian": {"name": "tfim", "J": 0.0, "h": 0.0}}),
    "no coupling at all": ("hamiltonian", {"hamiltonian": {"name": "heisenberg", "J": 0.0}}),
    "a field in a model without one": ("hamiltonian.h", {"hamiltonian": {"name": "heisenberg", "h": 1.0}}),
    "an anisotropy in a model without one": (
        "hamiltonian.delta",
        {"hamiltonian": {"name": "j1j2", "delta": 1.0}},
    ),
    "a Hamiltonian without its name": ("hamiltonian.name", {"hamiltonian": {"J": 1.0}}),
    "a Hamiltonian of another kind": ("hamiltonian.name", {"hamiltonian": "hubbbard"}),
    "another kind of experiment": ("kind", {"kind": "levitate"}),
    "a kind that is no word": ("kind", {"kind": ["ground-state"]}),
    "a chain of a thousand million": ("lattice", {"lattice": "chain:1000000000"}),
    "a cube of 4096³": ("lattice", {"lattice": "cubic:4096"}),
    "an extent of 60 digits": ("lattice", {"lattice": "chain:" + "9" * 60}),
    "a lattice of no size": ("lattice", {"lattice": "chain:0"}),
    "a lattice of too many directions": ("lattice", {"lattice": "chain:2x2"}),
    "a lattice nobody knows": ("lattice", {"lattice": "hexagonal:3x3"}),
    "a Gram matrix of a terabyte": (
        "memory",
        {"optimiser": {"samples": 1 << 20, "solver": "minsr"}, "model": "rbm:64", "lattice": "square:32"},
    ),
    "a metric of a terabyte": (
        "memory",
        {"optimiser": {"solver": "dense"}, "model": "rbm:64", "lattice": "square:32"},
    ),
}


def learn(**tables):
    return {"kind": "learn", **tables}


CONTRADICTIONS |= {
    "a lattice to learn": ("lattice", learn(lattice="chain:8")),
    "data that are not there": ("data.name", learn(data="nowhere.npy")),
    "an Ising model too wide": ("data", learn(data="ising:20x20")),
    "an Ising model too cold": ("data", learn(data="ising:8:0.01")),
    "bars and stripes too large": ("data", learn(data="bars-and-stripes:40")),
    "a shape of a named set": ("data.shape", learn(data={"name": "ising:8", "shape": "8x8"})),
    "a variable of a named set": ("data.variable", learn(data={"variable": "x"})),
    "labels of a named set": ("data.labels", learn(data={"labels": "y"})),
    "a folder for other data than mnist": ("data.folder", learn(data={"folder": "."})),
    "a download of other data than mnist": ("data.download", learn(data={"download": True})),
    "mnist in a folder that is none": ("data.folder", learn(data={"name": "mnist", "folder": "nowhere"})),
    "one layer for a deep machine": ("model.name", learn(model="dbm:8")),
    "two layers for a restricted machine": ("model.name", learn(model="rbm:8-8")),
    "a layer of no unit": ("model.name", learn(model="dbn:8-0")),
    "tempering of a deep machine": ("method.name", learn(model="dbm:8-8", method="pt")),
    "contrastive divergence of a dbm": ("method.name", learn(model="dbm:8-8", method="cd")),
    "no epochs for the layers of a dbn": (
        "optimiser.layer_epochs", learn(model="dbn:8-8", optimiser={"layer_epochs": 0}),
    ),
    "rectified units in a deep machine": (
        "model.hidden_units", learn(model={"name": "dbm:8-8", "hidden_units": "rectified"}),
    ),
    "rectified units by enumeration": (
        "model.hidden_units", learn(model={"name": "rbm:8", "hidden_units": "rectified"}, method="exact"),
    ),
    "sparse rectified units": (
        "optimiser.sparsity",
        learn(model={"name": "rbm:8", "hidden_units": "rectified"}, optimiser={"sparsity": 0.1}),
    ),
    "units that are all on": ("optimiser.sparsity", learn(optimiser={"sparsity": 1.0})),
    "samples that chains do not divide": ("samples.count", learn(samples={"count": 450})),
    "too few samples a chain": ("samples.count", learn(samples={"count": 300})),
}  # fmt: skip


def renormalize(**tables):
    return {"kind": "renormalize", **tables}


CONTRADICTIONS |= {
    "a size that blocks do not tile": ("levels", renormalize(system="ising:20")),
    "a lattice of two sites a cell": ("rule.name", renormalize(system={"name": "kagome:8", "coupling": 0.4})),
    "a lattice too small for the levels": ("levels", renormalize(levels=6)),
    "more couplings than a lattice has": ("levels", renormalize(levels=5, couplings=7)),
    "blocks of three on a power of two": ("levels", renormalize(rule="majority:3")),
    "a network of a Potts model": ("rule.name", renormalize(system="potts:3:64", rule="block-rbm:1.0")),
    "a Potts model of a hundred states": ("system.name", renormalize(system="potts:100:64")),
    "a Potts model of no state": ("system.name", renormalize(system="potts:x")),
    "a lattice nobody knows": ("system.name", renormalize(system="ising:hexagonal:8")),
    "a million sites a side": ("system.name", renormalize(system="ising:1000000")),
    "three sides of a square": ("system.name", renormalize(system="ising:square:8x8x8")),
    "an empty part of a name": ("system.name", renormalize(system="ising::8")),
    "a critical point nobody knows": ("system.coupling", renormalize(system="clock:5:32")),
    "a critical point that is moved": ("system.coupling", renormalize(system={"next": 0.1})),
    "a majority of one": ("rule.name", renormalize(rule="majority:1")),
    "a weight that is no number": ("rule.name", renormalize(rule="block-rbm:1e")),
    "a weight beyond all": ("rule.name", renormalize(rule="block-rbm:1e9")),
    "one singular value": ("rule.name", renormalize(rule="trg:1")),
    "a rule that is a folder of other things": ("rule.name", renormalize(rule="/")),
    "samples that bins do not divide": ("sampler.samples", renormalize(sampler={"samples": 1234})),
    "frustrated clusters": (
        "sampler.name", renormalize(sampler="swendsen-wang", system={"next": -0.1, "coupling": 0.4}),
    ),
    "tensors of a triangular lattice": ("system.name", renormalize(rule="trg:8", system="triangular:8")),
    "triangles of a square lattice": (
        "system.name", renormalize(rule="niemeijer-van-leeuwen", system="square:8"),
    ),
    "bonds moved in a field": (
        "system.field", renormalize(rule="migdal-kadanoff", system={"field": 0.1}),
    ),
    "exponents of one size": ("system.name", renormalize(study="exponents", system="ising:64")),
    "exponents by a rule": ("rule.name", renormalize(study="exponents", rule="trg:8")),
    "exponents in a field": ("system.field", renormalize(study="exponents", system={"field": 0.1})),
    "sizes that do not grow": ("scaling.sizes", renormalize(study="exponents", scaling={"sizes": "8-32-16"})),
    "a network that is a word": ("rule.name", renormalize(study="network")),
}  # fmt: skip


@pytest.mark.parametrize("names, tables", CONTRADICTIONS.values(), ids=CONTRADICTIONS)
def test_contradictions(names, tables, tmp_path):
    run_file(tmp_path, tomli_w.dumps(tables), names=f"error: {names}")


def test_each_problem_has_its_line(tmp_path):
    run_file(
        tmp_path, tomli_w.dumps({"seed": -1, "optimiser": {"steps": "x"}, "final": {"sample": 3}}), lines=3
    )


FLAGS = [
    ("--steps", "many", "optimiser.steps"),
    ("--steps", "1e3", "optimiser.steps"),
    ("--steps", "", "optimiser.steps"),
    ("--samples", "-5", "optimiser.samples"),
    ("--seed", "0x10", "seed"),
    ("--seed", "9" * 5000, "seed"),
    ("--learning-rate", "nan", "optimiser.learning_rate"),
    ("--learning-rate", "0", "optimiser.learning_rate"),
    ("--shift", "-inf", "optimiser.shift"),
    ("--J", "1+1j", "hamiltonian.J"),
    ("--marshall", "yes", "hamiltonian.marshall"),
    ("--lattice", "", "lattice"),
    ("--lattice", "square:6y6", "lattice"),
    ("--model", "rbm", "model.name"),
    ("--model", "rbm:-1", "model.name"),
    ("--model", "jastrow:3", "model.name"),
    ("--model", "rbm:1:2", "model.name"),
    ("--hamiltonian", "true", "hamiltonian.name"),
    ("--sweep", "auto ", "sampler.sweep"),
    ("--precision", "64", "precision"),
    ("--no-such-flag", "1", "--no-such-flag"),
    ("--out", "", "out"),
    ("--out", "a\x00b", "path"),
    ("--out", "x" * 5000, "path"),
]


@pytest.mark.parametrize("flag, value, names", FLAGS, ids=[f"{f}={v[:12]!r}" for f, v, _ in FLAGS])
def test_flags(flag, value, names, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    refused(["ground-state", flag, value], tmp_path, names=names)


LEARN_FLAGS = [
    ("--data", "", "data.name"),
    ("--data", "nowhere.npz", "data.name"),
    ("--data", "ising:8:hot", "data"),
    ("--data", "x" * 5000, "data.name"),
    ("--model", "rbm", "model.name"),
    ("--model", "rbm:-5", "model.name"),
    ("--model", "rbm:99999999", "model.name"),
    ("--epochs", "1e3", "optimiser.epochs"),
    ("--batch", "0", "optimiser.batch"),
    ("--learning-rate", "0", "optimiser.learning_rate"),
    ("--learning-rate", "fast", "optimiser.learning_rate"),
    ("--centred", "yes", "optimiser.centred"),
    ("--units", "pots", "data.units"),
    ("--shape", "28*28", "data.shape"),
    ("--method", "mcmc", "method.name"),
    ("--test-share", "1", "data.test_share"),
    ("--no-such-flag", "1", "--no-such-flag"),
    ("--out", "", "out"),
]


@pytest.mark.parametrize(
    "flag, value, names", LEARN_FLAGS, ids=[f"{f}={v[:12]!r}" for f, v, _ in LEARN_FLAGS]
)
def test_flags_of_learn(flag, value, names, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    refused(["learn", flag, value], tmp_path, names=names)


RENORMALIZE_FLAGS = [
    ("--system", "", "system.name"),
    ("--system", "ising:64:64", "system.name"),
    ("--system", "potts", "system.name"),
    ("--rule", "nowhere/run", "rule.name"),
    ("--rule", "majority:2.0", "rule.name"),
    ("--coupling", "nan", "system.coupling"),
    ("--coupling", "-11", "system.coupling"),
    ("--field", "inf", "system.field"),
    ("--next", "much", "system.next"),
    ("--levels", "0", "levels"),
    ("--samples", "1e4", "sampler.samples"),
    ("--sampler", "metropolis", "sampler.name"),
    ("--sizes", "8", "scaling.sizes"),
    ("--exponents", "--rule=trg:8", "rule.name"),
    ("nowhere", "--levels=3", "rule.name"),
    ("nowhere", "--exponents", "RUN"),
]


@pytest.mark.parametrize("flag, value, names", RENORMALIZE_FLAGS)
def test_flags_of_renormalize(flag, value, names, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    refused(["renormalize", flag, value], tmp_path, names=names)


@pytest.mark.parametrize(
    "arguments", [["no-such-command"], ["run"], ["resume"], ["report"], ["run", "a", "b"]]
)
def test_arguments(arguments, tmp_path):
    refused(arguments, tmp_path)


@pytest.fixture
def folder(tmp_path):
    """A folder like that of a run which ended."""
    from intertwine.experiments.ground_state.settings import GroundStateConfiguration

    path = tmp_path / "old"
    path.mkdir()
    (path / "config.toml").write_text(to_toml(GroundStateConfiguration()))
    (path / "metrics.jsonl").write_text('{"step": 0, "energy": -1.0}\n')
    (path / "result.json").write_text('{"kind": "ground-state", "energy": {"mean": -1.0}}')
    return path


class TestPaths:
    def test_a_run_is_not_overwritten_unasked(self, folder, tmp_path):
        told = refused(["ground-state", "--out", folder], tmp_path, names="out")
        assert "intertwine resume" in told and "--overwrite" in told

    def test_overwrite_replaces_runs_only(self, tmp_path):
        (tmp_path / "thesis.tex").write_text("the only copy")
        refused(["ground-state", "--out", tmp_path, "--overwrite"], tmp_path, names="thesis.tex")

    def test_a_wrong_configuration_does_not_overwrite(self, folder, tmp_path):
        refused(
            ["ground-state", "--steps", "0", "--out", folder, "--overwrite"],
            tmp_path,
            names="optimiser.steps",
        )

    def test_out_is_a_file(self, folder, tmp_path):
        refused(["ground-state", "--out", folder / "config.toml"], tmp_path, names="out")
        refused(["ground-state", "--out", folder / "config.toml" / "x"], tmp_path)

    @pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
    def test_out_cannot_be_written(self, tmp_path):
        (tmp_path / "locked").mkdir(mode=0o500)
        refused(["ground-state", "--out", tmp_path / "locked" / "run"], tmp_path, names="out")

    def test_out_cannot_be_written_even_by_root(self, tmp_path):
        with pytest.raises(InputError, match="path: expected a usable path"):
            run_folder.RunFolder.create("/proc/nothing/run", "")

    @pytest.mark.parametrize("command", ["run", "resume", "report"])
    @pytest.mark.parametrize(
        "path", ["nothing", ".", "old/config.toml/x", "a\x00b", "x" * 5000, "😀", "", "old/metrics.jsonl"]
    )
    def test_paths_that_are_not_what_is_needed(self, command, path, folder, tmp_path, monkeypatch):
        monkeypatch.chdir(tmp_path)
        refused([command, path], tmp_path)

    def test_locked_by_another_writer(self, folder, tmp_path, monkeypatch):
        monkeypatch.undo()
        (folder / "result.json").unlink()
        lock = run_folder.Lock(folder).acquire()
        try:
            refused(["resume", folder], tmp_path, names=f"process {os.getpid()}")
            refused(
                ["ground-state", "--lattice", "chain:4", "--out", folder, "--overwrite"],
                tmp_path,
                names="process",
            )
        finally:
            lock.release()


class TestFolders:
    DAMAGE: ClassVar = {
        "another kind": 'kind = "levitate"\n',
        "not TOML": "kind =",
        "empty section": "optimiser = 3",
        "binary": b"\xff\x00\x01",
        "unknown name": "colour = 'red'",
    }  # fmt: skip

    @pytest.mark.parametrize("content", DAMAGE.values(), ids=DAMAGE)
    def test_resume_with_a_damaged_configuration(self, content, folder, tmp_path):
        (folder / "config.toml").write_bytes(content if isinstance(content, bytes) else content.encode())
        refused(["resume", folder], tmp_path)

    @pytest.mark.parametrize("name", ["config.toml", "metrics.jsonl", "result.json", "result.nc"])
    @pytest.mark.parametrize("damage", ["truncated", "binary"])
    def test_report_of_a_damaged_folder(self, name, damage, folder, tmp_path):
        good = (folder / name).read_bytes() if (folder / name).exists() else b"CDF"
        bad = good[: len(good) // 2] if damage == "truncated" else b"\xff\xfe\x00" * 50
        if name == "metrics.jsonl":
            bad += b"\n"
        if name == "config.toml":
            bad += b"="
        (folder / name).write_bytes(bad)
        refused(["report", folder], tmp_path, names=name)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(word=st.text(alphabet=string.printable + "ψλ😀", min_size=1, max_size=40))
@example(word=".DAT")
def test_any_word_for_a_lattice(word, tmp_path):
    run_file(tmp_path, tomli_w.dumps({"lattice": "k" + word}), names="lattice")
