"""Tensor renormalization."""
