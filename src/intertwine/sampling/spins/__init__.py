"""Samplers of spin models: clusters, heat bath, packed bits."""
