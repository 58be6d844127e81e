"""Families of terms and their sums."""
