r"""The one call that follows the Schrödinger equation: `evolve`.

It joins the parts: a source of configurations (exact sums over orbits where there are few, chains else), a
method (`variational` or `projected`), the study (`evolution`), and its certificate.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import jax
import numpy as np
from jax import Array
from jaxtyping import PyTree
from numpy.typing import ArrayLike

from intertwine._caveats import caveat, tell
from intertwine._checks import fail, one_of, positive_int, positive_number
from intertwine.learning.study import Scalars, carry_out
from intertwine.models.results import as_model
from intertwine.models.units import as_spins
from intertwine.quantum.confined import confined
from intertwine.quantum.dynamics.dressed import dressed
from intertwine.quantum.dynamics.drive import Drive
from intertwine.quantum.dynamics.ensemble import Source
from intertwine.quantum.dynamics.evolution import Evolution, EvolutionState, Method, Observable
from intertwine.quantum.dynamics.projected import Projected
from intertwine.quantum.dynamics.schemes import Scheme, scheme as product_scheme
from intertwine.quantum.dynamics.sources import SAMPLES, source_of
from intertwine.quantum.dynamics.starts import start_distance
from intertwine.quantum.dynamics.tangent import Regular
from intertwine.quantum.dynamics.trajectory import Trajectory
from intertwine.quantum.dynamics.variational import Variational
from intertwine.quantum.exact.evolution import check_times
from intertwine.quantum.exact.known import LITTLE_WORK, energy_of_space
from intertwine.quantum.operators.levels.level_operator import LevelOperator
from intertwine.quantum.operators.operator import Operator
from intertwine.quantum.vmc.expect import check_key, state_of
from intertwine.quantum.vmc.local_energy import check_sizes
from intertwine.quantum.vmc.moves import AnyOperator
from intertwine.sampling.space import Space

if TYPE_CHECKING:
    from intertwine.models.protocols import LogAmplitude
    from intertwine.sampling.protocols import Sampler

FEWEST = 32
MOST_RESIDUAL = 0.2
"""Share of Var(H) that a tangent space may leave out at the start; beyond, steps are projected."""
EXACT_TOLERANCE, SAMPLED_TOLERANCE = 1e-4, 1e-3
"""Of the integrator's error, per unit of time."""


