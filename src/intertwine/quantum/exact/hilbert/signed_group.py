r"""Groups of permutations of modes as they act on configurations, with the signs of fermions.

U_g |s⟩ = σ(g, s) |g s⟩, (g s)[p[i]] = s[i]: with c†_j → c†_{p(j)} the creation operators of the occupied
modes come out of order, and σ is the parity of the permutation that sorts them,

    σ(g, s) = Π_{i<j occupied, fermionic} (−1 where p(i) > p(j)).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from intertwine.quantum.exact.hilbert.packing import Packing

_CHUNK_BITS = 8


class SignedGroup(NamedTuple):
    """permutations: int (g, N), the identity first; flips: bool (g,), whether levels n become d − 1 − n (spin
    flips) besides; characters: (g,), of states: U_g |ψ⟩ = χ(g) |ψ⟩."""

    permutations: np.ndarray
    flips: np.ndarray
    characters: np.ndarray

    @classmethod
    def trivial(cls, size: int) -> SignedGroup:
        return cls(np.arange(size)[None], np.zeros(1, bool), np.ones(1))

    @property
    def order(self) -> int:
        return len(self.permutations)

    @property
    def is_real(self) -> bool:
        return bool(np.all(np.abs(np.imag(self.characters)) < 1e-12))

    def kernel_arguments(
        self, packing: Packing, levels: tuple[int, ...], fermionic: tuple[bool, ...]
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """(tables, chunks, swaps, places) of `listing_kernels`."""
        tables, chunks = self._tables(packing, levels)
        modes = np.flatnonzero(fermionic)
        places = packing.shifts[modes].astype(np.int64)
        p = self.permutations[:, modes]
        later = np.triu(np.ones((len(modes), len(modes)), bool), 1)
        before = later[None] & (p[:, None, :] < p[:, :, None])  # j > i with p(j) < p(i)
        swaps = (before.astype(np.int64) << places).sum(axis=2)
        return tables, chunks, swaps, places

    def _tables(self, packing: Packing, levels: tuple[int, ...]) -> tuple[np.ndarray, np.ndarray]:
        groups: list[list[int]] = []
        for mode in range(len(levels)):
            bits = packing.widths[groups[-1]].sum() + packing.widths[mode] if groups else np.inf
            if bits > _CHUNK_BITS:
                groups.append([mode])
            else:
                groups[-1].append(mode)
        tables = np.zeros((self.order, len(groups), 1 << _CHUNK_BITS), np.int64)
        chunks = np.zeros((len(groups), 2), np.int64)
        values = np.arange(1 << _CHUNK_BITS)
        for c, modes in enumerate(groups):
            shift = packing.shifts[modes[-1]]
            chunks[c] = shift, (np.int64(1) << packing.widths[modes].sum()) - 1
            for mode in modes:
                level = (values >> (packing.shifts[mode] - shift)) & ((1 << packing.widths[mode]) - 1)
                level = np.minimum(level, levels[mode] - 1)  # bits that are no level do not occur
                turned = np.where(self.flips[:, None], levels[mode] - 1 - level, level)
                tables[:, c] |= turned << packing.shifts[self.permutations[:, mode]][:, None]
        return tables, chunks
