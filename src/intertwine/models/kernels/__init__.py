"""Compiled kernels of the host."""
