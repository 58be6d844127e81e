r"""An RBM for any distribution on n bits (Le Roux & Bengio, Neural Comput. 20, 1631 (2008), Theorem 2).

A hidden unit with weights w = a(v̂ − ½)·2 and bias c = λ − w·v̂ has the field θ(v) = λ − a·d(v, v̂), d being the
Hamming distance: for large a it multiplies Q(v̂) by 1 + e^λ and leaves the rest alone. So k support points
need at most k units on a product distribution. Here a unit may lift a whole face of the cube, and the product
distribution under it already meets n + 1 points (`cube_faces`):

    ln Q(v) = ℓ(v) + Σ_i ln(1 + e^{θ_i(v)}) − ln Z,     θ_i(v) = level + slope·(v − ½) − a_i d(v, face i),

2^{n−1} units at most, as of Montúfar & Ay (2011), and none for a product. The scales a_i = max θ_i + m are
raised through m until KL(P‖Q), summed over all 2^n configurations in float64 with the parameters as they are
stored, is below what was asked. Points with (almost) no probability lie low enough under ℓ.
"""

from __future__ import annotations

from typing import NamedTuple

import jax.numpy as jnp
import numpy as np
from jax.typing import DTypeLike
from numpy.typing import ArrayLike

from intertwine._checks import fail, one_of
from intertwine.boltzmann.constructions.cube_faces import Face, covering_faces, supporting_function
from intertwine.models.machines.rbm import RBM
from intertwine.models.parameters import parameter_dtype

MOST_BITS = 12
_SUM_TOLERANCE = 1e-6
_CHUNK = 2**22


class Representation(NamedTuple):
    """model: the RBM. kl: KL(P‖model), nats, exact for its stored parameters. hidden: the hidden units that
    it took; for 0, a product distribution, the model has one unit without links."""

    model: RBM
    kl: float
    hidden: int


def represent(
    probabilities: ArrayLike,
    kl: float = 1e-6,
    *,
    units: str = "binary",
    hidden_units: str = "binary",
    dtype: DTypeLike = float,
) -> Representation:
    r"""An RBM with KL(P‖model) < `kl` nats for the distribution P on n bits.

    probabilities: 2^n numbers ≥ 0 that add up to 1, in the order of `UnitLayer.states()`: the first unit
        varies slowest, and 0 comes before 1, spin +1 before −1, as in the matrices of `Operator`; n ≤ 12.
    units, hidden_units: "binary" or "spin". dtype: of the parameters; float32
        reaches about 1e-10.

    Raises InputError for numbers that are no distribution on bits, and for a `kl` out of reach of `dtype`.

    >>> found = represent([0.5, 0.0, 0.0, 0.5])
    >>> found.hidden, found.kl < 1e-6
    (1, True)
    >>> represent([0.1, 0.3, 0.15, 0.45]).hidden          # a product
    0
    """
    p = _checked(probabilities)
    if isinstance(kl, bool) or not isinstance(kl, int | float) or not 0 < kl < np.inf:
        raise fail("kl", "a positive number of nats", kl, "for example 1e-6")
    one_of("units", units, ("binary", "spin"))
    one_of("hidden_units", hidden_units, ("binary", "spin"))
    p = p[::-1] if units == "spin" else p  # below, +1 is the corner 1 of the cube
    kind = parameter_dtype(dtype)
    if kind.kind == "c":
        raise fail("dtype", "a real type", kind.name)
    best = np.inf
    for share, margin in ((1e-1, 6.0), (1e-1, 9.0), (1e-2, 12.0), (1e-3, 16.0), (1e-6, 24.0), (0.0, 32.0)):
        faces, base = _cover(p, kl, share)
        stored = _stored(*_parameters(faces, base, margin), units, hidden_units, kind)
        found = _divergence(p, *stored, units, hidden_units)
        best = min(best, found)
        if found < kl:
            model = RBM.from_parameters(*map(jnp.asarray, stored), units=units, hidden_units=hidden_units)
            return Representation(model, found, len(faces))
    remedy = "ask for a larger kl" if kind == np.float64 else "ask for a larger kl, or use dtype='float64'"
    raise fail("kl", f"at least {best:.1g}, which {kind.name} parameters reach", kl, remedy)


