"""What the study of a trained network found, as the record, arrays and words of its run folder."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from intertwine._caveats import caveat
from intertwine.experiments.renormalize.results import Outcome
from intertwine.experiments.renormalize.sampled_results import said
from intertwine.experiments.renormalize.settings import RenormalizeConfiguration
from intertwine.experiments.renormalize.trained_network import Learned
from intertwine.rg.networks.network_flow import FlowFixedPoint
from intertwine.rg.networks.rbm_couplings import couplings_of_rbm

SHOWN_FILTERS = 40
SHELLS = 6
LARGE_SPREAD = 0.1
"""Above this the spread of ln Σ_h e^T, in nats, is told as a failure of the trace condition."""


def network_outcome(
    c: RenormalizeConfiguration, learned: Learned, met: FlowFixedPoint, rows: np.ndarray
) -> Outcome:
    """met: both flows and where they end. rows: of the data, in the machine's units, (n, N)."""
    trace = trace_values(learned, rows)
    weights = np.asarray(learned.machine.weights)
    order = np.argsort(-np.linalg.norm(weights, axis=0), kind="stable")[:SHOWN_FILTERS]
    flows = {}
    for name, flow in zip(("cold", "hot"), met.flows, strict=True):
        flows[name] = ("flow_step", flow.mean, f"energy a site, {name} start")
        flows[f"{name}_error"] = ("flow_step", flow.error, "one standard deviation")
    arrays: dict[str, Any] = {
        "filter": (("filter", "unit"), weights[:, order].T, "weights of the strongest hidden units"),
        **flows,
    }
    read = couplings_of_rbm(learned.machine, learned.lattice, shells=min(SHELLS, learned.lattice.shells))
    arrays |= {
        "shell_distance": ("shell", read.distances, "distance of the pairs, in cells"),
        "shell_coupling": ("shell", read.means, "mean pair coupling of ln Ψ at this distance"),
        "shell_error": ("shell", read.scatter, "standard deviation between the pairs of a distance"),
    }
    facts: dict[str, Any] = {
        "visible units": learned.machine.size,
        "hidden units": learned.machine.hidden,
        "lines of its training": learned.step,
        "data": learned.data.name,
        "energy from T = 0": said(float(met.cold.mean), float(met.cold.error)),
        "energy from T = ∞": said(float(met.hot.mean), float(met.hot.error)),
        "steps of the flow": met.steps,
        "coupling of nearest neighbours": said(float(read.means[0]), float(read.scatter[0])),
    }
    caveats = []
    if not met.met():
        words = f"the flows from T = 0 and T = ∞ have not met: their energies are {met.difference:.4f} apart"
        caveats.append(
            caveat("not-converged", f"{words} after {met.steps} steps; take more with --flow-steps")
        )
    temperature = said(met.temperature.mean, met.temperature.error)
    cards = [["Temperature", temperature, "of the Ising model with the energy where the flows end"]]
    headline = f"The flow v → h → v ends at the energy of the Ising model at T = {temperature}"
    if trace is not None:
        spread = float(trace.std())
        arrays["trace"] = ("state", trace, "ln Σ_h e^T of rows of the data, T = H − E")
        facts |= {"ln Σ_h e^T, mean": float(trace.mean()), "ln Σ_h e^T, spread": spread}
        cards.append(["Trace condition", f"{spread:.3g}", "spread of ln Σ_h e^T, 0 for an exact step"])
        headline += f"; ln Σ_h e^T spreads by {spread:.3g} nats over the data"
        if spread > LARGE_SPREAD:
            words = (
                f"the trace condition does not hold: ln Σ_h e^T spreads by {spread:.3g} nats over the data"
            )
            reason = "so the machine is no exact renormalization step of their Hamiltonian"
            caveats.append(caveat("assumption", f"{words}, {reason}"))
    record = {
        "headline": headline + ".",
        "cards": cards,
        "facts": facts,
        "temperature": {"mean": met.temperature.mean, "error": met.temperature.error, "met": met.met()},
        "parameters": int(weights.size + sum(weights.shape)),
    }
    height, width = learned.lattice.extent
    return Outcome(record, arrays, [headline + "."], caveats, {"image_height": height, "image_width": width})


def trace_values(learned: Learned, rows: np.ndarray) -> np.ndarray | None:
    """ln Σ_h e^{T(v, h)} of rows, T = H − E with H = −ln p of the data's exact distribution; None where that
    is not known. It is ln Ψ(v) − ln p(v): one number, ln Z, for all v exactly where the machine is p."""
    known = learned.data.known
    if known is None:
        return None
    psi = np.asarray(jax.vmap(learned.machine)(jnp.asarray(rows)), np.float64)
    return psi - np.asarray(known.log_probability(rows), np.float64)
