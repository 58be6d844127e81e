"""The one table of commands that run something: a row each.

A command is a folder `experiments/X/` (settings, experiment), a schema `records/X.py` of what it writes, a
folder `report/X/` that draws it (or nothing, for the plain page of its schema), and a row here. The rows are
words: what they name is imported when it is used, so that the command line answers at once.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any, NamedTuple

PLAIN_PAGE = "intertwine.report.plain"


class OnPoints(NamedTuple):
    """What a command does instead where its settings name a space of points (`[space] name = "points:5.0"`),
    or the table of a group (`[data] name = "group:S4"`):
    experiment, loader, page as of `Kind`."""

    experiment: str
    loader: str
    page: str


class Kind(NamedTuple):
    """about: the command in a line. settings: "module:Class", the declaration of every setting, a
    `runs.fields.Settings`. experiment: "module:Class", a `runs.experiment.Experiment` made from settings.
    schema: "module:NAME", what its files hold. loader: "module:function" of a complete run's folder → an
    object to go on with (`it.load`), or "" for none. page: the module that draws its report. shared: whether
    several processes can share a run. on_points, on_group: what is done of structures, and of the table of a
    group, or None.
    """

    about: str
    settings: str
    experiment: str
    schema: str
    loader: str = ""
    page: str = PLAIN_PAGE
    shared: bool = False
    on_points: OnPoints | None = None
    on_group: OnPoints | None = None

    def on_space(self, name: object, data: object = None) -> Kind:
        """The row as it is for data on the space of this name, and called `data`.

        >>> KINDS["fields"].on_space("points:5.0").page, KINDS["fields"].on_space("sphere:8").page
        ('intertwine.report.structures', 'intertwine.report.fields')
        """
        if self.on_group is not None and isinstance(data, str) and data.startswith("group:"):
            return self._replace(**self.on_group._asdict())
        if self.on_points is None or not isinstance(name, str) or name.partition(":")[0] != "points":
            return self
        return self._replace(**self.on_points._asdict())


_STRUCTURES = OnPoints(
    "intertwine.experiments.structures.experiment:StructuresExperiment",
    "intertwine.experiments.structures.trained:load_structures_run",
    "intertwine.report.structures",
)

_GROUP_TABLES = OnPoints(
    "intertwine.experiments.group_tables.experiment:GroupTables",
    "intertwine.experiments.group_tables.trained:load_table_run",
    "intertwine.report.group_tables",
)

KINDS: dict[str, Kind] = {
    "ground-state": Kind(
        "Find the ground state of a lattice Hamiltonian; without options: the Heisenberg chain of 20 sites.",
        "intertwine.experiments.ground_state.settings:GroundStateConfiguration",
        "intertwine.experiments.ground_state.experiment:GroundState",
        "intertwine.records.ground_state:SCHEMA",
        "intertwine.experiments.ground_state.loaded:load_run",
        "intertwine.report.ground_state",
        shared=True,
    ),
    "learn": Kind(
        "Learn a distribution with a Boltzmann machine; without options: the critical Ising model on 8 × 8.",
        "intertwine.experiments.learn.settings:LearnConfiguration",
        "intertwine.experiments.learn.experiment:Learn",
        "intertwine.records.learn:SCHEMA",
        "intertwine.experiments.learn.trained:load_trained",
        "intertwine.report.learn",
    ),
    "classify": Kind(
        "Classify images, structures or their points with an equivariant network; without options: "
        "scikit-learn's digits.",
        "intertwine.experiments.classify.settings:ClassifyConfiguration",
        "intertwine.experiments.classify.experiment:Classify",
        "intertwine.records.classify:SCHEMA",
        "intertwine.experiments.classify.trained:load_classifier",
        "intertwine.report.classify",
        on_points=_STRUCTURES,
        on_group=_GROUP_TABLES,
    ),
    "fields": Kind(
        "Learn fields from fields on a sphere, a mesh or the plane, or energies and forces of structures; "
        "without options: the tendency of vorticity from winds.",
        "intertwine.experiments.fields.settings:FieldsConfiguration",
        "intertwine.experiments.fields.experiment:FieldsExperiment",
        "intertwine.records.fields:SCHEMA",
        "intertwine.experiments.fields.trained:load_fields_run",
        "intertwine.report.fields",
        on_points=_STRUCTURES,
    ),
    "renormalize": Kind(
        "Coarse-grain a spin system or a trained network; without options: the critical Ising model on "
        "64 × 64.",
        "intertwine.experiments.renormalize.settings:RenormalizeConfiguration",
        "intertwine.experiments.renormalize.experiment:Renormalize",
        "intertwine.records.renormalize:SCHEMA",
        "intertwine.experiments.renormalize.loaded:load_run",
        "intertwine.report.renormalize",
    ),
    "evolve": Kind(
        "Follow a wave function in real or imaginary time; without options: the critical Ising ring of 10 "
        "sites from all spins along x.",
        "intertwine.experiments.evolve.settings:EvolveConfiguration",
        "intertwine.experiments.evolve.experiment:Evolve",
        "intertwine.records.evolve:SCHEMA",
        "intertwine.experiments.evolve.loaded:load_run",
        "intertwine.report.evolve",
    ),
    "entangle": Kind(
        "Measure how entangled the state of a run is, or an exact one; without options: the critical Ising "
        "ring of 16 sites.",
        "intertwine.experiments.entangle.settings:EntangleConfiguration",
        "intertwine.experiments.entangle.experiment:Entangle",
        "intertwine.records.entangle:SCHEMA",
        "intertwine.experiments.entangle.experiment:load_run",
        "intertwine.report.entangle",
    ),
}

DEFAULT = "ground-state"
"""The kind of a configuration that names none."""


def named(place: str) -> Any:
    """What "module:name" names."""
    module, _, name = place.partition(":")
    return getattr(import_module(module), name)