def _checked(probabilities: ArrayLike) -> np.ndarray:
    try:
        p = np.asarray(probabilities, np.float64)
    except (TypeError, ValueError) as error:
        raise fail("probabilities", "2^n numbers", type(probabilities).__name__, str(error)) from None
    size = len(p).bit_length() - 1 if p.ndim == 1 else -1
    if p.ndim != 1 or size < 1 or len(p) != 2**size or size > MOST_BITS:
        raise fail("probabilities", f"2^n numbers, n from 1 to {MOST_BITS}", f"shape {p.shape}")
    if not (np.isfinite(p).all() and (p >= 0).all()):
        place = int(np.flatnonzero(~(np.isfinite(p) & (p >= 0)))[0])
        raise fail("probabilities", "finite numbers ≥ 0", f"{p[place]} at {place}")
    if abs(p.sum() - 1) > _SUM_TOLERANCE:
        raise fail("probabilities", "numbers that add up to 1", p.sum(), "divide them by their sum")
    return p / p.sum()


def _cover(p: np.ndarray, kl: float, share: float) -> tuple[list[Face], tuple[float, np.ndarray]]:
    """The fewest faces found, with the linear function under them.

    Points below `floor` are not lifted; below them ℓ may lie anywhere, so that with share = 0 only points of
    probability 0 are left out. Together they get less than kl/4.
    """
    size = len(p).bit_length() - 1
    corners = _corners(size)
    floor = 0.25 * kl / len(p)
    needed = p > share * floor
    with np.errstate(divide="ignore"):
        target = np.where(needed, np.log(p), np.log(floor * max(share, 0.1)))
    tolerance = 0.1 * min(kl, 1e-2) ** 0.5
    choices = []
    one = 1e-3 + (
        np.arange(len(p)) == p.argmax()
    )  # touches the most probable point: k − 1 units for k points
    for weight in (needed.astype(float), p, one, np.ones(len(p))):
        level, slope = supporting_function(corners, target, weight)
        lift = np.where(needed, target - level - corners @ slope, 0.0)
        faces = covering_faces(lift, needed & (lift > tolerance), tolerance)
        choices.append((faces, (level, slope)))
        if not faces:
            break
    return min(choices, key=lambda choice: len(choice[0]))


def _parameters(
    faces: list[Face], base: tuple[float, np.ndarray], margin: float
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(a, b, W) in float64 for 0/1 units; one unit without links if there are no faces."""
    slope = base[1]
    if not faces:
        return slope, np.zeros(1), np.zeros((len(slope), 1))
    scale = np.array([max(face.highest + margin, margin) for face in faces])
    corner = np.array([face.corner for face in faces])
    signs = np.where([face.free for face in faces], 0, 2 * corner - 1)
    slopes = np.array([face.slope for face in faces])
    weights = slopes + scale[:, None] * signs
    bias = np.array([face.level for face in faces]) - 0.5 * slopes.sum(1) - scale * corner.sum(1)
    return slope, bias, weights.T


def _stored(
    a: np.ndarray, b: np.ndarray, w: np.ndarray, units: str, hidden_units: str, dtype: DTypeLike
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The parameters for these units, rounded to `dtype`: v = (1 + s)/2, h = (1 + t)/2 for spins."""
    if units == "spin":
        b, a, w = b + w.sum(0) / 2, a / 2, w / 2
    if hidden_units == "spin":
        a, b, w = a + w.sum(1) / 2, b / 2, w / 2
    return a.astype(dtype), b.astype(dtype), w.astype(dtype)


def _divergence(
    p: np.ndarray, a: np.ndarray, b: np.ndarray, w: np.ndarray, units: str, hidden_units: str
) -> float:
    """KL(P‖Q), exact: over all configurations, in float64."""
    a, b, w = (x.astype(np.float64) for x in (a, b, w))
    v = _corners(len(a)) * 1.0
    v = 2 * v - 1 if units == "spin" else v
    log_q = v @ a
    step = max(1, _CHUNK // len(v))
    for i in range(0, len(b), step):
        theta = v @ w[:, i : i + step] + b[i : i + step]
        low = -theta if hidden_units == "spin" else 0.0
        log_q += np.logaddexp(low, theta).sum(1)
    log_q -= np.logaddexp.reduce(log_q)
    inside = p > 0
    # Σ P ln(P/Q) + Q − P, every term ≥ 0: nothing cancels
    ratio = np.log(p[inside]) - log_q[inside]
    terms = p[inside] * (np.expm1(-ratio) + ratio)
    return float(terms.sum() + np.exp(log_q[~inside]).sum())


def _corners(size: int) -> np.ndarray:
    return (np.arange(2**size)[:, None] >> np.arange(size - 1, -1, -1)) & 1
