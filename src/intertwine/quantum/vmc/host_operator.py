r"""An operator as the host kernels read it.

An element ⟨s|H|s^{(k)}⟩ = Σ_t c_{kt} Π_{i∈z_{kt}} s_i depends on the few spins in ∪_t z_{kt}: it is one
look-up in a table of 2^bits values. Vanishing elements (equal spins of an exchange) are then seen at once.
What all terms of a flip set share (`Operator.common`, the string of a fermion's hop) is a sign beside the
table: a product of running products Π_{i<b} s_i at a few places b.
"""

from __future__ import annotations

import weakref
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from intertwine.quantum.operators.pauli import ROUNDING

if TYPE_CHECKING:
    from intertwine.quantum.operators.operator import Operator

MAX_BITS = 10
"""Elements that depend on more spins than this are evaluated term by term."""


class HostOperator(NamedTuple):
    """An operator as the kernel reads it. K flip sets of up to F sites:

    flips: (K, F) padded with N; counts: (K,). sites: (K, B) the spins that an element depends on, bits:
    (K,) their number. table: (V, 2) values; offsets: (K,) where the 2^bits values of a flip set begin (bit
    b set: spin b down), or −1 − w: the w-th of those evaluated by numpy. opposite, equal: (K,) whether a
    pair's element can differ from zero for such spins. diagonal: (Td, 2); diagonal_sites: (Td, Dd).
    coefficients, signs, common: as in the operator. is_complex: any imaginary part.
    """

    flips: np.ndarray
    counts: np.ndarray
    sites: np.ndarray
    bits: np.ndarray
    table: np.ndarray
    offsets: np.ndarray
    opposite: np.ndarray
    equal: np.ndarray
    diagonal: np.ndarray
    diagonal_sites: np.ndarray
    coefficients: np.ndarray
    signs: np.ndarray
    common: np.ndarray
    is_complex: bool


_prepared: dict[int, tuple[Any, HostOperator]] = {}  # by the operator's identity, as long as it lives


def prepare(operator: Operator) -> HostOperator:
    """The kernel's arrays of an `Operator`, made once for each operator object."""
    found = _prepared.get(id(operator))
    if found is not None and found[0]() is operator:
        return found[1]
    name, ready = id(operator), host_operator(operator)
    _prepared[name] = (weakref.ref(operator), ready)
    weakref.finalize(operator, _prepared.pop, name, None)
    return ready


def host_operator(operator: Operator) -> HostOperator:
    """The kernel's arrays of an `Operator`.

    >>> from intertwine.quantum.operators.operator import Operator
    >>> ready = host_operator(Operator.from_strings(2, [(1.0, {0: "X", 1: "X"}), (1.0, {0: "Y", 1: "Y"})]))
    >>> ready.table[ready.offsets[0] :, 0].tolist(), bool(ready.equal[0])
    ([0.0, 2.0, 2.0, 0.0], False)
    """
    size = operator.size
    flips = np.ascontiguousarray(np.sort(np.asarray(operator.flips), axis=1), np.int32)
    coefficients, signs = np.asarray(operator.coefficients), np.asarray(operator.signs)
    diagonal = np.asarray(operator.diagonal_coefficients)
    count = len(flips)
    involved = [np.unique(signs[k][coefficients[k] != 0]) for k in range(count)]
    involved = [sites[sites < size] for sites in involved]
    bits = np.array([len(sites) for sites in involved], np.int32)
    narrow = bits <= MAX_BITS
    sites = np.full((count, max(1, int(np.max(bits[narrow], initial=0)))), size, np.int32)
    values, offsets = [np.zeros(1, np.complex128)], np.full(count, -1, np.int64)
    opposite, equal = np.ones(count, bool), np.ones(count, bool)
    total = 1
    for k in np.flatnonzero(narrow):
        d = bits[k]
        sites[k, :d] = involved[k]
        spins = 1 - 2 * ((np.arange(1 << d)[:, None] >> np.arange(d)) & 1)
        extended = np.ones((1 << d, size + 1))
        extended[:, involved[k]] = spins
        block = np.prod(extended[:, signs[k]], axis=-1) @ coefficients[k]
        block[np.abs(block) <= ROUNDING * np.sum(np.abs(coefficients[k]))] = 0
        values.append(block)
        offsets[k], total = total, total + len(block)
        pair = flips[k][flips[k] < size]
        if len(pair) == 2 and np.isin(pair, involved[k]).all():
            alike = extended[:, pair[0]] == extended[:, pair[1]]
            equal[k], opposite[k] = np.any(block[alike] != 0), np.any(block[~alike] != 0)
    offsets[~narrow] = -1 - np.arange(np.count_nonzero(~narrow))
    return HostOperator(
        flips=flips,
        counts=np.sum(flips < size, axis=1).astype(np.int32),
        sites=sites,
        bits=bits,
        table=parts(np.concatenate(values)),
        offsets=offsets,
        opposite=opposite,
        equal=equal,
        diagonal=parts(diagonal),
        diagonal_sites=np.ascontiguousarray(operator.diagonal_signs, np.int32),
        coefficients=coefficients,
        signs=signs,
        common=np.ascontiguousarray(operator.common, np.int32),
        is_complex=bool(np.iscomplexobj(coefficients) or np.iscomplexobj(diagonal)),
    )


def parts(x: np.ndarray) -> np.ndarray:
    """Real and imaginary parts of (...,) as (..., 2)."""
    return np.ascontiguousarray(np.stack([np.real(x), np.imag(x)], axis=-1), np.float64)
