r"""When each mode of the data is learned: `emergence`.

    trace = it.boltzmann.EmergenceTrace(data)
    fit = it.learn(rbm, data, progress=trace, key=key)
    found = it.boltzmann.emergence(trace)            # or of it.load(folder), or of models along a training

A training is a cascade: the weights gather in one principal mode of the data after another, and the machine
passes a continuous transition at each (Decelle, Fissore & Furtlehner 2018; Bachtis, Biroli, Decelle & Seoane
2024). Each mode has its own time: where its strength u = |W̃ᵀu_a|² passes half of its last value. The error
of that time is the fluctuation of u between lines divided by the slope, and a part for the distance of the
lines. Of the Gaussian machine every mode has a closed form (`gaussian_modes`), which is given beside.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import jax
import numpy as np
from jax import Array
from jaxtyping import Float, PyTree
from numpy.typing import ArrayLike

from intertwine._caveats import caveat
from intertwine._checks import fail
from intertwine._shown import Shown, with_error
from intertwine.boltzmann.cascade.gaussian_modes import gaussian_final, gaussian_half_time
from intertwine.boltzmann.cascade.lines import COLUMNS, EmergenceTrace, emergence_line, is_gaussian_machine
from intertwine.boltzmann.cascade.principal_modes import MODES, PrincipalModes, modes_for
from intertwine.models.machines.layered import layered
from intertwine.models.results import as_model
from intertwine.sampling.gibbs.gibbs import Gibbs

GROWN = 4.0
"""By so much the last u is above the first where a mode is said to have been learned."""

SETTLED = 0.05
"""A mode that still grows by this share in the last tenth of the lines has no last value yet."""

_SWEEPS = 20


@dataclass(frozen=True, eq=False, repr=False)
class Emergence(Shown):
    """T lines of a training, k modes of its data. Arrays are float64, nan where something is not known.

    time: (T,) Σ of the learning rates, or updates where none are known. updates: (T,). eigenvalues: (k,) c.
    above: how many of all modes have c > 1. noise: the largest c of independent columns of so many rows.
    strength: (T, k) |W̃ᵀu|, `principal_modes`. singular_values: (T, k) of W̃, the largest. magnetisation,
    susceptibility: (T, k) ⟨|m|⟩ and χ of the chains. half_time, half_error: (k,) in units of `time`.
    unstable: (k,) the time at which the a-th singular value of W̃ passes 1, the machine's own transition.
    theory_time, theory_final: (k,) of the Gaussian machine's closed form, from the strengths of the first
    line.
    """

    time: Float[np.ndarray, " T"]
    updates: Float[np.ndarray, " T"]
    eigenvalues: Float[np.ndarray, " k"]
    above: int
    noise: float
    strength: Float[np.ndarray, "T k"]
    singular_values: Float[np.ndarray, "T k"]
    magnetisation: Float[np.ndarray, "T k"]
    susceptibility: Float[np.ndarray, "T k"]
    half_time: Float[np.ndarray, " k"]
    half_error: Float[np.ndarray, " k"]
    unstable: Float[np.ndarray, " k"]
    theory_time: Float[np.ndarray, " k"]
    theory_final: Float[np.ndarray, " k"]
    warnings: tuple[str, ...]

    @property
    def final(self) -> Float[np.ndarray, " k"]:
        """u of the last line."""
        return self.strength[-1] ** 2

    @property
    def learned(self) -> Float[np.ndarray, " k"]:
        """Whether each mode has a time."""
        return np.isfinite(self.half_time)

    def __str__(self) -> str:
        count = int((self.learned & (self.eigenvalues > 1)).sum())
        plural = "" if self.above == 1 else "s"
        said = [f"{self.above} mode{plural} of the data with c > 1, {count} learned within these lines"]
        for a in np.flatnonzero(self.learned)[:6]:
            when = with_error(float(self.half_time[a]), float(self.half_error[a]), ".4g")
            words = f"c = {self.eigenvalues[a]:.4f}: at {when}, u = {self.final[a]:.4f}"
            if math.isfinite(self.theory_time[a]):
                words += f" (closed form {self.theory_time[a]:.4g}, {self.theory_final[a]:.4f})"
            said.append(words)
        return "\n".join([*said, *(f"warning: {line}" for line in self.warnings)])


def emergence(
    run: PyTree,
    data: PyTree = None,
    *,
    modes: int = MODES,
    times: ArrayLike | None = None,
    samples: int = 0,
    key: Array | None = None,
) -> Emergence:
    """The modes of the data along a training, and when each was learned.

    run: an `EmergenceTrace` that followed `it.learn`; a run of `intertwine learn` that was loaded
    (`it.load`);
        or machines (RBM, DBM, DBN) along a training, with their `data`.
    data: rows (n, N), a `Dataset`, or (rows, weights); known of traces and runs.
    modes: of the data, how many of the largest, for machines. times: (T,) of the machines, learning rate ×
        updates; 0, 1, 2, … by default.
    samples: for machines, configurations that each is drawn for magnetisations and susceptibilities, by Gibbs
        sampling from those of the machine before; `key` is of them. 0: none.

    Raises InputError for runs that kept nothing of their training, machines of other columns, and times that
    do not increase.

    >>> from intertwine.boltzmann.cascade.flow import gradient_flow
    >>> from intertwine.models.machines.rbm import RBM
    >>> rbm = RBM.from_parameters([0.0], [0.0], [[1e-3]], units="gaussian", hidden_units="gaussian",
    ...                           log_variance=None)
    >>> rows, times = np.array([[2.0], [-2.0]]), np.linspace(0, 8, 161)
    >>> found = emergence(gradient_flow(rbm, rows, times), rows, times=times)
    >>> found.half_time.round(3).tolist(), found.theory_time.round(3).tolist(), found.final.round(4).tolist()
    ([2.168], [2.168], [0.75])
    """
    if isinstance(run, str):
        raise fail("run", "a trace, a run or machines", repr(run), f"give it.load({run!r})")
    if isinstance(run, EmergenceTrace):
        if not run.looks:
            raise fail("run", "a trace of a training", "one without lines", "it.learn(..., progress=trace)")
        return told(run.looks, facts_of(run.modes), run.gaussian)
    kept = getattr(run, "course", None)
    if kept is not None or (hasattr(run, "settings") and hasattr(run, "result")):
        return _of_run(run, kept)
    machines = list(run) if isinstance(run, Sequence) and not hasattr(run, "model") else []
    if not machines:
        got = f"{type(run).__name__}, which has the last machine alone"
        remedy = "follow it with it.learn(..., progress=it.boltzmann.EmergenceTrace(data))"
        raise fail("run", "a training with its lines, or machines along it", got, remedy)
    if data is None:
        raise fail("data", "the rows that the machines learned", None, "emergence(machines, data)")
    machines = [as_model(machine) for machine in machines]
    at = np.arange(len(machines), dtype=float) if times is None else np.asarray(times, np.float64)
    if at.shape != (len(machines),) or not (np.diff(at) > 0).all():
        raise fail("times", f"{len(machines)} increasing times, one for each machine", at.shape)
    found = modes_for(machines[0], data, modes)
    drawn = _configurations(machines, samples, key)
    lines = [
        {"updates": t, "time": t} | emergence_line(machine, found, configurations)
        for t, machine, configurations in zip(at.tolist(), machines, drawn, strict=True)
    ]
    return told(lines, facts_of(found), is_gaussian_machine(machines[0]))


def _configurations(machines: list[PyTree], samples: int, key: Array | None) -> list[Any]:
    if not samples:
        return [None] * len(machines)
    if key is None:
        raise fail("key", "a key for the samples", None, "key=jax.random.key(0)")
    found, state = [], None
    for number, machine in enumerate(machines):
        layered(machine)
        sampler = Gibbs(steps=_SWEEPS, chains=samples, burn_in=_SWEEPS)
        own = jax.random.fold_in(key, number)
        state = sampler.init(machine, key=own) if state is None else state
        drawn, state = sampler.sample(machine, state, 1, key=own)
        found.append(np.asarray(drawn.configurations).reshape(samples, -1))
    return found


def _of_run(run: PyTree, lines: PyTree) -> Emergence:
    facts = (getattr(run, "result", None) or {}).get("principal_modes")
    kept = [line for line in lines or () if line.get("mode_strengths")]
    if not facts or not kept:
        expected = "a run of intertwine learn that kept the modes of its data"
        remedy = "runs of earlier versions have none: learn again, or follow it.learn with EmergenceTrace"
        raise fail("run", expected, "one without them", remedy)
    lines = [line | {"updates": line.get("updates_so_far", k)} for k, line in enumerate(kept)]
    return told(lines, facts, bool(facts.get("gaussian")))


def facts_of(modes: PrincipalModes) -> dict[str, Any]:
    """What is kept of the modes of the data."""
    return {
        "eigenvalues": modes.eigenvalues.tolist(), "above": modes.above, "noise": modes.noise,
        "rows": modes.rows, "different": modes.different, "constant": int((modes.scale == 0).sum()),
    }  # fmt: skip


def told(lines: Sequence[dict[str, Any]], facts: dict[str, Any], gaussian: bool) -> Emergence:
    """The result of lines of numbers (`lines.emergence_line`, with "updates" and "time"), and what is known
    of the data's modes. gaussian: whether the closed forms apply."""
    c = np.array(facts["eigenvalues"], np.float64)
    time, updates = (np.array([float(line[name]) for line in lines]) for name in ("time", "updates"))
    tables = [_table([line.get(name) for line in lines], len(c)) for name in COLUMNS]
    u = tables[0] ** 2
    half = [half_time(time, u[:, a]) for a in range(len(c))]
    unstable = [_crossing(time, tables[1][:, a], 1.0) for a in range(len(c))]
    theory_time, theory_final = np.full(len(c), np.nan), np.full(len(c), np.nan)
    if gaussian:
        known = u[0] > 0
        theory_time[known] = time[0] + gaussian_half_time(c[known], np.minimum(u[0][known], 1 - 1e-12))
        theory_time[~np.isfinite(theory_time)] = np.nan
        theory_final = gaussian_final(c)
    noise = facts.get("noise")
    return Emergence(
        time=time, updates=updates, eigenvalues=c, above=int(facts["above"]),
        noise=math.nan if noise is None else float(noise), strength=tables[0], singular_values=tables[1],
        magnetisation=tables[2], susceptibility=tables[3], half_time=np.array([t for t, _ in half]),
        half_error=np.array([e for _, e in half]), unstable=np.array(unstable), theory_time=theory_time,
        theory_final=theory_final, warnings=_caveats(facts, c, u, tables[2]),
    )  # fmt: skip


