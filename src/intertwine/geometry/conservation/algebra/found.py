r"""What `it.symmetries` gives back: generators, the algebra, discrete elements, and the group for layers."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from intertwine._caveats import beneath
from intertwine._checks import fail
from intertwine._shown import Shown
from intertwine.geometry.conservation.algebra.lie_algebra import LieAlgebra
from intertwine.geometry.conservation.formulas import written
from intertwine.geometry.conservation.null_space import NullSpace
from intertwine.symmetry.lie.group import LieGroup

_SHOWN = 12


@dataclass(frozen=True, eq=False, repr=False)
class Symmetries(Shown):
    """What leaves a function, or the distribution of data, alone.

    algebra: the generators (n, d, d), x ↦ e^{tA} x, with structure constants, Killing form and name; affine
    ones are (n, d + 1, d + 1) on (x, 1). discrete: float64 (m, d, d), further elements, of those that were
    tried, that are not in the connected group. discrete_names: what they are. null: singular values,
    threshold, gap. tested: in words, what was. judged: whether the dimension stands. warnings: what
    qualifies it. error: of the entries of the generators, for those of data.
    """

    algebra: LieAlgebra
    discrete: Float[np.ndarray, "m d d"]
    discrete_names: tuple[str, ...]
    null: NullSpace
    tested: str
    affine: bool
    judged: bool
    warnings: tuple[str, ...]
    error: float = 0.0

    @property
    def dimension(self) -> int:
        """Of the Lie algebra."""
        return self.algebra.dimension

    @property
    def generators(self) -> Float[np.ndarray, "n d d"]:
        return self.algebra.generators

    @property
    def name(self) -> str:
        """Of the Lie algebra."""
        return self.algebra.name

    @property
    def signature(self) -> tuple[int, int]:
        """Of the Killing form: positive and negative eigenvalues."""
        return self.algebra.signature

    def group(self) -> LieGroup:
        """The group for layers and intertwiners, `it.symmetry.LieGroup(generators, discrete)`.

        Raises InputError where nothing was found, where the generators do not close, and for affine ones.
        """
        if self.affine:
            raise fail("symmetries", "linear ones", "affine ones", "ask for affine=False; layers have fibres")
        if not self.dimension and not len(self.discrete):
            raise fail("symmetries", "at least one generator or discrete element", "none")
        if not self.algebra.closes:
            error = f"brackets outside the span by {self.algebra.closure_error:.1e}"
            raise fail("symmetries", "generators that close", error)
        near = 1e-9 if not self.error else 10 * self.error
        return LieGroup(self.generators, self.discrete, tolerance=near)

    def __str__(self) -> str:
        p, q = self.signature
        form = f", Killing form ({p} positive, {q} negative)" if self.dimension > 1 else ""
        head = f"{self.name}: {self.dimension} generators{form}" if self.dimension else "no generator"
        head = head.replace(" 1 generators", " 1 generator")
        lines = [head]
        for k, generator in enumerate(self.generators[:_SHOWN]):
            lines.append(f"  A{k + 1}: {field_in_words(generator, self.affine, self.error)}")
        if self.dimension > _SHOWN:
            lines.append(f"  and {self.dimension - _SHOWN} more")
        if self.discrete_names:
            lines.append(f"discrete: {', '.join(self.discrete_names[:_SHOWN])}")
        gap = f", gap {self.null.gap:.1e}" if self.null.gap < np.inf else ""
        lines.append(f"{self.tested}; threshold {self.null.threshold:.1e}{gap}")
        return beneath("\n".join(lines), self.warnings)


def field_in_words(generator: Float[np.ndarray, "d d"], affine: bool, error: float = 0.0) -> str:
    """The vector field of a generator.

    >>> field_in_words(np.array([[0.0, -1.0], [1.0, 0.0]]), False)
    '−x2 ∂1 + x1 ∂2'
    """
    d = len(generator) - affine
    coefficients, names = [], []
    for i in range(d):
        for j in range(d + affine):
            coefficients.append(generator[i, j])
            names.append(f"x{j + 1} ∂{i + 1}" if j < d else f"∂{i + 1}")
    row = np.array(coefficients)
    seen = np.abs(row) >= max(1e-9, error * np.abs(row).max(initial=0.0))
    return written(np.where(seen, row, 0.0), names, digits=2 if error else 4)
