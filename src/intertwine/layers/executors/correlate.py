r"""Cross-correlation with channels last: y(x) = Σ_t K(t) f(x + t), in one, two or three dimensions.

On a CPU it is a matrix product. For a few images at a time, so that all stays in the cache, the inputs
under the kernel at each point are put side by side, (points, taps·C_in), and multiplied by the kernel,
(taps·C_in, C_out). The derivatives are made alike: by the input the correlation with the kernel turned
round, by the kernel the product of the outputs' cotangents with the same side-by-side inputs, which are
made again and not kept. Zeros around the inputs, and between the cotangents of a strided layer, are put
there a few images at a time as well. On other devices it is `lax.conv_general_dilated`.
"""

from __future__ import annotations

from functools import partial
from itertools import product
from math import prod
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jax import Array
from jaxtyping import Float

from intertwine._checks import fail, positive_int

_SPACE = "DHW"
_CACHED = 3 * 2**20
"""Bytes of side-by-side inputs that are made at a time: a share of the second-level cache."""
_MANY_TAPS, _WIDE = 9, 96
"""Kernels of as many taps as the first and rows of as many inputs as the second take one product per row."""

Pads = tuple[tuple[int, int, int], ...]
"""Zeros before, after and between the points of each axis of space."""


def correlate(
    x: Float[Array, "... C_in"],
    kernel: Float[Array, "... C_in C_out"],
    *,
    stride: int = 1,
    padding: str | int = "valid",
) -> Float[Array, "... C_out"]:
    """The correlation of fields with a kernel.

    x: (..., X_0, …, C_in), any leading axes. kernel: (k_0, …, C_in, C_out), of the same type, one to
    three axes of space. padding: "valid", "same" (zeros on both sides alike, odd widths), "periodic", or
    a number of zeros on each side.

    Raises InputError for shapes that do not fit, and for "same" with an even width.

    >>> correlate(jnp.arange(4.0)[:, None], jnp.ones((2, 1, 1)))[:, 0].tolist()
    [1.0, 3.0, 5.0]
    >>> correlate(jnp.arange(4.0)[:, None], jnp.ones((3, 1, 1)), padding="periodic")[:, 0].tolist()
    [4.0, 3.0, 6.0, 5.0]
    """
    d = kernel.ndim - 2
    if not 1 <= d <= 3:
        raise fail(
            "kernel", "an array (k_0, …, C_in, C_out) with one to three widths", f"shape {kernel.shape}"
        )
    if x.ndim < d + 1 or x.shape[-1] != kernel.shape[-2]:
        expected = f"fields (..., {d} axes of space, {kernel.shape[-2]})"
        raise fail("x", expected, f"shape {x.shape}", "the kernel is (k_0, …, C_in, C_out)")
    stride = positive_int("stride", stride)
    batch = x.shape[: -1 - d]
    flat, pads = _around(x.reshape(-1, *x.shape[-1 - d :]), kernel.shape[:d], padding)
    if any(n < k for n, k in zip(_padded_shape(flat.shape, pads)[1:], kernel.shape[:d], strict=False)):
        raise fail("x", f"at least {kernel.shape[:d]} points", f"{x.shape[-1 - d : -1]}", "pad it")
    run = _by_products if jax.default_backend() == "cpu" else _by_xla
    out: Any = run(flat, kernel, stride, pads)
    return out.reshape(*batch, *out.shape[1:])


