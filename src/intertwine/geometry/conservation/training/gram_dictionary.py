r"""Functions of a network's parameters that gradient flow may conserve: sums and scalar products of the
slices of one array along one of its axes.

    W with axis a:    s_i = Σ W[.. i ..],      G_ij = ⟨W[.. i ..], W[.. j ..]⟩

A number is one slice: s = w, G = w².

UᵀU − VᵀV of two linear layers (Arora et al., ICML 2018), |u|² − |v|² of a ReLU unit (Du et al., NeurIPS
2018), |w|² of a scale-invariant unit and Σ w of one that a shift leaves alone (Kunin et al., ICLR 2021),
and W_Q W_Qᵀ − W_K W_Kᵀ of a head of attention are combinations of those.
"""

from __future__ import annotations

from dataclasses import dataclass

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from jaxtyping import Float

from intertwine.geometry.conservation.formulas import monomial

MOST_FUNCTIONS = 900
"""Functions of the dictionary: above it products of two slices, then long axes, are left out."""


@dataclass(frozen=True)
class Axis:
    """One axis of one array: linear: whether its sums, pairs: whether products of different slices too."""

    array: int
    axis: int
    length: int
    pairs: bool


@dataclass(frozen=True, eq=False)
class GramDictionary:
    """names: of the arrays. axes: what is looked at. left_out: words for what is not."""

    names: tuple[str, ...]
    shapes: tuple[tuple[int, ...], ...]
    axes: tuple[Axis, ...]
    left_out: tuple[str, ...]

    def linear(self, arrays: list[Array]) -> Float[Array, "L"]:
        """The sums."""
        return jnp.concatenate([_slices(arrays[a.array], a.axis).sum(axis=1) for a in self.axes])

    def quadratic(self, arrays: list[Array]) -> Float[Array, "Q"]:
        """The scalar products."""
        found = []
        for a in self.axes:
            rows = _slices(arrays[a.array], a.axis)
            if a.pairs:
                i, j = np.triu_indices(a.length)
                found.append((rows @ rows.T)[i, j])
            else:
                found.append((rows * rows).sum(axis=1))
        return jnp.concatenate(found)

    def values(self, arrays: list[Array]) -> Float[Array, "K"]:
        """All functions: the sums, then the products."""
        return jnp.concatenate([self.linear(arrays), self.quadratic(arrays)])

    @property
    def sums(self) -> int:
        """How many of the functions are sums."""
        return sum(a.length for a in self.axes)

    @property
    def words(self) -> list[str]:
        """The name of each function."""
        said = []
        for a in self.axes:
            number = not self.shapes[a.array]
            said += [("" if number else "Σ") + self._slice(a, i) for i in range(a.length)]
        for a in self.axes:
            if not self.shapes[a.array]:
                said.append(monomial((2,), (self._slice(a, 0),)))
            elif a.pairs:
                for i, j in zip(*np.triu_indices(a.length), strict=True):
                    one, two = self._slice(a, int(i)), self._slice(a, int(j))
                    said.append(f"|{one}|²" if i == j else f"⟨{one}, {two}⟩")
            else:
                said += [f"|{self._slice(a, i)}|²" for i in range(a.length)]
        return said

    @property
    def groups(self) -> list[np.ndarray]:
        """The places of the sums, and of the products, of each axis."""
        lengths = [a.length for a in self.axes]
        lengths += [a.length * (a.length + 1) // 2 if a.pairs else a.length for a in self.axes]
        return np.split(np.arange(sum(lengths)), np.cumsum(lengths)[:-1])

    def _slice(self, axis: Axis, place: int) -> str:
        shape = self.shapes[axis.array]
        if not shape:
            return self.names[axis.array]
        places = ", ".join(str(place) if k == axis.axis else ":" for k in range(len(shape)))
        return f"{self.names[axis.array]}[{places}]"


def gram_dictionary(
    names: list[str], shapes: list[tuple[int, ...]], most: int = MOST_FUNCTIONS
) -> GramDictionary:
    """As much of it as `most` functions allow.

    >>> gram_dictionary(["u"], [(1, 2)]).words[3:]
    ['|u[0, :]|²', '|u[:, 0]|²', '⟨u[:, 0], u[:, 1]⟩', '|u[:, 1]|²']
    """
    every = [(k, a, n) for k, shape in enumerate(shapes) for a, n in enumerate(shape or (1,))]
    every.sort(key=lambda entry: entry[2])
    kept: list[tuple[int, int, int]] = []
    total, left_out = 0, []
    for k, a, n in every:
        if total + 2 * n > most:
            left_out.append(f"axis {a} of {names[k]} ({n} slices)")
        else:
            kept.append((k, a, n))
            total += 2 * n
    axes, whole = [], True
    for k, a, n in kept:
        extra = n * (n - 1) // 2
        pairs = whole and total + extra <= most
        whole = pairs or not extra
        total += extra if pairs else 0
        axes.append(Axis(k, a, n, pairs or n == 1))
    alone = [f"{names[a.array]} axis {a.axis}" for a in axes if not a.pairs]
    if alone:
        shown = ", ".join(alone[:4]) + (" …" if len(alone) > 4 else "")
        left_out.insert(0, f"products of different slices ({shown})")
    axes.sort(key=lambda a: (a.array, a.axis))
    return GramDictionary(tuple(names), tuple(shapes), tuple(axes), tuple(left_out))


def _slices(array: Array, axis: int) -> Float[Array, "n m"]:
    return jnp.moveaxis(jnp.atleast_1d(array), axis, 0).reshape((*array.shape, 1)[axis], -1)


def named_arrays(tree: object) -> tuple[list[str], list[Array]]:
    """(names, arrays) of the parameters of a module, such as `layers.0.weight`.

    >>> named_arrays({"u": jnp.ones(2), "v": (jnp.ones(3),)})[0]
    ['u', 'v.0']
    """
    leaves, _ = jax.tree_util.tree_flatten_with_path(tree)
    names = [jax.tree_util.keystr(path, simple=True, separator=".") for path, _ in leaves]
    short = [name.removeprefix("parameters.") for name in names]
    return [f"p{name}" if name[:1].isdigit() or not name else name for name in short], [x for _, x in leaves]
