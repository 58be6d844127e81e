"""Spin models on lattices and their exact values."""
