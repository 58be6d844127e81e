r"""Heat bath and reflections of gauge links in JAX, for accelerators: all links of one direction and colour,
in all chains, at once.

The laws are those of the compiled kernels (`host_su2`, `host_su3`, `host_phases`), and the draws are exact as
theirs: rejections go on until every link has been accepted (`_until`). Groups of links of one direction and
colour are rows of one table, padded with a site that is not there, so that one program walks all of them.
Numbers are functions of the key, the pass and the group of links.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from itertools import pairwise
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from jaxtyping import Float

from intertwine.spaces.links import Links
from intertwine.symmetry.groups.gauge_group import CyclicGroup, gauge_group

Rule = Callable[[Array, Array, Array, Array, Array], Array]
"""(U, the open plaquettes around it, β, whether to reflect, key) → U, for arrays (chains, W, …)."""


class Groups(NamedTuple):
    """Links that are updated together, one group a row. link: int32 (G, W), x·d + μ of each, padded with V·d.
    around: int32 (G, 2(d − 1), 3, W), the three links of each open plaquette."""

    link: np.ndarray
    around: np.ndarray


def groups(links: Links, order: np.ndarray, starts: np.ndarray) -> Groups:
    """Of the sites `order`, colour after colour, which begin at `starts`; direction after direction.

    Around U_μ(x) are U_ν(x+μ) U_μ(x+ν)† U_ν(x)† and U_ν(x+μ−ν)† U_μ(x−ν)† U_ν(x−ν), in that order.
    """
    ahead, behind = links.neighbours()
    d, width = links.dimension, int(np.diff(starts).max())
    rows, around = [], []
    for mu in range(d):
        for begin, end in pairwise(starts):
            x = np.resize(order[begin:end], width)
            row = x * d + mu
            row[end - begin :] = links.size
            rows.append(row)
            on, each = ahead[x, mu], []
            for nu in range(d):
                if nu != mu:
                    low = behind[x, nu]
                    each.append([on * d + nu, ahead[x, nu] * d + mu, x * d + nu])
                    each.append([behind[on, nu] * d + nu, low * d + mu, low * d + nu])
            around.append(each)
    return Groups(np.array(rows, np.int32), np.array(around, np.int32))


@partial(jax.jit, static_argnums=(0, 5, 6, 7))
def continued(
    links: Links, table: Any, beta: Array, U: Array, key: Array, draws: int, sweeps: int, reflections: int
) -> tuple[Array, Array]:
    """`draws` configurations (draws, chains, V·d, *element), `sweeps` apart, and the last one. table: the
    `Groups`. U: (chains, V·d, *element). A sweep is one heat bath and `reflections` of all links."""
    rule, period = _rule(links), 1 + reflections

    def of_group(U: Array, what: tuple) -> tuple[Array, None]:
        row, around, k, reflect = what
        old = jnp.take(U, row, axis=1, mode="clip")
        new = rule(old, _open(links, U, around), beta, reflect, k)
        return U.at[:, row].set(new.astype(U.dtype), mode="drop"), None

    def one_pass(U: Array, number: Array) -> tuple[Array, None]:
        count = len(table.link)
        keys = jax.random.split(jax.random.fold_in(key, number), count)
        reflect = jnp.full((count,), number % period != 0)
        return jax.lax.scan(of_group, U, (table.link, table.around, keys, reflect))[0], None

    def one_draw(U: Array, number: Array) -> tuple[Array, Array]:
        passes = number * sweeps * period + jnp.arange(sweeps * period)
        U = jax.lax.scan(one_pass, U, passes)[0]
        return U, U

    last, drawn = jax.lax.scan(one_draw, U, jnp.arange(draws))
    return drawn, last


def _open(links: Links, U: Array, around: Array) -> Array:
    """The open plaquettes of a group, (2(d − 1), chains, W, *element)."""
    group = links.group
    far, along, near = (jnp.moveaxis(jnp.take(U, around[:, k], axis=1), 1, 0) for k in range(3))
    above = group.product(far[::2], group.inverse(group.product(near[::2], along[::2])))
    below = group.product(group.inverse(group.product(along[1::2], far[1::2])), near[1::2])
    return jnp.concatenate([above, below])


def _rule(links: Links) -> Rule:
    group = links.group
    if isinstance(group, CyclicGroup):
        return partial(_whole_numbers, group.roots)
    return {"U(1)": _angles, "SU(2)": _quaternions, "SU(3)": _matrices}[group.name]


def _until(propose: Callable[[Array], tuple[Array, Array]], like: Array, key: Array) -> Array:
    """Values of the shape of `like`, each the first of its proposals (values, accepted) that is accepted."""

    def go_on(state: tuple[Array, Array, Array]) -> Array:
        return ~state[1].all()

    def once_more(state: tuple[Array, Array, Array]) -> tuple[Array, Array, Array]:
        found, done, k = state
        k, now = jax.random.split(k)
        values, accepted = propose(now)
        return jnp.where(done, found, values), done | accepted, k

    return jax.lax.while_loop(go_on, once_more, (like, jnp.zeros(like.shape, bool), key))[0]


def _uniform(key: Array, count: int, like: Array) -> list[Array]:
    """Arrays of numbers in (0, 1]."""
    drawn = jax.random.uniform(key, (count, *like.shape), like.dtype)
    return list(1 - drawn)


def weighted_cosines(a: Float[Array, "..."], key: Array) -> Float[Array, "..."]:
    """x_0 with the density √(1 − x_0²) e^{a x_0}, a ≥ 0: by Kennedy & Pendleton for a > 2, by Creutz below
    (`host_su2`).

    >>> x = weighted_cosines(jnp.full((20000,), 2.0), jax.random.key(0))
    >>> bool(abs(x.mean() - 0.4331) < 0.02)                                       # I_2(2)/I_1(2)
    True
    """
    low = jnp.clip(a, 1e-6, 2.0)
    high = jnp.maximum(a, 2.0)
    span = jnp.expm1(-2 * low)

    def propose(k: Array) -> tuple[Array, Array]:
        u, v, w, r = _uniform(k, 4, a)
        half = -(jnp.log(u) + jnp.log(v) * jnp.cos(2 * jnp.pi * w) ** 2) / (2 * high)
        of_creutz = 1 + jnp.log1p(u * span) / low
        large = a > 2
        x = jnp.where(large, 1 - 2 * half, of_creutz)
        return x, r * r <= jnp.where(large, 1 - half, 1 - x * x)

    return _until(propose, a, key)


def von_mises(kappa: Float[Array, "..."], key: Array) -> Float[Array, "..."]:
    """Angles with the density e^{κ cos θ}, κ ≥ 0, by Best & Fisher (`host_phases`).

    >>> theta = von_mises(jnp.full((20000,), 1.0), jax.random.key(0))
    >>> bool(abs(jnp.cos(theta).mean() - 0.4464) < 0.02)                          # I_1(1)/I_0(1)
    True
    """
    kappa = jnp.maximum(kappa, 1e-6)
    wide = jnp.sqrt(1 + 4 * kappa * kappa)
    tau = 1 + wide  # ρ = (τ − √2τ)/2κ, written without a difference of like numbers
    rho = jnp.sqrt(tau) * 2 * kappa / ((jnp.sqrt(tau) + jnp.sqrt(2.0).astype(tau.dtype)) * (1 + wide))
    r = (1 + rho * rho) / (2 * rho)

    def propose(k: Array) -> tuple[Array, Array]:
        u, v, side = _uniform(k, 3, kappa)
        z = jnp.cos(jnp.pi * u)
        f = jnp.clip((1 + r * z) / (r + z), -1, 1)
        c = kappa * (r - f)
        accepted = jnp.log(c / v) + 1 - c >= 0
        return jnp.where(side < 0.5, 1, -1) * jnp.arccos(f), accepted

    return _until(propose, kappa, key)


def _whole_numbers(
    roots: np.ndarray, old: Array, plaquettes: Array, beta: Array, reflect: Array, key: Array
) -> Array:
    parts = [jnp.asarray(part, beta.dtype) for part in (np.real(roots), np.imag(roots))]
    real, imaginary = (part[plaquettes.astype(jnp.int32)].sum(0)[..., None] for part in parts)
    return jax.random.categorical(key, beta * (parts[0] * real - parts[1] * imaginary))


def _angles(old: Array, plaquettes: Array, beta: Array, reflect: Array, key: Array) -> Array:
    real, imaginary = beta * jnp.cos(plaquettes).sum(0), beta * jnp.sin(plaquettes).sum(0)
    phase = jnp.arctan2(imaginary, real)

    def drawn() -> Array:
        return von_mises(jnp.hypot(real, imaginary), key) - phase

    angle = jax.lax.cond(reflect, lambda: -2 * phase - old, drawn)
    return angle - 2 * jnp.pi * jnp.floor(angle / (2 * jnp.pi) + 0.5)


_su2, _su3 = gauge_group("SU(2)"), gauge_group("SU(3)")


def _quaternions(old: Array, plaquettes: Array, beta: Array, reflect: Array, key: Array) -> Array:
    towards, k = _aimed(plaquettes.sum(0), beta)

    def mirrored() -> Array:
        return _su2.product(_su2.product(towards, _su2.inverse(old)), towards)

    def drawn() -> Array:
        return _su2.product(_rotations(jnp.abs(beta) * k, key), towards)

    return _su2.projected(jax.lax.cond(reflect, mirrored, drawn))


def _aimed(total: Float[Array, "... 4"], beta: Array) -> tuple[Array, Array]:
    """V†, where A = k V is `total` and V turned to what β favours, and k; 1 where the link is free."""
    k = jnp.sqrt((total * total).sum(-1))
    free = k < 1e-12
    sign = jnp.where(beta >= 0, 1, -1).astype(total.dtype)
    towards = _su2.inverse(total) * (sign / jnp.where(free, 1, k))[..., None]
    return jnp.where(free[..., None], jnp.eye(4, dtype=total.dtype)[0], towards), k


def _rotations(a: Float[Array, "..."], key: Array) -> Float[Array, "... 4"]:
    """X with the weight e^{a x_0}."""
    one, two = jax.random.split(key)
    x = weighted_cosines(a, one)
    direction = jax.random.normal(two, (*a.shape, 3), a.dtype)
    direction = direction / jnp.sqrt((direction * direction).sum(-1, keepdims=True))
    length = jnp.sqrt(jnp.maximum(1 - x * x, 0))
    return jnp.concatenate([x[..., None], length[..., None] * direction], -1)


def _matrices(old: Array, plaquettes: Array, beta: Array, reflect: Array, key: Array) -> Array:
    U, M = old, old @ plaquettes.sum(0)
    for k, (p, q) in zip(jax.random.split(key, 3), ((0, 1), (0, 2), (1, 2)), strict=True):
        corner = [[M[..., i, j] for j in (p, q)] for i in (p, q)]
        total = 0.5 * jnp.stack(
            [
                (corner[0][0] + corner[1][1]).real,
                (corner[0][1] + corner[1][0]).imag,
                (corner[0][1] - corner[1][0]).real,
                (corner[0][0] - corner[1][1]).imag,
            ],
            -1,
        )
        towards, size = _aimed(total, beta)
        X = jax.lax.cond(
            reflect,
            lambda towards=towards: towards,
            lambda size=size, k=k: _rotations(jnp.abs(beta) * size * (2 / 3), k),
        )
        turn = _su2.matrix(_su2.product(X, towards))
        U, M = (_rows_turned(m, turn, p, q) for m in (U, M))
    return _su3.projected(U)


def _rows_turned(m: Array, turn: Array, p: int, q: int) -> Array:
    """Rows p and q of m times the 2 × 2 matrix `turn` from the left."""
    rows = turn @ jnp.stack([m[..., p, :], m[..., q, :]], -2)
    return m.at[..., p, :].set(rows[..., 0, :]).at[..., q, :].set(rows[..., 1, :])
