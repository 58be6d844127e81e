r"""An operator as −Σ J_ij Z_i Z_j − Σ g_i Z_i − Σ h_i X_i + constant, h_i > 0 in a frame turned about z."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from intertwine._checks import fail
from intertwine.quantum.operators.operator import Operator


class Transverse(NamedTuple):
    """pairs: int64 (B, 2). J: (B,). g, h: (N,). constant: of the identity."""

    pairs: np.ndarray
    J: np.ndarray
    g: np.ndarray
    h: np.ndarray
    constant: float


def transverse(H: Any) -> Transverse:
    """The couplings and fields of a transverse-field Ising model on any graph.

    Raises InputError for any other operator: with a sign problem there is no distribution to sample, and
    without a transverse field on every site no path.

    >>> import intertwine as it
    >>> transverse(it.tfim(it.Chain(4), h=2.0)).h.tolist()
    [2.0, 2.0, 2.0, 2.0]
    """
    if not isinstance(H, Operator):
        raise fail("H", "an operator of spins ½, such as it.tfim(it.Chain(8))", H)
    if not H.is_hermitian:
        raise fail("H", "a Hermitian operator", repr(H), "add its Hermitian conjugate")
    pairs: dict[tuple[int, int], float] = {}
    g, h, constant = np.zeros(H.size), np.zeros(H.size), 0.0
    for coefficient, letters in H.strings():
        word, value = "".join(letters.values()), float(np.real(coefficient))
        if not letters:
            constant += value
        elif word == "Z":
            g[next(iter(letters))] -= value
        elif word == "ZZ":
            a, b = sorted(letters)
            pairs[a, b] = pairs.get((a, b), 0.0) - value
        elif word == "X":
            h[next(iter(letters))] -= value
        else:
            remedy = "it.exact or it.ground_state take any operator"
            sign = "" if H.is_stoquastic else "; it has a sign problem in this basis"
            expected = "a transverse-field Ising model: terms ZZ, Z and X alone"
            raise fail("H", expected, f"a term {word}{sign}", remedy)
    if not h.all():
        got = f"none on site {int(np.flatnonzero(h == 0)[0])}"
        raise fail("H", "a transverse field on every site", got, "a path needs spins that flip")
    found = np.array(list(pairs), np.int64).reshape(-1, 2), np.array(list(pairs.values()))
    return Transverse(*found, g, np.abs(h), constant)
