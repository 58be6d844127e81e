"""Results that print themselves: `print`, a prompt and a notebook show the same."""

from __future__ import annotations

import math


class Shown:
    """A dataclass with `repr=False` and a `__str__` of a few lines, instead of all its arrays.

    >>> class Found(Shown):
    ...     def __str__(self):
    ...         return "K_c = 0.4407"
    >>> Found()
    K_c = 0.4407
    """

    def __repr__(self) -> str:
        return str(self)


def with_error(value: float, error: float, digits: str = ".4f", of_error: str = "") -> str:
    """A number and its standard error, formatted by `digits` (the error by `of_error`, where it has a format
    of its own); an error that is not known is a question mark, a number that is not known a dash.

    >>> with_error(1.0, 0.01), with_error(1.0, math.nan, "+.2f"), with_error(math.nan, 0.01)
    ('1.0000 ± 0.0100', '+1.00 ± ?', '—')
    """
    if not math.isfinite(value):
        return "—"
    error_digits = of_error or digits[digits.index(".") :]
    return f"{value:{digits}} ± " + (f"{error:{error_digits}}" if math.isfinite(error) else "?")
