"""What a classifying run says of the quantities that gradient flow of its network conserves.

The run learns with AdamW, whose steps are not along the gradient: laws of the flow are broken by it, and by
how much is what is shown.
"""

from __future__ import annotations

from typing import Any

from intertwine.geometry.conservation.training.laws import TrainingLaws
from intertwine.learning.study import Scalars

MOST = 40
"""Formulas that are written down."""


def conserved_record(laws: TrainingLaws, history: list[Scalars]) -> dict[str, Any]:
    """The entry `conserved` of result.json."""
    drift = [row["conserved_drift"] for row in history if "conserved_drift" in row]
    return {
        "laws": len(laws.coefficients),
        "independent": laws.independent,
        "formulas": list(laws.formulas[:MOST]),
        "drift": drift[-1] if drift else None,
        "gap": min(float(laws.null.gap), 1e300),
        "warnings": list(laws.warnings),
    }


def conserved_words(found: dict[str, Any]) -> str:
    """A line of the headline.

    >>> conserved_words({"laws": 4, "independent": 3, "drift": 0.25})
    'gradient flow conserves 4 quantities, 3 independent; AdamW changed them by up to 25 % of their terms'
    """
    if not found["laws"]:
        return "gradient flow of this network conserves no linear or quadratic quantity that was looked for"
    counted = f"gradient flow conserves {found['laws']} quantities, {found['independent']} independent"
    if found["drift"] is None:
        return counted
    return f"{counted}; AdamW changed them by up to {100 * found['drift']:.2g} % of their terms"
