r"""Activations as functions on the host, in float64: values, slopes, kinks, and how they look near 0.

    slopes at 0         σ(z) ≈ a₊ z for z > 0,  a₋ z for z < 0;      a² = (a₊² + a₋²)/2
    scale-invariant     σ(cz) = c σ(z) for every c > 0: a₊ and a₋ are the whole function

Any JAX function that acts on each number alone is one; its slope is its derivative by JAX. Places where the
value or the slope jumps are found by bisection, so that integrals are taken between them.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property, partial

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from jaxtyping import Float

from intertwine._checks import fail
from intertwine.layers.nonlinear.pointwise import FUNCTIONS, Function

NAMED: dict[str, Callable[[Array], Array]] = FUNCTIONS | {
    "linear": FUNCTIONS["identity"],
    "erf": jax.scipy.special.erf,
    "gelu": partial(jax.nn.gelu, approximate=False),
    "swish": jax.nn.silu,
    "hard_tanh": jax.nn.hard_tanh,
}
"""Activations by name: those of `Pointwise`, with GELU as z Φ(z) itself, and a few more."""

REACH = 100.0
"""Kinks are looked for in |z| ≤ 100."""
_POINTS, _MANY = 2048, 1 << 16
_NEAR = 1e-13
_ROUGH = 1e-6


@dataclass(frozen=True, eq=False)
class Activation:
    """σ of each number alone. name: its own. function: of JAX arrays.

    Raises InputError for what is no such function, or is not finite.

    >>> tanh = Activation.of("tanh")
    >>> tanh(np.array([0.0, 1.0])).round(4).tolist(), tanh.slope_square
    ([0.0, 0.7616], 1.0)
    >>> relu = Activation.of(jax.nn.relu)
    >>> relu.name, relu.scale_invariant, relu.slopes
    ('relu', True, (0.0, 1.0))
    >>> Activation.of("hard_tanh").kinks.round(9).tolist()
    [-1.0, 0.0, 1.0]
    """

    name: str
    function: Callable[[Array], Array]

    @classmethod
    def of(cls, given: Function | Activation) -> Activation:
        """An activation of a name, or of any function of JAX arrays."""
        if isinstance(given, Activation):
            return given
        if isinstance(given, str):
            if given not in NAMED:
                raise fail("activation", "a function or one of " + ", ".join(NAMED), given)
            return cls(given, NAMED[given])
        if not callable(given):
            raise fail("activation", "a function of JAX arrays, or its name", given, 'for example "tanh"')
        name = str(getattr(given, "__name__", type(given).__name__))
        made = cls("a function" if name == "<lambda>" else name, given)
        made.check()
        return made

    def __call__(self, z: Float[np.ndarray, "..."]) -> Float[np.ndarray, "..."]:
        """σ(z), float64."""
        return self.with_slope(z)[0]

    def with_slope(self, z: Float[np.ndarray, "..."]) -> tuple[np.ndarray, np.ndarray]:
        """(σ(z), σ'(z)), float64; two compiled programs for all sizes."""
        flat = np.asarray(z, np.float64).reshape(-1)
        size = _MANY if len(flat) > 4 * _POINTS else _POINTS
        parts = [self._block(flat[i : i + size], size) for i in range(0, len(flat), size)]
        values, slopes = (np.concatenate(rows) for rows in zip(*parts, strict=True))
        return values.reshape(np.shape(z)), slopes.reshape(np.shape(z))

    def _block(self, z: np.ndarray, size: int) -> tuple[np.ndarray, np.ndarray]:
        wide = np.zeros(size)
        wide[: len(z)] = z
        with jax.enable_x64(True):
            value, slope = self._compiled(wide)
        return np.asarray(value, np.float64)[: len(z)], np.asarray(slope, np.float64)[: len(z)]

    @cached_property
    def _compiled(self) -> Callable[[np.ndarray], tuple[Array, Array]]:
        def both(z: Array) -> tuple[Array, Array]:
            return jax.jvp(self.function, (z,), (jnp.ones_like(z),))

        return jax.jit(both)

    def check(self) -> None:
        """Raise `InputError` unless every number is mapped alone, to a finite real number."""
        z = np.linspace(-3.0, 3.0, 64)
        expected, remedy = "a function of each number of a JAX array alone", "for example jax.numpy.tanh"
        try:
            with jax.enable_x64(True):
                shape = jax.eval_shape(self.function, jax.ShapeDtypeStruct((8,), jnp.float64))
            good = getattr(shape, "shape", None) == (8,) and jnp.issubdtype(shape.dtype, jnp.floating)
        except Exception as error:
            reason = (str(error).strip().splitlines() or [type(error).__name__])[0]
            raise fail("activation", expected, f"{self.name}: {reason}", remedy) from error
        if not good:
            raise fail("activation", expected, f"{self.name}, which gives {shape}", remedy)
        values = self(z)
        changed = z.copy()
        changed[::2] += 1.0
        alone = np.array_equal(self(changed)[1::2], values[1::2], equal_nan=True)
        if not alone:
            raise fail("activation", expected, f"{self.name}, which mixes them", remedy)
        if not np.isfinite(values).all():
            at = z[~np.isfinite(values)][0]
            remedy = "say what it is there, for example by jax.numpy.where"
            raise fail(
                "activation", "an activation that is finite everywhere", f"{self.name}({at:.3g})", remedy
            )

    @cached_property
    def slopes(self) -> tuple[float, float]:
        """(a₋, a₊), the slopes on both sides of 0."""
        left, right = self.with_slope(np.array([-_NEAR, _NEAR]))[1]
        return _without_rounding(float(left)), _without_rounding(float(right))

    @property
    def slope_square(self) -> float:
        """a² = (a₋² + a₊²)/2."""
        left, right = self.slopes
        return (left**2 + right**2) / 2

    @cached_property
    def at_zero(self) -> float:
        """σ(0)."""
        return float(self(np.zeros(1))[0])

    @cached_property
    def scale_invariant(self) -> bool:
        """Whether σ is made of two straight lines that meet in 0."""
        z = np.array([-1e3, -7.3, -1.0, -1e-3, 0.0, 1e-3, 1.0, 7.3, 1e3])
        left, right = self.slopes
        straight = np.where(z < 0, left * z, right * z)
        return bool(np.allclose(self(z), straight, rtol=1e-12, atol=1e-14) and self.slope_square > 0)

    @cached_property
    def is_erf(self) -> bool:
        """Whether σ is the error function, whose averages are known."""
        z = np.array([-1.7, -0.2, 0.4, 1.1])
        return bool(np.allclose(self(z), [math.erf(x) for x in z], rtol=0, atol=1e-14))

    @cached_property
    def jumps(self) -> Float[np.ndarray, " n"]:
        """Where the value jumps."""
        return self._breaks[1]

    @cached_property
    def kinks(self) -> Float[np.ndarray, " n"]:
        """Where the value or the slope jumps, and 0."""
        return self._breaks[0]

    @cached_property
    def _breaks(self) -> tuple[np.ndarray, np.ndarray]:
        """(kinks, jumps): intervals with a change of slope or value that bisection does not make smaller."""
        grid = np.sinh(np.linspace(-1, 1, 2 * _POINTS - 1) * math.asinh(REACH))
        a, b = grid[:-1], grid[1:]
        left, right = (np.stack(self.with_slope(x)) for x in (a, b))
        for _ in range(60):
            kept = _rough(left, right)
            if not kept.any():
                break
            a, b, left, right = a[kept], b[kept], left[:, kept], right[:, kept]
            middle = (a + b) / 2
            here = np.stack(self.with_slope(middle))
            first = np.abs(here - left).max(0) > np.abs(right - here).max(0)
            a, b = np.where(first, a, middle), np.where(first, middle, b)
            left, right = np.where(first, left, here), np.where(first, here, right)
        kept = _rough(left, right)
        found, step = ((a + b) / 2)[kept], _rough(left[:1], right[:1])[kept]
        found = np.where(np.abs(found) < _NEAR, 0.0, found)
        return np.unique(np.append(found, 0.0)), np.unique(found[step])


def _without_rounding(value: float) -> float:
    """A number of few digits where the value is one but for rounding."""
    short = float(f"{value:.6g}")
    return short if abs(value - short) <= 1e-12 * abs(short) else value


def _rough(left: np.ndarray, right: np.ndarray) -> np.ndarray:
    """Where values and slopes (2, n) at both ends differ by more than rounding."""
    apart = np.abs(right - left) > _ROUGH * (1 + np.maximum(np.abs(left), np.abs(right)))
    return np.asarray(apart.any(0))
