"""Numbers as words: values with errors, relative errors, durations."""

from __future__ import annotations

import math

ABSENT = "not recorded"
_MINUS = "\N{MINUS SIGN}"


def _signed(text: str) -> str:
    return text.replace("-", _MINUS)


def plain(value: float | None, digits: int = 6) -> str:
    """A number with up to `digits` significant figures, powers of ten as such; `ABSENT` for None.

    >>> plain(-0.5), plain(2.5e-6, 2), plain(7260.0), plain(None)
    ('−0.5', '2.5 × 10⁻⁶', '7260', 'not recorded')
    """
    if value is None or not math.isfinite(value):
        return ABSENT
    if value == int(value) and abs(value) < 1e15:
        return _signed(str(int(value)))
    mantissa, _, exponent = f"{value:.{digits - 1}e}".partition("e")
    if -4 <= int(exponent) < digits:
        return _signed(f"{value:.{digits}g}")
    power = str(int(exponent)).translate(str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"))
    return _signed(f"{mantissa.rstrip('0').rstrip('.') if '.' in mantissa else mantissa} × 10{power}")


def with_error(mean: float | None, error: float | None) -> str:
    """A mean with its standard error, both to the second figure of the error.

    >>> with_error(-35.617454, 0.00012), with_error(-1.0, None), with_error(2.0, 0.0)
    ('−35.61745 ± 0.00012', '−1', '2 ± 0')
    >>> with_error(1.23456, math.nan)                                 # there is an error, but it is not known
    '1.235 ± ?'
    """
    if mean is None or not math.isfinite(mean):
        return ABSENT
    if error is not None and not math.isfinite(error):
        return f"{plain(mean, 4)} ± ?"
    if error is None or not 0 < error < math.inf:
        text = plain(mean, 10)
        return f"{text} ± 0" if error == 0 else text
    decimals = max(0, 1 - math.floor(math.log10(error)))
    if decimals > 12:
        return f"{plain(mean, 14)} ± {plain(error, 2)}"
    return _signed(f"{mean:.{decimals}f} ± {error:.{decimals}f}")


def duration(seconds: float | None) -> str:
    """A time in the units that a person would use.

    >>> duration(4.21), duration(75), duration(7322.0)
    ('4.2 s', '1 min 15 s', '2 h 2 min')
    """
    if seconds is None or not math.isfinite(seconds):
        return ABSENT
    if seconds < 60:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"
