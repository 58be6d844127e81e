"""What a learning run shows while it goes on: likelihood, reconstruction, time left."""

from __future__ import annotations

from typing import Any


class Words:
    """Describes a line; remembers the last likelihood, which not every line has, and of which step it is.

    >>> words = Words(None)
    >>> words({"step": 0, "log_likelihood": -20.123, "log_likelihood_error": 0.2, "stage": "joint"})
    'joint  log-likelihood −20.12 ± 0.20'
    >>> words({"step": 1, "reconstruction_error": 0.04, "pseudo_likelihood": -17.0})
    'log-likelihood −20.12 ± 0.20 at step 1  pseudo −17.00  reconstruction 0.0400'
    """

    def __init__(self, best: float | None):
        self.best, self.likelihood, self.step = best, "", 0

    def __call__(self, record: dict[str, Any]) -> str:
        value, error = record.get("log_likelihood"), record.get("log_likelihood_error")
        if value is not None:
            self.likelihood = f"log-likelihood {value:.2f}" + (f" ± {error:.2f}" if error is not None else "")
            self.likelihood += f" (best {self.best:.2f})" if self.best is not None else ""
            self.step = record.get("step", 0) + 1
        old = f" at step {self.step}" if value is None else ""
        words = [self.likelihood + old] if self.likelihood else []
        for name, label, digits in (
            ("pseudo_likelihood", "pseudo", 2),
            ("reconstruction_error", "reconstruction", 4),
        ):
            if record.get(name) is not None:
                words.append(f"{label} {record[name]:.{digits}f}")
        if record.get("stage"):
            words.insert(0, str(record["stage"]))
        return "  ".join(words).replace(" -", " −")
