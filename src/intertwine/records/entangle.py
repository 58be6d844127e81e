"""What a measurement of entropies writes."""

from intertwine.records.schema import WORD, Entry, Schema

SCHEMA = Schema(
    version=1,
    columns=(
        Entry("step", "line"),
        Entry("sites", "sites of the region"),
        Entry("renyi2", "second Rényi entropy", "nats"),
        Entry("error", "one standard error of the Rényi entropy", "nats"),
        Entry("von_neumann", "von Neumann entropy", "nats"),
        Entry("bound", "what the structure of the model allows", "nats"),
        Entry("rank", "rank of the reduced density matrix"),
        Entry("r_hat", "R-hat between the chains"),
        Entry("seconds", "time for the region", "s"),
    ),
    results=(
        Entry("renyi2", "second Rényi entropy of the last region", "nats"),
        Entry("von_neumann", "von Neumann entropy of the last region", "nats"),
        Entry("bound", "what the structure of the model allows there", "nats"),
        Entry("sites_of_last", "sites of the last region"),
        Entry("central_charge", "central charge of a fit by the chord"),
        Entry("volume", "slope of a straight line", "nats per site"),
        Entry("state", "what was measured", form=WORD),
        Entry("size", "sites"),
        Entry("samples", "configurations"),
        Entry("seconds", "wall time", "s"),
        Entry("warnings", "what qualifies the numbers"),
    ),
)
