r"""Models by name, as the command line and configurations write them.

rbm:ALPHA                             RBM with ALPHA·N hidden units
rbm:ALPHA:number                      the same of occupation numbers as they are: no weight for each level
local-rbm:RANGE                       a hidden unit at every site, which sees the sites within RANGE
symmetric-rbm:FEATURES                weights tied by the lattice's translations (or its point group)
symmetric-rbm:FEATURES:space          weights tied by its whole space group
symmetric-rbm:FEATURES:even           no biases, ψ(−s) = ψ(s); also FEATURES:space:even
loop-rbm:FEATURES                     plaquettes of spins on links; :lines and :strings add lines around the
                                      torus and single links, :space ties weights by all symmetries
loop-gcnn:LAYERSxFEATURES             group convolutions of the plaquettes; :lines, :strings, :translations
gcnn:LAYERSxFEATURES                  group convolutions under the lattice's space group
gcnn:LAYERSxFEATURES:translations     under its translations only; :even as above, :odd for ψ(−s) = −ψ(s)
cac:LAYERSxRANK                       convolutional arithmetic circuit, windows of 2 that overlap
cac:LAYERSxRANK:tree                  the same without overlap: a tree tensor network
rac:LAYERSxRANK                       recurrent arithmetic circuit, site after site
slater, slater-jastrow, backflow:64 … wave functions of fermions: see `fermions.presets`
masked-dense:LAYERSxFEATURES          autoregressive, each layer sees all sites before (exact samples)
masked-conv:LAYERSxFEATURES           autoregressive, gated filters over the sites before
recurrent:LAYERSxFEATURES             autoregressive, a memory along a line or a snake (gated recurrent units)
recurrent:LAYERSxFEATURES:tensor      the same with another cell: :gru, :lstm or :tensor
causal-transformer:LAYERSxFEATURES    autoregressive, attention to the sites before
recurrent:LAYERSxFEATURES:even        any autoregressive one with its density averaged over the spin flip (or
                                      :odd), or over the lattice's translations (:translations)
vit:LAYERSxDIM                        vision transformer of LAYERS layers, DIM features in a patch
vit:LAYERSxDIM:HEADS:patchP           with HEADS heads, and patches of P cells along each direction
vit:LAYERSxDIM:translations           attention by relative positions; also :softmax, and all together
resnet:LAYERSxFEATURES                LAYERS residual blocks of convolutions on the translations
resnet:LAYERSxFEATURES:product        Σ ln cosh at the end in place of a sum over sites; also :relu
hardware-efficient:DEPTH              quantum circuit: rotations of each qubit, controlled signs on the bonds
qaoa:DEPTH                            quantum circuit for the largest cut of the lattice's bonds
hva:DEPTH                             quantum circuit of the terms of the Hamiltonian, with a transverse field
jastrow                               a coupling for every pair
mean-field                            a product state
table                                 a number for every configuration of a small space
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from jax import Array
from jax.typing import DTypeLike

from intertwine._checks import fail
from intertwine.models.amplitude_table import AmplitudeTable
from intertwine.models.autoregressive.presets import (
    AUTOREGRESSIVE,
    AUTOREGRESSIVE_NAMES,
    AUTOREGRESSIVE_OPTIONS,
    CELLS,
    autoregressive_model,
)
from intertwine.models.circuits.convolutional import ConvolutionalCircuit
from intertwine.models.circuits.recurrent import RecurrentCircuit
from intertwine.models.deep.named import RESNET_NAMES, VIT_NAMES, resnet_settings, vit_settings
from intertwine.models.deep.residual_network import ResNet
from intertwine.models.deep.vision_transformer import ViT
from intertwine.models.fermions.presets import FERMION_NAMES, fermion_model, fermion_name
from intertwine.models.gauge.loop_rbm import LoopGCNN, LoopRBM
from intertwine.models.jastrow import Jastrow
from intertwine.models.machines.rbm import RBM
from intertwine.models.machines.sparse_rbm import SparseRBM
from intertwine.models.mean_field import MeanField
from intertwine.models.qubits.named import CIRCUIT_NAMES, CIRCUITS, circuit_from_name
from intertwine.models.symmetric.gcnn import GCNN
from intertwine.models.symmetric.sector_words import sector_in_words
from intertwine.models.symmetric.sectors import sector_called
from intertwine.models.symmetric.site_group import site_group
from intertwine.models.symmetric.symmetric_rbm import SymmetricRBM
from intertwine.spaces.hilbert.kinds import Spins

if TYPE_CHECKING:
    from intertwine.spaces.hilbert.hilbert_space import HilbertSpace
    from intertwine.spaces.lattice import Lattice

MODEL_NAMES = (
    "rbm:ALPHA",
    "rbm:ALPHA:number",
    "local-rbm:RANGE",
    "symmetric-rbm:FEATURES",
    "symmetric-rbm:FEATURES:space",
    "symmetric-rbm:FEATURES:even",
    "loop-rbm:FEATURES",
    "loop-rbm:FEATURES:strings",
    "loop-gcnn:LAYERSxFEATURES",
    "loop-gcnn:LAYERSxFEATURES:strings",
    "gcnn:LAYERSxFEATURES",
    "gcnn:LAYERSxFEATURES:translations",
    "gcnn:LAYERSxFEATURES:even",
    "gcnn:LAYERSxFEATURES:odd",
    "cac:LAYERSxRANK",
    "cac:LAYERSxRANK:tree",
    "rac:LAYERSxRANK",
    *AUTOREGRESSIVE_NAMES,
    *VIT_NAMES,
    *RESNET_NAMES,
    *CIRCUIT_NAMES,
    "jastrow",
    "mean-field",
    "table",
    *FERMION_NAMES,
)
_LARGEST = 1000
_DEEPEST = 100
_OPTIONS = frozenset({"space", "translations", "even", "odd"})
_ALLOWED = {
    "rbm": frozenset({"number"}),
    "local-rbm": frozenset(),
    "symmetric-rbm": _OPTIONS - {"odd"},
    "loop-rbm": frozenset({"space", "lines", "strings"}),
    "loop-gcnn": frozenset({"translations", "lines", "strings"}),
    "gcnn": _OPTIONS,
    "cac": frozenset({"tree"}),
    "rac": frozenset(),
    **AUTOREGRESSIVE_OPTIONS,
    **dict.fromkeys(CIRCUITS, frozenset()),
}
_DEEP = {"vit": vit_settings, "resnet": resnet_settings}
_LAYERED = ("gcnn", "loop-gcnn", "cac", "rac", *AUTOREGRESSIVE, *_DEEP)
_TRIVIAL = "trivial"


class ModelName(NamedTuple):
    """The parts of a model's name; number is 0 and options is empty where there are none.

    number: ALPHA, RANGE, FEATURES, DIM or RANK. layers: of a deep network or a circuit, else 0.
    """

    family: str
    number: float
    options: frozenset[str]
    layers: int = 0


def check_model_name(name: object) -> ModelName:
    """The parts of a name; InputError if it is none.

    >>> check_model_name("symmetric-rbm:4:even").number
    4.0
    """
    if not isinstance(name, str):
        raise _unknown(name)
    if (of_fermions := fermion_name(name)) is not None:
        return ModelName(*of_fermions)
    family, *rest = name.strip().split(":")
    if family in ("jastrow", "mean-field", "table") and not rest:
        return ModelName(family, 0.0, frozenset())
    if family not in (*_ALLOWED, *_DEEP) or not rest:
        raise _unknown(name)
    layers, _, features = rest[0].rpartition("x") if family in _LAYERED else ("", "", rest[0])
    try:
        number, depth = float(features), int(layers or 0)
    except ValueError:
        raise _unknown(name) from None
    if family in _LAYERED and not 1 <= depth <= _DEEPEST:
        raise _unknown(name)
    options = frozenset(rest[1:])
    known = _DEEP[family](options) is not None if family in _DEEP else options <= _ALLOWED[family]
    whole = family in ("rbm", "local-rbm") or number == math.floor(number) if math.isfinite(number) else False
    if not whole or not 0 < number <= _LARGEST or len(rest) != 1 + len(options) or not known:
        raise _unknown(name)
    if len(options & set(CELLS)) > 1 or {"space", "translations"} <= options or {"even", "odd"} <= options:
        raise _unknown(name)
    return ModelName(family, number, options, depth)


def model_from_name(
    name: str,
    lattice: Lattice,
    *,
    dtype: DTypeLike = float,
    sector: str = _TRIVIAL,
    space: HilbertSpace | None = None,
    key: Array,
) -> Any:
    """The model called `name` on `lattice`, with parameters of type `dtype`.

    space: the Hilbert space whose modes `lattice` is of, which wave functions of fermions are made for; where
    modes have several levels, the model is one of the spins that stand for them (`models.levels`), with ALPHA
    hidden units for each mode.

    sector: of a `gcnn` of the whole space group, "trivial" or the name of an irrep (`sectors.sector_called`).
    Raises InputError, listing the names, for any other.

    >>> import jax
    >>> from intertwine.models.parameters import count_parameters
    >>> from intertwine.symmetry.groups.permutation_group import PermutationGroup
    >>> ring = PermutationGroup.generate([[1, 2, 3, 0]])     # a lattice, or anything with a size
    >>> count_parameters(model_from_name("rbm:2", ring, key=jax.random.key(0)))       # 4 + 8 + 4·8
    44
    """
    if fermion_name(name) is not None:
        if space is None:
            raise fail(
                "space", "a Hilbert space with fermions", None, f"{name} is a wave function of fermions"
            )
        return _of_fermions(name, space, sector, dtype, key)
    if check_model_name(name).family in AUTOREGRESSIVE:
        if sector != _TRIVIAL:
            raise fail("sector", "'trivial' for a model other than gcnn:LAYERSxFEATURES", sector)
        _, number, options, layers = check_model_name(name)
        where = lattice if space is None else space
        return autoregressive_model(name, where, layers, int(number), options, dtype=dtype, key=key)
    if check_model_name(name).family == "table":
        return _table(lattice, sector, dtype, space, key)
    if space is not None and not space.binary:
        return _on_levels(name, lattice, dtype, sector, space, key)
    family, number, options, layers = check_model_name(name)
    if sector != _TRIVIAL and (family != "gcnn" or "translations" in options):
        raise fail("sector", "'trivial' for a model other than gcnn:LAYERSxFEATURES", sector)
    if family in CIRCUITS:
        if space is not None:
            raise fail("space", "free spins ½ for a quantum circuit", space, "take another model")
        return circuit_from_name(family, lattice, int(number), dtype=dtype, key=key)
    if family == "rbm":
        return RBM(lattice.size, max(1, round(number * lattice.size)), dtype=dtype, key=key)
    if family == "local-rbm":
        return SparseRBM.of_range(lattice, number, dtype=dtype, key=key)
    if family == "symmetric-rbm":
        group = next(iter(options & {"space", "translations"}), None)
        even = 1 if "even" in options else None
        return SymmetricRBM(lattice, int(number), dtype=dtype, group=group, spin_flip=even, key=key)
    if family == "loop-rbm":
        chosen = {name: name in options for name in ("lines", "strings")}
        group = "space" if "space" in options else "translations"
        return LoopRBM(lattice, int(number), **chosen, group=group, dtype=dtype, key=key)
    if family == "loop-gcnn":
        chosen = {name: name in options for name in ("lines", "strings")}
        group = "translations" if "translations" in options else "space"
        return LoopGCNN(lattice, layers, int(number), **chosen, group=group, dtype=dtype, key=key)
    if family == "gcnn":
        group = "translations" if "translations" in options else "space"
        flip = 1 if "even" in options else -1 if "odd" in options else None
        group = None if not hasattr(lattice, "space_group") else group
        character = None if sector == _TRIVIAL else sector_called(lattice, sector)
        return GCNN(
            lattice,
            layers,
            int(number),
            dtype=dtype,
            group=group,
            character=character,
            spin_flip=flip,
            key=key,
        )
    if family == "vit":
        given = vit_settings(options) or {}
        return ViT(lattice, layers, int(number), **given, dtype=dtype, key=key)
    if family == "resnet":
        given = resnet_settings(options) or {}
        return ResNet(lattice, layers, int(number), **given, dtype=dtype, key=key)
    if family == "cac":
        tree = "tree" in options
        return ConvolutionalCircuit(lattice, layers, int(number), overlap=not tree, dtype=dtype, key=key)
    if family == "rac":
        return RecurrentCircuit(lattice.size, layers, int(number), dtype=dtype, key=key)
    return (Jastrow if family == "jastrow" else MeanField)(lattice.size, dtype=dtype, key=key)


def _table(
    lattice: Lattice, sector: str, dtype: DTypeLike, space: HilbertSpace | None, key: Array
) -> AmplitudeTable:
    """An amplitude for every configuration of `space`, or of free spins ½."""
    if sector != _TRIVIAL:
        raise fail("sector", "'trivial' for a model other than gcnn:LAYERSxFEATURES", sector)
    return AmplitudeTable(Spins(lattice.size) if space is None else space, dtype=dtype, key=key)


def _on_levels(
    name: str, lattice: Any, dtype: DTypeLike, sector: str, space: HilbertSpace, key: Array
) -> Any:
    """The model called `name` of modes with several levels."""
    from intertwine.models.levels.level_jastrow import LevelJastrow
    from intertwine.models.levels.level_spins import encoding
    from intertwine.models.levels.number_rbm import NumberRBM
    from intertwine.models.levels.spins_on_levels import on_levels
    from intertwine.symmetry.groups.permutation_group import PermutationGroup

    family, number, options, _ = check_model_name(name)
    code = encoding(space)
    if family == "jastrow":
        return LevelJastrow(space, dtype=dtype, key=key)
    if family == "rbm":
        hidden = max(1, round(number * space.size))
        if "number" in options:
            return NumberRBM(space, hidden, dtype=dtype, key=key)
        return on_levels(RBM(code.size, hidden, dtype=dtype, key=key), code)
    if family not in ("symmetric-rbm", "gcnn", "mean-field"):
        expected = "rbm:ALPHA, symmetric-rbm:FEATURES, gcnn:LAYERSxFEATURES, jastrow or mean-field"
        raise fail("model", f"one of modes with several levels: {expected}", name)
    group: Any = PermutationGroup(code.permuted(np.asarray(site_group(lattice).permutations)))
    return on_levels(model_from_name(name, group, dtype=dtype, sector=sector, key=key), code)


def _of_fermions(name: str, space: HilbertSpace, sector: str, dtype: DTypeLike, key: Array) -> Any:
    """The wave function of fermions called `name`, in the sector of free fermions or the one named."""
    if sector == _TRIVIAL:
        return fermion_model(name, space, dtype=dtype, key=key)
    lattice: Any = space.place
    found = sector_in_words(lattice, sector)
    row: Any = found.irrep.row(found.row)
    character = row.real if np.abs(row.imag).max() < 1e-9 else row
    flip = found.spin_flip  # of the exchange of both spins, which is (−1)^{n↑} where the total spin is even
    flip = None if flip is None else flip * (-1) ** space.numbers[0].low
    return fermion_model(name, space, character=character, spin_flip=flip, dtype=dtype, key=key)


def _unknown(name: object) -> Exception:
    return fail(
        "model",
        "one of " + ", ".join(MODEL_NAMES),
        name,
        f"ALPHA and RANGE are numbers, FEATURES and RANK whole numbers, up to {_LARGEST}, as in rbm:2, "
        f"symmetric-rbm:4 and gcnn:4x8 (4 layers of 8 features)",
    )
