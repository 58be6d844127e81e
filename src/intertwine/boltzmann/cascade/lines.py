r"""What is measured of a machine in the modes of its data at one moment of a training: a line of numbers.

    mode_strengths          |W̃ᵀu_a| of each mode, and singular_values of W̃ (`principal_modes`)
    mode_magnetisations     ⟨|m_a|⟩,        m_a = Σ_i u_ai (v_i − mean_i)/√D_i / √N
    mode_susceptibilities   χ_a = N(⟨m_a²⟩ − ⟨|m_a|⟩²)

over the chains that the training itself keeps (persistent ones, tempered ones at the model), so that they
cost nothing; without chains there are none. χ_a is large where a transition is near (Bachtis et al. 2024); of
independent units χ is 1 − 2/π.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import numpy as np

from intertwine._checks import positive_int
from intertwine.boltzmann.cascade.principal_modes import MODES, PrincipalModes, modes_for, scaled_weights

COLUMNS = ("mode_strengths", "mode_singular_values", "mode_magnetisations", "mode_susceptibilities")


def emergence_line(
    model: Any, modes: PrincipalModes, chains: np.ndarray | None = None
) -> dict[str, list[float]]:
    """The numbers of a machine, as lists of one entry a mode. chains: configurations (S, N) of it."""
    weights = scaled_weights(model, modes)
    small = weights @ weights.T if weights.shape[0] <= weights.shape[1] else weights.T @ weights
    values = np.sqrt(np.maximum(np.linalg.eigvalsh(small)[::-1], 0.0))[: len(modes.eigenvalues)]
    found = {
        "mode_strengths": np.sqrt(np.square(modes.vectors.T @ weights).sum(axis=1)),
        "mode_singular_values": values,
    }
    if chains is not None and len(chains) > 1 and np.shape(chains)[-1] == len(modes.mean):
        found |= moments(modes, chains)
    return {name: [float(f"{x:.9g}") for x in values] for name, values in found.items()}


def moments(modes: PrincipalModes, configurations: np.ndarray) -> dict[str, np.ndarray]:
    """⟨|m|⟩ and χ of configurations (S, N)."""
    m = modes.projected(configurations)
    modulus = np.abs(m).mean(axis=0)
    chi = len(modes.mean) * (np.square(m).mean(axis=0) - modulus**2)
    return {"mode_magnetisations": modulus, "mode_susceptibilities": chi}


def chains_of(state: Any) -> np.ndarray | None:
    """Configurations of the model that a state of learning holds, (S, N), or None."""
    inner = getattr(getattr(state, "objective_state", None), "inner", None)
    chains = getattr(inner, "chains", None)
    replicas = getattr(chains, "replicas", None)
    if replicas is not None:  # tempered: the last replica is the model's, where its place does not move
        layers = getattr(replicas, "layers", None)
        return None if layers is None or hasattr(chains, "machines") else np.asarray(layers[0][-1])
    found = getattr(chains, "v", None)
    if found is None and getattr(chains, "ndim", 0) == 2:  # hidden units of persistent chains
        found = _drawn(state.model, chains, jax.random.fold_in(state.key, int(state.step)))
    return None if found is None or getattr(found, "ndim", 0) != 2 else np.asarray(found)


@jax.jit
def _drawn(model: Any, hidden: Any, key: Any) -> Any:
    return model.sample_visible(hidden, key=key)


class EmergenceTrace:
    """Follows a training: `it.learn(..., progress=trace)`, then `it.boltzmann.emergence(trace)`.

    data: what is learned, as `it.learn` takes it. modes: how many. every: lines between two looks.

    >>> import jax, intertwine as it
    >>> rows = np.random.default_rng(0).integers(0, 2, (200, 1)) * np.ones((1, 4), int)
    >>> trace = EmergenceTrace(rows, modes=2)
    >>> rbm = it.RBM(4, hidden=2, units="binary", hidden_units="binary", key=jax.random.key(0))
    >>> _ = it.learn(rbm, rows, epochs=3, progress=trace, key=jax.random.key(0))
    >>> len(trace.looks), trace.modes.above
    (3, 1)
    """

    def __init__(
        self, data: Any, *, modes: int = MODES, every: int = 1, then: Callable[..., object] | None = None
    ):
        self.data, self.count, self.every = data, positive_int("modes", modes), positive_int("every", every)
        self.then, self.looks, self.gaussian = then, list[dict[str, Any]](), False
        self._modes: PrincipalModes | None = None
        self._seen = 0

    @property
    def modes(self) -> PrincipalModes:
        """Those of the data; known after the first line."""
        assert self._modes is not None, "a training gives it the first line"
        return self._modes

    def __call__(self, state: Any, scalars: dict[str, Any]) -> None:
        current = getattr(state, "current", state)
        model = current.model
        if self._modes is None:
            self._modes = modes_for(model, self.data, self.count)
            self.gaussian = is_gaussian_machine(model)
        updates, self._seen = int(current.step), self._seen + 1
        if (self._seen - 1) % self.every == 0:
            told = {"updates": updates, "time": scalars.get("time", float(updates))}
            self.looks.append(told | emergence_line(model, self._modes, chains_of(current)))
        if self.then is not None:
            self.then(state, scalars)


def is_gaussian_machine(model: Any) -> bool:
    """Whether learning is solved mode by mode: Gaussian units of width 1 on both sides."""
    layers = getattr(model, "visible_layer", None), getattr(model, "hidden_layer", None)
    return all(
        getattr(x, "spec", None) == "gaussian" and getattr(x, "log_variance", None) is None for x in layers
    )
