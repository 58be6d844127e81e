r"""The graph of a model: which variables its amplitude sums over, and which of them meet in a factor.

    ψ(s) = Σ_x Π_f φ_f(s, x)

The variables are the sites s, two states each, and those that are summed, x: hidden units, or indices of a
tensor network. Two variables are *linked* where some factor has both. For machines of layers the factors are
e^{W_ik s_i h_k}, a link for each non-zero weight; a coupling e^{J_ij s_i s_j} links two sites; a directed
layer p(y|x) = e^{yθ}/Z(θ), θ = b + Wᵀx, is a factor of y with everything above it. A field on one site links
nothing. A model that is none of these says its graph as `structure()`.

What the graph allows in entanglement is `quantum/entanglement/structure`.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain
from typing import Any, NamedTuple, Protocol, runtime_checkable

import numpy as np
from jaxtyping import Bool, Float, Int

from intertwine._checks import fail
from intertwine.models.machines.deep_belief import DBN
from intertwine.models.machines.rbm import RBM
from intertwine.models.machines.unit_kinds import unit_kind
from intertwine.models.machines.unit_layer import UnitLayer
from intertwine.models.protocols import SpinForm, SpinFormed
from intertwine.models.units import BinaryAsSpins


class Structure(NamedTuple):
    """The variables and what joins them.

    size: the number of sites N; they are the variables 0 to N − 1. states: float64 (V,), how many states each
    variable has (2 a site, inf a continuous unit). links: int64 (E, 2), pairs of variables. factors: sets of
    three and more variables that meet in one factor. names: of the variables that are summed, `names[k]` of
    variable N + k; empty for "hidden k"."""

    size: int
    states: Float[np.ndarray, "V"]
    links: Int[np.ndarray, "E 2"]
    factors: tuple[tuple[int, ...], ...] = ()
    names: tuple[str, ...] = ()

    def name(self, variable: int) -> str:
        """E.g. "site 3", "hidden 0"."""
        if variable < self.size:
            return f"site {variable}"
        return self.names[variable - self.size] if self.names else f"hidden {variable - self.size}"


@runtime_checkable
class Structured(Protocol):
    """A model that says its graph."""

    def structure(self) -> Structure: ...


def structure_of(model: object) -> Structure:
    """The graph of an RBM, a symmetric RBM, a Jastrow or product state, a DBM, a DBN (its p(v) as
    amplitudes), a circuit, or any model with `structure()` or `spin_form()`.

    Raises InputError for any other model, and for sites that are not two-state.

    >>> import jax
    >>> found = structure_of(RBM(3, hidden=2, key=jax.random.key(0)))
    >>> found.size, found.states.tolist(), len(found.links), found.name(4)
    (3, [2.0, 2.0, 2.0, 2.0, 2.0], 6, 'hidden 1')
    """
    if isinstance(model, BinaryAsSpins):
        model = model.model
    if isinstance(model, Structured):
        return model.structure()
    machine: Any = model
    if isinstance(model, RBM):
        return _of_layers((model.visible_layer, model.hidden_layer), (model.weights,))
    if isinstance(model, DBN):
        return _of_belief_network(model)
    if isinstance(model, SpinFormed):
        return of_spin_form(model.spin_form())
    if all(hasattr(model, name) for name in ("weights", "layers", "biases")):
        return _of_layers(machine.layers, machine.weights)
    raise fail(
        "model",
        "a model whose graph is known: RBM, SymmetricRBM, DBM, DBN, Jastrow, MeanField, a circuit",
        type(model).__name__,
        "give it a method structure() (models/structure.py)",
    )


def of_spin_form(form: SpinForm) -> Structure:
    """The graph of couplings and weights that are not 0.

    >>> from intertwine.models.jastrow import Jastrow
    >>> import jax
    >>> of_spin_form(Jastrow(3, key=jax.random.key(0)).spin_form()).links.tolist()
    [[0, 1], [0, 2], [1, 2]]
    """
    weights = np.asarray(form.weights)
    size, hidden = weights.shape
    links = [linked(weights != 0, 0, size)]
    if form.coupling is not None:
        links.append(linked(np.triu(np.asarray(form.coupling) != 0, 1), 0, 0))
    return Structure(size, np.full(size + hidden, 2.0), np.concatenate(links))


def linked(there: Bool[np.ndarray, "n m"], rows: int, columns: int) -> Int[np.ndarray, "E 2"]:
    """The pairs (rows + i, columns + k) where `there[i, k]`.

    >>> linked(np.eye(2, dtype=bool), 0, 5).tolist()
    [[0, 5], [1, 6]]
    """
    return np.argwhere(there).astype(np.int64) + np.array([rows, columns])


def _of_layers(layers: Sequence[UnitLayer], weights: Sequence[Any]) -> Structure:
    """Machines whose neighbouring layers are linked by weights."""
    first, units = _numbered(layers)
    links = [
        linked(_between(layers[k], layers[k + 1], np.asarray(w)), first[k], first[k + 1])
        for k, w in enumerate(weights)
    ]
    return _structure(layers, units, np.concatenate(links))


def _of_belief_network(model: DBN) -> Structure:
    """p(v|h¹) … of directed layers, and the RBM on top."""
    layers = model.layers
    first, units = _numbered(layers)
    below = len(layers) - 2
    top = _between(layers[below], layers[-1], np.asarray(model.top.weights))
    pairs, factors = [linked(top, first[below], first[below + 1])], []
    for k, arrow in enumerate(model.generative):
        meets = _between(layers[k], layers[k + 1], np.asarray(arrow.weights).T)
        for unit, above in enumerate(meets):
            group = (first[k] + unit, *(first[k + 1] + np.flatnonzero(above)))
            if len(group) == 2:
                pairs.append(np.array([group]))
            elif len(group) > 2:
                factors.append(tuple(int(v) for v in group))
    return _structure(layers, units, np.concatenate(pairs), tuple(factors))


def _structure(
    layers: Sequence[UnitLayer], units: list[list[float]], links: np.ndarray, factors: tuple = ()
) -> Structure:
    states = np.array(list(chain.from_iterable(units)))
    if not (np.array(units[0]) == 2).all():
        got = f"visible units {layers[0].spec!r}"
        raise fail("model", "sites of two states (spin, binary)", got)
    names = [f"unit {i} of layer {k}" for k, part in enumerate(units[1:], 1) for i in range(len(part))]
    return Structure(len(units[0]), states, links, factors, tuple(names) if len(layers) > 2 else ())


def _numbered(layers: Sequence[UnitLayer]) -> tuple[list[int], list[list[float]]]:
    """(the number of each layer's first unit, the states of its units)."""
    units = [[_states(kind) for kind in _kinds(layer)] for layer in layers]
    ends = np.cumsum([len(part) for part in units])
    return [0, *(int(end) for end in ends[:-1])], units


def _states(kind: str) -> float:
    return float(len(unit_kind(kind).states)) or np.inf


def _kinds(layer: UnitLayer) -> list[str]:
    """The kind of each unit."""
    return [kind for kind, columns in layer.parts for _ in range(columns // unit_kind(kind).columns)]


def _between(below: UnitLayer, above: UnitLayer, weights: np.ndarray) -> Bool[np.ndarray, "n m"]:
    """Which units are linked: those of which some columns have a weight."""
    there = weights != 0
    for axis, layer in enumerate((below, above)):
        widths = [unit_kind(kind).columns for kind in _kinds(layer)]
        there = np.add.reduceat(there, np.concatenate([[0], np.cumsum(widths)[:-1]]), axis=axis) > 0
    return there
