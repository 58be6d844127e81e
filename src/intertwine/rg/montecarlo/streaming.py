r"""Sums for Monte Carlo renormalization, collected bin by bin: no configuration needs to be kept.

A bin holds, for every level n, the sums over its configurations of

    S_α^{(n)},    S_α^{(n)} S_β^{(n)},    S_α^{(n+1)} S_β^{(n)}

of even operators, the products of odd ones, and how often each change of a site occurs, by which the verdict
on a fixed point knows the couplings of a level (`coupling_drift`). They are a tree of arrays with a leading
axis of bins: what a run saves and goes on from.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, NamedTuple

import jax
import numpy as np
from jax import Array
from jaxtyping import Float
from numpy.typing import ArrayLike

from intertwine._checks import InputError, fail, positive_int
from intertwine.models.spins.spin_terms import EVEN, spin_terms
from intertwine.rg.blocks.blocking import Rule
from intertwine.rg.blocks.blocks import checked_spins
from intertwine.rg.montecarlo.host_changes import change_counts, changes, countable
from intertwine.rg.montecarlo.mcrg_result import MCRG, mcrg_of_sums
from intertwine.rg.terms.operators import POTTS_EVEN, default_families, dependent, measure
from intertwine.spaces.lattice import Lattice

if TYPE_CHECKING:
    from intertwine.models.spins.spin_terms import Shape

_JUDGED = 4
"""So many even families are the couplings of the verdict."""


class Sums(NamedTuple):
    """Sums of bins over `count` configurations each; level 0 is the system's own.

    count: (bins,). even: (bins, levels + 1, e), the families of the exponents, then further ones of the
    verdict. even_even, odd_odd: (bins, levels + 1, e, e), of one level. even_next, odd_next: (bins, levels,
    e, e), of operators [level n + 1, level n]. local: (bins, levels, M), `change_counts` of level 1, 2, ….
    magnetized: (bins, 1), the first odd operator of level 0, or (bins, q).
    """

    count: Float[np.ndarray, " bins"]
    even: Float[np.ndarray, "bins levels+1 e"]
    even_even: Float[np.ndarray, "bins levels+1 e e"]
    even_next: Float[np.ndarray, "bins levels e e"]
    odd_odd: Float[np.ndarray, "bins levels+1 o o"]
    odd_next: Float[np.ndarray, "bins levels o o"]
    local: Float[np.ndarray, "bins levels M"]
    magnetized: Float[np.ndarray, "bins q"]


class MCRGSums:
    """What is summed: a rule applied `levels` times to configurations of `lattice`.

    rule: a `Rule`. levels: how often it is applied. couplings: a number, of the customary families, or a
    tuple of families of `spin_terms`, even and odd ones. states: q of Potts states, None for spins ±1.

    Raises InputError for rules that do not tile the lattice `levels` times, lattices that become too small
    for the families (there is no room, or their sums depend on each other), and tuples without an even and an
    odd family.

    >>> from intertwine.rg.blocks.blocking import Majority
    >>> from intertwine.spaces.lattices import Square
    >>> collected = MCRGSums(Majority(2), Square(8, 8), levels=1, couplings=2)
    >>> sums = collected.zeros(1)
    >>> rows = np.ones((5, 64), np.int8)
    >>> collected.add(sums, 0, rows, key=jax.random.key(0)).even[0, 1, :2]
    array([160., 160.])
    """

    def __init__(
        self,
        rule: Rule,
        lattice: Lattice,
        *,
        levels: int,
        couplings: int | Iterable[str | Shape] = 4,
        states: int | None = None,
    ):
        if not isinstance(rule, Rule):
            raise fail("rule", "a blocking rule, such as it.rg.Majority(2)", rule)
        own = getattr(rule, "states", states)
        if states is not None and own != states:
            expected = f"a rule of {states} states, as the configurations have"
            raise fail("rule", expected, rule, f"for example it.rg.Majority(2, states={states})")
        self.rule, self.states = rule, own
        self.lattices = [lattice]
        for level in range(positive_int("levels", levels, "give how often the rule is applied")):
            try:
                self.lattices.append(rule.blocked(self.lattices[-1]))
            except InputError as error:
                raise fail("levels", f"at most {level} for {lattice.name}", levels, str(error)) from None
        self.even, self.odd = _families(lattice, couplings, self.states)
        for level, smaller in enumerate(self.lattices):
            try:
                trouble, remedy = dependent(smaller, self.even, self.odd, self.states), "take fewer couplings"
            except InputError as error:
                trouble, remedy = str(error), ""
            if trouble:
                expected = f"at most {max(level - 1, 0)} for these couplings of {lattice.name}"
                raise fail("levels", expected, levels, "; ".join(filter(None, (trouble, remedy))))
        self.measured = self._companions()
        self.judged = self.measured[: countable(lattice, self.measured[:_JUDGED], self.states)]

    def _companions(self) -> tuple[Any, ...]:
        """The even families, and customary ones where they are few: what the verdict is judged by."""
        found = self.even
        for name in EVEN[:_JUDGED] if self.states is None else POTTS_EVEN[:_JUDGED]:
            wider = (*found, name)
            if len(found) < _JUDGED and name not in found:
                with contextlib.suppress(InputError):
                    if not any(dependent(lattice, wider, (), self.states) for lattice in self.lattices):
                        found = wider
        return found

    @property
    def _changes(self) -> np.ndarray:
        return changes(self.lattices[0], self.judged, self.states)

    @property
    def levels(self) -> int:
        """How often the rule is applied."""
        return len(self.lattices) - 1

    def zeros(self, bins: int) -> Sums:
        """Empty bins."""
        n, e, o = self.levels, len(self.measured), len(self.odd)
        local = len(self._changes) if self.judged else 0
        products = (n + 1, e, e), (n, e, e), (n + 1, o, o), (n, o, o)
        shapes = (), (n + 1, e), *products, (n, local), (self.states or 1,)
        return Sums(*(np.zeros((positive_int("bins", bins), *shape)) for shape in shapes))

    def add(self, sums: Sums, number: int, spins: ArrayLike, *, key: Array) -> Sums:
        """The sums with configurations (n, N) added to bin `number`; `sums` is not changed."""
        rows = checked_spins(spins, self.lattices[0], self.states)
        if rows.ndim != 2 or len(rows) == 0:
            raise fail("spins", "configurations (n, N), one or more", f"shape {rows.shape}")
        found = Sums(*(np.array(part) for part in sums))
        found.count[number] += len(rows)
        before = None
        for level, lattice in enumerate(self.lattices):
            even, odd = measure(rows, lattice, self.measured, self.odd, self.states)
            found.even[number, level] += even.sum(0)
            found.even_even[number, level] += even.T @ even
            if level == 0:
                found.magnetized[number] += odd[:, 0].sum(0)
            found.odd_odd[number, level] += np.einsum("nax,nbx->ab", odd, odd, optimize=True)
            if before is not None:
                found.even_next[number, level - 1] += even.T @ before[0]
                found.odd_next[number, level - 1] += np.einsum("nax,nbx->ab", odd, before[1], optimize=True)
                if self.judged:
                    counts = change_counts(rows, lattice, self.judged, self.states)
                    found.local[number, level - 1] += counts
            before = even, odd
            if level < self.levels:
                rows = np.asarray(self.rule(rows, lattice, key=jax.random.fold_in(key, level)))
        return found

    def result(
        self,
        sums: Sums,
        bins: int | None = None,
        *,
        unfit: str = "",
        field: bool = False,
        clock: bool = False,
    ) -> MCRG:
        """Exponents from the first `bins` bins, all of them for None; at least two, each of which has
        configurations. unfit: why the samples are not to be judged by (chains that have not mixed), or "".
        field: whether they are of a system in a field, which no fixed point is. clock: whether the states are
        directions of a clock, whose transitions are not those of Potts models. Raises InputError for fewer
        bins.
        """
        used = Sums(*(np.asarray(part)[:bins] for part in sums))
        if len(used.count) < 2 or not (used.count > 0).all():
            raise fail("bins", "two bins or more, all with configurations", used.count.astype(int).tolist())
        names = tuple(spin_terms(self.lattices[0], name).name for name in (*self.even, *self.odd))
        e = len(self.even)
        fields = self._changes if self.judged else None
        return mcrg_of_sums(
            used,
            float(self.rule.block),
            self.lattices,
            names[:e],
            names[e:],
            fields,
            None if clock else self.states,
            unfit,
            field,
            self.states if clock else None,
        )


def _families(
    lattice: Lattice, couplings: int | Iterable[str | Shape], states: int | None
) -> tuple[tuple, tuple]:
    if isinstance(couplings, tuple | list):
        if states is not None:
            expected = "a number of couplings for Potts states"
            raise fail("couplings", expected, couplings, "their even and odd families share names")
        parity = {name: spin_terms(lattice, name).parity for name in couplings}
        even, odd = (tuple(n for n, p in parity.items() if p == word) for word in ("even", "odd"))
        if not even or not odd:
            raise fail("couplings", "even and odd families, at least one of each", couplings)
        return even, odd
    return default_families(lattice, positive_int("couplings", couplings), states)
