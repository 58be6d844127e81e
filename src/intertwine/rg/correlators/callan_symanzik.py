r"""β(K) and γ(K) of the Callan-Symanzik equation, from exact correlators or from samples.

    [r ∂/∂r − β(K) ∂/∂K + 2γ(K)] G(r, K) = 0,      β = dK/dl towards large scales

If one running coupling tells all of a system's long distances, then two numbers at each K satisfy this
equation at every r (`equation`). β changes its sign at a critical point with the slope y_T = 1/ν, and there
2γ = d − 2 + η, the exponent of G. What is left is told beside them: a residual that chance does not explain
says that one beta function does not do.

Known: the Ising chain, β = sinh K cosh K ln tanh K and γ = 0; the square lattice, β = ½ tanh 2K ln sinh 2K
from the diagonal correlation length (Onsager, Phys. Rev. 65, 117, 1944), with slope 1 and γ = 1/8 at K_c.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

import numpy as np
from numpy.typing import ArrayLike

from intertwine._caveats import tell
from intertwine._checks import fail
from intertwine.rg.correlators.exact_rows import of_exact
from intertwine.rg.correlators.result import CallanSymanzik
from intertwine.rg.correlators.rows import numbers
from intertwine.rg.correlators.sampled_rows import of_samples
from intertwine.rg.correlators.spin_correlations import SpinCorrelations, spin_correlations
from intertwine.spaces.lattice import Lattice


def callan_symanzik(
    correlations: ArrayLike | SpinCorrelations | Sequence[object],
    couplings: ArrayLike | None = None,
    distances: ArrayLike | None = None,
    *,
    derivatives: ArrayLike | None = None,
    window: ArrayLike | None = None,
    lattice: Lattice | None = None,
    bins: int | None = None,
) -> CallanSymanzik:
    """β(K), γ(K), their errors and what the equation leaves, by least squares over a window of distances.

    correlations: with `distances` exact correlators G, (n, R), a row a coupling (or (R,), of one). Without,
    samples: configurations that were drawn at one coupling (see `spin_correlations`), what `it.sample` drew,
    or `SpinCorrelations`, or a sequence of n of these. couplings: K, (n,) or one number; left out where
    `SpinCorrelations` bring theirs along. distances: r, (R,), increasing. derivatives: ∂G/∂K, like G; None
    takes differences between the rows, which are best in the middle: zeros are read without the first and
    the last of five rows and more. window: (first, last) r of the fit; None: from r = 8 on, of samples
    from side/16 to side/5 of the lattice (`rg.correlators.windows`). lattice: of bare arrays of spins. bins:
    of samples, for the jackknife.

    What qualifies the numbers is in `warnings`, and told as a Python warning: residuals beyond chance,
    lattices that are short compared with ξ, windows whose choice matters, chains that have not mixed.

    Raises InputError for arrays that do not fit one another, correlators that are not positive in the window,
    and one row without derivatives.

    >>> K, r = np.array([0.69, 0.7, 0.71]), np.arange(1.0, 13.0)
    >>> t, slope = np.tanh(K)[:, None], 1 / np.cosh(K)[:, None] ** 2
    >>> found = callan_symanzik(t**r, K, r, derivatives=r * t ** (r - 1) * slope)        # the Ising chain
    >>> round(float(found.beta[1]), 9), bool(abs(found.gamma[1]) < 1e-9), bool(found.residual.max() < 1e-9)
    (-0.479476804, True, True)
    """
    if distances is None:
        if derivatives is not None:
            raise fail("derivatives", "None of samples, whose ∂G/∂K is a covariance", derivatives)
        found = of_samples(_all_sampled(correlations, couplings, lattice, bins), window)
    else:
        found = of_exact(correlations, couplings, distances, derivatives, window)
    tell(found.warnings)
    return found


def _all_sampled(
    correlations: object, couplings: object, lattice: Lattice | None, bins: int | None
) -> list[SpinCorrelations]:
    given = list(correlations) if isinstance(correlations, list | tuple) else [correlations]
    if couplings is None:
        if not all(isinstance(one, SpinCorrelations) for one in given):
            raise fail("couplings", "the coupling at which each set of samples was drawn", None)
        return sorted(cast(list[SpinCorrelations], given), key=lambda one: one.coupling)
    K = np.atleast_1d(numbers("couplings", couplings))
    if K.shape != (len(given),):
        remedy = "several sets of samples are a list; exact correlators come with their distances"
        raise fail("couplings", f"{len(given)} numbers, one a set of samples", couplings, remedy)
    if len(np.unique(K)) < len(K):
        raise fail("couplings", "each coupling once", couplings)
    found = []
    for one, at in zip(given, K.tolist(), strict=True):
        if isinstance(one, SpinCorrelations) and one.coupling != at:
            raise fail("couplings", f"{one.coupling}, at which these were measured", at, "leave it out")
        ready = isinstance(one, SpinCorrelations)
        measured = cast(ArrayLike, one)
        found.append(one if ready else spin_correlations(measured, at, lattice=lattice, bins=bins))
    return sorted(found, key=lambda one: one.coupling)
