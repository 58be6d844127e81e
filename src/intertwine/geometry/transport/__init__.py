"""Optimal transport between distributions of configurations: exact, entropic, between Gaussians."""
