r"""Operators on spins: sums of Pauli strings, with their connected elements as padded JAX arrays.

An operator H is kept as its distinct flip sets and, for each, a polynomial in the spins:

    ⟨s|H|s^{(k)}⟩ = h_k(s) = Σ_t c_{kt} Π_{i∈z_{kt}} s_i,      ⟨s|H|s⟩ = Σ_t d_t Π_{i∈z_t} s_i,

s^{(k)} being s flipped on the k-th set. A row of a sparse operator thus has K + 1 elements, whatever N, and a
local energy is Σ_k h_k(s) ψ(s^{(k)})/ψ(s) (Becca & Sorella 2017, ch. 5). A Heisenberg bond is one flip set
{i, j} with h(s) = J(1 − s_i s_j). `pauli` has the algebra on bit masks, `matrices` the sparse and dense
forms.

An operator also knows the frame in which it is written (`turned`), so that sums, products and expectation
values of operators in different frames are those of the observables that they stand for; and the Hilbert
space that it was built on (`hilbert`), where that is more than free spins ½: fermions are Pauli strings by
Jordan & Wigner (1928), with long strings of Z between the modes of a hop. What all terms of a flip set share
of them is kept once, as the ends of its intervals: Π_{i∈z} s_i is a product of running products there.

Conventions: spins ±1, Z|s⟩ = s|s⟩; basis states are numbered with site 0 as the most significant bit, bit 0
being s = +1.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jax import Array
from jaxtyping import Int8, Num, Shaped
from numpy.typing import ArrayLike

from intertwine._checks import fail, positive_int
from intertwine.quantum.operators import pauli, sign_strings
from intertwine.quantum.operators.arithmetic import Arithmetic
from intertwine.quantum.operators.pauli import PauliSum

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

    from intertwine.spaces.hilbert.hilbert_space import HilbertSpace
    from intertwine.spaces.hilbert.place import Place


class Operator(Arithmetic):
    r"""A sum of Pauli strings on `size` spins, built by `from_strings` or `from_local`.

    Fields (numpy, float64 or complex128; JAX casts them to the active precision when they are used):
        flips: int32 (K, F), the distinct flip sets, padded with N; F ≥ 1.
        coefficients: (K, T), zero where padded.
        signs: int32 (K, T, D), the sites whose spins multiply a term, padded with N; D ≥ 1.
        common: int32 (K, R), a product of spins that multiplies all terms of a flip set, as the ends of the
            intervals of its sites, padded with 0; R = 0 where no flip set has one.
        diagonal_coefficients: (Td,).
        diagonal_signs: int32 (Td, Dd), padded with N; Dd ≥ 1.
        size: N, static. lattice: what it was built on (or None), static. name: static.
        turned: static, the sites whose spins are turned by π about z in the frame in which it is written
            (Marshall's rotation, see `hamiltonians`); () for an operator as it stands in the laboratory.
        hilbert: static, the space of two-level modes that it was built on; None for free spins ½.

    >>> ising = Operator.from_strings(2, [(-1.0, {0: "Z", 1: "Z"}), (-0.5, {0: "X"}), (-0.5, {1: "X"})])
    >>> ising.to_dense().tolist()
    [[-1.0, -0.5, -0.5, 0.0], [-0.5, 1.0, 0.0, -0.5], [-0.5, 0.0, 1.0, -0.5], [0.0, -0.5, -0.5, -1.0]]
    """

    flips: Any
    coefficients: Any
    signs: Any
    common: Any
    diagonal_coefficients: Any
    diagonal_signs: Any
    size: int = eqx.field(static=True)
    lattice: Any = eqx.field(static=True, default=None)
    name: str = eqx.field(static=True, default="")
    turned: tuple[int, ...] = eqx.field(static=True, default=())
    hilbert: HilbertSpace | None = eqx.field(static=True, default=None)

    # ---- building

    @classmethod
    def from_strings(
        cls,
        size: int,
        strings: Iterable[tuple[complex, Mapping[int, str] | str]],
        *,
        lattice: Place | None = None,
        name: str = "",
        hilbert: HilbertSpace | None = None,
    ) -> Operator:
        """Σ coefficient · Π letters, from pairs (coefficient, {site: "X" | "Y" | "Z"}); {} is the identity. A
        text of `size` letters, "XXII", says the same.

        Equal strings are merged and zeros dropped. hilbert: the space of `size` two-level modes that it acts
        on, where that has numbers or constraints. Raises `InputError` for unknown letters, sites outside
        0..size−1 and coefficients that are not finite.

        >>> Operator.from_strings(3, [(1.0, {0: "X", 2: "Y"}), (0.5, {})])
        Operator(size=3, strings=2, flips=1, complex)
        """
        size = positive_int("size", size, "give the number of spins")
        terms = pauli.from_strings(size, strings)
        return cls.from_masks(size, terms, lattice=lattice, name=name, hilbert=hilbert)

    @classmethod
    def from_local(
        cls,
        size: int,
        terms: Iterable[tuple[Any, Sequence[int]]],
        *,
        lattice: Place | None = None,
        name: str = "",
    ) -> Operator:
        """Σ of local matrices: pairs (matrix of shape (2^k, 2^k), k distinct sites).

        The first site is the most significant bit of the matrix index, as in np.kron. Raises `InputError` for
        wrong shapes, repeated or missing sites and entries that are not finite.

        >>> swap = np.eye(4)[[0, 2, 1, 3]]          # (1 + XX + YY + ZZ) / 2
        >>> sorted(c.real for c, _ in Operator.from_local(2, [(swap, (0, 1))]).strings())
        [0.5, 0.5, 0.5, 0.5]
        """
        size = positive_int("size", size, "give the number of spins")
        parts = [pauli.empty(size)]
        for t, row in enumerate(terms):
            try:
                matrix, sites = row
            except (TypeError, ValueError):
                raise fail(f"terms[{t}]", "a pair (matrix, sites)", row) from None
            parts.append(pauli.from_local(size, matrix, sites, f"terms[{t}]"))
        joined = PauliSum(*(np.concatenate(field) for field in zip(*parts, strict=True)))
        return cls.from_masks(size, pauli.canonical(joined), lattice=lattice, name=name)

    @classmethod
    def from_masks(
        cls,
        size: int,
        terms: PauliSum,
        *,
        lattice: Place | None = None,
        name: str = "",
        turned: Iterable[int] = (),
        hilbert: HilbertSpace | None = None,
    ) -> Operator:
        """The operator of a canonical `PauliSum` (what `masks` gives back), written in the frame where the
        sites `turned` are, on the space `hilbert`."""
        if hilbert is not None and not (hilbert.binary and hilbert.size == size):
            raise fail("hilbert", f"a space of {size} two-level modes", hilbert)
        if lattice is not None and getattr(lattice, "size", size) != size:
            raise fail("lattice", f"{size} sites, as the operator has", f"{lattice.size} sites")
        real = not np.any(np.imag(terms.h))
        values = np.real(terms.h) if real else terms.h
        off = np.any(terms.x, axis=1)
        flip_masks, which = pauli.grouped(terms.x[off])
        counts = np.bincount(which, minlength=len(flip_masks))
        order = np.argsort(which, kind="stable")
        within = np.arange(len(order)) - np.repeat(np.cumsum(counts) - counts, counts)
        shape = (len(flip_masks), int(np.max(counts, initial=0)))
        coefficients = np.zeros(shape, values.dtype)
        coefficients[which[order], within] = values[off][order]
        common = sign_strings.common_signs(terms.z[off], which, len(flip_masks))
        term_sites = pauli.padded(terms.z[off] ^ common[which])
        signs = np.full((*shape, term_sites.shape[1]), size, np.int32)
        signs[which[order], within] = term_sites[order]
        return cls(
            flips=pauli.padded(flip_masks),
            coefficients=coefficients,
            signs=signs,
            common=sign_strings.ends(common),
            diagonal_coefficients=np.array(values[~off]),
            diagonal_signs=pauli.padded(terms.z[~off]),
            size=size,
            lattice=lattice,
            name=name,
            turned=tuple(sorted(int(i) for i in turned)),
            hilbert=hilbert,
        )

    # ---- reading

    def masks(self) -> PauliSum:
        """Its strings as bit masks (host numpy), see `pauli`."""
        k, t = np.nonzero(np.asarray(self.coefficients))
        x = pauli.unpadded(np.asarray(self.flips)[k], self.size)
        z = (
            pauli.unpadded(np.asarray(self.signs)[k, t], self.size)
            ^ sign_strings.between(self.common, self.size)[k]
        )
        zd = pauli.unpadded(np.asarray(self.diagonal_signs), self.size)
        h = np.concatenate([np.asarray(self.coefficients)[k, t], np.asarray(self.diagonal_coefficients)])
        x, z = np.concatenate([x, np.zeros_like(zd)]), np.concatenate([z, zd])
        return PauliSum(x, z, h.astype(np.complex128))

    def strings(self) -> list[tuple[complex, dict[int, str]]]:
        """Its strings as pairs (coefficient, {site: letter}), the inverse of `from_strings`."""
        x, z, h = self.masks()
        c = h * 1j ** (pauli.y_counts(x, z) % 4)
        letters = np.array(["I", "Z", "X", "Y"])[2 * x.astype(int) + z]
        return [
            (complex(c[t]), {int(i): str(letters[t, i]) for i in np.flatnonzero(x[t] | z[t])})
            for t in range(len(h))
        ]

    @property
    def n_strings(self) -> int:
        """The number of Pauli strings."""
        return int(np.count_nonzero(np.asarray(self.coefficients))) + len(self.diagonal_coefficients)

    @property
    def n_terms(self) -> int:
        """The number of Pauli strings, as of any operator the number of its terms."""
        return self.n_strings

    @property
    def constant(self) -> Any:
        """What multiplies the identity: Tr A / 2^N."""
        identity = np.all(np.asarray(self.diagonal_signs) == self.size, axis=-1)
        return np.sum(np.asarray(self.diagonal_coefficients), where=identity)

    @property
    def bound(self) -> float:
        """Σ |c| over its strings: no eigenvalue is larger in magnitude."""
        off, on = np.asarray(self.coefficients), np.asarray(self.diagonal_coefficients)
        return float(np.sum(np.abs(off)) + np.sum(np.abs(on)))

    @property
    def n_connected(self) -> int:
        """K: how many configurations a configuration is joined to at most, itself apart."""
        return len(self.flips)

    @property
    def is_real(self) -> bool:
        """Whether every matrix element is real."""
        return not any(np.iscomplexobj(c) for c in (self.coefficients, self.diagonal_coefficients))

    @property
    def is_hermitian(self) -> bool:
        """Whether H = H†: every Pauli string has a real coefficient (to 1e-12 of the largest)."""
        x, z, h = self.masks()
        c = h * 1j ** (pauli.y_counts(x, z) % 4)
        return bool(np.all(np.abs(np.imag(c)) <= 1e-12 * np.max(np.abs(c), initial=0.0)))

    @property
    def conserves_magnetization(self) -> bool:
        """Whether [H, Σ Z_i] = 0: (Σ_{i∈flip} s_i) h_k(s) vanishes as a polynomial for every flip set."""
        x, z, h = self.masks()
        t, i = np.nonzero(x)
        toggled = z[t]
        toggled[np.arange(len(t)), i] ^= True
        rest = pauli.canonical(PauliSum(x[t], toggled, h[t])).h
        return bool(np.all(np.abs(rest) <= 1e-12 * np.max(np.abs(h), initial=0.0)))

    @property
    def commutes_with_spin_flip(self) -> bool:
        """Whether [H, Π X_i] = 0: every term has an even number of spins."""
        z = self.masks().z
        return bool(np.all(np.count_nonzero(z, axis=1) % 2 == 0))

    @property
    def is_stoquastic(self) -> bool:
        """Whether every off-diagonal element is real and at most 0, so that a ground state is non-negative.

        Decided exactly where a flip set's terms touch at most 20 sites, beyond that by the bound
        c_0 + Σ |c_t| ≤ 0 (then False may also mean undecided).
        """
        from intertwine.quantum.operators.sign_structure import is_stoquastic

        return is_stoquastic(self)

    def is_invariant(self, permutation: ArrayLike) -> bool:
        """Whether the site permutation p ((g s)[p[i]] = s[i]) leaves H unchanged.

        >>> ring = Operator.from_strings(3, [(1.0, {i: "Z", (i + 1) % 3: "Z"}) for i in range(3)])
        >>> ring.is_invariant([1, 2, 0])
        True
        """
        return self.is_close(self.permuted(permutation))

    def permuted(self, permutation: ArrayLike) -> Operator:
        """g H g⁻¹ for the site permutation p: site i becomes site p[i]; on a space of fermions c_i becomes
        c_{p[i]}."""
        p = np.asarray(permutation)
        if p.shape != (self.size,) or not np.array_equal(np.sort(p), np.arange(self.size)):
            raise fail("permutation", f"a permutation of 0..{self.size - 1}", permutation)
        fermionic = None if self.hilbert is None else np.array(self.hilbert.fermionic, bool)
        if fermionic is not None and np.any(fermionic[p] != fermionic):
            raise fail("permutation", "one among modes of one kind", permutation)
        terms = sign_strings.permuted(self.masks(), p, fermionic)
        return self._of(terms, self.name, p[list(self.turned)].tolist())

    def in_frame(self, turned: Iterable[int]) -> Operator:
        """The same observable, written where the spins of the sites `turned` are turned by π about z.

        X and Y change sign on a site that is turned in one of the two frames and not in the other.

        >>> xx = Operator.from_strings(2, [(1.0, "XX"), (1.0, "ZI")])
        >>> xx.in_frame([1]).strings()
        [((-1+0j), {0: 'X', 1: 'X'}), ((1+0j), {0: 'Z'})]
        """
        turned = tuple(sorted(int(i) for i in turned))
        between = np.zeros(self.size, bool)
        between[list(set(turned) ^ set(self.turned))] = True
        if not np.any(between):
            return self
        x, z, h = self.masks()
        sign = 1.0 - 2.0 * (np.count_nonzero(x & between, axis=1) % 2)
        return self._of(pauli.canonical(PauliSum(x, z, h * sign)), self.name, turned)

    def is_close(self, other: Operator, tolerance: float = 1e-12) -> bool:
        """Whether both are the same sum of strings, to `tolerance` of the largest coefficient."""
        if self.size != other.size:
            return False
        a, b = self.masks(), other.masks()
        scale = max(np.max(np.abs(a.h), initial=0.0), np.max(np.abs(b.h), initial=0.0))
        return bool(np.all(np.abs(pauli.add(a, b, -1.0).h) <= tolerance * scale))

    # ---- algebra

    def _times(self, number: complex) -> Operator:
        scaled = self.masks()
        return self._like(pauli.canonical(scaled._replace(h=scaled.h * number)))

    def __matmul__(self, other: object) -> Operator:
        """The product A @ B: first B, then A.

        >>> X, Y = (Operator.from_strings(1, [(1.0, letter)]) for letter in "XY")
        >>> (X @ Y).strings()
        [(1j, {0: 'Z'})]
        """
        other = self._checked(other, "the operator of the square is H @ H")
        frame = self.turned or other.turned
        a, b = self.in_frame(frame), other.in_frame(frame)
        return a._like(pauli.product(a.masks(), b.masks()), other)

    @property
    def adjoint(self) -> Operator:
        """A†.

        >>> Operator.from_strings(1, [(1j, "X"), (2.0, "Y")]).adjoint.strings()
        [((2+0j), {0: 'Y'}), (-1j, {0: 'X'})]
        """
        x, z, h = self.masks()
        sign = 1.0 - 2.0 * (pauli.y_counts(x, z) % 2)
        return self._of(pauli.canonical(PauliSum(x, z, np.conj(h) * sign)), self.name, self.turned)

    def _combined(self, other: object, factor: float) -> Operator:
        """self + factor · other; a number stands for that multiple of the identity. Where the two are written
        in different frames the sum is in the turned one (in that of `self` where both are)."""
        if isinstance(other, int | float | complex | np.number):
            constant = pauli.from_strings(self.size, [(complex(other), {})])
            other = self._of(constant, "", self.turned)
        other = self._checked(other, "or a number, which stands for that multiple of the identity")
        frame = self.turned or other.turned
        a, b = self.in_frame(frame), other.in_frame(frame)
        return a._like(pauli.add(a.masks(), b.masks(), factor), other)

    def _checked(self, other: object, remedy: str) -> Operator:
        if not isinstance(other, Operator):
            raise fail("operand", "an Operator", other, remedy)
        if other.size != self.size:
            raise fail("operand", f"an operator on {self.size} sites", f"one on {other.size} sites")
        return other

    def _like(self, terms: PauliSum, other: Operator | None = None) -> Operator:
        """The operator of `terms` on the same lattice and space (None where the lattice of `other` is a
        different one) and in the same frame."""
        theirs = None if other is None else other.lattice
        lattice = self.lattice if self.lattice is not None else theirs
        if theirs is not None and theirs != lattice:
            lattice = None
        space = pauli.same_space(self.hilbert, None if other is None else other.hilbert)
        return Operator.from_masks(self.size, terms, lattice=lattice, turned=self.turned, hilbert=space)

    def _of(self, terms: PauliSum, name: str, turned: Iterable[int]) -> Operator:
        """The operator of `terms` with this one's lattice and space."""
        about = {"lattice": self.lattice, "hilbert": self.hilbert}
        return Operator.from_masks(self.size, terms, name=name, turned=turned, **about)

    # ---- elements, in JAX

    def diagonal(self, s: Shaped[Array, " N"]) -> Num[Array, ""]:
        """⟨s|H|s⟩ of one configuration, scalar in the operator's dtype."""
        spins = self._extended(s)
        products = jnp.prod(spins[self.diagonal_signs], axis=-1)
        return jnp.sum(jnp.asarray(self.diagonal_coefficients) * products)

    def elements(self, s: Shaped[Array, " N"]) -> Num[Array, " K"]:
        """⟨s|H|s^{(k)}⟩ for every flip set, (K,) in the operator's dtype."""
        spins = self._extended(s)
        values = jnp.sum(jnp.asarray(self.coefficients) * jnp.prod(spins[self.signs], axis=-1), axis=-1)
        if self.coefficients.shape[1] > 2:  # sums of several terms that cancel
            scale = jnp.sum(jnp.abs(jnp.asarray(self.coefficients)), axis=-1)
            values = jnp.where(jnp.abs(values) <= 8 * jnp.finfo(scale.dtype).eps * scale, 0, values)
        if self.common.shape[1] == 0:
            return values
        running = jnp.concatenate([jnp.ones(1, spins.dtype), jnp.cumprod(spins[: self.size])])
        return values * jnp.prod(running[self.common], axis=-1)

    def connected(self, s: Shaped[Array, " N"]) -> tuple[Int8[Array, "K1 N"], Num[Array, " K1"]]:
        """The configurations joined to `s` (int8, s itself first) and their elements ⟨s|H|s'⟩.

        Works under `jit` and `vmap`; elements that vanish are zeros in place, so shapes are fixed.

        >>> H = Operator.from_strings(2, [(3.0, {0: "Z"}), (2.0, {1: "X"})])
        >>> configurations, elements = H.connected(jnp.array([-1, 1], jnp.int8))
        >>> configurations.tolist(), elements.tolist()
        ([[-1, 1], [-1, -1]], [-3.0, 2.0])
        """
        s = jnp.asarray(s)
        K = self.flips.shape[0]
        factor = jnp.ones((K + 1, self.size + 1), jnp.int8)
        factor = factor.at[1 + jnp.arange(K)[:, None], self.flips].set(-1)[:, : self.size]
        dtype = jnp.result_type(self.coefficients, self.diagonal_coefficients)
        values = jnp.concatenate([self.diagonal(s)[None].astype(dtype), self.elements(s).astype(dtype)])
        return factor * s.astype(jnp.int8), values

    def _extended(self, s: ArrayLike) -> Array:
        """`s` in the coefficients' real precision, with a 1 appended for the padding index N."""
        s = jnp.asarray(s)
        if s.shape != (self.size,):
            expected = f"one configuration of shape ({self.size},)"
            raise fail("s", expected, f"shape {s.shape}", "vmap over batches")
        real = jnp.finfo(jnp.result_type(self.coefficients)).dtype
        return jnp.concatenate([s.astype(real), jnp.ones(1, real)])

    # ---- matrices

    def to_sparse(self, space: HilbertSpace | None = None) -> csr_matrix:
        """The 2^N × 2^N matrix in scipy's CSR form (site 0 is the most significant bit, bit 0 ↔ s = +1); for
        an operator on a space with bounds, or with `space`, that over `space.configurations()`.

        Raises `InputError` where it would have more than 4·10⁸ stored elements (about 5 GB).
        """
        from intertwine.quantum.operators.matrices import matrix_in_space, sparse_matrix

        space = self.hilbert if space is None else space
        if space is None or not space.bounds:
            return sparse_matrix(self)
        return matrix_in_space(self, space)

    def host_rows(self, s: Shaped[np.ndarray, "n N"]) -> Iterator[tuple[np.ndarray, np.ndarray | None]]:
        """On the host, for configurations (n, N): the diagonal (n,) with None, then for each flip set the
        elements (n,) with the configurations (n, N) that they lead to."""
        from intertwine.quantum.operators.matrices import rows_of_strings

        return rows_of_strings(self, s)

    def to_dense(self) -> np.ndarray:
        """The dense matrix of `to_sparse`, float64 or complex128; at most 2^14 rows, else `InputError`."""
        from intertwine.quantum.operators.matrices import dense_matrix

        return dense_matrix(self)

    def __repr__(self) -> str:
        kind = "real" if self.is_real else "complex"
        label = f"{self.name}, " if self.name else ""
        return f"Operator({label}size={self.size}, strings={self.n_strings}, flips={len(self.flips)}, {kind})"
