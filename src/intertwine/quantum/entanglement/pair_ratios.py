r"""K_ij = ψ(A_i, B_j)/ψ(A_i, B_i) for pairs of samples (A_i, B_i): what all sampled measures are made of.

Only cyclic products count, K_ij K_ji, K_ij K_jk K_ki, …, and these do not change under K_ij → K_ij c_j/c_i.
So factors of ψ that depend on A alone or on B alone drop out, and for a machine with hidden units

    K_ij ≅ e^{A_i J (B_j − B_i)} Π_k (p_ik t_jk + q_ik),      p_ik t_ik + q_ik = 1,

takes a multiply-add for each pair and unit (`pair_products`). Other models are called on the different
(A, B) that occur. Amplitudes that vanish, because A_i and B_j have the wrong magnetization together, are 0
and count.
"""

from __future__ import annotations

from typing import Protocol

import numpy as np
from jaxtyping import Int, Num

from intertwine._threads import over_ranges
from intertwine.models.kernels.host_tables import HostForm, host_form
from intertwine.models.protocols import SpinFormed, spin_form
from intertwine.quantum.entanglement.drawn import Drawn, LogPsi
from intertwine.quantum.entanglement.pair_products import angles, exponential, products
from intertwine.quantum.entanglement.regions import rest
from intertwine.quantum.entanglement.space_vectors import allowed, crossings
from intertwine.spaces.hilbert.hilbert_space import HilbertSpace

_LARGEST = 1e200
_CHUNK = 256


class Pairs(Protocol):
    """K between samples, given by their numbers."""

    @property
    def cheap(self) -> bool:
        """Whether a pair costs much less than a call of the model."""
        ...

    def __call__(self, rows: Int[np.ndarray, "n"], columns: Int[np.ndarray, "m"]) -> Num[np.ndarray, "n m"]:
        """K of rows and columns, in some gauge K_ij c_j/c_i that is the same at every call."""
        ...


def pair_ratios(drawn: Drawn, region: tuple[int, ...]) -> Pairs:
    """K of all samples of `drawn`, numbered chain by chain, for A = `region`, of modes."""
    flat = drawn.configurations.reshape(-1, drawn.size)
    inside, outside = np.array(region), np.array(rest(region, drawn.size), int)
    A, B = flat[:, inside], flat[:, outside]
    table = _Called(A, B, inside, outside, drawn.log_psi)
    found: Pairs = table
    if isinstance(drawn.model, SpinFormed):
        host = host_form(spin_form(drawn.model))
        if not host.careful:
            found = _Hidden(A, B, inside, outside, host, table)
    if drawn.hilbert is not None:
        return _InSpace(drawn.hilbert, inside, outside, A, B, found)
    if drawn.magnetizations is None:
        return found
    return _Confined(A.sum(axis=1, dtype=int), B.sum(axis=1, dtype=int), drawn.magnetizations, found)


