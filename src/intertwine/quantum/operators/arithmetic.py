"""The arithmetic that all operators share, written once in terms of sums, multiples and products."""

from __future__ import annotations

from typing import Self

import equinox as eqx
import numpy as np

from intertwine._checks import fail
from intertwine.quantum.operators.pauli import finite_scalar


class Arithmetic(eqx.Module):
    """+, −, multiples and powers of operators that say `_combined` (self + factor · other, where a number
    stands for that multiple of the identity), `_times` (a finite complex number) and `@`.

    >>> import intertwine as it
    >>> spins = it.Operator.from_strings(2, [(1.0, "XI"), (1.0, "IX")])
    >>> (2 * spins**2 - sum([spins, spins]) / 2 - 4.0).strings()
    [((4+0j), {0: 'X', 1: 'X'}), ((-1+0j), {0: 'X'}), ((-1+0j), {1: 'X'})]
    """

    def _combined(self, other: object, factor: float) -> Self:
        raise NotImplementedError

    def _times(self, number: complex) -> Self:
        raise NotImplementedError

    def __matmul__(self, other: object) -> Self:
        raise NotImplementedError

    def __add__(self, other: object) -> Self:
        return self._combined(other, 1.0)

    __radd__ = __add__

    def __sub__(self, other: object) -> Self:
        return self._combined(other, -1.0)

    def __rsub__(self, other: object) -> Self:
        return (-self)._combined(other, 1.0)

    def __neg__(self) -> Self:
        return self * -1.0

    def __mul__(self, factor: complex) -> Self:
        if isinstance(factor, Arithmetic):
            raise fail("factor", "a number", "an operator", "a product of operators is written A @ B")
        return self._times(finite_scalar("factor", factor))

    __rmul__ = __mul__

    def __truediv__(self, divisor: complex) -> Self:
        if isinstance(divisor, Arithmetic) or divisor == 0:
            raise fail("divisor", "a number other than 0", divisor)
        return self * (1.0 / finite_scalar("divisor", divisor))

    def __pow__(self, exponent: int) -> Self:
        """A @ A @ …, `exponent` times; the 0th power is the identity."""
        if isinstance(exponent, bool) or not isinstance(exponent, int | np.integer) or exponent < 0:
            raise fail("exponent", "an integer, 0 or more", exponent)
        power = 0 * self + 1.0
        for _ in range(int(exponent)):
            power = power @ self
        return power
