r"""An operator between the projectors onto a space: what an observable is for a state that lives there."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from intertwine._checks import fail
from intertwine.quantum.hilbert_moves import own_space
from intertwine.quantum.operators import pauli
from intertwine.quantum.operators.operator import Operator
from intertwine.quantum.operators.pauli import PauliSum
from intertwine.spaces.hilbert.hilbert_space import HilbertSpace

_MOST_FLIPPED = 10


def confined(operator: Any, magnetizations: tuple[int, ...] | None, space: HilbertSpace | None = None) -> Any:
    """P A P for the projector P onto the configurations with Σ_i s_i in `magnetizations` (None: all), or onto
    those of a Hilbert space.

    On configurations of magnetization M a flip set F leads out unless Σ_{i∈F} s_i = 0, so that its
    coefficients are multiplied by that indicator, a polynomial in the spins of F (or, with the same sum M, of
    the sites outside F, where these are fewer).

    Raises InputError where neither F nor the rest has at most 10 sites, and where the space joins two
    magnetizations and A does not conserve them.

    >>> flip = Operator.from_strings(4, [(1.0, "XXII"), (1.0, "XIII")])
    >>> sorted((c.real, "".join(letters.values())) for c, letters in confined(flip, (0,)).strings())
    [(0.5, 'XX'), (0.5, 'YY')]
    """
    if space is not None:
        from intertwine.quantum.operators.projection import projected

        check_modes(operator, space)
        return with_short_strings(projected(operator, space), space)
    if magnetizations is None or operator.conserves_magnetization:
        return operator
    if len(magnetizations) > 1:
        kept = " and ".join(str(m) for m in magnetizations)
        remedy = "take a sampler of one magnetization, or of all (SingleFlip)"
        raise fail("operator", f"one that conserves Σ s in a space of {kept}", operator, remedy)
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


def in_own_space(operator: Any) -> Any:
    """A Hamiltonian between the projectors onto its own Hilbert space; as it is where that is one of free
    spins, or it has none. Raises InputError where it changes a conserved number of the space."""
    space = own_space(operator)
    if space is None:
        return operator
    from intertwine.quantum.operators.projection import projected

    check_keeps_numbers(operator, space)
    return projected(operator, space)  # the strings of fermions stay as they are: symmetries can be seen


def check_keeps_numbers(operator: Any, space: HilbertSpace) -> None:
    """Raise where an element of `operator` changes a conserved number of `space`."""
    if not leaves_numbers(operator, space):
        return
    expected = f"an operator that keeps the numbers of {space!r}"
    remedy = "take a space without that number, or add the term that brings it back"
    raise fail("operator", expected, "one that leaves the space", remedy)


def check_modes(operator: Any, space: HilbertSpace) -> None:
    """Raise unless `operator` is one on the modes of `space`."""
    own = getattr(operator, "hilbert", None)
    levels = (2,) * operator.size if own is None else own.levels
    if levels != space.levels:
        remedy = "build it on the space of the state"
        raise fail("operator", f"one on the modes of {space!r}", f"one on {own or operator!r}", remedy)


def leaves_numbers(operator: Any, space: HilbertSpace) -> bool:
    """Whether an element of `operator` changes a conserved number of `space`; constraints do not count."""
    from intertwine.quantum.operators.projection import leaves

    return bool(space.numbers) and leaves(operator, replace(space, bounds=space.numbers))


def with_short_strings(operator: Any, space: HilbertSpace) -> Any:
    """The same operator on the configurations of `space`, with products of Z over more than half of the modes
    of a conserved number (but for those that are flipped) written as those over the rest:
    Π_i Z_i = (−1)^n over all of them. A hop around a
    ring of fermions is then one between neighbours, with the sign of n.

    >>> import intertwine as it
    >>> ring = it.Fermions(it.Chain(8), 3)
    >>> around = it.operators.create(ring, 0) @ it.operators.annihilate(ring, 7)
    >>> sorted(len(letters) for _, letters in with_short_strings(around, ring).strings())
    [2, 2, 2, 2]
    """
    if not isinstance(operator, Operator):
        return operator
    x, z, h = operator.masks()
    z, h, changed = z.copy(), h.copy(), False
    for bound in space.numbers:
        modes = list(bound.modes)
        if set(bound.weights) != {1} or bound.modulus not in (None, 2):
            continue
        still = ~x[:, modes]  # what is flipped does not count, so that XX and YY of a hop stay together
        long = 2 * np.sum(z[:, modes] & still, axis=1) > np.sum(still, axis=1)
        if long.any():
            rows = np.flatnonzero(long)
            z[rows[:, None], modes] ^= True
            h[rows] *= (-1.0) ** bound.low
            changed = True
    if not changed:
        return operator
    return Operator.from_masks(
        operator.size,
        pauli.canonical(PauliSum(x, z, h)),
        lattice=operator.lattice,
        name=operator.name,
        turned=operator.turned,
        hilbert=operator.hilbert,
    )
