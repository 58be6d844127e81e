r"""Correlations of sampled spins by distance, and how they change with the coupling, from one simulation.

    G(r) = ⟨s_0 s_r⟩,     ∂G/∂K = ⟨s_0 s_r S⟩ − ⟨s_0 s_r⟩⟨S⟩,     S = ∂ ln Ψ/∂K = Σ_{⟨ij⟩} s_i s_j

Ψ = e^{K S + …}: the derivative is a covariance, and needs no second simulation. ⟨s⟩ = 0 by symmetry, so that
nothing is subtracted from G, also where samples are ordered: there G tends to m² ~ |K − K_c|^{2β}, which is
part of the scaling function. Of Potts states s_0 s_r is (q δ − 1)/(q − 1), of clock states cos(θ_0 − θ_r).

Pairs are averaged over the lattice and over all displacements of a shell (`shells`).
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from jaxtyping import Float
from numpy.typing import ArrayLike

from intertwine._caveats import beneath, caveat
from intertwine._checks import fail, finite_number, positive_int
from intertwine._shown import Shown, with_error
from intertwine.models.results import as_model
from intertwine.models.spins.spin_terms import linked_bonds
from intertwine.rg.blocks.blocks import check_carried, checked_spins, lattice_of
from intertwine.rg.blocks.chains import chain_after_chain
from intertwine.rg.correlators.shells import Shells
from intertwine.rg.defaults import GIVEN_BINS
from intertwine.sampling.draw import Drawn
from intertwine.sampling.statistics.jackknife import jackknife_error
from intertwine.sampling.statistics.joined_bins import caveats_of, joined
from intertwine.spaces.lattice import Lattice

_FIELD, _LITTLE = 5.0, 0.02
"""A mean spin above so many errors, and above this, is told."""
_AT_ONCE = 1 << 21
"""Sites of configurations that are transformed together."""


class Sums(NamedTuple):
    """What is summed, bin by bin: count (B,), Σ S (B,), Σ G(r) (B, R), Σ G(r) S (B, R), Σ m² and Σ m⁴
    (B, 2)."""

    count: np.ndarray
    conjugate: np.ndarray
    products: np.ndarray
    mixed: np.ndarray
    moments: np.ndarray


@dataclass(frozen=True, eq=False, repr=False)
class SpinCorrelations(Shown):
    """Correlations by distance at one coupling.

    coupling: K. distances: r, float64 (R,). count: configurations of every bin, (B,). conjugate: Σ S of
    every bin, (B,). products: Σ G(r), (B, R). mixed: Σ G(r) S, (B, R). moments: Σ m², Σ m⁴ of the order
    parameter, (B, 2). components: of the order parameter. side: the shortest way around the lattice.
    warnings: what qualifies them, lines `code: sentence`.
    """

    coupling: float
    distances: Float[np.ndarray, " R"]
    count: Float[np.ndarray, " B"]
    conjugate: Float[np.ndarray, " B"]
    products: Float[np.ndarray, "B R"]
    mixed: Float[np.ndarray, "B R"]
    moments: Float[np.ndarray, "B 2"]
    components: int = 1
    side: float = math.inf
    warnings: tuple[str, ...] = field(default=())

    @property
    def values(self) -> Float[np.ndarray, " R"]:
        """G(r)."""
        return self.products.sum(0) / self.count.sum()

    @property
    def derivatives(self) -> Float[np.ndarray, " R"]:
        """∂G/∂K."""
        return whole(self.sums)[1]

    @property
    def sums(self) -> Sums:
        """count, conjugate, products, mixed, moments."""
        return Sums(self.count, self.conjugate, self.products, self.mixed, self.moments)

    @property
    def order(self) -> float:
        """How ordered the finite lattice is: (U₀ − U)/(U₀ − 1), U = ⟨m⁴⟩/⟨m²⟩², from 0 in the disordered
        phase of an infinite lattice, U₀ = 1 + 2/n for n components, to 1 in the ordered one. Near both the
        lattice is long compared with ξ."""
        square, fourth = self.moments.sum(0) / self.count.sum()
        return float(1 - (fourth / square**2 - 1) * self.components / 2)

    @property
    def errors(self) -> tuple[Float[np.ndarray, " R"], Float[np.ndarray, " R"]]:
        """One σ of G(r) and of ∂G/∂K, by jackknife over bins, joined where they are correlated."""
        G, slope = left_out(joined_bins(self.sums)[0])
        return jackknife_error(G), jackknife_error(slope)

    def __str__(self) -> str:
        lines = [f"correlations at K = {self.coupling:.6g}", f"{'r':>7} {'G(r)':>20} {'∂G/∂K':>20}"]
        for row in zip(
            self.distances, self.values, self.errors[0], self.derivatives, self.errors[1], strict=True
        ):
            lines.append(
                f"{row[0]:7.2f} {with_error(row[1], row[2], '.5f'):>20} {with_error(row[3], row[4]):>20}"
            )
        return beneath("\n".join(lines), self.warnings)


def spin_correlations(
    spins: ArrayLike,
    coupling: float,
    *,
    lattice: Lattice | None = None,
    states: int | None = None,
    clock: bool = False,
    conjugate: ArrayLike | None = None,
    bins: int | None = None,
) -> SpinCorrelations:
    """G(r) and ∂G/∂K of configurations that were drawn at one coupling.

    spins: ±1 (or states 0 … q − 1), (draws, N) of one chain or (chains, draws, N), or what `it.sample` drew,
    which brings its lattice and its states along. coupling: the K at which they were drawn. lattice: where
    the sites are; bonds of nearest neighbours. states, clock: q of Potts states, and whether they are
    directions. conjugate: ∂ ln Ψ/∂K of each configuration (draws,) or (chains, draws), for another coupling
    than that of all nearest neighbours; None for S. bins: of successive configurations, joined where they are
    correlated; None for 50, or as many as pairs of configurations.

    With K < 0 on a lattice of two sublattices the spins of one are turned over: G is that of the staggered
    order. Raises InputError for other arrays, lattices without two shells, fewer than two configurations a
    bin, and K < 0 without sublattices.

    >>> import jax
    >>> from intertwine.models.spins.ising import Ising
    >>> from intertwine.sampling.draw import sample
    >>> from intertwine.spaces.lattices import Chain
    >>> drawn = sample(Ising(Chain(16), 0.5), 4000, key=jax.random.key(0))
    >>> found = spin_correlations(drawn, 0.5)
    >>> bool(abs(found.values[0] - math.tanh(0.5)) < 4 * found.errors[0][0])
    True
    """
    K = finite_number("couplings", coupling)
    if isinstance(spins, Drawn):
        states, clock = spins.states, spins.clock
    given = chain_after_chain(as_model(spins))
    if given.ndim not in (2, 3) or given.size == 0:
        raise fail("correlations", "configurations (draws, N) or (chains, draws, N)", f"shape {given.shape}")
    lattice = lattice_of(spins, lattice)
    check_carried(spins, lattice)
    rows = checked_spins(given.reshape(-1, given.shape[-1]), lattice, states)
    bins = max(4, min(GIVEN_BINS, len(rows) // 2)) if bins is None else positive_int("bins", bins)
    if not 4 <= bins <= len(rows) // 2:
        raise fail("bins", f"4 to {len(rows) // 2} for {len(rows)} configurations", bins, "draw more samples")
    S = None if conjugate is None else np.asarray(conjugate, np.float64).reshape(-1)
    if S is not None and (len(S) != len(rows) or not np.isfinite(S).all()):
        raise fail("conjugate", f"{len(rows)} finite numbers, one a configuration", f"shape {S.shape}")
    measured = Measured(lattice, states, clock=clock, staggered=is_staggered(lattice, K, states))
    length = len(rows) // bins
    stretches = [slice(k * length, (k + 1) * length) for k in range(bins)]
    parts = [measured.sums(rows[part], None if S is None else S[part]) for part in stretches]
    sums = Sums(*(np.array(part) for part in zip(*parts, strict=True)))
    held = () if states is not None else _magnetised(rows, measured.signs, length, bins)
    return measured.found(K, sums, (*caveats_of(spins, joined_bins(sums)[1]), *held))


def _magnetised(rows: np.ndarray, signs: np.ndarray | None, length: int, bins: int) -> tuple[str, ...]:
    """The caveat of spins whose mean is not 0: a field, or an order that the chains kept."""
    means = (rows if signs is None else rows * signs)[: length * bins].mean(axis=1, dtype=np.float64)
    means = means.reshape(bins, length).mean(axis=1)
    mean, error = float(means.mean()), float(means.std(ddof=1) / math.sqrt(bins))
    if abs(mean) <= max(_FIELD * error, _LITTLE):
        return ()
    words = (
        f"the mean spin is {mean:.3g} ± {error:.1g}: a field, or an order of one sign that the chains kept"
    )
    return (
        caveat("assumption", f"{words}; the equation is for ⟨s⟩ = 0, where nothing is subtracted from G"),
    )


class Measured:
    """What is summed of configurations of one lattice. weights: ∂ ln Ψ/∂K of its linked bonds, a number or
    (B,)."""

    def __init__(
        self,
        lattice: Lattice,
        states: int | None = None,
        *,
        clock: bool = False,
        staggered: bool = False,
        weights: ArrayLike = 1.0,
    ):
        self.shells, self.states, self.clock = Shells.of(lattice), states, clock
        if len(self.shells.distances) < 2:
            raise fail("lattice", "a lattice with two shells or more", lattice.name, "take a larger one")
        self.bonds = linked_bonds(lattice)[0]
        self.weights = np.broadcast_to(np.asarray(weights, np.float64), len(self.bonds))
        self.scale = 1.0 if states is None or clock else (states - 1) / states  # Σ δ, but for a constant
        self.signs = lattice.sublattices() if staggered else None
        words = "with K < 0 the spins of one sublattice are turned over: G is that of the staggered order"
        self.caveats = (caveat("assumption", words),) if staggered else ()

    def sums(self, rows: np.ndarray, conjugate: np.ndarray | None = None) -> Sums:
        """The sums of configurations (n, N): a bin. conjugate: S of each, None for that of neighbours."""
        products, mixed = np.zeros((2, len(self.shells.distances)))
        total, moments, step = 0.0, np.zeros(2), max(1, _AT_ONCE // rows.shape[1])
        for start in range(0, len(rows), step):
            part = slice(start, start + step)
            fields = self._fields(rows[part])
            S = self._bonded(fields) if conjugate is None else conjugate[part]
            if self.signs is not None:
                fields = fields * self.signs[:, None]
            G = self.shells.correlated(fields)
            square = (fields.mean(1, dtype=np.float64) ** 2).sum(-1)
            moments += np.array([square.sum(), (square**2).sum()])
            total += float(S.sum())
            products += G.sum(0)
            mixed += S @ G
        return Sums(np.array(float(len(rows))), np.array(total), products, mixed, moments)

    def found(self, K: float, sums: Sums, warnings: tuple[str, ...] = ()) -> SpinCorrelations:
        """The correlations of bins of sums."""
        shells, said = self.shells, (*self.caveats, *warnings)
        components = 1 if self.states is None else 2 if self.clock else self.states - 1
        return SpinCorrelations(
            K, shells.distances, *sums, components=components, side=shells.side, warnings=said
        )

    def _bonded(self, fields: np.ndarray) -> Float[np.ndarray, " n"]:
        """S but for a constant: Σ over bonds of s s', of δ, of cosines."""
        first, second = fields[:, self.bonds[:, 0]], fields[:, self.bonds[:, 1]]
        products = np.einsum("nbf,nbf->nb", first, second)
        return self.scale * (products @ self.weights)

    def _fields(self, rows: np.ndarray) -> Float[np.ndarray, "n N f"]:
        """Components whose products over a pair sum to what is correlated, float32."""
        if self.states is None:
            return rows[..., None].astype(np.float32)
        states = np.arange(self.states)
        if self.clock:
            angles = 2 * np.pi * states / self.states
            return np.stack([np.cos(angles), np.sin(angles)], -1)[rows].astype(np.float32)
        equal = (np.eye(self.states) - 1 / self.states) * math.sqrt(self.states / (self.states - 1))
        return equal[rows].astype(np.float32)


