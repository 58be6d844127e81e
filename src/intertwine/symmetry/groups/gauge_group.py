r"""Gauge groups: Z_N, U(1), SU(2) and SU(3), with the numbers that their elements are stored as.

    group    element                                     stored as                       n
    Z_N      e^{2πi k/N}                                 k, int8 ()                      1
    U(1)     e^{iθ}                                      θ in radians, real ()           1
    SU(2)    a_0 + i (a_1 σ_1 + a_2 σ_2 + a_3 σ_3)       a, real (4,), |a| = 1           2
    SU(3)    the matrix                                  complex (3, 3)                  3

Products, inverses and traces act on arrays (..., *element) of any leading axes, in JAX; `matrix` gives the
defining representation, complex (..., n, n). Random elements are uniform (Haar): of SU(3) by two random rows,
made orthonormal, and their cross product (Stewart, SIAM J. Numer. Anal. 17, 403, 1980, for the idea).
"""

from __future__ import annotations

import re
from abc import abstractmethod
from dataclasses import dataclass
from typing import ClassVar

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from jax.core import Tracer
from jax.typing import DTypeLike
from jaxtyping import Complex, Float, Shaped

from intertwine._checks import fail, positive_int

_MOST_STATES = 127


@dataclass(frozen=True)
class GaugeGroup:
    """A group that links take their values in: made by name, `gauge_group("SU(2)")`.

    element: the axes of one stored element. dimension: n of the n × n matrices.
    """

    element: ClassVar[tuple[int, ...]] = ()
    dimension: ClassVar[int] = 1

    @property
    @abstractmethod
    def name(self) -> str:
        """As `gauge_group` reads it."""

    @abstractmethod
    def stored(self, dtype: DTypeLike = float) -> np.dtype:
        """The type of stored elements at the precision of the real type `dtype`."""

    @abstractmethod
    def identity(self, shape: tuple[int, ...] = (), dtype: DTypeLike = float) -> Shaped[Array, "..."]:
        """1 at every place of `shape`: (*shape, *element)."""

    @abstractmethod
    def random(
        self, key: Array, shape: tuple[int, ...] = (), dtype: DTypeLike = float
    ) -> Shaped[Array, "..."]:
        """Independent elements by the uniform (Haar) measure, (*shape, *element)."""

    @abstractmethod
    def product(self, a: Shaped[Array, "..."], b: Shaped[Array, "..."]) -> Shaped[Array, "..."]:
        """a b."""

    @abstractmethod
    def inverse(self, a: Shaped[Array, "..."]) -> Shaped[Array, "..."]:
        """a† = a⁻¹."""

    @abstractmethod
    def matrix(self, a: Shaped[Array, "..."]) -> Complex[Array, "... n n"]:
        """The complex n × n matrices."""

    @abstractmethod
    def real_trace(self, a: Shaped[Array, "..."]) -> Float[Array, "..."]:
        """Re tr(a)/n, between −1 and 1."""

    @abstractmethod
    def trace(self, a: Shaped[Array, "..."]) -> Complex[Array, "..."]:
        """tr(a)/n, complex."""

    @abstractmethod
    def deviation(self, a: np.ndarray) -> float:
        """How far the worst of the elements (host array) is from the group; nan where some are not finite."""

    def check(self, argument: str, a: Shaped[Array | np.ndarray, "..."]) -> None:
        """Raise `InputError` unless the last axes and the type of `a` are those of stored elements and, where
        their values are known, they lie in the group to rounding.

        >>> gauge_group("SU(2)").check("links", jnp.array([1.0, 0.5, 0.0, 0.0]))
        Traceback (most recent call last):
        ...
        intertwine._checks.InputError: links: expected elements of SU(2), quaternions of length 1, got a
        deviation of 0.118; project them with group.projected.
        """
        shape, kind = tuple(jnp.shape(a)), jnp.result_type(a)
        axes = len(self.element)
        if shape[len(shape) - axes :] != self.element or len(shape) < axes:
            raise fail(argument, f"{self._words} on the last axes {self.element}", f"shape {shape}")
        if not self._takes(kind):
            raise fail(argument, self._words, f"type {kind}")
        if isinstance(a, Tracer) or not np.size(a):
            return
        worst = self.deviation(np.asarray(a))
        whole = jnp.issubdtype(kind, jnp.integer)
        if not worst <= (0.0 if whole else 2e4 * float(jnp.finfo(kind).eps)):
            got = "values that are not finite" if np.isnan(worst) else f"a deviation of {worst:.3g}"
            raise fail(argument, f"elements of {self.name}, {self._words}", got, self._remedy)

    _words: ClassVar[str] = ""
    _remedy: ClassVar[str] = "project them with group.projected"

    def projected(self, a: Shaped[Array, "..."]) -> Shaped[Array, "..."]:
        """Numbers near the group taken onto it."""
        return a

    @abstractmethod
    def _takes(self, kind: np.dtype) -> bool: ...


