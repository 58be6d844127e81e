"""Means with errors that include autocorrelation, and what is made of them."""
