"""What runs of each command write is what their schema says; what `it.load` gives has one form for all."""

import json

import numpy as np
import pytest

import intertwine as it
from intertwine.cli import main
from intertwine.records.kinds import KINDS
from intertwine.runs.kinds import schema_of

COMMANDS = {
    "ground-state": "--lattice chain:4 --model rbm:1 --samples 64 --steps 3",
    "evolve": "--lattice chain:4 --model symmetric-rbm:2 --time 0.1 --points 2",
    "entangle": "--lattice chain:6",
    "learn": "--data ising:3 --rows 60 --model rbm:3 --epochs 2 --precision float64 --samples 40"
    " --sample-chains 8 --sample-steps 2 --ais-temperatures 20 --ais-chains 8",
    "classify": "--data digits --network cnn:1 --group p1 --epochs 1 --examples 100 --precision float64",
    "fields": "--data winds:4 --network linear --method adamw --epochs 2 --precision float64",
    "renormalize": "--system ising:8 --levels 1 --couplings 2 --starts 0 --samples 1600 --chains 4 --bins 16",
}


def test_every_command_is_in_the_table():
    assert COMMANDS.keys() == KINDS.keys()


@pytest.mark.parametrize("kind", COMMANDS)
def test_a_run_is_what_its_schema_says(kind, tmp_path):
    folder, schema = tmp_path / "run", schema_of(KINDS[kind])
    assert main([kind, *COMMANDS[kind].split(), "--out", str(folder)]) == 0
    record = json.loads((folder / "result.json").read_text())
    assert record["schema"] == schema.version and schema.lacking(record) == []
    lines = [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]
    for line in lines:
        assert set(schema.names) <= line.keys()
        assert all(schema.holds(name, value) for name, value in line.items())
    run = it.load(folder)
    assert (run.model is None) == (kind == "entangle") and run.settings.kind == kind and run.result == record
    for name in schema.numbers:
        expected = [np.nan if line[name] is None else line[name] for line in lines]
        np.testing.assert_array_equal(run.metrics[name], expected)


def test_entries_that_a_result_lacks_are_named():
    assert "v_score" in schema_of(KINDS["ground-state"]).lacking({"energy": {}})
