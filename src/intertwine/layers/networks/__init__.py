"""Whole networks by name: built, saved, exported."""
