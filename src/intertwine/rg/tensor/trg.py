r"""Tensor renormalization on the square lattice: ln Z per site, and the fixed point's exponents.

    T ──coarsen──► T' ──coarsen──► T'' …        2^n sites after n steps, lengths larger by √2 per step

(`bond_tensor` has the step; Levin & Nave 2007, bond weights after Adachi, Okubo & Todo 2022.) Dividing each
tensor by its own Z(1 × 1) = g_n gives ln Z of the torus of 2^n sites, Σ_m 2^{n−m} ln g_m; there is no error
but the cut at χ. At a critical point the normalised tensor stands still and its transfer matrix is that of a
conformal field theory on a square torus (Gu & Wen, Phys. Rev. B 80, 155131, 2009; Cardy 1986),

    λ_i = e^{N f} e^{2π(c/12 − Δ_i)},        y = 2 − Δ:    y_H = 2 − Δ_σ,  y_T = 2 − Δ_ε

with the central charge c and the scaling dimensions Δ. Elsewhere it flows to a tensor of one phase or of q
coexisting ones, which Z(1 × 1)²/Z(1 × 2) = 1 or q tells; that is how `trg_critical` finds K_c.

Derivatives of ln Z (energy, specific heat, magnetization) are differences: `trg_derivatives`.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Float, Int
from numpy.typing import ArrayLike

from intertwine._caveats import beneath, caveat, tell
from intertwine._checks import fail, one_of, positive_int
from intertwine._shown import Shown
from intertwine._threads import single_threaded_blas
from intertwine.models.spins.pair_weights import interaction
from intertwine.rg.tensor.bond_tensor import (
    BondTensor,
    coarsen,
    gu_wen,
    normalised,
    site_tensor,
    transfer_spectrum,
)

SCHEMES = {"trg": 0.0, "bond-weighted": -0.5}
"""Name to k: the new bonds carry σ^k."""

_LEVELS = 8
_LARGEST_CHI = 64
_MOST_STEPS = 200
SETTLED = 0.02
"""A larger relative change from step to step is told."""


@dataclass(frozen=True, eq=False, repr=False)
class TRG(Shown):
    """What a run of tensor renormalization found; row n − 1 of an array belongs to step n, 2^n sites.

    log_z: ln Z per site of the torus of 2^steps sites, in nats. log_z_by_step: of every torus, float64
    (steps,). spectrum: float64 (steps, 8), the largest moduli of eigenvalues of the transfer matrix of the
    normalised tensor, padded with zeros. invariant: Gu and Wen's number of coexisting phases, (steps,).
    legs: int (steps,), the larger dimension of a bond. chi, scheme: as given.
    """

    log_z: float
    log_z_by_step: Float[np.ndarray, " steps"]
    spectrum: Float[np.ndarray, "steps 8"]
    invariant: Float[np.ndarray, " steps"]
    legs: Int[np.ndarray, " steps"]
    chi: int
    scheme: str

    def __str__(self) -> str:
        words = (
            f"ln Z per site = {self.log_z:.10f} of 2^{len(self.legs)} sites, {self.scheme}, χ = {self.chi}"
        )
        return f"{words}, {self.invariant[-1]:.4g} phases at the end"

    @property
    def block(self) -> float:
        """The linear factor b = √2 of a step."""
        return math.sqrt(2)

    @property
    def dimensions(self) -> Float[np.ndarray, "steps 7"]:
        """Δ_i = ln(λ_0/λ_i)/2π by step, in increasing order; infinite where there is no such eigenvalue."""
        with np.errstate(divide="ignore"):
            return np.log(self.spectrum[:, :1] / self.spectrum[:, 1:]) / (2 * math.pi)

    @property
    def central_charge(self) -> Float[np.ndarray, " steps"]:
        """c = (6/π)(ln λ_0 − N f) by step, N f being ln λ_0 of N sites less that of N/2, twice: from the step
        and the one before, NaN at the first. A free energy of the last step would carry that torus's own c
        into the steps before it."""
        sites = 2.0 ** np.arange(1, len(self.invariant) + 1)
        top = self.log_z_by_step * sites + np.log(self.spectrum[:, 0])
        found = np.full(len(top), np.nan)
        found[1:] = 6 / math.pi * (2 * top[:-1] - top[1:])
        return found

    @property
    def exponents(self) -> TensorExponents:
        """y_H = 2 − Δ_σ and y_T = 2 − Δ_ε where both, relative to themselves, change least from step to step.

        Δ_σ is the smallest dimension, Δ_ε the next one above it, whatever the multiplicity of Δ_σ. With
        χ < 12 the spectrum drifts too early for a reliable Δ_ε.

        Raises InputError where no step changes them by less than 5 %: the coupling is not critical.

        >>> found = trg(math.log(1 + math.sqrt(2)) / 2, chi=16).exponents
        >>> abs(found.y_H - 1.875) < 0.001, abs(found.y_T - 1) < 0.02, abs(found.central_charge - 0.5) < 0.005
        (True, True, True)
        """
        first = self.dimensions[:, :1]
        above = np.where(self.dimensions > first * (1 + 1e-4), self.dimensions, np.inf).min(1)
        pair = np.stack([first[:, 0], above], axis=1)
        with np.errstate(invalid="ignore"):
            change = np.abs(np.diff(pair, axis=0) / pair[1:]).sum(1)
        charge = self.central_charge
        change = np.where(np.isfinite(change) & (charge[1:] > 0.25), change, np.inf)
        if not len(change) or change.min() > 0.05:
            raise fail("K", "a critical coupling, where the tensor comes to a fixed point", "one off it")
        row = int(change.argmin()) + 1
        y_H, y_T = 2 - pair[row]
        found = TensorExponents(row + 1, float(y_T), float(y_H), float(charge[row]))
        beside = charge[row + 1] if row + 1 < len(charge) else charge[row - 1]
        said = _unsettled(found, float(change[row - 1]), float(beside))
        tell(said)
        return found._replace(warnings=said)


class TensorExponents(NamedTuple):
    """step: where the tensor was nearest to its fixed point. y_T, y_H: thermal and magnetic exponents.
    central_charge: c. warnings: caveats, a line each, where they have not come to rest."""

    step: int
    y_T: float
    y_H: float
    central_charge: float
    warnings: tuple[str, ...] = ()

    def __str__(self) -> str:
        words = f"y_T = {self.y_T:.4f}, y_H = {self.y_H:.4f}, c = {self.central_charge:.4f}"
        return beneath(f"{words} at step {self.step}", self.warnings)


def _unsettled(found: TensorExponents, change: float, beside: float) -> tuple[str, ...]:
    """The caveats of dimensions that change from the step before, and of another c at the step beside it."""
    said = []
    if change > SETTLED:
        words = f"the scaling dimensions change by {change:.1%} to step {found.step}, where they change least"
        said.append(caveat("not-converged", f"{words}: take more steps and a larger chi"))
    if not abs(beside - found.central_charge) <= SETTLED * found.central_charge:
        words = (
            f"the central charge is {found.central_charge:.4f} at step {found.step}, {beside:.4f} beside it"
        )
        said.append(caveat("not-converged", f"{words}: take more steps and a larger chi"))
    return tuple(said)


def trg(
    K: ArrayLike, chi: int = 16, steps: int = 40, *, field: ArrayLike = 0.0, scheme: str = "bond-weighted"
) -> TRG:
    """Coarse-grain the square lattice `steps` times, keeping bonds of at most `chi`.

    K: the coupling of Ising spins, or an array (q, q) of pair terms: `K * np.eye(q)` for the Potts model.
    field: h, or an array (q,). chi: 2 to 64; time grows as χ⁶. steps: 1 to 200; forty are the infinite
    lattice to 1e-12. scheme: "bond-weighted", or "trg" for that of Levin and Nave. Accuracy at T_c, χ = 16:
    3.3e-7 and 4.6e-6 of ln Z.

    Raises InputError for other values, and where χ is too small to give a positive Z.

    >>> from intertwine.models.spins.onsager import onsager
    >>> found = trg(0.4, chi=8)
    >>> abs(found.log_z / onsager(0.4).log_partition - 1) < 2e-6, round(float(found.invariant[-1]), 6)
    (True, 1.0)
    """
    if positive_int("steps", steps) > _MOST_STEPS:
        raise fail("steps", f"1 to {_MOST_STEPS}", steps)
    log_z, log_z_by_step, spectrum, invariant, legs = 0.0, [], [], [], []
    for network, log_z in itertools.islice(_tori(K, field, chi, scheme), steps):
        log_z_by_step.append(log_z)
        spectrum.append(transfer_spectrum(network, _LEVELS))
        invariant.append(gu_wen(network))
        legs.append(max(network.tensor.shape))
    arrays = (np.array(log_z_by_step), np.stack(spectrum), np.array(invariant), np.array(legs))
    return TRG(log_z, *arrays, chi=int(chi), scheme=scheme)


def _tori(K: ArrayLike, field: ArrayLike, chi: int, scheme: str) -> Iterator[tuple[BondTensor, float]]:
    """The normalised tensor and ln Z per site of the torus of 2, 4, 8 … sites."""
    model = interaction(K, field)
    if not 2 <= positive_int("chi", chi, "keep 2 singular values or more") <= _LARGEST_CHI:
        raise fail("chi", f"2 to {_LARGEST_CHI}", chi)
    k = SCHEMES[one_of("scheme", scheme, tuple(SCHEMES))]
    network, log_z = site_tensor(model)
    for step in itertools.count(1):
        with single_threaded_blas():
            network, log_norm = normalised(coarsen(network, chi, k))
        log_z += log_norm / 2.0**step
        if math.isnan(log_z):
            raise fail(
                "chi", f"enough singular values for a positive Z at step {step}", chi, "give a larger one"
            )
        yield network, log_z


class Derivatives(NamedTuple):
    """ln Z per site and its first and second derivative."""

    log_z: float
    first: float
    second: float


def trg_derivatives(
    model: Callable[[float], Any],
    at: float,
    chi: int = 16,
    steps: int = 40,
    *,
    scheme: str = "bond-weighted",
    width: float = 1e-3,
) -> Derivatives:
    """Derivatives of ln Z per site in a parameter, by central differences of fourth order.

    model: the parameter to K, or to (K, field), as `trg` takes them: `lambda K: K` gives −energy and
    Var(E)/N of Ising spins, `lambda h: (K, h)` magnetization and susceptibility. width: the step of the
    differences, positive.

    Raises InputError for other values.

    >>> from intertwine.models.spins.onsager import onsager
    >>> found = trg_derivatives(lambda K: K, 0.4, chi=8)
    >>> abs(-found.first - onsager(0.4).energy) < 1e-4
    True
    """
    if not (isinstance(width, int | float) and 0 < width < math.inf):
        raise fail("width", "a positive number", width)
    values = []
    for n in (-2, -1, 0, 1, 2):
        given = model(at + n * width)
        K, field = given if isinstance(given, tuple) else (given, 0.0)
        values.append(trg(K, chi, steps, field=field, scheme=scheme).log_z)
    a, b, c, d, e = values
    first = (a - 8 * b + 8 * d - e) / (12 * width)
    return Derivatives(c, first, (-a + 16 * b - 30 * c + 16 * d - e) / (12 * width**2))


def trg_critical(
    model: Callable[[float], Any],
    low: float,
    high: float,
    chi: int = 8,
    *,
    scheme: str = "bond-weighted",
    tolerance: float = 1e-7,
) -> float:
    """The coupling between `low` (one phase) and `high` (several) where the flow changes its end.

    model: the parameter to K, as `trg` takes it. tolerance: where the bisection ends, at least 1e-12.

    Raises InputError for other values, and where the two ends do not lie in different phases.

    >>> found = trg_critical(lambda K: K, 0.4, 0.5, chi=4, tolerance=1e-5)
    >>> abs(found - math.log(1 + math.sqrt(2)) / 2) < 5e-3
    True
    """
    if not (isinstance(tolerance, int | float) and tolerance >= 1e-12):
        raise fail("tolerance", "a number ≥ 1e-12", tolerance)
    if not (all(isinstance(end, int | float) for end in (low, high)) and low < high):
        raise fail("low, high", "two numbers, low < high", f"{low}, {high}")
    ends = float(low), float(high)

    def phases(parameter: float) -> int | None:
        return _phases(model(parameter), chi, scheme)

    found = phases(ends[0]), phases(ends[1])
    if found[0] != 1 or found[1] in (1, None):
        raise fail(
            "low, high",
            "one phase at low and several at high",
            f"{found[0]} and {found[1]}",
            "move them apart",
        )
    while ends[1] - ends[0] > tolerance:
        middle = (ends[0] + ends[1]) / 2
        now = phases(middle)
        if now is None:
            return middle
        ends = (middle, ends[1]) if now == 1 else (ends[0], middle)
    return (ends[0] + ends[1]) / 2


def _phases(K: ArrayLike, chi: int, scheme: str) -> int | None:
    """How many phases coexist where the flow of the tensor ends: Gu and Wen's number as soon as it has stayed
    at a whole number for three steps (later, rounding picks one phase of several). None: it never does."""
    stayed, last = 0, 0
    for network, _ in itertools.islice(_tori(K, 0.0, chi, scheme), _MOST_STEPS):
        number = gu_wen(network)
        same = abs(number - round(number)) < 1e-3 and round(number) == last
        stayed, last = (stayed + 1 if same else 0), round(number)
        if stayed == 3:
            return last
    return None
