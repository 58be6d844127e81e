"""A command outside the package: three small files and a row."""