def half_time(time: np.ndarray, u: np.ndarray) -> tuple[float, float]:
    """(when u passes half of its last value for the first time, the error of that); nan for one that has not
    grown fourfold.

    >>> t = np.linspace(0, 10, 201)
    >>> tuple(round(x, 3) for x in half_time(t, 1 / (1 + np.exp(5 - 2 * t)) + 1e-4))
    (2.5, 0.0)
    """
    if len(u) < 3 or not u[-1] > GROWN * max(u[0], 1e-300):
        return math.nan, math.nan
    level = 0.5 * u[-1]
    k = int(np.flatnonzero(u >= level)[0])
    t = _curved(time, u, k, level)
    slope = (u[k] - u[k - 1]) / (time[k] - time[k - 1])
    near = u[max(0, k - 5) : k + 6]
    # third differences: what is left of a smooth curve is of third order in the distance of the lines
    noise = np.sqrt(np.mean(np.diff(near, 3) ** 2) / 20) if len(near) > 3 else 0.0
    coarse = 0.1 * abs(_crossing(time, u, level) - t)
    return t, float(np.hypot(noise / slope, coarse)) if slope > 0 else math.nan


def _crossing(time: np.ndarray, u: np.ndarray, level: float) -> float:
    """The first time at which u, straight between lines, reaches a level; nan for never or from the start."""
    there = np.flatnonzero(u >= level)
    if not len(there) or there[0] == 0:
        return math.nan
    k = int(there[0])
    share = (level - u[k - 1]) / (u[k] - u[k - 1])
    return float(time[k - 1] + share * (time[k] - time[k - 1]))