def evolve(
    H: AnyOperator | Callable[[float], AnyOperator],
    model: LogAmplitude,
    times: ArrayLike,
    *,
    observables: Mapping[str, Observable] | None = None,
    key: Array,
    imaginary: bool = False,
    method: str = "auto",
    scheme: str | None = None,
    order: int | None = None,
    step: float | None = None,
    samples: int | None = None,
    observe: int | None = None,
    sampler: Sampler | None = None,
    flatten: float | None = None,
    tolerance: float | None = None,
    cutoff: float | None = None,
    snr: float = 2.0,
    progress: Callable[[EvolutionState, Scalars], object] | None = None,
) -> Trajectory:
    r"""`model` at each of `times` under iψ̇ = Hψ (or ψ̇ = −Hψ), with observables and a bound on its error.

    H: a Hermitian operator, of spins or on any Hilbert space (bosons, fermions, atoms: its configurations
    alone are followed), or a function of the time that gives one (ramps, drives: only coefficients should
    change); it is looked at at the times of the steps, so that a pulse which is shorter than a step, a
    64th of the whole time at most, can be missed. model: a wave function, a run or its model, at time 0; for
    real time its amplitudes are complex; a quench begins with a complex network in the ground state of
    another H. `product_state` makes starts that move. times: increasing, ≥ 0, in units of 1/energy.
    observables: name → a Hermitian operator, or a function of the model that gives a real number or an
    `Estimate`.
    imaginary: e^{−Hτ}, towards the ground state. method: "tdvp" (`variational`), "projected" (fits of a
    product scheme: `projected`), or "auto", which chooses and says why (`because`). scheme, order, step: of
    projected steps: "taylor" (orders 1 to 4) or "split" (1 to 3, with exact diagonal factors), its order, and
    the step; None for split (taylor where H has no diagonal), 3, and a step whose remainder is within
    `tolerance`. samples: configurations of a step; None for exact sums over orbits where there are at most
    8,192 of them (and 20 sites), else 4,096. observe: configurations of a measurement, four times `samples`
    by default. sampler: None for one of the model's space. tolerance: of the integrator's error (a distance
    of states), per unit of time. cutoff: of the metric's eigenvalues over the largest one. snr: directions
    whose signal is below so many errors are left out (samples). progress: called with the state and the line
    after each time; where it raises `StopIteration`, that line is the last one.

    Raises InputError for an operator that is not Hermitian, a real model in real time, times that do not
    increase, and sizes that differ; `Diverged` with the last good state where no step is short enough.

    >>> import jax, intertwine as it
    >>> key = jax.random.key(0)
    >>> from intertwine.quantum.dynamics.starts import product_state
    >>> psi = product_state(it.RBM(3, hidden=6, dtype=complex, key=key), "+x", key=key)
    >>> X = it.Operator.from_strings(3, [(1.0, {0: "X"})])
    >>> run = evolve(it.tfim(it.Chain(3), J=1.0, h=0.5), psi, [0.0, 0.2], observables={"X": X}, key=key)
    >>> run["X"].round(3).tolist(), bool(run.bound[-1] < 1e-3)
    ([1.0, 0.846], True)
    """
    study = evolution(
        H, model, times, observables=observables, key=key, imaginary=imaginary, method=method,
        scheme=scheme, order=order, step=step, samples=samples, observe=observe, sampler=sampler,
        flatten=flatten, tolerance=tolerance, cutoff=cutoff, snr=snr,
    )  # fmt: skip
    found = carry_out(study, progress=progress)
    tell(found.warnings)
    return found


def evolution(
    H: AnyOperator | Callable[[float], AnyOperator],
    model: LogAmplitude,
    times: ArrayLike,
    *,
    observables: Mapping[str, Observable] | None = None,
    key: Array,
    imaginary: bool = False,
    method: str = "auto",
    scheme: str | None = None,
    order: int | None = None,
    step: float | None = None,
    samples: int | None = None,
    observe: int | None = None,
    sampler: Sampler | None = None,
    flatten: float | None = None,
    tolerance: float | None = None,
    cutoff: float | None = None,
    snr: float = 2.0,
    phase: bool = False,
) -> Evolution:
    """The study that `evolve` carries out, of the same arguments. phase: whether the phase of the state is
    followed (`certificate.Account.turned`), by the variational principle in real time."""
    when = check_times(times)
    check_key(key)
    one_of("method", method, ("auto", "tdvp", "projected"))
    network, where = state_of(as_model(model))
    spins, distance = as_spins(network), start_distance(network)
    hamiltonian, first = _hamiltonian(H, float(when[-1]), () if where is None else where.turned)
    check_sizes(first, spins)
    _check_kind(spins, imaginary)
    for name, value in (("samples", samples), ("observe", observe)):
        if value is not None and positive_int(name, value) < FEWEST:
            raise fail(name, f"at least {FEWEST}", value, f"for example {SAMPLES}")
    for name, value in (("tolerance", tolerance), ("cutoff", cutoff), ("step", step)):
        if value is not None:
            positive_number(name, value)
    seen = _observables(observables, first, where)
    driven = not isinstance(H, AnyOperator)
    probes = [hamiltonian(float(t)) for t in (0.0, 0.37 * when[-1], when[-1])] if driven else [first]
    source, of_space = source_of(probes, spins, where, samples, sampler, flatten)
    inside = of_space.magnetizations, of_space.hilbert
    seen = {
        name: confined(one, *inside) if isinstance(one, AnyOperator) else one for name, one in seen.items()
    }
    hamiltonian = _confined(hamiltonian, first, of_space, driven)
    lowest, notes = _lowest(first, of_space, driven) if imaginary else (None, ())
    if not source.exact:
        words = (
            "over samples the bound knows the noise of steps from other samples, and not what none has met"
        )
        remedy = "where ψ comes near zero it may lie below the distance; see what more samples change"
        notes += (caveat("unjudged", f"{words}: {remedy}"),)
    default = EXACT_TOLERANCE if source.exact else SAMPLED_TOLERANCE
    tolerance = default if tolerance is None else tolerance
    regular = Regular(cutoff, snr)
    variational = Variational(
        hamiltonian, imaginary=imaginary, exact=source.exact, tolerance=tolerance, regular=regular,
        span=float(when[-1]), longest=float(when[-1]) / 64 if driven else None, phase=phase,
    )  # fmt: skip
    label, because = _chosen(method, scheme, variational, spins, source, of_space, key)
    chosen: Method = variational
    if label == "projected":
        factors = _scheme(scheme, order, first)
        chosen = Projected(
            hamiltonian, factors, imaginary=imaginary, exact=source.exact, tolerance=tolerance,
            regular=regular, given=step,
        )  # fmt: skip
        network = dressed(spins, first) if factors.diagonal is not None else network
        if driven:
            words = "the remainder of a product scheme is estimated for a Hamiltonian that stands still"
            notes += (caveat("unjudged", f"{words}: under H(t) the bound may lie below the distance"),)
    count = 4 * (source.samples or SAMPLES) if observe is None else observe
    return Evolution(
        hamiltonian, network, when, chosen, source, observables=seen, observe=count, key=key, lowest=lowest,
        where=of_space, label=label, because=because, notes=notes,
        conserved=not (driven or imaginary or source.exact), distance=distance,
    )  # fmt: skip


