"""Scalar curvature and geodesics of manifolds of couplings."""
