r"""A reference state of fermions times a correlation factor.

    ψ(n) = e^{J(n)} ψ₀(n)

with a Jastrow factor (Jastrow 1955; Gutzwiller, PRL 10, 159 (1963)) or a restricted Boltzmann machine
(Nomura, Darmawan, Yamaji & Imada, PRB 96, 205152 (2017)) of the occupations, and a Slater determinant or a
pair function ψ₀ that has the signs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import equinox as eqx
from jax import Array
from jaxtyping import Int, Num, PyTree, Shaped

from intertwine._checks import fail
from intertwine.models.fermions.filling import Filling
from intertwine.models.fermions.forms import DeterminantForm, has_determinants, times_factor
from intertwine.models.protocols import Factored, Incremental, Kind, SpinFormed

if TYPE_CHECKING:
    from intertwine.models.protocols import LogAmplitude


class Correlated(eqx.Module):
    """ψ = factor · reference, both of the same modes.

    reference: `Slater`, `Pairing`, `Pfaffian`, a `Symmetrised` one … factor: any model of configurations ±1:
    `Jastrow`, `RBM`, `SymmetricRBM` … Made by `correlated`, which gives fast updates where both have them.
    """

    reference: Any
    factor: Any

    @property
    def size(self) -> int:
        """The number of modes N."""
        return self.reference.size

    @property
    def filling(self) -> Filling:
        return self.reference.filling

    @property
    def kind(self) -> Kind:
        kinds = {self.reference.kind, self.factor.kind}
        if kinds <= {"real", "signed"}:
            return "signed" if "signed" in kinds else "real"
        return "holomorphic" if kinds == {"holomorphic"} else "complex"

    def __call__(self, s: Shaped[Array, "N"]) -> Num[Array, ""]:
        """ln ψ of one configuration (N,) of ±1."""
        return self.reference(s) + self.factor(s)

    def ordered(self, modes: Int[Array, "n"], s: Shaped[Array, "N"]) -> Num[Array, ""]:
        """ln ψ of occupied modes in this order, s their configuration."""
        return self.reference.ordered(modes, s) + self.factor(s)

    @property
    def has_determinants(self) -> bool:
        return has_determinants(self.reference) and isinstance(self.factor, SpinFormed)

    def determinant_form(self) -> DeterminantForm:
        """The form of the reference times the factor."""
        return times_factor(self.reference.determinant_form(), self.factor)


class IncrementalCorrelated(Correlated):
    """The same with `start`, `log_ratio`, `flip` and `factors` of both parts."""

    def start(self, s: Shaped[Array, "N"]) -> Any:
        """The caches of both."""
        return self.reference.start(s), self.factor.start(s)

    def log_ratio(self, cache: PyTree, s: Shaped[Array, "N"], sites: Int[Array, "F"]) -> Num[Array, ""]:
        """ln ψ(s')/ψ(s)."""
        return self.reference.log_ratio(cache[0], s, sites) + self.factor.log_ratio(cache[1], s, sites)

    def flip(self, cache: PyTree, s: Shaped[Array, "N"], sites: Int[Array, "F"]) -> Any:
        """The caches of s'."""
        return self.reference.flip(cache[0], s, sites), self.factor.flip(cache[1], s, sites)

    def factors(self, samples: Shaped[Array, "S N"]) -> Any:
        """The per-sample derivatives of both."""
        return type(self)(self.reference.factors(samples), self.factor.factors(samples))


def correlated(reference: LogAmplitude, factor: LogAmplitude) -> Correlated:
    """ψ = factor · reference.

    Raises InputError where their sizes differ, or a part has no log-amplitude.

    >>> import jax, intertwine as it
    >>> from intertwine.models.fermions.slater import Slater
    >>> from intertwine.models.jastrow import Jastrow
    >>> space = it.Fermions(it.Chain(6), (3, 3))
    >>> psi = correlated(Slater(space), Jastrow(12, key=jax.random.key(0)))
    >>> psi.kind, psi.size
    ('signed', 12)
    """
    for name, part in (("reference", reference), ("factor", factor)):
        if not callable(part) or not hasattr(part, "kind") or not hasattr(part, "size"):
            raise fail(name, "a model with size, kind and a call", part)
    if not hasattr(reference, "filling"):
        raise fail("reference", "a wave function of fermions", type(reference).__name__, "as Slater(space)")
    if reference.size != factor.size:
        raise fail("factor", f"one of {reference.size} modes, as the reference has", f"one of {factor.size}")
    both = all(isinstance(x, Incremental) and isinstance(x, Factored) for x in (reference, factor))
    return (IncrementalCorrelated if both else Correlated)(reference, factor)
