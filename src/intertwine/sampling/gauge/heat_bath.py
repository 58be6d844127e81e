r"""Heat bath of gauge links: each drawn anew from its conditional distribution, colour after colour.

    p(U_μ(x) | rest) ∝ e^{(β/n) Re tr U_μ(x) A_μ(x)}

A_μ(x) being its staples (Creutz, Phys. Rev. D 21, 2308, 1980). Links along one direction at sites of one
colour share no plaquette, so that they are drawn at once by all threads; numbers come from the place and the
key (`host_counter`), so that nothing depends on the threads. Between heat baths come overrelaxation passes,
which keep the action and move far; a sweep is one heat bath and these. Kernels: `host_su2`, `host_su3`,
`host_phases`; in JAX, for accelerators, `jax_links`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from jaxtyping import Shaped

from intertwine import _threads
from intertwine._checks import fail, one_of, positive_int
from intertwine.models.gauge.wilson_action import Gauge
from intertwine.sampling.host_random import chain_states
from intertwine.sampling.protocols import Samples
from intertwine.sampling.spins.colouring import greedy_colouring
from intertwine.spaces.links import Links
from intertwine.symmetry.groups.gauge_group import CyclicGroup

if TYPE_CHECKING:
    from intertwine.sampling.gauge.jax_links import Groups


class GaugeState(NamedTuple):
    """Where the chains are: configurations (chains, *extent, d, *element)."""

    configurations: Shaped[Array, "chains ..."]


@dataclass(frozen=True)
class GaugeHeatBath:
    """Heat-bath chains of a `Gauge` model: p = Ψ/Z.

    chains: how many configurations side by side. steps: sweeps between draws. burn_in: sweeps before the
    first draw. overrelaxation: reflections of every link in a sweep, besides one heat bath; None: 1, and 0
    for Z_N, which has none. start: "hot" (random links) or "cold" (all 1). backend: "host", "jax", or "auto":
    JAX on an accelerator, else the compiled kernels of the host, which calculate in double precision; JAX
    does in that of the links.

    The same model, state, draws, key and backend give the same numbers, whatever the number of threads.
    Raises InputError for numbers out of range, other models, and overrelaxation of Z_N.

    >>> from intertwine.spaces.lattices import Square
    >>> gauge = Gauge(Links(Square(4, 4), "SU(2)"), beta=2.0)
    >>> sampler = GaugeHeatBath(chains=4, burn_in=20)
    >>> state = sampler.init(gauge, key=jax.random.key(0))
    >>> samples, state = sampler.sample(gauge, state, 3, key=jax.random.key(1))
    >>> samples.configurations.shape
    (4, 3, 4, 4, 2, 4)
    """

    chains: int = 8
    steps: int = 1
    burn_in: int = 200
    overrelaxation: int | None = None
    start: str = "hot"
    backend: str = "auto"

    distribution = "boltzmann"

    def __post_init__(self) -> None:
        positive_int("chains", self.chains, "give the number of chains")
        positive_int("steps", self.steps, "give the number of sweeps between draws")
        for name in ("burn_in", "overrelaxation"):
            value = getattr(self, name)
            if name == "overrelaxation" and value is None:
                continue
            if isinstance(value, bool) or not isinstance(value, int) or value < 0:
                raise fail(name, "a whole number ≥ 0", value)
        if self.start not in ("hot", "cold"):
            raise fail("start", "'hot' or 'cold'", self.start)
        one_of("backend", self.backend, ("auto", "host", "jax"))

    def init(self, model: Gauge, *, key: Array) -> GaugeState:
        """Fresh chains after `burn_in` sweeps."""
        links = _checked(model).links
        begin, run = jax.random.split(key)
        if self.start == "hot":
            made = [links.hot(key=k, dtype=model.beta.dtype) for k in jax.random.split(begin, self.chains)]
        else:
            made = [links.cold(model.beta.dtype)] * self.chains
        state = GaugeState(jnp.stack(made))
        return self._continued(model, state, 1, self.burn_in, run)[1] if self.burn_in else state

    def sample(
        self, model: Gauge, state: GaugeState, draws: int, *, key: Array
    ) -> tuple[Samples, GaugeState]:
        """`draws` configurations a chain, (chains, draws, *extent, d, *element), and the chains after."""
        draws = positive_int("draws", draws, "give the number of configurations a chain")
        drawn, state = self._continued(_checked(model), state, draws, self.steps, key)
        return Samples(drawn, None, jnp.ones(())), state

    def _continued(
        self, model: Gauge, state: GaugeState, draws: int, sweeps: int, key: Array
    ) -> tuple[Array, GaugeState]:
        links, given = model.links, state.configurations
        if given.shape != (self.chains, *links.configuration_shape):
            raise fail(
                "state",
                f"configurations of shape {(self.chains, *links.configuration_shape)}",
                given.shape,
                "init",
            )
        links.group.check("state", given)
        if self.backend == "jax" or (self.backend == "auto" and jax.default_backend() != "cpu"):
            return _in_jax(model, given, draws, sweeps, self._reflections(links), key)
        given = np.array(given)  # a copy: it is worked in
        plan, period = _plan(links), 1 + self._reflections(links)
        flat = given.reshape(self.chains, links.lattice.size, links.dimension, *links.group.element)
        keys, drawn = (
            chain_states(key, self.chains),
            np.empty((self.chains, draws, *links.configuration_shape), given.dtype),
        )
        for d in range(draws):
            carry_on(model, plan, flat, keys, d * sweeps * period, sweeps * period, period)
            drawn[:, d] = given
        return jnp.asarray(drawn), GaugeState(jnp.asarray(given))

    def _reflections(self, links: Links) -> int:
        cyclic = isinstance(links.group, CyclicGroup)
        if self.overrelaxation is None:
            return 0 if cyclic else 1
        if cyclic and self.overrelaxation:
            raise fail("overrelaxation", f"0 for {links.group.name}", self.overrelaxation)
        return self.overrelaxation


def _in_jax(
    model: Gauge, U: Array, draws: int, sweeps: int, reflections: int, key: Array
) -> tuple[Array, GaugeState]:
    from intertwine.sampling.gauge.jax_links import continued

    links, chains = model.links, len(U)
    flat = U.reshape(chains, links.size, *links.group.element)
    drawn, last = continued(links, _table(links), model.beta, flat, key, draws, sweeps, reflections)
    shape = links.configuration_shape
    return jnp.swapaxes(drawn, 0, 1).reshape(chains, draws, *shape), GaugeState(last.reshape(chains, *shape))


@lru_cache(maxsize=32)
def _table(links: Links) -> Groups:
    from intertwine.sampling.gauge.jax_links import groups

    plan = _plan(links)
    return groups(links, plan.order, plan.starts)


class Plan(NamedTuple):
    """In which order the sites are visited. order: int32 (V,), colour after colour; starts: where each colour
    begins, and the end; ahead, behind: int32 (V, d), the sites x ± μ."""

    order: np.ndarray
    starts: np.ndarray
    ahead: np.ndarray
    behind: np.ndarray


@lru_cache(maxsize=32)
def _plan(links: Links) -> Plan:
    """Sites of one colour are no neighbours: even and odd ones where the extents are even."""
    ahead, behind = links.neighbours()
    colours = greedy_colouring(np.concatenate([ahead, behind], 1))
    order = np.argsort(colours, kind="stable").astype(np.int32)
    starts = np.concatenate([[0], np.cumsum(np.bincount(colours))]).astype(np.int64)
    return Plan(order, starts, ahead, behind)


def carry_on(
    model: Gauge, plan: Plan, links: np.ndarray, keys: np.ndarray, first: int, passes: int, period: int
) -> None:
    """`passes` over all links of host arrays (chains, V, d, *element), in place; see `host_su2.run`.

    Threads share the chains, or the sites of a colour where there are fewer chains than threads.
    """
    kernel, last = _kernel(model, period)
    beta, d, chains = float(model.beta), links.shape[2], len(links)
    order, starts, ahead, behind = plan
    if chains >= _threads.available():

        def of_chains(a: int, b: int) -> None:
            kernel(links[a:b], order, ahead, behind, (0, d), beta, keys[a:b], first, passes, last)

        _threads.over_ranges(of_chains, chains)
        return
    for number in range(first, first + passes):
        for mu in range(d):
            for begin, end in pairwise(starts):
                sites = order[begin:end]

                def of_sites(
                    a: int, b: int, n: int = number, mu: int = mu, sites: np.ndarray = sites
                ) -> None:
                    kernel(links, sites[a:b], ahead, behind, (mu, mu + 1), beta, keys, n, 1, last)

                _threads.over_ranges(of_sites, len(sites))


def _kernel(model: Gauge, period: int) -> tuple[Callable[..., None], int | np.ndarray]:
    """The kernel of the group, and its last argument."""
    group = model.links.group
    if isinstance(group, CyclicGroup):
        from intertwine.sampling.gauge.host_phases import run_whole_numbers

        return run_whole_numbers, group.roots
    if group.name == "U(1)":
        from intertwine.sampling.gauge.host_phases import run_angles

        return run_angles, period
    if group.name == "SU(2)":
        from intertwine.sampling.gauge.host_su2 import run as run_su2

        return run_su2, period
    from intertwine.sampling.gauge.host_su3 import run as run_su3

    return run_su3, period


def _checked(model: Gauge) -> Gauge:
    if not isinstance(model, Gauge):
        raise fail("model", "a Gauge model", type(model).__name__, "HeatBath samples spins, Gibbs RBMs")
    return model
