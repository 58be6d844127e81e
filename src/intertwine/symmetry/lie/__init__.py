"""Matrix groups by the generators of their Lie algebras and discrete elements, compact or not."""
