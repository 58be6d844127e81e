"""Layers of fields on points in space: convolutions over neighbours, attention, products, read-outs."""
