"""Autoregressive wave functions by name: see `models.names`."""

from __future__ import annotations

from typing import Any

from jax import Array
from jax.typing import DTypeLike

from intertwine._checks import fail
from intertwine.models.autoregressive.causal_transformer import CausalTransformer
from intertwine.models.autoregressive.masked_convolution import MaskedConvolution
from intertwine.models.autoregressive.masked_dense import MaskedDense
from intertwine.models.autoregressive.places import space_at
from intertwine.models.autoregressive.recurrent import CELLS, RecurrentNetwork
from intertwine.models.autoregressive.symmetrised_density import SymmetrisedDensity
from intertwine.spaces.hilbert.hilbert_space import HilbertSpace
from intertwine.spaces.hilbert.place import Place

_KINDS: dict[str, Any] = {
    "masked-dense": MaskedDense,
    "masked-conv": MaskedConvolution,
    "recurrent": RecurrentNetwork,
    "causal-transformer": CausalTransformer,
}
AUTOREGRESSIVE = tuple(_KINDS)
"""Families that draw themselves, in a Hilbert space."""
AUTOREGRESSIVE_NAMES = (
    "masked-dense:LAYERSxFEATURES",
    "masked-conv:LAYERSxFEATURES",
    "recurrent:LAYERSxFEATURES",
    "recurrent:LAYERSxFEATURES:tensor",
    "causal-transformer:LAYERSxFEATURES",
)
_AVERAGED = frozenset({"translations", "even", "odd"})
AUTOREGRESSIVE_OPTIONS = {
    family: _AVERAGED | set(CELLS) if family == "recurrent" else _AVERAGED for family in AUTOREGRESSIVE
}


def autoregressive_model(
    name: str,
    where: Place | HilbertSpace | int,
    layers: int,
    features: int,
    options: frozenset[str],
    *,
    dtype: DTypeLike,
    key: Array,
) -> Any:
    """The model of a checked name in the Hilbert space `where`, or that of spins ½ on a lattice.

    >>> import jax
    >>> key = jax.random.key(0)
    >>> psi = autoregressive_model("recurrent", 4, 1, 3, frozenset({"even"}), dtype=float, key=key)
    >>> type(psi).__name__, psi.model.cell
    ('SymmetrisedDensity', 'gru')
    """
    space = space_at(where)
    cell = next(iter(options & set(CELLS)), None)
    chosen = {} if cell is None else {"cell": cell}
    found = _KINDS[name.partition(":")[0]](space, layers, features, dtype=dtype, key=key, **chosen)
    flip = 1 if "even" in options else -1 if "odd" in options else None
    group = None
    if "translations" in options:
        group = getattr(space.place, "translations", None)
        if group is None:
            raise fail("model", "a lattice with translations", repr(space.place), "leave :translations out")
    return found if group is None and flip is None else SymmetrisedDensity(found, group, spin_flip=flip)
