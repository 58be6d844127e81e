"""Samplers of gauge links: heat bath and overrelaxation, compiled for the host."""
