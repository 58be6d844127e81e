r"""The central charge from the growth of entropy with the length of a block.

    S_q(l) = (c/6)(1 + 1/q) ln x(l) + s + b/x,      x = (N/π) sin(π l/N)      on a ring of N sites,
    S_q(l) = (c/12)(1 + 1/q) ln x(l) + s + b/x,     x = (2N/π) sin(π l/N)     from the end of an open chain

(Calabrese & Cardy, J. Stat. Mech. P06002 (2004)); the term b/x is the leading correction of lattice and order
in Ising chains, left out unless asked for. Fitted by least squares, with weights where errors are given;
entropies from the same samples have errors that go together, and are fitted with their covariance,

    (c, s, b) = (DᵀΣ⁻¹D)⁻¹ DᵀΣ⁻¹S        (Aitken, Proc. R. Soc. Edinb. 55, 42 (1936)).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from jaxtyping import Float
from numpy.typing import ArrayLike

from intertwine._checks import fail
from intertwine.quantum.entanglement.entropies import checked_order


class CentralCharge(NamedTuple):
    """c and its error (0 where there are as many lengths as parameters and no errors given). constant: s.
    correction: b, 0 where it was not fitted. residual: the largest |S − fit|, nats. weights: c = Σ weights ·
    S, for errors of entropies that are not independent."""

    c: float
    error: float
    constant: float
    correction: float
    residual: float
    weights: Float[np.ndarray, " n"]

    def __float__(self) -> float:
        return self.c


def central_charge(
    lengths: ArrayLike,
    entropies: ArrayLike,
    total: int | ArrayLike,
    *,
    order: float = 1,
    periodic: bool = True,
    correction: bool = False,
    errors: ArrayLike | None = None,
) -> CentralCharge:
    """The central charge c from entropies of blocks, by least squares in the logarithm of the chord.

    lengths: of the blocks (n,). entropies: of them, nats (n,). total: the length N of the chain, or one for
    each entropy (half chains of several sizes). order: of the entropy. periodic: a block inside a ring, else
    at the end of an open chain. correction: whether to fit a term b/x besides. errors: of the entropies, one
    standard deviation each (n,), independent, or their covariance (n, n); None for equal weights, and an
    error from the scatter.

    >>> lengths = np.arange(2, 11)
    >>> entropies = 0.5 / 3 * np.log(20 / np.pi * np.sin(np.pi * lengths / 20)) + 0.4
    >>> round(central_charge(lengths, entropies, 20).c, 9)
    0.5
    """
    length, S = np.asarray(lengths, float), np.asarray(entropies, float)
    order = checked_order(order)
    if order == 0:
        raise fail("order", "above 0", order, "the rank does not grow with a central charge")
    if length.ndim != 1 or S.shape != length.shape:
        raise fail("entropies", f"one for each length, shape {length.shape}", f"shape {S.shape}")
    parameters = 2 + bool(correction)
    if len(length) < parameters:
        raise fail("lengths", f"at least {parameters} of them", len(length), "each parameter needs one")
    N = np.broadcast_to(np.asarray(total, float), length.shape)
    if not (np.isfinite(S).all() and (length > 0).all() and (length < N).all()):
        raise fail("lengths", "blocks shorter than the chain, with finite entropies", lengths)
    x = (1 if periodic else 2) * N / np.pi * np.sin(np.pi * length / N)
    factor = (1 + 1 / order) / (6 if periodic else 12)
    design = np.stack([factor * np.log(x), np.ones_like(x), *([1 / x] if correction else [])], axis=1)
    if np.linalg.matrix_rank(design) < parameters:
        raise fail("lengths", "blocks of different chords", lengths, "equal chords fix no slope")
    root = _root(errors, len(S))
    solve = np.linalg.pinv(np.linalg.solve(root, design)) @ np.linalg.inv(root)
    found = solve @ S
    left = S - design @ found
    variance = float(np.sum((solve[0] @ root) ** 2))
    if errors is None:
        spare = len(length) - parameters
        variance *= float(left @ left) / spare if spare else 0.0
    b = float(found[2]) if correction else 0.0
    return CentralCharge(
        float(found[0]), variance**0.5, float(found[1]), b, float(np.abs(left).max()), solve[0]
    )


def _root(errors: ArrayLike | None, count: int) -> Float[np.ndarray, "n n"]:
    """L with LLᵀ the covariance of the entropies."""
    if errors is None:
        return np.eye(count)
    given = np.asarray(errors, float)
    if given.shape == (count,) and (given > 0).all():
        return np.diag(given)
    expected, remedy = (
        "a positive number for each entropy, or their covariance",
        "take more samples or chains",
    )
    if given.shape != (count, count) or not np.allclose(given, given.T, rtol=1e-8):
        raise fail("errors", expected, errors)
    try:
        return np.linalg.cholesky(given)
    except np.linalg.LinAlgError:
        raise fail("errors", expected, "a matrix that is not positive", remedy) from None
