r"""An evolution as a study: a line of metrics for each of the times asked for.

    c φ̇ = −H φ       (c = −i in real, 1 in imaginary time)

from time 0, where the model that is given stands. Between two times the method (`variational`, `projected`)
makes as many steps as it needs; the state after a line has the parameters, the chains, the next step's length
and the sums of the certificate, so that an interrupted evolution goes on to the same numbers. The key of step
n is fold_in(key, n), that of the measurement of line k is folded from k.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from time import perf_counter
from typing import Any, NamedTuple, Protocol

import jax
import numpy as np
from jax import Array
from jaxtyping import PyTree

from intertwine._checks import fail
from intertwine.learning.guard import Diverged
from intertwine.learning.study import Scalars, Study
from intertwine.models.units import as_spins
from intertwine.quantum.dynamics.certificate import LOW, LOW_SAMPLED, Account
from intertwine.quantum.dynamics.ensemble import Ensemble, Source
from intertwine.quantum.dynamics.tangent import Velocity
from intertwine.quantum.dynamics.trajectory import Trajectory
from intertwine.quantum.dynamics.variational import Step, Stuck
from intertwine.quantum.vmc.moves import AnyOperator
from intertwine.quantum.vmc.search import columns, like
from intertwine.sampling.space import Space, placed
from intertwine.sampling.statistics.estimate import Estimate

Observable = AnyOperator | Callable[[Any], Any]
FIRST_STEP = 1e-3
_MEASURED, _STARTED, _ENDED = 2**31 - 1, 2**31 - 2, 2**31 - 4
_SAME = 1e-12
FARTHEST = 2**0.5
"""The distance of orthogonal states: no bound need be larger."""


class Method(Protocol):
    """How steps are made."""

    def first(self, variance: float) -> float:
        """The length to try first, where Var(H) is that."""
        ...

    def velocity(self, model: PyTree, t: float, ensemble: Ensemble) -> Velocity: ...

    def step(self, model: PyTree, ensemble: Ensemble, t: float, h: float) -> Step: ...

    def missed(self, model: PyTree, t: float, ensemble: Ensemble, ending: Velocity | None) -> float: ...


class EvolutionState(NamedTuple):
    """time: float64 (). step: the length to try next. model: at that time. chains: the sampler's state.
    account: the sums of the certificate."""

    time: np.ndarray
    step: np.ndarray
    model: Any
    chains: Any
    account: Account


class Evolution(Study[EvolutionState, Trajectory]):
    """`model` under `hamiltonian`, by `method`, over configurations of `source`, at each of `times`.

    hamiltonian: a function of the time. observables: name → operator, or a function of the model that gives
    a number (or an `Estimate`). observe: samples of a measurement. lowest: a lower bound of the spectrum in
    imaginary time, else None. where: the space that the final model carries. distance: of `model` from the
    state that it stands for at time 0.
    """

    def __init__(
        self,
        hamiltonian: Callable[[float], AnyOperator],
        model: PyTree,
        times: np.ndarray,
        method: Method,
        source: Source,
        *,
        observables: Mapping[str, Observable],
        observe: int,
        key: Array,
        lowest: float | None = None,
        where: Space | None = None,
        label: str = "tdvp",
        because: str = "",
        notes: tuple[str, ...] = (),
        conserved: bool = False,
        distance: float = 0.0,
    ):
        self.hamiltonian, self.given, self.times, self.method, self.source = (
            hamiltonian,
            model,
            times,
            method,
            source,
        )
        self.observables, self.observe, self.key = dict(observables), observe, key
        self.lowest, self.where, self.label, self.because, self.notes = lowest, where, label, because, notes
        self.conserved, self.distance = conserved, distance
        self.lines, self.begin = len(times), as_spins(model)

    def start(self) -> EvolutionState:
        chains = self.source.start(self.begin, jax.random.fold_in(self.key, _STARTED))
        return EvolutionState(np.zeros(()), np.zeros(()), self.begin, chains, Account.begun(self.distance))

    def template(self, done: int) -> EvolutionState:
        chains = self.source.sampler.init(self.begin, key=self.key)
        return EvolutionState(np.zeros(()), np.zeros(()), self.begin, chains, Account.begun())

    def iterate(self, state: EvolutionState, done: int) -> Iterator[tuple[EvolutionState, Scalars]]:
        for line in range(done, self.lines):
            begun = perf_counter()
            state, ensemble, acceptance = self._carried(state, float(self.times[line]))
            state, scalars = self._line(state, line, ensemble, acceptance)
            yield state, scalars | {"seconds": perf_counter() - begun}

    def last_good(self, error: Diverged) -> tuple[EvolutionState, int] | None:
        if not isinstance(error.state, EvolutionState):
            return None
        return error.state, int(np.count_nonzero(self.times <= float(error.state.time) + _SAME))

    def finish(self, state: EvolutionState, history: list[Scalars]) -> Trajectory:
        past = columns(history)
        named = {name: past[name] for name in self.observables}
        return Trajectory(
            times=past["time"],
            observables=named,
            errors={name: past[f"{name}_error"] for name in named},
            energy=past["energy"],
            energy_error=past["energy_error"],
            variance=past["variance"],
            bound=past["bound"],
            residual=past["residual_sum"],
            integrator=past["integrator_sum"],
            rate=past["residual"],
            model=placed(like(self.given, state.model), self.where),
            method=self.label,
            because=self.because,
            history=past,
            notes=self.notes,
            state=state,
            conserved=self.conserved,
        )

    # ---- between two times

    def _carried(self, state: EvolutionState, end: float) -> tuple[EvolutionState, Ensemble, float]:
        """The state at `end`, by as many steps as it takes, configurations of it, and the share of moves that
        were accepted for them."""
        begin = state
        time, h, model, chains, account = (
            float(state.time), float(state.step), state.model, state.chains, state.account,
        )  # fmt: skip
        made: Step | None = None
        while True:
            over = end - time <= _SAME * max(1.0, end)
            key = jax.random.fold_in(self.key, int(account.steps) + (0 if made is None else 1))
            key = jax.random.fold_in(key, _ENDED) if over else key
            ensemble, chains, acceptance = self.source.draw(model, chains, key)
            if made is not None:
                fresh = 0.0
                if not self.source.exact:
                    fresh = self.method.missed(model, time, ensemble, made.ending)
                account = self._with(account, made, fresh)
                if not np.isfinite(fresh):
                    raise Diverged(
                        int(account.steps), f"nothing moves from t = {time:.6g} on", begin, _ADVICE
                    )
            if over:
                break
            if h == 0:
                h = self.method.first(self.method.velocity(model, time, ensemble).variance)
                h = h if np.isfinite(h) and h > 0 else FIRST_STEP
            asked = min(h, end - time)
            asked = end - time if end - time < 1.01 * h else asked
            try:
                made = self.method.step(model, ensemble, time, asked)
            except Stuck as error:
                raise Diverged(int(account.steps), str(error), begin, _ADVICE) from None
            whole = made.taken == asked
            h = max(made.following, h) if whole and asked < h else made.following
            time = end if whole and asked == end - time else time + made.taken
            model = made.model
        return EvolutionState(np.array(time), np.array(h), model, chains, account), ensemble, acceptance

    def _with(self, account: Account, made: Step, fresh: float) -> Account:
        """The account after a step; fresh: r over configurations that had no part in it."""
        growth = 0.0 if self.lowest is None else max(made.energy - self.lowest, 0.0)
        return account.with_step(
            made.taken, max(made.residual, fresh), made.error, made.infidelity, made.scheme, made.fit,
            made.evaluations, growth, made.turned, LOW if self.source.exact else LOW_SAMPLED,
        )  # fmt: skip

    # ---- at a time

    def _line(
        self, state: EvolutionState, line: int, ensemble: Ensemble, acceptance: float
    ) -> tuple[EvolutionState, Scalars]:
        """The metrics at `state`, and the state with its chains moved on. ensemble: of it."""
        time, model, account = float(state.time), state.model, state.account
        key = jax.random.fold_in(jax.random.fold_in(self.key, _MEASURED), line)
        H = self.hamiltonian(time)
        operators = {name: op for name, op in self.observables.items() if isinstance(op, AnyOperator)}
        found, local, chains = self.source.measure(
            {"": H, **operators}, model, state.chains, self.observe, key
        )
        now = self.method.velocity(model, time, ensemble)
        energy = found[""]
        squares = np.abs(local[""] - energy.mean) ** 2
        variance, doubt = float(energy.variance), 0.0
        if not self.source.exact:
            doubt = float(np.std(squares) / np.sqrt(squares.size)) * max(1.0, float(energy.tau)) ** 0.5
        if not np.isfinite(energy.mean) or not np.isfinite(now.residual):
            reason = f"the energy at t = {time:.6g} is {energy.mean}"
            raise Diverged(int(account.steps), reason, state, _ADVICE)
        scalars: Scalars = {
            "time": time,
            "energy": float(energy.mean),
            "energy_error": float(energy.error),
            "variance": variance,
            "variance_error": doubt,
            "residual": now.residual,
            "relative_residual": now.residual**2 / max(variance, 1e-300),
            "residual_sum": float(account.residual),
            "integrator_sum": float(account.integrator),
            "fit_sum": float(account.fit),
            "scheme_sum": float(account.scheme),
            "infidelity": float(account.infidelity),
            "bound": min(float(account.bound), FARTHEST),
            "snr": now.snr,
            "kept": now.kept,
            "step": float(state.step),
            "steps": float(account.steps),
            "evaluations": float(account.evaluations),
            "acceptance": acceptance,
            "r_hat": float(energy.r_hat),
            "tau": float(energy.tau),
        }
        for name, observable in self.observables.items():
            value: Any
            if isinstance(observable, AnyOperator):
                value = found[name]
            else:
                value = observable(placed(like(self.given, model), self.where))
            known = isinstance(value, Estimate)
            _check_real(name, value.mean if known else value)
            scalars[name] = float(np.real(value.mean if known else value))
            scalars[f"{name}_error"] = float(value.error) if known else 0.0
        return state._replace(chains=chains), scalars


def _check_real(name: str, value: Any) -> None:
    """Raise `InputError` for what an observable gives that is no real number."""
    shown = f"observables[{name!r}]"
    if np.ndim(value) != 0:
        raise fail(shown, "one number", f"shape {np.shape(value)}", "name each number by itself")
    if abs(np.imag(value)) > 1e-9 * max(1.0, abs(value)):
        raise fail(shown, "a real number", f"{value:.6g}", "give its real and its imaginary part")


_ADVICE = "take more samples, a larger cutoff, or a start whose weights are not so near 0"
