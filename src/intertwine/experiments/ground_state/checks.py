"""Contradictions between the fields of a configuration, each in one line, found before anything is
allocated.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from intertwine._checks import InputError, fail
from intertwine.experiments.ground_state.operators import lattice_of
from intertwine.experiments.ground_state.several import sectors_of
from intertwine.experiments.ground_state.spaces import build_space, kind_of_particles
from intertwine.experiments.memory_needs import refuse_beyond

MOST_SUMMED = 2**22
"""Configurations that are summed at most."""

if TYPE_CHECKING:
    from intertwine.experiments.ground_state.settings import GroundStateConfiguration
    from intertwine.spaces.hilbert.hilbert_space import HilbertSpace
    from intertwine.spaces.lattice import Lattice


def check_consistency(configuration: GroundStateConfiguration) -> None:
    """Raise the first contradiction as an `InputError`."""
    _check_samples(configuration)
    _check_devices(configuration)
    _check_optimiser(configuration)
    lattice = lattice_of(configuration)
    _check_hamiltonian(configuration, lattice)
    _check_sector(configuration, lattice)
    _check_sampler(configuration, lattice)
    _check_memory(configuration, lattice)


def is_bipartite(lattice: Lattice) -> bool:
    """Whether the sites take two colours so that neighbours differ."""
    try:
        lattice.sublattices()
    except InputError:
        return False
    return True


def _check_samples(c: GroundStateConfiguration) -> None:
    chains = c.sampler.chains
    if chains == "auto":
        return
    for name, samples in (("optimiser.samples", c.optimiser.samples), ("final.samples", c.final.samples)):
        if not isinstance(samples, int):
            continue
        if samples % chains or samples < 2 * chains:
            remedy = f"give for example {max(2, round(samples / chains)) * chains}, or other chains"
            expected = f"a multiple of sampler.chains = {chains}, at least twice it"
            raise fail(name, expected, samples, remedy)


def _check_devices(c: GroundStateConfiguration) -> None:
    if c.devices == "auto" or c.devices == 1:
        return
    if c.sampler.backend == "host":
        remedy = "take backend 'auto' or 'jax', or devices = 1"
        raise fail("sampler.backend", f"'auto' or 'jax' on {c.devices} devices", "'host'", remedy)
    if c.chains % c.devices:
        remedy = "take other chains, or devices = 'auto'"
        raise fail("sampler.chains", f"a multiple of {c.devices} devices", c.chains, remedy)


def _check_optimiser(c: GroundStateConfiguration) -> None:
    o = c.optimiser
    if o.method != "sr" and o.solver != "auto":
        remedy = "take solver 'auto', or method 'sr'"
        raise fail("optimiser.solver", f"'auto' with method {o.method!r}", repr(o.solver), remedy)
    if o.schedule == "exponential" and (o.shift == 0) != (o.shift_end == 0):
        remedy = "give two positive shifts, or another schedule"
        raise fail(
            "optimiser.shift_end", "both shifts positive or both 0", f"{o.shift} to {o.shift_end}", remedy
        )


def _check_hamiltonian(c: GroundStateConfiguration, lattice: Lattice) -> None:
    h = c.hamiltonian
    kind_of_particles(c)
    if h.name == "toric":
        _links_of(c, lattice)
    elif h.scales and not any(np.any(np.asarray(getattr(h, name), float)) for name in h.scales):
        names = " and ".join(h.scales)
        raise fail("hamiltonian", f"a coupling that is not 0 among {names}", "all 0", "give one, say 1.0")
    if getattr(h, "marshall", False) is True and not is_bipartite(lattice):
        remedy = "take marshall = 'auto' or false"
        raise fail("hamiltonian.marshall", f"false on {c.lattice}, not bipartite,", "true", remedy)


def _links_of(c: GroundStateConfiguration, lattice: Lattice) -> None:
    from intertwine.spaces.link_sites import links_at

    try:
        links_at(lattice)
    except InputError:
        raise fail("lattice", "links such as links:4x4 for toric", repr(c.lattice)) from None


def _check_sector(c: GroundStateConfiguration, lattice: Lattice) -> None:
    if c.model.sector == "trivial":
        return
    from intertwine.models.fermions.presets import fermion_name
    from intertwine.models.symmetric.sector_words import sector_in_words

    try:
        for words in sectors_of(c):
            sector_in_words(lattice, words)
    except InputError as error:
        raise InputError(f"model.{error}") from None
    name, _, options = c.model.name.partition(":")
    projected = fermion_name(c.model.name) is not None and "space" in options.split(":")
    if not projected and (name not in ("gcnn", "auto") or "translations" in options):
        remedy = "take a model such as gcnn:2x4, or sector 'trivial'"
        raise fail("model.sector", f"'trivial' for the model {c.model.name}", repr(c.model.sector), remedy)


def _check_sampler(c: GroundStateConfiguration, lattice: Lattice) -> None:
    rule, name = c.sampler.rule, c.hamiltonian.name
    space = build_space(c, lattice)
    if space is not None or name == "terms":
        _check_in_space(c, space)
        return
    tfim = name in ("tfim", "toric")
    m = c.sampler.magnetization
    changes = name == "toric" or (tfim and getattr(c.hamiltonian, "h", 0.0) != 0)
    if m != "auto" and rule not in ("auto", "sums"):
        raise fail("sampler.magnetization", f"'auto' with the rule {rule!r}", m, "take 'auto'")
    if m != "auto" and (changes or abs(m) > lattice.size or (lattice.size + m) % 2):
        expected = f"'auto', or a magnetization that {lattice.size} spins can have and the operator keeps"
        raise fail("sampler.magnetization", expected, m, "take 'auto'")
    if rule == "sums" and lattice.size > 22:
        raise fail("sampler.rule", "'auto' beyond 22 sites", "'sums'", "take 'auto'")
    if rule in ("exchange", "mixture") and lattice.size < 2:
        raise fail("sampler.rule", "'single' on one site", repr(rule), "take 'auto'")
    if rule == "exchange" and tfim:
        remedy = "take 'auto', 'single' or 'mixture': it does not conserve the magnetization"
        raise fail("sampler.rule", f"a rule that changes the magnetization for {name}", "'exchange'", remedy)
    if rule == "exchange" and lattice.size % 2:
        remedy = "take rule 'single', or a lattice of an even number of sites"
        raise fail(
            "sampler.rule",
            "an even number of sites for 'exchange' in zero magnetization",
            lattice.size,
            remedy,
        )


def _check_in_space(c: GroundStateConfiguration, space: HilbertSpace | None) -> None:
    """What the sampler of a space with numbers of its own may be asked for."""
    if c.sampler.rule not in ("auto", "sums"):
        raise fail("sampler.rule", "'auto' or 'sums' in this space", repr(c.sampler.rule), "take 'auto'")
    if space is None:
        return
    if space.kind != "spins" and c.sampler.magnetization != "auto":
        expected = f"'auto' for {space.kind}"
        raise fail("sampler.magnetization", expected, c.sampler.magnetization, "say it in the particles")
    if c.sampler.rule == "sums" and space.dimension > MOST_SUMMED:
        expected = f"'auto' beyond {MOST_SUMMED:,} configurations"
        raise fail("sampler.rule", expected, f"'sums' of {space.dimension:.4g}", "take 'auto'")


def memory_needed(c: GroundStateConfiguration, sites: int) -> int:
    """A rough estimate in bytes of what the run allocates at once."""
    from intertwine.models.autoregressive.presets import AUTOREGRESSIVE
    from intertwine.models.names import check_model_name
    from intertwine.quantum.defaults import MODEL

    samples, final = c.optimiser.samples, c.final_samples
    kind, features, options, layers = check_model_name(MODEL if c.model.name == "auto" else c.model.name)
    if kind in ("gcnn", "loop-gcnn"):
        return _gcnn_memory(c, sites, layers, int(features), "translations" not in options)
    if kind in AUTOREGRESSIVE:
        return _autoregressive_memory(c, sites, kind, layers, int(features))
    if kind in ("vit", "resnet"):
        return _deep_memory(c, sites, layers, int(features), kind, options)
    parameters = {
        "rbm": features * sites * sites + (features + 1) * sites,
        "local-rbm": sites * (2 + min(sites, (2 * int(features) + 1) ** 2)),
        "symmetric-rbm": features * (sites + 1) + 1,
        "loop-rbm": 2 * features * (sites + 1) + 3,
        "cac": (layers * 4 * features + 1) * features,
        "rac": (2 * layers * features + 1) * features,
        "jastrow": sites * (sites + 1) // 2,
        "mean-field": sites,
    }.get(kind)
    if parameters is None:
        return _counted_memory(c)
    hidden = (1 if kind == "local-rbm" else features) * sites * (48 if "space" in options else 1)
    number = 16 if c.model.dtype == "complex" else 8
    solver, sr = c.optimiser.solver, c.optimiser.method == "sr"
    smaller = min(samples, parameters) if solver == "auto" else parameters if solver == "dense" else samples
    matrix = 3 * smaller**2 if sr and solver != "iterative" else 0
    factors = samples * (min(parameters, sites + hidden) + 1)
    weights = 4 * (parameters + hidden * sites)
    return int(number * (matrix + factors + weights)) + 8 * (samples + final) * sites + 16 * final


def _counted_memory(c: GroundStateConfiguration) -> int:
    """The same of a model whose parameters are counted from its shapes: derivatives and the Gram matrix."""
    import equinox as eqx
    import jax

    from intertwine.experiments.ground_state.build import build_hamiltonian, build_model
    from intertwine.models.parameters import count_parameters

    hamiltonian = build_hamiltonian(c, lattice_of(c))
    shapes = eqx.filter_eval_shape(lambda key: build_model(c, hamiltonian, key), jax.random.key(0))
    parameters, samples = count_parameters(shapes), c.optimiser.samples
    rows = 2 if c.model.dtype == "complex" else 1
    matrix = 3 * min(rows * samples, parameters) ** 2 if c.optimiser.method == "sr" else 0
    modes = hamiltonian.size
    return 8 * (matrix + rows * samples * parameters) + 8 * (samples + c.final_samples) * modes


def _gcnn_memory(c: GroundStateConfiguration, sites: int, layers: int, features: int, space: bool) -> int:
    """The per-sample derivatives, the Gram matrix, and the features of one batch of configurations."""
    order = sites * (8 if space else 1)
    parameters = features * (sites + 1) + (layers - 1) * features * (order * features + 1)
    samples, rows = c.optimiser.samples, 2 if c.model.dtype == "complex" else 1
    sr = c.optimiser.method == "sr"
    matrix = 3 * min(rows * samples, parameters) ** 2 if sr and c.optimiser.solver != "iterative" else 0
    derivatives = 3 * rows * samples * parameters if sr else 4 * parameters
    return 8 * (matrix + derivatives + 16 * 256 * order * features) + 8 * (samples + c.final_samples) * sites


def _autoregressive_memory(
    c: GroundStateConfiguration, sites: int, kind: str, layers: int, features: int
) -> int:
    """The per-sample derivatives, the Gram matrix, and what is kept of the samples and of one batch of
    configurations while their amplitudes are evaluated."""
    F, rows = features, 2 if c.model.dtype == "complex" else 1
    parameters = (
        sites * 2 * rows
        + {
            "masked-dense": sites * (sites + 1) // 2 * (F + (layers - 1) * F * F) + layers * sites * F,
            "masked-conv": layers * (2 * F * F * 41 + 2 * sites * F),
            "recurrent": layers * (12 * F * F + 4 * F * (sites + 6)),
            "causal-transformer": layers * (8 * F * F + 8 * F) + sites * F,
        }[kind]
    )
    samples = c.optimiser.samples
    sr = c.optimiser.method == "sr"
    matrix = 3 * min(rows * samples, parameters) ** 2 if sr and c.optimiser.solver != "iterative" else 0
    derivatives = 3 * rows * samples * parameters if sr else 4 * parameters
    kept = (samples + 2 * 1024) * sites * 2 * F * layers
    return 8 * (matrix + derivatives + kept) + 8 * (samples + c.final_samples) * sites


def _deep_memory(
    c: GroundStateConfiguration, sites: int, layers: int, width: int, kind: str, options: frozenset[str]
) -> int:
    """Likewise of a transformer or a residual network; with `chunk`, two blocks of derivatives."""
    from intertwine.models.deep.named import vit_settings

    patch = (vit_settings(options) or {}).get("patch", 1) if kind == "vit" else 1
    cells = max(1, sites // patch)  # at most, in any dimension
    kernel = 18 * width * width + 4 * width if kind == "resnet" else 6 * width * width + 8 * width
    attention = width * cells * (1 if "translations" in options else cells) if kind == "vit" else 0
    parameters = layers * (kernel + attention) + 4 * width * width
    samples, rows = c.optimiser.samples, 2 if c.model.dtype == "complex" else 1
    sr = c.optimiser.method == "sr"
    matrix = 3 * min(rows * samples, parameters) ** 2 if sr and c.optimiser.solver != "iterative" else 0
    held = samples if c.optimiser.chunk == "auto" else min(samples, 2 * c.optimiser.chunk)
    derivatives = 3 * rows * held * parameters if sr else 4 * parameters
    number = 4 if c.precision == "float32" else 8
    features = 16 * cells * width * 1024
    return number * (matrix + derivatives + features) + 8 * (samples + c.final_samples) * sites


def _check_memory(c: GroundStateConfiguration, lattice: Lattice) -> None:
    remedy = "take fewer optimiser.samples, a smaller model or lattice, a chunk, or solver 'iterative'"
    refuse_beyond(memory_needed(c, lattice.size), remedy)
