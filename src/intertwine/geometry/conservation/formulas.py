r"""A basis of a space of combinations that can be read: few terms, simple numbers.

Rows (k, K) span the space; elimination with pivots leaves each basis vector free of the others' pivots.
Several orders of the columns are tried, and the basis with the fewest terms is kept. Each row is divided by
the one of its coefficients that turns most of the others into small fractions.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from fractions import Fraction

import numpy as np
from jaxtyping import Float

NEGLIGIBLE = 1e-9
"""Coefficients of exact combinations below it, over the largest, in units of the spreads, are rounding."""

_TRIALS = 24
_UP = str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")


def sparse_basis(
    rows: Float[np.ndarray, "k K"],
    scale: Float[np.ndarray, " K"] | None = None,
    *,
    negligible: float = NEGLIGIBLE,
    trials: int = _TRIALS,
) -> Float[np.ndarray, "k K"]:
    """The same space with few terms a row. scale: sizes of the functions. negligible: relative coefficients
    below it are set to 0.

    >>> sparse_basis(np.array([[1.0, 1.0, 1.0, 1.0], [1.0, 1.0, -1.0, -1.0]])).tolist()
    [[1.0, 1.0, 0.0, 0.0], [0.0, 0.0, 1.0, 1.0]]
    """
    if not len(rows):
        return rows
    count = rows.shape[1]
    size = np.ones(count) if scale is None else np.where(scale > 0, scale, 1.0)
    even, _ = np.linalg.qr((rows * size).T)
    even = even.T
    draws = np.random.default_rng(0)
    orders = [np.arange(count), np.arange(count)[::-1], *(draws.permutation(count) for _ in range(trials))]
    best, fewest = even, math.inf
    for order in orders:
        found = _reduced(even, order, negligible)
        terms = int((found != 0).sum())
        if terms < fewest:
            best, fewest = found, terms
    first = [int(np.argmax(row != 0)) for row in best]
    return np.array([_simple(row / size) for row in best[np.argsort(first, kind="stable")]])


def without_identities(
    rows: Float[np.ndarray, "k K"], values: Float[np.ndarray, "m K"], groups: Sequence[np.ndarray]
) -> Float[np.ndarray, "k K"]:
    """A basis of few terms of k combinations, which stand for themselves up to identities between the
    functions: those of whole groups of functions (the products of one axis) are left out where no other
    combination needs them.

    >>> x, y = np.random.default_rng(0).normal(size=(2, 9))
    >>> values = np.stack([x + y, x, y], axis=1)
    >>> without_identities(np.array([[0.5, 0.5, -0.5]]), values, [np.array([0]), np.array([1, 2])]).tolist()
    [[0.0, 1.0, 0.0]]
    """
    if not len(rows):
        return rows
    centre = values - values.mean(axis=0)
    scale = centre.std(axis=0)
    scale = np.where(scale > 1e-13 * np.abs(values).max(initial=1.0), scale, 1.0)
    _, singular, right = np.linalg.svd(centre / scale, full_matrices=True)
    rank = int((singular > 1e-10 * singular.max(initial=1e-300)).sum())
    identities = right[rank:]
    whole = np.linalg.qr(np.concatenate([identities, rows * scale]).T)[0].T
    for group in sorted(groups, key=len):
        if not len(identities) or not len(rows):
            break
        kept, of_identities = _kernel(whole[:, group]), _kernel(identities[:, group])
        if len(whole) - len(kept) == len(identities) - len(of_identities):
            whole, identities = kept @ whole, of_identities @ identities
    found = sparse_basis(whole / scale, scale, trials=4)
    if len(identities):
        found = _of_laws(found * scale, identities, len(rows))
        found = np.array([_simple(row) for row in found / scale])
    return found


def _of_laws(basis: np.ndarray, identities: np.ndarray, count: int) -> np.ndarray:
    """`count` rows of the basis, those of few terms, that stay independent when identities are taken off;
    identities are added where they leave fewer terms."""
    own = sparse_basis(identities)
    basis = np.array([_shortened(row, own) for row in basis])
    basis = basis[np.argsort((basis != 0).sum(axis=1), kind="stable")]
    held = np.linalg.qr(identities.T)[0].T
    chosen = []
    for row in basis:
        rest = row / np.linalg.norm(row)
        rest = rest - (rest @ held.T) @ held
        length = np.linalg.norm(rest)
        if length > 1e-6 and len(chosen) < count:
            chosen.append(row)
            held = np.concatenate([held, (rest / length)[None]])
    return np.array(chosen)


def _shortened(row: np.ndarray, identities: np.ndarray) -> np.ndarray:
    row = row / np.abs(row).max(initial=1e-300)
    for identity in identities:
        places = np.flatnonzero(identity)
        for ratio in np.unique((row[places] / identity[places]).round(9)):
            tried = row - ratio * identity
            tried = np.where(np.abs(tried) < 10 * NEGLIGIBLE * np.abs(tried).max(initial=1e-300), 0.0, tried)
            if 0 < (tried != 0).sum() < (row != 0).sum():
                row = tried
    return row


def _kernel(columns: np.ndarray) -> np.ndarray:
    """Combinations of rows of length about 1, as rows, whose columns all are 0."""
    left, singular, _ = np.linalg.svd(columns, full_matrices=True)
    return left[:, int((singular > 1e-8).sum()) :].T


def _reduced(rows: np.ndarray, order: np.ndarray, negligible: float) -> np.ndarray:
    work, done = rows.copy(), np.zeros(len(rows), bool)
    for _ in range(len(rows)):
        left = np.flatnonzero(~done)
        sizes = np.abs(work[left]).max(axis=0)
        column = int(order[np.argmax((sizes >= 0.3 * sizes.max())[order])])
        pivot = int(left[np.argmax(np.abs(work[left, column]))])
        work[pivot] /= work[pivot, column]
        others = np.arange(len(work)) != pivot
        work[others] -= np.outer(work[others, column], work[pivot])
        done[pivot] = True
    small = np.abs(work) < negligible * np.abs(work).max(axis=1, keepdims=True)
    return np.where(small, 0.0, work)


def _simple(row: np.ndarray) -> np.ndarray:
    """The row over the coefficient that leaves the simplest numbers, those within 1e-6 of a fraction, over
    their own size, made exact."""
    places = np.flatnonzero(row)
    terms = row[places]
    best, cost = terms, math.inf
    largest = np.abs(terms).max(initial=1e-300)
    _, distinct = np.unique((np.abs(terms[:8]) / largest).round(12), return_index=True)
    for divisor in np.abs(terms[np.sort(distinct)]).tolist():
        tried = terms / (divisor * np.sign(terms[0]))
        near = np.array([float(_fraction(float(x))) for x in tried[:40]])
        close = np.abs(near - tried[:40]) < 1e-6 * np.abs(tried[:40])
        whole = np.array([_price(x) for x in near[close]])
        price = float(whole.sum() + 50 * (~close).sum())
        if price < cost:
            best, cost = tried, price
            best[: len(near)][close] = near[close]
    found = np.zeros_like(row)
    found[places] = best
    return found


def _fraction(value: float) -> Fraction:
    """The number in the smallest parts, to twelfths, that are within 1e-6 of its size; else the nearest."""
    for parts in range(1, 13):
        near = Fraction(round(value * parts), parts)
        if abs(float(near) - value) < 1e-6 * abs(value):
            return near
    return Fraction(value).limit_denominator(12)


def _price(value: float) -> float:
    fraction = Fraction(value).limit_denominator(12)
    return fraction.denominator + abs(fraction.numerator) / 4


def written(row: Float[np.ndarray, " K"], names: Sequence[str], *, digits: int = 4, most: int = 12) -> str:
    """A combination in words.

    >>> written(np.array([0.5, -1.0, 0.0]), ["px²", "1/r", "x"])
    '1/2 px² − 1/r'
    >>> written(np.array([1.0, 1e-6]), ["x²", "p²"])
    'x² + 1e-6 p²'
    """
    places = np.flatnonzero(row)
    parts = []
    for k in places[:most]:
        sign = "−" if row[k] < 0 else "+"
        amount = _number(abs(float(row[k])), digits)
        name = names[k] if amount == "" or not str(names[k])[:1].isdigit() else f"({names[k]})"
        parts.append((sign, f"{amount} {name}".strip()))
    if not parts:
        return "0"
    text = ("−" if parts[0][0] == "−" else "") + parts[0][1]
    text += "".join(f" {sign} {part}" for sign, part in parts[1:])
    return text + (f" + {len(places) - most} terms more" if len(places) > most else "")


def _number(value: float, digits: int) -> str:
    near = _fraction(value)
    if abs(float(near) - value) < 1e-6 * value:
        return "" if near == 1 else str(near)
    text = f"{value:.{digits}g}"
    mantissa, _, power = text.partition("e")
    text = f"{mantissa}e{int(power)}" if power else text
    return "" if text == "1" else text


def monomial(exponents: Sequence[int], names: Sequence[str]) -> str:
    """x² y of exponents (2, 1).

    >>> monomial((2, 1, 0), ("x", "y", "z")), monomial((1, 0, 1), ("x", "y", "1/r"))
    ('x² y', 'x (1/r)')
    """
    alone = sum(1 for e in exponents if e) == 1
    parts = []
    for e, name in zip(exponents, names, strict=True):
        if e:
            plain = name.isidentifier() or (alone and e == 1)
            parts.append((name if plain else f"({name})") + ("" if e == 1 else str(e).translate(_UP)))
    return " ".join(parts)
