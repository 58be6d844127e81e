r"""The defaults of a ground-state search, for the function and the command alike: `choose` asks the operator.

Where H is stoquastic (all off-diagonal elements ≤ 0, for many magnets after a rotation Π_{i∈A} Z_i of the
signs), a ground state is positive and invariant under every symmetry (Perron & Frobenius), and so is the
wave function. Where it is not, a positive or invariant function may exclude the ground state: then the
amplitudes are complex, and the function carries the irrep of the space group that the ground state is in
(`ground_sector`, by Lanczos; the energy found there is not used).

Where one configuration of each orbit of the symmetry can be enumerated, all of them are summed instead of
sampled: gradient, metric and energy are then exact for the wave function at hand. Steps are short there, and
a search that runs aground begins anew (`fresh_start`). Elsewhere, Metropolis sampling with stochastic
reconfiguration and momentum (SPRING, see `learning.metric`).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import comb
from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import PyTree

from intertwine._caveats import caveat
from intertwine._checks import fail
from intertwine.models.levels.on_levels import OnLevels
from intertwine.quantum.hilbert_moves import is_plain, own_space

if TYPE_CHECKING:
    from jax import Array

    from intertwine.learning.metric import NaturalGradient
    from intertwine.learning.schedules import Schedule
    from intertwine.models.protocols import LogAmplitude
    from intertwine.quantum.ground_sector import GroundSector
    from intertwine.quantum.operators.operator import Operator
    from intertwine.spaces.hilbert.hilbert_space import HilbertSpace
    from intertwine.spaces.lattice import Lattice

STEPS = 300
SAMPLES = 1024
CHAINS = 64
FINAL_FACTOR = 64
DEEP_STEPS, DEEP_FACTOR = 200, 16
"""The same of sampled group-convolutional networks, whose amplitudes take longer."""
LEARNING_RATE, LEARNING_RATE_END, WARMUP = 0.05, 0.01, 10
SHIFT, SHIFT_END = 1e-2, 1e-3
"""The shift stays at 10⁻³ or above: with 1,024 samples, directions of the metric below that are noise, and
steps along them end in a spike of |ψ|². Exact sums allow less."""
MOMENTUM = 0.8
MODEL = "symmetric-rbm:8"

SUM_SHIFT_END = 1e-5
MAX_NORM, SUM_MAX_NORM = 0.5, 0.15
"""No step is longer than this in the Fubini-Study metric, where orthogonal states are π/2 apart. The second
is that of exact sums: a longer one can end where the amplitude of a configuration is 0, and nothing moves it
from there."""

_SUM_RATE = 1.5
"""Of exact sums, over the width of the spectrum: a step of imaginary time e^{−ηH} ≈ 1 − ηH shrinks every
excited state for η < 2/width."""
_SUM_DECAY, _SUM_STEPS = 16.0, (120, 400)
"""So many times 1/e the square of the first excited state is to shrink, within so many steps."""
_LOOP_SUMS: dict[str, Any] = {
    "steps": 600,
    "learning_rate": 0.2,
    "learning_rate_end": 0.1,
    "shift": 1e-3,
    "shift_end": 1e-4,
}
"""Of exact sums over loops: the ways to wind around a torus are nearly degenerate, which takes long steps."""
_USUAL_STRENGTH = (1.0, 20.0)
"""Σ |c| a site of the Hamiltonians, the identity left out, that the learning rate is made for."""
_OPEN_HIDDEN, _OPEN_FILTERS = {1: 4, 2: 8}, {1: 128, 2: 32}
"""Hidden units per site on lattices without translations, and filters at most, by dimension (2: or more)."""
_MOST_STATES = {True: 100_000, False: 200_000}
"""Configurations that are enumerated, for a stoquastic operator and for others."""
_MOST_WORK = 2e7
"""Orbits · flip sets · features · |G|: about a second a step."""


@dataclass(frozen=True)
class Choice:
    """The settings of a search, in the words of a configuration.

    model, dtype, sector: the wave function (`models.names`). rule: "sums" or "auto". magnetization: Σ s_i of
    the configurations, None for the sampler's own. final_factor: samples of the last estimate over those of a
    step. because: why, in a sentence.
    """

    model: str = MODEL
    dtype: str = "real"
    sector: str = "trivial"
    rule: str = "auto"
    magnetization: int | None = None
    steps: int = STEPS
    samples: int = SAMPLES
    final_factor: int = FINAL_FACTOR
    momentum: float = MOMENTUM
    learning_rate: float = LEARNING_RATE
    learning_rate_end: float = LEARNING_RATE_END
    shift: float = SHIFT
    shift_end: float = SHIFT_END
    because: str = "stochastic reconfiguration over Metropolis samples"

    def build_model(self, operator: Any, key: Array) -> Any:
        """The wave function."""
        from intertwine.models.names import model_from_name

        if not is_plain(getattr(operator, "hilbert", None)):
            from intertwine.quantum.hilbert_defaults import build_in_space

            return build_in_space(self, operator, key)

        dtype = complex if self.dtype == "complex" else float
        place = place_of(self.model, operator)
        return model_from_name(self.model, place, dtype=dtype, sector=self.sector, key=key)

    def build_sums(self, operator: Any, model: LogAmplitude | None) -> Any:
        """The sampler of rule "sums", which sums over everything."""
        return orbit_sums(operator, model, self.magnetization)


def choose(operator: Any, *, sums: bool = True) -> Choice:
    """What to do for the ground state of `operator`, in the frame that it is written in, where nothing is
    given. sums: whether exact sums may be taken in place of samples.

    >>> import intertwine as it
    >>> choose(it.heisenberg(it.Chain(20))).model, choose(it.heisenberg(it.Chain(9))).sector
    ('symmetric-rbm:8', '4π/9 A')
    """
    from intertwine.quantum.vmc.moves import check_operator

    check_operator(operator)
    if not operator.is_hermitian:
        raise fail("operator", "a Hermitian operator", repr(operator), "add its Hermitian conjugate")
    if not is_plain(operator.hilbert):
        from intertwine.quantum.hilbert_defaults import choose_in_space

        return choose_in_space(operator, sums)
    positive = operator.is_stoquastic
    found = _sector(operator, positive)
    dtype = "real" if positive else "complex"
    if found is None and positive and (of_loops := _of_loops(operator, sums)) is not None:
        return in_units_of(operator, of_loops)
    if found is None:
        return in_units_of(operator, _sampled(operator, positive))
    order = 1 if found.irrep is None else found.irrep.lattice.space_group.order
    features = max(4, -(-2 * operator.size // order))
    model = f"gcnn:2x{features}" + {1: ":even", -1: ":odd", None: ""}[found.spin_flip]
    trivial = positive or found.is_trivial
    sector = "trivial" if trivial else found.label
    because = f"the ground state has {found}"
    states = 2**operator.size
    if found.magnetization is not None:
        states = comb(operator.size, (operator.size + found.magnetization) // 2)
    alike = order if trivial else int(np.count_nonzero(found.alike))
    orbits = states / alike / (1 if found.spin_flip is None else 2)
    work = orbits * (len(operator.flips) + 1) * features * order
    few = states <= _MOST_STATES[positive] and work <= _MOST_WORK
    if sums and few and _processes() == 1:
        rate = float(f"{_SUM_RATE / max(found.width, 1e-300):.3g}") if found.width else LEARNING_RATE
        steps = round(_SUM_DECAY / (2 * rate * found.gap)) if found.gap else 0
        return Choice(
            model,
            dtype,
            sector,
            "sums",
            found.magnetization,
            steps=min(max(steps, _SUM_STEPS[0]), _SUM_STEPS[1]),
            learning_rate=rate,
            learning_rate_end=rate,
            shift_end=SUM_SHIFT_END,
            because=because,
        )
    if positive:
        return in_units_of(operator, _sampled(operator, positive))
    return in_units_of(
        operator,
        Choice(
            model,
            dtype,
            sector,
            magnetization=found.magnetization,
            steps=DEEP_STEPS,
            final_factor=DEEP_FACTOR,
            because=because,
        ),
    )


def in_units_of(operator: Any, choice: Choice | None = None) -> Choice:
    """`choice` (None: the settings of a given model) with learning rates that fit the unit of energy: a step
    of imaginary time is 1/energy, so that those of H and 10⁶ H differ by 10⁶.

    >>> import intertwine as it
    >>> [in_units_of(it.tfim(it.Chain(8), J=J, h=J)).learning_rate for J in (1.0, 1000.0)]
    [0.05, 0.0005]
    """
    from intertwine.quantum.hilbert_defaults import strength_in_space
    from intertwine.quantum.operators.traceless import traceless

    choice = Choice() if choice is None else choice
    if own_space(operator) is not None:
        strength = strength_in_space(operator)
    else:
        strength = float(np.sum(np.abs(traceless(operator)[0].masks().h))) / operator.size
    if not strength:
        return choice
    factor = float(np.clip(strength, *_USUAL_STRENGTH)) / strength
    first, last = (float(f"{factor * rate:.3g}") for rate in (choice.learning_rate, choice.learning_rate_end))
    return replace(choice, learning_rate=first, learning_rate_end=last)


def stoquastic_frame(operator: Any) -> Any:
    """`operator` in a frame where it is stoquastic, if turning the spins of some sites by π about z leads to
    one; else as it is.

    >>> import intertwine as it
    >>> stoquastic_frame(it.tfim(it.Chain(4), h=-1.0)).turned
    (0, 1, 2, 3)
    """
    from intertwine.quantum.operators.operator import Operator
    from intertwine.quantum.operators.sign_structure import stoquastic_rotation

    if not isinstance(operator, Operator) or operator.is_stoquastic:
        return operator
    sites = stoquastic_rotation(operator)
    if sites is None:
        return operator
    return operator.in_frame(set(np.flatnonzero(sites).tolist()) ^ set(operator.turned))


def _sector(operator: Operator, positive: bool) -> GroundSector | None:
    """The sector of the ground state where the system is small enough, else None."""
    from intertwine.quantum.ground_sector import LARGEST, ground_sector

    if operator.size > LARGEST:
        return None
    if positive and not operator.conserves_magnetization and 2**operator.size > _MOST_STATES[True]:
        return None
    least = operator.size % 2
    if positive and comb(operator.size, (operator.size + least) // 2) > _MOST_STATES[True]:
        return None
    return ground_sector(operator)


def _sampled(operator: Operator, positive: bool) -> Choice:
    """Metropolis sampling: a positive function, or a complex one on a lattice without two sublattices, where
    no rotation of the signs comes near, and in a frame that is not the one without signs. On lattices with
    few symmetries more filters, of even functions where the ground state is even, and more steps on chains,
    more samples on planes."""
    lattice = frame(operator)
    if not hasattr(lattice, "translations"):
        return Choice("rbm:2", "real" if positive else "complex")
    if not positive and (not _bipartite(lattice) or stoquastic_frame(operator) is not operator):
        return Choice("gcnn:2x4:translations", "complex", steps=DEEP_STEPS, final_factor=DEEP_FACTOR)
    if lattice.translations.order * 4 > operator.size:
        return Choice()
    order = lattice.translations.order
    order = lattice.space_group.order if order == 1 else order
    even = ":even" if positive and operator.commutes_with_spin_flip and operator.size % 2 == 0 else ""
    d = 1 if lattice.dimension == 1 else 2
    features = min(max(8, -(-_OPEN_HIDDEN[d] * operator.size // order)), _OPEN_FILTERS[d])
    model = f"symmetric-rbm:{features}{even}"
    if d == 1:
        return Choice(model, steps=600, samples=2048, shift_end=1e-4, momentum=0.9)
    return Choice(model, steps=400, samples=4096, shift_end=5e-4)


def _of_loops(operator: Operator, sums: bool) -> Choice | None:
    """A wave function of loops for an operator that flips the stars of a lattice of links, as the toric code;
    None for others. Single links are among the loops where it does not commute with the stars."""
    from intertwine._checks import InputError
    from intertwine.quantum.ground_sector import has_space_group
    from intertwine.spaces.link_sites import links_at, star_links

    try:
        stars = star_links(links_at(operator.lattice))
    except InputError:
        return None
    x, z, _ = operator.masks()
    flipped = {tuple(np.flatnonzero(row)) for row in x}
    if not all(tuple(star) in flipped for star in stars.tolist()) or not has_space_group(operator):
        return None
    pure = not any((z[:, star].sum(1) % 2).any() for star in stars)
    few = operator.size <= 20 and _processes() == 1
    if sums and few:
        model = "loop-gcnn:2x2:lines" + ("" if pure else ":strings")
        return Choice(model, rule="sums", **_LOOP_SUMS, because="plaquettes and stars on links, summed")
    model = "loop-rbm:4" if pure else "loop-rbm:4:lines:strings"
    return Choice(model, because="plaquettes and stars on links")


def _processes() -> int:
    """How many processes share the work."""
    import jax

    return jax.process_count()


def _bipartite(lattice: Lattice) -> bool:
    from intertwine._checks import InputError

    try:
        lattice.sublattices()
    except InputError:
        return False
    return True


def frame(operator: Operator) -> Any:
    """The lattice, if the operator has its symmetry, else the bare sites."""
    from intertwine.quantum.ground_sector import has_space_group

    return operator.lattice if has_space_group(operator) else _bare(operator)


def _bare(operator: Operator) -> Any:
    from intertwine.symmetry.groups.permutation_group import PermutationGroup

    return PermutationGroup(np.arange(operator.size)[None])


def place_of(name: str, operator: Operator) -> Any:
    """What the model called `name` is built on: the lattice of the operator; the bare sites where there is
    none, and where weights would be tied by symmetries that the name does not ask for and the operator lacks.

    >>> import intertwine as it
    >>> H = it.tfim(it.Chain(4)) + it.Operator.from_strings(4, [(0.5, {1: "Z"})])
    >>> [getattr(place_of(name, H), "name", None) for name in ("local-rbm:1", "symmetric-rbm:2")]
    ['chain:4', None]
    """
    from intertwine.models.autoregressive.presets import AUTOREGRESSIVE
    from intertwine.models.names import check_model_name
    from intertwine.spaces.hilbert.place import space_group_of

    named, lattice = check_model_name(name), operator.lattice
    if named.family in AUTOREGRESSIVE:
        return _space_of(operator)
    if space_group_of(lattice) is None:
        return _bare(operator)
    if named.family not in ("symmetric-rbm", "gcnn") or named.options & {"space", "translations"}:
        return lattice
    translations = getattr(lattice, "translations", None)
    by_space = named.family == "gcnn" or translations is None or translations.order == 1
    group: Any = lattice.space_group if by_space else translations
    kept = all(operator.is_invariant(group.permutations[g]) for g in group.generators)
    return lattice if kept else _bare(operator)


def _space_of(operator: Operator) -> HilbertSpace:
    """The Hilbert space of the operator; that of spins ½ of the magnetization where its ground state is."""
    from intertwine.quantum.space_choice import ground_magnetization
    from intertwine.spaces.hilbert.kinds import Spins

    given = getattr(operator, "hilbert", None)
    if not is_plain(given):
        return given
    return Spins(
        operator.size if operator.lattice is None else operator.lattice, 0.5, ground_magnetization(operator)
    )


def orbit_sums(operator: Operator, model: PyTree, magnetization: int | None) -> Any:
    """Exact sums over the orbits of configurations that `model` and `operator` treat alike."""
    from intertwine.sampling.enumeration import Enumeration
    from intertwine.sampling.orbits import OrbitEnumeration

    moves, flip = symmetry_of(model)
    space = getattr(operator, "hilbert", None)
    if not is_plain(space):
        from intertwine.quantum.hilbert_defaults import as_bosons

        plain = as_bosons(operator)
        kept = np.array([row for row in moves if plain.is_invariant(row)])
        if len(kept) == 1 or model.kind != "real":
            return Enumeration(hilbert=space)
        return OrbitEnumeration(kept, hilbert=space)
    kept = np.array([row for row in moves if operator.is_invariant(row)])
    flip = flip and operator.commutes_with_spin_flip and not magnetization
    return OrbitEnumeration(kept, magnetization=magnetization, spin_flip=flip)


def symmetry_of(model: PyTree) -> tuple[np.ndarray, bool]:
    """The permutations (g, N) that leave |ψ|² as it is, as far as the model knows, and whether the flip of
    all spins does."""
    identity = np.arange(model.size)[None]
    if isinstance(model, OnLevels):
        return model.encoding.as_modes(symmetry_of(model.model)[0]), False
    coefficients = getattr(model, "coefficients", None)
    group = getattr(model, "group", None) or getattr(model, "symmetry", None)
    if coefficients is not None and group is not None:
        alike = np.isclose(np.abs(coefficients.values), 1)
        return group.permutations[alike], model.spin_flip is not None
    invariant = getattr(model, "invariant", model)
    permutations = getattr(invariant, "permutations", identity)
    even = getattr(model, "spin_flip", None) is not None
    unbiased = hasattr(invariant, "hidden_bias") and invariant.hidden_bias is None
    return np.asarray(permutations), even or unbiased


def max_norm(rule: str) -> float:
    """The longest step where configurations are chosen by `rule` ("sums" or another)."""
    return SUM_MAX_NORM if rule == "sums" else MAX_NORM


def optimiser(
    choice: Choice,
    steps: int,
    learning_rate: Schedule | None = None,
    shift: Schedule | None = None,
    chunk: int | None = None,
) -> NaturalGradient:
    """Stochastic reconfiguration with momentum (SPRING) and schedules over `steps` where none is given."""
    from intertwine.learning.metric import NaturalGradient
    from intertwine.learning.schedules import Exponential, Warmup

    c = choice
    rate = Warmup(Exponential(c.learning_rate, c.learning_rate_end, steps), WARMUP)
    return NaturalGradient(
        learning_rate=rate if learning_rate is None else learning_rate,
        shift=Exponential(c.shift, c.shift_end, steps) if shift is None else shift,
        momentum=c.momentum,
        max_norm=max_norm(c.rule),
        chunk=chunk,
    )


def cannot_represent(operator: Any, model: LogAmplitude) -> tuple[str, ...]:
    """The caveats of a wave function that may exclude the ground state: positive, or invariant under a
    symmetry, where the operator does not say that its ground state is; () for others.

    >>> import jax, intertwine as it
    >>> psi = it.RBM(9, hidden=9, key=jax.random.key(0))
    >>> [line.partition(":")[0] for line in cannot_represent(it.heisenberg(it.Chain(9)), psi)]
    ['assumption']
    """
    from intertwine.quantum.ground_sector import LARGEST, ground_sector

    if not is_plain(getattr(operator, "hilbert", None)):
        from intertwine.quantum.hilbert_caveats import cannot_represent_in_space

        return cannot_represent_in_space(operator, model)
    lacking = _lacking(operator, model)
    if operator.is_stoquastic:
        return lacking
    fits = ", or leave the model out for one that fits" if operator.size <= LARGEST else ""
    if model.kind == "real":
        words = (
            "the wave function is positive, and the operator is not stoquastic: its ground state may have "
            "signs that this model cannot have, whatever the V-score"
        )
        return (caveat("assumption", f"{words}; take complex amplitudes{fits}"), *lacking)
    coefficients = getattr(model, "coefficients", None)
    chosen = coefficients is not None and not coefficients.trivial
    moves, even = symmetry_of(model)
    even = even and getattr(model, "spin_flip", None) != -1
    if lacking:
        return lacking
    if chosen or hasattr(model, "invariant") or (len(moves) == 1 and not even):
        return ()
    found = ground_sector(operator)
    if found is None:
        fits = ""
        where = "and it is not known whether the ground state is"
    elif found.is_invariant(moves) and not (even and found.spin_flip == -1):
        return ()
    else:
        where = f"and the ground state is not (it has {found})"
    under = f"{len(moves)} symmetries of the sites" if len(moves) > 1 else "the flip of all spins"
    words = f"the wave function is invariant under {under}, {where}"
    return (caveat("assumption", f"{words}; take another character{fits}"),)


def _lacking(operator: Operator, model: LogAmplitude) -> tuple[str, ...]:
    """The caveat of |ψ|² tied by symmetries of the sites that the operator has not."""
    from intertwine.quantum.ground_sector import has_space_group

    moves, _ = symmetry_of(model)
    if has_space_group(operator):
        group: Any = operator.lattice.space_group
        moves = moves[group.rows_of(moves) < 0]
    count = sum(not operator.is_invariant(row) for row in moves)
    if not count:
        return ()
    words = f"the wave function is the same under {count} symmetries of the sites that the operator has not"
    return (caveat("assumption", f"{words}; take a model without them, such as rbm:2"),)
