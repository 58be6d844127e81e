"""Renormalization steps and their flows."""
