r"""A group's symmetry as it emerges in a network that learns the group's table: `emergent_symmetry`.

    fit = it.fit_group_table("S4", key=key)     # or it.load(folder) of intertwine classify --data group:S4
    found = it.layers.emergent_symmetry(fit)
    found.memorised, found.generalised              # updates at which train and held-out pairs are right
    found.error, found.energy                       # along the training (see `table_symmetry`)

Nothing in the network knows the group: its weights are plain matrices, what is held out could be anything.
Where held-out pairs become right, the equivariance error falls as well, and the energy of the weights gathers
in few irreps (Gromov 2023; Chughtai, Chan & Nanda 2023). A training may memorise and no more, which the
caveats then say.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Bool, Float, PyTree

from intertwine._caveats import caveat
from intertwine._checks import fail
from intertwine._shown import Shown
from intertwine.layers.emergence.table_symmetry import (
    energies_by_irrep,
    irrep_frame,
    table_scores,
    table_symmetry,
)
from intertwine.symmetry.groups.finite_group import FiniteGroup, as_group
from intertwine.symmetry.groups.group_names import group_from_name

RIGHT = 0.99
"""The share of right products from which pairs count as learned."""

TENFOLD = 10.0
COLUMNS = ("updates", "accuracy", "validation_accuracy", "symmetry_error", "class_error")


@dataclass(frozen=True, eq=False, repr=False)
class EmergentSymmetry(Shown):
    """T looks at a network along its training. Arrays are float64.

    group: its name. irreps: names of the real irreps. updates: (T,) before each look. train, held_out: (T,)
    shares of right products among the pairs learnt from and the others; nan where it is not known which.
    error, class_error: (T,) equivariance error under G × G, and under the middle action too. energy:
    (T, irreps) shares of the energy of the scores' symmetric part; weights: (T, irreps) of both
    layers' weights, nan of other networks. unit: (irreps,) shares in the exact solution, `character_network`.
    """

    group: str
    irreps: tuple[str, ...]
    updates: Float[np.ndarray, " T"]
    train: Float[np.ndarray, " T"]
    held_out: Float[np.ndarray, " T"]
    error: Float[np.ndarray, " T"]
    class_error: Float[np.ndarray, " T"]
    energy: Float[np.ndarray, "T irreps"]
    weights: Float[np.ndarray, "T irreps"]
    unit: Float[np.ndarray, " irreps"]

    @property
    def memorised(self) -> float:
        """Updates after which 99 % of the pairs learnt from are right, nan for never; looks are apart."""
        return _first(self.updates, self.train)

    @property
    def generalised(self) -> float:
        """Updates after which 99 % of the pairs held out are right, nan for never."""
        return _first(self.updates, self.held_out)

    @property
    def fall(self) -> float:
        """By how much the equivariance error fell: first divided by last."""
        return float(self.error[0] / self.error[-1]) if self.error[-1] > 0 else math.inf

    @property
    def warnings(self) -> tuple[str, ...]:
        """What qualifies this: pairs that were memorised alone, or a training that had not ended."""
        return emergence_caveats(
            float(self.train[-1]), float(self.held_out[-1]), float(self.error[-1]), self.fall
        )

    def __str__(self) -> str:
        said = [f"{self.group}: equivariance error {self.error[0]:.3g} → {self.error[-1]:.3g}"]
        if np.isfinite(self.held_out[-1]):
            said.append(
                f"pairs learnt from {100 * self.train[-1]:.1f} %, held out {100 * self.held_out[-1]:.1f} %"
            )
            said.append(f"memorised {_at(self.memorised)}, generalised {_at(self.generalised)}")
        return "\n".join([*said, *(f"warning: {line}" for line in self.warnings)])


def _at(updates: float) -> str:
    return f"at update {updates:.0f}" if math.isfinite(updates) else "never"


def _first(updates: np.ndarray, share: np.ndarray) -> float:
    reached = np.flatnonzero(share >= RIGHT)
    return float(updates[reached[0]]) if len(reached) else math.nan


def emergence_caveats(train: float, held_out: float, error: float, fall: float) -> tuple[str, ...]:
    """The caveats of what a training ended with: shares of right products, equivariance error and its fall.

    >>> emergence_caveats(1.0, 1.0, 0.02, 50.0), len(emergence_caveats(1.0, 0.1, 0.8, 1.2))
    ((), 1)
    """
    said = []
    if math.isfinite(train) and train < RIGHT:
        words = f"{100 * train:.1f} % of the pairs learnt from are right"
        said.append(caveat("not-converged", f"{words}: the table is not learned; train longer"))
    elif math.isfinite(held_out) and held_out < RIGHT:
        words = f"the pairs learnt from are memorised, of those held out {100 * held_out:.1f} % are right"
        remedy = "learn from a larger share of the table, train longer, or with more weight decay"
        said.append(caveat("overfitting", f"{words}: the group is not learned; {remedy}"))
    elif fall < TENFOLD:
        words = f"the equivariance error is {error:.2g}, {fall:.1f} times below the first"
        said.append(caveat("not-equivariant", f"{words}: products are right before scores are symmetric"))
    return tuple(said)


def emergent_symmetry(
    run: PyTree,
    group: FiniteGroup | str | None = None,
    *,
    pairs: PyTree = None,
    updates: Sequence[float] | None = None,
) -> EmergentSymmetry:
    """How the symmetry of a group's multiplication emerges along a training.

    run: a fit of `it.fit_group_table`; a run of `intertwine classify --data group:…` that was loaded
        (`it.load(folder)`); a list of networks along a training, or one network: one-hot pairs (2g,) → scores
        (g,).
    group: of the table, a `FiniteGroup` or its name; known of fits and runs.
    pairs: for networks, the pairs (rows, 2) that were learnt from, so that accuracies can be told. updates:
        for networks, when each was looked at; 0, 1, 2, … by default.

    Raises InputError where the run kept nothing of its training, and for networks of other shapes.

    >>> from intertwine.layers.emergence.character_network import character_network
    >>> found = emergent_symmetry(character_network(group_from_name("S3")), "S3")
    >>> bool(found.error[0] < 1e-6), bool(np.allclose(found.energy[0, 1:] / found.unit[1:], 1.2))
    (True, True)
    """
    if isinstance(run, str):
        raise fail("run", "a fit, a run or networks", repr(run), f"give it.load({run!r})")
    looks = getattr(run, "looks", None)
    if looks is not None:
        return _of_looks(looks, run.group)
    networks = list(run) if isinstance(run, list | tuple) and not hasattr(run, "model") else None
    if networks is None and callable(run) and not hasattr(run, "history"):
        networks = [run]
    if not networks:
        remedy = "train with it.fit_group_table, or give the networks of several updates as a list"
        raise fail("run", "networks along a training", f"{type(run).__name__} with none of them", remedy)
    if group is None:
        raise fail("group", "the group whose table was learned", None, "such as 'S4'")
    group = group_from_name(group) if isinstance(group, str) else as_group(group)
    mask = None if pairs is None else _mask(pairs, group.order)
    times = list(range(len(networks))) if updates is None else [float(u) for u in updates]
    if len(times) != len(networks):
        raise fail("updates", f"one number for each of {len(networks)} networks", len(times))
    looked = [{"updates": t} | look(net, group, mask) for t, net in zip(times, networks, strict=True)]
    return _of_looks(looked, group)


def look(
    network: PyTree, group: FiniteGroup, learnt: Bool[np.ndarray, "g g"] | None = None
) -> dict[str, Any]:
    """One look at a network, for a line of metrics: accuracies, errors, and energies by irrep. learnt: which
    pairs were learnt from."""
    found = table_symmetry(table_scores(network, group), group)
    nothing = np.full(len(irrep_frame(group).names), np.nan)
    shares = _shares(energies_by_irrep(found.function, group))
    weights = nothing
    if all(hasattr(network, name) for name in ("left", "right", "out")):
        columns = [np.asarray(network.left), np.asarray(network.right), np.asarray(network.out).T]
        weights = _shares(sum(energies_by_irrep(w, group) for w in columns))
    return {
        "accuracy": math.nan if learnt is None else float(found.right[learnt].mean()),
        "validation_accuracy": math.nan
        if learnt is None or learnt.all()
        else float(found.right[~learnt].mean()),
        "symmetry_error": found.error,
        "class_error": found.class_error,
        "irrep_energy": [float(f"{x:.7g}") for x in shares],
        "irrep_weights": [float(f"{x:.7g}") for x in weights],
    }


def _shares(energies: PyTree) -> np.ndarray:
    total = float(np.sum(energies))
    return np.asarray(energies) / total if total > 0 else np.zeros(len(energies))


def _of_looks(looks: Sequence[dict[str, Any]], group: FiniteGroup) -> EmergentSymmetry:
    frame = irrep_frame(group)
    columns: list[Any] = [np.array([_number(row.get(name)) for row in looks]) for name in COLUMNS]
    tables: list[Any] = [
        np.array([[_number(x) for x in row[name]] for row in looks])
        for name in ("irrep_energy", "irrep_weights")
    ]
    named = zip(("updates", "train", "held_out", "error", "class_error"), columns, strict=True)
    return EmergentSymmetry(
        group=group.name,
        irreps=frame.names,
        energy=tables[0],
        weights=tables[1],
        unit=frame.unit,
        **dict(named),
    )


def _number(value: PyTree) -> float:
    return math.nan if value is None else float(value)


def _mask(pairs: PyTree, order: int) -> np.ndarray:
    rows = np.asarray(pairs)
    if rows.ndim != 2 or rows.shape[1] != 2 or rows.min(initial=0) < 0 or rows.max(initial=0) >= order:
        raise fail("pairs", f"pairs (rows, 2) of elements 0 … {order - 1}", f"shape {rows.shape}")
    mask = np.zeros((order, order), bool)
    mask[rows[:, 0], rows[:, 1]] = True
    return mask
