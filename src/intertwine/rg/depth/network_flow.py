r"""The kernel of any network from layer to layer, by Monte Carlo over its initialisations.

Where there is no recursion (widths that differ, convolutions, norms, sums with earlier layers, attention) the
same numbers are measured, K, χ_∥, χ_⊥, the correlation of two inputs, and over draws the running coupling

    Var K/⟨K⟩² ≈ V/(nK²) + 2/n

of each layer (`layers.depth.measured`): to the V/(nK²) of the recursion comes 2/n, the noise of the mean over
the n neurons of the layer itself. Errors are by jackknife over the draws; of one network as it is, over
examples.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from jaxtyping import Float, PyTree
from numpy.typing import ArrayLike

from intertwine._caveats import beneath, caveat, tell
from intertwine._checks import fail, positive_int
from intertwine._shown import Shown, with_error
from intertwine.layers.depth.measured import FORGOTTEN, Layers, Program, measure, prepared, program_of, traced
from intertwine.models.network import FunctionNetwork, Network
from intertwine.models.parameters import check_key
from intertwine.models.results import as_model

if TYPE_CHECKING:
    import plotly.graph_objects as go

DRAWS, EXAMPLES = 20, 32
_FEW_DRAWS = 10
_TINY = 1e-30

Table = Float[np.ndarray, " L"]


@dataclass(frozen=True, eq=False, repr=False)
class NetworkDepthFlow(Shown):
    """layers: names of the products with parameters, in their order. kernel: ⟨z²⟩ over neurons, places,
    examples and draws. parallel, perpendicular: χ_∥ and χ_⊥ from this layer to the next, nan of the last
    (χ_∥ also where a norm forgets the length of the input).
    correlation: mean c of different examples. coupling: Var K/⟨K⟩² over draws, nan of one network; about
    2/n more than the V/(nK²) of the recursion (`DepthFlow`), by the noise of the n neurons of a layer. Each
    with its standard error `…_error`, float64 (L,). gain: C_W, ⟨z²⟩ without bias over ⟨h²⟩ of what the
    weights multiply. draws, examples: how many. warnings: lines `code: sentence`.
    """

    layers: tuple[str, ...]
    kernel: Table
    kernel_error: Table
    parallel: Table
    parallel_error: Table
    perpendicular: Table
    perpendicular_error: Table
    correlation: Table
    correlation_error: Table
    coupling: Table
    coupling_error: Table
    gain: Table
    draws: int
    examples: int
    warnings: tuple[str, ...] = ()

    def __str__(self) -> str:
        drawn = f"{self.draws} initialisations" if self.draws > 1 else "one network as it is"
        count = f"{len(self.layers)} layer" + "s" * (len(self.layers) > 1)
        rows = [f"{count}, {drawn}, {self.examples} examples"]
        wide = max(10, *(len(name) for name in self.layers))
        rows.append(
            f"{'layer':<{wide}}" + "".join(f"{n:>20}" for n in ("K", "χ_∥", "χ_⊥", "c", "Var K/⟨K⟩²"))
        )
        for k, name in enumerate(self.layers):
            pairs = (
                (self.kernel, self.kernel_error), (self.parallel, self.parallel_error),
                (self.perpendicular, self.perpendicular_error), (self.correlation, self.correlation_error),
                (self.coupling, self.coupling_error),
            )  # fmt: skip
            row = "".join(f"{with_error(v[k], e[k], '.3g', '.1g'):>20}" for v, e in pairs)
            rows.append(f"{name:<{wide}}{row}")
        return beneath("\n".join(rows), self.warnings)

    def figure(self) -> go.Figure:
        """Kernel and susceptibilities against depth, as a Plotly figure."""
        import plotly.graph_objects as go
        from plotly.subplots import make_subplots

        figure = make_subplots(rows=2, cols=1, shared_xaxes=True, vertical_spacing=0.08)
        rows = ((1, "K", self.kernel, self.kernel_error), (2, "χ_∥", self.parallel, self.parallel_error),
                (2, "χ_⊥", self.perpendicular, self.perpendicular_error))  # fmt: skip
        for row, name, values, errors in rows:
            bars = {"type": "data", "array": errors}
            figure.add_trace(
                go.Scatter(x=list(self.layers), y=values, error_y=bars, name=name), row=row, col=1
            )
        figure.update_yaxes(type="log", row=1, col=1)
        return figure


def network_flow_with_depth(
    network: PyTree, x: ArrayLike, *, draws: int | None = None, key: Array
) -> NetworkDepthFlow:
    """What `depth_flow` gives for a network, with the same arguments."""
    x = _examples(x)
    key = check_key(key)
    make, redrawn = _source(as_model(network), x)
    count = draws
    if count is None:
        count = 1 if redrawn else DRAWS
    count = positive_int("draws", count, "initialisations, 20 is usual")
    own, of_measure = jax.random.split(key)
    tables: list[Layers] = []
    program: Program | None = None
    unseen = 0
    for k in range(count):
        module, numbers = prepared(make(jax.random.fold_in(own, k), count > 1), x)
        if program is None:
            program = program_of(module)
            found = traced(program, numbers[0])
            unseen = found.unseen
            names = tuple(program.names[min(layer.weights)] for layer in found.layers)
        else:
            program = program.of(module)
        tables.append(measure(program, numbers, key=jax.random.fold_in(of_measure, k)))
    stacked = Layers(*(np.stack(values) for values in zip(*tables, strict=True)))
    finite = np.isfinite(stacked.kernel).all((0, 2))
    if not finite.all():
        got = f"numbers beyond all bounds at {names[int(np.argmin(finite))]}"
        raise fail("network", "pre-activations that are finite", got, "take smaller weights or inputs")
    return _summary(names, stacked, unseen, redrawn and count > 1)


def _examples(x: ArrayLike) -> np.ndarray:
    rows = np.asarray(x)
    if rows.ndim < 2 or len(rows) < 2 or rows.dtype.kind not in "biuf":
        got = f"shape {rows.shape} of {rows.dtype}"
        raise fail(
            "x", "two examples or more, numbers (examples, …)", got, "rows of the data, for example x[:32]"
        )
    if not np.isfinite(rows.astype(np.float64)).all():
        raise fail("x", "finite examples", "some that are not")
    return rows[:EXAMPLES]


Source = Callable[[Array, bool], Any]


def _source(network: PyTree, x: np.ndarray) -> tuple[Source, bool]:
    """(a function of a key, and of whether a new network is asked for, → a module; whether it is made from
    one network whose weights are drawn again)."""
    if isinstance(network, Network):
        network = network.module
    if _is_nnx(network):
        network = _from_nnx(network)
    if isinstance(network, eqx.Module):
        return lambda key, anew: drawn_again(network, key) if anew else network, True
    if hasattr(network, "init") and hasattr(
        network, "apply"
    ):  # a Flax module, or Haiku's transformed function
        return lambda key, _: _from_flax(network, x, key), False
    if callable(network):

        def made(key: Array, _: bool) -> Any:
            found = network(key)
            found = _from_nnx(found) if _is_nnx(found) else as_model(found)
            if not isinstance(found, eqx.Module):
                expected = "a network, or a function of a key that makes one"
                raise fail("network", expected, f"a function that gives {type(found).__name__}")
            return found.module if isinstance(found, Network) else found

        return made, False
    expected = "an equinox, Flax or own network, or a function of a key that makes one"
    raise fail("network", expected, network)


def drawn_again(network: PyTree, key: Array) -> Any:
    """The network with the entries of each array of weights in another order: another draw from what they
    were drawn from, if they were drawn alike and independently."""
    leaves, structure = jax.tree.flatten(network)
    keys = jax.random.split(key, max(len(leaves), 1))
    mixed = [
        jax.random.permutation(k, leaf.reshape(-1)).reshape(leaf.shape)
        if eqx.is_inexact_array(leaf)
        else leaf
        for leaf, k in zip(leaves, keys, strict=True)
    ]
    return jax.tree.unflatten(structure, mixed)


def _from_flax(network: PyTree, x: np.ndarray, key: Array) -> FunctionNetwork:
    try:
        variables = network.init(key, jnp.asarray(x[:1], jnp.result_type(float)))
    except Exception as error:
        reason = f"{type(error).__name__}: {(str(error).strip().splitlines() or [''])[0]}"
        remedy = "give a function of a key that makes a FunctionNetwork"
        raise fail("network", "a module with init(key, x) and apply(variables, x)", reason, remedy) from error
    return FunctionNetwork(lambda p, one: network.apply(p, one[None])[0], variables)


def _is_nnx(network: object) -> bool:
    return any(kind.__module__.startswith("flax.nnx") for kind in type(network).__mro__)


def _from_nnx(network: PyTree) -> FunctionNetwork:
    from flax import nnx  # type: ignore[import-not-found]  # whoever has such a network has it

    graph, state = nnx.split(network)
    return FunctionNetwork(lambda p, one: nnx.merge(graph, p)(one[None])[0], nnx.to_pure_dict(state))


def _summary(names: tuple[str, ...], t: Layers, unseen: int, mixed: bool) -> NetworkDepthFlow:
    draws, count, examples = t.kernel.shape
    # what is left out in turn: a draw, or of one network an example
    axis = 0 if draws > 1 else 2
    kernel = _jackknife(lambda K: K.mean((0, 2)), t.kernel, axis=axis)
    perpendicular = _jackknife(_ratio, t.spread, axis=axis)
    parallel = _jackknife(_ratio, t.growth, axis=axis)
    forgotten = np.abs(t.growth.mean((0, 2))) < FORGOTTEN * t.kernel.mean((0, 2))
    for values in parallel:
        values[forgotten] = math.nan
    correlation = _correlations(t, draws > 1)
    nan = np.full(count, math.nan)
    coupling = _jackknife(_relative_variance, t.kernel, axis=0) if draws > 2 else (nan, nan)
    gain = t.bare.mean((0, 2)) / np.maximum(t.data.mean((0, 2)), _TINY)
    said = _caveats(draws, unseen, mixed, kernel[0])
    tell(said, stacklevel=4)
    return NetworkDepthFlow(
        names, *kernel, *parallel, *perpendicular, *correlation, *coupling, gain, draws, examples, said
    )


def _ratio(values: np.ndarray) -> np.ndarray:
    """Of each layer's mean to that of the layer before it, at the layer before; nan of the last."""
    means = values.mean((0, 2))
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.append(means[1:] / means[:-1], math.nan)