def _around(x: Array, widths: tuple[int, ...], padding: str | int) -> tuple[Array, Pads]:
    """The fields (B, X_0, …, C), with themselves around them where they are periodic, and the zeros to
    add."""
    none = ((0, 0, 0),) * len(widths)
    if padding == "valid" or padding == 0:
        return x, none
    if padding == "periodic":
        around = [((k - 1) // 2, k // 2) for k in widths]
        return jnp.pad(x, [(0, 0), *around, (0, 0)], mode="wrap"), none
    if padding == "same" and not all(k % 2 for k in widths):
        raise fail("padding", "'valid' or a number for even widths", "'same'", "or take an odd width")
    if padding != "same" and not (isinstance(padding, int) and padding > 0):
        raise fail("padding", "'valid', 'same', 'periodic' or a number ≥ 0", padding)
    zeros = [(k - 1) // 2 if padding == "same" else int(padding) for k in widths]
    return x, tuple((n, n, 0) for n in zeros)


def _by_xla(x: Array, kernel: Array, stride: int, pads: Pads) -> Array:
    d = kernel.ndim - 2
    space = _SPACE[-d:]
    dimensions = (f"N{space}C", f"{space}IO", f"N{space}C")
    zeros = [(before, after) for before, after, _ in pads]
    return jax.lax.conv_general_dilated(x, kernel, (stride,) * d, zeros, dimension_numbers=dimensions)


@partial(jax.custom_vjp, nondiff_argnums=(2, 3))
def _by_products(x: Array, kernel: Array, stride: int, pads: Pads) -> Array:
    """The correlation of (B, X_0, …, C_in), with zeros put in, and (k_0, …, C_in, C_out)."""
    plan = _plan(_padded_shape(x.shape, pads), kernel.shape, stride)
    rows = kernel.reshape(plan.passes, -1, kernel.shape[-1])

    def one(chunk: Array) -> Array:
        wide = _side_by_side(_padded(chunk, pads), plan.taps, plan.steps)
        total = jnp.zeros((), x.dtype)
        for offset, row in zip(plan.offsets, rows, strict=True):
            seen = _slice(wide, offset, plan.sizes, plan.rest)
            total = total + seen.reshape(-1, row.shape[0]) @ row
        return total.reshape(len(chunk), *plan.sizes, -1)

    parts = _chunks(x, plan.images)
    if parts is None:
        return one(x)
    out = jax.lax.map(one, parts)
    return out.reshape(-1, *out.shape[2:])[: len(x)]


def _forward(x: Array, kernel: Array, stride: int, pads: Pads) -> tuple[Array, tuple[Array, Array]]:
    return _by_products(x, kernel, stride, pads), (x, kernel)


def _backward(stride: int, pads: Pads, kept: tuple[Array, Array], cotangent: Array) -> tuple[Array, Array]:
    x, kernel = kept
    by_input = _by_input(kernel, cotangent, x.shape, stride, pads)
    return by_input, _by_kernel(x, cotangent, kernel.shape, stride, pads)


_by_products.defvjp(_forward, _backward)


def _by_input(kernel: Array, cotangent: Array, shape: tuple[int, ...], stride: int, pads: Pads) -> Array:
    """Σ_t K(t)ᵀ g(x − t): the correlation of the spread-out and padded g with the kernel turned round.

    Negative numbers of zeros cut away what belongs to the zeros around x.
    """
    widths = kernel.shape[:-2]
    spread = []
    sizes = _padded_shape(shape, pads)[1:]
    for n, m, k, (before, after, _) in zip(sizes, cotangent.shape[1:], widths, pads, strict=False):
        used = (m - 1) * stride + k  # points of the input that the outputs see
        spread.append((k - 1 - before, k - 1 + n - used - after, stride - 1))
    turned = jnp.flip(kernel, tuple(range(len(widths)))).swapaxes(-1, -2)
    return _by_products(cotangent, turned, pads[0][2] + 1, tuple(spread))


def _by_kernel(x: Array, cotangent: Array, shape: tuple[int, ...], stride: int, pads: Pads) -> Array:
    """Σ_x f(x + t) g(x)ᵀ."""
    plan = _plan(_padded_shape(x.shape, pads), shape, stride)
    c_out = shape[-1]

    def one(chunk: Array, g: Array) -> Array:
        wide = _side_by_side(_padded(chunk, pads), plan.taps, plan.steps)
        back = g.reshape(-1, c_out).T
        seen = [_slice(wide, offset, plan.sizes, plan.rest) for offset in plan.offsets]
        return jnp.concatenate([back @ part.reshape(-1, part.shape[-1]) for part in seen], axis=1)

    parts, cotangents = _chunks(x, plan.images), _chunks(cotangent, plan.images)
    if parts is None or cotangents is None:
        total = one(x, cotangent)
    else:
        begin = jnp.zeros((c_out, prod(shape[:-1])), x.dtype)
        total = jax.lax.scan(lambda sums, part: (sums + one(*part), None), begin, (parts, cotangents))[0]
    return total.T.reshape(shape)


def _padded_shape(shape: tuple[int, ...], pads: Pads) -> tuple[int, ...]:
    """The shape of (B, X_0, …, C) with the zeros put in."""
    batch, *sizes, channels = shape
    grown = [a + b + n + (n - 1) * between for n, (a, b, between) in zip(sizes, pads, strict=True)]
    return (batch, *grown, channels)


def _padded(x: Array, pads: Pads) -> Array:
    """The fields (B, X_0, …, C) with the zeros put in."""
    if not any(any(pad) for pad in pads):
        return x
    return jax.lax.pad(x, jnp.zeros((), x.dtype), [(0, 0, 0), *pads, (0, 0, 0)])


class _Plan(NamedTuple):
    """How the taps are shared between one matrix product and a sum of several.

    taps: put side by side. offsets: of the other taps, one product each. sizes: of the output. steps:
    strides of the side-by-side inputs, rest: of what is cut out of them. images: how many at a time.
    """

    taps: tuple[tuple[int, ...], ...]
    offsets: tuple[tuple[int, ...], ...]
    sizes: tuple[int, ...]
    steps: tuple[int, ...]
    rest: tuple[int, ...]
    images: int

    @property
    def passes(self) -> int:
        return len(self.offsets)


def _plan(x_shape: tuple[int, ...], kernel_shape: tuple[int, ...], stride: int) -> _Plan:
    """All taps side by side, or, for many taps of many channels, those along the last axis of space."""
    widths, c_in, d = kernel_shape[:-2], kernel_shape[-2], len(kernel_shape) - 2
    sizes = tuple((n - k) // stride + 1 for n, k in zip(x_shape[1:], widths, strict=False))
    by_rows = d > 1 and prod(widths) >= _MANY_TAPS and widths[-1] * c_in >= _WIDE
    if by_rows:
        taps = tuple((*[0] * (d - 1), t) for t in range(widths[-1]))
        offsets = tuple((*t, 0) for t in product(*(range(k) for k in widths[:-1])))
        steps, rest = (*[1] * (d - 1), stride), (*[stride] * (d - 1), 1)
        points = prod(x_shape[1:d]) * sizes[-1]
    else:
        taps = tuple(product(*(range(k) for k in widths)))
        offsets, steps, rest = ((0,) * d,), (stride,) * d, (1,) * d
        points = prod(sizes)
    images = max(1, _CACHED // (points * len(taps) * c_in * 4))
    return _Plan(taps, offsets, sizes, steps, rest, images)


def _side_by_side(x: Array, taps: tuple[tuple[int, ...], ...], steps: tuple[int, ...]) -> Array:
    """(B, Y_0, …, taps·C): at each point the inputs at some taps from it."""
    reach = [max(tap[a] for tap in taps) for a in range(len(steps))]
    sizes = [(n - r - 1) // step + 1 for n, r, step in zip(x.shape[1:], reach, steps, strict=False)]
    parts = [_slice(x, tap, tuple(sizes), steps) for tap in taps]
    return parts[0] if len(parts) == 1 else jnp.concatenate(parts, axis=-1)


def _slice(x: Array, start: tuple[int, ...], sizes: tuple[int, ...], steps: tuple[int, ...]) -> Array:
    """`sizes` points from `start` on, `steps` apart, along the axes of space."""
    end = [s + (m - 1) * step + 1 for s, m, step in zip(start, sizes, steps, strict=True)]
    return jax.lax.slice(x, (0, *start, 0), (len(x), *end, x.shape[-1]), (1, *steps, 1))


def _chunks(x: Array, images: int) -> Array | None:
    """The batch (B, …) as (chunks, b, …), where b divides B or at the cost of zeros at the end; None where
    it is small enough as a whole."""
    if len(x) <= images:
        return None
    least = -(-len(x) // images)
    chunks = next((n for n in range(least, 2 * least + 1) if len(x) % n == 0), least)
    each = -(-len(x) // chunks)
    missing = chunks * each - len(x)
    if missing:
        x = jnp.pad(x, [(0, missing)] + [(0, 0)] * (x.ndim - 1))
    return x.reshape(chunks, each, *x.shape[1:])
