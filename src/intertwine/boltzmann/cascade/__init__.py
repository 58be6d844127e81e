"""Learning as a cascade of transitions: the modes of the data in W along a training, and what is exact."""
