"""Layers: equivariant maps between fields, typed by representations."""
