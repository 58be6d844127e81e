"""Batch and layer norms."""
