r"""Multilayer perceptrons that commute with any group (Finzi, Welling & Wilson, ICML 2021).

A layer is the linear map between types, products of the field with itself, and gates:

    x ↦ W x,      x ↦ x + B (A x ⊗ A x),      x ↦ (σ(s), sigmoid(g_c) v_c)

Where all hidden types permute their basis, as regular representations of finite groups do, a point-wise
function takes the place of products and gates. Groups that are not compact have no invariant norm: gates
are invariants that products of vectors have given, so that the network is as exact under boosts as under
rotations.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
from jax import Array
from jax.typing import DTypeLike

from intertwine._checks import fail, positive_int
from intertwine.layers.blocks import checked_rep, direct_sum
from intertwine.layers.linear import Linear
from intertwine.layers.networks.residual import Residual
from intertwine.layers.networks.sequential import Sequential
from intertwine.layers.nonlinear.gated import Gated, gated_copies
from intertwine.layers.nonlinear.pointwise import Pointwise
from intertwine.layers.nonlinear.tensor_product import TensorProduct
from intertwine.symmetry.compact import CompactGroup
from intertwine.symmetry.fibre_maps import AnyRep, FibreGroup
from intertwine.symmetry.groups.finite_group import FiniteGroup
from intertwine.symmetry.lie.group import LieGroup
from intertwine.symmetry.representation import regular

_FACTOR_CHANNELS, _FEWEST = 16, 2
_SHARE = 0.1
"""Of products beside the linear part at the start: a network of many products begins near one of none."""


def equivariant_mlp(
    group: FibreGroup,
    into: AnyRep,
    out: AnyRep,
    widths: Sequence[int | AnyRep] = (128, 128),
    *,
    highest: int = 2,
    function: str = "silu",
    dtype: DTypeLike = float,
    key: Array,
) -> Sequential:
    """A perceptron from fields of type `into` to fields of type `out`, (..., C_in) → (..., C_out).

    group: a `LieGroup`, or a finite or compact one. widths: of the hidden layers, types, or numbers of
    channels, which `hidden_type` shares out. highest: the rank of tensors, or the degree of irreps, among
    them. function: of trivial channels.

    Raises InputError for types of another group, and where no map leads from one type to the next.

    >>> from intertwine.symmetry import special_orthogonal
    >>> G = special_orthogonal(3)
    >>> net = equivariant_mlp(G, 2 * G.vector, G.trivial, (12,), highest=1, key=jax.random.key(0))
    >>> net.names, net["gates1"].rep_out
    (('linear1', 'products1', 'gates1', 'linear2'), 6·scalar + 2·V)
    """
    for argument, rep in (("into", into), ("out", out)):
        if checked_rep(rep, argument).group != group:
            raise fail(argument, f"a type of {group!r}", f"{rep!r} of {rep.group!r}")
    if isinstance(widths, int | AnyRep) or not len(widths):
        raise fail("widths", "a width of each hidden layer, for example (128, 128)", widths)
    layers: list[tuple[str, Any]] = []
    here, kind = into, jnp.zeros((), dtype).dtype
    for number, width in enumerate(widths, 1):
        first, second, third, key = jax.random.split(key, 4)
        hidden = width if isinstance(width, AnyRep) else hidden_type(group, width, highest=highest)
        if gated_copies(hidden):
            activation: Any = Gated(hidden, function)
            linear = Linear(here, activation.rep_in, gain=1.0, dtype=kind, key=first)
            layers += [(f"linear{number}", linear)]
            factors = _factors(activation.rep_in)
            products = Residual(
                [
                    ("factors", Linear(activation.rep_in, factors, bias=False, dtype=kind, key=second)),
                    (
                        "product",
                        _small(TensorProduct(factors, None, activation.rep_in, dtype=kind, key=third)),
                    ),
                ]
            )
            layers += [(f"products{number}", products), (f"gates{number}", activation)]
        else:
            linear = Linear(here, hidden, gain=2.0, dtype=kind, key=first)
            layers += [(f"linear{number}", linear), (f"pointwise{number}", Pointwise(hidden, function))]
        here = hidden
    layers.append((f"linear{len(widths) + 1}", Linear(here, out, gain=1.0, dtype=kind, key=key)))
    return Sequential(layers)


def hidden_type(group: FibreGroup, channels: int, *, highest: int = 2) -> AnyRep:
    """About so many channels, shared equally among scalars, vectors, … tensors of rank `highest` and their
    duals where these differ; irreps up to that degree of a compact group; regular representations of a
    finite one.

    >>> from intertwine.symmetry import lorentz, special_linear
    >>> hidden_type(lorentz(), 96), hidden_type(special_linear(3), 60, highest=1)
    (32·scalar + 8·V + 2·V², 30·scalar + 5·V + 5·V*)
    """
    count = positive_int("widths", channels)
    if isinstance(group, FiniteGroup):
        return max(1, round(count / group.order)) * regular(group)
    top = 0 if highest == 0 else positive_int("highest", highest)
    kinds: list[list[Any]] = []
    if isinstance(group, CompactGroup):
        parities = (1, -1) if group.name == "O(3)" else (1,)
        kinds = [[group.irrep(degree, p) for p in parities] for degree in range(top + 1)]
    elif isinstance(group, LieGroup):
        same = group.vector.dual() == group.vector or bool(group.vector.hom_dim(group.vector.dual()))
        for rank in range(top + 1):
            downs = (0,) if same else range(rank + 1)
            kinds.append([group.tensor(rank - down, down) for down in downs])
    else:
        raise fail("group", "a LieGroup, a finite or a compact group", group, "give widths as types")
    share = count / len(kinds)
    parts = [
        (rep, max(1 if rank < 2 else 0, round(share / len(reps) / rep.dimension)))
        for rank, reps in enumerate(kinds)
        for rep in reps
    ]
    return direct_sum([(rep, m) for rep, m in parts if m])


def _small(product: TensorProduct) -> TensorProduct:
    return eqx.tree_at(lambda layer: layer.weights, product, tuple(_SHARE * w for w in product.weights))


def _factors(rep: AnyRep) -> AnyRep:
    """A few copies of each block that is not trivial: what is multiplied with itself."""
    parts = [
        (part, min(m, max(_FEWEST, _FACTOR_CHANNELS // part.dimension)))
        for part, m in rep.blocks
        if not part.is_trivial
    ]
    return direct_sum(parts)
