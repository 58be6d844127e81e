"""The geometry of parameters that all wings share."""
