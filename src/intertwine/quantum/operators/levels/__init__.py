"""Operators on modes of any number of levels."""
