"""Depth as scale: the kernel of networks from layer to layer, its fixed points and fluctuations."""
