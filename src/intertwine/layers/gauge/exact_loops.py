r"""A network of the layers of this folder that gives all Wilson loops exactly, by its weights.

    C_k(x)          the plaquette carried to x over k links along μ = 0
    W_{R+1,1}(x) = C_R(x) W_{R,1}(x)
    W_{R,T+1}(x) = W_{R,T}(x) D_T W_{R,1}(x),        D_T carries over T links along ν = 1

Every step is a convolution (the carrying) or a product (`GaugeBilinear`) with weights 0 and 1: what a network
of this kind can represent, and so learn (Favoni, Ipp, Müller & Schuh 2022, fig. 2).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

from intertwine._checks import fail, positive_int
from intertwine.layers.conv import Conv
from intertwine.layers.gauge.bilinear import GaugeBilinear
from intertwine.layers.gauge.loop_inputs import Plaquettes
from intertwine.layers.gauge.traces import Traces
from intertwine.layers.networks.sequential import Sequential
from intertwine.layers.pooling.group_pooling import GlobalPool
from intertwine.spaces.links import Links
from intertwine.symmetry.gauge_rep import GaugeRep, gauge_maps

_KEY = jax.random.key(0)  # of weights that are replaced


def wilson_network(links: Links, most: int) -> Sequential:
    """Fields of the type "links" to (Re, Im) of W(R, T) in the plane, R, T = 1 … `most`, means over the
    lattice: 2·most² numbers, T faster than R. links: in two dimensions; the network takes any extents.

    Raises InputError for other dimensions, and for loops as long as the torus.

    >>> from intertwine.spaces.lattices import Square
    >>> links = Links(Square(4, 4), "U(1)")
    >>> wilson_network(links, 2)(links.field(links.cold())).round(6).tolist()[::2]
    [1.0, 1.0, 1.0, 1.0]
    """
    most = positive_int("most", most, "give the longest side in links")
    if links.dimension != 2 or most >= min(links.extent):
        raise fail("links", f"two dimensions and more than {most} sites along each", links)
    space: Any = links
    begin: Any = Plaquettes  # pyright takes the fields for arguments
    layers: list[Any] = [begin(links), _carried(links, 1, [(0, 0, k) for k in range(most)])]
    row = [0]  # where W_{R,1} stands, R = 1, 2, …; C_k stands at k
    for R in range(1, most):
        layers.append(_products(links, most + R - 1, [(R, row[-1])]))
        row.append(most + R - 1)
    layers.append(_carried(links, row[-1] + 1, [(r, 1, k) for k in range(most) for r in row]))
    place = {(R, 1): R - 1 for R in range(1, most + 1)}  # D_k W_{R,1} stands at k·most + R − 1
    count = most * most
    for T in range(1, most):
        pairs = [(place[R, T], T * most + R - 1) for R in range(1, most + 1)]
        layers.append(_products(links, count, pairs))
        place |= {(R, T + 1): count + R - 1 for R in range(1, most + 1)}
        count += most
    order = [place[R, T] for R in range(1, most + 1) for T in range(1, most + 1)]
    layers += [
        _carried(links, count, [(channel, 0, 0) for channel in order]),
        Traces(links, _rep(links, most**2)),
    ]
    return Sequential([*layers, GlobalPool(space, f"{2 * most**2} scalar", how="mean")])


def _rep(links: Links, count: int) -> GaugeRep:
    return GaugeRep(links.group, (("link", links.dimension), ("adjoint", count)))


def _carried(links: Links, count: int, entries: Sequence[tuple[int, int, int]]) -> Conv:
    """The convolution of `count` fields whose output e is field `source` carried over `steps` links along
    `axis`, for entries (source, axis, steps)."""
    reach = max(1, *(steps for _, _, steps in entries))
    into, out = _rep(links, count), _rep(links, len(entries))
    space: Any = links
    layer = Conv(space, into, out, reach, bias=False, key=_KEY)
    one = GaugeRep(links.group, (("adjoint", 1),))
    maps = gauge_maps(one, one)
    identity = np.linalg.lstsq(maps.reshape(len(maps), -1).T, np.eye(one.dimension).ravel(), rcond=None)[0]
    places = links.places(reach)
    weights = np.zeros((len(places), len(maps), len(entries), count))
    for e, (source, axis, steps) in enumerate(entries):
        weights[places.index((axis, steps) if steps else (0, 0)), :, e, source] = identity
    made = jnp.asarray(weights.reshape(-1, len(entries), count), layer.kernel.weights[-1].dtype)
    return eqx.tree_at(lambda c: c.kernel.weights[-1], layer, made)


def _products(links: Links, count: int, pairs: Sequence[tuple[int, int]]) -> GaugeBilinear:
    """All `count` fields as they are, then the products of `pairs`."""
    layer = GaugeBilinear(links, _rep(links, count), _rep(links, count + len(pairs)), key=_KEY)
    weights = np.zeros(layer.weights["adjoint"].shape)
    weights[np.arange(count), 1 + np.arange(count), 0, 0] = 1  # W · 1
    for e, (i, j) in enumerate(pairs):
        weights[count + e, 1 + i, 1 + j, 0] = 1
    made = jnp.asarray(weights, layer.weights["adjoint"].dtype)
    return eqx.tree_at(lambda b: b.weights["adjoint"], layer, made)
