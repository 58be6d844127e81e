r"""Convolutions of functions on a finite group G, carried out over its translations' momenta.

    (K f)(g) = Σ_h K(g⁻¹h) f(h),         (u f)(g) = f(u⁻¹g),        K(u f) = u (K f)

(Cohen & Welling, ICML 2016; on space groups Roth & MacDonald, arXiv:2104.05085). With an abelian normal
subgroup T (the translations) and representatives r_a of its cosets, g = t r_a, and with the characters φ_k of
T, f̂_k(a) = n^{−1/2} Σ_t φ_k(t)* f(t r_a), the convolution is a matrix for each momentum:

    (Kf)^_k(a) = Σ_b M_k(a, b) f̂_k(b),        M_k(a, b) = Σ_τ φ_k(τ) K(r_a⁻¹ τ r_b).

For f real, k and −k are conjugate and half of the momenta suffice. That is n·p² F² + 2n²pF products instead
of n²p²F² (n translations, p cosets, F features in and out): 9 times fewer on the square 6×6 with F = 4. The
transform is a product with one real orthogonal n × n matrix, never an FFT: at these sizes a matrix product is
several times faster on a CPU. Nothing is asked of the cosets, so glides, screws and quotients that do not
split are no exception.

Arrays keep the batch last, (n, p·F, B): both transforms and the product over momenta are then plain batched
matrix products without any transposition. A momentum's real and imaginary parts lie side by side in one block
[[Re, −Im], [Im, Re]]; two real momenta share a block.

M_k needs no sum of its own: with r_a⁻¹ r_b = t_ab r_c and the momentum q, φ_q(σ) = φ_k(r_a σ r_a⁻¹), it is
M_k(a, b) = φ_q(t_ab)* K̂_q(c), K̂_q(c) = Σ_σ φ_q(σ) K(σ r_c).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Literal, NamedTuple

import jax.numpy as jnp
import numpy as np
from jax import Array
from jaxtyping import Float

from intertwine._checks import fail, one_of
from intertwine.symmetry.groups.permutation_group import PermutationGroup

Executor = Literal["momentum", "dense"]


class MomentumTables(NamedTuple):
    """Host arrays of the momentum executor; h momenta stand for all n, first the r real ones.

    transform: (blocks, 2, n), orthonormal rows (zero rows pad). cosine, sine: (n, n), φ_q(σ) of all momenta.
    half_transform: (h, 2, n), Re and Im of φ_q(σ) for the h momenta. star: (h, p) the momentum q of (k, a).
    coset: (p, p) the coset c of (a, b); phase: (h, p, p) φ_q(t_ab)*, or None where it is 1 throughout.
    source, conjugated: (p, h) for each q of the h momenta the k with (k, a) ↦ q or −q, and whether it is −q.
    """

    transform: np.ndarray
    cosine: np.ndarray
    sine: np.ndarray
    half_transform: np.ndarray
    star: np.ndarray
    coset: np.ndarray
    phase: np.ndarray | None
    source: np.ndarray
    conjugated: np.ndarray
    real: int


@dataclass(frozen=True, eq=False)
class GroupConvolution:
    """How functions on a group are laid out and convolved; built by `group_convolution`.

    group: the group. executor: "momentum" or "dense". elements: (n, p), the row of t·r_a in the group.
    """

    group: PermutationGroup
    executor: Executor
    elements: np.ndarray
    tables: MomentumTables | None = field(repr=False)

    @property
    def order(self) -> int:
        return self.group.order

    def operator(self, kernel: Float[Array, "g o i"]) -> Float[Array, "..."]:
        """The matrix, or the block for each momentum, of the convolution with `kernel` (order, out, in)."""
        return _momentum_blocks(self, kernel) if self.executor == "momentum" else _dense(self, kernel)

    def transformed(self, f: Float[Array, "n pF B"]) -> Float[Array, "..."]:
        """f̂ in the form that `operator` multiplies: (blocks, 2pF, B), or (order·F, B) for dense."""
        if self.tables is None:
            return f.reshape(-1, f.shape[-1])
        transform = jnp.asarray(self.tables.transform, f.dtype)
        blocks, _, n = transform.shape
        out = jnp.matmul(transform.reshape(-1, n), f.reshape(n, -1), precision="highest")
        return out.reshape(blocks, -1, f.shape[-1])

    def restored(self, spectrum: Float[Array, "..."]) -> Float[Array, "n pF B"]:
        """f from f̂: the transpose of `transformed`, which is its inverse."""
        n, batch = self.elements.shape[0], spectrum.shape[-1]
        if self.tables is None:
            return spectrum.reshape(n, -1, batch)
        transform = jnp.asarray(self.tables.transform, spectrum.dtype).reshape(-1, n)
        parts = spectrum.reshape(transform.shape[0], -1)
        return jnp.matmul(transform.T, parts, precision="highest").reshape(n, -1, batch)

    def __call__(self, kernel: Float[Array, "g o i"], f: Float[Array, "n pF B"]) -> Float[Array, "n pO B"]:
        """K f. Rows of `kernel` are in the order of the group's rows, f in that of `elements`.

        >>> import numpy as np, jax.numpy as jnp
        >>> ring = PermutationGroup.generate([[1, 2, 3, 0]])
        >>> shift = jnp.zeros((4, 1, 1)).at[1].set(1.0)                     # (Kf)(g) = f(g·g_1)
        >>> f = jnp.arange(4.0).reshape(4, 1, 1)
        >>> [round(float(v), 3) for v in group_convolution(ring)(shift, f).ravel()]
        [1.0, 2.0, 3.0, 0.0]
        """
        return self.restored(apply(self.operator(kernel), self.transformed(f)))

    def kernel_gradient(self, cotangent: Array, spectrum: Array, outputs: int) -> Float[Array, "g o i B"]:
        """∂/∂kernel for each sample of the batch, from ∂/∂(Kf)^ and f̂ as `transformed` gives them."""
        inputs = spectrum.shape[-2] // (2 * self.elements.shape[1] if self.tables else self.order)
        if self.tables is None:
            return _dense_gradient(self, cotangent, spectrum, outputs, inputs)
        return _momentum_gradient(self, cotangent, spectrum, outputs, inputs)

    def __hash__(self) -> int:
        return hash((self.group, self.executor, self.elements.tobytes()))

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, GroupConvolution):
            return NotImplemented
        same = self.group == other.group and self.executor == other.executor
        return self is other or (same and np.array_equal(self.elements, other.elements))


def apply(operator: Array, spectrum: Array) -> Array:
    """The batched matrix product of an operator and a spectrum."""
    return jnp.matmul(operator, spectrum, precision="highest")


def group_convolution(
    group: PermutationGroup,
    translations: PermutationGroup | None = None,
    *,
    features: int = 4,
    executor: str = "auto",
) -> GroupConvolution:
    """The executor of convolutions on `group` with the fewer products for `features` in and out.

    translations: an abelian normal subgroup, of which the part inside `group` is used; None: one is found.
    executor: "auto", "momentum" or "dense".

    Raises InputError for another executor, and for translations that are not abelian and normal.
    """
    one_of("executor", executor, ("auto", "momentum", "dense"))
    rows = abelian_normal_subgroup(group) if translations is None else _rows_inside(group, translations)
    return _planned(group, tuple(int(row) for row in rows), features, executor)


@lru_cache(maxsize=64)
def _planned(
    group: PermutationGroup, rows: tuple[int, ...], features: int, executor: str
) -> GroupConvolution:
    n, p = len(rows), group.order // len(rows)
    products = {
        "dense": float(group.order) ** 2 * features**2,
        "momentum": 2.0 * n * n * p * features + 2.0 * n * p * p * features**2,
    }
    chosen = min(products, key=lambda name: products[name]) if executor == "auto" else executor
    elements = _cosets(group, np.array(rows))
    if chosen == "dense":
        return GroupConvolution(group, "dense", elements, None)
    return GroupConvolution(group, "momentum", elements, _momentum_tables(group, elements))


# -------------------------------------------------------------------------------------- subgroup and cosets


def abelian_normal_subgroup(group: PermutationGroup) -> np.ndarray:
    """Rows of a large abelian normal subgroup: classes are joined as long as all members commute.

    >>> triangle = PermutationGroup.generate([[1, 2, 0], [0, 2, 1]])
    >>> len(abelian_normal_subgroup(triangle))
    3
    """
    classes = sorted(group.conjugacy_classes(), key=len)
    best = np.array([group.identity])
    for start in classes:
        if not _commute(group, start, start):
            continue
        members = start
        for other in classes:
            if _commute(group, other, other) and _commute(group, members, other):
                members = np.union1d(members, other)
        if len(members) > len(best):
            best = np.flatnonzero(group._generated(members)[0])
        if 4 * len(best) >= group.order:
            break
    return best


def _commute(group: PermutationGroup, left: np.ndarray, right: np.ndarray) -> bool:
    return bool(np.array_equal(group.multiply(left[:, None], right), group.multiply(right, left[:, None])))


def _rows_inside(group: PermutationGroup, translations: PermutationGroup) -> np.ndarray:
    """The rows of `group` that are translations; an error unless they are abelian and normal."""
    rows = group.rows_of(translations.permutations)
    rows = rows[rows >= 0]
    generators = np.array(group.generators, dtype=int)
    moved = group.multiply(group.multiply(generators[:, None], rows), group.inverse[generators][:, None])
    if not rows.size or not np.isin(moved, rows).all() or not _commute(group, rows, rows):
        raise fail("translations", "an abelian normal subgroup", repr(translations), "leave it out")
    return rows


def _cosets(group: PermutationGroup, rows: np.ndarray) -> np.ndarray:
    """(n, p): the row of t·r_a, T being `rows`; r_0 is the identity."""
    free, columns = np.ones(group.order, bool), []
    for representative in (group.identity, *range(group.order)):
        if free[representative]:
            column = group.multiply(rows, representative)
            free[column] = False
            columns.append(column)
    return np.stack(columns, axis=1).astype(np.int32)


# ------------------------------------------------------------------------------------------------ the tables


def _momentum_tables(group: PermutationGroup, elements: np.ndarray) -> MomentumTables:
    n, p = elements.shape
    steps = _phases(group, elements[:, 0])  # (n, n): φ_q(σ) = exp(2πi steps/n)
    number = {row.tobytes(): q for q, row in enumerate(steps)}
    mirror = np.array([number[(-row % n).tobytes()] for row in steps])
    everything = np.arange(n)
    half = np.concatenate([everything[mirror == everything], everything[mirror > everything]])
    real = int((mirror == everything).sum())

    representatives = elements[0]
    place = np.empty(group.order, int)
    place[elements.ravel()] = np.arange(group.order)  # row ↦ t·p + a
    inverses = group.inverse[representatives]
    turned = group.multiply(group.multiply(representatives[:, None], elements[:, 0]), inverses[:, None])
    moved = steps[:, place[turned] // p]  # (n, p, n): φ_k(r_a σ r_a⁻¹)
    star = np.array([[number[np.ascontiguousarray(moved[k, a]).tobytes()] for a in range(p)] for k in half])
    shift, coset = np.divmod(place[group.multiply(inverses[:, None], representatives)], p)  # r_a⁻¹ r_b

    angle = 2 * np.pi / n * steps
    cosine, sine = np.cos(angle), np.sin(angle)
    phase = np.exp(-1j * angle)[star[:, :, None], shift[None]]
    source = np.zeros((p, len(half)), int)
    conjugated = np.zeros((p, len(half)), bool)
    for a in range(p):
        for k, q in enumerate(star[:, a]):
            positive = np.flatnonzero(half == q)
            target = positive[0] if positive.size else np.flatnonzero(half == mirror[q])[0]
            source[a, target], conjugated[a, target] = k, not positive.size
    return MomentumTables(
        _transform(cosine, sine, half, real),
        cosine,
        sine,
        np.stack([cosine[half], sine[half]], axis=1),
        star,
        coset,
        None if np.abs(phase - 1).max() < 1e-9 else phase,
        source,
        conjugated,
        real,
    )


def _phases(group: PermutationGroup, rows: np.ndarray) -> np.ndarray:
    """Characters of the abelian subgroup `rows` as integers modulo its order, one row each."""
    subgroup = group.subgroup(rows)
    turns = np.angle(subgroup.characters_1d()) / (2 * np.pi) * len(rows)
    return np.rint(turns).astype(np.int64) % len(rows)


def _transform(cosine: np.ndarray, sine: np.ndarray, half: np.ndarray, real: int) -> np.ndarray:
    """(blocks, 2, n): pairs of real momenta, then Re and Im of the complex ones; orthonormal."""
    n = cosine.shape[1]
    single = cosine[half[:real]] / np.sqrt(n)
    if real % 2:
        single = np.concatenate([single, np.zeros((1, n))])
    pairs = single.reshape(-1, 2, n)
    double = np.sqrt(2 / n) * np.stack([cosine[half[real:]], -sine[half[real:]]], axis=1)
    return np.concatenate([pairs, double])


# ----------------------------------------------------------------------------------------------- operators


def _momentum_blocks(plan: GroupConvolution, kernel: Array) -> Array:
    """(blocks, 2pO, 2pI)."""
    tables = plan.tables
    assert tables is not None
    n, p = plan.elements.shape
    _, outputs, inputs = kernel.shape
    at = kernel[plan.elements.reshape(-1)].reshape(n, -1)
    waves = np.concatenate([tables.cosine, tables.sine])
    spectrum = jnp.matmul(jnp.asarray(waves, kernel.dtype), at, precision="highest")
    spectrum = spectrum.reshape(2, n, p, outputs, inputs)
    chosen = spectrum[:, tables.star[:, :, None], tables.coset[None]]  # (2, h, p, p, O, I)
    re, im = chosen
    phase: Any = tables.phase
    if phase is not None:
        cos, sin = (jnp.asarray(x, kernel.dtype)[..., None, None] for x in (phase.real, phase.imag))
        re, im = cos * re - sin * im, cos * im + sin * re
    re, im = (jnp.swapaxes(x, 2, 3).reshape(-1, p * outputs, p * inputs) for x in (re, im))
    alone, re, im = re[: tables.real], re[tables.real :], im[tables.real :]
    if tables.real % 2:
        alone = jnp.concatenate([alone, jnp.zeros_like(alone[:1])])
    first, second = alone[::2], alone[1::2]
    zero = jnp.zeros_like(first)
    pairs = jnp.block([[first, zero], [zero, second]])
    return jnp.concatenate([pairs, jnp.block([[re, -im], [im, re]])])


def _dense_table(plan: GroupConvolution) -> np.ndarray:
    """(g, g): the row of g⁻¹h, both in the order of `elements`."""
    order = plan.elements.reshape(-1)
    return plan.group.product_table[plan.group.inverse[order][:, None], order]


def _dense(plan: GroupConvolution, kernel: Array) -> Array:
    """(g·O, g·I)."""
    _, outputs, inputs = kernel.shape
    full = kernel[_dense_table(plan)]  # (g, h, O, I)
    return jnp.swapaxes(full, 1, 2).reshape(plan.order * outputs, plan.order * inputs)


# ----------------------------------------------------------------------------- gradients, sample by sample


def _dense_gradient(plan: GroupConvolution, cotangent: Array, f: Array, outputs: int, inputs: int) -> Array:
    """Σ_g cotangent(g) f(g u)."""
    order, batch = plan.elements.reshape(-1), f.shape[-1]
    place = np.empty(plan.order, int)
    place[order] = np.arange(plan.order)
    shifted = f.reshape(plan.order, inputs, batch)[place[plan.group.product_table[order]]]  # (g, u, I, B)
    given = cotangent.reshape(plan.order, outputs, batch)
    return jnp.einsum("gob,guib->uoib", given, shifted, precision="highest")


def _momentum_gradient(
    plan: GroupConvolution, cotangent: Array, spectrum: Array, outputs: int, inputs: int
) -> Array:
    """Re Σ_k Σ_a δ̂_k(a)* f̂_k(b) φ_q(t_ab)* φ_q(σ) for the kernel at σ r_c, b being the coset with c(a, b) =
    c."""
    tables = plan.tables
    assert tables is not None
    n, p = plan.elements.shape
    batch = spectrum.shape[-1]
    dr, di = _unpaired(tables, cotangent, (p, outputs, batch))
    xr, xi = _unpaired(tables, spectrum, (p, inputs, batch))
    total_re: Any = 0.0
    total_im: Any = 0.0
    for a in range(p):
        k = tables.source[a]
        sign = np.where(tables.conjugated[a], -1.0, 1.0)[:, None, None, None, None]
        b = np.argsort(tables.coset[a])  # c ↦ b
        er, ei = (x[k, a][:, None, :, None] for x in (dr, di))  # (h, 1, O, 1, B)
        yr, yi = (x[k][:, b] for x in (xr, xi))  # (h, p, I, B)
        if tables.phase is not None:
            turn = tables.phase[k, a][:, b][:, :, None, None]
            cos, sin = jnp.asarray(turn.real, yr.dtype), jnp.asarray(turn.imag, yr.dtype)
            yr, yi = cos * yr - sin * yi, cos * yi + sin * yr
        yr, yi = yr[:, :, None], yi[:, :, None]
        total_re += er * yr + ei * yi
        total_im += jnp.asarray(sign, yr.dtype) * (er * yi - ei * yr)
    parts = jnp.stack([total_re, total_im], axis=1).reshape(2 * len(tables.source[0]), -1)
    waves = tables.half_transform * np.array([1.0, -1.0])[:, None]
    kernel = jnp.matmul(jnp.asarray(waves, parts.dtype).reshape(-1, n).T, parts, precision="highest")
    kernel = kernel.reshape(n * p, outputs, inputs, batch)
    return kernel[np.argsort(plan.elements.reshape(-1))]


def _unpaired(tables: MomentumTables, blocks: Array, shape: tuple[int, ...]) -> tuple[Array, Array]:
    """Re and Im (h, p, F, B) of a spectrum in blocks: real momenta one by one, with no imaginary part."""
    pairs = -(-tables.real // 2)
    alone = blocks[:pairs].reshape(2 * pairs, *shape)[: tables.real]
    double = blocks[pairs:].reshape(-1, 2, *shape)
    re = jnp.concatenate([alone, double[:, 0]])
    return re, jnp.concatenate([jnp.zeros_like(alone), double[:, 1]])
