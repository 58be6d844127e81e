r"""Operators on modes of any number of levels, with their connected elements as padded JAX arrays.

    ⟨n|H|n + δ_k⟩ = σ_k(n) F_k(n),      k = 1 … K

A move δ_k changes the levels of a few modes; F_k is a look-up in a table over the levels of those modes and
a few more, σ_k the sign of fermions (`terms`, `compiled`). A row has K + 1 elements, whatever the number of
modes. The face is that of `Operator`, whose moves are flips of spins; `QuantumOperator` is what both have.

Configurations are written as their space writes them: levels 0 … d − 1 of each mode, the basis numbered with
mode 0 the most significant digit.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jax import Array
from jaxtyping import Int8, Num, Shaped
from numpy.typing import ArrayLike

from intertwine._checks import fail
from intertwine.quantum.operators import pauli
from intertwine.quantum.operators.arithmetic import Arithmetic
from intertwine.quantum.operators.levels import terms as algebra
from intertwine.quantum.operators.levels.compiled import Compiled, TableRows, compiled, gathered
from intertwine.quantum.operators.levels.terms import Key, Tables, Terms
from intertwine.spaces.hilbert.hilbert_space import HilbertSpace

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix


class LevelOperator(Arithmetic):
    """An operator on the modes of `hilbert`, built by `it.operators` and by the Hamiltonians by name.

    Fields (numpy; JAX casts them to the active precision when they are used):
        moves: int32 (K, F), the modes that each move changes, padded with N. shifts: int32 (K, F), by how
            much.
        terms: rows of the moves' tables, diagonal: of the elements that move nothing (`compiled.TableRows`).
        values: (V,) float64 or complex128, the entries of all tables.
        hilbert: static. lattice: its place where it has one mode a site, static. name: static.
        turned: static, the modes whose levels n carry a sign (−1)^n in the frame in which it is written
            (Marshall's rotation).

    >>> from intertwine.quantum.operators.algebra.modes import annihilate, create
    >>> from intertwine.spaces.hilbert.kinds import Bosons
    >>> bosons = Bosons(2, particles=2)
    >>> hop = create(bosons, 0) @ annihilate(bosons, 1)
    >>> hop
    LevelOperator(size=2, terms=1, moves=1, real)
    >>> hop.to_dense().round(3).tolist()                       # of |02⟩, |11⟩, |20⟩
    [[0.0, 0.0, 0.0], [1.414, 0.0, 0.0], [0.0, 1.414, 0.0]]
    """

    moves: Any
    shifts: Any
    terms: TableRows
    diagonal_terms: TableRows
    values: Any
    hilbert: HilbertSpace = eqx.field(static=True)
    lattice: Any = eqx.field(static=True, default=None)
    name: str = eqx.field(static=True, default="")
    turned: tuple[int, ...] = eqx.field(static=True, default=())

    # ---- building

    @classmethod
    def from_tables(
        cls, hilbert: HilbertSpace, tables: Tables, *, name: str = "", turned: Iterable[int] = ()
    ) -> LevelOperator:
        """The operator of tables in their unique form (what `tables` gives back)."""
        found = compiled(_like(hilbert), tables)
        place = hilbert.place
        lattice = place if getattr(place, "size", None) == hilbert.size else None
        return cls(
            *found, hilbert=hilbert, lattice=lattice, name=name, turned=tuple(sorted(int(i) for i in turned))
        )

    # ---- reading

    @property
    def size(self) -> int:
        """The number of modes N."""
        return self.hilbert.size

    def tables(self) -> Tables:
        """Its moves and tables in their unique form, see `terms` (host numpy)."""
        return gathered(_like(self.hilbert), self._arrays)

    @property
    def _arrays(self) -> Compiled:
        return Compiled(self.moves, self.shifts, self.terms, self.diagonal_terms, np.asarray(self.values))

    @property
    def n_terms(self) -> int:
        """The number of tables."""
        return len(self.terms.owners) + len(self.diagonal_terms.owners)

    @property
    def n_connected(self) -> int:
        """K: how many configurations a configuration is joined to at most, itself apart."""
        return len(self.moves)

    @property
    def is_real(self) -> bool:
        """Whether every matrix element is real."""
        return not np.iscomplexobj(self.values)

    @property
    def is_hermitian(self) -> bool:
        """Whether H = H† (to 1e-12 of the largest entry)."""
        return self.is_close(self.adjoint)

    @property
    def is_stoquastic(self) -> bool:
        """Whether every off-diagonal element is real and at most 0, so that a ground state is non-negative.

        Decided by the tables; where a move has several, or the sign of fermions, False may also mean
        undecided.
        """
        if not self.is_real:
            return False
        largest = np.zeros(len(self.moves))
        for t, owner in enumerate(self.terms.owners):
            table = self._table(self.terms, t)
            signed = np.any(self.terms.ends[t])
            largest[owner] += np.max(np.abs(table)) if signed else np.max(table)
        return bool(np.all(largest <= 1e-12 * np.max(np.abs(self.values), initial=0.0)))

    @property
    def conserves_magnetization(self) -> bool:
        """Whether no move changes Σ_i n_i."""
        return bool(np.all(np.sum(self.shifts, axis=1) == 0))

    @property
    def constant(self) -> Any:
        """The mean of the diagonal over all levels of the modes: what multiplies the identity."""
        rows = self.diagonal_terms
        means = [self._table(rows, t).mean() for t in range(len(rows.owners)) if not np.any(rows.ends[t])]
        return sum(means, np.zeros((), self.values.dtype)[()])

    @property
    def bound(self) -> float:
        """Σ over tables of the largest |entry|: no eigenvalue is larger in magnitude."""
        return float(sum(np.max(np.abs(table)) for table in self.tables().values()))

    def is_invariant(self, permutation: ArrayLike) -> bool:
        """Whether the permutation p of modes, mode i to p[i], leaves H unchanged."""
        return self.is_close(self.permuted(permutation))

    def permuted(self, permutation: ArrayLike) -> LevelOperator:
        """g H g⁻¹ for the permutation p of modes: mode i becomes mode p[i], with the signs of fermions."""
        p = np.asarray(permutation)
        levels = np.array(self.hilbert.levels)
        if p.shape != (self.size,) or not np.array_equal(np.sort(p), np.arange(self.size)):
            raise fail("permutation", f"a permutation of 0..{self.size - 1}", permutation)
        if np.any(levels[p] != levels) or np.any(
            np.array(self.hilbert.fermionic)[p] != self.hilbert.fermionic
        ):
            raise fail("permutation", "one among modes of one kind", permutation)
        tables = algebra.permuted(_like(self.hilbert), self.tables(), p)
        turned = p[list(self.turned)].tolist()
        return LevelOperator.from_tables(self.hilbert, tables, name=self.name, turned=turned)

    def in_frame(self, turned: Iterable[int]) -> LevelOperator:
        """The same observable, written where the levels n of the modes `turned` carry signs (−1)^n."""
        turned = tuple(sorted(int(i) for i in turned))
        between = set(turned) ^ set(self.turned)
        if not between:
            return self
        tables = {
            key: table * (-1.0) ** sum(c for m, c in key.move if m in between)
            for key, table in self.tables().items()
        }
        return LevelOperator.from_tables(self.hilbert, tables, name=self.name, turned=turned)

    def is_close(self, other: object, tolerance: float = 1e-12) -> bool:
        """Whether both are the same operator, to `tolerance` of the largest entry."""
        if not isinstance(other, LevelOperator) or other.hilbert.levels != self.hilbert.levels:
            return False
        a, b = self.tables(), other.tables()
        scale = max((np.max(np.abs(t)) for t in (*a.values(), *b.values())), default=0.0)
        zero = np.zeros(1)
        return all(np.max(np.abs(a.get(k, zero) - b.get(k, zero))) <= tolerance * scale for k in {*a, *b})

    # ---- algebra

    def _combined(self, other: object, factor: float) -> LevelOperator:
        return self.joined([other], factor)

    def _times(self, number: complex) -> LevelOperator:
        scaled = number if number.imag else number.real
        return self._of({key: table * scaled for key, table in self.tables().items() if scaled})

    def __matmul__(self, other: object) -> LevelOperator:
        """The product A @ B: first B, then A."""
        other = self._checked(other, "the operator of the square is H @ H")
        frame = self.turned or other.turned
        a, b = self.in_frame(frame), other.in_frame(frame)
        space = pauli.same_space(self.hilbert, other.hilbert) or self.hilbert
        tables = algebra.product(_like(space), a.tables(), b.tables())
        return LevelOperator.from_tables(space, tables, turned=frame)

    @property
    def adjoint(self) -> LevelOperator:
        """A†."""
        return self._of(algebra.adjoint(_like(self.hilbert), self.tables()), self.name)

    def joined(self, others: Iterable[object], factor: complex = 1.0) -> LevelOperator:
        """self + factor · (the sum of others); numbers are multiples of the identity."""
        rows: list[LevelOperator] = [self]
        for other in others:
            if isinstance(other, int | float | complex | np.number):
                tables = {Key((), ()): np.array(complex(other) if np.imag(other) else float(np.real(other)))}
                rows.append(self._of(tables if other else {}))
            else:
                rows.append(self._checked(other, "or a number, which is that multiple of the identity"))
        frame = next((row.turned for row in rows if row.turned), ())
        space = self.hilbert
        for row in rows[1:]:
            space = pauli.same_space(space, row.hilbert) or space
        parts = [(row.in_frame(frame).tables(), factor if r else 1.0) for r, row in enumerate(rows)]
        return LevelOperator.from_tables(space, algebra.summed(_like(space), parts), turned=frame)

    def _checked(self, other: object, remedy: str) -> LevelOperator:
        if not isinstance(other, LevelOperator):
            raise fail("operand", "an operator on the same space", other, remedy)
        if other.hilbert.levels != self.hilbert.levels:
            raise fail("operand", f"an operator on {self.hilbert}", f"one on {other.hilbert}")
        return other

    def _of(self, tables: Tables, name: str = "") -> LevelOperator:
        return LevelOperator.from_tables(self.hilbert, tables, name=name, turned=self.turned)

    # ---- elements, in JAX

    def diagonal(self, s: Shaped[Array, " N"]) -> Num[Array, ""]:
        """⟨n|H|n⟩ of one configuration, scalar in the operator's dtype."""
        return jnp.sum(self._looked_up(self.diagonal_terms, self._levels(s)))

    def elements(self, s: Shaped[Array, " N"]) -> Num[Array, " K"]:
        """⟨n|H|n + δ_k⟩ for every move, (K,) in the operator's dtype; 0 where a level would leave its
        range."""
        found = self._looked_up(self.terms, self._levels(s))
        if self.terms.owners.shape[0] == self.moves.shape[0]:  # one table a move, in order
            return found
        zero = jnp.zeros(self.moves.shape[0], found.dtype)
        return zero.at[jnp.asarray(self.terms.owners)].add(found)

    def connected(self, s: Shaped[Array, " N"]) -> tuple[Int8[Array, "K1 N"], Num[Array, " K1"]]:
        """The configurations joined to `s` (int8, s itself first) and their elements ⟨s|H|s'⟩.

        Works under `jit` and `vmap`; elements that vanish are zeros in place, with `s` itself.

        >>> from intertwine.quantum.operators.algebra.modes import create
        >>> from intertwine.spaces.hilbert.kinds import Bosons
        >>> raised = create(Bosons(2, most=2), 1)
        >>> configurations, elements = raised.connected(jnp.array([0, 1], jnp.int8))
        >>> configurations.tolist(), elements.tolist()
        ([[0, 1], [0, 0]], [0.0, 1.0])
        """
        s = jnp.asarray(s)
        elements = self.elements(s)
        K = self.moves.shape[0]
        steps = jnp.zeros((K, self.size + 1), jnp.int8)
        steps = steps.at[jnp.arange(K)[:, None], self.moves].add(jnp.asarray(self.shifts, jnp.int8))
        moved = jnp.where((elements != 0)[:, None], steps[:, : self.size], 0)
        own = s.astype(jnp.int8)[None]
        values = jnp.concatenate([self.diagonal(s)[None], elements])
        return jnp.concatenate([own, own + moved]), values

    def _levels(self, s: ArrayLike) -> Array:
        """Levels int32 with a 0 appended for the padding index N."""
        s = jnp.asarray(s)
        if s.shape != (self.size,):
            expected = f"one configuration of shape ({self.size},)"
            raise fail("s", expected, f"shape {s.shape}", "vmap over batches")
        levels = self.hilbert.levels_of(s)
        return jnp.concatenate([levels, jnp.zeros(1, levels.dtype)])

    def _looked_up(self, rows: TableRows, levels: Array) -> Array:
        """The value of each term, (T,)."""
        values = jnp.asarray(self.values)
        index = rows.offsets + jnp.sum(rows.strides * levels[jnp.asarray(rows.modes)], axis=-1)
        found = values[index]
        if rows.ends.shape[1] == 0:
            return found
        odd = levels[: self.size] * jnp.asarray(self.hilbert.fermionic, levels.dtype)
        running = jnp.concatenate([jnp.ones(1, levels.dtype), jnp.cumprod(1 - 2 * odd)])
        return found * jnp.prod(running[jnp.asarray(rows.ends)], axis=-1)

    # ---- matrices

    def to_sparse(self, space: HilbertSpace | None = None) -> csr_matrix:
        """The matrix over `space.configurations()` (None: of its own space) in scipy's CSR form; elements
        that lead out of it are 0.

        Raises `InputError` where it would have more than 4·10⁸ stored elements (about 5 GB).
        """
        from intertwine.quantum.operators.matrices import matrix_in_space

        return matrix_in_space(self, self.hilbert if space is None else space)

    def to_dense(self) -> np.ndarray:
        """The dense matrix of `to_sparse`, float64 or complex128; at most 2^14 rows, else `InputError`."""
        from intertwine.quantum.operators.matrices import dense_matrix

        return dense_matrix(self)

    def host_rows(self, s: Shaped[np.ndarray, "n N"]) -> Iterator[tuple[np.ndarray, np.ndarray | None]]:
        """On the host, for configurations (n, N): the diagonal (n,) with None, then for each move the
        elements (n,) with the configurations (n, N) that they lead to."""
        from intertwine.quantum.operators.levels.compiled import rows_of_moves

        return rows_of_moves(self._arrays, self.hilbert, s)

    def _table(self, rows: TableRows, t: int) -> np.ndarray:
        count = int(np.prod([self.hilbert.levels[m] for m in rows.modes[t] if m < self.size]))
        return np.asarray(self.values)[rows.offsets[t] : rows.offsets[t] + count]

    def __repr__(self) -> str:
        kind = "real" if self.is_real else "complex"
        label = f"{self.name}, " if self.name else ""
        return (
            f"LevelOperator({label}size={self.size}, terms={self.n_terms}, moves={len(self.moves)}, {kind})"
        )


def _like(hilbert: HilbertSpace) -> Terms:
    return Terms(hilbert.levels, hilbert.fermionic)
