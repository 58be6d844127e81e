r"""What the elements of a group do to lists of fermions: images of modes, in order, with signs.

    ψ_χ(n) = Σ_g χ(g)* (g ψ₀)(n),      (g ψ₀)(n) = ± ψ₀(g⁻¹n),

± being the sign of the permutation that sorts the images g⁻¹m_1, g⁻¹m_2, … of the occupied modes. A wave
function that takes its occupied modes in any order (`ordered`) has that sign by itself: of it only what is
the same for every n is left, that of the exchange of whole species.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jax import Array
from jaxtyping import Int, Num, PyTree

from intertwine._checks import fail
from intertwine.models.fermions.filling import Filling
from intertwine.models.fermions.forms import DeterminantForm
from intertwine.symmetry.groups.permutation_group import PermutationGroup


@dataclass(frozen=True, eq=False)
class Images:
    """permutations: int32 (G, N), g⁻¹ of each mode. order: int32 (G, n), which fermion of the list stands
    where in the list of the image, so that species come in their order. signs: ±1 (G,), of that order.
    swapped: bool (G,), whether two species are exchanged. Static: compared by content."""

    permutations: np.ndarray
    order: np.ndarray
    signs: np.ndarray
    swapped: np.ndarray

    def __hash__(self) -> int:
        return hash(self.permutations.tobytes())

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Images) and np.array_equal(self.permutations, other.permutations)


def mode_group(group: PermutationGroup, size: int) -> PermutationGroup:
    """Permutations of the sites as permutations of `size` modes, the same for every species.

    >>> mode_group(PermutationGroup([[0, 1], [1, 0]]), 4).permutations.tolist()
    [[0, 1, 2, 3], [1, 0, 3, 2]]
    """
    if group.size == size:
        return group
    if size % group.size:
        raise fail("group", f"permutations of {size} modes, or of the sites", f"of {group.size} sites")
    moves = [group.permutations + k * group.size for k in range(size // group.size)]
    return PermutationGroup(np.concatenate(moves, axis=1))


def images(filling: Filling, group: PermutationGroup, *, exchange_species: bool) -> Images:
    """The images under each element; with `exchange_species` also, after them, under each times the turn of
    all spins e^{iπ S_y}, c_↑ → c_↓ → −c_↑, which is (−1)^S for a total spin S."""
    moves = np.asarray(group.inverse_permutations)
    if exchange_species:
        alike = len(set(filling.widths)) == 1 and len(set(filling.particles)) == 1
        if len(filling.particles) != 2 or not alike:
            expected = "None where there are not as many fermions of one species as of the other"
            raise fail("spin_flip", expected, str(filling.particles))
        swap = np.arange(filling.size)
        (a, b), L = filling.starts, filling.widths[0]
        swap[a : a + L], swap[b : b + L] = np.arange(b, b + L), np.arange(a, a + L)
        moves = np.concatenate([moves, moves[:, swap]])
    block = np.full(filling.size, -1)
    for k, (a, b) in enumerate(zip(filling.starts, filling.stops, strict=True)):
        block[a:b] = k
    heads = np.array(filling.starts)
    image = block[moves[:, heads]]  # (G, blocks): where each species goes
    own = np.where(block >= 0, image[:, block], -1)
    if not np.array_equal(block[moves], own):
        raise fail("group", "permutations that map species to species", "one that mixes them")
    sizes = np.array(filling.particles)
    if not (sizes[image] == sizes).all():
        raise fail("group", "permutations that keep the number of each species", "one that changes it")
    orders, signs = [], []
    for row in image:
        turns = [np.arange(filling.total)[filling.places[int(k)]] for k in np.argsort(row, kind="stable")]
        order = np.concatenate(turns)
        orders.append(order)
        signs.append(-1.0 if np.count_nonzero(np.triu(order[:, None] > order[None], 1)) % 2 else 1.0)
    swapped = (image != np.arange(len(heads))).any(axis=1)
    if exchange_species and filling.particles[0] % 2:  # e^{iπ S_y} takes c_↓ to −c_↑
        signs = np.where(swapped, -1.0, 1.0) * signs
    return Images(moves.astype(np.int32), np.stack(orders).astype(np.int32), np.array(signs), swapped)


def image_lists(found: Images, modes: Int[Array, "n"]) -> Int[Array, "G n"]:
    """The list of fermions of each image, species after species."""
    moved = jnp.asarray(found.permutations)[:, modes]
    return jnp.take_along_axis(moved, jnp.asarray(found.order), axis=1)


def sorting_signs(filling: Filling, modes: Int[Array, "n"]) -> Num[Array, ""]:
    """iπ for each odd permutation that sorts the fermions of a species, summed: () for a list (n,)."""
    odd = jnp.zeros((), jnp.int32)
    for place in filling.places:
        own = modes[place]
        above = np.triu(np.ones((len(own), len(own)), bool), 1)
        odd = odd + jnp.count_nonzero((own[:, None] > own[None, :]) & above)
    return 1j * jnp.pi * (odd % 2)


def projected_form(form: DeterminantForm, found: Images, coefficients: Any) -> DeterminantForm:
    """Σ_g of a form, one more determinant for each element; the factor of `form` must be 1."""
    filling, r, c = form.filling, form.rows, form.columns
    a, L = filling.starts[r], filling.widths[r]
    rows = found.permutations[:, a : a + L] - a
    if c is None:
        columns = np.zeros((len(rows), 0), np.int32)
    else:
        b, M = filling.starts[c], filling.widths[c]
        columns = found.permutations[:, b : b + M] - b
        swapped = found.swapped[:, None]
        rows, columns = np.where(swapped, rows + a - b, rows), np.where(swapped, columns + b - a, columns)
    pairs = _moved(form.pairs, rows, columns)
    if found.swapped.any():  # the columns' image are the rows
        other = _moved(jnp.swapaxes(form.pairs, 1, 2), rows, columns)
        pairs = jnp.where(jnp.asarray(found.swapped)[:, None, None, None], other, pairs)
    unpaired = jnp.swapaxes(form.unpaired[:, rows], 0, 1)
    weights = jnp.asarray(coefficients * found.signs)[:, None] * form.weights
    flat = lambda x: x.reshape(x.shape[0] * x.shape[1], *x.shape[2:])  # noqa: E731
    dtype = jnp.result_type(weights, form.pairs)
    leaves = (flat(pairs).astype(dtype), flat(unpaired).astype(dtype), weights.reshape(-1).astype(dtype))
    return eqx.tree_at(lambda f: (f.pairs, f.unpaired, f.weights), form, leaves)


def _moved(pairs: Array, rows: np.ndarray, columns: np.ndarray) -> PyTree:
    """F(g⁻¹i, g⁻¹j) (G, D, L, M)."""
    return jnp.moveaxis(pairs[:, rows[:, :, None], columns[:, None, :]], 1, 0)
