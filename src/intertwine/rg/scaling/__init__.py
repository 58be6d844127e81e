"""Finite-size scaling, collapse and critical slowing down."""
