r"""Coarse graining that is learned: filters that keep the most information about the environment.

    max over Λ, critic:   I(H; E) ≥ bound(critic),      p(h|v) = Π_k σ(2 h_k Λ_k·v),   one Λ_k a coarse spin

(Koch-Janusz & Ringel, Nature Physics 14, 578, 2018; Lenggenhager et al., Phys. Rev. X 10, 011037, 2020.) The
rule and the critic climb the same bound together (`block_critic`); the coarse spins are summed over, so that
the gradient in Λ is exact and no relaxation of discrete variables is needed. Each filter has a fixed root
mean square, its `sharpness`, since information only grows as chance is taken away (`mutual_information`): the
direction is what is learned. The larger the sharpness, the flatter the bound in directions that differ only
in how they break ties.

At the critical point of the square lattice the filter found is uniform: the majority rule, with ties at
random. An antiferromagnet gives the staggered filter, spins that are noise get no weight, and a chain keeps
one spin at an end of the block, which is decimation.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from jaxtyping import Float
from numpy.typing import ArrayLike

from intertwine._checks import fail, positive_int
from intertwine._shown import Shown
from intertwine.models.parameters import check_key
from intertwine.rg.blocks.blocking import BlockRule
from intertwine.rg.blocks.chains import chains_of
from intertwine.rg.information.block_critic import FilterRule
from intertwine.rg.information.block_window import BlockWindow
from intertwine.rg.information.information_bound import InformationBound, Training
from intertwine.rg.information.mutual_information import MOST_HIDDEN, checked_sharpness, rule_table, turned
from intertwine.sampling.statistics.estimate import Estimate
from intertwine.spaces.lattice import Lattice


@dataclass(frozen=True, eq=False, repr=False)
class LearnedBlocks(Shown):
    """What `learn_blocks` found.

    filters: float64 (hidden, n), Λ of each coarse spin over the n spins of the block, row-major; the weight
    of largest magnitude is positive. window: block, buffer and environment. bound: of these filters, on
    configurations that were not learned from.
    """

    filters: Float[np.ndarray, "h n"]
    window: BlockWindow
    bound: InformationBound

    @property
    def information(self) -> Estimate:
        """The bound on I(H; E) in nats."""
        return self.bound.information

    @property
    def rule(self) -> BlockRule:
        """The blocking rule p(h|v), for `mcrg` and all that takes rules. Raises InputError for more than one
        coarse spin per block, and lattices with a basis."""
        if len(self.filters) > 1:
            raise fail("hidden", "one coarse spin per block, for a blocking rule", len(self.filters))
        if self.window.lattice.basis_size > 1:
            raise fail("lattice", "one site per cell, for a blocking rule", self.window.lattice.name)
        return BlockRule(self.window.block, rule_table(self.filters, self.filters.shape[1])[0])

    def __str__(self) -> str:
        shown = "; ".join(" ".join(f"{w:.2f}" for w in row) for row in self.filters).replace("-", "−")
        return f"filters {shown}\n{self.bound}"


def learn_blocks(
    spins: ArrayLike,
    lattice: Lattice | None = None,
    *,
    block: int = 2,
    buffer: int = 1,
    environment: int | None = 1,
    hidden: int = 1,
    sharpness: float = 1.0,
    training: Training | None = None,
    samples: int = 10_000,
    key: Array,
    progress: Callable[[dict[str, float]], object] | None = None,
) -> LearnedBlocks:
    """The filters of a block that maximise a lower bound on I(H; E).

    spins: ±1, (draws, N) of one chain or (chains, draws, N), of a distribution that is the same at every
    cell; or an `Ising` model, of which `samples` configurations are drawn. lattice: None
    is the one of the model, or that `it.sample` gave along. block, buffer, environment: see `BlockWindow`.
    hidden: coarse spins of a block, up to 4. sharpness: root mean square of each filter's weights. training:
    see `Training`. progress: called with the scalars of every chunk of updates, `step` and `information`
    among them.

    Raises InputError for spins that are not ±1, a lattice that does not fit them or the window, and numbers
    out of range.

    >>> from intertwine.models.spins.ising import Ising
    >>> from intertwine.spaces.lattices import Square
    >>> ising = Ising(Square(6, 6), K=0.4406867935)
    >>> found = learn_blocks(
    ...     ising, training=Training(steps=100, batch=300), samples=1000, key=jax.random.key(0))
    >>> found.filters.shape, found.rule.block, len(found.bound.history) > 1
    ((1, 4), 2, True)
    """
    hidden = positive_int("hidden", hidden, "give the coarse spins of a block")
    if hidden > MOST_HIDDEN:
        raise fail("hidden", f"at most {MOST_HIDDEN} coarse spins", hidden)
    sharpness = checked_sharpness(sharpness)
    draw_key, first_key, run_key = jax.random.split(check_key(key), 3)
    chains, lattice, tau = chains_of(spins, lattice, samples, key=draw_key)
    window = BlockWindow(lattice, block, buffer, environment)
    training = Training() if training is None else training
    first = jax.random.normal(first_key, (hidden, window.inside.shape[1]), jnp.float32)
    rule = FilterRule(first, sharpness)
    trained, bound = training.run(
        rule, 2**hidden, chains, window, learned=True, tau=tau, key=run_key, progress=progress
    )
    assert isinstance(trained.rule, FilterRule)
    return LearnedBlocks(turned(np.asarray(trained.rule.weights, np.float64)), window, bound)
