"""Integers of cyclotomic fields: sums Σ_k m_k ζ^k of n-th roots of unity, exactly.

Powers of ζ = exp(2πi/n) from φ(n) on are written in the lower ones by the cyclotomic polynomial Φ_n, so
that two sums are equal exactly when their φ(n) integer coefficients are. Modulo a prime p = 1 mod n the
roots of unity are numbers themselves, and a sum becomes one integer.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np


@lru_cache(maxsize=256)
def cyclotomic_polynomial(n: int) -> tuple[int, ...]:
    """The coefficients of Φ_n, constant term first: (xⁿ − 1) divided by Φ_m for all m < n that divide n.

    >>> cyclotomic_polynomial(6)
    (1, -1, 1)
    """
    remaining = [-1] + [0] * (n - 1) + [1]
    for m in range(1, n):
        if n % m == 0:
            remaining = _divided(remaining, cyclotomic_polynomial(m))
    return tuple(remaining)


def _divided(numerator: list[int], divisor: tuple[int, ...]) -> list[int]:
    """The quotient by a monic polynomial, exact integers."""
    rest = np.array(numerator, dtype=np.int64)
    by = np.array(divisor, dtype=np.int64)
    quotient = [0] * (len(numerator) - len(divisor) + 1)
    for k in reversed(range(len(quotient))):
        quotient[k] = int(rest[k + len(by) - 1])
        rest[k : k + len(by)] -= quotient[k] * by
    return quotient


@lru_cache(maxsize=64)
def power_basis(n: int) -> np.ndarray:
    """int64 (n, φ(n)): row k has the coefficients of ζ^k in 1, ζ, …, ζ^(φ(n)−1).

    >>> power_basis(3).tolist()
    [[1, 0], [0, 1], [-1, -1]]
    """
    polynomial = np.array(cyclotomic_polynomial(n), dtype=np.int64)
    degree = len(polynomial) - 1
    rows = np.zeros((n, degree), np.int64)
    rows[0, 0] = 1
    for k in range(1, n):
        rows[k, 1:] = rows[k - 1, :-1]
        rows[k] -= rows[k - 1, -1] * polynomial[:-1]
    return rows


def splitting_prime(exponent: int, above: int) -> tuple[int, int]:
    """The smallest prime p > `above` with p = 1 mod `exponent`, and a number of that order modulo p.

    >>> splitting_prime(6, 10)
    (13, 4)
    """
    p = exponent * (above // exponent) + 1
    while p <= above or not _is_prime(p):
        p += exponent
    factors = [q for q in range(2, exponent + 1) if exponent % q == 0 and _is_prime(q)]
    for candidate in range(1, p):
        root = pow(candidate, (p - 1) // exponent, p)
        if all(pow(root, exponent // q, p) != 1 for q in factors):
            return p, root
    raise AssertionError(f"no root of unity of order {exponent} modulo {p}: please report this")


def _is_prime(n: int) -> bool:
    return n > 1 and all(n % q for q in range(2, int(n**0.5) + 1))
