"""What a ground-state run writes."""

from intertwine.records.schema import WORD, Entry, Schema

_ENERGY, _SQUARED = "units of the couplings", "units of the couplings squared"

SCHEMA = Schema(
    version=2,
    columns=(
        Entry("step", "step"),
        Entry("energy", "energy", _ENERGY),
        Entry("error", "one standard error of the energy", _ENERGY),
        Entry("variance", "variance of the energy", _SQUARED),
        Entry("v_score", "V-score N Var(H)/(E − E_∞)²"),
        Entry("acceptance", "share of accepted moves"),
        Entry("tau", "integrated autocorrelation time of the local energy", "draws"),
        Entry("r_hat", "R-hat between the chains"),
        Entry("ess", "effective sample size", "samples"),
        Entry("learning_rate", "learning rate"),
        Entry("shift", "diagonal shift of the metric"),
        Entry("update_norm", "norm of the update of the parameters"),
        Entry("seconds", "time of the step", "s"),
    ),
    results=(
        Entry("energy", "mean, error, variance, tau, r_hat, ess, samples of the final energy", _ENERGY),
        Entry("v_score", "V-score of the final state"),
        Entry("exact", "energy, source and error of the exact lowest energy, where it is known", _ENERGY),
        Entry("relative_error", "|E − E₀|/|E₀|"),
        Entry("observables", "magnetization and neighbour correlations: mean, error, tau, r_hat"),
        Entry("space", "particles, levels and constraints, where there are any", form=WORD),
        Entry("dimension", "configurations of that space"),
        Entry("signs", "the sign problem in words", form=WORD),
        Entry("weights", "what the weights of the graph multiply, where it has any", form=WORD),
        Entry("steps", "steps of the optimisation"),
        Entry("size", "sites"),
        Entry("parameters", "parameters of the wave function"),
        Entry("seconds", "wall time", "s"),
        Entry("warnings", "what qualifies the numbers"),
    ),
)
