r"""Functions of spins written as sums of products of spins.

    f(s) = Σ_A c_A Π_{i∈A} s_i,      c_A = 2^{−N} Σ_s f(s) Π_{i∈A} s_i

over all subsets A of the N sites: the products are an orthogonal basis, and the coefficients are the
Walsh-Hadamard transform of the table of f, N 2^N additions. On a lattice the coefficients of subsets that an
isometry carries into each other belong to one family.

A subset is numbered like a configuration: site 0 is the most significant bit, and Π_{i∈A} s_i of
configuration x (bit 0 ↔ +1) is (−1)^{|A ∧ x|}.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Int64

from intertwine._checks import InputError, fail
from intertwine.models.spins.spin_terms import EVEN, ODD, spin_terms
from intertwine.spaces.lattice import Lattice


class Family(NamedTuple):
    """The products that the lattice's isometries carry into each other.

    name: that of `spin_terms` where it has one, else the sites of the first product. sites: of the first
    product. count: how many products. coefficient: their mean c_A. spread: the largest deviation from it;
    0 to rounding where f has the symmetry of the lattice.
    """

    name: str
    sites: tuple[int, ...]
    count: int
    coefficient: float
    spread: float


def walsh_hadamard(values: Float[np.ndarray, " n"]) -> Float[np.ndarray, " n"]:
    """The coefficients c_A, float64 (2^N,), of f given for all configurations, (2^N,), in their order.

    Twice in a row, up to a factor 2^N, is the identity. Raises InputError for a length that is no power of 2.

    >>> walsh_hadamard(np.array([3.0, 1.0, 1.0, 3.0]))                 # 2 + s_0 s_1
    array([2., 0., 0., 1.])
    """
    found = np.array(values, np.float64)
    size = len(found) if found.ndim == 1 else 0
    if size < 1 or size & (size - 1):
        raise fail("values", "an array of 2^N numbers", f"shape {found.shape}")
    step = 1
    while step < size:
        pair = found.reshape(-1, 2, step)
        found = np.stack([pair[:, 0] + pair[:, 1], pair[:, 0] - pair[:, 1]], 1).reshape(-1)
        step *= 2
    return found / size


def product_values(coefficients: Float[np.ndarray, " n"]) -> Float[np.ndarray, " n"]:
    """f(s) of all configurations, (2^N,), from its coefficients (2^N,): the inverse of `walsh_hadamard`.

    >>> product_values(np.array([2.0, 0.0, 0.0, 1.0]))
    array([3., 1., 1., 3.])
    """
    return walsh_hadamard(coefficients) * len(coefficients)


def subset_number(sites: Sequence[int], size: int) -> int:
    """The number of a set of sites, each counted as often as it occurs, modulo 2 (s² = 1).

    >>> subset_number([0, 2], 4), subset_number([1, 1], 4)
    (10, 0)
    """
    number = 0
    for site in sites:
        number ^= 1 << (size - 1 - int(site))
    return number


def product_families(lattice: Lattice, coefficients: Float[np.ndarray, " n"]) -> tuple[Family, ...]:
    """The coefficients (2^N,) of a function of the spins of `lattice`, by family: fewest spins first, then by
    the first product. The constant is no family.
    """
    size = lattice.size
    first = _first_images(lattice)
    names = _known(lattice, first)
    found = []
    for head in np.unique(first)[1:].tolist():
        values = coefficients[first == head]
        mean = float(values.mean())
        sites = tuple(i for i in range(size) if head >> (size - 1 - i) & 1)
        name = names.get(head, "-".join(map(str, sites)))
        found.append(Family(name, sites, len(values), mean, float(np.abs(values - mean).max())))
    return tuple(sorted(found, key=lambda family: (len(family.sites), family.sites)))


def _first_images(lattice: Lattice) -> Int64[np.ndarray, " n"]:
    """The image of every subset, under the space group, that has the largest number: (2^N,)."""
    size = lattice.size
    numbers = np.arange(2**size, dtype=np.int64)
    first = numbers.copy()
    for permutation in np.asarray(lattice.space_group.permutations):
        image = np.zeros_like(numbers)
        for i, target in enumerate(permutation.tolist()):
            image |= (numbers >> (size - 1 - i) & 1) << (size - 1 - target)
        np.maximum(first, image, out=first)
    return first


def _known(lattice: Lattice, first: Int64[np.ndarray, " n"]) -> dict[int, str]:
    """The names of the families that `spin_terms` knows on this lattice, by their first image."""
    names: dict[int, str] = {}
    for name in (*EVEN, *ODD):
        try:
            terms = spin_terms(lattice, name)
        except InputError:  # a shape that this small torus has no room for
            continue
        names.setdefault(int(first[subset_number(terms.sites[0], lattice.size)]), name)
    return names
