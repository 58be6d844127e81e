"""Whether a function commutes with a group, and why not."""
