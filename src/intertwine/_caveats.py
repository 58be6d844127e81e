"""Caveats, the conditions on a number, as data: the one rule for every result of the library.

A caveat is one line, `code: sentence`. The code says of which kind it is (`CODES`, the whole table); the
sentence names the number, what is wrong with it, and what to do. A result has its caveats in `warnings`, a
tuple of such lines, empty where nothing is to be said:

    in Python     result.warnings, shown by `print(result)`, and told once as a Python warning (`Caveat`)
    in a folder   "warnings" of result.json
    on the way    the terminal prints them beneath the headline, the report under its headline numbers

What cannot be judged is a caveat too ("unjudged"), and a verdict about it is None, neither True nor False.

>>> line = caveat("chains-disagree", "R-hat of the energy is 1.57 (1.05 at most): the chains have not mixed")
>>> line
'chains-disagree: R-hat of the energy is 1.57 (1.05 at most): the chains have not mixed'
>>> code_of(line)
'chains-disagree'
"""

from __future__ import annotations

import math
import warnings as python_warnings
from collections.abc import Iterable

R_HAT_LIMIT = 1.05
"""Above this, chains are said to disagree."""

CODES = {
    "assumption": "something that the method takes for granted does not hold here",
    "bad-fit": "a curve that is fitted does not describe its points",
    "below-baseline": "a model explains the data no better than the simplest one does",
    "below-mixture": "a mixture of a few products of columns explains the data better than a model does",
    "chains-disagree": "the chains give different answers: R-hat is large, or not all were met by all",
    "data": "what the data were taken for, and what was left out of them",
    "far-from-exact": "a value lies further from a known exact one than its error bar allows",
    "no-fixed-point": "the flow of couplings has not reached a fixed point: exponents mean nothing",
    "no-test-data": "the number is measured on what was learnt from",
    "not-converged": "an iteration was stopped before it had come to rest",
    "not-equivariant": "a network or layer does not commute with a group that it should commute with",
    "overfitting": "what was learnt from is fitted better than what was not",
    "unjudged": "there is not enough to judge by",
    "untrusted": "an estimate that its own checks do not support",
}
"""Every code, and what is said by it."""


class Caveat(UserWarning):
    """A result whose number is qualified: the lines of its `warnings`, as one Python warning."""


BASELINE_ERRORS = 3.0
"""So many standard errors below independent columns are told."""

LEAST_GAIN = 0.1
"""Share of the gain of a mixture of products below which nothing is learned beyond independent columns."""

SHORT_GAIN = 0.9
"""Share of that gain below which the mixture is told to be the better model."""

NOT_LEARNED = (
    "the machine has not learned the data; train longer, with a smaller learning rate, or with tempering"
)
"""Of rows below independent columns, where those learned from are not known to lie above."""

NOT_THESE = (
    "the machine beats them on the rows that it learned from, but not on these: it has learned those by "
    "heart (overfitting), or these are rows of another kind; more rows, fewer hidden units or epochs, or "
    "weight decay help"
)
"""Of rows below independent columns, where those learned from lie above."""


def caveat(code: str, sentence: str) -> str:
    """The line of one caveat. `code` is one of `CODES`."""
    assert code in CODES, f"{code!r} is not in the table of codes"
    return f"{code}: {' '.join(sentence.split()).rstrip('.')}"


def code_of(line: str) -> str:
    """The code of a caveat's line."""
    return line.partition(":")[0]


def sentence_of(line: str) -> str:
    """A caveat's line as a sentence for a page.

    >>> sentence_of("unjudged: one chain has no R-hat")
    'One chain has no R-hat.'
    """
    words = line.partition(": ")[2] if code_of(line) in CODES else line
    return f"{words[:1].upper()}{words[1:].rstrip('.')}."


def once(lines: Iterable[str]) -> list[str]:
    """The lines without repetitions, in their order."""
    return list(dict.fromkeys(lines))