def _curved(time: np.ndarray, u: np.ndarray, k: int, level: float) -> float:
    """The same along the cubic through two lines before and two after."""
    near = slice(max(0, k - 2), k + 2)
    x, y = time[near], u[near]
    middle, width = time[k], time[k] - time[k - 1]
    cubic = np.polynomial.Polynomial.fit((x - middle) / width, y - level, len(x) - 1, domain=[-1, 1])
    roots = cubic.roots()
    inside = roots.real[(np.abs(roots.imag) < 1e-9) & (roots.real >= -1) & (roots.real <= 0)]
    return float(middle + width * inside[0]) if len(inside) else _crossing(time, u, level)


def _table(rows: list[PyTree], modes: int) -> np.ndarray:
    found = np.full((len(rows), modes), np.nan)
    for k, row in enumerate(rows):
        values = [math.nan if x is None else float(x) for x in row or ()]
        found[k, : min(modes, len(values))] = values[:modes]
    return found


def _caveats(facts: dict[str, Any], c: np.ndarray, u: np.ndarray, chains: np.ndarray) -> tuple[str, ...]:
    said, last = [], max(0, len(u) - 1 - max(1, len(u) // 10))
    early = int(((c > 1) & (u[0] > 0.5 * u[-1]) & (u[-1] > u.max(initial=0) / 100)).sum())
    if early and len(u) > 1:
        words = f"{early} of the modes with c > 1 stood above half of their last strength at the first line"
        remedy = "a lower learning rate, or larger batches, has more lines before"
        said.append(caveat("unjudged", f"{words}: when they were learned is not seen; {remedy}"))
    growing = [a for a in range(len(c)) if c[a] > 1 and u[-1, a] - u[last, a] > SETTLED * u[-1, a] > 0]
    if growing:
        words = f"{len(growing)} of the {len(c)} modes still grow at the last line"
        said.append(
            caveat("not-converged", f"{words}: their times are of what they have reached; train longer")
        )
    noise = facts.get("noise")
    if noise is not None and math.isfinite(noise):
        chance = int(((c > 1) & (c <= noise)).sum())
        if chance:
            words = (
                f"{chance} of the {len(c)} modes have c between 1 and {noise:.3g}, as independent columns of"
            )
            words += f" {facts['different']} different rows have by chance"
            said.append(caveat("unjudged", f"{words}: whether they are of the distribution cannot be told"))
    if facts.get("constant"):
        said.append(caveat("data", f"{facts['constant']} columns are constant and take part in no mode"))
    if facts.get("different", 0) < facts.get("rows", 0) // 2 and (noise is not None and math.isfinite(noise)):
        said.append(caveat("data", f"of {facts['rows']} rows {facts['different']} are different"))
    if not np.isfinite(chains).any():
        said.append(
            caveat("unjudged", "there were no chains: magnetisations and susceptibilities are not known")
        )
    return tuple(said)
