r"""Convolution on links: everything is carried to x by the connection, then mixed there.

    y(x) = Σ_{μ,k} κ_{μk} · T_{μk}(x) f(x + kμ)

T carries a fibre along the straight line, T_{μk}(x) = U_μ(x) U_μ(x + μ) ⋯ of k links (backwards, their
daggers): W ↦ T W T† of the adjoint, ψ ↦ Tψ of the fundamental, scalars as they are; κ commutes with the
gauge group. With the maps W ↦ ωW alone it is L-Conv of Favoni, Ipp, Müller & Schuh (Phys. Rev. Lett. 128,
032003, 2022). The links of a field are its first channels; they go through unchanged where the output has
them.
"""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp
from jax import Array
from jaxtyping import Complex, Float

from intertwine._checks import fail
from intertwine.layers.executors.protocol import FiniteExecutor, Plan
from intertwine.spaces.link_fields import dagger, parts, times, together
from intertwine.symmetry.gauge_rep import GaugeRep


class LinkExecutor(FiniteExecutor):
    """Fields (..., *extent, C) that carry their links."""

    def check(self, plan: Plan) -> None:
        """InputError for strides and paddings, fields without their links, and reaches around the torus."""
        super().check(plan)
        rep_in, rep_out = _types(plan)
        check_links(plan.space, rep_in, rep_out)
        plan.space.places(plan.support)

    def apply(
        self, plan: Plan, kernel: Float[Array, "places C_in C_out"], x: Float[Array, "... C_in"]
    ) -> Float[Array, "... C_out"]:
        """The convolution."""
        links, kernel, (rep_in, rep_out) = plan.space, kernel.astype(x.dtype), _types(plan)
        found = parts(rep_in, x)
        lead = x.ndim - 1 - links.axes
        connection = found.pop("link")
        rest = rep_in.dimension - links.dimension * 2 * links.group.dimension**2
        features = _without_links(rep_in)
        kernel = kernel[:, rep_in.dimension - rest :]
        y = jnp.zeros((*x.shape[:-1], rep_out.dimension), x.dtype)
        for place, (mu, steps) in enumerate(links.places(plan.support)):
            line = straight(connection, lead, mu, steps)
            carried = carry(found, line, lead, mu, steps)
            y = y + together(features, carried, x.ndim - 1) @ kernel[place]
        return with_links(rep_out, x, y)


def _types(plan: Plan) -> tuple[GaugeRep, GaugeRep]:
    assert isinstance(plan.rep_in, GaugeRep) and isinstance(plan.rep_out, GaugeRep)
    return plan.rep_in, plan.rep_out


def link_type(links: Any, rep: GaugeRep | str, argument: str) -> GaugeRep:
    """A type of fields on `links`, also by name; InputError for others."""
    found = links.named_type(rep, argument) if isinstance(rep, str) else rep
    if not isinstance(found, GaugeRep) or found.group != links.group:
        raise fail(argument, f'a type of fields on {links.group.name}, such as "links + 2 adjoint"', rep)
    return found


def with_links(rep_out: GaugeRep, x: Float[Array, "... C"], y: Float[Array, "... C"]) -> Array:
    """y with the links of x in its first channels, where its type has them."""
    count = rep_out.count("link") * 2 * rep_out.group.dimension**2
    return jnp.concatenate([x[..., :count], y[..., count:]], -1) if count else y


def check_links(links: Any, rep_in: GaugeRep, rep_out: GaugeRep | None = None) -> None:
    """InputError unless fields begin with the d links, and what comes out with them or without any."""
    first = rep_in.kinds[0] == ("link", links.dimension) and rep_in.count("link") == links.dimension
    if not first:
        remedy = 'say "links + …": the connection is carried along with the fields'
        raise fail("rep_in", f"a type that begins with the {links.dimension} links", rep_in, remedy)
    if rep_out is None or not rep_out.count("link"):
        return
    if rep_out.kinds[0] != rep_in.kinds[0] or rep_out.count("link") != links.dimension:
        raise fail("rep_out", f"the {links.dimension} links first, or none", rep_out)


def _without_links(rep: GaugeRep) -> GaugeRep:
    return GaugeRep(rep.group, tuple(kind for kind in rep.kinds if kind[0] != "link"))


def straight(connection: Complex[Array, "... d n n"], lead: int, mu: int, steps: int) -> Array:
    """T of `steps` links along μ from every x, (..., *extent, n, n); `lead` axes before the space's."""
    step = connection[..., mu, :, :]
    if steps < 0:
        step = dagger(jnp.roll(step, 1, axis=lead + mu))
    line, way = step, 1 if steps > 0 else -1
    if steps == 0:
        return jnp.broadcast_to(jnp.eye(step.shape[-1], dtype=step.dtype), step.shape)
    for k in range(1, abs(steps)):
        line = times(line, jnp.roll(step, -way * k, axis=lead + mu))
    return line


def carry(found: dict[str, Any], line: Array, lead: int, mu: int, steps: int) -> dict[str, Any]:
    """The blocks of a field at x + steps·μ in the frames at x."""
    carried = {kind: jnp.roll(part, -steps, axis=lead + mu) for kind, part in found.items()}
    if steps and "adjoint" in carried:
        there = line[..., None, :, :]
        carried["adjoint"] = times(times(there, carried["adjoint"]), dagger(there))
    if steps and "fundamental" in carried:
        carried["fundamental"] = jnp.einsum("...ij,...mj->...mi", line, carried["fundamental"])
    return carried
