r"""Schmidt decomposition of a state vector: |ψ⟩ = Σ_k σ_k |k⟩_A |k⟩_B, from the matrix ψ(a, b) without ρ.

ρ_A = ψψ† has the eigenvalues λ_k = σ_k², so that small ones are found to the precision of σ, not of σ².
Sectors make the matrix smaller. With Σ_i s_i = M fixed it has a block for each magnetization m_A of A, as
m_B = M − m_A; with ψ(−s) = ±ψ(s) (and free m_A) it has one block for each parity of A,

    ψ(a, b) ± ψ(a, −b),      a and b with the first spin up.

Where the smaller side of a block is above 1,536 and no order below 1 is asked for, the eigenvalues are those
of the Gram matrix: to 1e-16 of the largest.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from scipy import linalg

from intertwine._threads import single_threaded_blas
from intertwine.quantum.entanglement.regions import rest
from intertwine.quantum.entanglement.space_vectors import SpaceVector, schmidt_in_space
from intertwine.quantum.entanglement.vectors import StateVector

_LARGEST_SVD = 1536
_ROUNDING = 1e-13


def schmidt_matrix(state: StateVector, region: tuple[int, ...]) -> np.ndarray:
    """ψ as a matrix (2^l, 2^(N−l)): rows are the configurations of `region`, its first site most
    significant, columns those of the other sites, ascending.

    >>> from intertwine.quantum.entanglement.vectors import state_vector
    >>> schmidt_matrix(state_vector([0.6, 0.0, 0.0, 0.8]), (1,)).round(12).tolist()
    [[0.6, 0.0], [0.0, 0.8]]
    """
    cube = state.amplitudes.reshape((2,) * state.size)
    order = (*region, *rest(region, state.size))
    return np.ascontiguousarray(cube.transpose(order)).reshape(2 ** len(region), -1)


def schmidt_values(
    state: StateVector | SpaceVector, region: tuple[int, ...], *, small: bool = False
) -> np.ndarray:
    """The eigenvalues λ_k = σ_k² of ρ_A, descending, those of rounding left out: float64.

    small: all of them to the precision of σ, for orders below 1.

    >>> from intertwine.quantum.entanglement.vectors import state_vector
    >>> schmidt_values(state_vector([0.6, 0.0, 0.0, 0.8]), (0,)).round(12).tolist()
    [0.64, 0.36]
    """
    if len(region) == state.size:
        return np.ones(1)
    if isinstance(state, SpaceVector):
        return schmidt_in_space(state, region)
    with single_threaded_blas():
        parts = [_squares(block, small) for block in _blocks(state, region)]
    values = np.sort(np.concatenate(parts))[::-1]
    values = values[values > (_ROUNDING**2 if small else 1e-300) * values[0]]
    return values / values.sum()


def _blocks(state: StateVector, region: tuple[int, ...]) -> Iterator[np.ndarray]:
    """The blocks of ψ(a, b) whose singular values together are its own."""
    matrix = schmidt_matrix(state, region)
    if state.magnetization is not None:
        down = (state.size - state.magnetization) // 2
        rows, columns = (np.bitwise_count(np.arange(n)).astype(int) for n in matrix.shape)
        for k in range(rows.max() + 1):
            there = columns == down - k
            if there.any():
                yield matrix[np.ix_(rows == k, there)]
        return
    if state.flip and min(matrix.shape) > 1:
        half, width = matrix.shape[0] // 2, matrix.shape[1] // 2
        here, there = matrix[:half, :width], matrix[:half, : width - 1 : -1]
        yield here + there
        yield here - there
        return
    yield matrix


def _squares(block: np.ndarray, small: bool) -> np.ndarray:
    """σ² of one block, (min(shape),)."""
    if min(block.shape) == 1:
        return np.array([np.sum(np.abs(block) ** 2)])
    if small or min(block.shape) <= _LARGEST_SVD:
        return np.square(linalg.svdvals(block, check_finite=False))
    side = block if block.shape[0] <= block.shape[1] else block.T
    gram = side @ side.conj().T
    return np.clip(linalg.eigvalsh(gram, overwrite_a=True, check_finite=False), 0.0, None)
