r"""Exponents of a critical system in one call, for comparing systems of one class and of different ones.

Systems of one universality class flow to one fixed point: the same y_T and y_H, whatever the lattice and the
further couplings. They come from Monte Carlo renormalization (`mcrg`), whose steps n = 1, 2, … approach them
as

    y_n = y + a b^{−ω n},

b^{−ω} being the leading irrelevant eigenvalue: ω = 2 for Ising models in two dimensions (Caselle et al., J.
Phys. A 35, 4861, 2002), 4/5 for Potts models of three states (Nienhuis, J. Phys. A 15, 199, 1982), whose y_T
therefore settles slowly. With ω given, a is fitted; else a = 0 and the first steps are left out
while a constant does not describe them. ν = 1/y_T, η = d + 2 − 2 y_H. Errors are the larger of one standard
deviation and the distance from the last step, since what other corrections and left-out couplings do is not
known.
Finite-size scaling (`finite_size`) of the same system is the check that needs no blocking.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import jax
import numpy as np
from jax import Array
from jaxtyping import Float, PyTree

from intertwine._caveats import beneath, tell
from intertwine._checks import fail, positive_int
from intertwine._shown import Shown, with_error
from intertwine.rg.blocks.blocking import Majority, Rule
from intertwine.rg.montecarlo.fixed_point_verdict import left_out
from intertwine.rg.montecarlo.mcrg_result import MCRG, joined_sums
from intertwine.rg.montecarlo.streaming import MCRGSums, Sums
from intertwine.rg.scaling.finite_size import LARGEST_MISFIT, FiniteSize, finite_size
from intertwine.sampling.spins.default_sampler import spin_sampler
from intertwine.sampling.statistics.jackknife import jackknife_error

if TYPE_CHECKING:
    from intertwine.models.protocols import SpinSystem
    from intertwine.models.spins.spin_terms import Shape
    from intertwine.sampling.protocols import RunsChains

_GROUPS = 10


@dataclass(frozen=True, eq=False, repr=False)
class CriticalExponents(Shown):
    """ν = 1/y_T and η = d + 2 − 2 y_H with their errors, from Monte Carlo renormalization.

    nu, eta: NaN where the steps say that there is no fixed point. first: the steps, counted from 1, from
    which y_T and y_H are taken. omega: as given. mcrg: step by step. check: of finite-size scaling; None
    where it was not asked for. notes: further lines of `warnings`.
    """

    nu: float
    nu_error: float
    eta: float
    eta_error: float
    first: tuple[int, int]
    omega: float | None
    mcrg: MCRG
    check: FiniteSize | None
    notes: tuple[str, ...] = ()

    @property
    def warnings(self) -> tuple[str, ...]:
        """What qualifies ν and η, a line each: those of the steps (`MCRG.warnings`), and `notes`."""
        return (*self.mcrg.warnings, *self.notes)

    def __str__(self) -> str:
        found = self.mcrg.table()
        if self.mcrg.fixed_point is not False:
            found.append(
                f"ν = {with_error(self.nu, self.nu_error)} from step {self.first[0]} on, "
                f"η = {with_error(self.eta, self.eta_error)} from step {self.first[1]} on"
                + ("" if self.mcrg.fixed_point else ", NOT JUDGED")
            )
            if self.omega is not None:
                found[-1] += f", corrections b^(−{self.omega:g} n)"
        if self.check is not None:
            found.append(f"finite-size scaling, the check:\n{self.check}")
        return beneath("\n".join(found), self.warnings)


def exponents(
    family: Callable[[int], Any],
    *,
    side: int = 64,
    levels: int = 4,
    couplings: int | Iterable[str | Shape] = 4,
    samples: int = 60_000,
    omega: float | None = None,
    sizes: Sequence[int] | None = (8, 12, 16, 24, 32, 48),
    rule: Rule | None = None,
    sampler: PyTree = None,
    key: Array,
) -> CriticalExponents:
    """ν and η of a critical system.

    family: L ↦ an `Ising` or `Potts` model without a field on a torus of side L, at K_c of the infinite
    lattice. side: L of the renormalization, blocked `levels` times. couplings: as for `mcrg`. samples: of
    every lattice. omega: of the corrections, where it is known. sizes: of the check; None does without. rule:
    `Majority(2)`, of the model's states, for None. sampler: 20 chains of the one that `it.sample` takes for
    None. What qualifies ν and η (no fixed point, three dimensions, Potts models of four states and more) is
    in `warnings`.

    Raises InputError for lattices that are too small for the levels, samples too few for 50 bins, ω ≤ 0, and
    what `mcrg` and `finite_size` refuse.

    >>> from intertwine.models.spins.ising import CRITICAL_SQUARE, Ising
    >>> from intertwine.spaces.lattices import Square
    >>> torus = lambda L: Ising(Square(L, L), CRITICAL_SQUARE)
    >>> found = exponents(torus, side=16, levels=2, samples=10_000, sizes=None, key=jax.random.key(0))
    >>> bool(abs(found.nu - 1) < 0.1), bool(abs(found.eta - 0.25) < 0.02)
    (True, True)
    """
    if omega is not None and not (math.isfinite(omega) and omega > 0):
        raise fail("omega", "a positive number, or None", omega)
    model = family(positive_int("side", side))
    sampler = spin_sampler(model, chains=20) if sampler is None else sampler
    states = getattr(model, "states", None)
    rule = Majority(2, states=states) if rule is None else rule
    collected = MCRGSums(rule, model.lattice, levels=levels, couplings=couplings, states=states)
    run_key, scaling_key = jax.random.split(key)
    sums = _collect(collected, model, samples, sampler, run_key)
    found = collected.result(sums)
    if not (np.isfinite(found.y_T[:, -1]).all() and np.isfinite(found.y_H[:, -1]).all()):
        raise fail(
            "samples", "samples that give every step its eigenvalues", samples, "more, or fewer levels"
        )
    fits = [
        _weights(y[:, -1], error[:, -1], rule.block, omega)
        for y, error in ((found.y_T, found.y_T_error), (found.y_H, found.y_H_error))
    ]

    def limits(result: MCRG) -> np.ndarray:
        ys = result.y_T[:, -1], result.y_H[:, -1]
        return np.array([weights @ y for y, (weights, _) in zip(ys, fits, strict=True)])

    y_T, y_H = limits(found)
    last = np.array([found.y_T[-1, -1], found.y_H[-1, -1]])
    error_T, error_H = np.maximum(_group_errors(collected, sums, limits), abs(last - [y_T, y_H]))
    notes = left_out(states, model.lattice.dimension, omega) if found.fixed_point else ()
    tell((*found.warnings, *notes))
    if found.fixed_point is False:
        y_T, y_H, error_T, error_H = (np.nan,) * 4
    return CriticalExponents(
        float(1 / y_T), float(error_T / y_T**2),
        float(model.lattice.dimension + 2 - 2 * y_H), float(2 * error_H),
        (fits[0][1] + 1, fits[1][1] + 1), omega, found,
        None if sizes is None
        else finite_size(family, sizes, samples=samples, omega=omega, sampler=sampler, key=scaling_key),
        notes,
    )  # fmt: skip


def _collect(
    collected: MCRGSums, model: SpinSystem, samples: int, sampler: RunsChains, key: Array, bins: int = 50
) -> Sums:
    per_chain = positive_int("samples", samples) // (bins * sampler.chains)
    if per_chain < 2:
        raise fail("samples", f"at least {2 * bins * sampler.chains} for {sampler.chains} chains", samples)
    keys = jax.random.split(key, 2 * bins + 1)
    state, sums = sampler.init(model, key=keys[-1]), collected.zeros(bins)
    for k in range(bins):
        drawn, state = sampler.sample(model, state, per_chain, key=keys[2 * k])
        rows = np.asarray(drawn.configurations).reshape(-1, model.size)
        sums = collected.add(sums, k, rows, key=keys[2 * k + 1])
    return sums


def _weights(
    y: np.ndarray, error: np.ndarray, block: float, omega: float | None
) -> tuple[Float[np.ndarray, " levels"], int]:
    """The weights by which the y of the steps add up to their limit, and the first step in the fit."""
    steps = np.arange(1, len(y) + 1)
    columns = [np.ones(len(y))] + ([] if omega is None else [block ** (-omega * steps)])
    weights, first = np.zeros(len(y)), 0
    for first in range(max(1, len(y) - len(columns) + 1)):
        table = np.stack(columns, 1)[first:] / error[first:, None]
        inverse = np.linalg.pinv(table)
        misfit = float(((table @ (inverse @ (y / error)[first:]) - (y / error)[first:]) ** 2).sum())
        weights = np.zeros(len(y))
        weights[first:] = inverse[0] / error[first:]
        if misfit <= LARGEST_MISFIT * max(1, len(table) - len(columns)):
            break
    return weights, first


def _group_errors(
    collected: MCRGSums, sums: Sums, of: Callable[[MCRG], np.ndarray]
) -> Float[np.ndarray, " n"]:
    """One σ by leaving out groups of bins, joined where they are correlated: steps of the same samples are
    correlated."""
    sums, _ = joined_sums(sums)
    groups = np.array_split(np.arange(len(sums.count)), min(_GROUPS, len(sums.count)))
    values = [of(collected.result(Sums(*(np.delete(part, g, 0) for part in sums)))) for g in groups]
    return jackknife_error(np.array(values))
