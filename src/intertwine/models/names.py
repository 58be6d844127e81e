r"""Models by name, as the command line and configurations write them.

rbm:ALPHA                             RBM with ALPHA·N hidden units
symmetric-rbm:FEATURES                weights tied by the lattice's space group
symmetric-rbm:FEATURES:translations   weights tied by its translations only
jastrow                               a coupling for every pair
mean-field                            a product state
"""

from __future__ import annotations

import math
from typing import Any

from jax import Array

from intertwine._checks import fail
from intertwine.models.jastrow import Jastrow
from intertwine.models.mean_field import MeanField
from intertwine.models.rbm import RBM
from intertwine.models.symmetric_rbm import SymmetricRBM

MODEL_NAMES = (
    "rbm:ALPHA",
    "symmetric-rbm:FEATURES",
    "symmetric-rbm:FEATURES:translations",
    "jastrow",
    "mean-field",
)
_LARGEST = 1000


def check_model_name(name: Any) -> tuple[str, float, str]:
    """The parts of a name: family, number (0 where there is none), group; InputError if it is none.

    >>> check_model_name("symmetric-rbm:4:translations")
    ('symmetric-rbm', 4.0, 'translations')
    """
    if not isinstance(name, str):
        raise _unknown(name)
    family, *rest = name.strip().split(":")
    if family in ("jastrow", "mean-field") and not rest:
        return family, 0.0, ""
    if family not in ("rbm", "symmetric-rbm") or not 1 <= len(rest) <= (1 if family == "rbm" else 2):
        raise _unknown(name)
    try:
        number = float(rest[0])
    except ValueError:
        raise _unknown(name) from None
    group = rest[1] if len(rest) == 2 else "space"
    whole = family == "rbm" or number == math.floor(number) if math.isfinite(number) else False
    if not whole or not 0 < number <= _LARGEST or group not in ("space", "translations"):
        raise _unknown(name)
    return family, number, group if family == "symmetric-rbm" else ""


def model_from_name(name: str, lattice: Any, *, dtype: Any = float, key: Array) -> Any:
    """The model called `name` on `lattice`, with parameters of type `dtype`.

    Raises InputError, listing the names, for any other.

    >>> import jax
    >>> from intertwine.models.parameters import count_parameters
    >>> from intertwine.symmetry.permutation_group import PermutationGroup
    >>> ring = PermutationGroup.generate([[1, 2, 3, 0]])     # a lattice, or anything with a size
    >>> count_parameters(model_from_name("rbm:2", ring, key=jax.random.key(0)))       # 4 + 8 + 4·8
    44
    """
    family, number, group = check_model_name(name)
    if family == "rbm":
        return RBM(lattice.size, max(1, round(number * lattice.size)), dtype=dtype, key=key)
    if family == "symmetric-rbm":
        return SymmetricRBM(lattice, int(number), dtype=dtype, group=group, key=key)
    return (Jastrow if family == "jastrow" else MeanField)(lattice.size, dtype=dtype, key=key)


def _unknown(name: Any) -> Exception:
    return fail(
        "model",
        "one of " + ", ".join(MODEL_NAMES),
        name,
        f"ALPHA is a number and FEATURES a whole number, up to {_LARGEST}, as in rbm:2 and symmetric-rbm:4",
    )
