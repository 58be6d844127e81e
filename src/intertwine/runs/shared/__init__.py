"""Runs that several processes share: how they meet, who leads, and what a worker does."""
