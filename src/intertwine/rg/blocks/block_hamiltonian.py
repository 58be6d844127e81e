r"""The Hamiltonian of block spins, exactly.

    e^{−H'(h)} = Σ_v e^{T(v,h) − H(v)},      T(v, h) = ln p(h|v),      Σ_h e^T = 1   ⇒   Z' = Z

for any rule T, by enumeration of up to 2²² configurations v (Kadanoff 1966; Niemeijer & van Leeuwen 1973).
−H' is then a table over all h, and its coefficients on all products of block spins follow from a
Walsh-Hadamard transform (`spin_products`):

    −H'(h) = g + Σ_A K'_A Π_{i∈A} h_i

which is H' to rounding. A truncation to chosen families S_α is a projection. Two are common:

    "blocked"   ⟨S_α⟩_{K'} = ⟨S_α⟩_{p'}               the minimum of KL(p'‖p_{K'}): matched moments
    "uniform"   ⟨S_α⟩ under p'(h) e^{−K'·S(h)} = 0    the minimum of Wu & Car's functional with uniform target

Both are convex and agree where the families reproduce H' (Wu & Car, Phys. Rev. Lett. 119, 220602, 2017).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Float, Int8

from intertwine._checks import fail, one_of
from intertwine._shown import Shown
from intertwine.models.results import as_model
from intertwine.models.spins.ising import Ising
from intertwine.models.spins.spin_enumeration import enumerate_distribution
from intertwine.models.spins.spin_terms import Shape, spin_terms
from intertwine.rg.blocks.push_forward import all_states, push_forward
from intertwine.rg.terms.exponential_family import ExponentialFamily
from intertwine.rg.terms.families import as_families, family_names, family_sums
from intertwine.rg.terms.spin_products import Family, product_families, subset_number, walsh_hadamard
from intertwine.spaces.lattice import Lattice

if TYPE_CHECKING:
    from intertwine.models.spins.potts import Clock, Potts
    from intertwine.rg.blocks.blocking import Rule

_SHOWN = 12


@dataclass(frozen=True, eq=False)
class BlockDistribution:
    """The exact law of blocked configurations.

    configurations: int8 (n, N'), as enumerations order them. probabilities: p'(h), float64 (n,).
    log_z: ln Z of the model, in nats. lattice: of the blocks.
    """

    configurations: Int8[np.ndarray, "n N"]
    probabilities: Float[np.ndarray, " n"]
    log_z: float
    lattice: Lattice


def block_distribution(model: Ising | Potts | Clock, rule: Rule) -> BlockDistribution:
    """p'(h) = Σ_v p(h|v) p(v) of an `Ising`, `Potts` or `Clock` model under a rule, by enumeration.

    model: of at most 2²² configurations. rule: a `Rule` (`blocking`), or the rule that a network is.

    Raises InputError for larger systems, and rules that do not tile the lattice.

    >>> from intertwine.rg.blocks.blocking import Majority
    >>> from intertwine.spaces.lattices import Square
    >>> found = block_distribution(Ising(Square(4, 4), K=0.4), Majority(2))
    >>> found.configurations.shape, round(float(found.probabilities.sum()), 12)
    ((16, 4), 1.0)
    """
    model = as_model(model)
    exact = enumerate_distribution(model)
    lattice = rule.blocked(model.lattice)
    states = getattr(model, "states", None)
    p = push_forward(rule, model.lattice, exact.probabilities[:, None], states)[:, 0]
    rows = all_states(lattice.size, states)
    return BlockDistribution(rows, p, exact.log_z, lattice)


@dataclass(frozen=True, eq=False, repr=False)
class BlockHamiltonian(Shown):
    """−H' of block spins ±1 on a lattice.

    lattice: of the blocks. log_weights: −H'(h), float64 (2^N',), in the order of `all_configurations`.
    log_z: ln Z of the model that was blocked.
    """

    lattice: Lattice
    log_weights: Float[np.ndarray, " n"]
    log_z: float

    @cached_property
    def blocked_log_z(self) -> float:
        """ln Σ_h e^{−H'(h)}: equal to `log_z`."""
        top = self.log_weights.max()
        return float(top + np.log(np.exp(self.log_weights - top).sum()))

    @cached_property
    def coefficients(self) -> Float[np.ndarray, " n"]:
        """K'_A of every subset A, float64 (2^N',), numbered as in `spin_products`; the first is g."""
        return walsh_hadamard(self.log_weights)

    @cached_property
    def families(self) -> tuple[Family, ...]:
        """The coefficients by family of the blocked lattice, all of them."""
        return product_families(self.lattice, self.coefficients)

    def coupling(self, name: str | Shape) -> float:
        """K'_α of a family of `spin_terms`: its coefficient, shared among the terms that coincide on a small
        torus, so that couplings of small and large lattices compare.

        Raises InputError for families that the blocked lattice has no room for.
        """
        terms = spin_terms(self.lattice, name)
        numbers = [subset_number(sites, self.lattice.size) for sites in terms.sites]
        distinct = np.unique(numbers)
        return float(self.coefficients[distinct].mean() * len(distinct) / len(numbers))

    def project(self, couplings: tuple[str | Shape, ...], target: str = "blocked") -> ProjectedCouplings:
        """The truncation of H' to families of `spin_terms`.

        target: "blocked" matches moments, "uniform" flattens p' (the head of this file).

        Raises InputError for families that depend on each other on this lattice, and systems that are ordered
        to rounding.
        """
        families = as_families(couplings)
        names = family_names(self.lattice, families)
        sums = family_sums(all_states(self.lattice.size), self.lattice, families)
        log_p = self.log_weights - self.blocked_log_z
        found = projected(sums, log_p, one_of("target", target, ("blocked", "uniform")))
        fitted = sums @ found
        log_model = fitted - ExponentialFamily(sums, np.zeros(len(sums))).moments(found)[2]
        divergence = float(np.exp(log_p) @ (log_p - log_model))
        return ProjectedCouplings(found, names, target, max(divergence, 0.0))

    def __str__(self) -> str:
        lines = [f"−H' on {self.lattice.name}: ln Z = {self.log_z:.10f}, g = {self.coefficients[0]:.10f}"]
        strongest = sorted(self.families, key=lambda family: -abs(family.coefficient))
        for name, sites, count, value, spread in strongest[:_SHOWN]:
            if name != "-".join(map(str, sites)):
                value, count = self.coupling(name), len(spin_terms(self.lattice, name).sites)
            apart = f"  to {spread:.1e}, not alike" if spread > 1e-10 else ""
            lines.append(f"{name:<12} × {count:<4} {value:>z14.10f}{apart}")
        rest = len(self.families) - _SHOWN
        return "\n".join([*lines, f"and {rest} weaker families"] if rest > 0 else lines)


@dataclass(frozen=True, eq=False, repr=False)
class ProjectedCouplings(Shown):
    """A truncated H'. couplings: K', float64 (n,), in the order of `names`. target: what was matched.
    divergence: KL(p'‖p_{K'}) in nats, what the truncation loses."""

    couplings: Float[np.ndarray, " n"]
    names: tuple[str, ...]
    target: str
    divergence: float

    def __str__(self) -> str:
        rows = [f"{name:<10} {K:>z14.10f}" for name, K in zip(self.names, self.couplings, strict=True)]
        return "\n".join([*rows, f"KL(p'‖p_K') = {self.divergence:.3e} nats"])


def block_hamiltonian(model: Ising, rule: Rule) -> BlockHamiltonian:
    """−H' of an Ising model under a rule, exactly.

    model: `Ising` with any couplings, at most 22 sites. rule: a `Rule` of spins.

    Raises InputError for other models and larger ones, rules that do not tile the lattice, and rules under
    which some h cannot occur (H' would be infinite).

    >>> from intertwine.rg.blocks.blocking import Decimation
    >>> from intertwine.spaces.lattices import Chain
    >>> found = block_hamiltonian(Ising(Chain(8), K=0.7), Decimation(2))
    >>> bool(abs(np.tanh(found.coupling("nearest")) - np.tanh(0.7) ** 2) < 1e-12)
    True
    """
    model = as_model(model)
    if not isinstance(model, Ising):
        raise fail("model", "an Ising model", type(model).__name__, "block_distribution serves Potts models")
    found = block_distribution(model, rule)
    if not (found.probabilities > 0).all():
        got = f"{int((found.probabilities <= 0).sum())} of {len(found.probabilities)} with p'(h) = 0"
        raise fail("rule", "a rule under which every block configuration occurs", got, "H' would be infinite")
    return BlockHamiltonian(found.lattice, np.log(found.probabilities) + found.log_z, found.log_z)


def projected(sums: np.ndarray, log_p: np.ndarray, target: str) -> Float[np.ndarray, " n"]:
    """K' (n,) of the law e^{log_p} (M,) over states with sums (M, n); see `BlockHamiltonian.project`."""
    known = np.isfinite(log_p)
    design = np.column_stack([sums[known], np.ones(known.sum())])
    start = np.linalg.lstsq(design, log_p[known], rcond=None)[0][:-1]
    if target == "uniform":
        return -ExponentialFamily.collected(sums, log_p).matched(sums.mean(0), -start)
    apart = sums - sums[log_p.argmax()]  # nearly ordered systems keep their digits
    return ExponentialFamily.collected(apart, np.zeros(len(sums))).matched(np.exp(log_p) @ apart, start)
