r"""Networks as blocking rules: the hidden layer of an RBM, or a layer of a deep machine, as block spins.

    p(h|v) = Π_k e^{h_k θ_k}/Σ_h e^{hθ_k},      θ = b + Wᵀv

(Mehta & Schwab, arXiv:1410.3831, 2014). Two operators go by the letter T, and are kept apart here:

    log_weight      T = ln p(h|v):       Σ_h e^T = 1 for every v and every network
    mehta_schwab    T = H(v) − E(v,h):   Σ_h e^T = 1, up to a constant, only where the RBM is e^{−H}/Z

The first makes any network a renormalization step, e^{−H'(h)} = Σ_v e^{T(v,h) − H(v)}; the second says
whether the hidden layer's own Hamiltonian is that H' (`trace_condition`).

A network whose weights are the same on every block, and nothing between blocks, is a rule on lattices of any
size, level after level. Any other applies to its own lattice, once.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import jax
import numpy as np
from jax import Array
from jaxtyping import Float, Int8

from intertwine._checks import InputError, fail
from intertwine._keys import key_words
from intertwine.geometry.spectrum import log_weights, spin_view
from intertwine.models.machines.deep_belief import DBN
from intertwine.models.machines.deep_boltzmann import DBM
from intertwine.models.machines.rbm import RBM
from intertwine.models.results import as_model
from intertwine.models.spins.ising import Ising
from intertwine.rg.blocks.blocking import BlockRule
from intertwine.rg.blocks.blocks import assumed_torus, blocked_lattice, checked_spins
from intertwine.spaces.lattice import Lattice


@dataclass(frozen=True, eq=False)
class NetworkRule:
    """A `Rule` made of a network by `as_rg_map`. Spins and block spins are ±1, whatever the units.

    rbm: the pair of layers, its visible units the sites of `lattice`, its hidden ones those of `coarse`.
    local: the same rule block by block where the network is one, so that it applies to lattices of any size;
    None where it is not.
    """

    rbm: RBM
    lattice: Lattice
    coarse: Lattice
    local: BlockRule | None

    @property
    def name(self) -> str:
        """The rule in a word."""
        return f"network:{self.lattice.name}"

    @property
    def block(self) -> float:
        """The linear factor b = (N/M)^{1/d}."""
        return (self.lattice.size / self.coarse.size) ** (1 / self.lattice.dimension)

    def __getattr__(self, name: str) -> Any:
        """`sites` and `probability_up`, the members of a rule of separate blocks, where it is one."""
        if name in ("sites", "probability_up") and self.local is not None:
            return getattr(self.local, name)
        raise AttributeError(f"{type(self).__name__} has no attribute {name!r}")

    def blocked(self, lattice: Lattice) -> Lattice:
        """The lattice of the block spins. Raises InputError for a lattice that is not the network's own,
        where its weights are not the same on every block."""
        if self.local is not None:
            return self.local.blocked(lattice)
        if lattice != self.lattice:
            expected = f"{self.lattice.name}, to which the network applies"
            shown = lattice.name if isinstance(lattice, Lattice) else lattice
            raise fail("lattice", expected, shown, "its weights are not those of equal, separate blocks")
        return self.coarse

    def __call__(
        self, spins: Any, lattice: Lattice, *, key: Array | None = None
    ) -> Int8[np.ndarray, "... M"]:
        """Block spins int8 ±1 (..., M), drawn from p(h|v), of spins ±1 (..., N)."""
        if self.local is not None:
            return self.local(spins, lattice, key=key)
        up = self._up(spins, lattice)
        if key is None:
            raise fail("key", "a JAX key, since block spins are drawn at random", "None")
        drawn = np.random.default_rng(key_words(key)).random(up.shape) < up
        return np.where(drawn, 1, -1).astype(np.int8)

    def log_weight(
        self, blocked: Array | np.ndarray, spins: Array | np.ndarray, lattice: Lattice
    ) -> Float[np.ndarray, "..."]:
        """T = ln p(h|v) of block spins (..., M) and spins (..., N), which broadcast."""
        if self.local is not None:
            return self.local.log_weight(blocked, spins, lattice)
        h = checked_spins(blocked, self.blocked(lattice))
        angles = self._angles(spins, lattice)
        return -np.logaddexp(0, -h * angles).sum(-1)

    def mehta_schwab(
        self, blocked: Array | np.ndarray, spins: Array | np.ndarray, hamiltonian: Ising | None = None
    ) -> Float[np.ndarray, "..."]:
        """T = H(v) − E(v,h) of block spins (..., M) and spins (..., N) of the network's own lattice.

        hamiltonian: of the spins, H = −ln Ψ; None: the network's own free energy, for which T = ln p(h|v).
        """
        h, v = checked_spins(blocked, self.coarse), checked_spins(spins, self.lattice)
        if hamiltonian is not None and not (
            isinstance(hamiltonian, Ising) and hamiltonian.size == v.shape[-1]
        ):
            raise fail("hamiltonian", f"an Ising model of {v.shape[-1]} spins, or None", hamiltonian)
        view = spin_view(self.rbm if hamiltonian is None else hamiltonian)
        flat = v.reshape(-1, v.shape[-1])
        own = -log_weights(view, flat).reshape(v.shape[:-1])
        energy = np.asarray(self.rbm.energy(_units(v, self.rbm.units), _units(h, self.rbm.hidden_units)))
        return own - energy.astype(np.float64)

    def _angles(self, spins: Array | np.ndarray, lattice: Lattice) -> np.ndarray:
        """ln p(h = +1|v)/p(h = −1|v) of every hidden unit, float64 (..., M)."""
        self.blocked(lattice)
        v = np.asarray(_units(checked_spins(spins, lattice), self.rbm.units), np.float64)
        weights, bias = (np.asarray(x, np.float64) for x in (self.rbm.weights, self.rbm.hidden_bias))
        return (bias + v @ weights) * (2.0 if self.rbm.hidden_units == "spin" else 1.0)

    def _up(self, spins: Array | np.ndarray, lattice: Lattice) -> np.ndarray:
        return 1 / (1 + np.exp(-np.clip(self._angles(spins, lattice), -700, 700)))


def as_rg_map(
    model: RBM | DBM | DBN,
    layer: int = 0,
    lattice: Lattice | None = None,
    blocked: Lattice | None = None,
    block: int | None = None,
) -> NetworkRule:
    """A network as a blocking rule: p(h|v) from the units of one layer to those of the next.

    model: an RBM, or a DBM or DBN of which `layer` and the next are read as an RBM (0: from the visible units
    up); real, with units of two states. lattice, blocked: where the two layers are; a machine does not carry
    its lattice, and None is taken for the square torus of side √N, said as a `Caveat`. block: b, for
    `blocked` the lattice of b × b blocks; None of both: found from the sizes.

    Raises InputError for other machines, layers that there are not, lattices of other sizes, and where the
    lattices are neither given nor found.

    >>> from intertwine.rg.blocks.block_rbm import block_rbm
    >>> from intertwine.spaces.lattices import Square
    >>> rule = as_rg_map(block_rbm(Square(8, 8), b=2, w=1.0), lattice=Square(8, 8))
    >>> rule.blocked(Square(4, 4)).name, round(float(rule.log_weight(np.ones(4), np.ones(16), Square(4))), 6)
    ('square:2x2', -0.001342)
    """
    rbm = layer_pair(as_model(model), layer)
    lattice = _placed(lattice, rbm.size, "lattice", "visible units")
    if block is not None:
        if blocked is not None:
            raise fail("block", "None where `blocked` is given", block, "give one of them")
        blocked = blocked_lattice(lattice, block)
    coarse = _placed(blocked or _smaller(lattice, rbm.hidden), rbm.hidden, "blocked", "hidden units")
    return NetworkRule(rbm, lattice, coarse, _local(rbm, lattice, coarse))


def layer_pair(model: RBM | DBM | DBN, layer: int) -> RBM:
    """Layers `layer` and `layer` + 1 of a machine as an RBM. Raises InputError as `as_rg_map` does."""
    depth = 1 if isinstance(model, RBM) else len(getattr(model, "sizes", ())) - 1
    if not isinstance(model, RBM | DBM | DBN):
        raise fail("model", "an RBM, DBM or DBN", type(model).__name__)
    if isinstance(layer, bool) or not isinstance(layer, int | np.integer) or not 0 <= layer < depth:
        raise fail("layer", f"0 to {depth - 1}", layer)
    if isinstance(model, DBM):
        below, above = model.layers[layer : layer + 2]
        found = RBM.from_parameters(
            model.biases[layer], model.biases[layer + 1], model.weights[layer],
            units=below.spec, hidden_units=above.spec,
        )  # fmt: skip
    elif isinstance(model, DBN) and layer < depth - 1:
        up, down = model.recognition[layer], model.generative[layer]
        found = RBM.from_parameters(
            down.bias, up.bias, up.weights, units=down.layer.spec, hidden_units=up.layer.spec
        )
    else:
        found = model.top if isinstance(model, DBN) else model
    if found.kind != "real" or not (found.visible_layer.is_two_state and found.hidden_layer.is_two_state):
        raise fail("model", "real parameters and units of two states, spin or binary", str(found.units))
    return found


def _smaller(lattice: Lattice, size: int) -> Lattice | None:
    """The blocked lattice of `size` sites, the lattice itself for as many as it has; None for other sizes."""
    b = round((lattice.size / size) ** (1 / lattice.dimension))
    try:
        made = lattice if b == 1 else blocked_lattice(lattice, b)
    except InputError:
        return None
    return made if made.size == size else None


def _placed(lattice: Lattice | None, size: int, name: str, units: str) -> Lattice:
    if lattice is None:
        return assumed_torus(size, name, units)
    if not isinstance(lattice, Lattice) or lattice.size != size:
        shown = lattice.name if isinstance(lattice, Lattice) else lattice
        raise fail(name, f"a lattice of {size} sites", shown)
    return lattice


def _local(rbm: RBM, lattice: Lattice, coarse: Lattice) -> BlockRule | None:
    """The rule of one block, where all blocks have it and nothing links them."""
    b = round((lattice.size / coarse.size) ** (1 / lattice.dimension))
    try:
        if b < 2 or blocked_lattice(lattice, b) != coarse:
            return None
        sites = BlockRule(b, lambda v: v).sites(lattice)
    except InputError:
        return None
    weights, bias = (np.asarray(x, np.float64) for x in (rbm.weights, rbm.hidden_bias))
    inside = weights[sites, np.arange(len(sites))[:, None]]
    alone = np.count_nonzero(weights) == np.count_nonzero(inside)
    if not (alone and (inside == inside[0]).all() and (bias == bias[0]).all()):
        return None
    scale = 2.0 if rbm.hidden_units == "spin" else 1.0
    own, shift = inside[0] * scale, bias[0] * scale
    if rbm.units == "binary":  # v = (1 + s)/2
        own, shift = own / 2, shift + own.sum() / 2
    return BlockRule(b, _Logistic(tuple(own.tolist()), float(shift)))


@dataclass(frozen=True)
class _Logistic:
    """p(h = +1 | v_B) = 1/(1 + e^{−(w·v + c)})."""

    weights: tuple[float, ...]
    shift: float

    def __call__(self, spins: Any) -> np.ndarray:
        angle = spins @ np.array(self.weights) + self.shift
        return 1 / (1 + np.exp(-np.clip(angle, -700, 700)))


def _units(spins: Array | np.ndarray, units: object) -> jax.Array:
    """Spins ±1 in the units of a layer."""
    x = jax.numpy.asarray(spins, float)
    return (1 + x) / 2 if units == "binary" else x
