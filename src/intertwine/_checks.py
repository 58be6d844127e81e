"""The wording of every error at the edge of the library, in one place.

An error names the argument, what was expected, what came, and what to do:

    hidden: expected a positive integer, got -3; give the number of hidden units, for example hidden=2*N.

`InputError` is a `ValueError`, so callers that catch `ValueError` keep working; the command line turns it
into one line and exit code 2.
"""

from __future__ import annotations

import math
import numbers
import re
from typing import TYPE_CHECKING, Any, SupportsFloat

if TYPE_CHECKING:
    from numpy.typing import ArrayLike


class InputError(ValueError):
    """Something given to the library is not what it expects; the message says what to do."""


def fail(argument: str, expected: str, got: object, remedy: str = "") -> InputError:
    """The error for `argument`, to be raised by the caller.

    >>> raise fail("hidden", "a positive integer", -3, "give how many there are")
    Traceback (most recent call last):
    ...
    intertwine._checks.InputError: hidden: expected a positive integer, got -3; give how many there are.
    """
    shown = " ".join((got if isinstance(got, str) else shown_value(got)).split())  # one line
    shown = shown if len(shown) <= 200 else shown[:197] + "..."
    tail = f"; {remedy.rstrip('.')}" if remedy else ""
    return InputError(f"{argument}: expected {expected}, got {shown}{tail}.")


def shown_value(got: object) -> str:
    """What came, in a word or two: numbers, words and small things as they are written, arrays by shape and
    type, and what holds arrays (models, runs) by the name of its type.

    >>> shown_value(0.5), shown_value([1, 2]), shown_value("a")
    ('0.5', '[1, 2]', "'a'")
    >>> import numpy as np
    >>> shown_value(np.zeros((2, 3), np.float32)), shown_value({"x": np.zeros(3)})
    ('an array of shape (2, 3) and type float32', 'dict')
    """
    extent = getattr(got, "shape", None)
    if isinstance(extent, tuple) and hasattr(got, "dtype"):
        text, kind = repr(got), getattr(got, "dtype", None)
        return text if extent == () and "\n" not in text else f"an array of shape {extent} and type {kind}"
    if isinstance(got, type) or hasattr(got, "__name__"):
        return repr(got)
    text = repr(got)
    return type(got).__name__ if _HOLDS_ARRAYS.search(text) or len(text) > _LONG else text


_HOLDS_ARRAYS = re.compile(r"\barray\(|\bArray\(|\b(?:f|bf|c|i|u|bool|key<\w+>)\d*\[", re.ASCII)
"""What arrays look like in the text of what holds them, also as equinox writes them."""
_LONG = 200


def positive_int(argument: str, value: Any, remedy: str = "") -> int:
    """`value` as an int ≥ 1, or the error that says so (a bool is not a number here)."""
    try:
        as_int = int(value)
        ok = not isinstance(value, bool) and as_int == value and as_int >= 1
    except (TypeError, ValueError, OverflowError):
        ok = False
    if not ok:
        raise fail(argument, "a positive integer", value, remedy)
    return as_int


def positive_number(argument: str, value: object, remedy: str = "") -> float:
    """`value` as a finite float above 0, or the error that says so (a bool is not a number here)."""
    number = math.nan
    if isinstance(value, numbers.Real) and isinstance(value, SupportsFloat):
        number = float(value)
    if isinstance(value, bool) or not 0 < number < math.inf:
        raise fail(argument, "a positive number", value, remedy)
    return number


def finite_number(argument: str, value: object, remedy: str = "") -> float:
    """`value` as a finite float, or the error that says so (a bool is not a number here)."""
    number = math.nan
    if isinstance(value, numbers.Real) and isinstance(value, SupportsFloat):
        number = float(value)
    if isinstance(value, bool) or not math.isfinite(number):
        raise fail(argument, "a finite number", value, remedy)
    return number


def one_of(argument: str, value: str, choices: tuple[str, ...], remedy: str = "") -> str:
    """`value` if it is one of `choices`, or the error that lists them."""
    if value not in choices:
        raise fail(argument, "one of " + ", ".join(repr(c) for c in choices), value, remedy)
    return value


def shape(argument: str, array: ArrayLike, expected: tuple[int | str, ...], remedy: str = "") -> None:
    """Raise unless `array.shape` matches `expected`; a string in `expected` names a free axis."""
    actual = tuple(getattr(array, "shape", ()))
    fits = len(actual) == len(expected) and all(
        isinstance(want, str) or want == have for want, have in zip(expected, actual, strict=True)
    )
    if not fits:
        wanted = "(" + ", ".join(str(e) for e in expected) + ("," if len(expected) == 1 else "") + ")"
        raise fail(argument, f"an array of shape {wanted}", f"shape {actual}", remedy)
