"""What a renormalization run writes."""

from intertwine.records.schema import Entry, Schema

SCHEMA = Schema(
    version=2,
    columns=(
        Entry("step", "line"),
        Entry("energy", "energy per site", "units of the coupling"),
        Entry("energy_error", "its standard error", "units of the coupling"),
        Entry("y_T", "thermal exponent so far"),
        Entry("y_T_error", "its standard error"),
        Entry("y_H", "magnetic exponent so far"),
        Entry("y_H_error", "its standard error"),
        Entry("seconds", "time of the line", "s"),
    ),
    results=(
        Entry("study", "flow, exponents or network"),
        Entry("headline", "what was found, in a sentence"),
        Entry("exponents", "mean, error and exact value of each"),
        Entry("system", "the spin system and its couplings"),
        Entry("rule", "how spins are blocked"),
        Entry("levels", "how often they are"),
        Entry("seconds", "wall time", "s"),
        Entry("warnings", "what qualifies the numbers"),
    ),
)
