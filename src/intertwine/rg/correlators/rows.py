"""What is told of one coupling, and the rows of all couplings as a result."""

from __future__ import annotations

import numpy as np

from intertwine._checks import fail
from intertwine.rg.correlators.equation import Equation, Solution
from intertwine.rg.correlators.result import CallanSymanzik

Row = dict[str, object]


def row_of(
    r: np.ndarray, chosen: np.ndarray, equation: Equation, found: Solution, again: list[Solution]
) -> Row:
    left = np.full(len(r), np.nan)
    left[chosen] = equation.residual(found.rest)
    far = [
        max((abs(getattr(one, name) - getattr(found, name)) for one in again), default=np.nan)
        for name in ("beta", "gamma")
    ]
    return {
        "beta": found.beta, "gamma": found.gamma, "residual": found.share, "residuals": left,
        "window": (r[chosen[0]], r[chosen[-1]]), "moved": far, "beta_error": 0.0, "gamma_error": 0.0,
        "residual_error": 0.0, "chi_squared": np.nan, "degrees": 0, "p_value": np.nan,
    }  # fmt: skip


def collected(
    K: np.ndarray, r: np.ndarray, rows: list[Row], clear: np.ndarray, notes: tuple[str, ...]
) -> CallanSymanzik:
    columns = {name: np.array([row[name] for row in rows]) for name in rows[0]}
    return CallanSymanzik(couplings=K, distances=r, clear=clear, notes=notes, **columns)


def part_of(equation: Equation, part: np.ndarray) -> Equation:
    """The equation at some of its distances."""
    return equation if len(part) == len(equation.r) else Equation.at(equation.r[part], equation.weights[part])


def numbers(name: str, values: object) -> np.ndarray:
    try:
        found = np.asarray(values, np.float64)
    except (TypeError, ValueError):
        raise fail(name, "an array of numbers", values) from None
    if not found.size or not np.isfinite(found).all():
        raise fail(name, "finite numbers", values)
    return found
