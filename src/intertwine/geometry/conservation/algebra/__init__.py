"""Lie algebras of matrices: found, named, and what leaves functions and data alone."""