def _chosen(
    method: str,
    scheme: str | None,
    variational: Variational,
    model: PyTree,
    source: Source,
    where: Space,
    key: Array,
) -> tuple[str, str]:
    """The method, and why. For "auto" the variational principle where its residual at the start is small, and
    in a Hilbert space, where product formulas of Pauli strings lead out of it."""
    if where.hilbert is not None:
        if method == "projected" or scheme is not None:
            got = f"{method} in {where.hilbert!r}"
            raise fail("method", "'tdvp' in a Hilbert space with numbers, constraints or levels", got)
        return "tdvp", "product formulas lead out of a Hilbert space with numbers, constraints or levels"
    if method != "auto":
        return method, "it was asked for"
    if scheme is not None:
        return "projected", "a scheme was asked for"
    begin, draw = jax.random.split(jax.random.fold_in(key, 2**31 - 3))
    ensemble, _, _ = source.draw(model, source.start(model, begin), draw)
    now = variational.velocity(model, 0.0, ensemble)
    if not np.isfinite(now.residual) or now.variance == 0:
        return "tdvp", "nothing moves at the start"
    share = now.residual**2 / now.variance
    if share <= MOST_RESIDUAL:
        words = f"at the start its tangent space follows all but {share:.1e} of the motion"
        return "tdvp", words
    return "projected", f"at the start the tangent space leaves out {share:.2g} of the motion"


def _scheme(name: str | None, order: int | None, H: Operator) -> Scheme:
    x, z, _ = H.masks()
    has_diagonal = bool(np.any(~np.any(x, axis=1) & np.any(z, axis=1)))
    name = ("split" if has_diagonal else "taylor") if name is None else name
    if name == "split" and not has_diagonal:
        raise fail("scheme", "'taylor' for an operator without a diagonal part", "'split'")
    return product_scheme(name, 3 if order is None else order)


