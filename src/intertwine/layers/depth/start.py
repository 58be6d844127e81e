r"""Starting at criticality: a network's weights and biases rescaled so that its kernel neither grows nor
dies.

Where the activation is known, each layer gets its critical (C_b, C_W)* (`critical`): the weights are
multiplied by √(C_W/ĝ), ĝ = ⟨(Wh)²⟩/⟨h²⟩ measured on examples, so that fan-in, symmetry and padding need not
be known; biases are drawn with variance C_b; and of a half-stable class the first layer is scaled so that
its kernel is K*. Where it is not known, or has no critical point, weights are scaled, layer after layer,
until the measured χ_⊥ is 1, and biases are 0 (in the spirit of the layer-sequential start of Mishkin &
Matas, ICLR 2016). The last layer, after which no activation comes, is left as it is.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from jaxtyping import Float, PyTree
from numpy.typing import ArrayLike

from intertwine._caveats import beneath, caveat, tell
from intertwine._checks import fail
from intertwine._results import as_model
from intertwine._shown import Shown
from intertwine.layers.depth.activation import NAMED, Activation
from intertwine.layers.depth.critical import CriticalInitialisation, critical_initialisation
from intertwine.layers.depth.measured import (
    FORGOTTEN,
    Layers,
    Program,
    measure,
    prepared,
    program_of,
    traced,
    with_leaves,
)
from intertwine.layers.nonlinear.pointwise import Function, Pointwise
from intertwine.layers.norms.calibration import batch_norms

EXAMPLES = 32
_TINY = 1e-30
_NEAR = 2.0

Table = Float[np.ndarray, " L"]


class Profile(Shown):
    """layers: names. kernel K, parallel χ_∥ and perpendicular χ_⊥ to the next layer (nan of the last), gain
    C_W, coupling ⟨z⁴⟩/3⟨z²⟩² − 1 over neurons and places (0 of normal numbers; V/(nK²) over networks), of one
    network over examples, float64 (L,).
    """

    def __init__(self, layers: tuple[str, ...], found: Layers):
        self.layers = layers
        means = (values.mean(1) for values in (found.kernel, found.spread, found.growth))
        self.kernel, spread, growth = means
        self.perpendicular, self.parallel = _steps(spread), _steps(growth)
        self.parallel[np.abs(growth) < FORGOTTEN * self.kernel] = np.nan
        self.gain = found.bare.mean(1) / np.maximum(found.data.mean(1), _TINY)
        self.coupling = (found.fourth / np.maximum(found.kernel**2, _TINY)).mean(1) / 3 - 1

    def __str__(self) -> str:
        wide = max(8, *(len(name) for name in self.layers))
        rows = [f"{'layer':<{wide}}" + "".join(f"{name:>11}" for name in ("K", "χ_∥", "χ_⊥", "C_W"))]
        for name, *row in zip(
            self.layers, self.kernel, self.parallel, self.perpendicular, self.gain, strict=True
        ):
            rows.append(
                f"{name:<{wide}}" + "".join(f"{v:>11.4g}" if np.isfinite(v) else f"{'—':>11}" for v in row)
            )
        return "\n".join(rows)


def _steps(values: np.ndarray) -> np.ndarray:
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.append(values[1:] / values[:-1], np.nan)


@dataclass(frozen=True, eq=False, repr=False)
class CriticalStart(Shown):
    """model: the network at its critical start. before, after: its layers as it was given and now.
    critical: of the activation, None where the start was measured. warnings: lines `code: sentence`."""

    model: Any
    before: Profile
    after: Profile
    critical: CriticalInitialisation | None
    warnings: tuple[str, ...] = ()

    def __str__(self) -> str:
        how = "by measured χ_⊥" if self.critical is None else str(self.critical).splitlines()[0]
        return beneath(f"critical start, {how}\nbefore\n{self.before}\nafter\n{self.after}", self.warnings)


def critical_start(
    network: PyTree, x: ArrayLike, *, activation: Function | None = None, key: Array
) -> CriticalStart:
    """A network at its critical initialisation, to learn from.

    network: an equinox module of one example → outputs, a network of this library, or a `FunctionNetwork`;
    what is given is not changed. x: examples (n, …), of which 32 are looked at. activation: of its layers; by
    default that of its `Pointwise` or equinox layers, if they have one in common. key: of biases and
    directions.

    Where batch norms undo every scale, where layers have no biases that the critical point needs, and where
    the measured χ_⊥ is not near 1 after all, `warnings` says so.

    >>> from intertwine.models.network import FunctionNetwork
    >>> net = eqx.nn.MLP(6, 2, 100, 4, activation=jax.nn.tanh, key=jax.random.key(0))
    >>> x = np.random.default_rng(0).normal(size=(32, 6))
    >>> start = critical_start(net, x, key=jax.random.key(1))
    >>> bool((start.before.gain < 0.5).all()), bool(np.allclose(start.after.gain[:4], 1, atol=1e-5))
    (True, True)
    """
    network = as_model(network)
    rows = np.asarray(x)
    if rows.ndim < 2 or len(rows) < 2:
        raise fail("x", "two examples or more, numbers (examples, …)", f"shape {rows.shape}")
    if not np.isfinite(rows.astype(np.float64)).all():
        raise fail("x", "finite examples", "some that are not")
    look = _Look(network, _some(rows), key)
    found = activation if activation is not None else activation_of(network)
    critical = None if found is None else critical_initialisation(Activation.of(found))
    usable = critical if critical is not None and critical.exists else None
    before = look.profile(network)
    model = _scaled(network, look, usable, key)
    after = look.profile(model)
    said = _caveats(network, look, critical, after)
    tell(said)
    return CriticalStart(model, before, after, usable, said)


def profiles(networks: Sequence[PyTree], x: ArrayLike, *, key: Array) -> list[Profile]:
    """The layers of networks of one structure, on the same examples and along the same directions.

    networks, x, key: as of `critical_start`. Raises InputError for networks without layers.

    >>> net = eqx.nn.MLP(6, 2, 10, 2, key=jax.random.key(0))
    >>> [profile.layers for profile in profiles([net], np.ones((4, 6)), key=jax.random.key(1))]
    [('layers[0]', 'layers[1]', 'layers[2]')]
    """
    look = _Look(networks[0], _some(np.asarray(x)), key)
    return [look.profile(network) for network in networks]


def _some(rows: np.ndarray) -> np.ndarray:
    """Some rows, spread evenly over all."""
    return rows[np.unique(np.linspace(0, len(rows) - 1, EXAMPLES).astype(int))]


class _Look:
    """What is measured of networks of one structure."""

    def __init__(self, network: PyTree, x: np.ndarray, key: Array):
        self.x, self.key = x, key
        module, numbers = prepared(network, x)
        self.program: Program = program_of(module)
        self.layers = traced(self.program, numbers[0]).layers
        self.names = tuple(self.program.names[min(layer.weights)] for layer in self.layers)

    def measure(self, network: PyTree) -> Layers:
        module, numbers = prepared(network, self.x)
        return measure(self.program.of(module), numbers, key=self.key)

    def profile(self, network: PyTree) -> Profile:
        return Profile(self.names, self.measure(network))


def _scaled(network: PyTree, look: _Look, critical: CriticalInitialisation | None, key: Array) -> Any:
    """The network with its layers scaled one after another, each on what the ones before it now give."""
    done: set[int] = set()
    C_b = 0.0 if critical is None else critical.C_b
    for number, layer in enumerate(look.layers[:-1]):
        own = sorted(layer.weights - done)
        biases = sorted(layer.biases - done)
        network = _changed(
            network, biases, lambda b, k: C_b**0.5 * jax.random.normal(k, b.shape, b.dtype), key
        )
        if own:
            factor = _factor(look.measure(network), number, critical)
            network = _changed(network, own, lambda w, _, f=factor: w * jnp.asarray(f, w.dtype), key)
        done |= layer.weights | layer.biases
    return network


def _factor(found: Layers, number: int, critical: CriticalInitialisation | None) -> float:
    """By what the weights of a layer are multiplied."""
    bare = float(found.bare[number].mean())
    if bare <= _TINY:
        return 1.0
    if critical is not None:
        if number == 0 and critical.kernel > 0:
            return float(((critical.kernel - critical.C_b) / bare) ** 0.5)
        return float((critical.C_W * found.data[number].mean() / bare) ** 0.5)
    if number == 0:
        return 1.0
    spread = found.spread.mean(1)
    return float((spread[number - 1] / spread[number]) ** 0.5) if spread[number] > _TINY else 1.0


def _changed(network: PyTree, places: list[int], change: Callable[[Array, Array], Array], key: Array) -> Any:
    """The network with the arrays at `places` changed, each with a key of its own."""
    leaves = [leaf for leaf in jax.tree.leaves(network) if eqx.is_array(leaf)]
    for place in places:
        leaves[place] = change(leaves[place], jax.random.fold_in(key, place))
    return with_leaves(network, leaves)


def activation_of(network: PyTree) -> Any:
    """The one activation of a network's `Pointwise` and equinox layers, None where it has several or none.

    >>> activation_of(eqx.nn.MLP(2, 2, 4, 2, activation=jnp.tanh, key=jax.random.key(0))) is jnp.tanh
    True
    """
    found: list[Any] = []

    def look(node: object) -> bool:
        if isinstance(node, Pointwise):
            function = node.function
            found.append(
                NAMED[function] if isinstance(function, str) and function != "gelu" else _plain(function)
            )
        elif isinstance(node, eqx.nn.MLP):
            found.append(node.activation)
        elif isinstance(node, eqx.nn.Lambda):
            found.append(node.fn)
        return False

    jax.tree.flatten(network, is_leaf=look)
    found = [function for function in found if not _is_module(function)] + [None] * any(
        map(_is_module, found)
    )
    different = {id(function) for function in found}
    return found[0] if len(different) == 1 else None


def _plain(function: Function) -> Any:
    return jax.nn.gelu if isinstance(function, str) else function


def _is_module(function: object) -> bool:
    return isinstance(function, eqx.Module)


def _caveats(
    network: PyTree, look: _Look, critical: CriticalInitialisation | None, after: Profile
) -> tuple[str, ...]:
    said = list(() if critical is None else critical.warnings)
    if norms := len(batch_norms(network)):
        words = (
            f"{norms} batch norms undo the scale of the layers before them: a critical start changes little"
        )
        said.append(caveat("assumption", words))
    if critical is not None and critical.exists and critical.C_b > 0:
        without = [
            name for name, layer in zip(look.names[:-1], look.layers, strict=False) if not layer.biases
        ]
        if without:
            words = (
                f"{', '.join(without[:4])} have no bias, which C_b = {critical.C_b:.3g} needs: K* is not kept"
            )
            said.append(caveat("assumption", words))
    deepest = after.perpendicular[-3] if len(after.layers) > 2 else 1.0
    if not 1 / _NEAR < deepest < _NEAR and not norms:
        words = f"χ_⊥ is {deepest:.3g} from {look.names[-3]} to the next layer, not 1"
        remedy = "pooling, narrow layers, sums with earlier ones, and kernels far from K* do that"
        said.append(caveat("assumption", f"{words}: {remedy}"))
    return tuple(said)
