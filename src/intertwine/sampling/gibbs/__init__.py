"""Block Gibbs sampling of machines of layers, tempered and annealed."""
