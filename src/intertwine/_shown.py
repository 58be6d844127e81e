"""Results that show themselves: what `print` says is also what a prompt and a notebook show."""

from __future__ import annotations


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
