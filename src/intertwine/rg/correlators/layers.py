r"""Depth as scale: whether one rescaling of distance explains what a layer does to all correlations.

    [r ∂/∂r − ∂/∂l + 2γ] G_l(r) = 0      ⇔      G_{l+1}(r) = A G_l(b r),   A = b^{2γ}

is the Callan-Symanzik equation with depth for the logarithm of scale, and its solution over one layer, r in
units of each layer's own lattice: a layer that coarse-grains changes the unit of length by one factor b, and
the normalisation of its units by one factor A, the same at all distances. Over distances where both
correlations are seen, ln G_{l+1}(r) is fitted by a + ln G_l(b r) (`rescaling`). What is left, as a share of
the change of ln G_{l+1} over these distances, is the number that says yes or no; the spread between bins of
samples says how much of it is chance.

Exact decimation of a chain leaves nothing. Layers that mix distant sites leave the whole; those whose units
are not correlated at all cannot be judged. b is a result: that of a block of b₀ × b₀ sites is b₀ at long
distances; where G is a power law every b does, and its error says so.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import cast

import jax
import numpy as np
from jaxtyping import Float, PyTree
from numpy.typing import ArrayLike

from intertwine._caveats import beneath, caveat, tell
from intertwine._checks import fail, positive_int
from intertwine._shown import Shown, with_error
from intertwine.models.results import as_model
from intertwine.rg.correlators.rescaling import Correlated, Step, rescaled
from intertwine.rg.correlators.result import verdict
from intertwine.rg.correlators.shells import Shells
from intertwine.rg.networks.layer_flow import placed_layers
from intertwine.sampling.statistics.jackknife import jackknife_error
from intertwine.sampling.statistics.joined_bins import caveats_of, joined
from intertwine.spaces.lattice import Lattice

BINS = 20


@dataclass(frozen=True, eq=False, repr=False)
class LayerScaling(Shown):
    """Correlations of every layer, and what each step between layers does to them.

    distances, correlations, errors: of every layer, from the lowest, float64 (R_l,). expected: b₀ of each
    step, (N_l/N_{l+1})^{1/d}. steps: b, A and what is left, a layer above the lowest. notes: further lines
    of `warnings`.
    """

    distances: tuple[Float[np.ndarray, " R"], ...]
    correlations: tuple[Float[np.ndarray, " R"], ...]
    errors: tuple[Float[np.ndarray, " R"], ...]
    expected: tuple[float, ...]
    steps: tuple[Step, ...]
    notes: tuple[str, ...] = ()

    @property
    def residual(self) -> Float[np.ndarray, " steps"]:
        """The share of the change of ln G that one rescaling does not explain, a step; `residual_error`: by
        chance."""
        return np.array([step.residual for step in self.steps])

    @property
    def residual_error(self) -> Float[np.ndarray, " steps"]:
        """What chance alone leaves."""
        return np.array([step.residual_error for step in self.steps])

    @property
    def gamma(self) -> Float[np.ndarray, " steps"]:
        """γ = ln A/(2 ln b); NaN where b is 1 within its error."""
        return np.array(
            [
                s.log_amplitude / (2 * math.log(s.scale))
                if abs(math.log(s.scale)) > s.scale_error
                else math.nan
                for s in self.steps
            ]
        )

    @property
    def holds(self) -> tuple[bool | None, ...]:
        """Whether one rescaling explains all distances, a step: True, False, or None where it cannot be told
        (see `rg.correlators.result.verdict`)."""
        return tuple(
            None if step.why else verdict(step.residual, step.residual_error, step.p_value)
            for step in self.steps
        )

    @property
    def warnings(self) -> tuple[str, ...]:
        """What qualifies them, lines `code: sentence`."""
        said = list(self.notes)
        for number, (step, holds) in enumerate(zip(self.steps, self.holds, strict=True), 1):
            if step.why:
                said.append(caveat("unjudged", f"layer {number}: {step.why}"))
            elif holds is None:
                words = f"layer {number}: a residual of {step.residual:.2g} is not told from chance,"
                said.append(
                    caveat("unjudged", f"{words} {step.residual_error:.1g}, nor from 0; draw more samples")
                )
            elif not holds:
                words = f"layer {number}: no one rescaling explains all its correlations, with a residual of"
                said.append(
                    caveat("bad-fit", f"{words} {step.residual:.2g}: it is no step of renormalization")
                )
        return tuple(said)

    def __str__(self) -> str:
        lines = [
            f"{'layer':>5} {'b':>16} {'b₀':>5} {'ln A':>18} {'residual':>18} {'p':>7} {'up to r':>7}  one β?"
        ]
        for number, (step, holds) in enumerate(zip(self.steps, self.holds, strict=True), 1):
            words = {True: "yes", False: "NO", None: "not judged"}[holds]
            shown = (
                with_error(step.scale, step.scale_error, ".3f"),
                with_error(step.log_amplitude, step.log_amplitude_error),
            )
            rest = f"{step.residual:.1e} ({step.residual_error:.1e})" if not step.why else "—"
            p = f"{step.p_value:7.2g}" if math.isfinite(step.p_value) else f"{'—':>7}"
            lines.append(
                f"{number:>5} {shown[0]:>16} {self.expected[number - 1]:5.3g} {shown[1]:>18} {rest:>18} {p}"
                f" {step.last:7.3g}  {words}"
            )
        return beneath("\n".join(lines), self.warnings)


def layer_scaling(
    layers: PyTree | Sequence[ArrayLike],
    samples: ArrayLike | None = None,
    lattices: Sequence[Lattice] | None = None,
    *,
    bins: int = BINS,
    key: jax.Array | None = None,
) -> LayerScaling:
    """Whether the layers of a network rescale their correlations: b, A and what is left, layer by layer.

    layers: an RBM, DBM or DBN with units of two states, whose layers are drawn upward from `samples`, laid
    out and turned as `layer_flow` does; or the values of the layers themselves, (n, N_l) or (n, N_l,
    channels) each, of one set of n inputs, such as the activations of a classifier, less their means over
    the inputs where they are no spins ±1. samples: spins ±1 (n, N) of the visible layer, in the order in
    which they were drawn. lattices: where the units of each layer are, the lowest first. bins: of successive
    samples, joined where they are correlated. key: None is `jax.random.key(0)`.

    Raises InputError for other shapes, lattices and units, and fewer than two layers.

    >>> from intertwine.spaces.lattices import Chain
    >>> rng = np.random.default_rng(0)
    >>> turns = rng.random((2000, 64)) < (1 - np.tanh(1.5)) / 2                # the open chain at K = 1.5
    >>> v = np.where(np.cumsum(turns, 1) % 2, -1, 1)
    >>> found = layer_scaling([v, v[:, ::2]], lattices=[Chain(64, pbc=False), Chain(32, pbc=False)])
    >>> found.holds, bool(abs(found.steps[0].scale - 2) < 4 * found.steps[0].scale_error)
    ((True,), True)
    """
    places = tuple(lattices or ())
    if samples is not None:
        key = jax.random.key(0) if key is None else key
        spins, places = placed_layers(as_model(layers), samples, places, key=key)
        values = [np.asarray(x, np.float32)[..., None] for x in spins]
    else:
        values = _given(layers)
    if len(values) < 2 or len(places) != len(values):
        raise fail("lattices", f"one a layer, for the {len(values)} layers, two or more", len(places))
    rows = len(values[0])
    for k, (x, lattice) in enumerate(zip(values, places, strict=True)):
        if not isinstance(lattice, Lattice) or x.shape[:2] != (rows, lattice.size):
            expected = f"values ({rows}, N, …) of layer {k}, N the sites of its lattice"
            raise fail("layers", expected, f"{x.shape} on {getattr(lattice, 'name', lattice)}")
    if not 4 <= positive_int("bins", bins) <= rows // 2:
        raise fail("bins", f"4 to {rows // 2} for {rows} samples", bins, "draw more")
    shells = [Shells.of(lattice) for lattice in places]
    length = rows // bins
    sums = [
        np.array([_sum(shell, x[k * length : (k + 1) * length]) for k in range(bins)])
        for shell, x in zip(shells, values, strict=True)
    ]
    cuts = np.cumsum([part.shape[1] for part in sums])[:-1]
    near = [0, *cuts]

    def watched(parts: tuple[np.ndarray, ...]) -> np.ndarray:
        return parts[0][:, near] / parts[1][:, None]

    (total, count), correlated = joined((np.concatenate(sums, 1), np.full(bins, float(length))), watched)
    whole = np.split(total.sum(0) / count.sum(), cuts)
    without = np.split((total.sum(0) - total) / (count.sum() - count)[:, None], cuts, axis=1)
    # the first column of each is ⟨x²⟩: correlations are those of units of variance 1
    G = [part[1:] / part[0] if part[0] > 0 else part[1:] * 0 for part in whole]
    left = [p[:, 1:] / np.where(p[:, :1] > 0, p[:, :1], 1.0) for p in without]
    measured = [
        Correlated(shell.distances, values, jackknife_error(part), part)
        for shell, values, part in zip(shells, G, left, strict=True)
    ]
    expected = [(low.size / high.size) ** (1 / low.dimension) for low, high in pairwise(places)]
    steps = [rescaled(*pair, b) for pair, b in zip(pairwise(measured), expected, strict=True)]
    notes = caveats_of(samples, correlated)
    found = LayerScaling(
        tuple(shell.distances for shell in shells),
        tuple(G),
        tuple(one.errors for one in measured),
        tuple(expected),
        tuple(steps),
        notes,
    )
    tell(found.warnings)
    return found


def _given(layers: object) -> list[np.ndarray]:
    if not isinstance(layers, list | tuple):
        raise fail("layers", "a machine with its samples, or a list of the values of its layers", layers)
    found = []
    for k, layer in enumerate(layers):
        x = np.asarray(cast(ArrayLike, layer), np.float32)
        if x.ndim not in (2, 3) or not np.isfinite(x).all():
            raise fail("layers", f"finite values (n, N) or (n, N, channels) of layer {k}", f"shape {x.shape}")
        x = x if x.ndim == 3 else x[..., None]
        found.append(x if (np.abs(x) == 1).all() else x - x.mean(0))
    return found


def _sum(shells: Shells, x: np.ndarray) -> Float[np.ndarray, " R1"]:
    """Σ over samples of ⟨x²⟩ and of G(r), a hundred samples at a time."""
    total = np.zeros(1 + len(shells.distances))
    for part in np.array_split(x, max(1, x.size >> 21)):
        total[0] += float(np.square(part, dtype=np.float64).sum()) / part.shape[1]
        total[1:] += shells.correlated(part).sum(0)
    return total
