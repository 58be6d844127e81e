r"""A state vector under a Hamiltonian that depends on time: steps that choose their own length.

    ψ(t + δ) ≈ e^{−iδ(a H_1 + b H_2)} e^{−iδ(b H_1 + a H_2)} ψ(t),   a, b = 1/4 ∓ √3/6,
                                                                  H_{1,2} at t + δ(1/2 ∓ √3/6)

is the commutator-free Magnus propagator of order 4 (Blanes & Moan, Appl. Numer. Math. 56, 1519 (2006)). A
step is made once whole and once in halves; the halves go on, and their error is told by two things,

    error = ‖ψ_whole − ψ_halves‖/15 + δ ‖Σ_j w_j H(t + x_j δ)‖₁,

the second of which looks for what nodes alone do not show: it is the seventh difference of H over the eight
points x_j that are the nodes of all and the ends of the step, ‖·‖₁ the sum of the sizes of coefficients, with
w such that a jump of H anywhere in the step counts at least by its size (one in the last tenth changes no
node). A step is taken where its error is within tolerance · δ; around a jump none is, and steps are shortened
until the error, δ times the jump, is within a hundredth of the tolerance for the whole span. Errors are added
up, as U keeps distances.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np

from intertwine._checks import fail
from intertwine.quantum.exact.krylov import propagated_with_error
from intertwine.quantum.exact.lanczos import Matrix
from intertwine.quantum.operators.pauli import PauliSum

if TYPE_CHECKING:
    from intertwine.quantum.operators.operator import Operator

MAGNUS = 0.25 + np.sqrt(3) / 6, 0.25 - np.sqrt(3) / 6
"""b and a."""
NODES = 0.5 - np.sqrt(3) / 6, 0.5 + np.sqrt(3) / 6
_HALVES = tuple(0.5 * (half + node) for half in (0, 1) for node in NODES)
_POINTS = (*_HALVES, *NODES, 0.0, 1.0)
_DIFFERENCE = np.array([1 / np.prod([a - b for b in _POINTS if b != a]) for a in _POINTS])
_DIFFERENCE /= np.min(np.abs(np.cumsum(_DIFFERENCE[np.argsort(_POINTS)])[:-1]))
_FIRST = 1 / 64
"""Of the span: the step to try first."""
_SHARE = 0.01
"""Of the tolerance of the whole span, that a step around a jump may use."""
_ROUNDING, _SHORTEST = 2e-14, 1e-14
"""An error that no shorter step makes smaller, and the shortest step, relative to the time."""
_MOST, _LITTLE = 120, 1e-6
"""So many steps that are tried for less than this share of the span: it cannot be followed."""


class Driven:
    """Steps under `hamiltonian` (a function of the time). matrix: what makes an operator a matrix. factor: −i
    or −1. tolerance: of the error per unit of time. step: a fixed one, or None. longest: of a step, so that a
    pulse that is short beside the whole time is not stepped over."""

    def __init__(
        self,
        hamiltonian: Callable[[float], Operator],
        matrix: Callable[[Operator], Matrix],
        factor: complex,
        tolerance: float,
        step: float | None = None,
        longest: float = float("inf"),
    ):
        self.hamiltonian, self.matrix, self.factor = hamiltonian, matrix, factor
        self.tolerance, self.step, self.following, self.longest = tolerance, step, 0.0, longest

    def carried(self, psi: np.ndarray, begin: float, end: float) -> tuple[np.ndarray, float]:
        """The state at `end` from that at `begin`, and the error that is added (nan of fixed steps)."""
        if self.step is not None:
            return self._in_fixed_steps(psi, begin, end, self.step)
        t, error, span = begin, 0.0, end - begin
        h, mark, tried = self.following or _FIRST * span, begin, 0
        while t < end:
            mark, tried = (t, 0) if t - mark > _LITTLE * span else (mark, tried + 1)
            if tried > _MOST:
                got, remedy = f"one that stops at t = {t:.6g}", "give one that is smooth but for some jumps"
                raise fail("H", "a function of the time that steps can follow", got, remedy)
            h = min(h, self.longest)
            last = end - t < 1.01 * h
            h = end - t if last else h
            made, own = self._tried(psi, t, h)
            floor = _SHORTEST * max(1.0, abs(end))
            allowed = max(self.tolerance * h, _SHARE * self.tolerance * span, _ROUNDING)
            good, share = own <= allowed or h <= floor, own / allowed
            longer = h * float(np.clip(0.8 * max(share, 1e-30) ** -0.25, 0.1, 5.0))
            if good and made is not None:
                psi, error = made, error + own
                t = end if last else t + h
                self.following = max(longer, self.following) if last else longer
                h = longer
            else:
                h = min(longer, 0.5 * h)
        return psi, error

    def _tried(self, psi: np.ndarray, t: float, h: float) -> tuple[np.ndarray | None, float]:
        """The state after a step in halves, and its error; None where H alone shows that it is too long."""
        at = [self.hamiltonian(t + x * h) for x in _POINTS]
        strings, values = _strings(at)
        off = h * float(np.sum(np.abs(_DIFFERENCE @ values)))
        within = max(1e-15, 0.02 * self.tolerance * h)
        if off > self.tolerance * h and h > 1e-6 and h > 1e3 * _SHARE * self.tolerance:
            return None, off

        def step(psi: np.ndarray, first: int, span: float) -> tuple[np.ndarray, float]:
            return self._step(psi, at[0], strings, values[first : first + 2], span, within)

        whole, lost = step(psi, 4, h)
        halves, first = step(psi, 0, h / 2)
        halves, second = step(halves, 2, h / 2)
        apart = max(float(np.linalg.norm(whole - halves)) - lost - first - second, 0.0)
        return halves, apart / 15 + off + first + second

    def _step(
        self,
        psi: np.ndarray,
        like: Operator,
        strings: np.ndarray,
        values: np.ndarray,
        h: float,
        within: float,
    ) -> tuple[np.ndarray, float]:
        """By h, with the coefficients (2, strings) at both nodes; like: an operator of the frame."""
        lost, n = 0.0, like.size
        for weights in (MAGNUS, MAGNUS[::-1]):
            mean = np.array(weights) @ values
            there = mean != 0
            terms = PauliSum(strings[there, :n], strings[there, n:], mean[there])
            about = {"lattice": like.lattice, "turned": like.turned, "hilbert": like.hilbert}
            matrix = self.matrix(type(like).from_masks(n, terms, **about))
            psi, more = propagated_with_error(matrix, psi, h, self.factor, within)
            lost += more
        return psi, lost

    def _in_fixed_steps(
        self, psi: np.ndarray, begin: float, end: float, step: float
    ) -> tuple[np.ndarray, float]:
        count = int(np.ceil((end - begin) / step - 1e-9))
        for j in range(count):
            d = (end - begin) / count
            t = begin + j * d
            at = [self.hamiltonian(t + node * d) for node in NODES]
            psi, _ = self._step(psi, at[0], *_strings(at), d, 1e-13)
        return psi, float("nan")


def _strings(operators: Sequence[Operator]) -> tuple[np.ndarray, np.ndarray]:
    """The strings of all, (strings, 2N) as (x, z), and their coefficients (operators, strings)."""
    parts = [operator.masks() for operator in operators]
    keys = [np.concatenate([part.x, part.z], axis=1) for part in parts]
    if all(key.shape == keys[0].shape and np.array_equal(key, keys[0]) for key in keys[1:]):
        return keys[0], np.stack([part.h for part in parts])
    numbers: dict[bytes, int] = {}
    for key in keys:
        for row in key:
            numbers.setdefault(row.tobytes(), len(numbers))
    out = np.zeros((len(parts), len(numbers)), complex)
    for row, (part, key) in enumerate(zip(parts, keys, strict=True)):
        out[row, [numbers[string.tobytes()] for string in key]] = part.h
    return np.stack([np.frombuffer(string, keys[0].dtype) for string in numbers]), out