def _relative_variance(kernel: np.ndarray) -> np.ndarray:
    mean = kernel.mean(0)
    return (kernel.var(0, ddof=1) / np.maximum(mean**2, _TINY)).mean(-1)


def _correlations(t: Layers, over_draws: bool) -> tuple[np.ndarray, np.ndarray]:
    size = np.sqrt(np.maximum(t.kernel[..., :, None] * t.kernel[..., None, :], _TINY))
    c = t.products / size
    one = ~np.eye(c.shape[-1], dtype=bool)
    if over_draws:
        of_draws = c[..., one].mean(-1)
        return of_draws.mean(0), of_draws.std(0, ddof=1) / math.sqrt(len(of_draws))
    mean = c[0][..., one].mean(-1)
    n = c.shape[-1]
    if n < 3:
        return mean, np.full_like(mean, math.nan)
    left = np.stack([np.delete(np.delete(c[0], k, -1), k, -2)[..., one[1:, 1:]].mean(-1) for k in range(n)])
    return mean, np.sqrt((n - 1) / n * ((left - left.mean(0)) ** 2).sum(0))


def _jackknife(
    of: Callable[[np.ndarray], np.ndarray], values: np.ndarray, *, axis: int
) -> tuple[np.ndarray, np.ndarray]:
    n = values.shape[axis]
    found = of(values)
    left = np.stack([of(np.delete(values, k, axis)) for k in range(n)])
    return found, np.sqrt((n - 1) / n * ((left - left.mean(0)) ** 2).sum(0))


def _caveats(draws: int, unseen: int, mixed: bool, kernel: np.ndarray) -> tuple[str, ...]:
    said = []
    if 1 < draws < _FEW_DRAWS:
        words = f"{draws} initialisations are too few for an error bar; take {_FEW_DRAWS} or more"
        said.append(caveat("unjudged", words))
    if unseen:
        words = f"{unseen} products inside loops or branches are not seen; write loops over layers out"
        said.append(caveat("unjudged", words))
    if mixed:
        words = "the entries of each array were put in another order for another draw"
        remedy = "give a function of a key for draws of the initialisation itself"
        said.append(caveat("assumption", f"{words}; {remedy}"))
    if (kernel <= _TINY).any():
        said.append(caveat("assumption", "a layer is zero for every example: what follows it says nothing"))
    return tuple(said)