@dataclass(frozen=True)
class CyclicGroup(GaugeGroup):
    """Z_N, e^{2πi k/N}, stored as k = 0 … N − 1.

    >>> group = gauge_group("Z3")
    >>> group.product(jnp.int8(2), jnp.int8(2)), round(float(group.real_trace(jnp.int8(1))), 6)
    (Array(1, dtype=int8), -0.5)
    """

    order: int

    def __post_init__(self) -> None:
        if not 2 <= positive_int("order", self.order) <= _MOST_STATES:
            raise fail("group", f"Z2 to Z{_MOST_STATES}", f"Z{self.order}", "take U(1) for a finer one")

    _words = "whole numbers 0 … N − 1"
    _remedy = "take them modulo N"

    @property
    def name(self) -> str:
        return f"Z{self.order}"

    def stored(self, dtype: DTypeLike = float) -> np.dtype:
        return np.dtype(np.int8)

    def identity(self, shape: tuple[int, ...] = (), dtype: DTypeLike = float) -> Shaped[Array, "..."]:
        return jnp.zeros(shape, jnp.int8)

    def random(
        self, key: Array, shape: tuple[int, ...] = (), dtype: DTypeLike = float
    ) -> Shaped[Array, "..."]:
        return jax.random.randint(key, shape, 0, self.order, jnp.int8)

    def product(self, a: Shaped[Array, "..."], b: Shaped[Array, "..."]) -> Shaped[Array, "..."]:
        return ((a.astype(jnp.int32) + b.astype(jnp.int32)) % self.order).astype(jnp.int8)

    def inverse(self, a: Shaped[Array, "..."]) -> Shaped[Array, "..."]:
        return (-a.astype(jnp.int32) % self.order).astype(jnp.int8)

    def matrix(self, a: Shaped[Array, "..."]) -> Complex[Array, "... 1 1"]:
        return self.trace(a)[..., None, None]

    def trace(self, a: Shaped[Array, "..."]) -> Complex[Array, "..."]:
        return jnp.asarray(self.roots, jnp.result_type(complex))[a.astype(jnp.int32)]

    def real_trace(self, a: Shaped[Array, "..."]) -> Float[Array, "..."]:
        return jnp.asarray(np.real(self.roots), jnp.result_type(float))[a.astype(jnp.int32)]

    @property
    def roots(self) -> Complex[np.ndarray, " N"]:
        """e^{2πi k/N}, complex128 (N,), exact where a part is 0 or ±1."""
        angles = 2 * np.pi / self.order * np.arange(self.order)
        parts = [f(angles) for f in (np.cos, np.sin)]
        exact = [np.where(abs(p - p.round()) < 1e-14, p.round(), p) for p in parts]
        return exact[0] + 1j * exact[1]

    def deviation(self, a: np.ndarray) -> float:
        return float(((a < 0) | (a >= self.order)).any())

    def _takes(self, kind: np.dtype) -> bool:
        return bool(jnp.issubdtype(kind, jnp.integer))


