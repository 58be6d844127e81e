"""The table of models: one row a model; every law of tests/models/test_laws.py is run on every row.

A new model is one row here. `MODELS[name](key)` makes it, on 8 sites (or a 4×4 lattice), with parameters so
large that every term of log ψ matters.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from intertwine.models.autoregressive.causal_transformer import CausalTransformer
from intertwine.models.autoregressive.masked_convolution import MaskedConvolution
from intertwine.models.autoregressive.masked_dense import MaskedDense
from intertwine.models.autoregressive.recurrent import RecurrentNetwork
from intertwine.models.autoregressive.symmetrised_density import SymmetrisedDensity
from intertwine.models.circuits.convolutional import ConvolutionalCircuit
from intertwine.models.circuits.recurrent import RecurrentCircuit
from intertwine.models.deep.residual_network import ResNet
from intertwine.models.deep.vision_transformer import ViT
from intertwine.models.fermions import Backflow, HiddenFermions, Pairing, Pfaffian, Slater, correlated
from intertwine.models.jastrow import Jastrow
from intertwine.models.machines.rbm import RBM
from intertwine.models.machines.sparse_rbm import SparseRBM
from intertwine.models.mean_field import MeanField
from intertwine.models.qubits.presets import hardware_efficient, qaoa
from intertwine.models.symmetric.gcnn import GCNN
from intertwine.models.symmetric.symmetric_rbm import SymmetricRBM
from intertwine.models.symmetric.symmetrised import Symmetrised
from intertwine.models.units import as_spins
from intertwine.models.wrapped import FunctionAmplitude
from intertwine.spaces.hilbert.kinds import Fermions
from intertwine.spaces.lattices import Chain, Square
from intertwine.symmetry.groups.permutation_group import PermutationGroup

SITES = 8


def ring(size: int = SITES) -> PermutationGroup:
    """Translations of a ring."""
    return PermutationGroup.generate([(np.arange(size) + 1) % size])


def dihedral_ring(size: int = SITES) -> PermutationGroup:
    """Translations and reflections of a ring."""
    sites = np.arange(size)
    return PermutationGroup.generate([(sites + 1) % size, -sites % size])


def square_point_group(side: int = 4) -> PermutationGroup:
    """Rotations and reflections of a side×side square lattice about a site (order 8)."""
    x, y = np.divmod(np.arange(side * side), side)
    return PermutationGroup.generate([(-y % side) * side + x, y * side + x])


def hand_written(p: dict[str, jax.Array], s: jax.Array) -> jax.Array:
    """A two-layer network on translations, written by hand."""
    hidden = jnp.tanh(s @ p["first"] + p["bias"])
    return jnp.log(jnp.cosh(hidden @ p["second"])).sum()


def with_phase(p: dict[str, jax.Array], s: jax.Array) -> jax.Array:
    """Real parameters, complex log ψ."""
    return jnp.tanh(s @ p["size"]).sum() + 1j * jnp.sin(s @ p["phase"]).sum()


def analytic(p: dict[str, jax.Array], s: jax.Array) -> jax.Array:
    """Complex parameters, analytic."""
    z = s @ p["w"]
    return (z * z + z**3 / 10).sum()


def _hand_written(key: jax.Array) -> FunctionAmplitude:
    keys = jax.random.split(key, 3)
    shapes = {"first": (SITES, 6), "second": (6, 4), "bias": (6,)}
    p = {
        name: 0.5 * jax.random.normal(k, shape) for k, (name, shape) in zip(keys, shapes.items(), strict=True)
    }
    return FunctionAmplitude(hand_written, p, size=SITES)


def _with_phase(key: jax.Array) -> FunctionAmplitude:
    first, second = 0.4 * jax.random.normal(key, (2, SITES, 3))
    return FunctionAmplitude(with_phase, {"size": first, "phase": second}, size=SITES)


def _analytic(key: jax.Array) -> FunctionAmplitude:
    w = 0.2 * jax.random.normal(key, (SITES, 3), complex)
    return FunctionAmplitude(analytic, {"w": w}, size=SITES, kind="holomorphic")


def flax_linen(key: jax.Array) -> FunctionAmplitude:
    """A Flax linen network."""
    import flax.linen as nn

    class Net(nn.Module):
        @nn.compact
        def __call__(self, s: jax.Array) -> jax.Array:
            hidden = nn.gelu(nn.Dense(6, param_dtype=float)(s))
            return nn.Dense(1, param_dtype=float)(hidden)[0]

    net = Net()
    return FunctionAmplitude(net.apply, net.init(key, jnp.ones(SITES)), size=SITES)


def flax_nnx(key: jax.Array) -> FunctionAmplitude:
    """A Flax nnx network."""
    from flax import nnx

    net = nnx.Linear(SITES, 3, param_dtype=float, rngs=nnx.Rngs(key))
    graph, parameters = nnx.split(net)
    return FunctionAmplitude(lambda p, s: jnp.tanh(nnx.merge(graph, p)(s)).sum(), parameters, size=SITES)


def _rbm(dtype: type, units: str, hidden_units: str) -> Callable[[jax.Array], RBM]:
    return lambda key: RBM(SITES, 11, dtype=dtype, units=units, hidden_units=hidden_units, scale=0.4, key=key)


def _symmetric(group: PermutationGroup, **options: Any) -> Callable[[jax.Array], Any]:
    return lambda key: SymmetricRBM(group, 3, scale=0.25, key=key, **options)


def _gcnn(group: PermutationGroup, layers: int = 2, **options: Any) -> Callable[[jax.Array], Any]:
    def build(key: jax.Array) -> GCNN:
        made = GCNN(group, layers, 2, scale=1.5, key=key, **options)
        return jax.tree.map(lambda x: x + 0.1, made)  # biases that matter

    return build


def _symmetrised(dtype: type, character: int, **options: Any) -> Callable[[jax.Array], Any]:
    chi = ring().characters_1d()[character]
    inner = _rbm(dtype, "spin", "spin")
    return lambda key: Symmetrised(inner(key), ring(), chi, **options)


def _fermions(reference: Callable[..., Any], particles: Any, factor: Any = None, **options: Any) -> Any:
    """A wave function of fermions on four sites, times a factor."""

    def build(key: jax.Array) -> Any:
        psi = reference(Fermions(Chain(SITES // 2), particles), scale=1.0, key=key, **options)
        return psi if factor is None else correlated(psi, factor(key))

    return build


def _symmetrised_fermions(spin_flip: int | None) -> Any:
    """Slater determinants and a factor, projected."""
    inside = _fermions(Slater, (1, 1), lambda key: Jastrow(SITES, scale=0.3, key=key))
    group = ring(SITES // 2)
    chi = None if spin_flip else group.characters_1d()[1]
    return lambda key: Symmetrised(inside(key), group, chi, spin_flip=spin_flip)


MODELS: dict[str, Callable[[jax.Array], Any]] = {
    **{
        f"rbm-{dtype.__name__}-{units}-{hidden}": _rbm(dtype, units, hidden)
        for dtype in (float, complex)
        for units in ("spin", "binary")
        for hidden in ("spin", "binary")
    },
    "rbm-float-binary-as-spins": lambda key: as_spins(_rbm(float, "binary", "spin")(key)),
    "rbm-complex-binary-as-spins": lambda key: as_spins(_rbm(complex, "binary", "binary")(key)),
    "symmetric-float": _symmetric(dihedral_ring()),
    "symmetric-complex": _symmetric(ring(), dtype=complex),
    "symmetric-even": _symmetric(ring(), spin_flip=1),
    "symmetric-odd": _symmetric(ring(), spin_flip=-1),
    "symmetric-square": _symmetric(square_point_group()),
    "symmetric-momentum-float": _symmetric(ring(), character=ring().characters_1d()[3]),
    "symmetric-momentum-complex": _symmetric(ring(), dtype=complex, character=ring().characters_1d()[1]),
    "symmetric-character-even": _symmetric(
        square_point_group(), dtype=complex, spin_flip=1, character=square_point_group().characters_1d()[1]
    ),
    "gcnn-float": _gcnn(dihedral_ring(), 3),
    "gcnn-complex-odd": _gcnn(ring(), dtype=complex, spin_flip=-1),
    "symmetrised-momentum": _symmetrised(float, 4, spin_flip=1),
    "symmetrised-complex": _symmetrised(complex, 1),
    "sparse-rbm-complex": lambda key: SparseRBM(
        np.abs(np.subtract.outer(np.arange(SITES), np.arange(SITES))) <= 1, dtype=complex, scale=0.4, key=key
    ),
    "circuit-convolutional": lambda key: ConvolutionalCircuit(SITES, 2, 3, scale=0.5, key=key),
    "circuit-tree-float": lambda key: ConvolutionalCircuit(
        SITES, 2, 2, overlap=False, dtype=float, scale=0.5, key=key
    ),
    "circuit-recurrent": lambda key: RecurrentCircuit(SITES, 2, 3, scale=0.5, key=key),
    "autoregressive-dense": lambda key: MaskedDense(SITES, 2, 3, key=key),
    "autoregressive-convolution": lambda key: MaskedConvolution(
        Square(2, 4), 2, 3, reach=2, dtype=complex, key=key
    ),
    "autoregressive-gru": lambda key: RecurrentNetwork(SITES, 1, 3, dtype=complex, key=key),
    "autoregressive-snake": lambda key: RecurrentNetwork(Square(2, 4), 1, 3, key=key),
    "autoregressive-transformer": lambda key: CausalTransformer(SITES, 1, 8, heads=2, key=key),
    "autoregressive-averaged": lambda key: SymmetrisedDensity(
        RecurrentNetwork(SITES, 1, 2, cell="lstm", dtype=complex, key=key), spin_flip=-1
    ),
    "vit-float": lambda key: ViT(ring(), 1, 4, dtype=float, scale=8.0, key=key),
    "vit-complex": lambda key: ViT(
        Square(4, 2), 2, 4, heads=2, patch=(2, 1), translations=True, scale=8.0, key=key
    ),
    "vit-softmax": lambda key: ViT(Chain(SITES), 1, 4, patch=2, attention="softmax", scale=8.0, key=key),
    "resnet-complex": lambda key: ResNet(Chain(SITES), 1, 3, scale=8.0, key=key),
    "resnet-float-product": lambda key: ResNet(ring(), 1, 2, head="product", dtype=float, scale=8.0, key=key),
    "jastrow-float": lambda key: Jastrow(SITES, scale=0.3, key=key),
    "jastrow-complex": lambda key: Jastrow(SITES, dtype=complex, scale=0.3, key=key),
    "jastrow-tied": lambda key: Jastrow(dihedral_ring(), scale=0.3, key=key),
    "jastrow-tied-complex": lambda key: Jastrow(square_point_group(), dtype=complex, scale=0.3, key=key),
    "mean-field-float": lambda key: MeanField(SITES, scale=0.3, key=key),
    "mean-field-complex": lambda key: MeanField(SITES, dtype=complex, scale=0.3, key=key),
    "function-hand-written": _hand_written,
    "function-with-phase": _with_phase,
    "function-analytic": _analytic,
    "function-flax-linen": flax_linen,
    "function-flax-nnx": flax_nnx,
    "quantum-circuit": lambda key: hardware_efficient(SITES, 1, scale=1.0, key=key),
    "quantum-circuit-shared": lambda key: qaoa(Chain(SITES), 2, scale=0.5, key=key),
    "slater": _fermions(Slater, (2, 2)),
    "slater-complex": _fermions(Slater, (1, 3), dtype=complex),
    "slater-shared": _fermions(Slater, (1, 2), shared=True),
    "slater-jastrow": _fermions(Slater, (2, 1), lambda key: Jastrow(SITES, scale=0.3, key=key)),
    "slater-rbm-complex": _fermions(Slater, (2, 2), _rbm(complex, "spin", "spin")),
    "pairing": _fermions(Pairing, (2, 2), singlet=True),
    "pairing-rbm": _fermions(Pairing, (1, 3), _rbm(float, "spin", "spin")),
    "symmetrised-slater": _symmetrised_fermions(1),
    "symmetrised-slater-momentum": _symmetrised_fermions(None),
    "backflow": _fermions(Backflow, (2, 1), hidden=4),
    "backflow-complex": _fermions(Backflow, (1, 1), hidden=3, dtype=complex),
    "hidden-fermions": _fermions(HiddenFermions, (2, 1), hidden=2, width=5),
    "pfaffian": _fermions(Pfaffian, (3, 2)),
    "pfaffian-complex": _fermions(Pfaffian, (2, 2), dtype=complex),
}
