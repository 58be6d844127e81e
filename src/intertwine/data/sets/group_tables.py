r"""The multiplication table of a finite group as labelled rows: what a network learns the group from.

    row of (a, b): one-hot a beside one-hot b, 2|G| columns;      label: the number of the product ab

A share of the |G|² pairs is learnt from, the others are held out: a network that knows the rule says the
products of pairs that it never saw (Power et al. 2022, "Grokking"; Gromov 2023).
"""

from __future__ import annotations

import hashlib
from typing import Any

import numpy as np
from jaxtyping import PyTree

from intertwine._checks import fail
from intertwine.data.dataset import Dataset

SHARE = 0.6
MOST_ELEMENTS = 256
PREFIX = "group:"


def group_table(group: PyTree, share: float = SHARE, *, seed: int = 0) -> Dataset:
    """The table of `group` with a random share of its pairs to learn from, and the others held out.

    group: a `FiniteGroup` of 2 to 256 elements, or its name: "S4", "cyclic:97", "D5", "Q8", "C2xC4"
        (`it.symmetry.group_from_name`). share: of the |G|² pairs, between 0 and 1. seed: of the choice.

    The data set has binary rows, labels 0 … |G| − 1, and the elements in the order of the group.

    >>> data = group_table("S3", share=0.5)
    >>> data.train.shape, data.test.shape, data.name
    ((18, 12), (18, 12), 'group:S3')
    """
    group = as_table_group(group)
    n, table = group.order, np.asarray(group.product_table)
    pairs = table_pairs(n, share, seed)
    rows = [_one_hot(p, n) for p in pairs]
    labels = [table[p[:, 0], p[:, 1]].astype(np.int64) for p in pairs]
    sums = hashlib.sha256(table.astype(np.int32).tobytes()).hexdigest()
    return Dataset(
        f"{PREFIX}{group.name}", rows[0], rows[1], "binary", labels[0], labels[1],
        source=f"the table of {group.name or 'a group'}", checksum=f"sha256:{sums}",
    )  # fmt: skip


def as_table_group(group: PyTree, argument: str = "group") -> Any:
    """The group that is given, or that a name means; `InputError` for one of other sizes."""
    if isinstance(group, str):
        from intertwine.symmetry.groups.group_names import group_from_name

        group = group_from_name(group.removeprefix(PREFIX), argument)
    if not hasattr(group, "product_table"):
        raise fail(argument, "a FiniteGroup, or the name of one", type(group).__name__, "such as 'S4'")
    if not 2 <= group.order <= MOST_ELEMENTS:
        expected = f"a group of 2 to {MOST_ELEMENTS} elements"
        raise fail(argument, expected, f"{group.name} of {group.order}", "such as S4 or Z97")
    return group


def table_pairs(order: int, share: float, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Pairs of elements (rows, 2), int32, to learn from and held out: a random share of all order² of them.

    >>> [len(p) for p in table_pairs(4, 0.75, 0)]
    [12, 4]
    """
    count = order * order
    learnt = round(share * count) if 0 < share < 1 else 0
    if not 0 < learnt < count:
        expected = "a share of the pairs between 0 and 1 that leaves some to learn from and some to test"
        raise fail("share", expected, share, "0.6 is usual")
    chosen = np.random.default_rng(seed).permutation(count)
    pairs = np.stack(np.divmod(chosen, order), axis=1).astype(np.int32)
    return pairs[:learnt], pairs[learnt:]


def _one_hot(pairs: np.ndarray, order: int) -> np.ndarray:
    rows = np.zeros((len(pairs), 2 * order), np.uint8)
    at = np.arange(len(pairs))
    rows[at, pairs[:, 0]] = 1
    rows[at, order + pairs[:, 1]] = 1
    return rows
