"""What the graph of a model allows in entanglement, and states whose graph or stabilisers say all."""
