r"""The compiled heat bath of spins together with their block spins, for any couplings of both.

    p(v, h) ∝ e^{K·S(v)} Π_B p(h_B|v_B) e^{J·S'(h)}

is sampled block by block. With the other block spins fixed, φ_B = ∂(J·S')/∂h_B is a number, and h_B is summed
out while the spins of its block are drawn one after another:

    p(v_i | rest) ∝ e^{ψ_i v_i} W(v_B),      W(v_B) = p(+|v_B) e^{φ_B} + p(−|v_B) e^{−φ_B},      ψ_i =
    ∂(K·S)/∂v_i

then h_B is drawn from its two weights. Rules that are deterministic and those that are not are one case.
"""

from __future__ import annotations

import numpy as np

from intertwine._compile import inner, kernel
from intertwine.sampling.host_random import uniform


@inner
def _slope(
    couplings: np.ndarray,
    first: np.ndarray,
    family: np.ndarray,
    begin: np.ndarray,
    others: np.ndarray,
    spins: np.ndarray,
    c: int,
    i: int,
):
    """∂(couplings · S)/∂s_i for chain c."""
    total = 0.0
    for m in range(first[i], first[i + 1]):
        product = 1
        for o in range(begin[m], begin[m + 1]):
            product *= spins[c, others[o]]
        total += couplings[family[m]] * product
    return total


@inner
def _sums(
    first: np.ndarray,
    family: np.ndarray,
    begin: np.ndarray,
    others: np.ndarray,
    spins: np.ndarray,
    c: int,
    found: np.ndarray,
):
    """S of chain c, every family, into `found` float64 (n,), from a graph of terms counted once."""
    found[:] = 0.0
    for i in range(spins.shape[1]):
        for m in range(first[i], first[i + 1]):
            product = spins[c, i]
            for o in range(begin[m], begin[m + 1]):
                product *= spins[c, others[o]]
            found[family[m]] += product


@kernel
def run_blocks(
    couplings: np.ndarray,
    graph: np.ndarray,
    seen: np.ndarray,
    bias: np.ndarray,
    block_graph: np.ndarray,
    block_seen: np.ndarray,
    blocks: np.ndarray,
    up: np.ndarray,
    spins: np.ndarray,
    blocked: np.ndarray,
    states: int,
    sums: np.ndarray,
    block_sums: np.ndarray,
    sweeps: int,
):
    """Sums of both levels along chains of spins with their block spins, `sweeps` sweeps apart.

    couplings, bias: K float64 (m,) and J float64 (n',). graph, block_graph: `TermGraph`s of their families.
    seen, block_seen: of the families whose sums are kept, each term once. blocks: int32 (N', m), the sites of
    each block. up: p(+|v_B), float64 (2^m,), the first site of the block the most significant bit, bit 0 ↔
    +1. spins: int8 (chains, N), blocked: int8 (chains, N'), changed. sums: float64 (chains, draws, n),
    block_sums: float64 (chains, draws, n'), written.
    """
    first, family, begin, others = graph
    first_s, family_s, begin_s, others_s = seen
    first_b, family_b, begin_b, others_b = block_graph
    first_c, family_c, begin_c, others_c = block_seen
    width = blocks.shape[1]
    for c in range(spins.shape[0]):
        for d in range(sums.shape[1]):
            for _ in range(sweeps):
                for b in range(blocks.shape[0]):
                    turn = np.exp(2.0 * _slope(bias, first_b, family_b, begin_b, others_b, blocked, c, b))
                    code = 0
                    for k in range(width):
                        code = 2 * code + (1 if spins[c, blocks[b, k]] < 0 else 0)
                    for k in range(width):
                        i, bit = blocks[b, k], 1 << (width - 1 - k)
                        plus, minus = code & ~bit, code | bit
                        slope = _slope(couplings, first, family, begin, others, spins, c, i)
                        odds = np.exp(2.0 * slope) * (up[plus] * turn + 1.0 - up[plus])
                        against = up[minus] * turn + 1.0 - up[minus]
                        if uniform(states, c) * (odds + against) < odds:
                            spins[c, i], code = 1, plus
                        else:
                            spins[c, i], code = -1, minus
                    weight = up[code] * turn
                    rises = uniform(states, c) * (weight + 1.0 - up[code]) < weight
                    blocked[c, b] = 1 if rises else -1
            _sums(first_s, family_s, begin_s, others_s, spins, c, sums[c, d])
            _sums(first_c, family_c, begin_c, others_c, blocked, c, block_sums[c, d])
