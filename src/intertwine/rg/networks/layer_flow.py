r"""The layers of a deep network followed as a flow: what each layer's spins look like as an Ising model.

Samples are passed upward, h^l ~ p(h^l | h^{l−1}) of each pair of layers, and every layer is laid out as a
square torus. Units of a trained network have no order and no sign of their own: a unit is put on the site
nearest to the centre of its receptive field (the assignment of least total distance), and turned so that
its field is positive. The nearest-neighbour energy is then read by the exact-energy thermometer: e(T) of
the same torus. Where fields are not local the layout means nothing, and the energy is that of independent
spins.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import jax
import numpy as np
from jaxtyping import Float, Int8, Int64
from numpy.typing import ArrayLike

from intertwine._caveats import beneath, tell
from intertwine._checks import fail
from intertwine._shown import Shown, with_error
from intertwine.models.machines.deep_belief import DBN
from intertwine.models.machines.deep_boltzmann import DBM
from intertwine.models.machines.rbm import RBM
from intertwine.models.results import as_model
from intertwine.models.spins.spin_terms import spin_terms
from intertwine.rg.blocks.blocks import check_carried, checked_spins
from intertwine.rg.blocks.chains import chain_after_chain
from intertwine.rg.montecarlo.moment_matching import binned_mean
from intertwine.rg.networks.receptive_fields import ReceptiveFields, receptive_fields, upward
from intertwine.rg.networks.thermometer import Temperature, ising_temperature
from intertwine.sampling.statistics.joined_bins import caveats_of
from intertwine.spaces.lattice import Lattice

_BINS = 20


@dataclass(frozen=True, eq=False, repr=False)
class LayerFlow(Shown):
    """Layer 0 is the visible one.

    energies, errors: −Σ s s'/N of every layer and one σ, (layers,). temperatures: of the Ising model with
    this energy on the same torus. magnetizations: ⟨|m|⟩. orders: the site of each unit, a layer. fields: of
    the hidden layers. warnings: of samples that are few for their autocorrelation, lines `code: sentence`.
    """

    energies: Float[np.ndarray, " layers"]
    errors: Float[np.ndarray, " layers"]
    temperatures: tuple[Temperature, ...]
    magnetizations: Float[np.ndarray, " layers"]
    orders: tuple[Int64[np.ndarray, " M"], ...]
    fields: ReceptiveFields
    lattices: tuple[Lattice, ...]
    warnings: tuple[str, ...] = ()

    def __str__(self) -> str:
        lines = [f"{'layer':>5} {'lattice':<14} {'energy/site':>18} {'|m|':>7}   temperature"]
        for k, lattice in enumerate(self.lattices):
            energy = with_error(self.energies[k], self.errors[k], "+.4f")
            words = f"{self.magnetizations[k]:7.3f}   {self.temperatures[k]}"
            lines.append(f"{k:>5} {lattice.name:<14} {energy:>18} {words}")
        return beneath("\n".join(lines), self.warnings)


def layer_flow(
    model: RBM | DBM | DBN, samples: ArrayLike, lattices: Sequence[Lattice], *, key: jax.Array | None = None
) -> LayerFlow:
    """Every layer's energy and temperature.

    model: with two-state units. samples: spins ±1 (n, N) of the visible layer, n ≥ 40, in the order in which
    they were drawn. lattices: a square torus a layer, the visible one's first, as many sites as units. key:
    None is `jax.random.key(0)`.

    Raises InputError for other sizes, lattices and units.

    >>> from intertwine.rg.blocks.block_rbm import block_rbm
    >>> from intertwine.spaces.lattices import Square
    >>> rows = np.ones((40, 64), np.int8)
    >>> flow = layer_flow(block_rbm(Square(8), b=2, w=1.0), rows, [Square(8), Square(4)])
    >>> flow.energies[0], bool(flow.energies[1] < -1.9)
    (np.float64(-2.0), True)
    """
    layers, lattices, orders, fields = _placed(as_model(model), samples, lattices, key)
    energies = [_energies(x.astype(np.int8), lattice) for x, lattice in zip(layers, lattices, strict=True)]
    binned = [binned_mean(e[:, None], _BINS) for e in energies]
    means = [float(mean[0]) for mean, _, _ in binned]
    errors = [float(covariance[0, 0]) ** 0.5 for _, covariance, _ in binned]
    readings = (ising_temperature(e, g, s) for e, g, s in zip(means, lattices, errors, strict=True))
    size = np.array([float(np.abs(x.mean(1)).mean()) for x in layers])
    warnings = caveats_of(samples, next((words for _, _, words in binned if words), ""))
    tell(warnings)
    return LayerFlow(
        np.array(means), np.array(errors), tuple(readings), size, tuple(orders), fields, lattices, warnings
    )


def placed_layers(
    model: RBM | DBM | DBN, samples: ArrayLike, lattices: Sequence[Lattice], *, key: jax.Array
) -> tuple[list[Int8[np.ndarray, "n M"]], tuple[Lattice, ...]]:
    """(spins ±1 of every layer at their sites, the visible ones first; the lattices); arguments and errors as
    for `layer_flow`."""
    layers, lattices, _, _ = _placed(as_model(model), samples, lattices, key)
    return [x.astype(np.int8) for x in layers], tuple(lattices)


def _placed(
    model: RBM | DBM | DBN, samples: ArrayLike, lattices: Sequence[Lattice], key: jax.Array | None
) -> tuple[list[np.ndarray], tuple[Lattice, ...], list[np.ndarray], ReceptiveFields]:
    """Layers, lattices, the site of each unit, and receptive fields."""
    lattices = tuple(lattices)
    if not lattices:
        raise fail("lattices", "a lattice a layer", lattices)
    fields = receptive_fields(model, lattices[0])
    if len(lattices) != len(fields.fields) + 1:
        raise fail("lattices", f"{len(fields.fields) + 1} of them, one per layer", len(lattices))
    check_carried(samples, lattices[0])
    v = checked_spins(chain_after_chain(samples), lattices[0])
    if v.ndim != 2 or len(v) < 2 * _BINS:
        raise fail("samples", f"spins (n ≥ {2 * _BINS}, {lattices[0].size})", f"shape {v.shape}")
    layers: list[np.ndarray] = [v]
    orders = [np.arange(lattices[0].size)]
    hidden = upward(model, lattices[0], v, key=jax.random.key(0) if key is None else key)
    for k, (spins, lattice) in enumerate(zip(hidden, lattices[1:], strict=True)):
        if lattice.size != spins.shape[1]:
            raise fail("lattices", f"{spins.shape[1]} sites for layer {k + 1}", lattice.name)
        order = _assigned(fields.centres[k] / lattices[0].extent, lattice)
        sign = np.where(fields.fields[k].sum(1) < 0, -1, 1)
        placed = np.empty_like(spins)
        placed[:, order] = spins * sign
        layers.append(placed)
        orders.append(order)
    return layers, lattices, orders, fields


def _assigned(centres: np.ndarray, lattice: Lattice) -> np.ndarray:
    """The site of each unit: centres as shares of the torus (M, d), by least total distance."""
    from scipy.optimize import linear_sum_assignment

    extent = np.array(lattice.extent)
    sites = np.indices(lattice.extent).reshape(lattice.dimension, -1).T
    apart = centres[:, None] * extent - sites[None]
    # block spins sit between the sites that they block: only differences of centres matter
    shift = np.angle(np.exp(2j * np.pi * centres * extent).mean(0)) / (2 * np.pi)
    apart = (apart - shift + extent / 2) % extent - extent / 2
    units, found = linear_sum_assignment((apart**2).sum(-1))
    return found[np.argsort(units)].astype(np.int64)


def _energies(spins: np.ndarray, lattice: Lattice) -> np.ndarray:
    return -spin_terms(lattice, "nearest").sum(spins) / lattice.size