@dataclass(frozen=True)
class PhaseGroup(GaugeGroup):
    """U(1), e^{iθ}, stored as θ in radians; any real number will do.

    >>> float(gauge_group("U(1)").real_trace(jnp.array(np.pi)))
    -1.0
    """

    _words = "angles in radians, real"

    @property
    def name(self) -> str:
        return "U(1)"

    def stored(self, dtype: DTypeLike = float) -> np.dtype:
        return np.dtype(jnp.zeros((), dtype).dtype)

    def identity(self, shape: tuple[int, ...] = (), dtype: DTypeLike = float) -> Shaped[Array, "..."]:
        return jnp.zeros(shape, dtype)

    def random(
        self, key: Array, shape: tuple[int, ...] = (), dtype: DTypeLike = float
    ) -> Shaped[Array, "..."]:
        return jax.random.uniform(key, shape, dtype, -np.pi, np.pi)

    def product(self, a: Shaped[Array, "..."], b: Shaped[Array, "..."]) -> Shaped[Array, "..."]:
        return a + b

    def inverse(self, a: Shaped[Array, "..."]) -> Shaped[Array, "..."]:
        return -a

    def matrix(self, a: Shaped[Array, "..."]) -> Complex[Array, "... 1 1"]:
        return self.trace(a)[..., None, None]

    def trace(self, a: Shaped[Array, "..."]) -> Complex[Array, "..."]:
        return jax.lax.complex(jnp.cos(a), jnp.sin(a))

    def real_trace(self, a: Shaped[Array, "..."]) -> Float[Array, "..."]:
        return jnp.cos(a)

    def projected(self, a: Shaped[Array, "..."]) -> Shaped[Array, "..."]:
        """The angles between −π and π."""
        return jnp.arctan2(jnp.sin(a), jnp.cos(a))

    def deviation(self, a: np.ndarray) -> float:
        return 0.0 if np.isfinite(a).all() else float("nan")

    def _takes(self, kind: np.dtype) -> bool:
        return bool(jnp.issubdtype(kind, jnp.floating))


@dataclass(frozen=True)
class SU2Group(GaugeGroup):
    """SU(2), stored as quaternions a of length 1: a_0 + i a·σ.

    >>> group = gauge_group("SU(2)")
    >>> i, j = jnp.eye(4)[1], jnp.eye(4)[2]
    >>> group.product(i, j).tolist()                      # (iσ_1)(iσ_2) = −iσ_3
    [0.0, 0.0, 0.0, -1.0]
    """

    element = (4,)
    dimension = 2
    _words = "quaternions of length 1"

    @property
    def name(self) -> str:
        return "SU(2)"

    def stored(self, dtype: DTypeLike = float) -> np.dtype:
        return np.dtype(jnp.zeros((), dtype).dtype)

    def identity(self, shape: tuple[int, ...] = (), dtype: DTypeLike = float) -> Shaped[Array, "..."]:
        return jnp.zeros((*shape, 4), dtype).at[..., 0].set(1)

    def random(
        self, key: Array, shape: tuple[int, ...] = (), dtype: DTypeLike = float
    ) -> Shaped[Array, "..."]:
        return self.projected(jax.random.normal(key, (*shape, 4), dtype))

    def product(self, a: Shaped[Array, "... 4"], b: Shaped[Array, "... 4"]) -> Shaped[Array, "... 4"]:
        a0, a1, a2, a3 = jnp.moveaxis(a, -1, 0)
        b0, b1, b2, b3 = jnp.moveaxis(b, -1, 0)
        return jnp.stack(
            [
                a0 * b0 - a1 * b1 - a2 * b2 - a3 * b3,
                a0 * b1 + a1 * b0 - a2 * b3 + a3 * b2,
                a0 * b2 + a2 * b0 - a3 * b1 + a1 * b3,
                a0 * b3 + a3 * b0 - a1 * b2 + a2 * b1,
            ],
            -1,
        )

    def inverse(self, a: Shaped[Array, "... 4"]) -> Shaped[Array, "... 4"]:
        return a * jnp.array([1, -1, -1, -1], a.dtype)

    def matrix(self, a: Shaped[Array, "... 4"]) -> Complex[Array, "... 2 2"]:
        a0, a1, a2, a3 = jnp.moveaxis(a, -1, 0)
        upper = jnp.stack([jax.lax.complex(a0, a3), jax.lax.complex(a2, a1)], -1)
        lower = jnp.stack([jax.lax.complex(-a2, a1), jax.lax.complex(a0, -a3)], -1)
        return jnp.stack([upper, lower], -2)

    def trace(self, a: Shaped[Array, "... 4"]) -> Complex[Array, "..."]:
        return jax.lax.complex(a[..., 0], jnp.zeros_like(a[..., 0]))

    def real_trace(self, a: Shaped[Array, "... 4"]) -> Float[Array, "..."]:
        return a[..., 0]

    def projected(self, a: Shaped[Array, "... 4"]) -> Shaped[Array, "... 4"]:
        return a / jnp.linalg.norm(a, axis=-1, keepdims=True)

    def deviation(self, a: np.ndarray) -> float:
        worst = np.abs(np.sqrt((np.asarray(a, np.float64) ** 2).sum(-1)) - 1).max()
        return float(worst) if np.isfinite(a).all() else float("nan")

    def _takes(self, kind: np.dtype) -> bool:
        return bool(jnp.issubdtype(kind, jnp.floating))


