"""What an evolution writes."""

from intertwine.records.schema import WORD, Entry, Schema

_ENERGY, _TIME = "units of the couplings", "1/energy"

SCHEMA = Schema(
    version=1,
    columns=(
        Entry("step", "line"),
        Entry("time", "time", _TIME),
        Entry("energy", "energy", _ENERGY),
        Entry("energy_error", "one standard error of the energy", _ENERGY),
        Entry("variance", "variance of the energy", "units of the couplings squared"),
        Entry("bound", "bound on the distance to the true state"),
        Entry("residual", "residual of the equation of motion", _ENERGY),
        Entry("residual_sum", "of the bound: residual"),
        Entry("integrator_sum", "of the bound: integrator"),
        Entry("fit_sum", "of the bound: fits of projected steps"),
        Entry("scheme_sum", "of the bound: remainder of the product formula"),
        Entry("snr", "signal over noise of the force"),
        Entry("kept", "directions that are kept"),
        Entry("steps", "steps so far"),
        Entry("step_size", "length of the next step", _TIME),
        Entry("X", "⟨X⟩ per site"),
        Entry("X_error", "one standard error of ⟨X⟩"),
        Entry("entropy", "entropy of half of the sites", "nats"),
        Entry("entropy_error", "one standard error of the entropy", "nats"),
        Entry("acceptance", "share of accepted moves"),
        Entry("r_hat", "R-hat between the chains"),
        Entry("seconds", "time for the line", "s"),
    ),
    results=(
        Entry("bound", "bound on the distance to the true state, at the end"),
        Entry("judged", "whether the bound holds all that it is to hold", form=WORD),
        Entry("trusted_until", "the last time with a bound below 0.1", _TIME),
        Entry("energy", "mean and error of the energy at the end", _ENERGY),
        Entry("observables", "at the end: mean, error, and the exact value where it is known"),
        Entry("deviation", "largest distance from the exact curve, by observable, where it is known"),
        Entry("exact", "where the exact curve is from", form=WORD),
        Entry("method", "tdvp or projected", form=WORD),
        Entry("because", "why this method", form=WORD),
        Entry("steps", "steps made"),
        Entry("size", "sites"),
        Entry("parameters", "parameters of the wave function"),
        Entry("seconds", "wall time", "s"),
        Entry("warnings", "what qualifies the numbers"),
    ),
)
