"""What the study of a trained network found, as the record, arrays and words of its run folder."""

from __future__ import annotations

from typing import Any

import numpy as np

from intertwine.experiments.renormalize.results import Outcome
from intertwine.experiments.renormalize.sampled_results import said
from intertwine.experiments.renormalize.settings import RenormalizeConfiguration
from intertwine.experiments.renormalize.trained_network import Learned
from intertwine.rg.networks.network_study import NetworkReading

SHOWN_FILTERS = 40


def network_outcome(c: RenormalizeConfiguration, learned: Learned, found: NetworkReading) -> Outcome:
    """learned: where the machine is from."""
    met, read, weights = found.met, found.couplings, np.asarray(found.machine.weights)
    order = np.argsort(-np.linalg.norm(weights, axis=0), kind="stable")[:SHOWN_FILTERS]
    arrays: dict[str, Any] = {
        "filter": weights[:, order].T,
        "shell_distance": read.distances,
        "shell_coupling": read.means,
        "shell_error": read.scatter,
    }
    for name, flow in zip(("cold", "hot"), met.flows, strict=True):
        arrays |= {name: flow.mean, f"{name}_error": flow.error}
    facts: dict[str, Any] = {
        "visible units": found.machine.size,
        "hidden units": found.machine.hidden,
        "data": learned.data.name,
        "energy from T = 0": said(float(met.cold.mean), float(met.cold.error)),
        "energy from T = ∞": said(float(met.hot.mean), float(met.hot.error)),
        "steps of the flow": met.steps,
        "coupling of nearest neighbours": said(float(read.means[0]), float(read.scatter[0])),
    }
    temperature = said(met.temperature.mean, met.temperature.error)
    cards = [["Temperature", temperature, "of the Ising model with the energy where the flows end"]]
    headline = f"The flow v → h → v ends at the energy of the Ising model at T = {temperature}"
    if found.trace is not None:
        arrays["trace"] = found.trace
        facts |= {"ln Σ_h e^T, mean": float(found.trace.mean()), "ln Σ_h e^T, spread": found.spread}
        cards.append(["Trace condition", f"{found.spread:.3g}", "spread of ln Σ_h e^T, 0 for an exact step"])
        headline += f"; ln Σ_h e^T spreads by {found.spread:.3g} nats over the data"
    record = {
        "headline": headline + ".",
        "cards": cards,
        "facts": facts,
        "temperature": {"mean": met.temperature.mean, "error": met.temperature.error, "met": met.met()},
        "parameters": int(weights.size + sum(weights.shape)),
    }
    height, width = found.lattice.extent
    attributes = {"image_height": height, "image_width": width}
    return Outcome(record, arrays, [headline + "."], list(found.warnings), attributes)
