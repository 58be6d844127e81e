r"""What the hidden units of each layer look at: receptive fields on the lattice of the visible ones.

    R¹ = W¹,      Rˡ = W¹ W² ⋯ Wˡ,      Rˡ (N, M_l), one column per unit

(Mehta & Schwab, arXiv:1410.3831, 2014), or, of data, the correlation of each unit's mean with each visible
unit. With p_i = R_ik² / Σ_j R_jk² the width of unit k is the radius of gyration √(Σ_i p_i d(r_i, c)²)
about its centre c on the torus, and its participation 1/Σ_i p_i² the number of sites that it sees. Block
spins by b have widths that grow by b with each level.
"""

from __future__ import annotations

from dataclasses import dataclass

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float
from numpy.typing import ArrayLike

from intertwine._checks import fail
from intertwine._shown import Shown
from intertwine.models.machines.deep_belief import DBN
from intertwine.models.machines.deep_boltzmann import DBM
from intertwine.models.machines.rbm import RBM
from intertwine.models.machines.unit_layer import UnitLayer
from intertwine.models.results import as_model
from intertwine.rg.blocks.blocks import checked_spins
from intertwine.spaces.lattice import Lattice


@dataclass(frozen=True, eq=False, repr=False)
class ReceptiveFields(Shown):
    """Of every hidden layer, from the first up.

    fields: float64 (M_l, N), one row per unit. centres: (M_l, d), in cells. widths, participations: (M_l,),
    in cells and in sites. lattice: of the visible units.
    """

    fields: tuple[Float[np.ndarray, "M N"], ...]
    centres: tuple[Float[np.ndarray, "M d"], ...]
    widths: tuple[Float[np.ndarray, " M"], ...]
    participations: tuple[Float[np.ndarray, " M"], ...]
    lattice: Lattice

    @property
    def mean_widths(self) -> Float[np.ndarray, " layers"]:
        """The mean width of every layer, units weighted by Σ_i R_ik²: those not in use count little."""
        return self._means(self.widths)

    @property
    def mean_participations(self) -> Float[np.ndarray, " layers"]:
        """The mean number of sites of every layer, weighted likewise."""
        return self._means(self.participations)

    def _means(self, values: tuple[np.ndarray, ...]) -> np.ndarray:
        strengths = [np.maximum((field**2).sum(1), 1e-300) for field in self.fields]
        return np.array([float(w @ x / w.sum()) for w, x in zip(strengths, values, strict=True)])

    def __str__(self) -> str:
        """One row per layer: units, weighted means of widths and sites, and the range over the units."""
        lines = [f"{'layer':>5} {'units':>6} {'width (cells)':>20} {'sites':>20}"]
        means = zip(self.mean_widths, self.mean_participations, strict=True)
        for k, (mean, width, sites) in enumerate(zip(means, self.widths, self.participations, strict=True)):
            both = zip(mean, (width, sites), strict=True)
            cells = [f"{m:.2f} ({x.min():.2f}–{x.max():.2f})" for m, x in both]
            lines.append(f"{k + 1:>5} {len(width):>6} {cells[0]:>20} {cells[1]:>20}")
        return "\n".join(lines)


def receptive_fields(
    model: RBM | DBM | DBN, lattice: Lattice, *, samples: ArrayLike | None = None
) -> ReceptiveFields:
    """The receptive fields of all hidden layers.

    model: an RBM, DBM or DBN whose visible units are the sites of `lattice`, with one site per cell. samples:
    None for the products of the weights; spins ±1 (n, N), n ≥ 2, for correlations over them.

    Raises InputError for other models, sizes, and samples.

    >>> from intertwine.spaces.lattices import Square
    >>> from intertwine.rg.blocks.block_rbm import block_rbm
    >>> print(receptive_fields(block_rbm(Square(4, 4), b=2), Square(4, 4)))
    layer  units        width (cells)                sites
        1      4     0.71 (0.71–0.71)     4.00 (4.00–4.00)
    """
    model = as_model(model)
    _check(model, lattice)
    fields = _products(model) if samples is None else _correlations(model, lattice, samples)
    measured = [_shape_of(field, lattice) for field in fields]
    centres, widths, sites = (tuple(part) for part in zip(*measured, strict=True))
    return ReceptiveFields(tuple(fields), centres, widths, sites, lattice)


