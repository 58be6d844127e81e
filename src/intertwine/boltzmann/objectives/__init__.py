"""What the training of Boltzmann machines minimises, and how the model's average is taken."""