class _Called:
    """By calls of the model on the different A and B of a block."""

    cheap = False

    def __init__(
        self, A: np.ndarray, B: np.ndarray, inside: np.ndarray, outside: np.ndarray, log_psi: LogPsi
    ):
        self.A, self.B, self.inside, self.outside, self.log_psi = A, B, inside, outside, log_psi
        self.own: np.ndarray | None = None

    def __call__(self, rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
        if self.own is None:
            self.own = self.log_psi(self._joined(self.A, self.B))
        first, row = np.unique(self.A[rows], axis=0, return_inverse=True)
        second, column = np.unique(self.B[columns], axis=0, return_inverse=True)
        pairs = self._joined(np.repeat(first, len(second), axis=0), np.tile(second, (len(first), 1)))
        logs = self.log_psi(pairs).reshape(len(first), len(second))
        with np.errstate(over="ignore", invalid="ignore"):
            found = np.exp(logs[row.ravel()][:, column.ravel()] - self.own[rows][:, None])
        return np.real(found) if not np.any(np.imag(found)) else found

    def _joined(self, A: np.ndarray, B: np.ndarray) -> np.ndarray:
        out = np.empty((len(A), A.shape[1] + B.shape[1]), np.int8)
        out[:, self.inside], out[:, self.outside] = A, B
        return out


class _Hidden:
    """By products over hidden units; through `other` where they leave the range of numbers."""

    cheap = True

    def __init__(
        self,
        A: np.ndarray,
        B: np.ndarray,
        inside: np.ndarray,
        outside: np.ndarray,
        host: HostForm,
        other: Pairs,
    ):
        self.host, self.other, self.lost, self.B = host, other, False, B
        self.p, self.q, self.t = (np.empty((len(A), host.rows.shape[1])) for _ in range(3))

        def fill(start: int, stop: int) -> None:
            for begin in range(start, stop, _CHUNK):
                rows = slice(begin, min(begin + _CHUNK, stop))
                tables = _tables(host, A[rows], B[rows], inside, outside)
                self.p[rows], self.q[rows], self.t[rows] = tables

        over_ranges(fill, len(A))
        self.joint: np.ndarray | None = None
        if host.coupling.size:
            J = host.coupling[0] + 1j * host.coupling[1] if host.is_complex else host.coupling[0]
            self.joint = A.astype(float) @ J[np.ix_(inside, outside)]

    def __call__(self, rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
        if self.lost:
            return self.other(rows, columns)
        if self.host.hidden:
            found = products(self.p[rows], self.q[rows], self.t[columns], self.host.complex_units)
        else:
            found = np.ones((len(rows), len(columns)))
        if self.joint is not None:
            joint = self.joint[rows]
            own = np.sum(joint * self.B[rows], axis=1)
            found = found * np.exp(joint @ self.B[columns].astype(float).T - own[:, None])
        numbers = found.view(np.float64)
        if not max(np.max(numbers, initial=0.0), -np.min(numbers, initial=0.0)) < _LARGEST:
            self.lost = True  # one gauge for all blocks: from here on, and the caller begins anew
            raise GaugeLostError
        return found


def _tables(
    host: HostForm, A: np.ndarray, B: np.ndarray, inside: np.ndarray, outside: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """p, q and t of samples (n, P): t = e^{2β}, q = 1/(1 + e^{2α} t), p = e^{2α} q."""
    m = host.padded
    first = exponential(2 * angles(host, inside, A, bias=True), m)
    t = exponential(2 * angles(host, outside, B), m)
    if not host.complex_units:
        q = 1 / (1 + first * t)
        p = first * q
    else:
        a, b, x, y = first[:, :m], first[:, m:], t[:, :m], t[:, m:]
        u, v = 1 + a * x - b * y, a * y + b * x
        scale = 1 / (u * u + v * v)
        u, v = u * scale, -v * scale
        q, p = np.concatenate([u, v], axis=1), np.concatenate([a * u - b * v, a * v + b * u], axis=1)
        p[:, m + host.hidden :] = q[:, m + host.hidden :] = 0.0
    p[:, host.hidden : m], q[:, host.hidden : m] = 0.0, 1.0
    return p, q, t


class GaugeLostError(Exception):
    """Products left the range of numbers: K is to be asked for again, from the first block."""


class _Confined:
    """K of a state that lives at given magnetizations: 0 where A_i and B_j have another together."""

    def __init__(self, a: np.ndarray, b: np.ndarray, magnetizations: tuple[int, ...], pairs: Pairs):
        self.a, self.b, self.magnetizations, self.pairs = a, b, magnetizations, pairs

    @property
    def cheap(self) -> bool:
        return self.pairs.cheap

    def __call__(self, rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
        parts = []
        for m in np.unique(self.a[rows]):
            row = np.flatnonzero(self.a[rows] == m)
            column = np.flatnonzero(np.isin(m + self.b[columns], self.magnetizations))
            if len(column):
                parts.append((row, column, self.pairs(rows[row], columns[column])))
        kind = np.result_type(np.float64, *(values for _, _, values in parts))
        out = np.zeros((len(rows), len(columns)), kind)
        for row, column, values in parts:
            out[np.ix_(row, column)] = values
        return out


class _InSpace:
    """K of a state in a Hilbert space: 0 where A_i and B_j are no configuration together, and with the signs
    of fermions whose modes in A are moved to the front."""

    def __init__(
        self,
        space: HilbertSpace,
        inside: np.ndarray,
        outside: np.ndarray,
        A: np.ndarray,
        B: np.ndarray,
        pairs: Pairs,
    ):
        self.space, self.inside, self.outside, self.pairs = space, inside, outside, pairs
        self.a, self.b = (self._levels(part) for part in (A, B))
        self.before = None
        if space.has_fermions:
            self.before = self.b.astype(np.int32) @ crossings(space, inside, outside)

    @property
    def cheap(self) -> bool:
        return self.pairs.cheap

    def _levels(self, values: np.ndarray) -> np.ndarray:
        return (values < 0).astype(np.int8) if self.space.binary else values

    def __call__(self, rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
        there = allowed(self.space, self.inside, self.outside, self.a[rows], self.b[columns])
        found = np.where(there, self.pairs(rows, columns), 0)
        if self.before is None:
            return found
        own = np.sum(self.before[rows] * self.a[rows], axis=1)
        crossed = self.a[rows].astype(np.int32) @ self.before[columns].T + own[:, None]
        return found * (1 - 2 * (crossed % 2))
