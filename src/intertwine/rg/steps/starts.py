"""The couplings from which flows begin: evenly around one."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float


def around(K: float, number: int, spread: float) -> Float[np.ndarray, " number"]:
    """`number` couplings between (1 − spread) K and (1 + spread) K, K itself left out.

    >>> around(1.0, 4, 0.2).tolist()
    [0.8, 0.9, 1.1, 1.2]
    """
    below = np.linspace(1 - spread, 1, number - number // 2, endpoint=False)
    above = np.linspace(1 + spread, 1, number // 2, endpoint=False)
    return K * np.concatenate([below, above[::-1]])
