r"""Structures of different sizes in batches of few padded sizes, so that compiled programs are few.

    rung of a structure of n points   ⌈log₂ n⌉
    padded points of a rung           Σ of its `structures` largest, so that any batch of the rung fits
    padded neighbours of a rung       the most of any point in it, rounded up

A batch holds structures of one rung, flat one after another, the padding at the end: structures of one size
waste nothing, any others at most half. Structures of 10 to 5,000 points have ten rungs at most, and each rung
is one program: nothing is traced again.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import jax
import numpy as np
from jaxtyping import Float

from intertwine.learning.batches import Chunk
from intertwine.spaces.points.cloud import Cloud
from intertwine.spaces.points.edges import Edges

MOST_POINTS = 8192
"""Points of a batch, about, at most, unless one structure has more."""
CHUNK, CHUNK_BYTES = 16, 2**24
"""Batches, and bytes, that are handed to compiled code at once."""


class Rung(NamedTuple):
    """largest: points of the largest structure. structures, points, neighbours: of a padded batch. arriving:
    places for the edges that end at a point."""

    largest: int
    structures: int
    points: int
    neighbours: int
    arriving: int


def ladder(rows: Sequence[Rows], batch: int) -> tuple[Rung, ...]:
    """The padded sizes of all these structures. batch: structures of a batch, and fewer of large ones."""
    sizes, widths, depths = (
        np.concatenate([getattr(r, name) for r in rows]) for name in ("sizes", "widths", "depths")
    )
    heights = _heights(sizes)
    found = []
    for height in np.unique(heights):
        mine = heights == height
        here = np.sort(sizes[mine])[::-1]
        count = max(1, min(batch, len(here), MOST_POINTS // max(1, int(here[0]))))
        points = int(here[:count].sum())
        points = points if here[0] == here[-1] else _rounded(points, 16)
        neighbours = _rounded(int(widths[mine].max()), 4)
        same = bool((widths == depths).all())  # of a cutoff edges come in pairs
        arriving = neighbours if same else _rounded(int(depths[mine].max()), 4)
        found.append(Rung(int(here[0]), count, points, neighbours, arriving))
    return tuple(found)


def _heights(sizes: np.ndarray) -> np.ndarray:
    return np.ceil(np.log2(np.maximum(sizes, 1))).astype(int)


def _rounded(count: int, step: int) -> int:
    return max(step, -(-count // step) * step)


def rows_by_rung(sizes: np.ndarray, rungs: tuple[Rung, ...]) -> list[np.ndarray]:
    """The numbers of the structures of each rung."""
    heights = _heights(np.asarray(sizes))
    return [np.flatnonzero(heights == _heights(np.array([rung.largest]))[0]) for rung in rungs]


class Batch(NamedTuple):
    """What a network and an objective are given at once. positions (n, d), first because the loop gives it
    the network's precision. features: (n, C). cloud: who is near whom. values, known: name → values and
    where they count, of structures (S, …) or of points (n, …). counted: (S,), 0 for those that fill up."""

    positions: Any
    features: Any
    cloud: Cloud
    values: dict[str, Any]
    known: dict[str, Any]
    counted: Any


class Rows(NamedTuple):
    """All structures as they are packed from. edges: the neighbours in each structure. features: (total, C).
    values, known: of structures (S, …) or of points (total, …), as `per_point` says. offsets: (S + 1,).
    reach: of clouds."""

    edges: list[Edges]
    features: Float[np.ndarray, "total C"]
    values: dict[str, np.ndarray]
    known: dict[str, np.ndarray]
    per_point: frozenset[str]
    offsets: np.ndarray
    reach: float

    @property
    def sizes(self) -> np.ndarray:
        """Points of each structure."""
        return np.diff(self.offsets)

    @property
    def widths(self) -> np.ndarray:
        """Neighbours of each structure's best connected point."""
        return np.array([edges.site.shape[1] for edges in self.edges])

    @property
    def depths(self) -> np.ndarray:
        """Edges that end at each structure's best connected point."""
        return np.array([edges.back.shape[1] for edges in self.edges])

    @property
    def periodic(self) -> bool:
        """Whether some structure is."""
        return any(edges.steps is not None for edges in self.edges)

    def packed(self, rows: np.ndarray, rung: Rung) -> Batch:
        """The batch of these structures; the first one fills up, uncounted."""
        filled = np.concatenate([rows, np.repeat(rows[:1], rung.structures - len(rows))])
        counted = (np.arange(rung.structures) < len(rows)).astype(np.float32)
        if (self.sizes[filled]).sum() > rung.points:  # the first one was large
            small = rows[np.argmin(self.sizes[rows])]
            filled = np.where(counted > 0, filled, small)
        cloud = joined([self.edges[k] for k in filled], rung, self.reach, self.periodic)
        values, known = {}, {}
        for name, whole in self.values.items():
            for into, table in ((values, whole), (known, self.known[name])):
                if name in self.per_point:
                    parts = [table[self.offsets[k] : self.offsets[k + 1]] for k in filled]
                    if table is not whole:
                        parts = [p * c for p, c in zip(parts, counted, strict=True)]
                    into[name] = _padded(np.concatenate(parts), rung.points)
                else:
                    into[name] = table[filled] if table is whole else table[filled] * counted
        features = [self.features[self.offsets[k] : self.offsets[k + 1]] for k in filled]
        features = _padded(np.concatenate(features), rung.points)
        return Batch(cloud.positions, features, cloud, values, known, counted)


