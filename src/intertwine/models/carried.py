r"""A trained network on a larger lattice: what its weights are there, where they are tied by translations.

A filter W(r) over the displacements of a torus of L cells is one over those of L' ≥ L cells: each r goes to
its nearest image, halves to both where two are equally near,

    Σ_{r'} W'(r') s'(r' + x) = Σ_r W(r) s(r + x)       for every s' that repeats s,

so that a configuration that repeats gives every unit the angle that it had. Kernels of group convolutions go
the same way, translation by translation; weights that do not know the lattice's size (convolutions with small
kernels, attention without places) stay as they are.
"""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from jaxtyping import Float, PyTree

from intertwine._checks import fail
from intertwine.models.symmetric.gcnn import GCNN
from intertwine.models.symmetric.invariant_rbm import InvariantRBM

if TYPE_CHECKING:
    from intertwine.spaces.lattice import Lattice
    from intertwine.symmetry import PermutationGroup


def carried_over(model: PyTree, small: Lattice, fresh: PyTree, large: Lattice) -> Any:
    """`fresh`, a model of the kind of `model` on `large`, with the weights of `model`, trained on `small`.

    Raises InputError where the lattices are not of one kind or `large` is smaller somewhere, and for networks
    whose weights belong to single sites.

    >>> import jax, intertwine as it
    >>> small, large, key = it.Chain(4), it.Chain(8), jax.random.key(0)
    >>> psi = it.SymmetricRBM(small, 2, key=key)
    >>> phi = carried_over(psi, small, it.SymmetricRBM(large, 2, key=key), large)
    >>> s = jnp.array([1, -1, 1, 1])
    >>> bool(abs(phi(jnp.tile(s, 2)) - 2 * psi(s)) < 1e-5)
    True
    """
    if type(model) is not type(fresh):
        expected = f"a network as that of the run, {type(model).__name__}"
        raise fail("model.start", expected, f"{type(fresh).__name__}", "say --model as the run did")
    tied = isinstance(model, InvariantRBM | GCNN)
    tables = {(small.size, large.size): images(small, large)}
    for one, other in _groups(model, fresh):
        if one.order != other.order or one.size != other.size:
            tables[one.order, other.order] = _images_of_group(one, small, other, large)
    here, _ = jax.tree.flatten(eqx.filter(model, eqx.is_inexact_array))
    there, wanted = jax.tree.flatten(eqx.filter(fresh, eqx.is_inexact_array))
    if len(here) != len(there) or not (tied or [x.shape for x in here] == [x.shape for x in there]):
        raise _cannot(model)
    moved = [_moved(a, b, tables, model) for a, b in zip(here, there, strict=True)]
    moved = [x * s for x, s in zip(moved, _scales(model, fresh, len(moved)), strict=True)]
    leaves = [x.astype(b.dtype) for x, b in zip(moved, there, strict=True)]
    static = eqx.filter(fresh, eqx.is_inexact_array, inverse=True)
    return eqx.combine(jax.tree.unflatten(wanted, leaves), static)


def images(small: Lattice, large: Lattice) -> Float[np.ndarray, "N M"]:
    """The share of each site of `small` (as a displacement from cell 0) that goes to each site of `large`."""
    pairs: Any = (small.basis_vectors, large.basis_vectors), (small.site_offsets, large.site_offsets)
    alike = all(np.shape(a) == np.shape(b) and np.allclose(a, b) for a, b in pairs)
    longer = alike and all(
        n <= m and p == q and (p or n == m)
        for n, m, p, q in zip(small.extent, large.extent, small.periodic, large.periodic, strict=True)
    )
    if not longer:
        expected = f"a larger lattice of the kind of {small.name}, with its boundaries"
        raise fail("model.start", expected, large.name, "every extent is at least as long")
    cells, basis = _cells(small), small.basis_size
    out = np.zeros((len(cells), int(np.prod(large.extent))))
    for row, cell in zip(out, cells, strict=True):
        choices = [
            _nearest(x, n) if p else [x] for x, n, p in zip(cell, small.extent, small.periodic, strict=True)
        ]
        every = list(itertools.product(*choices))
        for image in every:
            place = [x % m for x, m in zip(image, large.extent, strict=True)]
            row[np.ravel_multi_index(place, large.extent)] += 1 / len(every)
    return np.kron(out, np.eye(basis))


def _cells(lattice: Lattice) -> np.ndarray:
    shape = tuple(lattice.extent)
    return np.stack(np.unravel_index(np.arange(int(np.prod(shape))), shape), axis=1)


def _nearest(x: int, n: int) -> list[int]:
    if 2 * x == n:
        return [x, x - n]
    return [x if 2 * x < n else x - n]


def _groups(model: PyTree, fresh: PyTree) -> list[tuple[Any, Any]]:
    found = [(getattr(m, "group", None), getattr(f, "group", None)) for m, f in ((model, fresh),)]
    return [(a, b) for a, b in found if a is not None and b is not None]


def _images_of_group(
    small_group: PermutationGroup, small: Lattice, large_group: PermutationGroup, large: Lattice
) -> np.ndarray:
    """The same for the elements: translations to translations, each with every element of the point group."""
    one, other = (_by_translations(g, lattice) for g, lattice in ((small_group, small), (large_group, large)))
    if one.shape[1] != other.shape[1]:
        expected = f"a lattice with the point group of {small.name}"
        raise fail("model.start", expected, large.name, "take another larger lattice")
    cells = images(_of_cells(small), _of_cells(large))
    out = np.zeros((small_group.order, large_group.order))
    for p in range(one.shape[1]):
        out[np.ix_(one[:, p], other[:, p])] = cells
    return out


def _of_cells(lattice: Lattice) -> Any:
    from intertwine.spaces.lattice import Lattice

    return Lattice(lattice.basis_vectors, None, lattice.extent, lattice.periodic, "cells")


def _by_translations(group: PermutationGroup, lattice: Lattice) -> np.ndarray:
    """(translations, point elements): the rows of `group` that are t∘p."""
    moves = np.asarray(lattice.translations.permutations)
    if group.order == len(moves):
        return np.asarray(group.rows_of(moves))[:, None]
    points = np.asarray(lattice.point_group.permutations)
    if len(moves) * len(points) != group.order:
        raise fail(
            "model.start", "a lattice whose symmetries are translations and a point group", lattice.name
        )
    return np.stack([group.rows_of(moves[:, p]) for p in points], axis=1)


def _moved(weights: Array, like: Array, tables: dict[tuple[int, int], np.ndarray], model: PyTree) -> Any:
    if weights.ndim != like.ndim:
        raise _cannot(model)
    out = np.asarray(weights)
    for axis, (n, m) in enumerate(zip(weights.shape, like.shape, strict=True)):
        if n == m:
            continue
        if (n, m) not in tables:
            raise _cannot(model)
        out = np.moveaxis(np.tensordot(out, tables[n, m], axes=(axis, 0)), -1, axis)
    return jnp.asarray(out)


def _scales(model: PyTree, fresh: PyTree, count: int) -> list[float]:
    """Weights of an `InvariantRBM` are stored in units of the order of its group."""
    if not isinstance(model, InvariantRBM):
        return [1.0] * count
    ratio = float(np.sqrt(len(fresh.permutations) / len(model.permutations)))
    return [ratio] * count


def _cannot(model: object) -> Exception:
    expected = "a network whose weights are tied by translations, as symmetric-rbm:8 or gcnn:2x4"
    return fail(
        "model.start", expected, f"{type(model).__name__}, whose weights belong to sites", "begin afresh"
    )
