"""Models that are invariant under a group or carry a representation of it."""
