r"""What samplers, estimators and exact methods may ask of an operator, whatever its modes.

    Operator        two-level modes: sums of Pauli strings; fermions by Jordan-Wigner
    LevelOperator   modes of any number of levels: moves with tables

Whoever needs more than this (the masks of Pauli strings, say) asks for the class.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

import numpy as np
from jax import Array
from jaxtyping import Int8, Num, Shaped
from numpy.typing import ArrayLike

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

    from intertwine.spaces.hilbert.hilbert_space import HilbertSpace


@runtime_checkable
class QuantumOperator(Protocol):
    """An operator with K moves: a configuration s is joined to itself and to s^{(1)} … s^{(K)}, and
    ⟨s|A|s^{(k)}⟩ is 0 where a move leads nowhere.

    >>> import intertwine as it
    >>> isinstance(it.tfim(it.Chain(4)), QuantumOperator)
    True
    >>> isinstance(it.bose_hubbard(it.Bosons(it.Chain(4), 2)), QuantumOperator)
    True
    """

    name: str
    turned: tuple[int, ...]
    lattice: Any

    @property
    def size(self) -> int:
        """The number of modes N."""
        ...

    @property
    def hilbert(self) -> HilbertSpace | None:
        """The space that it was built on; None for free spins ½."""
        ...

    @property
    def n_connected(self) -> int:
        """K."""
        ...

    @property
    def n_terms(self) -> int:
        """The number of its terms, as its class counts them."""
        ...

    @property
    def is_real(self) -> bool:
        """Whether every matrix element is real."""
        ...

    @property
    def is_hermitian(self) -> bool: ...

    @property
    def is_stoquastic(self) -> bool:
        """Whether every off-diagonal element is at most 0 (False may also mean undecided)."""
        ...

    @property
    def constant(self) -> Any:
        """c of A = c + what has no trace over the free modes."""
        ...

    @property
    def bound(self) -> float:
        """No eigenvalue is larger in magnitude."""
        ...

    @property
    def adjoint(self) -> QuantumOperator: ...

    def in_frame(self, turned: Iterable[int]) -> QuantumOperator:
        """The same observable in the frame where the modes `turned` are turned."""
        ...

    def permuted(self, permutation: ArrayLike) -> QuantumOperator:
        """Mode i becomes mode p[i]."""
        ...

    def is_invariant(self, permutation: ArrayLike) -> bool: ...

    def __add__(self, other: object) -> QuantumOperator: ...

    def __radd__(self, other: object) -> QuantumOperator: ...

    def __sub__(self, other: object) -> QuantumOperator: ...

    def __neg__(self) -> QuantumOperator: ...

    def __mul__(self, factor: complex) -> QuantumOperator: ...

    def __rmul__(self, factor: complex) -> QuantumOperator: ...

    def __truediv__(self, divisor: complex) -> QuantumOperator: ...

    def __matmul__(self, other: object) -> QuantumOperator: ...

    def __pow__(self, exponent: int) -> QuantumOperator: ...

    def diagonal(self, s: Shaped[Array, " N"]) -> Num[Array, ""]:
        """⟨s|A|s⟩, in JAX."""
        ...

    def elements(self, s: Shaped[Array, " N"]) -> Num[Array, " K"]:
        """⟨s|A|s^{(k)}⟩ of all moves, in JAX."""
        ...

    def connected(self, s: Shaped[Array, " N"]) -> tuple[Int8[Array, "K1 N"], Num[Array, " K1"]]:
        """The configurations joined to s, itself first, and their elements, in JAX."""
        ...

    def host_rows(self, s: Shaped[np.ndarray, "n N"]) -> Iterator[tuple[np.ndarray, np.ndarray | None]]:
        """On the host: the diagonal with None, then for each move elements and configurations."""
        ...

    def to_sparse(self, space: HilbertSpace | None = None) -> csr_matrix:
        """The matrix over the configurations of `space`; of its own where there is none given."""
        ...

    def to_dense(self) -> np.ndarray: ...
