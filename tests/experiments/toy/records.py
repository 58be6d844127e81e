"""What a walk writes."""

from intertwine.records.schema import Entry, Schema

SCHEMA = Schema(
    version=3,
    columns=(
        Entry("step", "step"),
        Entry("place", "place of the walker", "m"),
        Entry("seconds", "time", "s"),
    ),
    results=(Entry("place", "place at the end", "m"), Entry("warnings", "caveats")),
)
