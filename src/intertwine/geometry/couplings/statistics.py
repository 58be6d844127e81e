r"""What the couplings of a model are: the sums S that they multiply, and where the model stands.

    p_θ(s) ∝ Ψ(s) e^{(θ − θ_0)·S(s)}

so that any model with any sums is a point θ_0 of an exponential family. Of spins on a lattice the sums have
names (`spin_terms`); "nearest:0", "nearest:1", … are the bonds of one direction alone; "temperature" is ln Ψ
itself, at β = 1, of every model; a function of configurations gives any others, counted from 0.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import PyTree
from numpy.typing import ArrayLike

from intertwine._checks import fail
from intertwine.geometry.spectrum import log_weights
from intertwine.models.spins.ising import Ising
from intertwine.models.spins.potts import Clock, Potts
from intertwine.models.spins.spin_terms import Shape, linked_bonds, spin_terms
from intertwine.spaces.lattice import Lattice

SPINS, EQUAL, FIRST = "spins", "equal", "first"
"""Kinds of terms: products of spins ±1, whether states are all equal, whether the one state is 0."""

_BATCH = 2**14

Couplings = str | Sequence[str | Shape] | Callable[[np.ndarray], object] | None
"""How couplings are asked for: names, shapes, a function of configurations, or what is usual."""


class Statistics(NamedTuple):
    """names: of the n couplings. sums: configurations (S, N) → S, float64 (S, n). theta: θ_0, (n,). odd:
    which sums change their sign with all spins where the model does not, else none. terms: (sites, kind) of
    each, where all are sums of local terms, else None. states: q of a site where it is known."""

    names: tuple[str, ...]
    sums: Callable[[np.ndarray], np.ndarray]
    theta: np.ndarray
    odd: np.ndarray
    terms: tuple[tuple[np.ndarray, str], ...] | None = None
    states: int = 2


def statistics_of(model: PyTree, couplings: Couplings) -> Statistics:
    """Of a model; couplings: None (nearest and field), names, shapes or a function of configurations.

    Raises InputError for names that the model does not have.
    """
    if callable(couplings):
        return _own(couplings, model.size)
    spins = isinstance(model, Ising | Potts | Clock)
    if couplings is None and spins and not isinstance(model, Clock):
        couplings = ("nearest", "field")
    chosen = (couplings,) if isinstance(couplings, str) else tuple(couplings or ())
    if not chosen or len(set(map(str, chosen))) < len(chosen):
        example = "('nearest', 'field')" if spins else "('temperature', …) or a function of configurations"
        raise fail("couplings", "different couplings", couplings, f"for example {example}")
    columns, terms, theta, odd, names = [], [], [], [], []
    for name in chosen:
        label, of, local, value, turns = _one(model, name)
        names.append(label)
        columns.append(of)
        terms.append(local)
        theta.append(value)
        odd.append(turns)
    even = isinstance(model, Ising) and not _breaks(model)
    return Statistics(
        tuple(names),
        lambda rows: np.stack([column(rows) for column in columns], -1),
        np.array(theta, np.float64),
        np.array(odd) & even,
        None if any(part is None for part in terms) else tuple(terms),
        getattr(model, "states", 2),
    )


def words_of(couplings: Couplings) -> tuple[str, ...]:
    """Names that are given, as a tuple."""
    if isinstance(couplings, str):
        return (couplings,)
    if couplings is None or callable(couplings):
        raise fail("couplings", "names", couplings)
    return tuple(map(str, couplings))


def of_lattice(lattice: Lattice, couplings: Couplings, states: int | None) -> Statistics:
    """Of configurations of a lattice whose couplings are not known: θ_0 is nan."""
    model = Ising(lattice, 0.0) if states is None else Potts(lattice, states, 0.0)
    found = statistics_of(model, couplings)
    return found._replace(theta=np.full(len(found.names), np.nan), odd=np.zeros(len(found.names), bool))


def fixed_terms(model: PyTree) -> tuple[tuple[np.ndarray, str, np.ndarray], ...]:
    """All of ln Ψ as local terms: (sites, kind, strengths)."""
    bonds, numbers = linked_bonds(model.lattice)
    strength = np.asarray(model.coupling, np.float64)
    strength = strength[numbers] if strength.ndim else np.full(len(bonds), strength)
    alone = np.arange(model.size, dtype=np.int32)[:, None]
    field = np.broadcast_to(np.asarray(model.field, np.float64), (model.size,))
    if isinstance(model, Potts):
        return (bonds, EQUAL, strength), (alone, FIRST, field)
    further = [
        (terms.sites, SPINS, np.full(len(terms.sites), float(value)))
        for terms, value in zip(model.terms, np.asarray(model.strengths), strict=True)
    ]
    return (bonds, SPINS, strength), (alone, SPINS, field), *further


def term_value(columns: Sequence[np.ndarray], kind: str, *, levels: bool = False) -> np.ndarray:
    """A term from the values of its sites: spins ±1, or states; `levels`: spins as states 0 (+1) and 1."""
    if kind == SPINS:
        found = 1.0
        for column in columns:
            found = found * (1.0 - 2.0 * column if levels else column.astype(np.float64))
        return np.asarray(found)
    if kind == FIRST:
        return (columns[0] == 0).astype(np.float64)
    same = np.asarray(True)
    for column in columns[1:]:
        same = same & (column == columns[0])
    return same.astype(np.float64)


def _own(function: Callable[[np.ndarray], object], size: int) -> Statistics:
    def sums(rows: np.ndarray) -> np.ndarray:
        found = np.asarray(function(rows), np.float64)
        if found.ndim != 2 or len(found) != len(rows) or not np.isfinite(found).all():
            expected = f"a function of configurations (S, {size}) with finite sums (S, n)"
            raise fail("couplings", expected, f"shape {found.shape}")
        return found

    count = sums(np.ones((2, size), np.int8)).shape[1]
    names = tuple(f"sum {k}" for k in range(count))
    return Statistics(names, sums, np.zeros(count), np.zeros(count, bool))


def _breaks(model: Ising) -> bool:
    """Whether turning all spins over changes ln Ψ."""
    own = bool(np.asarray(model.field).any())
    strengths = np.asarray(model.strengths)
    return own or any(t.parity == "odd" and x != 0 for t, x in zip(model.terms, strengths, strict=True))


def _one(
    model: PyTree, name: str | Shape
) -> tuple[str, Callable, tuple[np.ndarray, str] | None, float, bool]:
    """(label, sums of rows, local terms, θ_0, whether it turns with the spins)."""
    if name == "temperature":
        return "temperature", lambda rows: _in_batches(model, rows), None, 1.0, False
    if not isinstance(model, Ising | Potts):
        expected = "'temperature' or a function of configurations"
        raise fail("couplings", f"{expected} of a {type(model).__name__}", name)
    label, sites, at = _sites(model, name)
    potts_kind = FIRST if sites.shape[1] == 1 else EQUAL
    kind = potts_kind if isinstance(model, Potts) else SPINS

    def sums(rows: np.ndarray) -> np.ndarray:
        total = np.zeros(len(rows))
        for start in range(0, len(rows), _BATCH):
            part = rows[start : start + _BATCH]
            columns = [part[:, column] for column in sites.T]
            total[start : start + _BATCH] = term_value(columns, kind).sum(1)
        return total

    return label, sums, (sites, kind), at, kind == SPINS and sites.shape[1] % 2 == 1


def _in_batches(model: PyTree, rows: np.ndarray) -> np.ndarray:
    return np.concatenate(
        [log_weights(model, rows[start : start + _BATCH]) for start in range(0, len(rows), _BATCH)]
    )


def _sites(model: Ising | Potts, name: str | Shape) -> tuple[str, np.ndarray, float]:
    """(label, sites (T, k), θ_0) of one named family, or of the bonds of one direction."""
    word, _, number = name.partition(":") if isinstance(name, str) else ("", "", "")
    if word == "nearest" and number.isdigit():
        return str(name), _direction(model, int(number)), _uniform(model.coupling)
    if name == "nearest":
        return "nearest", linked_bonds(model.lattice)[0], _uniform(model.coupling)
    terms = spin_terms(model.lattice, name)
    if isinstance(model, Potts):
        at = float(model.field) if name == "field" else 0.0
    else:
        known = {t.name: float(x) for t, x in zip(model.terms, np.asarray(model.strengths), strict=True)}
        at = _uniform(model.field) if name == "field" else known.get(terms.name, 0.0)
    return terms.name, terms.sites, at


def _uniform(value: ArrayLike) -> float:
    """The coupling; 0, to count from, where bonds or sites have ones of their own."""
    return float(np.asarray(value)) if np.ndim(value) == 0 else 0.0


def _direction(model: Ising | Potts, number: int) -> np.ndarray:
    """The bonds along the direction `number` of a lattice of one site a cell."""
    lattice = model.lattice
    terms = spin_terms(lattice, "nearest")
    if number >= len(terms.shapes):
        count = len(terms.shapes)
        expected = f"one of {count} directions of bonds" if count else "directions on a Bravais lattice"
        raise fail("couplings", expected, f"nearest:{number}")
    each = len(terms.sites) // len(terms.shapes)
    if each * len(terms.shapes) != len(terms.sites) or not all(lattice.periodic):
        raise fail("couplings", "bonds by direction on a torus", f"nearest:{number} on {lattice.name}")
    return terms.sites[number * each : (number + 1) * each]