def _hamiltonian(
    H: AnyOperator | Callable[[float], AnyOperator], span: float, frame: tuple[int, ...] | None
) -> tuple[Callable[[float], Any], Any]:
    """H as a function of the time, and H(0), in the frame of the state: that of the sites as they are for one
    that carries none, that of H where it is not known (None)."""
    if isinstance(H, AnyOperator):
        if not H.is_hermitian:
            raise fail("H", "a Hermitian operator", repr(H), "add its Hermitian conjugate")
        turned = H if frame is None else H.in_frame(frame)
        return (lambda _: turned), turned
    if not callable(H):
        raise fail(
            "H", "an Operator, or a function of the time that gives one", H, "for example intertwine.tfim"
        )
    drive = _driven(H if frame is None else lambda t: _framed(H(t), frame), max(span, 1e-9))
    return drive, drive(0.0)


def _driven(function: Callable[[float], Any], span: float) -> Callable[[float], Any]:
    """H(t) of one structure: Pauli strings by `Drive`; operators of levels as the function gives them."""
    if not isinstance(function(0.0), LevelOperator):
        return Drive(function, span)

    def checked(t: float) -> LevelOperator:
        found = function(t)
        if not isinstance(found, LevelOperator) or not found.is_hermitian:
            raise fail("H", "Hermitian operators of one kind at all times", f"{found!r} at t = {t:.6g}")
        return found

    return checked


def _framed(found: object, frame: tuple[int, ...]) -> Any:
    return found.in_frame(frame) if isinstance(found, AnyOperator) else found


def _confined(
    hamiltonian: Callable[[float], Any], first: AnyOperator, where: Space, driven: bool
) -> Callable[[float], Any]:
    """H(t) between the projectors onto the space of the state."""
    if where.hilbert is None:
        kept = where.magnetizations
        if kept is None or (isinstance(first, Operator) and first.conserves_magnetization):
            return hamiltonian
        return lambda t: confined(hamiltonian(t), kept)
    if driven:
        return lambda t: confined(hamiltonian(t), None, where.hilbert)
    once = confined(first, None, where.hilbert)
    return lambda _: once


def _check_kind(model: LogAmplitude, imaginary: bool) -> None:
    if not imaginary and model.kind in ("real", "signed"):
        raise fail(
            "model",
            "complex amplitudes for real time",
            f"{type(model).__name__} of real parameters, whose ψ has no phase",
            "build it with dtype=complex",
        )


def _observables(
    given: Mapping[str, Observable] | None, H: AnyOperator, where: Space | None
) -> dict[str, Observable]:
    """In the frame of H, checked."""
    out: dict[str, Observable] = {}
    taken = {"time", "energy", "variance", "residual", "bound", "step", "steps", "seconds", "snr", "kept", ""}
    for name, observable in (given or {}).items():
        if not isinstance(name, str) or name in taken or name.endswith(("_error", "_sum")):
            raise fail("observables", "names that are no column of the metrics", name)
        if isinstance(observable, AnyOperator):
            if not observable.is_hermitian:
                expected, remedy = "a Hermitian operator", "give its real and its imaginary part"
                raise fail(f"observables[{name!r}]", expected, "one that is not", remedy)
            if observable.size != H.size:
                raise fail(
                    f"observables[{name!r}]", f"an operator on {H.size} sites", f"{observable.size} sites"
                )
            out[name] = observable.in_frame(H.turned)
        elif callable(observable):
            out[name] = observable
        else:
            raise fail(f"observables[{name!r}]", "an Operator, or a function of the model", observable)
    return out


def _lowest(H: AnyOperator, where: Space, driven: bool) -> tuple[float, tuple[str, ...]]:
    """A lower bound of the spectrum for the certificate of imaginary time, and what is to be said of it."""
    known = None if driven else energy_of_space(H, where.magnetizations, LITTLE_WORK, where.hilbert)
    if known is not None:
        return known.value - known.error, ()
    words = "the ground energy is not known, and the bound of imaginary time takes −Σ|c| for it"
    return -H.bound, (caveat("assumption", f"{words}: it grows faster than it need"),)
