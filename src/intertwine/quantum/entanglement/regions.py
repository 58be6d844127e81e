r"""Regions: sets of sites, given by their numbers in any order, as any iterable of integers, or a mask."""

from __future__ import annotations

from collections.abc import Iterable
from operator import index

import numpy as np
from jax import Array

from intertwine._checks import fail


def checked_region(region: Iterable[int], size: int, argument: str = "region") -> tuple[int, ...]:
    """The sites of `region` in their order, those that are True for a mask of `size` of them; InputError
    where it is empty, repeats a site, leaves 0..size−1 or is a mask of another length.

    >>> checked_region(range(3), 8), checked_region({5, 2}, 8) in {(2, 5), (5, 2)}
    ((0, 1, 2), True)
    >>> checked_region([False, True, True], 3)
    (1, 2)
    """
    remedy = "give site numbers, for example range(4)"
    try:
        given = tuple(np.asarray(region) if isinstance(region, Array) else region)
        mask = [isinstance(site, bool | np.bool_) for site in given]
        if any(mask):
            if len(given) != size or not all(mask):
                got = f"{len(given)} of them" if all(mask) else "some, with site numbers between"
                raise fail(argument, f"one True or False for each of {size} sites", got, remedy)
            given = tuple(int(site) for site in np.flatnonzero(given))
        sites = tuple(index(site) for site in given)
    except TypeError:
        raise fail(argument, "an iterable of site numbers", region, remedy) from None
    if not sites:
        raise fail(argument, "at least one site", "an empty region", remedy)
    if outside := [site for site in sites if not 0 <= site < size]:
        raise fail(argument, f"sites 0 to {size - 1}", f"site {outside[0]}", remedy)
    if len(set(sites)) < len(sites):
        twice = next(site for site in sites if sites.count(site) > 1)
        raise fail(argument, "every site once", f"site {twice} twice", "give each site once")
    return sites


def disjoint(
    A: Iterable[int], B: Iterable[int], size: int, names: tuple[str, str] = ("A", "B")
) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Two regions without a common site, checked.

    >>> disjoint([0, 1], [2], 4)
    ((0, 1), (2,))
    """
    first, second = checked_region(A, size, names[0]), checked_region(B, size, names[1])
    if common := sorted(set(first) & set(second)):
        expected = f"sites that are not in {names[0]}"
        raise fail(names[1], expected, f"site {common[0]} in both", "give disjoint regions")
    return first, second


def rest(sites: Iterable[int], size: int) -> tuple[int, ...]:
    """The other sites, ascending.

    >>> rest((0, 3), 5)
    (1, 2, 4)
    """
    inside = set(sites)
    return tuple(site for site in range(size) if site not in inside)
