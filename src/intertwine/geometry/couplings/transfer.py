r"""Cumulants of a lattice by the transfer matrix of its rows, to the third order.

    Z = Tr Π_r M_r,     M_r(a, b) = e^{ln Ψ of row a and of what links it to the next row b}

With derivatives ∂_i M = M∘S_i, ∂_i ∂_j M = M∘S_i∘S_j, … beside each matrix, products follow Leibniz' rule,
and the moments of S up to the third come out of one product (Kramers & Wannier, Phys. Rev. 60, 252, 1941).
Sums are counted from their mean, found first, so that no digits are lost.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Sequence

import numpy as np

from intertwine.geometry.couplings.families import Cumulants

LARGEST_ROW = 1024
"""States of a row."""

Jet = dict[tuple[int, ...], np.ndarray]
"""Derivatives by multi-index, sorted: (), (i,), (i, j), (i, j, k)."""
Table = tuple[np.ndarray, np.ndarray]
Value = Callable[[list[np.ndarray], str], np.ndarray]
"""A term's value from the states of its sites, and the kind of term."""


def row_width(sites: list[np.ndarray], size: int, states: int) -> int | None:
    """The smallest number of successive sites in a row such that no term reaches further than the next row;
    None where there is none with at most 1024 states."""
    for width in range(1, size // 2 + 1):
        rows = size // width
        if states**width > LARGEST_ROW:
            return None
        if size % width or rows < 2:
            continue
        if all(_near(part // width, rows) for part in sites if part.size):
            return width
    return None


def _near(rows: np.ndarray, count: int) -> bool:
    """Whether every term (T, k) lies in a row r and in r + 1 mod count."""
    within = ((rows[:, None, :] - rows[:, :, None]) % count <= 1).all(-1).any(-1)
    return bool(within.all())


class TransferFamily:
    """A lattice of `size` sites of `states` states, `width` of them in a row. terms: (sites (T, k), kind) of
    each coupling θ; fixed: the same of terms that stay, with their strengths; value: of a term."""

    def __init__(
        self,
        names: tuple[str, ...],
        terms: Sequence[tuple[np.ndarray, str]],
        fixed: Sequence[tuple[np.ndarray, str, np.ndarray]],
        theta: np.ndarray,
        size: int,
        width: int,
        states: int,
        value: Value,
    ):
        self.names, self.theta, self.sites = tuple(names), np.asarray(theta, np.float64), size
        self.rows, self.states = size // width, states
        count = states**width
        number = np.arange(count)
        digits = np.stack([number // states ** (width - 1 - i) % states for i in range(width)], 1)
        self._tables: list[Table] = []
        ones = np.ones(1)
        for row in range(self.rows):
            sums = np.zeros((len(terms), count, count))
            for k, (sites, kind) in enumerate(terms):
                sums[k] = _row_sum(sites, kind, ones, row, self.rows, width, digits, value)
            base = np.zeros((count, count))
            for sites, kind, strength in fixed:
                base += _row_sum(sites, kind, strength, row, self.rows, width, digits, value)
            known = self._tables and _same(self._tables[0], (sums, base))
            self._tables.append(self._tables[0] if known else (sums, base))

    def cumulants(self, theta: np.ndarray) -> Cumulants:
        n = len(self.names)
        theta = np.asarray(theta, np.float64)
        first = self._moments(theta, np.zeros(n), 1)
        mean = np.array([first[0][(i,)] for i in range(n)])
        moments, log_z = self._moments(theta, mean / self.rows, 3)
        own = np.array([moments[(i,)] for i in range(n)])
        metric, third = np.zeros((n, n)), np.zeros((n, n, n))
        for i, j in itertools.product(range(n), repeat=2):
            metric[i, j] = moments[tuple(sorted((i, j)))] - own[i] * own[j]
        for i, j, k in itertools.product(range(n), repeat=3):
            raw = moments[tuple(sorted((i, j, k)))]
            third[i, j, k] = raw - metric[i, j] * own[k] - metric[i, k] * own[j] - metric[j, k] * own[i]
            third[i, j, k] -= own[i] * own[j] * own[k]
        return Cumulants(log_z + float(theta @ mean), mean + own, metric, third)

    def _moments(
        self, theta: np.ndarray, centre: np.ndarray, order: int
    ) -> tuple[dict[tuple[int, ...], float], float]:
        """Moments of S − rows · centre by multi-index, and ln Z − θ · rows · centre."""
        made: dict[int, tuple[Jet, float]] = {}
        for table in self._tables:
            if id(table) not in made:
                made[id(table)] = _jet(table, theta, centre, order)
        chain = [made[id(table)] for table in self._tables]
        if len(made) == 1:
            product, scale = _power(chain[0][0], self.rows)
            scale += self.rows * chain[0][1]
        else:
            product, scale = chain[0]
            for jet, size in chain[1:]:
                product, more = _rescaled(_times(product, jet))
                scale += size + more
        traces = {index: float(np.trace(matrix)) for index, matrix in product.items()}
        whole = traces[()]
        return {index: value / whole for index, value in traces.items()}, math.log(whole) + scale


def _same(a: Table, b: Table) -> bool:
    return all(np.array_equal(x, y) for x, y in zip(a, b, strict=True))


def _row_sum(
    sites: np.ndarray,
    kind: str,
    strength: np.ndarray,
    row: int,
    rows: int,
    width: int,
    digits: np.ndarray,
    value: Value,
) -> np.ndarray:
    """Σ of the terms that begin in `row`, for every pair of states of it and of the next: (q^w, q^w)."""
    count = len(digits)
    total = np.zeros((count, count))
    if not len(sites):
        return total
    of = sites // width
    inside = ((of - row) % rows <= 1).all(1)
    begins = inside & (of == row).any(1)
    if rows == 2:  # a term over both rows belongs to the row of its first site
        begins = inside & (of[:, 0] == row)
    strength = np.broadcast_to(strength, (len(sites),))
    for term, factor in zip(sites[begins], strength[begins], strict=True):
        columns = []
        for site in term:
            state = digits[:, site % width]
            columns.append(state[:, None] if site // width == row else state[None, :])
        total += factor * value(columns, kind)
    return total


def _jet(table: Table, theta: np.ndarray, centre: np.ndarray, order: int) -> tuple[Jet, float]:
    sums, base = table
    apart = sums - centre[:, None, None]
    exponent = base + np.tensordot(theta, apart, 1)
    top = float(exponent.max())
    weight = np.exp(exponent - top)
    jet: Jet = {(): weight}
    for size in range(1, order + 1):
        for index in itertools.combinations_with_replacement(range(len(theta)), size):
            jet[index] = jet[index[:-1]] * apart[index[-1]]
    return jet, top


def _times(a: Jet, b: Jet) -> Jet:
    """Leibniz: ∂_I(AB) = Σ ∂_J A ∂_{I∖J} B."""
    out: Jet = {}
    for index in a:
        total = np.zeros_like(a[()])
        for mask in range(1 << len(index)):
            left = tuple(x for k, x in enumerate(index) if mask >> k & 1)
            right = tuple(x for k, x in enumerate(index) if not mask >> k & 1)
            total += a[left] @ b[right]
        out[index] = total
    return out


def _rescaled(jet: Jet) -> tuple[Jet, float]:
    size = float(jet[()].max())
    return {index: matrix / size for index, matrix in jet.items()}, math.log(size)


def _power(jet: Jet, exponent: int) -> tuple[Jet, float]:
    """(M^exponent, ln of the scale taken out)."""
    result: Jet | None = None
    scale, base, base_scale = 0.0, jet, 0.0
    while exponent:
        if exponent & 1:
            if result is None:
                result, scale = base, base_scale
            else:
                result, more = _rescaled(_times(result, base))
                scale += base_scale + more
        exponent >>= 1
        if exponent:
            base, more = _rescaled(_times(base, base))
            base_scale = 2 * base_scale + more
    assert result is not None
    return result, scale
