"""Pooling over the plane and over the group."""
