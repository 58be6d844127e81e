"""What is blocked: a spin model with its sampler, or configurations that were drawn before."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jaxtyping import PyTree

from intertwine._caveats import caveat
from intertwine._checks import fail
from intertwine.models.spins.ising import Ising
from intertwine.models.spins.potts import Clock, Potts
from intertwine.sampling.draw import frustrating
from intertwine.spaces.lattice import Lattice

if TYPE_CHECKING:
    from intertwine.sampling.protocols import Sampler

OWN_BONDS = "every bond has a coupling of its own"


@dataclass(frozen=True, eq=False)
class SpinSystem:
    """model, sampler: None where `configurations` are given, (chains, draws, N) in equilibrium. states: q of
    Potts and clock states, None for spins ±1. coupling: K of nearest neighbours, NaN where there is no one
    number. field: whether there is one. uniform: whether all sites and bonds are alike by translation.
    """

    lattice: Lattice
    states: int | None
    clock: bool
    model: Any = None
    sampler: Any = None
    configurations: np.ndarray | None = None
    coupling: float = math.nan
    field: bool = False
    uniform: bool = True

    @classmethod
    def of(cls, model: PyTree, sampler: Sampler) -> SpinSystem:
        """The system of an `Ising`, `Potts` or `Clock` model, drawn by `sampler`."""
        if not is_spin_model(model):
            raise fail("model", "a spin model, such as it.Ising(it.Square(64, 64), K=0.44)", model)
        return cls(
            model.lattice,
            None if isinstance(model, Ising) else model.states,
            isinstance(model, Clock),
            model,
            sampler,
            coupling=float(model.coupling) if model.coupling.ndim == 0 else math.nan,
            field=bool(np.asarray(getattr(model, "field", 0.0)).any()),
            uniform=is_uniform(model),
        )

    @property
    def chains(self) -> int:
        """How many chains of configurations there are."""
        return self.sampler.chains if self.configurations is None else len(self.configurations)

    @property
    def matchable(self) -> bool:
        """Whether its couplings are numbers by family, of spins ±1, that moments determine."""
        if self.states is not None or not self.uniform:
            return False
        return self.model is None or self.model.coupling.ndim == self.model.field.ndim == 0

    @property
    def caveats(self) -> tuple[str, ...]:
        """What to beware of in the system itself."""
        said = [] if self.model is None else list(frustrating(self.model, self.sampler))
        if not self.uniform:
            words = f"{OWN_BONDS}: block spins have no one Hamiltonian by families, and"
            said.append(caveat("assumption", f"{words} y_T and y_H of one such system are no exponents"))
        K = self.coupling if self.model is None else float(np.asarray(self.model.coupling).max())
        if K < 0:
            words = (
                "with K < 0 neighbours are opposite: blocks of an even side sum that order to zero, and y_H"
            )
            said.append(caveat("assumption", f"{words} is that of the uniform field; majority:3 keeps it"))
        return tuple(said)


def is_spin_model(model: PyTree) -> bool:
    """Whether `model` is one that is sampled here."""
    return isinstance(model, Ising | Potts | Clock)


def with_coupling(model: PyTree, K: float) -> Any:
    """The model with another coupling of nearest neighbours, a number, and all else as it is."""
    return eqx.tree_at(lambda m: m.coupling, model, jnp.asarray(K, model.coupling.dtype))


def is_uniform(model: PyTree) -> bool:
    """Whether all fields are the same, and the couplings of bonds that translations lead into one another.

    >>> from intertwine.spaces.lattices import Square
    >>> lattice = Square(4, 4)
    >>> along = np.ptp(lattice.bonds() // 4, axis=1) > 0
    >>> is_uniform(Ising(lattice, np.where(along, 0.4, 0.2))), is_uniform(Ising(lattice, np.arange(32.0)))
    (True, False)
    """
    if getattr(model, "field", np.zeros(())).ndim and np.ptp(np.asarray(model.field)) > 0:
        return False
    if model.coupling.ndim == 0:
        return True
    classes, K = bond_classes(model.lattice), np.asarray(model.coupling, np.float64)
    return all(np.ptp(K[classes == number]) == 0 for number in range(classes.max() + 1))


def bond_classes(lattice: Lattice) -> np.ndarray:
    """int (B,): one number for all of `lattice.bonds()` that translations by whole cells lead into one
    another."""
    bonds, extent = lattice.bonds(), np.array(lattice.extent)
    cells = np.stack(np.unravel_index(bonds // lattice.basis_size, lattice.extent), -1)
    sites, shift = bonds % lattice.basis_size, cells[:, 1] - cells[:, 0]
    ways = [
        np.column_stack([pair, np.where(lattice.periodic, way % extent, way)])
        for pair, way in ((sites, shift), (sites[:, ::-1], -shift))
    ]
    rows = [min(a, b) for a, b in zip(*(way.tolist() for way in ways), strict=True)]
    return np.unique(np.array(rows), axis=0, return_inverse=True)[1].reshape(-1)
