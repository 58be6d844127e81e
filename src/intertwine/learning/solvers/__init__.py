"""Solvers of (S + shift) δ = Ōᴴ r: dense for few parameters, minSR for few samples, iterative beyond."""
