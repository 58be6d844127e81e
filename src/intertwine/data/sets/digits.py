"""scikit-learn's digits: 1,797 digits of 8 × 8 pixels, 17 grey levels (Alpaydin & Kaynak 1998)."""

from __future__ import annotations

from typing import Any

import numpy as np

from intertwine._checks import fail
from intertwine.data.dataset import Dataset


def digits(*, test_share: float = 0.1, seed: int = 0) -> Dataset:
    """The images as bytes (grey) with their labels; needs scikit-learn, which carries the data."""
    try:
        from sklearn.datasets import load_digits
    except ImportError:
        remedy = "pip install 'intertwine[sklearn]', or take data 'ising:8'"
        raise fail("data", "the package scikit-learn, which carries the digits", "none", remedy) from None
    stored: Any = load_digits()
    images = np.rint(np.asarray(stored.images) * (255.0 / 16.0)).astype(np.uint8)
    return Dataset.of(
        images, labels=np.asarray(stored.target), test_share=test_share, seed=seed, name="digits",
        source="scikit-learn",
    )  # fmt: skip
