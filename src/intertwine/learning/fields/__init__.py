"""Learning fields from fields: variables by name, their place on a space, standardisation, the fit."""
