"""Values that a field must refuse, for every field of a configuration, read off the pydantic classes."""

import datetime
import math
from typing import Literal, get_args, get_origin

from pydantic import BaseModel

from intertwine.experiments.classify.settings import ClassifyConfiguration
from intertwine.experiments.fields.settings import FieldsConfiguration
from intertwine.experiments.ground_state.hamiltonians import J1J2, Heisenberg, Tfim, Xxz
from intertwine.experiments.ground_state.settings import GroundStateConfiguration
from intertwine.experiments.learn.settings import LearnConfiguration
from intertwine.experiments.renormalize.settings import RenormalizeConfiguration

KINDS = {
    "ground-state": GroundStateConfiguration,
    "learn": LearnConfiguration,
    "renormalize": RenormalizeConfiguration,
    "classify": ClassifyConfiguration,
    "fields": FieldsConfiguration,
}

WRONG_TYPES = {
    "list": [1, 2],
    "empty list": [],
    "date": datetime.date(2020, 1, 1),
    "nested table": {"a": {"b": 1}},
}
WORDS = [
    "",
    " ",
    "no such word",
    "ψ↦λ",
    "\x00",
    "a\nb\tc",
    "😀" * 40,
    "x" * 5000,
    "../../no/such/place",
    "--help",
    "%s{0}",
]


def fields(model: type[BaseModel] = GroundStateConfiguration, path: tuple[str, ...] = ()):
    """(path, hamiltonian's name or None, field) of every field, sections entered."""
    for name, field in model.model_fields.items():
        if name == "hamiltonian":
            for section in (Tfim, Heisenberg, Xxz, J1J2):
                word = section.model_fields["name"].default
                for inner, deeper in section.model_fields.items():
                    yield ("hamiltonian", inner), word, deeper
        elif (*path, name) == ("graph",):  # what a file of edges holds: tests/experiments/test_systems.py
            continue
        elif isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            yield from fields(field.annotation, (*path, name))
        else:
            yield (*path, name), None, field


def bounds(field):
    """(lowest, highest, whether the lowest is itself excluded) of a number's field."""
    low, high, excluded = -math.inf, math.inf, False
    for rule in field.metadata:
        low = getattr(rule, "ge", getattr(rule, "gt", low))
        high = getattr(rule, "le", high)
        excluded = excluded or hasattr(rule, "gt")
    return low, high, excluded


def refused_values(path, field):
    """Values that this field must refuse."""
    bad = dict(WRONG_TYPES)
    kind = field.annotation
    few = get_origin(kind) is not Literal and kind is not str
    words = {f"word {i}": w for i, w in enumerate(WORDS[:3] if few else WORDS)}
    declared = field.json_schema_extra or {}
    if "file" in declared:  # a number, numbers, or the name of a file of them
        edges = {"below": declared["low"] - 1.0, "above": declared["high"] + 1.0, "huge": 10**40}
        of_words = {"words": [1.0, "x"], "nan": math.nan, "list of nan": [math.nan], "true": True}
        return {k: v for k, v in bad.items() if k != "list"} | words | edges | of_words
    if path[-1] == "fermions":
        three = {"three": [1, 2, 3], "fraction": 1.5, "fractions": [1.5, 2.5], "word": "5,x", "true": True}
        return {k: v for k, v in bad.items() if k != "list"} | words | three
    if path[-1] == "seeds":
        wrong = {"fraction": 1.5, "fractions": [1.5, 2.5], "word": "5,x", "true": True, "nothing": []}
        return {k: v for k, v in bad.items() if k != "list"} | words | wrong
    if "low" in declared:  # a word, or a number between bounds
        low, high, whole = declared["low"], declared["high"], declared["metavar"] == "INTEGER"
        out = {"below": low - 1, "above": high + 1} if whole else {"below": low - 1.0, "above": high + 1.0}
        edge = {"at the excluded edge": low if whole else float(low)} if declared["above"] else {}
        other = {"fraction": 1.5, "huge": 10**40} if whole else {"nan": math.nan, "infinite": math.inf}
        return bad | words | out | edge | other | {"true": True, "text of a number": "5"}
    if kind is bool:
        return bad | words | {"zero": 0, "one": 1, "fraction": 0.5, "word of truth": "true", "huge": 10**40}
    if path[-1] == "marshall":
        return bad | words | {"integer": 1, "fraction": 0.5, "huge": 10**40}
    if kind is int:
        low, high, _ = bounds(field)
        numbers = {
            "below": low - 1,
            "above": high + 1,
            "huge": 10**40,
            "fraction": 1.5,
            "whole fraction": 2.0,
        }
        return (
            bad
            | words
            | numbers
            | {"true": True, "nan": math.nan, "infinite": math.inf, "text of a number": "5"}
        )
    if kind is float:
        low, high, excluded = bounds(field)
        numbers = {"below": low - 1.0, "above": high * 2, "huge": 1e300, "huge integer": 10**40}
        edge = {"at the excluded edge": low} if excluded else {}
        not_finite = {"nan": math.nan, "infinite": math.inf, "minus infinite": -math.inf}
        return bad | words | numbers | edge | not_finite | {"true": True, "text of a number": "0.5"}
    if get_origin(kind) is Literal or kind is str:
        known = [str(word).upper() for word in get_args(kind)]  # in order: the same cases in every process
        case = {f"upper case {word}": word for word in known if word not in get_args(kind)}
        return bad | words | case | {"integer": 3, "fraction": 0.5, "true": True, "huge": 10**40}
    raise AssertionError(f"a field of a kind that this table does not know: {path}, {kind}")


def with_value(path, hamiltonian, value, kind="ground-state"):
    """The tables of a configuration that is right but for one value."""
    tables = {"kind": kind} | ({"lattice": "chain:8"} if kind == "ground-state" else {})
    if hamiltonian is not None:
        tables["hamiltonian"] = {"name": hamiltonian}
    table = tables
    for name in path[:-1]:
        table = table.setdefault(name, {})
    table[path[-1]] = value
    return tables


ALL_FIELDS = [
    (kind, path, hamiltonian, field)
    for kind, model in KINDS.items()
    for path, hamiltonian, field in fields(model)
]
CASES = [
    (".".join(path), hamiltonian or kind, label, with_value(path, hamiltonian, value, kind))
    for kind, path, hamiltonian, field in ALL_FIELDS
    for label, value in refused_values(path, field).items()
]
