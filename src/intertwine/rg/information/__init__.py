"""What block variables know of their surroundings."""
