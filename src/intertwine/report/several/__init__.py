"""The page of several runs in one folder: their table."""
