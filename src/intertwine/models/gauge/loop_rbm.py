r"""Wave functions of loops: ψ(s) = φ(products of s along loops), for spins on links.

    f_j(s) = Π_{l ∈ loop j} s_l = ±1,       log ψ(s) = log φ(f_1, …, f_M)

With plaquettes and lines around the torus alone, ψ is the same for configurations that differ by the flip of
all links at a site: it obeys Gauss' law of Z_2 gauge theory exactly, Π_{l∋v} X_l ψ = ψ, at any size. Single
links among the loops (open strings, which end on matter) give up that symmetry, for fields that break it.
φ is any model of M spins; a symmetric RBM (`LoopRBM`) has the symmetries of the lattice, and a cache of its
angles, to which a flip of a link adds the rows of the few loops through it; a group-convolutional network
(`LoopGCNN`) has the same symmetries, and is deeper.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from jax.typing import DTypeLike
from jaxtyping import Int, Int32, Num, Shaped

from intertwine._checks import fail
from intertwine.models.machines.hidden_units import HiddenCache, check_configuration, log_hidden
from intertwine.models.numerics import real_dtype
from intertwine.models.parameters import parameters
from intertwine.models.protocols import Factored, Kind, LogAmplitude, SpinForm, SpinFormed
from intertwine.models.symmetric.gcnn import GCNN
from intertwine.models.symmetric.symmetric_rbm import SymmetricRBM
from intertwine.spaces.lattice import Lattice
from intertwine.spaces.link_sites import link_symmetries, links_at, plaquette_links, straight_lines
from intertwine.spaces.links import Links
from intertwine.symmetry import PermutationGroup


@dataclass(frozen=True)
class LoopTable:
    """Which sites each loop has: made of lists of sites, compared by content. size: of all sites, N."""

    loops: tuple[tuple[int, ...], ...]
    size: int

    def __post_init__(self) -> None:
        sites = [site for loop in self.loops for site in loop]
        if not sites:
            raise fail("loops", "one loop or more, of one site or more", self.loops)
        if min(sites) < 0 or max(sites) >= self.size or any(len(set(x)) < len(x) for x in self.loops):
            raise fail("loops", f"different sites, 0 to {self.size - 1}, in every loop", "others")

    @cached_property
    def sites(self) -> Int32[np.ndarray, "M w"]:
        """int32 (M, w), padded with N."""
        return _padded(self.loops, self.size)

    @cached_property
    def through(self) -> Int32[np.ndarray, "N q"]:
        """int32 (N + 1, q): the loops through every site, padded with M; none through the site N."""
        rows: list[list[int]] = [[] for _ in range(self.size + 1)]
        for loop, sites in enumerate(self.loops):
            for site in sites:
                rows[site].append(loop)
        return _padded(rows, len(self.loops))


def _padded(rows: Sequence[Sequence[int]], fill: int) -> np.ndarray:
    found = np.full((len(rows), max(1, max(map(len, rows)))), fill, np.int32)
    for k, row in enumerate(rows):
        found[k, : len(row)] = row
    return found


class OfLoops(eqx.Module):
    """log ψ(s) = log φ(f(s)); make it with `of_loops`. permutations: (g, N), under which it is the same."""

    inner: Any
    table: LoopTable = eqx.field(static=True)
    permutations: Int[Array, "g N"]

    def __init__(
        self,
        inner: LogAmplitude,
        loops: LoopTable | Sequence[Sequence[int]],
        *,
        size: int,
        symmetries: np.ndarray | None = None,
    ):
        given = (
            loops
            if isinstance(loops, LoopTable)
            else LoopTable(tuple(tuple(map(int, x)) for x in loops), size)
        )
        if inner.size != len(given.loops):
            raise fail(
                "inner", f"a model of {len(given.loops)} spins, one for each loop", f"{inner.size} spins"
            )
        self.inner, self.table = inner, given
        self.permutations = jnp.asarray(
            np.arange(size)[None] if symmetries is None else symmetries, jnp.int32
        )

    @property
    def size(self) -> int:
        """The number of sites N."""
        return self.table.size

    @property
    def kind(self) -> Kind:
        return self.inner.kind

    def loops(self, s: Shaped[Array, "... N"]) -> Shaped[Array, "... M"]:
        """f(s), ±1 in the type of s."""
        one = jnp.ones((*s.shape[:-1], 1), s.dtype)
        return jnp.concatenate([s, one], -1)[..., self.table.sites].prod(-1).astype(s.dtype)

    def __call__(self, s: Shaped[Array, "N"]) -> Num[Array, ""]:
        """log ψ of one configuration (N,) of spins ±1."""
        check_configuration(s, self.size)
        return self.inner(self.loops(s))


class FactoredOfLoops(OfLoops):
    """The same for a φ with `factors`."""

    def factors(self, samples: Shaped[Array, "S N"]) -> Any:
        """Those of φ."""
        return eqx.tree_at(lambda m: m.inner, parameters(self), self.inner.factors(self.loops(samples)))


class CachedOfLoops(FactoredOfLoops):
    """The same for a φ that is a `SpinForm`: θ_k = b_k + Σ_j W_jk f_j is kept, and a flip adds the rows of
    the few loops that change."""

    def start(self, s: Shaped[Array, "N"]) -> HiddenCache:
        """θ of f(s), and Σ ln 2cosh θ."""
        check_configuration(s, self.size)
        form = self.inner.spin_form()
        angles = form.hidden_bias + self.loops(s).astype(real_dtype(form.weights.dtype)) @ form.weights
        return HiddenCache(angles, log_hidden(angles))

    def log_ratio(self, cache: HiddenCache, s: Shaped[Array, "N"], sites: Int[Array, "F"]) -> Num[Array, ""]:
        """log ψ(s') − log ψ(s) by the loops that change."""
        form = self.inner.spin_form()
        angles, changes, loops = self._moved(form, cache, s, sites)
        field = jnp.take(form.field, loops, mode="fill", fill_value=0)
        return log_hidden(angles) - cache.log_hidden + (changes * field).sum()

    def flip(self, cache: HiddenCache, s: Shaped[Array, "N"], sites: Int[Array, "F"]) -> HiddenCache:
        """The cache of s'."""
        angles = self._moved(self.inner.spin_form(), cache, s, sites)[0]
        return HiddenCache(angles, log_hidden(angles))

    def _moved(
        self, form: SpinForm, cache: HiddenCache, s: Shaped[Array, "N"], sites: Int[Array, "F"]
    ) -> tuple[Array, Array, Array]:
        """θ of s', the changes −2f of the loops, and which they are."""
        loops = self._changed(sites)
        before = jnp.take(self.loops(s), loops, mode="fill", fill_value=0)
        changes = -2 * before.astype(real_dtype(form.weights.dtype))
        rows = jnp.take(form.weights, loops, axis=0, mode="fill", fill_value=0)
        return cache.angles + (changes[:, None] * rows).sum(0), changes, loops

    def _changed(self, sites: Int[Array, "F"]) -> Int[Array, "K"]:
        """The loops that an odd number of flips goes through, each once, padded with M."""
        count = len(self.table.loops)
        every = jnp.asarray(self.table.through)[sites].reshape(-1)
        if len(every) > 16:
            odd = jnp.zeros(count, jnp.int32).at[every].add(1, mode="drop") % 2 == 1
            return jnp.nonzero(odd, size=min(count, len(every)), fill_value=count)[0].astype(jnp.int32)
        same = every[:, None] == every
        odd = (same.sum(1) % 2 == 1) & ~jnp.tril(same, -1).any(1)
        return jnp.where(odd, every, count).astype(jnp.int32)


def of_loops(
    inner: LogAmplitude,
    loops: LoopTable | Sequence[Sequence[int]],
    *,
    size: int,
    symmetries: np.ndarray | None = None,
) -> OfLoops:
    """log ψ(s) = log φ(f(s)): a model of M loops as one of N sites.

    inner: φ, a model of M spins. loops: lists of sites. size: N. symmetries: permutations (g, N) of the sites
    under which ψ is known to be the same (None: the identity alone).

    Raises InputError for loops that do not fit.

    >>> import jax
    >>> from intertwine.models.jastrow import Jastrow
    >>> psi = of_loops(Jastrow(2, key=jax.random.key(0)), [[0, 1], [2, 3]], size=4)
    >>> flipped = jnp.array([-1, -1, 1, 1])                                  # both links of a loop
    >>> bool(psi(flipped) == psi(-flipped))
    True
    """
    form = jax.eval_shape(inner.spin_form) if isinstance(inner, SpinFormed) else None
    factored = isinstance(inner, Factored)
    cached = form is not None and form.coupling is None and factored
    kind: Any = CachedOfLoops if cached else FactoredOfLoops if factored else OfLoops
    return kind(inner, loops, size=size, symmetries=symmetries)


def _winding(links: Links) -> list[np.ndarray]:
    """The straight lines around the torus, and pairs of lines of two directions together: every way of
    winding has one of its own, also that of two directions."""
    straight = straight_lines(links)
    of = [int(line[0]) % links.dimension for line in straight]
    pairs = [(a, b) for a, b in itertools.combinations(range(len(of)), 2) if of[a] != of[b]]
    return [*straight, *(np.concatenate([straight[a], straight[b]]) for a, b in pairs)]


def LoopRBM(
    lattice: Lattice,
    features: int,
    *,
    lines: bool = False,
    strings: bool = False,
    group: str = "translations",
    dtype: DTypeLike = float,
    scale: float | None = None,
    key: Array,
) -> OfLoops:
    """A symmetric RBM of the plaquettes of the links of a torus.

    lattice: of the links, such as `it.LinkSites(4, 4)`. features: filters. lines: the straight lines around
    the torus among the loops, and pairs of them that cross. strings: the single links as well, for fields
    along Z. group: "translations" or "space" ties weights.

    Raises InputError for other lattices and groups.

    >>> import jax
    >>> from intertwine.models.laws import assert_invariant
    >>> from intertwine.spaces.lattices import LinkSites
    >>> psi = LoopRBM(LinkSites(3, 3), 2, key=jax.random.key(0))
    >>> star = jnp.ones(18, jnp.int8).at[jnp.array([0, 1, 12, 5])].set(-1)      # the links at site 0
    >>> bool(psi(star) == psi(jnp.ones(18, jnp.int8)))
    True
    """
    table, on_loops, on_links = _lattice_loops(lattice, lines, strings, group)
    inner = SymmetricRBM(on_loops, features, dtype=dtype, scale=scale, key=key)
    return of_loops(inner, table, size=table.size, symmetries=on_links)


def LoopGCNN(
    lattice: Lattice,
    layers: int,
    features: int,
    *,
    lines: bool = False,
    strings: bool = False,
    group: str = "space",
    dtype: DTypeLike = float,
    key: Array,
) -> OfLoops:
    """A group-convolutional network (`GCNN`) of the plaquettes of the links of a torus: deeper than
    `LoopRBM`, for fields along X and Z together.

    layers, features: of the network. lattice, lines, strings, group: as of `LoopRBM`.

    Raises InputError for other lattices and groups.

    >>> import jax
    >>> from intertwine.spaces.lattices import LinkSites
    >>> psi = LoopGCNN(LinkSites(2, 2), 2, 2, strings=True, key=jax.random.key(0))
    >>> len(psi.table.loops), psi.inner.layers, len(psi.permutations)
    (12, 2, 32)
    """
    table, on_loops, on_links = _lattice_loops(lattice, lines, strings, group)
    inner = GCNN(on_loops, layers, features, dtype=dtype, key=key)
    return of_loops(inner, table, size=table.size, symmetries=on_links)


def _lattice_loops(
    lattice: Lattice, lines: bool, strings: bool, group: str
) -> tuple[LoopTable, PermutationGroup, np.ndarray]:
    """The loops, and a group of the lattice as permutations of the loops and of the links."""
    links = links_at(lattice)
    parts: list[Any] = [*plaquette_links(links)]
    parts += _winding(links) if lines else []
    parts += list(np.arange(links.size)[:, None]) if strings else []
    table = LoopTable(tuple(tuple(sorted(map(int, part))) for part in parts), links.size)
    symmetries = link_symmetries(links, group)
    where = {frozenset(loop): k for k, loop in enumerate(table.loops)}
    moved = [
        [where[frozenset(int(row[site]) for site in loop)] for loop in table.loops]
        for row in symmetries.permutations
    ]
    _, first = np.unique(moved, axis=0, return_index=True)  # where two sites are all, some act alike
    return table, PermutationGroup(np.array(moved)[np.sort(first)]), symmetries.permutations
