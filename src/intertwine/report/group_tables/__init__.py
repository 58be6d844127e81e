"""The report of `classify` on the table of a group."""
