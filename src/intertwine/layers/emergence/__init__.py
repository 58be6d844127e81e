"""Symmetry that a network was not given and learns: measured along a training."""
