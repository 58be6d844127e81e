r"""Couplings from the conditional law of single spins: Callen's identity as a convex problem.

With f_i^α = ∂S_α/∂s_i, what the rest of the lattice says to spin i about family α,

    p(s_i | rest) = e^{s_i K·f_i} / 2cosh(K·f_i),      ⟨Σ_i f_i^α s_i⟩ = ⟨Σ_i f_i^α tanh(K·f_i)⟩

The second equation is Callen's identity; asked of sampled spins, it fixes the couplings without a second
simulation (Swendsen, Phys. Rev. Lett. 52, 1165, 1984). Its solution is also the maximum of the
pseudo-likelihood Σ ln p(s_i | rest) (Besag 1975), which is concave in K: Newton's method finds it. Only how
often each pair (f, s) occurs matters; that table is made once.

Errors: the score of each bin of samples at the solution, and the sandwich H⁻¹ Var(score) H⁻¹: the jackknife
to first order, correlations between sites and along chains within a bin included.
"""

from __future__ import annotations

from itertools import pairwise
from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Int64

from intertwine._checks import fail
from intertwine.models.spins.term_tables import term_table
from intertwine.rg.terms.families import Families
from intertwine.sampling.statistics.joined_bins import joined
from intertwine.spaces.lattice import Lattice

_ROWS = 2**21
_NEWTON_STEPS = 100
_LARGEST = 50.0
"""Couplings beyond this have no finite solution."""


class LocalFields(NamedTuple):
    """How often a spin had the value ±1 among the local fields f.

    fields: the f that occur, float64 (M, n). up, down: counts by bin, int64 (bins, M).
    """

    fields: Float[np.ndarray, "M n"]
    up: Int64[np.ndarray, "bins M"]
    down: Int64[np.ndarray, "bins M"]


def local_fields(spins: np.ndarray, lattice: Lattice, families: Families, bins: int) -> LocalFields:
    """The table of spins ±1 (samples, N), cut into `bins` of successive samples.

    >>> from intertwine.spaces.lattices import Chain
    >>> table = local_fields(np.ones((2, 4), np.int8), Chain(4), ("nearest",), bins=2)
    >>> table.fields.ravel(), table.up.ravel()
    (array([2.]), array([4, 4]))
    """
    tables = [term_table(lattice, name) for name in families]
    reach = np.array([table.shape[1] for table in tables])
    if np.log2(2.0 * reach + 1).sum() > 61:
        raise fail("couplings", "fewer families at a time", f"{len(families)}", "take the nearest ones")
    radix = np.concatenate([[1], np.cumprod(2 * reach + 1)])
    cuts = [len(spins) * k // bins for k in range(bins + 1)]
    found = [_codes(spins[a:b], tables, reach, radix) for a, b in pairwise(cuts)]
    codes = np.unique(np.concatenate([values for values, _ in found]) >> 1)
    counts = np.zeros((2, bins, len(codes)), np.int64)
    for k, (values, number) in enumerate(found):
        counts[values & 1, k, np.searchsorted(codes, values >> 1)] = number
    fields = codes[:, None] // radix[:-1] % (2 * reach + 1) - reach
    return LocalFields(fields.astype(np.float64), counts[0], counts[1])


def callen_couplings(table: LocalFields) -> tuple[np.ndarray, np.ndarray, str]:
    """(couplings (n,), covariance (n, n), "" or how bins are correlated) of the table, from bins that are
    joined while they are correlated.

    Raises InputError as `couplings_by_bin` does.
    """
    K, parts = couplings_by_bin(table)
    (longer,), correlated = joined((parts,), lambda sums: sums[0])
    whole = (1 - 1 / len(parts)) / (1 - 1 / len(longer))  # of b/(b − 1)
    return K, longer.T @ longer * whole, correlated


def couplings_by_bin(table: LocalFields) -> tuple[np.ndarray, np.ndarray]:
    """(couplings (n,), what each bin does to them (bins, n)): `parts.T @ parts` is their covariance, and that
    with the parts of another table of the same bins the covariance of both.

    Raises InputError where the samples do not bound the couplings (all spins as their neighbours say), and
    where the families cannot be told apart.
    """
    f, up, down = table.fields, table.up.sum(0), table.down.sum(0)
    seen = (up + down).astype(np.float64)
    K = np.zeros(f.shape[1])
    value = _loss(K, f, up, down)
    for _ in range(_NEWTON_STEPS):
        t = np.tanh(f @ K)
        score = ((up - down) - seen * t) @ f
        information = (f * (seen * (1 - t * t))[:, None]).T @ f
        scale = np.sqrt(np.diagonal(information))
        bounded = (scale > 0).all() and np.abs(K).max() < _LARGEST
        values, vectors = (
            np.linalg.eigh(information / np.outer(scale, scale)) if bounded else (np.zeros(1), f)
        )
        if not values[0] > 1e-12:
            raise fail(
                "spins",
                "samples that determine these couplings",
                "samples that are ordered, or families that agree on them",
                "take more samples, fewer families, or a weaker coupling",
            )
        change = vectors @ (vectors.T @ (score / scale) / values) / scale
        while (new := _loss(K + change, f, up, down)) > value + 1e-12 * abs(value):
            change = change / 2
        K, value = K + change, new
        if np.abs(change).max() < 1e-13 * max(1.0, np.abs(K).max()):
            break
    t = np.tanh(f @ K)
    bins = len(table.up)
    scores = ((table.up - table.down) - (table.up + table.down) * t) @ f
    scores = scores - scores.mean(0)
    inverse = np.linalg.inv((f * (seen * (1 - t * t))[:, None]).T @ f)
    return K, scores @ inverse * (bins / (bins - 1)) ** 0.5


def _codes(
    spins: np.ndarray, tables: list[np.ndarray], reach: np.ndarray, radix: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """The distinct pairs (f, s), each one number, and how often they occur."""
    size = spins.shape[1]
    rows = max(1, _ROWS // size)
    parts = []
    for k in range(0, len(spins), rows):
        padded = np.concatenate([spins[k : k + rows], np.zeros((len(spins[k : k + rows]), 1), np.int8)], 1)
        code = np.zeros((len(padded), size), np.int64)
        for a, table in enumerate(tables):
            field = np.zeros((len(padded), size), np.int64)
            for term in table.swapaxes(0, 1):  # the same term of every site
                product = np.ones((len(padded), size), np.int8)
                for others in term.T:
                    product = product * padded[:, others]
                field += product
            code += (field + reach[a]) * radix[a]
        parts.append(np.unique(2 * code + (padded[:, :size] < 0), return_counts=True))
    values, place = np.unique(np.concatenate([v for v, _ in parts]), return_inverse=True)
    counts = np.bincount(place, np.concatenate([n for _, n in parts]), len(values))
    return values, counts.astype(np.int64)


def _loss(K: np.ndarray, f: np.ndarray, up: np.ndarray, down: np.ndarray) -> float:
    """−Σ ln p(s|rest), by x = K·f: Σ n₊ ln(1 + e^{−2x}) + n₋ ln(1 + e^{2x})."""
    x = 2 * (f @ K)
    return float(up @ np.logaddexp(0, -x) + down @ np.logaddexp(0, x))