def is_staggered(lattice: Lattice, K: float, states: int | None) -> bool:
    """Whether correlations of this coupling alternate; InputError where they do without sublattices."""
    if K >= 0:
        return False
    try:
        if states is not None:
            raise fail("couplings", "K ≥ 0 for states of Potts and clock models", K)
        lattice.sublattices()
    except ValueError:
        expected = "K ≥ 0 where neighbours cannot all be opposite: correlations change their sign with r"
        remedy = "K < 0 needs spins ±1 on a lattice of two sublattices"
        raise fail("couplings", expected, f"{K:g} on {lattice.name}", remedy) from None
    return True


def whole(sums: Sums) -> tuple[Float[np.ndarray, " R"], Float[np.ndarray, " R"]]:
    """G and ∂G/∂K of all bins."""
    count, conj, products, mixed = (part.sum(0) for part in sums[:4])
    G = products / count
    return G, mixed / count - G * conj / count


def left_out(sums: Sums) -> tuple[Float[np.ndarray, "B R"], Float[np.ndarray, "B R"]]:
    """G and ∂G/∂K without each bin in turn."""
    count, conj, products, mixed = (part.sum(0) - part for part in sums[:4])
    G = products / count[:, None]
    return G, mixed / count[:, None] - G * (conj / count)[:, None]


def joined_bins(sums: Sums) -> tuple[Sums, str]:
    """Bins joined by ⟨S⟩ and by G at four distances; and "" or how they are too few."""
    shells = sums[2].shape[1]
    some = np.unique(np.linspace(0, shells - 1, 4).round().astype(int))

    def watched(parts: tuple[np.ndarray, ...]) -> np.ndarray:
        return np.concatenate([parts[1][:, None], parts[2][:, some]], 1) / parts[0][:, None]

    found, words = joined(tuple(sums), watched)
    return Sums(*found), words
