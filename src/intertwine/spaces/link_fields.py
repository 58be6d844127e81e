r"""Fields on links as arrays of real numbers (..., *extent, C), and what gauge transformations do to them.

`GaugeRep` says what the channels are. Complex numbers are pairs (Re, Im); `parts` gives the blocks of
a field as complex arrays, `numbers` puts them back.
"""

from __future__ import annotations

import re
from functools import partial, reduce
from typing import TYPE_CHECKING, Any

import jax
import jax.numpy as jnp
from jax import Array
from jaxtyping import Complex, Float, Shaped

from intertwine._checks import fail
from intertwine.symmetry.gauge_rep import GaugeKind, GaugeRep

if TYPE_CHECKING:
    from intertwine.spaces.links import Links

_TERM = re.compile(r"(?:(\d+)\s*[·*]?\s*)?([a-z]+)")


def type_of_names(links: Links, names: str, argument: str) -> GaugeRep:
    """The type of a sum such as "links + 4 adjoint + 2 fundamental + scalar"; "links" are the d links that
    start at a site."""
    kinds: list[tuple[GaugeRep, int]] = []
    for term in names.split("+"):
        found = _TERM.fullmatch(term.strip().lower())
        count, name = (int(found[1] or 1), found[2]) if found else (0, "")
        known: dict[str, tuple[GaugeKind, int]] = {
            "links": ("link", links.dimension),
            "adjoint": ("adjoint", 1),
            "fundamental": ("fundamental", 1),
            "scalar": ("scalar", 1),
        }
        if name not in known or not count or (name == "links" and count > 1):
            raise fail(argument, 'a sum such as "links + 4 adjoint + 2 fundamental + scalar"', names)
        kind, each = known[name]
        kinds.append((GaugeRep(links.group, ((kind, each * count),)), 1))
    return GaugeRep.direct_sum(kinds)


def complex_numbers(x: Float[Array, "... k"]) -> Complex[Array, "... h"]:
    """Pairs (Re, Im) as complex numbers."""
    pairs = x.reshape(*x.shape[:-1], -1, 2)
    return jax.lax.complex(pairs[..., 0], pairs[..., 1])


def numbers(z: Complex[Array, "... m *e"], axes: int) -> Float[Array, "... k"]:
    """Complex arrays (..., m, *element) with `axes` axes before the copies as pairs (Re, Im)."""
    flat = z.reshape(*z.shape[:axes], -1)
    return jnp.stack([flat.real, flat.imag], -1).reshape(*flat.shape[:-1], -1)


def parts(rep: GaugeRep, x: Float[Array, "... C"]) -> dict[str, Any]:
    """The channels of a field by kind, in one block each: complex (..., m, n, n) of "link" and "adjoint",
    (..., m, n) of "fundamental", real (..., m) of "scalar"; kinds that are not there are left out."""
    n, found, start = rep.group.dimension, {}, 0
    for block, copies in rep.blocks:
        kind, stop = block.kinds[0][0], start + copies * block.dimension
        part = x[..., start:stop]
        if kind != "scalar":
            shape = (copies, n) if kind == "fundamental" else (copies, n, n)
            part = complex_numbers(part).reshape(*x.shape[:-1], *shape)
        axis = {"scalar": -1, "fundamental": -2}.get(kind, -3)
        found[kind] = part if kind not in found else jnp.concatenate([found[kind], part], axis)
        start = stop
    return found


def together(rep: GaugeRep, found: dict[str, Any], axes: int) -> Float[Array, "... C"]:
    """The inverse of `parts`, of arrays with `axes` axes before the copies."""
    used = dict.fromkeys(found, 0)
    pieces = []
    for block, copies in rep.blocks:
        kind = block.kinds[0][0]
        begin = used[kind]
        axis = {"scalar": -1, "fundamental": -2}.get(kind, -3)
        part = jax.lax.slice_in_dim(found[kind], begin, begin + copies, axis=found[kind].ndim + axis)
        used[kind] = begin + copies
        pieces.append(part if kind == "scalar" else numbers(part, axes))
    return jnp.concatenate(pieces, -1)


def times(a: Complex[Array, "... n n"], b: Complex[Array, "... n n"]) -> Complex[Array, "... n n"]:
    """a b of small matrices, term by term, which XLA fuses with what is around it."""
    terms = [a[..., :, k, None] * b[..., None, k, :] for k in range(a.shape[-1])]
    return reduce(jnp.add, terms)


def dagger(m: Complex[Array, "... n n"]) -> Complex[Array, "... n n"]:
    """m†."""
    return jnp.conj(jnp.swapaxes(m, -1, -2))


@partial(jax.jit, static_argnums=(0, 3))
def transformed_field(
    links: Links, gauge: Shaped[Array, "..."], field: Float[Array, "... C"], rep: GaugeRep
) -> Float[Array, "... C"]:
    """Each kind as its frames change, fields (..., *extent, C)."""
    x, omega = field, links.group.matrix(gauge)
    omega = omega.astype(jnp.result_type(x.dtype, jnp.complex64))
    found, axes = parts(rep, x), x.ndim - 1
    if "link" in found:
        ahead = jnp.stack([links.at(omega, mu) for mu in range(links.dimension)], links.dimension)
        found["link"] = omega[..., None, :, :] @ found["link"] @ dagger(ahead)
    if "adjoint" in found:
        found["adjoint"] = omega[..., None, :, :] @ found["adjoint"] @ dagger(omega)[..., None, :, :]
    if "fundamental" in found:
        found["fundamental"] = jnp.einsum("...ij,...mj->...mi", omega, found["fundamental"])
    return together(rep, found, axes)
