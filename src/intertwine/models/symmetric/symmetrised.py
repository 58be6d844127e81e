r"""Any model, projected onto a symmetry sector.

    ψ(s) = Σ_g χ(g) ψ₀(g⁻¹ s)

with a one-dimensional character χ has ψ(g s) = χ(g) ψ(s) exactly (Choo, Carleo, Regnault & Neupert, PRL 121,
167204 (2018); Nomura, J. Phys.: Condens. Matter 33, 174003 (2021)). With the character of an irrep of
dimension d, (d/|G|) Σ_g χ(g) ψ₀(g⁻¹s) is the projector onto its sector, and with a diagonal matrix element
D_ii of a unitary irrep the one onto row i; the constant factor is left out. With `spin_flip` = ±1 the sum
runs over g and g·(s → −s), and ψ(−s) = ±ψ(s).

A wave function of fermions keeps its signs: (g ψ₀)(n) is ψ₀(g⁻¹n) times the sign of the order of the fermions
(`fermions.images`), g moves the sites of every species, and `spin_flip` turns the spins of electrons, up to
down: 1 is an even total spin, −1 an odd one.

It costs |G| evaluations of ψ₀, or |G|/|T| where ψ₀ itself is the same under a subgroup T, as it says by its
`permutations`: one for each coset gT, with the weight Σ_{t∈T} χ(gt). Models with weights tied by the group
(`SymmetricRBM`, `GCNN`) say the same with fewer parameters; this one serves every other model, also a user's
own.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from jaxtyping import Int, Num, Shaped
from numpy.typing import ArrayLike

from intertwine._checks import fail
from intertwine.models.fermions.filling import Filling, filling_of
from intertwine.models.fermions.forms import DeterminantForm, has_determinants
from intertwine.models.fermions.hops import where_fits
from intertwine.models.fermions.images import (
    Images,
    image_lists,
    images,
    mode_group,
    projected_form,
    sorting_signs,
)
from intertwine.models.machines.hidden_units import check_configuration
from intertwine.models.numerics import log_weighted_sum
from intertwine.models.protocols import Kind
from intertwine.models.results import as_model
from intertwine.models.symmetric.cosets import Cosets, cosets_of
from intertwine.models.symmetric.site_group import Coefficients, irreducible_coefficients, site_group
from intertwine.models.units import as_spins
from intertwine.symmetry.groups.permutation_group import PermutationGroup

if TYPE_CHECKING:
    from intertwine.models.protocols import LogAmplitude
    from intertwine.spaces.hilbert.hilbert_space import HilbertSpace
    from intertwine.spaces.lattice import Lattice

_ROUNDING = 1000.0
_BATCH = 4096


class Symmetrised(eqx.Module):
    """ψ(s) = Σ_g χ(g) ψ₀(g⁻¹ s) for any model ψ₀ of N sites; (g s)[p_g[i]] = s[i].

    model: a wave function with `size`, `kind` and a call. group: a `PermutationGroup` of its sites, or a
    lattice for its space group; of fermions, of their sites or their modes. character: (order,) numbers, a
    one-dimensional character, the character of an irrep, or a diagonal matrix element of a unitary one
    (`sectors.sector`); None: 1. spin_flip: 1, −1 or None. space: the Hilbert space, for networks of fermions
    that do not know it; models of `fermions` do.

    Real models stay real (and positive) for the trivial character; else log ψ is complex, and holomorphic
    where ψ₀ is. Raises InputError for what does not fit together.

    >>> from intertwine.models.machines.rbm import RBM
    >>> ring = PermutationGroup.generate([[1, 2, 3, 0]])
    >>> psi = Symmetrised(RBM(4, hidden=3, scale=0.5, key=jax.random.key(0)), ring, [1, -1, 1, -1])
    >>> s = jnp.array([1, 1, -1, 1])
    >>> bool(abs(jnp.exp(psi(jnp.roll(s, 1)) - psi(s)) + 1) < 1e-3)
    True
    """

    model: Any
    symmetry: PermutationGroup = eqx.field(static=True)
    coefficients: Coefficients = eqx.field(static=True)
    cosets: Cosets = eqx.field(static=True)
    spin_flip: int | None = eqx.field(static=True)
    filling: Filling | None = eqx.field(static=True)
    images: Images | None = eqx.field(static=True)

    def __init__(
        self,
        model: LogAmplitude,
        group: Lattice | PermutationGroup,
        character: ArrayLike | None = None,
        *,
        spin_flip: int | None = None,
        space: HilbertSpace | None = None,
    ):
        model = as_model(model)
        if not callable(model) or not hasattr(model, "kind") or not hasattr(model, "size"):
            raise fail(
                "model", "a model with size, kind and a call", model, "wrap a function with FunctionAmplitude"
            )
        if spin_flip not in (None, 1, -1) or isinstance(spin_flip, bool):
            raise fail("spin_flip", "None, 1 or -1", spin_flip)
        self.model = as_spins(model)
        self.symmetry = site_group(group)
        self.filling = getattr(model, "filling", None) if space is None else filling_of(space)
        if self.filling is not None:
            self.symmetry = mode_group(self.symmetry, model.size)
        if self.symmetry.size != model.size:
            got = f"permutations of {self.symmetry.size} sites"
            raise fail("group", f"permutations of the model's {model.size} sites", got)
        self.coefficients = irreducible_coefficients(character, self.symmetry)
        own = None if self.filling is not None else getattr(self.model, "permutations", None)
        self.cosets = cosets_of(self.symmetry, self.coefficients, own)
        self.spin_flip = spin_flip
        self.images = None
        if self.filling is not None:
            self.images = images(self.filling, self.symmetry, exchange_species=spin_flip is not None)

    @property
    def size(self) -> int:
        """The number of sites N."""
        return self.model.size

    @property
    def kind(self) -> Kind:
        if self.model.kind == "signed" or (self.model.kind == "real" and self.filling is not None):
            return "complex" if np.iscomplexobj(self.coefficients.values) else "signed"
        if self.model.kind != "real":
            return self.model.kind
        return "real" if self.coefficients.trivial and self.spin_flip != -1 else "complex"

    @property
    def evaluation_batch(self) -> int:
        """Configurations that are best evaluated at once."""
        return max(1, _BATCH // len(self.cosets.weights))

    def __call__(self, s: Shaped[Array, "N"]) -> Num[Array, ""]:
        """log ψ of one configuration (N,) of spins ±1."""
        check_configuration(s, self.size)
        if self.filling is not None:
            return where_fits(self.filling, s, self.ordered(self.filling.occupied(s), s))
        moved = s[jnp.asarray(self.symmetry.permutations[list(self.cosets.rows)])]  # g⁻¹s
        weights = np.asarray(self.cosets.weights)
        if self.spin_flip is not None:
            moved = jnp.concatenate([moved, -moved])
            weights = np.concatenate([weights, self.spin_flip * weights])
        logs = jax.vmap(self.model)(moved)
        if self.kind == "real":
            return jax.nn.logsumexp(logs) + math.log(self.cosets.alike)
        real = jnp.finfo(logs.dtype).dtype
        dtype = jnp.result_type(real, jnp.complex64) if np.iscomplexobj(weights) else real
        return log_weighted_sum(logs, jnp.asarray(weights, dtype), _ROUNDING)

    # fermions

    def ordered(self, modes: Int[Array, "n"], s: Shaped[Array, "N"]) -> Num[Array, ""]:
        """ln ψ of occupied modes in this order, species after species, s their configuration."""
        filling = self.filling
        assert filling is not None and self.images is not None
        lists = image_lists(self.images, modes)
        weights = self._weights()
        moved = jax.vmap(lambda own: filling.configuration(own, s))(lists)
        if hasattr(self.model, "ordered"):
            logs = jax.vmap(self.model.ordered)(lists, moved)
        else:
            logs = jax.vmap(self.model)(moved) + jax.vmap(lambda own: sorting_signs(filling, own))(lists)
        real = jnp.finfo(logs.dtype).dtype
        dtype = jnp.result_type(real, jnp.complex64) if np.iscomplexobj(weights) else real
        return log_weighted_sum(logs, jnp.asarray(weights, dtype), _ROUNDING)

    def _weights(self) -> np.ndarray:
        """The coefficient of each image, with the sign of exchanged species."""
        assert self.images is not None
        weights = self.coefficients.values
        if self.spin_flip is not None:
            weights = np.concatenate([weights, self.spin_flip * weights])
        return weights * self.images.signs

    @property
    def has_determinants(self) -> bool:
        simple = has_determinants(self.model) and not hasattr(self.model, "factor")
        return self.filling is not None and simple

    def determinant_form(self) -> DeterminantForm:
        """A determinant for each element of the group."""
        assert self.images is not None
        weights = self._weights() * self.images.signs
        return projected_form(self.model.determinant_form(), self.images, weights)
