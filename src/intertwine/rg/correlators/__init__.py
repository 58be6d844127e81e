"""Correlation functions of spins by distance, and the Callan-Symanzik equation that they obey."""