def joined(parts: Sequence[Edges], rung: Rung, reach: float, periodic: bool) -> Cloud:
    """Structures one after another as one padded cloud of arrays of the host.

    Positions are about the middle of each structure, which no network sees, so that single precision keeps
    their digits; cells are those of all structures or of none (`periodic`), so that batches are alike. Raises
    ValueError for structures that do not fit in.
    """
    total, d = sum(len(part.positions) for part in parts), parts[0].positions.shape[1]
    widest = max(part.site.shape[1] for part in parts)
    if total > rung.points or widest > rung.neighbours or len(parts) != rung.structures:
        raise ValueError(f"{total} points with {widest} neighbours do not fit in {rung}")
    n, K = rung.points, rung.neighbours
    none = n * K
    positions = np.zeros((n, d))
    site = np.repeat(np.arange(n, dtype=np.int32)[:, None], K, axis=1)
    shift = np.zeros((n, K, d), np.int32) if periodic else None
    count = np.zeros(n, np.int32)
    back = np.full((n, rung.arriving), none, np.int32)
    structure = np.full(n, len(parts) - 1, np.int32)
    start = 0
    for number, part in enumerate(parts):
        size, k = part.site.shape
        rows = slice(start, start + size)
        positions[rows] = part.positions - part.positions.mean(0)
        site[rows, :k], count[rows], structure[rows] = part.site + start, part.count, number
        if shift is not None and part.steps is not None:
            shift[rows, :k] = part.steps
        here = part.back
        back[rows, : here.shape[1]] = np.where(here < size * k, (here // k + start) * K + here % k, none)
        start += size
    tables: dict[str, Any] = dict(
        positions=positions, site=site, shift=shift, near=np.arange(K) < count[:, None], back=back,
        structure=structure, real=np.arange(n) < total, cells=np.stack([part.cell for part in parts]),
    )  # fmt: skip
    return Cloud(**tables, structures=len(parts), reach=reach)


def alone(edges: Edges, reach: float, *, neighbours: int = 0, arriving: int = 0) -> Cloud:
    """One structure by itself, with room for so many neighbours, or for those that there are."""
    (n, k), b = edges.site.shape, edges.back.shape[1]
    rung = Rung(n, 1, n, max(k, neighbours), max(b, arriving))
    return joined([edges], rung, reach, edges.steps is not None)


def _padded(table: np.ndarray, length: int) -> np.ndarray:
    found = np.zeros((length, *table.shape[1:]), table.dtype)
    found[: len(table)] = table
    return found


class StructureBatches:
    """Shuffled batches of structures, each of one rung: what the loop walks through (`learning.stream`).

    The order of an epoch is a function of (seed, epoch); structures that do not fill a batch of their rung
    wait for another epoch's order.
    """

    binarise = False

    def __init__(self, rows: Rows, rungs: tuple[Rung, ...], *, seed: int):
        self.rows, self.rungs, self.seed = rows, rungs, seed
        self.members = rows_by_rung(rows.sizes, rungs)
        self.per_epoch = sum(len(m) // min(r.structures, max(len(m), 1)) for m, r in self._pairs)
        one = max(_bytes(r) for r in rungs)
        several = sum(len(m) > 0 for m in self.members) > 1
        self.most = 1 if several else max(1, min(CHUNK, self.per_epoch, CHUNK_BYTES // one))

    @property
    def _pairs(self) -> list[tuple[np.ndarray, Rung]]:
        return list(zip(self.members, self.rungs, strict=True))

    def plan(self, epoch: int) -> list[tuple[int, np.ndarray]]:
        """The batches of an epoch: (rung, numbers of the structures)."""
        random, found = np.random.default_rng((self.seed, epoch)), list[tuple[int, np.ndarray]]()
        for k, (members, rung) in enumerate(self._pairs):
            if len(members):
                count = min(rung.structures, len(members))
                order = random.permutation(members)
                found += [(k, order[i * count : (i + 1) * count]) for i in range(len(members) // count)]
        return [found[i] for i in random.permutation(len(found))]

    def chunks(self, first: int, updates: int) -> Iterator[Chunk]:
        """The batches of updates first, …, first + updates − 1, in chunks of one rung and of one epoch."""
        position, last = first, first + updates
        while position < last:
            epoch, place = divmod(position, self.per_epoch)
            plan = self.plan(epoch)
            while place < len(plan) and position < last:
                k = plan[place][0]
                count = 1
                while (
                    count < min(self.most, last - position, len(plan) - place) and plan[place + count][0] == k
                ):
                    count += 1
                packs = [self.rows.packed(rows, self.rungs[k]) for _, rows in plan[place : place + count]]
                packs += packs[-1:] * (self.most - count)
                stacked = jax.tree.map(lambda *leaves: np.stack(leaves), *packs)
                yield Chunk(position, count, stacked)
                position, place = position + count, place + count

    def unpacked(self, arrays: Batch) -> Batch:
        """What the objective sees."""
        return arrays


def _bytes(rung: Rung) -> int:
    """Of a batch, about."""
    return rung.points * (rung.neighbours * 36 + 100)


def all_batches(rows: Rows, rungs: tuple[Rung, ...]) -> Iterator[tuple[np.ndarray, Batch]]:
    """(numbers of the structures, their batch), every structure once."""
    for members, rung in zip(rows_by_rung(rows.sizes, rungs), rungs, strict=True):
        for begin in range(0, len(members), rung.structures):
            chosen = members[begin : begin + rung.structures]
            yield chosen, rows.packed(chosen, rung)
