"""Sites and bonds without a lattice: any list of edges, and the symmetries that it has."""
