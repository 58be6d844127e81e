r"""An operator between the projectors onto a space: what an observable is for a state that lives there."""

from __future__ import annotations

import numpy as np

from intertwine._checks import fail
from intertwine.quantum.operators import pauli
from intertwine.quantum.operators.operator import Operator
from intertwine.quantum.operators.pauli import PauliSum

_MOST_FLIPPED = 10


def confined(operator: Operator, magnetizations: tuple[int, ...] | None) -> Operator:
    """P A P for the projector P onto the configurations with Σ_i s_i in `magnetizations` (None: all).

    On configurations of magnetization M a flip set F leads out unless Σ_{i∈F} s_i = 0, so that its
    coefficients are multiplied by that indicator, a polynomial in the spins of F (or, with the same sum M, of
    the sites outside F, where these are fewer).

    Raises InputError where neither F nor the rest has at most 10 sites, and where the space joins two
    magnetizations and A does not conserve them.

    >>> flip = Operator.from_strings(4, [(1.0, "XXII"), (1.0, "XIII")])
    >>> sorted((c.real, "".join(letters.values())) for c, letters in confined(flip, (0,)).strings())
    [(0.5, 'XX'), (0.5, 'YY')]
    """
    if magnetizations is None or operator.conserves_magnetization:
        return operator
    if len(magnetizations) > 1:
        space = " and ".join(str(m) for m in magnetizations)
        remedy = "take a sampler of one magnetization, or of all (SingleFlip)"
        raise fail("operator", f"one that conserves Σ s in a space of {space}", operator, remedy)
    total = next(iter(magnetizations))
    x, z, h = operator.masks()
    flip_masks, which = pauli.grouped(x)
    parts = [pauli.empty(operator.size)]
    for k, flip in enumerate(flip_masks):
        mine = which == k
        terms = PauliSum(x[mine], z[mine], h[mine])
        inside = flip if np.count_nonzero(flip) * 2 <= operator.size else ~flip
        wanted = 0 if inside is flip else total
        parts.append(_times_indicator(terms, np.flatnonzero(inside), wanted))
    joined = PauliSum(*(np.concatenate(field) for field in zip(*parts, strict=True)))
    terms = pauli.canonical(joined)
    return Operator.from_masks(
        operator.size, terms, lattice=operator.lattice, name=operator.name, turned=operator.turned
    )


def _times_indicator(terms: PauliSum, sites: np.ndarray, wanted: int) -> PauliSum:
    """Terms of one flip set times the polynomial that is 1 where the spins of `sites` sum to `wanted`, else
    0."""
    k = len(sites)
    if k > _MOST_FLIPPED:
        expected = f"strings that flip at most {_MOST_FLIPPED} sites, or all but so many"
        raise fail("operator", expected, f"one that flips {k}", "they are measured among all configurations")
    ups = np.bitwise_count(np.arange(2**k)).astype(int)
    found = pauli.walsh_hadamard((2 * ups - k == wanted).astype(float)) / 2**k
    kept = np.flatnonzero(found)
    masks = np.zeros((len(kept), terms.x.shape[1]), bool)
    masks[:, sites] = (kept[:, None] >> np.arange(k)) & 1
    sign = (-1.0) ** np.bitwise_count(kept)  # Walsh functions of bits that are 1 where s = +1
    x = np.repeat(terms.x, len(kept), axis=0)
    z = (terms.z[:, None] ^ masks[None]).reshape(x.shape)
    return PauliSum(x, z, np.outer(terms.h, found[kept] * sign).ravel())
