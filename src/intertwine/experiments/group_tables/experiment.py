"""The command `classify` on the table of a group: the study of `fit_group_table`, and what its folder says of
it.

A line of `metrics.jsonl` is a look at the network (`learning.group_tables.study`). `network.bin` holds the
last network.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import PyTree

from intertwine._version import __version__
from intertwine.data.sets.group_tables import group_table
from intertwine.experiments.classify.measures import accuracy_record, commonest_class, log_probabilities
from intertwine.experiments.classify.settings import ClassifyConfiguration
from intertwine.experiments.datasets import data_record
from intertwine.experiments.memory_needs import refuse_beyond
from intertwine.layers.emergence.emergent import EmergentSymmetry, emergent_symmetry
from intertwine.layers.emergence.table_symmetry import table_scores, table_symmetry
from intertwine.layers.networks.parameter_count import parameter_count
from intertwine.layers.networks.saved_network import save_network
from intertwine.layers.networks.table_network import check_table_network
from intertwine.learning.group_tables.fit import table_study
from intertwine.learning.group_tables.study import TableFit, TableStudy
from intertwine.learning.study import Scalars
from intertwine.records.classify import SCHEMA
from intertwine.records.schema import plain
from intertwine.runs.complete import series
from intertwine.runs.dataset import parameter_variables, versions
from intertwine.runs.experiment import Experiment, Finished
from intertwine.runs.run_folder import NETWORK, RunFolder, write_aside_with
from intertwine.symmetry.groups.group_names import group_from_name

if TYPE_CHECKING:
    import xarray


class GroupTables(Experiment):
    """A run on a group's table made ready."""

    study: TableStudy

    def __init__(self, c: ClassifyConfiguration):
        self.configuration, self.every = c, max(1, c.checkpoint_every)
        o, name = c.optimiser, c.data.name
        group = group_from_name(name.partition(":")[2], "data.name")
        _, width = check_table_network(c.network.name)
        share = 1 - c.data.test_share
        self.memory = _memory(group.order, width, share)
        self.source = data_record(group_table(group, share, seed=c.data.seed))
        self.study = table_study(
            group, c.network.name, share=share, epochs=o.epochs, batch=o.batch, learning_rate=o.learning_rate,
            weight_decay=o.weight_decay, seed=c.data.seed, key=jax.random.key(c.seed),
        )  # fmt: skip

    def announce(self) -> None:
        """The table, the network, and how long it will learn."""
        study, c = self.study, self.configuration
        n, (learnt, held) = study.group.order, study.pairs
        print(
            f"{c.data.name}: {n} elements, {n * n} products; {len(learnt)} learnt from, {len(held)} held out"
        )
        count = parameter_count(study.begin.module)
        print(f"{c.network.name}, {count} parameters; {c.optimiser.epochs} epochs", flush=True)

    def describe(self, record: Scalars) -> str:
        """
        >>> GroupTables.describe(None, {"accuracy": 1.0, "validation_accuracy": 0.5, "symmetry_error": 0.25})
        'learnt from 100.00 %  held out 50.00 %  equivariance error 0.25'
        """
        shares = 100 * record["accuracy"], 100 * record["validation_accuracy"]
        words = f"learnt from {shares[0]:.2f} %  held out {shares[1]:.2f} %"
        return f"{words}  equivariance error {record['symmetry_error']:.3g}"

    def finish(self, state: PyTree, history: list[Scalars], seconds: Callable[[], float]) -> Finished:
        """The last look, and the files that tell of all."""
        c, study = self.configuration, self.study
        fit = study.finish(state, history)
        network, found = fit.model, emergent_symmetry(fit)
        pairs = study.pairs[1].astype(np.float32)
        log_p = log_probabilities(network, pairs)
        labels = study.group.product_table[study.pairs[1][:, 0], study.pairs[1][:, 1]]
        learnt = study.group.product_table[study.pairs[0][:, 0], study.pairs[0][:, 1]]
        record: dict[str, Any] = {
            "kind": c.kind,
            "version": __version__,
            "network": c.network.name,
            "group": study.group.name,
            "space": None,
            "parameters": parameter_count(network),
            "epochs": c.optimiser.epochs,
            "best": None,
            "precision": c.precision,
            "seed": c.seed,
            "data": self.source,
            "learnt_from": len(study.pairs[0]),
            "tested_on": "test",
            "test": accuracy_record(log_p, labels),
            "baseline": commonest_class(log_p, labels, learnt),
            "validation": None,
            "classes": [str(k) for k in range(study.group.order)],
            "confusion": None,
            "angles": None,
            "rotations": None,
            "equivariance": [],
            "emergence": emergence_record(found),
            "warnings": list(fit.warnings),
            "seconds": seconds(),
            "versions": versions(),
        }

        def write(folder: RunFolder) -> None:
            write_aside_with(folder.path / NETWORK, lambda path: save_network(path, network))

        return Finished(record, lambda: _dataset(fit, found, history), headline(record), write)


def emergence_record(found: EmergentSymmetry) -> dict[str, Any]:
    """What result.json says of it."""
    return {
        "group": found.group,
        "irreps": list(found.irreps),
        "memorised": plain(found.memorised),
        "generalised": plain(found.generalised),
        "first_error": float(found.error[0]),
        "error": float(found.error[-1]),
        "class_error": float(found.class_error[-1]),
        "energy": found.energy[-1].tolist(),
        "weights": [plain(float(x)) for x in found.weights[-1]],
        "unit": found.unit.tolist(),
    }


def headline(record: dict[str, Any]) -> list[str]:
    """The accuracy of the pairs held out, when they were learned, and the symmetry that came with it."""
    test, e = record["test"], record["emergence"]
    share, error = 100 * test["accuracy"], 100 * test["error"]
    said = [f"held-out products {share:.2f} ± {error:.2f} % of {test['count']} right"]
    times = [
        f"{what} {'never' if e[what] is None else f'at update {e[what]:.0f}'}"
        for what in ("memorised", "generalised")
    ]
    said.append(", ".join(times))
    said.append(
        f"equivariance error under G × G, G = {record['group']}: {e['first_error']:.3g} → {e['error']:.3g}"
    )
    return said


def _dataset(fit: TableFit, found: EmergentSymmetry, history: list[Scalars]) -> xarray.Dataset:
    """`result.nc`."""
    import xarray

    symmetry = table_symmetry(table_scores(fit.model, fit.group), fit.group)
    variables: dict[str, Any] = {
        "irrep_energy": (("line", "irrep"), found.energy),
        "irrep_weights": (("line", "irrep"), found.weights),
        "unit_energy": ("irrep", found.unit),
        "score": ("element", symmetry.function),
        "right": (("left", "right"), symmetry.right.astype(np.int8)),
        "learnt_from": (("pair", "two"), fit.pairs),
    }
    columns = series(history, SCHEMA)
    variables |= {name: ("line", columns[name]) for name in SCHEMA.numbers if name in columns}
    variables |= parameter_variables(fit.model)
    attributes = {
        "title": f"a network learns the table of {found.group}",
        "source": f"intertwine {__version__}",
    }
    return xarray.Dataset(variables, coords={"irrep": list(found.irreps)}, attrs=attributes)


def _memory(order: int, width: int, share: float) -> int:
    """The hidden units of all pairs with their gradients, and the scores of all pairs."""
    item = jnp.zeros((), float).dtype.itemsize
    pairs = order**2
    needed = item * pairs * share * (6 * width + 8 * order) + 8 * pairs * order * 6
    return refuse_beyond(int(needed), "take a smaller group, a narrower network or a smaller batch")
