"""The training of restricted, deep and belief machines."""
