"""Products of the fields of neighbours with functions of the edges, and their sums."""