@dataclass(frozen=True)
class SU3Group(GaugeGroup):
    """SU(3), stored as complex 3 × 3 matrices.

    >>> group = gauge_group("SU(3)")
    >>> U = group.random(jax.random.key(0))
    >>> bool(jnp.allclose(group.product(U, group.inverse(U)), jnp.eye(3), atol=1e-6))
    True
    """

    element = (3, 3)
    dimension = 3
    _words = "unitary matrices of determinant 1, complex"

    @property
    def name(self) -> str:
        return "SU(3)"

    def stored(self, dtype: DTypeLike = float) -> np.dtype:
        return np.result_type(jnp.zeros((), dtype).dtype, np.complex64)

    def identity(self, shape: tuple[int, ...] = (), dtype: DTypeLike = float) -> Shaped[Array, "..."]:
        return jnp.broadcast_to(jnp.eye(3, dtype=self.stored(dtype)), (*shape, 3, 3))

    def random(
        self, key: Array, shape: tuple[int, ...] = (), dtype: DTypeLike = float
    ) -> Shaped[Array, "..."]:
        return self.projected(jax.random.normal(key, (*shape, 3, 3), self.stored(dtype)))

    def product(self, a: Shaped[Array, "... 3 3"], b: Shaped[Array, "... 3 3"]) -> Shaped[Array, "... 3 3"]:
        return a @ b

    def inverse(self, a: Shaped[Array, "... 3 3"]) -> Shaped[Array, "... 3 3"]:
        return jnp.conj(jnp.swapaxes(a, -1, -2))

    def matrix(self, a: Shaped[Array, "... 3 3"]) -> Complex[Array, "... 3 3"]:
        return a

    def trace(self, a: Shaped[Array, "... 3 3"]) -> Complex[Array, "..."]:
        return jnp.trace(a, axis1=-2, axis2=-1) / 3

    def real_trace(self, a: Shaped[Array, "... 3 3"]) -> Float[Array, "..."]:
        return self.trace(a).real

    def projected(self, a: Shaped[Array, "... 3 3"]) -> Shaped[Array, "... 3 3"]:
        """Gram-Schmidt of the first two rows; the third is the conjugate of their cross product."""
        first = a[..., 0, :] / jnp.linalg.norm(a[..., 0, :], axis=-1, keepdims=True)
        second = a[..., 1, :] - (first.conj() * a[..., 1, :]).sum(-1, keepdims=True) * first
        second = second / jnp.linalg.norm(second, axis=-1, keepdims=True)
        return jnp.stack([first, second, jnp.cross(first, second).conj()], -2)

    def deviation(self, a: np.ndarray) -> float:
        if not np.isfinite(a).all():
            return float("nan")
        wide = np.asarray(a, np.complex128)
        unitary = np.abs(wide @ np.conj(np.swapaxes(wide, -1, -2)) - np.eye(3)).max()
        return float(max(unitary, np.abs(np.linalg.det(wide) - 1).max()))

    def _takes(self, kind: np.dtype) -> bool:
        return bool(jnp.issubdtype(kind, jnp.complexfloating))


def gauge_group(group: str | GaugeGroup) -> GaugeGroup:
    """The group of a name: "Z2" … "Z127", "U(1)", "SU(2)", "SU(3)".

    Raises InputError for other names.

    >>> gauge_group("su(3)").name, gauge_group("Z_4").order
    ('SU(3)', 4)
    """
    if isinstance(group, GaugeGroup):
        return group
    plain = re.sub(r"[()_\s]", "", group).upper() if isinstance(group, str) else ""
    named = {"U1": PhaseGroup, "SU2": SU2Group, "SU3": SU3Group}
    if plain in named:
        return named[plain]()
    if re.fullmatch(r"Z[0-9]{1,3}", plain, re.ASCII):
        return CyclicGroup(int(plain[1:]))
    raise fail("group", '"Z2" (or another Z_N), "U(1)", "SU(2)" or "SU(3)"', group)
