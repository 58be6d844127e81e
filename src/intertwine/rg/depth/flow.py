r"""Depth as scale: the kernel of a network of one activation from layer to layer, at infinite width.

    K_{l+1} = C_b + C_W ⟨σ²⟩_{K_l},      C_{l+1} = C_b + C_W ⟨σ(z₁)σ(z₂)⟩      of two inputs

With the depth as the logarithm of a scale this is a renormalization group: K is the coupling, a critical
initialisation is a fixed point whose exponents χ_∥ and χ_⊥ are 1, activations fall into universality classes,
and what is left of interactions between neurons is the running coupling V/(nK²), which grows as depth over
width (Roberts, Yaida & Hanin 2022; Schoenholz et al. 2017). See `layers.depth.critical`, `fixed_point` and
`finite_width`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Float, Int

from intertwine._caveats import beneath, caveat, tell
from intertwine._checks import fail, finite_number, positive_int, positive_number
from intertwine._shown import Shown
from intertwine.layers.depth.activation import Activation
from intertwine.layers.depth.critical import CriticalInitialisation, critical_initialisation
from intertwine.layers.depth.gaussian_means import moments, pair_mean
from intertwine.layers.nonlinear.pointwise import Function
from intertwine.rg.depth.finite_width import shown_rows
from intertwine.rg.depth.fixed_point import DeepLayers, checked_variances, deep_layers

if TYPE_CHECKING:
    import plotly.graph_objects as go

_HUGE = 1e150
_STRONG = 1.0


@dataclass(frozen=True, eq=False, repr=False)
class DepthFlow(Shown):
    """depth: 1 … L. kernel: K of the pre-activations of each layer. correlation: c = C/√(K₁K₂) of two
    inputs of this kernel, nan where none was asked for. parallel, perpendicular: χ_∥ and χ_⊥ of the step
    from this layer to the next. vertex: V, n times the variance of K over networks of width n. coupling:
    V/(nK²), nan without a width. All float64 (L,).

    end: what deep layers come to. critical: the critical initialisation of the activation. warnings: lines
    `code: sentence`.
    """

    activation: str
    C_W: float
    C_b: float
    depth: Int[np.ndarray, " L"]
    kernel: Float[np.ndarray, " L"]
    correlation: Float[np.ndarray, " L"]
    parallel: Float[np.ndarray, " L"]
    perpendicular: Float[np.ndarray, " L"]
    vertex: Float[np.ndarray, " L"]
    coupling: Float[np.ndarray, " L"]
    width: int | None
    end: DeepLayers
    critical: CriticalInitialisation
    warnings: tuple[str, ...] = ()

    @property
    def phase(self) -> str:
        """ "ordered", "edge of chaos", "chaotic" or "no fixed point"."""
        return self.end.phase

    @property
    def is_critical(self) -> bool:
        """Whether χ_∥ = χ_⊥ = 1 in deep layers."""
        return abs(self.end.parallel - 1) <= 1e-9 and abs(self.end.perpendicular - 1) <= 1e-9

    def __str__(self) -> str:
        end = self.end
        head = f"{self.activation}: C_W = {self.C_W:.8g}, C_b = {self.C_b:.8g}; "
        head += "critical" if self.is_critical else self.phase
        deep = f"deep layers: K* = {end.kernel:.6g}, c* = {end.correlation:.6g}, χ_∥ = {end.parallel:.6g}, "
        deep += f"χ_⊥ = {end.perpendicular:.6g}, ξ_q = {end.xi_q:.4g}, ξ_c = {end.xi_c:.4g} layers"
        if self.width is not None:
            head += f"; width {self.width}"
        rows = [head, deep]
        of_two, of_width = not np.isnan(self.correlation).all(), self.width is not None
        names = [
            "K",
            "χ_∥",
            "χ_⊥",
            *(["c"] if of_two else []),
            *(["V/(nK²)"] if of_width else []),
        ]
        rows.append(f"{'depth':>6}" + "".join(f"{name:>14}" for name in names))
        columns = [self.kernel, self.parallel, self.perpendicular]
        columns += [self.correlation] * of_two + [self.coupling] * of_width
        for k in shown_rows(len(self.depth)):
            rows.append(f"{self.depth[k]:>6}" + "".join(f"{column[k]:>14.6g}" for column in columns))
        rows.append(f"critical initialisation of {str(self.critical).splitlines()[0]}")
        return beneath("\n".join(rows), self.warnings)

    def figure(self) -> go.Figure:
        """Kernel and susceptibilities against depth, as a Plotly figure."""
        import plotly.graph_objects as go
        from plotly.subplots import make_subplots

        figure = make_subplots(rows=2, cols=1, shared_xaxes=True, vertical_spacing=0.08)
        for name, values in (("K", self.kernel), ("V/(nK²)", self.coupling), ("c", self.correlation)):
            if not np.isnan(values).all():
                figure.add_trace(go.Scatter(x=self.depth, y=values, name=name), row=1, col=1)
        for name, values in (("χ_∥", self.parallel), ("χ_⊥", self.perpendicular)):
            figure.add_trace(go.Scatter(x=self.depth, y=values, name=name), row=2, col=1)
        figure.update_xaxes(title_text="depth", row=2, col=1)
        figure.update_layout(title=f"{self.activation}, C_W = {self.C_W:.5g}, C_b = {self.C_b:.5g}")
        return figure


def kernel_flow(
    activation: Function,
    *,
    depth: int = 50,
    C_W: float | None = None,
    C_b: float | None = None,
    kernel: float | None = None,
    correlation: float | None = None,
    width: int | None = None,
) -> DepthFlow:
    """What `depth_flow` gives for an activation, with the same arguments."""
    one = Activation.of(activation)
    depth = positive_int("depth", depth, "layers, for example 50")
    width = None if width is None else positive_int("width", width, "neurons of a layer")
    critical = critical_initialisation(one)
    if C_W is None:
        if C_b is not None or not critical.exists:
            none = f"{one.name} has no critical initialisation"
            remedy = none if C_b is None else "or leave both for the critical ones"
            raise fail("C_W", "the variance of the weights times the fan-in", None, remedy)
        C_W, C_b = critical.C_W, critical.C_b
    C_W, C_b = checked_variances(C_W, 0.0 if C_b is None else C_b)
    K = _start(kernel, critical, C_W, C_b)
    c = math.nan
    if correlation is not None:
        c = finite_number("correlation", correlation)
        if not -1 <= c <= 1:
            raise fail("correlation", "a number from −1 to 1", c)
    begin, V, rows = K, 0.0, []
    for layer in range(1, depth + 1):
        m = moments(one, K)
        parallel, perpendicular = C_W * m.growth, C_W * m.slope
        rows.append((K, c, parallel, perpendicular, V))
        if layer == depth:
            break
        C = c if math.isnan(c) else C_b + C_W * pair_mean(one, K, K, c * K)
        V = parallel**2 * V + C_W**2 * (m.fourth - m.square**2)
        K = C_b + C_W * m.square
        c = C / K if K > 0 else math.nan
        if not K < _HUGE:
            remedy = "take a smaller C_W or depth"
            raise fail(
                "depth", "layers whose kernel stays finite", f"K > {_HUGE:g} at layer {layer + 1}", remedy
            )
    kernels, correlations, parallels, perpendiculars, vertices = np.array(rows).T
    nan = np.full(depth, math.nan)
    with np.errstate(divide="ignore", invalid="ignore"):
        coupling = nan if width is None else vertices / (width * kernels**2)
    falls = critical.universality == "K* = 0" and (C_W, C_b) == (critical.C_W, critical.C_b)
    end = deep_layers(one, C_W, C_b, begin, falls=falls)
    warnings = _caveats(one, coupling, critical, end, begin)
    tell(warnings, stacklevel=3)
    return DepthFlow(
        one.name, C_W, C_b, np.arange(1, depth + 1), kernels, correlations, parallels, perpendiculars,
        vertices, coupling, width, end, critical, warnings,
    )  # fmt: skip


def _start(kernel: float | None, critical: CriticalInitialisation, C_W: float, C_b: float) -> float:
    """The kernel of the first layer."""
    if kernel is not None:
        return positive_number("kernel", kernel, "the kernel of the first layer")
    at_it = (C_W, C_b) == (critical.C_W, critical.C_b) and critical.universality == "half-stable"
    return critical.kernel if at_it else 1.0


def _caveats(
    one: Activation, coupling: np.ndarray, critical: CriticalInitialisation, end: DeepLayers, begin: float
) -> tuple[str, ...]:
    said = []
    if len(one.jumps):
        words = f"{one.name} jumps: ⟨σ'²⟩ and χ_⊥ are infinite, and inputs however close drift apart"
        said.append(caveat("assumption", words))
    strong = np.flatnonzero(coupling > _STRONG)
    if len(strong):
        words = f"V/(nK²) is above 1 from layer {strong[0] + 1} on: the first order in 1/n says nothing there"
        said.append(caveat("untrusted", f"{words}; take random_layers, which draws networks"))
    return tuple(said)
