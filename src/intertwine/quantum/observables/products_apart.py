r"""Connected correlators ⟨AB⟩ − ⟨A⟩⟨B⟩ from one set of samples, with the error of the difference.

    C = mean(ab) − mean(a) mean(b),      δC_i = ab_i − ⟨B⟩ a_i − ⟨A⟩ b_i

with the local values a, b, ab on the same configurations: the fluctuations of ⟨AB⟩ and of the product largely
cancel, and the error is that of the series δC, autocorrelation included.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import jax.numpy as jnp
import numpy as np
from jax import Array
from jaxtyping import PyTree

from intertwine._caveats import tell
from intertwine._checks import positive_int
from intertwine.quantum.confined import confined
from intertwine.quantum.entanglement.drawn import Drawn, draw
from intertwine.quantum.operators.operator import Operator
from intertwine.quantum.vmc.energy import qualified
from intertwine.quantum.vmc.local_energy import check_sizes, local_values
from intertwine.sampling.sharding import on_host
from intertwine.sampling.statistics.estimate import Estimate, estimate

if TYPE_CHECKING:
    from intertwine.sampling.protocols import Sampler


def connected(
    A: Operator,
    B: Operator,
    model: PyTree,
    samples: int = 4096,
    *,
    key: Array,
    sampler: Sampler | None = None,
) -> Estimate:
    """⟨AB⟩ − ⟨A⟩⟨B⟩ in the state `model`, with the error of the difference.

    A, B: operators on its sites, written in any frame. model, samples, sampler: as of `it.expect`. Real where
    the product is Hermitian, else complex.

    >>> import jax, intertwine as it
    >>> flat = it.models.MeanField(4, scale=0.0, key=jax.random.key(0))
    >>> Z = [it.Operator.from_strings(4, [(1.0, {i: "Z"})]) for i in range(2)]
    >>> apart = connected(*Z, flat, samples=1024, key=jax.random.key(1))
    >>> bool(abs(apart.mean) < 4 * apart.error < 0.2)
    True
    """
    positive_int("samples", samples, "give the number of configurations, for example 4096")
    product = A @ B
    drawn = draw(model, samples, key, sampler)
    check_sizes(product, drawn.model)
    a, b, ab = (local_series(operator, drawn) for operator in (A, B, product))
    mean = ab.mean() - a.mean() * b.mean()
    series = ab - b.mean() * a - a.mean() * b
    hermitian = product.is_hermitian
    series = np.real(series) if hermitian else series
    found = qualified(estimate(series), series)
    value = np.float64(np.real(mean)) if hermitian else np.complex128(mean)
    found = found._replace(mean=value).noted([*found.notes, *drawn.notes])
    tell(found.warnings)
    return found


def local_series(operator: Operator, drawn: Drawn) -> np.ndarray:
    """Local values of an operator on the configurations drawn, (chains, draws), in their frame and space."""
    if drawn.turned is not None:
        operator = operator.in_frame(drawn.turned)
    operator = confined(operator, drawn.magnetizations)
    flat = jnp.asarray(drawn.configurations.reshape(-1, drawn.size))
    return on_host(local_values(operator, drawn.model, flat)).reshape(drawn.configurations.shape[:2])
