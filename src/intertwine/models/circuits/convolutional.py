r"""The convolutional arithmetic circuit: convolutions and products, and nothing else, as a wave function.

    x⁰_i = (1, 0) or (0, 1) for s_i = ±1
    x^l_u,c = Π_k Σ_d W^l_{k,c,d} x^{l−1}_{u+k,d}          a window of K positions along each direction
    ψ(s) = Σ_c v_c Π_u x^L_u,c

(Levine, Sharir, Cohen & Shashua, PRL 122, 065301 (2019); generalised convolutions: Sharir & Shashua, ICLR
2018). Without overlap (a window at every K-th position) each feature is used once: a tree tensor network with
bonds of r states. With overlap each is used by several windows; a tensor network cannot copy a vector, but it
can hold its whole subtree again for each use, down to the sites, which are copied freely. That network is
`structure()`: all its indices are summed once, each copy apart, and its least cut bounds the rank
(`it.entanglement.bound`). With overlap the cut grows with every layer, up to that of all sites; half of a
tree stays at ln r.

W = e^λ and v = e^λ: with real λ all weights are positive and ψ > 0 (a sum-product network), with complex λ it
is a wave function, holomorphic in λ.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from jax.typing import DTypeLike
from jaxtyping import Int, Num, Shaped

from intertwine import _checks
from intertwine.models.circuits.features import log_features, log_sum, of_spins, split, weights_of
from intertwine.models.circuits.unrolled import Unrolled
from intertwine.models.circuits.windows import windows
from intertwine.models.machines.hidden_units import check_configuration
from intertwine.models.numerics import real_dtype
from intertwine.models.parameters import check_key, check_scale, normal, parameter_dtype
from intertwine.models.protocols import Kind
from intertwine.models.structure import Structure

if TYPE_CHECKING:
    from intertwine.spaces.lattice import Lattice


class ConvolutionalCircuit(eqx.Module):
    r"""A convolutional arithmetic circuit of spins ±1.

    size: the number of sites of a ring, or a lattice with one site a cell. layers: L. rank: r, the features
    of every layer. kernel: K. overlap: a window at every position, or at every K-th (a tree).
    dtype: complex or float (ψ > 0) or an exact floating type. scale: standard deviation of the initial λ.

    weights[l]: λ of W, (K^d, r, r), of the first layer (K^d, r, 2). top: λ of v, (r,).
    Raises InputError for numbers that are not positive, and lattices with several sites a cell.

    >>> psi = ConvolutionalCircuit(8, layers=2, rank=4, key=jax.random.key(0))
    >>> [w.shape for w in psi.weights], psi(jnp.ones(8)).shape, psi.kind
    ([(2, 4, 2), (2, 4, 4)], (), 'holomorphic')
    """

    weights: tuple[Num[Array, "W r d"], ...]
    top: Num[Array, "r"]
    tables: tuple[Int[Array, "P W"], ...]
    size: int = eqx.field(static=True)
    overlap: bool = eqx.field(static=True)

    def __init__(
        self,
        size: int | Lattice,
        layers: int,
        rank: int,
        *,
        kernel: int = 2,
        overlap: bool = True,
        dtype: DTypeLike = complex,
        scale: float = 0.1,
        key: Array,
    ):
        layers, rank = _checks.positive_int("layers", layers), _checks.positive_int("rank", rank)
        kernel, kind = _checks.positive_int("kernel", kernel), parameter_dtype(dtype)
        spread, keys = check_scale(scale), jax.random.split(check_key(key), layers + 1)
        extent, periodic = _grid(size)
        self.size, self.overlap = int(np.prod(extent)), bool(overlap)
        tables, weights, inner = [], [], 2
        for k in range(layers):
            table, extent = windows(extent, periodic, kernel, self.overlap)
            tables.append(jnp.asarray(table))
            weights.append(normal(keys[k], (table.shape[1], rank, inner), kind, spread))
            inner = rank
        self.weights, self.tables = tuple(weights), tuple(tables)
        self.top = normal(keys[layers], (rank,), kind, spread)

    @property
    def layers(self) -> int:
        """L."""
        return len(self.weights)

    @property
    def rank(self) -> int:
        """r."""
        return self.top.shape[0]

    @property
    def kind(self) -> Kind:
        return "holomorphic" if jnp.iscomplexobj(self.top) else "real"

    def __call__(self, s: Shaped[Array, "N"]) -> Num[Array, ""]:
        """log ψ of one configuration (N,) of spins ±1."""
        check_configuration(s, self.size)
        values = of_spins(s, self.top.dtype)
        sizes = jnp.zeros(self.size, real_dtype(self.top.dtype))
        for parameters, table in zip(self.weights, self.tables, strict=True):
            seen = jnp.einsum("kcd,pd->kpc", weights_of(parameters), values)
            seen = jnp.pad(seen, ((0, 0), (0, 1), (0, 0)), constant_values=1)  # outside: a factor 1
            places = jnp.arange(table.shape[1])
            values, sizes = split(seen[places, table].prod(1), jnp.pad(sizes, (0, 1))[table].sum(1))
        return log_sum(self.top + log_features(values).sum(0)) + sizes.sum()

    def structure(self) -> Structure:
        """The unrolled tensor network: an index of r states for each use of a feature."""
        tables, net = [np.asarray(t) for t in self.tables], Unrolled(self.size)
        top = net.index(self.rank, "the sum on top")
        uses = [(top, u) for u in range(len(tables[-1]))]
        for layer in range(len(tables) - 1, -1, -1):
            below = self.size if layer == 0 else len(tables[layer - 1])
            net.refuse_beyond(len(uses) * tables[layer].shape[1])
            children = [(index, int(p)) for index, u in uses for p in tables[layer][u] if p < below]
            uses = []
            for index, place in children:
                if layer == 0:
                    net.link(index, place)
                else:
                    child = net.index(self.rank, f"a use of features {place} of layer {layer}")
                    net.link(index, child)
                    uses.append((child, place))
        return net.structure()


def _grid(size: int | Lattice) -> tuple[tuple[int, ...], tuple[bool, ...]]:
    """(extents, which are periodic) of a ring or a lattice."""
    if isinstance(size, int | np.integer):
        return (_checks.positive_int("size", size, "give the number of sites"),), (True,)
    extent = getattr(size, "extent", None)
    if extent is None:
        raise _checks.fail("size", "a number of sites, or a lattice", type(size).__name__)
    if size.basis_size != 1:
        raise _checks.fail("size", "a lattice with one site a cell", f"{size.name}: {size.basis_size} a cell")
    return tuple(extent), tuple(size.periodic)
