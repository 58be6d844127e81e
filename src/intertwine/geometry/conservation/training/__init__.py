"""What gradient flow conserves in a network."""
