r"""Cross-correlation with channels last: y(x) = Σ_t K(t) f(x + t), in one, two or three dimensions."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
from jax import Array
from jaxtyping import Float

from intertwine._checks import fail

_SPACE = "DHW"


def correlate(
    x: Float[Array, "... C_in"],
    kernel: Float[Array, "... C_in C_out"],
    *,
    stride: int = 1,
    padding: Any = "valid",
) -> Float[Array, "... C_out"]:
    """The correlation of fields x (..., X_0, …, C_in) with a kernel (k_0, …, C_in, C_out).

    >>> correlate(jnp.arange(4.0)[:, None], jnp.ones((2, 1, 1)))[:, 0].tolist()
    [1.0, 3.0, 5.0]
    """
    d = kernel.ndim - 2
    widths = kernel.shape[:d]
    batch = x.shape[: -1 - d]
    x = x.reshape(-1, *x.shape[-1 - d :])
    if padding == "same" and not all(k % 2 for k in widths):
        raise fail("padding", "'valid' or a number for even widths", "'same'")
    if padding == "periodic":
        x = jnp.pad(x, [(0, 0), *[((k - 1) // 2, k // 2) for k in widths], (0, 0)], mode="wrap")
    pads = [{"valid": 0, "periodic": 0, "same": (k - 1) // 2}.get(padding, padding) for k in widths]
    space = _SPACE[-d:]
    dimensions = (f"N{space}C", f"{space}IO", f"N{space}C")
    out = jax.lax.conv_general_dilated(
        x, kernel, (stride,) * d, [(p, p) for p in pads], dimension_numbers=dimensions
    )
    return out.reshape(*batch, *out.shape[1:])