def layers_upward(
    model: RBM | DBM | DBN,
) -> list[tuple[Float[np.ndarray, "n m"], Float[np.ndarray, " m"], UnitLayer]]:
    """(weights, bias, units) of every layer, each read as that of an RBM with the layer below."""
    if isinstance(model, RBM):
        found = [(model.weights, model.hidden_bias, model.hidden_layer)]
    elif isinstance(model, DBM):
        found = list(zip(model.weights, model.biases[1:], model.layers[1:], strict=True))
    else:
        found = [(arrow.weights, arrow.bias, arrow.layer) for arrow in model.recognition]
        found.append((model.top.weights, model.top.hidden_bias, model.top.hidden_layer))
    return [(np.asarray(w, np.float64), np.asarray(b, np.float64), layer) for w, b, layer in found]


def _check(model: RBM | DBM | DBN, lattice: Lattice) -> None:
    if not isinstance(model, RBM | DBM | DBN):
        raise fail("model", "an RBM, DBM or DBN", type(model).__name__)
    if not isinstance(lattice, Lattice) or lattice.basis_size != 1:
        raise fail("lattice", "a lattice with one site per cell", lattice)
    if lattice.size != model.size:
        raise fail("lattice", f"the lattice of {model.size} visible units", lattice.name)


def _products(model: RBM | DBM | DBN) -> list[np.ndarray]:
    found: list[np.ndarray] = []
    for weights, _, _ in layers_upward(model):
        found.append(weights.T if not found else weights.T @ found[-1])
    return found


def _correlations(model: RBM | DBM | DBN, lattice: Lattice, samples: ArrayLike) -> list[np.ndarray]:
    """Of the means of hidden units, passed upward, with the visible spins."""
    v = checked_spins(samples, lattice).astype(np.float64)
    if v.ndim != 2 or len(v) < 2:
        raise fail("samples", f"spins (n ≥ 2, {lattice.size})", f"shape {v.shape}")
    units = model.units if isinstance(model, RBM) else _first_layer(model).spec
    x, found = (1 + v) / 2 if units == "binary" else v, []
    v = (v - v.mean(0)) / np.maximum(v.std(0), 1e-300)
    for weights, bias, layer in layers_upward(model):
        x = np.asarray(layer.mean(jnp.asarray(bias + x @ weights)), np.float64)
        spread = np.maximum(x.std(0), 1e-300)
        found.append(((x - x.mean(0)) / spread).T @ v / len(v))
    return found


def _first_layer(model: DBM | DBN) -> UnitLayer:
    return model.layers[0] if isinstance(model, DBM) else model.visible_layer


def _shape_of(field: np.ndarray, lattice: Lattice) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Centres, widths and participations of rows (M, N)."""
    power = field**2
    share = power / np.maximum(power.sum(1, keepdims=True), 1e-300)
    extent = np.array(lattice.extent)
    cells = np.indices(lattice.extent).reshape(lattice.dimension, -1).T
    turns = np.exp(2j * np.pi * cells / extent)
    periodic = np.angle(share @ turns) / (2 * np.pi) % 1 * extent
    centres = np.where(lattice.periodic, periodic, share @ cells)
    apart = cells[None] - centres[:, None]
    apart = np.where(lattice.periodic, (apart + extent / 2) % extent - extent / 2, apart)
    distance = ((apart @ lattice.basis_vectors) ** 2).sum(-1)
    return centres, np.sqrt((share * distance).sum(1)), 1 / np.maximum((share**2).sum(1), 1e-300)


def upward(
    model: RBM | DBM | DBN, lattice: Lattice, samples: ArrayLike, *, key: jax.Array
) -> list[Float[np.ndarray, "n M"]]:
    """Hidden states drawn layer by layer from spins ±1 (n, N), each as spins ±1 (n, M_l).

    Raises InputError for hidden units that have not two states.
    """
    _check(model, lattice)
    v = checked_spins(samples, lattice).astype(np.float64)
    units = model.units if isinstance(model, RBM) else _first_layer(model).spec
    x, found = (1 + v) / 2 if units == "binary" else v, []
    for k, (weights, bias, layer) in enumerate(layers_upward(model)):
        if not layer.is_two_state:
            raise fail("model", "hidden units of two states", str(layer.spec))
        x = np.asarray(layer.sample(jnp.asarray(bias + x @ weights), key=jax.random.fold_in(key, k)))
        found.append(x if layer.spec == "spin" else 2 * x - 1)
    return found
