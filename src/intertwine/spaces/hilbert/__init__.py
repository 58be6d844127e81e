"""The configurations of a system: levels of each mode, conserved numbers and constraints."""
