r"""The Hilbert space of a system: modes with a few levels each, and bounds on their levels.

A configuration is a basis state |n_0 n_1 … n_{N−1}⟩, one level n_i ∈ {0, …, d_i − 1} for each of N modes,
that satisfies the space's bounds (`bounds`). What the modes are the constructors say:

    Spins(lattice)                     a spin ½ at each site; s=1, 3/2 … for larger spins
    Bosons(lattice, particles=8)       bosons, at most `most` at a site
    Fermions(lattice, (5, 5))          electrons: all sites with spin up, then all with spin down
    Fermions(lattice, 13)              fermions without spin
    Rydberg(lattice)                   atoms, no two neighbours excited
    Qudits(lattice, 3)                 any number of levels at a site
    a * b                              the modes of a, then those of b (electrons with spins, phonons …)

Two ways to write a configuration, each with one owner. Where all modes have two levels (`binary`) it is an
array of ±1, +1 being level 0 and −1 level 1 (spin down, occupied), as everywhere in the library; models,
samplers and operators of spins ½ then take it as it is. Elsewhere it is the array of the levels. Both int8.
Basis states are numbered with mode 0 the most significant digit.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from math import prod
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from jaxtyping import Bool, Int8, Int64, Shaped

from intertwine._checks import fail, positive_int
from intertwine._keys import key_words
from intertwine.spaces.hilbert.bounds import Bound
from intertwine.spaces.hilbert.counting import Layer, drawn, layers, listed, numbered

MOST_LISTED = 2**25
"""Configurations that are listed at most."""
MOST_LEVELS = 127


@dataclass(frozen=True)
class HilbertSpace:
    """Modes with levels, and bounds. Immutable, hashable, comparable by content: static under `jax.jit`.

    levels: d_i of each mode. bounds: what restricts them. fermionic: whether each mode anticommutes with the
    other fermionic ones, in the order of the modes; () for none. species: names of the groups of modes, with
    their modes, as (("up", (0, 1)), ("down", (2, 3))). place: the lattice or graph whose sites they belong
    to, or None. kind: the word of messages, as "electrons".

    >>> from intertwine.spaces.lattices import Chain
    >>> from intertwine.spaces.hilbert.kinds import Fermions
    >>> electrons = Fermions(Chain(4), (2, 1))
    >>> electrons
    HilbertSpace(electrons, 4 sites, particles up = 2, particles down = 1, dimension 24)
    >>> electrons.mode(3, "down"), electrons.configurations()[0].tolist()
    (7, [1, 1, -1, -1, 1, 1, 1, -1])
    """

    levels: tuple[int, ...]
    bounds: tuple[Bound, ...] = ()
    fermionic: tuple[bool, ...] = ()
    species: tuple[tuple[str, tuple[int, ...]], ...] = ()
    place: Any = field(default=None)
    kind: str = "sites"

    def __post_init__(self) -> None:
        levels = tuple(
            positive_int("levels", d, "give the number of levels of each mode") for d in self.levels
        )
        if not levels or max(levels) > MOST_LEVELS:
            raise fail("levels", f"at least one mode, and at most {MOST_LEVELS} levels", self.levels)
        object.__setattr__(self, "levels", levels)
        fermionic = self.fermionic or (False,) * len(levels)
        if len(fermionic) != len(levels):
            raise fail("fermionic", f"{len(levels)} truth values", self.fermionic)
        object.__setattr__(self, "fermionic", tuple(bool(f) for f in fermionic))
        if any(f and d != 2 for f, d in zip(fermionic, levels, strict=True)):
            raise fail("levels", "2 for fermionic modes", self.levels)
        for bound in self.bounds:
            if any(not 0 <= i < len(levels) for i in bound.modes):
                raise fail("bounds", f"modes from 0 to {len(levels) - 1}", bound)
        if not self.species:
            object.__setattr__(self, "species", (("", tuple(range(len(levels)))),))
        if self._graph and self._graph[0].paths[0] == 0:
            words = ", ".join(_told(bound) for bound in self.bounds)
            raise fail("space", "at least one configuration", f"none with {words}", "change the numbers")

    # ---- what it is

    @property
    def size(self) -> int:
        """The number of modes N."""
        return len(self.levels)

    @property
    def binary(self) -> bool:
        """Whether every mode has two levels: configurations are ±1."""
        return all(d == 2 for d in self.levels)

    @property
    def has_fermions(self) -> bool:
        """Whether some modes anticommute."""
        return any(self.fermionic)

    @property
    def numbers(self) -> tuple[Bound, ...]:
        """The bounds with one value: conserved numbers."""
        return tuple(bound for bound in self.bounds if bound.is_number)

    @property
    def constraints(self) -> tuple[Bound, ...]:
        """The bounds with several values: constraints."""
        return tuple(bound for bound in self.bounds if not bound.is_number)

    @property
    def sites(self) -> int:
        """The number of sites of its lattice; of modes of a species where there is none."""
        return int(getattr(self.place, "size", max(len(modes) for _, modes in self.species)))

    def mode(self, site: int, species: str | int | None = None) -> int:
        """The mode of a site, of one species (its name, or its number; None where there is one only)."""
        names = [name for name, _ in self.species]
        if species is None:
            if len(names) > 1:
                raise fail("species", f"one of {', '.join(names)}", None, "say which")
            species = 0
        if isinstance(species, str):
            if species not in names:
                raise fail("species", *self._species_asked(names, species))
            species = names.index(species)
        if isinstance(species, bool) or not 0 <= int(species) < len(names):
            raise fail("species", *self._species_asked(names, species))
        modes = self.species[int(species)][1]
        if isinstance(site, bool) or not isinstance(site, int | np.integer) or not 0 <= site < len(modes):
            raise fail("site", f"an integer from 0 to {len(modes) - 1}", site)
        return modes[int(site)]

    def _species_asked(self, names: list[str], got: object) -> tuple[str, object, str]:
        """What is expected of a species, what came, and what to do."""
        if len(names) == 1:
            one = f"{names[0]!r} or None" if names[0] else "None"
            return f"{one}, as these {self.kind} are of one species", got, "leave it out"
        return f"one of {', '.join(names)}, or its number", got, ""

    # ---- how many, which, at random

    @cached_property
    def _graph(self) -> list[Layer]:
        return layers(self.levels, self.bounds) if self.bounds else []

    @property
    def dimension(self) -> int:
        """How many configurations there are, exactly, without listing them.

        >>> from intertwine.spaces.lattices import Chain
        >>> from intertwine.spaces.hilbert.kinds import Rydberg
        >>> Rydberg(Chain(12)).dimension, Rydberg(Chain(12, pbc=False)).dimension
        (322, 377)
        """
        return self._graph[0].paths[0] if self._graph else prod(self.levels)

    def configurations(self) -> Int8[np.ndarray, "n N"]:
        """All configurations in the order of their numbers, int8 (n, N); InputError above 2^25."""
        if self.dimension > MOST_LISTED:
            got = f"{self.dimension:.4g} of them"
            raise fail("space", f"at most {MOST_LISTED} configurations to list", got, "sample them")
        return self.written(listed(self._graph or layers(self.levels, ())))

    def numbers_of(self, configurations: Shaped[np.ndarray, "n N"]) -> Int64[np.ndarray, " n"]:
        """The places of configurations in the list of `configurations()`, int64 (n,), without listing them;
        −1 for those that the space has not.

        >>> from intertwine.spaces.hilbert.kinds import Fermions
        >>> Fermions(3, 2).numbers_of(np.array([[1, -1, -1], [-1, -1, 1], [1, 1, 1]])).tolist()
        [0, 2, -1]
        """
        if self.dimension >= 2**63:
            raise fail("space", "fewer than 2^63 configurations to number", f"{self.dimension:.4g} of them")
        levels = self.levels_of(np.asarray(configurations))
        return numbered(self._graph or layers(self.levels, ()), levels)

    def random(self, count: int, *, key: Array) -> Int8[Array, "count N"]:
        """`count` independent configurations, each as likely as any other, int8 (count, N); drawn on the
        host."""
        generator = np.random.default_rng(key_words(key))
        if not self._graph:
            levels = np.stack([generator.integers(0, d, count) for d in self.levels], axis=1)
        else:
            levels = drawn(self._graph, count, generator)
        return jnp.asarray(self.written(levels.astype(np.int8)))

    # ---- configurations

    def written(self, levels: Shaped[Array | np.ndarray, "... N"]) -> Any:
        """The configurations of levels (..., N): ±1 where all modes have two levels, else the levels."""
        return (1 - 2 * levels).astype("int8") if self.binary else levels.astype("int8")

    def levels_of(self, configurations: Shaped[Array | np.ndarray, "... N"]) -> Any:
        """The levels n_i of configurations (..., N), int32 of the same shape; numpy or JAX."""
        if self.binary:
            return ((1 - configurations) // 2).astype("int32")
        return configurations.astype("int32")

    def allows(self, configurations: Shaped[Array | np.ndarray, "... N"]) -> Bool[Any, "..."]:
        """Whether configurations satisfy all bounds, bool (...,); numpy or JAX.

        >>> from intertwine.spaces.hilbert.kinds import Bosons
        >>> Bosons(3, particles=2).allows(np.array([[1, 1, 0], [1, 1, 1]])).tolist()
        [True, False]
        """
        levels = self.levels_of(configurations)
        xp = jnp if isinstance(configurations, jax.Array) else np
        ok = xp.ones(levels.shape[:-1], bool)
        for bound in self.bounds:
            ok = ok & bound.holds(levels)
        return ok

    # ---- others made of it

    def within(self, *bounds: Bound) -> HilbertSpace:
        """The same with more bounds."""
        return replace(self, bounds=(*self.bounds, *bounds))

    def blockaded(self, pairs: Sequence[Sequence[int]] | np.ndarray) -> HilbertSpace:
        """The same where of each pair of modes at most one is excited: n_i + n_j ≤ 1."""
        pairs = np.asarray(pairs, int).reshape(-1, 2)
        return self.within(*(Bound((int(i), int(j)), (1, 1), 0, 1, name="blockade") for i, j in pairs))

    @property
    def free(self) -> HilbertSpace:
        """The same modes without bounds."""
        return replace(self, bounds=())

    def __mul__(self, other: HilbertSpace) -> HilbertSpace:
        """The modes of both, those of `self` first."""
        if not isinstance(other, HilbertSpace):
            raise fail("space", "a Hilbert space", other, "as Fermions(lattice, (2, 2)) * Bosons(lattice, 4)")
        shift = self.size
        moved = tuple(replace(b, modes=tuple(i + shift for i in b.modes)) for b in other.bounds)
        first, second = _labelled(self, other), _labelled(other, self)
        places = {self.place, other.place} - {None}
        species = first + tuple((name, tuple(i + shift for i in modes)) for name, modes in second)
        return HilbertSpace(
            self.levels + other.levels,
            self.bounds + moved,
            self.fermionic + other.fermionic,
            _numbered(species),
            places.pop() if len(places) == 1 else None,
            f"{self.kind} and {other.kind}",
        )

    def __repr__(self) -> str:
        seen = dict.fromkeys(_told(bound) for bound in self.bounds)
        words = [self.kind, f"{self.sites} sites", *seen, f"dimension {_shown(self.dimension)}"]
        return f"HilbertSpace({', '.join(words)})"


def _labelled(space: HilbertSpace, other: HilbertSpace) -> tuple[tuple[str, tuple[int, ...]], ...]:
    """The species with names that are its own beside `other`."""
    taken = {name for name, _ in other.species} | {""}
    return tuple((f"{space.kind} {n}".strip() if n in taken else n, modes) for n, modes in space.species)


def _numbered(species: tuple[tuple[str, tuple[int, ...]], ...]) -> tuple[tuple[str, tuple[int, ...]], ...]:
    """The species with a number after each name that an earlier one has."""
    out: list[tuple[str, tuple[int, ...]]] = []
    for name, modes in species:
        taken, free, k = {other for other, _ in out}, name, 2
        while free in taken:
            free, k = f"{name} {k}".strip(), k + 1
        out.append((free, modes))
    return tuple(out)


def _told(bound: Bound) -> str:
    """A bound in words; one text for all alike."""
    if bound.name == "blockade":
        return "blockade"
    if bound.modulus == 2 and bound.is_number:
        return f"{bound.name} {'odd' if bound.low else 'even'}"
    return (
        f"{bound.name} = {bound.low if bound.told is None else bound.told}"
        if bound.is_number
        else f"{bound.low} ≤ {bound.name} ≤ {bound.high}"
    )


def _shown(number: int) -> str:
    return str(number) if number < 10**9 else f"{number:.3e}" if number < 10**300 else "beyond 1e300"
