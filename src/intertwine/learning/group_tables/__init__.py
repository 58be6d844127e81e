"""Learning the multiplication table of a group, and looking at its symmetry on the way."""
