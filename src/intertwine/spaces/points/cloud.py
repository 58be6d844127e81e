r"""A cloud of points with its neighbours: the geometry that layers are called with.

Structures of any number lie one after another in flat arrays of fixed sizes: what is not there is marked,
and counts nothing. Everything is an array or a static number, so that a cloud is an argument of compiled
functions, which are compiled again only for other sizes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from jaxtyping import Bool, Float, Int32, Shaped
from numpy.typing import ArrayLike

from intertwine._checks import fail
from intertwine.spaces.points.gather import gathered


class Cloud(eqx.Module):
    """Points, the K places for neighbours of each, and the structures that they belong to; made by `Points`.

    positions: (n, d), in any unit. site: (n, K), the neighbour at each place, the own number where there is
    none. shift: (n, K, d), the cell steps of the neighbour's image; None where nothing is periodic.
    near: (n, K), which places are taken. back: (n, B), for each point the edges i·K + k that end there, n·K
    where there is none; of a cut-off B = K, and back[i, k] is the reverse of edge (i, k).
    structure: (n,), the number of the structure. real: (n,), False for points of the padding, which come
    last. cells: (S, d, d), rows are cell vectors, zero where there is no period.
    structures: S. reach: the cut-off (1 where there is none).

    >>> from intertwine.spaces.points.points import Points
    >>> cloud = Points(1.5).cloud([[0.0, 0.0, 0.0], [1.0, 0.0, 0.0], [2.0, 0.0, 0.0]])
    >>> cloud.near.sum(1).tolist(), cloud.vectors()[0, 0].tolist()
    ([1, 2, 1], [1.0, 0.0, 0.0])
    """

    positions: Float[Array, "n d"]
    site: Int32[Array, "n K"]
    shift: Int32[Array, "n K d"] | None
    near: Bool[Array, "n K"]
    back: Int32[Array, "n B"]
    structure: Int32[Array, " n"]
    real: Bool[Array, " n"]
    cells: Float[Array, "S d d"]
    structures: int = eqx.field(static=True)
    reach: float = eqx.field(static=True)

    @property
    def points(self) -> int:
        """n, with those of the padding."""
        return self.positions.shape[0]

    @property
    def dimension(self) -> int:
        """d."""
        return self.positions.shape[1]

    @property
    def neighbours(self) -> int:
        """K, the places for neighbours of each point."""
        return self.site.shape[1]

    @property
    def sizes(self) -> Int32[Array, " S"]:
        """How many points each structure has; 0 for structures of the padding."""
        return jax.ops.segment_sum(self.real.astype(jnp.int32), self.structure, self.structures)

    @property
    def volumes(self) -> Float[Array, " S"]:
        """Of each cell; 0 where a direction has no period."""
        return jnp.abs(jnp.linalg.det(self.cells))

    def vectors(
        self, positions: Float[Array, "n d"] | None = None, strain: Float[Array, "S d d"] | None = None
    ) -> Float[Array, "n K d"]:
        """r_ij = x_j + shift·cell − x_i, of these positions (default: the cloud's own), to be differentiated
        by them. Places without a neighbour have a constant vector as long as the cut-off.

        strain: (S, d, d), space and cells of each structure changed by r ↦ (1 + ε) r: the derivative of an
        energy by it is the stress times the volume.
        """
        x = self.positions if positions is None else positions
        r = gathered(x, self) - x[:, None]
        if self.shift is not None:
            cells = self.cells.astype(x.dtype)[self.structure]
            r = r + jnp.einsum("nka,nab->nkb", self.shift.astype(x.dtype), cells)
        if strain is not None:
            r = r + jnp.einsum("nka,nba->nkb", r, strain.astype(x.dtype)[self.structure])
        far = jnp.zeros(self.dimension, x.dtype).at[0].set(self.reach)
        return jnp.where(self.near[..., None], r, far)

    def moved(self, positions: Float[Array, "n d"]) -> Cloud:
        """The same edges between other positions, those of forces or of a step of dynamics."""
        if jnp.shape(positions) != self.positions.shape:
            raise fail("positions", f"shape {self.positions.shape}", f"shape {jnp.shape(positions)}")
        return replace(self, positions=positions)

    def sums(self, values: Shaped[Array, "n C"]) -> Shaped[Array, "S C"]:
        """The sum over the points of each structure; points of the padding count 0, whatever stands there.

        values: (n, C), or (n, ...). InputError for another number of points.

        >>> from intertwine.spaces.points.points import Points
        >>> two = Points(2.0).batch([np.zeros((1, 3)), np.eye(3)])
        >>> two.points, two.sums(jnp.ones((two.points, 1)))[:, 0].tolist()
        (4, [1.0, 3.0])
        """
        if values.ndim < 1 or values.shape[0] != self.points:
            raise fail("values", f"a field ({self.points}, C) on the points", f"shape {values.shape}")
        there = self.real.reshape(-1, *[1] * (values.ndim - 1))
        kept = jnp.where(there, values, jnp.zeros((), values.dtype))
        return jax.ops.segment_sum(kept, self.structure, self.structures, indices_are_sorted=True)

    def means(self, values: Shaped[Array, "n C"]) -> Shaped[Array, "S C"]:
        """The mean over the points of each structure; 0 of structures without points."""
        total = self.sums(values)
        sizes = jnp.maximum(self.sizes, 1).astype(total.dtype)
        return total / sizes.reshape(-1, *[1] * (values.ndim - 1))

    def spread(self, values: Shaped[Array, "S C"]) -> Shaped[Array, "n C"]:
        """Values of structures at each of their points."""
        return jnp.take(values, self.structure, axis=0, mode="clip")

    def field(self, values: ArrayLike | Sequence[ArrayLike]) -> Shaped[Array, "n C"]:
        """Values of the real points as a field of the cloud, zeros at the padding.

        values: an array (points of all structures, ...), or a list with one array for each structure.
        InputError for another number of points.

        >>> from intertwine.spaces.points.points import Points
        >>> two = Points(2.0).batch([np.zeros((1, 3)), np.eye(3)], points=6)
        >>> two.field([[7.0], [1.0, 2.0, 3.0]]).tolist()
        [7.0, 1.0, 2.0, 3.0, 0.0, 0.0]
        """
        try:
            listed = isinstance(values, list | tuple)
            whole = np.concatenate([np.asarray(v) for v in values]) if listed else np.asarray(values)  # type: ignore[union-attr]
        except ValueError:
            raise fail("values", "arrays of one type, one for each structure", values) from None
        there = int(np.asarray(self.real).sum())
        if not whole.shape or len(whole) != there:
            raise fail("values", f"{there} points of {self.structures} structures", f"shape {whole.shape}")
        kind = self.positions.dtype if whole.dtype.kind == "f" else None
        return jnp.asarray(
            np.concatenate([whole, np.zeros((self.points - there, *whole.shape[1:]), whole.dtype)]), kind
        )

    def apart(self, values: ArrayLike) -> list[np.ndarray]:
        """A field (n, ...) as a list of arrays, one for each structure, without the padding."""
        array = np.asarray(values)
        if not array.shape or len(array) != self.points:
            raise fail("values", f"a field ({self.points}, ...) of the cloud", f"shape {array.shape}")
        sizes = np.asarray(self.sizes)
        ends = np.cumsum(sizes)
        return [array[end - size : end] for end, size in zip(ends, sizes, strict=True)]
