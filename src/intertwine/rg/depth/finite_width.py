r"""Random layers of finite width: how much the kernel of one network differs from that of another.

Given the layer below, the n pre-activations of a layer are independent normal numbers of variance K, and

    K' = C_b + C_W (1/n) Σ_j σ(z_j)²,      z_j = √K x_j,  x_j normal

which is all that a network of one input does: the law of K is drawn without a single weight matrix. To the
first order in 1/n (Roberts, Yaida & Hanin 2022, ch. 4) the four-point vertex of the layer obeys

    Var K = V/n,      V' = χ_∥² V + C_W² (⟨σ⁴⟩ − ⟨σ²⟩²),      V/(nK²) the running coupling

so that at criticality it grows with depth over width, L/n. Where σ is scale-invariant and C_b = 0, K_L is a
product of L − 1 independent factors, and to all orders

    ⟨K_L²⟩/⟨K_L⟩² = (1 + g/n)^{L−1},   g = 3A₄/A₂² − 1        A_k the mean of a₋^k and a₊^k
    ⟨ln K_L⟩ = ln K_1 + (L − 1) ⟨ln (C_W/n) Σ σ(x_j)²⟩         over networks without a layer of zeros

with g = 2 of linear layers and 5 of ReLU.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from jax import Array
from jaxtyping import Float

from intertwine._caveats import beneath, caveat, tell
from intertwine._checks import fail, positive_int, positive_number
from intertwine._keys import key_words
from intertwine._shown import Shown, with_error
from intertwine.layers.depth.activation import Activation
from intertwine.layers.nonlinear.pointwise import Function
from intertwine.models.parameters import check_key
from intertwine.rg.depth.fixed_point import checked_variances

_EFFECTIVE = 200
_FEW = 100
_NUMBERS = 1 << 20


@dataclass(frozen=True, eq=False, repr=False)
class RandomLayers(Shown):
    """depth: 1 … L. kernel, kernel_error: ⟨K⟩ of each layer over the draws and one standard error. second,
    second_error: ⟨K²⟩/⟨K⟩². log_kernel, log_error: ⟨ln K⟩ over networks that are not dead. dead: their share.
    exact_second, exact_log: the same in closed form, nan where there is none. All float64 (L,).
    """

    activation: str
    width: int
    draws: int
    depth: np.ndarray
    kernel: Float[np.ndarray, " L"]
    kernel_error: Float[np.ndarray, " L"]
    second: Float[np.ndarray, " L"]
    second_error: Float[np.ndarray, " L"]
    log_kernel: Float[np.ndarray, " L"]
    log_error: Float[np.ndarray, " L"]
    dead: Float[np.ndarray, " L"]
    exact_second: Float[np.ndarray, " L"]
    exact_log: Float[np.ndarray, " L"]
    warnings: tuple[str, ...] = ()

    def __str__(self) -> str:
        rows = [f"{self.draws} random networks of width {self.width}, {self.activation}"]
        rows.append(f"{'depth':>5} {'K':>20} {'⟨K²⟩/⟨K⟩²':>18} {'exact':>9} {'⟨ln K⟩':>20} {'exact':>9}")
        for k in shown_rows(len(self.depth)):
            of_kernel = with_error(self.kernel[k], self.kernel_error[k], ".4g", ".1g")
            of_square = with_error(self.second[k], self.second_error[k], ".4g", ".1g")
            of_log = with_error(self.log_kernel[k], self.log_error[k], ".4f", ".1g")
            exact = [f"{v:9.4g}" if math.isfinite(v) else "        —" for v in self._exact(k)]
            rows.append(
                f"{self.depth[k]:>5} {of_kernel:>20} {of_square:>18} {exact[0]} {of_log:>20} {exact[1]}"
            )
        return beneath("\n".join(rows), self.warnings)

    def _exact(self, k: int) -> tuple[float, float]:
        return float(self.exact_second[k]), float(self.exact_log[k])


def shown_rows(count: int, most: int = 12) -> list[int]:
    """The rows of a table of `count` that are printed: all of few, else the first and ever fewer.

    >>> shown_rows(3), shown_rows(1000, 6)
    ([0, 1, 2], [0, 3, 15, 62, 250, 999])
    """
    if count <= most:
        return list(range(count))
    chosen = np.unique(np.round(np.geomspace(1, count, most)).astype(int) - 1)
    return chosen.tolist()


def random_layers(
    activation: Function,
    *,
    width: int,
    depth: int,
    C_W: float,
    C_b: float = 0.0,
    kernel: float = 1.0,
    draws: int = 10_000,
    key: Array,
) -> RandomLayers:
    """The kernel of random networks of finite width, drawn by the law above, and the closed forms beside.

    activation: a name or a function of JAX arrays. width: n of every layer. depth: L, layers. C_W, C_b:
    variance of the weights times the fan-in, and of the biases. kernel: K of the first layer, > 0. draws: of
    networks. What heavy tails, dead networks and few draws do to an error bar is in `warnings`.

    >>> import jax
    >>> found = random_layers("linear", width=32, depth=12, C_W=1.0, draws=4000, key=jax.random.key(0))
    >>> round(float(found.exact_second[-1]), 4), bool(abs(found.second[-1] / 1.9481 - 1) < 0.1)
    (1.9481, True)
    """
    one = Activation.of(activation)
    width, depth = positive_int("width", width), positive_int("depth", depth)
    draws, key = positive_int("draws", draws), check_key(key)
    C_W, C_b = checked_variances(C_W, C_b)
    start = positive_number("kernel", kernel)
    if draws < 2:
        raise fail("draws", "at least 2 networks", draws, "10,000 is usual")
    random = np.random.default_rng(key_words(key))
    kernels = np.full((depth, draws), start)
    rows = max(1, _NUMBERS // width)
    for layer in range(1, depth):
        for i in range(0, draws, rows):
            below = kernels[layer - 1, i : i + rows]
            h = one(np.sqrt(below)[:, None] * random.standard_normal((len(below), width)))
            kernels[layer, i : i + rows] = C_b + C_W * (h * h).mean(1)
    if not np.isfinite(kernels).all():
        at = 1 + int(np.argmin(np.isfinite(kernels).all(1)))
        got = f"kernels of {one.name} beyond all numbers at layer {at}"
        raise fail("C_W", "variances for which the kernel stays finite", got, "take a smaller C_W or depth")
    return _summary(one, width, kernels, C_W, C_b, start)


def _summary(
    one: Activation, width: int, kernels: np.ndarray, C_W: float, C_b: float, start: float
) -> RandomLayers:
    layers, draws = kernels.shape
    mean, error = _mean_and_error(kernels)
    # ⟨K²⟩/⟨K⟩² and its error by the delta method, of kernels in units of their mean
    scaled = kernels / mean[:, None].clip(np.finfo(float).tiny)
    second, _ = _mean_and_error(scaled**2)
    _, second_error = _mean_and_error(scaled**2 - 2 * second[:, None] * scaled)
    alive = kernels > 0
    logs = np.where(alive, np.log(np.where(alive, kernels, 1.0)), 0.0)
    count = alive.sum(1)
    log_mean = np.where(count > 0, logs.sum(1) / np.maximum(count, 1), np.nan)
    spread = (np.where(alive, logs - log_mean[:, None], 0.0) ** 2).sum(1) / np.maximum(count - 1, 1)
    log_error = np.sqrt(spread / np.maximum(count, 1))
    depth = np.arange(1, layers + 1)
    exact_second = exact_log = np.full(layers, np.nan)
    if one.scale_invariant and C_b == 0:
        exact_second = second_moment(one, width, layers)
        exact_log = math.log(start) + (depth - 1) * mean_log_factor(one, width, C_W)
    warnings = _caveats(scaled, draws, float(1 - count[-1] / draws))
    tell(warnings, stacklevel=3)
    return RandomLayers(
        one.name, width, draws, depth, mean, error, second, second_error, log_mean, log_error,
        1 - count / draws, exact_second, exact_log, warnings,
    )  # fmt: skip


def _mean_and_error(x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    return x.mean(1), x.std(1, ddof=1) / math.sqrt(x.shape[1])


def _caveats(scaled: np.ndarray, draws: int, dead: float) -> tuple[str, ...]:
    said = []
    if draws < _FEW:
        said.append(caveat("unjudged", f"{draws} draws are too few for an error bar; take {_FEW} or more"))
    square = scaled**2
    effective = square.sum(1) ** 2 / (square**2).sum(1).clip(np.finfo(float).tiny)
    thin = np.flatnonzero(effective < min(_EFFECTIVE, draws / 2))
    if len(thin):
        k = int(thin[0])
        words = (
            f"from layer {k + 1} on ⟨K²⟩ stands on {effective[k:].min():.0f} of {draws} draws (heavy tail)"
        )
        said.append(caveat("untrusted", f"{words}: its value and its error are too small; ⟨ln K⟩ is not"))
    if dead > 0:
        words = f"{100 * dead:.2g} % of the networks have a layer of zeros: they are left out of ⟨ln K⟩"
        said.append(caveat("assumption", words))
    return tuple(said)


def second_moment(activation: Function | Activation, width: int, depth: int) -> Float[np.ndarray, " L"]:
    """⟨K_L²⟩/⟨K_L⟩² at L = 1 … depth of a scale-invariant activation without biases, exactly.

    >>> second_moment("relu", 32, 12)[-1].round(3)
    np.float64(4.938)
    """
    one = _scale_invariant(activation)
    left, right = one.slopes
    excess = 6 * (left**4 + right**4) / (left**2 + right**2) ** 2 - 1
    return (1 + excess / width) ** np.arange(depth)


def mean_log_factor(activation: Function | Activation, width: int, C_W: float) -> float:
    """⟨ln (C_W/n) Σ_j σ(x_j)²⟩ of n normal numbers, over draws in which the sum is not 0, exactly: for the
    linear layer ln(2C_W/n) + ψ(n/2), for ReLU the mean of ln(2C_W/n) + ψ(k/2) over k active ones of n.

    ⟨ln X⟩ = ∫_0^∞ (e^{−t} − ⟨e^{−tX}⟩) dt/t, by the trapezoidal rule in ln t.

    >>> from scipy.special import digamma
    >>> abs(mean_log_factor("linear", 5, 1.0) - float(np.log(2 / 5) + digamma(2.5))) < 1e-12
    True
    """
    one = _scale_invariant(activation)
    s = np.arange(-45.0, 90.0, 1 / 32)
    t = np.exp(s)
    # each half of the line with weight ½: ⟨e^{−t a² x²}⟩ = 1/√(1 + 2a²t)
    per_unit = sum(0.5 / np.sqrt(1 + 2 * a**2 * t) for a in one.slopes)
    zero = 0.5**width if 0.0 in one.slopes else 0.0
    of_sum = (per_unit**width - zero) / (1 - zero)
    return float(math.log(C_W / width) + ((np.exp(-t) - of_sum) / 32).sum())


def _scale_invariant(activation: Function | Activation) -> Activation:
    one = Activation.of(activation)
    if not one.scale_invariant:
        remedy = "take random_layers, which draws networks"
        raise fail("activation", "a scale-invariant activation, such as relu", one.name, remedy)
    return one