def tell(lines: Iterable[str], category: type[Caveat] = Caveat, *, stacklevel: int = 2) -> None:
    """Say the caveats of a result as one Python warning, at the caller `stacklevel` frames up; nothing where
    there are none."""
    text = "; ".join(once(lines))
    if text:
        python_warnings.warn(text, category, stacklevel=stacklevel + 1)


def beneath(text: str, lines: Iterable[str]) -> str:
    """`text`, and a line `warning: …` for each caveat under it.

    >>> print(beneath("E = −1.0", ["unjudged: one chain has no R-hat"]))
    E = −1.0
    warning: unjudged: one chain has no R-hat
    """
    return "\n".join([text, *(f"warning: {line}" for line in lines)])


def below_baseline(
    mean: float, independent: float, error: float, learned: bool | None = None
) -> tuple[str, ...]:
    """The caveat of a log-likelihood that lies below that of independent columns by more than chance, from
    the means, nats per row, and the error of their difference.

    learned: whether the machine beats the columns on the rows that it learned from, to which these columns
    are fitted; None where they are fitted to the judged rows themselves, which is no verdict on learning.

    >>> below_baseline(-30.0, -40.0, 0.1), len(below_baseline(-192.0, -107.0, 0.1))
    ((), 1)
    """
    if not mean < independent - BASELINE_ERRORS * error - 1e-3:
        return ()
    words = f"the log-likelihood of {mean:.4g} nats lies below that of independent columns"
    if learned is None:
        return (caveat("below-baseline", f"{words} fitted to these very rows, {independent:.4g}"),)
    said = NOT_THESE if learned else NOT_LEARNED
    return (caveat("below-baseline", f"{words}, {independent:.4g}: {said}"),)


def short_of_mixture(
    gain: float, mixture_gain: float, mixture_error: float, error: float = 0.0
) -> tuple[str, ...]:
    """The caveat of a machine whose `gain` over independent columns, nats per row, of this `error`, is below
    nine tenths of that of a mixture of products of columns, or below one tenth, where nothing is learned;
    () where the mixture's own is within its error.

    >>> short_of_mixture(0.0, 0.0, 0.01), short_of_mixture(1.3, 1.4, 0.1)
    ((), ())
    >>> [code_of(*short_of_mixture(gain, 1.4, 0.1)) for gain in (0.0, 0.9)]
    ['below-baseline', 'below-mixture']
    """
    if mixture_gain < BASELINE_ERRORS * mixture_error + 1e-3:
        return ()
    words = f"the log-likelihood lies {gain:+.2g} nats from that of independent columns, where a mixture of "
    words += f"products gains {mixture_gain:.3g} ± {mixture_error:.1g}"
    if gain < LEAST_GAIN * mixture_gain:
        remedy = "nothing is learned beyond the columns; more hidden units or another learning rate may help"
        return (caveat("below-baseline", f"{words}: {remedy}"),)
    doubt = BASELINE_ERRORS * math.hypot(mixture_error, error)
    if mixture_gain - gain < max((1 - SHORT_GAIN) * mixture_gain, doubt):
        return ()
    remedy = "modes of these rows are missing, or their shares are off; more hidden units or epochs may help"
    return (caveat("below-mixture", f"{words}: {remedy}"),)


def disagreement(r_hat: float | None, of: str, remedy: str = "") -> tuple[str, ...]:
    """The caveat of chains whose R-hat is above `R_HAT_LIMIT`; () for others, also for None and nan.

    >>> disagreement(1.01, "the energy"), len(disagreement(1.57, "the energy"))
    ((), 1)
    """
    if r_hat is None or math.isnan(r_hat) or r_hat <= R_HAT_LIMIT:
        return ()
    words = (
        f"R-hat of {of} is {r_hat:.3g}, above {R_HAT_LIMIT}: the chains disagree, and the error is too small"
    )
    return (caveat("chains-disagree", f"{words}; {remedy}" if remedy else words),)
