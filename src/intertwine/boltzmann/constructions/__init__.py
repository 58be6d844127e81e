"""Machines built by a theorem: any distribution, one more unit, the faces of a cube."""
